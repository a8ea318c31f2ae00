/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* HLT with interrupts off: nothing wakes it. */
#include "guest.h"

start:
	print	"about to halt\n"
	cli
	hlt
	print	"HLT went by\n"
	finish	1
