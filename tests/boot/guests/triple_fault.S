/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An exception without an IDT: #UD, then #GP or #DF on delivery, then shutdown. */
#include "guest.h"

start:
	print	"about to triple-fault\n"
	lidt	no_idt
	ud2
	print	"UD2 went by\n"
	finish	1

	.section .rodata
no_idt:	.word	0
	.long	0
