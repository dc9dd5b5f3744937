/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: the calls of a C library that encrypts. */
#ifndef SIGHTGLASS_TLS_LIBRARY_H
#define SIGHTGLASS_TLS_LIBRARY_H

#include "tls_probe.h"

/* tls__keeps: the caller of a session keeps the cipher text of several writes to send it
 * together, as web servers do whose output passes through filters: of the write before
 * this call none has been sent. From now on each is told at its beginning, as if it were
 * corked; what was not told of that one is a gap in the stream.
 */
static __noinline int tls__keeps(const struct tls_thread *t, struct tls_session *s)
{
	__u32 untold = t->len - t->done;

	s->flags |= TLS_CORKED;
	return untold ? tls__skip(t, untold) : 0;
}

/* tls__is_kept: whether a thread's last call was a write of a session that is known to
 * use its socket, which was not even tried to be sent.
 */
static __always_inline bool tls__is_kept(const struct tls_thread *t, const struct tls_session *s)
{
	return t->call == TLS_WRITE && t->state & TLS_NATIVE && !(t->state & TLS_NESTED) &&
	       (__s32)t->len > 0 && s && s->id == t->id;
}

/* tls__begin: the current thread does something with a session. Returns its slot,
 * and what is known of the session in known.
 */
static __always_inline struct tls_thread *tls__begin(__u64 session, __u16 file,
						     struct tls_session **known)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct tls_thread *t = tls__slot((__u32)id);
	struct tls_session *s;

	if (!t)
		return 0;
	if (t->tid != (__u32)id) {
		if (t->call)
			tls__count(displaced);
		t->tid = (__u32)id;
		t->heard = 0;
		t->state = 0;
	}
	s = tls__session(id >> 32, session);
	if (t->session == session && tls__is_kept(t, s))
		tls__keeps(t, s);
	t->tgid = id >> 32;
	t->session = session;
	t->file = file;
	t->sk = s ? s->sk : 0;
	t->id = s ? s->id : 0;
	t->state &= TLS_TAKEN;
	if (s)
		t->state |= s->flags | (s->pending ? TLS_RESTS : 0);
	*known = s;
	return t;
}

/* tls__enter: the current thread goes into a library. */
static __always_inline struct tls_thread *tls__enter(struct pt_regs *ctx, enum tls_call call,
						     __u64 count, struct tls_session **known)
{
	struct tls_thread *t = tls__begin(extract__parameter(ctx, 0), tls__file(ctx), known);

	if (!t)
		return 0;
	t->buf = call == TLS_HANDSHAKE ? 0 : extract__parameter(ctx, 1);
	t->count = count;
	t->call = call;
	return t;
}

/* tls__leave: the current thread comes out. Returns its slot, 0 when nobody saw
 * it going in.
 */
static __always_inline struct tls_thread *tls__leave(enum tls_call call)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct tls_thread *t = tls__slot(tid);

	if (!t || t->tid != tid || t->call != call)
		return 0;
	t->call = TLS_NONE;
	return t;
}

/* tls__has_heard: whether the thread has received cipher text that may be for
 * any session.
 */
static __always_inline bool tls__has_heard(const struct tls_thread *t)
{
	return t->heard && !(t->state & TLS_TAKEN);
}

/* tls__guess: takes the socket that the thread has received cipher text from
 * last for that of a session, if these bytes were for no other one, and the
 * socket is no other one's.
 */
static __always_inline bool tls__guess(struct tls_thread *t, __u32 flags)
{
	struct tls_key key = { .session = t->session, .tgid = t->tgid };
	__u64 sk = t->heard, plain_key = sk | TLS_KEY;
	struct requests_socket *cipher, *plain;
	struct tls_session fresh = {};

	if (!tls__has_heard(t))
		return false;
	cipher = bpf_map_lookup_elem(&requests_sockets, &sk);
	if (!cipher || (__u32)cipher->id != t->heard_id)
		return false;
	plain = bpf_map_lookup_elem(&requests_sockets, &plain_key);
	if (plain && plain->id == (cipher->id | TLS_STREAM))
		return false;
	fresh.id = tls__open(sk, 0, t->file);
	if (!fresh.id)
		return false;
	fresh.sk = sk;
	fresh.flags = flags & TLS_FLAGS;
	if (flags & TLS_EARLY) {
		fresh.pending = (__u32)t->buf;
		fresh.wrote = t->len;
	}
	tls__keep(t, &key, &fresh);
	return true;
}

/* tls__marks_memory: notes that a session's caller moves the cipher text. */
static __always_inline void tls__marks_memory(const struct tls_thread *t)
{
	struct tls_key key = { .session = t->session, .tgid = t->tgid };
	struct tls_session *s = bpf_map_lookup_elem(&tls_sessions, &key);
	struct tls_session fresh = { .flags = TLS_MEMORY };

	if (s)
		s->flags |= TLS_MEMORY;
	else
		bpf_map_update_elem(&tls_sessions, &key, &fresh, BPF_ANY);
}

/* tls__idle: a call used no socket and yielded nothing, which is how libraries
 * behave whose callers move the cipher text. What the thread received last was
 * for this TLS session.
 */
static __always_inline void tls__idle(struct tls_thread *t)
{
	if (t->state & (TLS_NESTED | TLS_NATIVE))
		return;
	if (t->sk ? t->sk == t->heard : tls__guess(t, TLS_MEMORY))
		t->state |= TLS_TAKEN;
	if (!(t->state & TLS_MEMORY))
		tls__marks_memory(t);
}

/* tls__read: a read returns so many bytes of plain text, or none. */
static __always_inline void tls__read(__s64 n)
{
	struct tls_thread *t = tls__leave(TLS_READ);
	struct tls_text text = {};
	struct tls_session *s;

	if (!t || (n <= 0 && t->state & TLS_DRY))
		return;
	if (n > 0 && t->count && bpf_probe_read_user(&n, sizeof(n), (void *)t->count)) {
		requests__count(unreadable);
		return;
	}
	if (n <= 0)
		tls__idle(t);
	else if (!t->sk && !tls__guess(t, t->state))
		tls__count(unbound);
	if (!t->sk || n < 0 || (!n && t->count))
		return;
	if (n && !(t->state & TLS_NESTED) && t->heard == t->sk)
		t->state |= TLS_TAKEN;
	if (n && t->state & TLS_EARLY) {
		s = tls__session(t->tgid, t->session);
		if (s)
			s->flags &= ~TLS_EARLY;
	}
	text.sk = t->sk;
	text.id = t->id;
	text.base = t->buf;
	text.len = n;
	tls__reads(&text);
}

#endif
