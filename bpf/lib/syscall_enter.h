/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The entry of a wanted call: memory arguments are copied before the kernel
 * uses them, so that another thread cannot show us something else.
 */
#ifndef SIGHTGLASS_SYSCALL_ENTER_H
#define SIGHTGLASS_SYSCALL_ENTER_H

#include "syscall_text.h"

static __always_inline void syscall__enter(const bool atomic, struct task_struct *current,
					   __u64 regs, __u32 nr, __u8 abi, __u8 flags)
{
	__u32 tid = kmine(current, pid);
	const struct syscall_spec *spec;
	struct stash_head *head;
	enum arg_read got;
	struct scratch *s;
	__u8 memory;

	if (atomic && abi != EVENT_ABI_32 && syscall__enter_text(regs, tid, nr, abi))
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
	if (syscall__hopeless(head->row, syscall__detail(spec, base__task(), head->args))) {
		base__stash_drop(atomic, tid);
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
	base__stash_park(atomic, s, tid);
}

#endif
