/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * State that user space saves and restores, and what it may not set.
 */
#include <string.h>
#include <unistd.h>

#include "vmm.h"

/* A guest that counts in BX and asks user space each time. */
static const uint8_t counter[] = {
	0x43,       /* inc bx */
	0xe6, 0x80, /* out 80h, al */
	0xeb, 0xfb, /* again */
};

static void sync_regs(void)
{
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_SYNC_REGS) == 7, 0);
	START(&m, counter);
	m.run->kvm_valid_regs = 8;
	REFUSED(run_once(&m), EINVAL);
	m.run->kvm_valid_regs = 0;
	m.run->kvm_dirty_regs = 1ull << 63;
	REFUSED(run_once(&m), EINVAL);
	m.run->kvm_dirty_regs = 0;
	m.run->kvm_valid_regs = KVM_SYNC_X86_REGS | KVM_SYNC_X86_SREGS | KVM_SYNC_X86_EVENTS;
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->s.regs.regs.rbx == 1, m.run->s.regs.regs.rbx);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	EXPECT(!memcmp(&regs, &m.run->s.regs.regs, sizeof(regs)), 0);
	EXPECT(m.run->s.regs.sregs.cs.base == 0, 0);
	m.run->s.regs.regs.rbx = 40;
	m.run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->s.regs.regs.rbx == 41, m.run->s.regs.regs.rbx);
	EXPECT(m.run->kvm_dirty_regs == 0, m.run->kvm_dirty_regs);
	m.run->s.regs.sregs.cr4 = ~0ull;
	m.run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	REFUSED(run_once(&m), EINVAL);
	m.run->kvm_dirty_regs = 0;
	m.run->kvm_valid_regs = 0;
	m.run->s.regs.regs.rbx = 99;
	run_to(&m, KVM_EXIT_IO);
	EXPECT(m.run->s.regs.regs.rbx == 99, m.run->s.regs.regs.rbx);
	machine_close(&m);
}

/* An interrupt that is injected, the shadow behind which it waits, and what is no event. */
static void events(void)
{
	static const uint8_t code[] = {
		0xfb,                   /* sti */
		0xe6, 0x80,             /* out 80h, al */
		0xf4,                   /* hlt */
	};
	static const uint8_t handler[] = { 0xc6, 0x06, 0x00, 0x20, 0x55, 0xf4 }; /* [2000h] = 55h */
	struct kvm_vcpu_events e;
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_VCPU_EVENTS) == 1, 0);
	START(&m, code);
	memcpy(m.memory + 0x3000, handler, sizeof(handler));
	*(uint32_t *)(m.memory + 4 * 0x21) = 0x3000;
	run_to(&m, KVM_EXIT_IO);
	EXPECT(ioctl(m.vcpu, KVM_GET_VCPU_EVENTS, &e) == 0, 0);
	EXPECT(!e.exception.injected && !e.interrupt.injected && !e.nmi.pending, 0);
	EXPECT(e.flags & KVM_VCPUEVENT_VALID_SHADOW, e.flags);
	e.flags |= 1u << 31;
	REFUSED(ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &e), EINVAL);
	e.flags = 0;
	e.exception.injected = 1;
	e.exception.nr = 2;
	REFUSED(ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &e), EINVAL);
	e.exception.nr = 32;
	REFUSED(ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &e), EINVAL);
	e.exception.injected = 0;
	e.flags = KVM_VCPUEVENT_VALID_SMM;
	e.smi.smm = 1;
	if (!ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_X86_SMM))
		REFUSED(ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &e), EINVAL);
	e.smi.smm = 0;
	e.flags = 0;
	e.interrupt.injected = 1;
	e.interrupt.nr = 0x21;
	EXPECT(ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &e) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_VCPU_EVENTS, &e) == 0, 0);
	EXPECT(e.interrupt.injected && e.interrupt.nr == 0x21, e.interrupt.nr);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(m.memory[DATA] == 0x55, m.memory[DATA]);
	machine_close(&m);
}

/* An exception and an NMI that user space puts back are delivered, the exception first. */
static void events_delivered(void)
{
	static const uint8_t code[] = { 0xf4 };
	static const uint8_t fault[] = { 0x88, 0x1e, 0x00, 0x20, 0xf4 }; /* [2000h] = bl */
	static const uint8_t nmi[] = { 0xb3, 0x07, 0xcf };               /* bl = 7; iret */
	struct kvm_vcpu_events e;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	memcpy(m.memory + 0x3000, fault, sizeof(fault));
	memcpy(m.memory + 0x3100, nmi, sizeof(nmi));
	*(uint32_t *)(m.memory + 4 * 6) = 0x3000;
	*(uint32_t *)(m.memory + 4 * 2) = 0x3100;
	EXPECT(ioctl(m.vcpu, KVM_GET_VCPU_EVENTS, &e) == 0, 0);
	e.flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
	e.exception.injected = 1;
	e.exception.nr = 6;
	e.nmi.pending = 1;
	EXPECT(ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &e) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_VCPU_EVENTS, &e) == 0, 0);
	EXPECT(e.exception.injected && e.exception.nr == 6, e.exception.nr);
	EXPECT(e.nmi.pending == 1, e.nmi.pending);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(m.memory[DATA] == 7, m.memory[DATA]);
	machine_close(&m);
}

