/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: which protocol bytes belong to, and how many of them are
 * worth copying.
 */
#ifndef SIGHTGLASS_REQUESTS_MATCH_H
#define SIGHTGLASS_REQUESTS_MATCH_H

#include "requests.h"

/* A socket is given up after so many turns of the conversation in which no
 * message began, */
#define REQUESTS_MISSES 8
/* and before it is classified, so many segments are looked at wherever they
 * stand; later only those that begin a turn.
 */
#define REQUESTS_TRIES 8

/* How far into a segment, and in how many segments of a socket, further messages
 * are sought.
 */
#define REQUESTS_SEARCH 512
#define REQUESTS_SEARCHES 3

/* requests__match_number: the number, from 1, of the signature that the first
 * len bytes match, 0 for none. Bytes that are not there match anything: a
 * message may come in small parts. Not inlined: verified once.
 */
__noinline __u32 requests__match_number(__u64 word, __u64 len, __u32 class)
{
	__u64 there = len >= 8 ? ~0ULL : (1ULL << (len * 8)) - 1;

	for (__u32 i = 0; i < REQUESTS_SIGNATURES; i++) {
		const volatile struct requests_signature *s = &cfg_signatures[i];

		if (i >= cfg_signature_count)
			break;
		if (class && s->class != class)
			continue;
		if (!(((word & s->mask) ^ s->value) & there))
			return i + 1;
	}
	return 0;
}

/* requests__match: the signature that the first len bytes match, NULL for none. */
static __always_inline const volatile struct requests_signature *
requests__match(__u64 word, __u64 len, __u8 class)
{
	__u32 n;

	if (!cfg_signature_first[word & 0xff])
		return 0;
	n = requests__match_number(word, len, class);
	if (!n)
		return 0;
	n--;
	pin(n);
	return &cfg_signatures[n & (REQUESTS_SIGNATURES - 1)];
}

/* requests__look: looks at the first len bytes of a segment and classifies the
 * socket by them, if it is not yet. Returns the signature that they match. A
 * turn that begins no message may be the rest of one, but not for ever.
 */
static __always_inline const volatile struct requests_signature *
requests__look(struct requests_socket *s, __u64 word, __u64 len, bool turn)
{
	const volatile struct requests_signature *sig = requests__match(word, len, s->end.class);

	if (sig) {
		if (!s->end.class) {
			s->end.class = sig->class;
			requests__count(classified);
		}
		s->misses = 0;
		return sig;
	}
	if (!s->end.class)
		s->tries++;
	if (turn && ++s->misses >= REQUESTS_MISSES) {
		s->flags |= REQUESTS_BORING;
		requests__count(boring);
	}
	return 0;
}

/* requests__guess: how many bytes to copy before it is known what they are: all
 * that a message may be worth where one is likely to begin or go on (fresh),
 * else enough to see whether one does.
 */
static __always_inline __u64 requests__guess(const struct requests_socket *s, __u64 len, bool fresh)
{
	if (!s->end.class)
		return sizeof(__u64);
	if (s->wide && (fresh || len <= REQUESTS_PAYLOAD))
		return REQUESTS_PAYLOAD;
	return fresh ? cfg_class_bound[s->end.class & (REQUESTS_CLASSES - 1)] : sizeof(__u64);
}

/* requests__bound: how many of len bytes to copy, by the budget of the message
 * that they belong to.
 */
static __always_inline __u64 requests__bound(const struct requests_socket *s, __u16 *budget,
					     __u64 len,
					     const volatile struct requests_signature *sig,
					     bool turn)
{
	__u64 n = *budget;

	if (s->wide && (sig || turn || len <= REQUESTS_PAYLOAD))
		n = REQUESTS_PAYLOAD;
	else if (sig)
		n = sig->bound;
	else if (turn)
		n = cfg_class_bound[s->end.class & (REQUESTS_CLASSES - 1)];
	if (n > len) {
		*budget = n - len;
		return len;
	}
	*budget = 0;
	return n;
}

/* requests__find_end: whether the end of a message stands in the first len bytes
 * of the payload that is being made, before their end.
 */
__noinline int requests__find_end(__u32 end, __u32 len)
{
	__u32 zero = 0;
	struct requests_scratch *s = bpf_map_lookup_elem(&requests_scratch, &zero);

	if (!s)
		return 0;
	for (__u32 i = 0; i < REQUESTS_SEARCH; i++) {
		if (i + sizeof(end) >= len)
			break;
		if (*(__u32 *)&s->payload[i] == end)
			return 1;
	}
	return 0;
}

/* requests__is_burst: whether a segment of len bytes that begins with a message
 * holds further ones. A client that sends messages in bursts does so from the
 * beginning: only the first segments of a socket are searched.
 */
static __always_inline bool requests__is_burst(struct requests_socket *s,
					       const volatile struct requests_signature *sig,
					       __u64 len)
{
	if (s->wide || s->searched >= REQUESTS_SEARCHES || sig->whole_len != sizeof(sig->whole))
		return false;
	s->searched++;
	return requests__find_end(sig->whole, len);
}

/* requests__is_whole: whether a segment is to be copied whole, by its tail. */
static __always_inline bool requests__is_whole(const volatile struct requests_signature *sig,
					       const struct requests_record *r)
{
	__u32 len = sig->whole_len, last = *(const __u64 *)r->tail >> 32;

	if (!len || r->tail_len < REQUESTS_TAIL)
		return false;
	return len >= 4 ? last == sig->whole : last >> (32 - 8 * len) == sig->whole;
}

#endif
