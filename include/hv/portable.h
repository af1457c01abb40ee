/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portable.h - the one header that differs between the kernel and user space.
 *
 * The pure cores (every lib folder) are built into hv.ko, into a sanitized
 * user-space library and into fuzzers, from the same source. What such code may
 * assume about its surroundings is listed here, under the names the kernel
 * uses, and nothing else:
 *
 *   types        u8 u16 u32 u64, s8 s16 s32 s64, bool, size_t, NULL
 *   shared data  READ_ONCE WRITE_ONCE smp_load_acquire smp_store_release smp_mb
 *   unaligned    get_unaligned_le16/32/64, put_unaligned_le16/32/64
 *   checks       BUILD_BUG_ON, BUILD_BUG_ON_ZERO (both at build time)
 *   arithmetic   min max min_t max_t, ARRAY_SIZE
 *   hints        likely unlikely, fallthrough
 *   memory       memcpy memmove memset memcmp
 *   errors       the errno constants
 *
 * A new name needs a review note: what is here must mean the same on both
 * sides. Allocation, locks and printing are absent on purpose.
 */
#ifndef HV_PORTABLE_H
#define HV_PORTABLE_H

#ifdef __KERNEL__

#include <linux/types.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include <asm/barrier.h>
#ifndef __has_include		/* sparse does not know it */
#include <asm/unaligned.h>
#elif __has_include(<linux/unaligned.h>)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

#else /* user space */

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef long long s64;

#ifdef __SANITIZE_THREAD__	/* it knows no volatile */
#define READ_ONCE(x)		__atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)	__atomic_store_n(&(x), (val), __ATOMIC_RELAXED)
#else
#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile __typeof__(x) *)&(x) = (val))
#endif
#define smp_load_acquire(p)	__atomic_load_n((p), __ATOMIC_ACQUIRE)
#define smp_store_release(p, v)	__atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define smp_mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

#ifndef likely
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#endif
#ifndef fallthrough
#define fallthrough		__attribute__((__fallthrough__))
#endif

#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), "BUILD_BUG_ON: " #cond)
#define BUILD_BUG_ON_ZERO(cond)	((int)sizeof(struct { int : (-!!(cond)); }))

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))

#define min_t(type, a, b) __extension__ ({				\
	type min_a_ = (a);						\
	type min_b_ = (b);						\
	min_a_ < min_b_ ? min_a_ : min_b_; })
#define max_t(type, a, b) __extension__ ({				\
	type max_a_ = (a);						\
	type max_b_ = (b);						\
	max_a_ > max_b_ ? max_a_ : max_b_; })
#define min(a, b)		min_t(__typeof__((a) + (b)), (a), (b))
#define max(a, b)		max_t(__typeof__((a) + (b)), (a), (b))

static inline u16 get_unaligned_le16(const void *p)
{
	const u8 *b = (const u8 *)p;

	return (u16)(b[0] | b[1] << 8);
}

static inline u32 get_unaligned_le32(const void *p)
{
	const u8 *b = (const u8 *)p;

	return (u32)b[0] | (u32)b[1] << 8 | (u32)b[2] << 16 | (u32)b[3] << 24;
}

static inline u64 get_unaligned_le64(const void *p)
{
	const u8 *b = (const u8 *)p;

	return get_unaligned_le32(b) | (u64)get_unaligned_le32(b + 4) << 32;
}

static inline void put_unaligned_le16(u16 val, void *p)
{
	u8 *b = (u8 *)p;

	b[0] = (u8)val;
	b[1] = (u8)(val >> 8);
}

static inline void put_unaligned_le32(u32 val, void *p)
{
	u8 *b = (u8 *)p;

	put_unaligned_le16((u16)val, b);
	put_unaligned_le16((u16)(val >> 16), b + 2);
}

static inline void put_unaligned_le64(u64 val, void *p)
{
	u8 *b = (u8 *)p;

	put_unaligned_le32((u32)val, b);
	put_unaligned_le32((u32)(val >> 32), b + 4);
}

#endif /* user space */

#endif /* HV_PORTABLE_H */
