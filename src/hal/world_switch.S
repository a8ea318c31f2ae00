/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * svm_world_switch - run the guest until the next #VMEXIT.
 *
 *	uint64_t svm_world_switch(struct svm_switch *s);
 *	%rax                      %rdi
 *
 * In assembly because from VMRUN until the last store below every general register except RAX and
 * RSP holds a guest value, and no compiler can be told so.  Caller: pinned, RFLAGS.IF = 1 (or 0
 * with SVM_SWITCH_DO_IF), GIF = 1, this CPU's host VMSAVE page filled; so on return.  0: the guest
 * did not run, since a request waits.
 *
 * The order, and why (APM vol. 2, 15.5, 15.17, 15.21):
 *
 * - CLGI comes first, so that neither an interrupt nor an NMI meets the half-switched state.  IF
 *   stays set, which lets a physical interrupt end the guest's run: under V_INTR_MASKING the
 *   host's IF at VMRUN decides.
 * - Requests are looked at behind CLGI: an interrupt that tells of one may have been taken before,
 *   and then the request is seen; from here on it stays pending, and ends the run.  Flags and
 *   requests are one word to compare.
 * - VMRUN takes RAX and RSP from the VMCB, and #VMEXIT gives the host's back.  So RAX is the
 *   VMCB's address before and after, and the stack is ours again at once.
 * - Every #VMEXIT, be it an intercept or a refused entry, goes on at the instruction after
 *   VMRUN.  Only the exit code tells them apart, and that is the caller's work.
 * - Guest VMSAVE and host VMLOAD come before STGI: until then TR, FS and GS are the guest's, and
 *   a host NMI through an IST would take its stack from a TSS that the guest chose.
 * - General registers that still hold guest values are cleared before any RET or indirect
 *   branch, so that no speculation in the host starts from what the guest chose.
 *
 * A host with rules of its own for assembly (Linux: return thunks, objtool) defines
 * SVM_PORT_SWITCH_HEADER as the name of a header with the macros below.
 */
#include "hal/switch.h"

#ifdef SVM_PORT_SWITCH_HEADER
#include SVM_PORT_SWITCH_HEADER
#else
#define SVM_SWITCH_BEGIN(name) .section .text, "ax"; .globl name; .type name, @function; \
	.balign 64; name:
#define SVM_SWITCH_END(name) .size name, . - name
#define SVM_SWITCH_RET ret
#define SVM_SWITCH_LOCAL_CALL /* A call whose return address is dropped follows. */
#endif

#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD  0x49
#define MSR_XSS       0xda0
#define MSR_TSC_AUX   0xc0000103
#define DR7_DISARMED  0x400
#define IBPB          1
#define RSB_ENTRIES   32

/* Write a 64-bit field of s to an MSR; clobbers RAX, RCX, RDX. */
.macro wrmsr_field msr, field
	mov	$\msr, %ecx
	mov	\field(%rdi), %eax
	mov	\field + 4(%rdi), %edx
	wrmsr
.endm

/* Write a 64-bit field of s to XCR0; clobbers RAX, RCX, RDX. */
.macro xsetbv_field field
	xor	%ecx, %ecx
	mov	\field(%rdi), %eax
	mov	\field + 4(%rdi), %edx
	xsetbv
.endm

/* Run the code between if_flag and end_if only if the flag is set in R8. */
.macro if_flag flag, label
	test	$\flag, %r8d
	jz	\label
.endm

SVM_SWITCH_BEGIN(svm_world_switch)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	clgi
	cmpq	$0, SVM_SWITCH_FLAGS(%rdi)	/* SVM_SWITCH_REQUESTS too */
	jne	.Lprepare
