/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What exits cost that need a PC: its interrupt controllers, and an address where nothing is, which
 * the embedder answers for.
 *
 * The last loops sleep, and the TSC runs on meanwhile.  So each stands between two marks for what
 * counts from outside, tests/bench/outside.c: SLEEPS times arm the local APIC's timer, HLT, wake,
 * handler, EOI.  The second kind is short enough for a host that looks for the end by itself; it
 * has learnt that when it is counted.
 */
#include "guest.h"
#include "measure.h"

#include "../../bench/mark.h"

/* Symbols, since the preprocessor looks into no string. */
	.set	PIC_COMMAND, 0x20
	.set	PIC_MASK, 0x21
	.set	HOLE, 0xd0000000
	.set	LAPIC, 0xfee00000
	.set	LAPIC_ID, (LAPIC + 0x020)
	.set	LAPIC_EOI, (LAPIC + 0x0b0)
	.set	LAPIC_SPURIOUS, (LAPIC + 0x0f0)
	.set	LAPIC_ICR, (LAPIC + 0x300)
	.set	LAPIC_TIMER, (LAPIC + 0x320)
	.set	LAPIC_ERROR, (LAPIC + 0x370)
	.set	LAPIC_COUNT, (LAPIC + 0x380)
	.set	LAPIC_DIVIDE, (LAPIC + 0x3e0)
	.set	ICR_SELF, 0x44000	/* level asserted, to itself */
	.set	ENABLE, 0x1ff
	.set	EOI, 0x20
	.set	MASKED, 0x10000
	.set	BY_1, 0xb
	.set	VECTOR, 31	/* the last that guest.h's IDT has */
	.set	COUNT, 2000000	/* more than a host likes to wait for without sleep */

	.macro	nap
	mov	$SLEEPS, %edi
1:	movl	$NAP, LAPIC_COUNT
	hlt
	dec	%edi
	jnz	1b
	.endm

start:
	load_idt
	mov	$interrupt, %eax
	mov	%ax, idt + VECTOR * 8
	shr	$16, %eax
	mov	%ax, idt + VECTOR * 8 + 6
	movl	$ENABLE, LAPIC_SPURIOUS
	mov	$0xff, %al
	out	%al, $PIC_MASK
	measure_nothing

	measure out-pic, "mov $EOI, %al; out %al, $PIC_COMMAND"
	measure lapic-read, "mov LAPIC_ID, %eax"
	measure lapic-write, "movl $MASKED, LAPIC_ERROR"
	measure mmio-embedder, "mov HOLE, %eax"
	sti
	measure self-ipi, "movl $(ICR_SELF + VECTOR), LAPIC_ICR"

	movl	$BY_1, LAPIC_DIVIDE
	movl	$VECTOR, LAPIC_TIMER
	mov	$SLEEPS, %edi
	nopl	MARK(MARK_SLEEPS)(%eax, %eax)
1:	movl	$COUNT, LAPIC_COUNT
	hlt
	dec	%edi
	jnz	1b
	nopl	MARK(MARK_SLEPT)(%eax, %eax)
	nap
	nopl	MARK(MARK_NAPS)(%eax, %eax)
	nap
	nopl	MARK(MARK_NAPPED)(%eax, %eax)
	finish	0

interrupt:
	movl	$0, LAPIC_EOI
	iret
