/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: what a call's entry read is kept until its exit.
 *
 * A thread keeps it in the slot that its id leads to. A slot belongs to one
 * thread at a time, from the entry of a call to its exit; whoever finds its slot
 * taken (two ids with the same remainder, both inside calls) uses a hash by
 * thread, and so does everybody on kernels before 5.12, whose programs cannot
 * claim a slot atomically. What is too long for a slot lies in a hash of a few
 * large ones.
 */
#ifndef SIGHTGLASS_STASH_H
#define SIGHTGLASS_STASH_H

#include "stash_store.h"

/* base__stash_parked: one more, or one less, keeps its arguments in the hash
 * instead of the thread's slot.
 */
static __always_inline void base__stash_parked(__u32 tid, __s32 more)
{
	struct stash_slot *slot = base__stash_slot(tid);

	if (slot)
		__sync_fetch_and_add(&slot->parked, more);
}

/* base__stash_forget: a thread ends, perhaps inside a call. */
static __always_inline void base__stash_forget(__u32 tid)
{
	struct stash_slot *slot = base__stash_slot(tid);

	if (slot && slot->owner == tid)
		slot->owner = 0;
}

/* base__stash_drop: the thread's call keeps nothing. What an earlier one may have
 * left, whose exit nobody wanted any more, must not be taken for its own.
 */
static __always_inline void base__stash_drop(const bool atomic, __u32 tid)
{
	if (atomic)
		base__stash_forget(tid);
	else
		bpf_map_delete_elem(&stash_thread, &tid);
}

/* base__stash_park_large: what is too long for a slot. Without a place for it
 * the arguments are read again at exit.
 */
static __always_inline void base__stash_park_large(struct stash_big *made, __u32 tid)
{
	made->head.big = 1;
	if (made->head.len <= STASH_BIG_DATA &&
	    !bpf_map_update_elem(&stash_large, &tid, made, BPF_ANY))
		return;
	made->head.big = 0;
	made->head.len = 0;
	made->head.have = 0;
}

/* base__stash_park: keeps what the scratch buffer holds, a stash_head and
 * extras, for the exit of the call.
 */
static __always_inline void base__stash_park(const bool atomic, struct scratch *s, __u32 tid)
{
	struct stash_big *made = (struct stash_big *)s->data;
	struct stash_slot *slot;

	made->head.len = s->pos - sizeof(struct stash_head);
	made->head.active = 1;
	made->head.big = 0;
	made->head.flags = (__u8)s->flags;
	if (made->head.len > STASH_DATA)
		base__stash_park_large(made, tid);
	slot = atomic ? base__stash_claim(tid) : 0;
	if (!slot) {
		if (atomic)
			base__stash_parked(tid, 1);
		bpf_map_update_elem(&stash_thread, &tid, made, BPF_ANY);
		return;
	}
	__builtin_memcpy(&slot->stash.head, &made->head, STASH_HEAD_SHORT);
	if (made->head.abi == EVENT_ABI_32)
		__builtin_memcpy(slot->stash.head.args, made->head.args, sizeof(made->head.args));
	if (!made->head.big)
		base__stash_copy(slot->stash.data, made->data, made->head.len, STASH_DATA);
}

/* base__stash_unpark_large: copies what was too long for the slot. */
static __always_inline void base__stash_unpark_large(struct scratch *s, struct stash_head *head,
						     __u32 tid)
{
	__u32 len = head->len;
	struct stash_big *large = bpf_map_lookup_elem(&stash_large, &tid);
	__u64 pos = s->pos;

	if (!large) { /* given to another thread meanwhile */
		head->have = 0;
		return;
	}
	if (len <= STASH_BIG_DATA && pos <= SCRATCH_DATA - STASH_BIG_DATA) {
		pin(pos);
		pin(len);
		bpf_probe_read_kernel(&s->data[pos], len, large->data);
		s->pos += len;
	}
	bpf_map_delete_elem(&stash_large, &tid);
}

/* base__stash_take: copies the head of the stash of the call nr that ends now to
 * out, and its data to where the scratch buffer stands. False when there is
 * none.
 */
static __always_inline bool base__stash_take(struct scratch *s, struct stash *stash, __u32 nr,
					     __u32 tid, struct stash_head *out)
{
	__u64 pos = s->pos;

	if (!stash->head.active || stash->head.nr != nr || pos > SCRATCH_LAST)
		return false;
	stash->head.active = 0;
	s->flags |= stash->head.flags;
	if (stash->head.big) {
		base__stash_unpark_large(s, &stash->head, tid);
	} else {
		pin(pos);
		base__stash_copy((__u64 *)&s->data[pos], stash->data, stash->head.len, STASH_DATA);
		s->pos += stash->head.len;
	}
	__builtin_memcpy(out, &stash->head, STASH_HEAD_SHORT);
	if (stash->head.abi == EVENT_ABI_32)
		__builtin_memcpy(out->args, stash->head.args, sizeof(out->args));
	return true;
}

/* base__stash_find: takes the thread's stash from wherever it is. */
static __always_inline bool base__stash_find(const bool atomic, struct scratch *s, __u32 nr,
					     __u32 tid, struct stash_head *out)
{
	struct stash_slot *slot = atomic ? base__stash_slot(tid) : 0;
	struct stash *stash;
	bool found;

	if (slot && slot->owner == tid) {
		found = base__stash_take(s, &slot->stash, nr, tid, out);
		if (atomic)
			base__stash_release(slot);
		return found;
	}
	if (slot && !slot->parked)
		return false;
	stash = bpf_map_lookup_elem(&stash_thread, &tid);
	found = stash && base__stash_take(s, stash, nr, tid, out);
	if (atomic && found)
		base__stash_parked(tid, -1);
	return found;
}

#endif
