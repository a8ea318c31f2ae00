/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A flat real-mode image, as a boot sector: CS:IP = 07C0:0000, no header, no stack. */
	.text
	.code16
	.globl	entry
entry:
	mov	%cs, %ax
	mov	%ax, %ds
	mov	$(text - entry), %si
	cld
	mov	$0x3f8, %dx
1:	lodsb
	test	%al, %al
	jz	2f
	out	%al, %dx
	jmp	1b
2:	mov	$0, %al
	out	%al, $0xf4
3:	hlt
	jmp	3b
text:	.asciz	"hello from real mode\n"
	.section .note.GNU-stack, "", @progbits
