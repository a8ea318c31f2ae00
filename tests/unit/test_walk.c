/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest's page walk: rows from the manual (APM vol. 2, chapter 5; error codes 8.4.2), then
 * random tables against a second walk that is written mode by mode.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emulate/walk.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* --- guest memory: eight pages; everything else is not there --- */

#define MEMORY_SIZE 0x8000u
#define NOT_THERE   (-7)
#define READ_ONLY   (-9)

static uint8_t ram[MEMORY_SIZE];
static unsigned reads, exchanges;
static unsigned interferences; /* Exchanges that another processor beats. */
static bool ram_is_read_only;

static int ram_read(void *arg, uint64_t gpa, unsigned size, uint64_t *entry)
{
	if (arg != ram || (size != 4 && size != 8) || gpa % size)
		abort();
	reads++;
	if (gpa >= MEMORY_SIZE)
		return NOT_THERE;
	*entry = 0;
	memcpy(entry, ram + gpa, size);
	return 0;
}

static int ram_exchange(void *arg, uint64_t gpa, unsigned size, uint64_t expected, uint64_t desired,
                        bool *stored)
{
	uint64_t now = 0;

	exchanges++;
	if (ram_read(arg, gpa, size, &now))
		abort();
	if (ram_is_read_only)
		return READ_ONLY;
	if (interferences) {
		interferences--;
		now ^= 0x200; /* A bit for software. */
		memcpy(ram + gpa, &now, size);
	}
	*stored = now == expected;
	if (*stored)
		memcpy(ram + gpa, &desired, size);
	return 0;
}

static const struct svm_walk_memory memory = { ram, ram_read, ram_exchange };

static void put(uint64_t gpa, unsigned size, uint64_t value)
{
	if (gpa + size > MEMORY_SIZE)
		abort();
	memcpy(ram + gpa, &value, size);
}

static uint64_t get(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, ram + gpa, size);
	return value;
}

/* --- modes, each with one linear address that uses another index at each level --- */

#define PE   0x00000001ull
#define WP   0x00010000ull
#define PG   0x80000000ull
#define PSE  0x00000010ull
#define PAE  0x00000020ull
#define LA57 0x00001000ull
#define SMEP 0x00100000ull
#define SMAP 0x00200000ull
#define PKE  0x00400000ull
#define LMA  0x00000400ull
#define NXE  0x00000800ull
#define AC   0x00040000ull

enum mode { OFF, LEGACY, PAE3, LONG4, LONG5, MODES };

static const struct {
	uint64_t cr0, cr3, cr4, efer;
	uint64_t linear;
	unsigned size, levels;
	uint64_t entry[5]; /* Of level 1, 2, ... */
} modes[MODES] = {
	[OFF] = { PE, 0, 0, 0, 0x12345678, 0, 0, { 0 } },
	/* Indices 4 and 3. */
	[LEGACY] = { PE | PG, 0x1018, PSE, 0, 0x00c04005, 4, 2, { 0x2010, 0x100c } },
	/* 4, 3, 2; CR3 need be aligned to 32 bytes only. */
	[PAE3] = { PE | PG, 0x1038, PAE, NXE, 0x80604005, 8, 3, { 0x3020, 0x2018, 0x1030 } },
	/* 4, 3, 2, 1; CR3's low bits hold PWT, PCD or a PCID. */
	[LONG4] = { PE | PG,
	            0x1fff,
	            PAE,
	            LMA | NXE,
	            0x0000008080604005,
	            8,
	            4,
	            { 0x4020, 0x3018, 0x2010, 0x1008 } },
	/* 4, 3, 2, 1, 1A0h, a negative address. */
	[LONG5] = { PE | PG,
	            0x1000,
	            PAE | LA57,
	            LMA | NXE,
	            0xffa0008080604005,
	            8,
	            5,
	            { 0x5020, 0x4018, 0x3010, 0x2008, 0x1d00 } },
};

#define W  SVM_WALK_WRITE
#define X  SVM_WALK_EXECUTE
#define U  SVM_WALK_USER
#define IM SVM_WALK_IMPLICIT
#define AD SVM_WALK_SET_AD

#define NX (1ull << 63)

/* A chain of entries with all rights that ends at A5000h, then the row's changes. */
static struct svm_walk_state state;

static void begin(enum mode mode)
{
	memset(ram, 0, sizeof(ram));
	reads = exchanges = interferences = 0;
	ram_is_read_only = false;
	memset(&state, 0, sizeof(state));
	state.cr0 = modes[mode].cr0;
	state.cr3 = modes[mode].cr3;
	state.cr4 = modes[mode].cr4;
	state.efer = modes[mode].efer;
	state.physical_bits = 40;
	state.page_1g = true;
	for (unsigned level = modes[mode].levels; level >= 1; level--) {
		const uint64_t next =
			level == 1 ? 0xa5000 : (modes[mode].entry[level - 2] & ~0xfffull);
		const bool is_pdpte = mode == PAE3 && level == 3;

		put(modes[mode].entry[level - 1], modes[mode].size, next | (is_pdpte ? 1 : 7));
	}
}

