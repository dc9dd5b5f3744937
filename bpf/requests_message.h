/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: datagrams, and calls that move several messages. They have a
 * program of their own, which keeps that of the streams small.
 */
#ifndef SIGHTGLASS_REQUESTS_MESSAGE_H
#define SIGHTGLASS_REQUESTS_MESSAGE_H

#include "requests_ended.h"

#define REQUESTS_MESSAGES 64 /* messages of a call that are followed */

/* Layout of struct mmsghdr on 64-bit machines. */
#define MMSGHDR_SIZE 64
#define MMSGHDR_LEN 56 /* where its msg_len is */

/* The beginning of struct sockaddr_in and sockaddr_in6. */
struct requests_name {
	__u16 family;
	__u16 port;
	__u32 addr; /* IPv4 */
};

/* The call that is being looked at; of several messages, the current one. */
struct requests_current {
	struct requests_io io;
	__u64 messages; /* address of the first mmsghdr; 0: the call has one message */
	__u64 id; /* of the stream, for on_io_tls */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct requests_current);
} requests_current SEC(".maps");

/* requests__name: the caller's memory with the peer's address, 0 for none. */
static __always_inline __u64 requests__name(__u8 call, __u64 second, __u64 fifth)
{
	__u64 name = 0;

	if ((call & IO_KIND) == IO_MESSAGE) {
		bpf_probe_read_user(&name, sizeof(name), (void *)second);
		return name;
	}
	return call & IO_NAMED ? fifth : 0;
}

/* requests__is_watched: whether a call on a socket of datagrams has to do with a
 * watched port; second and fifth are arguments of the call. Most datagrams of a
 * busy machine end here.
 */
__noinline int requests__is_watched(__u64 sk, __u32 call, __u64 second, __u64 fifth)
{
	__u64 common = kaddr(sock, sk, __sk_common), at;
	__u16 peer = kread(sock_common, common, skc_dport);
	struct requests_name name = {};

	if (requests__is_port(extract__swap16(peer)) ||
	    requests__is_port(kread(sock_common, common, skc_num)))
		return 1;
	if (peer)
		return 0;
	at = requests__name(call, second, fifth);
	if (!at) /* the caller does not ask whom it hears: whom it spoke to */
		return bpf_map_lookup_elem(&requests_sockets, &sk) != 0;
	bpf_probe_read_user(&name, sizeof(name), (void *)at);
	return requests__is_port(extract__swap16(name.port));
}

/* requests__named: the address in the caller's memory; false for none. */
static __always_inline bool requests__named(struct event_socket *e, __u64 at)
{
	struct requests_name name;

	if (!at || bpf_probe_read_user(&name, sizeof(name), (void *)at) || !name.port)
		return false;
	e->peer_port = extract__swap16(name.port);
	if (name.family == AF_INET6)
		return !bpf_probe_read_user(e->peer_addr, sizeof(e->peer_addr),
					    (void *)(at + sizeof(name)));
	if (e->family == AF_INET6) { /* as the kernel maps it */
		*(__u32 *)&e->peer_addr[8] = 0xffff0000;
		*(__u32 *)&e->peer_addr[12] = name.addr;
	} else {
		*(__u32 *)e->peer_addr = name.addr;
	}
	return true;
}

/* requests__between: writes into the record between whom a datagram goes. What
 * an unconnected socket has sent to last is kept for answers whose sender the
 * caller does not ask for.
 */
static __always_inline void requests__between(struct requests_record *r, struct requests_socket *s,
					      const struct requests_io *io)
{
	struct event_socket e = {};

	e.family = s->end.family;
	extract__inet(io->sk, &e);
	r->end.local_port = e.local_port;
	__builtin_memcpy(r->end.local_addr, e.local_addr, sizeof(e.local_addr));
	if (!e.peer_port &&
	    !requests__named(&e, requests__name(io->call, io->args[1], io->args[4])))
		return;
	r->end.peer_port = e.peer_port;
	__builtin_memcpy(r->end.peer_addr, e.peer_addr, sizeof(e.peer_addr));
	if (io->call & IO_SEND) {
		s->end.peer_port = e.peer_port;
		__builtin_memcpy(s->end.peer_addr, e.peer_addr, sizeof(e.peer_addr));
	}
}

