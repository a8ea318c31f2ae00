/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The two things wanted from ACPI: which processors there are, and how to turn off. */
#ifndef BAREMETAL_ACPI_H
#define BAREMETAL_ACPI_H

#include "cpu.h"

struct acpi_info {
	const char *problem; /**< NULL, or why the tables were not used */
	uint32_t apic_ids[CPU_MAX];
	uint32_t apic_id_count;
	uint32_t apic_ids_ignored; /**< enabled processors beyond CPU_MAX */
};

/** Read the tables; boot CPU, after paging_init(). */
void acpi_read(struct acpi_info *info);

/** Enter S5 if acpi_read() found out how; otherwise returns. */
void acpi_power_off(void);

#endif