.Lenter:
	push	%rdi				/* s, for the stores after the exit */
	mov	SVM_SWITCH_VMCB(%rdi), %rax
	mov	SVM_SWITCH_RBX(%rdi), %rbx
	mov	SVM_SWITCH_RCX(%rdi), %rcx
	mov	SVM_SWITCH_RDX(%rdi), %rdx
	mov	SVM_SWITCH_RSI(%rdi), %rsi
	mov	SVM_SWITCH_RBP(%rdi), %rbp
	mov	SVM_SWITCH_R8(%rdi), %r8
	mov	SVM_SWITCH_R9(%rdi), %r9
	mov	SVM_SWITCH_R10(%rdi), %r10
	mov	SVM_SWITCH_R11(%rdi), %r11
	mov	SVM_SWITCH_R12(%rdi), %r12
	mov	SVM_SWITCH_R13(%rdi), %r13
	mov	SVM_SWITCH_R14(%rdi), %r14
	mov	SVM_SWITCH_R15(%rdi), %r15
	mov	SVM_SWITCH_RDI(%rdi), %rdi	/* last: it was the base */
	vmload	%rax
	vmrun	%rax				/* #VMEXIT goes on here, GIF = 0 */
	vmsave	%rax
	pop	%rax
	mov	%rbx, SVM_SWITCH_RBX(%rax)
	mov	%rcx, SVM_SWITCH_RCX(%rax)
	mov	%rdx, SVM_SWITCH_RDX(%rax)
	mov	%rsi, SVM_SWITCH_RSI(%rax)
	mov	%rdi, SVM_SWITCH_RDI(%rax)
	mov	%rbp, SVM_SWITCH_RBP(%rax)
	mov	%r8, SVM_SWITCH_R8(%rax)
	mov	%r9, SVM_SWITCH_R9(%rax)
	mov	%r10, SVM_SWITCH_R10(%rax)
	mov	%r11, SVM_SWITCH_R11(%rax)
	mov	%r12, SVM_SWITCH_R12(%rax)
	mov	%r13, SVM_SWITCH_R13(%rax)
	mov	%r14, SVM_SWITCH_R14(%rax)
	mov	%r15, SVM_SWITCH_R15(%rax)
	mov	%rax, %rdi
	mov	SVM_SWITCH_HOST_VMCB(%rdi), %rax
	vmload	%rax				/* TR, LDTR, FS, GS, syscall MSRs: the host's */
						/* RAX is what is returned: not 0 */
	mov	SVM_SWITCH_FLAGS(%rdi), %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	jrcxz	.Lleave				/* RCX is clear too then */
	jmp	.Lrestore
.Lleave:
	stgi					/* what is pending is taken here, as the host's */
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	SVM_SWITCH_RET

/*
 * What only some guests need.  R8: flags, RDI: s.  SPEC_CTRL is the last before the entry
 * and, behind the fill of the return stack, the first after the exit, so that the host's own
 * branches run under the host's value.
 */
.Lprepare:
	xor	%eax, %eax
	cmp	%eax, SVM_SWITCH_REQUESTS(%rdi)
	jne	.Lleave
	mov	SVM_SWITCH_FLAGS(%rdi), %r8d
	/*
	 * It stands well before VMRUN, since an exit in the middle of VMRUN would save the
	 * one-instruction shadow that STI opens as the guest's own.
	 */
	if_flag	SVM_SWITCH_DO_IF, 1f
	sti
1:	if_flag	SVM_SWITCH_DO_HOST_DR, 1f
	mov	$DR7_DISARMED, %eax
	mov	%rax, %dr7
1:	if_flag	SVM_SWITCH_DO_GUEST_DR, 1f
	mov	SVM_SWITCH_GUEST_DR(%rdi), %rax
	mov	%rax, %dr0
	mov	SVM_SWITCH_GUEST_DR + 8(%rdi), %rax
	mov	%rax, %dr1
	mov	SVM_SWITCH_GUEST_DR + 16(%rdi), %rax
	mov	%rax, %dr2
	mov	SVM_SWITCH_GUEST_DR + 24(%rdi), %rax
	mov	%rax, %dr3
1:	if_flag	SVM_SWITCH_DO_XCR0, 1f
	mov	SVM_SWITCH_GUEST_XCR0(%rdi), %rax
	cmp	SVM_SWITCH_HOST_XCR0(%rdi), %rax
	je	1f
	xsetbv_field SVM_SWITCH_GUEST_XCR0
1:	if_flag	SVM_SWITCH_DO_XSS, 1f
	wrmsr_field MSR_XSS, SVM_SWITCH_GUEST_XSS
1:	if_flag	SVM_SWITCH_DO_AUX, 1f
	wrmsr_field MSR_TSC_AUX, SVM_SWITCH_GUEST_AUX
