/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The PC as its guest sees it: the whole library, the strict processor, and a clock that the test
 * turns.
 */
#include "core/vcpu/emulation.h"
#include "pc_rig.h"

#define NEVER UINT64_MAX

#define LAPIC_TPR     0x080u
#define LAPIC_ICR     0x300u
#define LAPIC_ICR_TO  0x310u
#define LAPIC_TIMER   0x320u
#define LAPIC_LINT0   0x350u
#define LAPIC_INITIAL 0x380u

#define ICR_FIXED   0x4000u
#define ICR_NMI     0x4400u
#define ICR_INIT    0x4500u
#define ICR_STARTUP 0x4600u

/* The 8259 pair at vectors 20h and 28h, all lines open. */
static void start_pic(struct hosted_script *s)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} writes[] = {
		{ 0x20, 0x11 }, { 0x21, 0x20 }, { 0x21, 0x04 }, { 0x21, 0x01 }, { 0x21, 0 },
		{ 0xa0, 0x11 }, { 0xa1, 0x28 }, { 0xa1, 0x02 }, { 0xa1, 0x01 }, { 0xa1, 0 },
	};

	for (int i = 0; i < ROWS(writes); i++)
		out8(s, writes[i].port, writes[i].value);
}

/* Pin n at vector 20h + n, and the 8259 off. */
static void start_ioapic(struct hosted_script *s, unsigned pin)
{
	store32(s, IOAPIC, 0x10 + 2 * pin);
	store32(s, IOAPIC + 0x10, 0x20 + pin);
	store32(s, LAPIC + LAPIC_LINT0, 0x10000);
}

static void start_pit(struct hosted_script *s)
{
	out8(s, 0x43, 0x34);
	out8(s, 0x40, 0xe8);
	out8(s, 0x40, 0x03);
}

/* "Transmitter empty" by IRQ 4. */
static void start_uart(struct hosted_script *s)
{
	out8(s, 0x3fc, 0x08);
	out8(s, 0x3f9, 0x02);
}

/* Periodic interrupt, 8 kHz. */
static void start_rtc(struct hosted_script *s)
{
	out8(s, 0x70, 0x0a);
	out8(s, 0x71, 0x23);
	out8(s, 0x70, 0x0b);
	out8(s, 0x71, 0x42);
}

static void start_lapic_timer(struct hosted_script *s)
{
	store32(s, LAPIC + LAPIC_TIMER, 0x3f);
	store32(s, LAPIC + LAPIC_INITIAL, 1000);
}

static void start_tsc_deadline(struct hosted_script *s)
{
	store32(s, LAPIC + LAPIC_TIMER, 0x4003e);
	write_msr(s, 0x6e0, 1);
}

/* --- every port and register answers --------------------------------------------------------- */

static const struct {
	uint16_t first, last;
} answering[] = {
	{ 0x20, 0x21 },   { 0x40, 0x43 },   { 0x60, 0x61 },   { 0x64, 0x64 },   { 0x70, 0x71 },
	{ 0x80, 0x80 },   { 0x92, 0x92 },   { 0xa0, 0xa1 },   { 0xe9, 0xe9 },   { 0xf4, 0xf4 },
	{ 0x2f8, 0x2ff }, { 0x3f8, 0x3ff }, { 0x4d0, 0x4d1 }, { 0x510, 0x511 }, { 0x600, 0x60b },
	{ 0xcf8, 0xcff },
};

static bool answers(unsigned port)
{
	for (int i = 0; i < ROWS(answering); i++)
		if (port >= answering[i].first && port <= answering[i].last)
			return true;
	return false;
}

static bool guest_reads_port(struct machine *m, unsigned port)
{
	enum svm_exit_kind kind;

	rig_rewind(&m->r);
	hosted_script_mov(&m->r.code, HOSTED_RDX, port);
	hosted_script_in_dx(&m->r.code, 1);
	hosted_script_vmmcall(&m->r.code);
	kind = rig_run_on(&m->r);
	if (kind == SVM_EXIT_KIND_IO)
		ck_assert_uint_eq(m->r.exit.io.port, port);
	else
		ck_assert_int_eq(kind, SVM_EXIT_KIND_HYPERCALL);
	return kind == SVM_EXIT_KIND_HYPERCALL;
}

START_TEST(the_devices_answer_at_their_ports_alone)
{
	struct machine m;

	machine_init(&m, RIG_32, 1);
	for (unsigned port = 0; port <= 0x1000; port++)
		ck_assert_msg(guest_reads_port(&m, port) == answers(port), "port %x", port);
	machine_fini(&m);
}
END_TEST

