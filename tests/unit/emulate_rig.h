/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_EMULATE_RIG_H
#define TESTS_UNIT_EMULATE_RIG_H
/*
 * A small guest for the emulator alone: 64 KiB mapped one to one, flat segments, and an owner of
 * registers that answers with patterns and remembers what was written.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emulate/emulate.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

#define EMU_RAM   0x10000u
#define EMU_CODE  0x1000u
#define EMU_STACK 0x8000u
#define EMU_DATA  0x9000u
#define EMU_GDT   0x2000u
#define EMU_LDT   0x2900u
#define EMU_BAD   0x3000u /* A page that is not present: 3000h to 3fffh. */
#define EMU_RO    0x4000u /* A page that supervisors can only read, WP set. */

/* A page of device registers: a byte reads as EMU_DEVICE_BYTE and its address in the page. */
#define EMU_DEVICE      0xe000u
#define EMU_DEVICE_BYTE 0xc0u
/* What every port says, in as many bytes as are asked for. */
#define EMU_PORT_VALUE 0xa1b2c3d4u

/*
 * Two more views of the RAM, at the addresses of tests/differential: its data between two holes,
 * and its code.
 */
#define EMU_FAR_DATA 0x20000000u
#define EMU_FAR_CODE 0x10000000u
#define EMU_FAR_SIZE 0x2000u
#define EMU_FAR_RAM  0xc000u /* Where in RAM the data lies; the code lies at EMU_CODE. */

enum emu_mode { EMU_REAL, EMU_VM86, EMU_16, EMU_32, EMU_64, EMU_COMPAT, EMU_PROCESS };

#define EMU_ACCESSES 16

struct emu {
	struct svm_emul e;
	uint64_t gpr[16]; /* e.gpr, except in a copy. */
	struct svm_emul_segment segment[SVM_EMUL_TR + 1]; /* Tables too. */
	uint8_t ram[EMU_RAM];
	uint64_t dr7;
	bool no_tsc_aux;
	unsigned writes; /* Calls of write_register(). */
	enum svm_emul_register kind;
	uint32_t number;
	uint64_t value;
	uint64_t control[9], debug[8]; /* What was written into CR and DR. */
	unsigned loads; /* Calls of load_segment(). */
	unsigned invalidations;
	uint64_t invalidated;
	bool interfere; /* The next exchange finds another value. */
	unsigned exchanges;
	uint32_t interfere_at; /* Of serialise(): the byte that has another value. */
	unsigned serialised;
	uint8_t vector[16][32];
	uint64_t mmx[8];
	bool device_exits; /* Every access to a device or port is an EXIT. */
	unsigned accesses; /* Of devices and ports, as far as they were done at once. */
	struct svm_emul_access access[EMU_ACCESSES];
};

/* What read_register() says of everything that has no other value. */
#define EMU_PATTERN(kind, number) (0x8765432100000000u + ((uint64_t)(kind) << 16) + (number))
/* An MSR and an extended register that are not there. */
#define EMU_NO_REGISTER 0xbadu

/* Everything as after a reset into the mode, CS:RIP at EMU_CODE, stack at EMU_STACK. */
void emu_init(struct emu *r, enum emu_mode mode, unsigned cpl);
enum svm_emul_result emu_run(struct emu *r, const char *bytes, size_t size);
/* An 8-byte descriptor: attributes as the VMCB has them, limit as the descriptor has it. */
void emu_descriptor(struct emu *r, uint32_t at, uint32_t base, uint32_t limit, uint32_t attributes);
uint64_t emu_get(const struct emu *r, uint32_t at, unsigned size);
void emu_put(struct emu *r, uint32_t at, uint64_t value, unsigned size);
/* Place of a linear address in RAM, or -1. */
int emu_place(uint64_t linear);
/* Registers, flags and segments are what they were; the owner was asked for nothing. */
void emu_check_untouched(const struct emu *now, const struct emu *before, const char *what);

#endif
