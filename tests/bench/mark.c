/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: mark PROGRAM ARGUMENT...
 *
 * Execute a program, and mark the last moment before it for outside.c, so that a count has the
 * whole of the program in it and nothing of the shell that started it.
 */
#include <stdio.h>
#include <unistd.h>

#include "mark.h"

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	__asm__ volatile("nopl %c0(%%rax, %%rax)" : : "i"(MARK(MARK_VMM_START)) : "memory");
	execv(argv[1], argv + 1);
	perror(argv[1]);
	return 1;
}
