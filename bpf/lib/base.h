/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: includes, knobs, and how kernel memory is read. */
#ifndef SIGHTGLASS_BASE_H
#define SIGHTGLASS_BASE_H

#include <kernel.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#include "../event.h"

#define ALIGN8(n) (((n) + 7ULL) & ~7ULL)

/* Keeps the compiler from deriving a checked value a second time from where it
 * came: the verifier only knows the register that was compared.
 */
#define pin(v) asm volatile("" : "+r"(v))

/* Knobs, set by internal/bpf before loading; the verifier removes what they
 * switch off. Weak and not volatile: the compiler cannot take their values for
 * known, but may take them for constant, and looks once in a function instead of
 * at each read of the kernel's memory.
 */
const __weak bool cfg_direct = false; /* the kernel has bpf_rdonly_cast (6.2) */
const __weak bool cfg_latency = false; /* histograms of every call */

extern void *bpf_rdonly_cast(const void *obj, __u32 btf_id) __ksym __weak;

#define base__cast(type, ptr) \
	((struct type *)bpf_rdonly_cast((const void *)(ptr), bpf_core_type_id_kernel(struct type)))

/* kread: the value of a scalar member of the struct at a kernel address, 0 when
 * the address is bad. A cast pointer is read by one instruction (about 2 ns),
 * a helper call costs ten times that.
 */
#define kread(type, ptr, field)                                          \
	({                                                               \
		__u64 __at = (__u64)(ptr);                               \
		typeof(((struct type *)0)->field) __value;               \
		if (cfg_direct)                                          \
			__value = base__cast(type, __at)->field;         \
		else                                                     \
			bpf_core_read((void *)&__value, sizeof(__value), \
				      &((struct type *)__at)->field);    \
		__value;                                                 \
	})

/* kload: the 64-bit word at a kernel address. */
static __always_inline __u64 kload(__u64 addr)
{
	__u64 value;

	if (cfg_direct)
		return (__u64)base__cast(timespec64, addr)->tv_sec;
	bpf_probe_read_kernel(&value, sizeof(value), (void *)addr);
	return value;
}

/* kaddr: the address of a member. */
#define kaddr(type, ptr, field)                                                           \
	({                                                                                \
		__u64 __base = (__u64)(ptr);                                              \
		(__u64) __builtin_preserve_access_index(&((struct type *)__base)->field); \
	})

/* kptr: a pointer member, as a plain number. Numbers may be added to, compared,
 * stored and passed on, which the verifier forbids for typed pointers.
 */
#define kptr(type, ptr, field) kload(kaddr(type, ptr, field))

/* kget: a member of a typed pointer. For functions that are called often: they
 * are written once with a constant parameter `direct` and exist twice. With it
 * the pointer comes from base__cast and a chain of members is a chain of plain
 * loads, which neither clobber registers nor hinder the optimizer.
 */
#define kget(ptr, field)                                                                  \
	({                                                                                \
		typeof(ptr) __from = (ptr);                                               \
		typeof(__from->field) __value;                                            \
		if (direct)                                                               \
			__value = __from->field;                                          \
		else                                                                      \
			bpf_core_read((void *)&__value, sizeof(__value), &__from->field); \
		__value;                                                                  \
	})

/* base__current: the current task, of which kget reads by one plain instruction
 * where the kernel gives typed pointers, for it trusts this one. As a number, which
 * global functions want, there is base__task.
 */
static __always_inline struct task_struct *base__current(void)
{
	if (cfg_direct)
		return bpf_get_current_task_btf();
	return (struct task_struct *)bpf_get_current_task();
}

/* kmine: a member of the current task. */
#define kmine(current, field)                                                             \
	({                                                                                \
		struct task_struct *__task = (current);                                   \
		typeof(__task->field) __field;                                            \
		if (cfg_direct)                                                           \
			__field = __task->field;                                          \
		else                                                                      \
			bpf_core_read((void *)&__field, sizeof(__field), &__task->field); \
		__field;                                                                  \
	})

/* base__task: the current task's address. */
static __always_inline __u64 base__task(void)
{
	return bpf_get_current_task();
}

#endif
