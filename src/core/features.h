/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_FEATURES_H
#define SVM_CORE_FEATURES_H
/*
 * Bits of architectural registers that more than one core file reads.  APM vol. 2, 3.1, 15.30.
 */
#include <libsvm/types.h>

#define VM_CR_LOCK   SVM_BIT(3)
#define VM_CR_SVMDIS SVM_BIT(4)

#define EFER_SCE  SVM_BIT(0)
#define EFER_LME  SVM_BIT(8)
#define EFER_LMA  SVM_BIT(10)
#define EFER_NXE  SVM_BIT(11)
#define EFER_SVME SVM_BIT(12)

#define CR0_PE SVM_BIT(0)
#define CR0_TS SVM_BIT(3)
#define CR0_ET SVM_BIT(4)
#define CR0_WP SVM_BIT(16)
#define CR0_AM SVM_BIT(18)
#define CR0_NW SVM_BIT(29)
#define CR0_CD SVM_BIT(30)
#define CR0_PG SVM_BIT(31)

#define CR4_DE      SVM_BIT(3)
#define CR4_PSE     SVM_BIT(4)
#define CR4_PAE     SVM_BIT(5)
#define CR4_PGE     SVM_BIT(7)
#define CR4_LA57    SVM_BIT(12)
#define CR4_PCIDE   SVM_BIT(17)
#define CR4_OSXSAVE SVM_BIT(18)
#define CR4_SMEP    SVM_BIT(20)
#define CR4_SMAP    SVM_BIT(21)
#define CR4_PKE     SVM_BIT(22)
#define CR4_CET     SVM_BIT(23)

#define RFLAGS_FIXED SVM_BIT(1)
#define RFLAGS_TF    SVM_BIT(8)
#define RFLAGS_IF    SVM_BIT(9)
#define RFLAGS_RF    SVM_BIT(16)
#define RFLAGS_VM    SVM_BIT(17)
#define RFLAGS_AC    SVM_BIT(18)

/* RFLAGS bits that software can hold: CF PF AF ZF SF TF IF DF OF IOPL NT RF VM AC VIF VIP ID. */
#define RFLAGS_WRITABLE UINT64_C(0x003f7fd5)

#define DR6_WRITABLE    UINT64_C(0x0000e00f)
#define DR7_WRITABLE    UINT64_C(0xffff2bff)
#define DR6_RESET       UINT64_C(0xffff0ff0)
#define DR6_BREAKPOINTS SVM_BITS(3, 0)
#define DR6_BD          SVM_BIT(13)
#define DR6_BS          SVM_BIT(14)
#define DR7_RESET       UINT64_C(0x400)
#define DR7_ENABLES     SVM_BITS(7, 0)
#define DR7_GD          SVM_BIT(13)

#define APIC_BASE_BSP SVM_BIT(8)

#define SPEC_CTRL_IBRS  SVM_BIT(0)
#define SPEC_CTRL_STIBP SVM_BIT(1)
#define SPEC_CTRL_SSBD  SVM_BIT(2)
#define SPEC_CTRL_PSFD  SVM_BIT(7)

#define PAT_RESET UINT64_C(0x0007040600070406)

#endif
