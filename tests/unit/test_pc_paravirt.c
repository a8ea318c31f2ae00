/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the vCPUs of a PC tell each other by way of KVM's interface: hypercalls, and the page of
 * steal time (Documentation/virt/kvm/x86/hypercalls.rst and msr.rst).
 */
#include "pc_rig.h"

#include "platform/pc.h"

#define PAGE      (RIG_DATA + 0x40)
#define PREEMPTED (PAGE + 16)
#define MSR_STEAL 0x4b564d03u

static struct machine m;

/* --- what is offered ------------------------------------------------------------------------- */

static const struct {
	uint32_t cpus, features;
} offer_rows[] = {
	{ 1, 0x0100004a }, /* bits 1, 3, 6, 24 */
	{ 2, 0x01000aea }, /* and 5, 7, 9, 11 */
};

START_TEST(a_vcpu_that_is_alone_is_offered_less)
{
	machine_fini(&m);
	machine_init(&m, RIG_64, offer_rows[_i].cpus);
	hosted_script_mov(&m.r.code, HOSTED_RAX, 0x40000001);
	hosted_script_cpuid(&m.r.code);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&m.r).rax, offer_rows[_i].features);
	ck_assert_int_eq(svm_vcpu_complete_skip(m.r.vcpu), 0);
}
END_TEST

/* --- hypercalls ------------------------------------------------------------------------------ */

static void setup(void)
{
	machine_init(&m, RIG_64, 2);
}

static void teardown(void)
{
	machine_fini(&m);
}

START_TEST(a_guest_sends_to_many)
{
	const struct svm_lapic_time start = { 0, 0 };
	struct svm_lapic *other = &m.pc->cpu[1].lapic;
	struct svm_regs regs;

	svm_lapic_write(other, 0xf0, 4, 0x1ff, start);
	hosted_script_vmmcall(&m.r.code);
	hosted_script_hlt(&m.r.code);
	regs = rig_regs(&m.r);
	regs.rax = 10;
	regs.rbx = 2;
	regs.rsi = 0x51;
	ck_assert_int_eq(svm_vcpu_set_regs(m.r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_regs(&m.r).rax, 1);
	ck_assert_uint_eq(other->irr[2], 1u << 17);
}
END_TEST

static const struct {
	const char *what;
	uint64_t number, argument_1;
	uint8_t cpl;
	enum svm_device_result answer;
	uint64_t result;
	bool is_kicked;
} call_rows[] = {
	{ "kick the other", 5, 1, 0, SVM_DEVICE_DONE, 0, true },
	{ "kick nobody", 5, 2, 0, SVM_DEVICE_DONE, (uint64_t)-22, false },
	{ "kick far away", 5, UINT64_C(0x100000001), 0, SVM_DEVICE_DONE, (uint64_t)-22, false },
	{ "kick from ring 3", 5, 1, 3, SVM_DEVICE_DONE, (uint64_t)-1, false },
	{ "kick from ring 1", 5, 1, 1, SVM_DEVICE_DONE, (uint64_t)-1, false },
	{ "send from ring 3", 10, 0, 3, SVM_DEVICE_DONE, (uint64_t)-1, false },
	{ "yield, which is not offered", 11, 1, 0, SVM_DEVICE_EXIT, 7, false },
	{ "the embedder's, from ring 3", 1, 1, 3, SVM_DEVICE_EXIT, 7, false },
};

START_TEST(hypercalls_are_for_ring_0)
{
	struct svm_hypercall call = {
		.number = call_rows[_i].number,
		.argument = { 0, call_rows[_i].argument_1, 0, 0 },
		.cpl = call_rows[_i].cpl,
		.is_wide = true,
		.result = 7,
	};

	ck_assert_msg(svm_pc_hypercall(m.pc, m.r.vcpu, &call) == call_rows[_i].answer, "%s",
	              call_rows[_i].what);
	ck_assert_msg(call.result == call_rows[_i].result, "%s", call_rows[_i].what);
	ck_assert_msg(svm_vcpu_has_event(m.other) == call_rows[_i].is_kicked, "%s",
	              call_rows[_i].what);
}
END_TEST

/* --- steal time ------------------------------------------------------------------------------ */

static void put_away(uint8_t value)
{
	m.r.memory[PREEMPTED] = value;
}

static uint8_t away(void)
{
	return m.r.memory[PREEMPTED];
}

static uint32_t version(void)
{
	return (uint32_t)rig_read64(&m.r, PAGE + 8);
}

static uint64_t flushes(void)
{
	struct svm_vcpu_stats stats;

	svm_vcpu_get_stats(m.r.vcpu, &stats);
	return stats.flushes;
}

/* A guest that registers its page and halts over and over. */
static void start_guest(uint64_t msr)
{
	write_msr(&m.r.code, MSR_STEAL, msr);
	for (unsigned i = 0; i < 8; i++)
		hosted_script_hlt(&m.r.code);
	memset(m.r.memory + PAGE, 0xee, 64);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
}

static void run_again(void)
{
	svm_vcpu_unhalt(m.r.vcpu);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
}

START_TEST(a_page_says_who_is_away)
{
	start_guest(PAGE | 1);
	ck_assert_uint_eq(away(), 1);
	ck_assert_uint_eq(rig_read64(&m.r, PAGE), 0);
	ck_assert_uint_eq(version(), 2);
	ck_assert_uint_eq(m.r.memory[PREEMPTED + 1], 0xee); /* no more than that */
	ck_assert_uint_eq(m.r.memory[PAGE + 12], 0xee);
	ck_assert_uint_eq(m.r.memory[PAGE - 1], 0);
}
END_TEST

static const struct {
	uint8_t byte;
	unsigned flushes;
} wish_rows[] = {
	{ 1, 0 },
	{ 3, 1 },
	{ 2, 1 }, /* no guest's doing */
	{ 0, 1 },
	{ 0xff, 1 },
};

/* And while it is here the page says so. */
START_TEST(who_is_here_is_not_away)
{
	start_guest(PAGE | 1);
	ck_assert_int_eq(svm_vcpu_load(m.r.vcpu), 0);
	put_away(3);
	run_again();
	ck_assert_uint_eq(away(), 0);
	svm_vcpu_put(m.r.vcpu);
	ck_assert_uint_eq(away(), 1);
}
END_TEST

START_TEST(a_wish_is_granted_on_return)
{
	uint64_t before;

	start_guest(PAGE | 1);
	run_again();
	before = flushes();
	put_away(wish_rows[_i].byte);
	run_again();
	ck_assert_uint_eq(flushes() - before, wish_rows[_i].flushes);
	ck_assert_uint_eq(away(), 1);
}
END_TEST

START_TEST(time_is_stolen_from_who_has_work)
{
	write_msr(&m.r.code, MSR_STEAL, PAGE | 1);
	hosted_script_hlt(&m.r.code);
	out8(&m.r.code, 0xf4, 0); /* The embedder is to know at once. */
	hosted_script_hlt(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
	clock_ns += 1000;
	svm_vcpu_unhalt(m.r.vcpu);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(rig_read64(&m.r, PAGE), 0);
	ck_assert_uint_eq(away(), 1);
	clock_ns += 5000;
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_REQUEST); /* For each vCPU there is one. */
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rig_read64(&m.r, PAGE), 5000);
	ck_assert_uint_eq(version() % 2, 0);
}
END_TEST

