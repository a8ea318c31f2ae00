/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The 256 entry points: each makes the stack look the same (an error code, real or 0, and the
 * vector), then all save the general registers and call trap_dispatch().
 *
 * No SWAPGS: this kernel has no user mode, and the library gives GS back before it sets GIF, so
 * GS is always ours when a handler runs.
 */
	.text
	.balign 16
	.globl	trap_stubs
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign 16
	/* 8, 10-14, 17, 21, 29, 30 come with an error code (APM vol. 2, table 8-1). */
	.set	has_error, vector == 8 || (vector >= 10 && vector <= 14)
	.set	has_error, has_error || vector == 17 || vector == 21 || vector == 29 || vector == 30
	.if	!has_error
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	.set	vector, vector + 1
	.endr

	.balign 16
	.type	trap_common, @function
	.globl	trap_common, trap_common_end
trap_common:
	push	%rax
	push	%rbx
	push	%rcx
	push	%rdx
	push	%rsi
	push	%rdi
	push	%rbp
	push	%r8
	push	%r9
	push	%r10
	push	%r11
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbx
	and	$-16, %rsp
	call	trap_dispatch
	mov	%rbx, %rsp
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%r11
	pop	%r10
	pop	%r9
	pop	%r8
	pop	%rbp
	pop	%rdi
	pop	%rsi
	pop	%rdx
	pop	%rcx
	pop	%rbx
	pop	%rax
	add	$16, %rsp
	iretq
trap_common_end:
	.size	trap_common, . - trap_common

	.section .note.GNU-stack, "", @progbits
