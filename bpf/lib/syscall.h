/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Which row a call belongs to, and the reading of its arguments: what enter and
 * exit have in common.
 */
#ifndef SIGHTGLASS_SYSCALL_H
#define SIGHTGLASS_SYSCALL_H

#include "../arg/bytes.h"
#include "../arg/fd.h"
#include "../arg/fixed.h"
#include "../arg/message.h"
#include "../arg/sockaddr.h"
#include "../arg/string.h"
#include "../arg/strings.h"
#include "calls.h"
#include "extract_call.h"
#include "stash.h"

/* syscall__index: a call number as an index of the tables, CALL_MAX for none. */
static __always_inline __u32 syscall__index(__u64 nr)
{
	__u32 n = (__u32)nr & ~X32_BIT;

	return n < CALL_MAX ? n : CALL_MAX;
}

/* syscall__flags: enum call_flag of a number; the first thing asked about every
 * call of the machine.
 */
static __always_inline __u8 syscall__flags(__u64 nr)
{
	__u32 n = (__u32)nr & ~X32_BIT;

	if (n >= CALL_MAX)
		return 0;
	pin(n);
	return call_flags[n & (CALL_MAX - 1)];
}

static __always_inline __u8 syscall__abi(struct task_struct *current, __u32 nr)
{
	if (extract__is_compat(current))
		return EVENT_ABI_32;
	return nr & X32_BIT ? EVENT_ABI_X32 : EVENT_ABI_NATIVE;
}

static __always_inline const struct syscall_spec *syscall__spec(__u8 row)
{
	__u64 n = row;

	pin(n);
	return &cfg_specs[n & (ROW_MAX - 1)];
}

/* syscall__socketcall: i386 passes the network calls' arguments in memory, and
 * which call it is in the first register.
 */
static __always_inline __u8 syscall__socketcall(__u64 *args)
{
	__u32 words[6] = {};
	__u32 call = (__u32)args[0];

	bpf_probe_read_user(words, sizeof(words), (void *)args[1]);
	for (int i = 0; i < 6; i++)
		args[i] = words[i];
	return cfg_rows_socketcall[call & 31];
}

/* syscall__native_row: the row of a call that is not of the 32-bit convention,
 * wanted or not.
 */
static __always_inline __u64 syscall__native_row(__u32 nr)
{
	__u64 n = nr & (CALL_MAX - 1), row;

	pin(n);
	row = cfg_rows[n & (CALL_MAX - 1)];
	pin(row);
	return row;
}

/* syscall__row: the row of the call, and its arguments; ROW_NONE when nobody
 * wants it.
 */
static __always_inline __u8 syscall__row(__u64 regs, __u32 nr, __u8 abi, __u8 flags, __u64 *args)
{
	__u32 n = nr & (CALL_MAX - 1);
	__u64 row;

	pin(n);
	if (abi != EVENT_ABI_32) {
		if (!(flags & CALL_WANTED))
			return ROW_NONE;
		extract__args(regs, args);
		row = syscall__native_row(nr);
	} else {
		if (!(flags & CALL_WANTED_COMPAT))
			return ROW_NONE;
		extract__args_compat(regs, args);
		row = cfg_rows_compat[n & (CALL_MAX - 1)];
		if (row == ROW_SOCKETCALL)
			row = syscall__socketcall(args);
	}
	pin(row);
	return row_wanted[row & (ROW_MAX - 1)] ? row : ROW_NONE;
}

/* syscall__read_arg: adds memory argument i, if kind is one. */
static __always_inline enum arg_read syscall__read_arg(struct scratch *s, __u8 kind, __u8 i,
						       const __u64 *args, __u8 abi, __u16 flags)
{
	__u64 next = i < 5 ? args[i + 1] : 0;
	__u32 narrow = abi != EVENT_ABI_NATIVE;

	switch (kind) {
	case ARG_PATH:
	case ARG_TEXT:
		return arg__read_string(s, i, args[i], flags);
	case ARG_SOCKADDR:
		return arg__read_sockaddr(s, i, EXTRA_BYTES, args[i], next, flags);
	case ARG_OPEN_HOW:
		return arg__read_fixed(s, i, args[i], OPEN_HOW_SIZE, flags);
	case ARG_BYTES:
		return arg__read_bytes(s, i, args[i], next, flags);
	case ARG_STRINGS:
		return arg__read_strings(s->user, i, args[i], flags, narrow ? 4 : 8);
	case ARG_RLIMIT:
	case ARG_RLIMIT_LONG:
		return arg__read_fixed(s, i, args[i], RLIMIT_SIZE, flags);
	case ARG_CLONE_ARGS:
		return arg__read_fixed(s, i, args[i], CLONE_ARGS_SIZE, flags);
	case ARG_MESSAGE:
		return arg__read_message(s->user, i, args[i], BYTES_MAX + 1, flags | narrow << 31);
	case ARG_FD_BEFORE:
		if (flags & EXTRA_LATE) /* another thread may have the number by now */
			return ARG_READ_FAILED;
		arg__emit_fd(s->user, base__task(), (__u32)args[i], i);
		return ARG_READ_OK;
	default:
		return ARG_READ_FAILED;
	}
}

#endif
