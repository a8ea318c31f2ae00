/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Real mode to 64-bit mode, with the tables that start.S made for the first processor. */
#define AT(label) (label - trampoline + 0x9000)

	.section .rodata
	.globl	trampoline, trampoline_end
	.code16
trampoline:
	xor	%ax, %ax
	mov	%ax, %ds
	mov	%ax, %ss
	mov	$0x20, %eax
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	$0x80000011, %eax	/* PG and PE at once: no mode in between */
	mov	%eax, %cr0
	lgdtl	AT(pointer)
	ljmpl	$8, $second
	.balign	8
pointer:
	.word	15
	.long	gdt
trampoline_end:

	.text
	.code64
second:	mov	second_stack, %rsp
	call	second_main

	.data
	.globl	second_stack
second_stack:
	.quad	0
	.section .note.GNU-stack, "", @progbits
