/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: what is common to all programs on probes. */
#ifndef SIGHTGLASS_TLS_PROBE_H
#define SIGHTGLASS_TLS_PROBE_H

#include "lib/extract_regs.h"
#include "tls_stream.h"

const volatile bool cfg_cookies = false; /* probes have cookies: Linux 5.15 */

const volatile bool cfg_sleeps = false; /* programs on writes may sleep: Linux 6.0 */

#define TLS_SPENDERS 4096
/* So many runs are noted at once: a prime, so that processes that take turns, each
 * with as many runs every time, are all met by the last of them.
 */
#define TLS_RUNS 61

/* How often programs on probes ran, by process. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, TLS_SPENDERS);
	__type(key, __u32);
	__type(value, __u64);
} tls_runs SEC(".maps");

/* tls__charge: notes TLS_RUNS runs for the current process. Not inlined: rare. */
static __noinline int tls__charge(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u64 *runs = bpf_map_lookup_elem(&tls_runs, &tgid), first = TLS_RUNS;

	if (runs)
		__sync_fetch_and_add(runs, TLS_RUNS);
	else
		bpf_map_update_elem(&tls_runs, &tgid, &first, BPF_NOEXIST);
	return 0;
}

/* tls__spend: counts a run. Of the runs on a CPU the last of every TLS_RUNS stands
 * for all: who runs most is charged most.
 */
static __always_inline void tls__spend(void)
{
	__u32 zero = 0;
	struct tls_stats *s = bpf_map_lookup_elem(&tls_stats, &zero);

	if (s && !((__u32)++s->runs % TLS_RUNS)) /* 32 bits divide faster */
		tls__charge();
}

/* tls__file: the file that a probe is in, as in tls_files. */
static __always_inline __u16 tls__file(struct pt_regs *ctx)
{
	return cfg_cookies ? bpf_get_attach_cookie(ctx) : 0;
}

/* tls__writes: tells of plain text that is going to be written; as tls__tell. */
static __noinline int tls__writes(const struct tls_text *x)
{
	return cfg_sleeps ? tls__tell(x, IO_BUFFER | IO_SEND, true)
			  : tls__tell(x, IO_BUFFER | IO_SEND, false);
}

/* tls__reads: tells of plain text that was read. */
static __noinline int tls__reads(const struct tls_text *x)
{
	return tls__tell(x, IO_BUFFER, false);
}

#endif
