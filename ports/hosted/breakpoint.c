/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * DR0 to DR3: on execution a fault before the instruction, on data a trap behind it.  APM vol. 2,
 * 13.1.1 and 13.1.3.
 *
 * An access may touch a watched byte anywhere, so ranges are compared; an execution breakpoint
 * names the first byte of an instruction.
 */
#include "model.h"

enum kind { ON_EXECUTION, ON_WRITE, ON_IO, ON_ACCESS };

static bool is_armed(const struct cpu *cpu, unsigned n)
{
	return cpu->guest.v->save._dr7 >> (2 * n) & 3;
}

static enum kind kind_of(const struct cpu *cpu, unsigned n)
{
	return (enum kind)(cpu->guest.v->save._dr7 >> (16 + 4 * n) & 3);
}

static unsigned length_of(const struct cpu *cpu, unsigned n)
{
	static const uint8_t lengths[] = { 1, 2, 8, 4 };

	return lengths[cpu->guest.v->save._dr7 >> (18 + 4 * n) & 3];
}

uint64_t breakpoint_at(const struct cpu *cpu, svm_gva_t gva)
{
	uint64_t hits = 0;

	for (unsigned n = 0; n < 4; n++)
		if (is_armed(cpu, n) && kind_of(cpu, n) == ON_EXECUTION && cpu->dr[n] == gva)
			hits |= SVM_BIT(n);
	return hits;
}

uint64_t breakpoint_on(const struct cpu *cpu, svm_gva_t gva, size_t size, bool is_write)
{
	uint64_t hits = 0;

	for (unsigned n = 0; n < 4; n++) {
		const unsigned length = length_of(cpu, n);
		const svm_gva_t first = cpu->dr[n] & ~(svm_gva_t)(length - 1);
		const enum kind kind = kind_of(cpu, n);

		if (is_armed(cpu, n) && (kind == ON_ACCESS || (kind == ON_WRITE && is_write)) &&
		    gva < first + length && first < gva + size)
			hits |= SVM_BIT(n);
	}
	return hits;
}
