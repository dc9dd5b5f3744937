/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: which call ended, and on which socket. */
#ifndef SIGHTGLASS_REQUESTS_CALL_H
#define SIGHTGLASS_REQUESTS_CALL_H

#include "lib/extract_call.h"
#include "requests_stray.h"
#include "tls_concern.h"
#include "tls_kernel.h"

#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

static __always_inline __u8 requests__call(__u64 nr)
{
	if (nr >= REQUESTS_CALLS)
		return IO_NONE;
	pin(nr);
	return cfg_io_calls[nr & (REQUESTS_CALLS - 1)];
}

/* requests__begin: what a call is that ended; false when it is none of ours, a
 * receive that took nothing out of the stream, or failed without a meaning. Of the
 * arguments it reads those that all of them need.
 */
static __always_inline bool requests__begin(struct requests_io *io, __u64 task,
					    struct bpf_raw_tracepoint_args *ctx)
{
	__u64 regs = ctx->args[0], flags;

	io->ret = ctx->args[1];
	io->nr = extract__nr(regs);
	io->call = requests__call(io->nr);
	if (!io->call || extract__is_compat_of(task))
		return false;
	requests__by(io);
	if (io->call == IO_LOOP || io->call == IO_URING) {
		if (io->call == IO_URING && io->ret >= 0)
			requests__stray(WAY_URING);
		requests__loops(io->tid);
		return false;
	}
	if (requests__is_nothing(io->ret) && (io->call == IO_OPTION || !tls__fails(io)))
		return false;
	io->args[0] = extract__arg(regs, 0);
	io->args[1] = extract__arg(regs, 1);
	io->args[2] = extract__arg(regs, 2);
	if (io->call == IO_OPTION && !tls__takes_keys(io))
		return false;
	if (!io->ret && (io->call & IO_KIND) == IO_BUFFER && !io->args[2])
		return false; /* asked for nothing, which is no end */
	if (!(io->call & IO_FLAGS))
		return true;
	flags = (io->call & IO_KIND) == IO_MESSAGE ? io->args[2] : extract__arg(regs, 3);
	return !(flags & (MSG_PEEK | MSG_ERRQUEUE));
}

/* requests__which: the socket of a call, whose first descriptor is a file; false for
 * none. splice has two descriptors, one of them a pipe; it sends if the first is no
 * socket.
 */
static __always_inline bool requests__which(struct requests_io *io, __u64 file, __u64 task,
					    struct requests_handle *h)
{
	if (!requests__handle_of(file, h)) {
		if ((io->call & IO_KIND) != IO_SPLICE || !requests__handle(task, io->args[2], h))
			return false;
		io->call |= IO_SEND;
	}
	io->sk = h->sk;
	io->type = h->type;
	return true;
}

#endif
