/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest that wants nothing but its share of the processor, and says what it got: rounds of 1,000
 * instructions that each come to the same sum, until its timer has fired as often as `ticks=N` on
 * its command line says, and the longest time between two of those.  Times are in units of 1,024
 * ticks of the TSC.
 */
#include "guest.h"

#define LAPIC 0xfee00000
#define VECTOR 0x40
#define PERIOD 10000000			/* counts of 1 ns */
#define STEPS 250			/* of four instructions each */
#define SEED 0x12345678

start:
	mov	16(%ebx), %esi		/* the command line */
	call	read_ticks
	mov	%eax, wanted
	load_idt
	mov	$timer, %eax
	mov	%ax, gates + 8 * VECTOR
	movw	$8, gates + 8 * VECTOR + 2
	movw	$0x8e00, gates + 8 * VECTOR + 4
	shr	$16, %eax
	mov	%ax, gates + 8 * VECTOR + 6
	/* The exceptions of guest.h, and one gate more. */
	mov	$idt, %esi
	mov	$gates, %edi
	mov	$32 * 2, %ecx
	rep movsl
	lidt	gates_pointer

	call	round
	mov	%eax, expected
	movl	$0x1ff, LAPIC + 0xf0
	movl	$0xb, LAPIC + 0x3e0
	movl	$0x20000 + VECTOR, LAPIC + 0x320
	movl	$PERIOD, LAPIC + 0x380
	print	"victim begins\n"
	call	now
	mov	%eax, begin
	mov	%eax, last
	sti
1:	call	round
	cmp	expected, %eax
	jne	wrong
	incl	rounds
	mov	wanted, %eax
	cmp	%eax, ticks
	jb	1b
	cli
	print	"victim: rounds "
	mov	rounds, %eax
	call	print_hex
	print	" time "
	mov	last, %eax
	sub	begin, %eax
	call	print_hex
	print	" gap "
	mov	gap, %eax
	call	print_hex
	print	"\n"
	finish	0
wrong:
	cli
	print	"victim: a wrong sum\n"
	finish	1

/* The number behind the first = in ESI. */
read_ticks:
	xor	%eax, %eax
1:	mov	(%esi), %dl
	inc	%esi
	test	%dl, %dl
	jz	3f
	cmp	$'=', %dl
	jne	1b
2:	movzbl	(%esi), %edx
	inc	%esi
	sub	$'0', %edx
	cmp	$9, %edx
	ja	3f
	imul	$10, %eax
	add	%edx, %eax
	jmp	2b
3:	ret

round:	mov	$SEED, %eax
	mov	$STEPS, %ecx
1:	add	%ecx, %eax
	rol	$5, %eax
	dec	%ecx
	jnz	1b
	ret

now:	rdtsc
	shrd	$10, %edx, %eax
	ret

timer:	push	%eax
	push	%edx
	incl	ticks
	call	now
	mov	%eax, %edx
	xchg	%eax, last
	sub	%eax, %edx
	cmp	gap, %edx
	jbe	1f
	mov	%edx, gap
1:	movl	$0, LAPIC + 0xb0
	pop	%edx
	pop	%eax
	iret

	.data
	.balign	8
gates_pointer:
	.word	8 * (VECTOR + 1) - 1
	.long	gates
ticks:	.long	0
wanted:	.long	0
rounds:	.long	0
expected: .long	0
begin:	.long	0
last:	.long	0
gap:	.long	0

	.bss
	.balign	8
gates:	.skip	8 * (VECTOR + 1)
