// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0
/* The programs of the request capture. The calls that move data come by tail
 * calls from sys_enter and sys_exit (security.bpf.c), so that the machine pays
 * for these once.
 */
#include "lib/emit.h"
#include "lib/extract_call.h"
#include "requests_match.h"
#include "requests_payload.h"
#include "requests_socket.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Make the types reach BTF, so that bpf2go gives them to Go. */
const struct requests_record *requests_wire __attribute__((unused));
enum requests_call *requests_wire_call __attribute__((unused));

#define MSG_PEEK 2
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_SYN_RECV 3
#define TCP_CLOSE 7

/* Results of calls that tell that the connection is over. */
#define EPIPE 32
#define ECONNABORTED 103
#define ECONNRESET 104
#define ETIMEDOUT 110

static __always_inline bool requests__is_end(__s64 ret)
{
	return ret == -ECONNRESET || ret == -EPIPE || ret == -ETIMEDOUT || ret == -ECONNABORTED;
}

static __always_inline __u8 requests__call(__u64 nr)
{
	if (nr >= REQUESTS_CALLS)
		return IO_NONE;
	pin(nr);
	return cfg_io_calls[nr & (REQUESTS_CALLS - 1)];
}

SEC("raw_tp/sys_enter")
int on_io_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 nr = ctx->args[1];
	__u32 tid, slot;
	struct requests_begin *b;

	if (!(requests__call(nr) & IO_SEND))
		return 0;
	tid = (__u32)bpf_get_current_pid_tgid();
	slot = tid & (REQUESTS_THREADS - 1);
	b = bpf_map_lookup_elem(&requests_begins, &slot);
	if (!b)
		return 0;
	b->time = bpf_ktime_get_boot_ns();
	b->tid = tid;
	b->nr = (__u32)nr;
	return 0;
}

/* requests__began: when the thread's send began, 0 when that was not seen. */
static __always_inline __u64 requests__began(__u32 tid, __u32 nr)
{
	__u32 slot = tid & (REQUESTS_THREADS - 1);
	struct requests_begin *b = bpf_map_lookup_elem(&requests_begins, &slot);

	if (b && b->tid == tid && b->nr == nr)
		return b->time;
	requests__count(no_enter);
	return 0;
}

/* requests__head: the part of a record that the state of the socket gives. */
static __always_inline void requests__head(struct requests_record *r, const struct requests_socket *s)
{
	r->header.flags = 0;
	r->header.start = s->start;
	r->header.tgid = s->tgid;
	r->header.tid = s->tid;
	r->header.time = bpf_ktime_get_boot_ns();
	r->socket = s->id;
	r->cgroup_id = s->cgroup_id;
	r->end = s->end;
	r->flags = s->flags;
	*(__u64 *)&r->tail_len = 0;
	*(__u64 *)r->tail = 0;
}

/* requests__send: completes the record of a call and hands it over. */
static __always_inline void requests__send(struct requests_scratch *b, struct requests_socket *s,
					   __u64 enter, __u64 direction, __s64 ret, __u64 captured)
{
	struct requests_record *r = &b->record;

	if (captured > REQUESTS_PAYLOAD)
		return;
	pin(captured);
	r->header.type = EVENT_DATA;
	r->header.len = sizeof(*r) + captured;
	r->enter = enter;
	r->position = s->moved[direction & 1];
	r->opposite = (__u32)s->moved[!direction];
	r->bytes = ret > 0 ? ret : 0;
	r->error = ret < 0 ? ret : 0;
	r->direction = direction;
	r->captured = captured;
	emit__requests(b, sizeof(*r) + captured);
}

/* requests__is_excluded: whether the agent itself made the call; counted. */
static __always_inline bool requests__is_excluded(const struct requests_socket *s)
{
	if (!base__is_self(s->tgid))
		return false;
	base__count_produced(CLASS_REQUESTS);
	base__count_filtered(CLASS_REQUESTS, FILTER_SELF);
	return true;
}

/* requests__word: the first bytes of the payload as a number. */
static __always_inline __u64 requests__word(const struct requests_scratch *b)
{
	return *(const __u64 *)b->payload;
}

/* requests__fill: copies what is worth it of the bytes of a classified socket
 * into the record, of which got are there already. Returns how many there are.
 */
static __always_inline __u64 requests__fill(struct requests_scratch *b, struct requests_socket *s,
					    const struct requests_memory *m, __u64 got,
					    const volatile struct requests_signature *sig,
					    __u64 direction, bool turn)
{
	__u64 want = requests__bound(s, direction, m->total, sig, turn);

	if (want < m->total) {
		requests__tail(b, m);
		if (sig && requests__is_whole(sig, &b->record))
			want = REQUESTS_PAYLOAD;
	}
	return want > got ? requests__copy(b, m, want) : want;
}

