/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: the stream of a socket's plain text. */
#ifndef SIGHTGLASS_TLS_STREAM_H
#define SIGHTGLASS_TLS_STREAM_H

#include "requests_ended.h"
#include "tls.h"

/* tls__is_whole: whether nothing can have been said over a connection before its
 * stream of plain text begins: the probes in the file that encrypts it are older
 * than it, or one end of it has not spoken at all.
 */
static __always_inline bool tls__is_whole(const struct requests_socket *cipher, __u32 file)
{
	if (!(cipher->flags & REQUESTS_MIDWAY) &&
	    cipher->id > (tls__since(file) << 8 & ~TLS_STREAM))
		return true;
	return !cipher->moved[REQUESTS_SEND] || !cipher->moved[REQUESTS_RECEIVE];
}

/* tls__announce: tells user space that a connection's plain text will come. */
static __always_inline void tls__announce(const struct requests_socket *s)
{
	struct requests_scratch *b;

	if (base__is_self(s->tgid))
		return;
	b = requests__claim();
	if (!b)
		return;
	requests__head(&b->record, s, s->tid);
	b->record.header.type = EVENT_DATA;
	b->record.header.len = sizeof(b->record);
	b->record.position = 0;
	b->record.bytes = 0;
	b->record.error = 0;
	b->record.enter = 0;
	b->record.opposite = 0;
	b->record.captured = 0;
	b->record.fiber = 0;
	b->record.direction = REQUESTS_SEND;
	requests__emit(b, 0);
	requests__release(b);
}

/* tls__open: makes the stream of a socket's plain text, if there is none. shaken
 * says that the handshake was seen; file is the one that encrypts. Returns its id,
 * 0 when there is none.
 */
__noinline __u64 tls__open(__u64 sk, __u32 shaken, __u32 file)
{
	__u64 key = sk | TLS_KEY, id, who;
	struct requests_socket *cipher = bpf_map_lookup_elem(&requests_sockets, &sk);
	struct requests_socket *plain, fresh;

	if (!cipher || !cipher->inode)
		return 0;
	id = cipher->id | TLS_STREAM;
	plain = bpf_map_lookup_elem(&requests_sockets, &key);
	if (plain && plain->id == id)
		return id;
	__builtin_memset(&fresh, 0, sizeof(fresh));
	fresh.id = id;
	fresh.start = cipher->start;
	fresh.cgroup_id = cipher->cgroup_id;
	fresh.tgid = cipher->tgid;
	fresh.tid = cipher->tid;
	fresh.end = cipher->end;
	if (!requests__class(fresh.end.class)->resumes)
		fresh.end.class = 0;
	fresh.inode = cipher->inode;
	fresh.flags = REQUESTS_TLS | (cipher->flags & REQUESTS_GUESSED);
	if (!shaken && !tls__is_whole(cipher, file))
		fresh.flags |= REQUESTS_MIDWAY;
	if (bpf_map_update_elem(&requests_sockets, &key, &fresh, BPF_ANY)) {
		requests__count(full);
		return 0;
	}
	tls__count(bound);
	plain = bpf_map_lookup_elem(&requests_sockets, &key);
	if (!plain)
		return 0;
	who = bpf_get_current_pid_tgid();
	requests__own(plain, key, (__u32)who, who >> 32);
	tls__announce(plain);
	return id;
}

/* tls__keep: notes what is found out about the session that a thread is in. */
static __always_inline void tls__keep(struct tls_thread *t, const struct tls_key *key,
				      const struct tls_session *s)
{
	t->sk = s->sk;
	t->id = s->id;
	t->state = (t->state & ~TLS_FLAGS) | s->flags;
	bpf_map_update_elem(&tls_sessions, key, s, BPF_ANY);
}

/* Plain text that moved. */
struct tls_text {
	__u64 sk;
	__u64 id; /* of the stream */
	struct requests_socket *plain; /* its state, if it is at hand */
	__u64 base; /* of the bytes */
	__s64 len; /* <= 0: what comes in has ended */
	__u64 enter; /* when the call began that sends them, or REQUESTS_NOW */
	__u64 fiber;
	__u64 direction; /* enum requests_direction */
};

/* More than anybody says to ask for encryption, less than the shortest handshake. */
#define TLS_HELLO_MIN 64

/* tls__covers: plain text is told of, by which the cipher text of its socket tells nothing
 * any more. Unless that is the handshake's still, which a write may have to begin: until
 * both ends have said more than they may have agreed upon before, or the answer comes.
 */
static __always_inline void tls__covers(const struct tls_text *x, const struct requests_socket *s,
					__u8 call)
{
	__u64 sk = x->sk;
	struct requests_socket *cipher;

	if (s->moved[REQUESTS_SEND] && s->moved[REQUESTS_RECEIVE])
		return;
	cipher = bpf_map_lookup_elem(&requests_sockets, &sk);
	if (!cipher)
		return;
	if (!(call & IO_SEND) || s->moved[REQUESTS_RECEIVE] || cipher->flags & REQUESTS_MIDWAY ||
	    (cipher->moved[REQUESTS_SEND] > TLS_HELLO_MIN &&
	     cipher->moved[REQUESTS_RECEIVE] > TLS_HELLO_MIN))
		cipher->flags |= REQUESTS_COVERED;
}

/* tls__tell: tells of plain text; call and waits as in requests__data. Returns whether its
 * stream is still there.
 */
static __always_inline bool tls__tell(const struct tls_text *x, __u8 call, const bool waits)
{
	__u64 key = x->sk | TLS_KEY;
	struct requests_socket *s = x->plain;
	struct requests_scratch *b;
	struct requests_io *io;

	if (!s)
		s = bpf_map_lookup_elem(&requests_sockets, &key);
	if (!s || s->id != x->id)
		return false;
	tls__covers(x, s, call);
	if (s->flags & REQUESTS_BORING)
		return true;
	b = requests__claim();
	if (!b)
		return true;
	io = &b->io;
	__builtin_memset(io, 0, sizeof(*io));
	requests__by(io);
	io->sk = key;
	io->ret = x->len;
	io->enter = x->enter;
	io->fiber = x->fiber;
	io->args[1] = x->base;
	io->call = call;
	requests__ended(s, io, call, waits);
	requests__release(b);
	return true;
}

/* tls__skip: n bytes that a session has written are not told: a gap in the stream. */
static __noinline int tls__skip(const struct tls_thread *t, __u32 n)
{
	__u64 key = t->sk | TLS_KEY;
	struct requests_socket *plain = bpf_map_lookup_elem(&requests_sockets, &key);

	if (!plain || plain->id != t->id)
		return 0;
	if (requests__class(plain->end.class)->shape.framing)
		frames__unread(key, n, true);
	__sync_fetch_and_add(&plain->moved[REQUESTS_SEND], n);
	return 0;
}

#endif