static const struct {
	const char *what;
	enum mode mode;
	/* Entry of this level (0: none) is replaced. */
	unsigned changed;
	uint64_t value;
	unsigned flags;
	uint8_t cpl;
	uint64_t cr0, cr4, efer, rflags; /* Toggled. */
	uint32_t pkru;
	/* Outcome. */
	enum svm_walk_status status;
	uint64_t gpa_or_error;
	unsigned level;
	enum svm_walk_reason reason;
} rows[] = {
#define OK_AT(gpa, level)        SVM_WALK_OK, (gpa), (level), SVM_WALK_REASON_NONE
#define PF(error, level, reason) SVM_WALK_PAGE_FAULT, (error), (level), SVM_WALK_REASON_##reason
	{ "no paging", OFF, 0, 0, W, 3, 0, 0, 0, 0, 0, OK_AT(0x12345678, 0) },
	{ "legacy", LEGACY, 0, 0, W, 3, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "PAE", PAE3, 0, 0, W, 3, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "4 levels", LONG4, 0, 0, W, 3, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "5 levels", LONG5, 0, 0, W, 3, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "paged real mode", LEGACY, 0, 0, W, 0, PE, 0, 0, 0, 0, OK_AT(0xa5005, 1) },

	/* Large pages. */
	{ "4 MiB", LEGACY, 2, 0x00800087, 0, 3, 0, 0, 0, 0, 0, OK_AT(0x804005, 2) },
	{ "4 MiB without PSE is a table at 800000h", LEGACY, 2, 0x00002087, 0, 3, 0, PSE, 0, 0, 0,
	  OK_AT(0xa5005, 1) },
	{ "4 MiB: address bits 39:32 in 20:13", LEGACY, 2, 0x0081e087, 0, 3, 0, 0, 0, 0, 0,
	  OK_AT(0xf00804005, 2) },
	{ "4 MiB: PAT is no address bit", LEGACY, 2, 0x00801087, 0, 3, 0, 0, 0, 0, 0,
	  OK_AT(0x804005, 2) },
	{ "4 MiB: bit 21 is reserved", LEGACY, 2, 0x00a00087, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x0d, 2, RESERVED) },
	{ "2 MiB in PAE", PAE3, 2, 0x00800087, 0, 3, 0, 0, 0, 0, 0, OK_AT(0x804005, 2) },
	{ "2 MiB in PAE, whatever PSE", PAE3, 2, 0x00800087, 0, 3, 0, PSE, 0, 0, 0,
	  OK_AT(0x804005, 2) },
	{ "2 MiB in PAE: bit 13 is reserved", PAE3, 2, 0x00802087, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x0d, 2, RESERVED) },
	{ "2 MiB in long mode", LONG4, 2, 0x00800087, 0, 3, 0, 0, 0, 0, 0, OK_AT(0x804005, 2) },
	{ "2 MiB with PAT", LONG4, 2, 0x00801087, 0, 3, 0, 0, 0, 0, 0, OK_AT(0x804005, 2) },
	{ "2 MiB: bit 20 is reserved", LONG4, 2, 0x00900087, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x0d, 2, RESERVED) },
	{ "1 GiB", LONG4, 3, 0x40000087, 0, 3, 0, 0, 0, 0, 0, OK_AT(0x40604005, 3) },
	{ "1 GiB: bit 29 is reserved", LONG4, 3, 0x60000087, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x0d, 3, RESERVED) },
	{ "1 GiB with 5 levels", LONG5, 3, 0x40000087, 0, 3, 0, 0, 0, 0, 0, OK_AT(0x40604005, 3) },
	{ "no 512 GiB pages", LONG4, 4, 0x00002087, 0, 3, 0, 0, 0, 0, 0, PF(0x0d, 4, RESERVED) },
	{ "bit 7 of the fifth level", LONG5, 5, 0x00002087, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x0d, 5, RESERVED) },

	/* Presence comes before reserved bits, and both before rights. */
	{ "absent leaf, user write", LONG4, 1, 0x000a5006, W, 3, 0, 0, 0, 0, 0,
	  PF(0x06, 1, NOT_PRESENT) },
	{ "absent leaf, supervisor read", LONG4, 1, 0, 0, 0, 0, 0, 0, 0, 0,
	  PF(0x00, 1, NOT_PRESENT) },
	{ "absent leaf, fetch", LONG4, 1, 0, X, 3, 0, 0, 0, 0, 0, PF(0x14, 1, NOT_PRESENT) },
	{ "absent with reserved bits", LONG4, 1, ~1ull, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x04, 1, NOT_PRESENT) },
	{ "absent table under a forbidding one", LONG4, 2, 0, W, 3, 0, 0, 0, 0, 0,
	  PF(0x06, 2, NOT_PRESENT) },
	{ "absent directory, legacy", LEGACY, 2, 0, W, 0, 0, 0, 0, 0, 0, PF(0x02, 2, NOT_PRESENT) },
	{ "absent pointer, PAE", PAE3, 3, 0, 0, 0, 0, 0, 0, 0, 0, PF(0x00, 3, NOT_PRESENT) },
	{ "absent fifth level", LONG5, 5, 0, 0, 0, 0, 0, 0, 0, 0, PF(0x00, 5, NOT_PRESENT) },
	{ "a reserved bit beats a missing right", LONG4, 1, 0x00010000000a5001, W, 3, 0, 0, 0, 0, 0,
	  PF(0x0f, 1, RESERVED) },

	/* Reserved bits. */
	{ "the bit at MAXPHYADDR", LONG4, 1, 0x00000100000a5007, 0, 0, 0, 0, 0, 0, 0,
	  PF(0x09, 1, RESERVED) },
	{ "the bit below MAXPHYADDR", LONG4, 1, 0x00000080000a5007, 0, 0, 0, 0, 0, 0, 0,
	  OK_AT(0x80000a5005, 1) },
	{ "bit 51", LONG4, 4, 0x0008000000002007, 0, 0, 0, 0, 0, 0, 0, PF(0x09, 4, RESERVED) },
	{ "bits 62:52 are software's in long mode", LONG4, 1, 0x7ff00000000a5007, 0, 3, 0, 0, 0, 0,
	  0, OK_AT(0xa5005, 1) },
	{ "bit 52 is reserved in PAE", PAE3, 1, 0x00100000000a5007, 0, 0, 0, 0, 0, 0, 0,
	  PF(0x09, 1, RESERVED) },
	{ "bit 62 is reserved in PAE", PAE3, 2, 0x4000000000003007, 0, 0, 0, 0, 0, 0, 0,
	  PF(0x09, 2, RESERVED) },
	{ "NX without NXE", LONG4, 1, NX | 0xa5007, 0, 0, 0, 0, NXE, 0, 0, PF(0x09, 1, RESERVED) },
	{ "NX without NXE, PAE", PAE3, 2, NX | 0x3007, 0, 0, 0, 0, NXE, 0, 0,
	  PF(0x09, 2, RESERVED) },
	{ "NX of a PAE pointer", PAE3, 3, NX | 0x2001, 0, 0, 0, 0, 0, 0, 0, PF(0x09, 3, RESERVED) },
	{ "R/W of a PAE pointer", PAE3, 3, 0x2003, 0, 0, 0, 0, 0, 0, 0, PF(0x09, 3, RESERVED) },
	{ "bit 8 of a PAE pointer", PAE3, 3, 0x2101, 0, 0, 0, 0, 0, 0, 0, PF(0x09, 3, RESERVED) },
	{ "PCD and PWT of a PAE pointer", PAE3, 3, 0x2e19, 0, 0, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "bit 5 of a PAE pointer is forgiven", PAE3, 3, 0x2021, 0, 0, 0, 0, 0, 0, 0,
	  OK_AT(0xa5005, 1) },
	{ "G of a fourth level entry", LONG4, 4, 0x2107, 0, 0, 0, 0, 0, 0, 0,
	  PF(0x09, 4, RESERVED) },
	{ "G of a third level table", LONG4, 3, 0x3107, 0, 0, 0, 0, 0, 0, 0,
	  PF(0x09, 3, RESERVED) },
	{ "G of a second level table is ignored", LONG4, 2, 0x4107, 0, 0, 0, 0, 0, 0, 0,
	  OK_AT(0xa5005, 1) },
	{ "D of a table is ignored", LONG4, 4, 0x2047, 0, 0, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "PAT and G of a leaf", LONG4, 1, 0xa5187, 0, 0, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },

	/* Rights: the product over all levels. */
	{ "user reads a supervisor page", LONG4, 1, 0xa5003, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x05, 1, SUPERVISOR) },
	{ "user reads under a supervisor table", LONG4, 4, 0x2003, 0, 3, 0, 0, 0, 0, 0,
	  PF(0x05, 4, SUPERVISOR) },
	{ "CPL 2 is supervisor", LONG4, 1, 0xa5003, W, 2, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "the USER flag at CPL 0", LONG4, 1, 0xa5003, U, 0, 0, 0, 0, 0, 0,
	  PF(0x05, 1, SUPERVISOR) },
	{ "an implicit access at CPL 3", LONG4, 1, 0xa5003, IM, 3, 0, 0, 0, 0, 0,
	  OK_AT(0xa5005, 1) },
	{ "an implicit write at CPL 3 under WP", LONG4, 1, 0xa5001, IM | W, 3, WP, 0, 0, 0, 0,
	  PF(0x03, 1, READ_ONLY) },
	{ "user writes a read-only page", LONG4, 1, 0xa5005, W, 3, 0, 0, 0, 0, 0,
	  PF(0x07, 1, READ_ONLY) },
	{ "user writes under a read-only table", LONG4, 2, 0x4005, W, 3, 0, 0, 0, 0, 0,
	  PF(0x07, 2, READ_ONLY) },
	{ "supervisor writes a read-only page, WP = 0", LONG4, 1, 0xa5001, W, 0, 0, 0, 0, 0, 0,
	  OK_AT(0xa5005, 1) },
	{ "supervisor writes a read-only page, WP = 1", LONG4, 1, 0xa5001, W, 0, WP, 0, 0, 0, 0,
	  PF(0x03, 1, READ_ONLY) },
	{ "user reads a read-only page", LONG4, 1, 0xa5005, 0, 3, WP, 0, 0, 0, 0,
	  OK_AT(0xa5005, 1) },
	{ "read-only 4 MiB page", LEGACY, 2, 0x00800085, W, 3, 0, 0, 0, 0, 0,
	  PF(0x07, 2, READ_ONLY) },
	{ "fetch from an NX page", LONG4, 1, NX | 0xa5007, X, 3, 0, 0, 0, 0, 0,
	  PF(0x15, 1, NO_EXECUTE) },
	{ "fetch under an NX table", LONG4, 3, NX | 0x3007, X, 0, 0, 0, 0, 0, 0,
	  PF(0x11, 3, NO_EXECUTE) },
	{ "read of an NX page", LONG4, 1, NX | 0xa5007, 0, 3, 0, 0, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "fetch from an NX page, PAE", PAE3, 1, NX | 0xa5007, X, 0, 0, 0, 0, 0, 0,
	  PF(0x11, 1, NO_EXECUTE) },
	{ "a fetch is not told apart without NXE", LONG4, 1, 0xa5003, X, 3, 0, 0, NXE, 0, 0,
	  PF(0x05, 1, SUPERVISOR) },
	{ "a fetch is not told apart in legacy mode", LEGACY, 1, 0xa5003, X, 3, 0, 0, NXE, 0, 0,
	  PF(0x05, 1, SUPERVISOR) },
	{ "a fetch is told apart with SMEP", LEGACY, 1, 0xa5003, X, 3, 0, SMEP, 0, 0, 0,
	  PF(0x15, 1, SUPERVISOR) },

	/* SMEP and SMAP. */
	{ "SMEP: supervisor fetches from a user page", LONG4, 0, 0, X, 0, 0, SMEP, 0, 0, 0,
	  PF(0x11, 1, SMEP) },
	{ "SMEP: a page is a user's only if all levels say so", LONG4, 3, 0x3003, X, 0, 0, SMEP, 0,
	  0, 0, OK_AT(0xa5005, 1) },
	{ "SMEP: user fetches", LONG4, 0, 0, X, 3, 0, SMEP, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "SMEP: supervisor reads", LONG4, 0, 0, 0, 0, 0, SMEP, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "SMEP in PAE", PAE3, 0, 0, X, 0, 0, SMEP, 0, 0, 0, PF(0x11, 1, SMEP) },
	{ "SMAP: supervisor reads a user page", LONG4, 0, 0, 0, 0, 0, SMAP, 0, 0, 0,
	  PF(0x01, 1, SMAP) },
	{ "SMAP: supervisor writes a user page, WP = 0", LONG4, 0, 0, W, 0, 0, SMAP, 0, 0, 0,
	  PF(0x03, 1, SMAP) },
	{ "SMAP: with AC", LONG4, 0, 0, W, 0, 0, SMAP, 0, AC, 0, OK_AT(0xa5005, 1) },
	{ "SMAP: implicit, AC does not count", LONG4, 0, 0, IM, 0, 0, SMAP, 0, AC, 0,
	  PF(0x01, 1, SMAP) },
	{ "SMAP: implicit at CPL 3", LONG4, 0, 0, IM, 3, 0, SMAP, 0, AC, 0, PF(0x01, 1, SMAP) },
	{ "SMAP: user reads", LONG4, 0, 0, 0, 3, 0, SMAP, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "SMAP: supervisor fetches", LONG4, 0, 0, X, 0, 0, SMAP, 0, 0, 0, OK_AT(0xa5005, 1) },
	{ "SMAP in legacy mode", LEGACY, 0, 0, 0, 0, 0, SMAP, 0, 0, 0, PF(0x01, 1, SMAP) },

	/* Protection keys: key 5 in bits 62:59, its pair at 11:10 of PKRU. */
	{ "key 5, AD: user reads", LONG4, 1, 0x28000000000a5007, 0, 3, 0, PKE, 0, 0, 0x400,
	  PF(0x25, 1, PROTECTION_KEY) },
	{ "key 5, AD: supervisor reads", LONG4, 1, 0x28000000000a5007, 0, 0, 0, PKE, 0, 0, 0x400,
	  PF(0x21, 1, PROTECTION_KEY) },
	{ "key 5, AD: fetch", LONG4, 1, 0x28000000000a5007, X, 3, 0, PKE, 0, 0, 0x400,
	  OK_AT(0xa5005, 1) },
	{ "key 5, AD: supervisor page", LONG4, 1, 0x28000000000a5003, 0, 0, 0, PKE, 0, 0, 0x400,
	  OK_AT(0xa5005, 1) },
	{ "key 5, WD: user writes", LONG4, 1, 0x28000000000a5007, W, 3, 0, PKE, 0, 0, 0x800,
	  PF(0x27, 1, PROTECTION_KEY) },
	{ "key 5, WD: user reads", LONG4, 1, 0x28000000000a5007, 0, 3, 0, PKE, 0, 0, 0x800,
	  OK_AT(0xa5005, 1) },
	{ "key 5, WD: supervisor writes, WP = 0", LONG4, 1, 0x28000000000a5007, W, 0, 0, PKE, 0, 0,
	  0x800, OK_AT(0xa5005, 1) },
	{ "key 5, WD: supervisor writes, WP = 1", LONG4, 1, 0x28000000000a5007, W, 0, WP, PKE, 0, 0,
	  0x800, PF(0x23, 1, PROTECTION_KEY) },
	{ "key 5 without PKE", LONG4, 1, 0x28000000000a5007, W, 3, 0, 0, 0, 0, ~0u,
	  OK_AT(0xa5005, 1) },
	{ "another key", LONG4, 1, 0x30000000000a5007, W, 3, 0, PKE, 0, 0, 0xc00,
	  OK_AT(0xa5005, 1) },
	{ "key 15", LONG4, 1, 0x78000000000a5007, 0, 3, 0, PKE, 0, 0, 0x40000000,
	  PF(0x25, 1, PROTECTION_KEY) },
	{ "a key beside a read-only page", LONG4, 1, 0x28000000000a5005, W, 3, 0, PKE, 0, 0, 0xc00,
	  PF(0x27, 1, READ_ONLY) },
	{ "a key of a 2 MiB page", LONG4, 2, 0x2800000000800087, W, 3, 0, PKE, 0, 0, 0x400,
	  PF(0x27, 2, PROTECTION_KEY) },

	/* Tables that are not there. */
	{ "a table outside memory", LONG4, 2, 0x9007, 0, 3, 0, 0, 0, 0, 0, SVM_WALK_MEMORY, 0, 1,
	  SVM_WALK_REASON_NONE },
};

