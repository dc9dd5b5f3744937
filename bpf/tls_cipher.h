/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: cipher text that tells nothing, because the
 * plain text of its socket is told. Calls that move it end here, before the state
 * of the socket is looked for.
 */
#ifndef SIGHTGLASS_TLS_CIPHER_H
#define SIGHTGLASS_TLS_CIPHER_H

#include "tls_concern.h"

#define TLS_CIPHERS 4096 /* a power of two */

/* So many calls that move cipher text are let go at once, then one goes the long way,
 * by which the kernel sees that the state of its socket is in use. A prime.
 */
#define TLS_PASSES 61

/* A file that is such a socket. Its memory may be another's by now, its inode's number
 * tells.
 */
struct tls_cipher {
	__u64 file;
	__u64 sk;
	__u64 id; /* of the cipher text's stream */
	__u32 inode; /* 0: none */
	__u32 reserved;
};

/* By the file's address; who shares a place with another displaces it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TLS_CIPHERS);
	__type(key, __u32);
	__type(value, struct tls_cipher);
} tls_ciphers SEC(".maps");

static __always_inline struct tls_cipher *tls__cipher(__u64 file)
{
	__u32 place = (__u32)(file >> 6 ^ file >> 18) & (TLS_CIPHERS - 1);

	return bpf_map_lookup_elem(&tls_ciphers, &place);
}

/* tls__passed: notes that a file is a socket whose cipher text tells nothing. What
 * is written last makes it valid.
 */
static __always_inline void tls__passed(__u64 file, const struct requests_socket *s, __u64 sk)
{
	volatile struct tls_cipher *c = tls__cipher(file);

	if (!c || (c->file == file && c->inode == s->inode && c->id == s->id))
		return;
	c->inode = 0;
	c->file = file;
	c->sk = sk;
	c->id = s->id;
	c->inode = s->inode;
}

/* tls__looks: from now on the calls on a file are looked at again. */
static __always_inline void tls__looks(__u64 file)
{
	struct tls_cipher *c = tls__cipher(file);

	if (c && c->file == file)
		c->inode = 0;
}

/* tls__is_told: whether the current thread is in a write of which all was told when it
 * began: when its cipher text is sent does not matter any more.
 */
static __always_inline bool tls__is_told(__u32 tid)
{
	struct tls_thread *t = tls__is_used() ? tls__slot(tid) : 0;

	return t && t->tid == tid && tls__is_all_told(t);
}

/* tls__is_sent: whether a call sends, in one piece, all of a write that was told when
 * it began.
 */
static __always_inline bool tls__is_sent(const struct tls_thread *t, const struct requests_io *io)
{
	__u64 sent = io->ret;

	return tls__is_all_told(t) && (io->call & IO_KIND) == IO_BUFFER && sent == io->args[2] &&
	       sent >= (__u64)t->len + TLS_RECORD_HEAD + TLS_RECORD_MORE_MIN;
}

/* tls__passes: whether a call that has moved cipher text tells nothing. */
static __always_inline bool tls__passes(struct tls_thread *t, const struct tls_cipher *c,
					const struct requests_io *io)
{
	if (tls__is_inside(t, io, io->tid)) {
		if (io->call & IO_SEND) {
			if (t->sk != c->sk || !tls__is_sent(t, io))
				return false;
			t->call = TLS_NONE;
			return true;
		}
		if (t->call != TLS_READ || !tls__is_bound(t, c->sk, c->id))
			return false;
		t->state = (t->state | TLS_NESTED) & ~TLS_DRY;
		return true;
	}
	if (io->call & IO_SEND)
		return true;
	if (t->tid != io->tid)
		return false;
	t->heard = c->sk;
	t->heard_id = (__u32)c->id;
	t->state &= ~TLS_TAKEN;
	return true;
}

/* tls__is_passed: whether a call on a file has moved bytes that tell nothing. */
static __always_inline bool tls__is_passed(__u64 file, const struct requests_io *io)
{
	__u32 zero = 0;
	struct tls_cipher *c;
	struct tls_stats *s;
	struct tls_thread *t;

	if (!file || io->ret <= 0 || (io->call & IO_KIND) > IO_MESSAGE)
		return false;
	c = tls__cipher(file);
	if (!c || c->file != file ||
	    c->inode != (__u32)kread(inode, kptr(file, file, f_inode), i_ino))
		return false;
	s = bpf_map_lookup_elem(&tls_stats, &zero);
	if (!s || !(++s->passes % TLS_PASSES))
		return false;
	t = tls__slot(io->tid);
	return t && tls__passes(t, c, io);
}

#endif
