/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: system calls that a thread makes while it is
 * inside a TLS library. They tell which socket a session uses, and when what is
 * written leaves.
 */
#ifndef SIGHTGLASS_TLS_NESTED_H
#define SIGHTGLASS_TLS_NESTED_H

#include "tls_record.h"
#include "tls_stream.h"

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

/* tls__is_bound: whether the session that a thread is in is known to use a socket. */
static __always_inline bool tls__is_bound(const struct tls_thread *t, __u64 sk, __u64 id)
{
	return t->sk == sk && t->id == (id | TLS_STREAM) && t->state & TLS_NATIVE;
}

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

/* tls__send: cipher text of a write leaves, or the socket has no room for it. */
static __always_inline void tls__send(struct tls_thread *t, const struct tls_nested *c)
{
	struct tls_session *s = 0;
	__u64 sent = c->ret > 0 ? c->ret : 0, start = t->buf + t->done, carried;
	struct tls_text text = { .sk = c->sk, .base = start, .fiber = c->fiber };
	__u32 rest = t->len - t->done, record = 0, n;

	if (t->state & TLS_RESTS)
		s = tls__session(t->tgid, t->session);
	if (s && s->pending && (!c->len || c->len == s->pending)) {
		s->pending -= sent < s->pending ? sent : s->pending;
		return;
	}
	if (!rest) {
		t->call = TLS_NONE;
		return;
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
		return;
	}
	if (sent > record) /* several records at once */
		n = rest;
	if (!tls__bind(t, c->sk, c->id)) {
		tls__count(unbound);
		return;
	}
	t->done += n;
	if (s || record > sent) {
		s = tls__session(t->tgid, t->session);
		if (s) {
			s->pending = record > sent ? record - sent : 0;
			s->wrote = t->done;
		}
	}
	if (t->done >= t->len || record > sent)
		t->call = TLS_NONE;
	text.id = t->id;
	text.len = n;
	text.direction = REQUESTS_SEND;
	text.enter = requests__began(t->tid, c->nr);
	tls__moved(&text);
}

/* tls__received: the library has received something, or there was nothing. */
static __always_inline void tls__received(struct tls_thread *t, __s64 ret)
{
	if (requests__is_nothing(ret))
		t->state |= TLS_DRY;
	else
		t->state &= ~TLS_DRY;
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

/* tls__over: a socket that a library reads itself yields nothing more: so does its
 * plain text, of which it has handed over all.
 */
static __always_inline void tls__over(const struct requests_io *io, __u64 id)
{
	struct tls_text text = { .sk = io->sk, .id = id | TLS_STREAM, .len = io->ret };
	__u64 key = io->sk | TLS_KEY;
	struct requests_socket *plain = bpf_map_lookup_elem(&requests_sockets, &key);

	if (plain && plain->native)
		tls__moved(&text);
}

/* tls__nested: a call on a stream socket ended while its thread was inside a
 * library, or told that nothing more will come. One call of a library has one
 * socket.
 */
static __always_inline void tls__nested(struct tls_thread *t, const struct requests_io *io,
					__u64 id)
{
	struct tls_nested c = { .sk = io->sk, .id = id, .ret = io->ret, .len = io->args[2] };
	struct tls_text text = { .sk = io->sk, .len = io->ret, .fiber = io->fiber };
	struct requests_memory m = {};
	struct requests_part part;
	bool ends = tls__ends(io);

	if (ends && t->call != TLS_READ)
		tls__over(io, id);
	if (!tls__is_inside(t, io, requests__tid(io->task)))
		return;
	if (t->call == TLS_WRITE) {
		if (!requests__memory(&m, io->call, io->args))
			return;
		c.base = m.base;
		c.fiber = io->fiber;
		c.nr = io->nr;
		if (m.count) {
			if (bpf_probe_read_user(&part, sizeof(part), (void *)m.base))
				return;
			c.base = part.base;
			c.len = m.count == 1 ? part.len : 0;
		}
		tls__send(t, &c);
		return;
	}
	if (!(io->call & IO_SEND))
		tls__received(t, io->ret);
	if (t->state & TLS_NESTED && !ends)
		return;
	t->state |= TLS_NESTED;
	if (tls__bind(t, io->sk, id) && ends && t->call == TLS_READ) {
		text.id = t->id;
		tls__moved(&text);
	}
}

/* tls__fails: whether it matters that a call moved nothing. Inside of a read it
 * does not as soon as the socket is known.
 */
static __always_inline bool tls__fails(__u8 call)
{
	struct tls_thread *t;
	__u32 tid;

	if (!tls__is_used())
		return false;
	tid = (__u32)bpf_get_current_pid_tgid();
	t = tls__slot(tid);
	if (!t || t->tid != tid || !t->call)
		return false;
	if (call & IO_SEND || t->call != TLS_READ || !t->sk || !(t->state & TLS_NATIVE))
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
	__u32 tid = requests__tid(io->task);
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