START_TEST(the_walk_follows_the_manual)
{
	const enum mode mode = rows[_i].mode;
	struct svm_walk_result result;
	enum svm_walk_status status;

	begin(mode);
	if (rows[_i].changed)
		put(modes[mode].entry[rows[_i].changed - 1], modes[mode].size, rows[_i].value);
	state.cr0 ^= rows[_i].cr0;
	state.cr4 ^= rows[_i].cr4;
	state.efer ^= rows[_i].efer;
	state.rflags ^= rows[_i].rflags;
	state.pkru = rows[_i].pkru;
	state.cpl = rows[_i].cpl;
	memset(&result, 0xa5, sizeof(result));
	status = svm_walk(&state, &memory, modes[mode].linear, rows[_i].flags, &result);

	ck_assert_msg(status == rows[_i].status, "%s: status %d, reason %u", rows[_i].what,
	              (int)status, result.reason);
	ck_assert_msg(result.level == rows[_i].level, "%s: level %u", rows[_i].what, result.level);
	ck_assert_msg(result.reason == rows[_i].reason, "%s: reason %u", rows[_i].what,
	              result.reason);
	if (status == SVM_WALK_OK)
		ck_assert_msg(result.gpa == rows[_i].gpa_or_error, "%s: gpa %#llx", rows[_i].what,
		              (unsigned long long)result.gpa);
	if (status == SVM_WALK_PAGE_FAULT)
		ck_assert_msg(result.error_code == rows[_i].gpa_or_error, "%s: error %#x",
		              rows[_i].what, result.error_code);
	if (status == SVM_WALK_MEMORY)
		ck_assert_int_eq(result.memory_error, NOT_THERE);
	if (result.level && status != SVM_WALK_MEMORY) {
		ck_assert_uint_eq(result.entry_gpa, modes[mode].entry[result.level - 1]);
		ck_assert_uint_eq(result.entry, get(result.entry_gpa, modes[mode].size));
	}
	ck_assert_uint_eq(exchanges, 0);
	ck_assert_uint_le(reads, 5);
}
END_TEST

