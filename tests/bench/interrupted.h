/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The guest of interrupted.S, which a monitor copies into its guest's memory. */
#ifndef SVM_TESTS_INTERRUPTED_H
#define SVM_TESTS_INTERRUPTED_H

#define INTERRUPTED_GPA    0x1000
#define INTERRUPTED_SIZE   0x1000 /* with its stack */
#define INTERRUPTED_PORT   0x80
#define INTERRUPTED_VECTOR 0x40

#ifndef __ASSEMBLER__
#include <stdint.h>

extern const uint8_t interrupted[], interrupted_end[];
#endif

#endif
