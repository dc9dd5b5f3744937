/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* ARG_FD, ARG_DIRFD and results that are descriptors: the kernel's view of what
 * is behind them.
 */
#ifndef SIGHTGLASS_ARG_FD_H
#define SIGHTGLASS_ARG_FD_H

#include "../lib/extract_socket.h"

#define AT_FDCWD (-100)

/* arg__emit_fd: path and facts of the file, or addresses of the socket. */
__noinline int arg__emit_fd(__u32 user, __u64 task, __u32 fd, __u32 part)
{
	struct scratch *s = base__scratch_again(user);
	__u64 file;

	if (!s)
		return 0;
	file = extract__fd(task, fd);
	if (!file)
		return 0;
	if (extract__is_socket(file))
		extract__socket_extras(s, extract__sock(file), part);
	else
		extract__file_extras(s, file, part);
	return 0;
}

/* arg__emit_dirfd: the directory that a relative path begins at. */
static __always_inline void arg__emit_dirfd(struct scratch *s, __u64 task, __u32 fd, __u8 part)
{
	__u64 file = extract__fd(task, fd);

	if (file)
		extract__path_at(s, kaddr(file, file, f_path), part);
}

static __always_inline void arg__emit_cwd(struct scratch *s, __u64 task, __u8 part)
{
	extract__path_at(s, kaddr(fs_struct, kptr(task_struct, task, fs), pwd), part);
}

#endif
