/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0 */
/* Which calls of a wanted row are left out: those that no consumer can want, by
 * their result, their access mode and the beginning of their path. internal/bpf
 * fills the tables from interest.Filter. What cannot be told passes; user space
 * looks at it again, more closely.
 *
 * Of a path the first two names count, and of each of those 8 bytes. They are
 * looked up in a bitmap by a hash of the first alone, and by one of both.
 */
#ifndef SIGHTGLASS_FILTER_H
#define SIGHTGLASS_FILTER_H

#include "calls.h"

#define FILTER_SETS 8 /* a power of two */
#define FILTER_WORDS 64 /* of a bitmap; a power of two */
#define FILTER_PATH_WORDS 32 /* longer names pass */
#define FILTER_HASH_ONE 0x9e3779b97f4a7c15ULL
#define FILTER_HASH_TWO 0xc2b2ae3d27d4eb4fULL
#define FILTER_HASH_SHIFT 52 /* leaves as many bits as a bitmap has */

/* What is wanted of a class of calls of one row. */
enum call_wish {
	WISH_NONE = 0,
	WISH_ALL = 1,
	WISH_SET = 2, /* and above: what set n-2 has */
};

/* Beginnings of paths. */
struct path_set {
	__u64 bits[FILTER_WORDS];
	__u64 used; /* 0: it has none */
};

struct call_filter {
	__u8 wishes[ROW_MAX][CALL_CLASSES]; /* enum call_wish */
	struct path_set named[FILTER_SETS]; /* as the program gave them */
	struct path_set resolved[FILTER_SETS]; /* as the kernel has them */
};

#define FILTER_INODE_WORDS 512 /* a power of two */
#define FILTER_INODE_SHIFT 49 /* leaves as many bits */

/* Inodes of files that pass by whatever path they were opened, by a hash; and of
 * directories, by the lower bits, in which files are written that do.
 */
__u64 known_inodes[FILTER_INODE_WORDS] = {};
__u64 known_directories[FILTER_INODE_WORDS] = {};

/* One of them is in use while the other is filled. */
struct call_filter call_filters[2] = {};
__u32 call_filter_now = 0;

static __always_inline struct call_filter *filter__now(void)
{
	__u32 n = call_filter_now & 1;

	pin(n);
	return &call_filters[n & 1];
}

/* filter__wish: enum call_wish of a call that ended. detail is what its class
 * tells beside its failure.
 */
static __always_inline __u8 filter__wish(struct call_filter *f, __u8 row, __u64 detail, __s64 ret)
{
	__u64 n = row, class = (detail & 3) | (ret < 0 ? CALL_CLASS_FAILED : 0);

	pin(n);
	pin(class);
	return f->wishes[n & (ROW_MAX - 1)][class & (CALL_CLASSES - 1)];
}

/* filter__zeros: the highest bit of each byte of v that is zero. */
static __always_inline __u64 filter__zeros(__u64 v)
{
	const __u64 low = 0x7f7f7f7f7f7f7f7fULL;

	return ~(((v & low) + low) | v | low);
}

#define FILTER_SLASHES 0x2f2f2f2f2f2f2f2fULL
#define FILTER_DOTS 0x2e2e2e2e2e2e2e2eULL

/* filter__name: the bytes of word before the first of those marked in ends. */
static __always_inline __u64 filter__name(__u64 word, __u64 ends)
{
	return word & (((ends & -ends) >> 7) - 1);
}

/* filter__name_len: how many those are, 8 when none is marked. */
static __always_inline __u32 filter__name_len(__u64 ends)
{
	const __u64 ones = 0x0101010101010101ULL;

	return ends ? ((((ends & -ends) >> 7) - 1) & ones) * ones >> 56 : 8;
}

static __always_inline bool filter__has(const struct path_set *set, __u64 hash)
{
	hash >>= FILTER_HASH_SHIFT;
	return set->bits[hash >> 6 & (FILTER_WORDS - 1)] >> (hash & 63) & 1;
}

static __always_inline bool filter__has_one(const struct path_set *set, __u64 first)
{
	return filter__has(set, first * FILTER_HASH_ONE);
}

static __always_inline bool filter__has_two(const struct path_set *set, __u64 first, __u64 second)
{
	return filter__has(set, (first * FILTER_HASH_ONE ^ second) * FILTER_HASH_TWO);
}

/* filter__set: set n of the filter in use. */
static __always_inline const struct path_set *filter__set(const struct path_set *sets, __u32 n)
{
	__u64 i = n;

	pin(i);
	return &sets[i & (FILTER_SETS - 1)];
}

/* filter__is_plain: whether a path of len bytes, its NUL included, has no empty
 * names and none that begin or end with a dot: then it means what it says. It has
 * no more than words words: a bound that every verifier sees, as not all keep that
 * of len.
 */
static __always_inline bool filter__is_plain(const __u64 *path, __u32 len, const __u32 words)
{
	__u64 slash_before = 0, dot_before = 0;

	for (__u32 i = 0; i < words; i++) {
		__u64 word, slashes, dots;

		if (i * 8 >= len)
			break;
		word = path[i];
		if (len - i * 8 < 8)
			word &= (1ULL << (len - i * 8) * 8) - 1;
		slashes = filter__zeros(word ^ FILTER_SLASHES);
		dots = filter__zeros(word ^ FILTER_DOTS);
		if ((slashes << 8 | slash_before) & (slashes | dots) ||
		    (dots << 8 | dot_before) & slashes)
			return false;
		slash_before = slashes >> 56;
		dot_before = dots >> 56;
	}
	return true;
}

/* filter__has_path: whether a set may have a path of len bytes, its NUL included,
 * of which words words can be read, three at least.
 */
static __always_inline bool filter__has_path(const struct path_set *set, const __u64 *path,
					     __u32 len, const __u32 words)
{
	const __u8 *names = (const __u8 *)path + 1;
	__u64 first, second = 0, ends, skip;

	if (*(const __u8 *)path != '/' || !filter__is_plain(path, len, words))
		return true;
	first = *(const __u64 *)names;
	ends = filter__zeros(first ^ FILTER_SLASHES) | filter__zeros(first);
	first = filter__name(first, ends);
	if (filter__has_one(set, first))
		return true;
	skip = filter__name_len(ends);
	if (skip >= 8)
		return false;
	if (skip + 2 < len) {
		pin(skip);
		second = *(const __u64 *)(names + (skip & 7) + 1);
		ends = filter__zeros(second ^ FILTER_SLASHES) | filter__zeros(second);
		second = filter__name(second, ends);
	}
	return filter__has_two(set, first, second);
}

/* filter__has_inode: whether a bitmap may have an inode. */
static __always_inline bool filter__has_inode(const __u64 *bits, __u64 inode)
{
	__u64 hash = inode * FILTER_HASH_ONE >> FILTER_INODE_SHIFT;

	return bits[hash >> 6 & (FILTER_INODE_WORDS - 1)] >> (hash & 63) & 1;
}

#endif
