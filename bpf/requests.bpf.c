// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* The programs of the request capture. The calls that move data come by tail
 * calls from sys_enter and sys_exit (security.bpf.c), so that the machine pays
 * for these once.
 */
#include "requests_call.h"
#include "requests_message.h"
#include "tls_cipher.h"
#include "tls_nested.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Make the types reach BTF, so that bpf2go gives them to Go. */
const struct requests_record *requests_wire __attribute__((unused));
enum requests_call *requests_wire_call __attribute__((unused));
enum requests_framing *requests_wire_framing __attribute__((unused));
enum requests_signature_flag *requests_wire_signature_flag __attribute__((unused));
enum requests_way *requests_wire_way __attribute__((unused));

#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7
#define IPPROTO_MPTCP 262

SEC("raw_tp/sys_enter")
int on_io_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 nr = ctx->args[1];
	struct requests_thread *t;
	__u32 tid;

	if (!(requests__call(nr) & IO_SEND))
		return 0;
	tid = (__u32)bpf_get_current_pid_tgid();
	if (tls__is_told(tid))
		return 0;
	t = requests__slot(tid);
	if (!t)
		return 0;
	t->time = bpf_ktime_get_boot_ns();
	t->tid = tid;
	t->nr = (__u32)nr;
	return 0;
}

/* Slots of io_exit. */
#define IO_EXIT_MESSAGES 1
#define IO_EXIT_TLS 2

SEC("raw_tp/sys_exit")
int on_io_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct requests_handle h = {};
	struct requests_io io = {};
	struct requests_current *c;
	struct requests_socket *s;
	__u64 task = base__task();
	__u32 zero = 0;
	__u64 file;

	if (!requests__begin(&io, task, ctx))
		return 0;
	file = extract__fd(task, io.args[0]);
	if (tls__is_passed(file, &io) || !requests__which(&io, file, task, &h))
		return 0;
	if ((io.call & IO_KIND) == IO_MESSAGES ||
	    (h.type == SOCK_DGRAM &&
	     requests__is_watched(h.sk, io.call, io.args[1], extract__arg(ctx->args[0], 4)))) {
		bpf_tail_call_static(ctx, &io_exit, IO_EXIT_MESSAGES);
		return 0;
	}
	if (h.type != SOCK_STREAM)
		return 0;
	s = requests__socket(&h);
	if (!s)
		return 0;
	if (io.call == IO_OPTION || (s->kernel_tls && tls__is_offloaded(io.sk, io.call))) {
		bpf_tail_call_static(ctx, &io_exit, IO_EXIT_MESSAGES);
		return 0;
	}
	if (!(s->flags & (REQUESTS_BORING | REQUESTS_COVERED)) && !requests__is_nothing(io.ret)) {
		io.fiber = extract__fiber(ctx->args[0]);
		requests__ended(s, &io, io.call, false);
	}
	if (s->flags & REQUESTS_COVERED && !s->kernel_tls)
		tls__passed(file, s, io.sk);
	if (tls__is_used() && tls__concerns(s, &io)) {
		c = bpf_map_lookup_elem(&requests_current, &zero);
		if (!c)
			return 0;
		c->io = io;
		c->io.fiber = extract__fiber(ctx->args[0]);
		c->id = s->id;
		bpf_tail_call_static(ctx, &io_exit, IO_EXIT_TLS);
	}
	return 0;
}

/* A call on a stream socket within a TLS library; on_io_exit has left it. */
SEC("raw_tp/sys_exit")
int on_io_tls(struct bpf_raw_tracepoint_args *ctx)
{
	struct requests_current *c;
	struct tls_text text = {};
	struct tls_thread *t;
	__u32 zero = 0;

	(void)ctx;
	c = bpf_map_lookup_elem(&requests_current, &zero);
	t = tls__slot((__u32)bpf_get_current_pid_tgid());
	if (c && t && tls__nested(t, &c->io, c->id, &text))
		tls__moved(&text);
	return 0;
}

