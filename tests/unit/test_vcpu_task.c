/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From the exit of a task switch to the new task.  APM vol. 2, 12.3, 15.14.1.
 *
 * The processor model switches no tasks: the dispatch alone, on a VMCB as a processor would leave
 * it.
 */
#include "vcpu_rig.h"

#define CODE 0x08u
#define DATA 0x10u
#define OLD  0x18u
#define NEW  0x20u

#define NEW_TSS   RIG_DATA
#define NEW_STACK UINT64_C(0x2000)
#define NEW_CR3   UINT64_C(0x9000)
#define NEW_RIP   0x12345u

#define JUMP      (UINT64_C(1) << 38)
#define IRET      (UINT64_C(1) << 36)
#define HAS_ERROR (UINT64_C(1) << 44)

static void put32(struct rig *r, svm_gpa_t gpa, uint32_t value)
{
	memcpy(r->memory + gpa, &value, sizeof(value));
}

static uint32_t get32(const struct rig *r, svm_gpa_t gpa)
{
	uint32_t value;

	memcpy(&value, r->memory + gpa, sizeof(value));
	return value;
}

static void put_descriptor(struct rig *r, unsigned selector, uint32_t base, uint32_t attributes)
{
	const bool is_tss = !(attributes & 0x10);

	put32(r, RIG_GDT + selector, (base << 16) | (is_tss ? 0x67 : 0xffff));
	put32(r, RIG_GDT + selector + 4,
	      (attributes & 0xff) << 8 | (attributes & 0xf00) << 12 | (is_tss ? 0 : 0xf0000) |
		      (base >> 16 & 0xff));
}

static unsigned asked;

static bool never(void *ctx)
{
	(void)ctx;
	asked++;
	return false;
}

/* Paging with one page of 4 MiB, for each task its own directory; the new task at CPL `cpl`. */
static void start(struct rig *r, unsigned cpl)
{
	struct svm_system_regs system;

	rig_machine(r, NULL);
	r->hal.should_exit = never;
	asked = 0;
	rig_start(r, RIG_32);
	svm_vcpu_get_system(r->vcpu, &system);
	system.gdtr.limit = 0x27;
	system.cr0 = 0x80000011;
	system.cr4 = 0x10;
	system.cr3 = RIG_PT;
	ck_assert_int_eq(svm_vcpu_set_system(r->vcpu, &system), 0);
	put32(r, RIG_PT, 0xe7);
	put32(r, NEW_CR3, 0xe7);
	put_descriptor(r, CODE, 0, 0xc9b | cpl << 5);
	put_descriptor(r, DATA, 0, 0xc93 | cpl << 5);
	put_descriptor(r, OLD, RIG_TSS, 0x8b);
	put_descriptor(r, NEW, NEW_TSS, 0x89);
	put32(r, NEW_TSS + 0x1c, NEW_CR3);
	put32(r, NEW_TSS + 0x20, NEW_RIP);
	put32(r, NEW_TSS + 0x24, 0x202);
	put32(r, NEW_TSS + 0x38, NEW_STACK);
	put32(r, NEW_TSS + 0x4c, CODE + cpl);
	put32(r, NEW_TSS + 0x50, DATA + cpl);
	memset(r->memory + NEW_STACK - 4, 0, 4);
}

static enum svm_action task_exit(struct rig *r, const char *bytes, size_t size, uint64_t info,
                                 uint64_t event)
{
	struct svm_vmcb_control *control = &r->vcpu->vmcb->control;

	memcpy(r->memory + RIG_CODE, bytes, size);
	control->exit_code = SVM_EXIT_TASK_SWITCH;
	control->exit_info_1 = NEW;
	control->exit_info_2 = info;
	control->exit_int_info = event;
	r->exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_NONE };
	svm_events_after_exit(r->vcpu);
	return svm_exit_dispatch(r->vcpu, &r->exit);
}

#define BYTES(s)   s, sizeof(s) - 1
#define FAR_JMP    BYTES("\xea\x00\x00\x00\x00\x20\x00")
#define FAR_JMP_M  BYTES("\xff\x2b")
#define FAR_CALL   BYTES("\x9a\x00\x00\x00\x00\x20\x00")
#define FAR_CALL_M BYTES("\xff\x1b")

