/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The end of an interrupt by a bit in memory (paravirt.h), with the local APIC behind it: whatever
 * the guest does, as many interrupts end as with the register, and nobody waits who need not.
 */
#include "pc_rig.h"

#include "platform/pc.h"

#define WORD    RIG_DATA
#define MSR_EOI 0x4b564d04u

static struct machine m;

static struct pc_cpu *cpu(void)
{
	return &m.pc->cpu[0];
}

static uint8_t *word(void)
{
	return m.r.memory + WORD;
}

static void setup(void)
{
	machine_init(&m, RIG_32, 2);
	store32(&m.r.code, LAPIC + 0xf0, 0x1ff);
	write_msr(&m.r.code, MSR_EOI, WORD | 1);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(m.r.vcpu), 0);
}

static void teardown(void)
{
	machine_fini(&m);
}

static void post(uint8_t vector, bool is_level)
{
	ck_assert(svm_lapic_post(&cpu()->lapic, vector, is_level));
}

/* As the run loop: what is next is taken, and then it looks again.  -1: nothing. */
static int take(uint8_t tpr)
{
	const struct svm_irq_port *port = &m.r.vcpu->irq;
	const int vector = port->pending(port->arg, m.r.vcpu, tpr);

	if (vector < 0)
		return -1;
	ck_assert_int_eq(port->accept(port->arg, m.r.vcpu, (uint8_t)vector), vector);
	(void)port->pending(port->arg, m.r.vcpu, tpr);
	return vector;
}

static bool in_service(unsigned vector)
{
	return cpu()->lapic.isr[vector / 32] >> vector % 32 & 1;
}

/* What the register page does with a write of EOI. */
static void write_eoi(void)
{
	svm_pc_take_eoi(cpu());
	svm_lapic_eoi(&cpu()->lapic);
}

/* A guest that keeps to the protocol. */
static void end_interrupt(void)
{
	if (*word() & 1)
		*word() &= 0xfe;
	else
		write_eoi();
}

/* --- one thing at a time --------------------------------------------------------------------- */

START_TEST(an_edge_that_is_alone_is_offered)
{
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	ck_assert_uint_eq(*word(), 1);
	*word() = 0;
	post(0x42, false); /* Of the same class: it waits for the end. */
	ck_assert_int_eq(take(0), 0x42);
	ck_assert(!in_service(0x41));
}
END_TEST

START_TEST(a_level_is_not_offered)
{
	post(0x41, true);
	ck_assert_int_eq(take(0), 0x41);
	ck_assert_uint_eq(*word(), 0);
}
END_TEST

START_TEST(nothing_is_offered_while_another_waits)
{
	post(0x41, false);
	post(0x31, false);
	ck_assert_int_eq(take(0), 0x41);
	ck_assert_uint_eq(*word(), 0);
}
END_TEST

START_TEST(what_comes_later_takes_the_offer_back)
{
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	post(0x31, false);
	ck_assert_int_eq(take(0), -1);
	ck_assert_uint_eq(*word(), 0);
	ck_assert(in_service(0x41));
	write_eoi();
	ck_assert_int_eq(take(0), 0x31);
}
END_TEST

START_TEST(an_inner_interrupt_ends_first)
{
	post(0x41, true);
	ck_assert_int_eq(take(0), 0x41);
	post(0x51, false);
	ck_assert_int_eq(take(0), 0x51);
	ck_assert_uint_eq(*word(), 1);
	*word() = 0;
	write_eoi(); /* The outer one's. */
	ck_assert(!in_service(0x51));
	ck_assert(!in_service(0x41));
}
END_TEST

START_TEST(the_register_ends_an_offered_one_too)
{
	post(0x31, false);
	ck_assert_int_eq(take(0), 0x31);
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	ck_assert_uint_eq(*word(), 1);
	write_eoi(); /* Without a look at the bit. */
	ck_assert_uint_eq(*word(), 0);
	ck_assert(!in_service(0x41));
	ck_assert(in_service(0x31));
}
END_TEST

