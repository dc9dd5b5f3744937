/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: cipher text leaves while its thread is inside a TLS
 * library, by which what was written is told.
 */
#ifndef SIGHTGLASS_TLS_SEND_H
#define SIGHTGLASS_TLS_SEND_H

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

/* tls__shortens: cipher text leaves that is too short for a write. If it is a record of
 * data its peer has asked for such: writes that are longer are told as they leave.
 */
static __always_inline void tls__shortens(struct tls_session *s, const struct tls_nested *c)
{
	__u8 head[8] = {};
	__u32 len;

	if (bpf_probe_read_user(head, TLS_RECORD_HEAD, (void *)c->base) ||
	    head[0] != TLS_TYPE_DATA || head[1] != TLS_MAJOR)
		return;
	len = (__u32)head[3] << 8 | head[4];
	s->record = len > TLS_RECORD_MORE_MAX ? len - TLS_RECORD_MORE_MAX : 1;
}

/* tls__left: cipher text leaves of a write of which all is told; as much of it as did
 * not is kept, by which the same write is known if it begins again. What is too short
 * for it is something else, or a part of it, behind which the rest comes.
 */
static __always_inline void tls__left(struct tls_thread *t, const struct tls_nested *c, __u64 sent)
{
	__u64 given = c->len ? c->len : sent;
	bool whole = given >= (__u64)t->len + TLS_RECORD_HEAD + TLS_RECORD_MORE_MIN;
	struct tls_session *s;

	if (c->sk != t->sk) {
		t->call = TLS_NONE; /* it is over: nothing had to be sent */
		return;
	}
	s = tls__session(t->tgid, t->session);
	if (!s)
		return;
	if (!whole) {
		tls__shortens(s, c);
		if (sent >= given)
			return;
	}
	s->pending = given - sent;
	s->wrote = t->len;
	s->carries = whole ? 0 : TLS_CARRIES_PART;
	t->state |= TLS_RESTS;
	if (!s->pending)
		t->call = TLS_NONE;
}

/* tls__waits: a record has not left, or a part of it only: what it carries is told when
 * the last of it leaves. false when its session is not known.
 */
static __always_inline bool tls__waits(struct tls_thread *t, __u32 n, __u32 pending)
{
	struct tls_session *s = tls__session(t->tgid, t->session);

	if (!s)
		return false;
	s->pending = pending;
	s->carries = n;
	s->wrote = t->done;
	t->state |= TLS_RESTS; /* the library may send the rest at once */
	return true;
}

/* tls__rests: more of the pending record leaves. Returns how many bytes of plain text
 * have left by that. Who has it written again without saying what it carries leaves a gap.
 */
static __always_inline __u32 tls__rests(struct tls_thread *t, struct tls_session *s, __u64 sent)
{
	__u32 n = s->carries;

	s->pending -= sent < s->pending ? sent : s->pending;
	if (s->pending)
		return 0;
	s->carries = 0;
	if (n == TLS_CARRIES_PART)
		return 0;
	if (n > t->len - t->done) {
		tls__skip(t, n);
		n = 0;
	}
	if (!n && t->done == t->len)
		t->call = TLS_NONE;
	return n;
}

/* tls__measures: a write has left as one record. So will those that are not longer. */
static __always_inline void tls__measures(const struct tls_thread *t)
{
	struct tls_session *s = tls__session(t->tgid, t->session);

	if (s && s->record && t->len > s->record)
		s->record = t->len;
}

/* tls__leaves: a record of a write leaves, or the socket has no room for it. Returns how
 * many bytes of plain text have left by that.
 */
static __always_inline __u32 tls__leaves(struct tls_thread *t, const struct tls_nested *c,
					 struct tls_session *s, __u64 sent)
{
	__u32 rest = t->len - t->done, record, n;
	__u64 carried;

	if (c->base == t->buf + t->done) { /* kernel TLS encrypts the caller's bytes itself */
		n = sent < rest ? sent : rest;
		record = sent;
	} else {
		carried = tls__carried(c->base, sent, rest);
		n = (__u32)carried;
		record = carried >> 32;
	}
	if (!n) {
		tls__count(foreign);
		return 0;
	}
	if (!tls__bind(t, c->sk, c->id)) {
		tls__count(unbound);
		return 0;
	}
	if (s)
		s->pending = 0;
	if (sent < record && tls__waits(t, n, record - sent))
		return 0;
	if (n == t->len)
		tls__measures(t);
	return sent > record ? rest : n; /* several records at once */
}

/* tls__send: cipher text of a write leaves, or the socket has no room for it. Returns
 * whether there is plain text to tell of.
 */
static __always_inline bool tls__send(struct tls_thread *t, const struct tls_nested *c,
				      struct tls_text *text)
{
	__u64 sent = c->ret > 0 ? c->ret : 0;
	struct tls_session *s = 0;
	__u32 n;

	if (t->state & TLS_RESTS)
		s = tls__session(t->tgid, t->session);
	if (s && s->pending && (!c->len || c->len == s->pending)) {
		n = tls__rests(t, s, sent);
	} else if (t->done == t->len) {
		tls__left(t, c, sent);
		return false;
	} else {
		n = tls__leaves(t, c, s, sent);
	}
	if (!n)
		return false;
	text->id = t->id;
	text->base = t->buf + t->done;
	text->len = n;
	text->direction = REQUESTS_SEND;
	text->enter = requests__began(t->tid, c->nr);
	t->done += n;
	if (t->done == t->len)
		t->call = TLS_NONE;
	return true;
}

#endif
