/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How late does a timer's interrupt come?  Periodic, and so the timer itself says how long ago it
 * was due: what it has counted of the next period.  Twenty times; 20 ms, two slices of the host's
 * scheduler, is the most that is good.
 */
#include "guest.h"

#define LAPIC 0xfee00000
#define VECTOR 0x40
#define PERIOD 100000000	/* ns */
#define LATE_MAX 20000000
#define ROUNDS 20

start:
	load_gdt
	mov	$on_timer, %eax
	mov	%ax, gates + VECTOR * 8
	movw	$8, gates + VECTOR * 8 + 2
	movw	$0x8e00, gates + VECTOR * 8 + 4
	shr	$16, %eax
	mov	%ax, gates + VECTOR * 8 + 6
	lidt	gates_pointer
	movl	$0x1ff, LAPIC + 0xf0	/* on, by software */
	movl	$0xb, LAPIC + 0x3e0	/* a count is a nanosecond */
	movl	$0x20000 + VECTOR, LAPIC + 0x320
	movl	$PERIOD, LAPIC + 0x380
1:	sti
	hlt
	cmpl	$ROUNDS, rounds
	jb	1b
	cli
	print	"latest "
	mov	latest, %eax
	call	print_hex
	print	" ns\n"
	cmpl	$LATE_MAX, latest
	ja	2f
	finish	0
2:	finish	1

on_timer:
	push	%eax
	mov	$PERIOD, %eax
	sub	LAPIC + 0x390, %eax
	cmp	latest, %eax
	jbe	1f
	mov	%eax, latest
1:	incl	rounds
	movl	$0, LAPIC + 0xb0
	pop	%eax
	iret

	.data
rounds:	.long	0
latest:	.long	0
gates_pointer:
	.word	(VECTOR + 1) * 8 - 1
	.long	gates
	.bss
	.balign 8
gates:	.skip	(VECTOR + 1) * 8
