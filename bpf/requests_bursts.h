/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: segments that hold more than one message, or longer ones than
 * is usual.
 */
#ifndef SIGHTGLASS_REQUESTS_BURSTS_H
#define SIGHTGLASS_REQUESTS_BURSTS_H

#include "requests_scratch.h"

/* How far into a segment, and in how many segments of a socket, further messages
 * are sought.
 */
#define REQUESTS_SEARCH 512
#define REQUESTS_SEARCHES 3

/* requests__find_end: whether the end of a head stands in the first len bytes of
 * the payload that is being made in a scratch buffer, and something behind it. Four
 * bytes at a time: only a word with the first byte of the end in it is looked at
 * closely.
 */
__noinline int requests__find_end(__u32 end, __u32 len, __u32 slot)
{
	const __u64 ones = 0x0101010101010101ULL;
	__u64 first = (end & 0xff) * ones, word, gone;
	struct requests_scratch *s = bpf_map_lookup_elem(&requests_scratch, &slot);
	const __u8 *at;

	if (!s)
		return 0;
	for (__u32 i = 0; i < REQUESTS_SEARCH; i += 4) {
		if (i + 4 >= len)
			break;
		at = &s->payload[i]; /* or the compiler would take byte by byte */
		word = *(const __u64 *)at;
		gone = word ^ first;
		if (!((gone - ones) & ~gone & (ones << 7)))
			continue;
		if ((__u32)word == end)
			return 1;
		for (int k = 1; k < 4; k++) {
			word >>= 8;
			if ((__u32)word == end)
				return i + k + 4 < len;
		}
	}
	return 0;
}

/* requests__widens: whether the bytes of a message of which got were copied, all
 * or not, show that this socket's messages come in bursts, or have heads beyond
 * the bound. Who sends bursts does so from the beginning: only the first segments
 * of a socket are searched for them.
 */
static __always_inline enum requests_width
requests__widens(struct requests_socket *s, const volatile struct requests_signature *sig,
		 const struct requests_scratch *b, __u64 got, bool all)
{
	const struct requests_record *r = &b->record;

	if (s->wide || !sig->end)
		return WIDE_NOT;
	if (all && s->searched >= REQUESTS_SEARCHES)
		return WIDE_NOT;
	if (all)
		s->searched++;
	if (requests__find_end(sig->end, got, b->slot)) {
		if (sig->flags & SIGNATURE_BODILESS)
			return WIDE_BURSTS;
		return all || (sig->flags & SIGNATURE_BARE && r->tail_len == REQUESTS_TAIL &&
			       *(const __u64 *)r->tail >> 32 == sig->end)
			       ? WIDE_HEADS
			       : WIDE_NOT;
	}
	return all ? WIDE_NOT : WIDE_HEADS;
}

#endif
