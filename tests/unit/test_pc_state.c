/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The state of a whole PC: what was saved comes back to the byte, in the same PC and in another,
 * and what nobody saved is taken whole or not at all.
 */
#include <stdio.h>

#include "pc_rig.h"
#include "platform/pc.h"

#define STATE_MAX 4096u
#define STRIDE    37u /* Of the bits that are tried; 1 and a minute try them all. */

/* Offsets in the state, as version 1 has them. */
#define AT_VERSION 4u
#define AT_CPUS    32u
#define AT_NOW     40u
#define AT_PIT     64u /* And the clock. */
#define AT_IOAPIC  384u
#define AT_CPU     784u
#define CPU_SIZE   264u

static struct machine m;

/* A guest that has used every device, and has interrupts requested, in service and waiting. */
static void use_devices(struct hosted_script *s)
{
	static const struct {
		uint16_t port;
		uint8_t value;
	} writes[] = {
		{ 0x20, 0x11 },  { 0x21, 0x20 },  { 0x21, 0x04 }, { 0x21, 0x01 }, { 0x21, 0xa8 },
		{ 0x43, 0x34 },  { 0x40, 0x34 },  { 0x40, 0x12 }, { 0x61, 0x03 }, { 0x43, 0xb6 },
		{ 0x42, 0x10 },  { 0x42, 0x02 },  { 0x70, 0x0b }, { 0x71, 0x42 }, { 0x70, 0x0a },
		{ 0x71, 0x26 },  { 0x3fb, 0x03 }, { 0x3fa, 0xc7 }, { 0x3fc, 0x0b }, { 0x3f9, 0x03 },
		{ 0x2fb, 0x83 }, { 0x2f8, 0x01 }, { 0x64, 0x60 }, { 0x60, 0x47 }, { 0x60, 0xf2 },
		{ 0x64, 0xd1 },  { 0x92, 0x00 },  { 0x80, 0x5a }, { 0xcf9, 0x02 }, { 0x602, 0x21 },
		{ 0x603, 0x01 },
	};

	for (int i = 0; i < ROWS(writes); i++)
		out8(s, writes[i].port, writes[i].value);
	store32(s, LAPIC + 0xf0, 0x1ff);
	store32(s, LAPIC + 0x350, 0x700);
	store32(s, LAPIC + 0x320, 0x2003f);
	store32(s, LAPIC + 0x380, 0x123456);
	store32(s, LAPIC + 0x80, 0x50);
	store32(s, LAPIC + 0x300, 0x44033); /* To itself: waits behind the task priority. */
	store32(s, IOAPIC, 0x18);
	store32(s, IOAPIC + 0x10, 0x8034);
	write_msr(s, 0x4b564d00, RIG_DATA + 0x100);
	write_msr(s, 0x4b564d01, (RIG_DATA + 0x200) | 1);
	write_msr(s, 0x4b564d04, RIG_DATA | 1);
	hosted_script_vmmcall(s);
}

static void setup(void)
{
	machine_init(&m, RIG_32, 2);
	use_devices(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(m.r.vcpu), 0);
	ck_assert(svm_pc_receive(m.pc, 0, 'x'));
	ck_assert(svm_lapic_post(&m.pc->cpu[0].lapic, 0x71, false));
	svm_lapic_accept(&m.pc->cpu[0].lapic, 0x71);
	m.pc->bus.last = 1;
	m.pc->cpu[1].startup = SVM_LAPIC_REQUEST_STARTUP;
	m.pc->cpu[1].startup_vector = 0x42;
	m.pc->cpu[0].extint_requested = true;
	clock_ns += 12345678;
}

static void teardown(void)
{
	machine_fini(&m);
}

static size_t save(struct svm_pc *pc, uint8_t bytes[STATE_MAX])
{
	const size_t size = svm_pc_state_size(pc);

	memset(bytes, 0xee, STATE_MAX);
	ck_assert_uint_le(size, STATE_MAX);
	ck_assert_int_eq(svm_pc_save(pc, bytes, size), 0);
	return size;
}

static void is_saved_as(struct svm_pc *pc, const uint8_t *bytes, size_t size, const char *what)
{
	uint8_t now[STATE_MAX];

	ck_assert_uint_eq(save(pc, now), size);
	for (size_t i = 0; i < size; i++)
		if (now[i] != bytes[i])
			ck_abort_msg("%s: byte %zu is %02x, was %02x", what, i, now[i], bytes[i]);
}

/* Where the guest has a time page its version counts on, if there is memory. */
static void count_versions(uint8_t bytes[STATE_MAX])
{
	for (unsigned i = 0; i < 2; i++) {
		struct svm_paravirt_vcpu_state cpu;

		memcpy(&cpu, bytes + AT_CPU + i * CPU_SIZE + 208, sizeof(cpu));
		if ((cpu.clock & 1) && (cpu.clock & ~UINT64_C(1)) <= RIG_PAGES * 4096 - 32)
			cpu.clock_version += 2;
		memcpy(bytes + AT_CPU + i * CPU_SIZE + 208, &cpu, sizeof(cpu));
	}
}

