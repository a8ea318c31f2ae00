/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where an application processor starts: real mode, CS:IP = page:0000.  The code is copied to a
 * page below 1 MiB that smp.c chose, so it addresses itself through CS and through EBX, which
 * holds the page's address; the three pointers that must be absolute are filled in by smp.c.
 *
 * The page is mapped one to one, read and execute, while processors are being started, so that
 * nothing here writes it: descriptors carry their accessed bit.
 */
#include "layout.h"

#define CR0_PE 1
#define CR0_PG_WP_NE_MP_PE 0x80010023
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define SELECTOR_CODE_32 0x18

#define AT(symbol) (symbol - trampoline_start)

	.section .rodata
	.balign 16
	.globl	trampoline_start, trampoline_end
	.globl	trampoline_gdt_base, trampoline_far_32, trampoline_far_64
	.globl	trampoline_root, trampoline_cpu, trampoline_stack, trampoline_c
trampoline_start:
	.code16
	cli
	cld
	mov	%cs, %ax
	mov	%ax, %ds
	xor	%ebx, %ebx
	mov	%ax, %bx
	shl	$4, %ebx
	lgdtl	AT(trampoline_gdtr)
	mov	%cr0, %eax
	or	$CR0_PE, %eax
	mov	%eax, %cr0
	ljmpl	*AT(trampoline_far_32)

	.code32
trampoline_32:
	mov	$SELECTOR_DATA, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	AT(trampoline_root)(%ebx), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME_NXE, %eax
	wrmsr
	mov	$CR0_PG_WP_NE_MP_PE, %eax
	mov	%eax, %cr0
	ljmp	*AT(trampoline_far_64)(%ebx)

	.code64
trampoline_64:
	mov	%ebx, %ebx
	mov	AT(trampoline_cpu)(%rbx), %rdi
	mov	AT(trampoline_stack)(%rbx), %rsp
	xor	%ebp, %ebp
	mov	AT(trampoline_c)(%rbx), %rax
	call	*%rax			/* does not return */

	.balign 8
trampoline_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SELECTOR_CODE */
	.quad	0x00cf93000000ffff	/* SELECTOR_DATA */
	.quad	0x00cf9b000000ffff	/* SELECTOR_CODE_32 */
trampoline_gdtr:
	.word	trampoline_gdtr - trampoline_gdt - 1
trampoline_gdt_base:
	.long	AT(trampoline_gdt)	/* smp.c adds the page's address to these three */
trampoline_far_32:
	.long	AT(trampoline_32)
	.word	SELECTOR_CODE_32
trampoline_far_64:
	.long	AT(trampoline_64)
	.word	SELECTOR_CODE
	.balign 8
trampoline_root:
	.quad	0
trampoline_cpu:
	.quad	0
trampoline_stack:
	.quad	0
trampoline_c:
	.quad	0
trampoline_end:

	.section .note.GNU-stack, "", @progbits
