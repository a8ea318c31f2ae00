/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Does an instruction do to device memory what it does to RAM?  Each one runs on RAM, where the
 * processor executes it, and on the device at FEB00000h, where the library does; then registers,
 * the flags that APM vol. 3 defines for it, the vector registers and the 64 bytes around a page
 * boundary must be the same.
 *
 * Two data segments with different bases make the addresses the same too: a case says (%ebx) and
 * finds RAM or the device there.  DS and ES are the segment under test, FS is flat.
 *
 * One line per family, `mmio FAMILY ok` or `mmio FAMILY DIFFERS`, the latter after a line for each
 * word that differs; the status is 0 only if nothing did.
 */
#include "guest.h"

#define DEVICE 0xfeb00000
#define WINDOW 0x10000
#define AREA 0xfe0			/* what is compared: 32 bytes on either side of 1000h */
#define AREA_SIZE 64
#define FLAT 16
#define RAM_SEGMENT 24
#define DEVICE_SEGMENT 32
#define CR4_OSFXSR 0x200
#define COM1_STATUS 0x3fd		/* reads 60h here */

/* Flags that are defined afterwards; DF is always looked at. */
#define ALL 0xcd5
#define LOGIC 0xcc5			/* AF is not */
#define MANY 0x4c5			/* a shift by more than 1: neither AF nor OF */
#define ROTATE 0x4d5			/* a rotate by more than 1: not OF */
#define CARRY 0x401
#define ZERO 0x440
#define PRODUCT 0xc01
#define NONE 0x400

/* What is kept of a run: EAX to EDI, flags, MM0, XMM0, the area. */
#define KEEP_FLAGS 32
#define KEEP_MM 36
#define KEEP_XMM 44
#define KEEP_AREA 60
#define KEEP_SIZE (KEEP_AREA + AREA_SIZE)

/* Rows of four words: name of a family or 0, code or 0, flags, address of a condition. */
	.macro	family name, needs=always
	.pushsection .rodata
name_\@: .asciz	"\name"
	.popsection
	.pushsection .data.cases, "aw"
	.long	name_\@, 0, 0, \needs
	.popsection
	.endm

	.macro	case flags, text
	.pushsection .data.cases, "aw"
	.long	0, case_\@, \flags, 0
	.popsection
case_\@:
	\text
	jmp	case_done
	.endm

/* With the stack in the memory under test. */
	.macro	on_stack flags, text
	case	\flags, "mov %ds, %ecx; mov %ecx, %ss; mov $0x1008, %esp; mov $4, %ecx; \text"
	.endm

	.macro	alu op, flags
	case	\flags, "\op\()b %al, 1(%ebx)"
	case	\flags, "\op\()w %ax, 2(%ebx)"
	case	\flags, "\op\()l %eax, (%ebx)"
	case	\flags, "\op\()b 3(%ebx), %dh"
	case	\flags, "\op\()w 5(%ebx), %dx"
	case	\flags, "\op\()l 4(%ebx), %edx"
	case	\flags, "\op\()b $0x7f, (%ebx)"
	case	\flags, "\op\()w $0x1234, (%ebx)"
	case	\flags, "\op\()l $0x87654321, (%ebx)"
	case	\flags, "\op\()w $-3, (%ebx)"
	case	\flags, "\op\()l $-3, -2(%ebx)"
	.endm

	.macro	alu_locked op, flags
	alu	\op, \flags
	case	\flags, "lock \op\()b %cl, 1(%ebx)"
	case	\flags, "lock \op\()w %cx, 7(%ebx)"
	case	\flags, "lock \op\()l %eax, 4(%ebx)"
	case	\flags, "lock \op\()l $5, -3(%ebx)"
	.endm

	.macro	unary op
	case	ALL, "\op\()b (%ebx)"
	case	ALL, "\op\()w 2(%ebx)"
	case	ALL, "\op\()l 4(%ebx)"
	case	ALL, "\op\()l -1(%ebx)"
	case	ALL, "lock \op\()b 3(%ebx)"
	case	ALL, "lock \op\()l 8(%ebx)"
	.endm

