/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Descriptors of a VM in a process that did not make it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm.h"

/* After fork() the child's writes are not the guest's, and it may not run the guest. */
static void forks(void)
{
	static const uint8_t code[] = { 0xa0, 0x00, 0x40, 0xf4, 0xeb, 0xfa };
	struct kvm_regs regs = { 0 };
	struct machine m;
	int status = 0;

	machine_open(&m);
	START(&m, code);
	m.memory[0x4000] = 1;
	run_to(&m, KVM_EXIT_HLT);
	fflush(stdout);
	if (fork() == 0) {
		m.memory[0x4000] = 2;
		_exit(run(&m) == -1 && errno == EIO ? 7 : 1);
	}
	wait(&status);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7, status);
	m.memory[0x4000] = 3;
	run_to(&m, KVM_EXIT_HLT);
	ioctl(m.vcpu, KVM_GET_REGS, &regs);
	EXPECT((regs.rax & 0xff) == 3, regs.rax & 0xff);
	machine_close(&m);
}

/* --- another process ------------------------------------------------------------------------- */

/* Files, or what came instead of them. */
static bool pass(int channel, const int *files, size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
		                  .cmsg_len = CMSG_LEN(count * sizeof(int)) } };
	char byte = 0;
	struct iovec data = { &byte, 1 };
	const struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1,
		                        .msg_control = &control,
		                        .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	memcpy(CMSG_DATA(&control.header), files, count * sizeof(int));
	return sendmsg(channel, &message, 0) == 1;
}

static bool get_passed(int channel, int *files, size_t count)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(4 * sizeof(int))];
	} control;
	char byte;
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
		                  .msg_controllen = sizeof(control) };

	if (recvmsg(channel, &message, 0) != 1)
		return false;
	memcpy(files, CMSG_DATA(&control.header), count * sizeof(int));
	return true;
}

/* Status 7: nothing of it could be used, while its owner lived and after. */
static int stranger(int channel)
{
	int files[2] = { -1, -1 }, good = 0;
	struct kvm_regs regs;
	char byte;

	if (!get_passed(channel, files, 2))
		return 1;
	for (unsigned round = 0; round < 2; round++) {
		good += ioctl(files[0], KVM_CHECK_EXTENSION, KVM_CAP_HLT) == -1 && errno == EIO;
		good += ioctl(files[0], KVM_CREATE_VCPU, 1) == -1 && errno == EIO;
		good += ioctl(files[1], KVM_GET_REGS, &regs) == -1 && errno == EIO;
		good += ioctl(files[1], KVM_RUN, 0) == -1 && errno == EIO;
		if (!round && (write(channel, "", 1) != 1 || read(channel, &byte, 1) != 1))
			return 2;
	}
	return good == 8 ? 7 : 3;
}

/* Files that are passed on are of no use there, and keep the VM alive when its owner is done. */
static void passed_on(void)
{
	int channel[2], status = 0;
	struct machine m;
	char byte;

	socketpair(AF_UNIX, SOCK_STREAM, 0, channel);
	fflush(stdout);
	if (fork() == 0)
		_exit(stranger(channel[1]));
	machine_open(&m);
	EXPECT(pass(channel[0], (int[]){ m.vm, m.vcpu }, 2), 0);
	EXPECT(read(channel[0], &byte, 1) == 1, 0);
	machine_close(&m);
	EXPECT(write(channel[0], "", 1) == 1, 0);
	wait(&status);
	EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7, status);
	close(channel[0]);
	close(channel[1]);
}

const struct test process_tests[] = {
	{ "forks", forks },
	{ "passed-on", passed_on },
	{ NULL, NULL },
};
