/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The life of processes: fork, exec, exit, and those that were there before. */
#ifndef SIGHTGLASS_PROCESS_H
#define SIGHTGLASS_PROCESS_H

#include "../arg/fd.h"
#include "emit.h"
#include "extract_exe.h"
#include "extract_identity.h"
#include "stash.h"

#define SIGNAL_GROUP_EXIT 4
#define SUBSTITUTED_FD 63

/* Changed while the programs run: whether execs tell the environment. */
__u8 exec_env = 0;

struct exec_record {
	struct record base;
	struct event_exec exec;
};

struct fork_record {
	struct record base;
	struct event_fork fork;
};

struct exit_record {
	struct record base;
	struct event_exit exit;
};

/* process__emit_range: adds user memory from begin to end as one extra. */
static __always_inline void process__emit_range(struct scratch *s, __u8 part, __u64 begin,
						__u64 end)
{
	struct event_extra *x = base__extra_begin(s, part, EXTRA_BYTES);
	__u64 len = end - begin;
	__u16 flags = 0;

	if (!x)
		return;
	if (end < begin)
		len = 0;
	if (len > STRING_MAX) {
		len = STRING_MAX;
		flags = EXTRA_TRUNCATED;
	}
	pin(len);
	if (len && len <= STRING_MAX && bpf_probe_read_user(x + 1, len, (void *)begin)) {
		len = 0;
		flags = EXTRA_UNREADABLE;
	}
	base__extra_end(s, x, len, flags);
}

/* process__emit_string: adds a kernel string. */
static __always_inline void process__emit_string(struct scratch *s, __u8 part, __u64 ptr)
{
	struct event_extra *x = base__extra_begin(s, part, EXTRA_BYTES);
	long n;

	if (!x)
		return;
	n = bpf_probe_read_kernel_str(x + 1, STRING_MAX, (void *)ptr);
	if (n > 0)
		base__extra_end(s, x, n, 0);
}

/* process__emit_image: the executable, the identity and the working directory. */
static __always_inline void process__emit_image(struct scratch *s, __u64 task, __u64 mm,
						struct event_exec *out)
{
	__u64 exe = mm ? kptr(mm_struct, mm, exe_file) : 0, inode;

	if (exe) {
		inode = kptr(file, exe, f_inode);
		extract__file(exe, &out->file);
		if (extract__may_write(kptr(task_struct, task, cred), inode))
			out->file.flags |= EVENT_FILE_WRITABLE;
		out->ctime = extract__ctime(inode);
		out->mtime = extract__mtime(inode);
		extract__path_at(s, kaddr(file, exe, f_path), PART_EXE);
	} else {
		__builtin_memset(&out->file, 0, sizeof(out->file));
		out->ctime = 0;
		out->mtime = 0;
	}
	extract__identity_extra(s, task);
	if (kptr(task_struct, task, fs))
		arg__emit_cwd(s, task, PART_CWD);
}

/* process__exec: the task runs a new program; its memory, credentials and name
 * are the new ones already.
 */
static __always_inline void process__exec(__u64 task, __u32 old_tid, __u64 bprm)
{
	struct scratch *s = base__scratch(SCRATCH_EXEC, sizeof(struct exec_record));
	__u64 mm = kptr(task_struct, task, mm);
	__u64 filename, interp;
	struct exec_record *r;

	if (!s)
		return;
	r = (struct exec_record *)s->data;
	emit__header(&r->base.header, task);
	extract__task(task, &r->base.task);
	r->exec.old_tid = old_tid;
	if (old_tid != r->base.header.tid) /* nobody comes back under that id */
		base__stash_forget(old_tid);
	r->exec.argc = kread(linux_binprm, bprm, argc);
	r->exec.input = extract__pipe(task, 0);
	r->exec.output = extract__pipe(task, 1);
	r->exec.substituted = extract__pipe(task, SUBSTITUTED_FD);
	process__emit_image(s, task, mm, &r->exec);
	process__emit_range(s, PART_ARGV, kread(mm_struct, mm, arg_start),
			    kread(mm_struct, mm, arg_end));
	filename = kptr(linux_binprm, bprm, filename);
	interp = kptr(linux_binprm, bprm, interp);
	process__emit_string(s, PART_FILENAME, filename);
	if (interp != filename)
		process__emit_string(s, PART_INTERP, interp);
	if (exec_env)
		process__emit_range(s, PART_ENV, kread(mm_struct, mm, env_start),
				    kread(mm_struct, mm, env_end));
	emit__security(s, EVENT_EXEC);
}