/* Bit offsets within the operand, and before and behind it. */
	.macro	bit op
	case	CARRY, "\op\()l $13, (%ebx)"
	case	CARRY, "\op\()w $9, 2(%ebx)"
	case	CARRY, "\op\()l $63, 4(%ebx)"
	case	CARRY, "mov $17, %ecx; \op\()l %ecx, (%ebx)"
	case	CARRY, "mov $100, %ecx; \op\()l %ecx, (%ebx)"
	case	CARRY, "mov $-75, %ecx; \op\()l %ecx, (%ebx)"
	case	CARRY, "mov $-20, %cx; \op\()w %cx, (%ebx)"
	case	CARRY, "mov $70, %cx; \op\()w %cx, (%ebx)"
	.endm

	.macro	shift op, one, many
	case	\one, "\op\()b $1, (%ebx)"
	case	\one, "\op\()w $1, 2(%ebx)"
	case	\one, "\op\()l $1, -1(%ebx)"
	case	\many, "\op\()b $3, 5(%ebx)"
	case	\many, "\op\()l $7, (%ebx)"
	case	\many, "mov $5, %cl; \op\()w %cl, (%ebx)"
	case	\many, "mov $31, %cl; \op\()l %cl, 4(%ebx)"
	case	ALL, "mov $32, %cl; \op\()l %cl, 4(%ebx)"
	.endm

	.macro	comparison op
	case	ALL, "\op\()b"
	case	ALL, "\op\()w"
	case	ALL, "\op\()l"
	case	ALL, "std; \op\()l; cld"
	.endm

	.pushsection .data.cases, "aw"
	.balign 4