/* --- there and back -------------------------------------------------------------------------- */

START_TEST(saving_changes_nothing)
{
	uint8_t bytes[STATE_MAX];
	const size_t size = save(m.pc, bytes);

	is_saved_as(m.pc, bytes, size, "again");
	ck_assert_uint_eq(size, AT_CPU + 2 * CPU_SIZE);
}
END_TEST

START_TEST(what_was_saved_comes_back)
{
	uint8_t bytes[STATE_MAX];
	const size_t size = save(m.pc, bytes);

	/* Another life in between. */
	rig_rewind(&m.r);
	out8(&m.r.code, 0x21, 0xff);
	out8(&m.r.code, 0x64, 0xaa);
	out8(&m.r.code, 0x3f8, 'y');
	out8(&m.r.code, 0x43, 0x30);
	store32(&m.r.code, LAPIC + 0x80, 0);
	store32(&m.r.code, LAPIC + 0xf0, 0);
	store32(&m.r.code, IOAPIC + 0x10, 0x10000);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	clock_ns += 77777777;
	ck_assert_int_eq(svm_pc_restore(m.pc, bytes, size), 0);
	count_versions(bytes);
	is_saved_as(m.pc, bytes, size, "restored");
	ck_assert_uint_eq(svm_control_read(m.r.vcpu, 8), 5);
}
END_TEST

/* The other host's clock is younger than the VM. */
START_TEST(another_pc_takes_it_over)
{
	uint8_t bytes[STATE_MAX];
	const size_t size = save(m.pc, bytes);
	uint64_t deadline;

	machine_fini(&m);
	machine_init(&m, RIG_32, 2);
	clock_ns = 5;
	ck_assert_int_eq(svm_pc_restore(m.pc, bytes, size), 0);
	count_versions(bytes);
	is_saved_as(m.pc, bytes, size, "moved");
	/* Time goes on from where it was: the timer's next interrupt is in the future, and near. */
	deadline = svm_vcpu_deadline(m.r.vcpu);
	ck_assert_uint_gt(deadline, 5);
	ck_assert_uint_lt(deadline, 5 + 4000000);
	ck_assert_uint_eq(svm_pc_now(m.pc), 12345678);
	clock_ns += 1000;
	ck_assert_uint_eq(svm_pc_now(m.pc), 12346678);
}
END_TEST

/* The line in the page goes through the moment of the restoration. */
START_TEST(the_time_page_is_written_anew)
{
	uint8_t bytes[STATE_MAX], page[32];
	const size_t size = save(m.pc, bytes);
	uint64_t base_ns, base_tsc, before;

	memset(m.r.memory + RIG_DATA + 0x200, 0xee, sizeof(page));
	svm_vcpu_set_tsc_offset(m.r.vcpu, UINT64_C(1) << 60);
	before = svm_pc_lapic_time(&m.pc->cpu[0]).tsc;
	ck_assert_int_eq(svm_pc_restore(m.pc, bytes, size), 0);
	memcpy(page, m.r.memory + RIG_DATA + 0x200, sizeof(page));
	memcpy(&base_tsc, page + 8, 8);
	memcpy(&base_ns, page + 16, 8);
	ck_assert_uint_eq(base_ns, 12345678);
	ck_assert_uint_ge(base_tsc, before);
	ck_assert_uint_le(base_tsc, svm_pc_lapic_time(&m.pc->cpu[0]).tsc);
	ck_assert_uint_eq(page[0] & 1, 0);
}
END_TEST

/* What the devices do to their lines while they are restored reaches no vCPU: here, an NMI's. */
START_TEST(no_interrupt_comes_of_it)
{
	uint8_t low[STATE_MAX], high[STATE_MAX];
	size_t size;

	rig_rewind(&m.r);
	out8(&m.r.code, 0x3f9, 0);
	store32(&m.r.code, IOAPIC + 0x10, 0x0400);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	size = save(m.pc, low);
	svm_uart_write(&m.pc->uart[0], 1, 1, 2);
	ck_assert(svm_atomic_load(&m.r.vcpu->s.requests) & SVM_REQUEST_NMI);
	svm_atomic_store(&m.r.vcpu->s.requests, 0);
	ck_assert_uint_eq(save(m.pc, high), size);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(svm_pc_restore(m.pc, i & 1 ? high : low, size), 0);
		ck_assert(!(svm_atomic_load(&m.r.vcpu->s.requests) & SVM_REQUEST_NMI));
	}
}
END_TEST

/* --- what nobody saved ----------------------------------------------------------------------- */

START_TEST(sizes_are_exact)
{
	uint8_t bytes[STATE_MAX];
	const size_t size = save(m.pc, bytes);
	uint8_t before = bytes[size - 1];

	ck_assert_int_eq(svm_pc_save(m.pc, bytes, size - 1), SVM_ERR_RANGE);
	ck_assert_uint_eq(bytes[size - 1], before);
	ck_assert_int_eq(svm_pc_restore(m.pc, bytes, size - 1), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_pc_restore(m.pc, bytes, size + 1), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_pc_restore(m.pc, bytes, 0), SVM_ERR_INVAL);
	bytes[AT_VERSION]++;
	ck_assert_int_eq(svm_pc_restore(m.pc, bytes, size), SVM_ERR_ABI);
}
END_TEST

