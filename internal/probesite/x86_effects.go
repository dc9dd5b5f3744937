package probesite

import "golang.org/x/arch/x86/x86asm"

// x86ReadsOnly are the instructions that change no general register.
var x86ReadsOnly = map[x86asm.Op]bool{
	x86asm.CMP: true, x86asm.TEST: true, x86asm.NOP: true, x86asm.BT: true, x86asm.JMP: true,
	x86asm.UCOMISS: true, x86asm.UCOMISD: true, x86asm.COMISS: true, x86asm.COMISD: true,
	x86asm.PREFETCHT0: true, x86asm.PREFETCHT1: true, x86asm.PREFETCHT2: true, x86asm.PREFETCHNTA: true, x86asm.PREFETCHW: true,
	x86asm.LFENCE: true, x86asm.MFENCE: true, x86asm.SFENCE: true, x86asm.PAUSE: true,
}

// x86FirstOnly are the instructions of several operands that change only the
// first one. Of any other one all its registers count as changed.
var x86FirstOnly = map[x86asm.Op]bool{
	x86asm.MOV: true, x86asm.MOVSX: true, x86asm.MOVSXD: true, x86asm.MOVZX: true, x86asm.MOVBE: true, x86asm.LEA: true,
	x86asm.ADD: true, x86asm.ADC: true, x86asm.SUB: true, x86asm.SBB: true, x86asm.IMUL: true,
	x86asm.AND: true, x86asm.OR: true, x86asm.XOR: true, x86asm.BTS: true, x86asm.BTR: true, x86asm.BTC: true,
	x86asm.SHL: true, x86asm.SHR: true, x86asm.SAR: true, x86asm.ROL: true, x86asm.ROR: true, x86asm.SHLD: true, x86asm.SHRD: true,
	x86asm.BSF: true, x86asm.BSR: true, x86asm.TZCNT: true, x86asm.LZCNT: true, x86asm.POPCNT: true,
	x86asm.CMOVA: true, x86asm.CMOVAE: true, x86asm.CMOVB: true, x86asm.CMOVBE: true, x86asm.CMOVE: true, x86asm.CMOVG: true,
	x86asm.CMOVGE: true, x86asm.CMOVL: true, x86asm.CMOVLE: true, x86asm.CMOVNE: true, x86asm.CMOVNO: true, x86asm.CMOVNP: true,
	x86asm.CMOVNS: true, x86asm.CMOVO: true, x86asm.CMOVP: true, x86asm.CMOVS: true,
	x86asm.MOVQ: true, x86asm.MOVD: true, x86asm.CMPXCHG: true,
}

// x86Implicit are the registers that instructions change without naming them.
var x86Implicit = map[x86asm.Op]registerSet{
	x86asm.MUL: setOf(RAX, RDX), x86asm.DIV: setOf(RAX, RDX), x86asm.IDIV: setOf(RAX, RDX),
	x86asm.CWD: setOf(RDX), x86asm.CDQ: setOf(RDX), x86asm.CQO: setOf(RDX),
	x86asm.CBW: setOf(RAX), x86asm.CWDE: setOf(RAX),
	x86asm.CMPXCHG: setOf(RAX), x86asm.CMPXCHG8B: setOf(RAX, RDX), x86asm.CMPXCHG16B: setOf(RAX, RDX),
	x86asm.MOVSB: setOf(RSI, RDI, RCX), x86asm.MOVSW: setOf(RSI, RDI, RCX), x86asm.MOVSQ: setOf(RSI, RDI, RCX),
	x86asm.MOVSD: setOf(RSI, RDI, RCX), // the string one; MOVSD_XMM is another
	x86asm.CMPSB: setOf(RSI, RDI, RCX), x86asm.CMPSW: setOf(RSI, RDI, RCX), x86asm.CMPSD: setOf(RSI, RDI, RCX), x86asm.CMPSQ: setOf(RSI, RDI, RCX),
	x86asm.STOSB: setOf(RDI, RCX), x86asm.STOSW: setOf(RDI, RCX), x86asm.STOSD: setOf(RDI, RCX), x86asm.STOSQ: setOf(RDI, RCX),
	x86asm.SCASB: setOf(RDI, RCX), x86asm.SCASW: setOf(RDI, RCX), x86asm.SCASD: setOf(RDI, RCX), x86asm.SCASQ: setOf(RDI, RCX),
	x86asm.LODSB: setOf(RAX, RSI, RCX), x86asm.LODSW: setOf(RAX, RSI, RCX), x86asm.LODSD: setOf(RAX, RSI, RCX), x86asm.LODSQ: setOf(RAX, RSI, RCX),
	x86asm.SYSCALL: setOf(RAX, RCX, R11), x86asm.SYSENTER: everyRegister, x86asm.CPUID: setOf(RAX, RBX, RCX, RDX),
	x86asm.RDTSC: setOf(RAX, RDX), x86asm.RDTSCP: setOf(RAX, RCX, RDX), x86asm.RDPMC: setOf(RAX, RDX), x86asm.RDMSR: setOf(RAX, RDX),
	x86asm.XGETBV: setOf(RAX, RDX), x86asm.LAHF: setOf(RAX), x86asm.XLATB: setOf(RAX), x86asm.IN: setOf(RAX),
	x86asm.INSB: setOf(RDI, RCX), x86asm.INSW: setOf(RDI, RCX), x86asm.INSD: setOf(RDI, RCX),
	x86asm.OUTSB: setOf(RSI, RCX), x86asm.OUTSW: setOf(RSI, RCX), x86asm.OUTSD: setOf(RSI, RCX),
	x86asm.LOOP: setOf(RCX), x86asm.LOOPE: setOf(RCX), x86asm.LOOPNE: setOf(RCX),
	x86asm.LEAVE: setOf(RSP, RBP), x86asm.ENTER: setOf(RSP, RBP),
	x86asm.PUSH: setOf(RSP), x86asm.PUSHFQ: setOf(RSP), x86asm.POP: setOf(RSP), x86asm.POPFQ: setOf(RSP), x86asm.RET: setOf(RSP),
	x86asm.PCMPESTRI: setOf(RCX), x86asm.PCMPISTRI: setOf(RCX),
}

// x86Writes returns the general registers that the instruction changes, or
// may change. The sign extension of RAX in place counts as none: it leaves the
// 32 bits that matter.
func x86Writes(inst x86asm.Inst) registerSet {
	writes := x86Implicit[inst.Op]
	if x86ReadsOnly[inst.Op] {
		return writes
	}
	if inst.Op == x86asm.IMUL && inst.Args[1] == nil {
		return setOf(RAX, RDX)
	}
	for n, arg := range inst.Args {
		if n > 0 && (x86FirstOnly[inst.Op] || inst.Op == x86asm.PUSH) {
			break
		}
		if r, ok := x86Register(arg); ok && inst.Op != x86asm.PUSH && inst.Op != x86asm.CALL {
			writes |= setOf(r)
		}
	}
	return writes
}