START_TEST(a_vcpu_waits_until_it_can_say_that_it_is_here)
{
	start_guest(PAGE | 1);
	svm_vm_invalidate_begin(m.r.vm, PAGE, 64);
	svm_vcpu_unhalt(m.r.vcpu);
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_NPT_FAULT);
		ck_assert_int_eq(m.r.exit.npt.reason, SVM_NPT_FAULT_AGAIN);
		ck_assert_uint_eq(m.r.exit.npt.gpa, PREEMPTED);
	}
	put_away(3); /* Still away, as far as the guest knows. */
	svm_vm_invalidate_end(m.r.vm, PAGE, 64);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
}
END_TEST

/* It is never said to be away where the page cannot be taken back at once. */
START_TEST(a_vcpu_does_not_leave_while_memory_is_not_there)
{
	start_guest(PAGE | 1);
	svm_vcpu_unhalt(m.r.vcpu);
	svm_vcpu_kick(m.r.vcpu);
	ck_assert_int_eq(svm_vcpu_load(m.r.vcpu), 0);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_REQUEST);
	run_again();
	ck_assert_uint_eq(away(), 0);
	svm_vm_invalidate_begin(m.r.vm, PAGE, 64);
	svm_vcpu_put(m.r.vcpu);
	ck_assert_uint_eq(away(), 0);
	run_again(); /* Not away: nothing to wait for. */
	svm_vm_invalidate_end(m.r.vm, PAGE, 64);
}
END_TEST

static const struct {
	const char *what;
	uint64_t msr;
	bool faults;
} msr_rows[] = {
	{ "off", PAGE, false },
	{ "bit 1", PAGE | 3, true },
	{ "bit 5", PAGE | 0x21, true },
	{ "bit 5, off", PAGE | 0x20, true },
	{ "no memory there", 0x10000001, false },
	{ "not even an address", 0xffffffffffffffc1, false },
};

