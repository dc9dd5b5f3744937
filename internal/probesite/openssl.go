package probesite

import (
	"debug/elf"
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// Place is where a value is at a site.
type Place struct {
	OnStack  bool
	Above    uint16   // on the stack: so many bytes above its pointer
	Register Register // else; one that calls preserve
}

// maxAbove is the largest Place.Above.
const maxAbove = 1<<15 - 1

// Copy is a call of memcpy(to, from, n) by which a function hands over data, and
// where its own arguments are then. Of an int, the low 32 bits count.
type Copy struct {
	Site
	Arguments []Place
}

// OpenSSL are the places in OpenSSL's inner functions at which its plain text and
// its handshakes come by, whoever wants them and by whichever function.
type OpenSSL struct {
	// Copies are where records are copied to who reads them. Arguments are those of
	// CopyArguments.
	Copies []Copy
	// Handshakes are the functions by which servers and clients shake hands, of a
	// session alone.
	Handshakes []Function
}

// The arguments of the function that reads records, of which are told where they
// are: the session, the kind of record that is wanted, and whether it is only
// looked at.
var copyArguments = []int8{0, 1, 5}

// copyTo is the number of the argument that says where the caller wants the data.
const copyTo = 3

// openSSLMethod is a function that returns the address of the table of a protocol's
// functions, in which those lie that are looked for: these have no names in shared
// libraries.
const openSSLMethod = "TLS_method"

// The table: what it has in front of functions, and how many are looked at. How far
// apart those are that are looked for has not changed since OpenSSL 1.1.0.
const (
	methodHead      = 16 // bytes
	methodFunctions = 32
	methodHandshake = 8 // from the function that reads records back to the server's handshake
)

// OpenSSL finds the places in a file with OpenSSL 1.1 or 3, by what the functions
// do with their arguments. Anything that is not as it is known is ErrNoSite.
func (f *File) OpenSSL(kernel Kernel) (*OpenSSL, error) {
	method, err := f.Function(openSSLMethod)
	if err != nil {
		return nil, err
	}
	table, err := f.methodTable(method)
	if err != nil {
		return nil, err
	}
	var found *OpenSSL
	for n := methodHandshake; n < len(table); n++ {
		fn, err := f.unnamed("what reads records", table[n])
		if err != nil {
			continue
		}
		copies := fn.copies(kernel)
		if len(copies) == 0 {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("%w: more than one function of OpenSSL may read records", ErrNoSite)
		}
		found = &OpenSSL{Copies: copies}
		for _, address := range table[n-methodHandshake:][:2] {
			fn, err := f.unnamed("a handshake", address)
			if err != nil {
				return nil, err
			}
			found.Handshakes = append(found.Handshakes, fn)
		}
	}
	if found == nil || !found.Handshakes[0].shares(found.Handshakes[1]) {
		return nil, fmt.Errorf("%w: OpenSSL's functions are not as they are known", ErrNoSite)
	}
	return found, nil
}

// unnamed returns the function at an address.
func (f *File) unnamed(name string, address uint64) (Function, error) {
	_, room, err := f.offset(address)
	if err != nil {
		return Function{}, err
	}
	return f.function(name, symbol{address: address, size: min(room, maxCode)})
}

// methodTable reads the functions in the table whose address a function returns.
func (f *File) methodTable(fn Function) ([]uint64, error) {
	address, ok := fn.returnsAddress()
	if !ok {
		return nil, fmt.Errorf("%w: %s returns no address", ErrNoSite, fn.Name)
	}
	for _, p := range f.segments {
		if p.Flags&elf.PF_X != 0 || address < p.Vaddr || address+methodHead-p.Vaddr >= p.Filesz {
			continue
		}
		in := address + methodHead - p.Vaddr
		words := make([]byte, 8*min(methodFunctions, (p.Filesz-in)/8))
		if _, err := f.reader.ReadAt(words, int64(p.Off+in)); err != nil {
			return nil, fmt.Errorf("reading OpenSSL's table: %w", err)
		}
		table := make([]uint64, 0, methodFunctions)
		for ; len(words) > 0; words = words[8:] {
			table = append(table, binary.LittleEndian.Uint64(words))
		}
		return table, nil
	}
	return nil, fmt.Errorf("%w: the table of %s is not in the file", ErrNoSite, fn.Name)
}

// returnsAddress is what a function returns that does nothing else.
func (fn Function) returnsAddress() (uint64, bool) {
	if fn.arch != X86 {
		return 0, false
	}
	list := fn.explore().list
	for _, i := range list[:min(len(list), 4)] {
		inst, err := x86asm.Decode(fn.Code[i.at:], 64)
		if err != nil {
			continue // endbr64
		}
		if to, ok := x86Register(inst.Args[0]); !ok || to != RAX {
			continue
		}
		mem, relative := inst.Args[1].(x86asm.Mem)
		by, constant := inst.Args[1].(x86asm.Imm)
		switch {
		case inst.Op == x86asm.LEA && relative && mem.Base == x86asm.RIP:
			return fn.Address + uint64(int64(i.at+i.size)+mem.Disp), true
		case inst.Op == x86asm.MOV && constant && by > 0:
			return uint64(by), true
		}
	}
	return 0, false
}

// What the function that reads records compares their kind with (RFC 8446, B.1).
const (
	typeHandshake = 22
	typeData      = 23
)

// copies returns the calls by which a function hands data to the memory that its
// caller gave it, all by the same copier; none if it is not certain that there are
// no others.
func (fn Function) copies(kernel Kernel) (all []Copy) {
	if fn.arch != X86 {
		return nil
	}
	g := fn.explore()
	if !fn.compares(g, typeHandshake) || !fn.compares(g, typeData) {
		return nil
	}
	looked := map[int]bool{}
	for _, i := range g.list {
		if i.flow == flowIndirect { // cases of a switch, which are not seen
			return nil
		}
		if i.flow != flowCall || !i.direct || looked[i.target] {
			continue
		}
		looked[i.target] = true
		if copies := fn.copiesBy(g, i.target, kernel); len(copies) > 0 {
			if len(all) > 0 {
				return nil
			}
			all = copies
		}
	}
	return all
}

// compares says whether the function compares anything with a number.
func (fn Function) compares(g graph, number x86asm.Imm) bool {
	for _, i := range g.list {
		inst, err := x86asm.Decode(fn.Code[i.at:], 64)
		if err == nil && inst.Op == x86asm.CMP && inst.Args[1] == number {
			return true
		}
	}
	return false
}

// copiesBy is copies for one copier, at an address relative to the function.
func (fn Function) copiesBy(g graph, copier int, kernel Kernel) (all []Copy) {
	known := fn.values(g, copier)
	if known == nil {
		return nil
	}
	for n, i := range g.list {
		if known[n] == nil || i.flow != flowCall || !i.direct || i.target != copier {
			continue
		}
		to := known[n].registers[RDI]
		if to.kind == valueUnknown || to.narrow {
			return nil
		}
		if to.kind != valueArgument || to.argument != copyTo {
			continue
		}
		c := Copy{Site: Site{Offset: fn.Offset + uint64(i.at), Delta: i.at, Cost: i.price(kernel)}}
		for _, argument := range copyArguments {
			place, ok := known[n].where(argument, argument != 0)
			if !ok {
				return nil
			}
			c.Arguments = append(c.Arguments, place)
		}
		all = append(all, c)
	}
	return all
}

// shares says whether two functions call the same one, or go on in it.
func (fn Function) shares(other Function) bool {
	leads := map[uint64]bool{}
	for _, i := range fn.explore().list {
		if i.direct {
			leads[fn.Address+uint64(i.target)] = true
		}
	}
	for _, i := range other.explore().list {
		if i.direct && leads[other.Address+uint64(i.target)] {
			return true
		}
	}
	return false
}
