/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What mmio.S asks, asked in 64-bit mode and under paging: 64-bit operands, the registers that REX
 * adds, addresses relative to RIP, and accesses that the library finds through the guest's own
 * tables.  Two sets of tables are alike but for the 64 KiB at linear 200000h, which are RAM in one
 * and the device in the other; so a case is the same bytes with the same addresses in both.
 *
 * Text is printed by guest.h's routines, whose bytes mean the same in 64-bit mode.  There is no
 * IDT: an exception shuts the guest down, which is a failure of its own.
 */
#include "guest.h"

#define DEVICE 0xfeb00000
#define LINEAR 0x200000
#define WINDOW_PAGES 16
#define BASE (LINEAR + 0x1000)
#define AREA (BASE - 32)
#define AREA_SIZE 64
#define CODE64 24
#define TSS 32
#define CR4_PAE_OSFXSR 0x220
#define CR0_PG 0x80000000
#define MSR_EFER 0xc0000080
#define MSR_FS_BASE 0xc0000100
#define EFER_LME 0x100
#define PRESENT_WRITABLE 3
#define LARGE 0x80

/* Flags that are defined afterwards; DF is always looked at. */
#define ALL 0xcd5
#define LOGIC 0xcc5			/* AF is not */
#define MANY 0x4c5			/* a shift by more than 1: neither AF nor OF */
#define ROTATE 0x4d5			/* a rotate by more than 1: not OF */
#define CARRY 0x401
#define ZERO 0x440
#define PRODUCT 0xc01
#define NONE 0x400

/*
 * For cases, whose text the preprocessor does not see.  The linker makes `window` the same address:
 * of a number the assembler makes no distance from RIP.
 */
	.set	BASE_SYMBOL, BASE

/* What is kept of a run: RAX to R15, flags, MM0, XMM0, the area. */
#define KEEP_FLAGS 128
#define KEEP_MM 136
#define KEEP_XMM 144
#define KEEP_AREA 160
#define KEEP_SIZE (KEEP_AREA + AREA_SIZE)

/* Rows of three words: name of a family or 0, code or 0, flags. */
	.macro	family name
	.pushsection .rodata
name_\@: .asciz	"\name"
	.popsection
	.pushsection .data.cases, "aw"
	.long	name_\@, 0, 0
	.popsection
	.endm

	.macro	case flags, text
	.pushsection .data.cases, "aw"
	.long	0, case_\@, \flags
	.popsection
case_\@:
	\text
	jmp	case_done
	.endm

/* With the stack in the memory under test. */
	.macro	on_stack flags, text
	case	\flags, "lea 8(%rbx), %rsp; \text"
	.endm

	.macro	alu op, flags
	case	\flags, "\op %rax, (%rbx)"
	case	\flags, "\op %r8, 4(%r12)"
	case	\flags, "\op %r10d, 1(%r13)"
	case	\flags, "\op 8(%r9), %rdx"
	case	\flags, "\op (%rbx), %r11d"
	case	\flags, "\op 3(%rbx), %sil"
	case	\flags, "\op %r8b, -1(%rbx)"
	case	\flags, "\op\()q $-5, (%rbx)"
	case	\flags, "\op\()q $0x87654321 - 0x100000000, 1(%rbx)"
	.endm

	.macro	alu_locked op, flags
	alu	\op, \flags
	case	\flags, "lock \op %r8, 8(%rbx)"
	case	\flags, "lock \op\()q $0x77, -3(%rbx)"
	.endm

	.macro	bit op
	case	CARRY, "\op\()q $61, (%rbx)"
	case	CARRY, "mov $190, %r11d; \op %r11, (%rbx)"
	case	CARRY, "mov $-130, %r11; \op %r11, (%rbx)"
	case	CARRY, "mov $0xffffffa0, %r11d; \op %r11d, (%rbx)"
	.endm

	.macro	shift op, one, many
	case	\one, "\op\()q $1, (%rbx)"
	case	\many, "\op\()q $45, (%r12)"
	case	\many, "mov $63, %cl; \op\()q %cl, -1(%rbx)"
	case	ALL, "mov $64, %cl; \op\()q %cl, (%rbx)"
	.endm

	.pushsection .data.cases, "aw"
	.balign	4
