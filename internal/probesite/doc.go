// Package probesite finds, in an ELF file, the instructions at which user
// space probes are cheap.
//
// What a uprobe costs depends on the instruction that it replaces. The kernel
// emulates some (on x86-64 nop, push, near jumps and calls; on arm64 branches,
// returns and literal loads); any other one is executed out of line, one
// step at a time, which costs two exceptions, and on a virtual machine whose
// hypervisor intercepts the debug exception thirty times as much. So a probe
// never goes to the first byte of a function or to its return blindly:
//
//	name --.symtab, .dynsym, .gopclntab--> Function --disassembly--> flow graph
//	     Function.Entry:   an emulated instruction that every call passes once,
//	                       and where the arguments are still in their registers
//	     Function.Returns: emulated instructions of which every return passes
//	                       one, and where the result is already in a register
//
// The package is pure: it reads a file and computes. It trusts nothing in the
// file; sizes are bounded and wrong files are errors.
package probesite
