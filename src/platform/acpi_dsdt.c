/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The DSDT: AML by hand (ACPI specification 6.5, chapter 20), as small as Linux is content with.
 * Written as source it would be
 *
 *	Scope (\_SB) {
 *		Device (PCI0) { Name (_HID, EisaId ("PNP0A03")) Name (_UID, 0) Name (_CRS, ...) }
 *		Device (COM1) { Name (_HID, EisaId ("PNP0501")) Name (_UID, 1) Name (_CRS, ...) }
 *		Device (RTC_) { Name (_HID, EisaId ("PNP0B00")) Name (_CRS, ...) }
 *	}
 *	Name (\_S5, Package () { 5, 5, 0, 0 })
 *
 * A package's length is encoded in two bytes always (20.2.4), and filled in when its end is known.
 */
#include "platform/acpi_dsdt.h"

#include <libsvm/platform/acpi_pm.h>

/* 20.2.5, 20.2.2 and 20.3. */
#define AML_NAME    0x08
#define AML_BYTE    0x0a
#define AML_WORD    0x0b
#define AML_DWORD   0x0c
#define AML_SCOPE   0x10
#define AML_BUFFER  0x11
#define AML_PACKAGE 0x12
#define AML_EXTEND  0x5b
#define AML_DEVICE  0x82

/* Resource descriptors, 6.4.2 and 6.4.3: tag with its length, or tag of a large item. */
#define RESOURCE_IRQ   0x22 /* 2 bytes: edge, high, exclusive. */
#define RESOURCE_IO    0x47
#define RESOURCE_END   0x79
#define RESOURCE_DWORD 0x87
#define RESOURCE_WORD  0x88

#define RANGE_MEMORY 0
#define RANGE_IO     1
#define RANGE_BUS    2

/* A compressed EISA ID, 19.3.4: three letters of 5 bits, four hexadecimal digits; big-endian. */
#define EISA_PNP(id) (0xd041u | ((id) >> 8 & 0xffu) << 16 | ((id)&0xffu) << 24)

static size_t begin_package(struct svm_bytes *out)
{
	const size_t at = out->count;

	svm_bytes_add(out, 0, 2);
	return at;
}

/* The length counts its own two bytes: 4 bits in the first, 8 in the second. */
static void end_package(struct svm_bytes *out, size_t at)
{
	const size_t length = out->count - at;

	svm_bytes_set(out, at, 0x40 | (length & 15) | (length >> 4) << 8, 2);
}

static void begin_name(struct svm_bytes *out, const char *name)
{
	svm_bytes_add(out, AML_NAME, 1);
	svm_bytes_text(out, name, 4);
}

static size_t begin_device(struct svm_bytes *out, const char *name, uint32_t hid)
{
	size_t at;

	svm_bytes_add(out, AML_EXTEND, 1);
	svm_bytes_add(out, AML_DEVICE, 1);
	at = begin_package(out);
	svm_bytes_text(out, name, 4);
	begin_name(out, "_HID");
	svm_bytes_add(out, AML_DWORD, 1);
	svm_bytes_add(out, hid, 4);
	return at;
}

static void add_uid(struct svm_bytes *out, uint8_t uid)
{
	begin_name(out, "_UID");
	svm_bytes_add(out, AML_BYTE, 1);
	svm_bytes_add(out, uid, 1);
}

/* --- resources ------------------------------------------------------------------------------- */

/* Where a buffer of descriptors and its package begin. */
struct crs {
	size_t package, size;
};

static struct crs begin_crs(struct svm_bytes *out)
{
	struct crs crs;

	begin_name(out, "_CRS");
	svm_bytes_add(out, AML_BUFFER, 1);
	crs.package = begin_package(out);
	svm_bytes_add(out, AML_WORD, 1);
	crs.size = out->count;
	svm_bytes_add(out, 0, 2);
	return crs;
}

static void end_crs(struct svm_bytes *out, struct crs crs)
{
	svm_bytes_add(out, RESOURCE_END, 1);
	svm_bytes_add(out, 0, 1); /* A checksum of 0 counts as right (6.4.2.9). */
	svm_bytes_set(out, crs.size, out->count - crs.size - 2, 2);
	end_package(out, crs.package);
}

/* Ports of a device, 16 address bits decoded. */
static void add_ports(struct svm_bytes *out, uint16_t port, uint8_t count)
{
	svm_bytes_add(out, RESOURCE_IO, 1);
	svm_bytes_add(out, 1, 1);
	svm_bytes_add(out, port, 2);
	svm_bytes_add(out, port, 2);
	svm_bytes_add(out, 1, 1);
	svm_bytes_add(out, count, 1);
}

