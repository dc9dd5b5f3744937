/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Capture of encrypted connections: how much plain text records carry. */
#ifndef SIGHTGLASS_TLS_RECORD_H
#define SIGHTGLASS_TLS_RECORD_H

#include "requests.h"

/* The head of a record (RFC 8446, section 5.1), the longest plain text in one,
 * and by how much cipher text is longer: a tag, at most with a mac, an
 * initialization vector and padding.
 */
#define TLS_RECORD_HEAD 5
#define TLS_RECORD_MAX 16384
#define TLS_RECORD_MORE_MIN 8
#define TLS_RECORD_MORE_MAX 512
#define TLS_RECORD_MORE 17 /* as in TLS 1.3 */
#define TLS_RECORD_NONE ~0U /* bytes of one of which none has left */
#define TLS_TYPE_DATA 23
#define TLS_MAJOR 3

/* tls__progress: how many bytes of the rest of a write a record carries of which
 * these are the first bytes; 0 when it carries none.
 */
static __always_inline __u32 tls__progress(const __u8 *head, __u32 rest, __u32 *record)
{
	__u32 n = rest < TLS_RECORD_MAX ? rest : TLS_RECORD_MAX, len;

	if (head[0] != TLS_TYPE_DATA || head[1] != TLS_MAJOR)
		return 0;
	len = (__u32)head[3] << 8 | head[4];
	*record = len + TLS_RECORD_HEAD;
	if (len >= n + TLS_RECORD_MORE_MIN && len <= n + TLS_RECORD_MORE_MAX)
		return n;
	if (len < n && len >= TLS_RECORD_MORE_MAX) /* the peer asked for small records */
		return len - TLS_RECORD_MORE;
	return 0;
}

/* What libraries send together with the first bytes of a write: tickets for the
 * next session, the end of the handshake.
 */
#define TLS_RECORDS_BEFORE 4

/* tls__carried: how many bytes of the rest of a write the records carry that are
 * sent at once, 0 when they carry none; above that, the length of what goes up to
 * the end of the first of them that does. A global function is verified once, not
 * for each way that leads there.
 */
__noinline __u64 tls__carried(__u64 base, __u64 sent, __u32 rest)
{
	__u32 before = 0, record = 0, n;
	__u8 head[8] = {};

	for (int i = 0; i <= TLS_RECORDS_BEFORE; i++) {
		if (bpf_probe_read_user(head, TLS_RECORD_HEAD, (void *)(base + before)))
			return 0;
		n = tls__progress(head, rest, &record);
		if (n)
			return (__u64)(record + before) << 32 | n;
		before += TLS_RECORD_HEAD + ((__u32)head[3] << 8 | head[4]);
		if (head[1] != TLS_MAJOR || before + TLS_RECORD_HEAD > sent)
			return 0;
	}
	return 0;
}

#endif
