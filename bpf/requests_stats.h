/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: what is counted of it. */
#ifndef SIGHTGLASS_REQUESTS_STATS_H
#define SIGHTGLASS_REQUESTS_STATS_H

#include "lib/base.h"

/* What happened to sockets, by CPU; internal/bpf reads it as statistics. */
struct requests_stats {
	__u64 opened; /* sockets that got a state */
	__u64 midway; /* of these: nobody saw the connection being made */
	__u64 classified; /* sockets whose bytes matched a signature */
	__u64 boring; /* sockets that were given up */
	__u64 closed; /* sockets whose end was seen */
	__u64 full; /* sockets without a state, because the table refused */
	__u64 no_enter; /* sends whose beginning was not seen */
	__u64 unreadable; /* payloads that could not be read */
	__u64 corrected; /* sockets of which user space knew better */
	__u64 excess; /* messages of one call beyond those that are followed */
	__u64 unseen; /* sockets that have sent, but by no call that is followed */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct requests_stats);
} requests_stats SEC(".maps");

#define requests__count(member)                                                             \
	({                                                                                  \
		__u32 __zero = 0;                                                           \
		struct requests_stats *__s = bpf_map_lookup_elem(&requests_stats, &__zero); \
                                                                                            \
		if (__s)                                                                    \
			__sync_fetch_and_add(&__s->member, 1);                              \
	})

#endif
