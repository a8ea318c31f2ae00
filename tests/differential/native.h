/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_DIFFERENTIAL_NATIVE_H
#define TESTS_DIFFERENTIAL_NATIVE_H
/*
 * One instruction on the processor that runs the test, in 64-bit user mode.
 */
#include <stdbool.h>
#include <stdint.h>

struct native_state {
	uint64_t gpr[16]; /* In the processor's numbering. */
	uint64_t rflags;
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

#endif
