/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers, clocks and habits that user space gives a guest or takes away.
 */
#include <linux/kvm_para.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vmm.h"

#define TSC           0x10u
#define TSC_ADJUST    0x3bu
#define PLATFORM_INFO 0xceu
#define MISC_ENABLE   0x1a0u
#define PAT           0x277u
#define STAR          0xc0000081u
#define NOBODYS       0x474f4f00u

#define GP_HANDLER 0x3000u
#define UD_HANDLER 0x3100u

/* rdmsr of ECX; hlt.  wrmsr of ECX; hlt.  Behind a fault BL is 77h. */
static const uint8_t rdmsr[] = { 0x0f, 0x32, 0xf4 };
static const uint8_t wrmsr[] = { 0x0f, 0x30, 0xf4 };
static const uint8_t on_fault[] = { 0xb3, 0x77, 0xf4 }; /* mov bl, 77h; hlt */

static int enable(const struct machine *m, uint32_t cap, uint64_t value)
{
	struct kvm_enable_cap c = { .cap = cap, .args = { value } };

	return ioctl(m->vm, KVM_ENABLE_CAP, &c);
}

static struct kvm_regs registers(const struct machine *m)
{
	struct kvm_regs regs = { .rip = 0 };

	EXPECT(ioctl(m->vcpu, KVM_GET_REGS, &regs) == 0, 0);
	return regs;
}

static void start_at_msr(struct machine *m, const void *code, size_t size, uint32_t msr,
                         uint64_t value)
{
	struct kvm_regs regs;

	start(m, code, size);
	memcpy(m->memory + GP_HANDLER, on_fault, sizeof(on_fault));
	memcpy(m->memory + UD_HANDLER, on_fault, sizeof(on_fault));
	*(uint32_t *)(m->memory + 4 * 13) = GP_HANDLER;
	*(uint32_t *)(m->memory + 4 * 6) = UD_HANDLER;
	regs = registers(m);
	regs.rcx = msr;
	regs.rax = (uint32_t)value;
	regs.rdx = value >> 32;
	EXPECT(ioctl(m->vcpu, KVM_SET_REGS, &regs) == 0, 0);
}

static uint64_t result(const struct machine *m)
{
	const struct kvm_regs regs = registers(m);

	return regs.rdx << 32 | (uint32_t)regs.rax;
}

/* True: the guest got a fault for it. */
static bool guest_faults(struct machine *m, const void *code, size_t size, uint32_t msr)
{
	start_at_msr(m, code, size, msr, 0);
	run_to(m, KVM_EXIT_HLT);
	return (registers(m).rbx & 0xff) == 0x77;
}

#define GUEST_FAULTS(m, code, msr) guest_faults((m), (code), sizeof(code), (msr))

