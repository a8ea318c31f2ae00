/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From a multiboot loader to guest_main(), and the doorbell's interrupt, which counts and ends.
 * The loader leaves 32-bit protected mode without a stack and with a GDT that may be gone.
 */
#include "guest.h"

#define MULTIBOOT_MAGIC 0x1badb002

	.section .multiboot, "a"
	.balign	4
	.long	MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

	.text
	.code32
	.globl	entry
entry:
	mov	$stack_top, %esp
	cld
	lgdt	gdt_pointer
	ljmp	$8, $1f
1:	mov	$16, %ecx
	mov	%ecx, %ds
	mov	%ecx, %es
	mov	%ecx, %ss
	mov	$on_doorbell, %eax
	mov	%ax, idt + DOORBELL * 8
	movw	$8, idt + DOORBELL * 8 + 2
	movw	$0x8e00, idt + DOORBELL * 8 + 4	/* an interrupt gate */
	shr	$16, %eax
	mov	%ax, idt + DOORBELL * 8 + 6
	lidt	idt_pointer
	movl	$0x1ff, LAPIC + 0xf0	/* the local APIC takes vectors */
	call	guest_main
	out	%al, $0xf4	/* the end, with its result as status */
2:	hlt
	jmp	2b

on_doorbell:
	incl	doorbells
	movl	$0, LAPIC + 0xb0	/* end of interrupt */
	iret

	.data
	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	gdt
idt_pointer:
	.word	(DOORBELL + 1) * 8 - 1
	.long	idt

	.bss
	.balign	16
	.skip	4096
stack_top:
idt:	.skip	(DOORBELL + 1) * 8
	.globl	doorbells
doorbells:
	.skip	4

	.section .note.GNU-stack, "", @progbits
