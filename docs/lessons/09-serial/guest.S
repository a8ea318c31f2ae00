/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "guest.h"

#define AT(label) (label - guest + GUEST_START)

	.section .rodata
	.globl	guest, guest_end
	.code16
guest:	mov	$AT(text), %si
1:	mov	$0x3fd, %dx
2:	in	%dx, %al		/* the status */
	test	$0x20, %al
	jz	2b
	mov	$0x3f8, %dx
	lodsb
	test	%al, %al
	jz	3f
	out	%al, %dx
	jmp	1b
3:	hlt

text:	.asciz	"hello from inside\n"
	.code64
guest_end:
	.section .note.GNU-stack, "", @progbits
