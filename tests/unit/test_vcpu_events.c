/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Exceptions, NMIs and interrupts on their way into the guest: merging, interrupted deliveries,
 * windows, masks.  APM vol. 2, 8.2.9, 8.5, 15.7.2, 15.20, 15.21.
 */
#include "vcpu_rig.h"

#include "core/vm.h"

/* --- merging: table "simultaneous exceptions" of 8.2.9 ------------------------------------ */

static const uint8_t benign[] = { 1, 3, 4, 5, 6, 7, 16, 17, 18, 19 };
static const uint8_t contributory[] = { 0, 10, 11, 12, 13 };
static const uint8_t page[] = { 14 };
static const uint8_t twice[] = { 8 };

/* S: the second is delivered.  D: a double fault.  X: shutdown. */
static const struct {
	const uint8_t *first;
	int first_count;
	const uint8_t *second;
	int second_count;
	char outcome;
} merge_rows[] = {
	{ benign, ROWS(benign), benign, ROWS(benign), 'S' },
	{ benign, ROWS(benign), contributory, ROWS(contributory), 'S' },
	{ benign, ROWS(benign), page, ROWS(page), 'S' },
	{ contributory, ROWS(contributory), benign, ROWS(benign), 'S' },
	{ contributory, ROWS(contributory), contributory, ROWS(contributory), 'D' },
	{ contributory, ROWS(contributory), page, ROWS(page), 'S' },
	{ page, ROWS(page), benign, ROWS(benign), 'S' },
	{ page, ROWS(page), contributory, ROWS(contributory), 'D' },
	{ page, ROWS(page), page, ROWS(page), 'D' },
	{ twice, ROWS(twice), benign, ROWS(benign), 'S' },
	{ twice, ROWS(twice), contributory, ROWS(contributory), 'X' },
	{ twice, ROWS(twice), page, ROWS(page), 'X' },
};

static void check_pair(struct rig *r, uint8_t first, uint8_t second, char outcome)
{
	const uint8_t vector = outcome == 'D' ? 8 : second;
	struct svm_events events;

	rig_rewind(r);
	ck_assert_int_eq(svm_vcpu_inject_exception(r->vcpu, first, 0x10, 0x1000), 0);
	ck_assert_int_eq(svm_vcpu_inject_exception(r->vcpu, second, 0x20, 0x2000), 0);
	svm_vcpu_get_events(r->vcpu, &events);
	ck_assert(svm_vcpu_has_event(r->vcpu));
	hosted_script_nop(&r->code);
	if (outcome == 'X') {
		ck_assert_int_eq(rig_run(r), SVM_EXIT_KIND_SHUTDOWN);
		ck_assert(r->exit.shutdown.merged);
		ck_assert_uint_eq(r->exit.shutdown.first, 8);
		ck_assert_uint_eq(r->exit.shutdown.second, second);
		ck_assert_int_eq(svm_vcpu_state(r->vcpu), SVM_VCPU_SHUTDOWN);
		ck_assert_int_eq(svm_vcpu_run(r->vcpu, &r->exit), SVM_ERR_STATE);
		return;
	}
	ck_assert_uint_eq(events.exception_vector, vector);
	ck_assert_uint_eq(events.exception_error, outcome == 'D' ? 0 : 0x20);
	ck_assert_int_eq(rig_run(r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_msg(rig_regs(r).rax == vector, "%u then %u", first, second);
}

START_TEST(two_exceptions_merge_as_the_manual_says)
{
	struct rig r;

	rig_init(&r, NULL, RIG_32);
	rig_handlers(&r);
	for (int i = 0; i < merge_rows[_i].first_count; i++)
		for (int j = 0; j < merge_rows[_i].second_count; j++)
			check_pair(&r, merge_rows[_i].first[i], merge_rows[_i].second[j],
			           merge_rows[_i].outcome);
	rig_rewind(&r); /* SHUTDOWN ends with a reset. */
	rig_fini(&r);
}
END_TEST

/* --- what is pushed ----------------------------------------------------------------------- */

static const struct {
	uint8_t vector;
	bool has_error, has_rf; /* RF in the pushed image: faults. */
} frame_rows[] = {
	{ 0, false, true },  { 1, false, false }, { 3, false, false },  { 6, false, true },
	{ 7, false, true },  { 8, true, false },  { 10, true, true },   { 11, true, true },
	{ 12, true, true },  { 13, true, true },  { 14, true, true },   { 16, false, true },
	{ 17, true, true },  { 18, false, false }, { 19, false, true },
};

START_TEST(an_exception_pushes_what_its_vector_has)
{
	const bool has_error = frame_rows[_i].has_error;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, frame_rows[_i].vector, 0x5a, 0x777), 0);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rax, frame_rows[_i].vector);
	ck_assert_uint_eq(regs.rsp, RIG_STACK - (has_error ? 48 : 40));
	if (has_error)
		ck_assert_uint_eq(rig_read64(&r, regs.rsp), 0x5a);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 40), RIG_CODE);
	ck_assert_uint_eq(rig_read64(&r, RIG_STACK - 24), frame_rows[_i].has_rf ? 0x10002 : 2);
	if (frame_rows[_i].vector == 14) {
		struct svm_system_regs system;

		svm_vcpu_get_system(r.vcpu, &system);
		ck_assert_uint_eq(system.cr2, 0x777);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(vectors_that_are_no_exceptions_are_refused)
{
	static const uint8_t none[] = { 2, 9, 15, 20, 22, 27, 31, 32, 255 };
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	for (int i = 0; i < ROWS(none); i++)
		ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, none[i], 0, 0), SVM_ERR_INVAL);
	/* INTO and BOUND do not exist in 64-bit code. */
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 4, 0, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 5, 0, 0), SVM_ERR_INVAL);
	ck_assert(!svm_vcpu_has_event(r.vcpu));
	rig_fini(&r);
}
END_TEST

