#include "textflag.h"

// What probes are measured at: the first instruction of each is one of a class.
// There are no trampolines.

TEXT ·measuredTrampoline(SB), NOSPLIT|NOFRAME, $0-0
	MOVD R0, R0
	RET

TEXT ·measuredEmulated(SB), NOSPLIT|NOFRAME, $0-0
	RET

TEXT ·measuredStepped(SB), NOSPLIT|NOFRAME, $0-0
	MOVD R0, R0
	RET

// The same as measuredEmulated; what comes back from it is measured.
TEXT ·measuredReturn(SB), NOSPLIT|NOFRAME, $0-0
	RET

// The functions' own addresses: Go's function values lead to wrappers.
TEXT ·measuredAddresses(SB), NOSPLIT, $0-32
	MOVD $·measuredTrampoline(SB), R0
	MOVD R0, trampoline+0(FP)
	MOVD $·measuredEmulated(SB), R0
	MOVD R0, emulated+8(FP)
	MOVD $·measuredStepped(SB), R0
	MOVD R0, stepped+16(FP)
	MOVD $·measuredReturn(SB), R0
	MOVD R0, back+24(FP)
	RET
