/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_HAL_SWITCH_H
#define SVM_HAL_SWITCH_H
/*
 * What the world switch reads and writes, shared between C and assembly.
 *
 * One structure, because from VMRUN until the last store every general register but RAX and RSP
 * holds a guest value: the switch keeps one pointer on its stack and finds all it needs behind
 * it.  Offsets are constants here and asserted against the C structure below.
 */
#define SVM_SWITCH_VMCB       0x000 /* u64 hpa of the guest's VMCB */
#define SVM_SWITCH_HOST_VMCB  0x008 /* u64 hpa of this CPU's page for the host's VMSAVE */
#define SVM_SWITCH_FLAGS      0x010 /* u32 SVM_SWITCH_DO_*; 0: the short path */
#define SVM_SWITCH_REQUESTS   0x014 /* u32 whatever its owner means; 0: the guest may run */
#define SVM_SWITCH_GPR        0x018 /* 16 u64 in the processor's numbering; RAX, RSP: see below */
#define SVM_SWITCH_RCX        0x020
#define SVM_SWITCH_RDX        0x028
#define SVM_SWITCH_RBX        0x030
#define SVM_SWITCH_RBP        0x040
#define SVM_SWITCH_RSI        0x048
#define SVM_SWITCH_RDI        0x050
#define SVM_SWITCH_R8         0x058
#define SVM_SWITCH_R9         0x060
#define SVM_SWITCH_R10        0x068
#define SVM_SWITCH_R11        0x070
#define SVM_SWITCH_R12        0x078
#define SVM_SWITCH_R13        0x080
#define SVM_SWITCH_R14        0x088
#define SVM_SWITCH_R15        0x090
#define SVM_SWITCH_GUEST_XCR0 0x098
#define SVM_SWITCH_HOST_XCR0  0x0a0
#define SVM_SWITCH_GUEST_XSS  0x0a8
#define SVM_SWITCH_HOST_XSS   0x0b0
#define SVM_SWITCH_GUEST_SPEC 0x0b8
#define SVM_SWITCH_HOST_SPEC  0x0c0
#define SVM_SWITCH_GUEST_AUX  0x0c8 /* TSC_AUX */
#define SVM_SWITCH_HOST_AUX   0x0d0
#define SVM_SWITCH_GUEST_DR   0x0d8 /* DR0 to DR3 */
#define SVM_SWITCH_HOST_DR    0x0f8 /* DR0 to DR3, DR6, DR7 */
#define SVM_SWITCH_SIZE       0x128

/* Extra work around VMRUN, all of it with GIF = 0. */
#define SVM_SWITCH_DO_XCR0     0x001 /* XCR0 differs */
#define SVM_SWITCH_DO_XSS      0x002 /* IA32_XSS differs */
#define SVM_SWITCH_DO_SPEC     0x004 /* SPEC_CTRL differs */
#define SVM_SWITCH_DO_AUX      0x008 /* TSC_AUX differs */
#define SVM_SWITCH_DO_GUEST_DR 0x010 /* the guest uses breakpoints */
#define SVM_SWITCH_DO_HOST_DR  0x020 /* the host uses breakpoints: #VMEXIT disarms DR7 */
#define SVM_SWITCH_DO_IBPB     0x040 /* once, before entry; the switch clears it */
#define SVM_SWITCH_DO_RSB      0x080 /* fill the return stack after the exit */
#define SVM_SWITCH_DO_VERW     0x100 /* just before VMRUN */
#define SVM_SWITCH_DO_DIV      0x200 /* a division that leaves no guest-visible remainder */
#define SVM_SWITCH_DO_IF       0x400 /* the caller's IF is 0: 1 for the guest's run */

#ifndef __ASSEMBLER__
#include <libsvm/types.h>

struct svm_switch {
	svm_hpa_t vmcb, host_vmcb;
	uint32_t flags;    /* SVM_SWITCH_DO_* */
	uint32_t requests; /* Atomic.  What others set keeps the guest from running. */
	/*
	 * By number for the emulator, by name for everyone else.  The guest's RAX and RSP live in
	 * the VMCB; their places here are filled while an instruction is emulated.
	 */
	union {
		uint64_t gpr[16];
		struct {
			uint64_t lent_rax, rcx, rdx, rbx, lent_rsp, rbp, rsi, rdi;
			uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
		};
	};
	uint64_t guest_xcr0, host_xcr0;
	uint64_t guest_xss, host_xss;
	uint64_t guest_spec_ctrl, host_spec_ctrl;
	uint64_t guest_tsc_aux, host_tsc_aux;
	uint64_t guest_dr[4];
	uint64_t host_dr[6]; /* DR0 to DR3, DR6, DR7 */
};

#define SVM_SWITCH_ASSERT(field, offset) \
	_Static_assert(offsetof(struct svm_switch, field) == (offset), #field)
SVM_SWITCH_ASSERT(vmcb, SVM_SWITCH_VMCB);
SVM_SWITCH_ASSERT(host_vmcb, SVM_SWITCH_HOST_VMCB);
SVM_SWITCH_ASSERT(flags, SVM_SWITCH_FLAGS);
SVM_SWITCH_ASSERT(requests, SVM_SWITCH_REQUESTS);
SVM_SWITCH_ASSERT(gpr, SVM_SWITCH_GPR);
SVM_SWITCH_ASSERT(rbx, SVM_SWITCH_RBX);
SVM_SWITCH_ASSERT(rcx, SVM_SWITCH_RCX);
SVM_SWITCH_ASSERT(rdx, SVM_SWITCH_RDX);
SVM_SWITCH_ASSERT(rsi, SVM_SWITCH_RSI);
SVM_SWITCH_ASSERT(rdi, SVM_SWITCH_RDI);
SVM_SWITCH_ASSERT(rbp, SVM_SWITCH_RBP);
SVM_SWITCH_ASSERT(r8, SVM_SWITCH_R8);
SVM_SWITCH_ASSERT(r9, SVM_SWITCH_R9);
SVM_SWITCH_ASSERT(r10, SVM_SWITCH_R10);
SVM_SWITCH_ASSERT(r11, SVM_SWITCH_R11);
SVM_SWITCH_ASSERT(r12, SVM_SWITCH_R12);
SVM_SWITCH_ASSERT(r13, SVM_SWITCH_R13);
SVM_SWITCH_ASSERT(r14, SVM_SWITCH_R14);
SVM_SWITCH_ASSERT(r15, SVM_SWITCH_R15);
SVM_SWITCH_ASSERT(guest_xcr0, SVM_SWITCH_GUEST_XCR0);
SVM_SWITCH_ASSERT(host_xcr0, SVM_SWITCH_HOST_XCR0);
SVM_SWITCH_ASSERT(guest_xss, SVM_SWITCH_GUEST_XSS);
SVM_SWITCH_ASSERT(host_xss, SVM_SWITCH_HOST_XSS);
SVM_SWITCH_ASSERT(guest_spec_ctrl, SVM_SWITCH_GUEST_SPEC);
SVM_SWITCH_ASSERT(host_spec_ctrl, SVM_SWITCH_HOST_SPEC);
SVM_SWITCH_ASSERT(guest_tsc_aux, SVM_SWITCH_GUEST_AUX);
SVM_SWITCH_ASSERT(host_tsc_aux, SVM_SWITCH_HOST_AUX);
SVM_SWITCH_ASSERT(guest_dr, SVM_SWITCH_GUEST_DR);
SVM_SWITCH_ASSERT(host_dr, SVM_SWITCH_HOST_DR);
_Static_assert(sizeof(struct svm_switch) == SVM_SWITCH_SIZE, "svm_switch has no padding");
#endif

#endif
