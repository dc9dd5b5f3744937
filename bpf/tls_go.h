/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: crypto/tls of Go. A connection leads to its
 * socket by itself, so nothing is kept while a call lasts: goroutines may change
 * threads at will. Where it led is kept from call to call.
 */
#ifndef SIGHTGLASS_TLS_GO_H
#define SIGHTGLASS_TLS_GO_H

#include "tls_probe.h"

/* A tls.Conn begins with the net.Conn below it, an interface. If that is a
 * *net.TCPConn or a *net.UnixConn, its data is a pointer to the net.netFD, which
 * begins with a poll.FD, where the descriptor follows a lock. A net.Conn of the
 * program's own is commonly a struct that begins with the one that it wraps.
 */
#define TLS_GO_DATA 8 /* in an interface: behind the type */
#define TLS_GO_SYSFD 16 /* in a poll.FD */
#define TLS_GO_WRAPPED 3 /* connections around each other that are looked through */

static __always_inline __u64 tls__go_word(__u64 at)
{
	__u64 v = 0;

	bpf_probe_read_user(&v, sizeof(v), (void *)at);
	return v;
}

/* tls__go_parameters: what a function of Go was called with whose second and third
 * parameter are bytes and how many; returns the first. The verifier lets nobody
 * choose among registers, which the compiler would do later.
 */
static __always_inline __u64 tls__go_parameters(const struct pt_regs *ctx, struct tls_text *x)
{
	__u64 first = extract__go_parameter(ctx, 0);

	pin(first);
	x->base = extract__go_parameter(ctx, 1);
	x->len = extract__go_parameter(ctx, 2);
	x->fiber = extract__goroutine(ctx);
	return first;
}

/* tls__go_known: whether it is known which stream a connection has, because it has
 * the same net.Conn below it as when that was found, and its socket still has a
 * descriptor: memory is used again for another one when both are gone.
 */
static __always_inline bool tls__go_known(__u64 conn, struct tls_text *x)
{
	struct tls_session *s = tls__session(bpf_get_current_pid_tgid() >> 32, conn);
	struct requests_socket *plain;
	__u64 key;

	if (!s || s->below != tls__go_word(conn + TLS_GO_DATA))
		return false;
	key = s->sk | TLS_KEY;
	plain = bpf_map_lookup_elem(&requests_sockets, &key);
	if (!plain || plain->id != s->id || !kread(sock, s->sk, sk_socket))
		return false;
	x->sk = s->sk;
	x->id = s->id;
	x->plain = plain;
	return true;
}

/* tls__go_keep: notes which stream a connection has, of which one of the net
 * package is right below: what a program puts in between may change what it wraps.
 */
static __always_inline void tls__go_keep(__u64 conn, const struct tls_text *x)
{
	struct tls_key key = { .session = conn };
	struct tls_session fresh = { .sk = x->sk, .id = x->id };

	key.tgid = bpf_get_current_pid_tgid() >> 32;
	fresh.below = tls__go_word(conn + TLS_GO_DATA);
	bpf_map_update_elem(&tls_sessions, &key, &fresh, BPF_ANY);
}

/* tls__go_socket: finds the socket of a tls.Conn. Returns how many connections lie
 * between them, from 1; 0 when it has none that is seen. What is no descriptor of a
 * stream socket is not taken for one.
 */
static __noinline int tls__go_socket(__u64 conn, struct requests_handle *h)
{
	__u64 task = base__task(), data, fd;

	if (!h)
		return 0;
	for (int i = 0; i < TLS_GO_WRAPPED; i++) {
		data = tls__go_word(conn + TLS_GO_DATA);
		fd = tls__go_word(tls__go_word(data) + TLS_GO_SYSFD);
		if (fd && fd < 1 << 30 && requests__handle(task, fd, h) && h->type == SOCK_STREAM)
			return i + 1;
		conn = data;
	}
	return 0;
}

/* tls__go_find: finds the stream of a connection; false when it has none. */
static __always_inline bool tls__go_find(struct pt_regs *ctx, __u64 conn, struct tls_text *x)
{
	struct requests_handle h = {};
	struct requests_socket *s;
	int between = tls__go_socket(conn, &h);
	__u64 key = h.sk | TLS_KEY;

	if (!between)
		return false;
	x->sk = h.sk;
	x->id = 0;
	s = bpf_map_lookup_elem(&requests_sockets, &key);
	if (s && s->inode == h.inode)
		x->id = s->id;
	else if (requests__socket(&h)) /* a connection may be older than what sees its calls */
		x->id = tls__open(h.sk, 0, tls__file(ctx));
	if (x->id && between == 1)
		tls__go_keep(conn, x);
	return x->id;
}

/* tls__go_moves: a connection reads or writes plain text. Returns whether there is any
 * to tell of.
 */
static __always_inline bool tls__go_moves(struct pt_regs *ctx, __u64 conn, struct tls_text *x)
{
	if (x->len <= 0)
		return false;
	if (tls__go_known(conn, x) || tls__go_find(ctx, conn, x))
		return true;
	tls__count(unbound);
	return false;
}

#endif
