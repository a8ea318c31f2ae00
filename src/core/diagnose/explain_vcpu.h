/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_DIAGNOSE_EXPLAIN_VCPU_H
#define SVM_CORE_DIAGNOSE_EXPLAIN_VCPU_H
/*
 * Pieces of an explanation that need the vCPU and its memory.  What they read may change while they
 * read it; none of them changes anything.
 */
#include "core/diagnose/explain.h"
#include "core/vcpu/vcpu.h"

/*
 * The guest's tables for an address; adds nothing without paging.  True: *gpa is what the nested
 * tables are asked for next, be it the result or a table that cannot be reached.
 */
bool svm_explain_guest_walk(struct svm_text *text, struct svm_vcpu *vcpu, svm_gva_t gva,
                            uint32_t access, svm_gpa_t *gpa);

void svm_explain_nested_walk(struct svm_text *text, struct svm_vm *vm, svm_gpa_t gpa);

#endif
