// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* The programs on probes in TLS libraries. A thread's slot says what it is doing
 * in there; the system calls that it makes meanwhile say with which socket
 * (tls_nested.h). What is read is told when the call returns, what is written
 * when its cipher text leaves, so that no probe is needed where writes return.
 */
#define REQUESTS_PREEMPTIBLE
#ifdef __TARGET_ARCH_x86
#include "tls_copied.h"
#endif
#include "tls_go.h"
#include "tls_handshake.h"
#include "tls_write.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* int read(session, buffer, length) */
SEC("uprobe")
int on_tls_read(struct pt_regs *ctx)
{
	struct tls_session *s;

	tls__enter(ctx, TLS_READ, 0, &s);
	tls__spend();
	return 0;
}

/* int read(session, buffer, length, *count) */
SEC("uprobe")
int on_tls_read_counted(struct pt_regs *ctx)
{
	struct tls_session *s;

	tls__enter(ctx, TLS_READ, extract__parameter(ctx, 3), &s);
	tls__spend();
	return 0;
}

/* A read returns. */
SEC("uprobe")
int on_tls_read_return(struct pt_regs *ctx)
{
	tls__read((__s32)extract__result(ctx));
	tls__spend();
	return 0;
}

#ifdef __TARGET_ARCH_x86
/* A read copies what was decrypted: the call of memcpy(to, from, n). */
SEC("uprobe")
int on_tls_copied(struct pt_regs *ctx)
{
	struct tls_text text = {};

	if (cfg_cookies && tls__copied(ctx, &text))
		tls__reads(&text);
	tls__spend();
	return 0;
}
#endif

/* int write(session, buffer, length, ...) */
SEC("uprobe.s")
int on_tls_write(struct pt_regs *ctx)
{
	tls__write(ctx);
	tls__spend();
	return 0;
}

/* int handshake(session) */
SEC("uprobe")
int on_tls_handshake(struct pt_regs *ctx)
{
	tls__handshake(ctx);
	tls__spend();
	return 0;
}

SEC("uprobe")
int on_tls_handshake_return(struct pt_regs *ctx)
{
	tls__shaken((__s32)extract__result(ctx) == 1);
	tls__spend();
	return 0;
}

/* int status(session): what became of data that went with the first flight. */
SEC("uprobe")
int on_tls_status(struct pt_regs *ctx)
{
	struct tls_session *s;

	tls__enter(ctx, TLS_STATUS, 0, &s);
	tls__spend();
	return 0;
}

SEC("uprobe")
int on_tls_status_return(struct pt_regs *ctx)
{
	tls__refused((__s32)extract__result(ctx) == 1);
	tls__spend();
	return 0;
}

/* void cork(session): what is written is kept until uncork(session, ...). */
SEC("uprobe")
int on_tls_cork(struct pt_regs *ctx)
{
	tls__cork(extract__parameter(ctx, 0), true);
	tls__spend();
	return 0;
}

SEC("uprobe")
int on_tls_uncork(struct pt_regs *ctx)
{
	tls__cork(extract__parameter(ctx, 0), false);
	tls__spend();
	return 0;
}

/* void free(session) */
SEC("uprobe")
int on_tls_free(struct pt_regs *ctx)
{
	struct tls_key key = { .session = extract__parameter(ctx, 0) };

	key.tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_map_delete_elem(&tls_sessions, &key);
	tls__spend();
	return 0;
}

/* A function returns that makes a session: another one that had its address is no
 * more.
 */
SEC("uprobe")
int on_tls_new_return(struct pt_regs *ctx)
{
	struct tls_key key = { .session = extract__result(ctx) };

	key.tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_map_delete_elem(&tls_sessions, &key);
	tls__spend();
	return 0;
}

/* func (c *Conn) Write(b []byte), of crypto/tls in Go, begins. */
SEC("uprobe.s")
int on_tls_go_write(struct pt_regs *ctx)
{
	struct tls_text text = {};
	__u64 conn = tls__go_parameters(ctx, &text);

	text.enter = REQUESTS_NOW;
	if (tls__go_moves(ctx, conn, &text))
		tls__writes(&text);
	tls__spend();
	return 0;
}

/* func (c *Conn) Read(b []byte) copies what it has decrypted: the call of
 * memmove(to, from, n).
 */
SEC("uprobe")
int on_tls_go_read(struct pt_regs *ctx)
{
	struct tls_text text = {};

	tls__go_parameters(ctx, &text);
	if (tls__go_moves(ctx, tls__go_word(extract__go_receiver(ctx)), &text))
		tls__reads(&text);
	tls__spend();
	return 0;
}
