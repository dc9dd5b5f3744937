/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: from a call that ended to its record. */
#ifndef SIGHTGLASS_REQUESTS_DATA_H
#define SIGHTGLASS_REQUESTS_DATA_H

#include "requests_bursts.h"
#include "requests_deep.h"
#include "requests_excerpts.h"
#include "requests_shed.h"
#include "requests_socket.h"

#define REQUESTS_PAGE_BITS 12 /* of the smallest pages */

/* requests__is_excluded: whether the agent itself made the call; counted. */
static __always_inline bool requests__is_excluded(const struct requests_socket *s)
{
	if (!base__is_self(s->tgid))
		return false;
	base__count_left_out(CLASS_REQUESTS, FILTER_SELF);
	return true;
}

/* requests__fetch: has the bytes brought to memory that are going to be copied: what a
 * program writes may lie in a file of which it has not touched that part yet. For
 * programs that may wait.
 */
static __noinline int requests__fetch(__u64 first, __u64 total)
{
	__u64 last = first - 1;
	__u8 byte;

	last += total < cfg_payload_max ? total : cfg_payload_max;
	bpf_copy_from_user(&byte, 1, (void *)first);
	if ((first ^ last) >> REQUESTS_PAGE_BITS)
		bpf_copy_from_user(&byte, 1, (void *)last);
	return 0;
}

/* requests__take: copies the same, of bytes that may have to be waited for: few have,
 * and to look before would cost as much as copying.
 */
static __always_inline __u64 requests__take(struct requests_scratch *s,
					    const struct requests_memory *m, __u64 want,
					    const bool waits)
{
	__u64 got = requests__copy(s, m, want);

	if (waits && !got) {
		requests__fetch(m->base, m->total);
		got = requests__copy(s, m, want);
	}
	/* Of what was in memory the verifier knows nothing: it follows one way on. */
	*(volatile __u64 *)&s->copied = got;
	return *(volatile __u64 *)&s->copied;
}

/* requests__fill: copies what is worth it of the bytes of a classified socket
 * into the record, of which got are there already. Returns how many there are.
 */
static __always_inline __u64 requests__fill(struct requests_scratch *b, struct requests_socket *s,
					    const struct requests_memory *m, __u64 got, __u64 bound,
					    const volatile struct requests_signature *sig,
					    const bool waits)
{
	bool all = bound >= m->total;
	enum requests_width width;

	if (!all)
		requests__tail(b, m);
	got = bound > got ? requests__take(b, m, bound, waits) : bound;
	width = sig ? requests__widens(s, sig, b, got, all) : WIDE_NOT;
	if (width) {
		s->wide = width;
		s->dug = DEEP_MOST - DEEP_FIRST;
		if (!all)
			got = requests__take(b, m, cfg_payload_max, waits);
	}
	if (!all && !m->count && got == REQUESTS_PAYLOAD && requests__class(s->end.class)->every)
		got = requests__rear(b, m);
	return got;
}

/* requests__loops: notes that a thread waits for many descriptors at once. */
static __always_inline void requests__loops(__u32 tid)
{
	struct requests_thread *t = requests__slot(tid);

	if (t && t->loop != tid)
		t->loop = tid;
}

/* requests__is_loop: whether a thread does. */
static __always_inline bool requests__is_loop(__u32 tid)
{
	struct requests_thread *t = requests__slot(tid);

	return t && t->loop == tid;
}

/* requests__record: makes the record of a call on a socket with a class. Bytes
 * that are there to be read begin with got bytes in the scratch buffer.
 */
static __always_inline void requests__record(struct requests_scratch *b, struct requests_socket *s,
					     const struct requests_io *io, __u8 call,
					     const struct requests_memory *m, __u64 got, bool turn,
					     const volatile struct requests_signature *sig,
					     const bool waits)
{
	__u16 *budget = call & IO_SEND ? &s->budget[REQUESTS_SEND] : &s->budget[REQUESTS_RECEIVE];

	requests__own(s, io->sk, io->tid, io->tgid);
	if (requests__is_excluded(s))
		return;
	if (!(++s->records & (REQUESTS_HEED - 1)))
		requests__heed(io->sk);
	requests__head(&b->record, s, io->tid);
	b->record.flags &= ~REQUESTS_BORING;
	if (sig)
		b->record.flags |= REQUESTS_HEAD;
	if (requests__is_loop(io->tid))
		b->record.flags |= REQUESTS_LOOP;
	if (requests__sheds(s, b, call & IO_SEND,
			    turn && (sig || requests__class(s->end.class)->every)))
		return;
	if (got && !b->walk.told) {
		got = requests__fill(b, s, m, got, requests__bound(s, budget, m->total, sig, turn),
				     sig, waits);
		if (got < m->total && deep__may(s))
			got = deep__begin(b, io->sk, m, got, io->call & IO_SEND);
	}
	b->record.excerpts = b->walk.told;
	requests__send(b, s, io, call, got);
	if (b->walk.told)
		frames__rest(io->sk, b->slot, call & IO_SEND);
}

/* requests__data: bytes were moved over a socket that is watched. call is enum requests_call;
 * who knows it when this is compiled spares the verifier ways that nobody goes. waits: the
 * program may wait for bytes that are not in memory yet.
 */
static __always_inline void requests__data(struct requests_socket *s, const struct requests_io *io,
					   __u8 call, const bool waits)
{
	const volatile struct requests_signature *sig = 0;
	struct requests_memory m = { .total = io->ret };
	__u8 way = call & IO_SEND ? REQUESTS_SEND + 1 : REQUESTS_RECEIVE + 1;
	bool turn = s->last != way, fresh, there;
	__u8 class = s->end.class;
	struct requests_scratch *b;
	__u64 got;

	if (!class && !turn && s->tries >= REQUESTS_TRIES)
		return;
	b = requests__claim();
	if (!b)
		return;
	s->last = way;
	fresh = turn || s->budget[(way - 1) & 1];
	b->walk.told = 0;
	there = requests__memory(&m, call, io->args);
	if (waits && requests__class(s->end.class)->shape.framing)
		requests__fetch(m.base,
				m.total); /* unread, it would lose the place of the frames */
	got = requests__frames(b, s->end.class, io->sk, &m, there, call & IO_SEND);
	if (there) {
		if (!got)
			got = requests__take(b, &m, requests__guess(s, m.total, fresh), waits);
		if (got)
			sig = requests__look(s, b->payload, got, m.total, turn);
		else
			requests__count(unreadable);
	}
	if (s->end.class)
		requests__record(b, s, io, call, &m, got, turn, sig, waits);
	if (s->end.class != class && there) {
		b->walk.from = m;
		frames__first(io->sk, b->slot, call & IO_SEND);
	}
	requests__release(b);
}

#endif