static const struct {
	const char *what;
	unsigned offset;
	uint8_t value;
} bad_rows[] = {
	{ "another magic", 0, 0 },
	{ "another size", 8, 0 },
	{ "other devices", 16, 0 },
	{ "other memory", 24, 1 },
	{ "another number of CPUs", AT_CPUS, 1 },
	{ "an event that does not exist", 36, 4 },
	{ "a status without an exit", 37, 1 },
	{ "older than a VM gets", AT_NOW + 7, 0x40 },
	{ "a destination that does not exist", 57, 1 },
	{ "something in the head", 60, 1 },
	{ "something behind the devices", AT_CPU - 1, 1 },
	{ "something behind a CPU", AT_CPU + CPU_SIZE - 1, 1 },
	{ "another request of a CPU", AT_CPU + CPU_SIZE - 8, 1 },
	{ "a page of steal time at no place", AT_CPU + 232, 2 },
	{ "two acknowledges", AT_CPU + CPU_SIZE - 3, 2 },
	{ "the last CPU's APIC by another's ID", AT_CPU + CPU_SIZE + 24, 0 },
};

START_TEST(a_state_that_cannot_be_changes_nothing)
{
	uint8_t before[STATE_MAX], bytes[STATE_MAX];
	const size_t size = save(m.pc, before);

	memcpy(bytes, before, size);
	ck_assert_uint_ne(bytes[bad_rows[_i].offset], bad_rows[_i].value);
	bytes[bad_rows[_i].offset] = bad_rows[_i].value;
	ck_assert_msg(svm_pc_restore(m.pc, bytes, size) == SVM_ERR_INVAL, "%s", bad_rows[_i].what);
	is_saved_as(m.pc, before, size, bad_rows[_i].what);
}
END_TEST

static bool is_time(size_t at)
{
	return (at >= AT_NOW && at < AT_NOW + 8) || (at >= AT_PIT && at < AT_IOAPIC);
}

/*
 * A bit of it turned over: refused, and nothing has changed; or taken, and saved again as it came,
 * so that no bit is ignored.
 */
START_TEST(a_bit_is_refused_or_kept)
{
	uint8_t first[STATE_MAX], before[STATE_MAX], bytes[STATE_MAX];
	const size_t size = save(m.pc, first);
	unsigned taken = 0, refused = 0;
	char what[64];

	memcpy(before, first, size);
	for (size_t bit = (size_t)_i; bit < 8 * size; bit += STRIDE) {
		snprintf(what, sizeof(what), "bit %zu of byte %zu", bit % 8, bit / 8);
		memcpy(bytes, first, size);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (svm_pc_restore(m.pc, bytes, size)) {
			is_saved_as(m.pc, before, size, what);
			refused++;
			continue;
		}
		taken++;
		/* Timers that lag behind the VM's clock have caught up. */
		if (is_time(bit / 8)) {
			save(m.pc, bytes);
			ck_assert_msg(svm_pc_restore(m.pc, bytes, size) == 0, "%s", what);
		}
		count_versions(bytes);
		is_saved_as(m.pc, bytes, size, what);
		memcpy(before, bytes, size);
	}
	ck_assert_uint_gt(taken, 8 * size / STRIDE / 4);
	ck_assert_uint_gt(refused, 8 * size / STRIDE / 4);
}
END_TEST

START_TEST(no_failed_allocation_harms)
{
	uint8_t bytes[STATE_MAX];
	const size_t size = save(m.pc, bytes);
	const size_t used = hosted_frames_used(m.r.m);
	uint64_t k = 0;
	int error;

	do {
		hosted_fail_allocation(m.r.m, ++k);
		error = svm_pc_restore(m.pc, bytes, size);
		hosted_fail_allocation(m.r.m, 0);
		ck_assert_uint_eq(hosted_frames_used(m.r.m), used);
		if (error) {
			ck_assert_int_eq(error, SVM_ERR_NOMEM);
			is_saved_as(m.pc, bytes, size, "after NOMEM");
		}
		ck_assert_uint_lt(k, 10);
	} while (error);
	ck_assert_uint_eq(k, 3);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, saving_changes_nothing);
	tcase_add_test(tc, what_was_saved_comes_back);
	tcase_add_test(tc, another_pc_takes_it_over);
	tcase_add_test(tc, the_time_page_is_written_anew);
	tcase_add_test(tc, no_interrupt_comes_of_it);
	tcase_add_test(tc, sizes_are_exact);
	tcase_add_loop_test(tc, a_state_that_cannot_be_changes_nothing, 0, ROWS(bad_rows));
	tcase_add_loop_test(tc, a_bit_is_refused_or_kept, 0, 4);
	tcase_add_test(tc, no_failed_allocation_harms);
}

int main(void)
{
	return rig_main("PC, state", add);
}
