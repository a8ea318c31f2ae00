/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SKELETON_HAL_H
#define SKELETON_HAL_H

#include <libsvm/libsvm.h>

/* The table; after your kernel knows its CPUs and the rate of the TSC. */
const struct svm_hal *hal_table(void);

/* Climbs from the conformance kit to a guest, and prints; true if it arrived. */
bool first_program(void);

/* Boots the Linux of linux_image.S; true if it switched itself off. */
bool linux_program(void);

#endif
