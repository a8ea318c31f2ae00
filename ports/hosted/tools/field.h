/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_FIELD_H
#define TOOLS_FIELD_H
/*
 * A VMCB as a list of fields, with names for their bits.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libsvm/vmcb.h>

#define FIELD_NAME 48
#define FIELD_BITS 256

struct field {
	uint16_t offset;
	uint8_t size; /* 1, 2, 4 or 8. */
	bool is_reserved;
	char name[FIELD_NAME];
};

/*
 * The field at an offset, reserved bytes among them one by one; where the next one begins.
 * Offsets from 0 on, each where the one before ended, visit every byte of a VMCB once.
 */
uint16_t field_at(uint16_t offset, struct field *field);

uint64_t field_value(const struct svm_vmcb *vmcb, const struct field *field);

/*
 * "SVME", "PE, PG", "HLT": the bits of a field by name, where it is one of bits; "" if not.
 */
const char *field_bits(uint16_t offset, uint64_t bits, char text[FIELD_BITS]);

#endif
