/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: what is copied of the segments of an HTTP/2 connection. */
#ifndef SIGHTGLASS_REQUESTS_HTTP2_H
#define SIGHTGLASS_REQUESTS_HTTP2_H

#include "requests_frames.h"
#include "requests_match.h"

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
	frames__walk(0, w->from.total, slot);
	if (w->strict && (w->way.left || w->way.have))
		w->way.lost = 1;
}

/* frames__long: walks over a segment that is too long for the payload, and makes
 * that of excerpts.
 */
static __always_inline void frames__long(struct frames_walk *w, __u32 slot)
{
	__u64 vector = w->from.base, count = w->from.count;

	w->copies = 1;
	if (w->way.left && !w->way.keep)
		w->way.keep = 1; /* something is always copied */
	if (!count)
		frames__walk(vector, w->from.total, slot);
	for (__u32 k = 0; k < REQUESTS_WALK && count; k++) {
		frames__walk_parts(vector, count, slot);
		vector += REQUESTS_PARTS * sizeof(struct requests_part);
		count -= count < REQUESTS_PARTS ? count : REQUESTS_PARTS;
	}
	if (w->at < w->from.total)
		w->way.lost = 1;
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
	__u64 bound, got;

	if (!b || !s)
		return 0;
	f = frames__of(s);
	if (!f)
		return 0;
	way = sends ? &f->ways[REQUESTS_SEND] : &f->ways[REQUESTS_RECEIVE];
	w = &b->walk;
	bound = requests__class(s->end.class)->bound;
	w->way = *way;
	w->at = w->part = w->done = 0;
	w->room = bound;
	w->body = s->end.role == (sends ? ROLE_CLIENT : ROLE_SERVER) ? FRAMES_BODY_ASKED
								     : FRAMES_BODY;
	if (w->from.total <= bound) {
		got = requests__copy(b, &w->from, w->from.total);
		w->way.lost |= got != w->from.total;
		if (got == w->from.total)
			frames__all(w, slot);
		*way = w->way;
		return got;
	}
	if (w->way.lost)
		return 0;
	frames__long(w, slot);
	*way = w->way;
	w->told = !w->way.lost;
	return w->told ? w->done : 0;
}

/* requests__frames: does so for the bytes of a call, if these are of frames. */
static __always_inline __u64 requests__frames(struct requests_scratch *b, __u64 class, __u64 key,
					      const struct requests_memory *m, bool there,
					      bool sends)
{
	__u32 slot = 0;

	if (!requests__class(class)->frames)
		return 0;
	if (!there)
		return frames__unread(key, m->total, sends);
#ifdef REQUESTS_PREEMPTIBLE
	slot = b->slot;
#endif
	b->walk.from = *m;
	return frames__segment(key, slot, sends);
}

#endif
