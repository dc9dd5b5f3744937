/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: what is common to all programs on probes. */
#ifndef SIGHTGLASS_TLS_PROBE_H
#define SIGHTGLASS_TLS_PROBE_H

#include "lib/extract_regs.h"
#include "tls_stream.h"

const volatile bool cfg_cookies = false; /* probes have cookies: Linux 5.15 */

const volatile bool cfg_sleeps = false; /* programs on writes may sleep: Linux 6.0 */

/* tls__file: the file that a probe is in, as in tls_files. */
static __always_inline __u16 tls__file(struct pt_regs *ctx)
{
	return cfg_cookies ? bpf_get_attach_cookie(ctx) : 0;
}

/* tls__fetch: has the bytes brought to memory that are going to be copied: what
 * a program writes may lie in a file of which it has not touched that part yet.
 */
static __always_inline void tls__fetch(const struct tls_text *x)
{
	__u64 last = x->len < cfg_payload_max ? x->len : cfg_payload_max;
	__u8 byte;

	if (!cfg_sleeps || x->len <= 0)
		return;
	if (bpf_probe_read_user(&byte, 1, (void *)x->base))
		bpf_copy_from_user(&byte, 1, (void *)x->base);
	if (bpf_probe_read_user(&byte, 1, (void *)(x->base + last - 1)))
		bpf_copy_from_user(&byte, 1, (void *)(x->base + last - 1));
}

#endif
