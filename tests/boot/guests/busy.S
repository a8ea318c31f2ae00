/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Takes all the time it can get and causes no exit. */
#include "guest.h"

start:
1:	jmp	1b
