/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: which system calls have to do with a TLS
 * library in which their thread is.
 */
#ifndef SIGHTGLASS_TLS_CONCERN_H
#define SIGHTGLASS_TLS_CONCERN_H

#include "tls_record.h"
#include "tls_stream.h"

/* tls__is_bound: whether the session that a thread is in is known to use a socket. */
static __always_inline bool tls__is_bound(const struct tls_thread *t, __u64 sk, __u64 id)
{
	return t->sk == sk && t->id == (id | TLS_STREAM) && t->state & TLS_NATIVE;
}

/* tls__is_inside: whether a thread is inside a library, and a call tells something
 * about that. A write that is seen to begin may be over when something is received.
 */
static __always_inline bool tls__is_inside(const struct tls_thread *t, const struct requests_io *io,
					   __u32 tid)
{
	return t->tid == tid && t->call && (t->call != TLS_WRITE || io->call & IO_SEND);
}

/* tls__ends: whether a call tells that nothing more will be received. */
static __always_inline bool tls__ends(const struct requests_io *io)
{
	return !(io->call & IO_SEND) && (!io->ret || requests__is_end(io->ret));
}

/* tls__fails: whether it matters that a call moved nothing. Inside of a read it
 * does not as soon as the socket is known.
 */
static __always_inline bool tls__fails(const struct requests_io *io)
{
	struct tls_thread *t;

	if (!tls__is_used())
		return false;
	t = tls__slot(io->tid);
	if (!t || t->tid != io->tid || !t->call)
		return false;
	if (io->call & IO_SEND || t->call != TLS_READ || !t->sk || !(t->state & TLS_NATIVE))
		return true;
	t->state |= TLS_NESTED | TLS_DRY;
	return false;
}

/* tls__heard: notes from which socket a thread has received cipher text, for
 * libraries whose callers do that; what else it hears is not worth a thought.
 */
static __always_inline void tls__heard(struct tls_thread *t, const struct requests_socket *s,
				       const struct requests_io *io, __u32 tid)
{
	bool is_tls =
		s->flags & REQUESTS_COVERED || (cfg_tls_class && s->end.class == cfg_tls_class);
	__u8 head[4] = {};

	if (!is_tls && s->flags & REQUESTS_BORING && (io->call & IO_KIND) == IO_BUFFER &&
	    !bpf_probe_read_user(head, sizeof(head), (void *)io->args[1]))
		is_tls = head[0] >= 20 && head[0] <= TLS_TYPE_DATA && head[1] == TLS_MAJOR;
	if (t->tid != tid) {
		if (!is_tls)
			return;
		if (t->call)
			tls__count(displaced);
		__builtin_memset(t, 0, sizeof(*t));
		t->tid = tid;
	}
	t->heard = is_tls ? io->sk : 0;
	t->heard_id = (__u32)s->id;
	t->state &= ~TLS_TAKEN;
}

/* tls__concerns: whether a call on a stream socket has to do with a library in
 * which its thread is. What it received outside of any may be for one.
 */
static __always_inline bool tls__concerns(const struct requests_socket *s,
					  const struct requests_io *io)
{
	__u32 tid = io->tid;
	struct tls_thread *t = tls__slot(tid);

	if (!t)
		return false;
	if (tls__is_inside(t, io, tid)) {
		if (t->call != TLS_READ || io->call & IO_SEND || io->ret <= 0 ||
		    !tls__is_bound(t, io->sk, s->id))
			return true;
		t->state = (t->state | TLS_NESTED) & ~TLS_DRY; /* this is all there is to do */
		return false;
	}
	if (io->ret > 0 && !(io->call & IO_SEND))
		tls__heard(t, s, io, tid);
	return s->flags & REQUESTS_COVERED && tls__ends(io);
}

#endif
