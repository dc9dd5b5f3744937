/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: where a record is put together. One buffer per CPU and user: a
 * program is not entered twice on one CPU, but another one may be, from an
 * interrupt or, on newer kernels, after preemption.
 */
#ifndef SIGHTGLASS_SCRATCH_H
#define SIGHTGLASS_SCRATCH_H

#include "base.h"

#define STRING_MAX 4096 /* bytes of one path or of argv, final NUL included */
#define SCRATCH_DATA 28672
/* An extra may begin up to here: its header, STRING_MAX bytes and the padding
 * then fit.
 */
#define SCRATCH_LAST (SCRATCH_DATA - STRING_MAX - 64)

enum scratch_user {
	SCRATCH_ENTER = 0,
	SCRATCH_EXIT = 1,
	SCRATCH_EXEC = 2,
	SCRATCH_FORK = 3,
	SCRATCH_EXIT_PROCESS = 4,
	SCRATCH_CGROUP = 5,
	SCRATCH_ITER = 6,
	SCRATCH_COUNT = 7,
};

/* Where a loop over names or strings stands. It lives in map memory and not on
 * the stack, so that the verifier forgets what it knew after each round and
 * finds the rounds alike, instead of following each value through all of them.
 */
struct cursor {
	__u64 dentry;
	__u64 root; /* of the mount that the walk is in */
	__u64 mount;
	__u32 pos; /* next byte in data */
	__u32 end; /* bytes may be written up to here */
	__u32 flags; /* enum event_extra_flag */
	__u32 done;
};

struct scratch {
	__u32 pos; /* bytes of data in use; a multiple of 8 */
	__u32 flags; /* enum event_flag, gathered */
	__u32 user; /* enum scratch_user */
	__u32 reserved;
	struct cursor cursor;
	__u8 data[SCRATCH_DATA] __attribute__((aligned(8)));
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_COUNT);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

/* base__scratch: the user's buffer, empty but for head bytes that the caller
 * fills.
 */
static __always_inline struct scratch *base__scratch(__u32 user, __u32 head)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &user);

	if (s) {
		s->pos = head;
		s->flags = 0;
		s->user = user;
	}
	return s;
}

/* base__scratch_again: the buffer inside a global function. Those are verified
 * once by themselves and, on 5.10, take only numbers.
 */
static __always_inline struct scratch *base__scratch_again(__u32 user)
{
	return bpf_map_lookup_elem(&scratch, &user);
}

/* base__extra_begin: the place of the next extra, NULL (and the record marked
 * as truncated) when there is none left. STRING_MAX bytes may be written behind
 * the header. The position is kept in memory, not in a register, so that the
 * verifier sees the same state after every kind of argument.
 */
static __always_inline struct event_extra *base__extra_begin(struct scratch *s, __u8 arg, __u8 kind)
{
	__u64 pos = s->pos;
	struct event_extra *x;

	if (pos > SCRATCH_LAST) {
		s->flags |= EVENT_FLAG_TRUNCATED;
		return 0;
	}
	pin(pos);
	x = (struct event_extra *)&s->data[pos];
	x->arg = arg;
	x->kind = kind;
	x->flags = 0;
	x->len = 0;
	return x;
}

/* base__extra_end: len bytes were written behind the header. */
static __always_inline void base__extra_end(struct scratch *s, struct event_extra *x, __u32 len,
					    __u16 flags)
{
	x->len = len;
	x->flags = flags;
	if (flags & EXTRA_TRUNCATED)
		s->flags |= EVENT_FLAG_TRUNCATED;
	if (flags & EXTRA_LATE)
		s->flags |= EVENT_FLAG_LATE;
	s->pos += ALIGN8(sizeof(*x) + len);
}

#endif