/* EVENTINJ and EXITINTINFO: valid, error code valid, type, vector. */
#define INTERRUPT_0   UINT64_C(0x80000000)
#define INTERRUPT_30  UINT64_C(0x80000030)
#define NMI           UINT64_C(0x80000202)
#define INT_N_80      UINT64_C(0x80000480)
#define INT_3         UINT64_C(0x80000303)
#define PAGE_FAULT    UINT64_C(0x0000000580000b0e)
#define DEBUG_TRAP    UINT64_C(0x80000301)

static const struct {
	const char *what;
	const char *bytes;
	size_t size;
	uint64_t info, event;
	uint32_t rip;    /* Saved, behind RIG_CODE. */
	uint32_t rflags; /* Saved. */
	bool is_nested, has_error;
} way_rows[] = {
	{ "jmp", FAR_JMP, JUMP, 0, 7, 0x97, false, false },
	{ "jmp through memory", FAR_JMP_M, JUMP, 0, 2, 0x97, false, false },
	{ "call", FAR_CALL, 0, 0, 7, 0x97, true, false },
	{ "call through memory", FAR_CALL_M, 0, 0, 2, 0x97, true, false },
	{ "iret", BYTES("\xcf"), IRET, 0, 1, 0x97, false, false },
	{ "int n", BYTES("\xcd\x80"), 0, INT_N_80, 2, 0x97, true, false },
	{ "int n with a prefix", BYTES("\x66\xcd\x80"), 0, INT_N_80, 3, 0x97, true, false },
	{ "int n as Bochs reports it", BYTES("\xcd\x80"), 0, INTERRUPT_0, 2, 0x97, true, false },
	{ "int3", BYTES("\xcc"), 0, INT_3, 1, 0x97, true, false },
	{ "interrupt", BYTES("\xf4"), 0, INTERRUPT_30, 0, 0x97, true, false },
	{ "NMI", BYTES("\xf4"), 0, NMI, 0, 0x97, true, false },
	{ "a fault sets RF", BYTES("\xf4"), HAS_ERROR | 5, PAGE_FAULT, 0, 0x10097, true, true },
	{ "a trap does not", BYTES("\xf4"), 0, DEBUG_TRAP, 0, 0x97, true, false },
};

START_TEST(a_task_switch_is_made)
{
	const char *what = way_rows[_i].what;
	struct svm_system_regs system;
	struct svm_events events;
	struct svm_regs regs;
	struct rig r;

	start(&r, 0);
	if (way_rows[_i].info & IRET)
		put_descriptor(&r, NEW, NEW_TSS, 0x8b);
	r.vcpu->vmcb->save.rflags = 0x97;
	r.vcpu->vmcb->control.int_state = 1;
	ck_assert_msg(task_exit(&r, way_rows[_i].bytes, way_rows[_i].size, way_rows[_i].info,
	                        way_rows[_i].event) == SVM_ACTION_RESUME,
	              "%s", what);
	ck_assert_uint_eq(asked, 1); /* It was much work for one exit. */
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_msg(!events.exception_pending, "%s: vector %u, error %x", what,
	              events.exception_vector, events.exception_error);
	ck_assert_msg(!events.reinject, "%s: the event is delivered", what);
	regs = rig_regs(&r);
	ck_assert_msg(regs.rip == NEW_RIP, "%s: RIP", what);
	ck_assert_uint_eq(regs.rflags, way_rows[_i].is_nested ? 0x4202 : 0x202);
	ck_assert_uint_eq(regs.rsp, NEW_STACK - (way_rows[_i].has_error ? 4 : 0));
	if (way_rows[_i].has_error)
		ck_assert_uint_eq(get32(&r, NEW_STACK - 4), 5);
	svm_vcpu_get_system(r.vcpu, &system);
	ck_assert_uint_eq(system.cr3, NEW_CR3);
	ck_assert_uint_eq(system.cr0, 0x80000019);
	ck_assert_uint_eq(system.tr.selector, NEW);
	ck_assert_uint_eq(r.vcpu->vmcb->control.int_state & 1, 0);
	ck_assert_msg(get32(&r, RIG_TSS + 0x20) == RIG_CODE + way_rows[_i].rip, "%s: saved RIP %x",
	              what, get32(&r, RIG_TSS + 0x20));
	ck_assert_uint_eq(get32(&r, RIG_TSS + 0x24), way_rows[_i].rflags);
	ck_assert_uint_eq(get32(&r, NEW_TSS), way_rows[_i].is_nested ? OLD : 0);
	rig_fini(&r);
}
END_TEST

