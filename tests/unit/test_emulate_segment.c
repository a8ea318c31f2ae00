/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loads and stores of segment and table registers: APM vol. 2, 4.7 to 4.10, and vol. 3.
 *
 * Each row places one descriptor in the slot of its selector and says what a load of it comes to.
 */
#include "emulate_rig.h"

#define BYTES(s) s, sizeof(s) - 1
#define OK       0
#define UD       6
#define NP       11
#define SS       12
#define GP       13
#define PF       14
#define UNKNOWN  (-1) /* No such instruction to the decoder: the caller's #UD. */

#define SLOT 0x40 /* Selector of the rows' descriptor, RPL 0. */
#define BASE 0x12345678u

/* Registers that hold the selector: AX. */
#define MOV_DS BYTES("\x8e\xd8")
#define MOV_ES BYTES("\x8e\xc0")
#define MOV_FS BYTES("\x8e\xe0")
#define MOV_SS BYTES("\x8e\xd0")
#define LLDT   BYTES("\x0f\x00\xd0")
#define LTR    BYTES("\x0f\x00\xd8")

/* --- protected loads -------------------------------------------------------------------------- */

struct row {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	unsigned n;
	uint16_t selector;
	uint16_t attributes; /* Of the descriptor. */
	uint32_t limit;      /* As the descriptor has it. */
	int vector;
	uint32_t error;
	uint16_t loaded; /* Attributes in the register. */
	uint32_t loaded_limit;
};

