/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Machine checks: what a VMM sets up, what the guest may do with its banks, and errors that the VMM
 * has happen.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm.h"

#define MCG_CAP    0x179u
#define MCG_STATUS 0x17au
#define MCG_CTL    0x17bu
/* Of bank n. */
#define CTL(n)    (0x400u + 4 * (n))
#define STATUS(n) (0x401u + 4 * (n))
#define ADDR(n)   (0x402u + 4 * (n))

#define CTL_P   (1ull << 8)
#define SER_P   (1ull << 24)
#define BANKS   10u
#define VAL     (1ull << 63)
#define OVER    (1ull << 62)
#define UC      (1ull << 61)
#define MCIP    (1ull << 2)
#define CR4_MCE (1u << 6)

#define HANDLER 0x3000u

static uint64_t msr_of(const struct machine *m, uint32_t msr)
{
	uint64_t value = 0;

	EXPECT(user_msr(m, KVM_GET_MSRS, msr, &value) == 1, msr);
	return value;
}

static int machine_check(const struct machine *m, uint64_t status, uint8_t bank)
{
	struct kvm_x86_mce mce = {
		.status = status, .addr = 0x5000, .mcg_status = MCIP | 1, .bank = bank,
	};

	return ioctl(m->vcpu, KVM_X86_SET_MCE, &mce);
}

static int set_up(const struct machine *m, uint64_t cap)
{
	return ioctl(m->vcpu, KVM_X86_SETUP_MCE, &cap);
}

/* A guest that counts its #MC and #GP by ports: code at CODE. */
static void open_with_handlers(struct machine *m, const void *code, size_t size)
{
	static const uint8_t handlers[] = {
		0xe6, 0x12, 0xcf,                         /* 3000h: out 12h, al; iret */
		0xe6, 0x0d, 0x83, 0xc4, 0x06, 0xff, 0xe5, /* 3003h: out 0dh; add sp, 6; jmp bp */
	};

	machine_open(m);
	start(m, code, size);
	memcpy(m->memory + HANDLER, handlers, sizeof(handlers));
	*(uint32_t *)(m->memory + 4 * 18) = HANDLER;
	*(uint32_t *)(m->memory + 4 * 13) = HANDLER + 3;
}

static void set_cr4(const struct machine *m, uint64_t cr4)
{
	struct kvm_sregs sregs;

	EXPECT(ioctl(m->vcpu, KVM_GET_SREGS, &sregs) == 0, 0);
	sregs.cr4 = cr4;
	EXPECT(ioctl(m->vcpu, KVM_SET_SREGS, &sregs) == 0, 0);
}

static void set_up_banks(void)
{
	uint64_t supported = 0, value;
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_MCE) == 32, 0);
	EXPECT(ioctl(m.device, KVM_X86_GET_MCE_CAP_SUPPORTED, &supported) == 0, 0);
	EXPECT((supported & (CTL_P | SER_P)) == (CTL_P | SER_P), supported);
	REFUSED(set_up(&m, supported), EINVAL); /* No bank. */
	REFUSED(set_up(&m, supported | 33), EINVAL);
	REFUSED(set_up(&m, 1ull << 40 | BANKS), EINVAL);
	EXPECT(msr_of(&m, MCG_CAP) == 32, 0);
	EXPECT(set_up(&m, CTL_P | SER_P | BANKS) == 0, 0);
	EXPECT(msr_of(&m, MCG_CAP) == (CTL_P | BANKS), 0); /* As AMD has it. */
	EXPECT(msr_of(&m, MCG_CTL) == ~0ull, 0);
	EXPECT(msr_of(&m, CTL(BANKS - 1)) == ~0ull, 0);
	EXPECT(user_msr(&m, KVM_GET_MSRS, CTL(BANKS), &value) == 0, 0);
	value = 1;
	EXPECT(user_msr(&m, KVM_SET_MSRS, MCG_CTL, &value) == 0, 0);
	EXPECT(user_msr(&m, KVM_SET_MSRS, CTL(1), &value) == 0, 0);
	EXPECT(user_msr(&m, KVM_SET_MSRS, MCG_CAP, &value) == 0, 0);
	value = VAL | 5;
	EXPECT(user_msr(&m, KVM_SET_MSRS, STATUS(2), &value) == 1, 0);
	EXPECT(msr_of(&m, STATUS(2)) == value, 0);
	machine_close(&m);
}

