/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks by instructions that exit, or wait. */
#include "attack.h"

#if ATTACK_halt		/* deaf */
prepare: ret
attack:	cli
	hlt
	ret
#elif ATTACK_msr		/* every MSR, most of which there are not */
prepare: ret
attack:	inc	%ebp
	mov	%ebp, %ebx
	shr	$12, %ebx
	and	$3, %ebx
	mov	%ebp, %ecx
	and	$0xfff, %ecx
	add	ranges(, %ebx, 4), %ecx
	xor	%eax, %eax
	xor	%edx, %edx
	wrmsr
	ret
	.balign	4
ranges:	.long	0, 0xc0000000, 0xc0010000, 0x4b564d00
#elif ATTACK_pause
prepare: ret
attack:	pause
	jmp	attack
#elif ATTACK_port		/* each port, in each width */
prepare: ret
attack:	inc	%ebp
	mov	%ebp, %edx
	in	%dx, %al
	in	%dx, %ax
	in	%dx, %eax
	out	%eax, $0x80
	ret
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