static void add_irq(struct svm_bytes *out, uint8_t irq)
{
	svm_bytes_add(out, RESOURCE_IRQ, 1);
	svm_bytes_add(out, UINT64_C(1) << (irq & 15), 2);
}

/* A window that a bridge passes on: fixed at both ends (general flags 0Ch), 6.4.3.5. */
static void add_window(struct svm_bytes *out, unsigned kind, uint8_t flags, uint32_t first,
                       uint32_t size)
{
	const unsigned width = kind == RANGE_MEMORY ? 4 : 2;

	svm_bytes_add(out, kind == RANGE_MEMORY ? RESOURCE_DWORD : RESOURCE_WORD, 1);
	svm_bytes_add(out, 3 + 5 * width, 2);
	svm_bytes_add(out, kind, 1);
	svm_bytes_add(out, 0x0c, 1);
	svm_bytes_add(out, flags, 1);
	svm_bytes_add(out, 0, width); /* granularity */
	svm_bytes_add(out, first, width);
	svm_bytes_add(out, first + size - 1, width);
	svm_bytes_add(out, 0, width); /* translation */
	svm_bytes_add(out, size, width);
}

/* --- devices --------------------------------------------------------------------------------- */

static void add_pci(const struct svm_acpi_config *config, struct svm_bytes *out)
{
	const size_t device = begin_device(out, "PCI0", EISA_PNP(0x0a03u));
	struct crs crs;

	add_uid(out, 0);
	crs = begin_crs(out);
	add_window(out, RANGE_BUS, 0, 0, 0x100);
	add_ports(out, 0xcf8, 8);
	add_window(out, RANGE_IO, 3, 0, 0xcf8); /* Flags: ISA and other ports. */
	add_window(out, RANGE_IO, 3, 0xd00, 0xf300);
	if (config->pci_memory_size) /* Flags: read and write, not cacheable. */
		add_window(out, RANGE_MEMORY, 1, config->pci_memory, config->pci_memory_size);
	end_crs(out, crs);
	end_package(out, device);
}

static void add_com1(const struct svm_acpi_config *config, struct svm_bytes *out)
{
	const size_t device = begin_device(out, "COM1", EISA_PNP(0x0501u));
	struct crs crs;

	add_uid(out, 1);
	crs = begin_crs(out);
	add_ports(out, config->com1_port, 8);
	add_irq(out, config->com1_irq);
	end_crs(out, crs);
	end_package(out, device);
}

static void add_rtc(struct svm_bytes *out)
{
	const size_t device = begin_device(out, "RTC_", EISA_PNP(0x0b00u));
	const struct crs crs = begin_crs(out);

	add_ports(out, 0x70, 2);
	add_irq(out, 8);
	end_crs(out, crs);
	end_package(out, device);
}

static void add_keyboard(struct svm_bytes *out)
{
	const size_t device = begin_device(out, "KBD_", EISA_PNP(0x0303u));
	const struct crs crs = begin_crs(out);

	add_ports(out, 0x60, 1);
	add_ports(out, 0x64, 1);
	add_irq(out, 1);
	end_crs(out, crs);
	end_package(out, device);
}

/* 7.4.2.6: what to write into SLP_TYP of PM1a and PM1b; two more that are reserved. */
static void add_s5(struct svm_bytes *out)
{
	size_t package;

	begin_name(out, "_S5_");
	svm_bytes_add(out, AML_PACKAGE, 1);
	package = begin_package(out);
	svm_bytes_add(out, 4, 1);
	for (unsigned i = 0; i < 4; i++) {
		svm_bytes_add(out, AML_BYTE, 1);
		svm_bytes_add(out, i < 2 ? SVM_ACPI_PM_S5 : 0, 1);
	}
	end_package(out, package);
}

void svm_acpi_dsdt(const struct svm_acpi_config *config, struct svm_bytes *out)
{
	size_t scope;

	svm_bytes_add(out, AML_SCOPE, 1);
	scope = begin_package(out);
	svm_bytes_text(out, "_SB_", 4);
	add_pci(config, out);
	if (config->com1_port)
		add_com1(config, out);
	if (config->has_rtc)
		add_rtc(out);
	if (config->has_8042)
		add_keyboard(out);
	end_package(out, scope);
	if (config->pm_port)
		add_s5(out);
}
