/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* ARG_MESSAGE, ARG_MESSAGE_OUT, ARG_MESSAGES_OUT: struct msghdr, of which the address and the
 * beginning of the first buffer are copied. An array of struct mmsghdr begins
 * with the first message's msghdr.
 */
#ifndef SIGHTGLASS_ARG_MESSAGE_H
#define SIGHTGLASS_ARG_MESSAGE_H

#include "bytes.h"
#include "sockaddr.h"

/* struct msghdr and struct iovec of a 64-bit caller. */
struct message {
	__u64 name;
	__u32 name_len;
	__u32 unused;
	__u64 vector;
	__u64 count;
};

#define MESSAGE_SIZE 56 /* where msg_len of a struct mmsghdr stands */
#define MESSAGE32_SIZE 28

struct message_buffer {
	__u64 base;
	__u64 len;
};

/* The same of a 32-bit caller. */
struct message32 {
	__u32 name;
	__u32 name_len;
	__u32 vector;
	__u32 count;
};

struct message_buffer32 {
	__u32 base;
	__u32 len;
};

static __always_inline long arg__message(struct message *m, struct message_buffer *b, __u64 ptr)
{
	if (bpf_probe_read_user(m, sizeof(*m), (void *)ptr))
		return -1;
	return m->count ? bpf_probe_read_user(b, sizeof(*b), (void *)m->vector) : 0;
}

static __always_inline long arg__message32(struct message *m, struct message_buffer *b, __u64 ptr)
{
	struct message32 from;
	struct message_buffer32 first;

	if (bpf_probe_read_user(&from, sizeof(from), (void *)ptr))
		return -1;
	m->name = from.name;
	m->name_len = from.name_len;
	m->count = from.count;
	if (!m->count)
		return 0;
	if (bpf_probe_read_user(&first, sizeof(first), (void *)(__u64)from.vector))
		return -1;
	b->base = first.base;
	b->len = first.len;
	return 0;
}

/* arg__read_message: what is in the message at ptr; of its data at most limit
 * bytes.
 */
__noinline int arg__read_message(__u32 user, __u32 i, __u64 ptr, __u64 limit, __u32 how)
{
	struct scratch *s = base__scratch_again(user);
	bool narrow = how & 1U << 31;
	__u16 flags = (__u16)how;
	struct message_buffer b = {};
	struct message m = {};

	if (!s || (narrow ? arg__message32(&m, &b, ptr) : arg__message(&m, &b, ptr)))
		return ARG_READ_FAILED;
	if (m.name && m.name_len)
		arg__read_sockaddr(s, i, EXTRA_ADDRESS, m.name, m.name_len, flags);
	return arg__read_bytes(s, i, b.base, b.len < limit ? b.len : limit, flags);
}

#endif
