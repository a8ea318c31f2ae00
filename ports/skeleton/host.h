/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the skeleton asks of a kernel.  This file is yours to replace: keep the names and give each
 * a body, inline or elsewhere, in terms of what your kernel has.  hal.c says what each must hold.
 */
#ifndef SKELETON_HOST_H
#define SKELETON_HOST_H

#include <stddef.h>
#include <stdint.h>

void *host_frames_take(size_t count, uint64_t *physical);
void host_frames_give(void *address, uint64_t physical, size_t count);
void *host_address_of(uint64_t physical);
uint32_t host_cpu(void);
uint32_t host_cpu_count(void);
void host_interrupt(uint32_t cpu);
uint64_t host_tsc_hz(void);
void host_print(const char *text);

/* For the programs alone. */
void host_timer(uint32_t milliseconds); /* an interrupt so often; 0: no longer */
void host_wait(void); /* until the next interrupt, or not at all */

#endif
