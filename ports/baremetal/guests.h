/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file All guests. Unless it is said otherwise for the keeper only. */
#ifndef BAREMETAL_GUESTS_H
#define BAREMETAL_GUESTS_H

#include <stdbool.h>

#include <libsvm/host.h>

struct guest;

/** Run every guest that the boot loader brought; returns how often the host failed. Boot CPU. */
unsigned int guests_run(struct svm_host *host);

/** Whose frames a VM may have: FRAMES_*; FRAMES_HOST for one that is no guest's. Any CPU, A. */
uint8_t guests_owner(const struct svm_vm *vm);

/** Something has happened that whoever looks after the guests should see. Any CPU, I. */
void guests_look(void);

/** The guest of a number, counted from 0; NULL behind the last. */
struct guest *guests_at(unsigned int number);

/** The guest of a name, or NULL. */
struct guest *guests_find(const char *name);

/** Let one more be known; false: there are too many. Also before guests_run() lets any run. */
bool guests_add(struct guest *guest);

/** Where they run. */
struct svm_host *guests_host(void);

/** A guest's machine was unmade, or could not be made: are all its frames back? */
void guests_gone(struct guest *guest);

#endif
