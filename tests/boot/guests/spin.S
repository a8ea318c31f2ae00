/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Interrupts off and no exit: only the host's timer can end it. */
#include "guest.h"

start:
	print	"about to spin with interrupts off\n"
	cli
1:	jmp	1b
