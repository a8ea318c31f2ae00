/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_AUDIT_LAB_H
#define TESTS_AUDIT_LAB_H
/*
 * A VMCB, its maps, its nested tables and its guest, for the parts of the audit lab.
 */
#include <libsvm/libsvm.h>

#include "hal/ring0.h"

#include "cases.h"

#define LAB_FINDINGS 64

struct lab {
	struct svm_features features;
	struct svm_switch s;
	uint8_t *pages;
	uint64_t pages_pa;
	struct svm_vmcb *vmcb;
	struct audit_place place;
};

/* The guest's pages: zeros, and what audit_guest() writes; or the latter alone. */
void lab_fill_guest(struct lab *lab);
void lab_repair_guest(struct lab *lab);

/* Audit the VMCB as it stands; the number of findings, at most LAB_FINDINGS of which are there. */
size_t lab_audit(struct lab *lab, bool errors_only, struct svm_finding findings[LAB_FINDINGS]);

/* "C22@060:400": a rule, the field's offset, the bits that break it. */
void lab_print_finding(const struct svm_finding *finding);

/* VMRUN; the exit code. */
uint64_t lab_run(struct lab *lab);

/* Near-valid VMCBs from a seed: audited, offered, and the differences counted. */
void lab_fuzz(struct lab *lab, uint64_t rounds, uint64_t seed, const char *skip);

#endif
