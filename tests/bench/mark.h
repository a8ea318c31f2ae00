/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A mark in the instructions of an emulated machine, for outside.c: a NOP of eight bytes that no
 * compiler writes and no processor looks at,
 *
 *	nopl MARK(number)(%rax, %rax)
 *
 * whose last byte is the mark's number, from 1 to 127.
 */
#ifndef SVM_TESTS_MARK_H
#define SVM_TESTS_MARK_H

#define MARK(number) (0x4d5653 + ((number) << 24))

/* Its bytes before the number. */
#define MARK_BYTES 0x0f, 0x1f, 0x84, 0x00, 0x53, 0x56, 0x4d

#define MARK_VMM_START  1 /* before a monitor is executed */
#define MARK_GUEST_INIT 2 /* the guest's first process */
#define MARK_SLEEPS     3 /* before and after a guest sleeps SLEEPS times */
#define MARK_SLEPT      4
#define MARK_CREATE     5 /* before a VM is created */
#define MARK_CREATED    6 /* after its first exit, before it is destroyed */
#define MARK_DESTROYED  7
#define MARK_NAPS       8 /* before and after it sleeps so often for NAP nanoseconds */
#define MARK_NAPPED     9

#define SLEEPS 100
#define NAP    20000

#endif
