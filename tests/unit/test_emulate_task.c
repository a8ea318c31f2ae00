/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Task switches between 32-bit TSSs.  APM vol. 2, 12.2 to 12.4.
 */
#include "emulate_rig.h"

#define BYTES(s) s, sizeof(s) - 1
#define OK       0
#define DB       1
#define TS       10
#define NP       11
#define SS       12
#define GP       13
#define PF       14
#define UNKNOWN  (-1)

#define CODE  0x60u
#define STACK 0x68u
#define DATA  0x70u
#define OLD   0x78u
#define NEW   0x80u
#define GATE  0x88u
#define LDT   0x90u

#define EMU_OLD   0x5000u
#define EMU_NEW   0x6000u
#define EMU_IDT   0x7000u
#define EMU_OTHER 0xa000u /* The new task's stack. */

#define JMP      BYTES("\xea\x00\x00\x00\x00\x80\x00")
#define JMP_GATE BYTES("\xea\x00\x00\x00\x00\x88\x00")
#define CALL     BYTES("\x9a\x00\x00\x00\x00\x80\x00")
#define CALL_3   BYTES("\x9a\x00\x00\x00\x00\x83\x00")
#define IRET     BYTES("\xcf")
#define INT_80   BYTES("\xcd\x80")
#define INT1     BYTES("\xf1")

/* Registers of the new task are 0xe0 + number, its segments those of the table. */
static void init_new_tss(struct emu *r)
{
	static const uint16_t selector[6] = { DATA, CODE, STACK, DATA, 0, DATA };

	emu_put(r, EMU_NEW + 0x1c, 0xc3000, 4);
	emu_put(r, EMU_NEW + 0x20, 0x12345, 4);
	emu_put(r, EMU_NEW + 0x24, 0x202, 4);
	for (unsigned n = 0; n < 8; n++)
		emu_put(r, EMU_NEW + 0x28 + 4 * n, 0xe0 + n, 4);
	emu_put(r, EMU_NEW + 0x38, EMU_OTHER, 4);
	for (unsigned n = 0; n < 6; n++)
		emu_put(r, EMU_NEW + 0x48 + 4 * n, selector[n], 4);
	emu_put(r, EMU_NEW + 0x60, LDT, 4);
}

static void init(struct emu *r, enum emu_mode mode, unsigned cpl)
{
	emu_init(r, mode, cpl);
	r->segment[SVM_EMUL_TR] = (struct svm_emul_segment){ OLD, 0x8b, 0x67, EMU_OLD };
	r->segment[SVM_EMUL_IDTR] = (struct svm_emul_segment){ .limit = 0x7ff, .base = EMU_IDT };
	emu_descriptor(r, EMU_GDT + CODE, 0x200000, 0xfffff, 0xc9a);
	emu_descriptor(r, EMU_GDT + STACK, 0, 0xfffff, 0xc92);
	emu_descriptor(r, EMU_GDT + DATA, 0, 0xfffff, 0xcf2);
	emu_descriptor(r, EMU_GDT + OLD, EMU_OLD, 0x67, 0x8b);
	emu_descriptor(r, EMU_GDT + NEW, EMU_NEW, 0x67, 0x89);
	emu_descriptor(r, EMU_GDT + GATE, NEW, 0, 0xe5);
	emu_descriptor(r, EMU_GDT + LDT, EMU_LDT, 0xff, 0x82);
	emu_descriptor(r, EMU_IDT + 0x80 * 8, NEW, 0, 0xe5);
	emu_descriptor(r, EMU_IDT + 1 * 8, NEW, 0, 0xe5);
	init_new_tss(r);
	memset(r->ram + EMU_OLD, 0xaa, 0x68);
}

static unsigned type_of(const struct emu *r, uint32_t selector)
{
	return (unsigned)emu_get(r, EMU_GDT + selector + 5, 1) & 0x1f;
}

