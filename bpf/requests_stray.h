/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: what it does not follow. */
#ifndef SIGHTGLASS_REQUESTS_STRAY_H
#define SIGHTGLASS_REQUESTS_STRAY_H

#include "lib/extract_task.h"
#include "requests.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
struct tcp_sock {
	__u64 bytes_acked;
	__u8 is_mptcp; /* a path of a connection over several */
	__u8 reserved[7]; /* not the kernel's */
};
#pragma clang attribute pop

/* Ways to move bytes that are not followed. */
enum requests_way {
	WAY_URING = 1, /* io_uring */
	WAY_COMPAT = 2, /* calls of the 32-bit convention */
};

/* A process that uses such ways. */
struct requests_stray {
	__u64 start; /* of the process, ns since boot */
	__u32 ways; /* bits of enum requests_way */
	__u32 reserved;
};

/* By thread group; internal/bpf reads it. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct requests_stray);
} requests_strays SEC(".maps");

/* The beginning and the end of a connection take a sequence number each. */
#define TCP_SEQUENCE_ENDS 2

/* requests__is_unseen: whether a connection that ends has sent bytes, none of
 * them by a call that is followed.
 */
static __always_inline bool requests__is_unseen(const struct requests_socket *s, __u64 sk)
{
	if (s->moved[REQUESTS_SEND] || s->flags & (REQUESTS_MIDWAY | REQUESTS_BORING))
		return false;
	if (bpf_core_field_exists(struct tcp_sock, is_mptcp) && kread(tcp_sock, sk, is_mptcp))
		return false;
	return kread(tcp_sock, sk, bytes_acked) > TCP_SEQUENCE_ENDS;
}

/* requests__stray: notes that the current process moves bytes in a way that is
 * not followed.
 */
static __always_inline void requests__stray(enum requests_way way)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct requests_stray *known = bpf_map_lookup_elem(&requests_strays, &tgid);
	struct requests_stray fresh = {};

	fresh.start = extract__start(base__task());
	if (known && known->start == fresh.start) {
		known->ways |= way;
		return;
	}
	fresh.ways = way;
	bpf_map_update_elem(&requests_strays, &tgid, &fresh, BPF_ANY);
}

#endif
