package probesite

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"
)

// Bounds of the search for functions that have no names.
const (
	maxSearched   = 512 << 20 // of code or of constants, bytes
	maxMentions   = 4096      // of a text
	maxStarts     = 1 << 16   // of functions near those
	functionAlign = 16        // on x86-64, by every compiler unless it saves space
)

// texts returns the addresses of the constant texts, ended by a zero, that end in
// a suffix.
func (f *File) texts(suffix string) ([]uint64, error) {
	var all []uint64
	for _, s := range f.constants() {
		w := newWindow(f.reader, s.Offset, s.FileSize)
		ends, err := w.find([]string{suffix})
		if err != nil {
			return nil, err
		}
		for at := range ends {
			start, err := w.textStart(at)
			if err != nil {
				return nil, err
			}
			all = append(all, s.Addr+uint64(start))
		}
	}
	return all, nil
}

// maxText bounds the length of a text before the suffix that is looked for.
const maxText = 1024

// textStart returns where the text begins that goes on at an offset.
func (w *window) textStart(at int64) (int64, error) {
	n := min(at, maxText)
	before, err := w.at(at-n, int(n))
	if err != nil {
		return 0, err
	}
	return at - n + int64(bytes.LastIndexByte(before, 0)) + 1, nil
}

// constants are the sections with data that is neither code nor ever written to.
func (f *File) constants() []*elf.Section {
	var all []*elf.Section
	size := uint64(0)
	for _, s := range f.sections {
		if s.Type != elf.SHT_PROGBITS || s.Flags&(elf.SHF_ALLOC|elf.SHF_WRITE|elf.SHF_EXECINSTR|elf.SHF_COMPRESSED) != elf.SHF_ALLOC {
			continue
		}
		if size += s.FileSize; size > maxSearched {
			break
		}
		all = append(all, s)
	}
	return all
}

// mentioning returns the functions whose code has the address of one of the texts
// in it, in the order of their addresses. A function is what is called and leads
// there: compilers need write no table of functions.
func (f *File) mentioning(texts []uint64) ([]Function, error) {
	var mentions []uint64
	err := f.eachCode(func(address uint64, code []byte) bool {
		mentions = f.appendMentions(mentions, address, code, texts)
		return len(mentions) < maxMentions
	})
	if err != nil || len(mentions) == 0 {
		return nil, err
	}
	slices.Sort(mentions)
	mentions = slices.Compact(mentions)
	starts, err := f.startsNear(mentions)
	if err != nil {
		return nil, err
	}
	var all []Function
	for _, at := range mentions {
		if n := len(all); n > 0 && at >= all[n-1].Address && all[n-1].covers(at) {
			continue
		}
		if fn, ok := f.functionAround(at, starts); ok {
			all = append(all, fn)
		}
	}
	return all, nil
}

// functionAround returns the function that an instruction is of.
func (f *File) functionAround(at uint64, starts []uint64) (Function, bool) {
	next, _ := slices.BinarySearch(starts, at+1)
	for n := next - 1; n >= 0 && at-starts[n] < maxCode; n-- {
		size := uint64(maxCode)
		if n+1 < len(starts) {
			size = min(size, starts[n+1]-starts[n])
		}
		if at-starts[n] >= size { // what lies between ends before
			return Function{}, false
		}
		fn, err := f.function("", symbol{address: starts[n], size: size})
		if err == nil && fn.covers(at) {
			return fn, true
		}
	}
	return Function{}, false
}

// covers says whether the function executes the byte at an address.
func (fn Function) covers(address uint64) bool {
	in := int(address - fn.Address)
	for _, i := range fn.explore().list {
		if i.at <= in && in < i.at+i.size {
			return true
		}
	}
	return false
}

// eachCode calls visit for the code of the file, piece by piece, until it returns
// false. Pieces overlap by less than the longest instruction.
func (f *File) eachCode(visit func(address uint64, code []byte) bool) error {
	size := uint64(0)
	for _, p := range f.segments {
		if p.Flags&elf.PF_X == 0 {
			continue
		}
		if size += p.Filesz; size > maxSearched {
			return ErrNoFunction
		}
		on := true
		err := newWindow(f.reader, p.Off, p.Filesz).each(codeOverlap, func(at int64, code []byte) bool {
			on = visit(p.Vaddr+uint64(at), code)
			return on
		})
		if err != nil || !on {
			return err
		}
	}
	return nil
}

// codeOverlap keeps pairs of instructions of arm64 together, and aligned.
const codeOverlap = 2 * arm64Size

// appendMentions adds the addresses in a piece of code at which one of the texts
// is mentioned.
func (f *File) appendMentions(all []uint64, address uint64, code []byte, texts []uint64) []uint64 {
	if f.arch == ARM64 {
		return appendARM64Mentions(all, address, code, texts)
	}
	for _, text := range texts {
		if text>>31 == 0 { // as a number, in programs that lie where they were linked to
			pattern := binary.LittleEndian.AppendUint32(nil, uint32(text))
			for in := 0; ; in++ {
				next := bytes.Index(code[in:], pattern)
				if next < 0 {
					break
				}
				in += next
				all = append(all, address+uint64(in))
			}
		}
	}
	const lea, leaSize = 0x8d, 7 // with REX and 32 bits relative to the next instruction
	for in := 1; in+leaSize-1 <= len(code); in++ {
		next := bytes.IndexByte(code[in:], lea)
		if next < 0 {
			break
		}
		in += next
		if in+leaSize-1 > len(code) || code[in-1]&0xfb != 0x48 || code[in+1]&0xc7 != 0x05 {
			continue
		}
		to := address + uint64(in+leaSize-1) + uint64(int64(int32(binary.LittleEndian.Uint32(code[in+2:]))))
		if slices.Contains(texts, to) {
			all = append(all, address+uint64(in))
		}
	}
	return all
}