/* RAX afterwards: 13 is #GP. */
static const struct {
	const char *what;
	uint32_t msr;
	bool x2apic, refused;
} msr_rows[] = {
	{ "APIC_BASE", 0x1b, false, false },
	{ "TSC deadline", 0x6e0, false, false },
	{ "the first of x2APIC in xAPIC mode", 0x802, false, true },
	{ "x2APIC's ID", 0x802, true, false },
	{ "below x2APIC's first", 0x801, true, true },
	{ "x2APIC's last is write-only", 0x83f, true, true },
	{ "behind x2APIC", 0x840, true, true },
	{ "the paravirtual wall clock", 0x4b564d00, false, false },
	{ "the paravirtual clock", 0x4b564d01, false, false },
	{ "the paravirtual end of interrupt", 0x4b564d04, false, false },
};

START_TEST(the_registers_answer_where_they_exist)
{
	struct machine m;

	machine_init(&m, RIG_32, 1);
	if (msr_rows[_i].x2apic)
		write_msr(&m.r.code, 0x1b, 0xfee00d00);
	hosted_script_mov(&m.r.code, HOSTED_RCX, msr_rows[_i].msr);
	hosted_script_rdmsr(&m.r.code);
	hosted_script_mov(&m.r.code, HOSTED_RAX, 99);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_msg(rig_regs(&m.r).rax == (msr_rows[_i].refused ? 13 : 99), "%s",
	              msr_rows[_i].what);
	machine_fini(&m);
}
END_TEST

/* --- interrupts arrive ----------------------------------------------------------------------- */

static const struct {
	const char *what;
	void (*start)(struct hosted_script *s);
	int pin;         /* Of the I/O APIC; -1: by the 8259. */
	bool needs_time; /* It comes at the deadline that the vCPU names, and not before. */
	uint8_t vector;
} interrupt_rows[] = {
	{ "PIT by virtual wire", start_pit, -1, true, 0x20 },
	{ "PIT by I/O APIC", start_pit, 2, true, 0x22 },
	{ "UART by virtual wire", start_uart, -1, false, 0x24 },
	{ "UART by I/O APIC", start_uart, 4, false, 0x24 },
	{ "RTC by both 8259", start_rtc, -1, true, 0x28 },
	{ "RTC by I/O APIC", start_rtc, 8, true, 0x28 },
	{ "timer of the local APIC", start_lapic_timer, 4, true, 0x3f },
	{ "TSC deadline", start_tsc_deadline, 4, false, 0x3e },
};

START_TEST(an_interrupt_arrives)
{
	struct machine m;
	uint64_t deadline;

	machine_init(&m, RIG_32, 1);
	if (interrupt_rows[_i].pin < 0)
		start_pic(&m.r.code);
	else
		start_ioapic(&m.r.code, (unsigned)interrupt_rows[_i].pin);
	interrupt_rows[_i].start(&m.r.code);
	hosted_script_sti(&m.r.code);
	hosted_script_hlt(&m.r.code);
	if (interrupt_rows[_i].needs_time) {
		ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
		deadline = svm_vcpu_deadline(m.r.vcpu);
		ck_assert_uint_gt(deadline, clock_ns);
		ck_assert_uint_lt(deadline, clock_ns + 2000000);
		clock_ns = deadline - 1;
		ck_assert(!svm_vcpu_has_event(m.r.vcpu));
		clock_ns = deadline;
		ck_assert(svm_vcpu_has_event(m.r.vcpu));
	}
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_msg(rig_regs(&m.r).rax == interrupt_rows[_i].vector, "%s: vector %x",
	              interrupt_rows[_i].what, (unsigned)rig_regs(&m.r).rax);
	machine_fini(&m);
}
END_TEST

/* The smallest periods there are: deadlines keep their distance, however often one looks. */
static void start_pit_at_1(struct hosted_script *s)
{
	out8(s, 0x43, 0x14);
	out8(s, 0x40, 2);
}

static void start_lapic_timer_at_1(struct hosted_script *s)
{
	store32(s, LAPIC + 0x3e0, 0xb);
	store32(s, LAPIC + LAPIC_TIMER, 0x2003f);
	store32(s, LAPIC + LAPIC_INITIAL, 1);
}

static void (*const fast_rows[])(struct hosted_script *s) = {
	start_pit_at_1, start_lapic_timer_at_1, start_rtc,
};

