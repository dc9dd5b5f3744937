/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Extract layer: facts about a socket. */
#ifndef SIGHTGLASS_EXTRACT_SOCKET_H
#define SIGHTGLASS_EXTRACT_SOCKET_H

#include "extract_file.h"

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define UNIX_PATH_MAX 108
#define SOCK_BINDPORT_LOCK 8
#define IPPROTO_TCP 6
#define TCP_LISTEN 10

/* extract__sock: the struct sock behind an open file, 0 when it is no socket. */
static __always_inline __u64 extract__sock(__u64 file)
{
	if (!file || !extract__is_socket(file))
		return 0;
	return kptr(socket, kptr(file, file, private_data), sk);
}

/* extract__sock_of_fd: the struct sock behind a descriptor of the task. */
static __always_inline __u64 extract__sock_of_fd(__u64 task, __u32 fd)
{
	return extract__sock(extract__fd(task, fd));
}

/* What a call's class tells of its socket; as in internal/interest. */
enum socket_kind {
	SOCKET_OTHER = 0, /* or none */
	SOCKET_CONNECTED = 1, /* IPv4 or IPv6, with a peer */
	SOCKET_UNIX = 2,
};

/* extract__socket_kind: enum socket_kind of the task's descriptor. */
__noinline int extract__socket_kind(__u64 task, __u32 fd)
{
	__u64 sk = extract__sock_of_fd(task, fd);
	__u16 family;

	if (!sk)
		return SOCKET_OTHER;
	family = kread(sock, sk, __sk_common.skc_family);
	if (family == AF_UNIX)
		return SOCKET_UNIX;
	if ((family == AF_INET || family == AF_INET6) && kread(sock, sk, __sk_common.skc_dport))
		return SOCKET_CONNECTED;
	return SOCKET_OTHER;
}

static __always_inline __u16 extract__swap16(__u16 v)
{
	return __builtin_bswap16(v);
}

/* extract__inet: addresses and ports; zero where the socket has none (yet). */
static __always_inline void extract__inet(__u64 sk, struct event_socket *out)
{
	__u64 common = kaddr(sock, sk, __sk_common), addr;

	out->local_port = kread(sock_common, common, skc_num);
	out->peer_port = extract__swap16(kread(sock_common, common, skc_dport));
	if (out->family == AF_INET) {
		*(__u32 *)out->local_addr = kread(sock_common, common, skc_rcv_saddr);
		*(__u32 *)out->peer_addr = kread(sock_common, common, skc_daddr);
		return;
	}
	addr = kaddr(sock_common, common, skc_v6_rcv_saddr);
	((__u64 *)out->local_addr)[0] = kload(addr);
	((__u64 *)out->local_addr)[1] = kload(addr + 8);
	addr = kaddr(sock_common, common, skc_v6_daddr);
	((__u64 *)out->peer_addr)[0] = kload(addr);
	((__u64 *)out->peer_addr)[1] = kload(addr + 8);
}

static __always_inline __u64 extract__locks(__u64 sk)
{
	struct sock *sock = (struct sock *)sk;

	if (cfg_direct)
		return base__cast(sock, sk)->sk_userlocks;
	return BPF_CORE_READ_BITFIELD_PROBED(sock, sk_userlocks);
}

/* extract__accepted: a listening socket made this connection of TCP. A port that
 * connect() found is in a bucket for such ports alone, whose fastreuse is
 * negative. Others were bound by bind() or listen(); what accept() returns has
 * the port of its listener without having been bound itself.
 */
static __always_inline bool extract__accepted(__u64 sk, const struct event_socket *socket)
{
	__u64 bucket;

	if (socket->protocol != IPPROTO_TCP || socket->state == TCP_LISTEN ||
	    socket->flags & EVENT_SOCKET_BOUND || !socket->peer_port)
		return false;
	bucket = kptr(inet_connection_sock, sk, icsk_bind_hash);
	return bucket && kread(inet_bind_bucket, bucket, fastreuse) >= 0;
}

/* extract__socket: fills out from a struct sock; all zero for families without
 * addresses that we know.
 */
static __always_inline void extract__socket(__u64 sk, struct event_socket *out)
{
	__builtin_memset(out, 0, sizeof(*out));
	out->family = kread(sock, sk, __sk_common.skc_family);
	out->state = kread(sock, sk, __sk_common.skc_state);
	out->type = kread(sock, sk, sk_type);
	out->protocol = kread(sock, sk, sk_protocol);
	if (extract__locks(sk) & SOCK_BINDPORT_LOCK)
		out->flags = EVENT_SOCKET_BOUND;
	out->net_ns = kread(net, kptr(sock, sk, __sk_common.skc_net.net), ns.inum);
	if (out->family != AF_INET && out->family != AF_INET6)
		return;
	extract__inet(sk, out);
	if (extract__accepted(sk, out))
		out->flags |= EVENT_SOCKET_ACCEPTED;
}

/* extract__unix_name: adds the name that a unix socket is bound to, if any. */
static __always_inline void extract__unix_name(struct scratch *s, __u64 sk, __u8 arg, __u8 kind)
{
	__u64 addr = sk ? kptr(unix_sock, sk, addr) : 0;
	struct event_extra *x;
	__u32 len;

	if (!addr)
		return;
	len = kread(unix_address, addr, len) - sizeof(__u16);
	if (!len || len > UNIX_PATH_MAX)
		return;
	x = base__extra_begin(s, arg, kind);
	if (!x)
		return;
	pin(len);
	if (bpf_probe_read_kernel(x + 1, len & 0x7f,
				  (void *)(kaddr(unix_address, addr, name) + sizeof(__u16))))
		return;
	base__extra_end(s, x, len, 0);
}

/* extract__socket_extras: adds EXTRA_SOCKET, and the names of a unix socket. */
static __always_inline void extract__socket_extras(struct scratch *s, __u64 sk, __u8 arg)
{
	struct event_extra *x = base__extra_begin(s, arg, EXTRA_SOCKET);

	if (!x)
		return;
	extract__socket(sk, (struct event_socket *)(x + 1));
	base__extra_end(s, x, sizeof(struct event_socket), 0);
	if (kread(sock, sk, __sk_common.skc_family) != AF_UNIX)
		return;
	extract__unix_name(s, sk, arg, EXTRA_UNIX_LOCAL);
	extract__unix_name(s, kptr(unix_sock, sk, peer), arg, EXTRA_UNIX_PEER);
}

#endif
