/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file Starting the other processors and giving them work. */
#ifndef BAREMETAL_SMP_H
#define BAREMETAL_SMP_H

#include "acpi.h"
#include "cpu.h"

/** Make the calling CPU cpus[0]. First of all that needs cpu_self(). */
bool smp_init_boot_cpu(void);

/** Start every processor of @p info; returns how many did not answer. */
uint32_t smp_start_others(const struct acpi_info *info);

/**
 * Run @p fn on a CPU and wait until it has returned; on the caller's own CPU it is a plain call.
 * Boot CPU only, interrupts on.  False: that CPU did not finish within @p timeout_ms.
 */
bool cpu_run_on(uint32_t cpu, void (*fn)(void *arg), void *arg, uint64_t timeout_ms);

/** Start @p fn on another CPU and do not wait; false: it is still busy. */
bool cpu_start_on(uint32_t cpu, void (*fn)(void *arg), void *arg);
bool cpu_is_idle(uint32_t cpu);

#endif
