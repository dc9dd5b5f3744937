/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: a call on a stream that is watched ended, well or not. */
#ifndef SIGHTGLASS_REQUESTS_ENDED_H
#define SIGHTGLASS_REQUESTS_ENDED_H

#include "requests_data.h"

/* Results of calls that tell that the connection is over. */
#define EPIPE 32
#define ECONNABORTED 103
#define ECONNRESET 104
#define ETIMEDOUT 110
#define ECONNREFUSED 111

static __always_inline bool requests__is_end(__s64 ret)
{
	return ret == -ECONNRESET || ret == -EPIPE || ret == -ETIMEDOUT || ret == -ECONNABORTED ||
	       ret == -ECONNREFUSED;
}

/* requests__is_nothing: whether a call has moved nothing and may be repeated. */
static __always_inline bool requests__is_nothing(__s64 ret)
{
	return ret < 0 && !requests__is_end(ret);
}

/* requests__has_room: whether there is room in a list of buffers. */
__noinline int requests__has_room(__u64 vector, __u64 count)
{
	struct requests_scratch *s;
	__u64 have, room = 0;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&requests_scratch, &zero);
	if (!s)
		return 1;
	have = requests__parts(s->parts, vector, count);
	for (__u64 i = 0; i < REQUESTS_PARTS; i++)
		if (i < have)
			room |= s->parts[i].len;
	return room || have < count;
}

/* requests__asked: whether a call that got nothing had asked for anything. */
static __always_inline bool requests__asked(const struct requests_io *io, __u8 call)
{
	struct requests_memory m = {};
	__u8 kind = call & IO_KIND;

	if (kind != IO_VECTOR && kind != IO_MESSAGE)
		return true;
	return requests__memory(&m, call, io->args) && requests__has_room(m.base, m.count);
}

/* requests__over: a call tells that the connection is over. */
static __always_inline void requests__over(struct requests_socket *s, const struct requests_io *io,
					   __u8 call)
{
	struct requests_scratch *b;

	if (!s->end.class)
		return;
	requests__own(s, io->sk, io->tid, io->tgid);
	if (requests__is_excluded(s))
		return;
	b = requests__claim();
	if (!b)
		return;
	requests__head(&b->record, s, io->tid);
	requests__send(b, s, io, call, 0);
	requests__release(b);
}

/* requests__ended: a call on a watched socket ended; call and waits as in requests__data. */
static __always_inline void requests__ended(struct requests_socket *s, const struct requests_io *io,
					    __u8 call, const bool waits)
{
	if (io->ret <= 0) {
		if (io->ret < 0 || (!(call & IO_SEND) && requests__asked(io, call)))
			requests__over(s, io, call);
		return;
	}
	requests__data(s, io, call, waits);
	/* After the record: whoever sees the sum finds the record before his own. */
	if (call & IO_SEND)
		__sync_fetch_and_add(&s->moved[REQUESTS_SEND], io->ret);
	else
		__sync_fetch_and_add(&s->moved[REQUESTS_RECEIVE], io->ret);
}

#endif
