/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * PCI configuration mechanism 1.  PCI Local Bus Specification 3.0, 3.2.2.3.2 and chapter 6.
 *
 * The host bridge has the header that an operating system needs to believe in the bus: identity and
 * class.  It has no registers to set, since there is nothing behind it to be configured: writes are
 * dropped, and base address registers read as 0, that is as absent (6.2.5.1).
 */
#include <libsvm/platform/pci.h>

#include "core/core.h"

#define ADDRESS_BITS     (SVM_BIT(31) | SVM_BITS(23, 2))
#define ADDRESS_ENABLE   SVM_BIT(31)
#define ADDRESS_BUS      SVM_BITS(23, 16)
#define ADDRESS_DEVICE   SVM_BITS(15, 11)
#define ADDRESS_FUNCTION SVM_BITS(10, 8)
#define ADDRESS_REGISTER SVM_BITS(7, 2)

#define OFFSET_RESET 1u /* CF9h */
#define OFFSET_DATA  4u /* CFCh */

#define RESET_BITS SVM_BITS(3, 1) /* Hard or soft, RCPU, full reset. */
#define RESET_CPU  SVM_BIT(2)

#define CLASS_HOST_BRIDGE UINT32_C(0x06000000) /* Register 08h, revision 0. */

static uint32_t ones(uint32_t size)
{
	return size < 4 ? (UINT32_C(1) << 8 * size) - 1 : UINT32_MAX;
}

void svm_pci_init(struct svm_pci *pci, uint32_t bridge_id, const struct svm_wire *reset)
{
	memset(pci, 0, sizeof(*pci));
	pci->bridge_id = bridge_id;
	if (reset)
		pci->reset = *reset;
}

void svm_pci_reset(struct svm_pci *pci)
{
	pci->s = (struct svm_pci_state){ .address = 0 };
}

int svm_pci_attach(struct svm_pci *pci, uint32_t number, const struct svm_pci_device *device)
{
	if (!number || number >= SVM_PCI_DEVICE_MAX || !device->read || !device->write)
		return SVM_ERR_INVAL;
	if (pci->device[number].read)
		return SVM_ERR_EXIST;
	pci->device[number] = *device;
	return 0;
}

/* --- configuration space --------------------------------------------------------------------- */

static uint32_t read_bridge(const struct svm_pci *pci, uint32_t offset, uint32_t size)
{
	uint32_t value = 0;

	if ((offset & ~3u) == 0)
		value = pci->bridge_id;
	if ((offset & ~3u) == 8)
		value = CLASS_HOST_BRIDGE;
	return value >> 8 * (offset & 3) & ones(size);
}

/* The device that the address register names; of the bridge all members are NULL. */
static bool find_device(const struct svm_pci *pci, struct svm_pci_device *device)
{
	const uint32_t address = pci->s.address;
	const uint64_t number = svm_bits_get(address, ADDRESS_DEVICE);

	*device = pci->device[number];
	return (address & ADDRESS_ENABLE) && !(address & (ADDRESS_BUS | ADDRESS_FUNCTION)) &&
	       (!number || device->read);
}

static uint32_t read_data(const struct svm_pci *pci, uint32_t byte, uint32_t size)
{
	const uint32_t offset = (uint32_t)(pci->s.address & ADDRESS_REGISTER) | (byte & 3);
	struct svm_pci_device device;

	if (!find_device(pci, &device))
		return ones(size);
	if (!device.read)
		return read_bridge(pci, offset, size);
	return device.read(device.arg, offset, size) & ones(size);
}

static void write_data(const struct svm_pci *pci, uint32_t byte, uint32_t size, uint32_t value)
{
	const uint32_t offset = (uint32_t)(pci->s.address & ADDRESS_REGISTER) | (byte & 3);
	struct svm_pci_device device;

	if (find_device(pci, &device) && device.write)
		device.write(device.arg, offset, size, value & ones(size));
}

/* --- ports ----------------------------------------------------------------------------------- */

uint32_t svm_pci_read(struct svm_pci *pci, uint32_t offset, uint32_t size)
{
	if (!offset && size == 4)
		return pci->s.address;
	if (offset == OFFSET_RESET && size == 1)
		return pci->s.reset_control;
	if (offset < OFFSET_DATA || size > 4 || offset > SVM_PCI_PORTS - size)
		return ones(size);
	return read_data(pci, offset - OFFSET_DATA, size);
}

static void write_reset(struct svm_pci *pci, uint32_t value)
{
	const bool was_set = pci->s.reset_control & RESET_CPU;

	pci->s.reset_control = (uint8_t)(value & RESET_BITS);
	if ((value & RESET_CPU) && !was_set)
		svm_wire_pulse(&pci->reset);
}

void svm_pci_write(struct svm_pci *pci, uint32_t offset, uint32_t size, uint32_t value)
{
	if (!offset && size == 4)
		pci->s.address = (uint32_t)(value & ADDRESS_BITS);
	else if (offset == OFFSET_RESET && size == 1)
		write_reset(pci, value);
	else if (offset >= OFFSET_DATA && size <= 4 && offset <= SVM_PCI_PORTS - size)
		write_data(pci, offset - OFFSET_DATA, size, value);
}

void svm_pci_save(const struct svm_pci *pci, struct svm_pci_state *state)
{
	*state = pci->s;
}

int svm_pci_restore(struct svm_pci *pci, const struct svm_pci_state *state)
{
	const struct svm_pci_state s = *state;

	if ((s.address & ~ADDRESS_BITS) || (s.reset_control & ~RESET_BITS) || s.reserved[0] ||
	    s.reserved[1] || s.reserved[2])
		return SVM_ERR_INVAL;
	pci->s = s;
	return 0;
}
