/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The first process of a Linux guest whose boot is counted: a mark for outside.c, and a write to
 * port F4h, which ends a guest of the bare-metal port.  So the count ends with the first thing that
 * a process does.  A monitor that has nothing at F4h goes on to QEMU's isa-debug-exit.
 */
#include "mark.h"

#define SYS_IOPL        172
#define EXIT_PORT       0xf4
#define DEBUG_EXIT_PORT 0x501

	.globl _start
_start:
	nopl MARK(MARK_GUEST_INIT)(%rax, %rax)
	mov $SYS_IOPL, %eax
	mov $3, %edi
	syscall
	mov $0, %eax
	out %al, $EXIT_PORT
	mov $DEBUG_EXIT_PORT, %edx
	out %eax, %dx
	ud2

	.section .note.GNU-stack, "", @progbits
