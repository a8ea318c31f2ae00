/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A guest that behaves: checks what multiboot promises and ends with status 7. */
#include "guest.h"

start:
	cmp	$0x2badb002, %eax
	jne	1f
	print	"hello from a multiboot guest, loaded by "
	mov	64(%ebx), %esi		/* the loader's name */
	call	print_text
	print	"\n"
	finish	7
1:	print	"EAX is not the multiboot magic\n"
	finish	1
