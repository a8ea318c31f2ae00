/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest that tries to cost its host more time than its own: the routine `attack`, for ever, after
 * one call of `prepare`.  Every exception leads back to the loop.  How it ends does not matter, but
 * that its neighbour and the host go on.
 */
#include "guest.h"

#define LAPIC  0xfee00000
#define IOAPIC 0xfec00000
#define HOLE   0xd0000000
#define VECTOR 31

	.macro	outb port value
	mov	$\value, %al
	mov	$\port, %edx
	out	%al, %dx
	.endm

/* A 32-bit interrupt gate to \handler, in CS = \selector. */
	.macro	gate vector, handler, selector=8
	mov	$\handler, %eax
	mov	%ax, idt + 8 * \vector
	movw	$\selector, idt + 8 * \vector + 2
	shr	$16, %eax
	mov	%ax, idt + 8 * \vector + 6
	.endm

start:
	load_idt
	xor	%ecx, %ecx
1:	mov	$again, %eax
	mov	%ax, idt(, %ecx, 8)
	shr	$16, %eax
	mov	%ax, idt + 6(, %ecx, 8)
	inc	%ecx
	cmp	$32, %ecx
	jb	1b
	print	"attack begins\n"
	xor	%ebp, %ebp
	call	prepare
again:
	mov	$stack_top, %esp
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	cld
	call	attack
	jmp	again
