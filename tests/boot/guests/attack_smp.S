/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attacks that take two processors.  The second starts in real mode below 1 MiB, goes on to flat
 * protected mode, and does `second` for ever with a stack and gates of its own.
 */
#include "attack.h"

#define START_PAGE 8
#define START (START_PAGE << 12)
#define ICR LAPIC + 0x300
#define ICR_TO LAPIC + 0x310
#define EOI LAPIC + 0xb0
#define SECOND (1 << 24)

	.macro	send to, command
	movl	$\to, ICR_TO
	movl	$\command, ICR
	.endm

	.macro	start_second
	send	SECOND, 0x4500
	send	SECOND, 0x4600 + START_PAGE
	.endm

prepare:
	mov	$trampoline, %esi
	mov	$START, %edi
	mov	$trampoline_end - trampoline, %ecx
	rep movsb
	mov	$idt, %esi
	mov	$second_idt, %edi
	mov	$32 * 2, %ecx
	rep movsl
	mov	$second_again, %eax
	xor	%ecx, %ecx
1:	mov	%ax, second_idt(, %ecx, 8)
	inc	%ecx
	cmp	$32, %ecx
	jb	1b
	gate	2, nmi_handler
	mov	idt + 16, %eax
	mov	%eax, second_idt + 16
	start_second
	ret

nmi_handler:
	iret

	.code16
trampoline:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	START + trampoline_gdt - trampoline
	mov	%cr0, %eax
	or	$1, %al
	mov	%eax, %cr0
	ljmpl	$8, $second_begin
trampoline_gdt:
	.word	gdt_pointer - gdt - 1
	.long	gdt
trampoline_end:
	.code32

second_begin:
	lidt	second_idt_pointer
	movl	$0x1ff, LAPIC + 0xf0
second_again:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	mov	$second_top, %esp
	call	second
	jmp	second_again

#if ATTACK_ipis			/* at each other */
attack:	sti
	send	SECOND, 0x4000 + VECTOR
	movl	$0, EOI
	ret
second:	sti
	send	0, 0x4000 + VECTOR
	movl	$0, EOI
	ret
#elif ATTACK_nmis
attack:	send	SECOND, 0x4400
	ret
second:	send	0, 0x4400
	ret
#elif ATTACK_inits		/* one starts the other, which never gets far */
attack:	start_second
	ret
second:	mov	LAPIC + 0x20, %eax
	incl	count
	ret
#elif ATTACK_rewriters		/* one executes what the other rewrites */
attack:	mov	$LAPIC + 0x80, %ebx
	xor	%eax, %eax
	mov	$1, %ecx
	call	slot
	ret
	.balign	8
slot:	.byte	0x89, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3
second:	mov	count, %ecx
	inc	%ecx
	and	$7, %ecx
	mov	%ecx, count
	mov	forms(, %ecx, 8), %eax
	mov	%eax, slot		/* what is between two stores may be executed as well */
	mov	forms + 4(, %ecx, 8), %eax
	mov	%eax, slot + 4
	ret
	.balign	8
forms:	.byte	0x89, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3	/* mov %eax, (%ebx) */
	.byte	0x8b, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3	/* mov (%ebx), %eax */
	.byte	0xc7, 0x03, 0x00, 0x00, 0x00, 0x00, 0x90, 0xc3	/* movl $0, (%ebx) */
	.byte	0x90, 0x90, 0x90, 0x90, 0x90, 0x09, 0x03, 0xc3	/* or %eax, (%ebx) */
	.byte	0x87, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3	/* xchg %eax, (%ebx) */
	.byte	0xf7, 0x03, 0x01, 0x00, 0x00, 0x00, 0x90, 0xc3	/* testl $1, (%ebx) */
	.byte	0x0f, 0x06, 0x0f, 0x20, 0xc0, 0x90, 0x90, 0xc3	/* clts; mov %cr0, %eax */
	.byte	0xe6, 0x80, 0xe4, 0x80, 0x0f, 0xa2, 0x90, 0xc3	/* out; in; cpuid */
#else
#error "no such attack"
#endif

	.data
second_idt_pointer:
	.word	32 * 8 - 1
	.long	second_idt
count:	.long	0

	.bss
	.balign	8
second_idt: .skip 32 * 8
	.skip	4096
second_top:
