/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Task switches in 32-bit protected mode with paging: JMP and CALL of a TSS and of a task gate,
 * IRET back, and INT n and exceptions through task gates, with and without an error code.  Each
 * task has page tables of its own: only those of the second map a window at 4 MiB.
 *
 * Where the processor has the intercept, the library makes them all; elsewhere the processor.
 * Both must come to the same.  A line for each thing that is wrong, `task_switch all ok` and status
 * 0 for none.
 */
#include "guest.h"

#define CODE 8
#define DATA 16
#define MAIN 24
#define OTHER 32
#define CATCHER 40
#define GATE 48
#define LDT 56
#define ABSENT 64

#define TSS_LINK 0
#define TSS_CR3 0x1c
#define TSS_EIP 0x20
#define TSS_EFLAGS 0x24
#define TSS_ESP 0x38
#define TSS_EBP 0x3c
#define TSS_ESI 0x40
#define TSS_DS 0x54
#define TSS_LDT 0x60
#define TSS_SIZE 0x68

#define WINDOW 0x400000
#define MAGIC 0x600dda7a
#define NT 0x4000
#define CR0_TS 8

/* EAX has to be \value, else the line says which check it was and what came. */
	.macro	expect text, value
	cmp	$\value, %eax
	je	7f
	print	"\text: "
	call	print_hex
	print	"\n"
	incl	failures
7:
	.endm

	.macro	load_eflags
	pushf
	pop	%eax
	.endm

/* A descriptor of a system segment: \selector, base in \base, access byte in \access. */
	.macro	system_descriptor selector, base, access, limit=0x67
	mov	$\base, %eax
	movw	$\limit, table + \selector
	mov	%ax, table + \selector + 2
	shr	$16, %eax
	mov	%al, table + \selector + 4
	movb	$\access, table + \selector + 5
	mov	%ah, table + \selector + 7
	.endm

	.macro	gate vector, selector, offset, access
	mov	$\offset, %eax
	mov	%ax, idt + 8 * \vector
	movw	$\selector, idt + 8 * \vector + 2
	movw	$\access << 8, idt + 8 * \vector + 4
	shr	$16, %eax
	mov	%ax, idt + 8 * \vector + 6
	.endm

	.macro	new_tss tss, eip, stack
	movl	$other_tables, \tss + TSS_CR3
	movl	$\eip, \tss + TSS_EIP
	movl	$2, \tss + TSS_EFLAGS
	movl	$\stack, \tss + TSS_ESP
	movl	$MAGIC, \tss + TSS_ESI
	movl	$DATA, \tss + 0x48		/* ES */
	movl	$CODE, \tss + 0x4c
	movl	$DATA, \tss + 0x50
	movl	$DATA, \tss + TSS_DS
	movl	$0, \tss + 0x58
	movl	$DATA, \tss + 0x5c
	.endm

/* What the second task finds wherever it begins. */
	.macro	expect_other
	mov	%esi, %eax
	expect	"ESI of the second task", MAGIC
	mov	%cr3, %eax
	sub	$other_tables, %eax
	expect	"CR3 of the second task", 0
	mov	WINDOW + word, %eax
	expect	"a word through its own tables", MAGIC
	str	%ax
	movzx	%ax, %eax
	expect	"TR of the second task", OTHER
	sldt	%ax
	movzx	%ax, %eax
	expect	"LDTR of the second task", LDT
	mov	%cr0, %eax
	and	$CR0_TS, %eax
	expect	"CR0.TS after a switch", CR0_TS
	clts
	.endm

/* Back in the first: it is as it was. */
	.macro	expect_main text
	expect_main_state
	mov	steps, %eax
	expect	"\text: steps of the second task", 1
	movl	$0, steps
	.endm

	.macro	expect_main_state
	mov	%ebp, %eax
	expect	"EBP of the first task", 0x12345678
	mov	%esp, %eax
	sub	$stack_top, %eax
	expect	"ESP of the first task", 0
	mov	%cr3, %eax
	sub	$main_tables, %eax
	expect	"CR3 of the first task", 0
	str	%ax
	movzx	%ax, %eax
	expect	"TR of the first task", MAIN
	load_eflags
	and	$NT, %eax
	expect	"NT of the first task", 0
	clts
	.endm

start:
	lgdt	table_pointer
	ljmp	$CODE, $1f