int user_msr(const struct machine *m, unsigned long call, uint32_t msr, uint64_t *value)
{
	union {
		struct kvm_msrs head;
		uint8_t bytes[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} one = { .head.nmsrs = 1 };
	int done;

	one.head.entries[0] = (struct kvm_msr_entry){ .index = msr, .data = *value };
	done = ioctl(m->vcpu, call, &one);
	*value = one.head.entries[0].data;
	return done;
}

static void capabilities(void)
{
	struct kvm_enable_cap c = { .cap = KVM_CAP_DISABLE_QUIRKS2, .flags = 1 };
	const uint64_t identity_map = 0xfeffc000;
	struct machine m, other;

	machine_open(&m);
	REFUSED(ioctl(m.vm, KVM_ENABLE_CAP, &c), EINVAL);
	REFUSED(enable(&m, 100000, 0), EINVAL);
	REFUSED(enable(&m, KVM_CAP_DISABLE_QUIRKS2, 1ull << 40), EINVAL);
	REFUSED(enable(&m, KVM_CAP_X86_USER_SPACE_MSR, 1u << 20), EINVAL);
	REFUSED(enable(&m, KVM_CAP_MAX_VCPU_ID, 1u << 30), EINVAL);
	REFUSED(enable(&m, KVM_CAP_MAX_VCPU_ID, 2), EINVAL); /* There is a vCPU. */
	REFUSED(ioctl(m.vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map), EINVAL);
	other.vm = ioctl(m.device, KVM_CREATE_VM, 0);
	REFUSED(ioctl(other.vm, KVM_SET_IDENTITY_MAP_ADDR, NULL), EFAULT);
	EXPECT(ioctl(other.vm, KVM_SET_IDENTITY_MAP_ADDR, &identity_map) == 0, 0);
	EXPECT(ioctl(other.vm, KVM_SET_BOOT_CPU_ID, 1) == 0, 0);
	EXPECT(enable(&other, KVM_CAP_MAX_VCPU_ID, 2) == 0, 0);
	EXPECT(enable(&other, KVM_CAP_MAX_VCPU_ID, 2) == 0, 0);
	REFUSED(enable(&other, KVM_CAP_MAX_VCPU_ID, 3), EINVAL);
	REFUSED(ioctl(other.vm, KVM_CREATE_VCPU, 2), EINVAL);
	other.vcpu = ioctl(other.vm, KVM_CREATE_VCPU, 1);
	EXPECT(other.vcpu > 0, other.vcpu);
	REFUSED(ioctl(other.vm, KVM_SET_BOOT_CPU_ID, 1), EBUSY);
	close(other.vcpu);
	close(other.vm);
	machine_close(&m);
}

static void platform_info(void)
{
	uint64_t value = 0xff00;
	struct machine m;

	machine_open(&m);
	EXPECT(user_msr(&m, KVM_SET_MSRS, PLATFORM_INFO, &value) == 1, 0);
	EXPECT(!GUEST_FAULTS(&m, rdmsr, PLATFORM_INFO), 0);
	EXPECT(result(&m) == 0xff00, result(&m));
	EXPECT(GUEST_FAULTS(&m, wrmsr, PLATFORM_INFO), 0);
	EXPECT(enable(&m, KVM_CAP_MSR_PLATFORM_INFO, 0) == 0, 0);
	EXPECT(GUEST_FAULTS(&m, rdmsr, PLATFORM_INFO), 0);
	EXPECT(user_msr(&m, KVM_GET_MSRS, PLATFORM_INFO, &value) == 1 && value == 0xff00, value);
	machine_close(&m);
}

/* Which registers user space sees, why, and what its answer does. */
static void msr_exits(void)
{
	struct machine m;

	machine_open(&m);
	EXPECT(enable(&m, KVM_CAP_X86_USER_SPACE_MSR,
	              KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL) == 0, 0);
	start_at_msr(&m, rdmsr, sizeof(rdmsr), NOBODYS, 0);
	run_to(&m, KVM_EXIT_X86_RDMSR);
	EXPECT(m.run->msr.index == NOBODYS, m.run->msr.index);
	EXPECT(m.run->msr.reason == KVM_MSR_EXIT_REASON_UNKNOWN, m.run->msr.reason);
	EXPECT(!m.run->msr.error, m.run->msr.error);
	m.run->msr.data = 0x1122334455667788;
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(result(&m) == 0x1122334455667788, result(&m));
	start_at_msr(&m, wrmsr, sizeof(wrmsr), PAT, 2); /* No memory type. */
	run_to(&m, KVM_EXIT_X86_WRMSR);
	EXPECT(m.run->msr.reason == KVM_MSR_EXIT_REASON_INVAL, m.run->msr.reason);
	EXPECT(m.run->msr.data == 2, m.run->msr.data);
	m.run->msr.error = 1;
	run_to(&m, KVM_EXIT_HLT);
	EXPECT((registers(&m).rbx & 0xff) == 0x77, 0);
	EXPECT(enable(&m, KVM_CAP_X86_USER_SPACE_MSR, 0) == 0, 0);
	EXPECT(GUEST_FAULTS(&m, rdmsr, NOBODYS), 0);
	machine_close(&m);
}

static void msr_filter(void)
{
	uint8_t none[8] = { 0 };
	struct kvm_msr_filter filter = {
		.ranges = {
			{ .flags = KVM_MSR_FILTER_READ, .base = STAR, .nmsrs = 1, .bitmap = none },
			{ .flags = KVM_MSR_FILTER_WRITE, .base = PAT, .nmsrs = 1, .bitmap = none },
		},
	};
	const struct kvm_msr_filter off = { .flags = 0 }, deny_all = { .flags = 1 };
	struct kvm_msr_filter bad = filter;
	uint64_t value = 0;
	struct machine m;

	machine_open(&m);
	bad.flags = 2;
	REFUSED(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &bad), EINVAL);
	bad = filter;
	bad.ranges[1].flags = 4;
	REFUSED(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &bad), EINVAL);
	bad = filter;
	bad.ranges[0].nmsrs = 8 * KVM_MSR_FILTER_MAX_BITMAP_SIZE + 1;
	REFUSED(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &bad), EINVAL);
	REFUSED(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &deny_all), EINVAL);
	bad = filter;
	bad.ranges[0].bitmap = (uint8_t *)16;
	REFUSED(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &bad), EFAULT);
	EXPECT(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &filter) == 0, 0);
	EXPECT(GUEST_FAULTS(&m, rdmsr, STAR), 0);
	EXPECT(!GUEST_FAULTS(&m, wrmsr, STAR), 0);
	EXPECT(!GUEST_FAULTS(&m, rdmsr, PAT), 0);
	EXPECT(GUEST_FAULTS(&m, wrmsr, PAT), 0);
	EXPECT(user_msr(&m, KVM_GET_MSRS, STAR, &value) == 1, 0);
	EXPECT(enable(&m, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER) == 0, 0);
	start_at_msr(&m, rdmsr, sizeof(rdmsr), STAR, 0);
	run_to(&m, KVM_EXIT_X86_RDMSR);
	EXPECT(m.run->msr.reason == KVM_MSR_EXIT_REASON_FILTER, m.run->msr.reason);
	EXPECT(ioctl(m.vm, KVM_X86_SET_MSR_FILTER, &off) == 0, 0);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(!GUEST_FAULTS(&m, rdmsr, STAR), 0);
	machine_close(&m);
}