START_TEST(another_address_loses_no_end)
{
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	rig_rewind(&m.r);
	store32(&m.r.code, WORD, 0);
	write_msr(&m.r.code, MSR_EOI, 0);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert(!in_service(0x41));
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	ck_assert_uint_eq(*word(), 0);
}
END_TEST

START_TEST(another_address_ends_nothing)
{
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	rig_rewind(&m.r);
	write_msr(&m.r.code, MSR_EOI, 0);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(*word(), 0);
	ck_assert(in_service(0x41));
}
END_TEST

START_TEST(a_register_tells_of_the_end)
{
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	rig_rewind(&m.r);
	store32(&m.r.code, WORD, 0);
	hosted_script_mov(&m.r.code, HOSTED_RBX, LAPIC + 0x120); /* ISR, vectors 40h to 5Fh. */
	hosted_script_load(&m.r.code, HOSTED_RSI, HOSTED_RBX, false);
	hosted_script_vmmcall(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&m.r).rsi, 0);
}
END_TEST

START_TEST(init_forgets_address_and_offer)
{
	struct pc_cpu *other = &m.pc->cpu[1];
	const struct svm_irq_port *port = &m.other->irq;

	ck_assert(svm_lapic_set_base(&other->lapic, 0xfee00800));
	svm_lapic_write(&other->lapic, 0xf0, 4, 0x1ff, (struct svm_lapic_time){ 0, 0 });
	ck_assert(svm_paravirt_write_msr(&m.pc->paravirt, &other->paravirt, MSR_EOI, WORD | 1));
	ck_assert(svm_lapic_post(&other->lapic, 0x41, false));
	ck_assert_int_eq(port->pending(port->arg, m.other, 0), 0x41);
	ck_assert_int_eq(port->accept(port->arg, m.other, 0x41), 0x41);
	(void)port->pending(port->arg, m.other, 0);
	ck_assert_uint_eq(*word(), 1);
	other->startup = SVM_LAPIC_REQUEST_INIT;
	ck_assert_int_eq(svm_pc_serve(m.pc, m.other), 0);
	ck_assert_uint_eq(*word(), 0);
	ck_assert_uint_eq(other->paravirt.eoi, 0);
	ck_assert(!other->paravirt.eoi_offered);
}
END_TEST

/* --- a guest --------------------------------------------------------------------------------- */

