/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One instruction that a guest may not execute, INSTRUCTION, called NAME, with operands that would
 * hurt: EAX is the physical address 0 for VMRUN, VMLOAD and VMSAVE, and INVLPGA aims at ASID 0, the
 * host's.  With HANDLED the guest has an IDT and says which exception it got; otherwise it must end
 * alone.
 */
#include "guest.h"

start:
#ifdef HANDLED
	load_idt
#else
	lidt	no_idt
#endif
	print	"about to execute "
	mov	$name, %esi
	call	print_text
	print	"\n"
	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	INSTRUCTION
	print	"it went by\n"
	finish	1

	.section .rodata
name:	.asciz	NAME
no_idt:	.word	0
	.long	0
