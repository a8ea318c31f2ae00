/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two processors count to 100000 each in one place.  LOCK is what makes it 200000; without it the
 * sum is smaller now and then.  The first one waits for the second and says whether it is right.
 */
#include "guest.h"

#define AT(label) (label - guest + GUEST_START)
#define COUNT	  100000

	.section .rodata
	.globl	guest, guest_end
	.code16
guest:	mov	$COUNT, %ecx
1:	lock incl AT(sum)
	dec	%ecx
	jnz	1b
	test	%bx, %bx		/* which one am I? */
	jz	2f
	incw	AT(second_is_done)
	jmp	.			/* its processor stays here until the end */
2:	cmpw	$0, AT(second_is_done)
	je	2b
	mov	$AT(wrong), %si
	cmpl	$2 * COUNT, AT(sum)
	jne	3f
	mov	$AT(right), %si
3:	mov	$0x3f8, %dx
	mov	$5, %cx
4:	lodsb
	out	%al, %dx
	loop	4b
	hlt

sum:	.long	0
second_is_done:
	.word	0
right:	.ascii	"good\n"
wrong:	.ascii	"bad!\n"
	.code64
guest_end:
	.section .note.GNU-stack, "", @progbits
