/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_DIFFERENTIAL_NATIVE_H
#define TESTS_DIFFERENTIAL_NATIVE_H
/*
 * One instruction on the processor that runs the test, in 64-bit user mode.
 */
#include <stdbool.h>
#include <stdint.h>

/* XSAVE's standard format for x87, SSE and AVX. */
#define NATIVE_FPU_SIZE 832u
#define NATIVE_ST       32u  /* 8 of 16 bytes; MMX registers are their low 8. */
#define NATIVE_XMM      160u /* 16 of 16 bytes. */
#define NATIVE_HEADER   512u
#define NATIVE_YMM      576u /* The upper halves. */

struct native_state {
	uint64_t gpr[16]; /* In the processor's numbering. */
	uint64_t rflags;
	uint8_t fpu[NATIVE_FPU_SIZE] __attribute__((aligned(64)));
};

struct native_outcome {
	struct native_state state;
	uint64_t rip;  /* Relative to the instruction's first byte. */
	bool faulted;
	unsigned vector;
	uint32_t error;
	uint64_t address; /* #PF: CR2. */
};

/* Code, handlers and a place for the instruction; false: the machine does not allow it. */
bool native_init(void);

/* Where the instruction will lie, `length` bytes long. */
uint64_t native_code_address(unsigned length);

void native_run(const uint8_t *bytes, unsigned length, const struct native_state *in,
                struct native_outcome *out);

/* Whether an address is the trampoline's own: there for the processor, not for the emulator. */
bool native_owns(uint64_t address);

#endif
