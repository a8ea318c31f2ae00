/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_HOSTED_RIG_H
#define TESTS_HOSTED_RIG_H
/*
 * The whole library on the model: a host, one VM with memory at 0, one vCPU, its code.
 *
 * Everything goes through the public contract, as an embedder would.
 */
#include <check.h>
#include <libsvm/libsvm.h>
#include <string.h>

#include "guest.h"
#include "hosted.h"

struct rig {
	struct hosted_machine *m;
	struct svm_host *host;
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	struct svm_exit exit;
	uint8_t *memory; /* The guest's, by guest-physical address. */
	svm_hpa_t memory_hpa;
	struct hosted_script code;
	enum guest_mode mode;
};

/* config NULL: defaults. CPU 0 is online and is the calling thread. */
void rig_init(struct rig *r, const struct hosted_config *config, enum guest_mode mode);
/* Everything back; a frame that is left is a breach. */
void rig_fini(struct rig *r);

/* The parts of the above, for tests that want more than one of a kind.  An error is returned. */
int rig_vm(struct rig *r, struct svm_vm **vm, const struct svm_vm_config *config);
int rig_vcpu(struct rig *r, struct svm_vm *vm, uint32_t id, struct svm_vcpu **vcpu);

/* Start the vCPU at GUEST_CODE (or rip) in the rig's mode. */
void rig_start(struct rig *r, struct svm_vcpu *vcpu, uint64_t rip);

/* Copy r->code to GUEST_CODE. */
void rig_load(struct rig *r);

/* Run until an exit that is not the host's interrupt; its kind. */
enum svm_exit_kind rig_run(struct rig *r);

struct svm_regs rig_regs(struct rig *r);

/* Machines that lack something: each optional feature alone, then all of them. */
struct rig_lack {
	const char *what;
	uint32_t svm_edx;
	void (*more)(struct hosted_features *f);
};
extern const struct rig_lack rig_lacks[];
extern const int rig_lack_count;
struct hosted_config rig_lacking(int row);

#endif
