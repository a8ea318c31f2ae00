/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A static of a name that src/core/vcpu/exit_hypercall.c has: one file cannot hold both. */
static int hypercall_to_embedder(void)
{
	return 0;
}
