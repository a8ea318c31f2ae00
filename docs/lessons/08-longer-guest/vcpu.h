/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef VCPU_H
#define VCPU_H
#include "vmcb.h"

#define EXIT_INTR  0x60
#define EXIT_CPUID 0x72
#define EXIT_IOIO  0x7b
#define EXIT_NPF   0x400

/* A virtual processor: what VMRUN needs, and the memory that it runs in. */
struct vcpu {
	struct vmcb *vmcb;
	struct registers registers;
	uint64_t *root;
};

/* A vCPU that begins at GUEST_START. */
void vcpu_init(struct vcpu *vcpu, uint64_t *root);

/* Run until it halts or does what we do not know. */
void vcpu_run(struct vcpu *vcpu);

#endif
