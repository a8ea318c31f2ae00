/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Events on the bare model: who takes what, when.  APM vol. 2, 15.17, 15.20, 15.21. */
#include <libsvm/exit_codes.h>

#include "bare.h"
#include "suite.h"

#define HANDLER UINT64_C(0xd000)

/* One physical INTR; host IF is 1 in the switch.  Guest IF counts without V_INTR_MASKING only. */
static const struct {
	bool masking, guest_if;
	uint64_t exit_code;
} gates[] = {
	{ true, false, 0x60 },
	{ true, true, 0x60 },
	{ false, true, 0x60 },
	{ false, false, 0x81 },
};

START_TEST(who_gates_a_physical_interrupt)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_nop(&b.code);
	hosted_script_vmmcall(&b.code);
	svm_vmcb_set_int_control(b.vmcb, gates[_i].masking ? SVM_INT_V_MASKING : 0);
	b.vmcb->save.rflags = gates[_i].guest_if ? 0x202 : 2;
	const uint64_t flags = svm_ring0_irq_save();

	hosted_pend(b.m, 0, HOSTED_INTR);
	ck_assert_uint_eq(bare_run(&b), gates[_i].exit_code);
	ck_assert_uint_eq(hosted_pending(b.m, 0), HOSTED_INTR); /* The exit leaves it pending. */
	ck_assert_uint_eq(hosted_taken(b.m, 0, HOSTED_INTR), 0);
	svm_ring0_irq_restore(flags);
	ck_assert_uint_eq(hosted_taken(b.m, 0, HOSTED_INTR), 1);
	bare_fini(&b);
}
END_TEST

START_TEST(an_nmi_waits_for_gif_only)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	const uint64_t flags = svm_ring0_irq_save();

	svm_ring0_clgi();
	hosted_pend(b.m, 0, HOSTED_NMI | HOSTED_INTR);
	svm_ring0_irq_restore(flags);
	ck_assert_uint_eq(hosted_taken(b.m, 0, HOSTED_NMI), 0);
	svm_ring0_irq_save();
	svm_ring0_stgi();
	ck_assert_uint_eq(hosted_taken(b.m, 0, HOSTED_NMI), 1);
	ck_assert_uint_eq(hosted_taken(b.m, 0, HOSTED_INTR), 0);
	svm_ring0_irq_restore(flags);
	ck_assert_uint_eq(hosted_taken(b.m, 0, HOSTED_INTR), 1);
	bare_fini(&b);
}
END_TEST

START_TEST(a_host_event_amid_guest_state_is_named)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_tolerate(b.m, HOSTED_BREACH_HOST_STATE);
	svm_ring0_wrmsr(0xc0000101, 0x666); /* GS base is not the host's. */
	hosted_pend(b.m, 0, HOSTED_NMI);
	svm_ring0_stgi();
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_HOST_STATE), 1);
	bare_fini(&b);
}
END_TEST

static void handler(struct bare *b, unsigned vector)
{
	struct hosted_script h;

	hosted_script_init(&h, b->code.bits);
	hosted_script_vmmcall(&h);
	guest_handler(b->memory, vector, HANDLER, &h);
}

/* A virtual interrupt of priority 5 and vector 51h, in each way that can hold it back. */
static const struct {
	const char *what;
	uint64_t control;
	uint64_t rflags, int_state;
	bool intercept;
	uint64_t exit_code, rip; /* rip 0: the second instruction */
} virtuals[] = {
	{ "taken", 0, 0x202, 0, false, 0x81, HANDLER },
	{ "intercepted", 0, 0x202, 0, true, 0x64, GUEST_CODE },
	{ "IF = 0", 0, 2, 0, true, 0x81, 0 },
	{ "V_TPR 5", 5, 0x202, 0, true, 0x81, 0 },
	{ "V_TPR 4", 4, 0x202, 0, true, 0x64, GUEST_CODE },
	{ "V_TPR 15, ignored", SVM_INT_V_IGN_TPR | 15, 0x202, 0, true, 0x64, GUEST_CODE },
	{ "after the shadow", 0, 0x202, 1, true, 0x64, GUEST_CODE + 1 },
};

START_TEST(a_virtual_interrupt_is_taken_when_it_may)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	handler(&b, 0x51);
	hosted_script_nop(&b.code);
	hosted_script_vmmcall(&b.code);
	svm_vmcb_set_int_control(b.vmcb, SVM_INT_V_MASKING | SVM_INT_V_IRQ | 5u << 16 |
	                                         UINT64_C(0x51) << 32 | virtuals[_i].control);
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_VINTR, virtuals[_i].intercept);
	b.vmcb->save.rflags = virtuals[_i].rflags;
	b.vmcb->control.int_state = virtuals[_i].int_state;
	ck_assert_msg(bare_run(&b) == virtuals[_i].exit_code, "%s", virtuals[_i].what);
	ck_assert_uint_eq(b.vmcb->save.rip, virtuals[_i].rip ? virtuals[_i].rip : GUEST_CODE + 1);
	/* V_IRQ is cleared by delivery and by nothing else. */
	ck_assert_int_eq(!(svm_vmcb_get_int_control(b.vmcb) & SVM_INT_V_IRQ),
	                 virtuals[_i].rip == HANDLER);
	bare_fini(&b);
}
END_TEST

