/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A VMM of a few hundred lines, the module's first client: one guest of some instructions per
 * clause of the ioctl interface that VMMs rely on.  It is written from KVM's documentation and runs
 * on any device of that interface, so that KVM itself can be asked the same questions.
 *
 *	vmm DEVICE [TEST...]	prints "ok NAME" or "FAIL NAME: ..." and at the end the counts
 *	vmm DEVICE --spin	a guest that never exits, until somebody kills the process
 *	vmm DEVICE --random SEED COUNT
 *				as nobody, calls with arguments that make no sense; what counts is
 *				what the kernel has to say about it
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm.h"

#define NOBODY 65534

const char *test_name;
bool failed;

static const char *device_name;

void fail(const char *what, long got)
{
	printf("FAIL %s: %s (%ld, %s)\n", test_name, what, got, strerror(errno));
	failed = true;
}

int set_slot(const struct machine *m, uint32_t slot, uint64_t gpa, uint64_t size, void *hva,
             uint32_t flags)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(m->vm, KVM_SET_USER_MEMORY_REGION, &region);
}

void machine_open_vm(struct machine *m)
{
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS;

	m->device = open(device_name, O_RDWR | O_CLOEXEC);
	m->vm = ioctl(m->device, KVM_CREATE_VM, 0);
	m->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, flags, -1, 0);
	EXPECT(set_slot(m, 0, 0, MEMORY, m->memory, 0) == 0, 0);
}

void machine_open_vcpu(struct machine *m)
{
	m->vcpu = ioctl(m->vm, KVM_CREATE_VCPU, 0);
	m->run = mmap(NULL, (size_t)ioctl(m->device, KVM_GET_VCPU_MMAP_SIZE, 0),
	              PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	if (m->device < 0 || m->vm < 0 || m->vcpu < 0 || m->run == MAP_FAILED) {
		printf("FAIL %s: no machine: %s\n", test_name, strerror(errno));
		exit(1);
	}
}

void machine_open(struct machine *m)
{
	machine_open_vm(m);
	machine_open_vcpu(m);
}

void machine_close(struct machine *m)
{
	munmap(m->run, (size_t)ioctl(m->device, KVM_GET_VCPU_MMAP_SIZE, 0));
	close(m->vcpu);
	close(m->vm);
	close(m->device);
	munmap(m->memory, MEMORY);
}

void start(struct machine *m, const void *code, size_t size)
{
	struct kvm_regs regs = { .rip = CODE, .rsp = STACK, .rflags = 2 };
	struct kvm_sregs sregs;

	memcpy(m->memory + CODE, code, size);
	EXPECT(ioctl(m->vcpu, KVM_GET_SREGS, &sregs) == 0, 0);
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	EXPECT(ioctl(m->vcpu, KVM_SET_SREGS, &sregs) == 0, 0);
	EXPECT(ioctl(m->vcpu, KVM_SET_REGS, &regs) == 0, 0);
}

int run_once(struct machine *m)
{
	return ioctl(m->vcpu, KVM_RUN, 0);
}

int run(struct machine *m)
{
	int result;

	do {
		result = run_once(m);
	} while (result == -1 && errno == EINTR);
	return result;
}

void run_to(struct machine *m, uint32_t reason)
{
	const int result = run(m);

	EXPECT(result == 0, result);
	if (m->run->exit_reason != reason)
		printf("FAIL %s: exit %u and not %u\n", test_name, m->run->exit_reason, reason);
	failed = failed || m->run->exit_reason != reason;
}

/* --- tests ------------------------------------------------------------------------------------ */

static void version(void)
{
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_GET_API_VERSION, 0) == 12, 0);
	EXPECT(ioctl(m.device, KVM_GET_VCPU_MMAP_SIZE, 0) == 12288, 0);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) == 1, 0);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, 0x7fffffff) == 0, 0);
	EXPECT(ioctl(m.device, _IO(KVMIO, 0xff), 0) == -1 && errno == EINVAL, 0);
	EXPECT(ioctl(m.vm, _IO(KVMIO, 0xff), 0) == -1 && errno == ENOTTY, 0);
	EXPECT(ioctl(m.vcpu, _IO(KVMIO, 0xff), 0) == -1 && errno == EINVAL, 0);
	EXPECT(ioctl(m.vm, KVM_CREATE_VCPU, 0) == -1 && errno == EEXIST, 0);
	EXPECT(ioctl(m.vm, KVM_CREATE_VCPU, 1000000) == -1 && errno == EINVAL, 0);
	EXPECT(ioctl(m.vcpu, KVM_RUN, 1) == -1 && errno == EINVAL, 0);
	machine_close(&m);
}