SEC("raw_tp/sys_exit")
int on_io_messages(struct bpf_raw_tracepoint_args *ctx)
{
	struct requests_handle h = {};
	struct requests_current *c;
	struct requests_socket *s;
	__u64 task = base__task();
	__u32 zero = 0;
	__u64 file;

	c = bpf_map_lookup_elem(&requests_current, &zero);
	if (!c || !requests__begin(&c->io, task, ctx))
		return 0;
	file = extract__fd(task, c->io.args[0]);
	if (!requests__which(&c->io, file, task, &h))
		return 0;
	c->io.args[4] = extract__arg(ctx->args[0], 4);
	c->messages = 0;
	c->io.fiber = extract__fiber(ctx->args[0]);
	if ((c->io.call & IO_KIND) == IO_MESSAGES) {
		c->messages = c->io.ret > 0 ? c->io.args[1] : 0;
		c->io.call = (c->io.call & ~IO_KIND) | IO_MESSAGE;
		if (h.type == SOCK_DGRAM &&
		    !requests__is_watched(h.sk, IO_MESSAGE, c->io.args[1], 0))
			return 0;
	}
	s = requests__socket(&h);
	if (!s)
		return 0;
	if (c->io.call == IO_OPTION) {
		tls__looks(file);
		return tls__offload(h.sk, c->io.args[2]);
	}
	if (s->kernel_tls && tls__is_offloaded(h.sk, c->io.call) && !tls__decrypts(&c->io))
		return 0;
	requests__messages(c);
	return 0;
}

/* The calls by which a 32-bit program makes connections. */
SEC("raw_tp/sys_exit")
int on_io_compat(struct bpf_raw_tracepoint_args *ctx)
{
	if ((__s64)ctx->args[1] >= 0)
		requests__stray(WAY_COMPAT);
	return 0;
}

/* requests__closed: a stream is over; key as in requests_sockets. */
__noinline int requests__closed(__u64 key)
{
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &key);
	struct requests_record r;
	__u64 id;

	if (!s)
		return 0;
	if (requests__class(s->end.class)->shape.framing) {
		id = s->id;
		bpf_map_delete_elem(&requests_frames, &id);
	}
	if (s->end.class && !base__is_self(s->tgid)) {
		__builtin_memset(&r, 0, sizeof(r));
		requests__head(&r, s, s->tid);
		r.header.type = EVENT_SOCKET_CLOSE;
		r.header.len = sizeof(r);
		r.position = s->moved[REQUESTS_RECEIVE];
		r.bytes = s->moved[REQUESTS_SEND];
		emit__requests(&r, sizeof(r));
	}
	bpf_map_delete_elem(&requests_sockets, &key);
	return 0;
}

/* requests__ends: the state of a socket is forgotten, and that of its plain text. */
static __always_inline void requests__ends(__u64 sk, const struct requests_socket *s)
{
	requests__count(closed);
	if (tls__is_used() || s->kernel_tls)
		requests__closed(sk | TLS_KEY);
	requests__closed(sk);
}

/* A server's socket is there before it knows that its client is, and used by then where
 * the first segment brings data (TCP Fast Open). A connection over several paths (MPTCP)
 * has a socket above theirs, of whose end nothing else tells.
 */
SEC("raw_tp/inet_sock_set_state")
int on_sock_set_state(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 sk = ctx->args[0];
	__u32 from = ctx->args[1], to = ctx->args[2];
	struct requests_socket *s;

	if (to == TCP_SYN_SENT) {
		requests__open(sk, ROLE_CLIENT);
	} else if (to == TCP_SYN_RECV && from != TCP_SYN_SENT) {
		requests__open(sk, ROLE_SERVER);
	} else if (to == TCP_CLOSE && (__u16)kread(sock, sk, sk_protocol) == IPPROTO_MPTCP) {
		s = bpf_map_lookup_elem(&requests_sockets, &sk);
		if (s)
			requests__ends(sk, s);
	}
	return 0;
}

SEC("raw_tp/tcp_destroy_sock")
int on_tcp_destroy_sock(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 sk = ctx->args[0];
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &sk);

	if (!s)
		return 0;
	if (requests__is_unseen(s, sk))
		requests__count(unseen);
	requests__ends(sk, s);
	return 0;
}
