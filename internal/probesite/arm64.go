package probesite

import (
	"encoding/binary"

	"golang.org/x/arch/arm64/arm64asm"
)

// An instruction of arm64 has four bytes.
const arm64Size = 4

// Registers that a call leaves as they were: by the rules of C X19 to X29, by
// Go's only the goroutine and the frame.
var (
	arm64Kept   = setOf(19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
	arm64GoKept = setOf(28, 29)
)

// arm64Flows are the instructions after which another than the next may
// follow. The kernel emulates all of them, except those that stop.
var arm64Flows = map[arm64asm.Op]flow{
	arm64asm.B: flowJump, arm64asm.BL: flowCall, arm64asm.BLR: flowCall, arm64asm.BR: flowIndirect, arm64asm.RET: flowReturn,
	arm64asm.CBZ: flowBranch, arm64asm.CBNZ: flowBranch, arm64asm.TBZ: flowBranch, arm64asm.TBNZ: flowBranch,
	arm64asm.BRK: flowStop, arm64asm.HLT: flowStop, arm64asm.ERET: flowStop,
}

func decodeARM64(code []byte, at int, goABI bool) instruction {
	i := instruction{at: at, size: arm64Size, cost: SingleStepped}
	if at+arm64Size > len(code) {
		i.flow, i.writes = flowStop, everyRegister
		return i
	}
	word := code[at : at+arm64Size]
	inst, err := arm64asm.Decode(word)
	if err != nil {
		i.undecoded(binary.LittleEndian.Uint32(word))
		return i
	}
	i.flow = arm64Flows[inst.Op]
	i.target, i.direct = arm64Target(inst, at)
	if _, conditional := inst.Args[0].(arm64asm.Cond); conditional && inst.Op == arm64asm.B {
		i.flow = flowBranch
	}
	if i.flow != flowStop && (i.flow != flowNext || arm64Literal(inst)) {
		i.cost = Emulated
	}
	i.writes = arm64Writes(inst)
	if i.flow == flowCall {
		i.writes = everyRegister &^ arm64Kept
		if goABI {
			i.writes = everyRegister &^ arm64GoKept
		}
	}
	if inst.Op == arm64asm.MOV {
		to, ok1 := arm64Register(inst.Args[0])
		from, ok2 := arm64Register(inst.Args[1])
		i.move, i.to, i.from = ok1 && ok2, to, from
	}
	return i
}

// undecoded handles what the decoder does not know. Of newer branches, which
// check their target's signature, it matters where they lead; any other
// instruction may change every register and goes on.
func (i *instruction) undecoded(word uint32) {
	i.writes = everyRegister
	switch {
	case word>>16 == 0: // udf
		i.flow = flowStop
	case word == 0xd65f0bff || word == 0xd65f0fff: // retaa, retab
		i.flow, i.writes = flowReturn, 0
	case word>>25 == 0xd6>>1 && word>>21&1 == 0: // braa, brab
		i.flow = flowIndirect
	case word>>25 == 0xd6>>1: // blraa, blrab
		i.flow = flowCall
	}
}

// arm64Target returns where the instruction leads, in its function.
func arm64Target(inst arm64asm.Inst, at int) (int, bool) {
	for _, arg := range inst.Args {
		if rel, ok := arg.(arm64asm.PCRel); ok {
			return at + int(rel), true
		}
	}
	return 0, false
}

// arm64Literal says whether the instruction computes or loads relative to its
// own address, which the kernel emulates.
func arm64Literal(inst arm64asm.Inst) bool {
	_, relative := inst.Args[1].(arm64asm.PCRel)
	switch inst.Op {
	case arm64asm.ADR, arm64asm.ADRP:
		return true
	case arm64asm.LDR, arm64asm.LDRSW:
		_, general := arm64Register(inst.Args[0])
		return relative && general
	default:
		return false
	}
}

// arm64Register returns the number of a general register. The zero register
// is none, and the stack pointer is not followed.
func arm64Register(arg arm64asm.Arg) (Register, bool) {
	number := arm64asm.Reg(0)
	switch r := arg.(type) {
	case arm64asm.Reg:
		number = r
	case arm64asm.RegSP:
		number = arm64asm.Reg(r)
	default:
		return 0, false
	}
	switch {
	case number <= arm64asm.W30:
		return Register(number - arm64asm.W0), true
	case number >= arm64asm.X0 && number <= arm64asm.X30:
		return Register(number - arm64asm.X0), true
	default:
		return 0, false
	}
}

// arm64ReadsOnly are the instructions that change no general register, but
// for the base of an address that moves.
var arm64ReadsOnly = map[arm64asm.Op]bool{
	arm64asm.STP: true, arm64asm.STNP: true, arm64asm.STR: true, arm64asm.STRB: true, arm64asm.STRH: true,
	arm64asm.STUR: true, arm64asm.STURB: true, arm64asm.STURH: true, arm64asm.STLR: true, arm64asm.STLRB: true, arm64asm.STLRH: true,
	arm64asm.CMP: true, arm64asm.CMN: true, arm64asm.TST: true, arm64asm.CCMP: true, arm64asm.CCMN: true,
	arm64asm.NOP: true, arm64asm.HINT: true, arm64asm.DMB: true, arm64asm.DSB: true, arm64asm.ISB: true, arm64asm.PRFM: true, arm64asm.PRFUM: true,
	arm64asm.CBZ: true, arm64asm.CBNZ: true, arm64asm.TBZ: true, arm64asm.TBNZ: true, arm64asm.BR: true, arm64asm.RET: true,
}

// arm64FirstOnly are those of several operands that change the first one. Of
// any other instruction all its registers count as changed.
var arm64FirstOnly = map[arm64asm.Op]bool{
	arm64asm.MOV: true, arm64asm.MOVZ: true, arm64asm.MOVN: true, arm64asm.MOVK: true, arm64asm.MVN: true, arm64asm.MRS: true,
	arm64asm.ADD: true, arm64asm.ADDS: true, arm64asm.SUB: true, arm64asm.SUBS: true, arm64asm.NEG: true, arm64asm.NEGS: true,
	arm64asm.AND: true, arm64asm.ANDS: true, arm64asm.ORR: true, arm64asm.ORN: true, arm64asm.EOR: true, arm64asm.BIC: true,
	arm64asm.LSL: true, arm64asm.LSR: true, arm64asm.ASR: true, arm64asm.ROR: true, arm64asm.UBFX: true, arm64asm.SBFX: true,
	arm64asm.UBFIZ: true, arm64asm.SBFIZ: true, arm64asm.BFI: true, arm64asm.BFXIL: true,
	arm64asm.SXTB: true, arm64asm.SXTH: true, arm64asm.SXTW: true, arm64asm.UXTB: true, arm64asm.UXTH: true,
	arm64asm.CSEL: true, arm64asm.CSET: true, arm64asm.CSETM: true, arm64asm.CSINC: true, arm64asm.CSINV: true, arm64asm.CSNEG: true,
	arm64asm.CINC: true, arm64asm.CINV: true, arm64asm.CNEG: true,
	arm64asm.MUL: true, arm64asm.MADD: true, arm64asm.MSUB: true, arm64asm.MNEG: true, arm64asm.UDIV: true, arm64asm.SDIV: true,
	arm64asm.UMULL: true, arm64asm.SMULL: true, arm64asm.UMULH: true, arm64asm.SMULH: true, arm64asm.CLZ: true, arm64asm.RBIT: true, arm64asm.REV: true,
	arm64asm.ADR: true, arm64asm.ADRP: true,
	arm64asm.LDR: true, arm64asm.LDRB: true, arm64asm.LDRH: true, arm64asm.LDRSB: true, arm64asm.LDRSH: true, arm64asm.LDRSW: true,
	arm64asm.LDUR: true, arm64asm.LDURB: true, arm64asm.LDURH: true, arm64asm.LDURSB: true, arm64asm.LDURSH: true, arm64asm.LDURSW: true,
	arm64asm.LDAR: true, arm64asm.LDARB: true, arm64asm.LDARH: true, arm64asm.LDAXR: true, arm64asm.LDXR: true,
}

// arm64Writes returns the general registers that the instruction changes, or
// may change.
func arm64Writes(inst arm64asm.Inst) registerSet {
	var writes registerSet
	for n, arg := range inst.Args {
		if m, ok := arg.(arm64asm.MemImmediate); ok && (m.Mode == arm64asm.AddrPreIndex || m.Mode == arm64asm.AddrPostIndex) {
			if r, ok := arm64Register(m.Base); ok {
				writes |= setOf(r)
			}
		}
		if arm64ReadsOnly[inst.Op] || n > 0 && arm64FirstOnly[inst.Op] {
			continue
		}
		if r, ok := arm64Register(arg); ok {
			writes |= setOf(r)
		}
	}
	return writes
}