static void ports(void)
{
	static const uint8_t code[] = {
		0xba, 0xf8, 0x03,       /* mov dx, 3f8h */
		0xb0, 0x41,             /* mov al, 41h */
		0xee,                   /* out dx, al */
		0xed,                   /* in ax, dx */
		0x40,                   /* inc ax */
		0xa3, 0x00, 0x20,       /* mov [2000h], ax */
		0xf4,                   /* hlt */
	};
	struct machine m;

	machine_open(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.direction == KVM_EXIT_IO_OUT, m.run->io.direction);
	EXPECT(m.run->io.port == 0x3f8, m.run->io.port);
	EXPECT(m.run->io.size == 1 && m.run->io.count == 1, m.run->io.size);
	EXPECT(*((uint8_t *)m.run + m.run->io.data_offset) == 0x41, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.direction == KVM_EXIT_IO_IN && m.run->io.size == 2, m.run->io.size);
	*(uint16_t *)((uint8_t *)m.run + m.run->io.data_offset) = 0x1233;
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(*(uint16_t *)(m.memory + DATA) == 0x1234, *(uint16_t *)(m.memory + DATA));
	machine_close(&m);
}

/* REP INS and OUTS: one element or many for each exit, as the device likes. */
static void string_ports(void)
{
	static const uint8_t code[] = {
		0xfc,                   /* cld */
		0xba, 0x00, 0x10,       /* mov dx, 1000h */
		0xbf, 0x00, 0x20,       /* mov di, 2000h */
		0xb9, 0x05, 0x00,       /* mov cx, 5 */
		0xf3, 0x6c,             /* rep insb */
		0xf4,                   /* hlt */
	};
	struct machine m;
	uint8_t next = 10;

	machine_open(&m);
	START(&m, code);
	while (run(&m) == 0 && m.run->exit_reason == KVM_EXIT_IO && next < 100)
		for (uint32_t i = 0; i < m.run->io.count; i++)
			((uint8_t *)m.run)[m.run->io.data_offset + i] = next++;
	EXPECT(m.run->exit_reason == KVM_EXIT_HLT, m.run->exit_reason);
	EXPECT(next == 15, next);
	EXPECT(memcmp(m.memory + DATA, "\12\13\14\15\16\0", 6) == 0, m.memory[DATA]);
	machine_close(&m);
}

