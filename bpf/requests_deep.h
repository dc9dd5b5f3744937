/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: long segments of many messages.
 *
 * Of a segment the beginning is copied, and where messages come one by one that is
 * all that is worth it. Where they come in bursts, each is wanted: such a segment is
 * told in as many records as it has payloads, as if each were a call of its own.
 *
 *	segment = message message message mess|age message message ...
 *	records = [......... one ............] [......... two ........]
 *
 * The first long segments of a socket are taken for bursts where nothing tells. For
 * more of them user space has to find that they were: else every large result would be
 * copied.
 */
#ifndef SIGHTGLASS_REQUESTS_DEEP_H
#define SIGHTGLASS_REQUESTS_DEEP_H

#include "requests_excerpts.h"

#define DEEP_LONGEST (64 << 10) /* bytes of a segment; one that is longer is no burst */
#define DEEP_MOST 255 /* segments, until user space asks for more */
#define DEEP_FIRST 16 /* segments, before it has asked, */
#define DEEP_UNASKED (32 << 10) /* of so many bytes at most */

/* How a segment is told of which only the beginning was copied: */
enum deep_way {
	DEEP_NOT = 0, /* by that */
	DEEP_BURST = 1, /* all of it */
	DEEP_FRAMES = 2, /* by its frames */
};

/* deep__may: whether it is worth asking how a segment is told that was not all copied. */
static __always_inline bool deep__may(const struct requests_socket *s)
{
	const volatile struct requests_class *class = requests__class(s->end.class);

	return class->shape.framing || class->apart;
}

/* deep__way: how a segment of total bytes is told that were not all copied. Of one of
 * frames that is known before anything is copied, but for the one that has told that the
 * socket's bytes are such.
 */
__noinline int deep__way(__u64 key, __u64 total, __u32 sends)
{
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &key);
	const volatile struct requests_class *class;
	struct frames_socket *f;

	if (!s)
		return DEEP_NOT;
	class = requests__class(s->end.class);
	if (class->shape.framing) {
		f = frames__of(s);
		if (!f || (sends ? f->ways[REQUESTS_SEND] : f->ways[REQUESTS_RECEIVE]).lost)
			return DEEP_NOT;
		return DEEP_FRAMES;
	}
	if (total > DEEP_LONGEST || !class->apart)
		return DEEP_NOT;
	if (s->wide != WIDE_BURSTS || s->dug == DEEP_MOST)
		requests__heed(key);
	if (s->wide == WIDE_NOT && class->every && total <= DEEP_UNASKED) {
		s->wide = WIDE_BURSTS;
		s->dug = DEEP_MOST - DEEP_FIRST;
	}
	if (s->wide != WIDE_BURSTS || s->dug == DEEP_MOST)
		return DEEP_NOT;
	s->dug++;
	return DEEP_BURST;
}

/* deep__walk: makes the payload of the first record of a burst. */
__noinline __u64 deep__walk(__u32 slot)
{
	struct requests_scratch *b = bpf_map_lookup_elem(&requests_scratch, &slot);
	struct frames_walk *w;

	if (!b)
		return 0;
	w = &b->walk;
	__builtin_memset(&w->way, 0, sizeof(w->way));
	w->way.left = w->way.keep = w->from.total;
	w->room = REQUESTS_PAYLOAD;
	w->at = w->part = w->done = 0;
	frames__long(w, slot);
	w->told = w->full || !w->way.lost;
	return w->told ? w->done : 0;
}

/* deep__begin: begins to tell all of a segment, if that is wanted, of which got bytes
 * were copied. Returns how many the payload holds then; none if they cannot be read.
 */
static __always_inline __u64 deep__begin(struct requests_scratch *b, __u64 key,
					 const struct requests_memory *m, __u64 got, bool sends)
{
	int way = deep__way(key, m->total, sends);

	if (way == DEEP_NOT)
		return got;
	b->walk.from = *m;
	b->record.tail_len = 0;
	*(__u64 *)b->record.tail = 0;
	return way == DEEP_FRAMES ? frames__segment(key, b->slot, sends) : deep__walk(b->slot);
}

#endif
