/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The exit of a wanted call: its record is put together and sent. */
#ifndef SIGHTGLASS_SYSCALL_EXIT_H
#define SIGHTGLASS_SYSCALL_EXIT_H

#include "emit.h"
#include "extract_identity.h"
#include "syscall_text.h"

/* syscall__late_args: memory arguments that the entry could not read (their page
 * was not resident), by the bits of missing, are read now and marked.
 */
__noinline int syscall__late_args(__u32 user, __u32 row, __u32 abi, __u32 missing)
{
	const struct syscall_spec *spec = syscall__spec(row);
	struct scratch *s = base__scratch_again(user);
	struct event_syscall *call;
	struct event_extra *x;
	enum arg_read got;

	if (!s)
		return 0;
	call = &((struct syscall_record *)s->data)->call;
	for (int i = 0; i < 6; i++) {
		if (!(missing & 1 << i))
			continue;
		got = syscall__read_arg(s, spec->kinds[i], i, call->args, abi, EXTRA_LATE);
		if (got == ARG_READ_RELATIVE)
			call->relative |= 1 << i;
		if (got != ARG_READ_FAILED)
			continue;
		x = base__extra_begin(s, i, EXTRA_BYTES);
		if (x)
			base__extra_end(s, x, 0, EXTRA_UNREADABLE);
	}
	return 0;
}

/* syscall__fd_pair: an array of two descriptors, and what is behind the first. */
static __always_inline enum arg_read syscall__fd_pair(struct scratch *s, __u8 i, __u64 ptr)
{
	__u32 first;

	if (arg__read_fixed(s, i, ptr, FD_PAIR_SIZE, 0) == ARG_READ_FAILED)
		return ARG_READ_FAILED;
	if (!bpf_probe_read_user(&first, sizeof(first), (void *)ptr))
		arg__emit_fd(s->user, base__task(), first, PART_RESULT);
	return ARG_READ_OK;
}

/* syscall__written: adds argument i, which the kernel has written. */
static __always_inline enum arg_read syscall__written(struct scratch *s, __u8 kind, __u8 i,
						      const struct event_syscall *call)
{
	__u64 next = i < 5 ? call->args[i + 1] : 0;
	__u32 narrow = call->abi != EVENT_ABI_NATIVE, len = 0;

	switch (kind) {
	case ARG_FD_PAIR:
		return syscall__fd_pair(s, i, call->args[i]);
	case ARG_BYTES_OUT:
		return arg__read_bytes(s, i, call->args[i], call->ret, 0);
	case ARG_SOCKADDR_FROM:
		return arg__read_sockaddr_from(s, i, call->args[i], next);
	case ARG_MESSAGE_OUT:
		return arg__read_message(s->user, i, call->args[i], call->ret, narrow << 31);
	case ARG_MESSAGES_OUT:
		next = call->args[i] + (narrow ? MESSAGE32_SIZE : MESSAGE_SIZE);
		bpf_probe_read_user(&len, sizeof(len), (void *)next);
		return arg__read_message(s->user, i, call->args[i], len, narrow << 31);
	case ARG_RLIMIT_OUT:
		return arg__read_fixed(s, i, call->args[i], RLIMIT_SIZE, 0);
	case ARG_RING_PARAMS:
		return arg__read_fixed(s, i, call->args[i], RING_PARAMS_SIZE, 0);
	default:
		return ARG_READ_FAILED;
	}
}

/* syscall__written_args: the arguments that a successful call has written. */
__noinline int syscall__written_args(__u32 user, __u32 row)
{
	const struct syscall_spec *spec = syscall__spec(row);
	struct scratch *s = base__scratch_again(user);
	struct event_syscall *call;
	struct event_extra *x;

	if (!s)
		return 0;
	call = &((struct syscall_record *)s->data)->call;
	for (int i = 0; i < 6; i++) {
		if (!(spec->written & 1 << i))
			continue;
		if (syscall__written(s, spec->kinds[i], i, call) != ARG_READ_FAILED)
			continue;
		x = base__extra_begin(s, i, EXTRA_BYTES);
		if (x)
			base__extra_end(s, x, 0, EXTRA_UNREADABLE);
	}
	return 0;
}

/* syscall__emit_fds: what is behind the descriptors among the arguments, and the
 * directories that relative paths start at.
 */