/* As many at once as fit into the guest's page; user space changes how many remain. */
static void string_ports_at_once(void)
{
	static const uint8_t code[] = {
		0xfc,                   /* cld */
		0xba, 0x00, 0x10,       /* mov dx, 1000h */
		0xbf, 0xfc, 0x5f,       /* mov di, 5ffch */
		0xb9, 0x06, 0x00,       /* mov cx, 6 */
		0xf3, 0x6d,             /* rep insw */
		0xf4,                   /* hlt */
	};
	struct kvm_regs regs;
	uint16_t *data, next = 1;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	for (unsigned asked = 0; run(&m) == 0 && m.run->exit_reason == KVM_EXIT_IO && asked < 9;
	     asked++) {
		data = (uint16_t *)((uint8_t *)m.run + m.run->io.data_offset);
		EXPECT(m.run->io.count == (asked ? 4 : 2), m.run->io.count);
		for (uint32_t i = 0; i < m.run->io.count; i++)
			data[i] = next++;
		m.run->io.count = 0xffffffff;
	}
	EXPECT(m.run->exit_reason == KVM_EXIT_HLT, m.run->exit_reason);
	for (unsigned i = 0; i < 6; i++)
		EXPECT(((uint16_t *)(m.memory + 0x5ffc))[i] == i + 1, i);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0 && regs.rcx == 6, regs.rcx);
	regs.rcx = 1;
	EXPECT(ioctl(m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

/* A VMM that resets its guest during an OUT puts RIP elsewhere: the OUT does not move it then. */
static void moved_at_exit(void)
{
	static const uint8_t code[] = { 0xe6, 0x64, 0x90, 0x90, 0xe4, 0x65, 0xf4 };
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	regs.rip = CODE + 4;
	EXPECT(ioctl(m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->io.port == 0x65, m.run->io.port);
	regs.rip = CODE + 6;
	EXPECT(ioctl(m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

static void device_memory(void)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff,       /* mov ax, ffffh */
		0x8e, 0xd8,             /* mov ds, ax: base ffff0h */
		0xa0, 0x18, 0x00,       /* mov al, [18h]: 100008h */
		0xfe, 0xc0,             /* inc al */
		0xa2, 0x1a, 0x00,       /* mov [1ah], al */
		0xf4,                   /* hlt */
	};
	struct machine m;

	machine_open(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(m.run->mmio.phys_addr == 0x100008, m.run->mmio.phys_addr);
	EXPECT(m.run->mmio.len == 1 && !m.run->mmio.is_write, m.run->mmio.len);
	m.run->mmio.data[0] = 0x77;
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(m.run->mmio.phys_addr == 0x10000a, m.run->mmio.phys_addr);
	EXPECT(m.run->mmio.len == 1 && m.run->mmio.is_write, m.run->mmio.len);
	EXPECT(m.run->mmio.data[0] == 0x78, m.run->mmio.data[0]);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

static void interrupts(void)
{
	static const uint8_t code[] = {
		0x90,                   /* nop */
		0xfb,                   /* sti */
		0x90,                   /* nop */
		0xeb, 0xfe,             /* jmp to itself */
	};
	static const uint8_t handler[] = { 0xc6, 0x06, 0x00, 0x20, 0x55, 0xf4 }; /* [2000h] = 55h */
	struct kvm_interrupt vector = { .irq = 8 };
	struct machine m;

	machine_open(&m);
	START(&m, code);
	memcpy(m.memory + 0x3000, handler, sizeof(handler));
	*(uint32_t *)(m.memory + 4 * 8) = 0x3000;
	m.run->request_interrupt_window = 1;
	run_to(&m, KVM_EXIT_IRQ_WINDOW_OPEN);
	EXPECT(m.run->ready_for_interrupt_injection == 1, 0);
	EXPECT(m.run->if_flag == 1, 0);
	m.run->request_interrupt_window = 0;
	EXPECT(ioctl(m.vcpu, KVM_INTERRUPT, &vector) == 0, 0);
	vector.irq = 256;
	EXPECT(ioctl(m.vcpu, KVM_INTERRUPT, &vector) == -1 && errno == EINVAL, 0);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(m.memory[DATA] == 0x55, m.memory[DATA]);
	EXPECT(m.run->if_flag == 0, 0);
	machine_close(&m);
}

static void on_alarm(int number)
{
	(void)number;
}

static void signals(void)
{
	static const uint8_t code[] = { 0xeb, 0xfe };
	const struct itimerval soon = { .it_value = { .tv_usec = 200000 } };
	struct sigaction action = { .sa_handler = on_alarm };
	struct machine m;

	machine_open(&m);
	START(&m, code);
	sigaction(SIGALRM, &action, NULL);
	m.run->immediate_exit = 1;
	EXPECT(run_once(&m) == -1 && errno == EINTR, 0);
	m.run->immediate_exit = 0;
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT(run_once(&m) == -1 && errno == EINTR, 0);
	EXPECT(m.run->exit_reason == KVM_EXIT_INTR, m.run->exit_reason);
	machine_close(&m);
}

/* What an IN waits for is taken before the call returns for immediate_exit. */
static void immediate_exit(void)
{
	static const uint8_t code[] = { 0xe4, 0x10, 0xa2, 0x00, 0x20, 0xf4 };
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	*((uint8_t *)m.run + m.run->io.data_offset) = 0x99;
	m.run->immediate_exit = 1;
	EXPECT(run_once(&m) == -1 && errno == EINTR, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	EXPECT(regs.rip == CODE + 2 && (regs.rax & 0xff) == 0x99, regs.rip);
	m.run->immediate_exit = 0;
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(m.memory[DATA] == 0x99, m.memory[DATA]);
	machine_close(&m);
}

/* The kernel takes pages away and gives others: the guest sees what the process sees. */
static void paging(void)
{
	static const uint8_t code[] = {
		0xa0, 0x00, 0x40,       /* mov al, [4000h] */
		0xc6, 0x06, 0x00, 0x50, 0x11, /* mov byte [5000h], 11h */
		0xf4,                   /* hlt */
		0xeb, 0xf5,             /* again */
	};
	struct kvm_regs regs = { 0 };
	struct machine m;

	machine_open(&m);
	START(&m, code);
	for (unsigned round = 0; round < 50 && !failed; round++) {
		const uint8_t value = (uint8_t)(round + 1);

		if (round % 2)
			madvise(m.memory + 0x4000, 0x2000, MADV_DONTNEED);
		else
			m.memory[0x4000] = value;
		run_to(&m, KVM_EXIT_HLT);
		ioctl(m.vcpu, KVM_GET_REGS, &regs);
		EXPECT((regs.rax & 0xff) == (round % 2 ? 0 : value), regs.rax & 0xff);
		EXPECT(m.memory[0x5000] == 0x11, m.memory[0x5000]);
		m.memory[0x5000] = 0;
	}
	munmap(m.memory + 0x4000, 0x1000);
	EXPECT(run(&m) == -1 && errno == EFAULT, 0);
	machine_close(&m);
}

/* --- while the guest runs -------------------------------------------------------------------- */

static volatile bool runner_ends;

static bool may_go_on(const struct machine *m, int result)
{
	if (result)
		return errno == EFAULT;
	return m->run->exit_reason == KVM_EXIT_MMIO || m->run->exit_reason == KVM_EXIT_IO;
}

/* Holes, and memory that may not be written now, are passed over: whoever made them mends them. */
static void *runner(void *arg)
{
	struct machine *const m = arg;

	while (!runner_ends && may_go_on(m, run(m)))
		;
	return NULL;
}

static void run_beside(struct machine *m, pthread_t *thread)
{
	static const uint8_t code[] = {
		0xff, 0x06, 0x00, 0x40, /* inc word [4000h] */
		0xe6, 0x80,             /* out 80h, al */
		0xeb, 0xf8,             /* again */
	};

	START(m, code);
	runner_ends = false;
	pthread_create(thread, NULL, runner, m);
}

/* The guest counts in memory that the process sees: not where the page was, but where it is. */
static bool counts(const struct machine *m)
{
	const volatile uint16_t *const counter = (volatile uint16_t *)(m->memory + 0x4000);
	const uint16_t before = *counter;

	for (unsigned i = 0; i < 2000; i++) {
		if (*counter != before)
			return true;
		usleep(1000);
	}
	return false;
}

static void paging_beside(void)
{
	struct machine m;
	pthread_t thread;

	machine_open(&m);
	run_beside(&m, &thread);
	for (unsigned round = 0; round < 200 && !failed; round++) {
		switch (round % 3) {
		case 0:
			madvise(m.memory + 0x4000, 0x1000, MADV_DONTNEED);
			break;
		case 1:
			mprotect(m.memory + 0x4000, 0x1000, PROT_READ);
			mprotect(m.memory + 0x4000, 0x1000, PROT_READ | PROT_WRITE);
			break;
		default:
			mmap(m.memory + 0x4000, 0x1000, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		}
		EXPECT(counts(&m), round);
	}
	runner_ends = true;
	pthread_join(thread, NULL);
	machine_close(&m);
}

/* Memory is taken away and given back, behind the address another page each time. */
static void slots_beside(void)
{
	uint8_t *const pages = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE,
	                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine m;
	pthread_t thread;

	machine_open(&m);
	EXPECT(set_slot(&m, 0, 0, 0, NULL, 0) == 0, 0);
	EXPECT(set_slot(&m, 0, 0, 0x4000, m.memory, 0) == 0, 0);
	EXPECT(set_slot(&m, 1, 0x4000, 0x1000, pages, 0) == 0, 0);
	run_beside(&m, &thread);
	for (unsigned round = 0; round < 100 && !failed; round++) {
		uint8_t *const page = pages + 0x1000 * (round % 2);
		const struct machine shown = { .memory = page - 0x4000 };
		uint16_t before;

		EXPECT(set_slot(&m, 1, 0, 0, NULL, 0) == 0, round);
		before = *(volatile uint16_t *)(pages + 0x1000 * (1 - round % 2));
		EXPECT(set_slot(&m, 1, 0x4000, 0x1000, page, 0) == 0, round);
		EXPECT(counts(&shown), round);
		/* Nobody writes to the old page any more. */
		EXPECT(*(volatile uint16_t *)(pages + 0x1000 * (1 - round % 2)) == before, round);
	}
	runner_ends = true;
	pthread_join(thread, NULL);
	machine_close(&m);
	munmap(pages, 0x2000);
}

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

static void slots(void)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff,       /* mov ax, ffffh */
		0x8e, 0xd8,             /* mov ds, ax: base ffff0h */
		0xa0, 0x10, 0x00,       /* mov al, [10h]: 100000h */
		0xa2, 0x11, 0x00,       /* mov [11h], al */
		0xf4,                   /* hlt */
	};
	uint8_t *const page = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine m;

	machine_open(&m);
	page[0] = 0x21;
	EXPECT(set_slot(&m, 1, MEMORY - 0x1000, 0x1000, page, 0) == -1 && errno == EEXIST, 0);
	EXPECT(set_slot(&m, 1, MEMORY + 1, 0x1000, page, 0) == -1 && errno == EINVAL, 0);
	EXPECT(set_slot(&m, 40000, MEMORY, 0x1000, page, 0) == -1 && errno == EINVAL, 0);
	EXPECT(set_slot(&m, 1, MEMORY, 0x1000, page, 0) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(page[1] == 0x21, page[1]);
	EXPECT(set_slot(&m, 1, MEMORY, 0x2000, page, 0) == -1 && errno == EINVAL, 0);
	/* Moved: the old address is a hole. */
	EXPECT(set_slot(&m, 1, MEMORY + 0x1000, 0x1000, page, 0) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(m.run->mmio.phys_addr == MEMORY && !m.run->mmio.is_write, 0);
	EXPECT(set_slot(&m, 1, 0, 0, page, 0) == 0, 0);
	machine_close(&m);
	munmap(page, 0x2000);
}

static void readonly_slot(void)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff, 0x8e, 0xd8, /* ds = ffffh */
		0xa0, 0x10, 0x00,             /* mov al, [10h]: 100000h */
		0xa2, 0x11, 0x00,             /* mov [11h], al */
		0xf4,
	};
	uint8_t *const page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine m;

	machine_open(&m);
	page[0] = 0x31;
	if (ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) == 1) {
		EXPECT(set_slot(&m, 1, MEMORY, 0x1000, page, KVM_MEM_READONLY) == 0, 0);
		START(&m, code);
		run_to(&m, KVM_EXIT_MMIO);
		EXPECT(m.run->mmio.phys_addr == MEMORY + 1 && m.run->mmio.is_write, 0);
		EXPECT(m.run->mmio.data[0] == 0x31, m.run->mmio.data[0]);
		run_to(&m, KVM_EXIT_HLT);
		EXPECT(page[1] == 0, page[1]);
	}
	machine_close(&m);
	munmap(page, 0x1000);
}

static void dirty_log(void)
{
	static const uint8_t code[] = { 0xa0, 0x00, 0x40, 0xa2, 0x00, 0x50, 0xf4, 0xeb, 0xf7 };
	uint8_t bitmap[MEMORY / 4096 / 8];
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == -1 && errno == ENOENT, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(set_slot(&m, 0, 0, MEMORY, m.memory, KVM_MEM_LOG_DIRTY_PAGES) == 0, 0);
	for (unsigned round = 0; round < 3; round++) {
		run_to(&m, KVM_EXIT_HLT);
		memset(bitmap, 0xff, sizeof(bitmap));
		EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0, 0);
		EXPECT(bitmap[0] == 1 << 5, bitmap[0]);
		for (unsigned i = 1; i < sizeof(bitmap); i++)
			EXPECT(bitmap[i] == 0, i);
	}
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0 && bitmap[0] == 0, bitmap[0]);
	machine_close(&m);
}

static void shutdown_exit(void)
{
	static const uint8_t code[] = {
		0x0f, 0x01, 0x1e, 0x00, 0x20, /* lidt [2000h]: limit 0 */
		0x0f, 0x0b,                   /* ud2 */
	};
	static const uint8_t after[] = { 0xf4 };
	struct machine m;

	machine_open(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_SHUTDOWN);
	START(&m, after);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

static void registers(void)
{
	struct kvm_regs regs = { .rax = 1, .r15 = 0x1234567890abcdef, .rflags = 2, .rip = 0x77 };
	struct kvm_regs back;
	struct kvm_sregs sregs, bad;
	struct kvm_fpu fpu, fpu_back;
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &back) == 0 && !memcmp(&regs, &back, sizeof(back)), 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_SREGS, &sregs) == 0, 0);
	EXPECT(sregs.cs.selector == 0xf000 && sregs.cs.base == 0xffff0000, sregs.cs.base);
	EXPECT((sregs.cr0 & ~0x60000000ull) == 0x10, sregs.cr0);
	bad = sregs;
	bad.cr4 = ~0ull;
	EXPECT(ioctl(m.vcpu, KVM_SET_SREGS, &bad) == -1 && errno == EINVAL, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_SREGS, &bad) == 0 && !memcmp(&sregs, &bad, sizeof(bad)), 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_FPU, &fpu) == 0 && fpu.fcw == 0x37f, fpu.fcw);
	fpu.xmm[15][3] = 0x5a;
	fpu.fpr[2][1] = 0xa5;
	EXPECT(ioctl(m.vcpu, KVM_SET_FPU, &fpu) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_FPU, &fpu_back) == 0, 0);
	EXPECT(fpu_back.xmm[15][3] == 0x5a && fpu_back.fpr[2][1] == 0xa5, 0);
	machine_close(&m);
}

