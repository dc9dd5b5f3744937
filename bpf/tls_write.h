/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: a C library is given something to write. */
#ifndef SIGHTGLASS_TLS_WRITE_H
#define SIGHTGLASS_TLS_WRITE_H

#include "tls_library.h"
#include "tls_record.h"

#define TLS_ROOM_MORE 4096 /* bytes that the kernel needs beside those of a write */

/* tls__is_again: whether this is the early write once more: the handshake was not
 * complete then.
 */
static __always_inline bool tls__is_again(struct tls_session *s, const struct tls_thread *t)
{
	if (s->flags & TLS_EARLY && s->pending == (__u32)t->buf && s->wrote == t->len)
		return true;
	s->flags &= ~TLS_EARLY;
	return false;
}

/* tls__repeats: whether a write that begins is the one that the thread is in already,
 * all of which is told, or the rest of it: what could not be sent is written again. Returns
 * how long that one is, 0 when it is another.
 */
static __always_inline __u32 tls__repeats(struct pt_regs *ctx, __u32 len)
{
	__u64 session = extract__parameter(ctx, 0), end = extract__parameter(ctx, 1) + len;
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct tls_thread *t = tls__slot(tid);

	pin(session);
	pin(end);
	if (t && t->tid == tid && tls__is_all_told(t) && t->state & TLS_NESTED &&
	    t->session == session && len <= t->len && end == t->buf + t->len)
		return t->len;
	return 0;
}

/* tls__has_room: whether the socket takes that many bytes, and what goes with them, without
 * anybody having to wait. Of sockets that are no TCP's nothing is known.
 */
static __always_inline bool tls__has_room(__u64 sk, __u32 len)
{
	__s32 room = kread(sock, sk, sk_sndbuf) - kread(sock, sk, sk_wmem_queued);

	return room > (__s32)(2 * len + TLS_ROOM_MORE);
}

/* tls__is_record: whether a write leaves as one record, and at once. Not before both ends
 * have said something: from what is told on their cipher text tells no more, and a
 * session's first write may have to begin the handshake.
 */
static __always_inline bool tls__is_record(const struct tls_thread *t, struct tls_session *s,
					   __u32 len)
{
	__u64 sk = t->sk;
	struct requests_socket *cipher;

	if (len > (s->record ? s->record : TLS_RECORD_MAX) || !tls__has_room(sk, len))
		return false;
	if (s->flags & TLS_SPOKE)
		return true;
	cipher = bpf_map_lookup_elem(&requests_sockets, &sk);
	if (!cipher || (cipher->id | TLS_STREAM) != t->id || !cipher->moved[REQUESTS_SEND] ||
	    !cipher->moved[REQUESTS_RECEIVE])
		return false;
	s->flags |= TLS_SPOKE;
	return true;
}

/* tls__write: a write begins. A session whose caller moves the cipher
 * text, and whose socket is not known, may write before it has read: clients that
 * have something to say do so when the server's answer has come, which may
 * complete the handshake. Where as much leaves as one record it is told at once,
 * for the call that sends it will show nothing that is not known.
 */
static __always_inline void tls__write(struct pt_regs *ctx)
{
	__u32 len = extract__parameter(ctx, 2);
	struct tls_text text = { .len = (__s32)len };
	__u32 before = tls__repeats(ctx, len);
	struct tls_session *s = 0;
	struct tls_thread *t = tls__enter(ctx, TLS_WRITE, 0, &s);
	bool is_apart; /* no call inside sends what is written */

	if (!t)
		return;
	t->len = len;
	if (!t->sk && t->state & TLS_MEMORY) {
		if (!tls__guess(t, TLS_MEMORY | TLS_EARLY)) {
			t->call = TLS_NONE; /* nothing was received: it cannot be sent either */
			return;
		}
	} else if (s && s->flags & TLS_EARLY && tls__is_again(s, t)) {
		t->call = TLS_NONE;
		return;
	}
	is_apart = t->sk && t->state & (TLS_MEMORY | TLS_CORKED);
	if (is_apart) {
		t->call = TLS_NONE;
	} else if (!s || s->pending) {
		if (s)
			t->done = s->wrote < len ? s->wrote : len;
		return;
	} else if (!(t->state & TLS_NATIVE) || !tls__is_record(t, s, len)) {
		return;
	}
	if (before && (len < before || !s || !s->record)) { /* records may all have left */
		t->done = len;
		return;
	}
	text.sk = t->sk;
	text.id = t->id;
	text.base = t->buf;
	text.enter = REQUESTS_NOW;
	if (text.len > 0 && tls__writes(&text) && !is_apart)
		t->done = len;
}

#endif
