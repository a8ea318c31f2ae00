/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the small test guests share: a multiboot 1 header, an entry in 32-bit protected mode with a
 * stack, text on port 3F8h, an end through port F4h, and an IDT in which each exception prints its
 * vector.  Macros, not functions, where a guest may have broken its stack.
 */
#define MULTIBOOT_MAGIC 0x1badb002
#define COM1 0x3f8
#define EXIT_PORT 0xf4

	.section .multiboot, "a"
	.balign 4
	.long	MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

	.section .bss
	.balign 16
	.skip	4096
stack_top:

	.macro	print text
	.section .rodata
9:	.asciz	"\text"
	.text
	mov	$9b, %esi
	call	print_text
	.endm

	.macro	finish status
	mov	$\status, %al
	out	%al, $EXIT_PORT
8:	hlt
	jmp	8b
	.endm

	.text
	.code32
print_text:
	push	%eax
	push	%edx
	mov	$COM1, %edx
1:	lodsb
	test	%al, %al
	jz	2f
	out	%al, %dx
	jmp	1b
2:	pop	%edx
	pop	%eax
	ret

/* EAX as eight hexadecimal digits. */
print_hex:
	push	%ebx
	push	%ecx
	push	%edx
	mov	%eax, %ebx
	mov	$8, %ecx
	mov	$COM1, %edx
1:	rol	$4, %ebx
	mov	%bl, %al
	and	$15, %al
	add	$0x30, %al
	cmp	$0x3a, %al
	jb	2f
	add	$0x27, %al
2:	out	%al, %dx
	loop	1b
	pop	%edx
	pop	%ecx
	pop	%ebx
	ret

	.globl	entry
entry:
	mov	$stack_top, %esp
	cld
	jmp	start

/* A GDT of the guest's own, since multiboot leaves the loader's undefined. */
	.macro	load_gdt
	lgdt	gdt_pointer
	ljmp	$8, $7f
7:	mov	$16, %ecx
	mov	%ecx, %ds
	mov	%ecx, %es
	mov	%ecx, %ss
	.endm

	.macro	load_idt
	load_gdt
	call	fill_idt
	lidt	idt_pointer
	.endm

/* 32 gates of 8 bytes to 32 stubs of 8 bytes. */
fill_idt:
	xor	%ecx, %ecx
1:	lea	exception_stubs(, %ecx, 8), %eax
	mov	%ax, idt(, %ecx, 8)
	movw	$8, idt + 2(, %ecx, 8)
	movw	$0x8e00, idt + 4(, %ecx, 8)
	shr	$16, %eax
	mov	%ax, idt + 6(, %ecx, 8)
	inc	%ecx
	cmp	$32, %ecx
	jb	1b
	ret

	.balign 8
exception_stubs:
	.set	vector, 0
	.rept	32
	.balign 8
	push	$vector
	jmp	exception_common
	.set	vector, vector + 1
	.endr
exception_common:
	/* Flat, whatever the guest had: print_text reads through DS. */
	mov	$16, %eax
	mov	%eax, %ds
	print	"exception "
	pop	%eax
	call	print_hex
	print	"\n"
	finish	3

	.data
	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_tss:
	.quad	0
gdt_pointer:
	.word	gdt_pointer - gdt - 1
	.long	gdt
idt_pointer:
	.word	32 * 8 - 1
	.long	idt

	.bss
	.balign 8
idt:	.skip	32 * 8

	.section .note.GNU-stack, "", @progbits
	.text