cases:
	.popsection

	.code64
	family	mov
	case	ALL, "mov (%rbx), %rdx"
	case	ALL, "mov (%rbx), %edx"
	case	ALL, "mov (%rbx), %dx"
	case	ALL, "mov (%r12), %r14"
	case	ALL, "mov 1(%r13), %r15d"
	case	ALL, "mov 2(%rbx), %bpl"
	case	ALL, "mov 2(%rbx), %dh"
	case	ALL, "mov %r8, 7(%r9)"
	case	ALL, "mov %sil, (%rbx)"
	case	ALL, "mov %r10w, (%rbx, %rcx, 2)"
	case	ALL, "mov %r8, 16(%r12, %r10, 1)"
	case	ALL, "movq $-7, (%rbx)"
	case	ALL, "movl $-7, 4(%rbx)"
	case	ALL, "mov 4(%ebx), %rdx"
	case	ALL, "mov %fs:4, %rdx"
	case	ALL, "mov %r8, %fs:-4"
	family	moffs
	case	ALL, "movabs BASE_SYMBOL + 1, %rax"
	case	ALL, "movabs BASE_SYMBOL + 2, %eax"
	case	ALL, "movabs %rax, BASE_SYMBOL - 4"
	case	ALL, "movabs %al, BASE_SYMBOL"
	family	rip-relative
	case	ALL, "mov window + 3(%rip), %rdx"
	case	ALL, "movq $0x12345, window(%rip)"
	case	ALL, "addw $0x1234, window + 5(%rip)"
	family	movx
	case	ALL, "movzbq 1(%rbx), %rdx"
	case	ALL, "movzwq 1(%rbx), %r11"
	case	ALL, "movsbq 2(%rbx), %rdx"
	case	ALL, "movsbq 3(%rbx), %rdx"
	case	ALL, "movsbl 3(%rbx), %edx"
	case	ALL, "movswq 4(%rbx), %rdx"
	case	ALL, "movslq 4(%rbx), %rdx"
	case	ALL, "movslq 8(%rbx), %r15"
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
	case	LOGIC, "test %r8, (%rbx)"
	case	LOGIC, "testq $-128, (%rbx)"
	family	unary
	case	ALL, "incq (%rbx)"
	case	ALL, "decq 1(%r12)"
	case	ALL, "negq 2(%rbx)"
	case	ALL, "notq 3(%rbx)"
	case	ALL, "lock negq 8(%rbx)"
	family	mul
	case	PRODUCT, "mulq (%rbx)"
	case	PRODUCT, "imulq 8(%rbx)"
	case	PRODUCT, "imul (%rbx), %r11"
	case	PRODUCT, "imul $-77, (%rbx), %r11"
	family	div
	case	NONE, "mov %r8, (%rbx); divq (%rbx)"
	case	NONE, "movq $-77777, (%rbx); mov $-3, %rdx; idivq (%rbx)"
	family	xchg
	case	ALL, "xchg %r8, (%rbx)"
	case	ALL, "xchg %r10d, 1(%rbx)"
	case	ALL, "xadd %r8, (%rbx)"
	case	ALL, "lock xadd %r11, -1(%rbx)"
	family	cmpxchg
	case	ALL, "cmpxchg %r8, (%rbx)"
	case	ALL, "cmpxchg %r8d, (%rbx)"
	case	ALL, "mov (%rbx), %rax; lock cmpxchg %r8, (%rbx)"
	case	ALL, "mov (%rbx), %eax; lock cmpxchg %r8d, (%rbx)"
	family	cmpxchg8b
	case	ALL, "cmpxchg8b 1(%rbx)"
	case	ALL, "mov (%rbx), %eax; mov 4(%rbx), %edx; lock cmpxchg8b (%rbx)"
	family	cmpxchg16b
	case	ALL, "cmpxchg16b (%rbx)"
	case	ALL, "lock cmpxchg16b (%r12)"
	case	ALL, "mov (%rbx), %rax; mov 8(%rbx), %rdx; cmpxchg16b (%rbx)"
	case	ALL, "mov (%rbx), %rax; mov 8(%rbx), %rdx; lock cmpxchg16b (%rbx)"
	family	bt
	bit	bt
	family	bts
	bit	bts
	family	btr
	bit	btr
	family	btc
	bit	btc
	family	scan
	case	ZERO, "bsf (%rbx), %rdx"
	case	ZERO, "bsr (%rbx), %rdx"
	/* With 32 bits a source of 0 clears the upper half of RDX in QEMU, and not by the APM. */
	case	ZERO, "movq $0, (%rbx); bsf (%rbx), %rdx"
	family	shifts
	shift	rol, ALL, ROTATE
	shift	ror, ALL, ROTATE
	shift	rcl, ALL, ROTATE
	shift	rcr, ALL, ROTATE
	shift	shl, LOGIC, MANY
	shift	shr, LOGIC, MANY
	shift	sar, LOGIC, MANY
	case	MANY, "shld $41, %r8, (%rbx)"
	case	MANY, "mov $33, %cl; shrd %cl, %r8, (%rbx)"
	family	conditions
	case	ALL, "setc (%r12)"
	case	ALL, "setg 1(%rbx)"
	case	ALL, "cmovc (%rbx), %rdx"
	case	ALL, "cmovc (%rbx), %edx"
	case	ALL, "cmovnc (%rbx), %r8d"
	case	ALL, "cmovnc (%rbx), %r8w"
	family	stack
	case	ALL, "pushq (%rbx); mov (%rsp), %rdx"
	case	ALL, "push %r8; popq (%rbx)"
	on_stack ALL, "push %r8"
	on_stack ALL, "push %rsp"
	on_stack ALL, "push $-3"
	on_stack ALL, "pushq 8(%rsp)"
	on_stack ALL, "push %r8w"
	on_stack ALL, "pop %r14"
	on_stack ALL, "pop %rsp"
	on_stack ALL, "popq 8(%rsp)"
	family	branch
	case	ALL, "lea 1f(%rip), %r11; mov %r11, (%rbx); jmp *(%rbx); mov $0, %edx; 1:"
	case	ALL, "lea 1f(%rip), %r11; mov %r11, (%rbx); call *(%rbx); mov $0, %edx; 1: pop %r15"
	on_stack ALL, "call 1f; mov $0, %eax; 1:"
	on_stack ALL, "lea 1f(%rip), %r11; mov %r11, 8(%rbx); ret; mov $0, %eax; 1:"
	on_stack ALL, "lea 1f(%rip), %r11; mov %r11, (%rbx); call *(%rbx); mov $0, %eax; 1:"
	family	strings
	case	ALL, "movsq"
	case	ALL, "rep movsq"
	case	ALL, "lea 3(%rsi), %rdi; rep movsq"
	case	ALL, "std; rep movsq; cld"
	case	ALL, "stosq"
	case	ALL, "rep stosq"
	case	ALL, "rep stosl %eax, %es:(%edi)"
	case	ALL, "lodsq"
	case	ALL, "lodsl"
	case	ALL, "cmpsq"
	case	ALL, "mov %rsi, %rdi; repe cmpsq"
	case	ALL, "scasq"
	case	ALL, "mov %rax, 16(%rdi); repne scasq"
	case	ALL, "mov $BASE_SYMBOL + 0x3000, %edi; mov $1500, %ecx; mov $0, %al; repe scasb"
	family	sse
	case	ALL, "movups 3(%rbx), %xmm9; movaps %xmm9, %xmm0"
	case	ALL, "movaps %xmm0, %xmm15; movdqu %xmm15, -5(%rbx)"
	case	ALL, "movaps (%r12), %xmm0"
	case	ALL, "movd 4(%rbx), %xmm0"
	case	ALL, "movq 4(%rbx), %xmm0"
	/* REX.W with 66 0F 6E and 7E: the other encoding of MOVQ. */
	case	ALL, ".byte 0x66, 0x48, 0x0f, 0x6e, 0x43, 0x04"
	case	ALL, ".byte 0x66, 0x48, 0x0f, 0x7e, 0x43, 0x04"
	case	ALL, "movntdq %xmm0, (%rbx)"
	family	mmx
	case	ALL, "movq 3(%rbx), %mm0"
	case	ALL, "movq %mm0, 3(%rbx)"
	case	ALL, ".byte 0x48, 0x0f, 0x6e, 0x43, 0x04"
	case	ALL, ".byte 0x48, 0x0f, 0x7e, 0x43, 0x04"
	family	movnti
	case	ALL, "movnti %r8, 8(%rbx)"
	.pushsection .data.cases, "aw"
	.long	0, 0, 0
	.popsection

