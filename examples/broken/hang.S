/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The smallest monitor that can hang: 32-bit multiboot, one guest of two instructions, no library.
 *
 * Assembled once for each MISTAKE.  All of them look the same from outside: nothing is printed any
 * more.  scripts/why tells them apart.
 *
 *	0  none: the guest says VMMCALL, and the monitor "ok"
 *	1  the VMRUN intercept is missing: VMRUN is refused, and the monitor tries again
 *	2  RIP is not moved past CPUID: the same exit for ever
 *	3  V_INTR_MASKING is clear and the guest spins with IF = 0: no exit, ever
 *	4  the guest takes a fault without a vector table, and the monitor resumes it after SHUTDOWN
 *	5  EFER.SVME of the host is never set: VMRUN is #UD, and there is no IDT: a reset
 *	6  the guest halts, and the monitor resumes it at once, for ever
 */

#ifndef MISTAKE
#define MISTAKE 0
#endif

#define EFER  0xc0000080
#define HSAVE 0xc0010117
#define SVME  0x1000

#define EXIT_CPUID   0x72
#define EXIT_VMMCALL 0x81

	.section .multiboot, "a"
	.long	0x1badb002, 0, -0x1badb002

	.text
	.globl	entry
entry:
	mov	$stack, %esp
	mov	$EFER, %ecx
	rdmsr
#if MISTAKE != 5
	or	$SVME, %eax
#endif
	wrmsr
	mov	$HSAVE, %ecx
	mov	$hsave, %eax
	xor	%edx, %edx
	wrmsr
	call	make_vmcb

again:
	mov	$vmcb, %eax
	clgi
	vmrun	%eax
	stgi
	cmpl	$EXIT_VMMCALL, vmcb + 0x70
	je	done
#if MISTAKE != 2
	cmpl	$EXIT_CPUID, vmcb + 0x70
	jne	again
	addl	$2, vmcb + 0x578
#endif
	jmp	again

done:
	mov	$0x3f8, %dx
	mov	$'o', %al
	out	%al, %dx
	mov	$'k', %al
	out	%al, %dx
	mov	$'\n', %al
	out	%al, %dx
	mov	$0xf4, %dx
	mov	$0x10, %al
	out	%al, %dx
1:	hlt
	jmp	1b

/* A guest in real mode whose code segment begins at its code.  No nested paging. */
make_vmcb:
	movl	$0x85050009, vmcb + 0x00c	/* INTR INIT RDPMC CPUID HLT INVLPGA SHUTDOWN */
#if MISTAKE == 1
	movl	$0x7e, vmcb + 0x010
#else
	movl	$0x7f, vmcb + 0x010		/* VMRUN and the other SVM instructions */
#endif
	movl	$1, vmcb + 0x058		/* ASID */
#if MISTAKE != 3
	movl	$0x01000000, vmcb + 0x060	/* V_INTR_MASKING */
#endif
	movl	$0x009b0000, vmcb + 0x410	/* CS */
	movl	$0xffff, vmcb + 0x414
	movl	$guest, vmcb + 0x418
	mov	$0x00930000, %eax
	mov	%eax, vmcb + 0x400		/* ES SS DS */
	mov	%eax, vmcb + 0x420
	mov	%eax, vmcb + 0x430
	movl	$0xffff, vmcb + 0x404
	movl	$0xffff, vmcb + 0x424
	movl	$0xffff, vmcb + 0x434
	movl	$0x008b0000, vmcb + 0x490	/* TR */
	movl	$SVME, vmcb + 0x4d0
	movl	$0x10, vmcb + 0x558		/* CR0 */
	movl	$0x400, vmcb + 0x560
	movl	$0xffff0ff0, vmcb + 0x568
	movl	$2, vmcb + 0x570
	ret

	.code16
guest:
	cpuid
#if MISTAKE == 3
1:	jmp	1b
#endif
#if MISTAKE == 4
	ud2				/* IDTR's limit is 0. */
#endif
#if MISTAKE == 6
1:	hlt
	jmp	1b
#endif
	vmmcall
	.code32

	.bss
	.balign	4096
vmcb:	.skip	4096
hsave:	.skip	4096
	.skip	1024
stack:
