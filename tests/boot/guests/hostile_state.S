/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A task register, FS and GS of the guest's own, whose bases point at what would kill a host that
 * used them: a host's handler takes its stack from the TSS and its CPU's data from GS.  Thousands
 * of exits, each followed by a look at the registers that must have survived it.
 */
#include "guest.h"

#define ROUNDS 20000
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define POISON 0x0badcafe

	.macro	write_base msr
	mov	$\msr, %ecx
	mov	$POISON, %eax
	mov	$0x00007fff, %edx
	wrmsr
	.endm

	.macro	check_base msr
	mov	$\msr, %ecx
	rdmsr
	cmp	$POISON, %eax
	jne	bad
	cmp	$0x00007fff, %edx
	jne	bad
	.endm

start:
	load_idt
	/* A busy TSS at an address that is no memory: base 0BADC0DEh, limit 67h. */
	movl	$0xc0de0067, gdt_tss
	movl	$0x0b0089ad, gdt_tss + 4
	mov	$24, %ecx
	ltr	%cx
	write_base MSR_FS_BASE
	write_base MSR_GS_BASE
	write_base MSR_KERNEL_GS_BASE
	print	"hostile state is loaded\n"
	movl	$ROUNDS, rounds
1:	mov	$0x11111111, %ebx
	mov	$0x22222222, %esi
	mov	$0x33333333, %edi
	mov	$0x44444444, %ebp
	mov	$0x55, %al
	out	%al, $0x80
	cmp	$0x11111111, %ebx
	jne	bad
	cmp	$0x22222222, %esi
	jne	bad
	cmp	$0x33333333, %edi
	jne	bad
	cmp	$0x44444444, %ebp
	jne	bad
	str	%ax
	cmp	$24, %ax
	jne	bad
	decl	rounds
	jnz	1b
	check_base MSR_FS_BASE
	check_base MSR_GS_BASE
	check_base MSR_KERNEL_GS_BASE
	print	"hostile state survived\n"
	finish	0
bad:	print	"a register changed\n"
	finish	1

	.data
rounds:	.long	0
