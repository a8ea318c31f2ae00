/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RDTSC around loops of one exit each, less the loop itself.  Under QEMU's -icount shift=0 the TSC
 * counts instructions, so that the figures are exact numbers of host instructions (and the one or
 * two of the guest) and repeat to the digit.
 *
 * `measure NAME, INSTRUCTIONS` prints `cost NAME N`, N per round, rounded down; measure_nothing
 * comes before the first of them.
 */
#define ROUNDS 1000

	.macro	measure_nothing
	rdtsc
	mov	%eax, %ebp
	movl	$ROUNDS, rounds
1:	decl	rounds
	jnz	1b
	rdtsc
	sub	%ebp, %eax
	mov	%eax, empty
	.endm

	.macro	measure name, text
	/* Once to warm up caches of every kind, then for the record. */
	mov	$2, %edi
6:	rdtsc
	mov	%eax, %ebp
	movl	$ROUNDS, rounds
5:	\text
	decl	rounds
	jnz	5b
	rdtsc
	sub	%ebp, %eax
	dec	%edi
	jnz	6b
	sub	empty, %eax
	xor	%edx, %edx
	mov	$ROUNDS, %ecx
	div	%ecx
	print	"cost \name "
	call	print_decimal
	print	"\n"
	.endm

	.text
/* EAX in decimal; keeps nothing but ESP and EBP. */
print_decimal:
	xor	%ecx, %ecx
	mov	$10, %ebx
1:	xor	%edx, %edx
	div	%ebx
	push	%edx
	inc	%ecx
	test	%eax, %eax
	jnz	1b
	mov	$COM1, %edx
2:	pop	%eax
	add	$0x30, %al
	out	%al, %dx
	loop	2b
	ret

	.data
rounds:	.long	0
empty:	.long	0
	.text
