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

/* extract__path_name: puts one name behind the others, unless there is no room. */
static __always_inline void extract__path_name(struct scratch *s, struct cursor *c, __u64 name,
					       __u32 len)
{
	__u64 pos = c->pos;

	len &= 0xff;
	if (pos + len >= c->end || pos > SCRATCH_DATA - 512) {
		c->flags |= EXTRA_TRUNCATED;
		c->done = 1;
		return;
	}
	pin(pos);
	pin(len);
	extract__copy_name(&s->data[pos], name, len);
	pos += len & 0xff;
	pin(pos);
	if (pos >= SCRATCH_DATA)
		return;
	s->data[pos] = 0;
	c->pos = pos + 1;
}

/* extract__path_begin: sets the cursor on (mnt, dentry). */
static __always_inline void extract__path_begin(struct scratch *s, __u64 mnt, __u64 dentry)
{
	struct cursor *c = &s->cursor;

	c->pos = s->pos + sizeof(struct event_extra);
	c->end = c->pos + STRING_MAX;
	c->flags = 0;
	c->done = 0;
	c->dentry = dentry;
	c->mount = mnt - bpf_core_field_offset(struct mount, mnt);
	c->root = kptr(vfsmount, mnt, mnt_root);
	if (!kptr(dentry, dentry, d_hash.pprev) && dentry != c->root &&
	    dentry != kptr(dentry, dentry, d_parent))
		c->flags = EXTRA_DELETED;
}

/* extract__path_by: a few steps, each up by one name or one mount. */
static __always_inline void extract__path_by(const bool direct, struct scratch *s)
{
	struct cursor *c = &s->cursor;
	struct dentry *dentry = (struct dentry *)c->dentry, *root = (struct dentry *)c->root,
		      *above;
	struct mount *mount = (struct mount *)c->mount, *up;
	__u64 ns;

	if (direct) {
		dentry = base__cast(dentry, dentry);
		root = base__cast(dentry, root);
		mount = base__cast(mount, mount);
	}
	for (__u32 i = 0; i < PATH_STEPS_AT_ONCE; i++) {
		if (dentry == root) {
			up = kget(mount, mnt_parent);
			if (up == mount || !up) {
				ns = (__u64)kget(mount, mnt_ns);
				if (!ns || ns > -4096ULL) /* unmounted, or the kernel's own */
					c->flags |= EXTRA_DETACHED;
				c->done = 1;
				return;
			}
			dentry = kget(mount, mnt_mountpoint);
			root = kget(up, mnt.mnt_root);
			mount = up;
			continue;
		}
		above = kget(dentry, d_parent);
		if (above == dentry) { /* a root of its own: memfd, pipe, file handle */
			c->flags |= EXTRA_DETACHED;
			c->done = 1;
		}
		extract__path_name(s, c, (__u64)kget(dentry, d_name.name),
				   kget(dentry, d_name.hash_len) >> 32);
		if (c->done)
			return;
		dentry = above;
	}
	c->dentry = (__u64)dentry;
	c->root = (__u64)root;
	c->mount = (__u64)mount;
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
	extract__path_begin(s, mnt, dentry);
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
