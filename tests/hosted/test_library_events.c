/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events into the guest: windows, masking, deliveries that a nested fault interrupts, merging.
 * Every guest here sees each event exactly once.  APM vol. 2, 8.2.9, 15.20, 15.21.
 */
#include "rig.h"
#include "suite.h"

#define HANDLER   UINT64_C(0xd000)
#define HANDLER_2 UINT64_C(0xd100)
#define FAR_STACK UINT64_C(0x21000) /* Outside of the slot. */

static void start(struct rig *r, int i)
{
	const struct hosted_config config = rig_lacking(i / 3);

	rig_init(r, &config, (enum guest_mode)(i % 3));
}

/* A handler that counts in RBX and returns. */
static void counting_handler(struct rig *r, unsigned vector, uint64_t gpa, bool drops_error)
{
	struct hosted_script h;

	hosted_script_init(&h, r->code.bits);
	hosted_script_inc(&h, HOSTED_RBX);
	if (drops_error)
		hosted_script_pop(&h, HOSTED_RSI);
	hosted_script_iret(&h);
	guest_handler(r->memory, vector, gpa, &h);
}

START_TEST(an_interrupt_waits_for_if)
{
	struct rig r;

	start(&r, _i);
	counting_handler(&r, 0x55, HANDLER, false);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code); /* IF = 0 */
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code); /* The shadow of STI. */
	hosted_script_vmmcall(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x55), 0);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x56), SVM_ERR_BUSY);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 1);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 1);
	ck_assert_uint_eq(rig_regs(&r).rsp, GUEST_STACK);
	rig_fini(&r);
}
END_TEST

START_TEST(a_shadow_holds_an_interrupt_back)
{
	struct rig r;

	start(&r, _i);
	counting_handler(&r, 0x55, HANDLER, false);
	hosted_script_cli(&r.code);
	hosted_script_sti(&r.code);
	hosted_script_vmmcall(&r.code); /* In the shadow. */
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x55), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 1);
	rig_fini(&r);
}
END_TEST

/* NMI handler with a VMMCALL inside: a second NMI waits for its IRET, a third is lost. */
START_TEST(an_nmi_masks_the_next_until_iret)
{
	struct hosted_script h;
	struct rig r;

	start(&r, _i);
	hosted_script_init(&h, r.code.bits);
	hosted_script_inc(&h, HOSTED_RBX);
	hosted_script_vmmcall(&h);
	hosted_script_iret(&h);
	guest_handler(r.memory, 2, HANDLER, &h);
	for (int i = 0; i < 3; i++)
		hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_ge(r.exit.rip, HANDLER);
	ck_assert_uint_eq(rig_regs(&r).rbx, 1);
	svm_vcpu_inject_nmi(r.vcpu);
	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_ge(r.exit.rip, HANDLER);
	ck_assert_uint_eq(rig_regs(&r).rbx, 2);
	/* On the first one's frame again, not on top of it: the IRET was executed. */
	ck_assert_uint_ge(rig_regs(&r).rsp, GUEST_STACK - 48);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_lt(r.exit.rip, HANDLER);
	ck_assert_uint_eq(rig_regs(&r).rbx, 2);
	ck_assert_uint_eq(rig_regs(&r).rsp, GUEST_STACK);
	rig_fini(&r);
}
END_TEST

START_TEST(an_nmi_and_an_interrupt_are_both_delivered)
{
	struct rig r;

	start(&r, _i);
	counting_handler(&r, 2, HANDLER, false);
	counting_handler(&r, 0x66, HANDLER_2, false);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	svm_vcpu_inject_nmi(r.vcpu);
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r.vcpu, 0x66), 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 2);
	ck_assert_uint_eq(rig_regs(&r).rsp, GUEST_STACK);
	rig_fini(&r);
}
END_TEST