START_TEST(a_fast_timer_asks_at_most_each_100_us)
{
	uint64_t last = NS_0;
	unsigned wakes = 0;
	struct machine m;

	machine_init(&m, RIG_32, 1);
	start_pic(&m.r.code);
	fast_rows[_i](&m.r.code);
	hosted_script_hlt(&m.r.code); /* With IF = 0: nothing is ever accepted. */
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
	while (clock_ns < NS_0 + 10000000) {
		const uint64_t deadline = svm_vcpu_deadline(m.r.vcpu);

		ck_assert_uint_ge(deadline, last);
		last = deadline;
		clock_ns = deadline > clock_ns ? deadline : clock_ns;
		ck_assert_int_eq(svm_vcpu_run(m.r.vcpu, &m.r.exit), 0);
		ck_assert(m.r.exit.kind == SVM_EXIT_KIND_HLT);
		/* The guest sleeps with IF = 0; somebody asks the port nevertheless. */
		(void)svm_pc_receive(m.pc, 0, 'x');
		m.r.vcpu->irq.pending(m.r.vcpu->irq.arg, m.r.vcpu, 0);
		ck_assert_uint_lt(++wakes, 110);
	}
	machine_fini(&m);
}
END_TEST

/* A deaf guest with a level that nobody takes away, and one that says EOI for ever. */
START_TEST(a_level_that_stays_comes_again_at_each_eoi)
{
	struct hosted_script s;
	struct machine m;

	machine_init(&m, RIG_32, 1);
	hosted_script_init(&s, 32);
	hosted_script_inc(&s, HOSTED_RSI);
	hosted_script_mov(&s, HOSTED_RBX, LAPIC + 0xb0);
	hosted_script_store(&s, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_vmmcall(&s);
	hosted_script_iret(&s);
	rig_handler(&m.r, 0x24, &s);
	start_ioapic(&m.r.code, 4);
	store32(&m.r.code, IOAPIC + 0x10, 0x8024); /* Level. */
	store32(&m.r.code, IOAPIC, 0x18);
	store32(&m.r.code, IOAPIC + 0x10, 0x8024);
	start_uart(&m.r.code);
	hosted_script_sti(&m.r.code);
	hosted_script_hlt(&m.r.code);
	for (unsigned i = 1; i < 50; i++) {
		ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
		ck_assert_uint_eq(rig_regs(&m.r).rsi, i);
		ck_assert_int_eq(svm_vcpu_complete_skip(m.r.vcpu), 0);
	}
	machine_fini(&m);
}
END_TEST

/* --- task priority --------------------------------------------------------------------------- */

static uint64_t cr8_of(struct rig *r)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(r->vcpu, &system);
	return system.cr8;
}

/* Page 1FEh of the guest's own map is the local APIC. */
static void map_lapic(struct rig *r)
{
	const uint64_t entry = LAPIC | 7;

	memcpy(r->memory + RIG_PT + 3 * 4096 + 0x1fe * 8, &entry, sizeof(entry));
}

START_TEST(the_task_priority_is_one_register_by_three_names)
{
	struct machine m;

	machine_init(&m, RIG_64, 1);
	map_lapic(&m.r);
	store32(&m.r.code, 0x1fe000 + LAPIC_TPR, 0x53);
	hosted_script_read_cr(&m.r.code, HOSTED_RSI, 8);
	hosted_script_load(&m.r.code, HOSTED_RDI, HOSTED_RBX, false);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&m.r).rsi, 5);
	ck_assert_uint_eq(rig_regs(&m.r).rdi, 0x53);
	ck_assert_uint_eq(cr8_of(&m.r), 5);

	rig_rewind(&m.r);
	hosted_script_mov(&m.r.code, HOSTED_RAX, 9);
	hosted_script_write_cr(&m.r.code, 8, HOSTED_RAX);
	hosted_script_mov(&m.r.code, HOSTED_RBX, 0x1fe000 + LAPIC_TPR);
	hosted_script_load(&m.r.code, HOSTED_RDI, HOSTED_RBX, false);
	write_msr(&m.r.code, 0x1b, 0xfee00d00);
	hosted_script_mov(&m.r.code, HOSTED_RCX, 0x808);
	hosted_script_rdmsr(&m.r.code);
	hosted_script_mov(&m.r.code, HOSTED_RSI, 0);
	hosted_script_add(&m.r.code, HOSTED_RSI, HOSTED_RAX);
	write_msr(&m.r.code, 0x808, 0x21);
	hosted_script_read_cr(&m.r.code, HOSTED_RBX, 8);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&m.r).rdi, 0x90);
	ck_assert_uint_eq(rig_regs(&m.r).rsi, 0x90);
	ck_assert_uint_eq(rig_regs(&m.r).rbx, 2);
	machine_fini(&m);
}
END_TEST

