/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The short way of the exit of a 64-bit call that passes the filter, as of nearly all
 * calls about files: of one string, which lies whole in the slot of its thread, or
 * of none, and of a file that it may have opened. Its record is put together right in
 * the ring and comes to the same as that of the long way (syscall_exit.h), which takes
 * what does not fit here. For kernels with bpf_rdonly_cast.
 */
#ifndef SIGHTGLASS_SYSCALL_SHORT_H
#define SIGHTGLASS_SYSCALL_SHORT_H

#include "syscall_text.h"

/* Room in the ring for each record: what has a fixed size takes 256 bytes, string
 * and path of the file the rest.
 */
#define SHORT_SIZE 448
#define SHORT_TEXT 96 /* bytes of the string, its header included */
#define SHORT_STEPS 10 /* names and mounts */
#define SHORT_NAME (NAME_WORDS * 8)

struct short_record {
	struct syscall_record base;
	__u8 data[SHORT_SIZE - sizeof(struct syscall_record)];
};

/* What a call has opened; file is NULL for nothing. */
struct opened {
	struct file *file;
	struct inode *inode;
	__u64 mode; /* of the inode */
};

/* short__extra: an extra at a position of the record, checked. */
#define short__extra(r, pos) ((struct event_extra *)((__u8 *)(r) + (pos)))

/* short__name: puts a name and its NUL to the position that x->len holds. */
static __always_inline bool short__name(struct short_record *r, struct event_extra *x,
					struct dentry *dentry)
{
	__u64 pos = x->len;
	__u32 len = dentry->d_name.hash_len >> 32;
	__u8 *to;

	if (len > SHORT_NAME || pos > SHORT_SIZE - SHORT_NAME - 8)
		return false;
	pin(pos);
	pin(len);
	to = (__u8 *)r + pos;
	extract__copy_name(true, to, (__u64)dentry->d_name.name, len);
	to[len] = 0;
	x->len = pos + len + 1;
	return true;
}

/* short__path: the path of an open file, x->len being where it begins; then it is
 * where it ends.
 */
static __always_inline bool short__path(struct short_record *r, struct event_extra *x,
					struct file *file)
{
	struct dentry *above;
	struct place at;
	__u32 flags = 0;

	extract__place(true, &at, file->f_path.mnt, file->f_path.dentry, &flags);
	x->flags = flags;
	for (__u32 i = 0; i < SHORT_STEPS; i++) {
		if (at.dentry == at.root) {
			flags = 0;
			if (extract__cross(true, &at, &flags))
				continue;
			x->flags |= flags;
			return true;
		}
		above = at.dentry->d_parent;
		if (!short__name(r, x, at.dentry))
			return false;
		if (above == at.dentry) {
			x->flags |= EXTRA_DETACHED;
			return true;
		}
		at.dentry = above;
	}
	return false;
}

/* short__opened: what is behind a new descriptor. False when it is no file. */
static __always_inline bool short__opened(struct task_struct *current, __u32 fd,
					  struct opened *opened)
{
	__u64 file = extract__fd_by(true, current, fd);

	if (!file)
		return false;
	opened->file = base__cast(file, file);
	opened->inode = opened->file->f_inode;
	opened->mode = opened->inode->i_mode;
	return (opened->mode & S_IFMT) != S_IFSOCK;
}

/* short__file: what extract__file_extras adds of the opened file, from a position on
 * that a constant bounds. Returns the position behind it, 0 when it does not fit.
 */
static __always_inline __u32 short__file(struct short_record *r, __u64 pos,
					 const struct opened *opened)
{
	struct event_extra *x = short__extra(r, pos);
	__u32 end;

	x->arg = PART_RESULT;
	x->kind = EXTRA_FILE;
	x->flags = 0;
	x->len = sizeof(struct event_file);
	extract__file_by(true, opened->file, opened->inode, opened->mode,
			 (struct event_file *)(x + 1));
	pos += sizeof(*x) + sizeof(struct event_file);
	x = short__extra(r, pos);
	x->arg = PART_RESULT;
	x->kind = EXTRA_PATH;
	x->flags = 0;
	x->len = pos + sizeof(*x);
	if (!short__path(r, x, opened->file))
		return 0;
	end = x->len;
	x->len = end - (pos + sizeof(*x));
	return ALIGN8(end);
}