/* The old task, as it was at EMU_CODE with `size` bytes of instruction. */
static void check_saved(const struct emu *r, const struct emu *before, uint32_t rip,
                        uint32_t rflags, const char *what)
{
	ck_assert_msg(emu_get(r, EMU_OLD + 0x20, 4) == rip, "%s: saved RIP", what);
	ck_assert_msg(emu_get(r, EMU_OLD + 0x24, 4) == rflags, "%s: saved flags", what);
	for (unsigned n = 0; n < 8; n++)
		ck_assert_uint_eq(emu_get(r, EMU_OLD + 0x28 + 4 * n, 4),
		                  (uint32_t)before->gpr[n]);
	for (unsigned n = 0; n <= SVM_EMUL_GS; n++) /* The upper halves are nobody's. */
		ck_assert_uint_eq(emu_get(r, EMU_OLD + 0x48 + 4 * n, 4),
		                  0xaaaa0000 | before->segment[n].selector);
	ck_assert_uint_eq(emu_get(r, EMU_OLD, 4), 0xaaaaaaaa);
	ck_assert_uint_eq(emu_get(r, EMU_OLD + 0x1c, 4), 0xaaaaaaaa); /* CR3 and LDT stay. */
	ck_assert_uint_eq(emu_get(r, EMU_OLD + 0x60, 4), 0xaaaaaaaa);
}

static void check_new_task(const struct emu *r, uint64_t rflags, uint64_t rsp, const char *what)
{
	ck_assert_msg(r->e.task_switched, "%s", what);
	ck_assert_msg(r->e.rip == 0x12345, "%s: RIP %lx", what, (unsigned long)r->e.rip);
	ck_assert_msg(r->e.rflags == rflags, "%s: %lx", what, (unsigned long)r->e.rflags);
	for (unsigned n = 0; n < 8; n++)
		ck_assert_uint_eq(r->e.gpr[n], n == SVM_EMUL_RSP ? rsp : 0xe0 + n);
	ck_assert_uint_eq(r->e.cpl, 0);
	ck_assert_uint_eq(r->segment[SVM_EMUL_CS].selector, CODE);
	ck_assert_uint_eq(r->segment[SVM_EMUL_CS].attributes, 0xc9b);
	ck_assert_uint_eq(r->segment[SVM_EMUL_CS].base, 0x200000);
	ck_assert_uint_eq(r->segment[SVM_EMUL_SS].selector, STACK);
	ck_assert_uint_eq(r->segment[SVM_EMUL_SS].attributes, 0xc93);
	ck_assert_uint_eq(r->segment[SVM_EMUL_DS].selector, DATA);
	ck_assert_uint_eq(r->segment[SVM_EMUL_DS].attributes, 0xcf3);
	ck_assert_uint_eq(r->segment[SVM_EMUL_FS].selector, 0);
	ck_assert_uint_eq(r->segment[SVM_EMUL_FS].attributes, 0);
	ck_assert_uint_eq(r->segment[SVM_EMUL_LDTR].selector, LDT);
	ck_assert_uint_eq(r->segment[SVM_EMUL_LDTR].base, EMU_LDT);
	ck_assert_uint_eq(r->segment[SVM_EMUL_TR].selector, NEW);
	ck_assert_uint_eq(r->segment[SVM_EMUL_TR].attributes, 0x8b);
	ck_assert_uint_eq(r->segment[SVM_EMUL_TR].base, EMU_NEW);
	ck_assert_uint_eq(r->control[0], 0x80000019);
	ck_assert_uint_eq(r->control[3], 0xc3000);
	ck_assert_uint_eq(type_of(r, NEW), 0xb);
}

/* --- each way in ------------------------------------------------------------------------------ */

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	bool is_nested;
} way_rows[] = {
	{ "jmp", EMU_32, 0, JMP, false },
	{ "jmp through a gate", EMU_32, 0, JMP_GATE, false },
	{ "jmp through a gate from CPL 3", EMU_32, 3, JMP_GATE, false },
	{ "call", EMU_32, 0, CALL, true },
	{ "call through a gate from memory", EMU_32, 0, BYTES("\xff\x1b"), true },
	{ "int", EMU_32, 3, INT_80, true },
	{ "int1", EMU_32, 3, INT1, true },
	{ "int of 16-bit code", EMU_16, 0, INT_80, true },
	{ "int of virtual-8086 mode", EMU_VM86, 3, INT_80, true },
};