START_TEST(a_page_has_its_place)
{
	struct svm_msr_access access = { .msr = MSR_STEAL };

	write_msr(&m.r.code, MSR_STEAL, msr_rows[_i].msr);
	hosted_script_hlt(&m.r.code);
	hosted_script_hlt(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), msr_rows[_i].faults ? SVM_EXIT_KIND_HYPERCALL
	                                                       : SVM_EXIT_KIND_HLT);
	if (msr_rows[_i].faults) {
		ck_assert_msg(rig_regs(&m.r).rax == 13, "%s", msr_rows[_i].what);
		ck_assert_int_eq(svm_vcpu_complete_skip(m.r.vcpu), 0);
		return;
	}
	run_again();
	ck_assert_uint_eq(away(), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(m.r.vcpu, MSR_STEAL, &access.value), 0);
	ck_assert_uint_eq(access.value, msr_rows[_i].msr);
}
END_TEST

START_TEST(init_takes_the_page_back)
{
	uint64_t value = 7;

	start_guest(PAGE | 1);
	ck_assert_int_eq(svm_vcpu_set_msr(m.other, MSR_STEAL, PAGE | 1), 0);
	ck_assert(svm_lapic_receive(&m.pc->cpu[1].lapic,
	                            &(struct svm_apic_message){ .mode = SVM_APIC_INIT,
	                                                        .is_assert = true }));
	ck_assert_int_eq(svm_pc_serve(m.pc, m.other), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(m.other, MSR_STEAL, &value), 0);
	ck_assert_uint_eq(value, 0);
}
END_TEST

/* --- saved state ----------------------------------------------------------------------------- */

static const struct {
	const char *what;
	struct svm_steal_time_state state;
	int result;
} restore_rows[] = {
	{ "nothing", { 0, 0, 0, 0 }, 0 },
	{ "everything", { PAGE | 1, 77, 6, 0 }, 0 },
	{ "odd version", { PAGE | 1, 77, 5, 0 }, SVM_ERR_INVAL },
	{ "reserved bit", { PAGE | 3, 77, 6, 0 }, SVM_ERR_INVAL },
	{ "reserved member", { PAGE | 1, 77, 6, 1 }, SVM_ERR_INVAL },
};

START_TEST(restore_takes_only_what_can_be)
{
	struct svm_steal_time steal = { .msr = PAGE, .stolen_ns = 3, .version = 8 };
	struct svm_steal_time_state before, after;
	svm_gpa_t gpa;

	svm_steal_time_save(&steal, &before);
	ck_assert_msg(svm_steal_time_restore(&steal, &restore_rows[_i].state) ==
	                      restore_rows[_i].result,
	              "%s", restore_rows[_i].what);
	svm_steal_time_save(&steal, &after);
	ck_assert_mem_eq(&after, restore_rows[_i].result ? &before : &restore_rows[_i].state,
	                 sizeof(after));
	if (!(steal.msr & 1))
		return;
	/* The page still says "away", and the time in between is nobody's. */
	put_away(1);
	ck_assert_int_eq(svm_steal_time_arrive(&steal, m.r.vm, 1000, &gpa), SVM_ARRIVAL_DONE);
	ck_assert_uint_eq(away(), 0);
	ck_assert_uint_eq(rig_read64(&m.r, PAGE), 77);
	ck_assert_uint_eq(version(), 8);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_vcpu_that_is_alone_is_offered_less, 0, ROWS(offer_rows));
	tcase_add_test(tc, a_guest_sends_to_many);
	tcase_add_loop_test(tc, hypercalls_are_for_ring_0, 0, ROWS(call_rows));
	tcase_add_test(tc, a_page_says_who_is_away);
	tcase_add_test(tc, who_is_here_is_not_away);
	tcase_add_loop_test(tc, a_wish_is_granted_on_return, 0, ROWS(wish_rows));
	tcase_add_test(tc, time_is_stolen_from_who_has_work);
	tcase_add_test(tc, a_vcpu_waits_until_it_can_say_that_it_is_here);
	tcase_add_test(tc, a_vcpu_does_not_leave_while_memory_is_not_there);
	tcase_add_loop_test(tc, a_page_has_its_place, 0, ROWS(msr_rows));
	tcase_add_test(tc, init_takes_the_page_back);
	tcase_add_loop_test(tc, restore_takes_only_what_can_be, 0, ROWS(restore_rows));
}

int main(void)
{
	return rig_main("pc_paravirt", add);
}
