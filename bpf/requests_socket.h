/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: from a descriptor to the state of its socket. */
#ifndef SIGHTGLASS_REQUESTS_SOCKET_H
#define SIGHTGLASS_REQUESTS_SOCKET_H

#include "lib/count.h"
#include "lib/extract_file.h"
#include "lib/extract_socket.h"
#include "lib/extract_task.h"
#include "requests.h"

#define SOCK_STREAM 1
#define SOCK_DGRAM 2

/* What a descriptor led to. */
struct requests_handle {
	__u64 sk;
	__u32 inode;
	__u16 family;
	__u16 type;
};

/* requests__handle_of: the socket of streams or datagrams that a file is; false for
 * anything else. Ordered by what rules out most.
 */
static __always_inline bool requests__handle_of(__u64 file, struct requests_handle *h)
{
	__u64 inode, sock;

	if (!file)
		return false;
	inode = kptr(file, file, f_inode);
	if ((kread(inode, inode, i_mode) & S_IFMT) != S_IFSOCK)
		return false;
	sock = kptr(file, file, private_data);
	h->type = kread(socket, sock, type);
	if (h->type != SOCK_STREAM && !(cfg_datagrams && h->type == SOCK_DGRAM))
		return false;
	h->sk = kptr(socket, sock, sk);
	if (!h->sk)
		return false;
	h->family = kread(sock, h->sk, __sk_common.skc_family);
	h->inode = (__u32)kread(inode, inode, i_ino);
	return h->family == AF_INET || h->family == AF_INET6 ||
	       (h->family == AF_UNIX && h->type == SOCK_STREAM);
}

/* requests__handle: the same for what is behind a descriptor. */
static __always_inline bool requests__handle(__u64 task, __u32 fd, struct requests_handle *h)
{
	return requests__handle_of(extract__fd(task, fd), h);
}

/* requests__new_id: unique on this machine for more than a year: the time, and
 * the CPU in the bits that time does not need until then. The highest bit is
 * free for the stream of plain text of the same socket (tls.h).
 */
static __always_inline __u64 requests__new_id(void)
{
	__u64 id = bpf_ktime_get_boot_ns() << 8 | (bpf_get_smp_processor_id() & 0xff);

	return id & ~(1ULL << 63);
}

static __always_inline bool requests__is_port(__u16 port)
{
	return cfg_ports[port >> 3] >> (port & 7) & 1;
}

/* requests__role_by_port: datagrams are asked for at the ports that are watched. */
static __always_inline __u8 requests__role_by_port(const struct requests_handle *h)
{
	__u64 common = kaddr(sock, h->sk, __sk_common);

	if (!requests__is_port(kread(sock_common, common, skc_num)))
		return ROLE_CLIENT;
	if (requests__is_port(extract__swap16(kread(sock_common, common, skc_dport))))
		return ROLE_UNKNOWN;
	return ROLE_SERVER;
}

/* requests__infer_role: what the kernel's structures tell about a connection
 * that nobody saw being made. A port that connect chose by itself is marked as
 * such in the table of bound ports; a unix socket has the name of the listener
 * that accepted it.
 */
static __always_inline __u8 requests__infer_role(const struct requests_handle *h)
{
	__u64 other;

	if (h->family == AF_UNIX) {
		if (kptr(unix_sock, h->sk, addr))
			return ROLE_SERVER;
		other = kptr(unix_sock, h->sk, peer);
		return other && kptr(unix_sock, other, addr) ? ROLE_CLIENT : ROLE_UNKNOWN;
	}
	other = kptr(inet_connection_sock, h->sk, icsk_bind_hash);
	if (!other)
		return ROLE_UNKNOWN;
	return kread(inet_bind_bucket, other, fastreuse) == -1 ? ROLE_CLIENT : ROLE_SERVER;
}

