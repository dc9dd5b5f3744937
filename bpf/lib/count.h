/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: counters, and whether the agent itself acts. */
#ifndef SIGHTGLASS_COUNT_H
#define SIGHTGLASS_COUNT_H

#include "maps.h"

/* The adds are atomic although the map is per CPU: programs in softirq context
 * interrupt those in process context, and newer kernels preempt them.
 */
static __always_inline struct counters *base__counters(__u32 class)
{
	return bpf_map_lookup_elem(&counters, &class);
}

/* base__count_left_out: a record that was not even made. */
static __always_inline void base__count_left_out(__u32 class, enum filter_reason reason)
{
	struct counters *c = base__counters(class);

	if (!c)
		return;
	__sync_fetch_and_add(&c->produced, 1);
	__sync_fetch_and_add(&c->filtered[reason], 1);
}

/* base__count_lost: a record that was made and never came to the ring. */
static __always_inline void base__count_lost(__u32 class, enum loss_reason reason)
{
	struct counters *c = base__counters(class);

	if (!c)
		return;
	__sync_fetch_and_add(&c->produced, 1);
	__sync_fetch_and_add(&c->lost[reason], 1);
}

/* base__count_shed: a record that was not even made, for want of room. */
static __always_inline void base__count_shed(__u32 class)
{
	struct counters *c = base__counters(class);

	if (!c)
		return;
	__sync_fetch_and_add(&c->produced, 1);
	__sync_fetch_and_add(&c->lost[LOSS_OVERLOAD], 1);
}

static __always_inline void base__count_late(__u32 class)
{
	struct counters *c = base__counters(class);

	if (c)
		__sync_fetch_and_add(&c->late, 1);
}

/* base__is_self: whether a thread group is one of the agent's. */
static __always_inline bool base__is_self(__u32 tgid)
{
	__u32 zero = 0;
	struct settings *s = bpf_map_lookup_elem(&settings, &zero);

	if (!s || !tgid)
		return false;
	return tgid == s->self_tgid[0] || tgid == s->self_tgid[1] || tgid == s->self_tgid[2] ||
	       tgid == s->self_tgid[3];
}

#endif
