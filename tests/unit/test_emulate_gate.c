/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Transfers that change privilege: call gates, interrupt gates, and the ways back.  APM vol. 2,
 * 4.11, 8.7, 8.9, 12.2; vol. 3, 3.
 */
#include "emulate_rig.h"

#define BYTES(s) s, sizeof(s) - 1
#define OK       0
#define TS       10
#define NP       11
#define SS       12
#define GP       13
#define PF       14
#define UNKNOWN  (-1)

#define GATE  0x40u /* 16 bytes of the table in long mode. */
#define CODE  0x60u
#define STACK 0x68u
#define DATA  0x70u

#define EMU_TSS   0x5000u
#define EMU_IDT   0x6000u
#define EMU_INNER 0xa000u
#define EMU_OUTER 0xb000u
#define EMU_IST   0xc000u

/* A TSS that names a stack of each inner privilege, and an empty IDT. */
static void init(struct emu *r, enum emu_mode mode, unsigned cpl)
{
	const bool is_long = mode == EMU_64 || mode == EMU_COMPAT;

	emu_init(r, mode, cpl);
	r->segment[SVM_EMUL_TR] = (struct svm_emul_segment){ 0x78, 0x8b, 0x67, EMU_TSS };
	r->segment[SVM_EMUL_IDTR] = (struct svm_emul_segment){ .limit = 0xfff, .base = EMU_IDT };
	for (unsigned n = 0; n < 3 && is_long; n++)
		emu_put(r, EMU_TSS + 4 + 8 * n, EMU_INNER, 8);
	for (unsigned n = 0; n < 3 && !is_long; n++) {
		emu_put(r, EMU_TSS + 4 + 8 * n, EMU_INNER, 4);
		emu_put(r, EMU_TSS + 8 + 8 * n, STACK + n, 4);
	}
	emu_put(r, EMU_TSS + 0x24, EMU_IST + 5, 8);
}

static void put_gate(struct emu *r, uint32_t at, uint16_t selector, uint64_t rip, unsigned count,
                     unsigned attributes, bool is_long)
{
	emu_put(r, at, rip, 2);
	emu_put(r, at + 2, selector, 2);
	emu_put(r, at + 4, count, 1);
	emu_put(r, at + 5, attributes, 1);
	emu_put(r, at + 6, rip >> 16, 2);
	if (is_long)
		emu_put(r, at + 8, rip >> 32, 8);
}

static void check_fault(const struct emu *r, const struct emu *before, const char *what,
                        enum svm_emul_result result, int outcome, uint32_t error)
{
	emu_check_untouched(r, before, what);
	ck_assert_msg(memcmp(r->ram + EMU_GDT, before->ram + EMU_GDT, EMU_RAM - EMU_GDT) == 0,
	              "%s: memory changed", what);
	ck_assert_msg(r->e.cpl == before->e.cpl, "%s: CPL changed", what);
	if (outcome == UNKNOWN) {
		ck_assert_msg(result == SVM_EMUL_UNKNOWN, "%s: result %d", what, (int)result);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_FAULT, "%s: result %d", what, (int)result);
	ck_assert_msg(r->e.fault.vector == outcome && r->e.fault.error == error,
	              "%s: vector %u, error %x", what, r->e.fault.vector, r->e.fault.error);
}

/* The words of a stack, lowest first. */
static void check_words(const struct emu *r, uint32_t at, unsigned width, unsigned count,
                        const uint64_t *word, const char *what)
{
	for (unsigned i = 0; i < count; i++) {
		const uint64_t found = emu_get(r, at + i * width, width);

		ck_assert_msg(found == word[i], "%s: word %u is %lx", what, i,
		              (unsigned long)found);
	}
}

/* --- call gates ------------------------------------------------------------------------------- */