/* Its handler clears the bit and has no exit: each interrupt comes, and costs one halt. */
START_TEST(a_guest_needs_no_exit_to_end)
{
	struct hosted_script s;

	hosted_script_init(&s, 32);
	hosted_script_inc(&s, HOSTED_RSI);
	hosted_script_mov(&s, HOSTED_RBX, WORD);
	hosted_script_mov(&s, HOSTED_RAX, 0);
	hosted_script_store(&s, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_iret(&s);
	rig_handler(&m.r, 0x33, &s);
	rig_rewind(&m.r);
	hosted_script_sti(&m.r.code);
	for (unsigned i = 0; i < 6; i++)
		hosted_script_hlt(&m.r.code);
	ck_assert_int_eq(rig_run_on(&m.r), SVM_EXIT_KIND_HLT);
	for (unsigned i = 1; i <= 5; i++) {
		post(0x33, false);
		do
			ck_assert_int_eq(svm_vcpu_run(m.r.vcpu, &m.r.exit), 0);
		while (m.r.exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
		ck_assert_int_eq(m.r.exit.kind, SVM_EXIT_KIND_HLT);
		ck_assert_uint_eq(rig_regs(&m.r).rsi, i);
	}
}
END_TEST

static const uint64_t away_rows[] = { RIG_PAGES * 4096, LAPIC, 0xfffffffffffffffc, 0xa0000 };

START_TEST(a_word_outside_memory_is_never_offered)
{
	ck_assert(svm_paravirt_write_msr(&m.pc->paravirt, &cpu()->paravirt, MSR_EOI,
	                                 away_rows[_i] | 1));
	post(0x41, false);
	ck_assert_int_eq(take(0), 0x41);
	ck_assert(!cpu()->paravirt.eoi_offered);
	end_interrupt();
	ck_assert(!in_service(0x41));
}
END_TEST

/* --- random ---------------------------------------------------------------------------------- */

/* An APIC whose guest writes the register: two sets, and the highest of each. */
static struct {
	bool requested[256], served[256], level[256];
} plain;

static uint32_t chance;

static unsigned draw(unsigned below)
{
	chance = chance * 1664525u + 1013904223u;
	return (chance >> 8) % below;
}

static int highest_of(const bool set[256])
{
	for (int i = 255; i >= 0; i--)
		if (set[i])
			return i;
	return -1;
}

static int plain_next(unsigned tpr)
{
	const int vector = highest_of(plain.requested), served = highest_of(plain.served);

	return vector < 0 || vector / 16 <= served / 16 || vector / 16 <= (int)tpr ? -1 : vector;
}

static void random_post(void)
{
	static const uint8_t vectors[] = { 0x31, 0x32, 0x41, 0x51, 0x52, 0x9f, 0xef };
	const uint8_t vector = vectors[draw(sizeof(vectors))];
	const bool is_level = draw(4) == 0;

	post(vector, is_level);
	plain.requested[vector] = true;
	plain.level[vector] = is_level;
}

static void random_take(void)
{
	const uint8_t tpr = (uint8_t)(draw(4) ? 0 : draw(16));
	const int vector = plain_next(tpr);

	ck_assert_int_eq(take(tpr), vector);
	if (vector < 0)
		return;
	plain.requested[vector] = false;
	plain.served[vector] = true;
}

static void random_end(void)
{
	const int vector = highest_of(plain.served);

	/* An APIC's owner looks between what was posted and the guest's next step. */
	ck_assert_int_eq(take(15), -1);
	if (vector < 0)
		return;
	if (plain.level[vector] || highest_of(plain.requested) >= 0)
		ck_assert_uint_eq(*word() & 1, 0);
	end_interrupt();
	plain.served[vector] = false;
}

START_TEST(the_guest_sees_what_it_would_without)
{
	unsigned quiet = 0;

	memset(&plain, 0, sizeof(plain));
	chance = (uint32_t)_i;
	for (unsigned i = 0; i < 20000; i++) {
		const unsigned what = draw(8);

		if (what < 2)
			random_post();
		else if (what < 5)
			random_take();
		else
			random_end();
		quiet += cpu()->paravirt.eoi_offered && !*word();
		if (draw(8))
			continue;
		/* Once in a while everything is compared. */
		svm_pc_take_eoi(cpu());
		for (unsigned v = 0; v < 256; v++)
			if (in_service(v) != plain.served[v])
				ck_abort_msg("step %u, vector %x", i, v);
	}
	ck_assert_uint_gt(quiet, 500);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_edge_that_is_alone_is_offered);
	tcase_add_test(tc, a_level_is_not_offered);
	tcase_add_test(tc, nothing_is_offered_while_another_waits);
	tcase_add_test(tc, what_comes_later_takes_the_offer_back);
	tcase_add_test(tc, an_inner_interrupt_ends_first);
	tcase_add_test(tc, the_register_ends_an_offered_one_too);
	tcase_add_test(tc, another_address_loses_no_end);
	tcase_add_test(tc, another_address_ends_nothing);
	tcase_add_test(tc, a_register_tells_of_the_end);
	tcase_add_test(tc, init_forgets_address_and_offer);
	tcase_add_test(tc, a_guest_needs_no_exit_to_end);
	tcase_add_loop_test(tc, a_word_outside_memory_is_never_offered, 0, ROWS(away_rows));
	tcase_add_loop_test(tc, the_guest_sees_what_it_would_without, 0, 4);
}

int main(void)
{
	return rig_main("PC, end of interrupt", add);
}
