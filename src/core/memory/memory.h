/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_MEMORY_MEMORY_H
#define SVM_CORE_MEMORY_MEMORY_H
/*
 * The memory of a VM: slots say what is behind an address, nested tables cache their answers.
 */
#include <libsvm/exit.h>
#include <libsvm/vm.h>

struct svm_vm;

struct svm_memory {
	svm_hpa_t root_hpa; /* nCR3. */
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

#endif
