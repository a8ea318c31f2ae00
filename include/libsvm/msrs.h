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
 * - ZERO: reads give 0, writes are dropped.
 * - REFUSE: \#GP(0), as for a register that does not exist.
 *
 * A register that is not in the table is REFUSE.  What is here are the registers that operating
 * systems touch without asking CPUID, or whose refusal needs a name in a trace.  Reset values are
 * those of a machine whose firmware has not run, save where an operating system would complain.
 */
#include <libsvm/types.h>

/** @addtogroup svm_vcpu
 *  @{ */

/** Every known register, by number: X(name, number, policy, reset value, text). */
#define SVM_MSRS(X)                                                                                \
	X(TSC, 0x00000010, STATE, 0, "time-stamp counter")                                         \
	X(APIC_BASE, 0x0000001b, STATE, 0xfee00900, "local APIC base")                             \
	X(SPEC_CTRL, 0x00000048, STATE, 0, "speculation control")                                  \
	X(PRED_CMD, 0x00000049, STATE, 0, "predictor command")                                     \
	X(PATCH_LEVEL, 0x0000008b, SHADOW, 0, "microcode patch level")                             \
	X(MPERF, 0x000000e7, REFUSE, 0, "cycles at the highest frequency")                         \
	X(APERF, 0x000000e8, REFUSE, 0, "cycles at the actual frequency")                          \
	X(MTRR_CAP, 0x000000fe, STATE, 0x508, "MTRR capabilities")                                 \
	X(SYSENTER_CS, 0x00000174, PASS, 0, "SYSENTER code selector")                              \
	X(SYSENTER_ESP, 0x00000175, PASS, 0, "SYSENTER stack pointer")                             \
	X(SYSENTER_EIP, 0x00000176, PASS, 0, "SYSENTER instruction pointer")                       \
	X(MCG_CAP, 0x00000179, STATE, 0, "machine-check capabilities")                             \
	X(MCG_STATUS, 0x0000017a, SHADOW, 0, "machine-check status")                               \
	X(MCG_CTL, 0x0000017b, REFUSE, 0, "machine-check control")                                 \
	X(DEBUGCTL, 0x000001d9, STATE, 0, "debug control")                                         \
	X(BR_FROM, 0x000001db, SHADOW, 0, "last branch, from")                                     \
	X(BR_TO, 0x000001dc, SHADOW, 0, "last branch, to")                                         \
	X(LAST_EXCP_FROM, 0x000001dd, SHADOW, 0, "last branch before an exception, from")          \
	X(LAST_EXCP_TO, 0x000001de, SHADOW, 0, "last branch before an exception, to")              \
	X(MTRR_BASE0, 0x00000200, SHADOW, 0, "variable memory range 0, base")                      \
	X(MTRR_MASK0, 0x00000201, SHADOW, 0, "variable memory range 0, mask")                      \
	X(MTRR_BASE1, 0x00000202, SHADOW, 0, "variable memory range 1, base")                      \
	X(MTRR_MASK1, 0x00000203, SHADOW, 0, "variable memory range 1, mask")                      \
	X(MTRR_BASE2, 0x00000204, SHADOW, 0, "variable memory range 2, base")                      \
	X(MTRR_MASK2, 0x00000205, SHADOW, 0, "variable memory range 2, mask")                      \
	X(MTRR_BASE3, 0x00000206, SHADOW, 0, "variable memory range 3, base")                      \
	X(MTRR_MASK3, 0x00000207, SHADOW, 0, "variable memory range 3, mask")                      \
	X(MTRR_BASE4, 0x00000208, SHADOW, 0, "variable memory range 4, base")                      \
	X(MTRR_MASK4, 0x00000209, SHADOW, 0, "variable memory range 4, mask")                      \
	X(MTRR_BASE5, 0x0000020a, SHADOW, 0, "variable memory range 5, base")                      \
	X(MTRR_MASK5, 0x0000020b, SHADOW, 0, "variable memory range 5, mask")                      \
	X(MTRR_BASE6, 0x0000020c, SHADOW, 0, "variable memory range 6, base")                      \
	X(MTRR_MASK6, 0x0000020d, SHADOW, 0, "variable memory range 6, mask")                      \
	X(MTRR_BASE7, 0x0000020e, SHADOW, 0, "variable memory range 7, base")                      \
	X(MTRR_MASK7, 0x0000020f, SHADOW, 0, "variable memory range 7, mask")                      \
	X(MTRR_FIX64K_00000, 0x00000250, SHADOW, 0, "memory types from 0")                         \
	X(MTRR_FIX16K_80000, 0x00000258, SHADOW, 0, "memory types from 80000h")                    \
	X(MTRR_FIX16K_A0000, 0x00000259, SHADOW, 0, "memory types from A0000h")                    \
	X(MTRR_FIX4K_C0000, 0x00000268, SHADOW, 0, "memory types from C0000h")                     \
	X(MTRR_FIX4K_C8000, 0x00000269, SHADOW, 0, "memory types from C8000h")                     \
	X(MTRR_FIX4K_D0000, 0x0000026a, SHADOW, 0, "memory types from D0000h")                     \
	X(MTRR_FIX4K_D8000, 0x0000026b, SHADOW, 0, "memory types from D8000h")                     \
	X(MTRR_FIX4K_E0000, 0x0000026c, SHADOW, 0, "memory types from E0000h")                     \
	X(MTRR_FIX4K_E8000, 0x0000026d, SHADOW, 0, "memory types from E8000h")                     \
	X(MTRR_FIX4K_F0000, 0x0000026e, SHADOW, 0, "memory types from F0000h")                     \
	X(MTRR_FIX4K_F8000, 0x0000026f, SHADOW, 0, "memory types from F8000h")                     \
	X(PAT, 0x00000277, STATE, 0x0007040600070406, "page attribute table")                      \
	X(MTRR_DEF_TYPE, 0x000002ff, SHADOW, 0, "default memory type")                             \
	X(MC0_CTL, 0x00000400, SHADOW, 0, "machine-check bank 0, control")                         \
	X(MC0_STATUS, 0x00000401, SHADOW, 0, "machine-check bank 0, status")                       \
	X(MC0_ADDR, 0x00000402, SHADOW, 0, "machine-check bank 0, address")                        \
	X(MC0_MISC, 0x00000403, SHADOW, 0, "machine-check bank 0, miscellany")                     \
	X(MC1_CTL, 0x00000404, SHADOW, 0, "machine-check bank 1, control")                         \
	X(MC1_STATUS, 0x00000405, SHADOW, 0, "machine-check bank 1, status")                       \
	X(MC1_ADDR, 0x00000406, SHADOW, 0, "machine-check bank 1, address")                        \
	X(MC1_MISC, 0x00000407, SHADOW, 0, "machine-check bank 1, miscellany")                     \
	X(MC2_CTL, 0x00000408, SHADOW, 0, "machine-check bank 2, control")                         \
	X(MC2_STATUS, 0x00000409, SHADOW, 0, "machine-check bank 2, status")                       \
	X(MC2_ADDR, 0x0000040a, SHADOW, 0, "machine-check bank 2, address")                        \
	X(MC2_MISC, 0x0000040b, SHADOW, 0, "machine-check bank 2, miscellany")                     \
	X(MC3_CTL, 0x0000040c, SHADOW, 0, "machine-check bank 3, control")                         \
	X(MC3_STATUS, 0x0000040d, SHADOW, 0, "machine-check bank 3, status")                       \
	X(MC3_ADDR, 0x0000040e, SHADOW, 0, "machine-check bank 3, address")                        \
	X(MC3_MISC, 0x0000040f, SHADOW, 0, "machine-check bank 3, miscellany")                     \
	X(MC4_CTL, 0x00000410, SHADOW, 0, "machine-check bank 4, control")                         \
	X(MC4_STATUS, 0x00000411, SHADOW, 0, "machine-check bank 4, status")                       \
	X(MC4_ADDR, 0x00000412, SHADOW, 0, "machine-check bank 4, address")                        \
	X(MC4_MISC, 0x00000413, SHADOW, 0, "machine-check bank 4, miscellany")                     \
	X(TSC_DEADLINE, 0x000006e0, REFUSE, 0, "APIC timer deadline")                              \
	X(XSS, 0x00000da0, STATE, 0, "supervisor states of XSAVES")                                \
	X(EFER, 0xc0000080, STATE, 0, "extended features")                                         \
	X(STAR, 0xc0000081, PASS, 0, "SYSCALL selectors")                                          \
	X(LSTAR, 0xc0000082, PASS, 0, "SYSCALL target, 64-bit")                                    \
	X(CSTAR, 0xc0000083, PASS, 0, "SYSCALL target, compatibility mode")                        \
	X(SFMASK, 0xc0000084, PASS, 0, "SYSCALL flag mask")                                        \
	X(MPERF_READONLY, 0xc00000e7, REFUSE, 0, "cycles at the highest frequency")                \
	X(APERF_READONLY, 0xc00000e8, REFUSE, 0, "cycles at the actual frequency")                 \
	X(IRPERF_COUNT, 0xc00000e9, REFUSE, 0, "instructions retired")                             \
	X(FS_BASE, 0xc0000100, PASS, 0, "FS base")                                                 \
	X(GS_BASE, 0xc0000101, PASS, 0, "GS base")                                                 \
	X(KERNEL_GS_BASE, 0xc0000102, PASS, 0, "GS base after SWAPGS")                             \
	X(TSC_AUX, 0xc0000103, STATE, 0, "value of RDTSCP's ECX")                                  \
	X(TSC_RATIO, 0xc0000104, REFUSE, 0, "TSC ratio of guests")                                 \
	X(PERF_CTL0, 0xc0010000, ZERO, 0, "performance event 0")                                   \
	X(PERF_CTL1, 0xc0010001, ZERO, 0, "performance event 1")                                   \
	X(PERF_CTL2, 0xc0010002, ZERO, 0, "performance event 2")                                   \
	X(PERF_CTL3, 0xc0010003, ZERO, 0, "performance event 3")                                   \
	X(PERF_CTR0, 0xc0010004, ZERO, 0, "performance counter 0")                                 \
	X(PERF_CTR1, 0xc0010005, ZERO, 0, "performance counter 1")                                 \
	X(PERF_CTR2, 0xc0010006, ZERO, 0, "performance counter 2")                                 \
	X(PERF_CTR3, 0xc0010007, ZERO, 0, "performance counter 3")                                 \
	X(SYSCFG, 0xc0010010, SHADOW, 0, "system configuration")                                   \
	X(HWCR, 0xc0010015, SHADOW, 0x01000000, "hardware configuration: TscFreqSel reads 1")      \
	X(IORR_BASE0, 0xc0010016, SHADOW, 0, "I/O range 0, base")                                  \
	X(IORR_MASK0, 0xc0010017, SHADOW, 0, "I/O range 0, mask")                                  \
	X(IORR_BASE1, 0xc0010018, SHADOW, 0, "I/O range 1, base")                                  \
	X(IORR_MASK1, 0xc0010019, SHADOW, 0, "I/O range 1, mask")                                  \
	X(TOP_MEM, 0xc001001a, SHADOW, 0, "top of memory below 4 GiB")                             \
	X(TOP_MEM2, 0xc001001d, SHADOW, 0, "top of memory above 4 GiB")                            \
	X(NB_CFG, 0xc001001f, SHADOW, 0, "northbridge configuration")                              \
	X(PATCH_LOADER, 0xc0010020, SHADOW, 0, "microcode loader: loads nothing")                  \
	X(INT_PENDING, 0xc0010055, SHADOW, 0, "interrupt pending message")                         \
	X(MMIO_CFG_BASE, 0xc0010058, SHADOW, 0, "PCI configuration space: none")                   \
	X(PSTATE_LIMIT, 0xc0010061, SHADOW, 0, "P-state limit")                                    \
	X(PSTATE_CTL, 0xc0010062, SHADOW, 0, "P-state wanted")                                     \
	X(PSTATE_STATUS, 0xc0010063, SHADOW, 0, "P-state now")                                     \
	X(PSTATE0, 0xc0010064, SHADOW, 0, "P-state 0: not enabled")                                \
	X(PSTATE1, 0xc0010065, SHADOW, 0, "P-state 1: not enabled")                                \
	X(PSTATE2, 0xc0010066, SHADOW, 0, "P-state 2: not enabled")                                \
	X(PSTATE3, 0xc0010067, SHADOW, 0, "P-state 3: not enabled")                                \
	X(PSTATE4, 0xc0010068, SHADOW, 0, "P-state 4: not enabled")                                \
	X(PSTATE5, 0xc0010069, SHADOW, 0, "P-state 5: not enabled")                                \
	X(PSTATE6, 0xc001006a, SHADOW, 0, "P-state 6: not enabled")                                \
	X(PSTATE7, 0xc001006b, SHADOW, 0, "P-state 7: not enabled")                                \
	X(CSTATE_BASE, 0xc0010073, SHADOW, 0, "C-state port: none")                                \
	X(SMM_BASE, 0xc0010111, SHADOW, 0x30000, "system management base")                         \
	X(SMM_ADDR, 0xc0010112, SHADOW, 0, "system management memory, base")                       \
	X(SMM_MASK, 0xc0010113, SHADOW, 0, "system management memory, mask")                       \
	X(VM_CR, 0xc0010114, STATE, 0x10, "SVM control: SVMDIS reads 1")                           \
	X(VM_HSAVE_PA, 0xc0010117, REFUSE, 0, "host save area")                                    \
	X(SVM_KEY, 0xc0010118, REFUSE, 0, "unlock key of VM_CR")                                   \
	X(DOORBELL, 0xc001011b, REFUSE, 0, "AVIC doorbell")                                        \
	X(VIRT_SPEC_CTRL, 0xc001011f, REFUSE, 0, "speculation control for guests")                 \
	X(OSVW_ID_LENGTH, 0xc0010140, SHADOW, 0, "count of OS visible workarounds")                \
	X(OSVW_STATUS, 0xc0010141, SHADOW, 0, "OS visible workarounds")                            \
	X(DR1_ADDR_MASK, 0xc0011019, REFUSE, 0, "address mask of DR1")                             \
	X(DR2_ADDR_MASK, 0xc001101a, REFUSE, 0, "address mask of DR2")                             \
	X(DR3_ADDR_MASK, 0xc001101b, REFUSE, 0, "address mask of DR3")                             \
	X(LS_CFG, 0xc0011020, SHADOW, 0, "load-store configuration")                               \
	X(IC_CFG, 0xc0011021, SHADOW, 0, "instruction cache configuration")                        \
	X(DC_CFG, 0xc0011022, SHADOW, 0, "data cache configuration")                               \
	X(TW_CFG, 0xc0011023, SHADOW, 0, "table walker or bus unit configuration")                 \
	X(DR0_ADDR_MASK, 0xc0011027, REFUSE, 0, "address mask of DR0")                             \
	X(FP_CFG, 0xc0011028, SHADOW, 0, "floating point configuration")                           \
	X(DE_CFG, 0xc0011029, SHADOW, 0, "decode configuration")                                   \
	X(BU_CFG2, 0xc001102a, SHADOW, 0, "bus unit configuration 2")                              \
	X(CU_CFG3, 0xc001102b, SHADOW, 0, "combined unit configuration 3")                         \
	X(EX_CFG, 0xc001102c, SHADOW, 0, "execution unit configuration")                           \
	X(LS_CFG2, 0xc001102d, SHADOW, 0, "load-store configuration 2")                            \
	X(BP_CFG, 0xc001102e, SHADOW, 0, "branch predictor configuration")

/** MSR numbers by name. */
__extension__ enum svm_msr {
#define SVM_MSR_ENUM(name, number, policy, reset, text) SVM_MSR_##name = (number),
	SVM_MSRS(SVM_MSR_ENUM)
#undef SVM_MSR_ENUM
};

/** @} */

#endif