cases:
	.popsection

	family	mov
	case	ALL, "mov (%ebx), %al"
	case	ALL, "mov 1(%ebx), %ch"
	case	ALL, "mov 2(%ebx), %dx"
	case	ALL, "mov 4(%ebx), %esi"
	case	ALL, "mov %ah, (%ebx)"
	case	ALL, "mov %ax, 3(%ebx)"
	case	ALL, "mov %edi, 8(%ebx)"
	case	ALL, "movb $0x5a, 1(%ebx)"
	case	ALL, "movw $0x8001, 2(%ebx)"
	case	ALL, "movl $0xdeadbeef, 4(%ebx)"
	case	ALL, "movl %eax, -4(%ebx, %ecx, 2)"
	/* Bytes of what was written as words, so that no error can undo itself. */
	case	ALL, "movl $0x04030201, (%ebx); mov (%ebx), %al; mov 1(%ebx), %cl"
	family	moffs
	case	ALL, "movb 0x1001, %al"
	case	ALL, "movw 0x1002, %ax"
	case	ALL, "movl 0x1004, %eax"
	case	ALL, "movb %al, 0xfff"
	case	ALL, "movw %ax, 0x1003"
	case	ALL, "movl %eax, 0x1008"
	family	page-crossing
	case	ALL, "mov -1(%ebx), %ax"
	case	ALL, "mov -3(%ebx), %eax"
	case	ALL, "mov %dx, -1(%ebx)"
	case	ALL, "mov %edx, -2(%ebx)"
	case	ALL, "add %eax, -1(%ebx)"
	case	ALL, "lock xadd %eax, -1(%ebx)"
	case	ALL, "movups -7(%ebx), %xmm0"
	case	ALL, "movups %xmm0, -5(%ebx)"
	case	ALL, "movq %mm0, -3(%ebx)"
	family	movx
	case	ALL, "movzbw 1(%ebx), %dx"
	case	ALL, "movzbl 2(%ebx), %edx"
	case	ALL, "movzwl 3(%ebx), %edx"
	case	ALL, "movsbw 1(%ebx), %dx"
	case	ALL, "movsbl 2(%ebx), %edx"
	case	ALL, "movsbl 5(%ebx), %edx"
	case	ALL, "movswl 3(%ebx), %edx"
	case	ALL, "movswl 6(%ebx), %edx"
	family	movbe, has_movbe
	case	ALL, "movbe (%ebx), %edx"
	case	ALL, "movbe 2(%ebx), %dx"
	case	ALL, "movbe %eax, 4(%ebx)"
	case	ALL, "movbe %ax, 1(%ebx)"
	family	add
	alu_locked add, ALL
	family	or
	alu_locked or, LOGIC
	family	adc
	alu_locked adc, ALL
	family	sbb
	alu_locked sbb, ALL
	family	and
	alu_locked and, LOGIC
	family	sub
	alu_locked sub, ALL
	family	xor
	alu_locked xor, LOGIC
	family	cmp
	alu	cmp, ALL
	family	test
	case	LOGIC, "test %al, (%ebx)"
	case	LOGIC, "test %eax, 4(%ebx)"
	case	LOGIC, "testb $0x81, 1(%ebx)"
	case	LOGIC, "testw $0x8001, 1(%ebx)"
	case	LOGIC, "testl $0x80000001, 4(%ebx)"
	family	inc
	unary	inc
	family	dec
	unary	dec
	family	neg
	unary	neg
	family	not
	unary	not
	family	mul
	case	PRODUCT, "mulb (%ebx)"
	case	PRODUCT, "mulw (%ebx)"
	case	PRODUCT, "mull 4(%ebx)"
	case	PRODUCT, "imulb 1(%ebx)"
	case	PRODUCT, "imulw 2(%ebx)"
	case	PRODUCT, "imull 4(%ebx)"
	case	PRODUCT, "imul 4(%ebx), %edx"
	case	PRODUCT, "imul $-7, 4(%ebx), %edx"
	case	PRODUCT, "imul $0x1234, 4(%ebx), %dx"
	case	PRODUCT, "movl $3, (%ebx); imul (%ebx), %ecx"
	family	div
	case	NONE, "movb $0xc1, (%ebx); mov $0x7123, %ax; divb (%ebx)"
	case	NONE, "movl $0x87654321, (%ebx); divl (%ebx)"
	case	NONE, "movl $-77777, (%ebx); mov $-1, %edx; idivl (%ebx)"
	case	NONE, "movw $77, (%ebx); mov $3, %dx; idivw (%ebx)"
	family	xchg
	case	ALL, "xchg %al, 1(%ebx)"
	case	ALL, "xchg %dh, 1(%ebx)"
	case	ALL, "xchg %dx, 2(%ebx)"
	case	ALL, "xchg %edx, 4(%ebx)"
	case	ALL, "lock xchg %edx, -2(%ebx)"
	family	cmpxchg
	case	ALL, "cmpxchg %cl, (%ebx)"
	case	ALL, "cmpxchg %cx, 2(%ebx)"
	case	ALL, "cmpxchg %ecx, 4(%ebx)"
	case	ALL, "mov (%ebx), %al; cmpxchg %cl, (%ebx)"
	case	ALL, "mov 4(%ebx), %eax; cmpxchg %ecx, 4(%ebx)"
	case	ALL, "lock cmpxchg %ecx, 4(%ebx)"
	case	ALL, "mov 4(%ebx), %eax; lock cmpxchg %ecx, 4(%ebx)"
	family	cmpxchg8b
	case	ALL, "cmpxchg8b (%ebx)"
	case	ALL, "lock cmpxchg8b (%ebx)"
	case	ALL, "mov (%ebx), %eax; mov 4(%ebx), %edx; cmpxchg8b (%ebx)"
	case	ALL, "mov (%ebx), %eax; mov 4(%ebx), %edx; lock cmpxchg8b (%ebx)"
	family	xadd
	case	ALL, "xadd %cl, (%ebx)"
	case	ALL, "xadd %cx, 2(%ebx)"
	case	ALL, "xadd %ecx, 4(%ebx)"
	case	ALL, "lock xadd %edx, 4(%ebx)"
	family	bt
	bit	bt
	family	bts
	bit	bts
	case	CARRY, "mov $-33, %ecx; lock bts %ecx, (%ebx)"
	family	btr
	bit	btr
	case	CARRY, "lock btrl $5, (%ebx)"
	family	btc
	bit	btc
	case	CARRY, "mov $33, %ecx; lock btc %ecx, (%ebx)"
	family	scan
	case	ZERO, "bsf (%ebx), %edx"
	case	ZERO, "bsr (%ebx), %edx"
	case	ZERO, "bsr 2(%ebx), %dx"
	case	ZERO, "movl $0, (%ebx); bsf (%ebx), %edx"
	family	rol
	shift	rol, ALL, ROTATE
	family	ror
	shift	ror, ALL, ROTATE
	family	rcl
	shift	rcl, ALL, ROTATE
	family	rcr
	shift	rcr, ALL, ROTATE
	family	shl
	shift	shl, LOGIC, MANY
	family	shr
	shift	shr, LOGIC, MANY
	family	sar
	shift	sar, LOGIC, MANY
	family	shld
	case	LOGIC, "shld $1, %edx, (%ebx)"
	case	MANY, "shld $9, %edx, (%ebx)"
	case	MANY, "shld $5, %dx, 1(%ebx)"
	case	MANY, "mov $17, %cl; shld %cl, %edx, -2(%ebx)"
	family	shrd
	case	LOGIC, "shrd $1, %edx, (%ebx)"
	case	MANY, "shrd $9, %edx, (%ebx)"
	case	MANY, "shrd $5, %dx, 1(%ebx)"
	case	MANY, "mov $17, %cl; shrd %cl, %edx, -2(%ebx)"
	family	setcc
	.irp	condition, o, no, c, nc, z, nz, be, a, s, ns, p, np, l, ge, le, g
	case	ALL, "set\condition 1(%ebx)"
	.endr
	family	cmov
	.irp	condition, o, no, c, nc, z, nz, be, a, s, ns, p, np, l, ge, le, g
	case	ALL, "cmov\condition 4(%ebx), %edx"
	.endr
	case	ALL, "cmovc 2(%ebx), %dx"
	family	push
	case	ALL, "pushl 4(%ebx); mov (%esp), %edx"
	case	ALL, "pushw 2(%ebx); mov (%esp), %dx"
	on_stack	ALL, "push %eax"
	on_stack	ALL, "push %dx"
	on_stack	ALL, "push %esp"
	on_stack	ALL, "push $-3"
	on_stack	ALL, "push $0x12345678"
	on_stack	ALL, "pushl 8(%ebx)"
	on_stack	ALL, "pushl 4(%esp)"
	family	pop
	case	ALL, "push %eax; popl 4(%ebx)"
	case	ALL, "push %ax; popw 2(%ebx)"
	on_stack	ALL, "pop %edx"
	on_stack	ALL, "pop %dx"
	on_stack	ALL, "pop %esp"
	on_stack	ALL, "popl 8(%ebx)"
	on_stack	ALL, "popl 4(%esp)"
	family	segments
	case	ALL, "mov %fs, (%ebx)"
	case	ALL, "movl $16, (%ebx); mov (%ebx), %es; mov %es, %edx"
	case	ALL, "movl $0x1007, (%ebx); movw $24, 4(%ebx); les (%ebx), %edx; mov %es, %ecx"
	case	ALL, "movl $0x1007, (%ebx); movw $24, 4(%ebx); lgs (%ebx), %edx; mov %gs, %ecx"
	/* Bochs leaves the upper half of the word as it was; QEMU and the library write zeros. */
	on_stack ALL, "push %fs; movw $0, 2(%esp)"
	on_stack ALL, "movl $16, 8(%ebx); pop %es; mov %es, %edx"
	on_stack ALL, "pushf"
	on_stack ALL, "movl $0x8d7, 8(%ebx); popf"
	on_stack ALL, "movl $0x2, 8(%ebx); popf"
	family	tables
	case	ALL, "sgdt (%ebx)"
	case	ALL, "sidt 1(%ebx)"
	case	ALL, "smsw (%ebx)"
	case	ALL, "sldt 2(%ebx)"
	case	ALL, "str 4(%ebx)"
	case	ALL, "sgdt 2(%ebx); lgdt 2(%ebx); push %fs; pop %fs; sgdt -8(%ebx)"
	case	ALL, "sidt 2(%ebx); lidt 2(%ebx); sidt -8(%ebx)"
	family	branch
	case	ALL, "movl $1f, (%ebx); jmp *(%ebx); mov $0, %edx; 1:"
	case	ALL, "movl $1f, (%ebx); call *(%ebx); mov $0, %edx; 1: mov (%esp), %ecx"
	on_stack	ALL, "mov $1f, %edx; call *%edx; mov $0, %eax; 1:"
	on_stack	ALL, "call 1f; mov $0, %eax; 1:"
	on_stack	ALL, "movl $1f, 8(%ebx); ret; mov $0, %eax; 1:"
	on_stack	ALL, "movl $1f, 8(%ebx); ret $12; mov $0, %eax; 1:"
	on_stack	ALL, "movl $1f, 4(%ebx); call *4(%ebx); mov $0, %eax; 1:"
	family	movs
	case	ALL, "movsb"
	case	ALL, "movsw"
	case	ALL, "movsl"
	case	ALL, "rep movsb"
	case	ALL, "rep movsl"
	case	ALL, "mov $0xffd, %edi; rep movsw"
	case	ALL, "lea 1(%esi), %edi; mov $9, %ecx; rep movsb"
	case	ALL, "std; rep movsl; cld"
	case	ALL, "xor %ecx, %ecx; rep movsb"
	/* From RAM and to RAM. */
	case	ALL, "mov $pattern, %esi; rep movsl %fs:(%esi), %es:(%edi)"
	case	ALL, "push %fs; pop %es; mov $scratch, %edi; rep movsl; mov %fs:scratch, %eax"
	case	ALL, "push %fs; pop %es; mov $scratch, %edi; rep movsl; mov %fs:scratch + 12, %al"
	family	stos
	case	ALL, "stosb"
	case	ALL, "stosw"
	case	ALL, "stosl"
	case	ALL, "rep stosb"
	case	ALL, "mov $0xff9, %edi; rep stosl"
	case	ALL, "std; rep stosw; cld"
	case	ALL, "mov $0x2000, %edi; mov $1500, %ecx; rep stosb; mov %ds:0x25db, %edx"
	family	lods
	case	ALL, "lodsb"
	case	ALL, "lodsw"
	case	ALL, "lodsl"
	case	ALL, "rep lodsb"
	case	ALL, "std; rep lodsl; cld"
	case	ALL, "mov $0x3000, %esi; mov $1500, %ecx; rep lodsb"
	family	cmps
	comparison cmps
	case	ALL, "mov %esi, %edi; repe cmpsb"
	case	ALL, "lea 4(%esi), %edi; movl $7, (%esi); movl $7, (%edi); repe cmpsl"
	case	ALL, "repe cmpsl"
	case	ALL, "repne cmpsb"
	case	ALL, "lea 8(%esi), %edi; movb $9, 1(%esi); movb $9, 1(%edi); repne cmpsb"
	family	scas
	comparison scas
	case	ALL, "mov 6(%edi), %al; mov $12, %ecx; repne scasb"
	case	ALL, "movl $0x20202020, (%edi); mov $0x20, %al; mov $12, %ecx; repe scasb"
	case	ALL, "mov $12, %ecx; movl %eax, (%edi); repe scasl"
	case	ALL, "mov $0x3000, %edi; mov $1500, %ecx; mov $0, %al; repe scasb"
	case	ALL, "std; mov -3(%edi), %al; mov $12, %ecx; repne scasb; cld"
	family	sse
	case	ALL, "movups 3(%ebx), %xmm0"
	case	ALL, "movups %xmm0, 3(%ebx)"
	case	ALL, "movaps (%ebx), %xmm0"
	case	ALL, "movaps %xmm0, -16(%ebx)"
	case	ALL, "movupd 1(%ebx), %xmm0"
	case	ALL, "movapd %xmm0, (%ebx)"
	case	ALL, "movss 4(%ebx), %xmm0"
	case	ALL, "movss %xmm0, 5(%ebx)"
	case	ALL, "movsd 4(%ebx), %xmm0"
	case	ALL, "movsd %xmm0, 5(%ebx)"
	case	ALL, "movdqa (%ebx), %xmm0"
	case	ALL, "movdqa %xmm0, (%ebx)"
	case	ALL, "movdqu 7(%ebx), %xmm0"
	case	ALL, "movdqu %xmm0, 7(%ebx)"
	case	ALL, "movd 4(%ebx), %xmm0"
	case	ALL, "movd %xmm0, 5(%ebx)"
	case	ALL, "movq 4(%ebx), %xmm0"
	case	ALL, "movq %xmm0, 5(%ebx)"
	case	ALL, "movlps %xmm0, 1(%ebx)"
	case	ALL, "movhps %xmm0, 1(%ebx)"
	case	ALL, "movntps %xmm0, (%ebx)"
	case	ALL, "movntdq %xmm0, 16(%ebx)"
	family	mmx
	case	ALL, "movd 4(%ebx), %mm0"
	case	ALL, "movd %mm0, 4(%ebx)"
	case	ALL, "movq 3(%ebx), %mm0"
	case	ALL, "movq %mm0, 3(%ebx)"
	case	ALL, "movntq %mm0, 8(%ebx)"
	family	movnti
	case	ALL, "movnti %eax, 4(%ebx)"
	family	hints
	case	ALL, "clflush (%ebx)"
	case	ALL, "prefetchnta (%ebx)"
	case	ALL, "prefetcht0 -1(%ebx)"
	case	ALL, "prefetchw (%ebx)"
	case	ALL, "nopl (%ebx)"
	.pushsection .data.cases, "aw"
	.long	0, 0, 0, 0
	.popsection