/* process__fork: parent made child. Threads are counted and left out. */
static __always_inline void process__fork(__u64 parent, __u64 child)
{
	struct scratch *s;
	struct fork_record *r;

	if (kread(task_struct, child, pid) != kread(task_struct, child, tgid)) {
		base__count_left_out(CLASS_SECURITY, FILTER_THREAD);
		return;
	}
	s = base__scratch(SCRATCH_FORK, sizeof(struct fork_record));
	if (!s)
		return;
	r = (struct fork_record *)s->data;
	emit__header(&r->base.header, child);
	extract__task(child, &r->base.task);
	r->fork.parent_start = extract__start(parent);
	r->fork.parent_tgid = kread(task_struct, parent, tgid);
	r->fork.parent_tid = kread(task_struct, parent, pid);
	extract__identity_extra(s, child);
	emit__security(s, EVENT_FORK);
}

/* process__exit: a thread ends; the process does with its last one. When two
 * threads end at once on different CPUs both may see that none is left: readers
 * must bear a second end of the same key.
 */
static __always_inline void process__exit(__u64 task)
{
	__u64 signal = kptr(task_struct, task, signal);
	struct scratch *s;
	struct exit_record *r;
	__u32 code;

	base__stash_forget(kread(task_struct, task, pid));
	if (kread(signal_struct, signal, live.counter) > 0) {
		base__count_left_out(CLASS_SECURITY, FILTER_THREAD);
		return;
	}
	s = base__scratch(SCRATCH_EXIT_PROCESS, sizeof(struct exit_record));
	if (!s)
		return;
	r = (struct exit_record *)s->data;
	emit__header(&r->base.header, task);
	extract__task(task, &r->base.task);
	if (kread(signal_struct, signal, flags) & SIGNAL_GROUP_EXIT)
		code = kread(signal_struct, signal, group_exit_code);
	else
		code = kread(task_struct, kptr(task_struct, task, group_leader), exit_code);
	__builtin_memset(&r->exit, 0, sizeof(r->exit));
	r->exit.code = code >> 8 & 0xff;
	r->exit.signal = code & 0x7f;
	r->exit.core = code >> 7 & 1;
	emit__security(s, EVENT_EXIT);
}

/* process__snapshot: a process that runs already, into the iterator's output. */
static __always_inline void process__snapshot(struct seq_file *seq, __u64 task)
{
	struct scratch *s = base__scratch(SCRATCH_ITER, sizeof(struct exec_record));
	struct exec_record *r;
	__u64 len;

	if (!s)
		return;
	r = (struct exec_record *)s->data;
	emit__header(&r->base.header, task);
	extract__task(task, &r->base.task);
	r->exec.old_tid = r->base.header.tid;
	r->exec.argc = 0;
	r->exec.input = 0;
	r->exec.output = 0;
	r->exec.substituted = 0;
	process__emit_image(s, task, kptr(task_struct, task, mm), &r->exec);
	len = s->pos;
	if (len > RECORD_MAX)
		return;
	pin(len);
	r->base.header.type = EVENT_PROCESS;
	r->base.header.flags = (__u16)s->flags;
	r->base.header.len = (__u32)len;
	bpf_seq_write(seq, r, (__u32)len);
}

#endif
