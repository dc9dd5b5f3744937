/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: system calls that a thread makes while it is
 * inside a TLS library. They tell which socket a session uses, and when what is
 * written leaves (tls_send.h).
 */
#ifndef SIGHTGLASS_TLS_NESTED_H
#define SIGHTGLASS_TLS_NESTED_H

#include "tls_send.h"

/* tls__received: the library has received something, or there was nothing. */
static __always_inline void tls__received(struct tls_thread *t, __s64 ret)
{
	if (requests__is_nothing(ret))
		t->state |= TLS_DRY;
	else
		t->state &= ~TLS_DRY;
}

/* tls__over: a socket that a library reads itself yields nothing more: so does its
 * plain text, of which it has handed over all.
 */
static __always_inline bool tls__over(const struct requests_io *io, __u64 id, struct tls_text *text)
{
	__u64 key = io->sk | TLS_KEY;
	struct requests_socket *plain = bpf_map_lookup_elem(&requests_sockets, &key);

	text->id = id | TLS_STREAM;
	return plain && plain->native;
}

/* tls__nested: a call on a stream socket ended while its thread was inside a
 * library, or told that nothing more will come. One call of a library has one
 * socket. Returns whether there is plain text to tell of, for which this function
 * leaves no room on the stack.
 */
static __noinline bool tls__nested(struct tls_thread *t, const struct requests_io *io, __u64 id,
				   struct tls_text *text)
{
	struct tls_nested c = { .sk = io->sk, .id = id, .ret = io->ret, .len = io->args[2] };
	struct requests_memory m = {};
	struct requests_part part;
	bool ends = tls__ends(io), told;

	text->sk = io->sk;
	text->len = io->ret;
	text->fiber = io->fiber;
	told = ends && t->call != TLS_READ && tls__over(io, id, text);
	if (!tls__is_inside(t, io, io->tid))
		return told;
	if (t->call == TLS_WRITE) {
		if (!(t->state & TLS_NATIVE) || io->sk == t->sk)
			t->state |= TLS_NESTED;
		if (!requests__memory(&m, io->call, io->args))
			return false;
		c.base = m.base;
		c.fiber = io->fiber;
		c.nr = io->nr;
		if (m.count) {
			if (bpf_probe_read_user(&part, sizeof(part), (void *)m.base))
				return false;
			c.base = part.base;
			c.len = m.count == 1 ? part.len : 0;
		}
		return tls__send(t, &c, text);
	}
	if (!(io->call & IO_SEND))
		tls__received(t, io->ret);
	if (t->state & TLS_NESTED && !ends)
		return false;
	t->state |= TLS_NESTED;
	if (tls__bind(t, io->sk, id) && ends && t->call == TLS_READ) {
		text->id = t->id;
		return true;
	}
	return told;
}

/* tls__moved: tells of plain text; as tls__tell. */
static __noinline int tls__moved(const struct tls_text *x)
{
	return tls__tell(x, x->direction == REQUESTS_SEND ? IO_BUFFER | IO_SEND : IO_BUFFER, false);
}

#endif