__noinline int syscall__emit_fds(__u32 user, __u64 task, __u32 row)
{
	const struct syscall_spec *spec = syscall__spec(row);
	struct scratch *s = base__scratch_again(user);
	struct event_syscall *call;
	bool cwd = false;

	if (!s)
		return 0;
	call = &((struct syscall_record *)s->data)->call;
	for (int i = 0; i < 6; i++) {
		__u8 kind = spec->kinds[i];
		__u32 fd = (__u32)call->args[i];

		if (kind == ARG_FD) {
			arg__emit_fd(user, task, fd, i);
		} else if (kind == ARG_DIRFD && i < 5 && call->relative & 2 << i) {
			if ((__s32)fd == AT_FDCWD)
				cwd = true;
			else
				arg__emit_dirfd(s, task, fd, i);
		} else if (kind == ARG_PATH && call->relative & 1 << i) {
			cwd |= i == 0 || spec->kinds[i ? i - 1 : 0] != ARG_DIRFD;
		}
	}
	if (spec->result == RESULT_CWD && call->ret == 0)
		arg__emit_cwd(s, task, PART_RESULT);
	else if (cwd)
		arg__emit_cwd(s, task, PART_CWD);
	return 0;
}

/* syscall__opened: adds what a call has opened. A file, as most are, is told
 * without a call of a function.
 */
static __always_inline void syscall__opened(struct scratch *s, __u64 task, __u32 fd, __u8 result)
{
	__u64 file = result == RESULT_FILE ? extract__fd(task, fd) : 0;

	if (file && !extract__is_socket(file))
		extract__file_extras(s, file, PART_RESULT);
	else
		arg__emit_fd(s->user, task, fd, PART_RESULT);
}

/* syscall__exit_begin: the call's fixed part. Returns its row, ROW_NONE when
 * nobody wants it, and which arguments the entry has read.
 */
static __always_inline __u8 syscall__exit_begin(const bool atomic, struct scratch *s, __u32 tid,
						__u64 regs, __u32 nr, __u8 abi, __u8 flags,
						__u8 *have)
{
	struct event_syscall *call = &((struct syscall_record *)s->data)->call;
	const struct syscall_spec *spec;
	struct stash_head stash;
	__u8 row = syscall__row(regs, nr, abi, flags, call->args);

	*have = 0;
	call->enter = 0;
	call->relative = 0;
	call->reserved = 0;
	call->abi = abi;
	if (row == ROW_NONE)
		return row;
	spec = syscall__spec(row);
	if (!(spec->flags & (SPEC_ENTER | SPEC_TIMED)) && abi != EVENT_ABI_32)
		return row;
	if (!base__stash_find(atomic, s, nr, tid, &stash)) {
		s->flags |= EVENT_FLAG_NO_ENTER;
		return row;
	}
	*have = stash.have;
	call->enter = stash.enter;
	call->relative = stash.relative;
	if (abi == EVENT_ABI_32)
		__builtin_memcpy(call->args, stash.args, sizeof(call->args));
	return stash.row;
}

static __always_inline void syscall__exit(const bool atomic, struct bpf_raw_tracepoint_args *ctx,
					  struct task_struct *current, __u32 nr, __u8 abi,
					  __u8 flags)
{
	__u64 regs = ctx->args[0];
	__s64 ret = ctx->args[1];
	__u32 tid = kmine(current, pid);
	enum call_verdict verdict = VERDICT_NONE;
	const struct syscall_spec *spec;
	struct syscall_record *r;
	struct scratch *s;
	__u8 row, have;
	__u64 task;

	if (atomic && abi != EVENT_ABI_32)
		verdict = syscall__judge(regs, tid, nr, ret);
	if (verdict == VERDICT_LEFT_OUT) {
		base__count_left_out(CLASS_SECURITY, FILTER_INTEREST);
		return;
	}
	s = base__scratch(SCRATCH_EXIT, sizeof(struct syscall_record));
	if (!s)
		return;
	task = base__task();
	r = (struct syscall_record *)s->data;
	row = syscall__exit_begin(atomic, s, tid, regs, nr, abi, flags, &have);
	if (row == ROW_NONE)
		return;
	spec = syscall__spec(row);
	if (spec->flags & SPEC_EXEC && ret == 0)
		return;
	if (ret == -ERESTARTNOINTR) {
		base__count_left_out(CLASS_SECURITY, FILTER_RESTART);
		return;
	}
	r->call.row = row - 1;
	r->call.ret = ret;
	if (verdict != VERDICT_PASSES && !syscall__passes(s, task, row, have)) {
		base__count_left_out(CLASS_SECURITY, FILTER_INTEREST);
		return;
	}
	emit__header(&r->base.header, task);
	extract__task(task, &r->base.task);
	if (spec->memory & ~have)
		syscall__late_args(s->user, row, abi, spec->memory & ~have);
	if (spec->fds || r->call.relative || spec->result == RESULT_CWD)
		syscall__emit_fds(s->user, task, row);
	if (ret >= 0 && spec->result >= RESULT_FILE && spec->result <= RESULT_DESCRIPTOR)
		syscall__opened(s, task, (__u32)ret, spec->result);
	if (spec->flags & SPEC_IDENTITY)
		extract__identity_extra(s, task);
	if (ret >= 0 && spec->written)
		syscall__written_args(s->user, row);
	emit__security(s, EVENT_SYSCALL);
}

#endif