START_TEST(a_task_begins)
{
	static struct emu r, before;
	const char *what = way_rows[_i].what;
	const bool is_nested = way_rows[_i].is_nested;
	const uint32_t rflags = way_rows[_i].mode == EMU_VM86 ? 0x23097 : 0x97;

	init(&r, way_rows[_i].mode, way_rows[_i].cpl);
	r.e.rflags = rflags;
	emu_put(&r, EMU_DATA + 4, GATE, 2);
	before = r;
	ck_assert_msg(emu_run(&r, way_rows[_i].bytes, way_rows[_i].size) == SVM_EMUL_OK,
	              "%s: vector %u, error %x", what, r.e.fault.vector, r.e.fault.error);
	check_saved(&r, &before, EMU_CODE + (uint32_t)way_rows[_i].size, rflags, what);
	check_new_task(&r, is_nested ? 0x4202 : 0x202, EMU_OTHER, what);
	ck_assert_msg(type_of(&r, OLD) == (is_nested ? 0xb : 0x9), "%s: busy", what);
	ck_assert_uint_eq(emu_get(&r, EMU_NEW, 4), is_nested ? OLD : 0);
}
END_TEST

/* The new task's link is that of the old TSS; it was busy and stays so. */
START_TEST(iret_goes_back_to_the_linked_task)
{
	static struct emu r, before;

	init(&r, EMU_32, 0);
	r.e.rflags = 0x4002;
	emu_put(&r, EMU_OLD, NEW, 2);
	emu_descriptor(&r, EMU_GDT + NEW, EMU_NEW, 0x67, 0x8b);
	before = r;
	ck_assert_int_eq(emu_run(&r, IRET), SVM_EMUL_OK);
	emu_put(&r, EMU_OLD, 0xaaaa, 2);
	check_saved(&r, &before, EMU_CODE + 1, 2, "iret");
	check_new_task(&r, 0x202, EMU_OTHER, "iret");
	ck_assert_uint_eq(type_of(&r, OLD), 0x9);
}
END_TEST

START_TEST(an_error_code_goes_onto_the_new_stack)
{
	const struct svm_emul_task task = {
		.rip = 0x4567, .error = 0x89abcdef, .selector = NEW,
		.reason = SVM_EMUL_TASK_EVENT, .has_error = true, .is_external = true,
	};
	static struct emu r, before;

	init(&r, EMU_32, 3);
	before = r;
	ck_assert_int_eq(svm_emul_task_switch(&r.e, &task), SVM_EMUL_OK);
	check_saved(&r, &before, 0x4567, 2, "event");
	check_new_task(&r, 0x4202, EMU_OTHER - 4, "event");
	ck_assert_uint_eq(emu_get(&r, EMU_OTHER - 4, 4), 0x89abcdef);
}
END_TEST

/* --- refusals, in the old task ---------------------------------------------------------------- */

enum change {
	NOTHING,
	NEW_TYPE,
	NEW_LIMIT,
	NEW_BASE,
	GATE_TSS,
	OLD_LIMIT,
	OLD_BASE,
	OLD_TYPE,
	LINK,
};

