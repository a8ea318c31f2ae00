/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "emulate_row.h"

#define FLAG_RF 0x10000u
#define FLAG_VM 0x20000u

/* The guest as the row wants it, or as it must have become. */
struct guest {
	uint64_t gpr[16], rip, rflags;
	uint8_t ram[EMU_RAM];
	uint8_t vector[16][32];
	uint64_t mmx[8];
};

static struct emu rig;
static struct guest wanted;

static void set_register(struct guest *g, const struct emu_setting *s)
{
	switch (s->what) {
	case EMU_IS_GPR:
		g->gpr[s->n] = s->value;
		break;
	case EMU_IS_FLAGS:
		g->rflags = (g->rflags & FLAG_VM) | 2 | s->value;
		break;
	case EMU_IS_RIP:
		g->rip = s->value;
		break;
	case EMU_IS_MEMORY:
		for (unsigned i = 0; i < s->size; i++)
			g->ram[emu_place(s->at + i)] = (uint8_t)(s->value >> 8 * i);
		break;
	case EMU_IS_VECTOR:
		memcpy(g->vector[s->n] + 8 * s->at, &s->value, 8);
		break;
	case EMU_IS_MMX:
		g->mmx[s->n] = s->value;
		break;
	default:
		break;
	}
}

/* What only the guest before the instruction has. */
static void set_environment(struct emu *r, const struct emu_setting *s)
{
	switch (s->what) {
	case EMU_IS_BASE:
		r->segment[s->n].base = s->value;
		break;
	case EMU_IS_LIMIT:
		r->segment[s->n].limit = (uint32_t)s->value;
		break;
	case EMU_IS_ATTRIBUTES:
		r->segment[s->n].attributes = (uint16_t)s->value;
		break;
	case EMU_IS_CR0:
		r->e.cr0 = s->value;
		break;
	case EMU_IS_CR4:
		r->e.cr4 = s->value;
		break;
	case EMU_IS_XCR0:
		r->e.xcr0 = s->value;
		break;
	case EMU_IS_REP_MAX:
		r->e.rep_max = (uint32_t)s->value;
		break;
	default:
		break;
	}
}

static void apply(struct guest *g, const struct emu_setting *settings)
{
	for (unsigned i = 0; i < EMU_SETTINGS && settings[i].what; i++)
		set_register(g, &settings[i]);
}

/* As a process of Linux has it, with registers of 0, for rows of tests/differential. */
static void become_process(void)
{
	rig.e.cr0 = 0x80050033;
	rig.e.cr4 = 0x406f0;
	rig.e.xcr0 = 7;
	for (unsigned i = 0; i < 16; i++)
		rig.e.gpr[i] = 0;
}

/* The first half of a row, in the rig and in what is wanted of it. */
static void prepare(const struct emu_row *row)
{
	const bool is_process = row->mode == EMU_PROCESS;

	emu_init(&rig, is_process ? EMU_64 : row->mode, is_process ? 3 : row->cpl);
	if (is_process)
		become_process();
	memset(&wanted, 0, sizeof(wanted));
	for (unsigned i = 0; i < 16; i++)
		wanted.gpr[i] = rig.e.gpr[i];
	wanted.rip = row->rip ? row->rip : EMU_CODE;
	wanted.rflags = rig.e.rflags;
	for (unsigned i = 0; i < EMU_SETTINGS && row->in[i].what; i++)
		set_environment(&rig, &row->in[i]);
	for (unsigned i = 0; i < row->size; i++)
		wanted.ram[emu_place(wanted.rip + rig.segment[SVM_EMUL_CS].base + i)] =
			(uint8_t)row->bytes[i];
	apply(&wanted, row->in);
	for (unsigned i = 0; i < 16; i++)
		rig.e.gpr[i] = wanted.gpr[i];
	rig.e.rip = wanted.rip;
	rig.e.rflags = wanted.rflags;
	memcpy(rig.ram, wanted.ram, sizeof(rig.ram));
	memcpy(rig.vector, wanted.vector, sizeof(rig.vector));
	memcpy(rig.mmx, wanted.mmx, sizeof(rig.mmx));
}

static void check_result(const struct emu_row *row, enum svm_emul_result result)
{
	const struct svm_emul_fault *fault = &rig.e.fault;

	if (row->unknown) {
		ck_assert_msg(result == SVM_EMUL_UNKNOWN, "%s: result %d", row->what, (int)result);
		return;
	}
	ck_assert_msg(result == (row->fault ? SVM_EMUL_FAULT : SVM_EMUL_OK),
	              "%s: result %d, vector %u", row->what, (int)result, fault->vector);
	if (!row->fault)
		return;
	ck_assert_msg(fault->vector == (row->fault & 0xff), "%s: vector %u", row->what,
	              fault->vector);
	ck_assert_msg((fault->has_error ? fault->error : 0) == row->error, "%s: error %x",
	              row->what, fault->error);
	ck_assert_msg(fault->vector != 14 || fault->address == row->address, "%s: address %llx",
	              row->what, (unsigned long long)fault->address);
}

static void check_registers(const struct emu_row *row)
{
	const uint64_t flags = (wanted.rflags ^ rig.e.rflags) & ~(uint64_t)row->undefined;

	for (unsigned i = 0; i < 16; i++)
		ck_assert_msg(rig.e.gpr[i] == wanted.gpr[i], "%s: register %u is %llx", row->what,
		              i, (unsigned long long)rig.e.gpr[i]);
	ck_assert_msg(!flags, "%s: flags are %llx", row->what, (unsigned long long)rig.e.rflags);
	ck_assert_msg(rig.e.rip == wanted.rip, "%s: RIP is %llx", row->what,
	              (unsigned long long)rig.e.rip);
	ck_assert_msg(memcmp(rig.vector, wanted.vector, sizeof(rig.vector)) == 0,
	              "%s: vector registers", row->what);
	ck_assert_msg(memcmp(rig.mmx, wanted.mmx, sizeof(rig.mmx)) == 0, "%s: MMX registers",
	              row->what);
}

/* An assertion that holds writes a line to libcheck's file: none for each byte. */
static void check_memory(const struct emu_row *row)
{
	if (memcmp(rig.ram, wanted.ram, sizeof(rig.ram)) == 0)
		return;
	for (unsigned i = 0; i < EMU_RAM; i++)
		ck_assert_msg(rig.ram[i] == wanted.ram[i], "%s: memory at %x is %x", row->what, i,
		              rig.ram[i]);
}

void emu_check_row(const struct emu_row *row)
{
	const bool ends = !row->fault && !row->unknown && !row->goes_on;

	prepare(row);
	rig.e.count = 0;
	check_result(row, svm_emulate(&rig.e));
	if (ends) {
		wanted.rip += row->size;
		wanted.rflags &= ~(uint64_t)FLAG_RF;
	}
	apply(&wanted, row->out);
	check_registers(row);
	check_memory(row);
	ck_assert_msg(rig.e.sets_shadow == row->shadow, "%s: shadow", row->what);
	ck_assert_msg(rig.e.rep_goes_on == row->goes_on, "%s: goes on", row->what);
}

/* --- a program of rows ------------------------------------------------------------------------ */

static const struct emu_row *all_rows;

START_TEST(each_row_is_true)
{
	emu_check_row(&all_rows[_i]);
}
END_TEST

int emu_main(const char *name, const struct emu_row *rows, int count, void (*more)(TCase *))
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	all_rows = rows;
	tcase_add_loop_test(tcase, each_row_is_true, 0, count);
	if (more)
		more(tcase);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
