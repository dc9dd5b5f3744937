#include "textflag.h"

// What probes are measured at: the first instruction of each is one of a class.

TEXT ·measuredTrampoline(SB), NOSPLIT|NOFRAME, $0-0
	BYTE $0x0f; BYTE $0x1f; BYTE $0x44; BYTE $0x00; BYTE $0x00 // nop of five bytes
	RET

TEXT ·measuredEmulated(SB), NOSPLIT|NOFRAME, $0-0
	BYTE $0x90 // nop
	RET

TEXT ·measuredStepped(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ AX, AX
	RET

// The same as measuredEmulated; what comes back from it is measured.
TEXT ·measuredReturn(SB), NOSPLIT|NOFRAME, $0-0
	BYTE $0x90 // nop
	RET

// The functions' own addresses: Go's function values lead to wrappers.
TEXT ·measuredAddresses(SB), NOSPLIT, $0-32
	LEAQ ·measuredTrampoline(SB), AX
	MOVQ AX, trampoline+0(FP)
	LEAQ ·measuredEmulated(SB), AX
	MOVQ AX, emulated+8(FP)
	LEAQ ·measuredStepped(SB), AX
	MOVQ AX, stepped+16(FP)
	LEAQ ·measuredReturn(SB), AX
	MOVQ AX, back+24(FP)
	RET