/* Each address bit's fate by mode. */
static const struct {
	const char *what;
	enum mode mode;
	uint64_t linear;
	enum svm_walk_status status;
} address_rows[] = {
	{ "below the hole, 48 bits", LONG4, 0x00007fffffffffff, SVM_WALK_PAGE_FAULT },
	{ "first of the hole, 48 bits", LONG4, 0x0000800000000000, SVM_WALK_NON_CANONICAL },
	{ "last of the hole, 48 bits", LONG4, 0xffff7fffffffffff, SVM_WALK_NON_CANONICAL },
	{ "above the hole, 48 bits", LONG4, 0xffff800000000000, SVM_WALK_PAGE_FAULT },
	{ "below the hole, 57 bits", LONG5, 0x00ffffffffffffff, SVM_WALK_PAGE_FAULT },
	{ "first of the hole, 57 bits", LONG5, 0x0100000000000000, SVM_WALK_NON_CANONICAL },
	{ "last of the hole, 57 bits", LONG5, 0xfeffffffffffffff, SVM_WALK_NON_CANONICAL },
	{ "above the hole, 57 bits", LONG5, 0xff00000000000000, SVM_WALK_PAGE_FAULT },
	{ "bit 32 does not count in PAE", PAE3, 0xffffffff80604005, SVM_WALK_OK },
	{ "bit 32 does not count in legacy mode", LEGACY, 0x100c04005, SVM_WALK_OK },
	{ "bit 32 does not count without paging", OFF, 0x112345678, SVM_WALK_OK },
};

