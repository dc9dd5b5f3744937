package probesite

import (
	"bytes"

	"golang.org/x/arch/x86/x86asm"
)

// Registers that a call leaves as they were, by the rules of C and of Go.
// (Go's R14 is the goroutine.)
var (
	x86Kept   = setOf(RBX, RSP, RBP, R12, R13, R14, R15)
	x86GoKept = setOf(RSP, RBP, R14)
)

// endbr64 marks a target of indirect calls; the decoder does not know it.
var endbr64 = []byte{0xf3, 0x0f, 0x1e, 0xfa}

// nop5 is the one encoding of a nop that newer kernels replace by a call.
var nop5 = []byte{0x0f, 0x1f, 0x44, 0x00, 0x00}

func decodeX86(code []byte, at int, goABI bool) instruction {
	rest := code[at:]
	if bytes.HasPrefix(rest, endbr64) {
		return instruction{at: at, size: len(endbr64), cost: SingleStepped}
	}
	inst, err := x86asm.Decode(rest[:min(len(rest), 15)], 64)
	if err != nil || inst.Op == 0 || inst.Len == 0 {
		return instruction{at: at, size: 1, flow: flowStop, cost: SingleStepped, writes: everyRegister}
	}
	i := instruction{at: at, size: inst.Len, cost: SingleStepped, writes: x86Writes(inst)}
	i.flow = x86Flow(inst)
	if rel, ok := inst.Args[0].(x86asm.Rel); ok {
		i.target, i.direct = at+inst.Len+int(rel), true
	}
	if i.flow == flowCall {
		kept := x86Kept
		if goABI {
			kept = x86GoKept
		}
		i.writes = everyRegister &^ kept
	}
	if x86Emulated(inst, rest) {
		i.cost = Emulated
	}
	if bytes.HasPrefix(rest, nop5) {
		i.cost = Trampoline
	}
	i.setMove(inst)
	return i
}

func x86Flow(inst x86asm.Inst) flow {
	_, direct := inst.Args[0].(x86asm.Rel)
	switch inst.Op {
	case x86asm.JMP:
		if direct {
			return flowJump
		}
		return flowIndirect
	case x86asm.CALL:
		return flowCall
	case x86asm.RET, x86asm.LRET, x86asm.IRET, x86asm.IRETD, x86asm.IRETQ:
		return flowReturn
	case x86asm.UD1, x86asm.UD2, x86asm.HLT, x86asm.INT, x86asm.LJMP:
		return flowStop
	default:
		if direct { // Jcc, JRCXZ, LOOP
			return flowBranch
		}
		return flowNext
	}
}

// x86Emulated says whether the kernel emulates the instruction: near jumps,
// conditional jumps and calls with a relative target, nop, and push of a
// register, if nothing but REX.B precedes it (since Linux 4.17). Operand size
// prefixes make the kernel refuse jumps.
func x86Emulated(inst x86asm.Inst, code []byte) bool {
	_, direct := inst.Args[0].(x86asm.Rel)
	opcode := code[0]
	switch {
	case inst.Op == x86asm.PUSH:
		return inst.Len == 1 && opcode>>3 == 0x50>>3 || inst.Len == 2 && opcode == 0x41 && code[1]>>3 == 0x50>>3
	case inst.Op == x86asm.NOP:
		return inst.Len == 1 || inst.Len == 2 && opcode == 0x66 && code[1] == 0x90
	case !direct:
		return false
	case inst.Op == x86asm.JMP:
		return opcode == 0xe9 || opcode == 0xeb
	case inst.Op == x86asm.CALL:
		return opcode == 0xe8
	default:
		return opcode>>4 == 0x7 || opcode == 0x0f && code[1]>>4 == 0x8
	}
}

// setMove notes copies between registers, as which those count that extend
// the sign of 32 bits.
func (i *instruction) setMove(inst x86asm.Inst) {
	if inst.Op != x86asm.MOV && inst.Op != x86asm.MOVSXD {
		return
	}
	to, ok1 := x86Register(inst.Args[0])
	from, ok2 := x86Register(inst.Args[1])
	if ok1 && ok2 && inst.DataSize >= 32 && wide(inst.Args[0]) && wide(inst.Args[1]) {
		i.move, i.to, i.from = true, to, from
	}
}

func wide(arg x86asm.Arg) bool {
	r, ok := arg.(x86asm.Reg)
	return ok && r >= x86asm.EAX && r <= x86asm.R15
}

// x86Register returns the whole register of which arg is a part.
func x86Register(arg x86asm.Arg) (Register, bool) {
	r, ok := arg.(x86asm.Reg)
	if !ok {
		return 0, false
	}
	switch {
	case r >= x86asm.AH && r <= x86asm.BH:
		return Register(r - x86asm.AH), true
	case r >= x86asm.AL && r <= x86asm.BL:
		return Register(r - x86asm.AL), true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return Register(r-x86asm.SPB) + RSP, true
	case r >= x86asm.AX && r <= x86asm.R15W:
		return Register(r - x86asm.AX), true
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return Register(r - x86asm.EAX), true
	case r >= x86asm.RAX && r <= x86asm.R15:
		return Register(r - x86asm.RAX), true
	default:
		return 0, false
	}
}
