/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* ARG_BYTES, ARG_BYTES_OUT: the beginning of a buffer. */
#ifndef SIGHTGLASS_ARG_BYTES_H
#define SIGHTGLASS_ARG_BYTES_H

#include "string.h"

#define BYTES_MAX 80

static __always_inline enum arg_read arg__read_bytes(struct scratch *s, __u8 i, __u64 ptr,
						     __u64 size, __u16 flags)
{
	struct event_extra *x = base__extra_begin(s, i, EXTRA_BYTES);
	__u32 len = size > BYTES_MAX ? BYTES_MAX : (__u32)size;

	if (!x)
		return ARG_READ_FAILED;
	pin(len);
	if (len && (len > BYTES_MAX || bpf_probe_read_user(x + 1, len, (void *)ptr)))
		return ARG_READ_FAILED;
	if (size > BYTES_MAX)
		flags |= EXTRA_TRUNCATED;
	base__extra_end(s, x, len, flags);
	return ARG_READ_OK;
}

#endif
