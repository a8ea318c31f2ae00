/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_GUEST_VIRTUAL_H
#define SVM_CORE_VCPU_GUEST_VIRTUAL_H
/*
 * Memory by linear address, through the guest's own page tables.
 */
#include "core/vcpu/vcpu.h"
#include "emulate/walk.h"

/* Up to want bytes of code at a linear address; *got of them on success, at least one. */
int svm_guest_fetch(struct svm_vcpu *vcpu, uint64_t linear, uint8_t *buffer, unsigned want,
                    unsigned *got);

/*
 * One walk, for the emulator: access is one of SVM_PROT_*; as the guest's CPL, or as the supervisor
 * to a system structure.  It leaves accessed and dirty bits like a processor.  Errors as
 * svm_vcpu_translate(), *fault is filled then.
 */
int svm_guest_walk(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access, bool is_system,
                   svm_gpa_t *gpa, struct svm_translation *fault);

/* The entries that a walk has read, from the root on. */
struct svm_walk_path {
	unsigned count;
	struct {
		svm_gpa_t gpa;
		uint64_t entry;
	} step[5];
};

/* One walk that changes nothing, with all that it saw; access as for svm_vcpu_translate(). */
enum svm_walk_status svm_guest_walk_path(struct svm_vcpu *vcpu, svm_gva_t gva, uint32_t access,
                                         struct svm_walk_path *path,
                                         struct svm_walk_result *result);

#endif
