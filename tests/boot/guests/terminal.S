/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Output that would steer a terminal, a line without end, and every byte value once. */
#include "guest.h"

start:
	print	"\033[2Jescape\n"
	mov	$COM1, %edx
	mov	$1000, %ecx
	mov	$0x78, %al
1:	out	%al, %dx
	loop	1b
	xor	%eax, %eax
2:	out	%al, %dx
	inc	%al
	jnz	2b
	print	"\nend of noise\n"
	finish	0