/* Another vCPU has written there meanwhile. */
static const struct {
	const char *bytes;
	size_t size;
	uint64_t info, event;
} rewritten_rows[] = {
	{ BYTES("\x90"), JUMP, 0 },
	{ FAR_CALL, JUMP, 0 },
	{ FAR_CALL_M, JUMP, 0 },
	{ FAR_JMP, 0, 0 },
	{ FAR_JMP_M, 0, 0 },
	{ FAR_JMP, IRET, 0 },
	{ BYTES("\xcf"), 0, INT_N_80 },
	{ BYTES("\x0f\xcd"), 0, INT_N_80 },
	{ BYTES("\x0f\x0b"), JUMP, 0 },
};

START_TEST(other_code_by_now_just_runs)
{
	struct svm_events events;
	struct rig r;

	start(&r, 0);
	ck_assert_int_eq(task_exit(&r, rewritten_rows[_i].bytes, rewritten_rows[_i].size,
	                           rewritten_rows[_i].info, rewritten_rows[_i].event),
	                 SVM_ACTION_RESUME);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(!events.exception_pending && !events.reinject);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	ck_assert_uint_eq(get32(&r, RIG_TSS + 0x20), 0);
	rig_fini(&r);
}
END_TEST

static void check_to_embedder(struct rig *r)
{
	ck_assert_int_eq(r->exit.kind, SVM_EXIT_KIND_TASK_SWITCH);
	ck_assert_uint_eq(r->exit.task.selector, NEW);
	ck_assert_uint_eq(r->exit.task.error, 0x12345678);
	ck_assert(r->exit.task.has_error && r->exit.task.is_jump && !r->exit.task.is_iret);
	ck_assert_int_eq(svm_vcpu_complete_skip(r->vcpu), SVM_ERR_NOSUPPORT);
	ck_assert_uint_eq(rig_regs(r).rip, RIG_CODE);
}

START_TEST(an_embedder_that_asked_gets_the_switch)
{
	struct rig r;

	start(&r, 0);
	ck_assert_int_eq(svm_vcpu_set_intercept(r.vcpu, SVM_EXIT_TASK_SWITCH, true), 0);
	ck_assert_int_eq(task_exit(&r, FAR_JMP, JUMP | HAS_ERROR | 0x12345678, 0),
	                 SVM_ACTION_RETURN);
	check_to_embedder(&r);
	rig_fini(&r);
}
END_TEST

START_TEST(a_switch_to_a_16_bit_tss_is_the_embedders)
{
	struct rig r;

	start(&r, 0);
	put_descriptor(&r, NEW, NEW_TSS, 0x81);
	ck_assert_int_eq(task_exit(&r, FAR_JMP, JUMP | HAS_ERROR | 0x12345678, 0),
	                 SVM_ACTION_RETURN);
	check_to_embedder(&r);
	rig_fini(&r);
}
END_TEST

/* In the old task, on top of what was being delivered; in the new task, by itself. */
static const struct {
	const char *what;
	uint64_t info, event;
	uint32_t tss, cs; /* Attributes of the new TSS, CS of the new task. */
	uint8_t vector;
	uint32_t error;
	bool is_new;
	uint64_t reinject;
} fault_rows[] = {
	{ "jmp to a busy TSS", JUMP, 0, 0x8b, CODE, 13, NEW, false, 0 },
	{ "a page fault to a busy TSS", HAS_ERROR | 5, PAGE_FAULT, 0x8b, CODE, 8, 0, false, 0 },
	{ "an interrupt to an absent TSS", 0, INTERRUPT_30, 0x09, CODE, 11, NEW + 1, false,
	  INTERRUPT_30 },
	{ "jmp to a task without code", JUMP, 0, 0x89, DATA, 10, DATA, true, 0 },
	{ "a page fault to a task without code", HAS_ERROR | 5, PAGE_FAULT, 0x89, DATA, 10,
	  DATA + 1, true, 0 },
};

