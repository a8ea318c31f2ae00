/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Stands in for Zycore's header of the same name.  Its memset without libc is a byte loop, which
 * made a decode four to seven times dearer; the compiler's own becomes a few stores.
 */
#ifndef ZYCORE_LIBC_H
#define ZYCORE_LIBC_H

#include <Zycore/Types.h>

#define ZYAN_MEMSET __builtin_memset
#define ZYAN_MEMCPY __builtin_memcpy

#endif
