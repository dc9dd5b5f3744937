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

#include "requests_payload.h"

#define FRAMES_HEADER 9 /* bytes of the header of a frame */
#define FRAMES_STEPS 64 /* frames, bodies and borders of buffers in one segment or buffer */
#define FRAMES_USUAL (16 << 10) /* bytes of a frame, unless the peer has asked for more */
#define FRAMES_LONGEST (1 << 20) /* a frame that is longer is taken for none */
#define FRAMES_BODY 23 /* bytes to copy of the body of an answer, */
#define FRAMES_BODY_ASKED 1024 /* of a request, of which more is read, */
#define FRAMES_SMALL 64 /* and of anything else but header blocks */

/* Kinds of frames (RFC 9113, section 6). */
#define KIND_DATA 0
#define KINDS_BLOCK (1 << 1 | 1 << 5 | 1 << 9) /* with a part of a header block */
#define KINDS_STREAM (KINDS_BLOCK | 1 << 0 | 1 << 2 | 1 << 3) /* of a stream */
#define KINDS_CONNECTION (1 << 4 | 1 << 6 | 1 << 7) /* of none */
#define KINDS_OTHER (1 << 8 | 1 << 10 | 1 << 12 | 1 << 16)

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

/* frames__is_likely: whether a frame may be of that kind, length, and of a stream
 * or not.
 */
static __always_inline bool frames__is_likely(__u32 kind, __u32 length, bool of_stream, bool strict)
{
	__u32 bit = kind < 32 ? 1U << (kind & 31) : 0;

	if (bit & (of_stream ? KINDS_CONNECTION : KINDS_STREAM))
		return false;
	if (strict || !(bit & (KINDS_STREAM | KINDS_CONNECTION | KINDS_OTHER)))
		return length <= FRAMES_USUAL &&
		       bit & (KINDS_STREAM | KINDS_CONNECTION | KINDS_OTHER);
	return length <= FRAMES_LONGEST;
}

/* frames__enter: begins a frame whose header is there. */
static __always_inline void frames__enter(struct frames_walk *w)
{
	const __u8 *h = w->way.header;
	__u32 length = (__u32)h[0] << 16 | (__u32)h[1] << 8 | h[2], kind = h[3];
	bool of_stream = (h[5] & 0x7f) | h[6] | h[7] | h[8];

	w->way.have = 0;
	w->way.left = length;
	if (!frames__is_likely(kind, length, of_stream, w->strict)) {
		w->way.lost = 1;
		return;
	}
	if (kind == KIND_DATA)
		w->way.keep = w->body;
	else
		w->way.keep = kind < 32 && 1U << (kind & 31) & KINDS_BLOCK ? length : FRAMES_SMALL;
}

/* frames__room: how many of n bytes that come next in the segment may be appended
 * to the payload, behind those that were copied last or in an excerpt of their own;
 * 0 when these are fewer than least.
 */
static __always_inline __u64 frames__room(struct requests_scratch *s, __u64 n, __u64 least)
{
	struct frames_walk *w = &s->walk;
	bool fresh = !w->done || w->next != w->at;
	__u64 need = least + (fresh ? sizeof(struct requests_excerpt) : 0), open;
	struct requests_excerpt *e;

	if (!w->copies || w->done + need > w->room)
		return 0;
	if (fresh) {
		open = w->done;
		w->open = open;
		w->next = w->at;
		w->done = open + sizeof(*e);
		pin(open);
		e = (struct requests_excerpt *)&s->payload[open & (REQUESTS_PAYLOAD - 1)];
		e->at = w->at;
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
 * payload if that is 0. False when they cannot be read.
 */
static __always_inline bool frames__header(struct requests_scratch *s, __u64 base, __u64 n)
{
	struct frames_walk *w = &s->walk;
	__u64 have = w->way.have, at = w->at;
	__u8 *to;

	if (have >= FRAMES_HEADER)
		return false;
	if (n > FRAMES_HEADER - have)
		n = FRAMES_HEADER - have;
	pin(have);
	pin(n);
	to = &w->way.header[have & 15];
	if (base) {
		if (bpf_probe_read_user(to, n & 15, (void *)base))
			return false;
	} else {
		pin(at);
		__builtin_memcpy(to, &s->payload[at & (REQUESTS_PAYLOAD - 1)], FRAMES_HEADER);
	}
	if (frames__room(s, n, n)) {
		at = w->done;
		pin(at);
		__builtin_memcpy(&s->payload[at & (REQUESTS_PAYLOAD - 1)], to, FRAMES_HEADER);
		frames__grow(s, n);
	}
	w->at += n;
	w->way.have += n;
	if (w->way.have == FRAMES_HEADER)
		frames__enter(w);
	return true;
}

/* frames__body: takes at most n bytes of the current frame. False when they cannot
 * be read.
 */
static __always_inline bool frames__body(struct requests_scratch *s, __u64 base, __u64 n)
{
	struct frames_walk *w = &s->walk;
	__u64 k;

	if (n > w->way.left)
		n = w->way.left;
	k = n < w->way.keep ? n : w->way.keep;
	if (k && w->copies) {
		k = frames__room(s, k, 1);
		if (k && requests__copy_part(s->payload, w->done, base, k) != k)
			return false;
		if (k)
			frames__grow(s, k);
	}
	w->way.keep = k == n ? w->way.keep - k : 0;
	w->way.left -= n;
	w->at += n;
	return true;
}

/* frames__step: takes what comes next in a buffer, which ends so many bytes behind
 * the beginning of the segment: some of a header, or of a body. base 0: its bytes are
 * in the payload of that slot. Returns 0 when nothing is left, or it cannot be taken.
 */
__noinline int frames__step(__u64 base, __u64 end, __u32 slot)
{
	struct requests_scratch *s = bpf_map_lookup_elem(&requests_scratch, &slot);
	struct frames_walk *w;
	__u64 from, n;
	bool ok;

	if (!s)
		return 0;
	w = &s->walk;
	if (w->at >= end || w->way.lost)
		return 0;
	from = base ? base + (w->at - w->part) : 0;
	n = end - w->at;
	ok = w->way.left ? frames__body(s, from, n) : frames__header(s, from, n);
	if (!ok)
		w->way.lost = 1;
	return ok;
}

/* frames__walk: walks over the bytes of a buffer, as frames__step. */
__noinline int frames__walk(__u64 base, __u64 end, __u32 slot)
{
	struct requests_scratch *s = bpf_map_lookup_elem(&requests_scratch, &slot);

	for (__u32 i = 0; i < FRAMES_STEPS; i++)
		if (!frames__step(base, end, slot))
			return 0;
	if (s)
		s->walk.way.lost = 1;
	return 0;
}

/* frames__walk_parts: walks over the first buffers of a list. */
__noinline int frames__walk_parts(__u64 vector, __u64 count, __u32 slot)
{
	struct requests_scratch *s = bpf_map_lookup_elem(&requests_scratch, &slot);
	struct requests_part *parts;
	__u64 n;

	if (!s)
		return 0;
	parts = s->parts;
	count = requests__parts(parts, vector, count);
	for (__u32 i = 0; i < REQUESTS_PARTS; i++) {
		if (i >= count || s->walk.at >= s->walk.from.total || s->walk.way.lost)
			return 0;
		s->walk.part = s->walk.at;
		n = s->walk.from.total - s->walk.at;
		if (n > parts[i].len)
			n = parts[i].len;
		frames__walk(parts[i].base, s->walk.at + n, slot);
	}
	return 0;
}

#endif