START_TEST(addresses_are_canonical_or_cut)
{
	struct svm_walk_result result;

	begin(address_rows[_i].mode);
	ck_assert_msg(svm_walk(&state, &memory, address_rows[_i].linear, 0, &result) ==
	                      address_rows[_i].status,
	              "%s", address_rows[_i].what);
	if (address_rows[_i].status == SVM_WALK_OK)
		ck_assert_uint_eq(result.gpa, address_rows[_i].mode == OFF ? 0x12345678 : 0xa5005);
	if (address_rows[_i].status == SVM_WALK_NON_CANONICAL)
		ck_assert_uint_eq(reads, 0);
}
END_TEST

START_TEST(page_sizes_are_reported)
{
	struct svm_walk_result result;

	begin(LONG4);
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, 0, &result), 0);
	ck_assert_uint_eq(result.page_size, 0x1000);
	put(0x3018, 8, 0x00800087);
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, 0, &result), 0);
	ck_assert_uint_eq(result.page_size, 0x200000);
	put(0x2010, 8, 0x40000087);
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, 0, &result), 0);
	ck_assert_uint_eq(result.page_size, 0x40000000);
	state.page_1g = false;
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, 0, &result),
	                 (int)SVM_WALK_PAGE_FAULT);
	ck_assert_uint_eq(result.reason, SVM_WALK_REASON_RESERVED);
	begin(LEGACY);
	put(0x100c, 4, 0x00800087);
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LEGACY].linear, 0, &result), 0);
	ck_assert_uint_eq(result.page_size, 0x400000);
}
END_TEST

/* MAXPHYADDR below 40 makes the upper PSE-36 bits reserved. */
START_TEST(a_4_mib_page_ends_at_maxphyaddr)
{
	struct svm_walk_result result;

	begin(LEGACY);
	put(0x100c, 4, 0x00820087); /* Bit 17 is address bit 36. */
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LEGACY].linear, 0, &result), 0);
	ck_assert_uint_eq(result.gpa, 0x1000804005);
	state.physical_bits = 37;
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LEGACY].linear, 0, &result), 0);
	state.physical_bits = 36;
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LEGACY].linear, 0, &result),
	                 (int)SVM_WALK_PAGE_FAULT);
	state.physical_bits = 32;
	put(0x100c, 4, 0x00802087);
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LEGACY].linear, 0, &result),
	                 (int)SVM_WALK_PAGE_FAULT);
}
END_TEST

START_TEST(accessed_and_dirty_are_set_where_the_manual_says)
{
	struct svm_walk_result result;

	for (int mode = LEGACY; mode < MODES; mode++) {
		for (int is_write = 0; is_write < 2; is_write++) {
			begin((enum mode)mode);
			ck_assert_int_eq((int)svm_walk(&state, &memory, modes[mode].linear,
			                               AD | (is_write ? W : 0u), &result),
			                 0);
			for (unsigned level = 1; level <= modes[mode].levels; level++) {
				const uint64_t marks =
					get(modes[mode].entry[level - 1], modes[mode].size) & 0x60;
				const bool is_pdpte = mode == PAE3 && level == 3;

				ck_assert_uint_eq(marks, is_pdpte                 ? 0u
				                         : level == 1 && is_write ? 0x60u
				                                                  : 0x20u);
			}
			/* A second time there is nothing to set. */
			exchanges = 0;
			ck_assert_int_eq((int)svm_walk(&state, &memory, modes[mode].linear,
			                               AD | (is_write ? W : 0u), &result),
			                 0);
			ck_assert_uint_eq(exchanges, 0);
		}
	}
}
END_TEST

START_TEST(a_fault_leaves_no_mark)
{
	struct svm_walk_result result;

	begin(LONG4);
	put(0x4020, 8, 0xa5005);
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, AD | W | U, &result),
	                 (int)SVM_WALK_PAGE_FAULT);
	ck_assert_uint_eq(exchanges, 0);
}
END_TEST

