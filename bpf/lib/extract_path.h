/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: the kernel's path of a dentry. bpf_d_path is refused in our
 * programs, so the tree is walked upwards, over mount points, to the root of
 * the mount name space.
 */
#ifndef SIGHTGLASS_EXTRACT_PATH_H
#define SIGHTGLASS_EXTRACT_PATH_H

#include "scratch.h"

#define PATH_STEPS 128 /* names and mounts; deeper paths lose their beginning */
#define PATH_STEPS_AT_ONCE 8
#define NAME_WORDS 5 /* names up to 40 bytes are copied by words, without a helper */

/* A place in the tree of names: an entry, and the mount that it lies in. */
struct place {
	struct dentry *dentry;
	struct dentry *root; /* of the mount */
	struct mount *mount;
};

/* extract__place: the place (mnt, dentry). flags gets what is to be said of it. */
static __always_inline void extract__place(const bool direct, struct place *at,
					   struct vfsmount *mnt, struct dentry *dentry,
					   __u32 *flags)
{
	__u64 mount = (__u64)mnt - bpf_core_field_offset(struct mount, mnt);

	at->dentry = dentry;
	at->mount = direct ? base__cast(mount, mount) : (struct mount *)mount;
	at->root = kget(at->mount, mnt.mnt_root);
	if (!kget(dentry, d_hash.pprev) && dentry != at->root && dentry != kget(dentry, d_parent))
		*flags |= EXTRA_DELETED;
}

/* extract__cross: from the root of a mount to what it is mounted on. False when that
 * is nothing.
 */
static __always_inline bool extract__cross(const bool direct, struct place *at, __u32 *flags)
{
	struct mount *up = kget(at->mount, mnt_parent);
	__u64 ns;

	if (up == at->mount || !up) {
		ns = (__u64)kget(at->mount, mnt_ns);
		if (!ns || ns > -4096ULL) /* unmounted, or the kernel's own */
			*flags |= EXTRA_DETACHED;
		return false;
	}
	at->dentry = kget(at->mount, mnt_mountpoint);
	at->root = kget(up, mnt.mnt_root);
	at->mount = up;
	return true;
}

/* extract__copy_name: len < 256 bytes of a name to dst. Up to 7 bytes more may be
 * written; what follows covers them.
 */
static __always_inline void extract__copy_name(const bool direct, __u8 *dst, __u64 name, __u32 len)
{
	if (direct && len <= NAME_WORDS * 8) {
#pragma unroll
		for (__u32 i = 0; i < NAME_WORDS; i++) {
			if (i * 8 >= len)
				break;
			*(__u64 *)(dst + i * 8) = base__cast(timespec64, name + i * 8)->tv_sec;
		}
	} else {
		bpf_probe_read_kernel(dst, len & 0xff, (void *)name);
	}
}

/* extract__path_name: puts one name and its NUL behind the others, unless there is no
 * room.
 */
static __always_inline void extract__path_name(const bool direct, struct scratch *s,
					       struct cursor *c, struct dentry *dentry)
{
	__u64 pos = c->pos;
	__u32 len = (kget(dentry, d_name.hash_len) >> 32) & 0xff;

	if (pos + len >= c->end || pos > SCRATCH_DATA - 512) {
		c->flags |= EXTRA_TRUNCATED;
		c->done = 1;
		return;
	}
	pin(pos);
	pin(len);
	extract__copy_name(direct, &s->data[pos], (__u64)kget(dentry, d_name.name), len);
	pos += len & 0xff;
	pin(pos);
	if (pos >= SCRATCH_DATA)
		return;
	s->data[pos] = 0;
	c->pos = pos + 1;
}

/* extract__path_begin: sets the cursor on (mnt, dentry). */
static __always_inline void extract__path_begin(const bool direct, struct scratch *s, __u64 mnt,
						__u64 dentry)
{
	struct vfsmount *in = (struct vfsmount *)mnt;
	struct dentry *entry = (struct dentry *)dentry;
	struct cursor *c = &s->cursor;
	struct place at;

	if (direct) {
		in = base__cast(vfsmount, mnt);
		entry = base__cast(dentry, dentry);
	}
	c->pos = s->pos + sizeof(struct event_extra);
	c->end = c->pos + STRING_MAX;
	c->flags = 0;
	c->done = 0;
	extract__place(direct, &at, in, entry, &c->flags);
	c->dentry = (__u64)at.dentry;
	c->root = (__u64)at.root;
	c->mount = (__u64)at.mount;
}

/* extract__path_by: a few steps, each up by one name or one mount. */
static __always_inline void extract__path_by(const bool direct, struct scratch *s)
{
	struct cursor *c = &s->cursor;
	struct place at = { (struct dentry *)c->dentry, (struct dentry *)c->root,
			    (struct mount *)c->mount };
	struct dentry *above;

	if (direct) {
		at.dentry = base__cast(dentry, at.dentry);
		at.root = base__cast(dentry, at.root);
		at.mount = base__cast(mount, at.mount);
	}
	for (__u32 i = 0; i < PATH_STEPS_AT_ONCE; i++) {
		if (at.dentry == at.root) {
			if (!extract__cross(direct, &at, &c->flags)) {
				c->done = 1;
				return;
			}
			continue;
		}
		above = kget(at.dentry, d_parent);
		if (above == at.dentry) { /* a root of its own: memfd, pipe, file handle */
			c->flags |= EXTRA_DETACHED;
			c->done = 1;
		}
		extract__path_name(direct, s, c, at.dentry);
		if (c->done)
			return;
		at.dentry = above;
	}
	c->dentry = (__u64)at.dentry;
	c->root = (__u64)at.root;
	c->mount = (__u64)at.mount;
}

static __always_inline void extract__path_some(struct scratch *s)
{
	if (cfg_direct)
		extract__path_by(true, s);
	else
		extract__path_by(false, s);
}

/* extract__path_steps: a few steps. A global function is verified once and not
 * at each of its calls, so that the loop around it costs the verifier nothing.
 */
__noinline int extract__path_steps(__u32 user)
{
	struct scratch *s = base__scratch_again(user);

	if (s)
		extract__path_some(s);
	return 0;
}

/* extract__path: adds an EXTRA_PATH of (mnt, dentry) to what is in the user's buffer. */
__noinline int extract__path(__u32 user, __u64 mnt, __u64 dentry, __u32 arg)
{
	struct scratch *s = base__scratch_again(user);
	struct event_extra *x;

	if (!s)
		return 0;
	x = base__extra_begin(s, arg, EXTRA_PATH);
	if (!x)
		return 0;
	if (cfg_direct)
		extract__path_begin(true, s, mnt, dentry);
	else
		extract__path_begin(false, s, mnt, dentry);
	for (__u32 i = 0; i < PATH_STEPS / PATH_STEPS_AT_ONCE; i++) {
		if (s->cursor.done)
			break;
		extract__path_steps(user);
	}
	if (!s->cursor.done)
		s->cursor.flags |= EXTRA_TRUNCATED;
	base__extra_end(s, x, s->cursor.pos - s->pos - sizeof(*x), s->cursor.flags);
	return 0;
}

/* extract__path_at: the same for a struct path at a kernel address. */
static __always_inline void extract__path_at(struct scratch *s, __u64 path, __u8 arg)
{
	__u64 dentry = kptr(path, path, dentry);

	if (dentry)
		extract__path(s->user, kptr(path, path, mnt), dentry, arg);
}

#endif