/* --- interrupted deliveries --------------------------------------------------------------- */

#define NO_SLOT (RIG_PAGES * UINT64_C(4096)) /* First page behind the guest's memory. */

static void *fill(struct rig *r, svm_gpa_t gpa)
{
	svm_hpa_t hpa;
	void *hva = hosted_guest_alloc(r->m, 1, 4096, &hpa);

	ck_assert_int_eq(svm_vm_map(r->vm, gpa, hpa, 4096, SVM_PROT_ALL), 0);
	return hva;
}

static void move_idt(struct rig *r, uint64_t base)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(r->vcpu, &system);
	system.idtr.base = base;
	ck_assert_int_eq(svm_vcpu_set_system(r->vcpu, &system), 0);
}

enum where { AT_IDT, AT_STACK };

/* One event of each type whose delivery meets a hole, in the IDT or on the stack. */
static const struct {
	uint64_t reinject; /* As EXITINTINFO shows it. */
	uint8_t vector;
	enum where where;
} broken_rows[] = {
	{ 0x0000005a80000b0d, 13, AT_IDT },   { 0x0000005a80000b0d, 13, AT_STACK },
	{ 0x80000306, 6, AT_IDT },            { 0x80000306, 6, AT_STACK },
	{ 0x80000303, 3, AT_IDT },            { 0x80000303, 3, AT_STACK },
	{ 0x8000002a, 0x2a, AT_IDT },         { 0x8000002a, 0x2a, AT_STACK },
	{ 0x80000202, 2, AT_IDT },            { 0x80000202, 2, AT_STACK },
};

static void raise_event(struct rig *r, uint64_t event, uint8_t vector)
{
	if ((event & 0x700) == 0x300)
		ck_assert_int_eq(svm_vcpu_inject_exception(r->vcpu, vector, 0x5a, 0), 0);
	else if ((event & 0x700) == 0x200)
		svm_vcpu_inject_nmi(r->vcpu);
	else
		ck_assert_int_eq(svm_vcpu_inject_interrupt(r->vcpu, vector), 0);
}

