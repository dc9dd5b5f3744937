/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: streams of frames.
 *
 * A segment that is longer than what is copied of one may hold the heads of many
 * messages, at any place. So where each frame begins is followed, over all segments,
 * and of a long one only the beginnings of frames are copied: of bodies a few bytes,
 * of header blocks all. What user space cannot follow with these, it takes for lost.
 */
#ifndef SIGHTGLASS_REQUESTS_FRAMES_H
#define SIGHTGLASS_REQUESTS_FRAMES_H

#include "requests_framing.h"
#include "requests_payload.h"

#define FRAMES_STEPS 512 /* headers, bodies and borders of buffers of one record */

struct frames_socket {
	struct frames_way ways[2]; /* by direction */
};

/* By requests_socket.id. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct frames_socket);
} requests_frames SEC(".maps");

/* frames__room: how many of n bytes that come next in the segment may be appended
 * to the payload, behind those that were copied last or in an excerpt of their own;
 * 0 when these are fewer than least: then the payload is full.
 */
static __always_inline __u64 frames__room(struct requests_scratch *s, __u64 n, __u64 least)
{
	struct frames_walk *w = &s->walk;
	bool fresh = !w->done || w->next != w->at;
	__u64 need = least + (fresh ? sizeof(struct requests_excerpt) : 0), open;
	struct requests_excerpt *e;

	if (w->done + need > w->room) {
		w->full = 1;
		return 0;
	}
	if (fresh) {
		open = w->done;
		w->open = open;
		w->next = w->at;
		w->done = open + sizeof(*e);
		pin(open);
		e = (struct requests_excerpt *)&s->payload[open & (REQUESTS_PAYLOAD - 1)];
		e->at = w->at - w->begin;
		e->len = 0;
	}
	return n < w->room - w->done ? n : w->room - w->done;
}

/* frames__grow: n bytes were appended. */
static __always_inline void frames__grow(struct requests_scratch *s, __u64 n)
{
	struct frames_walk *w = &s->walk;
	__u64 open = w->open;

	pin(open);
	((struct requests_excerpt *)&s->payload[open & (REQUESTS_PAYLOAD - 1)])->len += n;
	w->done += n;
	w->next += n;
}

/* frames__header: takes at most n bytes of a header from an address, or from the
 * payload if that is 0. False when they cannot be read, or there is no room for them.
 */
static __always_inline bool frames__header(struct requests_scratch *s, __u64 base, __u64 n)
{
	struct frames_walk *w = &s->walk;
	__u64 have = w->way.have, at = w->at;
	__u8 *to;

	if (have >= w->header)
		return false;
	if (n > w->header - have)
		n = w->header - have;
	pin(have);
	pin(n);
	to = &w->way.header[have & (FRAMES_HEADER - 1)];
	if (!base) {
		pin(at);
		__builtin_memcpy(to, &s->payload[at & (REQUESTS_PAYLOAD - 1)], FRAMES_HEADER);
	} else if (bpf_probe_read_user(to, n & (2 * FRAMES_HEADER - 1), (void *)base)) {
		return false;
	}
	if (w->copies) {
		if (!frames__room(s, n, n))
			return false;
		at = w->done;
		pin(at);
		__builtin_memcpy(&s->payload[at & (REQUESTS_PAYLOAD - 1)], to, FRAMES_HEADER);
		frames__grow(s, n);
	}
	w->at += n;
	w->way.have += n;
	if (w->way.have == w->header)
		frames__enter(w);
	return true;
}

/* frames__body: takes at most n bytes of the current frame. False when they cannot
 * be read, or there is no room for them.
 */
static __always_inline bool frames__body(struct requests_scratch *s, __u64 base, __u64 n)
{
	struct frames_walk *w = &s->walk;
	__u64 k;

	if (n > w->way.left)
		n = w->way.left;
	if (w->copies && w->way.keep) {
		k = n < w->way.keep ? n : w->way.keep;
		k = frames__room(s, k, 1);
		if (!k || requests__copy_part(s->payload, w->done, base, k) != k)
			return false;
		frames__grow(s, k);
		w->way.keep -= k;
		n = k; /* the rest comes next */
	}
	w->way.left -= n;
	w->at += n;
	return true;
}

/* frames__part: goes on with the next buffer. False when there is none. */
static __always_inline bool frames__part(struct frames_walk *w)
{
	struct requests_part part;
	__u64 n = w->from.total - w->at;

	if (!n || !w->from.count)
		return false;
	if (bpf_probe_read_user(&part, sizeof(part), (void *)w->from.base)) {
		w->way.lost = 1;
		return false;
	}
	w->from.base += sizeof(part);
	w->from.count--;
	w->base = part.base;
	w->part = w->at;
	w->end = w->at + (n < part.len ? n : part.len);
	return true;
}

/* frames__step: takes what comes next of the segment: some of a header, or of a
 * body. Returns 0 when nothing is left, or it cannot be taken.
 */
__noinline int frames__step(__u32 slot)
{
	struct requests_scratch *s = bpf_map_lookup_elem(&requests_scratch, &slot);
	struct frames_walk *w;
	__u64 from, n;
	bool ok;

	if (!s)
		return 0;
	w = &s->walk;
	if (w->way.lost)
		return 0;
	if (w->at >= w->end)
		return frames__part(w);
	from = w->base ? w->base + (w->at - w->part) : 0;
	n = w->end - w->at;
	ok = w->way.left ? frames__body(s, from, n) : frames__header(s, from, n);
	if (!ok && !w->full)
		w->way.lost = 1;
	return ok;
}

/* frames__walk: walks over the segment as far as one record goes. */
__noinline int frames__walk(__u32 slot)
{
	struct requests_scratch *s = bpf_map_lookup_elem(&requests_scratch, &slot);

	for (__u32 i = 0; i < FRAMES_STEPS; i++)
		if (!frames__step(slot))
			return 0;
	if (s)
		s->walk.full = 1;
	return 0;
}

#endif
