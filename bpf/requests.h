/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: the wire, the state of a socket and the knobs.
 *
 *	data, socket close = requests_record payload[captured]
 *	payload            = bytes | excerpt...
 *	excerpt            = requests_excerpt bytes[len]
 *
 * internal/event decodes the records (requests_decode.go).
 */
#ifndef SIGHTGLASS_REQUESTS_H
#define SIGHTGLASS_REQUESTS_H

#include "lib/base.h"
#include "requests_stats.h"

#define REQUESTS_PAYLOAD 4096 /* bytes of the longest payload; a power of two */
#define REQUESTS_TAIL 8
#define REQUESTS_REAR 128 /* bytes at the end of a long payload that are the last of the segment */
#define REQUESTS_SIGNATURES 128
#define REQUESTS_CLASSES 32
#define REQUESTS_ORDER 4096 /* places in the lists of signatures; a power of two */
#define REQUESTS_DATAGRAMS 256 /* the list for datagrams; those before belong to first bytes */
#define REQUESTS_CALLS 512 /* numbers of calls that move data lie below */
#define REQUESTS_THREADS 65536

enum requests_direction {
	REQUESTS_RECEIVE = 0,
	REQUESTS_SEND = 1,
};

enum requests_role {
	ROLE_UNKNOWN = 0,
	ROLE_CLIENT = 1,
	ROLE_SERVER = 2,
};

/* Bits of requests_record.flags, as event.RequestFlags. */
enum requests_flag {
	REQUESTS_GUESSED = 1, /* the role was inferred */
	REQUESTS_MIDWAY = 2, /* the connection is older than the state */
	REQUESTS_HEAD = 4, /* the bytes match a signature */
	REQUESTS_BORING = 8, /* reporting was given up before the end */
	REQUESTS_LOOP = 16, /* the thread waits for many descriptors at once */
	REQUESTS_DATAGRAM = 32, /* the bytes are one message */
	REQUESTS_TLS = 64, /* the bytes are the plain text of an encrypted connection */
	REQUESTS_COVERED = 128, /* the bytes are cipher text whose plain text is told */
};

/* Where a socket is and who uses it: what state and records have in common. */
struct requests_endpoint {
	__u32 cgroup_hierarchy;
	__u32 net_ns;
	__u8 local_addr[16];
	__u8 peer_addr[16];
	__u16 local_port;
	__u16 peer_port;
	__u16 family;
	__u8 class; /* of the signature that matched; 0: none yet */
	__u8 role; /* enum requests_role */
};

struct requests_record {
	struct event_header header;
	__u64 socket;
	__u64 cgroup_id;
	__u64 enter; /* sends: when the call began; 0 when not seen */
	__u64 position; /* data: bytes before these; close: bytes received */
	__u64 bytes; /* data: moved by the call; close: bytes sent */
	struct requests_endpoint end;
	__u8 direction; /* enum requests_direction */
	__u8 flags; /* enum requests_flag */
	__u16 captured;
	__s32 error; /* negative errno */
	__u8 tail_len; /* more than REQUESTS_TAIL: so many bytes at the end of the payload are the tail */
	__u8 skipped; /* whole exchanges before these bytes were left out */
	__u8 excerpts; /* the payload is a list of struct requests_excerpt */
	__u8 reserved;
	__u32 opposite; /* data: bytes moved the other way by then, modulo 2^32 */
	__u8 tail[REQUESTS_TAIL];
	__u64 fiber; /* data: the register by which Go's runtime finds the goroutine */
};

/* Bytes of a segment, which follow. */
struct requests_excerpt {
	__u32 at; /* bytes of the segment before */
	__u32 len;
};

/* How much is copied of the segments of a socket: */
enum requests_width {
	WIDE_NOT = 0, /* what its messages are worth */
	WIDE_HEADS = 1, /* as much as a payload holds: its messages have long heads */
	WIDE_BURSTS =
		2, /* all, in several records: it has many messages in one (requests_deep.h) */
};

/* One socket. The key is the address of its struct sock; the inode number of
 * the socket tells whether the memory was reused.
 */
struct requests_socket {
	__u64 id; /* never reused */
	__u64 moved[2]; /* bytes, by direction, since id was given */
	__u64 start; /* of the owner, the process that used it last */
	__u64 cgroup_id;
	__u32 tgid;
	__u32 tid;
	struct requests_endpoint end;
	__u32 inode; /* 0: nothing but the role is known yet */
	__u32 refused; /* bit n: user space found that it is not class n */
	__u16 budget[2]; /* bytes of the current message that may still be copied */
	__u8 flags; /* enum requests_flag */
	__u8 last; /* direction of the last bytes + 1 */
	__u8 misses; /* turns in a row that began like no message */
	__u8 tries; /* segments looked at */
	__u8 wide; /* enum requests_width */
	__u8 searched; /* segments that were searched for ends of heads */
	__u8 begun; /* signature of a message of which hardly anything has come yet */
	__u8 records; /* modulo 2^8 */
	__u8 sheds; /* the exchange that goes on is left out */
	__u8 native; /* of plain text: the library that encrypts it uses the socket itself */
	__u8 kernel_tls; /* bit n: the kernel encrypts this direction */
	__u8 dug; /* long segments that were copied whole, at most DEEP_MOST */
};

