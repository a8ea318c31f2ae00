/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ACPI fixed hardware.  ACPI specification 6.5, 4.8.3.
 *
 * The timer is not counted: it is the VM's clock in other units, computed when somebody looks.  Its
 * status bit tells that bit 31 has changed since (4.8.3.1.1), so the device keeps the half period
 * that it saw last, and a million missed changes cost as much as one.
 *
 * Registers are handled byte by byte, since any width at any offset is legal for a port.
 */
#include <libsvm/platform/acpi_pm.h>

#include "core/core.h"

#define TIMER_HZ   UINT64_C(3579545)
#define TIMER_HALF 31

#define ENABLES                                                                                    \
	(SVM_ACPI_PM_TIMER | SVM_ACPI_PM_GLOBAL | SVM_ACPI_PM_BUTTON | SVM_ACPI_PM_SLEEP |         \
	 SVM_ACPI_PM_RTC)
#define STATUSES   (ENABLES | SVM_ACPI_PM_BUS_MASTER | SVM_ACPI_PM_WAKE)
#define BUS_RELOAD SVM_BIT(1) /* BM_RLD: kept, without effect. */
#define CONTROLS   (BUS_RELOAD | SVM_ACPI_PM_SLP_TYPE)

/* Exact: seconds and the rest apart, neither product reaches 2^64. */
static uint64_t timer_ticks(uint64_t now)
{
	return now / SVM_NS_PER_S * TIMER_HZ + now % SVM_NS_PER_S * TIMER_HZ / SVM_NS_PER_S;
}

/* The first nanosecond at which the timer has counted so far. */
static uint64_t timer_when(uint64_t ticks)
{
	const uint64_t rest = ticks % TIMER_HZ * SVM_NS_PER_S;

	return ticks / TIMER_HZ * SVM_NS_PER_S + (rest + TIMER_HZ - 1) / TIMER_HZ;
}

static void update_sci(struct svm_acpi_pm *pm)
{
	const bool level = pm->s.status & pm->s.enable;

	if (level == pm->sci_level)
		return;
	pm->sci_level = level;
	svm_wire_set(&pm->sci, level);
}

static void look_at_timer(struct svm_acpi_pm *pm, uint64_t now)
{
	const uint64_t half = timer_ticks(now) >> TIMER_HALF;

	if (half <= pm->s.timer_half)
		return;
	pm->s.timer_half = half;
	pm->s.status |= SVM_ACPI_PM_TIMER;
}

void svm_acpi_pm_init(struct svm_acpi_pm *pm, const struct svm_wire *sci,
                      const struct svm_wire *power_off)
{
	*pm = (struct svm_acpi_pm){ .s = { .control = SVM_ACPI_PM_SCI_EN } };
	if (sci)
		pm->sci = *sci;
	if (power_off)
		pm->power_off = *power_off;
}

void svm_acpi_pm_reset(struct svm_acpi_pm *pm, uint64_t now)
{
	pm->s = (struct svm_acpi_pm_state){ .control = SVM_ACPI_PM_SCI_EN,
		                            .timer_half = timer_ticks(now) >> TIMER_HALF };
	update_sci(pm);
}

static uint8_t read_byte(const struct svm_acpi_pm *pm, uint64_t offset, uint32_t ticks)
{
	switch (offset) {
	case 0:
	case 1:
		return (uint8_t)(pm->s.status >> 8 * offset);
	case 2:
	case 3:
		return (uint8_t)(pm->s.enable >> 8 * (offset - 2));
	case 4:
	case 5:
		return (uint8_t)(pm->s.control >> 8 * (offset - 4));
	case 8:
	case 9:
	case 10:
	case 11:
		return (uint8_t)(ticks >> 8 * (offset - 8));
	default:
		return 0;
	}
}

uint32_t svm_acpi_pm_read(struct svm_acpi_pm *pm, uint32_t offset, uint32_t size, uint64_t now)
{
	const uint32_t ticks = (uint32_t)timer_ticks(now);
	uint32_t value = 0;

	svm_acpi_pm_advance(pm, now);
	for (uint32_t i = 0; i < size && i < 4; i++)
		value |= (uint32_t)read_byte(pm, (uint64_t)offset + i, ticks) << 8 * i;
	return value;
}

/* SLP_EN reads as 0 and acts at once, on the type that is written with it (4.8.3.2.1). */
static void write_control_high(struct svm_acpi_pm *pm, uint32_t value)
{
	const uint32_t keep = pm->s.control & 0xff;

	pm->s.control = (uint16_t)(keep | (value << 8 & CONTROLS));
	if ((value << 8 & SVM_ACPI_PM_SLP_EN) &&
	    svm_bits_get(pm->s.control, SVM_ACPI_PM_SLP_TYPE) == SVM_ACPI_PM_S5)
		svm_wire_pulse(&pm->power_off);
}

static void write_byte(struct svm_acpi_pm *pm, uint64_t offset, uint8_t value)
{
	const uint32_t word = (uint32_t)value << 8 * (offset & 1);
	const uint32_t mask = UINT32_C(0xff) << 8 * (offset & 1);

	switch (offset) {
	case 0:
	case 1:
		pm->s.status &= (uint16_t)~word;
		break;
	case 2:
	case 3:
		pm->s.enable = (uint16_t)((pm->s.enable & ~mask) | (word & ENABLES));
		break;
	case 4:
		pm->s.control = (uint16_t)((pm->s.control & 0xff00) | (value & BUS_RELOAD) |
		                           SVM_ACPI_PM_SCI_EN);
		break;
	case 5:
		write_control_high(pm, value);
		break;
	default:
		break;
	}
}

void svm_acpi_pm_write(struct svm_acpi_pm *pm, uint32_t offset, uint32_t size, uint32_t value,
                       uint64_t now)
{
	look_at_timer(pm, now);
	for (uint32_t i = 0; i < size && i < 4; i++)
		write_byte(pm, (uint64_t)offset + i, (uint8_t)(value >> 8 * i));
	update_sci(pm);
}

void svm_acpi_pm_press_button(struct svm_acpi_pm *pm, uint64_t now)
{
	look_at_timer(pm, now);
	pm->s.status |= SVM_ACPI_PM_BUTTON;
	update_sci(pm);
}

uint64_t svm_acpi_pm_deadline(const struct svm_acpi_pm *pm)
{
	if (!(pm->s.enable & SVM_ACPI_PM_TIMER) || (pm->s.status & SVM_ACPI_PM_TIMER))
		return SVM_NEVER;
	return timer_when((pm->s.timer_half + 1) << TIMER_HALF);
}

void svm_acpi_pm_advance(struct svm_acpi_pm *pm, uint64_t now)
{
	look_at_timer(pm, now);
	update_sci(pm);
}

void svm_acpi_pm_save(const struct svm_acpi_pm *pm, struct svm_acpi_pm_state *state)
{
	*state = pm->s;
}

int svm_acpi_pm_restore(struct svm_acpi_pm *pm, const struct svm_acpi_pm_state *state)
{
	const struct svm_acpi_pm_state s = *state;

	if ((s.status & ~STATUSES) || (s.enable & ~ENABLES) || s.reserved ||
	    (s.control & ~(CONTROLS | SVM_ACPI_PM_SCI_EN)) || !(s.control & SVM_ACPI_PM_SCI_EN) ||
	    s.timer_half > timer_ticks(UINT64_MAX) >> TIMER_HALF)
		return SVM_ERR_INVAL;
	pm->s = s;
	update_sci(pm);
	return 0;
}