/* The guest moves both registers, user space one of them. */
static void tsc(void)
{
	const uint64_t second = 1000ull * (1ull << 30);
	uint64_t value = 0, adjust = 0;
	struct machine m;
	long khz;

	machine_open(&m);
	EXPECT(user_msr(&m, KVM_GET_MSRS, TSC, &value) == 1 && value < second, value);
	start_at_msr(&m, wrmsr, sizeof(wrmsr), TSC, 5 * second);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(user_msr(&m, KVM_GET_MSRS, TSC, &value) == 1 && value >= 5 * second, value);
	EXPECT(user_msr(&m, KVM_GET_MSRS, TSC_ADJUST, &adjust) == 1, 0);
	EXPECT(adjust > 4 * second && adjust <= 5 * second, adjust);
	value = 20 * second;
	EXPECT(user_msr(&m, KVM_SET_MSRS, TSC, &value) == 1, 0);
	EXPECT(user_msr(&m, KVM_GET_MSRS, TSC_ADJUST, &value) == 1 && value == adjust, value);
	value = 7;
	EXPECT(user_msr(&m, KVM_SET_MSRS, TSC_ADJUST, &value) == 1, 0);
	EXPECT(user_msr(&m, KVM_GET_MSRS, TSC, &value) == 1 && value >= 20 * second, value);
	khz = ioctl(m.vcpu, KVM_GET_TSC_KHZ, 0);
	EXPECT(khz > 1000, khz);
	EXPECT(ioctl(m.vcpu, KVM_SET_TSC_KHZ, khz) == 0, 0);
	REFUSED(ioctl(m.vcpu, KVM_SET_TSC_KHZ, khz / 2), EINVAL);
	machine_close(&m);
}

static void clock_of_vm(void)
{
	struct kvm_clock_data c = { .clock = 0 }, set = { .clock = 1000000000000ull };
	const uint64_t hour = 3600ull * 1000000000;
	struct timespec now;
	struct machine m;
	int flags;

	machine_open(&m);
	flags = ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_ADJUST_CLOCK);
	if (flags > 0) {
		EXPECT(ioctl(m.vm, KVM_GET_CLOCK, &c) == 0 && c.clock < hour, c.clock);
		EXPECT(c.flags & KVM_CLOCK_REALTIME, c.flags);
		EXPECT(ioctl(m.vm, KVM_SET_CLOCK, &set) == 0, 0);
		EXPECT(ioctl(m.vm, KVM_GET_CLOCK, &c) == 0, 0);
		EXPECT(c.clock >= set.clock && c.clock < set.clock + hour, c.clock);
		clock_gettime(CLOCK_REALTIME, &now);
		set.flags = KVM_CLOCK_REALTIME;
		set.realtime = (uint64_t)now.tv_sec * 1000000000 - 2 * hour;
		EXPECT(ioctl(m.vm, KVM_SET_CLOCK, &set) == 0, 0);
		EXPECT(ioctl(m.vm, KVM_GET_CLOCK, &c) == 0, 0);
		EXPECT(c.clock >= set.clock + 2 * hour, c.clock);
		EXPECT(ioctl(m.vm, KVM_SET_CLOCK, &c) == 0, 0);
		set.flags = 1u << 30;
		REFUSED(ioctl(m.vm, KVM_SET_CLOCK, &set), EINVAL);
	}
	machine_close(&m);
}