start:
	load_idt
	mov	$ram, %eax
	mov	$(segments + RAM_SEGMENT), %ecx
	call	set_base
	mov	$DEVICE, %eax
	mov	$(segments + DEVICE_SEGMENT), %ecx
	call	set_base
	lgdt	segments_pointer
	mov	$FLAT, %eax
	mov	%eax, %fs
	mov	%cr4, %eax
	or	$CR4_OSFXSR, %eax
	mov	%eax, %cr4
	mov	$1, %eax
	cpuid
	shr	$22, %ecx
	and	$1, %ecx
	mov	%ecx, has_movbe
	call	strings_of_ports

	movl	$cases, row
next_row:
	mov	row, %esi
	addl	$16, row
	mov	(%esi), %eax
	test	%eax, %eax
	jnz	new_family
	mov	4(%esi), %eax
	test	%eax, %eax
	jz	end_of_cases
	mov	%eax, code
	mov	8(%esi), %eax
	mov	%eax, defined_flags
	incl	number
	cmpl	$0, skipping
	jne	next_row
	/* Each case with the arithmetic flags clear, and set. */
	movl	$0x002, flags_before
	call	run_twice
	movl	$0x8d7, flags_before
	call	run_twice
	jmp	next_row

new_family:
	push	%esi
	call	end_family
	pop	%esi
	mov	(%esi), %eax
	mov	%eax, name
	mov	12(%esi), %eax
	mov	(%eax), %eax
	xor	$1, %eax
	mov	%eax, skipping
	movl	$0, number
	movl	$0, differing
	jmp	next_row

