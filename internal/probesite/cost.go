package probesite

// Cost is the class of what a hit of a probe costs, from cheap to dear.
type Cost uint8

// The classes. What each costs on this machine is measured, not assumed.
const (
	// Trampoline: the kernel replaced a nop of five bytes by a call (Linux 6.18, x86-64).
	Trampoline Cost = iota
	// Emulated: one exception, after which the kernel does what the instruction would have done.
	Emulated
	// SingleStepped: the instruction runs elsewhere, followed by a second exception.
	SingleStepped
)

// String names the class as doctor prints it.
func (c Cost) String() string {
	return [...]string{"trampoline", "emulated", "single-stepped"}[min(c, SingleStepped)]
}

// Kernel is what the running kernel can do for probes.
type Kernel struct {
	// Trampolines: probes on nops of five bytes take no exception (Linux 6.18, x86-64).
	Trampolines bool
	// Cookies: a program is told at which of its probes it runs (Linux 5.15).
	Cookies bool
}

// Register is a general register by its number in instructions.
type Register uint8

// Registers of x86-64.
const (
	RAX Register = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
)

// Registers of arm64 that have a meaning here.
const (
	X0  Register = 0
	X1  Register = 1
	X2  Register = 2
	X3  Register = 3
	X19 Register = 19
	X28 Register = 28
	X29 Register = 29
	X30 Register = 30
)

// arguments are the registers that hold the first integer arguments of C.
var arguments = [...][]Register{
	X86:   {RDI, RSI, RDX, RCX, R8, R9},
	ARM64: {0, 1, 2, 3, 4, 5},
}

// goArguments are those of Go since 1.17.
var goArguments = [...][]Register{
	X86:   {RAX, RBX, RCX, RDI, RSI, R8},
	ARM64: {0, 1, 2, 3, 4, 5},
}

// Arguments returns the registers that hold the first n integer arguments.
func (fn Function) Arguments(n int) []Register {
	if fn.goABI {
		return goArguments[fn.arch][:n]
	}
	return arguments[fn.arch][:n]
}

// registerSet is a set of Registers.
type registerSet uint32

func setOf(registers ...Register) registerSet {
	var s registerSet
	for _, r := range registers {
		s |= 1 << (r & 31)
	}
	return s
}

func (s registerSet) has(r Register) bool { return s&(1<<(r&31)) != 0 }

const everyRegister = ^registerSet(0)
