/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The short way of a 64-bit call whose only memory is a string, as of nearly all
 * calls about files: it is read right into the slot where the exit finds it, and
 * judged there, so that what is left out never sees a scratch buffer.
 */
#ifndef SIGHTGLASS_SYSCALL_TEXT_H
#define SIGHTGLASS_SYSCALL_TEXT_H

#include "syscall_filter.h"

/* Bytes of the longest string of the short way, its NUL included: what can be copied
 * behind an event_extra in a slot.
 */
#define TEXT_MAX (STASH_DATA - 32)

#define ERESTARTNOINTR 513 /* the call begins anew in any case */

/* syscall__enter_text: the entry. False when it is no such call, or has to be kept
 * elsewhere.
 */
static __always_inline bool syscall__enter_text(__u64 regs, __u32 tid, __u32 nr, __u8 abi)
{
	const struct syscall_spec *spec;
	__u64 row = syscall__native_row(nr);
	struct stash_slot *slot;
	struct event_extra *x;
	__u32 text, access;
	__u64 words[TEXT_MAX / 8]; /* here, for the kernel checks other places at length */
	long len;

	spec = syscall__spec(row);
	text = spec->text;
	if (!text)
		return !(spec->flags & (SPEC_ENTER | SPEC_TIMED));
	if (!row_wanted[row & (ROW_MAX - 1)])
		return true;
	text--;
	access = spec->access;
	if (syscall__hopeless(row, access ? extract__arg(regs, access - 1) : 0)) {
		base__stash_forget(tid);
		return true;
	}
	slot = base__stash_claim(tid);
	if (!slot)
		return false;
	x = (struct event_extra *)slot->stash.data;
	len = arg__length(
		bpf_probe_read_user_str(words, TEXT_MAX, (void *)extract__arg(regs, text)));
	if (!len || len >= (long)TEXT_MAX)
		return false;
	base__stash_copy(slot->stash.data + 1, words, len, TEXT_MAX);
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
	slot->stash.head.relative = *(__u8 *)words == '/' ? 0 : 1 << (text & 7);
	slot->stash.head.active = 1;
	slot->stash.head.big = 0;
	slot->stash.head.flags = 0;
	return true;
}

/* What the short way found out about a call that ended. */
enum call_verdict {
	VERDICT_NONE = 0, /* it has to be looked at again */
	VERDICT_PASSES = 1,
	VERDICT_LEFT_OUT = 2, /* and its slot is free */
};

/* syscall__judge_path: whether the set that a call's wish names may have its path.
 * slot holds the path as the program gave it.
 */
static __always_inline enum call_verdict syscall__judge_path(struct call_filter *f, __u32 n,
							     const struct stash *stash, __s64 ret)
{
	const struct event_extra *x = (const struct event_extra *)stash->data;
	const struct path_set *named = filter__set(f->named, n);
	__u32 len = x->len;

	if (named->used) {
		if (x->kind != EXTRA_BYTES || x->flags || len > TEXT_MAX)
			return VERDICT_NONE;
		if (filter__has_path(named, stash->data + 1, len, TEXT_MAX / 8))
			return VERDICT_PASSES;
	}
	if (ret >= 0 && filter__set(f->resolved, n)->used && filter__resolved((__u32)ret, n))
		return VERDICT_PASSES;
	return VERDICT_LEFT_OUT;
}

/* syscall__judge: whether somebody may want the call, by what the registers and
 * the slot of its thread tell. Calls of several memory arguments as well, if
 * their wish does not ask for a path.
 */
static __always_inline enum call_verdict syscall__judge(__u64 regs, __u32 tid, __u32 nr, __s64 ret)
{
	__u64 row = syscall__native_row(nr);
	const struct syscall_spec *spec = syscall__spec(row);
	enum call_verdict verdict = VERDICT_LEFT_OUT;
	struct call_filter *f = filter__now();
	struct stash_slot *slot;
	__u8 access, wish;

	if (!row_wanted[row & (ROW_MAX - 1)] || spec->flags & (SPEC_EXEC | SPEC_SOCKET) ||
	    ret == -ERESTARTNOINTR)
		return VERDICT_NONE;
	access = spec->access;
	wish = filter__wish(f, row, access ? extract__arg(regs, access - 1) : 0, ret);
	if (wish == WISH_ALL)
		return VERDICT_PASSES;
	slot = base__stash_slot(tid);
	if (!slot)
		return VERDICT_NONE;
	if (slot->owner != tid)
		return wish == WISH_NONE && !slot->parked ? VERDICT_LEFT_OUT : VERDICT_NONE;
	if (slot->stash.head.big)
		return VERDICT_NONE;
	if (wish >= WISH_SET) {
		if (!spec->text || !slot->stash.head.active || !slot->stash.head.have ||
		    slot->stash.head.nr != nr)
			return VERDICT_NONE;
		verdict = syscall__judge_path(f, wish - WISH_SET, &slot->stash, ret);
	}
	if (verdict == VERDICT_LEFT_OUT) {
		slot->stash.head.active = 0;
		base__stash_release(slot);
	}
	return verdict;
}

#endif
