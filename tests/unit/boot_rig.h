/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_BOOT_RIG_H
#define TESTS_UNIT_BOOT_RIG_H
/*
 * A VM that is nothing but memory, for src/boot alone: RAM of a PC from 0 on, no memory at A0000h
 * and between 3 and 4 GiB.  It counts bytes that a write changed, so that a load which fails can be
 * shown to have changed none, and fails on request.
 */
#include <libsvm/boot.h>

#define BOOT_RIG_FILL 0xa5 /* What guest memory holds before a load. */

struct boot_rig {
	uint8_t *memory;      /* 5 GiB of address space. */
	uint64_t ram;         /* Bytes. */
	uint64_t firmware;    /* Bytes of memory below 4 GiB. */
	uint64_t changed;     /* Bytes that writes changed. */
	uint64_t writes;      /* Calls so far. */
	uint64_t fail_at;     /* From the call with this number on writes fail; 0: none. */
	svm_gpa_t absent;     /* A page that is not there; 0: none. */
	svm_gpa_t first, end; /* Of all that a write changed. */
	unsigned resets;      /* svm_vcpu_reset() calls. */
	struct svm_regs regs; /* Of the vCPU. */
	struct svm_system_regs system;
	struct svm_boot_range map[SVM_BOOT_RANGE_MAX];
	struct svm_boot_config config;
	struct svm_boot_state state;
	const char *why;
};

extern struct boot_rig rig;

/* A PC with so much RAM, all bytes BOOT_RIG_FILL where the tests look, and its map in the config.
 */
void rig_pc(uint64_t ram);
/* Load rig.config from a copy of the image that ends at an inaccessible page. */
int rig_load(const void *image, size_t size);
void rig_close(void);

uint64_t rig_get(svm_gpa_t gpa, unsigned size);
const char *rig_string(svm_gpa_t gpa);
/* Is every byte of the range this one? */
bool rig_all(svm_gpa_t gpa, uint64_t size, uint8_t byte);

/* Little-endian into a file. */
void file_put(uint8_t *file, size_t at, uint64_t value, size_t size);

#endif