#define CALL    BYTES("\x9a\x00\x00\x00\x00\x40\x00")
#define CALL_3  BYTES("\x9a\x00\x00\x00\x00\x43\x00")
#define JMP     BYTES("\xea\x00\x00\x00\x00\x40\x00")
#define CALL_M  BYTES("\xff\x1b") /* [rbx] */
#define JMP_M   BYTES("\xff\x2b")
#define CALL_16 BYTES("\x9a\x00\x00\x40\x00")

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	unsigned gate, count;
	uint16_t code, stack; /* Attributes of what gate and TSS name. */
	uint64_t rip;
	uint32_t tss_limit;
	uint64_t inner; /* Stack of the new privilege; 0: as init() has it. */
	int outcome;
	uint32_t error;
	unsigned cpl_after, width;
} gate_rows[] = {
	{ "call to CPL 0", EMU_32, 3, CALL, 0xec, 0, 0xc9b, 0xc93, 0x12345, 0x67, 0, OK, 0, 0, 4 },
	{ "call to CPL 0 marks both", EMU_32, 3, CALL, 0xec, 0, 0xc9a, 0xc92, 0x12345, 0x67, 0, OK,
	  0, 0, 4 },
	{ "call to CPL 1", EMU_32, 3, CALL, 0xec, 0, 0xcbb, 0xcb3, 0x12345, 0x67, 0, OK, 0, 1, 4 },
	{ "call from CPL 1 to 0", EMU_32, 1, CALL, 0xac, 0, 0xc9b, 0xc93, 0x12345, 0x67, 0, OK, 0,
	  0, 4 },
	{ "call with 3 parameters", EMU_32, 3, CALL, 0xec, 3, 0xc9b, 0xc93, 0x12345, 0x67, 0, OK, 0,
	  0, 4 },
	{ "call with 31 parameters", EMU_32, 3, CALL, 0xec, 31, 0xc9b, 0xc93, 0x12345, 0x67, 0, OK,
	  0, 0, 4 },
	{ "the upper bits of the count mean nothing", EMU_32, 3, CALL, 0xec, 0xe0, 0xc9b, 0xc93,
	  0x12345, 0x67, 0, OK, 0, 0, 4 },
	{ "16-bit gate to CPL 0", EMU_32, 3, CALL, 0xe4, 2, 0xc9b, 0xc93, 0x2345, 0x67, 0, OK, 0, 0,
	  2 },
	{ "16-bit code, 32-bit gate", EMU_16, 3, CALL_16, 0xec, 1, 0xc9b, 0xc93, 0x12345, 0x67, 0,
	  OK, 0, 0, 4 },
	{ "call of the same privilege", EMU_32, 3, CALL, 0xec, 3, 0xcfb, 0xc93, 0x12345, 0x67, 0,
	  OK, 0, 3, 4 },
	{ "16-bit gate of the same privilege", EMU_32, 0, CALL, 0x84, 0, 0xc9b, 0xc93, 0x2345, 0x67,
	  0, OK, 0, 0, 2 },
	{ "call of conforming code", EMU_32, 3, CALL, 0xec, 0, 0xc9f, 0xc93, 0x12345, 0x67, 0, OK,
	  0, 3, 4 },
	{ "jmp of the same privilege", EMU_32, 3, JMP, 0xec, 3, 0xcfb, 0xc93, 0x12345, 0x67, 0, OK,
	  0, 3, 0 },
	{ "jmp to conforming code", EMU_32, 3, JMP, 0xec, 0, 0xc9f, 0xc93, 0x12345, 0x67, 0, OK, 0,
	  3, 0 },
	{ "call in 64-bit mode to CPL 0", EMU_64, 3, CALL_M, 0xec, 0, 0xa9b, 0, 0xffff800012345678,
	  0x67, 0, OK, 0, 0, 8 },
	{ "call in 64-bit mode copies nothing", EMU_64, 3, CALL_M, 0xec, 5, 0xa9b, 0, 0x12345678,
	  0x67, 0, OK, 0, 0, 8 },
	{ "call from compatibility mode to CPL 0", EMU_COMPAT, 3, CALL, 0xec, 0, 0xa9b, 0,
	  0xffff800012345678, 0x67, 0, OK, 0, 0, 8 },
	{ "call in 64-bit mode to CPL 1", EMU_64, 3, CALL_M, 0xec, 0, 0xabb, 0, 0x12345678, 0x67, 0,
	  OK, 0, 1, 8 },
	{ "call in 64-bit mode of the same privilege", EMU_64, 0, CALL_M, 0x8c, 0, 0xa9b, 0,
	  0x12345678, 0x67, 0, OK, 0, 0, 8 },
	{ "jmp in 64-bit mode", EMU_64, 0, JMP_M, 0x8c, 0, 0xa9b, 0, 0xffff800000000000, 0x67, 0,
	  OK, 0, 0, 0 },
	/* The gate. */
	{ "DPL of the gate below CPL", EMU_32, 3, CALL, 0x8c, 0, 0xc9b, 0xc93, 0x12345, 0x67, 0, GP,
	  0x40, 0, 0 },
	{ "DPL of the gate below RPL", EMU_32, 0, CALL_3, 0x8c, 0, 0xc9b, 0xc93, 0x12345, 0x67, 0,
	  GP, 0x40, 0, 0 },
	{ "absent gate", EMU_32, 3, CALL, 0x6c, 0, 0xc9b, 0xc93, 0x12345, 0x67, 0, NP, 0x40, 0, 0 },
	{ "16-bit gate in long mode", EMU_64, 0, CALL_M, 0x84, 0, 0xa9b, 0, 0x12345, 0x67, 0, GP,
	  0x40, 0, 0 },
	/* The code. */
	{ "code of lower privilege", EMU_32, 0, CALL, 0x8c, 0, 0xcfb, 0xc93, 0x12345, 0x67, 0, GP,
	  0x60, 0, 0 },
	{ "jmp to another privilege", EMU_32, 3, JMP, 0xec, 0, 0xc9b, 0xc93, 0x12345, 0x67, 0, GP,
	  0x60, 0, 0 },
	{ "data", EMU_32, 3, CALL, 0xec, 0, 0xc93, 0xc93, 0x12345, 0x67, 0, GP, 0x60, 0, 0 },
	{ "absent code", EMU_32, 3, CALL, 0xec, 0, 0xc1b, 0xc93, 0x12345, 0x67, 0, NP, 0x60, 0, 0 },
	{ "32-bit code in long mode", EMU_64, 3, CALL_M, 0xec, 0, 0xc9b, 0, 0x12345, 0x67, 0, GP,
	  0x60, 0, 0 },
	{ "L and D in long mode", EMU_64, 3, CALL_M, 0xec, 0, 0xe9b, 0, 0x12345, 0x67, 0, GP, 0x60,
	  0, 0 },
	{ "offset behind the limit", EMU_32, 3, CALL, 0xec, 0, 0x49b, 0xc93, 0x100000, 0x67, 0, GP,
	  0, 0, 0 },
	{ "offset not canonical", EMU_64, 3, CALL_M, 0xec, 0, 0xa9b, 0, 0x800000000000, 0x67, 0, GP,
	  0, 0, 0 },
	/* The stack. */
	{ "TSS too short", EMU_32, 3, CALL, 0xec, 0, 0xc9b, 0xc93, 0x12345, 8, 0, TS, 0x78, 0, 0 },
	{ "TSS just long enough", EMU_32, 3, CALL, 0xec, 0, 0xc9b, 0xc93, 0x12345, 9, 0, OK, 0, 0,
	  4 },
	{ "TSS too short in long mode", EMU_64, 3, CALL_M, 0xec, 0, 0xa9b, 0, 0x12345, 10, 0, TS,
	  0x78, 0, 0 },
	{ "DPL of the stack", EMU_32, 3, CALL, 0xec, 0, 0xc9b, 0xcf3, 0x12345, 0x67, 0, TS, 0x68, 0,
	  0 },
	{ "a stack that is read-only", EMU_32, 3, CALL, 0xec, 0, 0xc9b, 0xc91, 0x12345, 0x67, 0, TS,
	  0x68, 0, 0 },
	{ "a stack that is code", EMU_32, 3, CALL, 0xec, 0, 0xc9b, 0xc9b, 0x12345, 0x67, 0, TS,
	  0x68, 0, 0 },
	{ "absent stack", EMU_32, 3, CALL, 0xec, 0, 0xc9b, 0xc13, 0x12345, 0x67, 0, SS, 0x68, 0,
	  0 },
	{ "no room on the stack", EMU_32, 3, CALL, 0xec, 3, 0xc9b, 0xc93, 0x12345, 0x67, 0x1a, SS,
	  0x68, 0, 0 },
	{ "no stack that is mapped", EMU_32, 3, CALL, 0xec, 3, 0xc9b, 0xc93, 0x12345, 0x67, 0x4000,
	  PF, 2, 0, 0 },
	{ "a stack that supervisors cannot write", EMU_32, 3, CALL, 0xec, 3, 0xc9b, 0xc93, 0x12345,
	  0x67, 0x5000, PF, 3, 0, 0 },
	{ "stack not canonical", EMU_64, 3, CALL_M, 0xec, 0, 0xa9b, 0, 0x12345, 0x67,
	  0x800000000010, SS, 0, 0, 0 },
};

