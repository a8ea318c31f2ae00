/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Stands in for Zycore's header of the same name. */
#ifndef ZYCORE_TYPES_H
#define ZYCORE_TYPES_H

#include <stddef.h>
#include <stdint.h>
#include <Zycore/Defines.h>

typedef uint8_t ZyanU8;
typedef uint16_t ZyanU16;
typedef uint32_t ZyanU32;
typedef uint64_t ZyanU64;
typedef int8_t ZyanI8;
typedef int16_t ZyanI16;
typedef int32_t ZyanI32;
typedef int64_t ZyanI64;
typedef size_t ZyanUSize;

typedef ZyanU8 ZyanBool;
#define ZYAN_FALSE 0u
#define ZYAN_TRUE 1u

#define ZYAN_NULL ((void *)0)

#endif