/* Bit 0: an APIC's version is at FEE00030h.  Bit 1: at FED00030h. */
static unsigned apics_seen(struct rig *r)
{
	static const uint32_t places[] = { LAPIC + 0x30, 0xfed00030 };
	unsigned seen = 0;

	for (int i = 0; i < ROWS(places); i++) {
		rig_rewind(r);
		hosted_script_mov(&r->code, HOSTED_RBX, places[i]);
		hosted_script_load(&r->code, HOSTED_RSI, HOSTED_RBX, false);
		hosted_script_vmmcall(&r->code);
		if (rig_run_on(r) == SVM_EXIT_KIND_HYPERCALL && rig_regs(r).rsi == 0x50010)
			seen |= 1u << i;
	}
	return seen;
}

static void write_base(struct rig *r, uint64_t base)
{
	rig_rewind(r);
	write_msr(&r->code, 0x1b, base);
	hosted_script_vmmcall(&r->code);
	ck_assert_int_eq(rig_run_on(r), SVM_EXIT_KIND_HYPERCALL);
}

static const struct {
	const char *what;
	uint64_t base;
	unsigned seen;
} base_rows[] = {
	{ "at the usual place", 0xfee00900, 1 },
	{ "moved", 0xfed00900, 2 },
	{ "over memory, which wins", 0x4900, 0 },
	{ "off", 0xfee00100, 0 },
	{ "moved, and off", 0xfed00100, 0 },
	{ "x2APIC", 0xfee00d00, 0 },
};

START_TEST(the_registers_follow_the_base)
{
	struct machine m;

	machine_init(&m, RIG_32, 1);
	write_base(&m.r, base_rows[_i].base);
	ck_assert_msg(apics_seen(&m.r) == base_rows[_i].seen, "%s: %u", base_rows[_i].what,
	              apics_seen(&m.r));
	write_base(&m.r, base_rows[_i].base & ~UINT64_C(0xc00)); /* By way of "off". */
	write_base(&m.r, 0xfee00900);
	ck_assert_uint_eq(apics_seen(&m.r), 1);
	machine_fini(&m);
}
END_TEST

/* One vCPU's page is a hole for the other, and a state takes the place along. */
START_TEST(each_has_its_own_base)
{
	uint8_t state[4096];
	size_t size;
	struct machine m;

	machine_init(&m, RIG_32, 2);
	write_base(&m.r, 0xfed00900);
	ck_assert_ptr_nonnull(svm_vcpu_find_mmio(m.r.vcpu, 0xfed00ffc, 4));
	ck_assert_ptr_null(svm_vcpu_find_mmio(m.r.vcpu, 0xfed00ffd, 4));
	ck_assert_ptr_null(svm_vcpu_find_mmio(m.other, 0xfed00000, 4));
	size = svm_pc_state_size(m.pc);
	ck_assert_uint_le(size, sizeof(state));
	ck_assert_int_eq(svm_pc_save(m.pc, state, size), 0);
	write_base(&m.r, 0xfee00900);
	ck_assert_ptr_null(svm_vcpu_find_mmio(m.r.vcpu, 0xfed00000, 4));
	ck_assert_int_eq(svm_pc_restore(m.pc, state, size), 0);
	ck_assert_uint_eq(apics_seen(&m.r), 2);
	machine_fini(&m);
}
END_TEST

