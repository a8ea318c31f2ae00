/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* System calls of 64-bit Linux that an init makes; others are printed as numbers. */
#ifndef EXAMPLES_LINUX_SYSCALLS_NAMES_H
#define EXAMPLES_LINUX_SYSCALLS_NAMES_H

#include <stdint.h>

static const struct {
	uint16_t number, path; /* Which argument is a path, from 1 on; 0: none. */
	const char *name;
} names[] = {
	{ 0, 0, "read" },
	{ 1, 0, "write" },
	{ 3, 0, "close" },
	{ 9, 0, "mmap" },
	{ 10, 0, "mprotect" },
	{ 12, 0, "brk" },
	{ 13, 0, "rt_sigaction" },
	{ 39, 0, "getpid" },
	{ 56, 0, "clone" },
	{ 59, 1, "execve" },
	{ 61, 0, "wait4" },
	{ 63, 0, "uname" },
	{ 72, 0, "fcntl" },
	{ 79, 0, "getcwd" },
	{ 80, 1, "chdir" },
	{ 89, 1, "readlink" },
	{ 102, 0, "getuid" },
	{ 110, 0, "getppid" },
	{ 157, 0, "prctl" },
	{ 158, 0, "arch_prctl" },
	{ 218, 0, "set_tid_address" },
	{ 257, 2, "openat" },
	{ 273, 0, "set_robust_list" },
	{ 302, 0, "prlimit64" },
	{ 318, 0, "getrandom" },
	{ 334, 0, "rseq" },
};

#endif
