/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MADT records and the _S5_ package.  Fields are read byte by byte, since records lie at any
 * offset.  _S5_ is looked for as bytes and not interpreted: AML would need an interpreter, and a
 * package of another shape than the usual one only means that the machine is halted and not turned
 * off.
 */
#include "acpi_tables.h"

#include "string.h"

#define MADT_RECORDS      44u
#define MADT_LOCAL_APIC   0
#define MADT_LOCAL_X2APIC 9
#define MADT_ENABLED      1u
#define SLEEP_TYPE_MAX    7

uint64_t acpi_get(const uint8_t *at, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

bool acpi_sums_to_zero(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static void add_processor(struct acpi_processors *p, uint64_t apic_id, uint64_t flags)
{
	if (!(flags & MADT_ENABLED))
		return;
	for (uint32_t i = 0; i < p->count; i++) {
		if (p->ids[i] == apic_id)
			return;
	}
	if (p->count == p->room)
		p->ignored++;
	else
		p->ids[p->count++] = (uint32_t)apic_id;
}

bool acpi_madt_read(const uint8_t *madt, uint32_t size, struct acpi_processors *processors)
{
	uint32_t at = MADT_RECORDS;

	while (at < size && size - at >= 2) {
		const uint8_t type = madt[at], length = madt[at + 1];

		if (length < 2 || length > size - at)
			return false;
		if (type == MADT_LOCAL_APIC && length >= 8)
			add_processor(processors, madt[at + 3], acpi_get(madt + at + 4, 4));
		else if (type == MADT_LOCAL_X2APIC && length >= 16)
			add_processor(processors, acpi_get(madt + at + 4, 4),
			              acpi_get(madt + at + 8, 4));
		at += length;
	}
	return true;
}

/* One element of the package: 0Ah and a byte, or the constants 0 and 1 as opcodes. */
static bool read_element(const uint8_t *dsdt, uint32_t size, uint32_t *at, uint8_t *value)
{
	if (*at < size && (dsdt[*at] == 0 || dsdt[*at] == 1)) {
		*value = dsdt[*at];
		*at += 1;
		return true;
	}
	if (*at < size && size - *at >= 2 && dsdt[*at] == 0x0a) {
		*value = dsdt[*at + 1];
		*at += 2;
		return true;
	}
	return false;
}

/* "_S5_" 12h, package length of one to four bytes, element count, SLP_TYPa, SLP_TYPb. */
bool acpi_s5_find(const uint8_t *dsdt, uint32_t size, uint8_t *a, uint8_t *b)
{
	for (uint32_t i = ACPI_HEADER_SIZE; i < size && size - i >= 6; i++) {
		uint32_t at = i + 5;

		if (memcmp(dsdt + i, "_S5_\x12", 5))
			continue;
		at += (dsdt[at] >> 6) + 1u; /* the whole package length */
		at += 1;                    /* the number of elements */
		if (read_element(dsdt, size, &at, a) && read_element(dsdt, size, &at, b) &&
		    *a <= SLEEP_TYPE_MAX && *b <= SLEEP_TYPE_MAX)
			return true;
	}
	return false;
}
