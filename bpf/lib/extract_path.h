/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: the kernel's path of a dentry. bpf_d_path is refused in our
 * programs, so the tree is walked upwards, over mount points, to the root of
 * the mount name space.
 */
#ifndef SIGHTGLASS_EXTRACT_PATH_H
#define SIGHTGLASS_EXTRACT_PATH_H

#include "scratch.h"

#define PATH_STEPS 128 /* names and mounts; deeper paths lose their beginning */
#define NAME_WORDS 5 /* names up to 40 bytes are copied by words, without a helper */

/* extract__copy_name: len < 256 bytes of a name to dst, and a NUL. Up to 7 bytes
 * more may be written; what follows covers them.
 */
static __always_inline void extract__copy_name(__u8 *dst, __u64 name, __u32 len)
{
	if (cfg_direct && len <= NAME_WORDS * 8) {
#pragma unroll
		for (__u32 i = 0; i < NAME_WORDS; i++) {
			if (i * 8 >= len)
				break;
			*(__u64 *)(dst + i * 8) = kload(name + i * 8);
		}
	} else {
		bpf_probe_read_kernel(dst, len & 0xff, (void *)name);
	}
}

struct path_walk {
	__u64 dentry;
	__u64 root; /* of the mount that the walk is in */
	__u64 mount;
	__u32 pos; /* next byte in the scratch data */
	__u16 flags; /* enum event_extra_flag */
	__u8 done;
	__u8 reserved;
};

/* extract__path_name: puts one name behind the others. */
static __always_inline void extract__path_name(struct scratch *s, struct path_walk *w, __u64 end)
{
	__u64 hash_len = kread(dentry, w->dentry, d_name.hash_len);
	__u64 pos = w->pos;
	__u32 len = (hash_len >> 32) & 0xff;

	if (pos + len + 8 > end || pos > SCRATCH_DATA - 512) {
		w->flags |= EXTRA_TRUNCATED;
		w->done = 1;
		return;
	}
	pin(pos);
	pin(len);
	extract__copy_name(&s->data[pos], kptr(dentry, w->dentry, d_name.name), len);
	pos += len & 0xff;
	if (pos >= SCRATCH_DATA - 256)
		return;
	pin(pos);
	s->data[pos] = 0;
	w->pos = pos + 1;
}

/* extract__path_step: goes up by one name or one mount. */
static __always_inline void extract__path_step(struct scratch *s, struct path_walk *w, __u64 end)
{
	__u64 parent = kptr(dentry, w->dentry, d_parent);
	__u64 up, ns;

	if (w->dentry != w->root && w->dentry != parent) {
		extract__path_name(s, w, end);
		w->dentry = parent;
		return;
	}
	if (w->dentry != w->root) { /* a root of its own: memfd, socket, pipe, file handle */
		extract__path_name(s, w, end);
		w->flags |= EXTRA_DETACHED;
		w->done = 1;
		return;
	}
	up = kptr(mount, w->mount, mnt_parent);
	if (up == w->mount || !up) {
		ns = kptr(mount, w->mount, mnt_ns);
		if (!ns || ns > -4096ULL) /* unmounted, or a mount of the kernel's own */
			w->flags |= EXTRA_DETACHED;
		w->done = 1;
		return;
	}
	w->dentry = kptr(mount, w->mount, mnt_mountpoint);
	w->mount = up;
	w->root = kptr(vfsmount, kaddr(mount, up, mnt), mnt_root);
}

/* extract__path: adds an EXTRA_PATH of (mnt, dentry). */
static __noinline int extract__path(struct scratch *s, __u64 mnt, __u64 dentry, __u8 arg)
{
	struct event_extra *x = base__extra_begin(s, arg, EXTRA_PATH);
	struct path_walk w = {};
	__u32 begin;

	if (!x)
		return 0;
	begin = s->pos + sizeof(*x);
	w.pos = begin;
	w.dentry = dentry;
	w.mount = mnt - bpf_core_field_offset(struct mount, mnt);
	w.root = kptr(vfsmount, mnt, mnt_root);
	if (!kptr(dentry, dentry, d_hash.pprev) && dentry != w.root &&
	    dentry != kptr(dentry, dentry, d_parent))
		w.flags |= EXTRA_DELETED;
	for (__u32 i = 0; i < PATH_STEPS && !w.done; i++)
		extract__path_step(s, &w, begin + STRING_MAX);
	if (!w.done)
		w.flags |= EXTRA_TRUNCATED;
	base__extra_end(s, x, w.pos - begin, w.flags);
	return 0;
}

/* extract__path_at: the same for a struct path at a kernel address. */
static __always_inline void extract__path_at(struct scratch *s, __u64 path, __u8 arg)
{
	__u64 dentry = kptr(path, path, dentry);

	if (dentry)
		extract__path(s, kptr(path, path, mnt), dentry, arg);
}

#endif
