/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: facts about an open file. */
#ifndef SIGHTGLASS_EXTRACT_FILE_H
#define SIGHTGLASS_EXTRACT_FILE_H

#include "extract_path.h"

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFIFO 0010000
#define OVERLAYFS_MAGIC 0x794c7630
#define TMPFS_MAGIC 0x01021994
#define FMODE_WRITE 2
#define FMODE_CREATED 0x100000
#define MNT_INTERNAL 0x4000

static __always_inline __u64 extract__fd_by(const bool direct, struct task_struct *task, __u32 fd)
{
	struct files_struct *files = kget(task, files);
	struct fdtable *table = kget(files, fdt);

	if (!table || fd >= kget(table, max_fds))
		return 0;
	return kload(kptr(fdtable, table, fd) + (__u64)fd * 8);
}

/* extract__fd: the struct file behind a descriptor of the task, 0 for none. The
 * table may change under us; the reads cannot fault.
 */
static __always_inline __u64 extract__fd(__u64 task, __u32 fd)
{
	return cfg_direct ? extract__fd_by(true, base__cast(task_struct, task), fd)
			  : extract__fd_by(false, (struct task_struct *)task, fd);
}

static __always_inline bool extract__is_socket(__u64 file)
{
	return (kread(inode, kptr(file, file, f_inode), i_mode) & S_IFMT) == S_IFSOCK;
}

/* extract__layer: which layer of an overlay file system a file comes from. The
 * dentry of the upper layer stands right behind the inode that is embedded in
 * the file system's own; the layout is the same from 4.19 on.
 */
static __always_inline __u32 extract__layer(__u64 inode)
{
	if (kload(inode + bpf_core_type_size(struct inode)))
		return EVENT_FILE_UPPER;
	return EVENT_FILE_LOWER;
}

/* extract__is_memfd: a file of the kernel's internal tmpfs whose name begins as
 * memfd_create makes it.
 */
static __always_inline bool extract__is_memfd(__u64 file)
{
	__u64 mnt = kptr(path, kaddr(file, file, f_path), mnt);
	__u64 dentry = kptr(path, kaddr(file, file, f_path), dentry);
	const __u64 memfd = 0x3a64666d656dULL; /* "memfd:" */

	if (!(kread(vfsmount, mnt, mnt_flags) & MNT_INTERNAL))
		return false;
	return (kload(kptr(dentry, dentry, d_name.name)) & 0xffffffffffffULL) == memfd;
}

/* extract__pipe: the inode of the pipe that a descriptor of the task is, or 0. */
static __always_inline __u64 extract__pipe(__u64 task, __u32 fd)
{
	__u64 file = extract__fd(task, fd), inode = file ? kptr(file, file, f_inode) : 0;

	if (!inode || (kread(inode, inode, i_mode) & S_IFMT) != S_IFIFO)
		return 0;
	return kread(inode, inode, i_ino);
}

static __always_inline __u32 extract__directory_by(const bool direct, struct file *file, __u32 mode)
{
	struct dentry *dentry, *parent;

	if (!(mode & (FMODE_WRITE | FMODE_CREATED)))
		return 0;
	dentry = kget(file, f_path.dentry);
	parent = kget(dentry, d_parent);
	return (__u32)kget(kget(parent, d_inode), i_ino);
}

/* extract__directory: the inode number, its lower bits, of the directory of a file
 * that was opened to be written; 0 for others.
 */
static __always_inline __u32 extract__directory(__u64 file)
{
	__u32 mode = kread(file, file, f_mode);

	return cfg_direct ? extract__directory_by(true, base__cast(file, file), mode)
			  : extract__directory_by(false, (struct file *)file, mode);
}

/* extract__file_by: inode and mode are the file's own. Members are read once: what is
 * written to out may be theirs, for all that the compiler knows.
 */
static __always_inline void extract__file_by(const bool direct, struct file *file,
					     struct inode *inode, __u16 inode_mode,
					     struct event_file *out)
{
	struct super_block *sb = kget(inode, i_sb);
	__u32 flags = 0, mode = kget(file, f_mode);

	if (mode & FMODE_CREATED)
		flags |= EVENT_FILE_CREATED;
	if (!kget(inode, i_nlink)) {
		flags |= EVENT_FILE_DELETED;
		if (extract__is_memfd((__u64)file))
			flags |= EVENT_FILE_MEMFD;
	}
	if (kget(sb, s_magic) == OVERLAYFS_MAGIC)
		flags |= extract__layer((__u64)inode);
	out->inode = kget(inode, i_ino);
	out->dev = kget(sb, s_dev);
	out->mode = inode_mode;
	out->flags = flags;
	out->directory = extract__directory_by(direct, file, mode);
}

static __always_inline void extract__file_of(const bool direct, struct file *file,
					     struct event_file *out)
{
	struct inode *inode = kget(file, f_inode);

	extract__file_by(direct, file, inode, kget(inode, i_mode), out);
}

/* extract__file: fills out from an open file. */
static __always_inline void extract__file(__u64 file, struct event_file *out)
{
	if (cfg_direct)
		extract__file_of(true, base__cast(file, file), out);
	else
		extract__file_of(false, (struct file *)file, out);
}

/* extract__file_extras: adds EXTRA_PATH and EXTRA_FILE of an open file. */
static __always_inline void extract__file_extras(struct scratch *s, __u64 file, __u8 arg)
{
	struct event_extra *x;

	extract__path_at(s, kaddr(file, file, f_path), arg);
	x = base__extra_begin(s, arg, EXTRA_FILE);
	if (!x)
		return;
	extract__file(file, (struct event_file *)(x + 1));
	base__extra_end(s, x, sizeof(struct event_file), 0);
}

#endif
