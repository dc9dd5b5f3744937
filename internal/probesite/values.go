package probesite

import (
	"maps"
	"slices"

	"golang.org/x/arch/x86/x86asm"
)

// value is what is known of a register or of a word on the stack: that it is one
// of the arguments which the function was called with, or an address in its frame.
type value struct {
	kind     valueKind
	argument int8  // its number, from 0
	narrow   bool  // only the low 32 bits are the argument's
	moved    bool  // something was added to it
	offset   int32 // of a valueFrame, from where the stack pointer was at the first instruction
}

type valueKind uint8

const (
	valueUnknown valueKind = iota
	valueArgument
	valueFrame
)

// values is what is known before an instruction.
type values struct {
	registers [16]value
	stack     map[int32]value // by offset as in value; what is narrow has 4 bytes, others 8
}

// entryValues is what is known when a function begins.
func entryValues() *values {
	v := &values{stack: map[int32]value{}}
	for n, r := range arguments[X86] {
		v.registers[r] = value{kind: valueArgument, argument: int8(n)}
	}
	v.registers[RSP] = value{kind: valueFrame}
	return v
}

// either is what is known when one of both is true.
func either(a, b value) value {
	if a.kind != b.kind || a.argument != b.argument || a.offset != b.offset {
		return value{}
	}
	a.narrow = a.narrow || b.narrow
	a.moved = a.moved || b.moved
	return a
}

// meet reduces v to what goes for other as well, and says whether that is less.
func (v *values) meet(other *values) (changed bool) {
	for r, known := range v.registers {
		v.registers[r] = either(known, other.registers[r])
		changed = changed || v.registers[r] != known
	}
	for at, known := range v.stack {
		both := either(known, other.stack[at])
		if both == known {
			continue
		}
		changed = true
		if both.kind == valueUnknown {
			delete(v.stack, at)
		} else {
			v.stack[at] = both
		}
	}
	return changed
}

func (v *values) clone() *values {
	return &values{registers: v.registers, stack: maps.Clone(v.stack)}
}

// values says for each instruction of the list what is known before it; nil where
// nothing leads. copier is the address, relative to the function, of one that
// returns its first argument, 0 for none. nil when the function is more than can
// be followed.
func (fn Function) values(g graph, copier int) []*values {
	if fn.arch != X86 || len(g.list) == 0 {
		return nil
	}
	before := make([]*values, len(g.list))
	first, _ := g.find(0)
	before[first] = entryValues()
	const most = 64 // visits of each instruction; what is known only becomes less
	for work, visits := []int{first}, 0; len(work) > 0; visits++ {
		if visits > most*len(g.list) {
			return nil
		}
		n := work[len(work)-1]
		work = work[:len(work)-1]
		after := before[n].clone()
		after.pass(fn, g.list[n], copier)
		for _, at := range g.list[n].successors() {
			next, ok := g.find(at)
			if !ok {
				continue
			}
			if before[next] == nil {
				before[next] = after.clone()
				work = append(work, next)
			} else if before[next].meet(after) {
				work = append(work, next)
			}
		}
	}
	return before
}

// pass changes what is known before an instruction to what is known behind it.
func (v *values) pass(fn Function, i instruction, copier int) {
	inst, err := x86asm.Decode(fn.Code[i.at:min(i.at+maxInstruction, len(fn.Code))], 64)
	if err != nil {
		v.forget(i.writes)
		return
	}
	if i.flow == flowCall {
		first := v.registers[RDI]
		v.forget(i.writes)
		v.drop(-1<<30, v.registers[RSP].offset)
		if i.direct && copier != 0 && i.target == copier {
			v.registers[RAX] = first
		}
		return
	}
	if v.arithmetic(inst) {
		return
	}
	result := value{}
	if inst.Op == x86asm.MOV || inst.Op == x86asm.LEA {
		result = v.source(inst)
	}
	v.store(inst, result)
	v.forget(i.writes)
	if to, ok := x86Register(inst.Args[0]); ok && (inst.Op == x86asm.MOV || inst.Op == x86asm.LEA) && wide(inst.Args[0]) {
		v.registers[to] = result
	}
}

// maxInstruction is the length of the longest instruction, bytes.
const maxInstruction = 15

// forget drops what is known of registers.
func (v *values) forget(registers registerSet) {
	for r := range v.registers {
		if registers.has(Register(r)) {
			v.registers[r] = value{}
		}
	}
}

