/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: what is copied of the segments of a stream of frames.
 *
 * One that is too long for a payload is told in as many records as its frames make
 * necessary, as if each were a call of its own:
 *
 *	segment = header body......... header body header body............ header ...
 *	records = [header bo]          [header body header bo]      (next) [header ...]
 */
#ifndef SIGHTGLASS_REQUESTS_EXCERPTS_H
#define SIGHTGLASS_REQUESTS_EXCERPTS_H

#include "requests_emit.h"
#include "requests_frames.h"

#define FRAMES_RECORDS 64 /* of one segment */

/* A socket over which nothing was said; the stack has no room. */
static const volatile struct frames_socket frames_fresh;

/* frames__adopt: begins to follow a socket; it may not have been seen from the
 * beginning in either direction.
 */
__noinline int frames__adopt(__u64 id, __u32 lost_receive, __u32 lost_send)
{
	struct frames_socket *f;

	if (bpf_map_update_elem(&requests_frames, &id, (void *)&frames_fresh, BPF_ANY))
		return 0;
	f = bpf_map_lookup_elem(&requests_frames, &id);
	if (!f)
		return 0;
	f->ways[REQUESTS_RECEIVE].lost = lost_receive;
	f->ways[REQUESTS_SEND].lost = lost_send;
	return 0;
}

static __always_inline struct frames_socket *frames__of(const struct requests_socket *s)
{
	bool midway = s->flags & REQUESTS_MIDWAY;
	struct frames_socket *f;
	__u64 id = s->id;

	f = bpf_map_lookup_elem(&requests_frames, &id);
	if (f)
		return f;
	frames__adopt(id, midway || s->moved[REQUESTS_RECEIVE], midway || s->moved[REQUESTS_SEND]);
	return bpf_map_lookup_elem(&requests_frames, &id);
}

/* frames__all: walks over a segment that is in the payload. It ends with a frame,
 * if it is by it that the place in the stream has to be found again.
 */
static __always_inline void frames__all(struct frames_walk *w, __u32 slot)
{
	w->copies = 0;
	w->strict = w->way.lost;
	if (w->strict)
		__builtin_memset(&w->way, 0, sizeof(w->way));
	w->base = 0;
	w->end = w->from.total;
	frames__walk(slot);
	if (w->at < w->end || (w->strict && (w->way.left || w->way.have)))
		w->way.lost = 1;
}

/* frames__record: walks over as much of a segment as one record tells, and makes its
 * payload of excerpts. What is not at hand of the segment is not told by another one.
 */
static __always_inline void frames__record(struct frames_walk *w, __u32 slot)
{
	w->begin = w->at;
	w->done = 0;
	w->full = 0;
	frames__walk(slot);
	if (w->at >= w->from.total || (w->full && w->at > w->begin))
		return;
	w->way.lost = 1;
	w->full = 0;
}

/* frames__long: begins with a segment that is too long for the payload. */
static __always_inline void frames__long(struct frames_walk *w, __u32 slot)
{
	w->copies = 1;
	w->strict = 0; /* its place is known */
	w->base = w->from.base;
	w->end = w->from.count ? 0 : w->from.total;
	if (w->way.left && !w->way.keep)
		w->way.keep = 1; /* something is always copied */
	frames__record(w, slot);
}

/* frames__unread: n bytes that are not at hand were moved over the socket with that
 * key.
 */
__noinline int frames__unread(__u64 key, __u64 n, __u32 sends)
{
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &key);
	struct frames_socket *f = s ? frames__of(s) : 0;
	struct frames_way *way;

	if (!f)
		return 0;
	way = sends ? &f->ways[REQUESTS_SEND] : &f->ways[REQUESTS_RECEIVE];
	way->keep = 0;
	if (way->left >= n)
		way->left -= n;
	else
		way->lost = 1;
	return 0;
}

/* frames__segment: follows the frames in a segment of the socket with that key,
 * and copies what is worth it into the payload of a slot. Returns how many bytes that
 * holds then; 0 when the place of the frames is not known.
 */