/* --- from 32-bit mode ---------------------------------------------------------------------- */

	.code32
start:
	lgdt	segments_pointer
	/* Bochs activates no long mode from a 16-bit TSS, which is what reset leaves. */
	mov	$TSS, %ecx
	ltr	%cx
	mov	$pml4_of_ram, %edi
	mov	$ram, %eax
	call	make_tables
	mov	$pml4_of_device, %edi
	mov	$DEVICE, %eax
	call	make_tables
	mov	%cr4, %eax
	or	$CR4_PAE_OSFXSR, %eax
	mov	%eax, %cr4
	mov	$pml4_of_ram, %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME, %eax
	wrmsr
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	ljmp	$CODE64, $start_long

/* Four tables at EDI, one behind the other; the window is at EAX. */
make_tables:
	lea	(0x1000 + PRESENT_WRITABLE)(%edi), %ecx
	mov	%ecx, (%edi)
	add	$0x1000, %ecx
	mov	%ecx, 0x1000(%edi)
	movl	$(LARGE + PRESENT_WRITABLE), 0x2000(%edi)	/* 2 MiB as they are */
	add	$0x1000, %ecx
	mov	%ecx, 0x2008(%edi)
	or	$PRESENT_WRITABLE, %eax
	xor	%ecx, %ecx
