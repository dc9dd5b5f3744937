/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: a C library hands over what it has decrypted,
 * seen where it copies that to its caller. Reads that yield nothing do not come
 * here. Such places are looked for on x86-64 alone, where exceptions are dear and
 * a replaced return address is a system call.
 */
#ifndef SIGHTGLASS_TLS_COPIED_H
#define SIGHTGLASS_TLS_COPIED_H

#include "tls_library.h"
#include "tls_record.h"

/* What a cookie says of such a place, from its lowest bits up (internal/bpf): the
 * file, how far above the stack pointer the window lies that is read at once, and
 * where the session is, the kind of the record, and whether the caller only looks.
 * That is a word of the window by its number, or one of the registers that calls
 * preserve.
 */
#define TLS_COOKIE_WINDOW 16
#define TLS_COOKIE_SESSION 32
#define TLS_COOKIE_TYPE 40
#define TLS_COOKIE_PEEK 48
#define TLS_WINDOW 16 /* words of 32 bits; a power of two */
#define TLS_IN_REGISTER 0x80

struct tls_window {
	__u32 words[TLS_WINDOW + 2]; /* the last value may have 64 bits */
};

static __always_inline __u64 tls__value(struct pt_regs *ctx, const struct tls_window *w, __u64 at)
{
	__u64 low;

	if (at & TLS_IN_REGISTER)
		return extract__preserved(ctx, at & 15);
	at &= TLS_WINDOW - 1;
	pin(at);
	at &= TLS_WINDOW - 1;
	low = w->words[at];
	return low | (__u64)w->words[at + 1] << 32;
}

/* tls__copied: the current thread is at the call of memcpy(to, from, n) by which a
 * library answers a read. Whether the library received the cipher text itself is
 * known from the handshake. Of a session that is older than the probes it is not:
 * then what it writes is told at once, as if its caller sent the cipher text,
 * which is right either way. Returns whether there is plain text to tell of, for
 * which this function leaves no room on the stack.
 */
static __noinline bool tls__copied(struct pt_regs *ctx, struct tls_text *text)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u64 at = extract__stack(ctx) + (__u16)(cookie >> TLS_COOKIE_WINDOW);
	struct tls_window w = {};
	struct tls_session *s = 0;
	struct tls_thread *t;

	if (bpf_probe_read_user(&w, sizeof(w), (void *)at))
		return false;
	if ((__u32)tls__value(ctx, &w, cookie >> TLS_COOKIE_TYPE) != TLS_TYPE_DATA ||
	    (__u32)tls__value(ctx, &w, cookie >> TLS_COOKIE_PEEK))
		return false;
	text->base = extract__parameter(ctx, 1);
	text->len = extract__parameter(ctx, 2);
	if (text->len <= 0)
		return false;
	t = tls__begin(tls__value(ctx, &w, cookie >> TLS_COOKIE_SESSION), (__u16)cookie, &s);
	if (!t)
		return false;
	t->call = TLS_NONE;
	if (!t->sk && !tls__guess(t, TLS_MEMORY)) {
		tls__count(unbound);
		return false;
	}
	if (t->heard == t->sk)
		t->state |= TLS_TAKEN;
	if (s && s->flags & TLS_EARLY)
		s->flags &= ~TLS_EARLY;
	text->sk = t->sk;
	text->id = t->id;
	return true;
}

#endif