end_of_cases:
	call	end_family
	cmpl	$0, families_differing
	jne	1f
	finish	0
1:	finish	1

end_family:
	cmpl	$0, name
	je	3f
	print	"mmio "
	mov	name, %esi
	call	print_text
	cmpl	$0, skipping
	jne	1f
	cmpl	$0, differing
	jne	2f
	print	" ok\n"
	ret
1:	print	" absent\n"
	ret
2:	incl	families_differing
	print	" DIFFERS\n"
3:	ret

/* EAX into the descriptor at ECX. */
set_base:
	mov	%ax, 2(%ecx)
	shr	$16, %eax
	mov	%al, 4(%ecx)
	mov	%ah, 7(%ecx)
	ret

run_twice:
	mov	$RAM_SEGMENT, %eax
	mov	$kept_of_ram, %edi
	call	run_case
	mov	$DEVICE_SEGMENT, %eax
	mov	$kept_of_device, %edi
	call	run_case
	/* Only what is defined. */
	mov	defined_flags, %eax
	and	%eax, kept_of_ram + KEEP_FLAGS
	and	%eax, kept_of_device + KEEP_FLAGS
	xor	%ebx, %ebx
1:	mov	kept_of_ram(%ebx), %eax
	cmp	kept_of_device(%ebx), %eax
	je	2f
	call	print_difference
