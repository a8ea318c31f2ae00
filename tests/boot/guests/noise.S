/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest of noise: runs of random bytes, each begun with an instruction that a monitor has to
 * deal with, in ring 0 with every privilege.  Exceptions lead back into the loop; sooner or later
 * the guest destroys itself in some way.  How it ends does not matter, only that the host goes on.
 *
 * The module's text gives `seed=N`.  HLT and port F4h, which would end it early, are left out.
 */
#include "guest.h"

#define ROUNDS 100000
#define RUN_LENGTH 16

start:
	mov	16(%ebx), %esi		/* the command line */
	call	read_seed
	mov	%eax, state
	load_idt
	call	aim_exceptions_at_loop
	print	"noise begins\n"
	movl	$ROUNDS, rounds

again:
	mov	$stack_top, %esp
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	cld
	decl	rounds
	jz	done

	/* A run: an opener of two bytes from the table, then noise, then a jump back here. */
	call	random
	xor	%edx, %edx
	mov	$((openers_end - openers) / 2), %ecx
	div	%ecx
	mov	openers(, %edx, 2), %ax
	mov	%ax, run
	mov	$(run + 2), %edi
1:	call	random
	cmp	$0xf4, %al
	jne	2f
	mov	$0x90, %al
2:	stosb
	cmp	$(run + RUN_LENGTH), %edi
	jb	1b
	movb	$0xe9, (%edi)
	mov	$again, %eax
	sub	$(run + RUN_LENGTH + 5), %eax
	mov	%eax, 1(%edi)

	/* Registers of noise, an MSR number that exists in ECX half of the time. */
	call	random
	mov	%eax, %ebx
	and	$0xffffff, %ebx		/* often an address that exists */
	mov	%ebx, %esi
	call	random
	mov	%eax, %edx
	call	random
	mov	%eax, %ecx
	test	$1, %eax
	jz	3f
	and	$31, %ecx
	shr	$1, %ecx
	mov	msrs(, %ecx, 4), %ecx
3:	call	random
	jmp	run

done:	print	"noise ends\n"
	finish	0

/* Xorshift, 32 bits, in EAX; keeps all else. */
random:
	push	%edx
	mov	state, %eax
	mov	%eax, %edx
	shl	$13, %edx
	xor	%edx, %eax
	mov	%eax, %edx
	shr	$17, %edx
	xor	%edx, %eax
	mov	%eax, %edx
	shl	$5, %edx
	xor	%edx, %eax
	mov	%eax, state
	pop	%edx
	ret

/* The number behind "seed=" in ESI, or 1; never 0, where the generator would stay. */
read_seed:
	xor	%eax, %eax
1:	mov	(%esi), %dl
	test	%dl, %dl
	jz	3f
	cmpl	$0x64656573, (%esi)	/* "seed" */
	lea	1(%esi), %esi
	jne	1b
	add	$4, %esi		/* past "eed=" */
2:	movzbl	(%esi), %edx
	sub	$0x30, %edx
	cmp	$9, %edx
	ja	3f
	imul	$10, %eax
	add	%edx, %eax
	inc	%esi
	jmp	2b
3:	imul	$0x9e3779b1, %eax
	or	$1, %eax
	ret

aim_exceptions_at_loop:
	xor	%ecx, %ecx
1:	mov	$again, %eax
	mov	%ax, idt(, %ecx, 8)
	shr	$16, %eax
	mov	%ax, idt + 6(, %ecx, 8)
	inc	%ecx
	cmp	$32, %ecx
	jb	1b
	ret

	.data
openers:
	.byte	0x0f, 0x01, 0x0f, 0x01, 0x0f, 0x01	/* SVM, descriptor tables, XSETBV, ... */
	.byte	0x0f, 0x00				/* LLDT, LTR, VERR, ... */
	.byte	0x0f, 0x20, 0x0f, 0x22			/* control registers */
	.byte	0x0f, 0x21, 0x0f, 0x23			/* debug registers */
	.byte	0x0f, 0x30, 0x0f, 0x32, 0x0f, 0x33	/* WRMSR, RDMSR, RDPMC */
	.byte	0x0f, 0xa2, 0x0f, 0x08, 0x0f, 0x09	/* CPUID, INVD, WBINVD */
	.byte	0x0f, 0x06, 0x0f, 0x31, 0x0f, 0xc7	/* CLTS, RDTSC, group 9 */
	.byte	0x0f, 0xae				/* FXSAVE, XSAVE, CLFLUSH, ... */
	.byte	0xed, 0x90, 0xef, 0x90, 0x6c, 0x90, 0x6e, 0x90	/* IN, OUT, INS, OUTS */
	.byte	0xf3, 0x6c, 0xf3, 0x6f			/* REP INS, REP OUTS */
	.byte	0xcd, 0x80, 0xcc, 0x90, 0xce, 0x90	/* INT, INT3, INTO */
	.byte	0xf3, 0x90, 0xfb, 0x90, 0xfa, 0x90	/* PAUSE, STI, CLI */
	.byte	0x8e, 0xd0, 0x0f, 0xb2, 0xcf, 0x90	/* MOV SS, LSS, IRET */
	.byte	0xea, 0x00, 0x9a, 0x00			/* far jump and call */
	.byte	0xa1, 0x00, 0xa3, 0x00			/* MOV from and to anywhere */
	.byte	0x9d, 0x90, 0xf1, 0x90			/* POPF, ICEBP */
openers_end:
	.balign 4
msrs:	.long	0xc0000080, 0xc0010114, 0xc0010117, 0x1b, 0x277, 0x10, 0x174, 0x175
	.long	0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102, 0x1d9, 0xda0
state:	.long	0
rounds:	.long	0
run:	.skip	RUN_LENGTH + 5
