/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: which calls are captured, and how. internal/bpf fills the tables
 * from internal/syscalls.Table.
 */
#ifndef SIGHTGLASS_CALLS_H
#define SIGHTGLASS_CALLS_H

#include "base.h"

#define CALL_MAX 1024 /* numbers of all conventions lie below; x32's own are 512.. */
#define ROW_MAX 256
#define ROW_NONE 0 /* row 0 is unused: rows are counted from 1 */
#define CALL_CLASSES 8 /* of calls that ended, as in internal/interest */
#define CALL_CLASS_FAILED 4 /* and below: the access mode, or enum socket_kind */
#define ROW_SOCKETCALL 255 /* i386 number that stands for many calls */

/* Bits of call_flags: what a number means. One number means different calls in
 * the native and in the 32-bit convention.
 */
enum call_flag {
	CALL_WANTED = 1, /* the native call */
	CALL_WANTED_COMPAT = 2, /* the 32-bit call */
	CALL_IO = 4, /* native, and the request capture wants it */
	CALL_IO_COMPAT = 8, /* 32-bit, and the request capture wants to know of it */
	CALL_IO_ENTER = 16, /* native, and the request capture wants its entry too */
};

/* What a result that is no error stands for; as in internal/syscalls. */
enum call_result {
	RESULT_FILE = 2,
	RESULT_SOCKET = 3,
	RESULT_DESCRIPTOR = 4,
	RESULT_CWD = 6,
};

/* Bits of syscall_spec.flags. */
enum spec_flag {
	SPEC_ENTER = 1, /* has memory arguments to be read at enter */
	SPEC_TIMED = 2, /* record when it began */
	SPEC_EXEC = 4, /* success is told by sched_process_exec */
	SPEC_IDENTITY = 8, /* changes what event_identity tells */
	SPEC_SOCKET = 16, /* its class tells what socket argument 0 is */
	SPEC_SHORT = 32, /* a string at most, and what it may have opened (syscall_short.h) */
};

struct syscall_spec {
	__u8 kinds[6]; /* enum arg_kind */
	__u8 result; /* enum call_result */
	__u8 flags; /* enum spec_flag */
	__u8 memory; /* bit n: argument n is memory that is copied */
	__u8 fds; /* bit n: argument n is an ARG_FD */
	__u8 written; /* bit n: argument n is memory that the kernel writes */
	__u8 access; /* the argument with the flags of an open call, plus 1; 0: none */
	__u8 text; /* the argument that is a string, the only memory; plus 1; 0: none or more */
};

const __weak struct syscall_spec cfg_specs[ROW_MAX] = {};
const __weak __u8 cfg_rows[CALL_MAX] = {};
const __weak __u8 cfg_rows_compat[CALL_MAX] = {};
const __weak __u8 cfg_rows_socketcall[32] = {};

/* Changed while the programs run. */
__u8 call_flags[CALL_MAX] = {};
__u8 row_wanted[ROW_MAX] = {};

#endif
