/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One stub for each vector, 16 bytes apart.  Some exceptions push an error code; the others get a
 * zero here, so that all of them look alike to C.
 */
#define WITH_ERROR 0x60227d00	/* vectors 8, 10 to 14, 17, 21, 29, 30 */

	.text
	.balign	16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	16
	.if	vector > 31 || !(WITH_ERROR >> (vector & 31) & 1)
	push	$0
	.endif
	push	$vector
	jmp	1f
	.set	vector, vector + 1
	.endr

1:	.irp	name, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	push	%\name
	.endr
	mov	%rsp, %rdi
	cld
	call	trap
	.irp	name, r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
	pop	%\name
	.endr
	add	$16, %rsp
	iretq
	.section .note.GNU-stack, "", @progbits
