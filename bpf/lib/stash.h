/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: what a call's entry read is kept until its exit. Small amounts
 * (nearly all) lie in the task's own storage, or in a hash by thread where
 * programs may not use that; large ones in a hash of a few big slots.
 */
#ifndef SIGHTGLASS_STASH_H
#define SIGHTGLASS_STASH_H

#include "scratch.h"

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
	__u8 reserved[2];
	__u64 args[6]; /* of 32-bit calls; others find them in the registers again */
};

/* What is copied of the head of a 64-bit call. */
#define STASH_HEAD_SHORT 24

struct stash {
	struct stash_head head;
	__u8 data[STASH_DATA];
};

struct stash_big {
	struct stash_head head;
	__u8 data[STASH_BIG_DATA];
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct stash);
} stash_task SEC(".maps");

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

/* base__stash_copy: len bytes, rounded up to 64, of at most STASH_DATA. */
static __always_inline void base__stash_copy(__u8 *to, const __u8 *from, __u32 len)
{
#pragma unroll
	for (__u32 i = 0; i < STASH_DATA; i += 64) {
		if (len <= i)
			break;
		__builtin_memcpy(to + i, from + i, 64);
	}
}

/* base__stash_slot: the thread's slot. */
static __always_inline struct stash *base__stash_slot(__u64 create)
{
	__u32 tid;

	if (cfg_task_storage)
		return bpf_task_storage_get(&stash_task, (void *)bpf_get_current_task_btf(), 0,
					    create);
	tid = (__u32)bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&stash_thread, &tid);
}

/* base__stash_park_large: what is too long for a slot. Without a place for it
 * the arguments are read again at exit.
 */
static __always_inline void base__stash_park_large(struct stash_big *made)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

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
static __always_inline void base__stash_park(struct scratch *s)
{
	struct stash_big *made = (struct stash_big *)s->data;
	struct stash *slot;
	__u32 tid;

	made->head.len = s->pos - sizeof(struct stash_head);
	made->head.active = 1;
	made->head.big = 0;
	if (made->head.len > STASH_DATA)
		base__stash_park_large(made);
	if (!cfg_task_storage) {
		tid = (__u32)bpf_get_current_pid_tgid();
		bpf_map_update_elem(&stash_thread, &tid, made, BPF_ANY);
		return;
	}
	slot = base__stash_slot(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!slot)
		return;
	__builtin_memcpy(&slot->head, &made->head, STASH_HEAD_SHORT);
	if (made->head.abi == EVENT_ABI_32)
		__builtin_memcpy(slot->head.args, made->head.args, sizeof(slot->head.args));
	if (!made->head.big)
		base__stash_copy(slot->data, made->data, made->head.len);
}

/* base__stash_unpark_large: copies what was too long for the slot. */
static __always_inline void base__stash_unpark_large(struct scratch *s, struct stash *slot)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid(), len = slot->head.len;
	struct stash_big *large = bpf_map_lookup_elem(&stash_large, &tid);
	__u64 pos = s->pos;

	if (!large) { /* given to another thread meanwhile */
		slot->head.have = 0;
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

/* base__stash_take: the stash of the call nr that ends now, NULL for none. Its
 * data is copied to where the scratch buffer stands.
 */
static __always_inline struct stash_head *base__stash_take(struct scratch *s, __u32 nr)
{
	struct stash *slot = base__stash_slot(0);
	__u64 pos = s->pos;

	if (!slot || !slot->head.active || slot->head.nr != nr || pos > SCRATCH_LAST)
		return 0;
	slot->head.active = 0;
	if (slot->head.big) {
		base__stash_unpark_large(s, slot);
	} else {
		pin(pos);
		base__stash_copy(&s->data[pos], slot->data, slot->head.len);
		s->pos += slot->head.len;
	}
	return &slot->head;
}

#endif