static const struct row rows[] = {
	{ "data", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0xc93, 0xfffff, OK, 0, 0xc93, 0xffffffff },
	{ "data in bytes", EMU_16, 0, MOV_ES, SVM_EMUL_ES, 0x40, 0x093, 0xabcde, OK, 0, 0x093,
	  0xabcde },
	{ "data of one page", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x893, 0, OK, 0, 0x893, 0xfff },
	{ "becomes accessed", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x092, 0xff, OK, 0, 0x093,
	  0xff },
	{ "read-only data", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x091, 0xff, OK, 0, 0x091, 0xff },
	{ "readable code", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x09b, 0xff, OK, 0, 0x09b, 0xff },
	{ "64-bit mode too", EMU_64, 3, MOV_FS, SVM_EMUL_FS, 0x43, 0xcf3, 0xfffff, OK, 0, 0xcf3,
	  0xffffffff },
	{ "compatibility mode too", EMU_COMPAT, 3, MOV_FS, SVM_EMUL_FS, 0x43, 0xcf3, 0xfffff, OK, 0,
	  0xcf3, 0xffffffff },
	{ "code that cannot be read", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x099, 0xff, GP, 0x40,
	  0, 0 },
	{ "system segment", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x082, 0xff, GP, 0x40, 0, 0 },
	{ "DPL below CPL", EMU_32, 3, MOV_DS, SVM_EMUL_DS, 0x40, 0x0d3, 0xff, GP, 0x40, 0, 0 },
	{ "DPL below RPL", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x43, 0x0d3, 0xff, GP, 0x40, 0, 0 },
	{ "DPL is RPL", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x42, 0x0d3, 0xff, OK, 0, 0x0d3, 0xff },
	{ "code, DPL below CPL", EMU_32, 3, MOV_DS, SVM_EMUL_DS, 0x43, 0x09b, 0xff, GP, 0x40, 0,
	  0 },
	{ "conforming code, DPL below CPL", EMU_32, 3, MOV_DS, SVM_EMUL_DS, 0x43, 0x09f, 0xff, OK,
	  0, 0x09f, 0xff },
	{ "expand-down data is not conforming", EMU_32, 3, MOV_DS, SVM_EMUL_DS, 0x43, 0x097, 0xff,
	  GP, 0x40, 0, 0 },
	{ "not present", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x013, 0xff, NP, 0x40, 0, 0 },
	{ "type comes before presence", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x40, 0x019, 0xff, GP, 0x40,
	  0, 0 },
	{ "privilege comes before presence", EMU_32, 3, MOV_DS, SVM_EMUL_DS, 0x43, 0x013, 0xff, GP,
	  0x40, 0, 0 },
	{ "last of the table", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x7f8, 0x093, 0xff, OK, 0, 0x093,
	  0xff },
	{ "behind the table", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x800, 0x093, 0xff, GP, 0x800, 0, 0 },
	{ "local table", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x44, 0x093, 0xff, OK, 0, 0x093, 0xff },
	{ "behind the local table", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0x104, 0x093, 0xff, GP, 0x104,
	  0, 0 },
	{ "null", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 0, 0x093, 0xff, OK, 0, 0, 0 },
	{ "null with RPL 3", EMU_64, 3, MOV_FS, SVM_EMUL_FS, 3, 0x093, 0xff, OK, 0, 0, 0 },
	{ "selector 4 is not null", EMU_32, 0, MOV_DS, SVM_EMUL_DS, 4, 0x093, 0xff, OK, 0, 0x093,
	  0xff },
	/* SS */
	{ "stack", EMU_32, 0, MOV_SS, SVM_EMUL_SS, 0x40, 0x493, 0xff, OK, 0, 0x493, 0xff },
	{ "stack, CPL 3", EMU_64, 3, MOV_SS, SVM_EMUL_SS, 0x43, 0x4f2, 0xff, OK, 0, 0x4f3, 0xff },
	{ "stack, RPL is not CPL", EMU_32, 0, MOV_SS, SVM_EMUL_SS, 0x43, 0x493, 0xff, GP, 0x40, 0,
	  0 },
	{ "stack, DPL is not CPL", EMU_32, 0, MOV_SS, SVM_EMUL_SS, 0x40, 0x4f3, 0xff, GP, 0x40, 0,
	  0 },
	{ "read-only stack", EMU_32, 0, MOV_SS, SVM_EMUL_SS, 0x40, 0x491, 0xff, GP, 0x40, 0, 0 },
	{ "code as stack", EMU_32, 0, MOV_SS, SVM_EMUL_SS, 0x40, 0x49b, 0xff, GP, 0x40, 0, 0 },
	{ "absent stack", EMU_32, 0, MOV_SS, SVM_EMUL_SS, 0x40, 0x413, 0xff, SS, 0x40, 0, 0 },
	{ "null stack", EMU_32, 0, MOV_SS, SVM_EMUL_SS, 0, 0x493, 0xff, GP, 0, 0, 0 },
	{ "null stack, compatibility", EMU_COMPAT, 0, MOV_SS, SVM_EMUL_SS, 0, 0x493, 0xff, GP, 0, 0,
	  0 },
	{ "null stack, 64-bit", EMU_64, 0, MOV_SS, SVM_EMUL_SS, 0, 0x493, 0xff, OK, 0, 0, 0 },
	{ "null stack, 64-bit, CPL 1", EMU_64, 1, MOV_SS, SVM_EMUL_SS, 1, 0x493, 0xff, OK, 0, 0,
	  0 },
	{ "null stack, RPL is not CPL", EMU_64, 0, MOV_SS, SVM_EMUL_SS, 1, 0x493, 0xff, GP, 0, 0,
	  0 },
	{ "null stack, 64-bit, CPL 3", EMU_64, 3, MOV_SS, SVM_EMUL_SS, 3, 0x493, 0xff, GP, 0, 0,
	  0 },
	/* What cannot be loaded. */
	{ "mov cs", EMU_32, 0, BYTES("\x8e\xc8"), SVM_EMUL_CS, 0x40, 0x09b, 0xff, UD, 0, 0, 0 },
	{ "lss of a register", EMU_32, 0, BYTES("\x0f\xb2\xc0"), SVM_EMUL_SS, 0x40, 0x093, 0xff,
	  UNKNOWN, 0, 0, 0 },
	/* LLDT, LTR */
	{ "lldt", EMU_32, 0, LLDT, SVM_EMUL_LDTR, 0x40, 0x082, 0xff, OK, 0, 0x082, 0xff },
	{ "lldt, RPL 3", EMU_16, 0, LLDT, SVM_EMUL_LDTR, 0x43, 0x082, 0xff, OK, 0, 0x082, 0xff },
	{ "lldt of data", EMU_32, 0, LLDT, SVM_EMUL_LDTR, 0x40, 0x092, 0xff, GP, 0x40, 0, 0 },
	{ "lldt of a TSS", EMU_32, 0, LLDT, SVM_EMUL_LDTR, 0x40, 0x089, 0xff, GP, 0x40, 0, 0 },
	{ "lldt, absent", EMU_32, 0, LLDT, SVM_EMUL_LDTR, 0x40, 0x002, 0xff, NP, 0x40, 0, 0 },
	{ "lldt of the local table", EMU_32, 0, LLDT, SVM_EMUL_LDTR, 0x44, 0x082, 0xff, GP, 0x44, 0,
	  0 },
	{ "lldt, null", EMU_32, 0, LLDT, SVM_EMUL_LDTR, 0, 0x082, 0xff, OK, 0, 0, 0 },
	{ "lldt behind the table", EMU_32, 0, LLDT, SVM_EMUL_LDTR, 0x800, 0x082, 0xff, GP, 0x800, 0,
	  0 },
	{ "lldt, CPL 3", EMU_32, 3, LLDT, SVM_EMUL_LDTR, 0x40, 0x082, 0xff, GP, 0, 0, 0 },
	{ "lldt, real", EMU_REAL, 0, LLDT, SVM_EMUL_LDTR, 0x40, 0x082, 0xff, UNKNOWN, 0, 0, 0 },
	{ "lldt, VM86", EMU_VM86, 3, LLDT, SVM_EMUL_LDTR, 0x40, 0x082, 0xff, UNKNOWN, 0, 0, 0 },
	{ "ltr", EMU_32, 0, LTR, SVM_EMUL_TR, 0x40, 0x089, 0x67, OK, 0, 0x08b, 0x67 },
	{ "ltr, 16-bit TSS", EMU_32, 0, LTR, SVM_EMUL_TR, 0x40, 0x081, 0x2b, OK, 0, 0x083, 0x2b },
	{ "ltr, 64-bit", EMU_64, 0, LTR, SVM_EMUL_TR, 0x40, 0x089, 0x67, OK, 0, 0x08b, 0x67 },
	{ "ltr, 64-bit, 16-bit TSS", EMU_64, 0, LTR, SVM_EMUL_TR, 0x40, 0x081, 0x67, GP, 0x40, 0,
	  0 },
	{ "ltr, compatibility, 16-bit TSS", EMU_COMPAT, 0, LTR, SVM_EMUL_TR, 0x40, 0x081, 0x67, GP,
	  0x40, 0, 0 },
	{ "ltr, busy", EMU_32, 0, LTR, SVM_EMUL_TR, 0x40, 0x08b, 0x67, GP, 0x40, 0, 0 },
	{ "ltr, absent", EMU_32, 0, LTR, SVM_EMUL_TR, 0x40, 0x009, 0x67, NP, 0x40, 0, 0 },
	{ "ltr, data", EMU_32, 0, LTR, SVM_EMUL_TR, 0x40, 0x099, 0x67, GP, 0x40, 0, 0 },
	{ "ltr, null", EMU_32, 0, LTR, SVM_EMUL_TR, 0, 0x089, 0x67, GP, 0, 0, 0 },
	{ "ltr, null, RPL 3", EMU_32, 0, LTR, SVM_EMUL_TR, 3, 0x089, 0x67, GP, 0, 0, 0 },
	{ "ltr of the local table", EMU_32, 0, LTR, SVM_EMUL_TR, 0x44, 0x089, 0x67, GP, 0x44, 0,
	  0 },
	{ "ltr, 16 bytes end behind the table", EMU_64, 0, LTR, SVM_EMUL_TR, 0x7f8, 0x089, 0x67, GP,
	  0x7f8, 0, 0 },
	{ "ltr, CPL 3", EMU_64, 3, LTR, SVM_EMUL_TR, 0x40, 0x089, 0x67, GP, 0, 0, 0 },
	{ "ltr, real", EMU_REAL, 0, LTR, SVM_EMUL_TR, 0x40, 0x089, 0x67, UNKNOWN, 0, 0, 0 },
};