/* --- what ends the machine ------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint16_t port;
	uint32_t value;
	int size;
	enum svm_pc_event event;
	uint8_t status;
} event_rows[] = {
	{ "keyboard controller, FEh", 0x64, 0xfe, 1, SVM_PC_RESET, 0 },
	{ "port 92h, bit 0", 0x92, 0x01, 1, SVM_PC_RESET, 0 },
	{ "reset register, 06h", 0xcf9, 0x06, 1, SVM_PC_RESET, 0 },
	{ "ACPI, S5", 0x604, 0x3400, 2, SVM_PC_POWER_OFF, 0 },
	{ "port F4h", 0xf4, 0xa5, 1, SVM_PC_EXIT, 0xa5 },
	{ "reset register, 02h", 0xcf9, 0x02, 1, SVM_PC_NOTHING, 0 },
	{ "ACPI, S3", 0x604, 0x2c00, 2, SVM_PC_NOTHING, 0 },
};

START_TEST(an_event_ends_the_run_and_is_told_once)
{
	const enum svm_pc_event event = event_rows[_i].event;
	struct machine m;
	uint8_t status = 0xff;

	machine_init(&m, RIG_32, 1);
	hosted_script_mov(&m.r.code, HOSTED_RDX, event_rows[_i].port);
	hosted_script_mov(&m.r.code, HOSTED_RAX, event_rows[_i].value);
	hosted_script_out_dx(&m.r.code, event_rows[_i].size);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), event == SVM_PC_NOTHING ? SVM_EXIT_KIND_HYPERCALL
	                                                           : SVM_EXIT_KIND_REQUEST);
	ck_assert_msg(svm_pc_event(m.pc, &status) == event, "%s", event_rows[_i].what);
	ck_assert_uint_eq(status, event_rows[_i].status);
	ck_assert_int_eq(svm_pc_event(m.pc, &status), SVM_PC_NOTHING);
	machine_fini(&m);
}
END_TEST

/* --- several processors ---------------------------------------------------------------------- */

#define AP_PAGE 2u /* The other one starts at 2000h. */

static void send_ipi(struct hosted_script *s, uint32_t to, uint32_t low)
{
	store32(s, LAPIC + LAPIC_ICR_TO, to << 24);
	store32(s, LAPIC + LAPIC_ICR, low);
}

