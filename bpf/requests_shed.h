/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: what is left out when the reader cannot keep up.
 *
 * A full ring takes a record here and there, and nearly every exchange has lost
 * one of its own. So when it fills up, exchanges are left out whole: those that
 * begin then. The rest of the ring is for the ends of the others.
 */
#ifndef SIGHTGLASS_REQUESTS_SHED_H
#define SIGHTGLASS_REQUESTS_SHED_H

#include "lib/count.h"
#include "requests_match.h"
#include "requests_scratch.h"

/* How often a CPU looks whether the ring fills up: at every n-th exchange that
 * begins, a power of two. What the others take is little beside what is left then.
 */
#define SHED_LOOK 8

/* How long, in ns, what was seen holds, for all CPUs: the two ends of an exchange
 * decide alike, unless it is on its way when that begins or ends.
 */
#define SHED_HOLD (4 * 1000 * 1000)

/* Until when exchanges that begin are left out, ns since boot; 0: none are. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} requests_shed_until SEC(".maps");

/* requests__is_crowded: whether three quarters of the ring are in use, or were
 * lately. Looking costs two cache lines that reader and other CPUs write, so it is
 * done seldom while there is room, and at once when the time is over.
 */
static __always_inline bool requests__is_crowded(struct requests_scratch *b)
{
	__u64 now = b->record.header.time, *until;
	__u32 zero = 0;

	until = bpf_map_lookup_elem(&requests_shed_until, &zero);
	if (!until)
		return false;
	if (now < *until)
		return true;
	if (!*until && ++b->begun & (SHED_LOOK - 1))
		return false;
	if (bpf_ringbuf_query(&ring_requests, BPF_RB_AVAIL_DATA) >
	    bpf_ringbuf_query(&ring_requests, BPF_RB_RING_SIZE) / 4 * 3) {
		*until = now + SHED_HOLD;
		return true;
	}
	if (*until)
		*until = 0;
	return false;
}

/* requests__sheds: whether a call belongs to an exchange that is left out; then
 * its record is counted as lost. begins: a message may begin here, after one of the
 * other side. The first record that is told again says that others were not.
 */
static __always_inline bool requests__sheds(struct requests_socket *s, struct requests_scratch *b,
					    bool sends, bool begins)
{
	bool asks = s->end.role == (sends ? ROLE_CLIENT : ROLE_SERVER);

	if (begins && asks && requests__class(s->end.class)->apart) {
		if (requests__is_crowded(b)) {
			s->sheds = 1;
		} else if (s->sheds) {
			s->sheds = 0;
			b->record.skipped = 1;
		}
	}
	if (!s->sheds)
		return false;
	base__count_shed(CLASS_REQUESTS);
	return true;
}

#endif
