/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A debugger in user space (KVM_SET_GUEST_DEBUG), and what the guest keeps of its own.
 *
 * QEMU's emulated processor does not arm the breakpoints that it loads with VMRUN: that those are
 * hit is shown on the processor model (tests/unit/test_vcpu_debugger.c).  Here they are in place.
 */
#include <stddef.h>
#include <string.h>

#include "vmm.h"

#define DB         1u
#define BP         3u
#define TF         0x100u
#define IF         0x200u
#define DR6_RESET  0xffff0ff0u
#define DR6_STEP   0xffff4ff0u
#define DR6_GUARD  0xffff2ff0u
#define DR7_GUARD  0x2000u
#define HANDLER    0x3000u
#define VECTOR     0x20u
#define CODE_PORT  0x80
#define FOUND_PORT 0x81

static int set_debug(const struct machine *m, uint32_t control, const uint64_t *registers)
{
	struct kvm_guest_debug debug = { .control = control };

	if (registers)
		memcpy(debug.arch.debugreg, registers, sizeof(debug.arch.debugreg));
	return ioctl(m->vcpu, KVM_SET_GUEST_DEBUG, &debug);
}

static void step(const struct machine *m, uint32_t more)
{
	const uint32_t control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | more;

	EXPECT(set_debug(m, control, NULL) == 0, 0);
}

/* The guest has come to an exception of the debugger's. */
static void stopped(struct machine *m, uint32_t exception, uint64_t pc)
{
	struct kvm_regs regs;

	run_to(m, KVM_EXIT_DEBUG);
	EXPECT(m->run->debug.arch.exception == exception, m->run->debug.arch.exception);
	EXPECT(m->run->debug.arch.pc == pc, m->run->debug.arch.pc);
	EXPECT(ioctl(m->vcpu, KVM_GET_REGS, &regs) == 0, 0);
	EXPECT(regs.rip == pc && !(regs.rflags & TF), regs.rip);
}

static void stepped(struct machine *m, uint64_t pc)
{
	stopped(m, DB, pc);
	EXPECT(m->run->debug.arch.dr6 == DR6_STEP, m->run->debug.arch.dr6);
}