START_TEST(an_interrupted_delivery_is_done_again_once)
{
	const bool at_idt = broken_rows[_i].where == AT_IDT;
	struct svm_vcpu_stats stats;
	struct svm_events events;
	struct svm_regs regs;
	uint8_t *filled;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	regs = rig_regs(&r);
	regs.rflags |= 0x200;
	if (at_idt)
		move_idt(&r, NO_SLOT);
	else
		regs.rsp = NO_SLOT + 0x800;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	raise_event(&r, broken_rows[_i].reinject, broken_rows[_i].vector);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_uint_eq(r.exit.npt.gpa & ~UINT64_C(0xfff), NO_SLOT);
	ck_assert_uint_eq(r.exit.npt.access, at_idt ? SVM_PROT_READ : SVM_PROT_WRITE);
	ck_assert_uint_eq(r.exit.flags & SVM_EXIT_CONSISTENT, 0);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_uint_eq(events.reinject, broken_rows[_i].reinject);
	ck_assert(!events.exception_pending);
	ck_assert(!events.nmi_pending);

	filled = fill(&r, NO_SLOT);
	if (at_idt)
		memcpy(filled, r.memory + RIG_IDT, 4096);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rax, broken_rows[_i].vector);
	ck_assert_uint_eq(regs.rsp, (at_idt ? RIG_STACK : NO_SLOT + 0x800) -
	                                    (broken_rows[_i].vector == 13 ? 48 : 40));
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(stats.reinjected, 1);
	/* Once, and no more. */
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_uint_eq(events.reinject, 0);
	ck_assert(!events.nmi_pending);
	rig_fini(&r);
}
END_TEST

/* The same through svm_vcpu_get_events() and _set_events(), as a snapshot would. */
START_TEST(an_interrupted_delivery_survives_a_snapshot)
{
	struct svm_events events;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	regs = rig_regs(&r);
	regs.rflags |= 0x200;
	regs.rsp = NO_SLOT + 0x800;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	raise_event(&r, broken_rows[_i].reinject, broken_rows[_i].vector);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	svm_vcpu_get_events(r.vcpu, &events);
	regs = rig_regs(&r);
	fill(&r, NO_SLOT);
	rig_prepare(&r, r.vcpu);
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &events), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, broken_rows[_i].vector);
	rig_fini(&r);
}
END_TEST

/* A page fault while #PF was delivered: the embedder raises it, the library merges. */
START_TEST(an_exception_on_top_of_an_interrupted_one_merges)
{
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	regs = rig_regs(&r);
	regs.rsp = NO_SLOT + 0x800;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 14, 2, 0x123), 0);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 13, 0, 0), 0);
	regs.rsp = RIG_STACK;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 8);
	rig_fini(&r);
}
END_TEST

/* An exception on top of an interrupt or NMI: both are delivered, the exception first. */
START_TEST(an_exception_on_top_of_an_interrupt_keeps_it)
{
	const bool is_nmi = _i;
	struct hosted_script s;
	struct svm_events events;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	/* #GP: its error code off the stack, then back. */
	hosted_script_init(&s, 64);
	hosted_script_pop(&s, HOSTED_RCX);
	hosted_script_vmmcall(&s);
	hosted_script_iret(&s);
	rig_handler(&r, 13, &s);
	regs = rig_regs(&r);
	regs.rflags |= 0x200;
	regs.rsp = NO_SLOT + 0x800;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	raise_event(&r, is_nmi ? 0x200 : 0, 0x2a);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 13, 0x5a, 0), 0);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_uint_eq(events.exception_vector, 13);
	ck_assert_int_eq(events.nmi_pending, is_nmi);
	ck_assert_uint_eq(events.reinject, is_nmi ? 0 : 0x8000002a);
	regs.rsp = RIG_STACK;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	if (!is_nmi) {
		ck_assert_uint_eq(rig_regs(&r).rcx, 0x5a);
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
		ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
		ck_assert_uint_eq(rig_regs(&r).rax, 0x2a);
	} else { /* Before the first instruction of #GP's handler. */
		ck_assert_uint_eq(rig_regs(&r).rax, 2);
		ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_HANDLER + 64 * 13);
	}
	rig_fini(&r);
}
END_TEST

/* INT n whose delivery breaks off runs again: with or without NRIPS, after any injected event. */
START_TEST(a_software_interrupt_runs_again)
{
	const uint64_t idt = NO_SLOT - 0x280; /* Vector 20h is in memory, 30h is not. */
	struct hosted_config config;
	struct hosted_script s;
	struct svm_regs regs;
	uint8_t *filled;
	struct rig r;

	hosted_config_init(&config);
	if (_i & 1)
		config.features.svm_edx &= ~8u; /* No NRIPS. */
	rig_init(&r, &config, RIG_64);
	rig_handlers(&r);
	if (_i & 2) /* A stack or an IDT is no device's memory. */
		ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MMIO), 0);
	hosted_script_init(&s, 64);
	hosted_script_nop(&s);
	hosted_script_int(&s, 0x30);
	rig_handler(&r, 0x20, &s);
	memcpy(r.memory + idt, r.memory + RIG_IDT, 0x280);
	move_idt(&r, idt);
	regs = rig_regs(&r);
	regs.rflags |= 0x200;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x20), 0);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_uint_eq(r.exit.rip, RIG_HANDLER + 64 * 0x20 + 1);
	filled = fill(&r, NO_SLOT);
	memcpy(filled, r.memory + RIG_IDT + 0x280, 0x800);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x30);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_HANDLER + 64 * 0x20 + 3);
	rig_fini(&r);
}
END_TEST