/* EVENTINJ, and the frame that the handler finds (64-bit code). */
static const struct {
	const char *what;
	uint64_t event;
	unsigned vector;
	uint64_t words[2]; /* From RSP up. */
} injections[] = {
	{ "interrupt, IF = 0", 0x80000055, 0x55, { GUEST_CODE, 8 } },
	{ "NMI, vector ignored", 0x80000299, 2, { GUEST_CODE, 8 } },
	{ "#GP with its error code", 0x1880000b0d, 13, { 0x18, GUEST_CODE } },
	{ "#GP without EV", 0x188000030d, 13, { GUEST_CODE, 8 } },
	{ "INT 60h", 0x80000460, 0x60, { 0x1234, 8 } }, /* Returns to next RIP. */
	{ "INT3", 0x80000303, 3, { 0x1234, 8 } },
};

START_TEST(an_injected_event_reaches_its_handler)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	handler(&b, injections[_i].vector);
	hosted_script_vmmcall(&b.code);
	b.vmcb->control.event_inj = injections[_i].event;
	b.vmcb->control.next_rip = 0x1234;
	ck_assert_uint_eq(bare_run(&b), 0x81);
	ck_assert_msg(b.vmcb->save.rip == HANDLER, "%s", injections[_i].what);
	ck_assert_mem_eq(b.memory + b.vmcb->save.rsp, injections[_i].words, 16);
	ck_assert_uint_eq(b.vmcb->control.exit_int_info & SVM_EVENT_VALID, 0);
	ck_assert_uint_eq(b.vmcb->control.event_inj, injections[_i].event); /* Ours to clear. */
	bare_fini(&b);
}
END_TEST

START_TEST(an_interrupted_delivery_is_reported)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	handler(&b, 13);
	b.pt[2] = 0; /* The stack. */
	hosted_script_vmmcall(&b.code);
	b.vmcb->control.event_inj = 0x1880000b0d;
	ck_assert_uint_eq(bare_run(&b), 0x400);
	ck_assert_uint_eq(b.vmcb->control.exit_info_2 & ~0xfffull, GUEST_STACK - 0x1000);
	ck_assert_uint_eq(b.vmcb->control.exit_int_info, 0x1880000b0d);
	ck_assert_uint_eq(b.vmcb->save.rip, GUEST_CODE);
	ck_assert_uint_eq(b.vmcb->save.rsp, GUEST_STACK);
	ck_assert_uint_eq(b.vmcb->control.insn_count, 0);
	bare_fini(&b);
}
END_TEST

/* A fault in a delivery: shown to its intercept first, merged only then.  15.12. */
START_TEST(exception_intercepts_see_faults_before_they_merge)
{
	static const struct {
		unsigned intercept;
		uint64_t exit_code, reported;
	} rows[] = {
		{ SVM_VECTOR_GP, 0x4d, 0x80000b0d },
		{ SVM_VECTOR_DF, 0x48, 0x80000b0d },
		{ 31, 0x7f, 0 },
	};
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	svm_vmcb_set_idtr(b.vmcb, (struct svm_vmcb_segment){ 0 }); /* Each delivery is #GP. */
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_EXCEPTION + rows[_i].intercept, true);
	b.vmcb->control.event_inj = 0x80000b0d;
	ck_assert_uint_eq(bare_run(&b), rows[_i].exit_code);
	if (rows[_i].reported)
		ck_assert_uint_eq(b.vmcb->control.exit_int_info, rows[_i].reported);
	bare_fini(&b);
}
END_TEST

START_TEST(a_virtual_nmi_masks_itself_until_iret)
{
	struct hosted_script h;
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_init(&h, 64);
	hosted_script_vmmcall(&h);
	hosted_script_iret(&h);
	guest_handler(b.memory, 2, HANDLER, &h);
	hosted_script_nop(&b.code);
	hosted_script_vmmcall(&b.code);
	svm_vmcb_set_int_control(b.vmcb, SVM_INT_V_MASKING | SVM_INT_V_NMI_ENABLE | SVM_INT_V_NMI);
	ck_assert_uint_eq(bare_run(&b), 0x81);
	ck_assert_uint_eq(b.vmcb->save.rip, HANDLER);
	ck_assert_uint_eq(svm_vmcb_get_int_control(b.vmcb) & (SVM_INT_V_NMI | SVM_INT_V_NMI_MASK),
	                  SVM_INT_V_NMI_MASK);
	svm_vmcb_set_int_control(b.vmcb, svm_vmcb_get_int_control(b.vmcb) | SVM_INT_V_NMI);
	b.vmcb->save.rip += 3;
	ck_assert_uint_eq(bare_run(&b), 0x81); /* The second comes after the IRET of the first. */
	ck_assert_uint_eq(b.vmcb->save.rip, HANDLER);
	ck_assert_uint_eq(b.vmcb->save.rsp, GUEST_STACK - 40 - 0);
	bare_fini(&b);
}
END_TEST

