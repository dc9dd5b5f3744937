/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* ARG_PATH, ARG_TEXT: a NUL-terminated string of the caller. */
#ifndef SIGHTGLASS_ARG_STRING_H
#define SIGHTGLASS_ARG_STRING_H

#include "../lib/scratch.h"

/* What reading an argument came to. */
enum arg_read {
	ARG_READ_FAILED = 0, /* nothing was added */
	ARG_READ_OK = 1,
	ARG_READ_RELATIVE = 2, /* a path that does not begin with a slash */
};

/* arg__length: what bpf_probe_read_user_str returned, final NUL included; 0 when
 * it failed. Kernels before 5.19 do not count the NUL of an empty string.
 */
static __always_inline long arg__length(long n)
{
	if (n < 0)
		return 0;
	return n ? n : 1;
}

static __always_inline enum arg_read arg__read_string(struct scratch *s, __u8 i, __u64 ptr,
						      __u16 flags)
{
	struct event_extra *x = base__extra_begin(s, i, EXTRA_BYTES);
	long n;

	if (!x)
		return ARG_READ_FAILED;
	/* a little more than the bound tells a string of exactly the bound
	 * from a longer one
	 */
	n = arg__length(bpf_probe_read_user_str(x + 1, STRING_MAX + 8, (void *)ptr));
	if (!n)
		return ARG_READ_FAILED;
	if (n > STRING_MAX) {
		n = STRING_MAX;
		flags |= EXTRA_TRUNCATED;
	}
	base__extra_end(s, x, n, flags);
	return *(__u8 *)(x + 1) == '/' ? ARG_READ_OK : ARG_READ_RELATIVE;
}

#endif