/* --- NMI ---------------------------------------------------------------------------------- */

static const uint32_t nmi_features[] = {
	HOSTED_SVM_EDX, HOSTED_SVM_EDX & ~8u /* NRIPS */, 1u /* nested paging alone */
};

START_TEST(an_nmi_waits_for_the_iret_of_the_one_before)
{
	struct hosted_config config;
	struct hosted_script s;
	struct svm_debug_regs debug;
	struct svm_events events;
	struct rig r;

	hosted_config_init(&config);
	config.features.svm_edx = nmi_features[_i];
	rig_init(&r, &config, RIG_64);
	hosted_script_init(&s, 64);
	hosted_script_vmmcall(&s);
	hosted_script_nop(&s);
	hosted_script_iret(&s);
	rig_handler(&r, 2, &s);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);

	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.rip, RIG_HANDLER + 128);
	svm_vcpu_inject_nmi(r.vcpu);
	svm_vcpu_inject_nmi(r.vcpu); /* One waits at most. */
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(events.nmi_masked);
	ck_assert(events.nmi_pending);
	/* Masked, it wakes nobody. */
	ck_assert(!svm_vcpu_has_event(r.vcpu));
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);

	/* IRET, then the second before any instruction of the program; and then a third. */
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
		ck_assert_uint_eq(r.exit.rip, RIG_HANDLER + 128);
		ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_CODE);
		ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp + 16), 2); /* No TF of ours. */
		if (i == 0)
			svm_vcpu_inject_nmi(r.vcpu);
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	}

	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2);
	ck_assert_uint_eq(rig_regs(&r).rflags, 2);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr6, 0xffff0ff0);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(!events.nmi_masked);
	ck_assert(!events.nmi_pending);
	rig_fini(&r);
}
END_TEST

/* In a shadow the NMI waits for one instruction; HLT is one, although it is emulated. */
START_TEST(an_nmi_waits_for_the_shadow)
{
	const bool is_hlt = _i;
	struct svm_events events = { .interrupt_shadow = true };
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &events), 0);
	svm_vcpu_inject_nmi(r.vcpu);
	if (is_hlt)
		hosted_script_hlt(&r.code);
	else
		hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 2);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_CODE + 1);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp + 16), 2);
	rig_fini(&r);
}
END_TEST

/* The library's TF shows nowhere: not in the registers, not after they were set. */
START_TEST(the_librarys_step_is_not_the_guests)
{
	struct svm_events events = { .interrupt_shadow = true };
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &events), 0);
	svm_vcpu_inject_nmi(r.vcpu);
	hosted_script_load_abs(&r.code, NO_SLOT); /* Exits under the step. */
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert(r.vcpu->events.single_step);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rflags, 2);
	if (_i) {
		ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
		ck_assert_uint_eq(svm_vcpu_vmcb(r.vcpu)->save.rflags, 2);
	}
	fill(&r, NO_SLOT);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 2);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_CODE + r.code.size - 3);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp + 16), 2);
	rig_fini(&r);
}
END_TEST

/* A guest that traces itself keeps its own #DB. */
START_TEST(a_guests_own_step_is_kept)
{
	struct svm_events events = { .interrupt_shadow = true };
	struct hosted_script s;
	struct svm_regs regs;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	hosted_script_init(&s, 64);
	hosted_script_vmmcall(&s);
	hosted_script_iret(&s);
	rig_handler(&r, 2, &s);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &events), 0);
	regs = rig_regs(&r);
	regs.rflags |= 0x100;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	svm_vcpu_inject_nmi(r.vcpu);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	/* #DB of the first NOP and the NMI: the exception goes first, the NMI on top of it. */
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.rip, RIG_HANDLER + 128);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_HANDLER + 64);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 1);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp), RIG_CODE + 1);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp + 16) & 0x100, 0x100);
	rig_fini(&r);
}
END_TEST