START_TEST(a_changed_entry_is_walked_again_and_an_endless_change_is_not)
{
	struct svm_walk_result result;

	begin(LONG4);
	interferences = 3;
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, AD | W, &result), 0);
	ck_assert_uint_eq(result.gpa, 0xa5005);
	ck_assert_uint_eq(get(0x4020, 8) & 0x60, 0x60);

	begin(LONG4);
	interferences = 1000000;
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, AD | W, &result),
	                 (int)SVM_WALK_RETRY);
	ck_assert_uint_le(exchanges, 4);
}
END_TEST

START_TEST(a_table_that_cannot_be_written_ends_the_walk)
{
	struct svm_walk_result result;

	begin(LONG4);
	ram_is_read_only = true;
	ck_assert_int_eq((int)svm_walk(&state, &memory, modes[LONG4].linear, AD, &result),
	                 (int)SVM_WALK_MEMORY);
	ck_assert_int_eq(result.memory_error, READ_ONLY);
	ck_assert_uint_eq(result.entry_gpa, 0x1008);
	ck_assert_uint_eq(result.level, 4);
}
END_TEST

START_TEST(reasons_have_sentences)
{
	for (unsigned i = 0; i <= SVM_WALK_REASON_PROTECTION_KEY; i++)
		ck_assert_uint_gt(strlen(svm_walk_reason_text(i)), 5);
	ck_assert_str_eq(svm_walk_reason_text(SVM_WALK_REASON_PROTECTION_KEY + 1), "?");
}
END_TEST

/* --- the second walk: straight from the figures, one function for each mode --- */

struct outcome {
	enum svm_walk_status status;
	uint64_t gpa;
	uint32_t error;
};

static uint64_t field(uint64_t value, unsigned high, unsigned low)
{
	return value << (63 - high) >> (63 - high + low);
}

static bool load(uint64_t gpa, unsigned size, uint64_t *entry)
{
	*entry = 0;
	if (gpa >= MEMORY_SIZE)
		return false;
	memcpy(entry, ram + gpa, size);
	return true;
}

/* Any address bit from the guest's MAXPHYADDR to 51? */
static bool beyond(uint64_t entry)
{
	return state.physical_bits < 52 && field(entry, 51, state.physical_bits);
}

static uint32_t base_error(unsigned flags, bool user)
{
	const bool nxe = (state.efer & NXE) && (state.cr4 & PAE);

	return (flags & W ? 2u : 0u) | (user ? 4u : 0u) |
	       ((flags & X) && (nxe || (state.cr4 & SMEP)) ? 16u : 0u);
}

static struct outcome model_rights(unsigned flags, bool user, bool rw, bool us, bool nx,
                                   unsigned key, bool keys, uint64_t gpa)
{
	bool denied = false, by_key = false;

	if (user && !us)
		denied = true;
	if ((flags & W) && !rw && (user || (state.cr0 & WP)))
		denied = true;
	if ((flags & X) && nx && (state.efer & NXE))
		denied = true;
	if ((flags & X) && !user && us && (state.cr4 & SMEP))
		denied = true;
	if (!(flags & X) && !user && us && (state.cr4 & SMAP) &&
	    ((flags & IM) || !(state.rflags & AC)))
		denied = true;
	if (keys && us && !(flags & X) && (state.cr4 & PKE)) {
		const bool ad = state.pkru >> (key * 2) & 1, wd = state.pkru >> (key * 2 + 1) & 1;

		by_key = ad || (wd && (flags & W) && (user || (state.cr0 & WP)));
	}
	if (denied || by_key)
		return (struct outcome){ SVM_WALK_PAGE_FAULT, 0,
			                 base_error(flags, user) | 1u | (by_key ? 32u : 0u) };
	return (struct outcome){ SVM_WALK_OK, gpa, 0 };
}

#define ABSENT                                                                                     \
	(struct outcome)                                                                           \
	{                                                                                          \
		SVM_WALK_PAGE_FAULT, 0, base_error(flags, user)                                    \
	}
#define RSVD                                                                                       \
	(struct outcome)                                                                           \
	{                                                                                          \
		SVM_WALK_PAGE_FAULT, 0, base_error(flags, user) | 9u                               \
	}
#define MISSING                                                                                    \
	(struct outcome)                                                                           \
	{                                                                                          \
		SVM_WALK_MEMORY, 0, 0                                                              \
	}

static struct outcome model_legacy(uint64_t va, unsigned flags, bool user)
{
	uint64_t pde, pte;

	if (!load((state.cr3 & 0xfffff000) + field(va, 31, 22) * 4, 4, &pde))
		return MISSING;
	if (!(pde & 1))
		return ABSENT;
	if ((pde & 0x80) && (state.cr4 & PSE)) {
		const uint64_t high = field(pde, 20, 13);

		if (field(pde, 21, 21) ||
		    (state.physical_bits < 40 && high >> (state.physical_bits - 32)))
			return RSVD;
		return model_rights(flags, user, pde & 2, pde & 4, false, 0, false,
		                    high << 32 | field(pde, 31, 22) << 22 | field(va, 21, 0));
	}
	if (!load((pde & 0xfffff000) + field(va, 21, 12) * 4, 4, &pte))
		return MISSING;
	if (!(pte & 1))
		return ABSENT;
	return model_rights(flags, user, pde & pte & 2, pde & pte & 4, false, 0, false,
	                    (pte & 0xfffff000) | field(va, 11, 0));
}

static struct outcome model_pae(uint64_t va, unsigned flags, bool user)
{
	const bool nxe = state.efer & NXE;
	uint64_t pdpe, pde, pte;

