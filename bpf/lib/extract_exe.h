/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: facts about a program's file beyond those of any file. */
#ifndef SIGHTGLASS_EXTRACT_EXE_H
#define SIGHTGLASS_EXTRACT_EXE_H

#include "extract_file.h"

#define SB_RDONLY 1
#define S_IMMUTABLE 8
#define CAP_DAC_OVERRIDE 1
#define CAP_FOWNER 3
#define GROUPS_MAX 32 /* supplementary groups that are looked at */

#define NS_PER_S 1000000000ULL
#define NSEC_MASK 0x7fffffffU /* from 6.13 on the highest bit is a mark of the kernel's own */

static __always_inline __u64 extract__ns(__u64 sec, __u64 nsec)
{
	return kload(sec) * NS_PER_S + ((__u32)kload(nsec) & NSEC_MASK);
}

static __always_inline __u64 extract__ctime(__u64 inode)
{
	if (bpf_core_field_exists(struct inode, i_ctime_sec))
		return extract__ns(kaddr(inode, inode, i_ctime_sec),
				   kaddr(inode, inode, i_ctime_nsec));
	if (bpf_core_field_exists(struct inode___private, __i_ctime))
		return extract__ns(kaddr(inode___private, inode, __i_ctime),
				   kaddr(inode___private, inode, __i_ctime.tv_nsec));
	return extract__ns(kaddr(inode___old, inode, i_ctime),
			   kaddr(inode___old, inode, i_ctime.tv_nsec));
}

static __always_inline __u64 extract__mtime(__u64 inode)
{
	if (bpf_core_field_exists(struct inode, i_mtime_sec))
		return extract__ns(kaddr(inode, inode, i_mtime_sec),
				   kaddr(inode, inode, i_mtime_nsec));
	if (bpf_core_field_exists(struct inode___private, __i_mtime))
		return extract__ns(kaddr(inode___private, inode, __i_mtime),
				   kaddr(inode___private, inode, __i_mtime.tv_nsec));
	return extract__ns(kaddr(inode___old, inode, i_mtime),
			   kaddr(inode___old, inode, i_mtime.tv_nsec));
}

/* extract__in_group: whether gid is among the supplementary groups. */
static __always_inline bool extract__in_group(__u64 cred, __u32 gid)
{
	__u64 info = kptr(cred, cred, group_info), at = kaddr(group_info, info, gid);
	__u32 count = kread(group_info, info, ngroups);

	for (__u32 i = 0; i < GROUPS_MAX; i++) {
		if (i >= count)
			break;
		if ((__u32)kload(at + 4 * i) == gid)
			return true;
	}
	return false;
}

/* extract__may_write: whether who has the credentials may write to the file or,
 * as its owner, change it. Capabilities count in the first user name space only, where
 * every owner is known.
 */
__noinline int extract__may_write(__u64 cred, __u64 inode)
{
	__u64 sb = kptr(inode, inode, i_sb), caps = 0;
	__u32 mode = kread(inode, inode, i_mode), gid = kread(inode, inode, i_gid.val);

	if (!kread(user_namespace, kptr(cred, cred, user_ns), level))
		caps = kload(kaddr(cred, cred, cap_effective));
	if (kread(cred, cred, fsuid.val) == kread(inode, inode, i_uid.val) ||
	    caps & 1 << CAP_FOWNER)
		return 1;
	if (kread(super_block, sb, s_flags) & SB_RDONLY ||
	    kread(inode, inode, i_flags) & S_IMMUTABLE)
		return 0;
	if (caps & 1 << CAP_DAC_OVERRIDE)
		return 1;
	if (kread(cred, cred, fsgid.val) == gid || extract__in_group(cred, gid))
		return mode >> 4 & 1;
	return mode >> 1 & 1;
}

#endif
