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

#include "scratch.h"

#define STASH_SLOTS 8192 /* a power of two */
#define STASH_DATA 256
#define STASH_BIG_DATA (3 * (STRING_MAX + 8))

struct stash_head {
	__u64 enter; /* boot ns, 0 when not measured */
	__u32 nr; /* of the call; with it a stale stash is told from a fresh one */
	__u32 len; /* bytes of data */
	__u8 row;
	__u8 abi;
	__u8 have; /* bit n: argument n was read */
	__u8 relative; /* bit n: path argument n is relative or empty */
	__u8 active;
	__u8 big;
	__u8 flags; /* enum event_flag that reading came to */
	__u8 reserved;
	__u64 args[6]; /* of 32-bit calls; others find them in the registers again */
};

/* What is copied of the head of a 64-bit call. */
#define STASH_HEAD_SHORT 24

struct stash {
	struct stash_head head;
	__u64 data[STASH_DATA / 8];
};

struct stash_slot {
	__u32 owner; /* thread id; 0 when free */
	__u32 reserved;
	struct stash stash;
};

struct stash_big {
	struct stash_head head;
	__u64 data[STASH_BIG_DATA / 8];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STASH_SLOTS);
	__type(key, __u32);
	__type(value, struct stash_slot);
} stash_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct stash);
} stash_thread SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 128);
	__type(key, __u32);
	__type(value, struct stash_big);
} stash_large SEC(".maps");

/* base__stash_copy: len bytes, rounded up to 32, of at most STASH_DATA. Words,
 * because the compiler copies bytes one by one.
 */
static __always_inline void base__stash_copy(__u64 *to, const __u64 *from, __u32 len)
{
#pragma unroll
	for (__u32 i = 0; i < STASH_DATA / 8; i += 4) {
		if (len <= i * 8)
			break;
		to[i] = from[i];
		to[i + 1] = from[i + 1];
		to[i + 2] = from[i + 2];
		to[i + 3] = from[i + 3];
	}
}

static __always_inline struct stash_slot *base__stash_slot(__u32 tid)
{
	__u32 n = tid & (STASH_SLOTS - 1);

	return bpf_map_lookup_elem(&stash_slots, &n);
}

/* base__stash_claim: the thread's slot, NULL when another thread has it. */
static __always_inline struct stash_slot *base__stash_claim(__u32 tid)
{
	struct stash_slot *slot = base__stash_slot(tid);

	if (!slot)
		return 0;
	if (slot->owner != tid && __sync_val_compare_and_swap(&slot->owner, 0, tid) != 0)
		return 0;
	return slot;
}

/* base__stash_release: gives the slot to whoever comes. What was read from it
 * before must not be read after: x86 keeps a load before a later store, arm64
 * needs to be told.
 */
static __always_inline void base__stash_release(struct stash_slot *slot)
{
#if defined(__TARGET_ARCH_x86)
	*(volatile __u32 *)&slot->owner = 0;
#else
	__sync_lock_test_and_set(&slot->owner, 0);
#endif
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
		bpf_map_update_elem(&stash_thread, &tid, made, BPF_ANY);
		return;
	}
	__builtin_memcpy(&slot->stash.head, &made->head, STASH_HEAD_SHORT);
	if (made->head.abi == EVENT_ABI_32)
		__builtin_memcpy(slot->stash.head.args, made->head.args, sizeof(made->head.args));
	if (!made->head.big)
		base__stash_copy(slot->stash.data, made->data, made->head.len);
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
		base__stash_copy((__u64 *)&s->data[pos], stash->data, stash->head.len);
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
	stash = bpf_map_lookup_elem(&stash_thread, &tid);
	return stash && base__stash_take(s, stash, nr, tid, out);
}

#endif
