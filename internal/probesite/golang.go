package probesite

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// Where Go's compiler (since 1.17, with frame pointers) has the caller keep
// room for arguments that came in registers: behind the saved frame pointer and
// the return address. Offsets from the frame pointer, in bytes.
const goSpillReceiver = 16

// GoCopy finds where a method of Go, which copies data to the slice that it was
// given, calls runtime.memmove, at copier. There the registers hold the
// destination, the source and the length of the copy, and the frame has the
// method's receiver still where the caller made room for it.
func (fn Function) GoCopy(kernel Kernel, copier uint64) (Site, error) {
	if fn.arch != X86 {
		return Site{}, fmt.Errorf("%w: Go's frames are known for x86-64 only", ErrNoSite)
	}
	if !fn.keepsReceiver() {
		return Site{}, fmt.Errorf("%w: %s does not keep its receiver where it is looked for", ErrNoSite, fn.Name)
	}
	var sites []Site
	for _, i := range fn.explore().list {
		if i.flow == flowCall && i.direct && fn.Address+uint64(int64(i.target)) == copier {
			sites = append(sites, Site{Offset: fn.Offset + uint64(i.at), Delta: i.at, Cost: i.price(kernel)})
		}
	}
	if len(sites) != 1 {
		return Site{}, fmt.Errorf("%w: %s copies at %d places, not at one", ErrNoSite, fn.Name, len(sites))
	}
	return sites[0], nil
}

// keepsReceiver says whether the first argument is stored to its room in the
// caller's frame before its register changes.
func (fn Function) keepsReceiver() bool {
	depth := 0 // of the stack above the return address, bytes
	for at, looked := 0, 0; at < len(fn.Code) && looked < maxPrologue; looked++ {
		inst, err := x86asm.Decode(fn.Code[at:], 64)
		if err != nil || inst.Len == 0 {
			return false
		}
		to, store := inst.Args[0].(x86asm.Mem)
		if inst.Op == x86asm.MOV && store && inst.Args[1] == x86asm.RAX && to.Base == x86asm.RSP && to.Index == 0 &&
			to.Disp-int64(depth)+8 == goSpillReceiver {
			return true
		}
		i := fn.decode(at)
		if i.writes.has(RAX) || i.flow != flowNext && i.flow != flowBranch {
			return false
		}
		depth += pushed(inst)
		at += i.size
	}
	return false
}

// pushed is by how much an instruction makes the stack higher, bytes.
func pushed(inst x86asm.Inst) int {
	by, _ := inst.Args[1].(x86asm.Imm)
	switch {
	case inst.Op == x86asm.PUSH:
		return 8
	case inst.Op == x86asm.SUB && inst.Args[0] == x86asm.RSP:
		return int(by)
	case inst.Op == x86asm.ADD && inst.Args[0] == x86asm.RSP:
		return -int(by)
	default:
		return 0
	}
}

// Functions of Go by which crypto/tls is followed.
const (
	goTLSRead  = "crypto/tls.(*Conn).Read"
	goTLSWrite = "crypto/tls.(*Conn).Write"
	goMemmove  = "runtime.memmove"
)

// GoTLS are the places in a Go program at which the plain text of crypto/tls
// passes.
type GoTLS struct {
	// Read is where (*Conn).Read hands over what was decrypted, see GoCopy.
	Read Site
	// Write is where (*Conn).Write begins, its parameters in their registers.
	Write Site
}

// GoTLS finds the places of crypto/tls. A program without is ErrNoFunction; the
// calling convention must be that of Go 1.17 or later, whose table of functions
// is known since 1.18.
func (f *File) GoTLS(kernel Kernel) (GoTLS, error) {
	found, err := f.Functions(goTLSRead, goTLSWrite, goMemmove)
	if err != nil {
		return GoTLS{}, err
	}
	read, write := found[goTLSRead], found[goTLSWrite]
	if !read.goABI || !write.goABI {
		return GoTLS{}, fmt.Errorf("%w: crypto/tls", ErrNoFunction)
	}
	var places GoTLS
	if places.Read, err = read.GoCopy(kernel, found[goMemmove].Address); err != nil {
		return GoTLS{}, err
	}
	places.Write, err = write.Entry(kernel, write.Arguments(3)...)
	return places, err
}
