/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: from a call that ended to its record. */
#ifndef SIGHTGLASS_REQUESTS_DATA_H
#define SIGHTGLASS_REQUESTS_DATA_H

#include "lib/emit.h"
#include "requests_bursts.h"
#include "requests_excerpts.h"
#include "requests_match.h"
#include "requests_payload.h"
#include "requests_shed.h"
#include "requests_socket.h"

/* requests__began: when the thread's send began, 0 when that was not seen. */
static __always_inline __u64 requests__began(__u32 tid, __u32 nr)
{
	__u32 slot = tid & (REQUESTS_THREADS - 1);
	struct requests_begin *b = bpf_map_lookup_elem(&requests_begins, &slot);

	if (b && b->tid == tid && b->nr == nr)
		return b->time;
	requests__count(no_enter);
	return 0;
}

/* requests__head: the part of a record that the state of the socket gives, and
 * the thread.
 */
static __always_inline void requests__head(struct requests_record *r,
					   const struct requests_socket *s, __u32 tid)
{
	r->header.flags = 0;
	r->header.start = s->start;
	r->header.tgid = s->tgid;
	r->header.tid = tid;
	r->header.time = bpf_ktime_get_boot_ns();
	r->socket = s->id;
	r->cgroup_id = s->cgroup_id;
	r->end = s->end;
	r->flags = s->flags;
	*(__u64 *)&r->tail_len = 0;
	*(__u64 *)r->tail = 0;
}

/* requests__claim, requests__release: between them a scratch buffer is used. The
 * kernel keeps programs on tracepoints from being run again before they are done;
 * those on probes take a buffer that is free. Should there be none, or two take
 * the same one at once, then the record into which the other may have written is
 * lost.
 */
static __always_inline struct requests_scratch *requests__claim(void)
{
	__u32 slot = 0;
	struct requests_scratch *b = bpf_map_lookup_elem(&requests_scratch, &slot);

#ifdef REQUESTS_PREEMPTIBLE
	for (__u32 i = 1; b && b->owner && i < REQUESTS_SCRATCHES; i++) {
		slot = i;
		b = bpf_map_lookup_elem(&requests_scratch, &slot);
	}
	if (!b)
		return 0;
	*(volatile __u64 *)&b->owner = bpf_get_current_pid_tgid();
	b->slot = slot;
#endif
	return b;
}

static __always_inline void requests__release(struct requests_scratch *b)
{
#ifdef REQUESTS_PREEMPTIBLE
	if (*(volatile __u64 *)&b->owner == bpf_get_current_pid_tgid())
		*(volatile __u64 *)&b->owner = 0;
#else
	(void)b;
#endif
}

/* requests__emit: hands a record over. */
static __always_inline void requests__emit(struct requests_scratch *b, __u64 captured)
{
#ifdef REQUESTS_PREEMPTIBLE
	if (*(volatile __u64 *)&b->owner != bpf_get_current_pid_tgid()) {
		base__count_lost(CLASS_REQUESTS, LOSS_SCRATCH);
		return;
	}
#endif
	emit__requests(b, sizeof(b->record) + captured);
}

/* requests__send: completes the record of a call, with captured bytes of
 * payload, and hands it over.
 */
static __always_inline void requests__send(struct requests_scratch *b,
					   const struct requests_socket *s,
					   const struct requests_io *io, __u64 captured)
{
	struct requests_record *r = &b->record;

	if (captured > REQUESTS_PAYLOAD)
		return;
	pin(captured);
	r->header.type = EVENT_DATA;
	r->header.len = sizeof(*r) + captured;
	r->bytes = io->ret > 0 ? io->ret : 0;
	r->error = io->ret < 0 ? io->ret : 0;
	r->fiber = io->fiber;
	r->captured = captured;
	if (io->call & IO_SEND) {
		r->direction = REQUESTS_SEND;
		r->enter = io->enter;
		if (!r->enter && io->ret > 0)
			r->enter = requests__began(r->header.tid, io->nr);
		r->position = s->moved[REQUESTS_SEND];
		r->opposite = (__u32)s->moved[REQUESTS_RECEIVE];
	} else {
		r->direction = REQUESTS_RECEIVE;
		r->enter = 0;
		r->position = s->moved[REQUESTS_RECEIVE];
		r->opposite = (__u32)s->moved[REQUESTS_SEND];
	}
	requests__emit(b, captured);
}