/* SS is null with the new CPL in long mode, else what the TSS names. */
static void check_inner_stack(const struct emu *r, bool is_long, unsigned cpl, uint16_t attributes,
                              const char *what)
{
	const struct svm_emul_segment *ss = &r->segment[SVM_EMUL_SS];

	ck_assert_msg(ss->selector == (is_long ? cpl : STACK + cpl), "%s: SS %x", what,
	              ss->selector);
	ck_assert_uint_eq(ss->attributes, is_long ? cpl << 5 : (attributes | 1u));
	if (!is_long)
		ck_assert_uint_eq(emu_get(r, EMU_GDT + STACK + 5, 1) & 1, 1);
}

static void check_code(const struct emu *r, unsigned cpl, uint16_t attributes, uint64_t rip,
                       const char *what)
{
	const struct svm_emul_segment *cs = &r->segment[SVM_EMUL_CS];

	ck_assert_msg(cs->selector == CODE + cpl, "%s: CS %x", what, cs->selector);
	ck_assert_msg(cs->attributes == (attributes | 1), "%s: %x", what, cs->attributes);
	ck_assert_uint_eq(emu_get(r, EMU_GDT + CODE + 5, 1) & 1, 1);
	ck_assert_msg(r->e.rip == rip, "%s: RIP %lx", what, (unsigned long)r->e.rip);
	ck_assert_msg(r->e.cpl == cpl, "%s: CPL %u", what, r->e.cpl);
}

START_TEST(a_call_gate_leads_inwards)
{
	static struct emu r, before;
	const char *what = gate_rows[_i].what;
	const enum emu_mode mode = gate_rows[_i].mode;
	const bool is_long = mode == EMU_64 || mode == EMU_COMPAT;
	const unsigned cpl = gate_rows[_i].cpl_after, width = gate_rows[_i].width;
	const bool is_inner = cpl != gate_rows[_i].cpl;
	const unsigned count = is_long || !is_inner ? 0 : gate_rows[_i].count & 31;
	const unsigned words = (is_inner ? 4 : 2) + count;
	const uint32_t top = is_inner ? EMU_INNER : EMU_STACK;
	uint64_t word[35] = { EMU_CODE + gate_rows[_i].size };
	enum svm_emul_result result;

	init(&r, mode, gate_rows[_i].cpl);
	r.segment[SVM_EMUL_TR].limit = gate_rows[_i].tss_limit;
	if (gate_rows[_i].inner)
		emu_put(&r, EMU_TSS + 4, gate_rows[_i].inner, is_long ? 8 : 4);
	put_gate(&r, EMU_GDT + GATE, CODE, gate_rows[_i].rip, gate_rows[_i].count,
	         gate_rows[_i].gate, is_long);
	emu_descriptor(&r, EMU_GDT + CODE, 0x200000, 0xfffff, gate_rows[_i].code);
	emu_descriptor(&r, EMU_GDT + STACK, 0, 0xfffff, gate_rows[_i].stack);
	emu_put(&r, EMU_DATA + 4, GATE, 2);
	for (unsigned i = 0; i < 31; i++)
		emu_put(&r, EMU_STACK + (width ? width : 4) * i, 0x1100 + i, width ? width : 4);
	before = r;
	result = emu_run(&r, gate_rows[_i].bytes, gate_rows[_i].size);
	if (gate_rows[_i].outcome != OK) {
		check_fault(&r, &before, what, result, gate_rows[_i].outcome, gate_rows[_i].error);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: result %d, vector %u, error %x", what,
	              (int)result, r.e.fault.vector, r.e.fault.error);
	check_code(&r, cpl, gate_rows[_i].code, gate_rows[_i].rip, what);
	if (is_inner)
		check_inner_stack(&r, is_long, cpl, gate_rows[_i].stack, what);
	else
		ck_assert_uint_eq(r.segment[SVM_EMUL_SS].selector,
		                  before.segment[SVM_EMUL_SS].selector);
	ck_assert_msg(r.e.gpr[SVM_EMUL_RSP] == (width ? top - width * words : EMU_STACK),
	              "%s: RSP %lx", what, (unsigned long)r.e.gpr[SVM_EMUL_RSP]);
	word[1] = before.segment[SVM_EMUL_CS].selector;
	for (unsigned i = 0; i < count; i++)
		word[2 + i] = 0x1100 + i;
	word[2 + count] = EMU_STACK;
	word[3 + count] = before.segment[SVM_EMUL_SS].selector;
	if (width)
		check_words(&r, top - width * words, width, words, word, what);
}
END_TEST

/* Each of the two descriptors is marked by compare-exchange: who loses starts again. */
START_TEST(a_gate_starts_again_when_a_descriptor_changes)
{
	static struct emu r, before;

	init(&r, EMU_32, 3);
	put_gate(&r, EMU_GDT + GATE, CODE, 0x1234, 0, 0xec, false);
	emu_descriptor(&r, EMU_GDT + CODE, 0, 0xfffff, 0xc9a);
	emu_descriptor(&r, EMU_GDT + STACK, 0, 0xfffff, 0xc93);
	r.interfere = true;
	before = r;
	ck_assert_int_eq(emu_run(&r, CALL), SVM_EMUL_RETRY);
	emu_check_untouched(&r, &before, "retry");
	ck_assert_uint_eq(emu_get(&r, EMU_INNER - 4, 4), 0);
}
END_TEST

START_TEST(a_null_stack_in_the_tss_is_refused)
{
	static struct emu r, before;

	init(&r, EMU_32, 3);
	put_gate(&r, EMU_GDT + GATE, CODE, 0x1234, 0, 0xec, false);
	emu_descriptor(&r, EMU_GDT + CODE, 0, 0xfffff, 0xc9b);
	emu_put(&r, EMU_TSS + 8, 0, 2);
	before = r;
	check_fault(&r, &before, "null", emu_run(&r, CALL), TS, 0);
	emu_put(&r, EMU_TSS + 8, 0x800, 2);
	before = r;
	check_fault(&r, &before, "behind the table", emu_run(&r, CALL), TS, 0x800);
	emu_put(&r, EMU_TSS + 8, STACK + 1, 2);
	before = r;
	check_fault(&r, &before, "RPL", emu_run(&r, CALL), TS, STACK);
}
END_TEST

