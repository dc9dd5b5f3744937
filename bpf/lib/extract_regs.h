/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: what a function of a program was called with, and what it
 * returns, from the registers at a probe.
 */
#ifndef SIGHTGLASS_EXTRACT_REGS_H
#define SIGHTGLASS_EXTRACT_REGS_H

#include "base.h"

/* extract__parameter: parameter n (a constant, from 0) of a C function, extract__result its
 * result. All fit into registers.
 */
#if defined(__TARGET_ARCH_x86)

static __always_inline __u64 extract__parameter(const struct pt_regs *regs, int n)
{
	switch (n) {
	case 0:
		return regs->di;
	case 1:
		return regs->si;
	case 2:
		return regs->dx;
	default:
		return regs->cx;
	}
}

static __always_inline __u64 extract__result(const struct pt_regs *regs)
{
	return regs->ax;
}

static __always_inline __u64 extract__stack(const struct pt_regs *regs)
{
	return regs->sp;
}

#define PRESERVED_FIRST 3 /* rbx */
#define PRESERVED_LAST 15 /* r15 */

/* extract__preserved: a register that calls leave as it is, by its number in
 * instructions. The kernel lets nobody choose in the registers themselves.
 */
static __always_inline __u64 extract__preserved(const struct pt_regs *regs, __u64 n)
{
	__u64 all[PRESERVED_LAST - PRESERVED_FIRST + 1] = {};

	all[0] = regs->bx;
	all[5 - PRESERVED_FIRST] = regs->bp;
	all[12 - PRESERVED_FIRST] = regs->r12;
	all[13 - PRESERVED_FIRST] = regs->r13;
	all[14 - PRESERVED_FIRST] = regs->r14;
	all[PRESERVED_LAST - PRESERVED_FIRST] = regs->r15;
	n -= PRESERVED_FIRST;
	pin(n);
	return n <= PRESERVED_LAST - PRESERVED_FIRST ? all[n] : 0;
}

/* extract__go_parameter: word n of the parameters of a function of Go. */
static __always_inline __u64 extract__go_parameter(const struct pt_regs *regs, int n)
{
	switch (n) {
	case 0:
		return regs->ax;
	case 1:
		return regs->bx;
	default:
		return regs->cx;
	}
}

/* extract__goroutine: what tells goroutines apart. */
static __always_inline __u64 extract__goroutine(const struct pt_regs *regs)
{
	return regs->r14;
}

/* extract__go_receiver: where a function of Go, once its frame stands, finds its
 * first parameter: its caller made room behind frame pointer and return address.
 */
static __always_inline __u64 extract__go_receiver(const struct pt_regs *regs)
{
	return regs->bp + 16;
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline __u64 extract__parameter(const struct pt_regs *regs, int n)
{
	return regs->regs[n];
}

static __always_inline __u64 extract__result(const struct pt_regs *regs)
{
	return regs->regs[0];
}

static __always_inline __u64 extract__go_parameter(const struct pt_regs *regs, int n)
{
	return regs->regs[n];
}

static __always_inline __u64 extract__goroutine(const struct pt_regs *regs)
{
	return regs->regs[28];
}

/* The room lies behind the frame, whose size is not known, and behind the slot of
 * the caller's return address. The caller's frame pointer is just below that slot.
 */
static __always_inline __u64 extract__go_receiver(const struct pt_regs *regs)
{
	__u64 callers = 0;

	bpf_probe_read_user(&callers, sizeof(callers), (void *)regs->regs[29]);
	return callers + 16;
}

#endif

#endif
