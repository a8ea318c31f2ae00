/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file The local APIC, by MSRs (x2APIC) or memory (xAPIC), as the processor offers. */
#ifndef BAREMETAL_APIC_H
#define BAREMETAL_APIC_H

#include <stdbool.h>
#include <stdint.h>

/** Choose the access mode and mask the PIC. Boot CPU, once, after paging_init(). */
bool apic_init(bool forbid_x2apic);
/** Turn on the calling CPU's local APIC. */
void apic_enable(void);
bool apic_is_x2apic(void);
uint32_t apic_id(void);
void apic_eoi(void);

/** Send a fixed interrupt. Any context; may be repeated. */
void apic_send_fixed(uint32_t apic_id, uint8_t vector);
void apic_send_nmi(uint32_t apic_id);
void apic_send_init(uint32_t apic_id);
/** Start at real-mode address @p page << 12. */
void apic_send_startup(uint32_t apic_id, uint8_t page);

/** Timer: counts per second at the divider used here, as time_init() measured them. */
void apic_timer_set_frequency(uint64_t hz);
/** One-shot mode on the calling CPU, for apic_timer_once(). */
void apic_timer_start(void);
/** One interrupt on the calling CPU, @p ns from now or, if that is far, earlier. */
void apic_timer_once(uint64_t ns);
void apic_timer_stop(void);
/** For calibration: count down from the top, interrupts masked. */
void apic_timer_free_run(void);
uint32_t apic_timer_read(void);

#endif
