/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Another kernel in the place of this one, at once: no process is asked to end, no device shut.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm.h"

int other_kernel(const char *kernel, const char *initrd, const char *command_line)
{
	const int kernel_fd = open(kernel, O_RDONLY), initrd_fd = open(initrd, O_RDONLY);

	if (kernel_fd < 0 || initrd_fd < 0 ||
	    syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, strlen(command_line) + 1,
	            command_line, 0ul) != 0) {
		perror("kexec_file_load");
		return 1;
	}
	reboot(RB_KEXEC);
	perror("reboot");
	return 1;
}
