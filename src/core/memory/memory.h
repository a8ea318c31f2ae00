/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_MEMORY_H
#define SVM_CORE_MEMORY_MEMORY_H
/*
 * The memory of a VM: slots say what is behind an address, nested tables cache their answers.
 *
 * Three kinds of code meet here and each has its own protection:
 *
 * - Readers (nested faults, svm_vm_read() and the like; context A, any number at once) take no
 *   lock.  All they do with slots, tables or guest memory lies inside one *section* (section.h).
 * - Calls that change the map (context T) hold the VM's lock, publish a new slot table, wait until
 *   every section that may use the old one is over, and only then edit the nested tables.
 * - Edits of the nested tables hold the edit lock inside that.  It is a lock of its own because a
 *   host's allocator may call svm_vm_invalidate_begin(), which takes only the edit lock: nothing is
 *   allocated under it.
 */
#include <libsvm/exit.h>
#include <libsvm/vm.h>

struct svm_vm;
struct svm_slot_table;

struct svm_memory {
	svm_hpa_t root_hpa; /* nCR3. */
	uint64_t *root;
	uint32_t levels;              /* 4 or 5. */
	uint32_t slot_serial;         /* Last svm_slot_piece.id given out. */
	struct svm_slot_table *slots; /* Replaced whole; read inside a section. */
	uint32_t recent_piece;        /* Atomic: index in slots of the last find; only a guess. */
	uintptr_t edit_lock;          /* HAL mutex: whoever takes entries away. */

	/*
	 * Counts announcements of change, each before its wait for sections: what was found behind
	 * an address is there still for whoever reads, inside a section, the number of that time.
	 */
	uint64_t generation;
	uint32_t section_phase; /* section.h */
	uint32_t section_count[2];

	uint64_t reserve;  /* frames.h: stack of zeroed frames for faults. */
	uint64_t returned; /* Frames that a fault took in vain. */
	uint32_t reserve_count;

	uint32_t invalidate_count;  /* Invalidations going on ... */
	svm_gpa_t invalidate_first; /* ... and the smallest range around them all. */
	svm_gpa_t invalidate_last;
};

/* Outcome of a nested fault. */
enum svm_fault_outcome {
	SVM_FAULT_FILLED,      /* Translated (or it was already): run the guest again. */
	SVM_FAULT_REFUSED,     /* Not by us: *reason says why. */
	SVM_FAULT_NEED_FRAMES, /* The reserve is empty. */
};

/* Root table, reserve and an empty slot table. */
SVM_MUST_CHECK int svm_memory_init(struct svm_vm *vm);
void svm_memory_fini(struct svm_vm *vm);

/*
 * Context A, any number of vCPUs at once: translate gpa for access (SVM_PROT_*) from the slots.
 * P = 0 in the processor's error code is no proof that nothing is mapped (QEMU reports reserved
 * bits so), hence the tables themselves are looked at.
 */
enum svm_fault_outcome svm_memory_fault(struct svm_vm *vm, svm_gpa_t gpa, uint32_t access,
                                        enum svm_npt_fault_reason *reason);

/*
 * Context A: no slot covers gpa's page, and none will before svm_memory.generation is another than
 * *generation.
 */
bool svm_memory_is_hole(struct svm_vm *vm, svm_gpa_t gpa, uint64_t *generation);

/*
 * Inside a section: where the host has the byte at gpa; the rest of its 4 KiB page follows.  Errors
 * as svm_vm_read().  Good until svm_memory.generation moves.
 */
SVM_MUST_CHECK int svm_memory_locate(struct svm_vm *vm, svm_gpa_t gpa, uint32_t access,
                                     svm_hpa_t *hpa);

/* svm_vm_read() of bytes that lie in one 4 KiB page, all or none of them.  Context A. */
SVM_MUST_CHECK int svm_memory_read_page(struct svm_vm *vm, svm_gpa_t gpa, uint8_t *data,
                                        size_t size);

/*
 * For walks of the guest's own page tables, which other vCPUs and the processor change at any
 * time: one access, aligned to its size, never torn.  Context A; through the slots like
 * svm_vm_read(), with the same errors; SVM_ERR_INVAL for an unaligned gpa.
 */
SVM_MUST_CHECK int svm_memory_read_u32(struct svm_vm *vm, svm_gpa_t gpa, uint32_t *value);
SVM_MUST_CHECK int svm_memory_read_u64(struct svm_vm *vm, svm_gpa_t gpa, uint64_t *value);

/*
 * Store desired if *expected is there, else fill *expected with what is; *stored says which.
 * Needs WRITE; marks the page dirty.  Errors as above.
 */
SVM_MUST_CHECK int svm_memory_cas_u32(struct svm_vm *vm, svm_gpa_t gpa, uint32_t *expected,
                                      uint32_t desired, bool *stored);
SVM_MUST_CHECK int svm_memory_cas_u64(struct svm_vm *vm, svm_gpa_t gpa, uint64_t *expected,
                                      uint64_t desired, bool *stored);
/* The same for 1, 2, 4 or 8 bytes anywhere in a page, and 16 at a multiple of 16. */
SVM_MUST_CHECK int svm_memory_exchange(struct svm_vm *vm, svm_gpa_t gpa, void *expected,
                                       const void *desired, unsigned size, bool *stored);

#endif