static const struct {
	const char *what;
	unsigned cpl;
	const char *bytes;
	size_t size;
	uint64_t rflags;
	enum change change;
	uint32_t value;
	int outcome;
	uint32_t error;
} refusal_rows[] = {
	{ "TSS of DPL 0 at CPL 3", 3, JMP, 2, NOTHING, 0, GP, 0x80 },
	{ "TSS of DPL 0 with RPL 3", 0, CALL_3, 2, NOTHING, 0, GP, 0x80 },
	{ "gate of DPL 0 at CPL 3", 3, BYTES("\xea\x00\x00\x00\x00\xa0\x00"), 2, NOTHING, 0, GP,
	  0xa0 },
	{ "absent gate", 0, BYTES("\xea\x00\x00\x00\x00\xa8\x00"), 2, NOTHING, 0, NP, 0xa8 },
	{ "busy TSS", 0, JMP, 2, NEW_TYPE, 0x8b, GP, 0x80 },
	{ "absent TSS", 0, JMP, 2, NEW_TYPE, 0x09, NP, 0x80 },
	{ "TSS too short", 0, CALL, 2, NEW_LIMIT, 0x66, TS, 0x80 },
	{ "TSS in an absent page", 0, CALL, 2, NEW_BASE, EMU_BAD - 0x60, PF, 0 },
	{ "link in a page that is read-only", 0, CALL, 2, NEW_BASE, EMU_RO, PF, 3 },
	{ "gate to a busy TSS", 0, JMP_GATE, 2, NEW_TYPE, 0x8b, GP, 0x80 },
	{ "gate to an absent TSS", 0, JMP_GATE, 2, NEW_TYPE, 0x09, NP, 0x80 },
	{ "gate to code", 0, JMP_GATE, 2, GATE_TSS, CODE, GP, 0x60 },
	{ "gate to the local table", 0, JMP_GATE, 2, GATE_TSS, 0x84, GP, 0x84 },
	{ "gate behind the table", 0, JMP_GATE, 2, GATE_TSS, 0x800, GP, 0x800 },
	{ "gate to null", 0, JMP_GATE, 2, GATE_TSS, 0, GP, 0 },
	{ "int to a busy TSS", 3, INT_80, 2, NEW_TYPE, 0x8b, GP, 0x80 },
	{ "int1 comes from outside", 3, INT1, 2, NEW_TYPE, 0x8b, GP, 0x81 },
	{ "iret to a TSS that is not busy", 0, IRET, 0x4002, NOTHING, 0, TS, 0x80 },
	{ "iret to an absent TSS", 0, IRET, 0x4002, NEW_TYPE, 0x0b, NP, 0x80 },
	{ "iret to the local table", 0, IRET, 0x4002, LINK, 0x84, TS, 0x84 },
	{ "iret behind the table", 0, IRET, 0x4002, LINK, 0x800, TS, 0x800 },
	{ "old TSS too short", 0, JMP, 2, OLD_LIMIT, 0x66, TS, 0x78 },
	{ "old TSS read-only", 0, JMP, 2, OLD_BASE, EMU_RO, PF, 3 },
	{ "old TSS of 16 bits", 0, JMP, 2, OLD_TYPE, 0x83, UNKNOWN, 0 },
	{ "new TSS of 16 bits", 0, JMP, 2, NEW_TYPE, 0x81, UNKNOWN, 0 },
	{ "iret to a TSS of 16 bits", 0, IRET, 0x4002, NEW_TYPE, 0x83, UNKNOWN, 0 },
};

static void make_change(struct emu *r, enum change change, uint32_t value)
{
	switch (change) {
	case NEW_TYPE:
		emu_descriptor(r, EMU_GDT + NEW, EMU_NEW, 0x67, value);
		break;
	case NEW_LIMIT:
		emu_descriptor(r, EMU_GDT + NEW, EMU_NEW, value, 0x89);
		break;
	case NEW_BASE:
		emu_descriptor(r, EMU_GDT + NEW, value, 0x67, 0x89);
		break;
	case GATE_TSS:
		emu_descriptor(r, EMU_GDT + GATE, value, 0, 0xe5);
		break;
	case OLD_LIMIT:
		r->segment[SVM_EMUL_TR].limit = value;
		break;
	case OLD_BASE:
		r->segment[SVM_EMUL_TR].base = value;
		break;
	case OLD_TYPE:
		r->segment[SVM_EMUL_TR].attributes = (uint16_t)value;
		break;
	case LINK:
		emu_put(r, EMU_OLD, value, 2);
		break;
	case NOTHING:
		break;
	}
}

