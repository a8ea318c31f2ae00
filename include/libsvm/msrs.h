/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_MSRS_H
#define LIBSVM_MSRS_H
/**
 * @file
 * @brief Model-specific registers that the library knows, one table.
 *
 * The third column is what a guest gets by default (svm_vm_set_msr_policy() changes it):
 *
 * - PASS: the guest reads and writes the register itself; the permission map is open.  Only
 *   registers that VMLOAD/VMSAVE switches, or that VMRUN does, may be passed.
 * - STATE: the library answers from the vCPU's state, with the processor's own checks.
 * - SHADOW: reads give the last value written, which starts at the reset value; no effect.
 * - REFUSE: \#GP(0), as for a register that does not exist.
 *
 * A register that is not in the table is REFUSE.
 */
#include <libsvm/types.h>

/** Every known register: X(name, number, policy, reset value, text). */
#define SVM_MSRS(X)                                                                                \
	X(TSC, 0x00000010, STATE, 0, "time-stamp counter")                                         \
	X(APIC_BASE, 0x0000001b, STATE, 0xfee00900, "local APIC base")                             \
	X(SPEC_CTRL, 0x00000048, STATE, 0, "speculation control")                                  \
	X(PRED_CMD, 0x00000049, STATE, 0, "predictor command")                                     \
	X(PATCH_LEVEL, 0x0000008b, SHADOW, 0, "microcode patch level")                             \
	X(MTRR_CAP, 0x000000fe, STATE, 0x508, "MTRR capabilities")                                 \
	X(SYSENTER_CS, 0x00000174, PASS, 0, "SYSENTER code selector")                              \
	X(SYSENTER_ESP, 0x00000175, PASS, 0, "SYSENTER stack pointer")                             \
	X(SYSENTER_EIP, 0x00000176, PASS, 0, "SYSENTER instruction pointer")                       \
	X(MCG_CAP, 0x00000179, STATE, 0, "machine-check capabilities")                             \
	X(MCG_STATUS, 0x0000017a, SHADOW, 0, "machine-check status")                               \
	X(DEBUGCTL, 0x000001d9, STATE, 0, "debug control")                                         \
	X(PAT, 0x00000277, STATE, 0x0007040600070406, "page attribute table")                      \
	X(MTRR_DEF_TYPE, 0x000002ff, SHADOW, 0, "default memory type")                             \
	X(XSS, 0x00000da0, STATE, 0, "supervisor states of XSAVES")                                \
	X(EFER, 0xc0000080, STATE, 0, "extended features")                                         \
	X(STAR, 0xc0000081, PASS, 0, "SYSCALL selectors")                                          \
	X(LSTAR, 0xc0000082, PASS, 0, "SYSCALL target, 64-bit")                                    \
	X(CSTAR, 0xc0000083, PASS, 0, "SYSCALL target, compatibility mode")                        \
	X(SFMASK, 0xc0000084, PASS, 0, "SYSCALL flag mask")                                        \
	X(FS_BASE, 0xc0000100, PASS, 0, "FS base")                                                 \
	X(GS_BASE, 0xc0000101, PASS, 0, "GS base")                                                 \
	X(KERNEL_GS_BASE, 0xc0000102, PASS, 0, "GS base after SWAPGS")                             \
	X(TSC_AUX, 0xc0000103, STATE, 0, "value of RDTSCP's ECX")                                  \
	X(TSC_RATIO, 0xc0000104, REFUSE, 0, "TSC ratio of guests")                                 \
	X(SYSCFG, 0xc0010010, SHADOW, 0, "system configuration")                                   \
	X(HWCR, 0xc0010015, SHADOW, 0, "hardware configuration")                                   \
	X(VM_CR, 0xc0010114, STATE, 0x10, "SVM control: SVMDIS reads 1")                           \
	X(SVM_KEY, 0xc0010118, REFUSE, 0, "unlock key of VM_CR")                                   \
	X(VM_HSAVE_PA, 0xc0010117, REFUSE, 0, "host save area")

/** MSR numbers by name. */
__extension__ enum svm_msr {
#define SVM_MSR_ENUM(name, number, policy, reset, text) SVM_MSR_##name = (number),
	SVM_MSRS(SVM_MSR_ENUM)
#undef SVM_MSR_ENUM
};

#endif
