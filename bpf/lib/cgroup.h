/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Control groups that come and go: ids get their paths before a process is in
 * them.
 */
#ifndef SIGHTGLASS_CGROUP_H
#define SIGHTGLASS_CGROUP_H

#include "emit.h"
#include "process.h"

struct cgroup_record {
	struct event_header header;
	struct event_cgroup cgroup;
};

/* cgroup__emit: path is the kernel's string, from the root of the hierarchy. */
static __always_inline void cgroup__emit(__u64 cgroup, __u64 path, enum event_type type)
{
	struct scratch *s = base__scratch(SCRATCH_CGROUP, sizeof(struct cgroup_record));
	struct cgroup_record *r;

	if (!s)
		return;
	r = (struct cgroup_record *)s->data;
	emit__header(&r->header, base__task());
	r->cgroup.id = kread(kernfs_node, kptr(cgroup, cgroup, kn), id);
	r->cgroup.hierarchy = kread(cgroup_root, kptr(cgroup, cgroup, root), hierarchy_id);
	r->cgroup.level = kread(cgroup, cgroup, level);
	process__emit_string(s, PART_CGROUP, path);
	emit__security(s, type);
}

#endif