/* Bits of requests_signature.flags. */
enum requests_signature_flag {
	SIGNATURE_BARE = 1, /* a segment that ends with end is copied whole */
	SIGNATURE_SUPERSEDES = 2, /* from such a message on the socket is of this class */
	SIGNATURE_BODILESS = 4, /* what is behind end begins another message */
};

/* A message begins with value, as far as mask says, and goes on with value_next. */
struct requests_signature {
	__u64 value;
	__u64 mask;
	__u64 value_next;
	__u64 mask_next;
	__u32 end; /* how the head of a message ends; 0: not known */
	__u16 bound; /* bytes to copy */
	__u8 class;
	__u8 flags; /* enum requests_signature_flag */
};

/* How the segments of a class are divided. */
enum requests_framing {
	FRAMING_NONE = 0, /* in a way that is not followed */
	FRAMING_HTTP2 = 1,
	FRAMING_PLAIN = 2, /* into frames of a kind and a length */
};

/* What the frames of a class look like; all but the first two fields are for
 * FRAMING_PLAIN.
 */
struct requests_shape {
	__u8 framing; /* enum requests_framing */
	__u8 header; /* bytes that each begins with, at most FRAMES_HEADER */
	__u8 length; /* where in them that of the body stands: 4 bytes, the highest first */
	__u8 rest; /* bytes behind the body, which it does not count */
	__u32 longest; /* what is longer is none */
	__u16 kinds; /* bit n: the first byte may be n */
	__u16 keep; /* bytes to copy of a body */
	__u8 bulk; /* the first byte of frames whose bodies are not copied */
	__u8 reserved[3];
};

/* What goes for all messages of a class. */
struct requests_class {
	struct requests_shape shape;
	__u16 bound; /* bytes to copy of what goes on */
	__u8 every; /* bound bytes of each segment are copied, whatever it begins with */
	__u8 resumes; /* once encrypted, it goes on where the plain text has ended */
	__u8 apart; /* exchanges may be left out whole */
	__u8 reserved[3];
};

/* The signatures that a message may match which begins with a certain byte. */
struct requests_list {
	__u16 first; /* place in cfg_order */
	__u16 count;
};

/* How a call moves data. */
enum requests_call {
	IO_NONE = 0,
	IO_BUFFER = 1, /* fd, address, length */
	IO_VECTOR = 2, /* fd, iovec, count */
	IO_MESSAGE = 3, /* fd, msghdr, flags */
	IO_SENDFILE = 4, /* fd to, ... */
	IO_SPLICE = 5, /* fd from, offset, fd to, ... */
	IO_MESSAGES = 6, /* fd, mmsghdr, count, flags */
	IO_LOOP = 7, /* moves nothing: waits for many descriptors */
	IO_URING = 8, /* moves what is not followed, and waits */
	IO_OPTION = 9, /* moves nothing: fd, level, name, ... */
	IO_KIND = 15,
	IO_SEND = 16, /* bit: the data leaves */
	IO_FLAGS = 32, /* bit: the fourth argument (the third of IO_MESSAGE) is MSG_ flags */
	IO_NAMED = 64, /* bit: the fifth argument of IO_BUFFER is the peer's address */
};

const volatile __u8 cfg_io_calls[REQUESTS_CALLS] = {};
const volatile __u16 cfg_payload_max = REQUESTS_PAYLOAD; /* bytes to copy of a segment at most */
const volatile struct requests_signature cfg_signatures[REQUESTS_SIGNATURES] = {};
const volatile __u8 cfg_order[REQUESTS_ORDER] = {}; /* indices in cfg_signatures */
const volatile struct requests_list cfg_lists[REQUESTS_DATAGRAMS + 1] = {};
const volatile struct requests_class cfg_classes[REQUESTS_CLASSES] = {};
const volatile __u8 cfg_tls_class = 0; /* of cipher text; 0: it is not told apart */
const volatile bool cfg_datagrams = false; /* there are signatures of datagrams */
const volatile __u8 cfg_ports[65536 / 8] = {}; /* bit n of byte m: datagrams at port 8*m + n */

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct requests_socket);
} requests_sockets SEC(".maps");

/* What is known of a thread, in one cache line. Two share a slot only if their ids
 * are equal in the lower 16 bits; the id tells whose it is.
 */
struct requests_thread {
	__u64 time; /* when a send began, */
	__u32 tid; /* of this thread, */
	__u32 nr; /* by this call */
	__u32 loop; /* the thread that waits for many descriptors at once */
	__u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, REQUESTS_THREADS);
	__type(key, __u32);
	__type(value, struct requests_thread);
} requests_threads SEC(".maps");

/* requests__slot: the slot of a thread, be it its own or another one's. */
static __always_inline struct requests_thread *requests__slot(__u32 tid)
{
	__u32 slot = tid & (REQUESTS_THREADS - 1);

	return bpf_map_lookup_elem(&requests_threads, &slot);
}

#endif
