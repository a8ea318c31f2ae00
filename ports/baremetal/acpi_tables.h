/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * The insides of ACPI tables.  Pure: bytes in, numbers out, so that an ordinary process can test
 * them with tables no firmware should have.
 */
#ifndef BAREMETAL_ACPI_TABLES_H
#define BAREMETAL_ACPI_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_HEADER_SIZE 36u

/** Little-endian number of @p size bytes, at most 8. */
uint64_t acpi_get(const uint8_t *at, unsigned int size);

bool acpi_sums_to_zero(const uint8_t *bytes, size_t size);

struct acpi_processors {
	uint32_t *ids; /**< room for @c room APIC IDs */
	uint32_t room, count;
	uint32_t ignored; /**< enabled processors that found no room */
};

/** Add the enabled processors of a MADT; false: a record leaves the table. */
bool acpi_madt_read(const uint8_t *madt, uint32_t size, struct acpi_processors *processors);

/** Sleep types of state S5 in a DSDT, SLP_TYPa and SLP_TYPb; false: not found in usual form. */
bool acpi_s5_find(const uint8_t *dsdt, uint32_t size, uint8_t *a, uint8_t *b);

#endif
