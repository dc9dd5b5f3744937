/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* ARG_STRINGS: a vector of strings that ends with NULL, as execve takes it. */
#ifndef SIGHTGLASS_ARG_STRINGS_H
#define SIGHTGLASS_ARG_STRINGS_H

#include "string.h"

#define STRINGS_MAX 128 /* strings; STRING_MAX bytes is the other bound */

/* arg__strings_next: the address of string n, 0 at the end; *bad tells that it
 * could not be read.
 */
static __always_inline __u64 arg__strings_next(__u64 vector, __u32 n, bool compat, bool *bad)
{
	__u64 ptr = 0;
	__u32 size = compat ? 4 : 8;

	if (bpf_probe_read_user(&ptr, size, (void *)(vector + (__u64)n * size)))
		*bad = true;
	return ptr;
}

static __noinline int arg__read_strings(struct scratch *s, __u32 i, __u64 vector, __u32 flags,
					bool compat)
{
	struct event_extra *x = base__extra_begin(s, i, EXTRA_BYTES);
	__u64 begin, pos, ptr;
	bool bad = false;
	__u32 n;
	long len;

	if (!x)
		return ARG_READ_FAILED;
	begin = s->pos + sizeof(*x);
	pos = begin;
	for (n = 0; n < STRINGS_MAX; n++) {
		ptr = arg__strings_next(vector, n, compat, &bad);
		if (!ptr)
			break;
		if (pos > SCRATCH_DATA - STRING_MAX)
			break;
		pin(pos);
		len = bpf_probe_read_user_str(&s->data[pos], STRING_MAX, (void *)ptr);
		if (len <= 0) {
			bad = true;
			break;
		}
		pos += len & (2 * STRING_MAX - 1);
		if (pos >= begin + STRING_MAX)
			break;
	}
	if (bad)
		return ARG_READ_FAILED;
	len = pos - begin;
	if (len > STRING_MAX) {
		len = STRING_MAX;
		flags |= EXTRA_TRUNCATED;
	} else if (ptr && (len == STRING_MAX || n == STRINGS_MAX)) {
		flags |= EXTRA_TRUNCATED;
	}
	base__extra_end(s, x, len, flags);
	return ARG_READ_OK;
}

#endif
