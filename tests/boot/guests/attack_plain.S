/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks by instructions that exit, or wait. */
#include "attack.h"

#if ATTACK_halt		/* deaf */
prepare: ret
attack:	cli
	hlt
	ret
#elif ATTACK_msr		/* every MSR there is not */
prepare: ret
attack:	inc	%ebp
	mov	%ebp, %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	ret
#elif ATTACK_pause
prepare: ret
attack:	pause
	jmp	attack
#elif ATTACK_ports		/* one instruction, 2^32 bytes */
prepare: ret
attack:	xor	%esi, %esi
	mov	$-1, %ecx
	mov	$0x80, %edx
	rep outsb
	ret
#else
#error "no such attack"
#endif