/* Offset and selector of 16 bits each, from byte 2 on. */
START_TEST(a_16_bit_tss_has_stacks_too)
{
	static struct emu r;

	init(&r, EMU_16, 3);
	r.segment[SVM_EMUL_TR].attributes = 0x83;
	emu_put(&r, EMU_TSS + 2, EMU_INNER, 2);
	emu_put(&r, EMU_TSS + 4, STACK, 2);
	put_gate(&r, EMU_GDT + GATE, CODE, 0x1234, 0, 0xe4, false);
	emu_descriptor(&r, EMU_GDT + CODE, 0, 0xffff, 0x09b);
	emu_descriptor(&r, EMU_GDT + STACK, 0, 0xffff, 0x093);
	ck_assert_int_eq(emu_run(&r, CALL_16), SVM_EMUL_OK);
	check_code(&r, 0, 0x09b, 0x1234, "16 bits");
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_INNER - 8);
	ck_assert_uint_eq(emu_get(&r, EMU_INNER - 4, 4), (uint32_t)(0x1b << 16 | EMU_STACK));
}
END_TEST

/* --- returns to another privilege ------------------------------------------------------------- */

#define RETF    BYTES("\xcb")
#define RETF_66 BYTES("\x66\xcb")
#define RETF_10 BYTES("\xca\x10\x00")
#define RETF_W  BYTES("\x48\xcb")
#define IRET    BYTES("\xcf")
#define IRET_66 BYTES("\x66\xcf")
#define IRET_W  BYTES("\x48\xcf")

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	unsigned width;
	uint16_t cs, code; /* RPL and attributes. */
	uint16_t ss, stack;
	uint64_t rip, rsp;
	int outcome;
	uint32_t error;
	uint64_t rsp_after;
} outer_rows[] = {
	{ "retf to CPL 3", EMU_32, 0, RETF, 4, 0x63, 0xcfb, 0x6b, 0xcf3, 0x12345, EMU_OUTER, OK, 0,
	  EMU_OUTER },
	{ "retf to CPL 3 marks both", EMU_32, 0, RETF, 4, 0x63, 0xcfa, 0x6b, 0xcf2, 0x12345,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	{ "retf to CPL 2", EMU_32, 1, RETF, 4, 0x62, 0xcdb, 0x6a, 0xcd3, 0x12345, EMU_OUTER, OK, 0,
	  EMU_OUTER },
	{ "retf of 16 bits to CPL 3", EMU_32, 0, RETF_66, 2, 0x63, 0xcfb, 0x6b, 0xcf3, 0x2345,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	{ "retf 16 frees both stacks", EMU_32, 0, RETF_10, 4, 0x63, 0xcfb, 0x6b, 0xcf3, 0x12345,
	  EMU_OUTER, OK, 0, EMU_OUTER + 0x10 },
	{ "a 16-bit stack takes the lower half of RSP", EMU_32, 0, RETF, 4, 0x63, 0xcfb, 0x6b, 0xf3,
	  0x12345, 0x1234b000, OK, 0, EMU_OUTER },
	{ "retf to conforming code of CPL 3", EMU_32, 0, RETF, 4, 0x63, 0xc9f, 0x6b, 0xcf3, 0x12345,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	{ "retf with REX.W to CPL 3", EMU_64, 0, RETF_W, 8, 0x63, 0xafb, 0x6b, 0xcf3,
	  0x7fff12345678, 0x123456789abc, OK, 0, 0x123456789abc },
	{ "retf with REX.W to compatibility mode", EMU_64, 0, RETF_W, 8, 0x63, 0xcfb, 0x6b, 0xcf3,
	  0x12345, 0x12345678, OK, 0, 0x12345678 },
	{ "iretd to CPL 3", EMU_32, 0, IRET, 4, 0x63, 0xcfb, 0x6b, 0xcf3, 0x12345, EMU_OUTER, OK, 0,
	  EMU_OUTER },
	{ "iret of 16 bits to CPL 3", EMU_32, 0, IRET_66, 2, 0x63, 0xcfb, 0x6b, 0xcf3, 0x2345,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	{ "iretd of compatibility mode to CPL 3", EMU_COMPAT, 0, IRET, 4, 0x63, 0xcfb, 0x6b, 0xcf3,
	  0x12345, EMU_OUTER, OK, 0, EMU_OUTER },
	{ "iretq to CPL 3", EMU_64, 0, IRET_W, 8, 0x63, 0xafb, 0x6b, 0xcf3, 0x7fff12345678,
	  0x123456789abc, OK, 0, 0x123456789abc },
	{ "iretq to compatibility mode", EMU_64, 0, IRET_W, 8, 0x63, 0xcfb, 0x6b, 0xcf3, 0x12345,
	  0x112345678, OK, 0, 0x12345678 },
	{ "iretq within CPL 0", EMU_64, 0, IRET_W, 8, 0x60, 0xa9b, 0x68, 0xc93, 0xffff800000000000,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	{ "iretq within CPL 3", EMU_64, 3, IRET_W, 8, 0x63, 0xafb, 0x6b, 0xcf3, 0x7fff12345678,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	{ "iretd of 64-bit mode", EMU_64, 0, IRET, 4, 0x60, 0xa9b, 0x68, 0xc93, 0x12345, EMU_OUTER,
	  OK, 0, EMU_OUTER },
	{ "iretq to a null SS at CPL 0", EMU_64, 0, IRET_W, 8, 0x60, 0xa9b, 0, 0, 0x12345,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	{ "iretq to a null SS at CPL 2", EMU_64, 0, IRET_W, 8, 0x62, 0xadb, 2, 0, 0x12345,
	  EMU_OUTER, OK, 0, EMU_OUTER },
	/* Refusals. */
	{ "retf to a null SS", EMU_32, 0, RETF, 4, 0x63, 0xcfb, 0, 0, 0x12345, EMU_OUTER, GP, 0,
	  0 },
	{ "iretq to a null SS at CPL 3", EMU_64, 0, IRET_W, 8, 0x63, 0xafb, 3, 0, 0x12345,
	  EMU_OUTER, GP, 0, 0 },
	{ "iretq to a null SS in compatibility mode", EMU_64, 0, IRET_W, 8, 0x60, 0xc9b, 0, 0,
	  0x12345, EMU_OUTER, GP, 0, 0 },
	{ "RPL of SS", EMU_32, 0, RETF, 4, 0x63, 0xcfb, 0x68, 0xcf3, 0x12345, EMU_OUTER, GP, 0x68,
	  0 },
	{ "DPL of SS", EMU_32, 0, RETF, 4, 0x63, 0xcfb, 0x6b, 0xc93, 0x12345, EMU_OUTER, GP, 0x68,
	  0 },
	{ "SS is read-only", EMU_32, 0, RETF, 4, 0x63, 0xcfb, 0x6b, 0xcf1, 0x12345, EMU_OUTER, GP,
	  0x68, 0 },
	{ "SS is absent", EMU_32, 0, IRET, 4, 0x63, 0xcfb, 0x6b, 0xc73, 0x12345, EMU_OUTER, SS,
	  0x68, 0 },
	{ "SS behind the table", EMU_32, 0, RETF, 4, 0x63, 0xcfb, 0x803, 0xcf3, 0x12345, EMU_OUTER,
	  GP, 0x800, 0 },
	{ "DPL of CS", EMU_32, 0, RETF, 4, 0x63, 0xc9b, 0x6b, 0xcf3, 0x12345, EMU_OUTER, GP, 0x60,
	  0 },
	{ "conforming code of DPL above RPL", EMU_32, 0, RETF, 4, 0x61, 0xcdf, 0x69, 0xcb3, 0x12345,
	  EMU_OUTER, GP, 0x60, 0 },
	{ "inwards", EMU_32, 3, IRET, 4, 0x60, 0xc9b, 0x68, 0xc93, 0x12345, EMU_OUTER, GP, 0x60,
	  0 },
	{ "absent code", EMU_32, 0, IRET, 4, 0x63, 0xc7b, 0x6b, 0xcf3, 0x12345, EMU_OUTER, NP, 0x60,
	  0 },
	{ "RIP behind the limit", EMU_32, 0, IRET, 4, 0x63, 0x4fb, 0x6b, 0xcf3, 0x100000, EMU_OUTER,
	  GP, 0, 0 },
	{ "RIP not canonical", EMU_64, 0, IRET_W, 8, 0x63, 0xafb, 0x6b, 0xcf3, 0x800000000000,
	  EMU_OUTER, GP, 0, 0 },
};

static void put_return(struct emu *r, int row, uint64_t image)
{
	const unsigned width = outer_rows[row].width;
	const bool is_iret = outer_rows[row].bytes[outer_rows[row].size - 1] == '\xcf';
	const unsigned release = outer_rows[row].bytes[0] == '\xca' ? 0x10 : 0;
	uint32_t at = EMU_STACK;

	emu_put(r, at, outer_rows[row].rip, width);
	emu_put(r, at += width, outer_rows[row].cs, width);
	if (is_iret)
		emu_put(r, at += width, image, width);
	emu_put(r, at += width + release, outer_rows[row].rsp, width);
	emu_put(r, at + width, outer_rows[row].ss, width);
}

START_TEST(a_return_leads_outwards)
{
	static struct emu r, before;
	const char *what = outer_rows[_i].what;
	const uint16_t ss = outer_rows[_i].ss;
	enum svm_emul_result result;

	init(&r, outer_rows[_i].mode, outer_rows[_i].cpl);
	emu_descriptor(&r, EMU_GDT + CODE, 0x200000, 0xfffff, outer_rows[_i].code);
	emu_descriptor(&r, EMU_GDT + STACK, 0, 0xfffff, outer_rows[_i].stack);
	put_return(&r, _i, 0x2);
	before = r;
	result = emu_run(&r, outer_rows[_i].bytes, outer_rows[_i].size);
	if (outer_rows[_i].outcome != OK) {
		check_fault(&r, &before, what, result, outer_rows[_i].outcome,
		            outer_rows[_i].error);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: result %d, vector %u, error %x", what,
	              (int)result, r.e.fault.vector, r.e.fault.error);
	check_code(&r, outer_rows[_i].cs & 3, outer_rows[_i].code, outer_rows[_i].rip, what);
	ck_assert_msg(r.segment[SVM_EMUL_SS].selector == ss, "%s: SS", what);
	ck_assert_msg(r.segment[SVM_EMUL_SS].attributes ==
	                      (ss > 3 ? (outer_rows[_i].stack | 1u) : (ss & 3u) << 5),
	              "%s: SS %x", what, r.segment[SVM_EMUL_SS].attributes);
	ck_assert_msg(r.e.gpr[SVM_EMUL_RSP] == outer_rows[_i].rsp_after, "%s: RSP %lx", what,
	              (unsigned long)r.e.gpr[SVM_EMUL_RSP]);
	ck_assert_uint_eq(r.e.rflags, 2);
}
END_TEST

/* What CPL 3 may not use is null; a base without selector stays. */
START_TEST(a_return_outwards_takes_segments_away)
{
	static struct emu r;

	init(&r, EMU_64, 0);
	emu_descriptor(&r, EMU_GDT + CODE, 0, 0xfffff, 0xafb);
	emu_descriptor(&r, EMU_GDT + STACK, 0, 0xfffff, 0xcf3);
	put_return(&r, 12, 0x2);
	r.segment[SVM_EMUL_ES] = (struct svm_emul_segment){ 0x10, 0xc93, 0xffffffff, 0x1000 };
	r.segment[SVM_EMUL_DS] = (struct svm_emul_segment){ 0x2b, 0xcf3, 0xffffffff, 0x2000 };
	r.segment[SVM_EMUL_FS] = (struct svm_emul_segment){ 0, 0, 0, 0x123456789000 };
	r.segment[SVM_EMUL_GS] = (struct svm_emul_segment){ 0x18, 0xc9f, 0xffffffff, 0x3000 };
	ck_assert_int_eq(emu_run(&r, IRET_W), SVM_EMUL_OK);
	ck_assert_uint_eq(r.segment[SVM_EMUL_ES].selector, 0);
	ck_assert_uint_eq(r.segment[SVM_EMUL_ES].attributes, 0);
	ck_assert_uint_eq(r.segment[SVM_EMUL_DS].selector, 0x2b);
	ck_assert_uint_eq(r.segment[SVM_EMUL_FS].base, 0x123456789000);
	ck_assert_uint_eq(r.segment[SVM_EMUL_GS].selector, 0x18); /* Conforming code. */
}
END_TEST

/* The rights are those of the CPL before the return. */
static const struct {
	const char *what;
	unsigned cpl;
	uint64_t before, image, after;
} flag_rows[] = {
	{ "CPL 0 writes IOPL, IF, VIF and VIP", 0, 2, 0xfffdffff, 0x3d7fd7 },
	{ "CPL 1 writes neither IOPL nor IF", 1, 2, 0xffffffff, 0x254dd7 },
	{ "CPL 1 with IOPL 1 writes IF", 1, 0x1002, 0xffffffff, 0x255fd7 },
};

START_TEST(a_return_outwards_takes_flags)
{
	static struct emu r;

	init(&r, EMU_32, flag_rows[_i].cpl);
	r.e.rflags = flag_rows[_i].before;
	emu_descriptor(&r, EMU_GDT + CODE, 0, 0xfffff, 0xcfb);
	emu_descriptor(&r, EMU_GDT + STACK, 0, 0xfffff, 0xcf3);
	put_return(&r, 9, flag_rows[_i].image);
	ck_assert_int_eq(emu_run(&r, IRET), SVM_EMUL_OK);
	ck_assert_msg(r.e.rflags == flag_rows[_i].after, "%s: %lx", flag_rows[_i].what,
	              (unsigned long)r.e.rflags);
}
END_TEST

/* --- virtual-8086 mode ------------------------------------------------------------------------ */

static void put_virtual_return(struct emu *r)
{
	static const uint32_t frame[] = { 0x5678e05b, 0xf000, 0x23202, 0x1234fffe, 0x1000,
		                          0x2000,     0x3000, 0x4000,  0x5000 };

	for (unsigned i = 0; i < 9; i++)
		emu_put(r, EMU_STACK + 4 * i, frame[i], 4);
}

START_TEST(iret_enters_virtual_8086_mode)
{
	static const uint16_t selector[6] = { 0x2000, 0xf000, 0x1000, 0x3000, 0x4000, 0x5000 };
	static struct emu r;

	init(&r, EMU_32, 0);
	put_virtual_return(&r);
	ck_assert_int_eq(emu_run(&r, IRET), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.rip, 0xe05b);
	ck_assert_uint_eq(r.e.cpl, 3);
	ck_assert_uint_eq(r.e.rflags, 0x23202);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], 0x1234fffe);
	for (unsigned n = 0; n <= SVM_EMUL_GS; n++) {
		ck_assert_uint_eq(r.segment[n].selector, selector[n]);
		ck_assert_uint_eq(r.segment[n].attributes, 0xf3);
		ck_assert_uint_eq(r.segment[n].limit, 0xffff);
		ck_assert_uint_eq(r.segment[n].base, (uint32_t)selector[n] << 4);
	}
}
END_TEST

/* The last word of the frame is what faults. */
START_TEST(iret_to_virtual_8086_mode_needs_its_whole_frame)
{
	static struct emu r, before;

	init(&r, EMU_32, 0);
	put_virtual_return(&r);
	r.segment[SVM_EMUL_SS].limit = EMU_STACK + 4 * 9 - 2;
	before = r;
	check_fault(&r, &before, "limit", emu_run(&r, IRET), SS, 0);
}
END_TEST

/* VM of an image means something at CPL 0 alone, and nothing in long mode. */
START_TEST(virtual_8086_mode_is_entered_from_cpl_0)
{
	static struct emu r;
	const enum emu_mode mode = _i ? EMU_COMPAT : EMU_32;
	const unsigned cpl = _i ? 0 : 1;

	init(&r, mode, cpl);
	emu_descriptor(&r, EMU_GDT + CODE, 0, 0xfffff, 0xc9b | cpl << 5);
	emu_put(&r, EMU_STACK, 0x1234, 4);
	emu_put(&r, EMU_STACK + 4, CODE + cpl, 4);
	emu_put(&r, EMU_STACK + 8, 0x20002, 4);
	ck_assert_int_eq(emu_run(&r, IRET), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.rip, 0x1234);
	ck_assert_uint_eq(r.e.rflags, 2);
}
END_TEST

/* --- interrupts ------------------------------------------------------------------------------- */

#define INT_80 BYTES("\xcd\x80")
#define INT3   BYTES("\xcc")
#define INTO   BYTES("\xce")
#define INT1   BYTES("\xf1")

static const struct {
	const char *what;
	enum emu_mode mode;
	unsigned cpl;
	const char *bytes;
	size_t size;
	unsigned vector, gate, ist;
	uint16_t code, stack;
	uint64_t rip, rflags;
	int outcome;
	uint32_t error;
	unsigned cpl_after, width;
	uint64_t rflags_after;
	uint32_t top; /* Of the handler's stack. */
} int_rows[] = {
	{ "interrupt gate", EMU_32, 0, INT_80, 0x80, 0x8e, 0, 0xc9b, 0, 0x12345, 0x14fd7, OK, 0, 0,
	  4, 0xcd7, EMU_STACK },
	{ "trap gate leaves IF", EMU_32, 0, INT_80, 0x80, 0x8f, 0, 0xc9b, 0, 0x12345, 0x4fd7, OK, 0,
	  0, 4, 0xed7, EMU_STACK },
	{ "16-bit gate", EMU_16, 0, INT_80, 0x80, 0x86, 0, 0x09b, 0, 0x2345, 0x202, OK, 0, 0, 2, 2,
	  EMU_STACK },
	{ "16-bit trap gate", EMU_32, 0, INT_80, 0x80, 0x87, 0, 0xc9b, 0, 0x2345, 0x202, OK, 0, 0,
	  2, 0x202, EMU_STACK },
	{ "to CPL 0", EMU_32, 3, INT_80, 0x80, 0xee, 0, 0xc9b, 0xc93, 0x12345, 0x202, OK, 0, 0, 4,
	  2, EMU_INNER },
	{ "to CPL 0, 16-bit gate", EMU_32, 3, INT_80, 0x80, 0xe6, 0, 0xc9b, 0xc93, 0x2345, 0x202,
	  OK, 0, 0, 2, 2, EMU_INNER },
	{ "to CPL 1", EMU_32, 3, INT_80, 0x80, 0xef, 0, 0xcba, 0xcb2, 0x12345, 0x202, OK, 0, 1, 4,
	  0x202, EMU_INNER },
	{ "to conforming code", EMU_32, 3, INT_80, 0x80, 0xee, 0, 0xc9f, 0, 0x12345, 0x202, OK, 0,
	  3, 4, 2, EMU_STACK },
	{ "int3", EMU_32, 3, INT3, 3, 0xee, 0, 0xc9b, 0xc93, 0x12345, 0x202, OK, 0, 0, 4, 2,
	  EMU_INNER },
	{ "into", EMU_32, 3, INTO, 4, 0xee, 0, 0xc9b, 0xc93, 0x12345, 0xa02, OK, 0, 0, 4, 0x802,
	  EMU_INNER },
	{ "int1 asks no DPL", EMU_32, 3, INT1, 1, 0x8e, 0, 0xc9b, 0xc93, 0x12345, 0x202, OK, 0, 0,
	  4, 2, EMU_INNER },
	{ "64-bit mode, CPL 3 to 0", EMU_64, 3, INT_80, 0x80, 0xee, 0, 0xa9b, 0, 0xffff800012345678,
	  0x202, OK, 0, 0, 8, 2, EMU_INNER },
	{ "64-bit mode, CPL 0", EMU_64, 0, INT_80, 0x80, 0x8f, 0, 0xa9b, 0, 0xffff800012345678,
	  0x202, OK, 0, 0, 8, 0x202, EMU_STACK },
	{ "compatibility mode", EMU_COMPAT, 3, INT_80, 0x80, 0xee, 0, 0xa9b, 0, 0x12345, 0x202, OK,
	  0, 0, 8, 2, EMU_INNER },
	{ "interrupt stack table, CPL 0", EMU_64, 0, INT_80, 0x80, 0x8e, 1, 0xa9b, 0, 0x12345,
	  0x202, OK, 0, 0, 8, 2, EMU_IST },
	{ "interrupt stack table, CPL 3 to 0", EMU_64, 3, INT_80, 0x80, 0xee, 1, 0xa9b, 0, 0x12345,
	  0x202, OK, 0, 0, 8, 2, EMU_IST },
	{ "VM86 to CPL 0", EMU_VM86, 3, INT_80, 0x80, 0xee, 0, 0xc9b, 0xc93, 0x12345, 0x23202, OK,
	  0, 0, 4, 0x3002, EMU_INNER },
	{ "VM86, int3 asks no IOPL", EMU_VM86, 3, INT3, 3, 0xee, 0, 0xc9b, 0xc93, 0x12345, 0x20202,
	  OK, 0, 0, 4, 2, EMU_INNER },
	/* Refusals.  Errors of a gate name the vector and have the IDT bit. */
	{ "gate of DPL 0", EMU_32, 3, INT_80, 0x80, 0x8e, 0, 0xc9b, 0xc93, 0x12345, 2, GP, 0x402, 0,
	  0, 0, 0 },
	{ "int3, gate of DPL 0", EMU_32, 3, INT3, 3, 0x8e, 0, 0xc9b, 0xc93, 0x12345, 2, GP, 0x1a, 0,
	  0, 0, 0 },
	{ "absent gate", EMU_32, 0, INT_80, 0x80, 0x0e, 0, 0xc9b, 0, 0x12345, 2, NP, 0x402, 0, 0, 0,
	  0 },
	{ "call gate", EMU_32, 0, INT_80, 0x80, 0x8c, 0, 0xc9b, 0, 0x12345, 2, GP, 0x402, 0, 0, 0,
	  0 },
	{ "16-bit gate in long mode", EMU_64, 0, INT_80, 0x80, 0x86, 0, 0xa9b, 0, 0x12345, 2, GP,
	  0x402, 0, 0, 0, 0 },
	{ "task gate in long mode", EMU_64, 0, INT_80, 0x80, 0x85, 0, 0xa9b, 0, 0x12345, 2, GP,
	  0x402, 0, 0, 0, 0 },
	{ "handler of lower privilege", EMU_32, 0, INT_80, 0x80, 0x8e, 0, 0xcfb, 0, 0x12345, 2, GP,
	  0x60, 0, 0, 0, 0 },
	{ "handler is data", EMU_32, 0, INT_80, 0x80, 0x8e, 0, 0xc93, 0, 0x12345, 2, GP, 0x60, 0, 0,
	  0, 0 },
	{ "handler is absent", EMU_32, 0, INT_80, 0x80, 0x8e, 0, 0xc1b, 0, 0x12345, 2, NP, 0x60, 0,
	  0, 0, 0 },
	{ "handler of 32 bits in long mode", EMU_64, 0, INT_80, 0x80, 0x8e, 0, 0xc9b, 0, 0x12345, 2,
	  GP, 0x60, 0, 0, 0, 0 },
	{ "handler behind its limit", EMU_32, 0, INT_80, 0x80, 0x8e, 0, 0x49b, 0, 0x100000, 2, GP,
	  0, 0, 0, 0, 0 },
	{ "handler not canonical", EMU_64, 0, INT_80, 0x80, 0x8e, 0, 0xa9b, 0, 0x800000000000, 2,
	  GP, 0, 0, 0, 0, 0 },
	{ "absent stack", EMU_32, 3, INT_80, 0x80, 0xee, 0, 0xc9b, 0xc13, 0x12345, 2, SS, 0x68, 0,
	  0, 0, 0 },
	{ "int1, absent handler", EMU_32, 3, INT1, 1, 0xee, 0, 0xc1b, 0xc93, 0x12345, 2, NP, 0x61,
	  0, 0, 0, 0 },
	{ "VM86, IOPL 0", EMU_VM86, 3, INT_80, 0x80, 0xee, 0, 0xc9b, 0xc93, 0x12345, 0x20202, GP, 0,
	  0, 0, 0, 0 },
	{ "VM86 to CPL 1", EMU_VM86, 3, INT_80, 0x80, 0xee, 0, 0xcbb, 0xcb3, 0x12345, 0x23202, GP,
	  0x60, 0, 0, 0, 0 },
	{ "VM86 to conforming code", EMU_VM86, 3, INT_80, 0x80, 0xee, 0, 0xc9f, 0xc93, 0x12345,
	  0x23202, GP, 0x60, 0, 0, 0, 0 },
};

static unsigned fill_int_frame(const struct emu *before, int row, uint64_t *word)
{
	const bool is_long = int_rows[row].width == 8;
	unsigned count = 3;

	word[0] = EMU_CODE + int_rows[row].size;
	word[1] = before->segment[SVM_EMUL_CS].selector;
	word[2] = int_rows[row].rflags & (int_rows[row].width == 2 ? 0xffff : 0xfffeffff);
	if (is_long || int_rows[row].cpl_after != int_rows[row].cpl) {
		word[count++] = EMU_STACK;
		word[count++] = before->segment[SVM_EMUL_SS].selector;
	}
	if (int_rows[row].mode == EMU_VM86) {
		word[count++] = 0xe5;
		word[count++] = 0xd5;
		word[count++] = 0xf5;
		word[count++] = 0x65;
	}
	return count;
}

static void check_handler_segments(const struct emu *r, const struct emu *before, int row)
{
	const bool is_virtual = int_rows[row].mode == EMU_VM86;

	for (unsigned n = SVM_EMUL_DS; n <= SVM_EMUL_GS; n++)
		ck_assert_uint_eq(r->segment[n].selector,
		                  is_virtual ? 0 : before->segment[n].selector);
	if (int_rows[row].cpl_after != int_rows[row].cpl)
		check_inner_stack(r, int_rows[row].width == 8, int_rows[row].cpl_after,
		                  int_rows[row].stack, int_rows[row].what);
	else
		ck_assert_uint_eq(r->segment[SVM_EMUL_SS].selector,
		                  before->segment[SVM_EMUL_SS].selector);
}

static void init_interrupt(struct emu *r, int row)
{
	const enum emu_mode mode = int_rows[row].mode;
	const bool is_long = mode == EMU_64 || mode == EMU_COMPAT;

	init(r, mode, int_rows[row].cpl);
	r->e.rflags = int_rows[row].rflags;
	put_gate(r, EMU_IDT + int_rows[row].vector * (is_long ? 16 : 8), CODE, int_rows[row].rip,
	         int_rows[row].ist, int_rows[row].gate, is_long);
	emu_descriptor(r, EMU_GDT + CODE, 0x200000, 0xfffff, int_rows[row].code);
	emu_descriptor(r, EMU_GDT + STACK, 0, 0xfffff, int_rows[row].stack);
	if (mode != EMU_VM86)
		return;
	r->segment[SVM_EMUL_ES].selector = 0xe5;
	r->segment[SVM_EMUL_DS].selector = 0xd5;
	r->segment[SVM_EMUL_FS].selector = 0xf5;
	r->segment[SVM_EMUL_GS].selector = 0x65;
}

START_TEST(an_interrupt_follows_its_gate)
{
	static struct emu r, before;
	const char *what = int_rows[_i].what;
	const unsigned width = int_rows[_i].width;
	enum svm_emul_result result;
	uint64_t word[9];
	unsigned count;

	init_interrupt(&r, _i);
	before = r;
	result = emu_run(&r, int_rows[_i].bytes, int_rows[_i].size);
	if (int_rows[_i].outcome != OK) {
		check_fault(&r, &before, what, result, int_rows[_i].outcome, int_rows[_i].error);
		return;
	}
	ck_assert_msg(result == SVM_EMUL_OK, "%s: result %d, vector %u, error %x", what,
	              (int)result, r.e.fault.vector, r.e.fault.error);
	check_code(&r, int_rows[_i].cpl_after, int_rows[_i].code, int_rows[_i].rip, what);
	count = fill_int_frame(&before, _i, word);
	ck_assert_msg(r.e.gpr[SVM_EMUL_RSP] == int_rows[_i].top - count * width, "%s: RSP %lx",
	              what, (unsigned long)r.e.gpr[SVM_EMUL_RSP]);
	check_words(&r, int_rows[_i].top - count * width, width, count, word, what);
	check_handler_segments(&r, &before, _i);
	ck_assert_msg(r.e.rflags == int_rows[_i].rflags_after, "%s: flags %lx", what,
	              (unsigned long)r.e.rflags);
}
END_TEST

/* RSP is aligned before the pushes, also where the stack stays. */
START_TEST(long_mode_aligns_the_stack_of_an_interrupt)
{
	static struct emu r;

	init(&r, EMU_64, 0);
	put_gate(&r, EMU_IDT + 0x800, CODE, 0x1234, 0, 0x8e, true);
	emu_descriptor(&r, EMU_GDT + CODE, 0, 0xfffff, 0xa9b);
	r.e.gpr[SVM_EMUL_RSP] = EMU_STACK + 0xf;
	ck_assert_int_eq(emu_run(&r, INT_80), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.gpr[SVM_EMUL_RSP], EMU_STACK - 40);
	ck_assert_uint_eq(emu_get(&r, EMU_STACK - 16, 8), EMU_STACK + 0xf);
}
END_TEST

START_TEST(an_interrupt_needs_its_entry_in_the_table)
{
	static struct emu r, before;

	init(&r, _i ? EMU_64 : EMU_32, 0);
	r.segment[SVM_EMUL_IDTR].limit = _i ? 0x80 * 16 + 14 : 0x80 * 8 + 6;
	before = r;
	check_fault(&r, &before, "limit", emu_run(&r, INT_80), GP, 0x402);
}
END_TEST

START_TEST(into_without_overflow_goes_on)
{
	static struct emu r;

	init(&r, EMU_32, 3);
	ck_assert_int_eq(emu_run(&r, INTO), SVM_EMUL_OK);
	ck_assert_uint_eq(r.e.rip, EMU_CODE + 1);
	ck_assert_uint_eq(r.loads, 0);
}
END_TEST

/* What CR4.VME redirects is left to the owner, and so is a task. */
START_TEST(virtual_interrupts_are_left_to_the_owner)
{
	static struct emu r, before;

	init_interrupt(&r, 16);
	r.e.cr4 = 1;
	before = r;
	check_fault(&r, &before, "INT n, VME", emu_run(&r, INT_80), UNKNOWN, 0);
	r.e.rflags = 0x20002;
	before = r;
	check_fault(&r, &before, "IRET, VME", emu_run(&r, IRET), UNKNOWN, 0);
	check_fault(&r, &before, "IRETD, VME", emu_run(&r, IRET_66), GP, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("emulate_gate");
	TCase *tc = tcase_create("gate");

	tcase_add_loop_test(tc, a_call_gate_leads_inwards, 0, ARRAY_SIZE(gate_rows));
	tcase_add_test(tc, a_gate_starts_again_when_a_descriptor_changes);
	tcase_add_test(tc, a_null_stack_in_the_tss_is_refused);
	tcase_add_test(tc, a_16_bit_tss_has_stacks_too);
	tcase_add_loop_test(tc, a_return_leads_outwards, 0, ARRAY_SIZE(outer_rows));
	tcase_add_test(tc, a_return_outwards_takes_segments_away);
	tcase_add_loop_test(tc, a_return_outwards_takes_flags, 0, ARRAY_SIZE(flag_rows));
	tcase_add_test(tc, iret_enters_virtual_8086_mode);
	tcase_add_test(tc, iret_to_virtual_8086_mode_needs_its_whole_frame);
	tcase_add_loop_test(tc, virtual_8086_mode_is_entered_from_cpl_0, 0, 2);
	tcase_add_loop_test(tc, an_interrupt_follows_its_gate, 0, ARRAY_SIZE(int_rows));
	tcase_add_test(tc, long_mode_aligns_the_stack_of_an_interrupt);
	tcase_add_loop_test(tc, an_interrupt_needs_its_entry_in_the_table, 0, 2);
	tcase_add_test(tc, into_without_overflow_goes_on);
	tcase_add_test(tc, virtual_interrupts_are_left_to_the_owner);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
