/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* The wire: what the kernel programs write into the ring buffers and
 * internal/event decodes. Everything is in the byte order of the machine,
 * every struct is a multiple of 8 bytes without holes.
 *
 *	syscall record = event_header event_task event_syscall extra*
 *	exec, process  = event_header event_task event_exec extra*
 *	fork           = event_header event_task event_fork
 *	exit           = event_header event_task event_exit
 *	cgroup_*       = event_header event_cgroup extra
 *	extra          = event_extra, len bytes, padding to a multiple of 8
 *
 * Types from 64 on belong to the requests ring (requests.h).
 */
#ifndef SIGHTGLASS_EVENT_H
#define SIGHTGLASS_EVENT_H

enum event_type {
	EVENT_SYSCALL = 1,
	EVENT_EXEC = 2,
	EVENT_FORK = 3,
	EVENT_EXIT = 4,
	EVENT_CGROUP_MKDIR = 5,
	EVENT_CGROUP_RMDIR = 6,
	EVENT_PROCESS = 7,
	EVENT_DATA = 64,
	EVENT_SOCKET_CLOSE = 65,
};

/* Bits of event_header.flags. */
enum event_flag {
	EVENT_FLAG_SELF = 1, /* the agent's own doing */
	EVENT_FLAG_TRUNCATED = 2, /* something was cut; the extra says what */
	EVENT_FLAG_LATE = 4, /* an argument was read at exit */
	EVENT_FLAG_NO_ENTER = 8, /* the call's entry was not seen */
};

struct event_header {
	__u16 type; /* enum event_type */
	__u16 flags; /* enum event_flag */
	__u32 len; /* of the record, this header included */
	__u64 time; /* CLOCK_BOOTTIME, ns */
	__u64 start; /* of the thread group's leader, ns since boot */
	__u32 tgid;
	__u32 tid;
};

#define EVENT_NO_ID (~0U) /* unset loginuid or session */

/* Bits of event_task.flags. */
enum event_task_flag {
	EVENT_TASK_KTHREAD = 1,
};

struct event_task {
	__u64 parent_start;
	__u64 cgroup_id;
	__u32 parent_tgid;
	__u32 uid;
	__u32 gid;
	__u32 euid;
	__u32 egid;
	__u32 loginuid;
	__u32 session;
	__u32 tty; /* in the form of stat's tty_nr */
	__u32 vpid; /* of the thread group, innermost pid namespace */
	__u32 vtid;
	__u32 cgroup_hierarchy; /* 0: version 2 */
	__u32 mnt_ns; /* inode numbers */
	__u32 pid_ns;
	__u32 net_ns;
	__u32 flags; /* enum event_task_flag */
	__u32 pgid; /* process group, the host's view */
	__u8 comm[16];
};

enum event_abi {
	EVENT_ABI_NATIVE = 0,
	EVENT_ABI_32 = 1,
	EVENT_ABI_X32 = 2,
};

struct event_syscall {
	__s64 ret;
	__u64 enter; /* CLOCK_BOOTTIME, ns; 0 when not measured */
	__u64 args[6]; /* registers */
	__u16 row; /* of internal/syscalls.Table */
	__u8 abi; /* enum event_abi */
	__u8 relative; /* bit n: path argument n was relative or empty */
	__u32 reserved;
};

/* Kinds of arguments, as in internal/syscalls. Those below ARG_POINTER are the
 * register itself.
 */
enum arg_kind {
	ARG_NONE = 0,
	ARG_FD = 6,
	ARG_DIRFD = 7,
	ARG_POINTER = 32,
	ARG_PATH = 32,
	ARG_TEXT = 33,
	ARG_SOCKADDR = 34,
	ARG_SOCKADDR_OUT = 35,
	ARG_OPEN_HOW = 36,
	ARG_BYTES = 37,
	ARG_STRINGS = 38,
	ARG_RLIMIT = 39,
	ARG_RLIMIT_LONG = 40,
	ARG_CLONE_ARGS = 41,
	ARG_MESSAGE = 42,
	ARG_FD_BEFORE = 43,
	ARG_WRITTEN = 48, /* from here on: memory that the kernel writes, read at exit */
	ARG_FD_PAIR = 48,
	ARG_BYTES_OUT = 49,
	ARG_SOCKADDR_FROM = 50,
	ARG_MESSAGE_OUT = 51,
	ARG_RLIMIT_OUT = 52,
	ARG_RING_PARAMS = 53,
	ARG_MESSAGES_OUT = 54,
};