START_TEST(a_switch_is_refused_in_the_old_task)
{
	static struct emu r, before;
	const char *what = refusal_rows[_i].what;
	enum svm_emul_result result;

	init(&r, EMU_32, refusal_rows[_i].cpl);
	r.e.rflags = refusal_rows[_i].rflags;
	emu_descriptor(&r, EMU_GDT + 0xa0, NEW, 0, 0x85);
	emu_descriptor(&r, EMU_GDT + 0xa8, NEW, 0, 0x65);
	/* What would do, were it in the global table. */
	emu_descriptor(&r, EMU_LDT + NEW, EMU_NEW, 0x67,
	               refusal_rows[_i].rflags == 2 ? 0x89 : 0x8b);
	emu_put(&r, EMU_OLD, NEW, 2);
	make_change(&r, refusal_rows[_i].change, refusal_rows[_i].value);
	before = r;
	result = emu_run(&r, refusal_rows[_i].bytes, refusal_rows[_i].size);
	emu_check_untouched(&r, &before, what);
	ck_assert_msg(!r.e.task_switched && r.e.cpl == before.e.cpl, "%s: switched", what);
	ck_assert_msg(memcmp(r.ram + EMU_GDT, before.ram + EMU_GDT, EMU_RAM - EMU_GDT) == 0,
	              "%s: memory changed", what);
	if (refusal_rows[_i].outcome == UNKNOWN) {
		ck_assert_msg(result == SVM_EMUL_UNKNOWN, "%s: result %d", what, (int)result);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_FAULT && r.e.fault.vector == refusal_rows[_i].outcome &&
	                      r.e.fault.error == refusal_rows[_i].error,
	              "%s: result %d, vector %u, error %x", what, (int)result, r.e.fault.vector,
	              r.e.fault.error);
}
END_TEST

/* --- faults of the new task ------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t at, value; /* In the new TSS. */
	uint16_t slot, attributes; /* A descriptor that is another. */
	int outcome;
	uint32_t error;
	enum svm_emul_segment_number stays; /* First segment of which only the name is loaded. */
} fault_rows[] = {
	{ "LDT is no LDT", 0x60, CODE, 0, 0, TS, 0x60, SVM_EMUL_CS },
	{ "LDT is absent", 0x60, LDT, LDT, 0x02, TS, 0x90, SVM_EMUL_CS },
	{ "LDT in the local table", 0x60, 0x94, 0, 0, TS, 0x94, SVM_EMUL_CS },
	{ "LDT behind the table", 0x60, 0x800, 0, 0, TS, 0x800, SVM_EMUL_CS },
	{ "CS is null", 0x4c, 3, 0, 0, TS, 0, SVM_EMUL_CS },
	{ "CS is data", 0x4c, DATA, 0, 0, TS, 0x70, SVM_EMUL_CS },
	{ "CS of another privilege", 0x4c, CODE, CODE, 0xcfb, TS, 0x60, SVM_EMUL_CS },
	{ "CS conforming, DPL above RPL", 0x4c, CODE, CODE, 0xcff, TS, 0x60, SVM_EMUL_CS },
	{ "CS is absent", 0x4c, CODE, CODE, 0xc1b, NP, 0x60, SVM_EMUL_CS },
	{ "CS behind the table", 0x4c, 0x808, 0, 0, TS, 0x808, SVM_EMUL_CS },
	{ "SS is null", 0x50, 0, 0, 0, TS, 0, SVM_EMUL_SS },
	{ "SS of another privilege", 0x50, STACK, STACK, 0xcf3, TS, 0x68, SVM_EMUL_SS },
	{ "SS with another RPL", 0x50, STACK + 3, 0, 0, TS, 0x68, SVM_EMUL_SS },
	{ "SS is read-only", 0x50, STACK, STACK, 0xc91, TS, 0x68, SVM_EMUL_SS },
	{ "SS is absent", 0x50, STACK, STACK, 0xc13, SS, 0x68, SVM_EMUL_SS },
	{ "DS of more privilege than its RPL", 0x54, DATA + 3, DATA, 0xc93, TS, 0x70, SVM_EMUL_DS },
	{ "DS is an LDT", 0x54, LDT, 0, 0, TS, 0x90, SVM_EMUL_DS },
	{ "FS is code that cannot be read", 0x58, CODE, CODE, 0xc99, TS, 0x60, SVM_EMUL_FS },
	{ "GS is absent", 0x5c, 0x98, 0, 0, NP, 0x98, SVM_EMUL_GS },
	{ "RIP behind the limit", 0x20, 0x100000, CODE, 0x49b, GP, 0, SVM_EMUL_SEGMENTS },
};

