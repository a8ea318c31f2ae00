/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks by interrupts: its own, those of its timers and devices, and the local APIC's errors. */
#include "attack.h"

#if ATTACK_base		/* the local APIC over RAM and away */
prepare: ret
attack:	mov	$0x1b, %ecx
	xor	%edx, %edx
	mov	$0x00100900, %eax
	wrmsr
	movl	$0, LAPIC + 0xb0
	mov	$0xfee00100, %eax
	wrmsr
	mov	$0xfee00900, %eax
	wrmsr
	ret
#elif ATTACK_error		/* an error interrupt whose own vector is an error */
prepare:
	movl	$5, LAPIC + 0x370
	ret
attack:	movl	$0x44003, LAPIC + 0x300
	movl	$0, LAPIC + 0x280
	ret
#elif ATTACK_init		/* INIT to itself */
prepare: ret
attack:	movl	$0, LAPIC + 0x310
	movl	$0x4500, LAPIC + 0x300
	ret
#elif ATTACK_ipi		/* interrupts to itself, each with an EOI */
prepare: ret
attack:	sti
	movl	$0x44000 + VECTOR, LAPIC + 0x300
	movl	$0, LAPIC + 0xb0
	ret
#elif ATTACK_level		/* a level that nobody takes away */
prepare:
	movl	$0x18, IOAPIC
	movl	$0x8000 + VECTOR, IOAPIC + 0x10
	outb	0x3fc, 0x08
	outb	0x3f9, 0x02
	ret
attack:	sti
	movl	$0, LAPIC + 0xb0
	movl	$VECTOR, IOAPIC + 0x40
	ret
#elif ATTACK_nmi		/* NMIs to itself, each ended by IRET */
prepare:
	gate	2, nmi_handler
	ret
nmi_handler:
	iret
attack:	movl	$0, LAPIC + 0x310
	movl	$0x4400, LAPIC + 0x300
	ret
#elif ATTACK_timers		/* every timer at its fastest */
prepare:
	movl	$0xb, LAPIC + 0x3e0	/* count each cycle */
	movl	$0x20000 + VECTOR, LAPIC + 0x320
	movl	$1, LAPIC + 0x380
	movl	$0x14, IOAPIC		/* pin 2: PIT */
	movl	$VECTOR - 1, IOAPIC + 0x10
	movl	$0x20, IOAPIC		/* pin 8: RTC */
	movl	$VECTOR - 2, IOAPIC + 0x10
	outb	0x43, 0x14		/* rate generator, low byte only */
	outb	0x40, 1
	outb	0x70, 0x0a
	outb	0x71, 0x23		/* 8,192 Hz */
	outb	0x70, 0x0b
	outb	0x71, 0x42
	outb	0x70, 0x0c
	ret
attack:	in	$0x71, %al
	sti
	movl	$0, LAPIC + 0xb0
	ret
#else
#error "no such attack"
#endif
