/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: system calls that a thread makes while it is
 * inside a TLS library. They tell which socket a session uses, and when what is
 * written leaves.
 */
#ifndef SIGHTGLASS_TLS_NESTED_H
#define SIGHTGLASS_TLS_NESTED_H

#include "tls_concern.h"

/* A system call inside a library. */
struct tls_nested {
	__u64 sk;
	__u64 id; /* of the cipher text's stream */
	__s64 ret;
	__u64 base; /* of its bytes */
	__u64 len; /* that it was given; 0: not known */
	__u64 fiber;
	__u32 nr;
	__u32 reserved;
};

/* tls__bind: notes that the session that a thread is in uses a socket; false when
 * that is not known well enough.
 */
static __always_inline bool tls__bind(struct tls_thread *t, __u64 sk, __u64 id)
{
	struct tls_key key = { .session = t->session, .tgid = t->tgid };
	struct tls_session fresh = {};
	struct requests_socket *plain;
	__u64 plain_key = sk | TLS_KEY;

	if (tls__is_bound(t, sk, id))
		return true;
	fresh.id = tls__open(sk, t->call >= TLS_HANDSHAKE, t->file);
	if (!fresh.id)
		return false;
	plain = bpf_map_lookup_elem(&requests_sockets, &plain_key);
	if (plain)
		plain->native = 1;
	fresh.sk = sk;
	fresh.flags = TLS_NATIVE | (t->state & TLS_CORKED);
	tls__keep(t, &key, &fresh);
	return true;
}

/* tls__left: cipher text leaves of a write of which all is told; as much of it as did
 * not is kept, by which the same write is known if it begins again. What is too short
 * for it does not belong to it.
 */
static __always_inline void tls__left(struct tls_thread *t, const struct tls_nested *c, __u64 sent)
{
	__u64 given = c->len ? c->len : sent;
	struct tls_session *s;

	if (c->sk != t->sk)
		t->call = TLS_NONE; /* it is over: nothing had to be sent */
	if (c->sk != t->sk || given < (__u64)t->len + TLS_RECORD_HEAD + TLS_RECORD_MORE_MIN)
		return;
	s = tls__session(t->tgid, t->session);
	if (!s)
		return;
	s->pending = given - sent;
	s->wrote = t->len;
	t->state |= TLS_RESTS;
	if (!s->pending)
		t->call = TLS_NONE;
}

/* tls__send: cipher text of a write leaves, or the socket has no room for it. Returns
 * whether there is plain text to tell of.
 */
static __always_inline bool tls__send(struct tls_thread *t, const struct tls_nested *c,
				      struct tls_text *text)
{
	struct tls_session *s = 0;
	__u64 sent = c->ret > 0 ? c->ret : 0, start = t->buf + t->done, carried;
	__u32 rest = t->len - t->done, record = 0, n;

	if (t->state & TLS_RESTS)
		s = tls__session(t->tgid, t->session);
	if (s && s->pending && (!c->len || c->len == s->pending)) {
		s->pending -= sent < s->pending ? sent : s->pending;
		if (!s->pending && !rest)
			t->call = TLS_NONE;
		return false;
	}
	if (!rest) {
		tls__left(t, c, sent);
		return false;
	}
	if (c->base == start) { /* kernel TLS encrypts the caller's bytes itself */
		n = sent < rest ? sent : rest;
		record = sent;
	} else {
		carried = tls__carried(c->base, sent, rest);
		n = (__u32)carried;
		record = carried >> 32;
	}
	if (!n) {
		tls__count(foreign);
		return false;
	}
	if (sent > record) /* several records at once */
		n = rest;
	if (!tls__bind(t, c->sk, c->id)) {
		tls__count(unbound);
		return false;
	}
	t->done += n;
	if (s || record > sent) {
		s = tls__session(t->tgid, t->session);
		if (s) {
			s->pending = record > sent ? record - sent : 0;
			s->wrote = t->done;
			t->state |= TLS_RESTS; /* the library may send the rest at once */
		}
	}
	if (record > sent ? !s : t->done >= t->len)
		t->call = TLS_NONE;
	text->id = t->id;
	text->base = start;
	text->len = n;
	text->direction = REQUESTS_SEND;
	text->enter = requests__began(t->tid, c->nr);
	return true;
}

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

#endif
