/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_PLATFORM_PIT_COUNTER_H
#define SVM_PLATFORM_PIT_COUNTER_H
/*
 * One counter of the 8254 in time: what it does in a number of ticks, and when OUT rises.  The
 * bytes that a guest reads and writes are pit.c's.
 */
#include <libsvm/platform/pit.h>

/* What a binary count of 0 means. */
#define PIT_MAX_COUNT 65536u

/* Go on to a tick; nothing happens if it is past.  The result is how often OUT rose. */
uint64_t svm_pit_counter_run(struct svm_pit_counter *c, uint64_t tick);

/* Ticks from c->tick until OUT rises if nobody interferes; 0: it will not. */
uint64_t svm_pit_counter_next_rise(const struct svm_pit_counter *c);

/* What follows is an act of the guest at c->tick. */
/* True: OUT rose. */
bool svm_pit_counter_set_mode(struct svm_pit_counter *c, uint8_t mode, bool bcd);
void svm_pit_counter_write(struct svm_pit_counter *c, uint16_t count);
void svm_pit_counter_halt(struct svm_pit_counter *c); /* The first of two bytes was written. */
void svm_pit_counter_set_gate(struct svm_pit_counter *c, bool gate);

/* The counting element as the guest reads it. */
uint16_t svm_pit_counter_value(const struct svm_pit_counter *c);

#endif