static uint32_t slot_of(uint16_t selector)
{
	return (selector & 4 ? EMU_LDT : EMU_GDT) + (selector & 0xfff8u);
}

static void check_fault(const struct emu *r, const struct emu *before, const char *what,
                        enum svm_emul_result result, int vector, uint32_t error)
{
	emu_check_untouched(r, before, what);
	if (vector == UNKNOWN) {
		ck_assert_msg(result == SVM_EMUL_UNKNOWN, "%s: result %d", what, (int)result);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_FAULT, "%s: result %d", what, (int)result);
	ck_assert_msg(r->e.fault.vector == vector && r->e.fault.error == error,
	              "%s: vector %u, error %x", what, r->e.fault.vector, r->e.fault.error);
	ck_assert_msg(r->e.fault.has_error == (vector != UD), "%s: error or none", what);
	ck_assert_msg(memcmp(r->ram + EMU_GDT, before->ram + EMU_GDT, 0x1000) == 0,
	              "%s: a table changed", what);
}

START_TEST(a_load_follows_the_descriptor)
{
	static struct emu r, before;
	const struct row *row = &rows[_i];
	const uint16_t marked = row->selector > 3 ? row->loaded : row->attributes;
	struct svm_emul_segment *s = &r.segment[row->n];
	enum svm_emul_result result;

	emu_init(&r, row->mode, row->cpl);
	r.e.gpr[SVM_EMUL_RAX] = 0xffff0000 + row->selector;
	emu_descriptor(&r, slot_of(row->selector), BASE, row->limit, row->attributes);
	before = r;
	result = emu_run(&r, row->bytes, row->size);
	if (row->vector) {
		check_fault(&r, &before, row->what, result, row->vector, row->error);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: result %d, vector %u", row->what, (int)result,
	              r.e.fault.vector);
	ck_assert_msg(s->selector == row->selector && s->attributes == row->loaded &&
	                      s->limit == row->loaded_limit && s->base == (row->loaded ? BASE : 0),
	              "%s: %x %x %x %lx", row->what, s->selector, s->attributes, s->limit,
	              (unsigned long)s->base);
	ck_assert_uint_eq(r.loads, 1);
	ck_assert_uint_eq(r.e.rip, EMU_CODE + row->size);
	ck_assert(r.e.sets_shadow == (row->n == SVM_EMUL_SS));
	/* Memory holds what was marked, and was written only to mark. */
	ck_assert_uint_eq(emu_get(&r, slot_of(row->selector) + 5, 1), marked & 0xff);
	ck_assert_uint_eq(r.exchanges, marked != row->attributes);
}
END_TEST