/* The switch is complete: registers are the new task's, and so are the names of its segments. */
START_TEST(a_fault_after_the_switch_is_the_new_tasks)
{
	static struct emu r;
	const char *what = fault_rows[_i].what;
	const unsigned stays = fault_rows[_i].stays;

	init(&r, EMU_32, 3);
	emu_descriptor(&r, EMU_GDT + 0x98, 0, 0xfffff, 0xc13);
	emu_put(&r, EMU_NEW + fault_rows[_i].at, fault_rows[_i].value, 4);
	if (fault_rows[_i].attributes)
		emu_descriptor(&r, EMU_GDT + fault_rows[_i].slot, 0, 0xfffff,
		               fault_rows[_i].attributes);
	ck_assert_msg(emu_run(&r, INT_80) == SVM_EMUL_FAULT, "%s", what);
	ck_assert_msg(r.e.fault.vector == fault_rows[_i].outcome &&
	                      r.e.fault.error == fault_rows[_i].error,
	              "%s: vector %u, error %x", what, r.e.fault.vector, r.e.fault.error);
	ck_assert_msg(r.e.task_switched, "%s", what);
	ck_assert_uint_eq(r.e.rip, emu_get(&r, EMU_NEW + 0x20, 4));
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RDI], 0xe7);
	ck_assert_uint_eq(r.e.cpl, emu_get(&r, EMU_NEW + 0x4c, 1) & 3);
	ck_assert_uint_eq(r.segment[SVM_EMUL_TR].selector, NEW);
	ck_assert_uint_eq(type_of(&r, NEW), 0xb);
	for (unsigned n = 0; n <= SVM_EMUL_GS; n++)
		ck_assert_uint_eq(r.segment[n].selector, emu_get(&r, EMU_NEW + 0x48 + 4 * n, 2));
	if (stays < SVM_EMUL_SEGMENTS)
		ck_assert_msg(!(r.segment[stays].attributes & 0x80), "%s: loaded", what);
}
END_TEST

/* The page of the new stack is absent. */
START_TEST(an_error_code_without_stack_is_the_new_tasks_fault)
{
	const struct svm_emul_task task = {
		.rip = 0x4567, .selector = NEW, .reason = SVM_EMUL_TASK_EVENT, .has_error = true,
		.is_external = true,
	};
	static struct emu r;

	init(&r, EMU_32, 3);
	emu_put(&r, EMU_NEW + 0x38, EMU_BAD + 4, 4);
	ck_assert_int_eq(svm_emul_task_switch(&r.e, &task), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.e.fault.vector, PF);
	ck_assert_uint_eq(r.e.fault.error, 2); /* The new CPL is 0. */
	ck_assert(r.e.task_switched);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_BAD + 4);
	/* A selector in an error code has EXT. */
	init(&r, EMU_32, 3);
	emu_put(&r, EMU_NEW + 0x4c, DATA, 2);
	ck_assert_int_eq(svm_emul_task_switch(&r.e, &task), SVM_EMUL_FAULT);
	ck_assert_uint_eq(r.e.fault.vector, TS);
	ck_assert_uint_eq(r.e.fault.error, 0x71);
}
END_TEST

/* --- the rest --------------------------------------------------------------------------------- */

START_TEST(a_task_may_run_in_virtual_8086_mode)
{
	static struct emu r;

	init(&r, EMU_32, 0);
	emu_put(&r, EMU_NEW + 0x20, 0xfff0, 4);
	emu_put(&r, EMU_NEW + 0x24, 0x23202, 4);
	for (unsigned n = 0; n < 6; n++)
		emu_put(&r, EMU_NEW + 0x48 + 4 * n, 0x1000 * n, 4);
	ck_assert_int_eq(emu_run(&r, JMP), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.rip, 0xfff0);
	ck_assert_uint_eq(r.e.rflags, 0x23202);
	ck_assert_uint_eq(r.e.cpl, 3);
	for (unsigned n = 0; n <= SVM_EMUL_GS; n++) {
		ck_assert_uint_eq(r.segment[n].selector, 0x1000 * n);
		ck_assert_uint_eq(r.segment[n].attributes, 0xf3);
		ck_assert_uint_eq(r.segment[n].base, 0x10000 * n);
		ck_assert_uint_eq(r.segment[n].limit, 0xffff);
	}
}
END_TEST

