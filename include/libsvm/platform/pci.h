/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_PCI_H
#define LIBSVM_PLATFORM_PCI_H
/**
 * @file
 * @brief The root of a PCI bus: configuration mechanism 1, a host bridge, the reset register.
 *
 * PCI Local Bus Specification 3.0, 3.2.2.3.2.  Ports CF8h to CFFh:
 *
 * | port | |
 * | --- | --- |
 * | CF8h, 4 bytes at once | address: bit 31 enables, bus, device, function, register |
 * | CF9h, 1 byte | reset control (Intel 82371SB data sheet, 2.5.7): a write that sets bit 2 resets
 * | | CFCh to CFFh | data, in any width that stays inside |
 *
 * Other accesses to CF8h to CFBh are no configuration accesses: they read as all ones and do
 * nothing, which is how an operating system tells mechanism 1 from its predecessor.
 *
 * On bus 0 is a host bridge, 00.0, and what svm_pci_attach() put there; all else reads as all ones.
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** First port, and their number. */
#define SVM_PCI_PORT  0xcf8u
#define SVM_PCI_PORTS 8u

/** Devices of bus 0. */
#define SVM_PCI_DEVICE_MAX 32u

/** Identity of the host bridge: a neutral one, which no driver takes for a chip it knows. */
#define SVM_PCI_BRIDGE_ID 0x00081b36u

/** A device on the bus, function 0.  All NULL: nothing there. */
struct svm_pci_device {
	/** Read 1, 2 or 4 bytes of configuration space, all within one aligned 4. */
	uint32_t (*read)(void *arg, uint32_t offset, uint32_t size);
	/** Write them. */
	void (*write)(void *arg, uint32_t offset, uint32_t size, uint32_t value);
	void *arg;
};

/** The state of the device. */
struct svm_pci_state {
	uint32_t address; /**< As the guest reads it back. */
	uint8_t reset_control;
	uint8_t reserved[3]; /**< 0. */
};

/** The device. */
struct svm_pci {
	struct svm_pci_state s;
	uint32_t bridge_id;    /**< Device in bits 31:16, vendor in bits 15:0. */
	struct svm_wire reset; /**< A pulse when the guest resets the machine. */
	struct svm_pci_device device[SVM_PCI_DEVICE_MAX]; /**< [0] is not used. */
};

/**
 * @brief Make a bus with nothing but its host bridge.
 * @param pci        The device.
 * @param bridge_id  ::SVM_PCI_BRIDGE_ID, or what a guest insists on.
 * @param reset      Where a reset leads; NULL: nowhere.
 */
void svm_pci_init(struct svm_pci *pci, uint32_t bridge_id, const struct svm_wire *reset);

/** @brief Registers to 0; devices stay. */
void svm_pci_reset(struct svm_pci *pci);

/**
 * @brief Put a device on the bus.
 * @param pci     The bus.
 * @param number  1 … 31.
 * @param device  Copied; both functions set.
 * @retval 0              It is there.
 * @retval SVM_ERR_INVAL  The number is out of range, or a function is NULL.
 * @retval SVM_ERR_EXIST  The place is taken.
 */
SVM_MUST_CHECK int svm_pci_attach(struct svm_pci *pci, uint32_t number,
                                  const struct svm_pci_device *device);

/**
 * @brief Read ports.
 * @param pci     The bus.
 * @param offset  Of the first port from CF8h on.
 * @param size    1, 2 or 4.
 */
uint32_t svm_pci_read(struct svm_pci *pci, uint32_t offset, uint32_t size);

/** @brief Write ports, as svm_pci_read(). */
void svm_pci_write(struct svm_pci *pci, uint32_t offset, uint32_t size, uint32_t value);

/** @brief Copy the state, without that of devices. */
void svm_pci_save(const struct svm_pci *pci, struct svm_pci_state *state);

/**
 * @brief Set the state.
 * @retval 0              Set.
 * @retval SVM_ERR_INVAL  The device cannot be in this state; nothing changed.
 */
SVM_MUST_CHECK int svm_pci_restore(struct svm_pci *pci, const struct svm_pci_state *state);

/** @} */

#endif
