/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file Interrupt descriptor table, one for all CPUs, and what its entries hand to C. */
#ifndef BAREMETAL_IDT_H
#define BAREMETAL_IDT_H

#include <stdint.h>

#define VECTOR_DEBUG              1
#define VECTOR_NMI                2
#define VECTOR_DOUBLE_FAULT       8
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_PAGE_FAULT         14
#define VECTOR_MACHINE_CHECK      18
#define VECTOR_EXCEPTIONS         32
#define VECTOR_PIC                0x20 /* 16: the PIC is masked, but 7 and 15 can be spurious */
#define VECTOR_TIMER              0xef
#define VECTOR_KICK               0xf0
#define VECTOR_SPURIOUS           0xff

/* As exceptions.S pushes it, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error_code; /* error_code is 0 where the processor pushes none */
	uint64_t rip, cs, rflags, rsp, ss;
};

/** Fill the table; boot CPU, once, before any idt_load(). */
void idt_init(void);
/** Make the calling CPU use it. */
void idt_load(void);

/** Every vector ends here. */
void trap_dispatch(struct trap_frame *frame);

#endif
