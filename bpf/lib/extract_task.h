/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: facts about a task. Functions with a parameter `direct` exist
 * once for each way of reading (kget in base.h).
 */
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

/* extract__upid: the number of a pid (its address) in its innermost name space;
 * *ns is that name space's inode number.
 */
static __always_inline __u32 extract__upid(__u64 pid, __u32 *ns)
{
	__u64 at = kaddr(pid, pid, numbers) +
		   (__u64)kread(pid, pid, level) * bpf_core_type_size(struct upid);

	*ns = kread(pid_namespace, kptr(upid, at, ns), ns.inum);
	return kread(upid, at, nr);
}

/* extract__tty: the controlling terminal's number, 0 for none. */
static __always_inline __u32 extract__tty(const bool direct, struct tty_struct *tty)
{
	struct tty_driver *driver;
	__u32 minor;

	if (!tty)
		return 0;
	driver = kget(tty, driver);
	minor = kget(driver, minor_start) + kget(tty, index);
	return (minor & 0xff) | (__u32)kget(driver, major) << 8 | (minor & ~0xffU) << 12;
}

/* extract__cgroup_v1: the task's group in the memory or pids hierarchy of
 * version 1, NULL when it is the root there as well.
 */
static __always_inline struct cgroup *extract__cgroup_v1(const bool direct, struct css_set *set)
{
	struct cgroup_subsys_state *css = 0;
	struct cgroup *group;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		css = (void *)kload(kaddr(css_set, set, subsys) +
				    8 * bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id));
	else if (bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		css = (void *)kload(kaddr(css_set, set, subsys) +
				    8 * bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
	if (!css)
		return 0;
	group = (void *)kptr(cgroup_subsys_state, css, cgroup);
	if (direct)
		group = base__cast(cgroup, group);
	return group && kget(group, level) > 0 ? group : 0;
}

static __always_inline void extract__cgroup_by(const bool direct, struct task_struct *task,
					       struct event_task *out)
{
	struct css_set *set = kget(task, cgroups);
	struct cgroup *group = kget(set, dfl_cgrp), *v1;
	struct cgroup_root *root;
	struct kernfs_node *node;

	out->cgroup_hierarchy = 0;
	if (kget(group, level) == 0) {
		v1 = extract__cgroup_v1(direct, set);
		if (v1) {
			group = v1;
			root = kget(group, root);
			out->cgroup_hierarchy = kget(root, hierarchy_id);
		}
	}
	node = kget(group, kn);
	out->cgroup_id = kget(node, id);
}

/* extract__cgroup: the id of the task's group in the version 2 hierarchy, or,
 * where all tasks lie in the root of that one, in a hierarchy of version 1.
 */
static __always_inline void extract__cgroup(__u64 task, struct event_task *out)
{
	if (cfg_direct)
		extract__cgroup_by(true, base__cast(task_struct, task), out);
	else
		extract__cgroup_by(false, (struct task_struct *)task, out);
}

static __always_inline void extract__ids(const bool direct, struct task_struct *task,
					 struct event_task *out)
{
	struct cred *cred = kget(task, cred);

	out->uid = kget(cred, uid.val);
	out->gid = kget(cred, gid.val);
	out->euid = kget(cred, euid.val);
	out->egid = kget(cred, egid.val);
	out->loginuid = EVENT_NO_ID;
	out->session = EVENT_NO_ID;
	if (bpf_core_field_exists(struct task_struct, loginuid)) {
		out->loginuid = kget(task, loginuid.val);
		out->session = kget(task, sessionid);
	}
}

static __always_inline void extract__namespaces(const bool direct, struct task_struct *task,
						struct event_task *out)
{
	struct nsproxy *proxy = kget(task, nsproxy);
	struct task_struct *leader = kget(task, group_leader);
	struct mnt_namespace *mnt;
	struct net *net;
	__u32 ns;

	out->vtid = extract__upid((__u64)kget(task, thread_pid), &out->pid_ns);
	out->vpid = out->vtid;
	if (leader != task)
		out->vpid = extract__upid((__u64)kget(leader, thread_pid), &ns);
	out->mnt_ns = 0;
	out->net_ns = 0;
	if (proxy) { /* a task that exits has none */
		mnt = kget(proxy, mnt_ns);
		net = kget(proxy, net_ns);
		out->mnt_ns = kget(mnt, ns.inum);
		out->net_ns = kget(net, ns.inum);
	}
}

static __always_inline void extract__comm(const bool direct, struct task_struct *task,
					  struct event_task *out)
{
	const __u64 *name = (const __u64 *)task->comm;
	__u64 *to = (__u64 *)out->comm;

	if (direct) {
		to[0] = name[0];
		to[1] = name[1];
	} else {
		bpf_probe_read_kernel(to, sizeof(out->comm), name);
	}
}

static __always_inline void extract__task_by(const bool direct, struct task_struct *task,
					     struct event_task *out)
{
	struct task_struct *parent = kget(task, real_parent), *leader = kget(parent, group_leader);
	struct signal_struct *signal = kget(task, signal);
	struct pid *group = kget(signal, pids[PIDTYPE_PGID]);

	out->parent_tgid = kget(parent, tgid);
	out->parent_start = kget(leader, start_boottime);
	out->tty = extract__tty(direct, kget(signal, tty));
	out->pgid = kread(upid, kaddr(pid, group, numbers), nr);
	out->flags = kget(task, flags) & PF_KTHREAD ? EVENT_TASK_KTHREAD : 0;
	extract__comm(direct, task, out);
	extract__ids(direct, task, out);
	extract__namespaces(direct, task, out);
	extract__cgroup_by(direct, task, out);
}

/* extract__task: everything that event_task tells. */
static __always_inline void extract__task(__u64 task, struct event_task *out)
{
	if (cfg_direct)
		extract__task_by(true, base__cast(task_struct, task), out);
	else
		extract__task_by(false, (struct task_struct *)task, out);
}

/* extract__who: the record's subject: process key, thread id. */
static __always_inline void extract__who_by(const bool direct, struct task_struct *task,
					    struct event_header *out)
{
	struct task_struct *leader = kget(task, group_leader);

	out->start = kget(leader, start_boottime);
	out->tgid = kget(task, tgid);
	out->tid = kget(task, pid);
}

static __always_inline void extract__who(__u64 task, struct event_header *out)
{
	if (cfg_direct)
		extract__who_by(true, base__cast(task_struct, task), out);
	else
		extract__who_by(false, (struct task_struct *)task, out);
}

#endif
