/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Base layer: the maps that all objects share. internal/bpf creates them once
 * and gives every object the same ones; sizes of the rings are set there.
 */
#ifndef SIGHTGLASS_MAPS_H
#define SIGHTGLASS_MAPS_H

#include "base.h"

/* Classes of records; each has a ring of its own, so that neither starves the
 * other.
 */
enum event_class {
	CLASS_SECURITY = 0,
	CLASS_REQUESTS = 1,
	CLASS_COUNT = 2,
};

/* Why a record was made and yet not sent, on purpose. */
enum filter_reason {
	FILTER_SELF = 0, /* the agent's own doing */
	FILTER_THREAD = 1, /* a thread began or ended, not a process */
	FILTER_INTEREST = 2, /* nobody wants it */
	FILTER_RESTART = 3, /* a signal came in between; the kernel begins the call anew */
	FILTER_COUNT = 4,
};

/* Why a record was made and could not be sent. */
enum loss_reason {
	LOSS_RING_FULL = 0,
	LOSS_SCRATCH = 1, /* another thread came in between and used the scratch memory */
	LOSS_OVERLOAD = 2, /* left out whole, while the ring was nearly full */
	LOSS_COUNT = 4,
};

/* Counters of one class on one CPU. What was read from the ring + filtered +
 * lost = produced. A program that does not run within itself on a CPU counts by
 * itself without atomic instructions.
 */
struct counters {
	__u64 produced; /* told and left_out come on top */
	__u64 told; /* records that the front of sys_exit sent; it alone counts them */
	__u64 left_out; /* likewise those that it left out by FILTER_INTEREST */
	__u64 filtered[FILTER_COUNT];
	__u64 lost[LOSS_COUNT];
	__u64 late; /* calls with arguments that could only be read at exit */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CLASS_COUNT);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring_security SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} ring_requests SEC(".maps");

/* What may change while the programs run. */
struct settings {
	__u32 self_tgid[4]; /* the agent's thread groups; 0 ends the list */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct settings);
} settings SEC(".maps");

/* Slots of io_enter and io_exit: the entries of the request capture. Those
 * between are its own.
 */
#define IO_SLOT 0
#define IO_SLOT_COMPAT 7

/* Where sys_enter and sys_exit hand over the calls that move data (flag
 * CALL_IO), and those of 32-bit programs that make connections.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} io_enter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} io_exit SEC(".maps");

/* Slots of long_way. */
enum long_way_slot {
	LONG_ENTER = 0,
	LONG_EXIT = 1,
};

/* Where the programs of syscall_front.h hand over what is not for them. */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} long_way SEC(".maps");

#endif
