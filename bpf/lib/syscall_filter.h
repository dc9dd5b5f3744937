/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Whether a call that ended is wanted: what filter.h asks, of a record that is
 * being put together.
 */
#ifndef SIGHTGLASS_SYSCALL_FILTER_H
#define SIGHTGLASS_SYSCALL_FILTER_H

#include "emit.h"
#include "filter_open.h"
#include "syscall.h"

struct syscall_record {
	struct record base;
	struct event_syscall call;
};

/* syscall__detail: what the class of a call tells beside its failure. */
static __always_inline __u64 syscall__detail(const struct syscall_spec *spec, __u64 task,
					     const __u64 *args)
{
	__u32 n = spec->access;

	if (n && n <= 6) {
		n--;
		pin(n);
		return args[n & 7];
	}
	if (spec->flags & SPEC_SOCKET)
		return extract__socket_kind(task, (__u32)args[0]);
	return 0;
}

/* syscall__hopeless: whether nobody can want a call that begins, however it
 * ends.
 */
static __always_inline bool syscall__hopeless(__u8 row, __u64 detail)
{
	struct call_filter *f = filter__now();

	return filter__wish(f, row, detail, 0) == WISH_NONE &&
	       filter__wish(f, row, detail, -1) == WISH_NONE;
}

/* syscall__passes: whether somebody may want the call. The first extra is the path
 * of an open call, where the entry has read it.
 */
static __always_inline bool syscall__passes(struct scratch *s, __u64 task, __u8 row, __u8 have)
{
	const __u32 at = sizeof(struct syscall_record);
	struct event_syscall *call = &((struct syscall_record *)s->data)->call;
	struct event_extra *x = (struct event_extra *)&s->data[at];
	const struct syscall_spec *spec = syscall__spec(row);
	struct call_filter *f = filter__now();
	__u8 wish = filter__wish(f, row, syscall__detail(spec, task, call->args), call->ret);
	__u32 n;

	if (wish < WISH_SET)
		return wish == WISH_ALL;
	n = wish - WISH_SET;
	if (filter__set(f->named, n)->used) {
		if (s->pos <= at || x->flags || spec->memory & ~have)
			return true;
		if (filter__named(s->user, n, at + sizeof(*x), x->len))
			return true;
	}
	if (call->ret < 0 || !filter__set(f->resolved, n)->used)
		return false;
	return filter__resolved((__u32)call->ret, n);
}

#endif
