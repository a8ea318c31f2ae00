/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_UNIT_MEMORY_RIG_H
#define TESTS_UNIT_MEMORY_RIG_H
/*
 * A host for tests of src/core/memory: a stretch of physical memory whose addresses are far from
 * the pointers to it, an allocator that fails on request and knows who holds each frame, and what
 * the rest of the core owes the memory map.  Linked into each test program (memory_rig.c).
 */
#include "core/memory/edit.h"
#include "core/memory/memory.h"

/* Physical memory of the rig: table frames below, guest memory from RIG_GUEST on. */
#define RIG_BASE  UINT64_C(0x0000004000000000)
#define RIG_SIZE  (UINT64_C(64) << 20)
#define RIG_GUEST (RIG_BASE + (UINT64_C(32) << 20))

struct rig {
	struct svm_host *host;
	struct svm_vm *vm;
	uint8_t *memory;        /* hva of RIG_BASE. */
	uint8_t *owned;         /* By frame: held by the library. */
	uint64_t frames;        /* Held now. */
	uint64_t allocations;   /* Calls so far. */
	uint64_t fail_at;       /* The call with this number fails; 0: none. */
	uint64_t flushes;       /* svm_vm_flush() calls. */
	uint64_t lookups;       /* phys_to_virt() calls: tables looked at. */
	uint64_t bugs;          /* svm_vm_bug() calls. */
	svm_hpa_t forbidden;    /* A frame that no guest may have; 0: none. */
	void (*on_flush)(void); /* Called inside svm_vm_flush(); NULL: nothing. */
};

extern struct rig rig;

/* A fresh host and VM; features may be changed before rig_vm(). */
void rig_setup(void);
void rig_vm(void);
/* Destroys the VM; true if no frame is left. */
bool rig_teardown(void);

/* Pointer to physical memory of the rig, which must hold it. */
void *rig_hva(svm_hpa_t hpa);

#endif
