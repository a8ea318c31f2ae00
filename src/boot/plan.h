/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_BOOT_PLAN_H
#define SVM_BOOT_PLAN_H
/*
 * What is to be written where.  A loader parses the image and collects pieces; only a plan without
 * objection, whose every page was found writable, is carried out.
 */
#include <libsvm/boot.h>

#include "core/core.h"

#define SVM_BOOT_PIECE_MAX 40u

#define SVM_BOOT_1M UINT64_C(0x100000)
#define SVM_BOOT_4G UINT64_C(0x100000000)

/* Guest memory that the image takes: bytes of a file first. */
struct svm_boot_piece {
	svm_gpa_t gpa;
	uint64_t size;
	const uint8_t *bytes;
	uint64_t count; /* Bytes of the file; at most size. */
	bool clear;     /* The rest is zeroed; else left as it is. */
};

/* Offsets in the block below 640 KiB, all but the first multiples of 8. */
struct svm_boot_block {
	svm_gpa_t gpa; /* Page aligned; begins with the descriptor table. */
	uint32_t tables, info, strings;
	uint32_t size;
};

struct svm_boot_plan {
	const struct svm_boot_config *config;
	struct svm_boot_state *state;
	const char *why;
	uint32_t cmdline_size; /* With its 0. */
	unsigned count;
	unsigned first_module; /* Index of its piece. */
	struct svm_boot_piece piece[SVM_BOOT_PIECE_MAX];
	struct svm_boot_block block;
};

static inline bool svm_boot_fits(uint64_t start, uint64_t length, uint64_t limit)
{
	return start <= limit && length <= limit - start;
}

/* Little-endian field; the caller has checked that the bytes are there. */
static inline uint64_t svm_boot_field(const uint8_t *bytes, unsigned size)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint64_t)bytes[i] << (8 * i);
	return value;
}

static inline void svm_boot_put(uint8_t *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

/* Bytes of a string with its 0, at most SVM_BOOT_CMDLINE_MAX + 1; NULL is "". */
uint32_t svm_boot_string_size(const char *string);

/* An error and its sentence. */
SVM_MUST_CHECK int svm_boot_refuse(struct svm_boot_plan *plan, int error, const char *why);

/* Check the configuration and begin an empty plan. */
SVM_MUST_CHECK int svm_boot_plan_init(struct svm_boot_plan *plan,
                                      const struct svm_boot_config *config,
                                      struct svm_boot_state *state);

/* Add a piece, which must lie in one range of RAM. */
SVM_MUST_CHECK int svm_boot_plan_add(struct svm_boot_plan *plan,
                                     const struct svm_boot_piece *piece);

/* Does a piece have a byte in common with the range? */
bool svm_boot_plan_overlaps(const struct svm_boot_plan *plan, svm_gpa_t gpa, uint64_t size);

/* Where size bytes of RAM from first to limit are free, aligned (a power of two). */
bool svm_boot_find_lowest(const struct svm_boot_plan *plan, uint64_t size, uint64_t align,
                          svm_gpa_t first, svm_gpa_t limit, svm_gpa_t *gpa);
bool svm_boot_find_highest(const struct svm_boot_plan *plan, uint64_t size, uint64_t align,
                           svm_gpa_t first, svm_gpa_t limit, svm_gpa_t *gpa);

/* Put the modules behind one another at the lowest free pages from 1 MiB on. */
SVM_MUST_CHECK int svm_boot_plan_modules(struct svm_boot_plan *plan);

/* Find room for the block: page tables or not, bytes of information, and the strings. */
SVM_MUST_CHECK int svm_boot_plan_block(struct svm_boot_plan *plan, bool has_tables, uint32_t info);

/* Touch every page that the plan writes; nothing changes. */
SVM_MUST_CHECK int svm_boot_plan_probe(struct svm_boot_plan *plan, struct svm_vm *vm);

/* Write the pieces. */
SVM_MUST_CHECK int svm_boot_plan_write(const struct svm_boot_plan *plan, struct svm_vm *vm);

/* Write zeros. */
SVM_MUST_CHECK int svm_boot_clear(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size);

#endif
