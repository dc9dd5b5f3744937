/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: number, convention and registers of a system call. */
#ifndef SIGHTGLASS_EXTRACT_CALL_H
#define SIGHTGLASS_EXTRACT_CALL_H

#include "base.h"

#define X32_BIT 0x40000000U
#define TS_COMPAT 0x0002
#define TIF_32BIT (1UL << 22)

#if defined(__TARGET_ARCH_x86)

/* extract__is_compat: whether the current task is inside a 32-bit call, be it of a
 * 32-bit program or int $0x80 in a 64-bit one.
 */
static __always_inline bool extract__is_compat(struct task_struct *current)
{
	return kmine(current, thread_info.status) & TS_COMPAT;
}

/* extract__is_compat_of: the same, of a task by its address. */
static __always_inline bool extract__is_compat_of(__u64 task)
{
	return kread(task_struct, task, thread_info.status) & TS_COMPAT;
}

/* extract__nr: the number of the call that ends. */
static __always_inline __u32 extract__nr(__u64 regs)
{
	return (__u32)kread(pt_regs, regs, orig_ax);
}

/* extract__fiber: the register that holds the current goroutine in Go's
 * convention; in other programs it means nothing.
 */
static __always_inline __u64 extract__fiber(__u64 regs)
{
	return kread(pt_regs, regs, r14);
}

static __always_inline void extract__args_by(const bool direct, struct pt_regs *regs, __u64 *args)
{
	args[0] = kget(regs, di);
	args[1] = kget(regs, si);
	args[2] = kget(regs, dx);
	args[3] = kget(regs, r10);
	args[4] = kget(regs, r8);
	args[5] = kget(regs, r9);
}

static __always_inline void extract__args(__u64 regs, __u64 *args)
{
	if (cfg_direct)
		extract__args_by(true, base__cast(pt_regs, regs), args);
	else
		extract__args_by(false, (struct pt_regs *)regs, args);
}

/* extract__arg: one of them. */
static __always_inline __u64 extract__arg(__u64 regs, __u32 n)
{
	switch (n) {
	case 0:
		return kread(pt_regs, regs, di);
	case 1:
		return kread(pt_regs, regs, si);
	case 2:
		return kread(pt_regs, regs, dx);
	case 3:
		return kread(pt_regs, regs, r10);
	case 4:
		return kread(pt_regs, regs, r8);
	default:
		return kread(pt_regs, regs, r9);
	}
}

static __always_inline void extract__args_compat(__u64 regs, __u64 *args)
{
	args[0] = (__u32)kread(pt_regs, regs, bx);
	args[1] = (__u32)kread(pt_regs, regs, cx);
	args[2] = (__u32)kread(pt_regs, regs, dx);
	args[3] = (__u32)kread(pt_regs, regs, si);
	args[4] = (__u32)kread(pt_regs, regs, di);
	args[5] = (__u32)kread(pt_regs, regs, bp);
}

#elif defined(__TARGET_ARCH_arm64)

static __always_inline bool extract__is_compat(struct task_struct *current)
{
	return kmine(current, thread_info.flags) & TIF_32BIT;
}

static __always_inline bool extract__is_compat_of(__u64 task)
{
	return kread(task_struct, task, thread_info.flags) & TIF_32BIT;
}

static __always_inline __u32 extract__nr(__u64 regs)
{
	return (__u32)kread(pt_regs, regs, syscallno);
}

static __always_inline __u64 extract__fiber(__u64 regs)
{
	return kload(kaddr(pt_regs, regs, regs) + 28 * 8);
}

/* The first register is overwritten by the result. */
static __always_inline void extract__args(__u64 regs, __u64 *args)
{
	__u64 x = kaddr(pt_regs, regs, regs);

	args[0] = kread(pt_regs, regs, orig_x0);
	args[1] = kload(x + 8);
	args[2] = kload(x + 16);
	args[3] = kload(x + 24);
	args[4] = kload(x + 32);
	args[5] = kload(x + 40);
}

/* extract__arg: one of them. */
static __always_inline __u64 extract__arg(__u64 regs, __u32 n)
{
	return n ? kload(kaddr(pt_regs, regs, regs) + 8 * (n & 7)) : kread(pt_regs, regs, orig_x0);
}

static __always_inline void extract__args_compat(__u64 regs, __u64 *args)
{
	extract__args(regs, args);
	for (int i = 0; i < 6; i++)
		args[i] = (__u32)args[i];
}

#endif

#endif
