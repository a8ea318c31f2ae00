/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attacks by addresses: where devices are, where nothing is, and where it changes. */
#include "attack.h"

#if ATTACK_descriptor		/* a far jump through a table in a device */
prepare: ret
attack:	lgdt	bad_gdt
	ljmp	$8, $again
bad_gdt: .word	0xffff
	.long	LAPIC
#elif ATTACK_flush		/* caches and translations */
prepare: ret
attack:	wbinvd
	invd
	clflush	stack_top
	mov	%cr3, %eax
	mov	%eax, %cr3
	ret
#elif ATTACK_hole		/* the stack where nothing is */
prepare: ret
attack:	mov	$HOLE, %esp
	int3
	ret
#elif ATTACK_mmio		/* from device to device */
prepare: ret
attack:	mov	$LAPIC, %esi
	mov	$IOAPIC, %edi
	mov	$0x400, %ecx
	rep movsl
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
#else
#error "no such attack"
#endif