/* Runs what is in the script, then serves the other one. */
static void send_and_serve(struct machine *m)
{
	hosted_script_vmmcall(&m->r.code);
	ck_assert_int_eq(rig_run_on(&m->r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(m->r.vcpu), 0);
	ck_assert(svm_pc_has_request(m->pc, m->other));
	ck_assert_int_eq(svm_pc_serve(m->pc, m->other), 0);
	ck_assert(!svm_pc_has_request(m->pc, m->other));
	rig_rewind(&m->r);
}

static void start_other(struct machine *m, const struct hosted_script *code)
{
	memcpy(m->r.memory + AP_PAGE * 4096, code->bytes, code->size);
	send_ipi(&m->r.code, 1, ICR_INIT);
	send_ipi(&m->r.code, 1, ICR_STARTUP | AP_PAGE);
	send_and_serve(m);
	ck_assert_int_eq(svm_vcpu_state(m->other), SVM_VCPU_RUNNABLE);
}

static enum svm_exit_kind run_other(struct machine *m)
{
	do {
		ck_assert_int_eq(svm_vcpu_run(m->other, &m->r.exit), 0);
	} while (m->r.exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	return m->r.exit.kind;
}

START_TEST(init_and_startup_start_another_processor)
{
	struct hosted_script code;
	struct machine m;

	machine_init(&m, RIG_32, 2);
	hosted_script_init(&code, 16);
	hosted_script_nop(&code);
	hosted_script_vmmcall(&code);
	start_other(&m, &code);
	ck_assert_int_eq(run_other(&m), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(m.r.exit.rip, 1);
	machine_fini(&m);
}
END_TEST

START_TEST(the_newest_init_counts)
{
	struct machine m;

	machine_init(&m, RIG_32, 2);
	send_ipi(&m.r.code, 1, ICR_INIT);
	send_ipi(&m.r.code, 1, ICR_STARTUP | AP_PAGE);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	/* Seen by the other one's thread, but not served yet. */
	m.other->irq.pending(m.other->irq.arg, m.other, 0);
	rig_rewind(&m.r);
	send_ipi(&m.r.code, 1, ICR_INIT);
	send_and_serve(&m);
	ck_assert_int_eq(svm_vcpu_state(m.other), SVM_VCPU_WAIT_SIPI);
	machine_fini(&m);
}
END_TEST

/* One that halts with IF = 0 does not ask for interrupts, but INIT and NMI wake it. */
static void halt_other(struct machine *m)
{
	struct hosted_script code;

	hosted_script_init(&code, 16);
	hosted_script_hlt(&code);
	start_other(m, &code);
	ck_assert_int_eq(run_other(m), SVM_EXIT_KIND_HLT);
	ck_assert(!svm_vcpu_has_event(m->other));
}

START_TEST(an_nmi_wakes_a_deaf_halt)
{
	struct hosted_script code;
	struct machine m;
	const uint16_t gate[2] = { 0x3000, 0 };

	machine_init(&m, RIG_32, 2);
	halt_other(&m);
	hosted_script_init(&code, 16);
	hosted_script_vmmcall(&code);
	memcpy(m.r.memory + 0x3000, code.bytes, code.size);
	memcpy(m.r.memory + 2 * 4, gate, sizeof(gate));
	send_ipi(&m.r.code, 1, ICR_NMI);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert(svm_vcpu_has_event(m.other));
	ck_assert_int_eq(run_other(&m), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(m.r.exit.rip, 0x3000);
	machine_fini(&m);
}
END_TEST

START_TEST(init_wakes_a_deaf_halt)
{
	struct machine m;

	machine_init(&m, RIG_32, 2);
	halt_other(&m);
	send_ipi(&m.r.code, 1, ICR_INIT);
	send_and_serve(&m);
	ck_assert_int_eq(svm_vcpu_state(m.other), SVM_VCPU_WAIT_SIPI);
	machine_fini(&m);
}
END_TEST

START_TEST(init_ends_a_shutdown)
{
	struct svm_system_regs system;
	struct hosted_script code;
	struct machine m;

	machine_init(&m, RIG_32, 2);
	hosted_script_init(&code, 16);
	hosted_script_ud2(&code);
	start_other(&m, &code);
	svm_vcpu_get_system(m.other, &system);
	system.idtr.limit = 0;
	ck_assert_int_eq(svm_vcpu_set_system(m.other, &system), 0);
	ck_assert_int_eq(run_other(&m), SVM_EXIT_KIND_SHUTDOWN);
	send_ipi(&m.r.code, 1, ICR_INIT);
	send_and_serve(&m);
	ck_assert_int_eq(svm_vcpu_state(m.other), SVM_VCPU_WAIT_SIPI);
	machine_fini(&m);
}
END_TEST

/* A guest must not get its boot processor into a state that no run accepts. */
START_TEST(an_init_of_the_boot_processor_is_a_reset)
{
	struct machine m;
	uint8_t status;

	machine_init(&m, RIG_32, 1);
	send_ipi(&m.r.code, 0, ICR_INIT);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_REQUEST);
	ck_assert_int_eq(svm_pc_serve(m.pc, m.r.vcpu), 0);
	ck_assert_int_eq(svm_pc_event(m.pc, &status), SVM_PC_RESET);
	ck_assert_int_eq(svm_vcpu_run(m.r.vcpu, &m.r.exit), 0);
	ck_assert_int_eq(m.r.exit.kind, SVM_EXIT_KIND_REQUEST);
	machine_fini(&m);
}
END_TEST

START_TEST(who_is_not_attached_has_no_apic)
{
	struct svm_vcpu *stranger;
	struct machine m;

	machine_init(&m, RIG_32, 1);
	ck_assert_int_eq(svm_vcpu_create(m.r.vm, 2, &stranger), 0);
	ck_assert_int_eq(svm_pc_attach(m.pc, stranger), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_pc_serve(m.pc, stranger), SVM_ERR_INVAL);
	ck_assert(!svm_pc_has_request(m.pc, stranger));
	rig_prepare(&m.r, stranger);
	hosted_script_mov(&m.r.code, HOSTED_RBX, LAPIC);
	hosted_script_load(&m.r.code, HOSTED_RAX, HOSTED_RBX, false);
	memcpy(m.r.memory + RIG_CODE, m.r.code.bytes, m.r.code.size);
	ck_assert_int_eq(svm_vcpu_run(stranger, &m.r.exit), 0);
	ck_assert_int_eq(m.r.exit.kind, SVM_EXIT_KIND_MMIO);
	ck_assert_int_eq(svm_vcpu_destroy(stranger), 0);
	machine_fini(&m);
}
END_TEST

/* --- the paravirtual clock ------------------------------------------------------------------- */

static const uint64_t far_rows[] = {
	0x3fff8,             /* Begins in memory and does not end there. */
	0x40000,             /* The first byte behind memory. */
	0xfee00000,          /* A device. */
	0xfffffffffffffffc,  /* Wraps. */
	0xfffffffffffffff0,
	0x000fffffffffffe0,
};

START_TEST(a_clock_outside_memory_harms_nobody)
{
	struct machine m;

	machine_init(&m, RIG_32, 1);
	memset(m.r.memory, 0, 16);
	write_msr(&m.r.code, 0x4b564d00, far_rows[_i]);
	write_msr(&m.r.code, 0x4b564d01, far_rows[_i] | 1);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	for (int i = 0; i < 16; i++)
		ck_assert_uint_eq(m.r.memory[i], 0);
	machine_fini(&m);
}
END_TEST

/* --- making and unmaking --------------------------------------------------------------------- */

START_TEST(no_failed_allocation_leaks)
{
	const struct svm_pc_config config = config_of(4);
	struct svm_cpuid_entry cpuid[SVM_CPUID_MAX];
	struct svm_pc *pc = NULL;
	struct rig r;
	uint64_t k = 0;
	size_t used;
	int error;

	rig_init(&r, NULL, RIG_32);
	used = hosted_frames_used(r.m);
	memcpy(cpuid, r.vm->cpuid.entries, sizeof(cpuid));
	do {
		hosted_fail_allocation(r.m, ++k);
		error = svm_pc_create(r.vm, &config, &pc);
		if (error) {
			ck_assert_int_eq(error, SVM_ERR_NOMEM);
			ck_assert_ptr_null(pc);
			ck_assert_uint_eq(hosted_frames_used(r.m), used);
			ck_assert_int_eq(memcmp(cpuid, r.vm->cpuid.entries, sizeof(cpuid)), 0);
		}
		ck_assert_uint_lt(k, 100);
	} while (error);
	hosted_fail_allocation(r.m, 0);
	ck_assert_uint_gt(k, 1);
	ck_assert_int_eq(svm_pc_destroy(pc), 0);
	ck_assert_uint_eq(hosted_frames_used(r.m), used);
	rig_fini(&r);
}
END_TEST

static enum svm_device_result some_port(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *io)
{
	(void)arg;
	(void)vcpu;
	(void)io;
	return SVM_DEVICE_DONE;
}

/* The last port that a PC has: all else is made by then. */
START_TEST(a_port_that_is_taken_leaves_cpuid_alone)
{
	const struct svm_pc_config config = config_of(1);
	struct svm_cpuid_entry cpuid[SVM_CPUID_MAX];
	struct svm_pc *pc = NULL;
	struct rig r;

	rig_init(&r, NULL, RIG_32);
	memcpy(cpuid, r.vm->cpuid.entries, sizeof(cpuid));
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0xcff, 1, some_port, NULL), 0);
	ck_assert_int_eq(svm_pc_create(r.vm, &config, &pc), SVM_ERR_EXIST);
	ck_assert_int_eq(memcmp(cpuid, r.vm->cpuid.entries, sizeof(cpuid)), 0);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0xcff, 1, NULL, NULL), 0);
	ck_assert_int_eq(svm_pc_create(r.vm, &config, &pc), 0);
	ck_assert_int_eq(svm_pc_destroy(pc), 0);
	rig_fini(&r);
}
END_TEST

