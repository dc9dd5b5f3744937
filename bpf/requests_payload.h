/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: the caller's memory, be it one buffer or a list of them. */
#ifndef SIGHTGLASS_REQUESTS_PAYLOAD_H
#define SIGHTGLASS_REQUESTS_PAYLOAD_H

#include "requests_scratch.h"

#define REQUESTS_WALK 8 /* times REQUESTS_PARTS: parts of a vector that are looked at */
#define REQUESTS_OVER (1ULL << 32) /* beside a number of bytes */

/* Layout of struct msghdr on 64-bit machines. */
struct requests_msghdr {
	__u64 name;
	__u64 namelen;
	__u64 iov;
	__u64 iovlen;
};

/* requests__memory: describes the bytes that a call has moved; false when the
 * kernel moved them itself or they cannot be found.
 */
static __always_inline bool requests__memory(struct requests_memory *m, __u8 call,
					     const __u64 *args)
{
	struct requests_msghdr msg;

	m->base = args[1];
	m->count = 0;
	switch (call & IO_KIND) {
	case IO_BUFFER:
		return true;
	case IO_VECTOR:
		m->count = args[2];
		return m->count;
	case IO_MESSAGE:
		if (bpf_probe_read_user(&msg, sizeof(msg), (void *)m->base))
			return false;
		m->base = msg.iov;
		m->count = msg.iovlen;
		return m->count;
	default:
		return false;
	}
}

/* requests__copy_part: appends at most want bytes of a part to the payload, of
 * which done are there. Returns how many it got.
 */
static __always_inline __u64 requests__copy_part(__u8 *payload, __u64 done, __u64 base, __u64 want)
{
	if (done >= REQUESTS_PAYLOAD)
		return 0;
	if (want > REQUESTS_PAYLOAD)
		want = REQUESTS_PAYLOAD;
	pin(want);
	pin(done);
	if (bpf_probe_read_user(&payload[done & (REQUESTS_PAYLOAD - 1)],
				want & (2 * REQUESTS_PAYLOAD - 1), (void *)base))
		return 0;
	return want;
}

/* requests__parts: reads up to REQUESTS_PARTS parts. Returns how many. */
static __always_inline __u64 requests__parts(struct requests_part *parts, __u64 vector, __u64 count)
{
	__u64 size = count * sizeof(*parts);

	if (count > REQUESTS_PARTS)
		size = REQUESTS_PARTS * sizeof(*parts);
	pin(size);
	if (size > REQUESTS_PARTS * sizeof(*parts))
		return 0;
	if (bpf_probe_read_user(parts, size, (void *)vector))
		return 0;
	return size / sizeof(*parts);
}

/* The functions below are not inlined and not static: the verifier checks them
 * once, for any arguments, instead of again for every way that leads there.
 */

/* requests__copy_parts: goes on copying the first want bytes of a list of buffers
 * into the payload of the record that is being made, which has done of them.
 * Returns how many it has then, with REQUESTS_OVER if no more will come.
 */
__noinline __u64 requests__copy_parts(__u64 vector, __u64 count, __u64 want, __u64 done)
{
	struct requests_part *parts;
	struct requests_scratch *s;
	__u32 zero = 0;
	__u64 i, n;

	s = bpf_map_lookup_elem(&requests_scratch, &zero);
	if (!s)
		return done | REQUESTS_OVER;
	parts = s->parts;
	count = requests__parts(parts, vector, count);
	for (i = 0; i < REQUESTS_PARTS; i++) {
		/* Of what was in memory the verifier knows nothing: it follows one turn. */
		*(volatile __u64 *)&s->copied = done;
		done = *(volatile __u64 *)&s->copied;
		if (done >= want || i >= count)
			return done | REQUESTS_OVER;
		n = parts[i].len < want - done ? parts[i].len : want - done;
		if (n && requests__copy_part(s->payload, done, parts[i].base, n) != n)
			return done | REQUESTS_OVER;
		done += n;
	}
	return done;
}

/* requests__copy_vector: copies the first want bytes of a list of buffers. Returns
 * how many it got.
 */