START_TEST(a_single_step_traps_after_the_instruction)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_nop(&b.code);
	hosted_script_nop(&b.code);
	b.vmcb->save.rflags = 0x102;
	svm_vmcb_set_intercept(b.vmcb, SVM_EXIT_EXCEPTION + SVM_VECTOR_DB, true);
	ck_assert_uint_eq(bare_run(&b), 0x41);
	ck_assert_uint_eq(b.vmcb->save.rip, GUEST_CODE + 1);
	ck_assert_uint_eq(svm_vmcb_get_dr6(b.vmcb) & 0x4000, 0x4000);
	bare_fini(&b);
}
END_TEST

START_TEST(the_hals_rules_are_kept)
{
	const struct svm_hal *hal;
	struct bare b;
	svm_hpa_t hpa;
	void *page;

	bare_init(&b, NULL, GUEST_64);
	hal = hosted_hal(b.m);
	hosted_tolerate(b.m, HOSTED_BREACH_HAL);
	hosted_tolerate(b.m, HOSTED_BREACH_HVA_AS_HPA);
	hosted_tolerate(b.m, HOSTED_BREACH_LEAK);
	page = hal->frames_alloc(hal->ctx, 2, &hpa);
	ck_assert_ptr_eq(hal->phys_to_virt(hal->ctx, hpa), page);
	ck_assert_ptr_null(hal->phys_to_virt(hal->ctx, 0x1000));
	hal->phys_to_virt(hal->ctx, (uint64_t)(uintptr_t)page);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_HVA_AS_HPA), 1);
	hal->frames_free(hal->ctx, page, hpa, 2);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_HAL), 0);
	hal->frames_free(hal->ctx, page, hpa, 2); /* Twice. */
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_HAL), 1);
	hosted_fail_allocation(b.m, 2);
	ck_assert_ptr_nonnull(hal->frames_alloc(hal->ctx, 1, &hpa));
	ck_assert_ptr_null(hal->frames_alloc(hal->ctx, 1, &hpa));
	ck_assert_ptr_nonnull(hal->frames_alloc(hal->ctx, 1, &hpa));
	svm_ring0_clgi();
	hal->cpu_id(hal->ctx); /* With GIF = 0. */
	svm_ring0_stgi();
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_HAL), 2);
	bare_fini(&b);
}
END_TEST

static const struct {
	uint32_t msr;
	uint64_t value;
} bad_writes[] = {
	{ 0xc0000080, 0x2 },
	{ 0xc0010117, 0x800 },
	{ 0xc0010117, 1ull << 48 },
	{ 0xc0000104, 1ull << 40 },
	{ 0x277, 2 },
	{ 0xc0000101, 1ull << 47 },
	{ 0xc0000103, 1ull << 32 },
	{ 0x48, 8 },
	{ 0x12345, 0 },
	{ 0xc0010114, 1 << 4 | 1 << 5 },
};

START_TEST(a_register_that_faults_is_named)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_tolerate(b.m, HOSTED_BREACH_HOST_FAULT);
	svm_ring0_wrmsr(bad_writes[_i].msr, bad_writes[_i].value);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_HOST_FAULT), 1);
	bare_fini(&b);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, who_gates_a_physical_interrupt, 0, ROWS(gates));
	tcase_add_test(tc, an_nmi_waits_for_gif_only);
	tcase_add_test(tc, a_host_event_amid_guest_state_is_named);
	tcase_add_loop_test(tc, a_virtual_interrupt_is_taken_when_it_may, 0, ROWS(virtuals));
	tcase_add_loop_test(tc, an_injected_event_reaches_its_handler, 0, ROWS(injections));
	tcase_add_test(tc, an_interrupted_delivery_is_reported);
	tcase_add_loop_test(tc, exception_intercepts_see_faults_before_they_merge, 0, 3);
	tcase_add_test(tc, a_virtual_nmi_masks_itself_until_iret);
	tcase_add_test(tc, a_single_step_traps_after_the_instruction);
	tcase_add_test(tc, the_hals_rules_are_kept);
	tcase_add_loop_test(tc, a_register_that_faults_is_named, 0, ROWS(bad_writes));
}

int main(void)
{
	return suite_run("hosted events", add);
}
