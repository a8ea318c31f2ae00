/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Print a dot for each interrupt, and otherwise just spin: only an interrupt gets the host back. */
#include "guest.h"

#define AT(label) (label - guest + GUEST_START)

	.section .rodata
	.globl	guest, guest_end
	.code16
guest:	mov	$GUEST_START, %sp
	movw	$AT(on_tick), 0x20 * 4	/* real mode: four bytes for each vector, at 0 */
	movw	$0, 0x20 * 4 + 2
	xor	%cx, %cx
	sti
1:	cmp	$5, %cx
	jb	1b
	cli
	mov	$10, %al		/* the end of the line */
	call	print
	hlt

on_tick:
	cmp	$5, %cx
	jae	2f
	inc	%cx
	mov	$46, %al		/* a dot */
	call	print
2:	iretw

print:	mov	$0x3f8, %dx
	out	%al, %dx
	retw
	.code64
guest_end:
	.section .note.GNU-stack, "", @progbits
