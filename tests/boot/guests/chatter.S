/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A guest that numbers its lines, some of them coloured, and never ends by itself. */
#include "guest.h"

#define DELAY 5000000

start:
	xor	%edi, %edi
1:	inc	%edi
	print	"\033[32mline "
	mov	%edi, %eax
	call	print_hex
	print	"\033[0m\n"
	mov	$DELAY, %ecx
2:	dec	%ecx
	jnz	2b
	jmp	1b
