/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The emulator on any instruction, in any mode, with memory and devices that fail at random.
 *
 * The input is the instruction, the guest's state, and then the answers of the functions: each call
 * takes one byte that says whether it works.  Held: sizes within bounds and within one page; linear
 * addresses as wide as the mode has them; no further call after one that failed, but for a task
 * switch, which undoes what it has begun or goes on to the task whose fault it is; a fault changes
 * no register, but for whole iterations of a repeat and a switch; an exit names what it waits for,
 * and answering every exit comes to an end unless memory changes meanwhile; what the exit does not
 * allow is not executed; code of a higher privilege is reached by calls and interrupts only.
 * make_seeds.py writes inputs of this form.
 */
#include <stdlib.h>
#include <string.h>

#include "emulate/emulate.h"

#define HOLDS(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define RFLAGS_VM  UINT64_C(0x20000)
#define PAGE      4096u
#define GPA_MASK  UINT64_C(0xfffffffff)
#define FLAG_VM   UINT64_C(0x20000)
#define EFER_LMA  UINT64_C(0x400)
#define EXITS_MAX 16u /* More than the device accesses of any one iteration. */
#define REP_MAX   4u
#define NOTES_MAX 64u

struct input {
	const uint8_t *at;
	size_t left;
};

struct guest {
	uint64_t gpr[16];
	struct input answers;
	struct svm_emul *e;
	bool failed;  /* A function has said no: the emulator must come back. */
	bool touched; /* The page of the nested fault, for what it was for. */
	bool fetches; /* The next read is one of code. */
	uint8_t code[SVM_INSN_MAX_LENGTH];
	unsigned code_at;
	bool changes; /* Memory is not what it was at an earlier start of the instruction. */
	unsigned noted, noted_before;
	uint64_t notes[NOTES_MAX];
	bool switching; /* CR0 was written, and by no instruction that names it. */
	struct svm_emul_segment segments[6];
	struct svm_emul_segment table;
};

static uint8_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

/* A byte that says how many follow, or which edge it is; and whether to invert it all. */
static uint64_t take_value(struct input *in)
{
	static const uint64_t edges[] = {
		0xffc, 0xffff, 0xfffffffc, 0xffffffff, 0x7ffffffffffc, 0xfffffffffffffffc, 0x1ff9,
	};
	const uint8_t tag = take(in);
	const unsigned count = tag & 15;
	uint64_t value = 0;

	if (count > 8)
		value = edges[count - 9];
	for (unsigned i = 0; i < count && count <= 8; i++)
		value = value << 8 | take(in);
	return tag & 16 ? ~value : value;
}

/* 0 to 15: what goes wrong; everything else works. */
static uint8_t answer(struct guest *g)
{
	HOLDS(!g->failed || g->switching);
	return take(&g->answers);
}

static enum svm_emul_result fail(struct guest *g, enum svm_emul_result result)
{
	g->failed = true;
	return result;
}

static void check_page(uint64_t gpa, unsigned size)
{
	HOLDS(size >= 1 && size <= SVM_EMUL_DATA_MAX);
	HOLDS((gpa & (PAGE - 1)) + size <= PAGE);
}

/* A system table in long mode may lie anywhere; its owner says #GP where that is not canonical. */
static void check_linear(const struct svm_emul *e, uint64_t linear, uint32_t access)
{
	const unsigned shift = 64u - e->linear_bits;

	if (e->mode == SVM_INSN_MODE_64 && !(access & SVM_EMUL_SYSTEM))
		HOLDS((uint64_t)((int64_t)(linear << shift) >> shift) == linear);
	if (!(e->efer & EFER_LMA))
		HOLDS(linear <= UINT32_MAX);
}

static enum svm_emul_result fuzz_translate(void *arg, uint64_t linear, uint32_t access,
                                           uint64_t *gpa, struct svm_emul_fault *fault)
{
	struct guest *g = arg;

	HOLDS(access & (SVM_EMUL_READ | SVM_EMUL_WRITE | SVM_EMUL_FETCH));
	check_linear(g->e, linear, access);
	*gpa = linear & GPA_MASK;
	g->fetches = access & SVM_EMUL_FETCH;
	switch (answer(g)) {
	case 0:
		*fault = (struct svm_emul_fault){ 14, true, 4, linear };
		return fail(g, SVM_EMUL_FAULT);
	case 1:
		return fail(g, SVM_EMUL_RETRY);
	default:
		g->touched |= (*gpa ^ g->e->wanted_gpa) < PAGE && (access & g->e->wanted_access);
		return SVM_EMUL_OK;
	}
}

/* After a nested fault nothing happens but by an instruction that touches its page. */
static void check_effect(const struct guest *g)
{
	HOLDS(g->e->class != SVM_EMUL_MEMORY || g->touched);
}

