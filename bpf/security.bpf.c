// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* The programs of the security side: one thin function per hook. */
#include "lib/cgroup.h"
#include "lib/latency.h"
#include "lib/process.h"
#include "lib/syscall_enter.h"
#include "lib/syscall_exit.h"
#include "lib/syscall_front.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Makes the types reach BTF, from which bpf2go writes their Go twins. */
struct wire {
	struct event_header header;
	struct event_task task;
	struct event_syscall syscall;
	struct event_extra extra;
	struct event_exec exec; /* and event_file */
	struct event_identity identity;
	struct event_socket socket;
	struct event_fork fork;
	struct event_exit exit;
	struct event_cgroup cgroup;
};
const struct wire *wire_types __attribute__((unused));
enum arg_kind *wire_arg_kind __attribute__((unused));
enum event_part *wire_part __attribute__((unused));
enum event_extra_kind *wire_extra_kind __attribute__((unused));
enum call_flag *wire_call_flag __attribute__((unused));
enum call_result *wire_call_result __attribute__((unused));
enum spec_flag *wire_spec_flag __attribute__((unused));
enum call_wish *wire_call_wish __attribute__((unused));
enum filter_reason *wire_filter_reason __attribute__((unused));
enum loss_reason *wire_loss_reason __attribute__((unused));
enum event_class *wire_class __attribute__((unused));

/* The agent's own thread group, as the host sees it; the iterator runs in the
 * process that reads it.
 */
__u32 reader_tgid = 0;

/* The calls' programs exist twice: atomic instructions that return a value came
 * with 5.12, and an older kernel refuses them even where they are never reached.
 */
static __always_inline void enter(const bool atomic, struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *current;
	__u64 nr = ctx->args[1];
	__u8 flags = syscall__flags(nr), abi;

	if (cfg_latency)
		latency__begin(nr);
	if (!(flags & (CALL_WANTED | CALL_WANTED_COMPAT | CALL_IO_ENTER)))
		return;
	current = base__current();
	abi = syscall__abi(current, nr);
	if (flags & (abi == EVENT_ABI_32 ? CALL_WANTED_COMPAT : CALL_WANTED))
		syscall__enter(atomic, current, ctx->args[0], nr, abi, flags);
	if (flags & CALL_IO_ENTER && abi == EVENT_ABI_NATIVE)
		bpf_tail_call_static(ctx, &io_enter, IO_SLOT);
}

static __always_inline void leave(const bool atomic, struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *current;
	__u64 regs = ctx->args[0];
	__u32 nr = extract__nr(regs);
	__u8 flags = syscall__flags(nr), abi;

	if (cfg_latency)
		latency__end(base__task(), nr);
	if (!flags)
		return;
	current = base__current();
	abi = syscall__abi(current, nr);
	if (flags & (abi == EVENT_ABI_32 ? CALL_WANTED_COMPAT : CALL_WANTED))
		syscall__exit(atomic, ctx, current, nr, abi, flags);
	if (flags & CALL_IO && abi == EVENT_ABI_NATIVE)
		bpf_tail_call_static(ctx, &io_exit, IO_SLOT);
	else if (flags & CALL_IO_COMPAT && abi == EVENT_ABI_32)
		bpf_tail_call_static(ctx, &io_exit, IO_SLOT_COMPAT);
}

SEC("raw_tp/sys_enter")
int on_sys_enter(struct bpf_raw_tracepoint_args *ctx)
{
	enter(true, ctx);
	return 0;
}

SEC("raw_tp/sys_exit")
int on_sys_exit(struct bpf_raw_tracepoint_args *ctx)
{
	leave(true, ctx);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_sys_enter_plain(struct bpf_raw_tracepoint_args *ctx)
{
	enter(false, ctx);
	return 0;
}

SEC("raw_tp/sys_exit")
int on_sys_exit_plain(struct bpf_raw_tracepoint_args *ctx)
{
	leave(false, ctx);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_sys_enter_front(struct bpf_raw_tracepoint_args *ctx)
{
	if (cfg_direct)
		syscall__front_enter(ctx);
	return 0;
}

SEC("raw_tp/sys_exit")
int on_sys_exit_front(struct bpf_raw_tracepoint_args *ctx)
{
	if (cfg_direct)
		syscall__front_exit(ctx);
	return 0;
}

SEC("raw_tp/sched_process_fork")
int on_process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	process__fork(ctx->args[0], ctx->args[1]);
	return 0;
}

SEC("raw_tp/sched_process_exec")
int on_process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	process__exec(ctx->args[0], ctx->args[1], ctx->args[2]);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	process__exit(ctx->args[0]);
	return 0;
}

SEC("raw_tp/cgroup_mkdir")
int on_cgroup_mkdir(struct bpf_raw_tracepoint_args *ctx)
{
	cgroup__emit(ctx->args[0], ctx->args[1], EVENT_CGROUP_MKDIR);
	return 0;
}

SEC("raw_tp/cgroup_rmdir")
int on_cgroup_rmdir(struct bpf_raw_tracepoint_args *ctx)
{
	cgroup__emit(ctx->args[0], ctx->args[1], EVENT_CGROUP_RMDIR);
	return 0;
}

SEC("iter/task")
int on_iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	reader_tgid = bpf_get_current_pid_tgid() >> 32;
	if (!task)
		return 0;
	if (task->pid != task->tgid)
		return 0;
	process__snapshot(ctx->meta->seq, (__u64)task);
	return 0;
}
