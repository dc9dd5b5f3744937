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
	__u64 count;
	__u64 sum; /* ns */
	__u64 buckets[LATENCY_BUCKETS];
};

struct latency_begin {
	__u64 time; /* ns, monotonic */
	__u32 nr;
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct latency_key);
	__type(value, struct latency_value);
} latency SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct latency_begin);
} latency_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct latency_begin);
} latency_thread SEC(".maps");

/* What a key's first call is counted into. */
static const struct latency_value latency_zero = {};

static __always_inline void latency__begin(__u64 nr)
{
	struct latency_begin begin = { .time = bpf_ktime_get_ns(), .nr = (__u32)nr }, *slot;
	__u32 tid;

	if (cfg_task_storage) {
		slot = bpf_task_storage_get(&latency_task, (void *)bpf_get_current_task_btf(), 0,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
		if (slot)
			*slot = begin;
		return;
	}
	tid = (__u32)bpf_get_current_pid_tgid();
	bpf_map_update_elem(&latency_thread, &tid, &begin, BPF_ANY);
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
	key.nr = nr | (extract__is_compat(task) ? 1U << 31 : 0);
	value = bpf_map_lookup_elem(&latency, &key);
	if (!value) {
		bpf_map_update_elem(&latency, &key, &latency_zero, BPF_NOEXIST);
		value = bpf_map_lookup_elem(&latency, &key);
		if (!value)
			return;
	}
	value->count++;
	value->sum += ns;
	pin(bucket);
	if (bucket < LATENCY_BUCKETS)
		value->buckets[bucket]++;
}

static __always_inline void latency__end(__u64 task, __u32 nr)
{
	struct latency_begin *slot;
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	if (cfg_task_storage)
		slot = bpf_task_storage_get(&latency_task, (void *)bpf_get_current_task_btf(), 0, 0);
	else
		slot = bpf_map_lookup_elem(&latency_thread, &tid);
	if (!slot || !slot->time || slot->nr != nr)
		return;
	latency__count(task, nr, bpf_ktime_get_ns() - slot->time);
	slot->time = 0;
}

#endif
