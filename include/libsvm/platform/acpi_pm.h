/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_ACPI_PM_H
#define LIBSVM_PLATFORM_ACPI_PM_H
/**
 * @file
 * @brief ACPI fixed hardware: PM1a events and control, the power management timer.
 *
 * ACPI specification 6.5, 4.8.3.1 to 4.8.3.3.  A block of ::SVM_ACPI_PM_PORTS ports; the tables of
 * acpi_tables.h say the same.  The machine is always in ACPI mode (SCI_EN is 1 and stays), so there
 * is no SMI command port.
 *
 * | offset | register | |
 * | --- | --- | --- |
 * | 0, 2 bytes | PM1 status | a 1 clears |
 * | 2, 2 bytes | PM1 enable | |
 * | 4, 2 bytes | PM1 control | SLP_EN with the type of S5: power off |
 * | 8, 4 bytes | PM timer | 32 bits at 3.579545 MHz, read only |
 */
#include <libsvm/platform/device.h>

/** @addtogroup svm_platform
 *  @{ */

/** Ports of the block; the timer is the last. */
#define SVM_ACPI_PM_PORTS 12u
/** Where a PC of this library has the block. */
#define SVM_ACPI_PM_PORT 0x600u

/* Bits of PM1 status and of PM1 enable.  4.8.3.1.1, 4.8.3.1.2. */
#define SVM_ACPI_PM_TIMER      SVM_BIT(0)
#define SVM_ACPI_PM_BUS_MASTER SVM_BIT(4) /* Status only. */
#define SVM_ACPI_PM_GLOBAL     SVM_BIT(5)
#define SVM_ACPI_PM_BUTTON     SVM_BIT(8)
#define SVM_ACPI_PM_SLEEP      SVM_BIT(9)
#define SVM_ACPI_PM_RTC        SVM_BIT(10)
#define SVM_ACPI_PM_WAKE       SVM_BIT(15) /* Status only. */

/* Bits of PM1 control.  4.8.3.2.1. */
#define SVM_ACPI_PM_SCI_EN   SVM_BIT(0)
#define SVM_ACPI_PM_SLP_TYPE SVM_BITS(12, 10)
#define SVM_ACPI_PM_SLP_EN   SVM_BIT(13)

/** SLP_TYP of S5 (soft off), as the object _S5 of the tables says. */
#define SVM_ACPI_PM_S5 5u

/** The state of the device. */
struct svm_acpi_pm_state {
	uint16_t status, enable, control;
	uint16_t reserved;   /**< 0. */
	uint64_t timer_half; /**< Bits 31 and up of the timer when it was last looked at. */
};

/** The device. */
struct svm_acpi_pm {
	struct svm_acpi_pm_state s;
	struct svm_wire sci;       /**< Level; to GSI 9. */
	struct svm_wire power_off; /**< A pulse when the guest switches the machine off. */
	bool sci_level;
};

/**
 * @brief Make a device at reset.
 * @param pm         The device.
 * @param sci        Its interrupt; NULL leads nowhere.
 * @param power_off  The switch; NULL leads nowhere.
 */
void svm_acpi_pm_init(struct svm_acpi_pm *pm, const struct svm_wire *sci,
                      const struct svm_wire *power_off);

/** @brief All registers to 0 but SCI_EN; the timer goes on. */
void svm_acpi_pm_reset(struct svm_acpi_pm *pm, uint64_t now);

/**
 * @brief Read ports of the block.
 * @param pm      The device.
 * @param offset  Of the first port; beyond the block, or beyond a register, reads as 0.
 * @param size    1, 2 or 4.
 * @param now     Nanoseconds of the VM's clock.
 */
uint32_t svm_acpi_pm_read(struct svm_acpi_pm *pm, uint32_t offset, uint32_t size, uint64_t now);

/** @brief Write ports of the block, as svm_acpi_pm_read(). */
void svm_acpi_pm_write(struct svm_acpi_pm *pm, uint32_t offset, uint32_t size, uint32_t value,
                       uint64_t now);

/** @brief Press the power button: the guest's operating system decides what follows. */
void svm_acpi_pm_press_button(struct svm_acpi_pm *pm, uint64_t now);

/** @brief When the timer's interrupt will come; ::SVM_NEVER unless it is enabled. */
uint64_t svm_acpi_pm_deadline(const struct svm_acpi_pm *pm);

/** @brief Catch up with the time. */
void svm_acpi_pm_advance(struct svm_acpi_pm *pm, uint64_t now);

/** @brief Copy the state. */
void svm_acpi_pm_save(const struct svm_acpi_pm *pm, struct svm_acpi_pm_state *state);

/**
 * @brief Set the state; the interrupt wire follows.
 * @retval 0              Set.
 * @retval SVM_ERR_INVAL  The device cannot be in this state; nothing changed.
 */
SVM_MUST_CHECK int svm_acpi_pm_restore(struct svm_acpi_pm *pm,
                                       const struct svm_acpi_pm_state *state);

/** @} */

#endif