static void lists(void)
{
	struct {
		struct kvm_msr_list head;
		uint32_t room[256];
	} msrs = { .head.nmsrs = 0 };
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 room[100];
	} cpuid = { .head.nent = 1 };
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[3];
	} values = { .head.nmsrs = 3,
		     .entry = { { .index = 0x277, .data = 0x0606060606060606 },
		                { .index = 0x12345678 },
		                { .index = 0x10 } } };
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_GET_MSR_INDEX_LIST, &msrs) == -1 && errno == E2BIG, 0);
	EXPECT(msrs.head.nmsrs > 5 && msrs.head.nmsrs < 256, msrs.head.nmsrs);
	EXPECT(ioctl(m.device, KVM_GET_MSR_INDEX_LIST, &msrs) == 0, 0);
	EXPECT(ioctl(m.device, KVM_GET_SUPPORTED_CPUID, &cpuid) == -1 && errno == E2BIG, 0);
	cpuid.head.nent = 100;
	EXPECT(ioctl(m.device, KVM_GET_SUPPORTED_CPUID, &cpuid) == 0, 0);
	EXPECT(cpuid.head.nent > 10 && cpuid.head.nent < 100, cpuid.head.nent);
	EXPECT(ioctl(m.vcpu, KVM_SET_CPUID2, &cpuid) == 0, 0);
	/* The first that is refused ends it. */
	EXPECT(ioctl(m.vcpu, KVM_SET_MSRS, &values) == 1, 0);
	values.entry[0].data = 0;
	EXPECT(ioctl(m.vcpu, KVM_GET_MSRS, &values) == 1, 0);
	EXPECT(values.entry[0].data == 0x0606060606060606, values.entry[0].data);
	machine_close(&m);
}

