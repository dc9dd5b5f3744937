package probesite

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// Where Go's compiler (since 1.17, with frame pointers) has the caller keep
// room for arguments that came in registers, in bytes.
const (
	// x86-64: behind the saved frame pointer and the return address, to which the
	// frame pointer leads.
	goSpillReceiver = 16
	// arm64: behind the room for the return address, at which the stack pointer is
	// when the function begins. The caller's frame pointer, which the one of the
	// function leads to, is 8 lower.
	goSpillARM64 = 8
)

// GoCopy finds where a method of Go, which copies data to the slice that it was
// given, calls runtime.memmove, at copier. There the registers hold the
// destination, the source and the length of the copy, and the frame has the
// method's receiver still where the caller made room for it.
func (fn Function) GoCopy(kernel Kernel, copier uint64) (Site, error) {
	keeps := fn.keepsReceiver
	if fn.arch == ARM64 {
		keeps = fn.keepsReceiverARM64
	}
	if !keeps() {
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

// keepsReceiverARM64 is keepsReceiver for arm64, where frame and frame pointer have
// to stand as they do in functions whose frame is not large: the return address is
// stored as the stack grows, below it the caller's frame pointer.
func (fn Function) keepsReceiverARM64() bool {
	const (
		growsStack   = 0xf8000ffe // str x30, [sp, #-n]!
		framePointer = 0xd10023fd // sub x29, sp, #8
		keepsFirst   = 0xf90003e0 // str x0, [sp, #8*n]
	)
	frame, pointed := int32(0), false
	for at, looked := 0, 0; at+arm64Size <= len(fn.Code) && looked < maxPrologue; looked++ {
		word := binary.LittleEndian.Uint32(fn.Code[at:])
		switch {
		case word&^(0x1ff<<12) == growsStack && frame == 0:
			frame = -(int32(word<<11) >> 23)
		case word == framePointer:
			pointed = frame > 0
		case word == keepsFirst|uint32(frame+goSpillARM64)/8<<10:
			return pointed
		}
		i := fn.decode(at)
		if i.writes.has(X0) || i.flow != flowNext && i.flow != flowBranch {
			return false
		}
		at += arm64Size
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
