/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From multiboot's 32-bit mode to C in 64-bit mode.  All addresses are physical ones: the low 4 GiB
 * are mapped one to one with 2 MiB leaves, so that nothing here needs a second address.  Firmware's
 * MTRRs keep device memory uncached under them.
 */
	.section .boot, "ax"
	.balign	4
	.long	0x1badb002, 2, -(0x1badb002 + 2)	/* multiboot 1, and tell us of the memory */

	.code32
	.globl	boot
boot:
	cli
	mov	$stack_top, %esp
	mov	%ebx, %edi		/* the multiboot information: kernel_main()'s argument */
	mov	$0x620, %eax		/* PAE; OSFXSR and OSXMMEXCPT, for the FPU of guests */
	mov	%eax, %cr4
	mov	$pml4, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx	/* EFER: LME, and NXE, by which nested tables are read */
	rdmsr
	or	$0x900, %eax
	wrmsr
	mov	$0x80010033, %eax	/* PG WP NE ET MP PE */
	mov	%eax, %cr0
	lgdt	gdt_pointer
	ljmp	$8, $long_mode

	.code64
long_mode:
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	%eax, %ss
	mov	%edi, %edi
	call	kernel_main
1:	cli
	hlt
	jmp	1b

	/* One for each vector, 8 bytes apart: the address that its call pushes says which. */
	.balign	8
	.globl	stubs
stubs:
	.rept	256
	call	interrupt
	.balign	8
	.endr
interrupt:
	.irp	reg, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	push	%\reg
	.endr
	mov	%rsp, %rdi
	cld
	call	on_interrupt
	.irp	reg, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	pop	%\reg
	.endr
	add	$8, %rsp
	iretq

	.balign	8
gdt:
	.quad	0, 0x00af9b000000ffff	/* selector 8: 64-bit code of ring 0 */
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	gdt

	.data
	.balign	0x1000
pml4:	.quad	pdpt + 3
	.balign	0x1000
pdpt:	.quad	directories + 3, directories + 0x1003, directories + 0x2003, directories + 0x3003
	.balign	0x1000
directories:				/* present, writable, leaves */
	.set	page, 0
	.rept	4 * 512
	.quad	page * 0x200000 + 0x83
	.set	page, page + 1
	.endr

	.bss
	.balign	16
	.skip	0x4000
stack_top:

	.section .note.GNU-stack, "", @progbits
