/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: facts about a task. */
#ifndef SIGHTGLASS_EXTRACT_TASK_H
#define SIGHTGLASS_EXTRACT_TASK_H

#include "base.h"

#define PF_KTHREAD 0x00200000
#define PIDTYPE_PGID 2

/* extract__start: when the task's thread group began, the second half of its
 * process key.
 */
static __always_inline __u64 extract__start(__u64 task)
{
	return kread(task_struct, kptr(task_struct, task, group_leader), start_boottime);
}

/* extract__upid: the number of a pid in its innermost namespace; *ns is that
 * namespace.
 */
static __always_inline __u32 extract__upid(__u64 pid, __u64 *ns)
{
	__u64 upid = kaddr(pid, pid, numbers) +
		     (__u64)kread(pid, pid, level) * bpf_core_type_size(struct upid);

	*ns = kptr(upid, upid, ns);
	return kread(upid, upid, nr);
}

/* extract__tty: the controlling terminal's number, 0 for none. */
static __always_inline __u32 extract__tty(__u64 signal)
{
	__u64 tty = kptr(signal_struct, signal, tty), driver;
	__u32 minor;

	if (!tty)
		return 0;
	driver = kptr(tty_struct, tty, driver);
	minor = kread(tty_driver, driver, minor_start) + kread(tty_struct, tty, index);
	return (minor & 0xff) | (__u32)kread(tty_driver, driver, major) << 8 | (minor & ~0xffU) << 12;
}

/* extract__cgroup: the id of the task's group in the version 2 hierarchy, or,
 * where all tasks lie in the root of that one, in the memory or pids hierarchy
 * of version 1.
 */
static __always_inline void extract__cgroup(__u64 task, struct event_task *out)
{
	__u64 set = kptr(task_struct, task, cgroups);
	__u64 group = kptr(css_set, set, dfl_cgrp);
	__u64 css = 0, v1;

	out->cgroup_hierarchy = 0;
	if (kread(cgroup, group, level) == 0) {
		if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
			css = kload(kaddr(css_set, set, subsys) +
				    bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) * 8);
		else if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
			css = kload(kaddr(css_set, set, subsys) +
				    bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id) * 8);
		v1 = css ? kptr(cgroup_subsys_state, css, cgroup) : 0;
		if (v1 && kread(cgroup, v1, level) > 0) {
			group = v1;
			out->cgroup_hierarchy =
				kread(cgroup_root, kptr(cgroup, group, root), hierarchy_id);
		}
	}
	out->cgroup_id = kread(kernfs_node, kptr(cgroup, group, kn), id);
}

static __always_inline void extract__ids(__u64 task, struct event_task *out)
{
	__u64 cred = kptr(task_struct, task, cred);

	out->uid = kread(cred, cred, uid.val);
	out->gid = kread(cred, cred, gid.val);
	out->euid = kread(cred, cred, euid.val);
	out->egid = kread(cred, cred, egid.val);
	out->loginuid = EVENT_NO_ID;
	out->session = EVENT_NO_ID;
	if (bpf_core_field_exists(struct task_struct, loginuid)) {
		out->loginuid = kread(task_struct, task, loginuid.val);
		out->session = kread(task_struct, task, sessionid);
	}
}

static __always_inline void extract__namespaces(__u64 task, struct event_task *out)
{
	__u64 nsproxy = kptr(task_struct, task, nsproxy);
	__u64 leader = kptr(task_struct, task, group_leader);
	__u64 ns;

	out->vtid = extract__upid(kptr(task_struct, task, thread_pid), &ns);
	out->vpid = out->vtid;
	if (leader != task)
		out->vpid = extract__upid(kptr(task_struct, leader, thread_pid), &ns);
	out->pid_ns = kread(pid_namespace, ns, ns.inum);
	out->mnt_ns = 0;
	out->net_ns = 0;
	if (nsproxy) { /* a task that exits has none */
		out->mnt_ns = kread(mnt_namespace, kptr(nsproxy, nsproxy, mnt_ns), ns.inum);
		out->net_ns = kread(net, kptr(nsproxy, nsproxy, net_ns), ns.inum);
	}
}

/* extract__task: everything that event_task tells. */
static __always_inline void extract__task(__u64 task, struct event_task *out)
{
	__u64 parent = kptr(task_struct, task, real_parent);
	__u64 signal = kptr(task_struct, task, signal);
	__u64 comm = kaddr(task_struct, task, comm);
	__u64 pgrp = kload(kaddr(signal_struct, signal, pids) + PIDTYPE_PGID * 8);

	out->parent_tgid = kread(task_struct, parent, tgid);
	out->parent_start = extract__start(parent);
	out->tty = extract__tty(signal);
	out->pgid = kread(upid, kaddr(pid, pgrp, numbers), nr);
	out->flags = kread(task_struct, task, flags) & PF_KTHREAD ? EVENT_TASK_KTHREAD : 0;
	((__u64 *)out->comm)[0] = kload(comm);
	((__u64 *)out->comm)[1] = kload(comm + 8);
	extract__ids(task, out);
	extract__namespaces(task, out);
	extract__cgroup(task, out);
}

#endif
