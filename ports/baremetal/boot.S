/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the multiboot loader's 32-bit protected mode to the first line of C.
 *
 * Multiboot 1, since both QEMU's -kernel and GRUB speak it.  It starts us with paging off and
 * leaves everything else (GDT, IDT, stack) undefined, so nothing here touches a segment or a
 * stack before our own.
 *
 * C never runs with a page that is both writable and executable: the bootstrap tables built here
 * map text read-only and executable, read-only data without either, data writable; the direct map
 * of physical memory never executes and shows the image's read-only part read-only as well.  Only
 * the page of the mode switch itself is mapped one to one, and it goes before C starts.
 */
#include "layout.h"

#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_LOADER_MAGIC 0x2badb002
#define MULTIBOOT_ALIGN_MODULES 1
#define MULTIBOOT_MEMORY_MAP 2

#define PTE_P  0x001
#define PTE_RW 0x002
#define PTE_PS 0x080
#define PTE_NX_HIGH 0x80000000		/* bit 63, in the upper half of an entry */

#define CPUID_LONG_MODE_BIT 29		/* Fn8000_0001 EDX */
#define CPUID_NX_BIT 20
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CR0_PG_WP_NE_MP_PE 0x80010023

#define COM1 0x3f8

	.section .boot.header, "a"
	.balign 4
	.long	MULTIBOOT_HEADER_MAGIC
	.long	MULTIBOOT_ALIGN_MODULES | MULTIBOOT_MEMORY_MAP
	.long	-(MULTIBOOT_HEADER_MAGIC + (MULTIBOOT_ALIGN_MODULES | MULTIBOOT_MEMORY_MAP))

	.section .boot.text, "ax"
	.code32
	.globl	boot_entry
boot_entry:
	cli
	cld
	mov	%ebx, %ebp		/* physical address of the multiboot information */
	mov	$boot_text_no_multiboot, %esi
	cmp	$MULTIBOOT_LOADER_MAGIC, %eax
	jne	boot_refuse

	mov	$boot_text_no_long_mode, %esi
	mov	$0x80000000, %eax
	cpuid
	cmp	$0x80000001, %eax
	jb	boot_refuse
	mov	$0x80000001, %eax
	cpuid
	bt	$CPUID_LONG_MODE_BIT, %edx
	jnc	boot_refuse
	mov	$boot_text_no_nx, %esi
	bt	$CPUID_NX_BIT, %edx
	jnc	boot_refuse

	/* The upper levels: three of them per area, all in .boot.bss and zero so far. */
	movl	$(boot_pdpt_low + PTE_P + PTE_RW), boot_pml4
	movl	$(boot_pdpt_direct + PTE_P + PTE_RW), boot_pml4 + 256 * 8
	movl	$(boot_pdpt_image + PTE_P + PTE_RW), boot_pml4 + 511 * 8
	movl	$(boot_pd_low + PTE_P + PTE_RW), boot_pdpt_low
	movl	$(boot_pt_low + PTE_P + PTE_RW), boot_pd_low
	movl	$(boot_pd_image + PTE_P + PTE_RW), boot_pdpt_image + 510 * 8

	/* One to one: the pages of .boot.text, read and execute. */
	mov	$boot_text_start, %eax
1:	mov	%eax, %ecx
	shr	$12, %ecx
	lea	PTE_P(%eax), %edx
	mov	%edx, boot_pt_low(, %ecx, 8)
	add	$0x1000, %eax
	cmp	$boot_text_end, %eax
	jb	1b

	/* Direct map: 4 GiB of 2 MiB leaves, writable, not executable. */
	xor	%ecx, %ecx
2:	mov	%ecx, %eax
	shl	$21, %eax
	or	$(PTE_P + PTE_RW + PTE_PS), %eax
	mov	%eax, boot_pd_direct(, %ecx, 8)
	movl	$PTE_NX_HIGH, boot_pd_direct + 4(, %ecx, 8)
	inc	%ecx
	cmp	$2048, %ecx
	jb	2b
	xor	%ecx, %ecx
3:	mov	%ecx, %eax
	shl	$12, %eax
	add	$(boot_pd_direct + PTE_P + PTE_RW), %eax
	mov	%eax, boot_pdpt_direct(, %ecx, 8)
	inc	%ecx
	cmp	$4, %ecx
	jb	3b

	/* The first IMAGE_LIMIT bytes by pages, in the image's area and in the direct map. */
	xor	%ecx, %ecx
4:	mov	%ecx, %eax
	shl	$12, %eax
	lea	boot_pt_image + PTE_P + PTE_RW(%eax), %edx
	mov	%edx, boot_pd_image(, %ecx, 8)
	lea	boot_pt_direct + PTE_P + PTE_RW(%eax), %edx
	mov	%edx, boot_pd_direct(, %ecx, 8)
	movl	$0, boot_pd_direct + 4(, %ecx, 8)
	inc	%ecx
	cmp	$IMAGE_PAGE_TABLES, %ecx
	jb	4b

	xor	%ecx, %ecx
