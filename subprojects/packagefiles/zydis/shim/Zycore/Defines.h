/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in for Zycore's header of the same name: only what the decoder of Zydis uses, GCC and
 * Clang.
 *
 * The one deliberate difference: code that Zydis holds to be unreachable is reached by a trap.  In
 * Zycore it is an endless loop or undefined behaviour, and a guest that found such a place would
 * choose for the host between a hang and worse.
 */
#ifndef ZYCORE_DEFINES_H
#define ZYCORE_DEFINES_H

#define ZYAN_INLINE static inline
#define ZYAN_BITFIELD(width) : width
#define ZYAN_UNUSED(x) ((void)(x))
#define ZYAN_FALLTHROUGH __attribute__((__fallthrough__))
#define ZYAN_STATIC_ASSERT(x) _Static_assert(x, #x)
#define ZYAN_NO_SANITIZE(what) __attribute__((no_sanitize(what)))
#define ZYAN_UNREACHABLE __builtin_trap()

#define ZYAN_ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define ZYAN_MIN(a, b) ((a) < (b) ? (a) : (b))
#define ZYAN_MAX(a, b) ((a) > (b) ? (a) : (b))
#define ZYAN_BITS_TO_REPRESENT(n) ((n) ? 32 - __builtin_clz((unsigned int)(n) | 1u) : 0)

/* Zydis's assertions are about its own tables.  Tests and fuzzers run them; a host does not. */
#ifdef ZYDIS_SHIM_ASSERT
#define ZYAN_ASSERT(x) ((x) ? (void)0 : __builtin_trap())
#else
#define ZYAN_ASSERT(x) ((void)0)
#endif

#endif
