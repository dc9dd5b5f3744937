/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: what the headers of frames say. */
#ifndef SIGHTGLASS_REQUESTS_FRAMING_H
#define SIGHTGLASS_REQUESTS_FRAMING_H

#include "requests_match.h"
#include "requests_scratch.h"

#define FRAMES_HEADER 16 /* bytes of the longest header of a frame; a power of two */
#define FRAMES_USUAL (16 << 10) /* bytes of a frame, unless the peer has asked for more */
#define FRAMES_LONGEST (1 << 20) /* one that is longer is taken for none, if not of data */
#define FRAMES_BODY 23 /* bytes to copy of the body of an answer, */
#define FRAMES_BODY_ASKED 1024 /* of a request, of which more is read, */
#define FRAMES_SMALL 64 /* and of anything else but header blocks */

/* What a client begins with, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n": its first eight bytes, and how
 * many come behind a header's.
 */
#define PREFACE 0x5448202a20495250ULL
#define PREFACE_REST 15

/* Kinds of HTTP/2 frames (RFC 9113, section 6). */
#define KIND_DATA 0
#define KINDS_BLOCK (1 << 1 | 1 << 5 | 1 << 9) /* with a part of a header block */
#define KINDS_STREAM (KINDS_BLOCK | 1 << 0 | 1 << 2 | 1 << 3) /* of a stream */
#define KINDS_CONNECTION (1 << 4 | 1 << 6 | 1 << 7) /* of none */
#define KINDS_OTHER (1 << 8 | 1 << 10 | 1 << 12 | 1 << 16)

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
	return kind == KIND_DATA || length <= FRAMES_LONGEST;
}

/* frames__enter_http2: the header of a frame of HTTP/2. What a client begins with is
 * taken for a frame as well, since none has such a header.
 */
static __always_inline void frames__enter_http2(struct frames_walk *w)
{
	const __u8 *h = w->way.header;
	__u32 length = (__u32)h[0] << 16 | (__u32)h[1] << 8 | h[2], kind = h[3];
	bool of_stream = (h[5] & 0x7f) | h[6] | h[7] | h[8];

	if (*(const __u64 *)h == PREFACE) {
		w->way.left = w->way.keep = PREFACE_REST;
		return;
	}
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

/* frames__enter_plain: of a frame that has a shape. A body that is shorter than
 * what says where an excerpt begins is copied in any case.
 */
static __always_inline void frames__enter_plain(struct frames_walk *w,
						const volatile struct requests_shape *shape)
{
	const __u8 *h = &w->way.header[shape->length & (FRAMES_HEADER - 1)];
	__u32 length = (__u32)h[0] << 24 | (__u32)h[1] << 16 | (__u32)h[2] << 8 | h[3];
	__u32 kind = w->way.header[0];

	if (kind > 15 || !(shape->kinds >> (kind & 15) & 1) || length > shape->longest) {
		w->way.lost = 1;
		return;
	}
	w->way.left = length + shape->rest;
	w->way.keep = shape->keep;
	if (kind == shape->bulk)
		w->way.keep = w->way.left <= sizeof(struct requests_excerpt) ? w->way.left : 0;
}

/* frames__enter: begins a frame whose header is there. */
static __always_inline void frames__enter(struct frames_walk *w)
{
	const volatile struct requests_shape *shape = &requests__class(w->class)->shape;

	w->way.have = 0;
	w->way.left = 0;
	if (shape->framing == FRAMING_HTTP2)
		frames__enter_http2(w);
	else
		frames__enter_plain(w, shape);
}

#endif