static void guest_reads_its_banks(void)
{
	static const uint8_t code[] = {
		0xbd, 0x0e, 0x10,                   /* 1000h: mov bp, 100eh */
		0x66, 0xb9, 0x79, 0x01, 0x00, 0x00, /* 1003h: mov ecx, 179h */
		0x0f, 0x32, 0xe7, 0x10,             /* 1009h: rdmsr; out 10h, ax */
		0x90,
		0xbd, 0x23, 0x10,                   /* 100eh: mov bp, 1023h */
		0x66, 0xb9, 0x01, 0x04, 0x00, 0x00, /* 1011h: mov ecx, 401h */
		0x66, 0x31, 0xc0, 0x66, 0x31, 0xd2, /* 1017h: xor eax, eax; xor edx, edx */
		0x0f, 0x30, 0x40,                   /* 101dh: wrmsr; inc ax */
		0x0f, 0x30, 0x90,                   /* 1020h: wrmsr: only 0 */
		0x66, 0xb9, 0x28, 0x04, 0x00, 0x00, /* 1023h: mov ecx, 428h */
		0xbd, 0x2f, 0x10,                   /* 1029h: mov bp, 102fh */
		0x0f, 0x32, 0x90,                   /* 102ch: rdmsr: the eleventh */
		0xf4,                               /* 102fh: hlt */
	};
	uint64_t value = VAL | 5;
	struct machine m;

	open_with_handlers(&m, code, sizeof(code));
	EXPECT(set_up(&m, CTL_P | BANKS) == 0, 0);
	EXPECT(user_msr(&m, KVM_SET_MSRS, STATUS(0), &value) == 1, 0);
	run_to_port(&m, 0x10);
	EXPECT(*(uint16_t *)((uint8_t *)m.run + m.run->io.data_offset) == (CTL_P | BANKS), 0);
	run_to_port(&m, 0x0d);
	EXPECT(msr_of(&m, STATUS(0)) == 0, 0);
	run_to_port(&m, 0x0d);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

static void corrected_errors(void)
{
	static const uint8_t code[] = { 0xe6, 0x10, 0xe6, 0x11, 0xf4 }; /* out; out; hlt */
	struct machine m;

	open_with_handlers(&m, code, sizeof(code));
	EXPECT(set_up(&m, CTL_P | BANKS) == 0, 0);
	run_to_port(&m, 0x10);
	REFUSED(machine_check(&m, VAL, BANKS), EINVAL);
	REFUSED(machine_check(&m, UC, 1), EINVAL);
	EXPECT(machine_check(&m, VAL | 9, 3) == 0, 0);
	EXPECT(msr_of(&m, STATUS(3)) == (VAL | 9), 0);
	EXPECT(msr_of(&m, ADDR(3)) == 0x5000, 0);
	EXPECT(machine_check(&m, VAL | 9, 3) == 0, 0);
	EXPECT(msr_of(&m, STATUS(3)) == (VAL | OVER | 9), 0);
	EXPECT(msr_of(&m, MCG_STATUS) == 0, 0);
	run_to_port(&m, 0x11); /* And no exception. */
	machine_close(&m);
}

/* With CR4.MCE an exception; within its handler, or without that bit, the end. */
static void errors_not_corrected(void)
{
	static const uint8_t code[] = { 0xe6, 0x10, 0xe6, 0x11, 0xeb, 0xfa }; /* out; out; again */
	uint64_t value = 0;
	struct machine m;

	open_with_handlers(&m, code, sizeof(code));
	EXPECT(set_up(&m, CTL_P | SER_P | BANKS) == 0, 0);
	run_to_port(&m, 0x10);
	EXPECT(user_msr(&m, KVM_SET_MSRS, CTL(4), &value) == 1, 0);
	EXPECT(machine_check(&m, VAL | UC | 9, 4) == 0, 0); /* Switched off: nothing. */
	EXPECT(msr_of(&m, STATUS(4)) == 0, 0);
	set_cr4(&m, CR4_MCE);
	EXPECT(machine_check(&m, VAL | UC | 9, 5) == 0, 0);
	run_to_port(&m, 0x12);
	EXPECT(msr_of(&m, STATUS(5)) == (VAL | UC | 9), 0);
	EXPECT(msr_of(&m, MCG_STATUS) == (MCIP | 1), 0);
	EXPECT(user_msr(&m, KVM_SET_MSRS, MCG_STATUS, &value) == 1, 0);
	run_to_port(&m, 0x11);
	EXPECT(machine_check(&m, VAL | UC | 9, 6) == 0, 0);
	run_to_port(&m, 0x12);
	EXPECT(machine_check(&m, VAL | UC | 9, 7) == 0, 0);
	run_to(&m, KVM_EXIT_SHUTDOWN);
	machine_close(&m);

	open_with_handlers(&m, code, sizeof(code));
	EXPECT(set_up(&m, CTL_P | BANKS) == 0, 0);
	run_to_port(&m, 0x10);
	EXPECT(machine_check(&m, VAL | UC | 9, 0) == 0, 0);
	run_to(&m, KVM_EXIT_SHUTDOWN);
	machine_close(&m);
}

static volatile struct {
	int code;
	void *address;
} bus_error;

static void on_bus_error(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	bus_error.code = info->si_code;
	bus_error.address = info->si_addr;
}

/* A page that the kernel has given up, if it can: the guest's touch is a signal of the VMM's. */
static void memory_that_is_gone(void)
{
	static const uint8_t code[] = { 0xe6, 0x10, 0xa2, 0x05, 0x50, 0xe6, 0x11 }; /* [5005h] */
	const struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };
	struct machine m;
	uint8_t *page;

	open_with_handlers(&m, code, sizeof(code));
	page = m.memory + 0x5000;
	run_to_port(&m, 0x10);
	page[0] = 1;
	if (madvise(page, 0x1000, MADV_HWPOISON) != 0) {
		EXPECT(errno == EINVAL, errno);
		printf("%s: not tried, no CONFIG_MEMORY_FAILURE\n", test_name);
	} else {
		sigaction(SIGBUS, &action, NULL);
		bus_error.code = 0;
		REFUSED(run_once(&m), EINTR);
		EXPECT(bus_error.code == BUS_MCEERR_AR, bus_error.code);
		EXPECT(bus_error.address == page, (long)bus_error.address);
		/* The VMM has other memory there. */
		EXPECT(mmap(page, 0x1000, PROT_READ | PROT_WRITE,
		            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page, 0);
		signal(SIGBUS, SIG_DFL);
		run_to_port(&m, 0x11);
	}
	machine_close(&m);
}

const struct test mce_tests[] = {
	{ "machine-check-banks", set_up_banks },
	{ "machine-check-registers", guest_reads_its_banks },
	{ "corrected-errors", corrected_errors },
	{ "errors-not-corrected", errors_not_corrected },
	{ "memory-that-is-gone", memory_that_is_gone },
	{ NULL, NULL },
};
