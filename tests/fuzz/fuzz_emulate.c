/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The emulator on any instruction, in any mode, with memory and devices that fail at random.
 *
 * The input is the guest's state, the instruction, and then the answers of the functions: each call
 * takes one byte that says whether it works.  Held: sizes within bounds and within one page; no
 * further call after one that failed; a fault changes no register, but for whole iterations of a
 * repeat; an exit names what it waits for, and answering every exit comes to an end.
 */
#include <stdlib.h>
#include <string.h>

#include "emulate/emulate.h"

#define HOLDS(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

#define PAGE       4096u
#define EXITS_MAX  16u /* More than the device accesses of any one iteration. */
#define REP_MAX    4u

struct input {
	const uint8_t *at;
	size_t left;
};

struct guest {
	uint64_t gpr[16];
	struct input answers;
	bool failed; /* A function has said no: the emulator must come back. */
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

static uint64_t take64(struct input *in)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < 8; i++)
		value = value << 8 | take(in);
	return value;
}

/* 0 to 15: what goes wrong; everything else works. */
static uint8_t answer(struct guest *g)
{
	HOLDS(!g->failed);
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

static enum svm_emul_result fuzz_translate(void *arg, uint64_t linear, uint32_t access,
                                           uint64_t *gpa, struct svm_emul_fault *fault)
{
	struct guest *g = arg;

	HOLDS(access & (SVM_EMUL_READ | SVM_EMUL_WRITE | SVM_EMUL_FETCH));
	*gpa = linear & 0xfffffffffull;
	switch (answer(g)) {
	case 0:
		*fault = (struct svm_emul_fault){ 14, true, 4, linear };
		return fail(g, SVM_EMUL_FAULT);
	case 1:
		return fail(g, SVM_EMUL_RETRY);
	default:
		return SVM_EMUL_OK;
	}
}

static enum svm_emul_result fuzz_read(void *arg, uint64_t gpa, void *data, unsigned size)
{
	struct guest *g = arg;
	const uint8_t what = answer(g);

	check_page(gpa, size);
	if (what == 1)
		return fail(g, SVM_EMUL_RETRY);
	if (what == 2)
		return SVM_EMUL_NOT_RAM;
	for (unsigned i = 0; i < size; i++)
		((uint8_t *)data)[i] = take(&g->answers);
	return SVM_EMUL_OK;
}

static enum svm_emul_result fuzz_write(void *arg, uint64_t gpa, const void *data, unsigned size)
{
	struct guest *g = arg;
	uint8_t copy[SVM_EMUL_DATA_MAX];

	check_page(gpa, size);
	memcpy(copy, data, size); /* Every byte is initialised and readable. */
	switch (answer(g)) {
	case 1:
		return fail(g, SVM_EMUL_RETRY);
	case 2:
		return SVM_EMUL_NOT_RAM;
	default:
		return SVM_EMUL_OK;
	}
}

static enum svm_emul_result fuzz_exchange(void *arg, uint64_t gpa, void *expected,
                                          const void *desired, unsigned size, bool *stored)
{
	struct guest *g = arg;
	const uint8_t what = answer(g);

	check_page(gpa, size);
	HOLDS(size <= 16);
	(void)desired;
	if (what == 1)
		return fail(g, SVM_EMUL_RETRY);
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
	*value = take64(&g->answers);
	if (answer(g) != 1)
		return SVM_EMUL_OK;
	*fault = (struct svm_emul_fault){ 13, true, 0, 0 };
	return fail(g, SVM_EMUL_FAULT);
}

static enum svm_emul_result fuzz_write_register(void *arg, enum svm_emul_register kind,
                                                uint32_t number, uint64_t value,
                                                struct svm_emul_fault *fault)
{
	(void)value;
	return fuzz_read_register(arg, kind, number, &value, fault);
}

static void fuzz_load_segment(void *arg, unsigned number, const struct svm_emul_segment *segment)
{
	struct guest *g = arg;

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

static const struct svm_emul_ops fuzz_ops = {
	.translate = fuzz_translate,
	.ram_read = fuzz_read,
	.ram_write = fuzz_write,
	.ram_exchange = fuzz_exchange,
	.mmio = fuzz_mmio,
	.port = fuzz_port,
	.read_register = fuzz_read_register,
	.write_register = fuzz_write_register,
	.load_segment = fuzz_load_segment,
	.store_segment = fuzz_store_segment,
	.read_vector = fuzz_read_vector,
	.write_vector = fuzz_write_vector,
	.read_mmx = fuzz_read_mmx,
	.write_mmx = fuzz_write_mmx,
	.invalidate = fuzz_invalidate,
};

static struct svm_emul_segment take_segment(struct input *in)
{
	struct svm_emul_segment s;

	s.selector = (uint16_t)(take(in) << 8);
	s.attributes = (uint16_t)((take(in) << 8 | take(in)) & 0xfff);
	s.limit = take(in) & 1 ? 0xffffffff : (uint32_t)take64(in);
	s.base = take(in) & 1 ? 0 : take64(in);
	return s;
}

static void take_state(struct svm_emul *e, struct guest *g, struct input *in)
{
	for (unsigned i = 0; i < 6; i++)
		g->segments[i] = take_segment(in);
	g->table = take_segment(in);
	e->gpr = g->gpr;
	for (unsigned i = 0; i < 16; i++)
		g->gpr[i] = take64(in);
	e->rip = take64(in);
	e->rflags = take64(in);
	e->cr0 = take64(in) | 1;
	e->cr4 = take64(in);
	e->efer = take64(in);
	e->xcr0 = take(in) & 7;
	e->cpl = take(in) & 3;
	e->linear_bits = take(in) & 1 ? 57 : 48;
	e->mode = (enum svm_insn_mode)(take(in) & 3);
	e->class = (enum svm_emul_class)(take(in) % 3);
	e->rep_max = REP_MAX;
	e->segment = g->segments;
	e->ops = &fuzz_ops;
	e->arg = g;
}

static void check_unchanged(const struct svm_emul *before, const uint64_t gpr[16],
                            const struct svm_emul *after)
{
	const bool repeats = after->insn.prefixes & (SVM_INSN_REP | SVM_INSN_REPNE);

	HOLDS(before->rip == after->rip);
	if (repeats && after->insn.length)
		return;
	HOLDS(memcmp(gpr, after->gpr, 16 * sizeof(gpr[0])) == 0);
	HOLDS(((before->rflags ^ after->rflags) & ~UINT64_C(0x10000)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct svm_emul e, before;
	static struct guest g;
	uint64_t gpr[16];
	struct input in = { data, size };

	memset(&e, 0, sizeof(e));
	memset(&g, 0, sizeof(g));
	e.count = SVM_INSN_MAX_LENGTH;
	for (unsigned i = 0; i < SVM_INSN_MAX_LENGTH; i++)
		e.bytes[i] = take(&in);
	take_state(&e, &g, &in);
	g.answers = in;
	for (unsigned exits = 0;; exits++) {
		const uint8_t zeros[SVM_EMUL_DATA_MAX] = { 0 };
		enum svm_emul_result result;

		/* A repeat goes on for as long as the guest's counter says. */
		if (exits == EXITS_MAX) {
			HOLDS(e.insn.prefixes & (SVM_INSN_REP | SVM_INSN_REPNE));
			break;
		}
		g.failed = false;
		before = e;
		memcpy(gpr, g.gpr, sizeof(gpr));
		result = svm_emulate(&e);
		HOLDS(result != SVM_EMUL_NOT_RAM);
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
