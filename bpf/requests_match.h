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

#define REQUESTS_HEED 16 /* a verdict is looked for at every n-th record; a power of two */
#define REQUESTS_LOOK 16 /* bytes that signatures look at */
#define REQUESTS_SHORT 16 /* bytes; nothing shorter holds the head of a message */

/* requests__there: a mask of the first len bytes of a word. */
static __always_inline __u64 requests__there(__s64 len)
{
	if (len <= 0)
		return 0;
	return len >= 8 ? ~0ULL : (1ULL << (len * 8)) - 1;
}

/* requests__match: the number, from 1, of the signature in a list that the first
 * len bytes match, which are in word and next, 0 for none; of the class in the
 * upper half of list or one that supersedes it, or of any that is not refused.
 * Bytes that are not there match anything: a message may come in small parts. Not
 * inlined: verified once; without branches in the loop, each of which would have
 * the verifier follow every turn of it several times.
 */
__noinline __u32 requests__match(__u64 word, __u64 next, __u64 len, __u32 list, __u32 refused)
{
	__u64 there = requests__there(len), there_next = requests__there(len - 8);
	__u32 first, count, class = list >> 16, known = class + 0xffff;

	known = 0U - (known >> 16); /* all bits, or none without a class */
	pin(known);
	list &= 0xffff;
	if (list > REQUESTS_DATAGRAMS)
		return 0;
	first = cfg_lists[list].first;
	count = cfg_lists[list].count;
	refused &= ~known;
	for (__u32 i = 0; i < REQUESTS_SIGNATURES; i++) {
		const volatile struct requests_signature *s;
		__u64 differs;
		__u32 n, other;

		if (i >= count)
			break;
		n = cfg_order[(first + i) & (REQUESTS_ORDER - 1)];
		s = &cfg_signatures[n & (REQUESTS_SIGNATURES - 1)];
		/* a flag of one bit turns into a mask: none of the class if it supersedes */
		other = (s->flags & SIGNATURE_SUPERSEDES) / SIGNATURE_SUPERSEDES;
		pin(other);
		differs = (s->class ^ class) & known & (other - 1U);
		differs |= refused >> (s->class & (REQUESTS_CLASSES - 1)) & 1;
		differs |= ((word & s->mask) ^ s->value) & there;
		differs |= ((next & s->mask_next) ^ s->value_next) & there_next;
		if (!differs)
			return n + 1;
	}
	return 0;
}

/* requests__match_socket: the number of the signature that the first len bytes
 * of a segment match, 0 for none.
 */
static __always_inline __u32 requests__match_socket(const struct requests_socket *s,
						    const __u8 *bytes, __u64 len)
{
	if (!cfg_lists[bytes[0]].count)
		return 0;
	return requests__match(*(__u64 *)bytes, *(__u64 *)&bytes[8], len,
			       bytes[0] | (__u32)s->end.class << 16, s->refused);
}

static __always_inline const volatile struct requests_signature *requests__signature(__u32 n)
{
	if (!n)
		return 0;
	n--;
	pin(n);
	return &cfg_signatures[n & (REQUESTS_SIGNATURES - 1)];
}

static __always_inline const volatile struct requests_class *requests__class(__u64 class)
{
	pin(class);
	return &cfg_classes[class & (REQUESTS_CLASSES - 1)];
}

/* What user space found out about a socket. */
struct requests_verdict {
	__u32 refused; /* bit n: it is not class n */
	__u8 class; /* what it is instead; 0: unknown */
	__u8 bursts; /* its messages come in bursts */
	__u16 reserved;
};

/* By requests_socket.id; written by user space, removed when it is heeded. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct requests_verdict);
} requests_verdicts SEC(".maps");

/* requests__heed: does what user space found out about a socket. Messages of which a
 * part was copied as those of another class go on as long as their own are.
 */
__noinline int requests__heed(__u64 sk)
{
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &sk);
	struct requests_verdict *v;
	__u64 id;

	if (!s)
		return 0;
	id = s->id;
	v = bpf_map_lookup_elem(&requests_verdicts, &id);
	if (!v)
		return 0;
	if (v->bursts) {
		s->wide = WIDE_BURSTS;
		s->dug = 0;
		if (s->end.class == v->class && s->refused == v->refused)
			goto heeded;
	}
	s->refused = v->refused;
	s->end.class = v->class & (REQUESTS_CLASSES - 1);
	s->misses = 0;
	s->tries = 0;
	if (!v->bursts)
		s->wide = WIDE_NOT;
	s->budget[REQUESTS_RECEIVE] = s->budget[REQUESTS_SEND] =
		requests__class(s->end.class)->bound;
	if (!s->end.class && s->refused == ~0U)
		s->flags |= REQUESTS_BORING;
	requests__count(corrected);
heeded:
	bpf_map_delete_elem(&requests_verdicts, &id);
	return 0;
}

/* requests__look: looks at a segment of total bytes, of which the first len are
 * at hand, and classifies the socket by them, if it is not yet. Returns the
 * signature of the message that begins here, or whose beginning was too short to
 * say more about it. A turn that begins no message may be the rest of one, but
 * not for ever. Where every segment counts, none is looked at any more.
 */
static __always_inline const volatile struct requests_signature *
requests__look(struct requests_socket *s, const __u8 *bytes, __u64 len, __u64 total, bool turn)
{
	__u32 begun = s->begun, n;

	if (requests__class(s->end.class)->every)
		return 0;
	n = requests__match_socket(s, bytes, len);
	s->begun = total < REQUESTS_SHORT ? n : 0;
	if (!n && !s->end.class)
		s->tries++;
	if (!n && !turn)
		return requests__signature(begun);
	if (n) {
		const volatile struct requests_signature *sig = requests__signature(n);

		if (s->end.class != sig->class) {
			s->end.class = sig->class;
			requests__count(classified);
		}
		s->misses = 0;
		return sig;
	}
	if (++s->misses >= REQUESTS_MISSES) {
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
	const volatile struct requests_class *class = requests__class(s->end.class);

	if (!s->end.class)
		return REQUESTS_LOOK;
	if (s->wide && !class->every && (fresh || len <= cfg_payload_max))
		return cfg_payload_max;
	return fresh || class->every ? class->bound : REQUESTS_LOOK;
}

/* requests__bound: how many of len bytes to copy, by the budget of the message
 * that they belong to.
 */
static __always_inline __u64 requests__bound(const struct requests_socket *s, __u16 *budget,
					     __u64 len,
					     const volatile struct requests_signature *sig,
					     bool turn)
{
	const volatile struct requests_class *class = requests__class(s->end.class);
	__u64 n = *budget;

	if (class->every)
		return class->bound < len ? class->bound : len;
	if (s->wide && (sig || turn || len <= cfg_payload_max))
		n = cfg_payload_max;
	else if (sig)
		n = sig->bound;
	else if (turn)
		n = class->bound;
	if (n > len) {
		*budget = n - len;
		return len;
	}
	*budget = 0;
	return n;
}

#endif
