/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef NPT_H
#define NPT_H
#include <stdint.h>

/* Let the guest see a frame at a guest-physical address; root from frame_alloc(). */
void npt_map(uint64_t *root, uint64_t gpa, void *frame);

/* The frame there; NULL: none. */
void *npt_find(uint64_t *root, uint64_t gpa);

#endif
