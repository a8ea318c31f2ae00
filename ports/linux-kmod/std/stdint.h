/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_STDINT_H
#define LIBSVM_LINUX_STDINT_H
/*
 * Stands in for the compiler's header of the same name, for the whole module.  The kernel's
 * uint64_t is unsigned long long and the compiler's is unsigned long: both in one file do not
 * compile, and a function pointer made with one and called with the other is refused by kCFI.
 */
#include <linux/limits.h>
#include <linux/types.h>

#define UINT8_C(c)  c
#define UINT16_C(c) c
#define UINT32_C(c) c##U
#define UINT64_C(c) c##ULL
#define INT64_C(c)  c##LL

#define UINT8_MAX  ((uint8_t)~0u)
#define UINT16_MAX ((uint16_t)~0u)
#define UINT32_MAX UINT32_C(0xffffffff)
#define UINT64_MAX UINT64_C(0xffffffffffffffff)
#define INT32_MAX  0x7fffffff
#define INT32_MIN  (-INT32_MAX - 1)
#define INT64_MAX  INT64_C(0x7fffffffffffffff)
#define INT64_MIN  (-INT64_MAX - 1)

#endif