START_TEST(a_descriptor_that_changes_meanwhile_is_read_again)
{
	static struct emu r, before;

	emu_init(&r, EMU_32, 0);
	emu_descriptor(&r, EMU_GDT + SLOT, BASE, 0xff, 0x092);
	r.e.gpr[SVM_EMUL_RAX] = SLOT;
	r.interfere = true;
	before = r;
	ck_assert_int_eq(emu_run(&r, MOV_DS), SVM_EMUL_RETRY);
	emu_check_untouched(&r, &before, "interference");
	ck_assert_int_eq(emu_run(&r, MOV_DS), SVM_EMUL_OK);
	ck_assert_uint_eq(r.segment[SVM_EMUL_DS].limit, 0xfe);
}
END_TEST

/* The table lies in a page that is absent, or that supervisors cannot write. */
START_TEST(a_table_faults_as_supervisor)
{
	static const struct {
		uint32_t base;
		unsigned cpl;
		uint16_t attributes;
		uint32_t error;
		bool faults;
	} cases[] = {
		{ EMU_BAD, 0, 0x0f2, 0, true }, { EMU_BAD, 3, 0x0f2, 0, true },
		{ EMU_RO, 0, 0x0f2, 3, true }, /* Cannot be marked. */
		{ EMU_RO, 3, 0x0f2, 3, true },  { EMU_RO, 3, 0x0f3, 0, false }, /* Needs no mark. */
	};
	static struct emu r, before;
	enum svm_emul_result result;

	emu_init(&r, EMU_32, cases[_i].cpl);
	r.segment[SVM_EMUL_GDTR].base = cases[_i].base;
	emu_descriptor(&r, cases[_i].base + SLOT, BASE, 0xff, cases[_i].attributes);
	r.e.gpr[SVM_EMUL_RAX] = SLOT;
	before = r;
	result = emu_run(&r, MOV_DS);
	if (cases[_i].faults) {
		check_fault(&r, &before, "table", result, PF, cases[_i].error);
		ck_assert_uint_eq(r.e.fault.address, cases[_i].base + SLOT);
	} else {
		ck_assert_int_eq(result, SVM_EMUL_OK);
	}
}
END_TEST

START_TEST(without_a_local_table_its_selectors_fault)
{
	static struct emu r, before;

	emu_init(&r, EMU_32, 0);
	r.segment[SVM_EMUL_LDTR] = (struct svm_emul_segment){ 0, 0, 0xff, EMU_LDT };
	emu_descriptor(&r, EMU_LDT + SLOT, BASE, 0xff, 0x093);
	r.e.gpr[SVM_EMUL_RAX] = SLOT + 4;
	before = r;
	check_fault(&r, &before, "no LDT", emu_run(&r, MOV_DS), GP, SLOT + 4);
}
END_TEST

/* --- real and virtual-8086 mode --------------------------------------------------------------- */

/* Big real mode: limit and attributes outlive the load. */
START_TEST(real_mode_loads_selector_and_base_alone)
{
	static struct emu r;
	const enum emu_mode mode = _i ? EMU_VM86 : EMU_REAL;

	emu_init(&r, mode, _i ? 3 : 0);
	r.segment[SVM_EMUL_ES] = (struct svm_emul_segment){ 8, 0xc93, 0xffffffff, 0x1234 };
	r.e.gpr[SVM_EMUL_RAX] = 0xfffff00f;
	ck_assert_int_eq(emu_run(&r, MOV_ES), SVM_EMUL_OK);
	ck_assert_uint_eq(r.segment[SVM_EMUL_ES].selector, 0xf00f);
	ck_assert_uint_eq(r.segment[SVM_EMUL_ES].base, 0xf00f0);
	ck_assert_uint_eq(r.segment[SVM_EMUL_ES].limit, 0xffffffff);
	ck_assert_uint_eq(r.segment[SVM_EMUL_ES].attributes, 0xc93);
	ck_assert_uint_eq(r.exchanges, 0);
}
END_TEST

