/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "guest.h"

	.section .rodata
	.globl	guest, guest_end
	.code16
guest:	mov	$0x1234, %ax
	mov	%ax, 0x9000
	mov	$0x2000, %bx
	mov	%bx, %ds
	mov	%ax, 0x344		/* 20344h: nobody has mapped it yet */
	vmmcall
	.code64
guest_end:
	.section .note.GNU-stack, "", @progbits
