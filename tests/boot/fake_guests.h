/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Guests without machines, for tests of what is done with guests: each step that guest.c and
 * guest_cpu.c would do is written down as a letter.
 */
#ifndef FAKE_GUESTS_H
#define FAKE_GUESTS_H

#include "../../ports/baremetal/guest.h"

#define GUESTS 3

extern struct guest guest[GUESTS];
extern unsigned int guest_count;

/*
 * M make, m make that failed, S start, P park, U unpark, i pin, H halt, D unmake; of the library's
 * VM: p pause, r resume, s stop; g guests_gone().
 */
extern char steps[256];

/* What the next steps do. */
extern bool make_fails, pause_fails;
extern uint64_t free_frames;

/* The last text that configured_define() was given. */
extern char defined[2048];

/* Guests a, b and c, absent; no steps. */
void make_guests(void);

/* What was done since, and forget it. */
void expect_steps(const char *wanted);

/* It comes to an end by itself. */
void end_guest(struct guest *which, enum guest_end end, const char *text);

#endif