/* --- long-mode system descriptors ------------------------------------------------------------- */

START_TEST(a_system_descriptor_of_long_mode_has_16_bytes)
{
	static const struct {
		uint64_t upper;
		uint64_t base;
		bool faults;
	} cases[] = {
		{ 0, BASE, false },
		{ 0xffff8000, 0xffff800012345678, false },
		{ 0xffffffff00007fff & ~0x1f0000000000ull, 0x7fff12345678, false },
		{ 0x00008000, 0, true },         /* Not canonical. */
		{ 0x0000010000000000, 0, true }, /* A type in the upper half. */
		{ 0x0000100000000000, 0, true },
	};
	static struct emu r, before;
	const bool is_tss = _i & 1;
	const unsigned n = is_tss ? SVM_EMUL_TR : SVM_EMUL_LDTR, i = (unsigned)_i >> 1;
	enum svm_emul_result result;

	emu_init(&r, i & 1 ? EMU_COMPAT : EMU_64, 0);
	emu_descriptor(&r, EMU_GDT + SLOT, BASE, 0x67, is_tss ? 0x089 : 0x082);
	emu_put(&r, EMU_GDT + SLOT + 8, cases[i].upper, 8);
	r.e.gpr[SVM_EMUL_RAX] = SLOT;
	before = r;
	result = is_tss ? emu_run(&r, LTR) : emu_run(&r, LLDT);
	if (cases[i].faults) {
		check_fault(&r, &before, "16 bytes", result, GP, SLOT);
		return;
	}
	ck_assert_int_eq(result, SVM_EMUL_OK);
	ck_assert_uint_eq(r.segment[n].base, cases[i].base);
	ck_assert_uint_eq(emu_get(&r, EMU_GDT + SLOT + 8, 8), cases[i].upper);
}
END_TEST

/* --- other ways to load ----------------------------------------------------------------------- */

static const struct {
	const char *what;
	enum emu_mode mode;
	const char *bytes;
	size_t size;
	unsigned n, pops; /* Bytes of stack; 0: a far pointer at [rbx]. */
	unsigned offset_size;
	uint64_t rax_after;
} load_rows[] = {
	{ "pop ds", EMU_32, BYTES("\x1f"), SVM_EMUL_DS, 4, 0, 0 },
	{ "pop es, 16-bit operand", EMU_32, BYTES("\x66\x07"), SVM_EMUL_ES, 2, 0, 0 },
	{ "pop es, 16-bit", EMU_16, BYTES("\x07"), SVM_EMUL_ES, 2, 0, 0 },
	{ "pop ss", EMU_32, BYTES("\x17"), SVM_EMUL_SS, 4, 0, 0 },
	{ "pop fs, 64-bit", EMU_64, BYTES("\x0f\xa1"), SVM_EMUL_FS, 8, 0, 0 },
	{ "pop gs, 64-bit, 66", EMU_64, BYTES("\x66\x0f\xa9"), SVM_EMUL_GS, 2, 0, 0 },
	{ "les eax, [ebx]", EMU_32, BYTES("\xc4\x03"), SVM_EMUL_ES, 0, 4, 0x89abcdef },
	{ "lds ax, [ebx]", EMU_32, BYTES("\x66\xc5\x03"), SVM_EMUL_DS, 0, 2,
	  0x1111111111110000 + 0xcdef },
	{ "lss eax, [ebx]", EMU_32, BYTES("\x0f\xb2\x03"), SVM_EMUL_SS, 0, 4, 0x89abcdef },
	{ "lfs rax, [rbx] of 32 bits", EMU_64, BYTES("\x48\x0f\xb4\x03"), SVM_EMUL_FS, 0, 4,
	  0x89abcdef },
	{ "lgs eax, [rbx]", EMU_64, BYTES("\x0f\xb5\x03"), SVM_EMUL_GS, 0, 4, 0x89abcdef },
	{ "mov es, [ebx]", EMU_32, BYTES("\x8e\x03"), SVM_EMUL_ES, 0, 0, 0x1111111111111111 },
};