START_TEST(an_exception_has_its_error_code_and_cr2)
{
	struct hosted_script h;
	struct rig r;

	start(&r, _i);
	if (r.mode == GUEST_REAL) { /* No error codes there. */
		rig_fini(&r);
		return;
	}
	hosted_script_init(&h, r.code.bits);
	hosted_script_pop(&h, HOSTED_RSI);
	hosted_script_read_cr(&h, HOSTED_RDI, 2);
	hosted_script_vmmcall(&h);
	guest_handler(r.memory, 14, HANDLER, &h);
	hosted_script_nop(&r.code);
	rig_load(&r);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, 14, 7, 0x12345678), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rsi, 7);
	ck_assert_uint_eq(rig_regs(&r).rdi, 0x12345678);
	rig_fini(&r);
}
END_TEST

/*
 * The handler's stack lies in a hole: the delivery ends in a nested fault.  Once the memory is
 * there the event is delivered, once.
 */
static void raise_interrupt(struct rig *r)
{
	ck_assert_int_eq(svm_vcpu_inject_interrupt(r->vcpu, 0x55), 0);
}

static void raise_nmi(struct rig *r)
{
	svm_vcpu_inject_nmi(r->vcpu);
}

static void raise_gp(struct rig *r)
{
	ck_assert_int_eq(svm_vcpu_inject_exception(r->vcpu, 13, 0x18, 0), 0);
}

static void raise_ud(struct rig *r)
{
	ck_assert_int_eq(svm_vcpu_inject_exception(r->vcpu, 6, 0, 0), 0);
}

static void raise_nothing(struct rig *r)
{
	(void)r; /* The guest does it by INT 55h. */
}

static const struct {
	void (*raise)(struct rig *r);
	unsigned vector;
	bool has_error;
} interrupted[] = {
	{ raise_interrupt, 0x55, false }, { raise_nmi, 2, false },        { raise_gp, 13, true },
	{ raise_ud, 6, false },           { raise_nothing, 0x55, false },
};

START_TEST(an_interrupted_delivery_is_done_again_once)
{
	const int row = _i % ROWS(interrupted);
	svm_hpa_t hpa;
	struct rig r;

	start(&r, _i / ROWS(interrupted));
	if (r.mode == GUEST_REAL) { /* Its stack cannot be that far away. */
		rig_fini(&r);
		return;
	}
	counting_handler(&r, interrupted[row].vector, HANDLER, interrupted[row].has_error);
	hosted_script_mov(&r.code, HOSTED_RSP, FAR_STACK);
	hosted_script_sti(&r.code);
	hosted_script_nop(&r.code);
	hosted_script_cpuid(&r.code); /* An exit: whoever waits gets in here. */
	hosted_script_mov(&r.code, HOSTED_RBX, 0);
	hosted_script_vmmcall(&r.code);
	hosted_script_nop(&r.code);
	if (interrupted[row].raise == raise_nothing)
		hosted_script_int(&r.code, 0x55);
	else if (interrupted[row].raise == raise_ud)
		hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	interrupted[row].raise(&r);
	for (int i = 0; i < 3; i++) { /* Nothing changes while the memory is not there. */
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
		ck_assert_uint_eq(r.exit.npt.gpa & ~4095ull, FAR_STACK - 4096);
		ck_assert_uint_eq(rig_regs(&r).rbx, 0);
		ck_assert_uint_eq(rig_regs(&r).rsp, FAR_STACK);
	}
	hosted_guest_alloc(r.m, 1, 4096, &hpa);
	ck_assert_int_eq(svm_vm_map(r.vm, FAR_STACK - 4096, hpa, 4096, SVM_PROT_ALL), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rbx, 1);
	ck_assert_uint_eq(rig_regs(&r).rsp, FAR_STACK);
	ck_assert_int_eq(svm_vm_unmap(r.vm, FAR_STACK - 4096, 4096), 0);
	hosted_guest_free(r.m, hpa, 1);
	rig_fini(&r);
}
END_TEST

