/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest as bytes, for the monitors of these benchmarks: it lies at INTERRUPTED_GPA and starts
 * there, in flat 32-bit mode.  It writes to a port for ever, and does nothing in its handler of the
 * one interrupt that it knows.
 */
#include "interrupted.h"

#define GPA(label) (label - interrupted + INTERRUPTED_GPA)

	.section .rodata
	.globl	interrupted, interrupted_end
	.code32
interrupted:
	lgdt	GPA(gdt_pointer)
	lidt	GPA(idt_pointer)
	mov	$INTERRUPTED_GPA + INTERRUPTED_SIZE, %esp
	sti
1:	out	%al, $INTERRUPTED_PORT
	jmp	1b
handler:
	iret

	.balign 8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gate:	.short	GPA(handler), 8, 0x8e00, 0
gdt_pointer:
	.short	gate - gdt - 1
	.long	GPA(gdt)
idt_pointer:
	.short	INTERRUPTED_VECTOR * 8 + 7
	.long	GPA(gate) - INTERRUPTED_VECTOR * 8
interrupted_end:

	.section .note.GNU-stack, "", @progbits
