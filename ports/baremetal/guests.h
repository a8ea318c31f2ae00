/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BAREMETAL_GUESTS_H
#define BAREMETAL_GUESTS_H

#include <libsvm/host.h>

/** Run every guest that the boot loader brought; returns how often the host failed. Boot CPU. */
unsigned int guests_run(struct svm_host *host);

/** Something has happened that whoever looks after the guests should see. Any CPU, I. */
void guests_look(void);

#endif