2:	add	$4, %ebx
	cmp	$KEEP_SIZE, %ebx
	jb	1b
	ret

print_difference:
	incl	differing
	print	"mmio "
	mov	name, %esi
	call	print_text
	print	" case "
	mov	number, %eax
	call	print_hex
	print	" at "
	mov	%ebx, %eax
	call	print_hex
	print	" ram "
	mov	kept_of_ram(%ebx), %eax
	call	print_hex
	print	" device "
	mov	kept_of_device(%ebx), %eax
	call	print_hex
	print	"\n"
	ret

/* One case in the segment EAX; what it leaves goes to EDI. */
run_case:
	mov	%edi, keep
	mov	%esp, stack_before
	mov	%eax, %ds
	mov	%eax, %es
	mov	$(AREA_SIZE - 4), %ecx
1:	mov	%fs:pattern(%ecx), %eax
	mov	%eax, %ds:AREA(%ecx)
	sub	$4, %ecx
	jns	1b
	movups	%fs:(pattern + 5), %xmm0
	movq	%fs:(pattern + 17), %mm0
	mov	$0x89abcdef, %eax
	mov	$4, %ecx
	mov	$0x12345678, %edx
	mov	$0x1000, %ebx
	mov	$0xff0, %esi
	mov	$0x1008, %edi
	xor	%ebp, %ebp
	pushl	%fs:flags_before
	popf
	jmp	*%fs:code

