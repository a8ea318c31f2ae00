/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest that tries to cost its host more time than its own: ATTACK, one of those below, for ever.
 * Every exception leads back to the loop.  How it ends does not matter, only that its neighbour and
 * the host go on.
 */
#include "guest.h"

#define LAPIC  0xfee00000
#define IOAPIC 0xfec00000
#define HOLE   0xd0000000
#define VECTOR 31

	.macro	outb port value
	mov	$\value, %al
	mov	$\port, %edx
	out	%al, %dx
	.endm

start:
	load_idt
	xor	%ecx, %ecx
1:	mov	$again, %eax
	mov	%ax, idt(, %ecx, 8)
	shr	$16, %eax
	mov	%ax, idt + 6(, %ecx, 8)
	inc	%ecx
	cmp	$32, %ecx
	jb	1b
	print	"attack begins\n"
	xor	%ebp, %ebp
	call	prepare
again:
	mov	$stack_top, %esp
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	cld
	call	attack
	jmp	again

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
#elif ATTACK_nmi		/* NMIs to itself */
prepare: ret
attack:	movl	$0, LAPIC + 0x310
	movl	$0x4400, LAPIC + 0x300
	ret
#elif ATTACK_ipi		/* interrupts to itself, each with an EOI */
prepare: ret
attack:	sti
	movl	$0x44000 + VECTOR, LAPIC + 0x300
	movl	$0, LAPIC + 0xb0
	ret
#elif ATTACK_init		/* INIT to itself */
prepare: ret
attack:	movl	$0, LAPIC + 0x310
	movl	$0x4500, LAPIC + 0x300
	ret
#elif ATTACK_pause
prepare: ret
attack:	pause
	jmp	attack
#elif ATTACK_halt		/* deaf */
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
#elif ATTACK_ports		/* one instruction, 2^32 bytes */
prepare: ret
attack:	xor	%esi, %esi
	mov	$-1, %ecx
	mov	$0x80, %edx
	rep outsb
	ret
#elif ATTACK_mmio		/* from device to device */
prepare: ret
attack:	mov	$LAPIC, %esi
	mov	$IOAPIC, %edi
	mov	$0x400, %ecx
	rep movsl
	ret
#elif ATTACK_hole		/* the stack where nothing is */
prepare: ret
attack:	mov	$HOLE, %esp
	int3
	ret
#elif ATTACK_descriptor		/* a far jump through a table in a device */
prepare: ret
attack:	lgdt	bad_gdt
	ljmp	$8, $again
bad_gdt: .word	0xffff
	.long	LAPIC
#elif ATTACK_timers		/* every timer at its fastest, no EOI */
prepare:
	movl	$0xb, LAPIC + 0x3e0
	movl	$0x20000 + VECTOR, LAPIC + 0x320
	movl	$1, LAPIC + 0x380
	outb	0x43, 0x14
	outb	0x40, 2
	outb	0x70, 0x0a
	outb	0x71, 0x23
	outb	0x70, 0x0b
	outb	0x71, 0x42
	ret
attack:	sti
	movl	$0, LAPIC + 0xb0
	ret
#elif ATTACK_flush		/* caches and translations */
prepare: ret
attack:	wbinvd
	invd
	clflush	stack_top
	mov	%cr3, %eax
	mov	%eax, %cr3
	ret
#elif ATTACK_triple
prepare: ret
attack:	lidt	no_idt
	int3
no_idt:	.word	0
	.long	0
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
#elif ATTACK_error		/* an error interrupt whose own vector is an error */
prepare:
	movl	$5, LAPIC + 0x370
	ret
attack:	movl	$0x44003, LAPIC + 0x300
	movl	$0, LAPIC + 0x280
	ret
#elif ATTACK_paging		/* paging on and off */
prepare:
	movl	$0x83, directory
	mov	$directory, %eax
	mov	%eax, %cr3
	mov	$0x10, %eax
	mov	%eax, %cr4
	ret
attack:	mov	%cr0, %eax
	xor	$0x80000000, %eax
	mov	%eax, %cr0
	ret
	.bss
	.balign	4096
directory: .skip 4096
	.text
#elif ATTACK_base		/* the local APIC over RAM and away */
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
#else
#error "no such attack"
#endif