1:	mov	$DATA, %ecx
	mov	%ecx, %ds
	mov	%ecx, %es
	mov	%ecx, %ss
	mov	%ecx, %fs
	mov	%ecx, %gs
	call	fill_idt
	movw	$0x50 * 8 - 1, idt_pointer
	movl	$interrupts, idt_pointer + 2
	call	copy_idt
	lidt	idt_pointer

	/* Both map the first 4 MiB one to one; the second has them at WINDOW too. */
	movl	$0x83, main_tables
	movl	$0x83, other_tables
	movl	$0x83, other_tables + 4
	mov	%cr4, %eax
	or	$0x10, %eax
	mov	%eax, %cr4
	mov	$main_tables, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0

	system_descriptor MAIN, main_tss, 0x89
	system_descriptor OTHER, other_tss, 0x89
	system_descriptor CATCHER, catcher_tss, 0x89
	system_descriptor ABSENT, other_tss, 0x09
	system_descriptor LDT, ldt, 0x82, 7
	movl	$OTHER << 16, table + GATE
	movl	$0x8500, table + GATE + 4
	new_tss	other_tss, second, other_stack
	movl	$LDT, other_tss + TSS_LDT
	new_tss	catcher_tss, catcher, catcher_stack
	movl	$main_tables, main_tss + TSS_CR3
	mov	$MAIN, %eax
	ltr	%ax
	mov	$0x12345678, %ebp

	/* JMP, and the second task jumps back. */
	ljmp	$OTHER, $0
	expect_main "jmp"
	mov	table + MAIN + 4, %eax
	and	$0x1f00, %eax
	expect	"the first TSS is busy", 0xb00
	mov	table + OTHER + 4, %eax
	and	$0x1f00, %eax
	expect	"the second TSS is not", 0x900
	ljmp	$GATE, $0
	expect_main "jmp through a gate"
	ljmp	*pointer
	expect_main "jmp through memory"

	/* CALL, and IRET back; each call finds the task behind its IRET. */
	movl	$nested, other_tss + TSS_EIP
	lcall	$OTHER, $0
	expect_main "call"
	lcall	$OTHER, $0
	expect_main "call again"
	lcall	$GATE, $0
	expect_main "call through a gate"
	int	$0x40
	expect_main "int n"
	mov	table + OTHER + 4, %eax
	and	$0x1f00, %eax
	expect	"the second TSS after IRET", 0x900

	/* Exceptions: the third task takes them, moves EIP of this one on and returns. */
	movl	$1f, resume
	mov	$0x1234, %eax
2:	mov	%eax, %fs
	expect	"a selector behind the table was loaded", 0
1:	expect_main_state
	mov	caught_error, %eax
	expect	"error code of #GP", 0x1234
	mov	caught_eip, %eax
	sub	$2b, %eax
	expect	"EIP of #GP", 0
	movl	$1f, resume
2:	ud2
	expect	"an undefined instruction went on", 0
1:	expect_main_state
	mov	caught_eip, %eax
	sub	$2b, %eax
	expect	"EIP of #UD", 0

	/* Refused in this task, with a handler of its own. */
	movl	$1f, resume
	ljmp	$ABSENT, $0
1:	mov	caught_error, %eax
	expect	"error code of #NP", ABSENT
	expect_main_state

	/* Refused in the next task: its DS is none.  The third task takes it and jumps here. */
	movl	$0x1230, other_tss + TSS_DS
	ljmp	$OTHER, $0
	expect_main_state
	mov	caught_error, %eax
	expect	"error code of #TS", 0x1230
	mov	catcher_link, %eax
	expect	"the task that #TS interrupted", OTHER

	cmpl	$0, failures
	jne	1f
	print	"task_switch all ok\n"
	finish	0
1:	finish	1

/* --- the second task -------------------------------------------------------------------------- */

second:
	expect_other
	load_eflags
	and	$NT, %eax
	expect	"NT after a jmp", 0
	incl	steps
	ljmp	$MAIN, $0
	jmp	second

nested:
	expect_other
	load_eflags
	and	$NT, %eax
	expect	"NT after a call", NT
	mov	other_tss + TSS_LINK, %eax
	expect	"the link after a call", MAIN
	mov	table + MAIN + 4, %eax
	and	$0x1f00, %eax
	expect	"the TSS of the caller", 0xb00
	incl	steps
	iret
	jmp	nested

/* --- the third task: #GP, then #UD, then #TS -------------------------------------------------- */

	.macro	catch
	clts
	mov	main_tss + TSS_EIP, %eax
	mov	%eax, caught_eip
	mov	resume, %eax
	mov	%eax, main_tss + TSS_EIP
	.endm

catcher:
	pop	caught_error
	catch
	iret
	mov	%esp, %eax			/* #UD has no error code. */
	sub	$catcher_stack, %eax
	expect	"stack of a task without error code", 0
	catch
	iret
	pop	caught_error
	clts
	mov	catcher_tss + TSS_LINK, %eax
	mov	%eax, catcher_link
	ljmp	$MAIN, $0
	ud2

/* #NP stays in its task. */
not_present:
	pop	caught_error
	mov	resume, %eax
	mov	%eax, (%esp)
	iret

copy_idt:
	gate	6, CATCHER, 0, 0x85
	gate	10, CATCHER, 0, 0x85
	gate	11, CODE, not_present, 0x8e
	gate	13, CATCHER, 0, 0x85
	mov	$idt, %esi
	mov	$interrupts, %edi
	mov	$32 * 8 / 4, %ecx
	rep movsl
	movw	$OTHER, interrupts + 0x40 * 8 + 2
	movw	$0x8500, interrupts + 0x40 * 8 + 4
	ret

	.data
	.balign 8
table:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.skip	6 * 8
table_pointer:
	.word	table_pointer - table - 1
	.long	table
pointer:
	.long	0
	.word	OTHER
	.balign	4
word:	.long	MAGIC

	.bss
	.balign 4096
main_tables:
	.skip	4096
other_tables:
	.skip	4096
interrupts:
	.skip	0x50 * 8
	.balign	128				/* No TSS crosses a page. */
main_tss:
	.skip	TSS_SIZE
	.balign	128
other_tss:
	.skip	TSS_SIZE
	.balign	128
catcher_tss:
	.skip	TSS_SIZE
	.balign	8
ldt:	.skip	8
failures:
	.skip	4
steps:	.skip	4
resume:	.skip	4
caught_error:
	.skip	4
caught_eip:
	.skip	4
catcher_link:
	.skip	4
	.skip	512
other_stack:
	.skip	512
catcher_stack:
