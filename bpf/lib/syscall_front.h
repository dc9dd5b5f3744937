/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The front of the calls' programs, for kernels with bpf_rdonly_cast: what nobody
 * wants and what takes the short way ends here, all else is handed over to the
 * programs that know every way (security.bpf.c). Those are large, and large are
 * their stacks and the distances that they jump; of these few lines of code each
 * run has to bring back into the caches what the call's own work has driven out.
 */
#ifndef SIGHTGLASS_SYSCALL_FRONT_H
#define SIGHTGLASS_SYSCALL_FRONT_H

#include "syscall_short.h"

/* front__exit: what is left out ends here too. False when the call has to go the
 * long way.
 */
static __always_inline bool front__exit(struct bpf_raw_tracepoint_args *ctx,
					struct task_struct *current, __u32 nr, __u8 abi)
{
	struct counters *c = base__counters(CLASS_SECURITY);
	__u32 tid = kmine(current, pid);

	if (!c)
		return false;
	switch (syscall__judge(ctx->args[0], tid, nr, ctx->args[1])) {
	case VERDICT_LEFT_OUT:
		c->left_out++;
		return true;
	case VERDICT_PASSES:
		return syscall__short(ctx, c, current, tid, nr, abi);
	default:
		return false;
	}
}

static __always_inline void syscall__front_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *current;
	__u64 nr = ctx->args[1];
	__u8 flags = syscall__flags(nr), abi;

	if (cfg_latency)
		goto all;
	if (!(flags & (CALL_WANTED | CALL_WANTED_COMPAT)))
		goto io;
	current = base__current();
	abi = syscall__abi(current, nr);
	if (abi == EVENT_ABI_32)
		goto all;
	if (flags & CALL_WANTED && !syscall__enter_text(ctx->args[0], kmine(current, pid), nr, abi))
		goto all;
io:
	if (flags & CALL_IO_ENTER)
		bpf_tail_call_static(ctx, &io_enter, IO_SLOT);
	return;
all:
	bpf_tail_call_static(ctx, &long_way, LONG_ENTER);
}

static __always_inline void syscall__front_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *current;
	__u32 nr = extract__nr(ctx->args[0]);
	__u8 flags = syscall__flags(nr), abi;

	if (cfg_latency)
		goto all;
	if (!(flags & (CALL_WANTED | CALL_WANTED_COMPAT | CALL_IO_COMPAT)))
		goto io;
	current = base__current();
	abi = syscall__abi(current, nr);
	if (abi == EVENT_ABI_32)
		goto all;
	if (flags & CALL_WANTED && !front__exit(ctx, current, nr, abi))
		goto all;
io:
	if (flags & CALL_IO)
		bpf_tail_call_static(ctx, &io_exit, IO_SLOT);
	return;
all:
	bpf_tail_call_static(ctx, &long_way, LONG_EXIT);
}

#endif