1:	mov	%eax, 0x3000(%edi, %ecx, 8)
	add	$0x1000, %eax
	inc	%ecx
	cmp	$WINDOW_PAGES, %ecx
	jb	1b
	ret

/* --- in 64-bit mode ------------------------------------------------------------------------ */

	.code64
start_long:
	mov	$stack_top, %esp
	mov	$MSR_FS_BASE, %ecx
	mov	$BASE, %eax
	xor	%edx, %edx
	wrmsr
	movl	$cases, row(%rip)
next_row:
	mov	row(%rip), %esi
	addl	$12, row(%rip)
	mov	(%rsi), %eax
	test	%eax, %eax
	jnz	new_family
	mov	4(%rsi), %eax
	test	%eax, %eax
	jz	end_of_cases
	mov	%eax, code(%rip)
	mov	8(%rsi), %eax
	mov	%eax, defined_flags(%rip)
	incl	number(%rip)
	/* Each case with the arithmetic flags clear, and set. */
	movl	$0x002, flags_before(%rip)
	call	run_twice
	movl	$0x8d7, flags_before(%rip)
	call	run_twice
	jmp	next_row

new_family:
	mov	%eax, %r15d
	call	end_family
	mov	%r15d, name(%rip)
	movl	$0, number(%rip)
	movl	$0, differing(%rip)
	jmp	next_row

end_of_cases:
	call	end_family
	cmpl	$0, families_differing(%rip)
	jne	1f
	finish	0
1:	finish	1

end_family:
	cmpl	$0, name(%rip)
	je	2f
	print	"mmio "
	mov	name(%rip), %esi
	call	print_text
	cmpl	$0, differing(%rip)
	jne	1f
	print	" ok\n"
	ret
1:	incl	families_differing(%rip)
	print	" DIFFERS\n"
2:	ret

run_twice:
	mov	$pml4_of_ram, %eax
	mov	$kept_of_ram, %edi
	call	run_case
	mov	$pml4_of_device, %eax
	mov	$kept_of_device, %edi
	call	run_case
	/* Only what is defined. */
	mov	defined_flags(%rip), %eax
	and	%eax, kept_of_ram + KEEP_FLAGS(%rip)
	and	%eax, kept_of_device + KEEP_FLAGS(%rip)
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
	incl	differing(%rip)
	print	"mmio "
	mov	name(%rip), %esi
	call	print_text
	print	" case "
	mov	number(%rip), %eax
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

