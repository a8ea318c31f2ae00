/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What must not be in the freestanding archive: a call into a C library. */
#include <stdio.h>

void needs_libc(void);

void needs_libc(void)
{
	(void)puts("");
}
