/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attacks that need the interrupt stack table, and so 64-bit mode: an exception that comes again on
 * a stack which begins anew each time, so that nothing ever grows and nothing ever ends it.
 */
#include "attack.h"

#define CODE64 24
#define TSS 32
#define TSS_IST1 36
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define CR4_PAE 0x20
#define CR0_PG 0x80000000
#define PRESENT_WRITABLE 3
#define LARGE 0x80
#define NOT_MAPPED 0x40000000		/* the tables reach to 1 GiB */
#define GATE_IST1 0x8f01		/* a trap gate: IF stays what it is */

/* A gate of 16 bytes to \handler on the first stack of the table. */
	.macro	gate_ist vector, handler
	mov	$\handler, %eax
	mov	%ax, idt64 + 16 * \vector
	movw	$CODE64, idt64 + 16 * \vector + 2
	movw	$GATE_IST1, idt64 + 16 * \vector + 4
	shr	$16, %eax
	mov	%ax, idt64 + 16 * \vector + 6
	.endm

prepare:
	movl	$pdpt + PRESENT_WRITABLE, pml4
	movl	$directory + PRESENT_WRITABLE, pdpt
	mov	$PRESENT_WRITABLE + LARGE, %eax
	xor	%ecx, %ecx
1:	mov	%eax, directory(, %ecx, 8)
	add	$0x200000, %eax
	inc	%ecx
	cmp	$512, %ecx
	jb	1b

	movl	$ist_top, tss + TSS_IST1
	mov	$tss, %eax
	mov	%ax, gdt64 + TSS + 2
	shr	$16, %eax
	mov	%al, gdt64 + TSS + 4
	mov	%ah, gdt64 + TSS + 7
	lgdt	gdt64_pointer
	lidt	idt64_pointer

	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	mov	$TSS, %eax
	ltr	%ax

	/* The handler of #PF raises it; it does something, so that an emulator's time passes. */
#if ATTACK_ist_page
	gate_ist 14, page_handler
	ljmp	$CODE64, $1f
	.code64
1:	sti
page_handler:
	inc	%ebp
	mov	%ebp, NOT_MAPPED
	hlt
	/* #DB by the delivery of #DB: its gate is read, its stack written. */
#elif ATTACK_ist_debug
	gate_ist 1, debug_handler
	mov	$idt64 + 16, %eax
	mov	%eax, %dr1
	mov	$0x00b9030f, %eax	/* both of 8 bytes */
	mov	%eax, %dr7
	mov	$ist_top - 8, %eax
	mov	%eax, %dr0
	ljmp	$CODE64, $1f
	.code64
1:	movq	$0, (%rax)
	jmp	1b
debug_handler:
	iretq
#else
#error "no such attack"
#endif
	.code32
attack:	ret

	.data
	.balign	8
gdt64:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
	.quad	0x0000890000000067, 0
gdt64_pointer:
	.word	gdt64_pointer - gdt64 - 1
	.long	gdt64
idt64_pointer:
	.word	32 * 16 - 1
	.long	idt64

	.bss
	.balign	4096
pml4:	.skip	4096
pdpt:	.skip	4096
directory: .skip 4096
idt64:	.skip	32 * 16
tss:	.skip	104
	.balign	16
	.skip	1024
ist_top:
