/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_NPT_RANDOM_FLAT_H
#define TESTS_NPT_RANDOM_FLAT_H
/*
 * What a memory map amounts to, without slots, leaves or tables: one record for each page of a
 * window of guest-physical memory.  Slow where the library is clever, and too simple to be wrong.
 *
 * The window is 3 GiB around a boundary of 512 GiB, so that it needs two tables at each level.
 */
#include <libsvm/vm.h>

#define FLAT_PAGES (3u << 18)
#define FLAT_GPA   (UINT64_C(511) << 30)

/* What a touch of a page shall lead to. */
enum flat_verdict {
	FLAT_MAPPED,
	FLAT_ABSENT,
	FLAT_RIGHTS,
	FLAT_AGAIN,
};

struct flat_page {
	svm_hpa_t hpa;
	uint32_t slot; /* 0: none. */
	uint8_t prot;  /* Of the slot. */
	uint8_t kind;  /* enum svm_slot_kind */
	uint8_t mode;  /* enum svm_dirty_mode */
	bool dirty;    /* Written since the last fetch. */
};

/* Answer of the resolve callback. */
struct flat_backing {
	svm_hpa_t hpa;
	uint8_t prot;
	bool is_large; /* Part of 2 MiB that are one block with equal rights. */
};

extern struct flat_page flat[FLAT_PAGES];
extern struct flat_backing backing[FLAT_PAGES];

static inline svm_gpa_t flat_gpa(uint32_t page)
{
	return FLAT_GPA + ((uint64_t)page << 12);
}

/* Rights and frame of a page, whatever its kind. */
uint32_t flat_prot(uint32_t page);
svm_hpa_t flat_hpa(uint32_t page);
enum flat_verdict flat_verdict(uint32_t page, uint32_t access);

bool flat_is_free(uint32_t page, uint32_t count);
bool flat_is_covered(uint32_t page, uint32_t count);
void flat_unmap(uint32_t page, uint32_t count);
/* A number that no slot has. */
uint32_t flat_new_slot(void);
/* First page of the page's slot, and one past its last. */
uint32_t flat_slot_first(uint32_t page);
uint32_t flat_slot_end(uint32_t page);

/* Invalidations going on keep touches away from the smallest range around them all. */
void flat_invalidate(uint32_t first, uint32_t last);
void flat_invalidate_end(void);
bool flat_is_invalidating(uint32_t page);

#endif
