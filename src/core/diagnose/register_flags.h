/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_DIAGNOSE_REGISTER_FLAGS_H
#define SVM_CORE_DIAGNOSE_REGISTER_FLAGS_H
/*
 * Bits of registers by the manual's names: X(name, bit).  APM vol. 2, 3.1 and 13.1.1.
 */
#define SVM_CR0_FLAGS(X) \
	X(PE, 0) X(MP, 1) X(EM, 2) X(TS, 3) X(ET, 4) X(NE, 5) X(WP, 16) X(AM, 18) X(NW, 29) \
	X(CD, 30) X(PG, 31)

#define SVM_CR4_FLAGS(X) \
	X(VME, 0) X(PVI, 1) X(TSD, 2) X(DE, 3) X(PSE, 4) X(PAE, 5) X(MCE, 6) X(PGE, 7) X(PCE, 8) \
	X(OSFXSR, 9) X(OSXMMEXCPT, 10) X(UMIP, 11) X(LA57, 12) X(FSGSBASE, 16) X(PCIDE, 17) \
	X(OSXSAVE, 18) X(SMEP, 20) X(SMAP, 21) X(PKE, 22) X(CET, 23)

#define SVM_EFER_FLAGS(X) \
	X(SCE, 0) X(LME, 8) X(LMA, 10) X(NXE, 11) X(SVME, 12) X(LMSLE, 13) X(FFXSR, 14) X(TCE, 15) \
	X(MCOMMIT, 17) X(INTWB, 18) X(UAIE, 20) X(AIBRSE, 21)

#define SVM_RFLAGS_FLAGS(X) \
	X(CF, 0) X(PF, 2) X(AF, 4) X(ZF, 6) X(SF, 7) X(TF, 8) X(IF, 9) X(DF, 10) X(OF, 11) \
	X(NT, 14) X(RF, 16) X(VM, 17) X(AC, 18) X(VIF, 19) X(VIP, 20) X(ID, 21)

#define SVM_DR6_FLAGS(X) X(B0, 0) X(B1, 1) X(B2, 2) X(B3, 3) X(BD, 13) X(BS, 14) X(BT, 15)

#define SVM_DR7_FLAGS(X) \
	X(L0, 0) X(G0, 1) X(L1, 2) X(G1, 3) X(L2, 4) X(G2, 5) X(L3, 6) X(G3, 7) X(LE, 8) X(GE, 9) \
	X(GD, 13)

#define SVM_PAGE_FLAGS(X) \
	X(P, 0) X(RW, 1) X(US, 2) X(PWT, 3) X(PCD, 4) X(A, 5) X(D, 6) X(PS, 7) X(G, 8) X(NX, 63)

#endif
