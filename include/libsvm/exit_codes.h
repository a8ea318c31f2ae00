/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_EXIT_CODES_H
#define LIBSVM_EXIT_CODES_H
/**
 * @file
 * @brief Exit codes and intercepts, one table.  APM vol. 2, appendix C.
 *
 * An exit code below 0C0h is the number of the intercept bit that causes it, counted from VMCB
 * offset 000h, so one table serves both.  The third column says what the library does with the
 * intercept:
 *
 * - FLOOR: set in every VMCB and impossible to clear.  Each such instruction or event, left to
 *   the guest, reaches the host: the SVM instructions work on host-physical addresses.
 * - ON: set at creation; a policy may clear it.
 * - OFF: clear at creation; a policy or a debugger may set it.
 * - NEVER: no intercept of an ordinary guest, or an exit without intercept bit.
 */
#include <libsvm/types.h>

/** @addtogroup svm_vcpu
 *  @{ */

/** Families of exits with a number in them: X(name, first code, count, use, text). */
#define SVM_EXIT_RANGES(X)                                                                         \
	X(CR_READ, 0x000, 16, OFF, "read of a control register")                                   \
	X(CR_WRITE, 0x010, 16, OFF, "write of a control register")                                 \
	X(DR_READ, 0x020, 16, ON, "read of a debug register")                                      \
	X(DR_WRITE, 0x030, 16, ON, "write of a debug register")                                    \
	X(EXCEPTION, 0x040, 32, OFF, "exception")                                                  \
	X(CR_WRITE_TRAP, 0x090, 16, NEVER, "control register was written (SEV-ES)")

/** Every other exit: X(name, code, use, text). */
#define SVM_EXIT_CODES(X)                                                                          \
	X(INTR, 0x060, FLOOR, "physical interrupt")                                                \
	X(NMI, 0x061, FLOOR, "physical non-maskable interrupt")                                    \
	X(SMI, 0x062, ON, "system management interrupt")                                           \
	X(INIT, 0x063, FLOOR, "physical INIT")                                                     \
	X(VINTR, 0x064, OFF, "the guest can take a virtual interrupt")                             \
	X(CR0_SEL_WRITE, 0x065, OFF, "write of CR0 that changes more than TS and MP")              \
	X(IDTR_READ, 0x066, OFF, "SIDT")                                                           \
	X(GDTR_READ, 0x067, OFF, "SGDT")                                                           \
	X(LDTR_READ, 0x068, OFF, "SLDT")                                                           \
	X(TR_READ, 0x069, OFF, "STR")                                                              \
	X(IDTR_WRITE, 0x06a, OFF, "LIDT")                                                          \
	X(GDTR_WRITE, 0x06b, OFF, "LGDT")                                                          \
	X(LDTR_WRITE, 0x06c, OFF, "LLDT")                                                          \
	X(TR_WRITE, 0x06d, OFF, "LTR")                                                             \
	X(RDTSC, 0x06e, OFF, "RDTSC")                                                              \
	X(RDPMC, 0x06f, ON, "RDPMC")                                                               \
	X(PUSHF, 0x070, OFF, "PUSHF")                                                              \
	X(POPF, 0x071, OFF, "POPF")                                                                \
	X(CPUID, 0x072, ON, "CPUID")                                                            \
	X(RSM, 0x073, FLOOR, "RSM")                                                                \
	X(IRET, 0x074, OFF, "IRET")                                                                \
	X(INTN, 0x075, OFF, "INT n")                                                               \
	X(INVD, 0x076, FLOOR, "INVD")                                                              \
	X(PAUSE, 0x077, OFF, "PAUSE")                                                              \
	X(HLT, 0x078, ON, "HLT")                                                                \
	X(INVLPG, 0x079, OFF, "INVLPG")                                                            \
	X(INVLPGA, 0x07a, FLOOR, "INVLPGA")                                                        \
	X(IOIO, 0x07b, FLOOR, "IN or OUT of a protected port")                                     \
	X(MSR, 0x07c, FLOOR, "RDMSR or WRMSR of a protected register")                             \
	X(TASK_SWITCH, 0x07d, ON, "task switch")                                                   \
	X(FERR_FREEZE, 0x07e, ON, "x87 error with legacy reporting")                               \
	X(SHUTDOWN, 0x07f, FLOOR, "shutdown (triple fault)")                                       \
	X(VMRUN, 0x080, FLOOR, "VMRUN")                                                            \
	X(VMMCALL, 0x081, FLOOR, "VMMCALL")                                                        \
	X(VMLOAD, 0x082, FLOOR, "VMLOAD")                                                          \
	X(VMSAVE, 0x083, FLOOR, "VMSAVE")                                                          \
	X(STGI, 0x084, FLOOR, "STGI")                                                              \
	X(CLGI, 0x085, FLOOR, "CLGI")                                                              \
	X(SKINIT, 0x086, FLOOR, "SKINIT")                                                          \
	X(RDTSCP, 0x087, OFF, "RDTSCP")                                                            \
	X(ICEBP, 0x088, ON, "ICEBP (INT1)")                                                        \
	X(WBINVD, 0x089, FLOOR, "WBINVD or WBNOINVD")                                              \
	X(MONITOR, 0x08a, FLOOR, "MONITOR or MONITORX")                                            \
	X(MWAIT, 0x08b, FLOOR, "MWAIT or MWAITX")                                                  \
	X(MWAIT_COND, 0x08c, FLOOR, "MWAIT or MWAITX that would wait")                             \
	X(XSETBV, 0x08d, FLOOR, "XSETBV")                                                          \
	X(RDPRU, 0x08e, FLOOR, "RDPRU")                                                            \
	X(EFER_WRITE_TRAP, 0x08f, NEVER, "EFER was written (SEV-ES)")                              \
	X(INVLPGB, 0x0a0, FLOOR, "INVLPGB")                                                        \
	X(INVLPGB_ILLEGAL, 0x0a1, FLOOR, "INVLPGB with operands that need the monitor")            \
	X(INVPCID, 0x0a2, OFF, "INVPCID")                                                          \
	X(MCOMMIT, 0x0a3, FLOOR, "MCOMMIT")                                                        \
	X(TLBSYNC, 0x0a4, FLOOR, "TLBSYNC")                                                        \
	X(BUS_LOCK, 0x0a5, OFF, "bus lock threshold reached")                                      \
	X(IDLE_HLT, 0x0a6, OFF, "HLT with nothing pending")                                        \
	X(NPF, 0x400, NEVER, "nested page fault")                                                  \
	X(AVIC_INCOMPLETE_IPI, 0x401, NEVER, "AVIC could not deliver an IPI")                      \
	X(AVIC_NOACCEL, 0x402, NEVER, "AVIC register that hardware does not do")                   \
	X(VMGEXIT, 0x403, NEVER, "VMGEXIT (SEV-ES)")                                               \
	X(PML_FULL, 0x407, NEVER, "page modification log full")