/* What a guest of Intel's finds, and MONITOR without CPUID. */
static void habits(void)
{
	static const uint8_t vmcall[] = { 0x0f, 0x01, 0xc1, 0xf4 };
	static const uint8_t monitor[] = { 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, 0xc8, 0xf4 };
	const uint64_t fix = KVM_X86_QUIRK_FIX_HYPERCALL_INSN;
	const uint64_t mwait = KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS;
	const uint64_t misc = KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT;
	uint64_t value = 1u << 18;
	struct machine m;

	machine_open(&m);
	EXPECT((ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_DISABLE_QUIRKS2) & fix) == fix, 0);
	START(&m, vmcall);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(m.memory[CODE + 2] == 0xd9, m.memory[CODE + 2]);
	EXPECT((int32_t)registers(&m).rax == -KVM_ENOSYS, registers(&m).rax);
	EXPECT(!GUEST_FAULTS(&m, monitor, 0), 0);
	EXPECT(enable(&m, KVM_CAP_DISABLE_QUIRKS2, fix | mwait | misc) == 0, 0);
	EXPECT(GUEST_FAULTS(&m, vmcall, 0), 0);
	EXPECT(m.memory[CODE + 2] == 0xc1, m.memory[CODE + 2]);
	EXPECT(GUEST_FAULTS(&m, monitor, 0), 0);
	EXPECT(user_msr(&m, KVM_SET_MSRS, MISC_ENABLE, &value) == 1, 0);
	EXPECT(!GUEST_FAULTS(&m, monitor, 0), 0);
	machine_close(&m);
}

static void features(void)
{
	union {
		struct kvm_msr_list head;
		uint32_t room[64];
	} list = { .head.nmsrs = 0 };
	union {
		struct kvm_msrs head;
		uint8_t bytes[sizeof(struct kvm_msrs) + 2 * sizeof(struct kvm_msr_entry)];
	} two = { .head.nmsrs = 2 };
	struct machine m;

	machine_open(&m);
	REFUSED(ioctl(m.device, KVM_GET_MSR_FEATURE_INDEX_LIST, &list), E2BIG);
	EXPECT(list.head.nmsrs >= 1 && list.head.nmsrs < 60, list.head.nmsrs);
	EXPECT(ioctl(m.device, KVM_GET_MSR_FEATURE_INDEX_LIST, &list) == 0, 0);
	two.head.entries[0].index = list.head.indices[0];
	two.head.entries[1].index = NOBODYS;
	EXPECT(ioctl(m.device, KVM_GET_MSRS, &two) == 1, 0);
	two.head.nmsrs = 1000;
	REFUSED(ioctl(m.device, KVM_GET_MSRS, &two), E2BIG);
	machine_close(&m);
}

/* Answered in the kernel; that the thread gives way on demand ends no run. */
static void hypercalls(void)
{
	static const uint8_t code[] = {
		0x66, 0xb8, 99, 0, 0, 0, /* mov eax, 99: none of KVM's */
		0x0f, 0x01, 0xd9,        /* vmmcall */
		0x66, 0x89, 0xc6,        /* mov esi, eax */
		0x66, 0xb8, KVM_HC_SCHED_YIELD, 0, 0, 0,
		0x0f, 0x01, 0xd9,        /* vmmcall */
		0x66, 0x89, 0xc7,        /* mov edi, eax */
		0x66, 0xb9, 70, 0, 0, 0, /* mov ecx, 70: the APIC of nobody */
		0x66, 0xb8, KVM_HC_KICK_CPU, 0, 0, 0,
		0x0f, 0x01, 0xd9,        /* vmmcall */
		0xf4,                    /* hlt */
	};
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	EXPECT(regs.rsi == (uint32_t)-KVM_ENOSYS, regs.rsi);
	EXPECT(regs.rdi == 0, regs.rdi);
	EXPECT(regs.rax == 0, regs.rax);
	machine_close(&m);
}

const struct test msr_tests[] = {
	{ "capabilities", capabilities },
	{ "platform-info", platform_info },
	{ "msr-exits", msr_exits },
	{ "msr-filter", msr_filter },
	{ "tsc", tsc },
	{ "clock", clock_of_vm },
	{ "habits", habits },
	{ "hypercalls", hypercalls },
	{ "features", features },
	{ NULL, NULL },
};