/* requests__data: bytes were moved over a socket that is watched. */
static __always_inline void requests__data(__u64 task, struct requests_socket *s, __u8 call, __u32 nr,
					   const __u64 *args, __u64 total)
{
	__u64 direction = call & IO_SEND ? REQUESTS_SEND : REQUESTS_RECEIVE, got = 0;
	const volatile struct requests_signature *sig = 0;
	struct requests_memory m = { .total = total };
	bool turn = s->last != direction + 1, readable;
	struct requests_scratch *b;
	__u32 zero = 0;

	if (!s->end.class && !turn && s->tries >= REQUESTS_TRIES)
		goto moved;
	b = bpf_map_lookup_elem(&requests_scratch, &zero);
	if (!b)
		goto moved;
	s->last = direction + 1;
	readable = requests__memory(&m, call, args);
	if (readable) {
		got = requests__copy(b, &m, requests__guess(s, direction, turn));
		if (got)
			sig = requests__look(s, requests__word(b), got, turn);
		else
			requests__count(unreadable);
	}
	if (!s->end.class)
		goto moved;
	requests__own(s, task, requests__tid(task));
	if (requests__is_excluded(s))
		goto moved;
	requests__head(&b->record, s);
	b->record.flags &= ~REQUESTS_BORING;
	if (sig)
		b->record.flags |= REQUESTS_HEAD;
	if (got)
		got = requests__fill(b, s, &m, got, sig, direction, turn);
	requests__send(b, s, call & IO_SEND ? requests__began(s->tid, nr) : 0, direction, total, got);
moved:
	/* After the record: whoever sees the sum finds the record before his own. */
	__sync_fetch_and_add(&s->moved[direction & 1], total);
}

/* requests__over: a call tells that the connection is over. */
static __always_inline void requests__over(__u64 task, struct requests_socket *s, __u8 call, __s64 ret)
{
	struct requests_scratch *b;
	__u32 zero = 0;

	if (!s->end.class)
		return;
	requests__own(s, task, requests__tid(task));
	b = bpf_map_lookup_elem(&requests_scratch, &zero);
	if (!b || requests__is_excluded(s))
		return;
	requests__head(&b->record, s);
	requests__send(b, s, 0, call & IO_SEND ? REQUESTS_SEND : REQUESTS_RECEIVE, ret, 0);
}

/* requests__find: the socket of a call. splice has two descriptors, one of them
 * a pipe; it sends if the first is no socket.
 */
static __always_inline struct requests_socket *requests__find(__u64 task, __u8 *call, const __u64 *args)
{
	struct requests_handle h = {};

	if (!requests__handle(task, args[0], &h)) {
		if ((*call & IO_KIND) != IO_SPLICE || !requests__handle(task, args[2], &h))
			return 0;
		*call |= IO_SEND;
	}
	return requests__socket(&h);
}

SEC("raw_tp/sys_exit")
int on_io_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 regs = ctx->args[0], task = base__task(), args[6];
	struct requests_socket *s;
	__s64 ret = ctx->args[1];
	__u32 nr = extract__nr(regs);
	__u8 call = requests__call(nr), kind = call & IO_KIND;

	if (!kind || (ret < 0 && !requests__is_end(ret)))
		return 0;
	extract__args(regs, args);
	if (call & IO_FLAGS && (kind == IO_MESSAGE ? args[2] : args[3]) & MSG_PEEK)
		return 0;
	s = requests__find(task, &call, args);
	if (!s || s->flags & REQUESTS_BORING)
		return 0;
	if (ret > 0)
		requests__data(task, s, call, nr, args, ret);
	else if (ret < 0 || !(call & IO_SEND))
		requests__over(task, s, call, ret);
	return 0;
}

SEC("raw_tp/inet_sock_set_state")
int on_sock_set_state(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 sk = ctx->args[0];
	__u32 from = ctx->args[1], to = ctx->args[2];

	if (to == TCP_SYN_SENT)
		requests__open(sk, ROLE_CLIENT);
	else if (to == TCP_ESTABLISHED && from == TCP_SYN_RECV)
		requests__open(sk, ROLE_SERVER);
	return 0;
}

SEC("raw_tp/tcp_destroy_sock")
int on_tcp_destroy_sock(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 sk = ctx->args[0];
	struct requests_socket *s = bpf_map_lookup_elem(&requests_sockets, &sk);
	struct requests_record r;

	if (!s)
		return 0;
	requests__count(closed);
	if (s->end.class && !base__is_self(s->tgid)) {
		__builtin_memset(&r, 0, sizeof(r));
		requests__head(&r, s);
		r.header.type = EVENT_SOCKET_CLOSE;
		r.header.len = sizeof(r);
		r.position = s->moved[REQUESTS_RECEIVE];
		r.bytes = s->moved[REQUESTS_SEND];
		emit__requests(&r, sizeof(r));
	}
	bpf_map_delete_elem(&requests_sockets, &sk);
	return 0;
}