/* What the processor executes, what the module does, and what user space has a part in. */
static void steps(void)
{
	static const uint8_t code[] = {
		0x90,            /* nop */
		0x31, 0xc0,      /* xor ax, ax */
		0x0f, 0xa2,      /* cpuid */
		0xe6, CODE_PORT, /* out */
		0x9c,            /* pushf */
		0x9d,            /* popf */
		0x90,            /* nop */
		0xf4,            /* hlt */
	};
	struct machine m;

	machine_open(&m);
	START(&m, code);
	step(&m, 0);
	stepped(&m, CODE + 1);
	stepped(&m, CODE + 3);
	stepped(&m, CODE + 5);
	run_to(&m, KVM_EXIT_IO);
	stepped(&m, CODE + 7);
	stepped(&m, CODE + 8);
	stepped(&m, CODE + 9);
	stepped(&m, CODE + 10);
	EXPECT(set_debug(&m, 0, NULL) == 0, 0);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

/* Whoever sets registers while an OUT waits for its end has its step all the same. */
static void steps_after_set_regs(void)
{
	static const uint8_t code[] = { 0xe6, CODE_PORT, 0x90, 0xf4 };
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	run_to(&m, KVM_EXIT_IO);
	step(&m, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0 && !(regs.rflags & TF), regs.rflags);
	EXPECT(ioctl(m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
	stepped(&m, CODE + 2);
	stepped(&m, CODE + 3);
	machine_close(&m);
}

static void put_vector(const struct machine *m, unsigned vector, uint16_t offset)
{
	memcpy(m->memory + 4 * vector, &(uint16_t[2]){ offset, 0 }, 4);
}

/* out FOUND_PORT; iret */
static void put_handler(const struct machine *m, unsigned vector)
{
	memcpy(m->memory + HANDLER, (uint8_t[]){ 0xe6, FOUND_PORT, 0xcf }, 3);
	put_vector(m, vector, HANDLER);
}

static uint16_t pushed_ip(const struct machine *m)
{
	struct kvm_regs regs;
	uint16_t ip;

	EXPECT(ioctl(m->vcpu, KVM_GET_REGS, &regs) == 0, 0);
	memcpy(&ip, m->memory + regs.rsp, sizeof(ip));
	return ip;
}

static void found(struct machine *m, uint16_t ip)
{
	run_to(m, KVM_EXIT_IO);
	EXPECT(m->run->io.port == FOUND_PORT, m->run->io.port);
	EXPECT(pushed_ip(m) == ip, pushed_ip(m));
}

/* Where the debugger has put one it is its own, and any other the guest's, given back behind it. */
static void int3(void)
{
	static const uint8_t code[] = { 0xcc, 0xcd, VECTOR, 0xcc, 0xf4 };
	const uint32_t control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP;
	struct kvm_vcpu_events events;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	put_handler(&m, BP);
	put_vector(&m, VECTOR, HANDLER);
	EXPECT(set_debug(&m, control, NULL) == 0, 0);
	stopped(&m, BP, CODE);
	stopped(&m, BP, CODE); /* It runs again, and is still there. */
	EXPECT(set_debug(&m, control | KVM_GUESTDBG_INJECT_BP, NULL) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_VCPU_EVENTS, &events) == 0, 0);
	EXPECT(events.exception.injected && events.exception.nr == BP, events.exception.nr);
	REFUSED(set_debug(&m, control | KVM_GUESTDBG_INJECT_DB, NULL), EBUSY);
	EXPECT(ioctl(m.vcpu, KVM_SET_VCPU_EVENTS, &events) == 0, 0);
	found(&m, CODE + 1);
	found(&m, CODE + 3); /* INT n is none of the debugger's. */
	stopped(&m, BP, CODE + 3);
	EXPECT(set_debug(&m, 0, NULL) == 0, 0);
	found(&m, CODE + 4);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

/* A #DB of the guest's own, that user space raises, and one that it does not get to see. */
static void own_steps(void)
{
	static const uint8_t code[] = {
		0x68, 0x02, 0x01, /* push 0102h */
		0x9d,             /* popf */
		0x90, 0x90, 0xf4,
	};
	struct kvm_debugregs regs;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	put_handler(&m, DB);
	EXPECT(set_debug(&m, KVM_GUESTDBG_INJECT_DB, NULL) == 0, 0);
	found(&m, CODE);
	EXPECT(set_debug(&m, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, NULL) == 0, 0);
	found(&m, CODE + 5); /* Behind the instruction that follows POPF. */
	EXPECT(ioctl(m.vcpu, KVM_GET_DEBUGREGS, &regs) == 0 && regs.dr6 == DR6_STEP, regs.dr6);
	machine_close(&m);
}

/* mov dr1, ebx; mov eax, dr1; mov ecx, dr6; mov edx, dr7; hlt */
static const uint8_t moves[] = { 0x0f, 0x23, 0xcb, 0x0f, 0x21, 0xc8, 0x0f,
	                         0x21, 0xf1, 0x0f, 0x21, 0xfa, 0xf4 };

/* The guest's debug registers are its own whatever the debugger has in the processor's. */
static void own_registers(void)
{
	const struct kvm_debugregs own = { .db = { 1, 2, 3, 4 }, .dr6 = 0xffff0ff1, .dr7 = 0x402 };
	const uint64_t breakpoints[8] = { 0x11111, 0x22222, 0x33333, 0x44444, [7] = 0x455 };
	struct kvm_debugregs back;
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	START(&m, moves);
	EXPECT(ioctl(m.vcpu, KVM_SET_DEBUGREGS, &own) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	regs.rbx = 0x55555;
	EXPECT(ioctl(m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
	EXPECT(set_debug(&m, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, breakpoints) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_DEBUGREGS, &back) == 0, 0);
	EXPECT(!memcmp(&own, &back, sizeof(own)), back.dr7);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	EXPECT(regs.rax == 0x55555, regs.rax);
	EXPECT(regs.rcx == own.dr6 && regs.rdx == own.dr7, regs.rcx);
	EXPECT(set_debug(&m, 0, NULL) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_GET_DEBUGREGS, &back) == 0, 0);
	EXPECT(back.db[0] == 1 && back.db[1] == 0x55555 && back.db[3] == 4, back.db[1]);
	EXPECT(back.dr6 == own.dr6 && back.dr7 == own.dr7, back.dr6);
	machine_close(&m);
}

/* DR7.GD of the debugger's: each of the guest's moves is shown before it is made. */
static void guard(void)
{
	const uint64_t registers[8] = { [7] = 0x400 | DR7_GUARD };
	struct machine m;

	machine_open(&m);
	START(&m, moves);
	EXPECT(set_debug(&m, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, registers) == 0, 0);
	stopped(&m, DB, CODE);
	EXPECT(m.run->debug.arch.dr6 == DR6_GUARD, m.run->debug.arch.dr6);
	EXPECT(m.run->debug.arch.dr7 == registers[7], m.run->debug.arch.dr7);
	stopped(&m, DB, CODE);
	EXPECT(m.run->debug.arch.dr6 == DR6_GUARD, m.run->debug.arch.dr6);
	EXPECT(set_debug(&m, 0, NULL) == 0, 0);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

/* An interrupt waits while steps go on, and comes when they end. */
static void held_interrupts(void)
{
	static const uint8_t code[] = { 0x90, 0x90, 0x90, 0xf4 };
	const struct kvm_interrupt interrupt = { .irq = VECTOR };
	struct kvm_regs regs;
	struct machine m;

	machine_open(&m);
	START(&m, code);
	put_handler(&m, VECTOR);
	EXPECT(ioctl(m.vcpu, KVM_GET_REGS, &regs) == 0, 0);
	regs.rflags |= IF;
	EXPECT(ioctl(m.vcpu, KVM_SET_REGS, &regs) == 0, 0);
	EXPECT(ioctl(m.vcpu, KVM_INTERRUPT, &interrupt) == 0, 0);
	step(&m, KVM_GUESTDBG_BLOCKIRQ);
	stepped(&m, CODE + 1);
	stepped(&m, CODE + 2);
	EXPECT(set_debug(&m, 0, NULL) == 0, 0);
	found(&m, CODE + 2);
	run_to(&m, KVM_EXIT_HLT);
	machine_close(&m);
}

static void refusals(void)
{
	const uint64_t wide[8] = { [7] = 1ull << 32 };
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG) == 1, 0);
	EXPECT(ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_SET_GUEST_DEBUG2) == 0x1f0003, 0);
	REFUSED(set_debug(&m, KVM_GUESTDBG_ENABLE | 4, NULL), EINVAL);
	REFUSED(set_debug(&m, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, wide), EINVAL);
	REFUSED(ioctl(m.vcpu, KVM_SET_GUEST_DEBUG, NULL), EFAULT);
	machine_close(&m);
}

const struct test debug_tests[] = {
	{ "debug-steps", steps },
	{ "debug-steps-after-set-regs", steps_after_set_regs },
	{ "debug-int3", int3 },
	{ "debug-own-steps", own_steps },
	{ "debug-own-registers", own_registers },
	{ "debug-guard", guard },
	{ "debug-held-interrupts", held_interrupts },
	{ "debug-refusals", refusals },
	{ NULL, NULL },
};