START_TEST(a_load_from_memory_takes_its_selector)
{
	static struct emu r, before;
	const unsigned n = load_rows[_i].n, pops = load_rows[_i].pops;
	const uint32_t at = pops ? EMU_STACK : EMU_DATA + load_rows[_i].offset_size;

	emu_init(&r, load_rows[_i].mode, 0);
	r.e.gpr[SVM_EMUL_RAX] = 0x1111111111111111;
	emu_descriptor(&r, EMU_GDT + SLOT, BASE, 0xffff, 0x493);
	emu_put(&r, EMU_STACK, 0xffffffffffff0000 + SLOT, 8);
	emu_put(&r, EMU_DATA, 0x89abcdef, 4);
	emu_put(&r, at, SLOT, 2);
	before = r;
	ck_assert_msg(emu_run(&r, load_rows[_i].bytes, load_rows[_i].size) == SVM_EMUL_OK, "%s",
	              load_rows[_i].what);
	ck_assert_uint_eq(r.segment[n].selector, SLOT);
	ck_assert_uint_eq(r.segment[n].base, BASE);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_STACK + pops);
	if (!pops)
		ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RAX], load_rows[_i].rax_after);
	ck_assert(r.e.sets_shadow == (pops && n == SVM_EMUL_SS)); /* LSS shields nothing. */

	/* The same with a descriptor that is not there. */
	r = before;
	r.ram[EMU_GDT + SLOT + 5] = 0x13;
	before = r;
	check_fault(&r, &before, load_rows[_i].what,
	            emu_run(&r, load_rows[_i].bytes, load_rows[_i].size),
	            n == SVM_EMUL_SS ? SS : NP, SLOT);
}
END_TEST

/* --- stores ----------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	enum emu_mode mode;
	const char *bytes;
	size_t size;
	uint64_t rax_after; /* Before: all ones.  The selector is 0xabcd. */
} store_rows[] = {
	{ "mov ax, ds", EMU_16, BYTES("\x8c\xd8"), 0xffffffffffffabcd },
	{ "mov eax, ds", EMU_32, BYTES("\x8c\xd8"), 0xabcd },
	{ "mov ax, ds in 32-bit code", EMU_32, BYTES("\x66\x8c\xd8"), 0xffffffffffffabcd },
	{ "mov rax, ds", EMU_64, BYTES("\x48\x8c\xd8"), 0xabcd },
	{ "mov eax, cs", EMU_64, BYTES("\x8c\xc8"), 0xabcd },
	{ "mov ax, ds, real", EMU_REAL, BYTES("\x8c\xd8"), 0xffffffffffffabcd },
	{ "sldt eax", EMU_32, BYTES("\x0f\x00\xc0"), 0xabcd },
	{ "sldt ax", EMU_16, BYTES("\x0f\x00\xc0"), 0xffffffffffffabcd },
	{ "sldt rax", EMU_64, BYTES("\x48\x0f\x00\xc0"), 0xabcd },
	{ "str eax", EMU_32, BYTES("\x0f\x00\xc8"), 0xabcd },
	{ "str ax", EMU_64, BYTES("\x66\x0f\x00\xc8"), 0xffffffffffffabcd },
};

START_TEST(a_selector_is_stored_at_the_operands_width)
{
	static struct emu r;

	emu_init(&r, store_rows[_i].mode, 0);
	for (unsigned n = 0; n <= SVM_EMUL_TR; n++)
		r.segment[n].selector = 0xabcd;
	r.e.gpr[SVM_EMUL_RAX] = ~UINT64_C(0);
	ck_assert_msg(emu_run(&r, store_rows[_i].bytes, store_rows[_i].size) == SVM_EMUL_OK, "%s",
	              store_rows[_i].what);
	ck_assert_msg(r.e.gpr[SVM_EMUL_RAX] == store_rows[_i].rax_after, "%s: %lx",
	              store_rows[_i].what, (unsigned long)r.e.gpr[SVM_EMUL_RAX]);
	ck_assert_uint_eq(r.e.rip, EMU_CODE + store_rows[_i].size);
}
END_TEST

/* To memory always two bytes: mov [ebx], ds; sldt [ebx]; str [rbx] with REX.W. */
START_TEST(a_selector_in_memory_has_two_bytes)
{
	static const struct {
		enum emu_mode mode;
		const char *bytes;
		size_t size;
	} forms[] = {
		{ EMU_32, BYTES("\x8c\x1b") },
		{ EMU_32, BYTES("\x0f\x00\x03") },
		{ EMU_64, BYTES("\x48\x0f\x00\x0b") },
	};
	static struct emu r;

	emu_init(&r, forms[_i].mode, 0);
	for (unsigned n = 0; n <= SVM_EMUL_TR; n++)
		r.segment[n].selector = n == SVM_EMUL_DS || n > SVM_EMUL_GS ? 0xabcd : 0;
	emu_put(&r, EMU_DATA, ~UINT64_C(0), 8);
	ck_assert_int_eq(emu_run(&r, forms[_i].bytes, forms[_i].size), SVM_EMUL_OK);
	ck_assert_uint_eq(emu_get(&r, EMU_DATA, 8), 0xffffffffffffabcd);
}
END_TEST

