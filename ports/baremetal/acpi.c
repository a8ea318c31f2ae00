/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Finding the firmware's tables: RSDP, RSDT or XSDT, and from there MADT, FADT and DSDT.
 *
 * A table is mapped by its header first, then whole, and used only if its length is plausible and
 * its bytes sum to 0.  What is inside is acpi_tables.c's.
 */
#include "acpi.h"

#include "acpi_tables.h"
#include "memory.h"
#include "paging.h"
#include "string.h"
#include "x86.h"

#define TABLE_SIZE_MAX 0x400000u
#define RSDP_SIZE_1    20u

#define FADT_DSDT    40u
#define FADT_PM1A    64u
#define FADT_PM1B    68u
#define SLEEP_ENABLE 0x2000u

static struct {
	bool known;
	uint16_t pm1a, pm1b, value_a, value_b;
} power;

static bool is_rsdp(const uint8_t *at, size_t room)
{
	return room >= RSDP_SIZE_1 && !memcmp(at, "RSD PTR ", 8) &&
	       acpi_sums_to_zero(at, RSDP_SIZE_1);
}

static const uint8_t *find_rsdp(uint64_t start, uint64_t size)
{
	const uint8_t *area = paging_window(start, size, MAP_R);

	for (uint64_t at = 0; area && at + RSDP_SIZE_1 <= size; at += 16) {
		if (is_rsdp(area + at, (size_t)(size - at)))
			return area + at;
	}
	return NULL;
}

/* The EBDA's segment lies at 40Eh; the RSDP is in its first KiB or in the BIOS area. */
static const uint8_t *locate_rsdp(void)
{
	const uint8_t *bios_data = paging_window(0x400, 0x100, MAP_R);
	const uint64_t ebda = bios_data ? acpi_get(bios_data + 0xe, 2) << 4 : 0;
	const uint8_t *rsdp = NULL;

	if (ebda >= 0x80000 && ebda < 0xa0000)
		rsdp = find_rsdp(ebda, 0x400);
	return rsdp ? rsdp : find_rsdp(0xe0000, 0x20000);
}

static const uint8_t *map_table(uint64_t pa, uint32_t *size)
{
	const uint8_t *table;

	if (!pa || pa >> 46)
		return NULL;
	table = paging_window(pa, ACPI_HEADER_SIZE, MAP_R);
	if (!table)
		return NULL;
	*size = (uint32_t)acpi_get(table + 4, 4);
	if (*size < ACPI_HEADER_SIZE || *size > TABLE_SIZE_MAX)
		return NULL;
	table = paging_window(pa, *size, MAP_R);
	return table && acpi_sums_to_zero(table, *size) ? table : NULL;
}

static void read_madt(struct acpi_info *info, const uint8_t *madt, uint32_t size)
{
	struct acpi_processors processors = {
		.ids = info->apic_ids,
		.room = CPU_MAX,
		.count = info->apic_id_count,
	};

	if (!acpi_madt_read(madt, size, &processors))
		info->problem = "the MADT has a record that leaves its table";
	info->apic_id_count = processors.count;
	info->apic_ids_ignored += processors.ignored;
}

static void read_dsdt(const uint8_t *dsdt, uint32_t size)
{
	uint8_t a, b;

	if (!acpi_s5_find(dsdt, size, &a, &b))
		return;
	power.value_a = (uint16_t)((uint32_t)a << 10 | SLEEP_ENABLE);
	power.value_b = (uint16_t)((uint32_t)b << 10 | SLEEP_ENABLE);
	power.known = power.pm1a != 0;
}

static void read_fadt(const uint8_t *fadt, uint32_t size)
{
	const uint8_t *dsdt;
	uint32_t dsdt_size;

	if (size < FADT_PM1B + 4)
		return;
	power.pm1a = (uint16_t)acpi_get(fadt + FADT_PM1A, 4);
	power.pm1b = (uint16_t)acpi_get(fadt + FADT_PM1B, 4);
	dsdt = map_table(acpi_get(fadt + FADT_DSDT, 4), &dsdt_size);
	if (dsdt)
		read_dsdt(dsdt, dsdt_size);
}

static void read_root(struct acpi_info *info, const uint8_t *root, uint32_t size,
                      unsigned int width)
{
	for (uint32_t at = ACPI_HEADER_SIZE; at + width <= size; at += width) {
		uint32_t table_size;
		const uint8_t *table = map_table(acpi_get(root + at, width), &table_size);

		if (!table)
			continue;
		if (!memcmp(table, "APIC", 4))
			read_madt(info, table, table_size);
		else if (!memcmp(table, "FACP", 4))
			read_fadt(table, table_size);
	}
}

void acpi_read(struct acpi_info *info)
{
	const uint8_t *rsdp = locate_rsdp(), *root = NULL;
	unsigned int width = 8;
	uint32_t size = 0;

	*info = (struct acpi_info){ 0 };
	if (!rsdp) {
		info->problem = "no ACPI root pointer in the EBDA or the BIOS area";
		return;
	}
	if (rsdp[15] >= 2)
		root = map_table(acpi_get(rsdp + 24, 8), &size);
	if (!root || memcmp(root, "XSDT", 4)) {
		root = map_table(acpi_get(rsdp + 16, 4), &size);
		width = 4;
	}
	if (!root || (width == 4 && memcmp(root, "RSDT", 4))) {
		info->problem = "neither XSDT nor RSDT has a good checksum";
		return;
	}
	read_root(info, root, size, width);
	if (!info->apic_id_count && !info->problem)
		info->problem = "no MADT with an enabled processor";
}

void acpi_power_off(void)
{
	if (!power.known)
		return;
	outw(power.pm1a, power.value_a);
	if (power.pm1b)
		outw(power.pm1b, power.value_b);
}
