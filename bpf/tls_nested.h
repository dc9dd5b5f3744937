/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: system calls that a thread makes while it is
 * inside a TLS library. They tell which socket a session uses, and when what is
 * written leaves.
 */
#ifndef SIGHTGLASS_TLS_NESTED_H
#define SIGHTGLASS_TLS_NESTED_H

#include "tls_stream.h"

/* The head of a record (RFC 8446, section 5.1), the longest plain text in one,
 * and by how much cipher text is longer: a tag, at most with a mac, an
 * initialization vector and padding.
 */
#define TLS_RECORD_HEAD 5
#define TLS_RECORD_MAX 16384
#define TLS_RECORD_MORE_MIN 8
#define TLS_RECORD_MORE_MAX 512
#define TLS_RECORD_MORE 17 /* as in TLS 1.3 */
#define TLS_TYPE_DATA 23
#define TLS_MAJOR 3

/* A system call inside a library. */
struct tls_nested {
	__u64 sk;
	__s64 ret;
	__u64 base; /* of its bytes */
	__u64 len; /* that it was given; 0: not known */
	__u64 fiber;
	__u32 nr;
	__u32 reserved;
};

/* tls__bind: notes that a session uses a socket. Returns what is known of it. */
static __always_inline struct tls_session *tls__bind(const struct tls_thread *t, __u64 sk,
						     __u32 shaken, __u32 flags)
{
	struct tls_key key = { .session = t->session, .tgid = t->tgid };
	struct tls_session *s = bpf_map_lookup_elem(&tls_sessions, &key);
	struct tls_session fresh = {};
	__u64 id;

	if (s && s->sk == sk && s->flags & flags) {
		struct requests_socket *cipher = bpf_map_lookup_elem(&requests_sockets, &sk);

		if (cipher && (cipher->id | TLS_STREAM) == s->id)
			return s;
	}
	id = tls__open(sk, shaken);
	if (!id)
		return 0;
	fresh.sk = sk;
	fresh.id = id;
	fresh.flags = flags | (s ? s->flags & TLS_CORKED : 0);
	bpf_map_update_elem(&tls_sessions, &key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&tls_sessions, &key);
}

/* tls__progress: how many bytes of the rest of a write a record carries of which
 * these are the first bytes; 0 when it carries none.
 */
static __always_inline __u32 tls__progress(const __u8 *head, __u32 rest, __u32 *record)
{
	__u32 n = rest < TLS_RECORD_MAX ? rest : TLS_RECORD_MAX, len;

	if (head[0] != TLS_TYPE_DATA || head[1] != TLS_MAJOR)
		return 0;
	len = (__u32)head[3] << 8 | head[4];
	*record = len + TLS_RECORD_HEAD;
	if (len >= n + TLS_RECORD_MORE_MIN && len <= n + TLS_RECORD_MORE_MAX)
		return n;
	if (len < n && len >= TLS_RECORD_MORE_MAX) /* the peer asked for small records */
		return len - TLS_RECORD_MORE;
	return 0;
}

/* tls__send: cipher text of a write leaves, or the socket has no room for it. */
static __always_inline void tls__send(struct tls_thread *t, const struct tls_nested *c)
{
	struct tls_session *s = tls__session(t->tgid, t->session);
	__u64 sent = c->ret > 0 ? c->ret : 0, start = t->buf + t->done;
	struct tls_text text = { .sk = c->sk, .base = start, .fiber = c->fiber };
	__u32 rest = t->len - t->done, record = 0, n;
	__u8 head[8] = {};

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
		if (bpf_probe_read_user(head, TLS_RECORD_HEAD, (void *)c->base))
			return;
		n = tls__progress(head, rest, &record);
	}
	if (!n) {
		tls__count(foreign);
		return;
	}
	if (sent > record) /* several records at once */
		n = rest;
	s = tls__bind(t, c->sk, 0, TLS_NATIVE);
	if (!s) {
		tls__count(unbound);
		return;
	}
	t->done += n;
	s->pending = record > sent ? record - sent : 0;
	s->wrote = t->done;
	if (t->done >= t->len || s->pending)
		t->call = TLS_NONE;
	text.id = s->id;
	text.len = n;
	text.direction = REQUESTS_SEND;
	text.enter = requests__began(t->tid, c->nr);
	tls__moved(&text);
}

/* tls__nested: a call on a stream socket ended while its thread was inside a
 * library. One call of a library has one socket.
 */
static __always_inline void tls__nested(struct tls_thread *t, const struct requests_io *io)
{
	struct tls_nested c = {
		.sk = io->sk, .ret = io->ret, .len = io->args[2], .fiber = io->fiber, .nr = io->nr
	};
	struct tls_text text = { .sk = io->sk, .len = io->ret, .fiber = io->fiber };
	struct requests_memory m = {};
	struct requests_part part;
	struct tls_session *s;
	bool ends = !(io->call & IO_SEND) && (!io->ret || requests__is_end(io->ret));

	if (t->call == TLS_WRITE) {
		if (!(io->call & IO_SEND) || !requests__memory(&m, io->call, io->args))
			return;
		c.base = m.base;
		if (m.count) {
			if (bpf_probe_read_user(&part, sizeof(part), (void *)m.base))
				return;
			c.base = part.base;
			c.len = m.count == 1 ? part.len : 0;
		}
		tls__send(t, &c);
		return;
	}
	if (t->nested && !ends)
		return;
	t->nested = 1;
	s = tls__bind(t, io->sk, t->call == TLS_HANDSHAKE, TLS_NATIVE);
	if (s && ends && t->call == TLS_READ) {
		text.id = s->id;
		tls__moved(&text);
	}
}

/* tls__is_inside: whether the current thread is inside a library. */
static __always_inline bool tls__is_inside(void)
{
	__u32 tid;
	struct tls_thread *t;

	if (!tls__since())
		return false;
	tid = (__u32)bpf_get_current_pid_tgid();
	t = tls__slot(tid);
	return t && t->tid == tid && t->call;
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
	t->taker = 0;
}

/* tls__concerns: whether a call on a stream socket was made inside a library. If
 * not, what it received may be for one.
 */
static __always_inline bool tls__concerns(const struct requests_socket *s,
					  const struct requests_io *io)
{
	__u32 tid = requests__tid(io->task);
	struct tls_thread *t = tls__slot(tid);

	if (!t)
		return false;
	if (t->tid == tid && t->call)
		return true;
	if (io->ret > 0 && !(io->call & IO_SEND))
		tls__heard(t, s, io, tid);
	return false;
}

#endif