/* What event_extra.arg names: an argument by its index, or one of these. */
enum event_part {
	PART_RESULT = 8, /* what the returned descriptor stands for */
	PART_CWD = 9,
	PART_EXE = 10, /* exec: the rest */
	PART_FILENAME = 11,
	PART_INTERP = 12,
	PART_ARGV = 13,
	PART_ENV = 14,
	PART_CGROUP = 15,
	PART_IDENTITY = 16,
};

enum event_extra_kind {
	EXTRA_BYTES = 1, /* memory of the caller, a final NUL included if it was one */
	EXTRA_PATH = 2, /* names from the file up to the root, each with a NUL */
	EXTRA_FILE = 3, /* struct event_file */
	EXTRA_SOCKET = 4, /* struct event_socket */
	EXTRA_UNIX_LOCAL = 5, /* sun_path */
	EXTRA_UNIX_PEER = 6,
	EXTRA_ADDRESS = 7, /* struct sockaddr inside an ARG_MESSAGE */
	EXTRA_IDENTITY = 8, /* struct event_identity */
};

enum event_extra_flag {
	EXTRA_TRUNCATED = 1,
	EXTRA_LATE = 2,
	EXTRA_UNREADABLE = 4,
	EXTRA_DELETED = 8,
	EXTRA_DETACHED = 16,
};

struct event_extra {
	__u8 arg; /* index or enum event_part */
	__u8 kind; /* enum event_extra_kind */
	__u16 flags; /* enum event_extra_flag */
	__u32 len; /* bytes that follow, without the padding */
};

enum event_file_flag {
	EVENT_FILE_UPPER = 1,
	EVENT_FILE_LOWER = 2,
	EVENT_FILE_MEMFD = 4,
	EVENT_FILE_DELETED = 8,
	EVENT_FILE_CREATED = 16,
	EVENT_FILE_WRITABLE = 32, /* of an executable: its user may write or change it */
};

struct event_file {
	__u64 inode;
	__u32 dev; /* major<<20 | minor */
	__u32 mode;
	__u32 flags; /* enum event_file_flag */
	__u32 directory; /* of a file opened to be written: its inode, the lower bits; 0 unknown */
};

enum event_socket_flag {
	EVENT_SOCKET_BOUND = 1, /* the program chose the local port */
	EVENT_SOCKET_ACCEPTED = 2, /* a listening socket made it */
};

struct event_socket {
	__u16 family;
	__u16 type;
	__u16 protocol;
	__u8 state; /* TCP_* */
	__u8 flags; /* enum event_socket_flag */
	__u16 local_port; /* host order */
	__u16 peer_port;
	__u32 net_ns;
	__u8 local_addr[16];
	__u8 peer_addr[16];
};

struct event_exec {
	__u32 old_tid;
	__u32 argc;
	struct event_file file;
	__u64 ctime; /* of the executable, ns since 1970 */
	__u64 mtime;
	__u64 input; /* inode of the pipe that is descriptor 0; 0: it is none */
	__u64 output; /* likewise descriptor 1 */
	__u64 substituted; /* likewise descriptor 63, the first <(...) of bash */
};

/* What changes by an exec or by few calls only, as it is after them. */
struct event_identity {
	__u64 cap_inheritable;
	__u64 cap_permitted;
	__u64 cap_effective;
	__u64 pid_ns_start; /* of the name space's first process, ns since boot */
	__u32 sid; /* session, in the innermost pid namespace; 0 when not of it */
	__u32 vpgid; /* process group, likewise */
};

struct event_fork {
	__u64 parent_start;
	__u32 parent_tgid;
	__u32 parent_tid;
};

struct event_exit {
	__u8 code;
	__u8 signal;
	__u8 core;
	__u8 reserved[5];
};

struct event_cgroup {
	__u64 id;
	__u32 hierarchy;
	__u32 level;
};

#endif
