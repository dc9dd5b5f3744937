/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The entry of a wanted call: memory arguments are copied before the kernel
 * uses them, so that another thread cannot show us something else.
 */
#ifndef SIGHTGLASS_SYSCALL_ENTER_H
#define SIGHTGLASS_SYSCALL_ENTER_H

#include "syscall_filter.h"

/* syscall__enter_text: the entry of a 64-bit call whose only memory is a string,
 * as of nearly all calls about files: it is read right into the slot where the
 * exit finds it. False when it is no such call, or has to be kept elsewhere.
 */
static __always_inline bool syscall__enter_text(__u64 task, __u64 regs, __u32 nr, __u8 abi)
{
	const volatile struct syscall_spec *spec;
	__u64 n = nr & (CALL_MAX - 1), row;
	struct stash_slot *slot;
	struct event_extra *x;
	__u32 tid, text, access;
	__u8 *first;
	long len;

	pin(n);
	row = cfg_rows[n & (CALL_MAX - 1)];
	spec = syscall__spec(row);
	text = spec->text;
	if (!text)
		return false;
	pin(row);
	if (!row_wanted[row & (ROW_MAX - 1)])
		return true;
	text--;
	tid = kread(task_struct, task, pid);
	access = spec->access;
	if (syscall__hopeless(row, access ? extract__arg(regs, access - 1) : 0)) {
		base__stash_forget(tid);
		return true;
	}
	slot = base__stash_claim(tid);
	if (!slot)
		return false;
	x = (struct event_extra *)slot->stash.data;
	first = (__u8 *)(x + 1);
	len = arg__length(bpf_probe_read_user_str(first, STASH_DATA - sizeof(*x),
						  (void *)extract__arg(regs, text)));
	if (!len || len >= STASH_DATA - (long)sizeof(*x))
		return false;
	x->arg = text;
	x->kind = EXTRA_BYTES;
	x->flags = 0;
	x->len = len;
	slot->stash.head.enter = spec->flags & SPEC_TIMED ? bpf_ktime_get_boot_ns() : 0;
	slot->stash.head.nr = nr;
	slot->stash.head.len = ALIGN8(sizeof(*x) + len);
	slot->stash.head.row = row;
	slot->stash.head.abi = abi;
	slot->stash.head.have = 1 << (text & 7);
	slot->stash.head.relative = *first == '/' ? 0 : 1 << (text & 7);
	slot->stash.head.active = 1;
	slot->stash.head.big = 0;
	slot->stash.head.flags = 0;
	return true;
}

static __always_inline void syscall__enter(const bool atomic, __u64 task, __u64 regs, __u32 nr,
					   __u8 abi, __u8 flags)
{
	const volatile struct syscall_spec *spec;
	struct stash_head *head;
	enum arg_read got;
	struct scratch *s;
	__u8 memory;

	if (atomic && abi != EVENT_ABI_32 && syscall__enter_text(task, regs, nr, abi))
		return;
	s = base__scratch(SCRATCH_ENTER, sizeof(struct stash_head));
	if (!s)
		return;
	head = (struct stash_head *)s->data;
	head->row = syscall__row(regs, nr, abi, flags, head->args);
	if (head->row == ROW_NONE)
		return;
	spec = syscall__spec(head->row);
	if (!(spec->flags & (SPEC_ENTER | SPEC_TIMED)) && abi != EVENT_ABI_32)
		return;
	if (syscall__hopeless(head->row, syscall__detail(spec, task, head->args))) {
		base__stash_drop(atomic, kread(task_struct, task, pid));
		return;
	}
	head->enter = spec->flags & SPEC_TIMED ? bpf_ktime_get_boot_ns() : 0;
	head->nr = nr;
	head->abi = abi;
	head->have = 0;
	head->relative = 0;
	memory = spec->memory;
	for (int i = 0; i < 6; i++) {
		if (!(memory & 1 << i))
			continue;
		got = syscall__read_arg(s, spec->kinds[i], i, head->args, abi, 0);
		if (got != ARG_READ_FAILED)
			head->have |= 1 << i;
		if (got == ARG_READ_RELATIVE)
			head->relative |= 1 << i;
	}
	base__stash_park(atomic, s, kread(task_struct, task, pid));
}

#endif