START_TEST(a_fault_belongs_to_its_task)
{
	const char *what = fault_rows[_i].what;
	struct svm_events events;
	struct rig r;

	start(&r, 0);
	put_descriptor(&r, NEW, NEW_TSS, fault_rows[_i].tss);
	put32(&r, NEW_TSS + 0x4c, fault_rows[_i].cs);
	ck_assert_int_eq(task_exit(&r, FAR_JMP, fault_rows[_i].info, fault_rows[_i].event),
	                 SVM_ACTION_RESUME);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_msg(events.exception_pending, "%s", what);
	ck_assert_msg(events.exception_vector == fault_rows[_i].vector &&
	                      events.exception_error == fault_rows[_i].error,
	              "%s: vector %u, error %x", what, events.exception_vector,
	              events.exception_error);
	ck_assert_msg(events.reinject == fault_rows[_i].reinject, "%s: %lx", what,
	              (unsigned long)events.reinject);
	ck_assert_msg(rig_regs(&r).rip == (fault_rows[_i].is_new ? NEW_RIP : RIG_CODE), "%s: RIP",
	              what);
	rig_fini(&r);
}
END_TEST

/* CPL 3 pushes the error code with its own rights, before the VMCB knows of it. */
START_TEST(an_error_code_is_pushed_by_the_new_cpl)
{
	struct svm_events events;
	struct rig r;

	start(&r, 3);
	put32(&r, NEW_CR3, _i ? 0xe3 : 0xe7);
	ck_assert_int_eq(task_exit(&r, BYTES("\xf4"), HAS_ERROR | 5, PAGE_FAULT),
	                 SVM_ACTION_RESUME);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert_int_eq(events.exception_pending, _i);
	ck_assert_uint_eq(svm_vmcb_get_cpl(r.vcpu->vmcb), 3);
	ck_assert_uint_eq(rig_regs(&r).rip, NEW_RIP);
	ck_assert_uint_eq(get32(&r, NEW_STACK - 4), _i ? 0 : 5);
	if (_i) {
		ck_assert_uint_eq(events.exception_vector, 14);
		ck_assert_uint_eq(events.exception_error, 7);
	}
	rig_fini(&r);
}
END_TEST

/* And CPL 0 does with its own, though the old task ran at CPL 3. */
START_TEST(an_error_code_goes_onto_a_stack_of_the_supervisors)
{
	struct svm_events events;
	struct rig r;

	start(&r, 0);
	svm_vmcb_set_cpl(r.vcpu->vmcb, 3);
	put32(&r, NEW_CR3, 0xe3);
	ck_assert_int_eq(task_exit(&r, BYTES("\xf4"), HAS_ERROR | 5, PAGE_FAULT),
	                 SVM_ACTION_RESUME);
	svm_vcpu_get_events(r.vcpu, &events);
	ck_assert(!events.exception_pending);
	ck_assert_uint_eq(svm_vmcb_get_cpl(r.vcpu->vmcb), 0);
	ck_assert_uint_eq(get32(&r, NEW_STACK - 4), 5);
	rig_fini(&r);
}
END_TEST

/* The library steps over an IRET with TF, which is no flag of the guest's: the switch ends it. */
START_TEST(a_step_of_the_library_ends_with_the_task)
{
	struct rig r;

	start(&r, 0);
	put_descriptor(&r, NEW, NEW_TSS, 0x8b);
	r.vcpu->events.single_step = true;
	r.vcpu->vmcb->save.rflags = 0x102;
	ck_assert_int_eq(task_exit(&r, BYTES("\xcf"), IRET, 0), SVM_ACTION_RESUME);
	ck_assert_uint_eq(get32(&r, RIG_TSS + 0x24), 2);
	ck_assert_uint_eq(r.vcpu->vmcb->save.rflags, 0x202);
	ck_assert(!r.vcpu->events.single_step);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_task_switch_is_made, 0, ROWS(way_rows));
	tcase_add_loop_test(tc, other_code_by_now_just_runs, 0, ROWS(rewritten_rows));
	tcase_add_test(tc, an_embedder_that_asked_gets_the_switch);
	tcase_add_test(tc, a_switch_to_a_16_bit_tss_is_the_embedders);
	tcase_add_loop_test(tc, a_fault_belongs_to_its_task, 0, ROWS(fault_rows));
	tcase_add_test(tc, an_error_code_goes_onto_a_stack_of_the_supervisors);
	tcase_add_test(tc, a_step_of_the_library_ends_with_the_task);
	tcase_add_loop_test(tc, an_error_code_is_pushed_by_the_new_cpl, 0, 2);
}

int main(void)
{
	return rig_main("vcpu_task", add);
}