static const struct {
	const char *what;
	enum emu_mode mode;
	const char *bytes;
	size_t size;
	unsigned width;
} push_rows[] = {
	{ "push cs", EMU_32, BYTES("\x0e"), 4 },
	{ "push es, 16-bit operand", EMU_32, BYTES("\x66\x06"), 2 },
	{ "push ss, real", EMU_REAL, BYTES("\x16"), 2 },
	{ "push ds, 16-bit", EMU_16, BYTES("\x1e"), 2 },
	{ "push fs, 64-bit", EMU_64, BYTES("\x0f\xa0"), 8 },
	{ "push gs, 64-bit, 66", EMU_64, BYTES("\x66\x0f\xa8"), 2 },
};

START_TEST(a_pushed_selector_is_zero_extended)
{
	static struct emu r;
	const unsigned width = push_rows[_i].width;

	emu_init(&r, push_rows[_i].mode, 0);
	for (unsigned n = 0; n <= SVM_EMUL_GS; n++)
		r.segment[n].selector = 0xabcd;
	emu_put(&r, EMU_STACK - 8, ~UINT64_C(0), 8);
	ck_assert_msg(emu_run(&r, push_rows[_i].bytes, push_rows[_i].size) == SVM_EMUL_OK, "%s",
	              push_rows[_i].what);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_STACK - width);
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - width, width), 0xabcd);
	if (width < 8)
		ck_assert_uint_eq(emu_get(&r, EMU_STACK - width - 1, 1), 0xff);
}
END_TEST

/* --- GDTR, IDTR ------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	unsigned n;
	uint64_t base_in_memory;
	int vector;
	uint64_t base;
} table_rows[] = {
	{ "lgdt", EMU_32, 0, BYTES("\x0f\x01\x13"), SVM_EMUL_GDTR, 0x9988776655443322, OK,
	  0x55443322 },
	{ "lgdt, 16-bit operand", EMU_32, 0, BYTES("\x66\x0f\x01\x13"), SVM_EMUL_GDTR, 0x55443322,
	  OK, 0x443322 },
	{ "lidt, 16-bit", EMU_16, 0, BYTES("\x0f\x01\x1f"), SVM_EMUL_IDTR, 0x55443322, OK,
	  0x443322 },
	{ "lidt, real, 32-bit operand", EMU_REAL, 0, BYTES("\x66\x0f\x01\x1f"), SVM_EMUL_IDTR,
	  0x55443322, OK, 0x55443322 },
	{ "lidt, 64-bit", EMU_64, 0, BYTES("\x0f\x01\x1b"), SVM_EMUL_IDTR, 0xffff800055443322, OK,
	  0xffff800055443322 },
	{ "lgdt, 64-bit, 66", EMU_64, 0, BYTES("\x66\x0f\x01\x13"), SVM_EMUL_GDTR, 0x7fff55443322,
	  OK, 0x7fff55443322 },
	{ "lgdt, not canonical", EMU_64, 0, BYTES("\x0f\x01\x13"), SVM_EMUL_GDTR, 0x800055443322,
	  GP, 0 },
	{ "lgdt, CPL 3", EMU_32, 3, BYTES("\x0f\x01\x13"), SVM_EMUL_GDTR, 0, GP, 0 },
	{ "lidt, CPL 1", EMU_64, 1, BYTES("\x0f\x01\x1b"), SVM_EMUL_IDTR, 0, GP, 0 },
	{ "lidt, VM86", EMU_VM86, 3, BYTES("\x0f\x01\x1f"), SVM_EMUL_IDTR, 0, GP, 0 },
};

START_TEST(a_table_register_is_loaded)
{
	static struct emu r, before;
	const struct svm_emul_segment *s = &r.segment[table_rows[_i].n];
	enum svm_emul_result result;

	emu_init(&r, table_rows[_i].mode, table_rows[_i].cpl);
	emu_put(&r, EMU_DATA, 0x1234, 2);
	emu_put(&r, EMU_DATA + 2, table_rows[_i].base_in_memory, 8);
	before = r;
	result = emu_run(&r, table_rows[_i].bytes, table_rows[_i].size);
	if (table_rows[_i].vector) {
		check_fault(&r, &before, table_rows[_i].what, result, table_rows[_i].vector, 0);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: %d", table_rows[_i].what, (int)result);
	ck_assert_msg(s->base == table_rows[_i].base, "%s: %lx", table_rows[_i].what,
	              (unsigned long)s->base);
	ck_assert_uint_eq(s->limit, 0x1234);
	ck_assert_uint_eq(r.loads, 1);
}
END_TEST

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	uint64_t cr4;
	int vector;
	unsigned stored; /* Bytes. */
} stored_rows[] = {
	{ "sgdt", EMU_32, 3, BYTES("\x0f\x01\x03"), 0, OK, 6 },
	{ "sgdt, 16-bit operand", EMU_32, 0, BYTES("\x66\x0f\x01\x03"), 0, OK, 6 },
	{ "sidt, real", EMU_REAL, 0, BYTES("\x0f\x01\x0f"), 0, OK, 6 },
	{ "sidt, VM86", EMU_VM86, 3, BYTES("\x0f\x01\x0f"), 0, OK, 6 },
	{ "sgdt, 64-bit", EMU_64, 3, BYTES("\x0f\x01\x03"), 0, OK, 10 },
	{ "sidt, UMIP, CPL 0", EMU_64, 0, BYTES("\x0f\x01\x0b"), 0x800, OK, 10 },
	{ "sidt, UMIP, CPL 3", EMU_64, 3, BYTES("\x0f\x01\x0b"), 0x800, GP, 0 },
	{ "sgdt, UMIP, VM86", EMU_VM86, 3, BYTES("\x0f\x01\x07"), 0x800, GP, 0 },
	{ "sldt [ebx], UMIP, CPL 3", EMU_32, 3, BYTES("\x0f\x00\x03"), 0x800, GP, 0 },
	{ "str [ebx], UMIP, CPL 1", EMU_32, 1, BYTES("\x0f\x00\x0b"), 0x800, GP, 0 },
	{ "sldt [bx], real", EMU_REAL, 0, BYTES("\x0f\x00\x07"), 0, UNKNOWN, 0 },
	{ "str [bx], VM86", EMU_VM86, 3, BYTES("\x0f\x00\x0f"), 0x800, UNKNOWN, 0 },
};

