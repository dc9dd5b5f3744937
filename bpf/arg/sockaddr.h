/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* ARG_SOCKADDR, ARG_SOCKADDR_FROM: a struct sockaddr of the caller. */
#ifndef SIGHTGLASS_ARG_SOCKADDR_H
#define SIGHTGLASS_ARG_SOCKADDR_H

#include "string.h"

#define SOCKADDR_MAX 128 /* struct sockaddr_storage */

static __always_inline enum arg_read arg__read_sockaddr(struct scratch *s, __u8 i, __u8 kind,
							__u64 ptr, __u64 size, __u16 flags)
{
	struct event_extra *x = base__extra_begin(s, i, kind);
	__u32 len = (__u32)size;

	if (!x)
		return ARG_READ_FAILED;
	if (len > SOCKADDR_MAX)
		len = SOCKADDR_MAX;
	pin(len);
	if (!len || len > SOCKADDR_MAX || bpf_probe_read_user(x + 1, len, (void *)ptr))
		return ARG_READ_FAILED;
	base__extra_end(s, x, len, flags);
	return ARG_READ_OK;
}

/* arg__read_sockaddr_from: the address that the kernel wrote; at len it wrote
 * how long it is.
 */
static __always_inline enum arg_read arg__read_sockaddr_from(struct scratch *s, __u8 i, __u64 ptr,
							     __u64 len)
{
	__u32 size = 0;

	if (!ptr || bpf_probe_read_user(&size, sizeof(size), (void *)len))
		return ARG_READ_FAILED;
	return arg__read_sockaddr(s, i, EXTRA_BYTES, ptr, size, 0);
}

#endif