__noinline __u64 frames__segment(__u64 key, __u32 slot, __u32 sends)
{
	struct requests_scratch *b = bpf_map_lookup_elem(&requests_scratch, &slot);
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &key);
	struct frames_socket *f;
	struct frames_way *way;
	struct frames_walk *w;
	__u64 got;

	if (!b || !s)
		return 0;
	w = &b->walk;
	w->class = s->end.class;
	w->header = requests__class(s->end.class)->shape.header;
	w->room = requests__class(s->end.class)->bound;
	w->body = s->end.role == (sends ? ROLE_CLIENT : ROLE_SERVER) ? FRAMES_BODY_ASKED
								     : FRAMES_BODY;
	f = frames__of(s);
	if (!f)
		return 0;
	way = sends ? &f->ways[REQUESTS_SEND] : &f->ways[REQUESTS_RECEIVE];
	w->way = *way;
	w->at = w->part = w->done = 0;
	if (w->from.total <= w->room) {
		got = requests__copy(b, &w->from, w->from.total);
		if (got == w->from.total) {
			frames__all(w, slot);
			*way = w->way;
			return got;
		}
	}
	if (w->way.lost)
		return 0;
	frames__long(w, slot);
	way->lost = 1; /* until all records of the segment are told */
	w->told = w->full || !w->way.lost;
	return w->told ? w->done : 0;
}

/* frames__first: a segment has told that the bytes of the socket with that key are
 * frames: follows its own, if it fits into the payload, to know where the next begin.
 */
__noinline int frames__first(__u64 key, __u32 slot, __u32 sends)
{
	struct requests_scratch *b = bpf_map_lookup_elem(&requests_scratch, &slot);
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &key);
	const volatile struct requests_class *class;

	if (!b || !s)
		return 0;
	class = requests__class(s->end.class);
	if (class->shape.framing && b->walk.from.total <= class->bound)
		frames__segment(key, slot, sends);
	return 0;
}

/* frames__next: makes the next record of the segment that is being told, which is
 * complete but for what it holds. Returns whether there is another one.
 */
__noinline int frames__next(__u32 slot)
{
	struct requests_scratch *b = bpf_map_lookup_elem(&requests_scratch, &slot);
	struct requests_record *r;
	struct frames_walk *w;
	__u64 captured;

	if (!b)
		return 0;
	r = &b->record;
	w = &b->walk;
	if (w->at >= w->from.total)
		return 0;
	frames__record(w, slot);
	captured = w->done;
	if (captured > REQUESTS_PAYLOAD)
		return 0;
	pin(captured);
	r->position += r->bytes;
	r->bytes = (w->full ? w->at : w->from.total) - w->begin;
	r->header.len = sizeof(*r) + captured;
	r->captured = captured;
	r->flags &= ~REQUESTS_HEAD;
	r->skipped = 0;
	requests__emit(b, captured);
	return w->full;
}

/* frames__rest: makes the records of a segment behind the first one. */
__noinline int frames__rest(__u64 key, __u32 slot, __u32 sends)
{
	struct requests_scratch *b;
	struct requests_socket *s;
	struct frames_socket *f;

	for (__u32 i = 1; i < FRAMES_RECORDS; i++)
		if (!frames__next(slot))
			break;
	b = bpf_map_lookup_elem(&requests_scratch, &slot);
	s = bpf_map_lookup_elem(&requests_sockets, &key);
	if (!s || !requests__class(s->end.class)->shape.framing)
		return 0;
	f = frames__of(s);
	if (!b || !f || b->walk.at < b->walk.from.total)
		return 0;
	if (sends)
		f->ways[REQUESTS_SEND] = b->walk.way;
	else
		f->ways[REQUESTS_RECEIVE] = b->walk.way;
	return 0;
}

/* requests__frames: follows the bytes of a call, if these are of frames, as
 * frames__segment does.
 */
static __always_inline __u64 requests__frames(struct requests_scratch *b, __u64 class, __u64 key,
					      const struct requests_memory *m, bool there,
					      bool sends)
{
	if (!requests__class(class)->shape.framing)
		return 0;
	if (!there)
		return frames__unread(key, m->total, sends);
	b->walk.from = *m;
	return frames__segment(key, b->slot, sends);
}

#endif
