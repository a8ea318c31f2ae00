/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A guest that sends back what is typed, in brackets, and ends with status 5 at a q. */
#include "guest.h"

#define COM1_STATUS  (COM1 + 5)
#define STATUS_READY 1

start:
	print	"echo begins\r\n"
1:	mov	$COM1_STATUS, %edx
2:	in	%dx, %al
	test	$STATUS_READY, %al
	jz	2b
	mov	$COM1, %edx
	in	%dx, %al
	mov	%al, %bl
	mov	$'[', %al
	out	%al, %dx
	mov	%bl, %al
	cmp	$' ', %al
	jae	3f
	add	$'@', %al		/* controls as letters, as in ^A */
3:	out	%al, %dx
	mov	$']', %al
	out	%al, %dx
	cmp	$'q', %bl
	jne	1b
	finish	5
