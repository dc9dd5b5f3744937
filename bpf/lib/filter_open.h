/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Whether a set of filter.h may have the path of an open call: as the program
 * gave it, and as the kernel has it.
 */
#ifndef SIGHTGLASS_FILTER_OPEN_H
#define SIGHTGLASS_FILTER_OPEN_H

#include "extract_file.h"
#include "filter.h"

#define FILTER_STEPS 32 /* names and mounts; what lies deeper passes */

/* filter__named: whether set n may have the path that begins at data[at] of the
 * user's buffer; len counts its NUL.
 */
__noinline int filter__named(__u32 user, __u32 n, __u32 at, __u32 len)
{
	const struct path_set *set = filter__set(filter__now()->named, n);
	struct scratch *s = base__scratch_again(user);
	__u64 pos = at;

	pin(pos); /* 5.10 does not see that a copy of the argument is compared */
	if (!s || len > FILTER_PATH_WORDS * 8 || pos > SCRATCH_LAST)
		return 1;
	pin(pos);
	return filter__has_path(set, (const __u64 *)&s->data[pos], len, FILTER_PATH_WORDS);
}

/* filter__known: whether a file passes whatever its path is. */
static __always_inline bool filter__known(__u64 file)
{
	__u64 inode = kptr(file, file, f_inode);
	__u32 directory;

	if (filter__has_inode(known_inodes, kread(inode, inode, i_ino)))
		return true;
	directory = extract__directory(file);
	return directory && filter__has_inode(known_directories, directory);
}

/* filter__top: the first bytes of a dentry's name, 0 when there is none. */
static __always_inline __u64 filter__top(__u64 dentry, bool *is_long)
{
	__u64 word, ends;

	*is_long = false;
	if (!dentry)
		return 0;
	word = kload(kptr(dentry, dentry, d_name.name));
	ends = filter__zeros(word);
	*is_long = !ends;
	return filter__name(word, ends);
}

/* filter__has_top: whether a set may have a path that begins with the names of
 * two dentries.
 */
static __always_inline bool filter__has_top(const struct path_set *set, __u64 first, __u64 second)
{
	bool is_long;
	__u64 name = filter__top(first, &is_long);

	if (filter__has_one(set, name))
		return true;
	return !is_long && filter__has_two(set, name, filter__top(second, &is_long));
}

/* filter__has_file: whether a set may have the path of an open file, which is not
 * put together for that. True for what is nowhere in the tree of names.
 */
static __always_inline bool filter__has_file(const bool direct, const struct path_set *set,
					     struct file *file)
{
	struct dentry *first = 0, *second = 0, *above;
	struct place at;
	__u32 flags = 0;

	extract__place(direct, &at, kget(file, f_path.mnt), kget(file, f_path.dentry), &flags);
	for (__u32 i = 0; i < FILTER_STEPS; i++) {
		if (at.dentry == at.root) {
			flags = 0;
			if (!extract__cross(direct, &at, &flags))
				return flags || filter__has_top(set, (__u64)first, (__u64)second);
			continue;
		}
		above = kget(at.dentry, d_parent);
		if (above == at.dentry)
			return true;
		second = first;
		first = at.dentry;
		at.dentry = above;
	}
	return true;
}

/* filter__resolved: whether set n may have what an open call has opened. A file
 * that is known by its inode, or by its directory's, may have another path.
 */
__noinline int filter__resolved(__u32 fd, __u32 n)
{
	const struct path_set *set = filter__set(filter__now()->resolved, n);
	__u64 file = extract__fd(base__task(), fd);

	if (!file || extract__is_socket(file) || filter__known(file))
		return 1;
	return cfg_direct ? filter__has_file(true, set, base__cast(file, file))
			  : filter__has_file(false, set, (struct file *)file);
}

#endif
