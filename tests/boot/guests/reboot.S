/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A guest that resets its machine by the keyboard controller, as PCs have done since the first. */
#include "guest.h"

#define I8042_COMMAND 0x64
#define PULSE_RESET   0xfe

start:
	print	"about to reset\n"
	mov	$PULSE_RESET, %al
	outb	%al, $I8042_COMMAND
1:	hlt
	jmp	1b