/* --- interrupts --------------------------------------------------------------------------- */

START_TEST(an_interrupt_waits_for_if_and_shadow)
{
	struct svm_system_regs system;
	struct rig r;

	rig_init(&r, NULL, (enum rig_mode)_i);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 15), SVM_ERR_INVAL);
	/* Without a port nobody has priorities, whatever CR8 is. */
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr8 = 15;
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x21), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x22), SVM_ERR_BUSY);
	ck_assert(!svm_vcpu_has_event(r.vcpu));
	hosted_script_nop(&r.code);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax & 0xff, 0x21);
	ck_assert_uint_eq(rig_read64(&r, rig_regs(&r).rsp) & 0xffff, RIG_CODE + 3);
	/* The window is closed: no virtual interrupt is left behind. */
	ck_assert_uint_eq(svm_vmcb_get_int_control(svm_vcpu_vmcb(r.vcpu)), SVM_BIT(24) | 15);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x22), 0);
	rig_fini(&r);
}
END_TEST

/*
 * Before the handler's first instruction the host has the CPU, and the guest notices nothing: for a
 * new interrupt (0) and one whose delivery an exit had broken off (1).
 */
static void check_exit_after_interrupt(bool is_again, bool is_wanted)
{
	struct svm_vcpu_stats stats;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	r.vm->config.exit_after_interrupt = is_wanted ? SVM_EXIT_AFTER_ALWAYS :
	                                                SVM_EXIT_AFTER_NEVER;
	if (is_again)
		r.vcpu->events.reinject = SVM_EVENT_VALID | 0x21; /* type INTR is 0 */
	else
		ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x21), 0);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	while (rig_run(&r) == SVM_EXIT_KIND_HOST_INTERRUPT)
		ck_assert(is_wanted);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax & 0xff, 0x21);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_eq(stats.interrupts, is_wanted);
	rig_fini(&r);
}

START_TEST(an_interrupt_can_be_followed_by_an_exit)
{
	check_exit_after_interrupt(_i & 1, _i & 2);
}
END_TEST

/* Where nobody has chosen. */
START_TEST(tcg_has_an_exit_after_each_interrupt)
{
	struct svm_vm_config vm_config = { .vcpu_max = 1 };
	struct hosted_config config;
	struct svm_vm *vm;
	struct rig r;

	hosted_config_init(&config);
	config.features.tcg = _i;
	rig_init(&r, &config, RIG_64);
	ck_assert_int_eq(r.vm->config.exit_after_interrupt,
	                 _i ? SVM_EXIT_AFTER_ALWAYS : SVM_EXIT_AFTER_NEVER);
	vm_config.exit_after_interrupt = SVM_EXIT_AFTER_NEVER + 1;
	ck_assert_int_eq(svm_vm_create(r.host, &vm_config, &vm), SVM_ERR_INVAL);
	rig_fini(&r);
}
END_TEST

static bool is_injected(struct rig *r)
{
	svm_events_prepare(r->vcpu);
	ck_assert(!(svm_vmcb_get_int_control(r->vcpu->vmcb) & SVM_INT_V_IRQ));
	return r->vcpu->vmcb->control.event_inj == 0x80000040;
}

static void end_entry(struct rig *r, uint64_t exit_code)
{
	r->vcpu->vmcb->control.exit_code = exit_code;
	svm_events_after_exit(r->vcpu);
	if (exit_code == SVM_EXIT_INTR)
		(void)svm_exit_dispatch(r->vcpu, &r->exit); /* The host has its look. */
	r->vcpu->vmcb->control.int_state = 0; /* As QEMU has it from now on. */
}

/* A host's interrupt between STI and the next instruction, and another at the same place. */
START_TEST(on_tcg_a_shadow_outlasts_the_hosts_interrupts)
{
	struct hosted_config config;
	struct rig r;

	hosted_config_init(&config);
	config.features.tcg = _i;
	rig_init(&r, &config, RIG_64);
	r.vcpu->vmcb->save.rflags |= 0x200;
	r.vcpu->vmcb->control.int_state = SVM_INT_STATE_SHADOW;
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x40), 0);
	end_entry(&r, SVM_EXIT_INTR);
	ck_assert_int_eq(is_injected(&r), !_i);
	if (_i) {
		end_entry(&r, SVM_EXIT_INTR);
		ck_assert(!is_injected(&r));
		end_entry(&r, SVM_EXIT_HLT);
		ck_assert(is_injected(&r));
	}
	rig_fini(&r);
}
END_TEST

