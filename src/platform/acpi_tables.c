/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ACPI tables, ACPI specification 6.5, 5.2: sections are given at each.
 *
 * They lie behind one another in one block, and each is finished (length, checksum, and the
 * pointers of others to it) as soon as its last byte is there.
 */
#include <libsvm/boot.h>
#include <libsvm/platform/acpi_pm.h>
#include <libsvm/platform/acpi_tables.h>

#include "core/core.h"
#include "platform/acpi_dsdt.h"

#define HEADER_SIZE   36u
#define RSDP_SIZE     36u
#define RSDP_CHECKED  20u  /* Of revision 0, which has a checksum of its own. */
#define TABLE_COUNT   2u   /* That RSDT and XSDT point to: FADT, MADT. */
#define APIC_ID_LIMIT 255u /* From here on only x2APIC can say it. */

/* FADT, 5.2.9. */
#define FADT_WBINVD      SVM_BIT(0)
#define FADT_C1          SVM_BIT(2)
#define FADT_SLEEP       SVM_BIT(5) /* There is no fixed sleep button. */
#define FADT_FIX_RTC     SVM_BIT(6) /* No wake-up by the RTC. */
#define FADT_TIMER_32    SVM_BIT(8)
#define FADT_RESET       SVM_BIT(10)
#define FADT_BOOT_ISA    SVM_BIT(0)
#define FADT_BOOT_8042   SVM_BIT(1)
#define FADT_BOOT_NO_VGA SVM_BIT(2)
#define FADT_BOOT_NO_RTC SVM_BIT(5)
#define GAS_IO           1u

/* Flags of interrupts, 5.2.12.5: polarity in bits 1:0, trigger in bits 3:2. */
#define MADT_HIGH  1u
#define MADT_LEVEL (3u << 2)

/* Where the tables of one block are. */
struct acpi_block {
	const struct svm_acpi_config *config;
	struct svm_bytes out;
	size_t rsdt, xsdt, facs, dsdt, fadt, madt;
};

static void set_checksum(struct svm_bytes *out, size_t at, size_t field, size_t size)
{
	uint8_t sum = 0;

	svm_bytes_set(out, field, 0, 1);
	for (size_t i = 0; i < size && at + i < out->count; i++)
		sum = (uint8_t)(sum + out->bytes[at + i]);
	svm_bytes_set(out, field, (uint8_t)-sum, 1);
}

/* 5.2.6; length and checksum follow. */
static size_t begin_table(struct svm_bytes *out, const char *signature, uint8_t revision)
{
	size_t at;

	svm_bytes_align(out, 16);
	at = out->count;
	svm_bytes_text(out, signature, 4);
	svm_bytes_add(out, 0, 4);
	svm_bytes_add(out, revision, 2);
	svm_bytes_text(out, "LIBSVM", 6);
	svm_bytes_text(out, "LIBSVMPC", 8);
	svm_bytes_add(out, 1, 4);
	svm_bytes_text(out, "LSVM", 4);
	svm_bytes_add(out, 1, 4);
	return at;
}

static void end_table(struct svm_bytes *out, size_t at)
{
	svm_bytes_set(out, at + 4, out->count - at, 4);
	set_checksum(out, at, at + 9, out->count - at);
}

static uint64_t address_of(const struct acpi_block *block, size_t at)
{
	return block->config->gpa + at;
}

/* 5.2.12.2 and 5.2.12.12: a processor that is there and enabled. */
static void add_processor(struct svm_bytes *out, uint32_t id)
{
	if (id < APIC_ID_LIMIT) {
		svm_bytes_add(out, 8u << 8 | 0, 2);
		svm_bytes_add(out, id, 1);
		svm_bytes_add(out, id, 1);
		svm_bytes_add(out, 1, 4);
		return;
	}
	svm_bytes_add(out, 16u << 8 | 9, 2);
	svm_bytes_add(out, 0, 2);
	svm_bytes_add(out, id, 4);
	svm_bytes_add(out, 1, 4);
	svm_bytes_add(out, id, 4);
}

/* 5.2.12.5: an ISA interrupt that is not the GSI of its number, or not edge and high. */
static void add_override(struct svm_bytes *out, uint8_t irq, uint32_t gsi, uint16_t flags)
{
	svm_bytes_add(out, 10u << 8 | 2, 2);
	svm_bytes_add(out, 0, 1);
	svm_bytes_add(out, irq, 1);
	svm_bytes_add(out, gsi, 4);
	svm_bytes_add(out, flags, 2);
}

/* 5.2.12.7 and 5.2.12.13: NMI at LINT1 of every processor. */
static void add_nmi(struct svm_bytes *out, uint32_t cpu_count)
{
	svm_bytes_add(out, 6u << 8 | 4, 2);
	svm_bytes_add(out, 0xff, 1);
	svm_bytes_add(out, 0, 2);
	svm_bytes_add(out, 1, 1);
	if (cpu_count <= APIC_ID_LIMIT)
		return;
	svm_bytes_add(out, 12u << 8 | 10, 2);
	svm_bytes_add(out, 0, 2);
	svm_bytes_add(out, UINT32_MAX, 4);
	svm_bytes_add(out, 1, 4);
}