5:	mov	%ecx, %eax
	shl	$12, %eax
	xor	%edx, %edx		/* the image's entry: low half in ebx, high half in edx */
	xor	%ebx, %ebx
	lea	PTE_P + PTE_RW(%eax), %edi	/* the direct map's entry, low half */
	cmp	$image_text_phys, %eax
	jb	6f
	cmp	$image_end_phys, %eax
	jae	6f
	lea	PTE_P(%eax), %ebx
	cmp	$image_rodata_phys, %eax
	jb	7f			/* text: read, execute */
	mov	$PTE_NX_HIGH, %edx
	cmp	$image_data_phys, %eax
	jb	7f			/* read-only data */
	or	$PTE_RW, %ebx
	jmp	6f
7:	mov	%ebx, %edi		/* what must not be written is not written by its alias */
6:	mov	%ebx, boot_pt_image(, %ecx, 8)
	mov	%edx, boot_pt_image + 4(, %ecx, 8)
	mov	%edi, boot_pt_direct(, %ecx, 8)
	movl	$PTE_NX_HIGH, boot_pt_direct + 4(, %ecx, 8)
	inc	%ecx
	cmp	$(IMAGE_PAGE_TABLES * 512), %ecx
	jb	5b

	mov	%cr4, %eax
	or	$CR4_PAE, %eax
	mov	%eax, %cr4
	mov	$boot_pml4, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME_NXE, %eax
	wrmsr
	mov	$CR0_PG_WP_NE_MP_PE, %eax
	mov	%eax, %cr0
	lgdt	boot_gdt_pointer
	ljmp	$SELECTOR_CODE, $boot_long

	.code64
boot_long:
	movabs	$boot_high, %rax
	jmp	*%rax

	/* Descriptors carry the accessed bit: the processor would otherwise write it here. */
	.balign 8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SELECTOR_CODE: 64-bit, ring 0 */
	.quad	0x00cf93000000ffff	/* SELECTOR_DATA */
boot_gdt_pointer:
	.word	boot_gdt_pointer - boot_gdt - 1
	.long	boot_gdt

	/* No console yet: say why on COM1 as the firmware left it, then stop. */
	.code32
boot_refuse:
	mov	$(COM1 + 5), %dx
	mov	$0x10000, %ecx
1:	in	%dx, %al
	test	$0x20, %al
	loopz	1b
	mov	$COM1, %dx
	lodsb
	test	%al, %al
	jz	2f
	out	%al, %dx
	jmp	boot_refuse
2:	mov	$0x7f, %al		/* QEMU's isa-debug-exit, where it is */
	out	%al, $0xf4
3:	hlt
	jmp	3b
boot_text_no_multiboot:
	.asciz	"libsvm: not started by a multiboot 1 loader\r\n"
boot_text_no_long_mode:
	.asciz	"libsvm: this processor has no 64-bit long mode\r\n"
boot_text_no_nx:
	.asciz	"libsvm: this processor has no no-execute pages\r\n"

	.text
	.code64
	.globl	boot_high
	.type	boot_high, @function
boot_high:
	movabs	$boot_gdt_high, %rax
	lgdt	(%rax)
	mov	$SELECTOR_DATA, %eax
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	mov	$boot_stack_top, %rsp
	movabs	$(DIRECT_MAP + boot_pml4), %rax
	movq	$0, (%rax)		/* nothing is mapped one to one any more */
	mov	%cr3, %rax
	mov	%rax, %cr3
	mov	%ebp, %edi
	xor	%ebp, %ebp		/* end of the chain of frames */
	call	kernel_main
1:	cli
	hlt
	jmp	1b
	.size	boot_high, . - boot_high

	.section .rodata
	.balign 8
boot_gdt_high:
	.word	boot_gdt_pointer - boot_gdt - 1
	.quad	DIRECT_MAP + boot_gdt

	/* The page below the stack is taken away by paging_init(). */
	.section .bss.stack, "aw", @nobits
	.balign 0x1000
	.globl	boot_stack_guard
boot_stack_guard:
	.skip	0x1000
	.globl	boot_stack_bottom
boot_stack_bottom:
	.skip	BOOT_STACK_SIZE
	.globl	boot_stack_top
boot_stack_top:

	.section .boot.bss, "aw", @nobits
	.balign 0x1000
boot_pml4:	.skip 0x1000
boot_pdpt_low:	.skip 0x1000
boot_pd_low:	.skip 0x1000
boot_pt_low:	.skip 0x1000
boot_pdpt_image: .skip 0x1000
boot_pd_image:	.skip 0x1000
boot_pdpt_direct: .skip 0x1000
boot_pd_direct:	.skip 4 * 0x1000
boot_pt_image:	.skip IMAGE_PAGE_TABLES * 0x1000
boot_pt_direct:	.skip IMAGE_PAGE_TABLES * 0x1000

	.section .note.GNU-stack, "", @progbits