/* One case under the tables at EAX; what it leaves goes to EDI. */
run_case:
	mov	%edi, keep(%rip)
	mov	%rsp, stack_before(%rip)
	mov	%rax, %cr3
	mov	$(AREA_SIZE - 8), %ecx
1:	mov	pattern(%ecx), %rax
	mov	%rax, AREA(%rcx)
	sub	$8, %ecx
	jns	1b
	movups	pattern + 5(%rip), %xmm0
	movq	pattern + 17(%rip), %mm0
	mov	pattern + 1(%rip), %rax
	mov	$4, %ecx
	mov	$0x12345678, %edx
	shl	$7, %rdx		/* below what divides it */
	mov	$BASE, %ebx
	xor	%ebp, %ebp
	lea	-16(%rbx), %rsi
	lea	8(%rbx), %rdi
	mov	pattern + 23(%rip), %r8
	mov	%rbx, %r9
	mov	$-9, %r10
	mov	pattern + 31(%rip), %r11
	mov	%rbx, %r12
	mov	%rbx, %r13
	mov	pattern + 40(%rip), %r14
	mov	pattern + 46(%rip), %r15
	pushq	flags_before(%rip)
	popf
	push	%rax
	mov	code(%rip), %eax
	mov	%rax, target(%rip)
	pop	%rax
	jmp	*target(%rip)

case_done:
	mov	%rsp, registers + 8(%rip)
	mov	stack_before(%rip), %rsp
	pushf
	popq	registers + KEEP_FLAGS(%rip)
	cld
	mov	%rax, registers(%rip)
	mov	%rcx, registers + 16(%rip)
	mov	%rdx, registers + 24(%rip)
	mov	%rbx, registers + 32(%rip)
	mov	%rbp, registers + 40(%rip)
	mov	%rsi, registers + 48(%rip)
	mov	%rdi, registers + 56(%rip)
	mov	%r8, registers + 64(%rip)
	mov	%r9, registers + 72(%rip)
	mov	%r10, registers + 80(%rip)
	mov	%r11, registers + 88(%rip)
	mov	%r12, registers + 96(%rip)
	mov	%r13, registers + 104(%rip)
	mov	%r14, registers + 112(%rip)
	mov	%r15, registers + 120(%rip)
	movq	%mm0, registers + KEEP_MM(%rip)
	movups	%xmm0, registers + KEEP_XMM(%rip)
	mov	$(AREA_SIZE - 8), %ecx
1:	mov	AREA(%rcx), %rax
	mov	%rax, (registers + KEEP_AREA)(%ecx)
	sub	$8, %ecx
	jns	1b
	mov	$registers, %esi
	mov	keep(%rip), %edi
	mov	$(KEEP_SIZE / 4), %ecx
	rep movsl
	ret

	.data
	.balign 8
segments:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
	.quad	0x0000890000000067	/* 32 bits, never used */
segments_pointer:
	.word	segments_pointer - segments - 1
	.long	segments
	.balign 8
pattern:				/* no byte twice, both signs */
	.set	byte, 0x8f
	.rept	AREA_SIZE
	.byte	byte & 0xff
	.set	byte, (byte * 5 + 0x4d) & 0xff
	.endr

	.bss
	.balign 8
stack_before:
	.skip	8
target:	.skip	8
flags_before:
	.skip	8
row:	.skip	4
code:	.skip	4
defined_flags:
	.skip	4
name:	.skip	4
number:	.skip	4
differing:
	.skip	4
families_differing:
	.skip	4
keep:	.skip	4
registers:
	.skip	KEEP_SIZE
kept_of_ram:
	.skip	KEEP_SIZE
kept_of_device:
	.skip	KEEP_SIZE
	.balign 4096
pml4_of_ram:
	.skip	4 * 4096
pml4_of_device:
	.skip	4 * 4096
ram:	.skip	WINDOW_PAGES * 4096