/** Exit codes by name; of a family, the first. */
enum svm_exit_code {
#define SVM_EXIT_ENUM(name, code, use, text)         SVM_EXIT_##name = (code),
#define SVM_EXIT_ENUM_R(name, first, count, use, text) SVM_EXIT_##name = (first),
	SVM_EXIT_CODES(SVM_EXIT_ENUM) SVM_EXIT_RANGES(SVM_EXIT_ENUM_R)
#undef SVM_EXIT_ENUM
#undef SVM_EXIT_ENUM_R
};

/**
 * VMRUN refused the VMCB.  Some processors write 64 bits of ones and some only 32, so the
 * verdict is taken on the low half.
 */
#define SVM_EXIT_INVALID UINT32_C(0xffffffff)

/** Whether @p exit_code says that VMRUN refused the VMCB. */
static inline bool svm_exit_is_invalid(uint64_t exit_code)
{
	return (uint32_t)exit_code == SVM_EXIT_INVALID;
}

/** Exceptions: X(name, vector, pushes an error code, class for \#DF merging, mnemonic). */
#define SVM_EXCEPTIONS(X)                                                                          \
	X(DE, 0, false, CONTRIBUTORY, "divide error")                                              \
	X(DB, 1, false, BENIGN, "debug")                                                           \
	X(BP, 3, false, BENIGN, "breakpoint")                                                      \
	X(OF, 4, false, BENIGN, "overflow")                                                        \
	X(BR, 5, false, BENIGN, "bound range")                                                     \
	X(UD, 6, false, BENIGN, "invalid opcode")                                                  \
	X(NM, 7, false, BENIGN, "device not available")                                            \
	X(DF, 8, true, DOUBLE, "double fault")                                                     \
	X(TS, 10, true, CONTRIBUTORY, "invalid TSS")                                               \
	X(NP, 11, true, CONTRIBUTORY, "segment not present")                                       \
	X(SS, 12, true, CONTRIBUTORY, "stack")                                                     \
	X(GP, 13, true, CONTRIBUTORY, "general protection")                                        \
	X(PF, 14, true, PAGE, "page fault")                                                        \
	X(MF, 16, false, BENIGN, "x87 floating point")                                             \
	X(AC, 17, true, BENIGN, "alignment check")                                                 \
	X(MC, 18, false, BENIGN, "machine check")                                                  \
	X(XF, 19, false, BENIGN, "SIMD floating point")                                            \
	X(CP, 21, true, CONTRIBUTORY, "control protection")                                        \
	X(HV, 28, false, BENIGN, "hypervisor injection")                                           \
	X(VC, 29, true, CONTRIBUTORY, "VMM communication")                                         \
	X(SX, 30, true, CONTRIBUTORY, "security")

/** Exception vectors by name. */
enum svm_exception {
#define SVM_EXCEPTION_ENUM(name, vector, has_error, class, text) SVM_VECTOR_##name = (vector),
	SVM_EXCEPTIONS(SVM_EXCEPTION_ENUM)
#undef SVM_EXCEPTION_ENUM
	SVM_VECTOR_NMI = 2,
};

/** How two exceptions in a row merge.  APM vol. 2, 8.2.9. */
enum svm_exception_class {
	SVM_EXCEPTION_BENIGN,       /**< Delivered one after the other. */
	SVM_EXCEPTION_CONTRIBUTORY, /**< Two of them make a \#DF. */
	SVM_EXCEPTION_PAGE,         /**< After itself or before a contributory one: \#DF. */
	SVM_EXCEPTION_DOUBLE,       /**< Followed by any of the two above: shutdown. */
};

/** @} */

#endif
