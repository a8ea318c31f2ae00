/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_CPUID_BITS_H
#define SVM_CORE_CPUID_BITS_H
/*
 * Feature bits that a guest may have if the processor has them: everything else is 0.
 *
 * A list of what is allowed, not of what is hidden: a bit that a later processor defines stays 0
 * until someone has thought about what the library must switch for it.  Left out on purpose:
 * MONITOR(X) and MWAIT(X) (intercepted), x2APIC and the APIC's TSC deadline (the core has no APIC),
 * SVM, SKINIT, IBS, LWP, performance counters, data breakpoint masks, RDPRU, MCOMMIT, INVLPGB,
 * shadow stacks, SME and SEV (state or registers that nobody switches).
 *
 * CPUID_ALLOWED(X): X(leaf, subleaf, register, bit, name, what it needs).
 * Sources: APM vol. 3, appendix E; vol. 2, 3.3.
 */

/* What a bit needs beside the processor: conditions on struct svm_features. */
enum svm_cpuid_need {
	SVM_CPUID_NEED_NOTHING,
	SVM_CPUID_NEED_XSAVE,
	SVM_CPUID_NEED_XSAVEOPT,
	SVM_CPUID_NEED_XSAVES,
	SVM_CPUID_NEED_AVX,    /* XCR0 may hold YMM. */
	SVM_CPUID_NEED_AVX512, /* XCR0 may hold the three AVX-512 states. */
	SVM_CPUID_NEED_PKU,    /* PKRU is switched. */
	SVM_CPUID_NEED_PCID,   /* CR4.PCIDE may be set; so on. */
	SVM_CPUID_NEED_FSGSBASE,
	SVM_CPUID_NEED_SMEP,
	SVM_CPUID_NEED_SMAP,
	SVM_CPUID_NEED_UMIP,
	SVM_CPUID_NEED_LA57,
	SVM_CPUID_NEED_RDTSCP, /* TSC_AUX is switched. */
	SVM_CPUID_NEED_NX,
	SVM_CPUID_NEED_LONG_MODE,
	SVM_CPUID_NEED_PAGE_1G,
	SVM_CPUID_NEED_FFXSR, /* EFER.FFXSR may be set. */
	SVM_CPUID_NEED_AIBRS, /* EFER.AIBRSE may be set. */
	SVM_CPUID_NEED_IBPB,
	SVM_CPUID_NEED_SPEC_CTRL,
};

