/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Into 32-bit protected mode, and then the primes below 10000, with a table at 1 MiB.
 */
#include "guest.h"

#define AT(label) (label - guest + GUEST_START)
#define LIMIT	  10000

	.section .rodata
	.globl	guest, guest_end
	.code16
guest:	lgdtl	AT(gdt_32_pointer)
	mov	$0x11, %eax
	mov	%eax, %cr0
	ljmpl	$8, $AT(1f)
	.code32
1:	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %ss
	xor	%eax, %eax
	cpuid
	mov	$0x100000, %edi
	mov	$2, %ecx
	xor	%ebp, %ebp		/* how many */
2:	cmpb	$0, (%edi, %ecx)
	jne	4f
	inc	%ebp
	mov	%ecx, %eax
3:	add	%ecx, %eax		/* what it divides is no prime */
	cmp	$LIMIT, %eax
	jae	4f
	movb	$1, (%edi, %eax)
	jmp	3b
4:	inc	%ecx
	cmp	$LIMIT, %ecx
	jb	2b
	mov	%ebp, %eax
	vmmcall
	hlt

	.balign	8
gdt_32:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdt_32_pointer:
	.word	gdt_32_pointer - gdt_32 - 1
	.long	AT(gdt_32)
	.code64
guest_end:
	.section .note.GNU-stack, "", @progbits
