/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A write to the timer of a local APIC changes when the host's timer has to come, and nothing else:
 * the port is not asked for an interrupt.  And what time brings is there for whoever looks.
 */
#include "pc_rig.h"

#include "platform/pc.h"

#define DIVIDE          0x3e0u
#define TIMER           0x320u
#define COUNT           0x380u
#define BY_1            0xbu
#define VECTOR          0x40u
#define MASKED          0x10000u
#define SOFTWARE_ENABLE 0x1ffu

static struct machine m;
static uint64_t armed_ns;

static void note_arm(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	armed_ns = deadline_ns;
}

/* As the guest does it, with the callback that owns the page. */
static void write_register(uint32_t offset, uint32_t value)
{
	struct svm_mmio_access access = { .gpa = LAPIC + offset, .size = 4, .is_write = true };
	const struct svm_mmio_range *range = svm_mmio_find(&m.r.vm->mmio, access.gpa, 4);

	ck_assert_ptr_nonnull(range);
	memcpy(access.data, &value, sizeof(value));
	ck_assert_int_eq(range->fn(range->arg, m.r.vcpu, &access), SVM_DEVICE_DONE);
}

static void setup(void)
{
	machine_init(&m, RIG_32, 1);
	m.r.host->hal.timer_arm = note_arm;
	write_register(0xf0, SOFTWARE_ENABLE);
	write_register(DIVIDE, BY_1);
	write_register(TIMER, VECTOR);
	(void)svm_pc_enter(m.pc); /* Then the other devices have said that they wait for nothing. */
	svm_pc_leave(m.pc);
	armed_ns = 0;
	svm_atomic_store(&m.r.vcpu->s.requests, 0);
}

static void teardown(void)
{
	machine_fini(&m);
}

START_TEST(a_count_arms_the_hosts_timer)
{
	write_register(COUNT, 5000);
	ck_assert_uint_eq(armed_ns, NS_0 + 5000);
	clock_ns += 1000;
	write_register(COUNT, 5000);
	ck_assert_uint_eq(armed_ns, NS_0 + 6000);
	write_register(DIVIDE, 0); /* By 2: 5000 counts are left. */
	ck_assert_uint_eq(armed_ns, NS_0 + 11000);
	ck_assert_uint_eq(svm_atomic_load(&m.r.vcpu->s.requests), 0);
}
END_TEST

START_TEST(no_count_and_no_entry_arm_nothing)
{
	write_register(COUNT, 5000);
	write_register(TIMER, VECTOR | MASKED);
	ck_assert_uint_eq(armed_ns, UINT64_MAX);
	write_register(TIMER, VECTOR);
	ck_assert_uint_eq(armed_ns, NS_0 + 5000);
	write_register(COUNT, 0);
	ck_assert_uint_eq(armed_ns, UINT64_MAX);
}
END_TEST

/* The write comes when the count is over: the interrupt is asked for, the new count runs. */
START_TEST(a_count_that_is_over_interrupts)
{
	write_register(COUNT, 5000);
	clock_ns += 5000;
	write_register(COUNT, 7000);
	ck_assert_uint_eq(armed_ns, NS_0 + 12000);
	ck_assert(svm_atomic_load(&m.r.vcpu->s.requests) & SVM_REQUEST_EVENTS);
	ck_assert_int_eq(m.r.vcpu->irq.pending(m.r.vcpu->irq.arg, m.r.vcpu, 0), VECTOR);
}
END_TEST

static struct svm_lapic_state state_now(void)
{
	struct pc_cpu *const cpu = &m.pc->cpu[0];
	struct svm_lapic_state state;

	memset(&state, 0, sizeof(state));
	svm_lapic_save(&cpu->lapic, &state, svm_pc_lapic_time(cpu));
	return state;
}

static const struct {
	const char *what;
	uint32_t svr, count;
	uint32_t value;
} write_rows[] = {
	{ "enabled, zeros", SOFTWARE_ENABLE, 0, 0 },
	{ "enabled, ones", SOFTWARE_ENABLE, 0, UINT32_MAX },
	{ "enabled, a vector", SOFTWARE_ENABLE, 0, VECTOR },
	{ "enabled, a count runs", SOFTWARE_ENABLE, 5000, UINT32_MAX },
	{ "disabled, zeros", 0xff, 0, 0 },
	{ "disabled, ones", 0xff, 0, UINT32_MAX },
};

/* The page of a PC takes short ways: they lead where the device itself does. */
START_TEST(a_write_by_a_short_way_is_the_devices)
{
	struct svm_lapic *const lapic = &m.pc->cpu[0].lapic;
	const struct svm_lapic_time now = svm_pc_lapic_time(&m.pc->cpu[0]);
	struct svm_lapic_state before, by_page, by_device;
	uint8_t ppr;

	write_register(COUNT, write_rows[_i].count);
	write_register(0xf0, write_rows[_i].svr);
	before = state_now();
	for (uint32_t offset = 0; offset < 0x400; offset += 16) {
		ck_assert_int_eq(svm_lapic_restore(lapic, &before, now), 0);
		write_register(offset, write_rows[_i].value);
		by_page = state_now();
		ppr = svm_lapic_ppr(lapic);
		ck_assert_int_eq(svm_lapic_restore(lapic, &before, now), 0);
		svm_lapic_write(lapic, offset, 4, write_rows[_i].value, now);
		by_device = state_now();
		ck_assert_msg(memcmp(&by_page, &by_device, sizeof(by_page)) == 0 &&
		                      ppr == svm_lapic_ppr(lapic),
		              "%s: register 0x%x", write_rows[_i].what, offset);
	}
}
END_TEST

static uint32_t access_port(uint16_t port, bool is_in, uint8_t value)
{
	const struct svm_io_range *range = svm_io_find(&m.r.vm->io, port, 1);
	struct svm_io_access io = { .port = port, .size = 1, .is_in = is_in, .value = value };

	ck_assert_ptr_nonnull(range);
	ck_assert_int_eq(range->fn(range->arg, m.r.vcpu, &io), SVM_DEVICE_DONE);
	return io.value;
}

/* The 8259 has no time of its own; its inputs have. */
START_TEST(the_pit_has_ticked_for_who_reads_the_pic)
{
	ck_assert_uint_eq(access_port(0x20, true, 0) & 1, 0);
	access_port(0x43, false, 0x30); /* Counter 0, both bytes, mode 0: high at its end. */
	access_port(0x40, false, 100);
	access_port(0x40, false, 0);
	ck_assert_uint_eq(access_port(0x20, true, 0) & 1, 0);
	clock_ns += 1000000; /* 1,193 counts */
	ck_assert_uint_eq(access_port(0x20, true, 0) & 1, 1);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_count_arms_the_hosts_timer);
	tcase_add_test(tc, no_count_and_no_entry_arm_nothing);
	tcase_add_test(tc, a_count_that_is_over_interrupts);
	tcase_add_loop_test(tc, a_write_by_a_short_way_is_the_devices, 0,
	                    SVM_ARRAY_SIZE(write_rows));
	tcase_add_test(tc, the_pit_has_ticked_for_who_reads_the_pic);
}

int main(void)
{
	return rig_main("PC timer", add);
}
