/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: where stash.h keeps things, and who a slot belongs to. */
#ifndef SIGHTGLASS_STASH_STORE_H
#define SIGHTGLASS_STASH_STORE_H

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
	__u32 parked; /* calls that found it taken and are not over; may stay too high */
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

/* base__stash_copy: len bytes, rounded up to 32, of at most max, a constant. Words,
 * because the compiler copies bytes one by one.
 */
static __always_inline void base__stash_copy(__u64 *to, const __u64 *from, __u32 len,
					     const __u32 max)
{
#pragma unroll
	for (__u32 i = 0; i < max / 8; i += 4) {
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

#endif
