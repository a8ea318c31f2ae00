/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "console.h"

void kernel_main(void);

void kernel_main(void)
{
	say("hello\n");
	end();
}
