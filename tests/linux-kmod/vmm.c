/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A VMM of a few hundred lines, the module's first client: one guest of some instructions per
 * clause of the ioctl interface that VMMs rely on.  It is written from KVM's documentation and runs
 * on any device of that interface, so that KVM itself can be asked the same questions.
 *
 *	vmm DEVICE [TEST...]	prints "ok NAME" or "FAIL NAME: ..." and at the end the counts
 *	vmm DEVICE --spin	a guest that never exits, until somebody kills the process
 *	vmm DEVICE --end	a guest with a few exits and a triple fault, on a vCPU of two;
 *				the other begins where there is nothing; says "ended" and waits
 *	vmm DEVICE --random SEED COUNT
 *				as nobody, calls with arguments that make no sense; what counts is
 *				what the kernel has to say about it
 *	vmm DEVICE --kexec KERNEL INITRD COMMAND_LINE
 *				starts that kernel, and comes back only if it cannot
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "vmm.h"

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

void run_to_port(struct machine *m, uint16_t port)
{
	run_to(m, KVM_EXIT_IO);
	EXPECT(m->run->io.port == port, m->run->io.port);
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

uint64_t eventfd_take(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

void eventfd_put(int fd)
{
	const uint64_t one = 1;

	EXPECT(write(fd, &one, sizeof(one)) == sizeof(one), 0);
}

void on_alarm(int number)
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

/* Blocked, and let through for the run alone: it ends the run and stays, though it would kill. */
static void signal_mask(void)
{
	static const uint8_t code[] = { 0xeb, 0xfe };
	const struct itimerval soon = { .it_value = { .tv_usec = 200000 } };
	struct {
		struct kvm_signal_mask head;
		uint64_t blocked;
	} __attribute__((packed)) mask = { .head.len = 4, .blocked = 1ull << (SIGKILL - 1) };
	sigset_t set, before;
	struct machine m;
	int got = 0;

	machine_open(&m);
	START(&m, code);
	signal(SIGALRM, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, &before);
	EXPECT(ioctl(m.vcpu, KVM_SET_SIGNAL_MASK, &mask) == -1 && errno == EINVAL, errno);
	mask.head.len = 8;
	EXPECT(ioctl(m.vcpu, KVM_SET_SIGNAL_MASK, &mask) == 0, errno);
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT(run_once(&m) == -1 && errno == EINTR, errno);
	EXPECT(m.run->exit_reason == KVM_EXIT_INTR, m.run->exit_reason);
	EXPECT(run_once(&m) == -1 && errno == EINTR, errno);
	EXPECT(sigwait(&set, &got) == 0 && got == SIGALRM, got);
	EXPECT(ioctl(m.vcpu, KVM_SET_SIGNAL_MASK, NULL) == 0, errno);
	sigprocmask(SIG_SETMASK, &before, NULL);
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

/* What its recorder has to hold is in run.sh. */
static int end(void)
{
	static const uint8_t code[] = {
		0xe6, 0x10,                   /* 1000h: out 10h, al */
		0x0f, 0xa2,                   /* 1002h: cpuid */
		0xe4, 0x11,                   /* 1004h: in al, 11h */
		0x0f, 0x01, 0x1e, 0x00, 0x20, /* 1006h: lidt [2000h]: limit 0 */
		0x0f, 0x0b,                   /* 100bh: ud2 */
	};
	struct machine m, other;

	machine_open(&m);
	other = m;
	other.vcpu = ioctl(m.vm, KVM_CREATE_VCPU, 1);
	EXPECT(other.vcpu >= 0, other.vcpu);
	EXPECT(run(&other) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	run_to(&m, KVM_EXIT_IO);
	run_to(&m, KVM_EXIT_SHUTDOWN);
	if (failed)
		return 1;
	printf("ended\n");
	fflush(stdout);
	for (;;)
		pause();
}

/* --- main ------------------------------------------------------------------------------------- */

static const struct test basic_tests[] = {
	{ "version", version },
	{ "registers", registers },
	{ "lists", lists },
	{ "interrupts", interrupts },
	{ "signals", signals },
	{ "immediate-exit", immediate_exit },
	{ "signal-mask", signal_mask },
	{ "shutdown", shutdown_exit },
	{ NULL, NULL },
};

static const struct test *const groups[] = {
	basic_tests,   io_tests,  memory_tests, process_tests, debug_tests,
	eventfd_tests, irq_tests, msr_tests,    state_tests,   resample_tests,
	x2apic_tests,  turns_tests, ldt_tests,  mce_tests,
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
	if (count == 3 && strcmp(arguments[2], "--end") == 0)
		return end();
	if (count == 5 && strcmp(arguments[2], "--random") == 0)
		return random_calls(strtoull(arguments[3], NULL, 0),
		                    strtoul(arguments[4], NULL, 0));
	if (count == 6 && strcmp(arguments[2], "--kexec") == 0)
		return other_kernel(arguments[3], arguments[4], arguments[5]);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		run_group(groups[i], arguments + 2);
	printf("%u passed, %u failed\n", good, bad);
	return bad ? 1 : 0;
}
