/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The virtual machine control block: a page of memory that says what the guest may do, what it is,
 * and afterwards why it stopped.  APM vol. 2, appendix B; what the lessons do not need is reserved.
 */
#ifndef VMCB_H
#define VMCB_H
#include <stddef.h>
#include <stdint.h>

struct segment {
	uint16_t selector, attributes;
	uint32_t limit;
	uint64_t base;
};

struct vmcb {
	uint32_t intercepts[5]; /* 000: one bit for each reason to stop. */
	uint8_t reserved_014[0x40 - 0x14];
	uint64_t iopm, msrpm, tsc_offset;                            /* 040 */
	uint32_t asid, tlb_control;                                  /* 058 */
	uint64_t int_control, int_state;                             /* 060 */
	uint64_t exit_code, exit_info_1, exit_info_2, exit_int_info; /* 070 */
	uint64_t nested_paging;                                      /* 090 */
	uint8_t reserved_098[0xa8 - 0x98];
	uint64_t event, nested_root; /* 0A8 */
	uint8_t reserved_0b8[0x400 - 0xb8];
	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr; /* 400 */
	uint8_t reserved_4a0[0x4d0 - 0x4a0];
	uint64_t efer; /* 4D0 */
	uint8_t reserved_4d8[0x548 - 0x4d8];
	uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip; /* 548 */
	uint8_t reserved_580[0x5d8 - 0x580];
	uint64_t rsp, reserved_5e0[3], rax; /* 5D8 */
	uint8_t reserved_600[0x668 - 0x600];
	uint64_t pat; /* 668 */
	uint8_t reserved_670[4096 - 0x670];
};

_Static_assert(offsetof(struct vmcb, nested_root) == 0xb0, "nested_root");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "rax");
_Static_assert(sizeof(struct vmcb) == 4096, "a page");

/* Exit codes; those below A0h are the numbers of their intercepts. */
#define EXIT_HLT      0x78
#define EXIT_SHUTDOWN 0x7f
#define EXIT_VMRUN    0x80
#define EXIT_VMMCALL  0x81
#define EXIT_INVALID  0xffffffff /* Its lower half; VMRUN has refused. */

/* The registers that VMRUN leaves alone: all but RAX and RSP. */
struct registers {
	uint64_t rbx, rcx, rdx, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15, rsi;
};

/* A processor after a jump to 0:rip in real mode, with the intercepts that it needs. */
void vmcb_init(struct vmcb *vmcb, uint64_t rip);
void vmcb_intercept(struct vmcb *vmcb, unsigned code);

/* Run the guest until it exits. */
void vmrun(struct vmcb *vmcb, struct registers *registers);

#endif
