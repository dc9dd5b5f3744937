/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Structs of which a beginning of fixed size is copied. */
#ifndef SIGHTGLASS_ARG_FIXED_H
#define SIGHTGLASS_ARG_FIXED_H

#include "string.h"

#define OPEN_HOW_SIZE 24 /* flags, mode, resolve: 64 bits each */
#define CLONE_ARGS_SIZE 8 /* flags */
#define RLIMIT_SIZE 16 /* current, maximum */
#define FD_PAIR_SIZE 8
#define RING_PARAMS_SIZE 24 /* entries, entries, flags, cpu, idle, features: 32 bits each */

static __always_inline enum arg_read arg__read_fixed(struct scratch *s, __u8 i, __u64 ptr,
						     __u32 size, __u16 flags)
{
	struct event_extra *x = base__extra_begin(s, i, EXTRA_BYTES);

	if (!x || bpf_probe_read_user(x + 1, size, (void *)ptr))
		return ARG_READ_FAILED;
	base__extra_end(s, x, size, flags);
	return ARG_READ_OK;
}

#endif