case_done:
	mov	%eax, %fs:registers
	mov	%esp, %fs:(registers + 4)
	lss	%fs:stack_before, %esp
	pushf
	popl	%fs:(registers + KEEP_FLAGS)
	cld
	mov	%ecx, %fs:(registers + 8)
	mov	%edx, %fs:(registers + 12)
	mov	%ebx, %fs:(registers + 16)
	mov	%ebp, %fs:(registers + 20)
	mov	%esi, %fs:(registers + 24)
	mov	%edi, %fs:(registers + 28)
	movq	%mm0, %fs:(registers + KEEP_MM)
	movups	%xmm0, %fs:(registers + KEEP_XMM)
	mov	$(AREA_SIZE - 4), %ecx
1:	mov	%ds:AREA(%ecx), %eax
	mov	%eax, %fs:(registers + KEEP_AREA)(%ecx)
	sub	$4, %ecx
	jns	1b
	mov	$FLAT, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	$registers, %esi
	mov	keep, %edi
	mov	$(KEEP_SIZE / 4), %ecx
	rep movsl
	ret

/* INS and OUTS, where a port is on the other side: into and from RAM, then the device. */
strings_of_ports:
	mov	$RAM_SEGMENT, %eax
	call	strings_of_ports_in
	mov	$DEVICE_SEGMENT, %eax
strings_of_ports_in:
	mov	%eax, %es
	mov	$line, %esi
	mov	$0x4000, %edi
	mov	$(line_end - line), %ecx
	rep movsb
	mov	%eax, %ds
	mov	$0x4000, %esi
	mov	$(line_end - line), %ecx
	mov	$COM1, %edx
	rep outsb
	mov	$0x4002, %edi
	mov	$6, %ecx
	mov	$COM1_STATUS, %edx
	rep insb
	mov	%ds:0x4002, %eax
	mov	%ds:0x4004, %ebx
	mov	$FLAT, %ecx
	mov	%ecx, %ds
	mov	%ecx, %es
	cmp	$0x4008, %edi
	jne	1f
	cmp	$(0x4000 + line_end - line), %esi
	jne	1f
	cmp	$0x60606060, %eax
	jne	1f
	cmp	%eax, %ebx
	jne	1f
	print	"mmio insb ok\n"
	ret
1:	incl	families_differing
	print	"mmio insb DIFFERS\n"
	ret

	.section .rodata
line:	.ascii	"mmio outsb ok\n"
line_end:

	.data
	.balign 8
segments:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x004093000000ffff	/* 64 KiB, bytes, 32 bits; the base comes at start */
	.quad	0x004093000000ffff
segments_pointer:
	.word	segments_pointer - segments - 1
	.long	segments
always:	.long	1
has_movbe:
	.long	0
stack_before:
	.long	0
	.word	FLAT
	.balign 4
pattern:				/* no byte twice, both signs */
	.set	byte, 0x8f
	.rept	AREA_SIZE
	.byte	byte & 0xff
	.set	byte, byte * 5 + 0x4d
	.endr

	.bss
	.balign 4
row:	.skip	4
code:	.skip	4
defined_flags:
	.skip	4
flags_before:
	.skip	4
name:	.skip	4
number:	.skip	4
skipping:
	.skip	4
differing:
	.skip	4
families_differing:
	.skip	4
keep:	.skip	4
scratch:
	.skip	16
registers:
	.skip	KEEP_SIZE
kept_of_ram:
	.skip	KEEP_SIZE
kept_of_device:
	.skip	KEEP_SIZE
	.balign 4096
ram:	.skip	WINDOW