START_TEST(windows_are_exits_for_whoever_wants_them)
{
	struct hosted_script s;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_WINDOWS), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x21), 0);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_INTR_WINDOW);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 2);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x21);

	rig_rewind(&r);
	hosted_script_init(&s, 64);
	hosted_script_nop(&s);
	hosted_script_iret(&s);
	rig_handler(&r, 2, &s);
	hosted_script_vmmcall(&r.code);
	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NMI_WINDOW);
	ck_assert_uint_eq(r.exit.rip, RIG_HANDLER + 128 + 1);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* Without a vector, whatever svm_vm_set_exits() says, and once. */
START_TEST(a_window_can_be_asked_for)
{
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	svm_vcpu_want_window(r.vcpu, true);
	ck_assert(!svm_vcpu_can_interrupt(r.vcpu));
	hosted_script_nop(&r.code);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_INTR_WINDOW);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE + 3);
	ck_assert(svm_vcpu_can_interrupt(r.vcpu));
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 6, 0, 0), 0);
	ck_assert(!svm_vcpu_can_interrupt(r.vcpu));
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax & 0xff, 6);
	ck_assert_uint_eq(svm_vmcb_get_int_control(svm_vcpu_vmcb(r.vcpu)), SVM_BIT(24));
	rig_fini(&r);

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	svm_vcpu_want_window(r.vcpu, true);
	svm_vcpu_want_window(r.vcpu, false);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* A controller of one vector. */
struct controller {
	int vector;
	uint8_t tpr_seen;
	unsigned accepted, changes;
};

static int pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	const struct controller *c = arg;

	(void)vcpu;
	return c->vector >> 4 > tpr ? c->vector : -1;
}

static uint8_t accept_it(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	struct controller *c = arg;

	(void)vcpu;
	ck_assert_int_eq(vector, c->vector);
	c->vector = -1;
	c->accepted++;
	return vector;
}

static void tpr_changed(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	struct controller *c = arg;

	(void)vcpu;
	c->tpr_seen = tpr;
	c->changes++;
}

static struct svm_irq_port port_of(struct controller *c)
{
	return (struct svm_irq_port){
		.pending = pending,
		.accept = accept_it,
		.tpr_changed = tpr_changed,
		.arg = c,
	};
}

START_TEST(a_port_is_asked_and_told)
{
	struct controller c = { .vector = 0x2c };
	struct svm_irq_port port = port_of(&c);
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x21), SVM_ERR_STATE);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x2c);
	ck_assert_uint_eq(c.accepted, 1);
	for (int i = 0; i < 3; i++) {
		struct svm_irq_port lacking = port;

		if (i == 0)
			lacking.pending = NULL;
		else if (i == 1)
			lacking.accept = NULL;
		else
			lacking.tpr_changed = NULL;
		ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &lacking), SVM_ERR_INVAL);
	}
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, NULL), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x21), 0);
	rig_fini(&r);
}
END_TEST

static uint64_t armed_ns, armed_times;

static void note_timer(void *ctx, uint64_t deadline_ns)
{
	(void)ctx;
	armed_ns = deadline_ns;
	armed_times++;
}

static uint64_t some_deadline(void *arg, struct svm_vcpu *vcpu)
{
	(void)arg;
	(void)vcpu;
	return 123456;
}

/* Before each run's first entry: another vCPU may have armed the timer of this CPU. */
START_TEST(the_timer_is_armed_for_the_port)
{
	struct controller c = { .vector = -1 };
	struct svm_irq_port port = port_of(&c);
	struct rig r;

	rig_machine(&r, NULL);
	r.hal.timer_arm = note_timer;
	armed_times = 0;
	rig_start(&r, RIG_64);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	ck_assert_uint_eq(armed_times, 0);
	ck_assert_uint_eq(svm_vcpu_deadline(r.vcpu), UINT64_MAX);
	port.deadline = some_deadline;
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	for (unsigned i = 1; i <= 2; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
		ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
		ck_assert_uint_eq(armed_times, i);
		ck_assert_uint_eq(armed_ns, 123456);
	}
	ck_assert_uint_eq(svm_vcpu_deadline(r.vcpu), 123456);
	rig_fini(&r);
}
END_TEST

