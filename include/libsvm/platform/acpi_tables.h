/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_ACPI_TABLES_H
#define LIBSVM_PLATFORM_ACPI_TABLES_H
/**
 * @file
 * @brief ACPI tables that describe a PC of this library to its guest.
 *
 * ACPI specification 6.5, chapter 5: RSDP, RSDT, XSDT, FADT (revision 3: fixed hardware, not
 * hardware-reduced, or Linux would drop PIC and PIT), FACS, MADT, and a DSDT with the root of the
 * PCI bus, the devices that the configuration has, and _S5.
 *
 * The tables are one block whose first bytes are the RSDP.  A guest that is not told its address
 * looks for it from E0000h on at multiples of 16 (5.2.5.1).
 */
#include <libsvm/types.h>
#include <libsvm/error.h>

/** @addtogroup svm_platform
 *  @{ */

/** Room for the tables of 256 processors. */
#define SVM_ACPI_TABLES_SIZE 8192u

/** What there is to describe; 0 in a member that is an address or port: none. */
struct svm_acpi_config {
	svm_gpa_t gpa;            /**< Of the block: multiple of 64, below 4 GiB - the size. */
	uint32_t cpu_count;       /**< 1 … 256, with APIC IDs from 0 on. */
	uint32_t lapic;           /**< Address of the local APICs. */
	uint32_t ioapic;          /**< Address of the I/O APIC. */
	uint8_t ioapic_id;        /**< Its ID. */
	uint8_t sci;              /**< GSI of the ACPI interrupt, 1 … 15: active high, level. */
	uint16_t pm_port;         /**< Of struct svm_acpi_pm. */
	uint16_t reset_port;      /**< A port that resets the machine ... */
	uint8_t reset_value;      /**< ... when this is written. */
	uint8_t century;          /**< Byte of CMOS RAM. */
	uint16_t com1_port;       /**< 16550 UART ... */
	uint8_t com1_irq;         /**< ... and its ISA interrupt, 0 … 15. */
	bool has_rtc;             /**< Ports 70h and 71h, ISA interrupt 8. */
	bool has_8042;            /**< A keyboard controller that answers probes. */
	bool has_vga;             /**< Display adapter at A0000h. */
	uint32_t pci_memory;      /**< Window for PCI devices: first byte, ... */
	uint32_t pci_memory_size; /**< ... bytes; multiples of 4096. */
};

/** @brief What a PC of this library has: PM block, CF9h, COM1 at 3F8h, RTC, PCI from 3 GiB on. */
void svm_acpi_default_config(struct svm_acpi_config *config, uint32_t cpu_count);

/**
 * @brief Build the block.
 * @param config      What to describe.
 * @param[out] bytes  The block; what follows @p length is not touched on success.
 * @param room        Bytes of room; ::SVM_ACPI_TABLES_SIZE is always enough.
 * @param[out] length Bytes of the block, a multiple of 64.
 * @retval 0              Built.
 * @retval SVM_ERR_INVAL  A member is out of its range.
 * @retval SVM_ERR_RANGE  @p room is too small; its content is undefined.
 * @par Context
 * Any.
 */
SVM_MUST_CHECK int svm_acpi_build(const struct svm_acpi_config *config, uint8_t *bytes, size_t room,
                                  size_t *length);

/** @} */

#endif
