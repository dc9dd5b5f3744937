/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Emit layer: from a finished buffer into a ring, counted. */
#ifndef SIGHTGLASS_EMIT_H
#define SIGHTGLASS_EMIT_H

#include "count.h"
#include "extract_task.h"
#include "scratch.h"

/* The longest record. */
#define RECORD_MAX SCRATCH_DATA

/* Every record of the security ring but cgroup's begins with these. */
struct record {
	struct event_header header;
	struct event_task task;
};

/* emit__header: who and when; type, flags and len are for emit__security. */
static __always_inline void emit__header(struct event_header *h, __u64 task)
{
	h->time = bpf_ktime_get_boot_ns();
	extract__who(task, h);
}

/* How often a program looks whether the ring fills up: at every n-th record of
 * its CPU, a power of two.
 */
#define RING_LOOK 64

/* emit__wakeup: the reader comes by itself, after 100 ms at the latest; only a
 * ring that is a quarter full calls it.
 */
static __always_inline __u64 emit__wakeup(void *ring, __u64 produced)
{
	if (produced & (RING_LOOK - 1))
		return BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA) <
	    bpf_ringbuf_query(ring, BPF_RB_RING_SIZE) / 4)
		return BPF_RB_NO_WAKEUP;
	return BPF_RB_FORCE_WAKEUP;
}

/* emit__ring: len bytes into the class's ring. The record counts as produced
 * either way.
 */
static __always_inline void emit__ring(void *ring, __u32 class, void *data, __u64 len)
{
	struct counters *c = base__counters(class);

	if (!c)
		return;
	__sync_fetch_and_add(&c->produced, 1);
	if (bpf_ringbuf_output(ring, data, len, emit__wakeup(ring, c->produced)))
		__sync_fetch_and_add(&c->lost[LOSS_RING_FULL], 1);
}

/* emit__security: sends what the scratch buffer holds. */
static __always_inline void emit__security(struct scratch *s, enum event_type type)
{
	struct event_header *h = (struct event_header *)s->data;
	__u64 len = s->pos;

	if (base__is_self(h->tgid))
		s->flags |= EVENT_FLAG_SELF;
	if (s->flags & EVENT_FLAG_LATE)
		base__count_late(CLASS_SECURITY);
	if (len > RECORD_MAX)
		len = RECORD_MAX;
	pin(len);
	h->type = type;
	h->flags = (__u16)s->flags;
	h->len = (__u32)len;
	emit__ring(&ring_security, CLASS_SECURITY, h, len);
}

/* emit__requests: sends a record of the request capture, header included;
 * len <= RECORD_MAX. The caller has asked base__is_self before.
 */
static __always_inline void emit__requests(void *record, __u64 len)
{
	emit__ring(&ring_requests, CLASS_REQUESTS, record, len);
}

#endif