/* As many rows as leave room for `room` more. */
static void fill_cpuid(struct svm_vm *vm, uint32_t room)
{
	struct svm_cpuid_entry rows[SVM_CPUID_MAX];
	uint32_t count = vm->cpuid.count;

	memcpy(rows, vm->cpuid.entries, count * sizeof(rows[0]));
	for (; count < SVM_CPUID_MAX - room; count++)
		rows[count] = (struct svm_cpuid_entry){ .leaf = 0x70000000 + count };
	ck_assert_int_eq(svm_vm_set_cpuid(vm, rows, count), 0);
}

static const struct {
	uint32_t room;
	uint64_t devices;
	int result;
} full_rows[] = {
	{ 2, SVM_PC_DEFAULT, 0 },
	{ 1, SVM_PC_DEFAULT, SVM_ERR_RANGE },
	{ 0, SVM_PC_DEFAULT, SVM_ERR_RANGE },
	{ 0, SVM_PC_APIC, 0 },
};

START_TEST(paravirtual_leaves_need_room)
{
	struct svm_pc_config config = config_of(1);
	struct svm_cpuid_entry cpuid[SVM_CPUID_MAX];
	struct svm_pc *pc = NULL;
	struct rig r;

	rig_init(&r, NULL, RIG_32);
	config.devices = full_rows[_i].devices;
	fill_cpuid(r.vm, full_rows[_i].room);
	memcpy(cpuid, r.vm->cpuid.entries, sizeof(cpuid));
	ck_assert_int_eq(svm_pc_create(r.vm, &config, &pc), full_rows[_i].result);
	if (full_rows[_i].result)
		ck_assert_int_eq(memcmp(cpuid, r.vm->cpuid.entries, sizeof(cpuid)), 0);
	ck_assert_int_eq(svm_pc_destroy(pc), 0);
	ck_assert_int_eq(svm_pc_create(r.vm, &config, &pc), full_rows[_i].result);
	ck_assert_int_eq(svm_pc_destroy(full_rows[_i].result ? NULL : pc), 0);
	rig_fini(&r);
}
END_TEST