	if (!load((state.cr3 & 0xffffffe0) + field(va, 31, 30) * 8, 8, &pdpe))
		return MISSING;
	if (!(pdpe & 1))
		return ABSENT;
	if (field(pdpe, 63, 52) || beyond(pdpe) || field(pdpe, 8, 6) || field(pdpe, 2, 1))
		return RSVD;
	if (!load((field(pdpe, 51, 12) << 12) + field(va, 29, 21) * 8, 8, &pde))
		return MISSING;
	if (!(pde & 1))
		return ABSENT;
	if (field(pde, 62, 52) || beyond(pde) || (!nxe && (pde & NX)))
		return RSVD;
	if (pde & 0x80) {
		if (field(pde, 20, 13))
			return RSVD;
		return model_rights(flags, user, pde & 2, pde & 4, pde & NX, 0, false,
		                    field(pde, 51, 21) << 21 | field(va, 20, 0));
	}
	if (!load((field(pde, 51, 12) << 12) + field(va, 20, 12) * 8, 8, &pte))
		return MISSING;
	if (!(pte & 1))
		return ABSENT;
	if (field(pte, 62, 52) || beyond(pte) || (!nxe && (pte & NX)))
		return RSVD;
	return model_rights(flags, user, pde & pte & 2, pde & pte & 4, (pde | pte) & NX, 0, false,
	                    field(pte, 51, 12) << 12 | field(va, 11, 0));
}

static struct outcome model_long(uint64_t va, unsigned flags, bool user)
{
	const bool nxe = state.efer & NXE, five = state.cr4 & LA57;
	const int64_t sign = five ? (int64_t)(va << 7) >> 7 : (int64_t)(va << 16) >> 16;
	uint64_t table = field(state.cr3, 51, 12) << 12;
	uint64_t all = 6, any = 0, e;

	if ((uint64_t)sign != va)
		return (struct outcome){ SVM_WALK_NON_CANONICAL, 0, 0 };
	if (state.physical_bits < 52)
		table &= (1ull << state.physical_bits) - 1;
	if (five) {
		if (!load(table + field(va, 56, 48) * 8, 8, &e))
			return MISSING;
		if (!(e & 1))
			return ABSENT;
		if (beyond(e) || field(e, 8, 7) || (!nxe && (e & NX)))
			return RSVD;
		all &= e, any |= e;
		table = field(e, 51, 12) << 12;
	}
	if (!load(table + field(va, 47, 39) * 8, 8, &e))
		return MISSING;
	if (!(e & 1))
		return ABSENT;
	if (beyond(e) || field(e, 8, 7) || (!nxe && (e & NX)))
		return RSVD;
	all &= e, any |= e;
	if (!load((field(e, 51, 12) << 12) + field(va, 38, 30) * 8, 8, &e))
		return MISSING;
	if (!(e & 1))
		return ABSENT;
	if (beyond(e) || (!nxe && (e & NX)))
		return RSVD;
	all &= e, any |= e;
	if (e & 0x80) {
		if (!state.page_1g || field(e, 29, 13))
			return RSVD;
		return model_rights(flags, user, all & 2, all & 4, any & NX,
		                    (unsigned)field(e, 62, 59), true,
		                    field(e, 51, 30) << 30 | field(va, 29, 0));
	}
	if (field(e, 8, 8))
		return RSVD;
	if (!load((field(e, 51, 12) << 12) + field(va, 29, 21) * 8, 8, &e))
		return MISSING;
	if (!(e & 1))
		return ABSENT;
	if (beyond(e) || (!nxe && (e & NX)))
		return RSVD;
	all &= e, any |= e;
	if (e & 0x80) {
		if (field(e, 20, 13))
			return RSVD;
		return model_rights(flags, user, all & 2, all & 4, any & NX,
		                    (unsigned)field(e, 62, 59), true,
		                    field(e, 51, 21) << 21 | field(va, 20, 0));
	}
	if (!load((field(e, 51, 12) << 12) + field(va, 20, 12) * 8, 8, &e))
		return MISSING;
	if (!(e & 1))
		return ABSENT;
	if (beyond(e) || (!nxe && (e & NX)))
		return RSVD;
	all &= e, any |= e;
	return model_rights(flags, user, all & 2, all & 4, any & NX, (unsigned)field(e, 62, 59),
	                    true, field(e, 51, 12) << 12 | field(va, 11, 0));
}

static struct outcome model(uint64_t va, unsigned flags)
{
	const bool user = (flags & U) || (state.cpl == 3 && !(flags & IM));

	if (!(state.cr0 & PG))
		return (struct outcome){ SVM_WALK_OK, (uint32_t)va, 0 };
	if (state.efer & LMA)
		return model_long(va, flags, user);
	if (state.cr4 & PAE)
		return model_pae((uint32_t)va, flags, user);
	return model_legacy((uint32_t)va, flags, user);
}

static uint64_t seed;

static uint64_t draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1d;
}

/* One of n times. */
static bool seldom(unsigned n)
{
	return draw() >> 32 < 0x100000000 / n;
}

/* An entry that mostly leads on: tables inside memory, few reserved bits. */
static uint64_t draw_entry(void)
{
	uint64_t entry = (draw() >> 61 << 12) | 7;

	if (seldom(24))
		entry &= ~1ull;
	if (seldom(12))
		entry &= ~2ull;
	if (seldom(12))
		entry &= ~4ull;
	if (seldom(8))
		entry |= 0x80;
	if (seldom(16))
		entry |= 0x100;
	if (seldom(3))
		entry |= draw() & 0xe78;
	if (seldom(12))
		entry |= NX;
	if (seldom(24))
		entry |= draw() & 0x7ff0000000000000;
	if (seldom(24))
		entry |= 1ull << (32 + (draw() >> 59) % 20);
	if (seldom(32))
		entry |= draw() & 0xfffff000;
	return entry;
}

