/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: what a task may do and which groups it belongs to. */
#ifndef SIGHTGLASS_EXTRACT_IDENTITY_H
#define SIGHTGLASS_EXTRACT_IDENTITY_H

#include "extract_task.h"
#include "scratch.h"

#define PIDTYPE_SID 3

/* extract__nr_in: a pid's number in the name space ns of a level, 0 when it is
 * not visible there.
 */
static __always_inline __u32 extract__nr_in(__u64 pid, __u32 level, __u64 ns)
{
	__u64 at = kaddr(pid, pid, numbers) + (__u64)level * bpf_core_type_size(struct upid);

	if (!pid || kread(pid, pid, level) < level || kptr(upid, at, ns) != ns)
		return 0;
	return kread(upid, at, nr);
}

static __always_inline void extract__identity(__u64 task, struct event_identity *out)
{
	__u64 cred = kptr(task_struct, task, cred), pid = kptr(task_struct, task, thread_pid);
	__u64 pids = kaddr(signal_struct, kptr(task_struct, task, signal), pids);
	__u32 level = kread(pid, pid, level);
	__u64 ns =
		kptr(upid,
		     kaddr(pid, pid, numbers) + (__u64)level * bpf_core_type_size(struct upid), ns);

	out->cap_inheritable = kload(kaddr(cred, cred, cap_inheritable));
	out->cap_permitted = kload(kaddr(cred, cred, cap_permitted));
	out->cap_effective = kload(kaddr(cred, cred, cap_effective));
	out->pid_ns_start =
		kread(task_struct, kptr(pid_namespace, ns, child_reaper), start_boottime);
	out->sid = extract__nr_in(kload(pids + 8 * PIDTYPE_SID), level, ns);
	out->vpgid = extract__nr_in(kload(pids + 8 * PIDTYPE_PGID), level, ns);
}

/* extract__identity_extra: adds EXTRA_IDENTITY of a task. */
static __always_inline void extract__identity_extra(struct scratch *s, __u64 task)
{
	struct event_extra *x = base__extra_begin(s, PART_IDENTITY, EXTRA_IDENTITY);

	if (!x)
		return;
	extract__identity(task, (struct event_identity *)(x + 1));
	base__extra_end(s, x, sizeof(struct event_identity), 0);
}

#endif
