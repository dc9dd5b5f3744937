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

/* deep__allows: whether all of a segment is to be copied, of which got bytes were. */
static __always_inline bool deep__allows(struct requests_socket *s, __u64 sk, __u64 total,
					 __u64 got)
{
	const volatile struct requests_class *class = requests__class(s->end.class);

	if (got >= total || total > DEEP_LONGEST || !class->apart)
		return false;
	if (s->wide != WIDE_BURSTS || s->dug == DEEP_MOST)
		requests__heed(sk);
	if (s->wide == WIDE_NOT && class->every && total <= DEEP_UNASKED) {
		s->wide = WIDE_BURSTS;
		s->dug = DEEP_MOST - DEEP_FIRST;
	}
	if (s->wide != WIDE_BURSTS || s->dug == DEEP_MOST)
		return false;
	s->dug++;
	return true;
}

/* deep__walk: makes the payload of the first record of such a segment. */
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

/* deep__begin: begins to tell all of a segment. Returns how many bytes the payload
 * holds then; none if they cannot be read.
 */
static __always_inline __u64 deep__begin(struct requests_scratch *b,
					 const struct requests_memory *m)
{
	b->walk.from = *m;
	b->record.tail_len = 0;
	*(__u64 *)b->record.tail = 0;
	return deep__walk(b->slot);
}

#endif