/* short__slot: the slot with the string of the call that ends, NULL when it is not
 * there, or begins at a directory that is to be told as well.
 */
static __always_inline struct stash_slot *short__slot(__u32 tid, __u32 nr)
{
	struct stash_slot *slot = base__stash_slot(tid);

	if (!slot || slot->owner != tid || !slot->stash.head.active || slot->stash.head.nr != nr ||
	    slot->stash.head.big || slot->stash.head.flags || !slot->stash.head.have ||
	    slot->stash.head.relative || slot->stash.head.len > SHORT_TEXT)
		return 0;
	return slot;
}

/* short__touch: writes into each line of the record's first part, which the reader's CPU
 * has had last, so that they come over while the facts are gathered.
 */
static __always_inline void short__touch(struct short_record *r)
{
#pragma unroll
	for (__u32 i = 0; i < SHORT_SIZE - 64; i += 64)
		*(volatile __u64 *)((__u8 *)r + i) = 0;
}

/* short__fill: puts the record together. Returns its length, 0 when it does not fit. */
static __always_inline __u32 short__fill(struct short_record *r, struct task_struct *current,
					 const struct stash_slot *slot, const struct opened *opened)
{
	__u64 pos = sizeof(struct syscall_record);
	__u32 len;

	r->base.base.header.time = bpf_ktime_get_boot_ns();
	extract__who_by(true, current, &r->base.base.header);
	extract__task_by(true, current, &r->base.base.task);
	r->base.call.enter = 0;
	if (slot) {
		r->base.call.enter = slot->stash.head.enter;
		len = slot->stash.head.len;
		pin(len);
		if (len > SHORT_TEXT)
			return 0;
		base__stash_copy((__u64 *)((__u8 *)r + pos), slot->stash.data, len, SHORT_TEXT);
		pos += len;
	}
	return opened->file ? short__file(r, pos, opened) : (__u32)pos;
}

/* syscall__short: sends the record of a call. False when it has to go the long way. */
static __always_inline bool syscall__short(struct bpf_raw_tracepoint_args *ctx, struct counters *c,
					   struct task_struct *current, __u32 tid, __u32 nr,
					   __u8 abi)
{
	__u64 row = syscall__native_row(nr), regs = ctx->args[0];
	const struct syscall_spec *spec = syscall__spec(row);
	struct stash_slot *slot = 0;
	struct event_syscall *call;
	__s64 ret = ctx->args[1];
	struct opened opened = {};
	struct short_record *r;
	__u32 len;

	if (!(spec->flags & SPEC_SHORT))
		return false;
	if (spec->text) {
		slot = short__slot(tid, nr);
		if (!slot)
			return false;
	}
	if (ret >= 0 && spec->result == RESULT_FILE && !short__opened(current, (__u32)ret, &opened))
		return false;
	r = bpf_ringbuf_reserve(&ring_security, SHORT_SIZE, 0);
	if (!r)
		return false; /* the long way may fit, and counts */
	short__touch(r);
	len = short__fill(r, current, slot, &opened);
	if (!len) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return false;
	}
	call = &r->base.call;
	call->ret = ret;
	extract__args(regs, call->args);
	call->row = row - 1;
	call->abi = abi;
	call->relative = 0;
	call->reserved = 0;
	r->base.base.header.type = EVENT_SYSCALL;
	r->base.base.header.flags = base__is_self(r->base.base.header.tgid) ? EVENT_FLAG_SELF : 0;
	r->base.base.header.len = len;
	c->told++;
	bpf_ringbuf_submit(r, emit__wakeup(&ring_security, c->told));
	if (slot) {
		slot->stash.head.active = 0;
		base__stash_release(slot);
	}
	return true;
}

#endif