__noinline __u64 requests__copy_vector(__u64 vector, __u64 count, __u64 want)
{
	__u64 done = 0;

	for (__u32 k = 0; k < REQUESTS_WALK; k++) {
		done = requests__copy_parts(vector, count, want, done);
		if (done & REQUESTS_OVER || count <= REQUESTS_PARTS)
			break;
		vector += REQUESTS_PARTS * sizeof(struct requests_part);
		count -= REQUESTS_PARTS;
	}
	return done & ~REQUESTS_OVER;
}

/* requests__last: the last bytes of a buffer as a number whose highest byte is
 * the last one; *n of its bytes are valid, the others zero.
 */
static __always_inline __u64 requests__last(__u64 base, __u64 len, __u64 *n)
{
	__u64 word = 0, size = len < REQUESTS_TAIL ? len : REQUESTS_TAIL;

	*n = 0;
	if (!size)
		return 0;
	pin(size);
	if (bpf_probe_read_user(&word, size & 15, (void *)(base + len - size)))
		return 0;
	*n = size;
	return word << (64 - 8 * size);
}

/* requests__last_of: the same for two buffers that follow each other. */
static __always_inline __u64 requests__last_of(const struct requests_part *before, __u64 base,
					       __u64 len, __u64 *n)
{
	__u64 word = requests__last(base, len, n), more, m;

	if (*n == REQUESTS_TAIL || *n < len || !before->len)
		return word;
	more = requests__last(before->base, before->len, &m);
	word |= more >> (8 * *n);
	*n = *n + m > REQUESTS_TAIL ? REQUESTS_TAIL : *n + m;
	return word;
}

/* requests__last_parts: the same for a list of buffers of which the call used
 * total bytes. The number of bytes is left in the record that is being made.
 */
__noinline __u64 requests__last_parts(__u64 vector, __u64 count, __u64 total)
{
	struct requests_part *parts, before = {};
	struct requests_scratch *s;
	__u64 left = total, word = 0, i, k, n = 0, have;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&requests_scratch, &zero);
	if (!s)
		return 0;
	parts = s->parts;
	for (k = 0; k < REQUESTS_WALK; k++) {
		have = requests__parts(parts, vector, count);
		for (i = 0; i < REQUESTS_PARTS; i++) {
			if (i >= have)
				return 0;
			if (parts[i].len >= left)
				goto found;
			left -= parts[i].len;
			before = parts[i];
		}
		vector += sizeof(s->parts);
		count -= have;
	}
	return 0;
found:
	word = requests__last_of(&before, parts[i].base, left, &n);
	s->record.tail_len = n;
	return word;
}

/* requests__tail: writes the last bytes of the call into the record. */
static __always_inline void requests__tail(struct requests_scratch *s,
					   const struct requests_memory *m)
{
	__u64 word, n;

	if (m->count) {
		word = requests__last_parts(m->base, m->count, m->total);
		n = s->record.tail_len;
	} else {
		word = requests__last(m->base, m->total, &n);
		s->record.tail_len = n;
	}
	if (n && n < REQUESTS_TAIL)
		word >>= 64 - 8 * n;
	*(__u64 *)s->record.tail = word;
}

/* requests__rear: has a payload that is full end with the last bytes of the
 * segment. Returns how many bytes it holds.
 */
static __always_inline __u64 requests__rear(struct requests_scratch *s,
					    const struct requests_memory *m)
{
	if (bpf_probe_read_user(&s->payload[REQUESTS_PAYLOAD - REQUESTS_REAR], REQUESTS_REAR,
				(void *)(m->base + m->total - REQUESTS_REAR)))
		return REQUESTS_PAYLOAD - REQUESTS_REAR;
	s->record.tail_len = REQUESTS_REAR;
	return REQUESTS_PAYLOAD;
}

/* requests__copy: the first want bytes of the call. Returns how many it got. */
static __always_inline __u64 requests__copy(struct requests_scratch *s,
					    const struct requests_memory *m, __u64 want)
{
	if (want > m->total)
		want = m->total;
	if (m->count)
		return requests__copy_vector(m->base, m->count, want);
	return requests__copy_part(s->payload, 0, m->base, want);
}

#endif