static void debug_registers(void)
{
	static const uint8_t code[] = { 0x0f, 0x21, 0xd8, 0xf4 }; /* mov eax, dr3; hlt */
	struct kvm_debugregs d = { .flags = 0 }, back;
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_DEBUGREGS) == 1, 0);
	START(&m, code);
	EXPECT(ioctl(m.vcpu, KVM_GET_DEBUGREGS, &d) == 0, 0);
	EXPECT(d.dr6 == 0xffff0ff0 && d.dr7 == 0x400, d.dr6);
	d.db[3] = 0x12345678;
	d.dr7 = 0x4c0;
	EXPECT(ioctl(m.vcpu, KVM_SET_DEBUGREGS, &d) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_DEBUGREGS, &back) == 0, 0);
	EXPECT(!memcmp(&d, &back, sizeof(d)), back.dr7);
	d.flags = 1;
	REFUSED(ioctl(m.vcpu, KVM_SET_DEBUGREGS, &d), EINVAL);
	d.flags = 0;
	d.dr7 = 1ull << 32;
	REFUSED(ioctl(m.vcpu, KVM_SET_DEBUGREGS, &d), EINVAL);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	EXPECT((uint32_t)regs.rax == 0x12345678, regs.rax);
	machine_close(&m);
}

/* Offsets in XSAVE's area: MXCSR, XMM0, XSTATE_BV.  APM vol. 2, 11.4.4, 11.5.2. */
#define AREA_MXCSR   24
#define AREA_XMM0    160
#define AREA_PRESENT 512

static void xsave(void)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 1 };
	struct kvm_xsave area = { .region = { 0 } };
	uint8_t *const bytes = (uint8_t *)&area;
	struct kvm_fpu fpu;
	struct machine m;

	machine_open(&m);
	if (ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE) == 1) {
		EXPECT(ioctl(m.vm, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2) >= 4096, 0);
		EXPECT(ioctl(m.vcpu, KVM_GET_XSAVE, &area) == 0, 0);
		memset(bytes + AREA_XMM0, 0x5a, 16);
		bytes[AREA_PRESENT] |= 2;
		EXPECT(ioctl(m.vcpu, KVM_SET_XSAVE, &area) == 0, 0);
		EXPECT(ioctl(m.vcpu, KVM_GET_FPU, &fpu) == 0 && fpu.xmm[0][15] == 0x5a, 0);
		bytes[AREA_MXCSR + 3] = 0x80;
		REFUSED(ioctl(m.vcpu, KVM_SET_XSAVE, &area), EINVAL);
		bytes[AREA_MXCSR + 3] = 0;
		bytes[AREA_PRESENT + 7] = 0x80;
		REFUSED(ioctl(m.vcpu, KVM_SET_XSAVE, &area), EINVAL);
		EXPECT(ioctl(m.vcpu, KVM_GET_XCRS, &xcrs) == 0 && xcrs.xcrs[0].value == 1, 0);
		xcrs.xcrs[0].value = 3;
		EXPECT(ioctl(m.vcpu, KVM_SET_XCRS, &xcrs) == 0, 0);
		xcrs.xcrs[0].value = 2; /* Without x87. */
		REFUSED(ioctl(m.vcpu, KVM_SET_XCRS, &xcrs), EINVAL);
		xcrs.nr_xcrs = KVM_MAX_XCRS + 1;
		REFUSED(ioctl(m.vcpu, KVM_SET_XCRS, &xcrs), EINVAL);
		EXPECT(ioctl(m.vcpu, KVM_GET_XCRS, &xcrs) == 0 && xcrs.xcrs[0].value == 3, 0);
	}
	machine_close(&m);
}

static int clear(const struct machine *m, uint64_t first, uint32_t count, void *bitmap)
{
	struct kvm_clear_dirty_log log = {
		.first_page = first,
		.num_pages = count,
		.dirty_bitmap = bitmap,
	};

	return ioctl(m->vm, KVM_CLEAR_DIRTY_LOG, &log);
}