/* requests__is_excluded: whether the agent itself made the call; counted. */
static __always_inline bool requests__is_excluded(const struct requests_socket *s)
{
	if (!base__is_self(s->tgid))
		return false;
	base__count_left_out(CLASS_REQUESTS, FILTER_SELF);
	return true;
}

/* requests__fill: copies what is worth it of the bytes of a classified socket
 * into the record, of which got are there already. Returns how many there are.
 */
static __always_inline __u64 requests__fill(struct requests_scratch *b, struct requests_socket *s,
					    const struct requests_memory *m, __u64 got, __u64 bound,
					    const volatile struct requests_signature *sig)
{
	bool all = bound >= m->total;

	if (!all)
		requests__tail(b, m);
	got = bound > got ? requests__copy(b, m, bound) : bound;
	if (sig && requests__wants_more(s, sig, b, got, all)) {
		s->wide = 1;
		if (!all)
			got = requests__copy(b, m, cfg_payload_max);
	}
	if (!all && !m->count && got == REQUESTS_PAYLOAD && requests__class(s->end.class)->every)
		got = requests__rear(b, m);
	return got;
}

/* requests__loops: notes that a thread waits for many descriptors at once. */
static __always_inline void requests__loops(void)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid(), slot = tid & (REQUESTS_THREADS - 1);
	__u32 *loop = bpf_map_lookup_elem(&requests_loops, &slot);

	if (loop && *loop != tid)
		*loop = tid;
}

/* requests__is_loop: whether a thread does. */
static __always_inline bool requests__is_loop(__u32 tid)
{
	__u32 slot = tid & (REQUESTS_THREADS - 1);
	__u32 *loop = bpf_map_lookup_elem(&requests_loops, &slot);

	return loop && *loop == tid;
}

/* requests__record: makes the record of a call on a socket with a class. Bytes
 * that are there to be read begin with got bytes in the scratch buffer.
 */
static __always_inline void requests__record(struct requests_scratch *b, struct requests_socket *s,
					     const struct requests_io *io,
					     const struct requests_memory *m, __u64 got, bool turn,
					     const volatile struct requests_signature *sig)
{
	__u16 *budget =
		io->call & IO_SEND ? &s->budget[REQUESTS_SEND] : &s->budget[REQUESTS_RECEIVE];
	__u32 tid = requests__own(s, io->sk, io->task);

	if (requests__is_excluded(s))
		return;
	if (!(++s->records & (REQUESTS_HEED - 1)))
		requests__heed(io->sk);
	requests__head(&b->record, s, tid);
	b->record.flags &= ~REQUESTS_BORING;
	if (sig)
		b->record.flags |= REQUESTS_HEAD;
	if (requests__is_loop(tid))
		b->record.flags |= REQUESTS_LOOP;
	if (requests__sheds(s, b, io->call & IO_SEND,
			    turn && (sig || requests__class(s->end.class)->every)))
		return;
	b->record.excerpts = b->walk.told;
	if (got && !b->walk.told)
		got = requests__fill(b, s, m, got, requests__bound(s, budget, m->total, sig, turn),
				     sig);
	requests__send(b, s, io, got);
}

/* requests__data: bytes were moved over a socket that is watched. */
static __always_inline void requests__data(struct requests_socket *s, const struct requests_io *io)
{
	const volatile struct requests_signature *sig = 0;
	struct requests_memory m = { .total = io->ret };
	__u8 way = io->call & IO_SEND ? REQUESTS_SEND + 1 : REQUESTS_RECEIVE + 1;
	bool turn = s->last != way, fresh, there;
	struct requests_scratch *b;
	__u64 got;

	if (!s->end.class && !turn && s->tries >= REQUESTS_TRIES)
		return;
	b = requests__claim();
	if (!b)
		return;
	s->last = way;
	fresh = turn || s->budget[(way - 1) & 1];
	b->walk.told = 0;
	there = requests__memory(&m, io->call, io->args);
	got = requests__frames(b, s->end.class, io->sk, &m, there, io->call & IO_SEND);
	if (there) {
		if (!got)
			got = requests__copy(b, &m, requests__guess(s, m.total, fresh));
		if (got)
			sig = requests__look(s, b->payload, got, m.total, turn);
		else
			requests__count(unreadable);
	}
	if (s->end.class)
		requests__record(b, s, io, &m, got, turn, sig);
	requests__release(b);
}

#endif