/* What memory answered at this place of the instruction; the same at each of its starts? */
static void note(struct guest *g, uint64_t gpa, bool is_ram, const uint8_t *data, unsigned size)
{
	uint64_t hash = gpa << 1 | is_ram;

	for (unsigned i = 0; i < size; i++)
		hash = (hash ^ data[i]) * 0x100000001b3u;
	if (g->noted == NOTES_MAX) {
		g->changes = true;
		return;
	}
	g->changes |= g->noted < g->noted_before && g->notes[g->noted] != hash;
	g->notes[g->noted++] = hash;
}

/* Someone may have rewritten it since it was fetched last. */
static uint8_t next_code(struct guest *g, uint8_t what)
{
	HOLDS(g->code_at < sizeof(g->code));
	if (what == 3)
		g->code[g->code_at] = take(&g->answers);
	return g->code[g->code_at++];
}

static enum svm_emul_result fuzz_read(void *arg, uint64_t gpa, void *data, unsigned size)
{
	struct guest *g = arg;
	const uint8_t what = answer(g);

	check_page(gpa, size);
	if (what == 1)
		return fail(g, SVM_EMUL_RETRY);
	for (unsigned i = 0; i < size && what != 2; i++)
		((uint8_t *)data)[i] = g->fetches ? next_code(g, what) : take(&g->answers);
	note(g, gpa, what != 2, data, what != 2 ? size : 0);
	return what == 2 ? SVM_EMUL_NOT_RAM : SVM_EMUL_OK;
}

static enum svm_emul_result fuzz_write(void *arg, uint64_t gpa, const void *data, unsigned size)
{
	struct guest *g = arg;
	uint8_t copy[SVM_EMUL_DATA_MAX];
	const uint8_t what = answer(g);

	check_page(gpa, size);
	check_effect(g);
	memcpy(copy, data, size); /* Every byte is initialised and readable. */
	if (what == 1)
		return fail(g, SVM_EMUL_RETRY);
	note(g, gpa, what != 2, NULL, 0);
	return what == 2 ? SVM_EMUL_NOT_RAM : SVM_EMUL_OK;
}