START_TEST(a_table_register_is_stored_whole)
{
	static struct emu r, before;
	enum svm_emul_result result;

	emu_init(&r, stored_rows[_i].mode, stored_rows[_i].cpl);
	r.e.cr4 = stored_rows[_i].cr4;
	r.segment[SVM_EMUL_GDTR] = (struct svm_emul_segment){ 0, 0, 0xbeef, 0xffff800012345678 };
	r.segment[SVM_EMUL_IDTR] = r.segment[SVM_EMUL_GDTR];
	memset(r.ram + EMU_DATA, 0xee, 16);
	before = r;
	result = emu_run(&r, stored_rows[_i].bytes, stored_rows[_i].size);
	if (stored_rows[_i].vector) {
		check_fault(&r, &before, stored_rows[_i].what, result, stored_rows[_i].vector, 0);
		ck_assert_uint_eq(emu_get(&r, EMU_DATA, 8), 0xeeeeeeeeeeeeeeee);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: %d", stored_rows[_i].what, (int)result);
	ck_assert_uint_eq(emu_get(&r, EMU_DATA, 2), 0xbeef);
	ck_assert_uint_eq(emu_get(&r, EMU_DATA + 2, 4), 0x12345678);
	ck_assert_uint_eq(emu_get(&r, EMU_DATA + 6, 4),
	                  stored_rows[_i].stored == 10 ? 0xffff8000 : 0xeeeeeeee);
	ck_assert_uint_eq(emu_get(&r, EMU_DATA + 10, 4), 0xeeeeeeee);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("emulate_segment");
	TCase *loads = tcase_create("loads"), *stores = tcase_create("stores");

	tcase_add_loop_test(loads, a_load_follows_the_descriptor, 0, ARRAY_SIZE(rows));
	tcase_add_test(loads, a_descriptor_that_changes_meanwhile_is_read_again);
	tcase_add_loop_test(loads, a_table_faults_as_supervisor, 0, 5);
	tcase_add_test(loads, without_a_local_table_its_selectors_fault);
	tcase_add_loop_test(loads, real_mode_loads_selector_and_base_alone, 0, 2);
	tcase_add_loop_test(loads, a_system_descriptor_of_long_mode_has_16_bytes, 0, 12);
	tcase_add_loop_test(loads, a_load_from_memory_takes_its_selector, 0, ARRAY_SIZE(load_rows));
	tcase_add_loop_test(loads, a_table_register_is_loaded, 0, ARRAY_SIZE(table_rows));
	suite_add_tcase(suite, loads);
	tcase_add_loop_test(stores, a_selector_is_stored_at_the_operands_width, 0,
	                    ARRAY_SIZE(store_rows));
	tcase_add_loop_test(stores, a_selector_in_memory_has_two_bytes, 0, 3);
	tcase_add_loop_test(stores, a_pushed_selector_is_zero_extended, 0, ARRAY_SIZE(push_rows));
	tcase_add_loop_test(stores, a_table_register_is_stored_whole, 0, ARRAY_SIZE(stored_rows));
	suite_add_tcase(suite, stores);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
