/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The wire: what the kernel programs write into the ring buffers and
 * internal/event decodes. Everything is in the byte order of the machine,
 * every struct is a multiple of 8 bytes without holes.
 *
 *	record = event_header body
 *	body of the security ring = event_task payload extra*
 */
#ifndef SIGHTGLASS_EVENT_H
#define SIGHTGLASS_EVENT_H

enum event_type {
	EVENT_SYSCALL = 1,
	EVENT_EXEC = 2,
	EVENT_FORK = 3,
	EVENT_EXIT = 4,
	EVENT_CGROUP_MKDIR = 5,
	EVENT_CGROUP_RMDIR = 6,
	EVENT_PROCESS = 7,
	EVENT_DATA = 64,
	EVENT_SOCKET_CLOSE = 65,
};

/* Bits of event_header.flags. */
enum event_flag {
	EVENT_FLAG_SELF = 1,
	EVENT_FLAG_TRUNCATED = 2,
	EVENT_FLAG_LATE = 4,
	EVENT_FLAG_NO_ENTER = 8,
};

struct event_header {
	__u16 type; /* enum event_type */
	__u16 flags; /* enum event_flag */
	__u32 len; /* of the record, this header included */
	__u64 time; /* CLOCK_BOOTTIME, ns */
	__u64 start; /* of the thread group's leader, ns since boot */
	__u32 tgid;
	__u32 tid;
};

#endif
