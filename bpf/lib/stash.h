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
	__u64 args[6];
	__u32 len; /* bytes of data */
	__u32 nr; /* of the call; with it a stale stash is told from a fresh one */
	__u8 row;
	__u8 abi;
	__u8 have; /* bit n: argument n was read */
	__u8 relative; /* bit n: path argument n is relative or empty */
	__u8 active;
	__u8 big;
	__u8 reserved[2];
};

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
		return bpf_task_storage_get(&stash_task, (void *)bpf_get_current_task_btf(), 0, create);
	tid = (__u32)bpf_get_current_pid_tgid();
	return bpf_map_lookup_elem(&stash_thread, &tid);
}

/* base__stash_park: keeps what the scratch buffer holds, a stash_head and
 * extras, for the exit of the call.
 */
static __always_inline void base__stash_park(struct scratch *s)
{
	struct stash_big *made = (struct stash_big *)s->data;
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct stash *slot;

	made->head.len = s->pos - sizeof(struct stash_head);
	made->head.active = 1;
	made->head.big = 0;
	if (made->head.len > STASH_BIG_DATA) { /* read again at exit */
		made->head.len = 0;
		made->head.have = 0;
	}
	if (made->head.len > STASH_DATA) {
		made->head.big = 1;
		if (bpf_map_update_elem(&stash_large, &tid, made, BPF_ANY)) {
			made->head.big = 0;
			made->head.len = 0;
			made->head.have = 0;
		}
	}
	if (!cfg_task_storage) {
		bpf_map_update_elem(&stash_thread, &tid, made, BPF_ANY);
		return;
	}
	slot = base__stash_slot(BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!slot)
		return;
	slot->head = made->head;
	if (!made->head.big)
		base__stash_copy(slot->data, made->data, made->head.len);
}

/* base__stash_take: the stash of the call nr that ends now, NULL for none. Its
 * data is copied to where the scratch buffer stands.
 */
static __always_inline struct stash_head *base__stash_take(struct scratch *s, __u32 nr)
{
	struct stash *slot = base__stash_slot(0);
	struct stash_big *large;
	__u32 tid, len;
	__u64 pos = s->pos;

	if (!slot || !slot->head.active || slot->head.nr != nr || pos > SCRATCH_LAST)
		return 0;
	slot->head.active = 0;
	pin(pos);
	len = slot->head.len;
	if (!slot->head.big) {
		base__stash_copy(&s->data[pos], slot->data, len);
		s->pos += len;
		return &slot->head;
	}
	tid = (__u32)bpf_get_current_pid_tgid();
	large = bpf_map_lookup_elem(&stash_large, &tid);
	if (!large) { /* taken by another thread's need */
		slot->head.have = 0;
		return &slot->head;
	}
	if (len <= STASH_BIG_DATA && pos <= SCRATCH_DATA - STASH_BIG_DATA) {
		pin(len);
		bpf_probe_read_kernel(&s->data[pos], len, large->data);
		s->pos += len;
	}
	bpf_map_delete_elem(&stash_large, &tid);
	return &slot->head;
}

#endif