/* requests__locate: fills in where the socket is. */
static __always_inline void requests__locate(struct requests_socket *s,
					     const struct requests_handle *h)
{
	struct event_socket e = {};

	e.family = h->family;
	if (h->family != AF_UNIX)
		extract__inet(h->sk, &e);
	__builtin_memcpy(s->end.local_addr, e.local_addr, sizeof(e.local_addr));
	__builtin_memcpy(s->end.peer_addr, e.peer_addr, sizeof(e.peer_addr));
	s->end.local_port = e.local_port;
	s->end.peer_port = e.peer_port;
	s->end.family = h->family;
	s->end.net_ns = kread(net, kptr(sock, h->sk, __sk_common.skc_net.net), ns.inum);
	s->inode = h->inode;
}

/* requests__adopt: makes a state for a socket that has none. Like all functions
 * here that are neither inlined nor static, it is verified by itself and has a
 * stack of its own.
 */
__noinline int requests__adopt(__u64 sk, __u32 inode, __u16 family, __u16 type)
{
	struct requests_handle h = { .sk = sk, .inode = inode, .family = family, .type = type };
	bool midway = family != AF_UNIX && type == SOCK_STREAM;
	struct requests_socket fresh = {};

	fresh.id = requests__new_id();
	if (type == SOCK_DGRAM) {
		fresh.end.role = requests__role_by_port(&h);
		fresh.flags = REQUESTS_DATAGRAM;
	} else {
		fresh.end.role = requests__infer_role(&h);
		if (midway)
			fresh.flags = REQUESTS_GUESSED | REQUESTS_MIDWAY;
	}
	requests__locate(&fresh, &h);
	if (bpf_map_update_elem(&requests_sockets, &h.sk, &fresh, BPF_ANY)) {
		requests__count(full);
		return 1;
	}
	requests__count(opened);
	if (midway)
		requests__count(midway);
	return 0;
}

/* requests__settle: fills in the state of a socket that was opened while it was
 * watched, at its first use.
 */
__noinline int requests__settle(__u64 sk, __u32 inode, __u16 family)
{
	struct requests_handle h = { .sk = sk, .inode = inode, .family = family };
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &sk);

	if (s)
		requests__locate(s, &h);
	return 0;
}

/* requests__socket: the state of a socket. */
static __always_inline struct requests_socket *requests__socket(const struct requests_handle *h)
{
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &h->sk);

	if (s && s->inode == h->inode)
		return s;
	if (s && !s->inode)
		requests__settle(h->sk, h->inode, h->family);
	else if (requests__adopt(h->sk, h->inode, h->family,
				 h->type)) /* new, or its memory was reused */
		return 0;
	return bpf_map_lookup_elem(&requests_sockets, &h->sk);
}

/* requests__by: notes who makes the call. */
static __always_inline void requests__by(struct requests_io *io)
{
	__u64 id = bpf_get_current_pid_tgid();

	io->tid = (__u32)id;
	io->tgid = id >> 32;
}

/* requests__disown: another process than before uses the socket. */
__noinline int requests__disown(__u64 sk)
{
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &sk);
	__u64 task = base__task();
	struct event_task t;

	if (!s)
		return 0;
	s->tgid = kread(task_struct, task, tgid);
	s->start = extract__start(task);
	extract__cgroup(task, &t);
	s->cgroup_id = t.cgroup_id;
	s->end.cgroup_hierarchy = t.cgroup_hierarchy;
	return 0;
}

/* requests__own: notes which process uses the socket now, and its thread; another
 * one may use it at the same time.
 */
static __always_inline void requests__own(struct requests_socket *s, __u64 sk, __u32 tid,
					  __u32 tgid)
{
	s->tid = tid;
	if (s->tgid != tgid)
		requests__disown(sk);
}

/* requests__open: a connection is being made. Runs in any context. */
static __always_inline void requests__open(__u64 sk, __u8 role)
{
	struct requests_socket fresh = {};

	fresh.id = requests__new_id();
	fresh.end.role = role;
	if (bpf_map_update_elem(&requests_sockets, &sk, &fresh, BPF_ANY))
		requests__count(full);
	else
		requests__count(opened);
}

#endif
