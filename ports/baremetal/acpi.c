/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tables of the firmware: RSDP, RSDT or XSDT, MADT, FADT, and of the DSDT just the _S5_ package.
 *
 * A table is mapped by its header first, then whole, and used only if its length is plausible and
 * its bytes sum to 0.  Fields are read byte by byte, since tables lie at any address and their
 * records at any offset.  _S5_ is looked for as bytes, not interpreted: if it has another shape
 * than the usual one, the machine is halted and not turned off.
 */
#include "acpi.h"

#include "memory.h"
#include "paging.h"
#include "string.h"
#include "x86.h"

#define TABLE_SIZE_MAX 0x400000u
#define HEADER_SIZE    36u
#define RSDP_SIZE_1    20u

#define MADT_RECORDS      44u
#define MADT_LOCAL_APIC   0
#define MADT_LOCAL_X2APIC 9
#define MADT_ENABLED      1u

#define FADT_DSDT    40u
#define FADT_PM1A    64u
#define FADT_PM1B    68u
#define SLEEP_ENABLE 0x2000u

static struct {
	bool known;
	uint16_t pm1a, pm1b, value_a, value_b;
} power;

static uint64_t get(const uint8_t *at, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

static bool sums_to_zero(const uint8_t *bytes, size_t size)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static bool is_rsdp(const uint8_t *at, size_t room)
{
	return room >= RSDP_SIZE_1 && !memcmp(at, "RSD PTR ", 8) && sums_to_zero(at, RSDP_SIZE_1);
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
	const uint64_t ebda = bios_data ? get(bios_data + 0xe, 2) << 4 : 0;
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
	table = paging_window(pa, HEADER_SIZE, MAP_R);
	if (!table)
		return NULL;
	*size = (uint32_t)get(table + 4, 4);
	if (*size < HEADER_SIZE || *size > TABLE_SIZE_MAX)
		return NULL;
	table = paging_window(pa, *size, MAP_R);
	return table && sums_to_zero(table, *size) ? table : NULL;
}

static void add_processor(struct acpi_info *info, uint32_t apic_id, uint32_t flags)
{
	if (!(flags & MADT_ENABLED))
		return;
	for (uint32_t i = 0; i < info->apic_id_count; i++) {
		if (info->apic_ids[i] == apic_id)
			return;
	}
	if (info->apic_id_count == CPU_MAX)
		info->apic_ids_ignored++;
	else
		info->apic_ids[info->apic_id_count++] = apic_id;
}

static void read_madt(struct acpi_info *info, const uint8_t *madt, uint32_t size)
{
	uint32_t at = MADT_RECORDS;

	while (at + 2 <= size) {
		const uint8_t type = madt[at], length = madt[at + 1];

		if (length < 2 || length > size - at) {
			info->problem = "the MADT has a record that leaves its table";
			return;
		}
		if (type == MADT_LOCAL_APIC && length >= 8)
			add_processor(info, madt[at + 3], (uint32_t)get(madt + at + 4, 4));
		else if (type == MADT_LOCAL_X2APIC && length >= 16)
			add_processor(info, (uint32_t)get(madt + at + 4, 4),
			              (uint32_t)get(madt + at + 8, 4));
		at += length;
	}
}

/* One element of the package: 0Ah and a byte, or the constants 0 and 1 as opcodes. */
static bool read_element(const uint8_t **at, const uint8_t *end, uint8_t *value)
{
	const uint8_t *p = *at;

	if (p < end && (*p == 0 || *p == 1)) {
		*value = *p;
		*at = p + 1;
		return true;
	}
	if (end - p >= 2 && *p == 0x0a) {
		*value = p[1];
		*at = p + 2;
		return true;
	}
	return false;
}

/* DSDT: 08h "_S5_" 12h, package length of one to four bytes, element count, SLP_TYPa, SLP_TYPb. */
static void read_dsdt(const uint8_t *dsdt, uint32_t size)
{
	for (uint32_t i = HEADER_SIZE; i + 16 <= size; i++) {
		const uint8_t *at = dsdt + i + 5, *const end = dsdt + size;
		uint8_t a, b;

		if (memcmp(dsdt + i, "_S5_\x12", 5))
			continue;
		at += (*at >> 6) + 1; /* the rest of the package length */
		at += 1;              /* the number of elements */
		if (!read_element(&at, end, &a) || !read_element(&at, end, &b) || a > 7 || b > 7)
			continue;
		power.value_a = (uint16_t)((uint32_t)a << 10 | SLEEP_ENABLE);
		power.value_b = (uint16_t)((uint32_t)b << 10 | SLEEP_ENABLE);
		power.known = power.pm1a != 0;
		return;
	}
}

static void read_fadt(const uint8_t *fadt, uint32_t size)
{
	const uint8_t *dsdt;
	uint32_t dsdt_size;

	if (size < FADT_PM1B + 4)
		return;
	power.pm1a = (uint16_t)get(fadt + FADT_PM1A, 4);
	power.pm1b = (uint16_t)get(fadt + FADT_PM1B, 4);
	dsdt = map_table(get(fadt + FADT_DSDT, 4), &dsdt_size);
	if (dsdt)
		read_dsdt(dsdt, dsdt_size);
}

static void read_root(struct acpi_info *info, const uint8_t *root, uint32_t size,
                      unsigned int width)
{
	for (uint32_t at = HEADER_SIZE; at + width <= size; at += width) {
		uint32_t table_size;
		const uint8_t *table = map_table(get(root + at, width), &table_size);

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
		root = map_table(get(rsdp + 24, 8), &size);
	if (!root || memcmp(root, "XSDT", 4)) {
		root = map_table(get(rsdp + 16, 4), &size);
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