/* 5.2.12. */
static void add_madt(struct acpi_block *block)
{
	const struct svm_acpi_config *config = block->config;
	struct svm_bytes *out = &block->out;

	block->madt = begin_table(out, "APIC", 3);
	svm_bytes_add(out, config->lapic, 4);
	svm_bytes_add(out, 1, 4); /* There is a pair of 8259s too. */
	for (uint32_t i = 0; i < config->cpu_count; i++)
		add_processor(out, i);
	svm_bytes_add(out, 12u << 8 | 1, 2);
	svm_bytes_add(out, config->ioapic_id, 2);
	svm_bytes_add(out, config->ioapic, 4);
	svm_bytes_add(out, 0, 4);
	add_override(out, 0, 2, 0);
	add_override(out, config->sci, config->sci, MADT_HIGH | MADT_LEVEL);
	add_nmi(out, config->cpu_count);
	end_table(out, block->madt);
}

/* 5.2.3.2: a register in ports, of so many bits. */
static void add_gas(struct svm_bytes *out, uint16_t port, uint8_t bits)
{
	svm_bytes_add(out, port ? GAS_IO : 0, 1);
	svm_bytes_add(out, port ? bits : 0, 1);
	svm_bytes_add(out, 0, 2);
	svm_bytes_add(out, port, 8);
}

static uint64_t fadt_flags(const struct svm_acpi_config *config)
{
	return FADT_WBINVD | FADT_C1 | FADT_SLEEP | FADT_FIX_RTC | FADT_TIMER_32 |
	       (config->reset_port ? FADT_RESET : 0);
}

static uint64_t fadt_boot_flags(const struct svm_acpi_config *config)
{
	return FADT_BOOT_ISA | (config->has_8042 ? FADT_BOOT_8042 : 0) |
	       (config->has_vga ? 0 : FADT_BOOT_NO_VGA) | (config->has_rtc ? 0 : FADT_BOOT_NO_RTC);
}

/* Offsets of the fields are 5.2.9's. */
static void add_fadt_ports(struct svm_bytes *out, uint16_t pm)
{
	svm_bytes_add(out, pm, 4);               /* 56: PM1a events */
	svm_bytes_add(out, 0, 4);                /* 60 */
	svm_bytes_add(out, pm ? pm + 4u : 0, 4); /* 64: PM1a control */
	svm_bytes_add(out, 0, 8);                /* 68: PM1b and PM2 control */
	svm_bytes_add(out, pm ? pm + 8u : 0, 4); /* 76: PM timer */
	svm_bytes_add(out, 0, 8);                /* 80: general events */
	svm_bytes_add(out, pm ? 4 : 0, 1);       /* 88: their lengths */
	svm_bytes_add(out, pm ? 2 : 0, 1);
	svm_bytes_add(out, 0, 1);
	svm_bytes_add(out, pm ? 4 : 0, 1);
	svm_bytes_add(out, 0, 4); /* 92: general events, C states by SMI */
}

static void add_fadt_extended(struct acpi_block *block)
{
	const uint16_t pm = block->config->pm_port;
	struct svm_bytes *out = &block->out;

	svm_bytes_add(out, address_of(block, block->facs), 8); /* 132 */
	svm_bytes_add(out, address_of(block, block->dsdt), 8);
	add_gas(out, pm, 32); /* 148: PM1a events */
	add_gas(out, 0, 0);
	add_gas(out, pm ? (uint16_t)(pm + 4) : 0, 16); /* 172: PM1a control */
	add_gas(out, 0, 0);
	add_gas(out, 0, 0);
	add_gas(out, pm ? (uint16_t)(pm + 8) : 0, 32); /* 208: PM timer */
	add_gas(out, 0, 0);
	add_gas(out, 0, 0);
}

/* 5.2.9. */
static void add_fadt(struct acpi_block *block)
{
	const struct svm_acpi_config *config = block->config;
	struct svm_bytes *out = &block->out;

	block->fadt = begin_table(out, "FACP", 3);
	svm_bytes_add(out, address_of(block, block->facs), 4); /* 36 */
	svm_bytes_add(out, address_of(block, block->dsdt), 4);
	svm_bytes_add(out, 0, 2); /* 44: reserved, no preferred profile */
	svm_bytes_add(out, config->sci, 2);
	svm_bytes_add(out, 0, 8); /* 48: no SMI command port: always in ACPI mode */
	add_fadt_ports(out, config->pm_port);
	svm_bytes_add(out, 101, 2);  /* 96: a C2 latency that means there is none */
	svm_bytes_add(out, 1001, 2); /* C3 */
	svm_bytes_add(out, 0, 8);    /* 100: flushing, duty cycle, alarms */
	svm_bytes_add(out, config->century, 1);
	svm_bytes_add(out, fadt_boot_flags(config), 2);
	svm_bytes_add(out, 0, 1);
	svm_bytes_add(out, fadt_flags(config), 4); /* 112 */
	add_gas(out, config->reset_port, 8);
	svm_bytes_add(out, config->reset_value, 1); /* 128 */
	svm_bytes_add(out, 0, 3);
	add_fadt_extended(block);
	end_table(out, block->fadt);
}

