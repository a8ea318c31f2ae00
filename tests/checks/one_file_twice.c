/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A static of a name that src/core/vcpu/exits.c has: one file cannot hold both. */
static int hypercall(void)
{
	return 0;
}
