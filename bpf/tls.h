/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: who is inside a TLS library, and which of
 * its sessions belongs to which socket.
 *
 * The plain text of a socket is one more stream of the request capture. Its
 * state stands in requests_sockets as well, under the address of the struct sock
 * with the lowest bit set; its id is the socket's with TLS_STREAM set. From
 * there on everything treats it as it does any other stream.
 */
#ifndef SIGHTGLASS_TLS_H
#define SIGHTGLASS_TLS_H

#include "requests.h"

#define TLS_STREAM (1ULL << 63) /* in requests_socket.id */
#define TLS_KEY 1ULL /* in the key of requests_sockets */
#define TLS_THREADS 32768 /* a power of two */
#define TLS_SESSIONS 16384
#define TLS_FILES 2048

/* What a thread is doing inside a TLS library. */
enum tls_call {
	TLS_NONE = 0,
	TLS_READ = 1,
	TLS_WRITE = 2,
	TLS_HANDSHAKE = 3,
	TLS_WRITE_SHAKES = 4, /* a handshake, which a write may have asked for */
	TLS_STATUS = 5, /* asks what became of data that was sent with the first flight */
};

/* Bits of tls_thread.state above those of enum tls_flag, which are the session's. */
enum tls_state {
	TLS_NESTED = 16, /* the library has used a socket itself */
	TLS_DRY = 32, /* of TLS_NESTED: nothing was there to be received, last */
	TLS_TAKEN = 64, /* the bytes from heard were for some session */
	TLS_RESTS = 128, /* a part of the session's last cipher record has to be sent */
};
#define TLS_FLAGS 15 /* in state: enum tls_flag */

/* One thread, in one line of the cache. Those whose ids are equal in the lower
 * bits share a slot and displace each other; the id tells whose it is. What is
 * known of the session when a call begins is kept here, so that it is looked up
 * once for each call.
 */
struct tls_thread {
	__u64 session; /* of the call under way */
	__u64 buf; /* the caller's plain text */
	union {
		__u64 count; /* reads: where they leave how many bytes; 0: in their result */
		struct {
			__u32 len; /* bytes to write */
			__u32 done; /* of these, how many are told */
		};
	};
	__u64 sk; /* the session's socket; 0: not known yet */
	__u64 id; /* of the plain text's stream */
	__u64 heard; /* the socket that the thread has received cipher text from last */
	__u32 heard_id; /* the lower half of its id */
	__u32 tid;
	__u32 tgid;
	__u16 file; /* that the call is in, as in tls_files */
	__u8 call; /* enum tls_call */
	__u8 state; /* enum tls_state, enum tls_flag */
};

/* Who shares a slot, see above. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TLS_THREADS);
	__type(key, __u32);
	__type(value, struct tls_thread);
} tls_threads SEC(".maps");

/* A session of a library: the address of its object, in Go of its tls.Conn. */
struct tls_key {
	__u64 session;
	__u32 tgid;
	__u32 reserved;
};

/* Bits of tls_session.flags. */
enum tls_flag {
	TLS_MEMORY = 1, /* the library never touches the socket: its caller moves the cipher text */
	TLS_NATIVE = 2, /* it does */
	TLS_CORKED = 4, /* what is written waits to be sent together, maybe by the caller */
	TLS_EARLY = 8, /* of TLS_MEMORY: one write was told, maybe before the handshake let it */
	TLS_SPOKE = 256, /* both ends are known to have said something; not in tls_thread.state */
	TLS_REFUSED = 512, /* data of the first flight was; neither */
};

#define TLS_CARRIES_PART 0xffff /* in tls_session.carries: some of what is told, more comes */

struct tls_session {
	__u64 sk; /* 0: not known yet */
	__u64 id; /* of the plain text's stream */
	__u64 below; /* in Go: the net.Conn that it encrypts */
	__u32 pending; /* bytes of a cipher record that the socket had no room for; TLS_EARLY: the buffer */
	__u32 wrote; /* bytes of that write that are told; TLS_EARLY: its length */
	__u32 flags; /* enum tls_flag */
	__u16 record; /* the longest write that is known to leave as one record; 0: see TLS_RECORD_MAX */
	__u16 carries; /* bytes of plain text of the record that is pending; 0: they are told */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_SESSIONS);
	__type(key, struct tls_key);
	__type(value, struct tls_session);
} tls_sessions SEC(".maps");

/* A file that user space has attached probes to. */
struct tls_file {
	__u64 since; /* ns since boot, of its last probe; 0: it has none */
};

/* By the cookie of the probes. Key 0 is for all files: the last probe of any, and
 * what goes for those whose probes have no cookie, before Linux 5.15.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TLS_FILES);
	__type(key, __u32);
	__type(value, struct tls_file);
} tls_files SEC(".maps");

/* What happened to sessions, by CPU; internal/bpf reads it as statistics. */
struct tls_stats {
	__u64 bound; /* streams of plain text that were begun */
	__u64 unbound; /* reads and writes of plain text whose socket is not known */
	__u64 foreign; /* sends of cipher text that does not fit what was written */
	__u64 displaced; /* calls whose thread gave way to another one */
	__u64 runs; /* of programs on probes */
	__u32 passes; /* calls that moved cipher text and told nothing, modulo 2^32 */
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct tls_stats);
} tls_stats SEC(".maps");

#define tls__count(member)                                                        \
	({                                                                        \
		__u32 __zero = 0;                                                 \
		struct tls_stats *__s = bpf_map_lookup_elem(&tls_stats, &__zero); \
                                                                                  \
		if (__s)                                                          \
			__sync_fetch_and_add(&__s->member, 1);                    \
	})

/* tls__since: when the last probe of a file was attached, 0 when there is none. */
static __always_inline __u64 tls__since(__u32 file)
{
	struct tls_file *f = bpf_map_lookup_elem(&tls_files, &file);

	return f ? f->since : 0;
}

/* tls__is_used: whether there are any probes. */
static __always_inline bool tls__is_used(void)
{
	return tls__since(0);
}

/* tls__slot: the slot of a thread, be it in use by it or by another. */
static __always_inline struct tls_thread *tls__slot(__u32 tid)
{
	__u32 slot = tid & (TLS_THREADS - 1);

	return bpf_map_lookup_elem(&tls_threads, &slot);
}

/* tls__is_all_told: whether a thread is in a write of which all was told when it began. */
static __always_inline bool tls__is_all_told(const struct tls_thread *t)
{
	return t->call == TLS_WRITE && t->done == t->len && !(t->state & TLS_RESTS);
}

/* tls__session: what is known of a session, 0 when nothing is. */
static __always_inline struct tls_session *tls__session(__u32 tgid, __u64 session)
{
	struct tls_key key = { .session = session, .tgid = tgid };

	return bpf_map_lookup_elem(&tls_sessions, &key);
}

#endif
