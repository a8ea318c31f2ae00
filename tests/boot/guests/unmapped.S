/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A write to guest-physical 40000000h, far beyond its memory. */
#include "guest.h"

start:
	print	"about to touch what is not there\n"
	movl	$1, 0x40000000
	print	"the write went by\n"
	finish	1
