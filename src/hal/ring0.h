/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_HAL_RING0_H
#define SVM_HAL_RING0_H
/*
 * Ring 0: what only privileged instructions can do, as functions chosen at link time.
 *
 * The library links ring0.c and world_switch.S; the hosted port links its processor model
 * instead, under the same names.  Nothing here is reached through a table: the choice is one
 * per program, and an indirect call on the exit path would cost more than the instruction.
 */
#include "hal/switch.h"

struct svm_cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

/* Control registers by number, for read and write. */
enum svm_control_register {
	SVM_CR0,
	SVM_CR2 = 2,
	SVM_CR3,
	SVM_CR4,
};

struct svm_cpuid_regs svm_ring0_cpuid(uint32_t leaf, uint32_t subleaf);

/* Only MSRs that the processor is known to have. */
uint64_t svm_ring0_rdmsr(uint32_t msr);
void svm_ring0_wrmsr(uint32_t msr, uint64_t value);

uint64_t svm_ring0_read_cr(enum svm_control_register cr);
void svm_ring0_write_cr2(uint64_t value);

/* Debug register n of 0 … 3, 6, 7. */
uint64_t svm_ring0_read_dr(unsigned n);
void svm_ring0_write_dr(unsigned n, uint64_t value);

uint64_t svm_ring0_rdtsc(void);
uint64_t svm_ring0_xgetbv0(void);
void svm_ring0_xsetbv0(uint64_t value);

/*
 * All states of mask, standard format, 64-byte aligned area.  Without XSAVE the library calls
 * the FXSAVE pair.  XCR0 holds the states at the time of the call.
 */
void svm_ring0_xsave(void *area, uint64_t mask);
void svm_ring0_xrstor(const void *area, uint64_t mask);
void svm_ring0_fxsave(void *area);
void svm_ring0_fxrstor(const void *area);

/* The host's FS, GS, TR, LDTR and syscall MSRs into a VMCB-shaped page; GIF may be 1. */
void svm_ring0_vmsave(svm_hpa_t vmcb);

void svm_ring0_stgi(void);
void svm_ring0_clgi(void);

uint64_t svm_ring0_irq_save(void);
void svm_ring0_irq_restore(uint64_t flags);
void svm_ring0_pause(void);

/*
 * Run the guest until the next #VMEXIT; see world_switch.S.  Caller: pinned, RFLAGS.IF = 1 (or 0
 * with SVM_SWITCH_DO_IF), GIF = 1, this CPU's host VMSAVE done since the vCPU was loaded.  On
 * return the same.  0: a request kept the guest from running, and nothing has happened.
 */
uint64_t svm_world_switch(struct svm_switch *s);

#endif