/* requests__classify_datagram: which message a datagram is; 0 for none. */
static __always_inline const volatile struct requests_signature *
requests__classify_datagram(struct requests_scratch *b, const struct requests_memory *m)
{
	__u64 got = requests__copy(b, m, REQUESTS_LOOK);

	if (!got)
		return 0;
	return requests__signature(requests__match(*(__u64 *)b->payload, *(__u64 *)&b->payload[8],
						   got, REQUESTS_DATAGRAMS, 0));
}

/* requests__datagram: a datagram was moved over a socket that is watched, or an
 * earlier one was answered by an error.
 */
static __always_inline void requests__datagram(struct requests_scratch *b,
					       struct requests_socket *s,
					       const struct requests_io *io)
{
	const volatile struct requests_signature *sig = 0;
	struct requests_memory m = { .total = io->ret };
	__u64 got = 0;

	if (io->ret > 0) {
		if (!requests__memory(&m, io->call, io->args))
			return;
		if (!m.count && m.total > io->args[2]) /* MSG_TRUNC tells the whole length */
			m.total = io->args[2];
		sig = requests__classify_datagram(b, &m);
		if (!sig)
			return;
		s->end.class = sig->class;
	} else if (!io->ret || !s->end.class) {
		return;
	}
	requests__own(s, io->sk, io->tid, io->tgid);
	if (requests__is_excluded(s))
		return;
	requests__head(&b->record, s, io->tid);
	requests__between(&b->record, s, io);
	if (sig) {
		b->record.flags |= REQUESTS_HEAD;
		got = requests__copy(b, &m, sig->bound);
	}
	requests__send(b, s, io, io->call, got);
}

/* requests__message: message i of the current call. */
__noinline int requests__message(__u32 i)
{
	struct requests_current *c;
	struct requests_scratch *b;
	struct requests_socket *s;
	__u32 zero = 0, len = 0;
	__u64 sk;

	c = bpf_map_lookup_elem(&requests_current, &zero);
	b = bpf_map_lookup_elem(&requests_scratch, &zero);
	if (!c || !b)
		return 0;
	sk = c->io.sk;
	s = bpf_map_lookup_elem(&requests_sockets, &sk);
	if (!s || s->flags & REQUESTS_BORING)
		return 0;
	if (c->messages) {
		c->io.args[1] = c->messages + (__u64)i * MMSGHDR_SIZE;
		bpf_probe_read_user(&len, sizeof(len), (void *)(c->io.args[1] + MMSGHDR_LEN));
		c->io.ret = len;
	}
	if (c->io.type != SOCK_DGRAM)
		requests__ended(s, &c->io, c->io.call, false);
	else if (!c->messages || requests__is_watched(sk, IO_MESSAGE, c->io.args[1], 0))
		requests__datagram(b, s, &c->io);
	return 0;
}

/* requests__messages: all messages of the current call. Of a stream none may be
 * missing.
 */
static __always_inline void requests__messages(struct requests_current *c)
{
	__s64 n = c->messages ? c->io.ret : 1;
	struct requests_socket *s;
	__u64 sk = c->io.sk;

	for (__u32 i = 0; i < REQUESTS_MESSAGES; i++) {
		if (i >= n)
			return;
		requests__message(i);
	}
	if (n <= REQUESTS_MESSAGES)
		return;
	requests__count(excess);
	s = bpf_map_lookup_elem(&requests_sockets, &sk);
	if (s && !(s->flags & REQUESTS_DATAGRAM))
		s->flags |= REQUESTS_BORING;
}

#endif
