/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_HOSTED_REWRITE_GUEST_H
#define TESTS_HOSTED_REWRITE_GUEST_H
/*
 * A guest of two vCPUs: one executes an instruction in a slot of its code, the other changes it,
 * and the entries that map the code and the two pages that the instruction touches.
 */
#include "rig.h"

#define PAGE      4096u
#define SLOT      (GUEST_CODE + 0x40) /* VMMCALL stands behind it. */
#define SLOT_SIZE 16u
#define CODE_2    UINT64_C(0x12000) /* Where the code page is remapped to. */
#define HANDLER   UINT64_C(0xd000)  /* Of every exception: VMMCALL. */
#define WRITER    UINT64_C(0xe000)  /* vCPU 1's code, and its own tables. */
#define WRITER_PT UINT64_C(0x14000)
#define RAM       UINT64_C(0x10000) /* What the window may also be. */
#define WINDOW    UINT64_C(0x30000) /* Guest-virtual, two pages. */

/* Guest-physical pages: with a callback, without anything, read-only. */
#define DEVICE UINT64_C(0x40000)
#define HOLE   UINT64_C(0x50000)
#define ROM    UINT64_C(0x60000)

/* Where the entry of a page lies in a guest's tables of 2 MiB. */
#define LEAF(pt, gva) ((pt) + 3 * PAGE + (gva) / PAGE * 8)

uint64_t random_below(uint64_t *seed, uint64_t limit);

/* One of the table, padded with NOPs. */
void random_instruction(uint64_t *seed, uint8_t bytes[SLOT_SIZE]);

/* An entry for the code (at *gva) or a page of the window, mostly one that lets the guest at it. */
uint64_t random_leaf(uint64_t *seed, uint8_t cpl, uint64_t *gva);

/*
 * The model executes no such instruction: where an exit shows it, the emulator found it in the
 * place of the one that exited.
 */
bool is_for_emulator_only(const uint8_t *insn);

/* Tables and code of both vCPUs. vCPU 0 is to run at cpl. */
void write_guest(uint8_t *memory, uint8_t cpl, uint64_t seed);

#endif