START_TEST(a_second_pc_may_follow_the_first)
{
	const struct svm_pc_config config = config_of(1);
	struct svm_pc *pc, *none = NULL;
	struct rig r;

	rig_init(&r, NULL, RIG_32);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(svm_pc_create(r.vm, &config, &pc), 0);
		ck_assert_int_eq(svm_pc_create(r.vm, &config, &none), SVM_ERR_EXIST);
		ck_assert_ptr_null(none);
		ck_assert_int_eq(svm_pc_destroy(pc), 0);
	}
	ck_assert_int_eq(svm_pc_destroy(NULL), 0);
	rig_fini(&r);
}
END_TEST

static const struct {
	const char *what;
	struct svm_pc_config config;
} refused_rows[] = {
	{ "a device that does not exist", { SVM_BIT(6), 1, 2 * MIB, 0, NULL, NULL } },
	{ "no processor", { SVM_PC_DEFAULT, 0, 2 * MIB, 0, NULL, NULL } },
	{ "more processors than the VM has", { SVM_PC_DEFAULT, 5, 2 * MIB, 0, NULL, NULL } },
	{ "two processors without APICs", { 0, 2, 2 * MIB, 0, NULL, NULL } },
	{ "x2APIC without APIC", { SVM_PC_X2APIC, 1, 2 * MIB, 0, NULL, NULL } },
	{ "a deadline without APIC", { SVM_PC_TSC_DEADLINE, 1, 2 * MIB, 0, NULL, NULL } },
	{ "a byte less than 2 MiB", { SVM_PC_DEFAULT, 1, 2 * MIB - 1, 0, NULL, NULL } },
	{ "a time that has no nanoseconds", { SVM_PC_DEFAULT, 1, 2 * MIB, NEVER, NULL, NULL } },
};

START_TEST(a_machine_that_cannot_be_is_refused)
{
	struct svm_pc *pc = NULL;
	struct rig r;

	rig_init(&r, NULL, RIG_32);
	ck_assert_msg(svm_pc_create(r.vm, &refused_rows[_i].config, &pc) == SVM_ERR_INVAL, "%s",
	              refused_rows[_i].what);
	ck_assert_ptr_null(pc);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, the_devices_answer_at_their_ports_alone);
	tcase_add_loop_test(tc, the_registers_answer_where_they_exist, 0, ROWS(msr_rows));
	tcase_add_loop_test(tc, an_interrupt_arrives, 0, ROWS(interrupt_rows));
	tcase_add_loop_test(tc, a_fast_timer_asks_at_most_each_100_us, 0, ROWS(fast_rows));
	tcase_add_test(tc, a_level_that_stays_comes_again_at_each_eoi);
	tcase_add_test(tc, the_task_priority_is_one_register_by_three_names);
	tcase_add_loop_test(tc, the_registers_follow_the_base, 0, ROWS(base_rows));
	tcase_add_test(tc, each_has_its_own_base);
	tcase_add_loop_test(tc, an_event_ends_the_run_and_is_told_once, 0, ROWS(event_rows));
	tcase_add_test(tc, init_and_startup_start_another_processor);
	tcase_add_test(tc, the_newest_init_counts);
	tcase_add_test(tc, an_nmi_wakes_a_deaf_halt);
	tcase_add_test(tc, init_wakes_a_deaf_halt);
	tcase_add_test(tc, init_ends_a_shutdown);
	tcase_add_test(tc, an_init_of_the_boot_processor_is_a_reset);
	tcase_add_test(tc, who_is_not_attached_has_no_apic);
	tcase_add_loop_test(tc, a_clock_outside_memory_harms_nobody, 0, ROWS(far_rows));
	tcase_add_test(tc, no_failed_allocation_leaks);
	tcase_add_test(tc, a_port_that_is_taken_leaves_cpuid_alone);
	tcase_add_loop_test(tc, paravirtual_leaves_need_room, 0, ROWS(full_rows));
	tcase_add_test(tc, a_second_pc_may_follow_the_first);
	tcase_add_loop_test(tc, a_machine_that_cannot_be_is_refused, 0, ROWS(refused_rows));
}

int main(void)
{
	return rig_main("PC", add);
}