/* What TPR keeps back is delivered when the guest lowers it, with no other exit in between. */
START_TEST(a_lower_tpr_lets_an_interrupt_in)
{
	struct controller c = { .vector = 0x2c };
	struct svm_irq_port port = port_of(&c);
	struct svm_system_regs system;
	struct svm_vcpu_stats stats;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	svm_vcpu_get_system(r.vcpu, &system);
	system.cr8 = 2; /* Class 2 is not above it. */
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	hosted_script_mov(&r.code, HOSTED_RBX, 1);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_write_cr(&r.code, 8, HOSTED_RBX);
	hosted_script_nop(&r.code);
	hosted_script_ud2(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x2c);
	ck_assert_uint_eq(c.tpr_seen, 1);
	ck_assert_uint_eq(c.changes, 1);
	svm_vcpu_get_system(r.vcpu, &system);
	ck_assert_uint_eq(system.cr8, 1);
	svm_vcpu_get_stats(r.vcpu, &stats);
	ck_assert_uint_le(stats.entries, 3);
	rig_fini(&r);
}
END_TEST

/* --- state -------------------------------------------------------------------------------- */

static const struct {
	bool exception_pending;
	uint8_t vector;
	uint64_t reinject;
	int result;
} set_rows[] = {
	{ false, 0, 0, 0 },
	{ true, 13, 0, 0 },
	{ true, 2, 0, SVM_ERR_INVAL },
	{ true, 32, 0, SVM_ERR_INVAL },
	{ false, 0, 0x80000306, 0 },
	{ false, 0, 0x00000306, SVM_ERR_INVAL },         /* No V. */
	{ false, 0, 0x80000b06, SVM_ERR_INVAL },         /* #UD has no error code. */
	{ false, 0, 0x8000030d, SVM_ERR_INVAL },         /* #GP has one. */
	{ false, 0, 0x80000b0d, 0 },
	{ false, 0, 0x80000302, SVM_ERR_INVAL },         /* Exception 2. */
	{ false, 0, 0x80000309, SVM_ERR_INVAL },         /* No exception. */
	{ false, 0, 0x80000320, SVM_ERR_INVAL },         /* Beyond 31. */
	{ false, 0, 0x80000106, SVM_ERR_INVAL },         /* Reserved type. */
	{ false, 0, 0x80000480, SVM_ERR_INVAL },         /* Software interrupt. */
	{ false, 0, 0x80000706, SVM_ERR_INVAL },
	{ false, 0, 0x80001306, SVM_ERR_INVAL },         /* Reserved bit 12. */
	{ false, 0, 0x80000202, 0 },
	{ false, 0, 0x80000203, SVM_ERR_INVAL },         /* NMI is vector 2. */
	{ false, 0, 0x80000080, 0 },
	{ true, 6, 0x80000080, 0 },                      /* Held by an exception. */
	{ true, 6, 0x80000b0d, SVM_ERR_INVAL },          /* Would have been merged. */
	{ true, 6, 0x80000202, SVM_ERR_INVAL },
};

START_TEST(events_that_cannot_be_are_refused)
{
	const struct svm_events wanted = {
		.exception_pending = set_rows[_i].exception_pending,
		.exception_vector = set_rows[_i].vector,
		.reinject = set_rows[_i].reinject,
	};
	struct svm_events got;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	rig_handlers(&r);
	ck_assert_int_eq(svm_vcpu_set_events(r.vcpu, &wanted), set_rows[_i].result);
	svm_vcpu_get_events(r.vcpu, &got);
	if (!set_rows[_i].result) {
		ck_assert_uint_eq(got.reinject, wanted.reinject);
		ck_assert_int_eq(got.exception_pending, wanted.exception_pending);
		ck_assert_int_eq(svm_vcpu_has_event(r.vcpu),
		                 wanted.exception_pending ||
		                         (wanted.reinject && wanted.reinject != 0x80000080));
	} else {
		ck_assert_uint_eq(got.reinject, 0);
		ck_assert(!got.exception_pending);
	}
	rig_fini(&r);
}
END_TEST

