/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: crypto/tls of Go. A connection leads to its
 * socket by itself, so nothing is kept between calls; goroutines may change
 * threads at will.
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

/* tls__go_socket: finds the socket of a tls.Conn; false when it has none that is
 * seen. What is no descriptor of a stream socket is not taken for one.
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
			return 1;
		conn = data;
	}
	return 0;
}

/* tls__go_moved: a connection reads or writes plain text. */
static __always_inline void tls__go_moved(struct pt_regs *ctx, __u64 conn, struct tls_text *x)
{
	struct requests_handle h = {};
	struct requests_socket *s;
	__u64 key;

	if (x->len <= 0)
		return;
	if (!tls__go_socket(conn, &h)) {
		tls__count(unbound);
		return;
	}
	key = h.sk | TLS_KEY;
	x->sk = h.sk;
	s = bpf_map_lookup_elem(&requests_sockets, &key);
	if (s && s->inode == h.inode)
		x->id = s->id;
	else if (requests__socket(&h)) /* a connection may be older than what sees its calls */
		x->id = tls__open(h.sk, 0, tls__file(ctx));
	if (!x->id) {
		tls__count(unbound);
		return;
	}
	x->fiber = extract__goroutine(ctx);
	tls__moved(x);
}

#endif
