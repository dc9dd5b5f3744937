/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Latency histograms of all calls by control group, aggregated in the kernel.
 * Off by default (cfg_latency): pairing every call costs over 100 ns.
 */
#ifndef SIGHTGLASS_LATENCY_H
#define SIGHTGLASS_LATENCY_H

#include "extract_call.h"
#include "extract_task.h"

#define LATENCY_BUCKETS 40 /* bucket n counts 2^n <= ns < 2^(n+1) */

struct latency_key {
	__u64 cgroup_id;
	__u32 hierarchy;
	__u32 nr; /* native and x32 numbers; 32-bit calls have bit 31 */
};

struct latency_value {
	__u64 sum; /* ns */
	__u64 buckets[LATENCY_BUCKETS];
};

/* When a thread's call began. Two threads whose ids have the same remainder
 * share a slot: the earlier one's sample is lost then.
 */
struct latency_begin {
	__u64 time; /* ns, monotonic */
	__u32 tid;
	__u32 nr;
};

#define LATENCY_SLOTS 16384 /* a power of two */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct latency_key);
	__type(value, struct latency_value);
} latency SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LATENCY_SLOTS);
	__type(key, __u32);
	__type(value, struct latency_begin);
} latency_slots SEC(".maps");

/* What a key's first call is counted into. */
static const struct latency_value latency_zero = {};

static __always_inline struct latency_begin *latency__slot(__u32 tid)
{
	__u32 n = tid & (LATENCY_SLOTS - 1);

	return bpf_map_lookup_elem(&latency_slots, &n);
}

static __always_inline void latency__begin(__u64 nr)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct latency_begin *slot = latency__slot(tid);

	if (!slot)
		return;
	slot->tid = tid;
	slot->nr = (__u32)nr;
	slot->time = bpf_ktime_get_ns();
}

/* latency__bucket: the position of the highest bit, below LATENCY_BUCKETS. */
static __always_inline __u32 latency__bucket(__u64 ns)
{
	__u32 n = 0;

	for (__u32 shift = 32; shift; shift >>= 1) {
		if (ns >> shift) {
			ns >>= shift;
			n += shift;
		}
	}
	return n < LATENCY_BUCKETS ? n : LATENCY_BUCKETS - 1;
}

static __always_inline void latency__count(__u64 task, __u32 nr, __u64 ns)
{
	struct latency_key key = {};
	struct latency_value *value;
	struct event_task t;
	__u32 bucket = latency__bucket(ns);

	extract__cgroup(task, &t);
	key.cgroup_id = t.cgroup_id;
	key.hierarchy = t.cgroup_hierarchy;
	key.nr = nr | (extract__is_compat(base__current()) ? 1U << 31 : 0);
	value = bpf_map_lookup_elem(&latency, &key);
	if (!value) {
		bpf_map_update_elem(&latency, &key, &latency_zero, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&latency, &key);
		if (!value)
			return;
	}
	value->sum += ns;
	pin(bucket);
	if (bucket < LATENCY_BUCKETS)
		value->buckets[bucket]++;
}

static __always_inline void latency__end(__u64 task, __u32 nr)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct latency_begin *slot = latency__slot(tid);

	if (!slot || slot->tid != tid || slot->nr != nr)
		return;
	slot->tid = 0;
	latency__count(task, nr, bpf_ktime_get_ns() - slot->time);
}

#endif
