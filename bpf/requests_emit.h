/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: how a record is completed and handed over. */
#ifndef SIGHTGLASS_REQUESTS_EMIT_H
#define SIGHTGLASS_REQUESTS_EMIT_H

#include "lib/emit.h"
#include "requests_match.h"
#include "requests_scratch.h"

/* requests__began: when the thread's send began, 0 when that was not seen. */
static __always_inline __u64 requests__began(__u32 tid, __u32 nr)
{
	struct requests_thread *t = requests__slot(tid);

	if (t && t->tid == tid && t->nr == nr)
		return t->time;
	requests__count(no_enter);
	return 0;
}

/* requests__head: the part of a record that the state of the socket gives, and
 * the thread.
 */
static __always_inline void requests__head(struct requests_record *r,
					   const struct requests_socket *s, __u32 tid)
{
	r->header.flags = 0;
	r->header.start = s->start;
	r->header.tgid = s->tgid;
	r->header.tid = tid;
	r->header.time = bpf_ktime_get_boot_ns();
	r->socket = s->id;
	r->cgroup_id = s->cgroup_id;
	r->end = s->end;
	r->flags = s->flags;
	*(__u64 *)&r->tail_len = 0;
	*(__u64 *)r->tail = 0;
}

/* requests__claim, requests__release: between them a scratch buffer is used. The
 * kernel keeps programs on tracepoints from being run again before they are done;
 * those on probes take a buffer that is free. Should there be none, or two take
 * the same one at once, then the record into which the other may have written is
 * lost.
 */
static __always_inline struct requests_scratch *requests__claim(void)
{
	__u32 slot = 0;
	struct requests_scratch *b = bpf_map_lookup_elem(&requests_scratch, &slot);

#ifdef REQUESTS_PREEMPTIBLE
	for (__u32 i = 1; b && b->owner && i < REQUESTS_SCRATCHES; i++) {
		slot = i;
		b = bpf_map_lookup_elem(&requests_scratch, &slot);
	}
	if (!b)
		return 0;
	*(volatile __u64 *)&b->owner = bpf_get_current_pid_tgid();
	b->slot = slot;
#endif
	return b;
}

static __always_inline void requests__release(struct requests_scratch *b)
{
#ifdef REQUESTS_PREEMPTIBLE
	*(volatile __u64 *)&b->owner = 0; /* be it another's by now, who loses his record then */
#else
	(void)b;
#endif
}

/* requests__emit: hands a record over. */
static __always_inline void requests__emit(struct requests_scratch *b, __u64 captured)
{
#ifdef REQUESTS_PREEMPTIBLE
	if (*(volatile __u64 *)&b->owner != bpf_get_current_pid_tgid()) {
		base__count_lost(CLASS_REQUESTS, LOSS_SCRATCH);
		return;
	}
#endif
	emit__requests(b, sizeof(b->record) + captured);
}

/* requests__send: completes the record of a call, with captured bytes of
 * payload, and hands it over.
 */
static __always_inline void requests__send(struct requests_scratch *b,
					   const struct requests_socket *s,
					   const struct requests_io *io, __u8 call, __u64 captured)
{
	struct requests_record *r = &b->record;

	if (captured > REQUESTS_PAYLOAD)
		return;
	pin(captured);
	r->header.type = EVENT_DATA;
	r->header.len = sizeof(*r) + captured;
	r->bytes = io->ret > 0 ? io->ret : 0;
	if (r->excerpts)
		r->bytes = b->walk.at;
	r->error = io->ret < 0 ? io->ret : 0;
	r->fiber = io->fiber;
	r->captured = captured;
	if (call & IO_SEND) {
		r->direction = REQUESTS_SEND;
		r->enter = io->enter;
		if (r->enter == REQUESTS_NOW)
			r->enter = r->header.time;
		else if (!r->enter && io->ret > 0)
			r->enter = requests__began(r->header.tid, io->nr);
		r->position = s->moved[REQUESTS_SEND];
		r->opposite = (__u32)s->moved[REQUESTS_RECEIVE];
	} else {
		r->direction = REQUESTS_RECEIVE;
		r->enter = 0;
		r->position = s->moved[REQUESTS_RECEIVE];
		r->opposite = (__u32)s->moved[REQUESTS_SEND];
	}
	requests__emit(b, captured);
}

#endif
