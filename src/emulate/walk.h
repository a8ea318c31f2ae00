/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_WALK_H
#define SVM_EMULATE_WALK_H
/*
 * From a guest's linear address to its physical one, by the guest's own page tables.
 *
 * Usable alone: whoever calls hands over the registers that matter and two functions that reach
 * the tables.  Nothing here knows of virtual machines.
 */
#include <stdbool.h>
#include <stdint.h>

/* What the walk depends on. */
struct svm_walk_state {
	uint64_t cr0, cr3, cr4, efer, rflags;
	uint32_t pkru;
	uint8_t cpl;
	uint8_t physical_bits; /* MAXPHYADDR as the guest knows it: 32 … 52. */
	bool page_1g;          /* The guest has 1 GiB pages; without, the bit is reserved. */
};

/*
 * How tables are reached.  size is 4 or 8, gpa a multiple of it.  Both return 0, or a number of
 * their own, which ends the walk and comes back in svm_walk_result.memory_error.
 */
struct svm_walk_memory {
	void *arg;
	/* One access, not torn. */
	int (*read)(void *arg, uint64_t gpa, unsigned int size, uint64_t *entry);
	/*
	 * Atomically: store desired if expected is there.  *stored says whether.  Needed for
	 * SVM_WALK_SET_AD only.
	 */
	int (*exchange)(void *arg, uint64_t gpa, unsigned int size, uint64_t expected,
	                uint64_t desired, bool *stored);
};

/* Kind of access.  Neither WRITE nor EXECUTE: a read. */
#define SVM_WALK_WRITE    (1u << 0)
#define SVM_WALK_EXECUTE  (1u << 1) /* Instruction fetch; not with WRITE. */
#define SVM_WALK_USER     (1u << 2) /* As CPL 3 does it, whatever the CPL. */
#define SVM_WALK_IMPLICIT (1u << 3) /* By the processor, to a descriptor table or TSS. */
#define SVM_WALK_SET_AD   (1u << 4) /* Set accessed and dirty bits like a processor. */

enum svm_walk_status {
	SVM_WALK_OK,
	SVM_WALK_PAGE_FAULT,    /* #PF; error_code, level, entry and why are set. */
	SVM_WALK_NON_CANONICAL, /* #GP or #SS: which, the instruction decides. */
	SVM_WALK_MEMORY,        /* A function failed; memory_error, level, entry_gpa are set. */
	SVM_WALK_RETRY,         /* Tables kept changing under SET_AD: let the guest try again. */
};

/* Why a page fault: X(name, sentence). */
#define SVM_WALK_REASONS(X)                                                                        \
	X(NONE, "no fault")                                                                        \
	X(NOT_PRESENT, "the entry is not present")                                                 \
	X(RESERVED, "a reserved bit of the entry is set")                                          \
	X(READ_ONLY, "the entry does not allow writes")                                            \
	X(SUPERVISOR, "the entry is for the supervisor only")                                      \
	X(NO_EXECUTE, "the entry does not allow execution")                                        \
	X(SMEP, "the supervisor may not execute a user page (CR4.SMEP)")                           \
	X(SMAP, "the supervisor may not touch a user page (CR4.SMAP)")                             \
	X(PROTECTION_KEY, "PKRU denies the page's protection key")

enum svm_walk_reason {
#define SVM_WALK_REASON_ENUM(name, text) SVM_WALK_REASON_##name,
	SVM_WALK_REASONS(SVM_WALK_REASON_ENUM)
#undef SVM_WALK_REASON_ENUM
};

struct svm_walk_result {
	uint64_t gpa;       /* OK: of exactly the byte asked for. */
	uint64_t page_size; /* OK: bytes of the page; 0 without paging. */
	uint64_t entry_gpa; /* OK: of the leaf.  A fault: of the entry that caused it. */
	uint64_t entry;     /* Its value, accessed and dirty bits as found. */
	int memory_error;
	uint32_t error_code; /* PAGE_FAULT: as the processor pushes it. */
	uint8_t level;       /* Of the entry: 1 is the last, 0 means that there are no tables. */
	uint8_t reason;      /* enum svm_walk_reason. */
};

/* Bits of a page fault's error code.  APM vol. 2, 8.4.2. */
#define SVM_WALK_ERROR_PRESENT  (1u << 0)
#define SVM_WALK_ERROR_WRITE    (1u << 1)
#define SVM_WALK_ERROR_USER     (1u << 2)
#define SVM_WALK_ERROR_RESERVED (1u << 3)
#define SVM_WALK_ERROR_FETCH    (1u << 4)
#define SVM_WALK_ERROR_KEY      (1u << 5)

/*
 * Translate one byte.  *result is written whole.  At most five entries are read, each once; under
 * SET_AD at most four times that, when other processors change the entries meanwhile.
 *
 * Context: any in which the functions may be called; no state.
 */
enum svm_walk_status svm_walk(const struct svm_walk_state *state,
                              const struct svm_walk_memory *memory, uint64_t linear,
                              unsigned int flags, struct svm_walk_result *result);

/* The sentence for a reason; "?" for a number that is none. */
const char *svm_walk_reason_text(unsigned int reason);

#endif