/* --- modes ----------------------------------------------------------------------------------- */

static int spin(void)
{
	static const uint8_t code[] = { 0xff, 0x06, 0x00, 0x20, 0xeb, 0xfa }; /* inc [2000h] */
	struct machine m;

	machine_open(&m);
	START(&m, code);
	printf("spinning\n");
	fflush(stdout);
	run_to(&m, KVM_EXIT_HLT);
	return 1;
}

static uint64_t random_state;

static uint64_t random_u64(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Plausible, at an edge, or anything. */
static uint64_t random_value(void)
{
	static const uint64_t edges[] = { 0, 1, 2, 0xfff, 0x1000, 0x7fffffff, 0x80000000,
		                          0xffffffff, 1ull << 47, ~0ull };
	const uint64_t kind = random_u64() % 4;

	if (kind == 0)
		return edges[random_u64() % (sizeof(edges) / sizeof(edges[0]))];
	return kind == 1 ? random_u64() % 64 : kind == 2 ? random_u64() & 0xfffff000 : random_u64();
}

/* Every number of the interface's group in turn, with the sizes that the real ones have. */
static unsigned long random_request(void)
{
	static const unsigned long known[] = {
		KVM_CREATE_VM, KVM_GET_MSR_INDEX_LIST, KVM_CHECK_EXTENSION, KVM_GET_SUPPORTED_CPUID,
		KVM_CREATE_VCPU, KVM_GET_DIRTY_LOG, KVM_SET_USER_MEMORY_REGION, KVM_SET_TSS_ADDR,
		KVM_RUN, KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS, KVM_GET_FPU,
		KVM_SET_FPU, KVM_GET_MSRS, KVM_SET_MSRS, KVM_GET_MP_STATE, KVM_SET_MP_STATE,
		KVM_SET_CPUID2, KVM_GET_CPUID2, KVM_INTERRUPT, KVM_NMI, KVM_RUN, KVM_RUN, KVM_RUN,
		KVM_SET_REGS, KVM_SET_SREGS, KVM_CREATE_IRQCHIP, KVM_GET_IRQCHIP, KVM_SET_IRQCHIP,
		KVM_IRQ_LINE, KVM_IRQ_LINE_STATUS, KVM_SET_GSI_ROUTING, KVM_SIGNAL_MSI,
		KVM_CREATE_PIT2, KVM_GET_PIT2, KVM_SET_PIT2, KVM_GET_LAPIC, KVM_SET_LAPIC,
		KVM_IRQFD, KVM_IOEVENTFD, KVM_ENABLE_CAP, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS,
		KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XSAVE2, KVM_GET_XCRS, KVM_SET_XCRS,
		KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, KVM_GET_CLOCK, KVM_SET_CLOCK,
		KVM_SET_TSC_KHZ, KVM_X86_SET_MSR_FILTER, KVM_CLEAR_DIRTY_LOG, KVM_SET_BOOT_CPU_ID,
		KVM_GET_STATS_FD, KVM_GET_MSR_FEATURE_INDEX_LIST, KVM_SET_NR_MMU_PAGES,
		KVM_SET_GUEST_DEBUG,
	};

	if (random_u64() % 8 == 0)
		return _IO(KVMIO, random_u64() & 0xff);
	return known[random_u64() % (sizeof(known) / sizeof(known[0]))];
}

static int random_calls(uint64_t seed, unsigned long count)
{
	const struct itimerval often = { { 0, 2000 }, { 0, 2000 } };
	struct sigaction action = { .sa_handler = on_alarm };
	static uint64_t argument[1024];
	int files[16] = { 0 };
	struct machine m;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 1;
	random_state = seed * 2 + 1;
	machine_open(&m);
	files[0] = m.device, files[1] = m.vm, files[2] = m.vcpu;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (unsigned long i = 0; i < count; i++) {
		const unsigned slot = (unsigned)(random_u64() % 16);
		const unsigned long request = random_request();
		uint64_t arg = (uintptr_t)argument;
		int result;

		for (unsigned n = 0; n < 64; n++)
			argument[n] = random_value();
		for (unsigned n = 0; n < 4; n++)
			((uint64_t *)m.run)[random_u64() % 512] = random_value();
		if (request == KVM_SET_USER_MEMORY_REGION && random_u64() % 2)
			argument[3] = (uintptr_t)m.memory;
		if (request == KVM_RUN || random_u64() % 8 == 0)
			arg = random_u64() % 4 ? 0 : random_value();
		m.run->immediate_exit = 0;
		result = ioctl(files[slot % 4 ? slot % 3 : slot], request, arg);
		if (result > 2 && (request == KVM_CREATE_VM || request == KVM_CREATE_VCPU ||
		                   request == KVM_GET_STATS_FD)) {
			const unsigned keep = 3 + (unsigned)(random_u64() % 13);

			if (files[keep])
				close(files[keep]);
			files[keep] = result;
		}
	}
	printf("random: %lu calls\n", count);
	return 0;
}

/* --- main ------------------------------------------------------------------------------------- */

static const struct test basic_tests[] = {
	{ "version", version },
	{ "registers", registers },
	{ "lists", lists },
	{ "ports", ports },
	{ "string-ports", string_ports },
	{ "string-ports-at-once", string_ports_at_once },
	{ "moved-at-exit", moved_at_exit },
	{ "device-memory", device_memory },
	{ "interrupts", interrupts },
	{ "signals", signals },
	{ "immediate-exit", immediate_exit },
	{ "paging", paging },
	{ "forks", forks },
	{ "passed-on", passed_on },
	{ "paging-beside", paging_beside },
	{ "slots-beside", slots_beside },
	{ "slots", slots },
	{ "readonly-slot", readonly_slot },
	{ "dirty-log", dirty_log },
	{ "shutdown", shutdown_exit },
	{ NULL, NULL },
};

static const struct test *const groups[] = {
	basic_tests, debug_tests, eventfd_tests, irq_tests, msr_tests, state_tests,
};

static bool is_wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	while (*names)
		if (strcmp(*names++, name) == 0)
			return true;
	return false;
}

static unsigned good, bad;

static void run_group(const struct test *test, char **names)
{
	for (; test->name; test++) {
		if (!is_wanted(test->name, names))
			continue;
		test_name = test->name;
		failed = false;
		test->run();
		if (!failed)
			printf("ok %s\n", test_name);
		fflush(stdout);
		good += !failed;
		bad += failed;
	}
}

int main(int count, char **arguments)
{

	if (count < 2)
		return 2;
	device_name = arguments[1];
	test_name = "machine";
	if (count == 3 && strcmp(arguments[2], "--spin") == 0)
		return spin();
	if (count == 5 && strcmp(arguments[2], "--random") == 0)
		return random_calls(strtoull(arguments[3], NULL, 0),
		                    strtoul(arguments[4], NULL, 0));
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		run_group(groups[i], arguments + 2);
	printf("%u passed, %u failed\n", good, bad);
	return bad ? 1 : 0;
}
