/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Accesses that user space answers: ports, and addresses where no memory is.
 */
#include <string.h>

#include "vmm.h"

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

const struct test io_tests[] = {
	{ "ports", ports },
	{ "string-ports", string_ports },
	{ "string-ports-at-once", string_ports_at_once },
	{ "moved-at-exit", moved_at_exit },
	{ "device-memory", device_memory },
	{ NULL, NULL },
};