/* User space clears, a page at a time; what it does not name stays, and what is written comes. */
static void dirty_log_cleared(void)
{
	static const uint8_t code[] = {
		0xfe, 0x06, 0x00, 0x50, /* inc byte [5000h] */
		0xfe, 0x06, 0x00, 0x60, /* inc byte [6000h] */
		0xf4,                   /* hlt */
		0xeb, 0xf5,             /* again */
	};
	struct kvm_enable_cap manual = { .cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		                         .args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE } };
	uint64_t bitmap[MEMORY / 4096 / 64], bit5[4] = { 1 << 5 };
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) == 3, 0);
	manual.args[0] = 4;
	REFUSED(ioctl(m.vm, KVM_ENABLE_CAP, &manual), EINVAL);
	manual.args[0] = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;
	EXPECT(ioctl(m.vm, KVM_ENABLE_CAP, &manual) == 0, 0);
	REFUSED(clear(&m, 0, 64, bit5), ENOENT);
	START(&m, code);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(set_slot(&m, 0, 0, MEMORY, m.memory, KVM_MEM_LOG_DIRTY_PAGES) == 0, 0);
	run_to(&m, KVM_EXIT_HLT);
	for (unsigned i = 0; i < 2; i++)
		EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0 && bitmap[0] == 0x60, bitmap[0]);
	REFUSED(clear(&m, 1, 64, bit5), EINVAL);
	REFUSED(clear(&m, 0, 63, bit5), EINVAL);
	REFUSED(clear(&m, 256, 64, bit5), EINVAL);
	REFUSED(clear(&m, 0, 64, (void *)16), EFAULT);
	EXPECT(clear(&m, 0, 64, bit5) == 0, 0);
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0 && bitmap[0] == 0x40, bitmap[0]);
	EXPECT(clear(&m, 0, 256, bitmap) == 0, 0);
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0 && bitmap[0] == 0, bitmap[0]);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0 && bitmap[0] == 0x60, bitmap[0]);
	manual.args[0] |= KVM_DIRTY_LOG_INITIALLY_SET;
	EXPECT(ioctl(m.vm, KVM_ENABLE_CAP, &manual) == 0, 0);
	EXPECT(set_slot(&m, 0, 0, MEMORY, m.memory, 0) == 0, 0);
	EXPECT(set_slot(&m, 0, 0, MEMORY, m.memory, KVM_MEM_LOG_DIRTY_PAGES) == 0, 0);
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0 && bitmap[3] == ~0ull, bitmap[3]);
	machine_close(&m);
}

int64_t counter_of(int file, const char *name)
{
	struct {
		struct kvm_stats_desc desc;
		char name[64];
	} one;
	struct kvm_stats_header header;
	uint64_t value = 0;

	EXPECT(pread(file, &header, sizeof(header), 0) == sizeof(header), 0);
	EXPECT(header.name_size <= sizeof(one.name), header.name_size);
	for (uint32_t i = 0; i < header.num_desc && !failed; i++) {
		const size_t size = sizeof(one.desc) + header.name_size;

		EXPECT(pread(file, &one, size, header.desc_offset + (off_t)(i * size)) ==
		               (ssize_t)size, i);
		if (strcmp(one.name, name) == 0 &&
		    pread(file, &value, 8, header.data_offset + one.desc.offset) == 8)
			return (int64_t)value;
	}
	return -1;
}

static void statistics(void)
{
	struct machine m;
	int of_vm, of_vcpu;
	int64_t before;
	char byte;

	machine_open(&m);
	if (!ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_BINARY_STATS_FD)) {
		machine_close(&m);
		return;
	}
	of_vm = ioctl(m.vm, KVM_GET_STATS_FD, 0);
	of_vcpu = ioctl(m.vcpu, KVM_GET_STATS_FD, 0);
	EXPECT(counter_of(of_vm, "vcpus") == 1, 0);
	EXPECT(counter_of(of_vm, "memory_slots") == 1, 0);
	EXPECT(counter_of(of_vm, "nobody") == -1, 0);
	before = counter_of(of_vcpu, "entries");
	START(&m, counter);
	for (unsigned i = 0; i < 10; i++)
		run_to(&m, KVM_EXIT_IO);
	EXPECT(before == 0 && counter_of(of_vcpu, "entries") >= 10, before);
	EXPECT(pread(of_vcpu, &byte, 1, 1 << 20) == 0, 0);
	REFUSED(write(of_vcpu, "", 1), EBADF);
	machine_close(&m);
	EXPECT(counter_of(of_vcpu, "entries") >= 10, 0); /* It keeps what it is of. */
	close(of_vcpu);
	close(of_vm);
}

const struct test state_tests[] = {
	{ "sync-regs", sync_regs },
	{ "events", events },
	{ "events-delivered", events_delivered },
	{ "debug-registers", debug_registers },
	{ "xsave", xsave },
	{ "dirty-log-cleared", dirty_log_cleared },
	{ "statistics", statistics },
	{ NULL, NULL },
};
