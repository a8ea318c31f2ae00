/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Attacks by task switches, each of which is the work of a hundred other instructions.  They exit
 * only on a processor that has the intercept; on others the processor itself keeps switching.
 */
#include "attack.h"

#define CODE 8
#define DATA 16
#define MAIN 24
#define OTHER 32

#define TSS_CR3 0x1c
#define TSS_EIP 0x20
#define TSS_EFLAGS 0x24
#define TSS_ESP 0x38
#define TSS_ES 0x48
#define TSS_CS 0x4c
#define TSS_SS 0x50
#define TSS_DS 0x54
#define TSS_SIZE 0x68

	.macro	system_descriptor selector, base
	mov	$\base, %eax
	movw	$TSS_SIZE - 1, table + \selector
	mov	%ax, table + \selector + 2
	shr	$16, %eax
	mov	%al, table + \selector + 4
	movb	$0x89, table + \selector + 5
	mov	%ah, table + \selector + 7
	.endm

prepare:
	system_descriptor MAIN, main_tss
	system_descriptor OTHER, other_tss
	lgdt	table_pointer
	movl	$other_task, other_tss + TSS_EIP
	movl	$2, other_tss + TSS_EFLAGS
	movl	$other_top, other_tss + TSS_ESP
	movl	$DATA, other_tss + TSS_ES
	movl	$CODE, other_tss + TSS_CS
	movl	$DATA, other_tss + TSS_SS
	movl	$DATA, other_tss + TSS_DS
	mov	$DATA, %eax
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$MAIN, %eax
	ltr	%ax
#if ATTACK_tasks		/* to and fro */
	ret
attack:	ljmp	$OTHER, $0
	jmp	attack
other_task:
	ljmp	$MAIN, $0
	jmp	other_task

#elif ATTACK_nested
	/*
	 * #UD whose delivery raises #PF, since there is no stack; #PF has a task of its own, which
	 * goes back to the cause of it all.
	 */
	mov	$0x3 + 0x80, %eax
	mov	%eax, directory
	mov	$directory, %eax
	mov	%eax, main_tss + TSS_CR3
	mov	%eax, other_tss + TSS_CR3
	mov	%eax, %cr3
	mov	$0x10, %eax		/* PSE */
	mov	%eax, %cr4
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	movw	$OTHER, idt + 14 * 8 + 2
	movw	$0x8500, idt + 14 * 8 + 4
	ret
attack:	mov	$0x800000, %esp
	ud2
other_task:
	add	$4, %esp		/* the error code */
	iret
	jmp	other_task
#else
#error "no such attack"
#endif

	.data
	.balign	8
table:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0, 0
table_pointer:
	.word	table_pointer - table - 1
	.long	table

	.bss
	.balign	4096
directory: .skip 4096
main_tss: .skip	TSS_SIZE
other_tss: .skip TSS_SIZE
	.skip	1024
other_top:
