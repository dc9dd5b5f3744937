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

/* requests__is_crowded: whether three quarters of the ring are in use, or were
 * when this CPU looked last. Looking costs two cache lines that reader and other
 * CPUs write, so it is done seldom while there is room.
 */
static __always_inline bool requests__is_crowded(struct requests_scratch *b)
{
	if (!b->crowded && ++b->begun & (SHED_LOOK - 1))
		return false;
	b->crowded = bpf_ringbuf_query(&ring_requests, BPF_RB_AVAIL_DATA) >
		     bpf_ringbuf_query(&ring_requests, BPF_RB_RING_SIZE) / 4 * 3;
	return b->crowded;
}

/* requests__sheds: whether a call belongs to an exchange that is left out; then
 * its record is counted as lost. begins: a message begins here, after one of the
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