/* 5.2.10: 64 bytes at a multiple of 64, without a checksum. */
static void add_facs(struct acpi_block *block)
{
	struct svm_bytes *out = &block->out;

	svm_bytes_align(out, 64);
	block->facs = out->count;
	svm_bytes_text(out, "FACS", 4);
	svm_bytes_add(out, 64, 4);
	for (unsigned i = 0; i < 3; i++)
		svm_bytes_add(out, 0, 8);
	svm_bytes_add(out, 1, 8); /* 32: version */
	for (unsigned i = 0; i < 3; i++)
		svm_bytes_add(out, 0, 8);
}

/* 5.2.7 and 5.2.8. */
static size_t add_root(struct acpi_block *block, const char *signature, unsigned width)
{
	const size_t tables[TABLE_COUNT] = { block->fadt, block->madt };
	struct svm_bytes *out = &block->out;
	const size_t at = begin_table(out, signature, 1);

	for (unsigned i = 0; i < TABLE_COUNT; i++)
		svm_bytes_add(out, address_of(block, tables[i]), width);
	end_table(out, at);
	return at;
}

/* 5.2.5.3, in the place kept for it. */
static void set_rsdp(struct acpi_block *block)
{
	struct svm_bytes *out = &block->out;

	for (unsigned i = 0; i < 8; i++)
		svm_bytes_set(out, i, (uint8_t) "RSD PTR "[i], 1);
	for (unsigned i = 0; i < 6; i++)
		svm_bytes_set(out, 9 + i, (uint8_t) "LIBSVM"[i], 1);
	svm_bytes_set(out, 15, 2, 1);
	svm_bytes_set(out, 16, address_of(block, block->rsdt), 4);
	svm_bytes_set(out, 20, RSDP_SIZE, 4);
	svm_bytes_set(out, 24, address_of(block, block->xsdt), 8);
	set_checksum(out, 0, 8, RSDP_CHECKED);
	set_checksum(out, 0, 32, RSDP_SIZE);
}

void svm_acpi_default_config(struct svm_acpi_config *config, uint32_t cpu_count)
{
	*config = (struct svm_acpi_config){
		.gpa = 0xe0000,
		.cpu_count = cpu_count,
		.lapic = 0xfee00000,
		.ioapic = 0xfec00000,
		.sci = 9,
		.pm_port = SVM_ACPI_PM_PORT,
		.reset_port = 0xcf9,
		.reset_value = 6,
		.century = 0x32,
		.com1_port = 0x3f8,
		.com1_irq = 4,
		.has_rtc = true,
		.pci_memory = SVM_BOOT_PC_HOLE,
		.pci_memory_size = 0x3ec00000,
	};
}

static bool config_is_legal(const struct svm_acpi_config *c)
{
	if ((c->gpa & 63) || c->gpa > UINT32_MAX - SVM_ACPI_TABLES_SIZE)
		return false;
	if (!c->cpu_count || c->cpu_count > 256 || !c->sci || c->sci > 15 || c->com1_irq > 15)
		return false;
	if (c->pm_port > 0x10000 - SVM_ACPI_PM_PORTS)
		return false;
	return !((c->pci_memory | c->pci_memory_size) & (SVM_PAGE_SIZE - 1)) &&
	       c->pci_memory_size <= UINT32_MAX - c->pci_memory;
}

int svm_acpi_build(const struct svm_acpi_config *config, uint8_t *bytes, size_t room,
                   size_t *length)
{
	struct acpi_block block = { .config = config, .out = { bytes, room, 0, false } };
	struct svm_bytes *out = &block.out;

	if (!config_is_legal(config))
		return SVM_ERR_INVAL;
	for (unsigned i = 0; i < RSDP_SIZE / 4; i++)
		svm_bytes_add(out, 0, 4);
	add_facs(&block);
	block.dsdt = begin_table(out, "DSDT", 2);
	svm_acpi_dsdt(config, out);
	end_table(out, block.dsdt);
	add_fadt(&block);
	add_madt(&block);
	block.rsdt = add_root(&block, "RSDT", 4);
	block.xsdt = add_root(&block, "XSDT", 8);
	svm_bytes_align(out, 64);
	set_rsdp(&block);
	*length = out->count;
	return out->is_full ? SVM_ERR_RANGE : 0;
}