// appendARM64Mentions looks for adrp, and add of the same register soon after.
func appendARM64Mentions(all []uint64, address uint64, code []byte, texts []uint64) []uint64 {
	for in := 0; in+2*arm64Size <= len(code); in += arm64Size {
		adrp := binary.LittleEndian.Uint32(code[in:])
		if adrp&0x9f000000 != 0x90000000 {
			continue
		}
		pages := int64(int32(adrp<<8)>>13)<<2 | int64(adrp>>29&3)
		page := (address+uint64(in))&^0xfff + uint64(pages<<12)
		for later := in + arm64Size; later+arm64Size <= len(code) && later <= in+8*arm64Size; later += arm64Size {
			add := binary.LittleEndian.Uint32(code[later:])
			if add&0xffc00000 != 0x91000000 || add>>5&0x1f != adrp&0x1f { // add x, x, #imm12
				continue
			}
			if slices.Contains(texts, page+uint64(add>>10&0xfff)) {
				all = append(all, address+uint64(in))
			}
			break
		}
	}
	return all
}

// startsNear returns where functions begin that are called by others and lie
// around the given addresses, sorted.
func (f *File) startsNear(mentions []uint64) ([]uint64, error) {
	var starts []uint64
	isNear := func(to uint64) bool {
		n, _ := slices.BinarySearch(mentions, to)
		return n < len(mentions) && mentions[n]-to < maxCode || n > 0 && to-mentions[n-1] < maxCode
	}
	err := f.eachCode(func(address uint64, code []byte) bool {
		starts = f.appendCalled(starts, address, code, isNear)
		return len(starts) < maxStarts
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	return slices.DeleteFunc(starts, func(at uint64) bool { return !f.isStart(at) }), nil
}

// appendCalled adds the targets of the calls in a piece of code. Not everything
// that looks like a call of x86-64 is one.
func (f *File) appendCalled(all []uint64, address uint64, code []byte, wanted func(uint64) bool) []uint64 {
	if f.arch == ARM64 {
		for in := 0; in+arm64Size <= len(code); in += arm64Size {
			word := binary.LittleEndian.Uint32(code[in:])
			if word>>26 != 0x94>>2 { // bl
				continue
			}
			if to := address + uint64(in) + uint64(int64(int32(word<<6)>>4)); wanted(to) {
				all = append(all, to)
			}
		}
		return all
	}
	const call, callSize = 0xe8, 5
	for in := 0; in+callSize <= len(code); in++ {
		next := bytes.IndexByte(code[in:], call)
		if next < 0 || in+next+callSize > len(code) {
			break
		}
		in += next
		to := address + uint64(in+callSize) + uint64(int64(int32(binary.LittleEndian.Uint32(code[in+1:]))))
		if to%functionAlign == 0 && wanted(to) {
			all = append(all, to)
		}
	}
	return all
}

// isStart says whether a function can begin at an address: no other instruction
// goes on there, as far as that can be told from what lies before.
func (f *File) isStart(address uint64) bool {
	offset, _, err := f.offset(address)
	if err != nil {
		return false
	}
	if f.arch == ARM64 {
		return true
	}
	var before [1]byte
	if _, _, err := f.offset(address - 1); err != nil {
		return true // the first of its segment
	}
	if _, err := f.reader.ReadAt(before[:], int64(offset)-1); err != nil {
		return false
	}
	switch before[0] {
	case 0xcc, 0xc3, 0x90, 0x00: // traps, a return, and the ends of nops
		return true
	default:
		return f.endsBefore(offset)
	}
}

// endsBefore says whether what lies before an offset in the file is a jump or a
// call, of which no more comes back.
func (f *File) endsBefore(offset uint64) bool {
	const jump, short, call = 0xe9, 0xeb, 0xe8
	var before [5]byte
	if _, err := f.reader.ReadAt(before[:], int64(offset)-int64(len(before))); err != nil {
		return false
	}
	return before[0] == jump || before[0] == call || before[3] == short || before[3] == 0x0f && before[4] == 0x0b // ud2
}

// numbers returns the constants that the function puts in registers.
func (fn Function) numbers() map[int64]bool {
	all := map[int64]bool{}
	for _, i := range fn.explore().list {
		if n, ok := fn.number(i); ok {
			all[n] = true
		}
	}
	return all
}

// number is the constant that an instruction puts in a register.
func (fn Function) number(i instruction) (int64, bool) {
	if fn.arch == ARM64 {
		if i.at+arm64Size > len(fn.Code) {
			return 0, false
		}
		inst, err := arm64asm.Decode(fn.Code[i.at : i.at+arm64Size])
		if err != nil || inst.Op != arm64asm.MOV && inst.Op != arm64asm.MOVZ {
			return 0, false
		}
		switch n := inst.Args[1].(type) {
		case arm64asm.Imm:
			return int64(n.Imm), true
		case arm64asm.Imm64:
			return int64(n.Imm), true
		default:
			return 0, false
		}
	}
	inst, err := x86asm.Decode(fn.Code[i.at:], 64)
	if err != nil || inst.Op != x86asm.MOV {
		return 0, false
	}
	_, toRegister := inst.Args[0].(x86asm.Reg)
	n, ok := inst.Args[1].(x86asm.Imm)
	return int64(n), ok && toRegister
}