1:	if_flag	SVM_SWITCH_DO_IBPB, 1f
	mov	$MSR_PRED_CMD, %ecx
	mov	$IBPB, %eax
	xor	%edx, %edx
	wrmsr
	andl	$~SVM_SWITCH_DO_IBPB, SVM_SWITCH_FLAGS(%rdi)
1:	if_flag	SVM_SWITCH_DO_DIV, 1f
	xor	%edx, %edx			/* 0 / 1: nothing of an earlier quotient stays */
	xor	%eax, %eax
	mov	$1, %ecx
	div	%ecx
1:	if_flag	SVM_SWITCH_DO_VERW, 1f
	push	$0
	mov	%ss, (%rsp)
	verw	(%rsp)
	add	$8, %rsp
1:	if_flag	SVM_SWITCH_DO_SPEC, .Lenter
	wrmsr_field MSR_SPEC_CTRL, SVM_SWITCH_GUEST_SPEC
	jmp	.Lenter

.Lrestore:
	mov	%ecx, %r8d
	xor	%ecx, %ecx
	if_flag	SVM_SWITCH_DO_RSB, 2f
	mov	$RSB_ENTRIES, %ecx
1:	SVM_SWITCH_LOCAL_CALL
	call	3f
	int3					/* speculation that returns here stops */
3:	add	$8, %rsp
	dec	%ecx
	jnz	1b
	lfence
2:	if_flag	SVM_SWITCH_DO_SPEC, 1f
	wrmsr_field MSR_SPEC_CTRL, SVM_SWITCH_HOST_SPEC
1:	if_flag	SVM_SWITCH_DO_XCR0, 1f
	/* Not every processor honours the XSETBV intercept, so what the guest left is read. */
	xor	%ecx, %ecx
	xgetbv
	mov	%eax, SVM_SWITCH_GUEST_XCR0(%rdi)
	mov	%edx, SVM_SWITCH_GUEST_XCR0 + 4(%rdi)
	mov	SVM_SWITCH_GUEST_XCR0(%rdi), %rax
	cmp	SVM_SWITCH_HOST_XCR0(%rdi), %rax
	je	1f
	xsetbv_field SVM_SWITCH_HOST_XCR0
1:	if_flag	SVM_SWITCH_DO_XSS, 1f
	wrmsr_field MSR_XSS, SVM_SWITCH_HOST_XSS
1:	if_flag	SVM_SWITCH_DO_AUX, 1f
	wrmsr_field MSR_TSC_AUX, SVM_SWITCH_HOST_AUX
1:	if_flag	SVM_SWITCH_DO_GUEST_DR, 1f
	mov	%dr0, %rax
	mov	%rax, SVM_SWITCH_GUEST_DR(%rdi)
	mov	%dr1, %rax
	mov	%rax, SVM_SWITCH_GUEST_DR + 8(%rdi)
	mov	%dr2, %rax
	mov	%rax, SVM_SWITCH_GUEST_DR + 16(%rdi)
	mov	%dr3, %rax
	mov	%rax, SVM_SWITCH_GUEST_DR + 24(%rdi)
	mov	SVM_SWITCH_HOST_DR(%rdi), %rax
	mov	%rax, %dr0
	mov	SVM_SWITCH_HOST_DR + 8(%rdi), %rax
	mov	%rax, %dr1
	mov	SVM_SWITCH_HOST_DR + 16(%rdi), %rax
	mov	%rax, %dr2
	mov	SVM_SWITCH_HOST_DR + 24(%rdi), %rax
	mov	%rax, %dr3
1:	if_flag	SVM_SWITCH_DO_HOST_DR, 1f
	mov	SVM_SWITCH_HOST_DR + 32(%rdi), %rax
	mov	%rax, %dr6
	mov	SVM_SWITCH_HOST_DR + 40(%rdi), %rax
	mov	%rax, %dr7			/* #VMEXIT left it disarmed: 15.6 */
1:	if_flag	SVM_SWITCH_DO_IF, 1f
	cli
1:	mov	$1, %eax
	jmp	.Lleave
SVM_SWITCH_END(svm_world_switch)

	.section .note.GNU-stack, "", @progbits
