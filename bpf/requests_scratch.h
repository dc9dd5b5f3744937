/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Request capture: where a record is put together. */
#ifndef SIGHTGLASS_REQUESTS_SCRATCH_H
#define SIGHTGLASS_REQUESTS_SCRATCH_H

#include "requests.h"

#define REQUESTS_PARTS 8 /* parts of a vector that are read at once */

/* Where the bytes of a call are. */
struct requests_memory {
	__u64 base; /* of the buffer, or of the parts */
	__u64 count; /* parts; 0: one buffer */
	__u64 total; /* bytes moved */
};

struct requests_part {
	__u64 base;
	__u64 len;
};

/* How far one direction of a stream of frames has come. */
struct frames_way {
	__u32 left; /* bytes of the current frame to come */
	__u32 keep; /* as many of them are worth copying */
	__u8 header[32]; /* of the next one; as long as is copied at once, wherever that begins */
	__u8 have; /* bytes of it that have come */
	__u8 lost; /* it is not known where the next frame begins */
	__u8 reserved[6];
};

/* A segment of it that is being walked over. */
struct frames_walk {
	struct frames_way way;
	struct requests_memory from; /* its bytes; of a list, the buffers behind the current one */
	__u64 base; /* of the current buffer; 0: the bytes are in the payload */
	__u64 part; /* bytes of the buffers before it */
	__u64 end; /* and to its end */
	__u64 at; /* bytes that were walked over */
	__u64 begin; /* of these, bytes of the records before the current one */
	__u64 done; /* bytes of the payload */
	__u64 room; /* bytes that it may have */
	__u64 open; /* place in the payload of the last excerpt */
	__u64 next; /* where in the segment that ends */
	__u32 body; /* bytes to copy of a body */
	__u8 class;
	__u8 header; /* bytes of a header */
	__u8 copies; /* what is worth it is copied; else the payload holds all bytes */
	__u8 strict; /* only usual headers count */
	__u8 told; /* the payload is the excerpts */
	__u8 full; /* what comes next is for another record */
	__u8 reserved[6];
};

#define REQUESTS_NOW (~0ULL) /* for a time: the record's own */

/* A call that ended. */
struct requests_io {
	__u64 sk;
	__s64 ret;
	__u64 fiber;
	__u64 enter; /* sends: when the call began, if it is known already, or REQUESTS_NOW */
	__u64 args[5];
	__u32 tid;
	__u32 tgid;
	__u32 nr;
	__u8 call; /* enum requests_call */
	__u8 reserved;
	__u16 type; /* SOCK_STREAM or SOCK_DGRAM */
};

/* Twice the payload, so that the verifier sees an offset and a length that each
 * may be REQUESTS_PAYLOAD.
 */
struct requests_scratch {
	struct requests_record record;
	__u8 payload[2 * REQUESTS_PAYLOAD];
	struct frames_walk walk;
	/* Of a vector, and of what is told of plain text; the stack has no room. */
	struct requests_part parts[REQUESTS_PARTS];
	struct requests_io io;
	__u64 owner; /* who uses it, where programs may be preempted; 0: nobody */
	__u64 slot; /* its key */
	__u64 begun; /* exchanges that began on this CPU */
	__u64 copied; /* bytes of a vector */
};

/* How many there are for each CPU. Programs on probes may be preempted by others; they
 * use two at once.
 */
#ifdef REQUESTS_PREEMPTIBLE
#define REQUESTS_SCRATCHES 8
#else
#define REQUESTS_SCRATCHES 1
#endif

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, REQUESTS_SCRATCHES);
	__type(key, __u32);
	__type(value, struct requests_scratch);
} requests_scratch SEC(".maps");

#endif
