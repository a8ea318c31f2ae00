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
	invlpga	%eax, %ecx		/* undefined for a guest: back to the loop */
	ret
#elif ATTACK_hole_fetch
prepare: ret
attack:	mov	$HOLE, %eax
	jmp	*%eax
#elif ATTACK_hole_table		/* page tables where nothing is */
prepare: ret
attack:	mov	$HOLE, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	ret
#elif ATTACK_hole		/* the stack where nothing is */
prepare: ret
attack:	mov	$HOLE, %esp
	int3
	ret
#elif ATTACK_idt		/* the gates in a device, read during a delivery */
prepare: ret
attack:	lidt	device_idt
	int3
device_idt:
	.word	0x7ff
	.long	LAPIC
#elif ATTACK_mmio		/* from device to device */
prepare: ret
attack:	mov	$LAPIC, %esi
	mov	$IOAPIC, %edi
	mov	$0x400, %ecx
	rep movsl
	mov	$IOAPIC, %esi
	mov	$LAPIC, %edi
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
#elif ATTACK_efer		/* every way into paging, by turns, and NX on and off */
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define EFER_NXE 0x800
prepare:
	movl	$directory + 1, pdpt
	movl	$pdpt + 3, pml4
	movl	$0x83, directory
	mov	$0x20, %eax
	mov	%eax, %cr4
	ret
	.macro	in_and_out root
	mov	$\root, %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$0x80000000, %eax
	mov	%eax, %cr0
	and	$0x7fffffff, %eax
	mov	%eax, %cr0
	.endm
attack:	mov	$MSR_EFER, %ecx
	xor	%edx, %edx
	xor	$EFER_NXE, %ebp
	mov	%ebp, %eax
	wrmsr
	in_and_out pdpt			/* of three levels */
	lea	EFER_LME(%ebp), %eax
	wrmsr
	in_and_out pml4			/* of four, in compatibility mode */
	ret
	.bss
	.balign	4096
pml4:	.skip	4096
pdpt:	.skip	4096
directory: .skip 4096
	.text
#elif ATTACK_rewrite
	/*
	 * Each instruction is another than the last time: written by the guest, and by the emulator
	 * for an instruction that overwrites itself with what it reads from a device.
	 */
prepare: ret
attack:	inc	%ebp
	mov	%ebp, %ecx
	and	$7, %ecx
	mov	forms(, %ecx, 8), %eax
	mov	forms + 4(, %ecx, 8), %edx
	mov	%eax, slot
	mov	%edx, slot + 4
	mov	$LAPIC + 0x80, %ebx
	xor	%eax, %eax
	jmp	slot
	.balign	8
slot:	.skip	8, 0x90
	movl	$0x9090a4f3, itself	/* REP MOVSB, and whatever follows */
	mov	$LAPIC + 0x380, %esi
	mov	$itself, %edi
	mov	$4, %ecx
	jmp	itself
	.balign	16
itself:	.skip	16, 0x90
	ret
	.balign	8
forms:	.byte	0x89, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90	/* mov %eax, (%ebx) */
	.byte	0x8b, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90	/* mov (%ebx), %eax */
	.byte	0xc7, 0x03, 0x00, 0x00, 0x00, 0x00, 0x90, 0x90	/* movl $0, (%ebx) */
	.byte	0x09, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90	/* or %eax, (%ebx) */
	.byte	0x87, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90	/* xchg %eax, (%ebx) */
	.byte	0xf7, 0x03, 0x01, 0x00, 0x00, 0x00, 0x90, 0x90	/* testl $1, (%ebx) */
	.byte	0x0f, 0xb6, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90	/* movzbl (%ebx), %eax */
	.byte	0x66, 0x8b, 0x03, 0x90, 0x90, 0x90, 0x90, 0x90	/* mov (%ebx), %ax */
#elif ATTACK_dirty		/* a word of each page */
#define FIRST 0x180000
#define END 0x400000
prepare: ret
attack:	mov	$FIRST, %eax
1:	incl	(%eax)
	add	$4096, %eax
	cmp	$END, %eax
	jb	1b
	ret
#else
#error "no such attack"
#endif