/* INIT takes what waits with it; a kick is the embedder's and stays. */
START_TEST(init_and_reset_forget_events)
{
	struct svm_events events;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 13, 0, 0), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x21), 0);
	svm_vcpu_inject_nmi(r.vcpu);
	svm_vcpu_kick(r.vcpu);
	if (_i)
		ck_assert_int_eq(svm_vcpu_reset(r.vcpu), 0);
	else
		ck_assert_int_eq(svm_vcpu_init_ipi(r.vcpu), 0);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(!events.exception_pending && !events.nmi_pending && !events.reinject);
	ck_assert(!svm_vcpu_has_event(r.vcpu));
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x22), 0);
	if (!_i)
		ck_assert_int_eq(svm_vcpu_startup_ipi(r.vcpu, 1), 0);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), 0);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_REQUEST);
	rig_fini(&r);
}
END_TEST

static void count_wake(void *arg, struct svm_vcpu *vcpu)
{
	unsigned *wakes = arg;

	ck_assert_ptr_nonnull(vcpu);
	++*wakes;
}

START_TEST(whoever_sleeps_is_woken)
{
	unsigned wakes = 0;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	svm_vcpu_notify(r.vcpu); /* Nobody has asked to be told. */
	svm_vcpu_set_wake(r.vcpu, count_wake, &wakes);
	svm_vcpu_notify(r.vcpu);
	ck_assert_uint_eq(wakes, 1);
	svm_vcpu_kick(r.vcpu);
	ck_assert_uint_eq(wakes, 2);
	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_uint_eq(wakes, 3);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x20), 0);
	ck_assert_uint_eq(wakes, 4);
	svm_vcpu_set_wake(r.vcpu, NULL, NULL);
	svm_vcpu_notify(r.vcpu);
	ck_assert_uint_eq(wakes, 4);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, whoever_sleeps_is_woken);
	tcase_add_loop_test(tc, two_exceptions_merge_as_the_manual_says, 0, ROWS(merge_rows));
	tcase_add_loop_test(tc, an_exception_pushes_what_its_vector_has, 0, ROWS(frame_rows));
	tcase_add_test(tc, vectors_that_are_no_exceptions_are_refused);
	tcase_add_loop_test(tc, an_interrupted_delivery_is_done_again_once, 0, ROWS(broken_rows));
	tcase_add_loop_test(tc, an_interrupted_delivery_survives_a_snapshot, 0, ROWS(broken_rows));
	tcase_add_test(tc, an_exception_on_top_of_an_interrupted_one_merges);
	tcase_add_loop_test(tc, an_exception_on_top_of_an_interrupt_keeps_it, 0, 2);
	tcase_add_loop_test(tc, a_software_interrupt_runs_again, 0, 4);
	tcase_add_loop_test(tc, an_nmi_waits_for_the_iret_of_the_one_before, 0, ROWS(nmi_features));
	tcase_add_loop_test(tc, an_nmi_waits_for_the_shadow, 0, 2);
	tcase_add_loop_test(tc, the_librarys_step_is_not_the_guests, 0, 2);
	tcase_add_test(tc, a_guests_own_step_is_kept);
	tcase_add_loop_test(tc, an_interrupt_waits_for_if_and_shadow, RIG_REAL, RIG_64 + 1);
	tcase_add_loop_test(tc, an_interrupt_can_be_followed_by_an_exit, 0, 4);
	tcase_add_loop_test(tc, tcg_has_an_exit_after_each_interrupt, 0, 2);
	tcase_add_loop_test(tc, on_tcg_a_shadow_outlasts_the_hosts_interrupts, 0, 2);
	tcase_add_test(tc, windows_are_exits_for_whoever_wants_them);
	tcase_add_test(tc, a_window_can_be_asked_for);
	tcase_add_test(tc, a_port_is_asked_and_told);
	tcase_add_test(tc, the_timer_is_armed_for_the_port);
	tcase_add_test(tc, a_lower_tpr_lets_an_interrupt_in);
	tcase_add_loop_test(tc, events_that_cannot_be_are_refused, 0, ROWS(set_rows));
	tcase_add_loop_test(tc, init_and_reset_forget_events, 0, 2);
}

int main(void)
{
	return rig_main("vCPU events", add_tests);
}