// arithmetic follows the instructions that add to a register.
func (v *values) arithmetic(inst x86asm.Inst) bool {
	switch inst.Op {
	case x86asm.PUSH, x86asm.POP:
		by := int32(8)
		if inst.Op == x86asm.PUSH {
			by = -by
		}
		if to, ok := x86Register(inst.Args[0]); ok && inst.Op == x86asm.POP {
			v.registers[to] = value{}
		}
		v.registers[RSP].offset += by
		if top := v.registers[RSP].offset; by < 0 {
			v.drop(top, top-by)
		}
		return true
	case x86asm.ADD, x86asm.SUB:
		to, ok := x86Register(inst.Args[0])
		if !ok || !wide(inst.Args[0]) {
			return false
		}
		known := &v.registers[to]
		by, constant := inst.Args[1].(x86asm.Imm)
		switch {
		case known.kind == valueFrame && constant && inst.Op == x86asm.SUB:
			known.offset -= int32(by)
		case known.kind == valueFrame && constant:
			known.offset += int32(by)
		case known.kind == valueArgument && inst.Op == x86asm.ADD:
			known.moved = true
		default:
			*known = value{}
		}
		return true
	default:
		return false
	}
}

// source is what a move or the computation of an address yields.
func (v *values) source(inst x86asm.Inst) value {
	narrow := inst.DataSize == 32
	if from, ok := x86Register(inst.Args[1]); ok {
		if !wide(inst.Args[1]) {
			return value{}
		}
		known := v.registers[from]
		known.narrow = known.narrow || narrow
		return known
	}
	mem, ok := inst.Args[1].(x86asm.Mem)
	if !ok {
		return value{}
	}
	if inst.Op == x86asm.LEA {
		return v.address(mem)
	}
	at, ok := v.slot(mem)
	if !ok {
		return value{}
	}
	known := v.stack[at]
	if known.kind == valueUnknown || known.narrow && !narrow { // less is there than is taken
		return value{}
	}
	known.narrow = narrow
	return known
}

// address is what is known of an address.
func (v *values) address(mem x86asm.Mem) value {
	base, ok := x86Register(mem.Base)
	if !ok || mem.Segment != 0 {
		return value{}
	}
	known := v.registers[base]
	switch {
	case known.kind == valueFrame && mem.Index == 0:
		known.offset += int32(mem.Disp)
	case known.kind == valueArgument:
		known.moved = true
	default:
		return value{}
	}
	return known
}

// slot is the place on the stack that an operand in memory names.
func (v *values) slot(mem x86asm.Mem) (at int32, ok bool) {
	base, ok := x86Register(mem.Base)
	if !ok || mem.Index != 0 || mem.Segment != 0 || v.registers[base].kind != valueFrame {
		return 0, false
	}
	return v.registers[base].offset + int32(mem.Disp), true
}

// widest is the most that an instruction stores, bytes.
const widest = 64

// store notes what an instruction writes to the stack. What is written by an
// address that was computed otherwise is not taken for a word of the frame by its
// offset: compilers keep these where no address leads.
func (v *values) store(inst x86asm.Inst, result value) {
	if to, ok := inst.Args[0].(x86asm.Mem); ok && to.Base == x86asm.RDI && x86Implicit[inst.Op].has(RDI) && v.registers[RDI].kind == valueFrame {
		clear(v.stack) // a string of any length
		return
	}
	for n, arg := range inst.Args {
		mem, ok := arg.(x86asm.Mem)
		if !ok || x86ReadsOnly[inst.Op] || n > 0 && x86FirstOnly[inst.Op] {
			continue
		}
		at, ok := v.slot(mem)
		if !ok {
			continue
		}
		size := int32(inst.MemBytes)
		if size <= 0 {
			size = widest
		}
		v.drop(at, at+size)
		if inst.Op != x86asm.MOV || result.kind == valueUnknown || size != 8 && size != 4 || size == 8 && result.narrow {
			continue
		}
		result.narrow = size == 4
		v.stack[at] = result
	}
}

// drop forgets what is known of a part of the stack.
func (v *values) drop(from, to int32) {
	for at, known := range v.stack {
		length := int32(8)
		if known.narrow {
			length = 4
		}
		if at < to && from < at+length {
			delete(v.stack, at)
		}
	}
}

// where returns a place in which a call of another function leaves an argument as
// it is: a register, or so many bytes above the stack pointer.
func (v *values) where(argument int8, narrow bool) (Place, bool) {
	is := func(known value) bool {
		return known.kind == valueArgument && known.argument == argument && !known.moved && (narrow || !known.narrow)
	}
	for r, known := range v.registers {
		if is(known) && x86Kept.has(Register(r)) {
			return Place{Register: Register(r)}, true
		}
	}
	top := v.registers[RSP]
	if top.kind != valueFrame {
		return Place{}, false
	}
	for _, at := range slices.Sorted(maps.Keys(v.stack)) {
		if above := at - top.offset; is(v.stack[at]) && above >= 0 && above <= maxAbove {
			return Place{OnStack: true, Above: uint16(above)}, true
		}
	}
	return Place{}, false
}
