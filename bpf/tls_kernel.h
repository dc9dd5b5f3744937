/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: sockets that encrypt in the kernel. After the
 * handshake, which a program or a library does, it hands the keys to the socket.
 * From then on system calls move plain text.
 */
#ifndef SIGHTGLASS_TLS_KERNEL_H
#define SIGHTGLASS_TLS_KERNEL_H

#include "tls_record.h"
#include "tls_stream.h"

const volatile bool cfg_kernel_tls = false;

/* The option that gives a socket keys, for each direction; what goes with a message
 * says of which kind its record is, data if nothing does (linux/tls.h).
 */
#define SOL_TLS 282
#define TLS_TX 1
#define TLS_RX 2
#define TLS_BOTH (1 << REQUESTS_SEND | 1 << REQUESTS_RECEIVE)

/* What lies behind struct requests_msghdr. */
struct tls_control {
	__u64 base;
	__u64 len;
};

/* Layout of struct cmsghdr on 64-bit machines, with the kind of a record. */
struct tls_record_kind {
	__u64 len;
	__u32 level;
	__u32 type;
	__u64 kind; /* its lowest byte */
};

#define TLS_RECORD_KIND 17 /* bytes of it */

/* tls__takes_keys: whether a call of setsockopt has given a socket keys. */
static __always_inline bool tls__takes_keys(const struct requests_io *io)
{
	return cfg_kernel_tls && !io->ret && (__u32)io->args[1] == SOL_TLS &&
	       ((__u32)io->args[2] == TLS_TX || (__u32)io->args[2] == TLS_RX);
}

/* tls__offload: a socket has got the keys for a direction. With both its plain text
 * begins: in between nothing but handshake is moved.
 */
__noinline int tls__offload(__u64 sk, __u32 option)
{
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &sk);

	if (!s)
		return 0;
	s->kernel_tls |= 1 << (option == TLS_TX ? REQUESTS_SEND : REQUESTS_RECEIVE);
	if (s->kernel_tls == TLS_BOTH && tls__open(sk, 1, 0))
		s->flags |= REQUESTS_COVERED;
	return 0;
}

/* tls__is_offloaded: whether what a call moves is plain text that is not told of
 * anyhow. Where a library is followed its calls tell, but for files that the kernel
 * sends by itself.
 */
__noinline int tls__is_offloaded(__u64 sk, __u32 call)
{
	__u64 key = sk | TLS_KEY;
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &sk);
	struct requests_socket *plain = bpf_map_lookup_elem(&requests_sockets, &key);
	__u32 kind = call & IO_KIND;

	if (!s || !plain || plain->id != (s->id | TLS_STREAM))
		return 0;
	if (!plain->native)
		return s->kernel_tls == TLS_BOTH;
	return s->kernel_tls & 1 << REQUESTS_SEND && call & IO_SEND &&
	       (kind == IO_SENDFILE || kind == IO_SPLICE);
}

/* tls__is_control: whether a message is a record of another kind than data. */
static __always_inline bool tls__is_control(const struct requests_io *io)
{
	struct tls_control control = {};
	struct tls_record_kind record = {};

	if ((io->call & IO_KIND) != IO_MESSAGE)
		return false;
	if (bpf_probe_read_user(&control, sizeof(control),
				(void *)(io->args[1] + sizeof(struct requests_msghdr))) ||
	    control.len < TLS_RECORD_KIND ||
	    bpf_probe_read_user(&record, TLS_RECORD_KIND, (void *)control.base))
		return false;
	return record.level == SOL_TLS && (__u8)record.kind != TLS_TYPE_DATA;
}

/* tls__decrypts: has a call on a socket that the kernel encrypts for taken for one on
 * the stream of its plain text; false when it is neither. What is received is for no
 * session of a library.
 */
static __always_inline bool tls__decrypts(struct requests_io *io)
{
	struct tls_thread *t = tls__slot(io->tid);

	if (tls__is_control(io))
		return false;
	if (t && !(io->call & IO_SEND))
		t->heard = 0;
	io->sk |= TLS_KEY;
	return true;
}

#endif
