/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "hal.h"
#include "host.h"

int program(void)
{
	return linux_program() ? 0 : 1;
}