static void draw_state(void)
{
	state.cr0 = PE | (seldom(50) ? 0 : PG) | (draw() & WP);
	state.cr3 = (draw() >> 61 << 12) | (draw() & 0xfe0);
	state.cr4 = draw() & (PSE | PAE | SMEP | SMAP | PKE | LA57);
	state.efer = draw() & NXE;
	if (!seldom(3)) {
		state.efer |= LMA;
		state.cr4 |= PAE;
	}
	if (!(state.cr4 & PAE))
		state.cr3 &= ~0xfffull;
	state.rflags = draw() & AC;
	state.pkru = (uint32_t)draw() & (uint32_t)(draw() >> 32);
	state.cpl = seldom(2) ? 3 : (uint8_t)(draw() >> 62);
	state.physical_bits = seldom(4) ? 52 : (uint8_t)(32 + (draw() >> 59) % 21);
	state.page_1g = !seldom(4);
}

static uint64_t draw_linear(void)
{
	const uint64_t linear = draw();

	if (seldom(16))
		return linear;
	if (state.cr4 & LA57)
		return (uint64_t)((int64_t)(linear << 7) >> 7);
	return (uint64_t)((int64_t)(linear << 16) >> 16);
}

#define ROUNDS 160000

/* An assertion that holds writes a line to libcheck's file: none for each round. */
#define CHECK_ROUND(is_right)                                                                      \
	do {                                                                                       \
		if (!(is_right))                                                                   \
			ck_abort_msg("round %u: " #is_right, round);                               \
	} while (0)

/* Of the bits that a walk may not mark. */
static unsigned stray_bits(const uint8_t before[MEMORY_SIZE])
{
	unsigned stray = 0;

	if (memcmp(before, ram, MEMORY_SIZE) == 0)
		return 0;
	for (uint64_t i = 0; i < MEMORY_SIZE; i++)
		stray |= (before[i] ^ ram[i]) & ~0x60u;
	return stray;
}

START_TEST(random_tables_agree_with_the_second_walk)
{
	unsigned outcomes[5] = { 0 };
	static uint8_t before[MEMORY_SIZE];

	seed = 0x9e3779b97f4a7c15 + (uint64_t)_i;
	memset(&state, 0, sizeof(state));
	interferences = 0;
	ram_is_read_only = false;
	for (unsigned round = 0; round < ROUNDS / 4; round++) {
		struct svm_walk_result result;
		struct outcome expected;
		enum svm_walk_status status;
		unsigned flags = (unsigned)(draw() >> 60) & (U | IM | W);
		uint64_t linear;

		if (round % 64 == 0)
			for (uint64_t i = 0; i < MEMORY_SIZE; i += 8)
				put(i, 8, draw_entry());
		draw_state();
		if (!(state.cr4 & PAE) && (state.cr0 & PG) && round % 2)
			for (uint64_t i = 0; i < MEMORY_SIZE; i += 4)
				put(i, 4, draw_entry());
		if (!(flags & W) && seldom(2))
			flags |= X;
		if ((flags & U) && (flags & IM))
			flags &= ~IM;
		linear = draw_linear();

		expected = model(linear, flags);
		memcpy(before, ram, sizeof(before));
		status = svm_walk(&state, &memory, linear, flags, &result);
		CHECK_ROUND(memcmp(before, ram, sizeof(before)) == 0);
		if (status != expected.status)
			ck_abort_msg("round %u: status %d, not %d; linear %#llx flags %#x", round,
			             (int)status, (int)expected.status, (unsigned long long)linear,
			             flags);
		if (status == SVM_WALK_OK)
			CHECK_ROUND(result.gpa == expected.gpa);
		if (status == SVM_WALK_PAGE_FAULT)
			CHECK_ROUND(result.error_code == expected.error);
		outcomes[status]++;

		/* With marks: the same verdict; a mark where the walk went, none after a fault. */
		status = svm_walk(&state, &memory, linear, flags | AD, &result);
		CHECK_ROUND(status == expected.status || status == SVM_WALK_RETRY);
		if (status != SVM_WALK_OK) {
			CHECK_ROUND(memcmp(before, ram, sizeof(before)) == 0);
		} else {
			CHECK_ROUND(result.gpa == expected.gpa);
			CHECK_ROUND(stray_bits(before) == 0);
			if (result.level)
				CHECK_ROUND(get(result.entry_gpa, 4) & 0x20);
			if (result.level && (flags & W))
				CHECK_ROUND((get(result.entry_gpa, 4) & 0x60) == 0x60);
		}
	}
	/* The rounds must have met every outcome often, or they prove little. */
	ck_assert_uint_gt(outcomes[SVM_WALK_OK], ROUNDS / 400);
	ck_assert_uint_gt(outcomes[SVM_WALK_PAGE_FAULT], ROUNDS / 400);
	ck_assert_uint_gt(outcomes[SVM_WALK_NON_CANONICAL], ROUNDS / 400);
	ck_assert_uint_gt(outcomes[SVM_WALK_MEMORY], ROUNDS / 400);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("walk");
	TCase *tables = tcase_create("tables");
	TCase *random = tcase_create("random");

	tcase_add_loop_test(tables, the_walk_follows_the_manual, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tables, addresses_are_canonical_or_cut, 0, ARRAY_SIZE(address_rows));
	tcase_add_test(tables, page_sizes_are_reported);
	tcase_add_test(tables, a_4_mib_page_ends_at_maxphyaddr);
	tcase_add_test(tables, accessed_and_dirty_are_set_where_the_manual_says);
	tcase_add_test(tables, a_fault_leaves_no_mark);
	tcase_add_test(tables, a_changed_entry_is_walked_again_and_an_endless_change_is_not);
	tcase_add_test(tables, a_table_that_cannot_be_written_ends_the_walk);
	tcase_add_test(tables, reasons_have_sentences);
	suite_add_tcase(suite, tables);
	tcase_set_timeout(random, 60);
	tcase_add_loop_test(random, random_tables_agree_with_the_second_walk, 0, 4);
	suite_add_tcase(suite, random);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
