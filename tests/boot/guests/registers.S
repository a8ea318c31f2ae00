/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every register that a guest has holds PATTERN, or as much of it as the register can hold, for as
 * long as this guest lives; a value of another guest's is the end of it.  Two of these with
 * opposite patterns share a processor.  The host takes it away at PAUSE, if it wants to know of it,
 * and with its tick at any other place.
 */
#include "guest.h"

#define ROUNDS_SHOWN 64
#define CR4_XSAVE 0x40000
#define CR4_SSE 0x600
#define UPPER 0x00007fff	/* canonical, whatever the lower half */

	.macro	for_each_msr what
	\what	0xc0000081		/* STAR */
	\what	0xc0000082		/* LSTAR */
	\what	0xc0000083		/* CSTAR */
	\what	0xc0000100		/* FS base */
	\what	0xc0000101		/* GS base */
	\what	0xc0000102		/* kernel GS base */
	\what	0x175
	\what	0x176
	.endm

	.macro	write_msr number
	mov	$\number, %ecx
	mov	$PATTERN, %eax
	mov	$UPPER & PATTERN, %edx
	wrmsr
	.endm

	.macro	check_msr number
	mov	$\number, %ecx
	rdmsr
	cmp	$PATTERN, %eax
	mov	$\number, %edi
	jne	bad
	.endm

	.macro	check_dr number
	mov	%dr\number, %eax
	mov	$\number, %edi
	cmp	$PATTERN, %eax
	jne	bad
	.endm

	.macro	check_xmm number
	movaps	%xmm\number, scratch
	mov	$0x100 + \number, %edi
	call	check_scratch
	.endm

	.macro	check_mm number
	movq	%mm\number, scratch
	movq	%mm\number, scratch + 8
	mov	$0x200 + \number, %edi
	call	check_scratch
	.endm

	.macro	check_ymm number
	vextractf128 $1, %ymm\number, scratch
	mov	$0x300 + \number, %edi
	call	check_scratch
	.endm

start:
	load_idt
	mov	%cr4, %eax
	or	$CR4_SSE, %eax
	mov	%eax, %cr4
	mov	$1, %eax
	cpuid
	/* XSAVE and AVX. */
	and	$0x14000000, %ecx
	cmp	$0x14000000, %ecx
	jne	1f
	mov	%cr4, %eax
	or	$CR4_XSAVE, %eax
	mov	%eax, %cr4
	xor	%ecx, %ecx
	xor	%edx, %edx
	mov	$XCR0_WANTED, %eax
	xsetbv
	movb	$XCR0_WANTED, has_xcr0
1:	for_each_msr write_msr
	mov	$PATTERN, %eax
	mov	%eax, %dr0
	mov	%eax, %dr1
	mov	%eax, %dr2
	mov	%eax, %dr3
	mov	%eax, %cr2
	movd	%eax, %xmm0
	pshufd	$0, %xmm0, %xmm0
	.irp	n, 1, 2, 3, 4, 5, 6, 7
	movaps	%xmm0, %xmm\n
	.endr
	movaps	%xmm0, scratch
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	movq	scratch, %mm\n
	.endr
	cmpb	$7, has_xcr0
	jne	2f
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	vinsertf128 $1, %xmm\n, %ymm\n, %ymm\n
	.endr
2:	print	"registers are filled\n"

again:	mov	$PATTERN, %eax
	mov	%eax, %ebx
	mov	%eax, %ecx
	mov	%eax, %edx
	mov	%eax, %esi
	mov	%eax, %edi
	mov	%eax, %ebp
	pause
	cmp	$PATTERN, %eax
	jne	bad_general
	.irp	reg, ebx, ecx, edx, esi, edi, ebp
	cmp	%eax, %\reg
	jne	bad_general
	.endr
	mov	%cr2, %eax
	cmp	$PATTERN, %eax
	jne	bad_general
	.irp	n, 0, 1, 2, 3
	check_dr \n
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	check_xmm \n
	check_mm \n
	.endr
	decl	rounds
	jnz	again
	/* RDMSR and XGETBV are exits or cost much: now and then. */
	movl	$ROUNDS_SHOWN, rounds
	for_each_msr check_msr
	cmpb	$0, has_xcr0
	je	again
	xor	%ecx, %ecx
	xgetbv
	mov	$0x400, %edi
	cmp	$XCR0_WANTED, %eax
	jne	bad
	cmpb	$7, has_xcr0
	jne	again
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7
	check_ymm \n
	.endr
	jmp	again

check_scratch:
	mov	$PATTERN, %eax
	.irp	at, 0, 4, 8, 12
	cmp	%eax, scratch + \at
	jne	bad
	.endr
	ret

bad_general:
	mov	$0x500, %edi
bad:	print	"a foreign value in register "
	mov	%edi, %eax
	call	print_hex
	print	"\n"
	finish	1

	.data
	.balign 16
scratch:
	.skip	16
rounds:	.long	ROUNDS_SHOWN
has_xcr0:
	.byte	0