START_TEST(a_task_may_trap)
{
	static struct emu r;

	init(&r, EMU_32, 0);
	emu_put(&r, EMU_NEW + 0x64, 1, 2);
	ck_assert_int_eq(emu_run(&r, JMP), SVM_EMUL_FAULT);
	check_new_task(&r, 0x202, EMU_OTHER, "trap");
	ck_assert_uint_eq(r.e.fault.vector, DB);
	ck_assert(!r.e.fault.has_error);
	ck_assert_uint_eq(r.debug[6] & 0x8000, 0x8000);
}
END_TEST

START_TEST(local_breakpoints_end_with_the_task)
{
	static struct emu r;

	init(&r, EMU_32, 0);
	r.dr7 = 0xf04ff;
	ck_assert_int_eq(emu_run(&r, JMP), SVM_EMUL_OK);
	ck_assert_uint_eq(r.debug[7], 0xf04aa);
}
END_TEST

START_TEST(page_tables_stay_without_paging)
{
	static struct emu r;

	init(&r, EMU_32, 0);
	r.e.cr0 = 0x11;
	ck_assert_int_eq(emu_run(&r, JMP), SVM_EMUL_OK);
	ck_assert_uint_eq(r.control[0], 0x19);
	ck_assert_uint_eq(r.control[3], 0);
}
END_TEST

/* Another processor changes a descriptor: page tables, CR0 and LDTR are put back. */
START_TEST(a_switch_starts_again_when_a_descriptor_changes)
{
	static struct emu r, before;

	init(&r, EMU_32, 0);
	r.interfere = true;
	before = r;
	ck_assert_int_eq(emu_run(&r, JMP), SVM_EMUL_RETRY);
	ck_assert(!r.e.task_switched);
	ck_assert_uint_eq(r.e.rip, before.e.rip);
	ck_assert_mem_eq(r.e.gpr, before.e.gpr, sizeof(r.e.gpr));
	ck_assert_mem_eq(r.segment, before.segment, sizeof(r.segment));
	ck_assert_uint_eq(r.control[0], before.e.cr0);
	ck_assert_uint_eq(r.control[3], EMU_PATTERN(SVM_EMUL_CR, 3));
	ck_assert_uint_eq(type_of(&r, NEW), 0x9);
}
END_TEST

START_TEST(long_mode_has_no_tasks)
{
	const struct svm_emul_task task = { .selector = NEW, .reason = SVM_EMUL_TASK_JMP };
	static struct emu r, before;

	init(&r, EMU_COMPAT, 0);
	before = r;
	ck_assert_int_eq(svm_emul_task_switch(&r.e, &task), SVM_EMUL_UNKNOWN);
	emu_check_untouched(&r, &before, "long mode");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("emulate_task");
	TCase *tc = tcase_create("task");

	tcase_add_loop_test(tc, a_task_begins, 0, ARRAY_SIZE(way_rows));
	tcase_add_test(tc, iret_goes_back_to_the_linked_task);
	tcase_add_test(tc, an_error_code_goes_onto_the_new_stack);
	tcase_add_loop_test(tc, a_switch_is_refused_in_the_old_task, 0, ARRAY_SIZE(refusal_rows));
	tcase_add_loop_test(tc, a_fault_after_the_switch_is_the_new_tasks, 0,
	                    ARRAY_SIZE(fault_rows));
	tcase_add_test(tc, an_error_code_without_stack_is_the_new_tasks_fault);
	tcase_add_test(tc, a_task_may_run_in_virtual_8086_mode);
	tcase_add_test(tc, a_task_may_trap);
	tcase_add_test(tc, local_breakpoints_end_with_the_task);
	tcase_add_test(tc, page_tables_stay_without_paging);
	tcase_add_test(tc, a_switch_starts_again_when_a_descriptor_changes);
	tcase_add_test(tc, long_mode_has_no_tasks);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
