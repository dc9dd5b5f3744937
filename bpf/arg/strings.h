/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* ARG_STRINGS: a vector of strings that ends with NULL, as execve takes it. */
#ifndef SIGHTGLASS_ARG_STRINGS_H
#define SIGHTGLASS_ARG_STRINGS_H

#include "string.h"

#define STRINGS_MAX 128 /* strings; STRING_MAX bytes is the other bound */
#define STRINGS_AT_ONCE 8

/* arg__strings_step: adds string n; the cursor is done at the end. */
static __always_inline void arg__strings_step(struct scratch *s, __u64 vector, __u32 n, __u32 word)
{
	struct cursor *c = &s->cursor;
	__u64 ptr = 0, pos = c->pos;
	long len;

	if (bpf_probe_read_user(&ptr, word, (void *)(vector + (__u64)n * word))) {
		c->done = 1;
		c->flags |= EXTRA_UNREADABLE;
		return;
	}
	if (!ptr || pos >= c->end || pos > SCRATCH_DATA - STRING_MAX) {
		c->done = 1;
		c->flags |= ptr ? EXTRA_TRUNCATED : 0;
		return;
	}
	pin(pos);
	len = arg__length(bpf_probe_read_user_str(&s->data[pos], STRING_MAX, (void *)ptr));
	if (!len) {
		c->done = 1;
		c->flags |= EXTRA_UNREADABLE;
		return;
	}
	c->pos = pos + len;
}

/* arg__strings_steps: a few strings from number n on; see extract__path_steps. */
__noinline int arg__strings_steps(__u32 user, __u64 vector, __u32 n, __u32 word)
{
	struct scratch *s = base__scratch_again(user);

	if (!s)
		return 0;
	for (__u32 i = 0; i < STRINGS_AT_ONCE; i++) {
		if (s->cursor.done)
			break;
		arg__strings_step(s, vector, n + i, word == 4 ? 4 : 8);
	}
	return 0;
}

__noinline int arg__read_strings(__u32 user, __u32 i, __u64 vector, __u32 flags, __u32 word)
{
	struct scratch *s = base__scratch_again(user);
	struct event_extra *x;
	struct cursor *c;

	if (!s)
		return ARG_READ_FAILED;
	x = base__extra_begin(s, i, EXTRA_BYTES);
	if (!x)
		return ARG_READ_FAILED;
	c = &s->cursor;
	c->pos = s->pos + sizeof(*x);
	c->end = c->pos + STRING_MAX;
	c->flags = flags;
	c->done = 0;
	for (__u32 n = 0; n < STRINGS_MAX; n += STRINGS_AT_ONCE) {
		if (c->done)
			break;
		arg__strings_steps(user, vector, n, word);
	}
	if (!c->done)
		c->flags |= EXTRA_TRUNCATED;
	if (c->flags & EXTRA_UNREADABLE)
		return ARG_READ_FAILED;
	if (c->pos > c->end) {
		c->pos = c->end;
		c->flags |= EXTRA_TRUNCATED;
	}
	base__extra_end(s, x, c->pos - s->pos - sizeof(*x), c->flags);
	return ARG_READ_OK;
}

#endif