static enum svm_emul_result fuzz_exchange(void *arg, uint64_t gpa, void *expected,
                                          const void *desired, unsigned size, bool *stored)
{
	struct guest *g = arg;
	const uint8_t what = answer(g);

	check_page(gpa, size);
	check_effect(g);
	HOLDS(size <= 16);
	(void)desired;
	if (what == 1)
		return fail(g, SVM_EMUL_RETRY);
	note(g, gpa, what != 2, NULL, 0);
	if (what == 2)
		return SVM_EMUL_NOT_RAM;
	*stored = what != 3;
	if (!*stored)
		memset(expected, what, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result fuzz_mmio(void *arg, uint64_t gpa, void *data, unsigned size,
                                      bool is_write)
{
	struct guest *g = arg;

	check_page(gpa, size);
	check_effect(g);
	if (answer(g) & 1)
		return fail(g, SVM_EMUL_EXIT);
	if (!is_write)
		memset(data, take(&g->answers), size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result fuzz_port(void *arg, uint16_t port, uint32_t *value, unsigned size,
                                      bool is_in)
{
	struct guest *g = arg;

	(void)port;
	HOLDS(size == 1 || size == 2 || size == 4);
	if (answer(g) & 1)
		return fail(g, SVM_EMUL_EXIT);
	if (is_in)
		*value = take(&g->answers);
	return SVM_EMUL_OK;
}

static enum svm_emul_result fuzz_read_register(void *arg, enum svm_emul_register kind,
                                               uint32_t number, uint64_t *value,
                                               struct svm_emul_fault *fault)
{
	struct guest *g = arg;

	(void)kind;
	(void)number;
	*value = take_value(&g->answers);
	if (answer(g) != 1)
		return SVM_EMUL_OK;
	*fault = (struct svm_emul_fault){ 13, true, 0, 0 };
	return fail(g, SVM_EMUL_FAULT);
}

static enum svm_emul_result fuzz_write_register(void *arg, enum svm_emul_register kind,
                                                uint32_t number, uint64_t value,
                                                struct svm_emul_fault *fault)
{
	struct guest *g = arg;
	const unsigned insn = g->e->insn.kind;

	(void)value;
	if (kind == SVM_EMUL_CR && number == 0 && insn != SVM_INSN_MOV_TO_CR &&
	    insn != SVM_INSN_LMSW && insn != SVM_INSN_CLTS)
		g->switching = true;
	return fuzz_read_register(arg, kind, number, &value, fault);
}

/* Calls and interrupts may lead through a gate. */
static bool may_use_gate(const struct svm_insn *insn)
{
	return insn->kind == SVM_INSN_INT || insn->kind == SVM_INSN_INT1 ||
	       insn->kind == SVM_INSN_INT3 || insn->kind == SVM_INSN_INTO || insn->opcode == 0x9a ||
	       (insn->opcode == 0xff && svm_insn_reg(insn) == 3);
}

static void fuzz_load_segment(void *arg, unsigned number, const struct svm_emul_segment *segment)
{
	struct guest *g = arg;

	/* A selector of virtual-8086 mode or of another task has nothing to do with the CPL. */
	if (number == SVM_EMUL_CS && g->e->mode != SVM_INSN_MODE_REAL && !g->switching &&
	    !(g->e->rflags & RFLAGS_VM))
		HOLDS((segment->selector & 3) >= g->e->cpl || may_use_gate(&g->e->insn));
	if (number < SVM_EMUL_SEGMENTS)
		g->segments[number] = *segment;
}

static void fuzz_store_segment(void *arg, unsigned number, struct svm_emul_segment *segment)
{
	struct guest *g = arg;

	(void)number;
	*segment = g->table;
}

static void fuzz_read_vector(void *arg, unsigned n, void *data, unsigned size)
{
	(void)arg;
	HOLDS(n < 16 && (size == 16 || size == 32));
	memset(data, (int)n, size);
}

static void fuzz_write_vector(void *arg, unsigned n, const void *data, unsigned size,
                              bool clear_upper)
{
	uint8_t copy[32];

	(void)arg;
	(void)clear_upper;
	HOLDS(n < 16 && (size == 16 || size == 32));
	memcpy(copy, data, size);
}

static void fuzz_read_mmx(void *arg, unsigned n, uint64_t *value)
{
	(void)arg;
	HOLDS(n < 8);
	*value = n;
}

static void fuzz_write_mmx(void *arg, unsigned n, uint64_t value)
{
	(void)arg;
	(void)value;
	HOLDS(n < 8);
}

static void fuzz_invalidate(void *arg, uint64_t linear)
{
	(void)arg;
	(void)linear;
}

#define FUZZ_OPS                                                                                   \
	.translate = fuzz_translate, .ram_read = fuzz_read, .ram_write = fuzz_write,               \
	.ram_exchange = fuzz_exchange, .mmio = fuzz_mmio, .port = fuzz_port,                       \
	.load_segment = fuzz_load_segment, .store_segment = fuzz_store_segment,                    \
	.read_vector = fuzz_read_vector, .write_vector = fuzz_write_vector,                        \
	.read_mmx = fuzz_read_mmx, .write_mmx = fuzz_write_mmx

/* Without those that an owner may leave out, and all. */
static const struct svm_emul_ops fewer_ops = { FUZZ_OPS };
static const struct svm_emul_ops all_ops = {
	FUZZ_OPS,
	.read_register = fuzz_read_register,
	.write_register = fuzz_write_register,
	.invalidate = fuzz_invalidate,
};

static struct svm_emul_segment take_segment(struct input *in)
{
	struct svm_emul_segment s;

	s.selector = (uint16_t)take_value(in);
	s.attributes = (uint16_t)((take(in) << 8 | take(in)) & 0xfff);
	s.limit = (uint32_t)take_value(in);
	s.base = take_value(in);
	return s;
}

/* Modes that no processor is in would only show faults that no guest can cause. */
static void take_mode(struct svm_emul *e, struct input *in)
{
	const uint8_t byte = take(in);

	e->mode = (enum svm_insn_mode)(byte & 3);
	e->in_vm86 = e->mode == SVM_INSN_MODE_REAL && (byte & 4);
	e->cr0 |= 1;
	e->rflags &= ~FLAG_VM;
	if (e->in_vm86) {
		e->rflags |= FLAG_VM;
		e->cpl = 3;
	} else if (e->mode == SVM_INSN_MODE_REAL) {
		e->cr0 &= ~UINT64_C(1);
		e->cpl = 0;
	}
	if (e->mode == SVM_INSN_MODE_REAL)
		e->efer &= ~EFER_LMA;
	else if (e->mode == SVM_INSN_MODE_64)
		e->efer |= EFER_LMA;
	e->ops = byte & 8 ? &fewer_ops : &all_ops;
	e->count = byte & 16 ? 0 : SVM_INSN_MAX_LENGTH;
}

/* The page of a nested fault is that of a register, as it mostly is. */
static void take_class(struct svm_emul *e, struct input *in)
{
	const uint8_t byte = take(in);

	e->class = (enum svm_emul_class)(byte & 3);
	e->wanted_access = byte & 4 ? SVM_EMUL_WRITE : SVM_EMUL_READ;
	e->wanted_gpa = e->gpr[byte >> 4] & GPA_MASK & ~UINT64_C(0xfff);
}

static void take_state(struct svm_emul *e, struct guest *g, struct input *in)
{
	for (unsigned i = 0; i < 6; i++)
		g->segments[i] = take_segment(in);
	g->table = take_segment(in);
	e->gpr = g->gpr;
	for (unsigned i = 0; i < 16; i++)
		g->gpr[i] = take_value(in);
	e->rip = take_value(in);
	e->rflags = take_value(in);
	e->cr0 = take_value(in);
	e->cr4 = take_value(in);
	e->efer = take_value(in);
	e->xcr0 = take(in) & 7;
	e->cpl = take(in) & 3;
	e->linear_bits = take(in) & 1 ? 57 : 48;
	take_mode(e, in);
	take_class(e, in);
	if (e->mode != SVM_INSN_MODE_64)
		e->rip &= e->mode == SVM_INSN_MODE_32 ? 0xffffffff : 0xffff;
	e->rep_max = REP_MAX;
	e->segment = g->segments;
	e->arg = g;
	g->e = e;
}

static void check_unchanged(const struct svm_emul *before, const uint64_t gpr[16],
                            const struct svm_emul *after)
{
	const bool repeats = after->insn.prefixes & (SVM_INSN_REP | SVM_INSN_REPNE);

	HOLDS(before->segment == after->segment && before->mode == after->mode);
	if (after->task_switched)
		return;
	HOLDS(before->rip == after->rip && before->cpl == after->cpl);
	if (repeats && after->insn.length)
		return;
	HOLDS(memcmp(gpr, after->gpr, 16 * sizeof(gpr[0])) == 0);
	HOLDS(((before->rflags ^ after->rflags) & ~UINT64_C(0x10000)) == 0);
}

static void check_class(const struct svm_emul *e)
{
	const unsigned kind = e->insn.kind;

	if (e->class == SVM_EMUL_IO)
		HOLDS(kind == SVM_INSN_IN || kind == SVM_INSN_OUT || kind == SVM_INSN_INS ||
		      kind == SVM_INSN_OUTS);
	if (e->class == SVM_EMUL_STATUS_WORD)
		HOLDS(kind == SVM_INSN_LMSW || kind == SVM_INSN_SMSW || kind == SVM_INSN_CLTS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct svm_emul e, before;
	static struct svm_insn_cache cache; /* Over all inputs: it must change nothing. */
	static struct guest g;
	uint64_t gpr[16];
	struct input in = { data, size };

	memset(&e, 0, sizeof(e));
	memset(&g, 0, sizeof(g));
	for (unsigned i = 0; i < SVM_INSN_MAX_LENGTH; i++)
		e.bytes[i] = g.code[i] = take(&in);
	take_state(&e, &g, &in);
	e.cache = &cache;
	g.answers = in;
	const bool fetches = e.count == 0;

	for (unsigned exits = 0;; exits++) {
		const uint8_t zeros[SVM_EMUL_DATA_MAX] = { 0 };
		enum svm_emul_result result;

		/* A repeat goes on for as long as the guest's counter says. */
		if (exits == EXITS_MAX) {
			HOLDS(g.changes || e.insn.prefixes & (SVM_INSN_REP | SVM_INSN_REPNE));
			break;
		}
		g.failed = false;
		g.code_at = 0;
		g.touched = false;
		g.noted_before = g.noted > g.noted_before ? g.noted : g.noted_before;
		g.noted = 0;
		if (fetches)
			e.count = 0;
		g.switching = false;
		before = e;
		memcpy(gpr, g.gpr, sizeof(gpr));
		result = svm_emulate(&e);
		HOLDS(result != SVM_EMUL_NOT_RAM);
		HOLDS(e.cpl >= before.cpl || may_use_gate(&e.insn) || e.task_switched);
		HOLDS(!e.task_switched || result == SVM_EMUL_OK || result == SVM_EMUL_FAULT);
		if (result == SVM_EMUL_OK && !e.task_switched)
			check_class(&e);
		if (result != SVM_EMUL_OK)
			check_unchanged(&before, gpr, &e);
		if (result != SVM_EMUL_EXIT)
			break;
		HOLDS(e.pending.kind != SVM_EMUL_PENDING_NOTHING);
		HOLDS(e.pending.size >= 1 && e.pending.size <= SVM_EMUL_DATA_MAX);
		svm_emul_answer(&e, zeros);
		HOLDS(e.pending.kind == SVM_EMUL_PENDING_NOTHING);
	}
	return 0;
}
