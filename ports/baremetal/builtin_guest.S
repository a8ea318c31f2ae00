/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest that runs when no module was given: it prints a greeting through port 3F8h, byte by
 * byte, and ends with VMMCALL.  32-bit protected mode, paging off, runs at any address, needs no
 * stack: each OUT is an exit, and that is all it proves.
 */
#define COM1 0x3f8
#define HYPERCALL_END 0

	.section .rodata
	.balign 16
	.globl	builtin_guest_start, builtin_guest_end
	.code32
builtin_guest_start:
	/* EBX holds the entry address (guest_run.c), so no stack is needed to find the text. */
	lea	(greeting - builtin_guest_start)(%ebx), %esi
	mov	$COM1, %edx
1:	mov	(%esi), %al
	test	%al, %al
	jz	2f
	out	%al, %dx
	inc	%esi
	jmp	1b
2:	mov	$HYPERCALL_END, %eax
	xor	%ebx, %ebx		/* status */
	vmmcall
3:	hlt				/* not reached */
	jmp	3b
greeting:
	.asciz	"hello from the first guest of libsvm\n"
builtin_guest_end:
	.code64

	.section .note.GNU-stack, "", @progbits
