/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_HOSTED_GUEST_H
#define TESTS_HOSTED_GUEST_H
/* What every guest of these tests has in its memory, whoever runs it. */
#include <libsvm/vmcb.h>

#include "script.h"

/* Guest-physical addresses. */
#define GUEST_CODE  UINT64_C(0x1000)
#define GUEST_STACK UINT64_C(0x3000) /* Top; grows down. */
#define GUEST_DATA  UINT64_C(0x4000)
#define GUEST_IDT   UINT64_C(0x5000)
#define GUEST_GDT   UINT64_C(0x6000)
#define GUEST_TSS   UINT64_C(0x7000)
#define GUEST_PT    UINT64_C(0x8000)  /* 64-bit guests: identity, 4 tables, 2 MiB of 4 KiB pages. */
#define GUEST_HOLES UINT64_C(0x10000) /* From here on nothing is used by default. */
#define GUEST_PAGES 32u

enum guest_mode { GUEST_REAL, GUEST_32, GUEST_64 };

int guest_bits(enum guest_mode mode);
struct svm_vmcb_segment guest_code(enum guest_mode mode);
struct svm_vmcb_segment guest_data(enum guest_mode mode);

/* GDT and, for 64 bits, page tables into the guest's memory. */
void guest_tables(uint8_t *memory, int bits);

/* Copy a handler to gpa and point entry `vector` of the IDT (or of the real-mode table) at it. */
void guest_handler(uint8_t *memory, unsigned vector, uint64_t gpa,
                   const struct hosted_script *script);

#endif