/* clang-format off */
#define SVM_CPUID_ALLOWED(X)                                                                       \
	X(0x00000001, 0, ecx,  0, "SSE3", NOTHING)                                                 \
	X(0x00000001, 0, ecx,  1, "PCLMULQDQ", NOTHING)                                            \
	X(0x00000001, 0, ecx,  9, "SSSE3", NOTHING)                                                \
	X(0x00000001, 0, ecx, 12, "FMA", AVX)                                                      \
	X(0x00000001, 0, ecx, 13, "CMPXCHG16B", NOTHING)                                           \
	X(0x00000001, 0, ecx, 17, "PCID", PCID)                                                    \
	X(0x00000001, 0, ecx, 19, "SSE4.1", NOTHING)                                               \
	X(0x00000001, 0, ecx, 20, "SSE4.2", NOTHING)                                               \
	X(0x00000001, 0, ecx, 22, "MOVBE", NOTHING)                                                \
	X(0x00000001, 0, ecx, 23, "POPCNT", NOTHING)                                               \
	X(0x00000001, 0, ecx, 25, "AES", NOTHING)                                                  \
	X(0x00000001, 0, ecx, 26, "XSAVE", XSAVE)                                                  \
	X(0x00000001, 0, ecx, 28, "AVX", AVX)                                                      \
	X(0x00000001, 0, ecx, 29, "F16C", AVX)                                                     \
	X(0x00000001, 0, ecx, 30, "RDRAND", NOTHING)                                               \
	X(0x00000001, 0, edx,  0, "FPU", NOTHING)                                                  \
	X(0x00000001, 0, edx,  1, "VME", NOTHING)                                                  \
	X(0x00000001, 0, edx,  2, "DE", NOTHING)                                                   \
	X(0x00000001, 0, edx,  3, "PSE", NOTHING)                                                  \
	X(0x00000001, 0, edx,  4, "TSC", NOTHING)                                                  \
	X(0x00000001, 0, edx,  5, "MSR", NOTHING)                                                  \
	X(0x00000001, 0, edx,  6, "PAE", NOTHING)                                                  \
	X(0x00000001, 0, edx,  7, "MCE", NOTHING)                                                  \
	X(0x00000001, 0, edx,  8, "CMPXCHG8B", NOTHING)                                            \
	X(0x00000001, 0, edx,  9, "APIC", NOTHING)                                                 \
	X(0x00000001, 0, edx, 11, "SYSENTER", NOTHING)                                             \
	X(0x00000001, 0, edx, 12, "MTRR", NOTHING)                                                 \
	X(0x00000001, 0, edx, 13, "PGE", NOTHING)                                                  \
	X(0x00000001, 0, edx, 14, "MCA", NOTHING)                                                  \
	X(0x00000001, 0, edx, 15, "CMOV", NOTHING)                                                 \
	X(0x00000001, 0, edx, 16, "PAT", NOTHING)                                                  \
	X(0x00000001, 0, edx, 17, "PSE36", NOTHING)                                                \
	X(0x00000001, 0, edx, 19, "CLFLUSH", NOTHING)                                              \
	X(0x00000001, 0, edx, 23, "MMX", NOTHING)                                                  \
	X(0x00000001, 0, edx, 24, "FXSR", NOTHING)                                                 \
	X(0x00000001, 0, edx, 25, "SSE", NOTHING)                                                  \
	X(0x00000001, 0, edx, 26, "SSE2", NOTHING)                                                 \
	X(0x00000006, 0, eax,  2, "ARAT", NOTHING)                                                 \
	X(0x00000007, 0, ebx,  0, "FSGSBASE", FSGSBASE)                                            \
	X(0x00000007, 0, ebx,  3, "BMI1", NOTHING)                                                 \
	X(0x00000007, 0, ebx,  5, "AVX2", AVX)                                                     \
	X(0x00000007, 0, ebx,  7, "SMEP", SMEP)                                                    \
	X(0x00000007, 0, ebx,  8, "BMI2", NOTHING)                                                 \
	X(0x00000007, 0, ebx,  9, "ERMS", NOTHING)                                                 \
	X(0x00000007, 0, ebx, 10, "INVPCID", PCID)                                                 \
	X(0x00000007, 0, ebx, 16, "AVX512F", AVX512)                                               \
	X(0x00000007, 0, ebx, 17, "AVX512DQ", AVX512)                                              \
	X(0x00000007, 0, ebx, 18, "RDSEED", NOTHING)                                               \
	X(0x00000007, 0, ebx, 19, "ADX", NOTHING)                                                  \
	X(0x00000007, 0, ebx, 20, "SMAP", SMAP)                                                    \
	X(0x00000007, 0, ebx, 21, "AVX512IFMA", AVX512)                                            \
	X(0x00000007, 0, ebx, 23, "CLFLUSHOPT", NOTHING)                                           \
	X(0x00000007, 0, ebx, 24, "CLWB", NOTHING)                                                 \
	X(0x00000007, 0, ebx, 28, "AVX512CD", AVX512)                                              \
	X(0x00000007, 0, ebx, 29, "SHA", NOTHING)                                                  \
	X(0x00000007, 0, ebx, 30, "AVX512BW", AVX512)                                              \
	X(0x00000007, 0, ebx, 31, "AVX512VL", AVX512)                                              \
	X(0x00000007, 0, ecx,  1, "AVX512VBMI", AVX512)                                            \
	X(0x00000007, 0, ecx,  2, "UMIP", UMIP)                                                    \
	X(0x00000007, 0, ecx,  3, "PKU", PKU)                                                      \
	X(0x00000007, 0, ecx,  6, "AVX512VBMI2", AVX512)                                           \
	X(0x00000007, 0, ecx,  8, "GFNI", NOTHING)                                                 \
	X(0x00000007, 0, ecx,  9, "VAES", AVX)                                                     \
	X(0x00000007, 0, ecx, 10, "VPCLMULQDQ", AVX)                                               \
	X(0x00000007, 0, ecx, 11, "AVX512VNNI", AVX512)                                            \
	X(0x00000007, 0, ecx, 12, "AVX512BITALG", AVX512)                                          \
	X(0x00000007, 0, ecx, 14, "AVX512VPOPCNTDQ", AVX512)                                       \
	X(0x00000007, 0, ecx, 16, "LA57", LA57)                                                    \
	X(0x00000007, 0, ecx, 22, "RDPID", RDTSCP)                                                 \
	X(0x00000007, 0, ecx, 27, "MOVDIRI", NOTHING)                                              \
	X(0x00000007, 0, ecx, 28, "MOVDIR64B", NOTHING)                                            \
	X(0x00000007, 0, edx,  4, "FSRM", NOTHING)                                                 \
	X(0x00000007, 0, edx,  8, "AVX512VP2INTERSECT", AVX512)                                    \
	X(0x00000007, 1, eax,  4, "AVX_VNNI", AVX)                                                 \
	X(0x00000007, 1, eax,  5, "AVX512BF16", AVX512)                                            \
	X(0x0000000d, 1, eax,  0, "XSAVEOPT", XSAVEOPT)                                            \
	X(0x0000000d, 1, eax,  1, "XSAVEC", XSAVE)                                                 \
	X(0x0000000d, 1, eax,  2, "XGETBV1", XSAVE)                                                \
	X(0x0000000d, 1, eax,  3, "XSAVES", XSAVES)                                                \
	X(0x80000001, 0, ecx,  0, "LAHF in 64-bit mode", NOTHING)                                  \
	X(0x80000001, 0, ecx,  4, "LOCK MOV CR0", NOTHING)                                         \
	X(0x80000001, 0, ecx,  5, "ABM", NOTHING)                                                  \
	X(0x80000001, 0, ecx,  6, "SSE4A", NOTHING)                                                \
	X(0x80000001, 0, ecx,  7, "misaligned SSE", NOTHING)                                       \
	X(0x80000001, 0, ecx,  8, "3DNow! prefetch", NOTHING)                                      \
	X(0x80000001, 0, ecx, 11, "XOP", AVX)                                                      \
	X(0x80000001, 0, ecx, 16, "FMA4", AVX)                                                     \
	X(0x80000001, 0, ecx, 21, "TBM", NOTHING)                                                  \
	X(0x80000001, 0, ecx, 22, "topology extensions", NOTHING)                                  \
	X(0x80000001, 0, edx,  0, "FPU", NOTHING)                                                  \
	X(0x80000001, 0, edx,  1, "VME", NOTHING)                                                  \
	X(0x80000001, 0, edx,  2, "DE", NOTHING)                                                   \
	X(0x80000001, 0, edx,  3, "PSE", NOTHING)                                                  \
	X(0x80000001, 0, edx,  4, "TSC", NOTHING)                                                  \
	X(0x80000001, 0, edx,  5, "MSR", NOTHING)                                                  \
	X(0x80000001, 0, edx,  6, "PAE", NOTHING)                                                  \
	X(0x80000001, 0, edx,  7, "MCE", NOTHING)                                                  \
	X(0x80000001, 0, edx,  8, "CMPXCHG8B", NOTHING)                                            \
	X(0x80000001, 0, edx,  9, "APIC", NOTHING)                                                 \
	X(0x80000001, 0, edx, 11, "SYSCALL", NOTHING)                                              \
	X(0x80000001, 0, edx, 12, "MTRR", NOTHING)                                                 \
	X(0x80000001, 0, edx, 13, "PGE", NOTHING)                                                  \
	X(0x80000001, 0, edx, 14, "MCA", NOTHING)                                                  \
	X(0x80000001, 0, edx, 15, "CMOV", NOTHING)                                                 \
	X(0x80000001, 0, edx, 16, "PAT", NOTHING)                                                  \
	X(0x80000001, 0, edx, 17, "PSE36", NOTHING)                                                \
	X(0x80000001, 0, edx, 20, "NX", NX)                                                        \
	X(0x80000001, 0, edx, 22, "MMX extensions", NOTHING)                                       \
	X(0x80000001, 0, edx, 23, "MMX", NOTHING)                                                  \
	X(0x80000001, 0, edx, 24, "FXSR", NOTHING)                                                 \
	X(0x80000001, 0, edx, 25, "FFXSR", FFXSR)                                                  \
	X(0x80000001, 0, edx, 26, "1 GiB pages", PAGE_1G)                                          \
	X(0x80000001, 0, edx, 27, "RDTSCP", RDTSCP)                                                \
	X(0x80000001, 0, edx, 29, "long mode", LONG_MODE)                                          \
	X(0x80000001, 0, edx, 30, "3DNow! extensions", NOTHING)                                    \
	X(0x80000001, 0, edx, 31, "3DNow!", NOTHING)                                               \
	X(0x80000007, 0, edx,  8, "invariant TSC", NOTHING)                                        \
	X(0x80000008, 0, ebx,  0, "CLZERO", NOTHING)                                               \
	X(0x80000008, 0, ebx,  2, "FPU error pointers restored", NOTHING)                          \
	X(0x80000008, 0, ebx,  9, "WBNOINVD", NOTHING)                                             \
	X(0x80000008, 0, ebx, 12, "IBPB", IBPB)                                                    \
	X(0x80000008, 0, ebx, 14, "IBRS", SPEC_CTRL)                                               \
	X(0x80000008, 0, ebx, 15, "STIBP", SPEC_CTRL)                                              \
	X(0x80000008, 0, ebx, 16, "IBRS always on", SPEC_CTRL)                                     \
	X(0x80000008, 0, ebx, 17, "STIBP always on", SPEC_CTRL)                                    \
	X(0x80000008, 0, ebx, 18, "IBRS preferred", SPEC_CTRL)                                     \
	X(0x80000008, 0, ebx, 19, "IBRS same mode", SPEC_CTRL)                                     \
	X(0x80000008, 0, ebx, 20, "no EFER.LMSLE", NOTHING)                                        \
	X(0x80000008, 0, ebx, 24, "SSBD", SPEC_CTRL)                                               \
	X(0x80000008, 0, ebx, 26, "SSBD not needed", NOTHING)                                      \
	X(0x80000008, 0, ebx, 28, "PSFD", SPEC_CTRL)                                               \
	X(0x80000008, 0, ebx, 29, "BTC_NO", NOTHING)                                               \
	X(0x80000008, 0, ebx, 30, "IBPB clears return predictor", IBPB)                            \
	X(0x8000001a, 0, eax,  0, "128-bit FPU", NOTHING)                                          \
	X(0x8000001a, 0, eax,  1, "MOVU preferred", NOTHING)                                       \
	X(0x8000001a, 0, eax,  2, "256-bit FPU", AVX)                                              \
	X(0x80000021, 0, eax,  0, "no nested data breakpoints", NOTHING)                           \
	X(0x80000021, 0, eax,  1, "FS and GS base writes do not serialise", NOTHING)               \
	X(0x80000021, 0, eax,  2, "LFENCE serialises", NOTHING)                                    \
	X(0x80000021, 0, eax,  5, "VERW clears", NOTHING)                                          \
	X(0x80000021, 0, eax,  6, "null selector clears base", NOTHING)                            \
	X(0x80000021, 0, eax,  8, "automatic IBRS", AIBRS)                                         \
	X(0x80000021, 0, eax,  9, "no SMM_CTL", NOTHING)                                           \
	X(0x80000021, 0, eax, 10, "fast short REP STOSB", NOTHING)                                 \
	X(0x80000021, 0, eax, 11, "fast short REP CMPSB", NOTHING)                                 \
	X(0x80000021, 0, eax, 28, "IBPB flushes branch types", IBPB)                               \
	X(0x80000021, 0, eax, 29, "SRSO_NO", NOTHING)                                              \
	X(0x80000021, 0, eax, 30, "SRSO_USER_KERNEL_NO", NOTHING)                                  \
	X(0x80000021, 0, ecx,  1, "TSA_SQ_NO", NOTHING)                                            \
	X(0x80000021, 0, ecx,  2, "TSA_L1_NO", NOTHING)
/* clang-format on */

#endif
