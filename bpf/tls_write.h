/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: a C library is given something to write. */
#ifndef SIGHTGLASS_TLS_WRITE_H
#define SIGHTGLASS_TLS_WRITE_H

#include "tls_library.h"
#include "tls_record.h"

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

/* tls__is_repeated: whether a write that begins is the one that the thread is in already,
 * all of which is told, or the rest of it: what could not be sent is written again.
 */
static __always_inline bool tls__is_repeated(struct pt_regs *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid(), len = extract__parameter(ctx, 2);
	struct tls_thread *t = tls__slot(tid);

	return t && t->tid == tid && tls__is_all_told(t) && t->state & TLS_NESTED &&
	       t->session == extract__parameter(ctx, 0) && len <= t->len &&
	       extract__parameter(ctx, 1) + len == t->buf + t->len;
}

/* tls__is_record: whether a write is so short that it leaves as one record, unless the
 * peer has asked for shorter ones. Not before both ends have said something: from what is
 * told on their cipher text tells no more, and a session's first write may have to begin
 * the handshake.
 */
static __always_inline bool tls__is_record(const struct tls_thread *t, struct tls_session *s,
					   __u32 len)
{
	__u64 sk = t->sk;
	struct requests_socket *cipher;

	if (len > TLS_RECORD_MAX)
		return false;
	if (s->spoke)
		return true;
	cipher = bpf_map_lookup_elem(&requests_sockets, &sk);
	if (!cipher || (cipher->id | TLS_STREAM) != t->id || !cipher->moved[REQUESTS_SEND] ||
	    !cipher->moved[REQUESTS_RECEIVE])
		return false;
	s->spoke = 1;
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
	struct tls_text text = { .len = (__s32)len, .direction = REQUESTS_SEND };
	bool is_repeated = tls__is_repeated(ctx);
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
	if (is_repeated) {
		t->done = len;
		return;
	}
	text.sk = t->sk;
	text.id = t->id;
	text.base = t->buf;
	text.enter = REQUESTS_NOW;
	if (text.len > 0 && tls__moves(&text) && !is_apart)
		t->done = len;
}

#endif
