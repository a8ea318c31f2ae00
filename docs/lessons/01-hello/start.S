/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The first instructions.  A multiboot loader leaves us in 32-bit protected mode; C wants 64-bit
 * mode, and that needs paging: the low 4 GiB are mapped one to one by leaves of 2 MiB.
 */
	.section .boot, "ax"
	.balign	4
	.long	0x1badb002, 2, -0x1badb004	/* how the loader knows us */
	.code32
	.globl	start
start:	mov	$stack_top, %esp
	mov	%ebx, %edi		/* the loader's information, for lesson 3 */
	mov	$0x20, %eax		/* CR4: PAE */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER: LME */
	rdmsr
	or	$0x100, %eax
	wrmsr
	mov	$0x80000011, %eax	/* CR0: PG, ET, PE */
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $1f
	.code64
1:	xor	%eax, %eax
	mov	%eax, %ss
	mov	%edi, %edi
	call	kernel_main

	.balign	8
	.globl	gdt, pml4
gdt:	.quad	0, 0x00af9b000000ffff	/* selector 8: 64-bit code */
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.quad	gdt

	.data
	.balign	4096
pml4:	.quad	pdpt + 3		/* present, writable */
	.balign	4096
pdpt:	.quad	pd + 3, pd + 0x1003, pd + 0x2003, pd + 0x3003
	.balign	4096
	.set	address, 0x83		/* and a leaf */
pd:	.rept	2048
	.quad	address
	.set	address, address + 0x200000
	.endr

	.bss
	.balign	16
	.skip	16384
stack_top:
	.section .note.GNU-stack, "", @progbits