/* First and second exception, and what the processor makes of the pair. */
static const struct {
	uint8_t first, second, delivered; /* 0: shutdown. */
} merges[] = {
	{ 13, 13, 8 }, { 13, 11, 8 }, { 14, 14, 8 }, { 14, 13, 8 }, { 14, 10, 8 }, { 13, 14, 14 },
	{ 6, 13, 13 }, { 13, 6, 6 },  { 14, 6, 6 },  { 0, 12, 8 },  { 8, 13, 0 },  { 8, 14, 0 },
};

START_TEST(two_exceptions_merge)
{
	struct hosted_script h;
	struct rig r;

	rig_init(&r, NULL, GUEST_64);
	hosted_script_init(&h, 64);
	hosted_script_vmmcall(&h);
	for (unsigned vector = 0; vector < 32; vector++)
		guest_handler(r.memory, vector, HANDLER + vector * 16, &h);
	hosted_script_nop(&r.code);
	hosted_script_vmmcall(&r.code);
	rig_load(&r);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, merges[_i].first, 0, 0), 0);
	ck_assert_int_eq(svm_vcpu_inject_exception(r.vcpu, merges[_i].second, 0, 0), 0);
	rig_run(&r);
	if (merges[_i].delivered) {
		ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_HYPERCALL);
		ck_assert_uint_eq(r.exit.rip, HANDLER + merges[_i].delivered * 16u);
	} else {
		ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_SHUTDOWN);
	}
	rig_fini(&r);
}
END_TEST

/* TR, FS and GS of the guest are traps for the host; its NMIs and interrupts never stop. */
static void keep_interrupting(void *arg, uint32_t cpu, uint32_t event)
{
	struct rig *r = arg;

	if (hosted_taken(r->m, cpu, event) < 500)
		hosted_pend(r->m, cpu, event);
}

START_TEST(a_hostile_tr_fs_and_gs_never_meet_a_host_event)
{
	struct svm_system_regs s;
	struct rig r;
	uint64_t exits = 0;

	start(&r, _i);
	svm_vcpu_get_system(r.vcpu, &s);
	s.tr.base = s.fs.base = s.gs.base = 0x666000;
	s.ldtr = (struct svm_vmcb_segment){ 0x28, 0x82, 0xfff, 0x777000 };
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &s), 0);
	hosted_set_handler(r.m, keep_interrupting, &r);
	hosted_script_cpuid(&r.code);
	hosted_script_jmp(&r.code, 0);
	rig_load(&r);
	hosted_pend(r.m, 0, HOSTED_NMI | HOSTED_INTR);
	while (hosted_taken(r.m, 0, HOSTED_NMI) < 500 || hosted_taken(r.m, 0, HOSTED_INTR) < 500) {
		ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), 0);
		ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_HOST_INTERRUPT);
		exits++;
	}
	ck_assert_uint_le(exits, 1001);
	svm_vcpu_get_system(r.vcpu, &s);
	ck_assert_uint_eq(s.gs.base, 0x666000);
	ck_assert_uint_eq(s.ldtr.base, 0x777000);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	const int rows = 3 * rig_lack_count;

	tcase_add_loop_test(tc, an_interrupt_waits_for_if, 0, rows);
	tcase_add_loop_test(tc, a_shadow_holds_an_interrupt_back, 0, rows);
	tcase_add_loop_test(tc, an_nmi_masks_the_next_until_iret, 0, rows);
	tcase_add_loop_test(tc, an_nmi_and_an_interrupt_are_both_delivered, 0, rows);
	tcase_add_loop_test(tc, an_exception_has_its_error_code_and_cr2, 0, rows);
	tcase_add_loop_test(tc, an_interrupted_delivery_is_done_again_once, 0,
	                    rows * ROWS(interrupted));
	tcase_add_loop_test(tc, two_exceptions_merge, 0, ROWS(merges));
	tcase_add_loop_test(tc, a_hostile_tr_fs_and_gs_never_meet_a_host_event, 0, rows);
}

int main(void)
{
	return suite_run("library events", add);
}
