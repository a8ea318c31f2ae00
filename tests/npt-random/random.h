/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_NPT_RANDOM_RANDOM_H
#define TESTS_NPT_RANDOM_RANDOM_H
/*
 * The machine under test and the choices of the random test.
 */
#include "flat.h"

#include "core/memory/dirty.h"
#include "core/memory/npt.h"

#include <hosted.h>

#define CPUS       2u
#define POOL_PAGES 4096u
#define MIB2       512u /* Pages. */
#define GIB1       (MIB2 * 512u)

#define CHECK(condition) ((condition) ? (void)0 : fail(__FILE__, __LINE__, #condition))

extern struct hosted_machine *machine;
extern struct svm_vm *vm;
extern uint64_t operation; /* Number of the present one. */
/* What FRAMES slots point into: mostly blocks of 2 MiB, here and there a page of its own. */
extern svm_hpa_t frames[2 * FLAT_PAGES];

_Noreturn void fail(const char *file, int line, const char *what);

/* machine.c.  Bits of kind: 1 without 1 GiB leaves, 2 with 5 levels, 4 without large leaves. */
void make_machine(uint64_t kind);
void end_machine(void);
uint64_t count_tables(void);
/* Frames held that are not tables, reserve or logs: a constant. */
uint64_t count_rest(void);
/* Host memory that exists for a page and a number of pages, or that exists in tables only. */
svm_hpa_t draw_hpa(uint32_t page, uint32_t count);
enum svm_resolve_result resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                struct svm_resolved_page *page);
/* Give the pages of RESOLVE slots in a range other frames and rights. */
void change_backing(uint32_t first, uint32_t last);

/* draw.c */
void draw_from(uint64_t start);
uint64_t draw(uint64_t below);
bool one_in(uint64_t n);
/* Near where something happened, near a boundary of a large leaf, or anywhere. */
uint32_t draw_page(void);
/* Mostly in a slot, near its ends more often than inside; or in one that logs. */
uint32_t draw_used_page(bool logs);
uint32_t draw_count(uint32_t page);
uint32_t draw_prot(void);
/* Something happened at a page. */
void heat(uint32_t page);

#endif
