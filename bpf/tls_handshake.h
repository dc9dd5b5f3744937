/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: how a session of a C library comes about. */
#ifndef SIGHTGLASS_TLS_HANDSHAKE_H
#define SIGHTGLASS_TLS_HANDSHAKE_H

#include "tls_library.h"
#include "tls_record.h"

/* tls__outlived: whether another session had the address of one that begins a
 * handshake: its connection is gone, or has carried plain text, and the thread has
 * received something from another one. The function that ends sessions is not
 * found in every program.
 */
static __always_inline bool tls__outlived(const struct tls_session *s, const struct tls_thread *t)
{
	__u64 sk = s->sk, plain_key = sk | TLS_KEY;
	struct requests_socket *cipher, *plain;

	if (!sk)
		return false;
	cipher = bpf_map_lookup_elem(&requests_sockets, &sk);
	if (!cipher || (cipher->id | TLS_STREAM) != s->id)
		return true;
	if (!tls__has_heard(t) || t->heard == sk)
		return false;
	plain = bpf_map_lookup_elem(&requests_sockets, &plain_key);
	return plain && (plain->moved[REQUESTS_SEND] || plain->moved[REQUESTS_RECEIVE]);
}

/* tls__delays: a handshake comes before what a write says that is told already. It may
 * have to be written again.
 */
static __always_inline void tls__delays(struct tls_thread *t, struct tls_session *s)
{
	if (s->pending)
		return;
	s->pending = TLS_RECORD_NONE;
	s->wrote = t->len;
	t->state |= TLS_RESTS;
}

/* tls__handshake: a handshake begins, by itself or because a read or a write wants
 * it, as in BoringSSL. Within a read it is a part of that. A write may be over
 * long since: nobody sees it return.
 */
static __always_inline void tls__handshake(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid(), session = extract__parameter(ctx, 0);
	struct tls_key key = { .session = session, .tgid = id >> 32 };
	struct tls_session *s = bpf_map_lookup_elem(&tls_sessions, &key);
	struct tls_thread *t = tls__slot((__u32)id);
	bool is_within = t && t->tid == (__u32)id && t->session == session && t->call;

	if (s && t && t->tid == (__u32)id && tls__outlived(s, t)) {
		bpf_map_delete_elem(&tls_sessions, &key);
		if (is_within) {
			t->sk = 0;
			t->id = 0;
			t->state &= TLS_TAKEN;
		}
	}
	if (!is_within) {
		tls__enter(ctx, TLS_HANDSHAKE, 0, &s);
	} else if (t->call == TLS_WRITE) {
		t->call = TLS_WRITE_SHAKES;
		t->state &= ~TLS_NESTED;
		if (s && t->sk && t->len && t->done == t->len)
			tls__delays(t, s);
	}
}

/* tls__is_ahead: whether a handshake that is said to be done has only begun: what follows
 * is data that goes with its first flight, and all of that leaves together (0-RTT). It has
 * neither sent nor received anything, and before it nothing was known of its session.
 */
static __always_inline bool tls__is_ahead(const struct tls_thread *t)
{
	return t->call == TLS_HANDSHAKE && !t->sk &&
	       !(t->state & (TLS_NESTED | TLS_NATIVE | TLS_MEMORY));
}

/* tls__shaken: a handshake returns, complete if done. */
static __always_inline void tls__shaken(bool done)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct tls_thread *t = tls__slot(tid);
	bool writes, ahead;

	if (!t || t->tid != tid || t->call < TLS_HANDSHAKE)
		return;
	writes = done && t->call == TLS_WRITE_SHAKES;
	ahead = done && tls__is_ahead(t);
	t->call = TLS_NONE;
	if (!ahead)
		tls__idle(t);
	if (writes)
		t->call = TLS_WRITE;
}

/* tls__refused: the server has not taken what came with the first flight, and nothing
 * else has been said: the stream begins anew, for that will be written again. Who asks
 * more than once is told so each time.
 */
static __always_inline void tls__refused(bool refused)
{
	struct tls_thread *t = tls__leave(TLS_STATUS);
	struct requests_socket *plain;
	struct tls_session *s;
	__u64 key;

	if (!t || !refused || !t->sk)
		return;
	s = tls__session(t->tgid, t->session);
	key = t->sk | TLS_KEY;
	plain = bpf_map_lookup_elem(&requests_sockets, &key);
	if (!s || s->flags & TLS_REFUSED || !plain || plain->id != t->id ||
	    !plain->moved[REQUESTS_SEND] || plain->moved[REQUESTS_RECEIVE])
		return;
	s->flags |= TLS_REFUSED;
	bpf_map_delete_elem(&requests_sockets, &key);
	tls__open(t->sk, 1, t->file);
	plain = bpf_map_lookup_elem(&requests_sockets, &key);
	if (plain)
		plain->native = 1;
}

/* tls__cork: from now on what a session writes is kept, or no more. */
static __always_inline void tls__cork(__u64 session, bool on)
{
	struct tls_session *s = tls__session(bpf_get_current_pid_tgid() >> 32, session);

	if (!s)
		return;
	if (on)
		s->flags |= TLS_CORKED;
	else
		s->flags &= ~TLS_CORKED;
}

#endif
