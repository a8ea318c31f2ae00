/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Task switches between 32-bit TSSs.  APM vol. 2, 12.2 to 12.4, 8.2.11.
 *
 * The switch has two halves.  What is wrong with the TSSs is found in the old task.  What is wrong
 * with LDT, segments or stack of the new one is found under its page tables, and is the new
 * task's fault: the switch is then complete but for what could not be loaded.  A device that
 * answers later, or a descriptor that another processor has changed, can still undo it all, so the
 * new page tables are put back until nothing but the fault can come any more.  What has been saved
 * in the old TSS by then is saved again by the next attempt.
 *
 * The busy bits change last, the old one first: an attempt that starts again between the two finds
 * what it expects.
 *
 * Left alone, and so UNKNOWN: 16-bit TSSs on either side.
 */
#include "emulate/far.h"

#define TASK_CR0_TS UINT64_C(0x8)
#define TASK_CR0_PG UINT64_C(0x80000000)
#define TASK_DR6_BT UINT64_C(0x8000)
#define TASK_DR7_L  UINT64_C(0x55) /* L0 to L3 end with the task. */

#define TASK_FLAGS  (FLAGS_ARITHMETIC | FLAG_TF | FLAG_IF | FLAG_DF | FLAG_IOPL | FLAG_NT | \
                     FLAG_RF | FLAG_VM | FLAG_AC | FLAG_VIF | FLAG_VIP | FLAG_ID)

#define TYPE_16    0x1u /* Available; bit 1 makes it busy, bit 3 makes it 32 bits wide. */
#define TYPE_BUSY  0x2u
#define TYPE_32    0x8u
#define TYPE_OF(a) ((a) & 0x1fu) /* S is 0 in all of these. */
#define TYPE_LDT       0x2u

/* A 32-bit TSS in words of 4 bytes: 12.2.4. */
enum {
	TSS_LINK = 0,
	TSS_CR3 = 7,
	TSS_RIP = 8,
	TSS_RFLAGS = 9,
	TSS_GPR = 10,      /* In the processor's order, and so are the segments. */
	TSS_SELECTOR = 18,
	TSS_LDT = 24,
	TSS_TRAP = 25,
	TSS_WORDS = 26,
};
#define TSS_LIMIT (4u * TSS_WORDS - 1)
#define TSS_TRAPS 1u

struct task_change {
	const struct svm_emul_task *task;
	struct svm_emul_segment old_tr, new_tr, old_ldtr, ldtr;
	struct svm_descriptor old, new; /* For their busy bits. */
	struct svm_emul_segment segment[SVM_EMUL_SEGMENTS];
	uint64_t old_cr3, dr7, rsp;
	uint32_t image[TSS_WORDS];
	uint8_t cpl;
};

/* It goes back to the old task: the new one has a link. */
static bool is_nested(const struct svm_emul_task *task)
{
	return task->reason == SVM_EMUL_TASK_CALL || task->reason == SVM_EMUL_TASK_EVENT;
}

/* --- the two TSSs ----------------------------------------------------------------------------- */

/* In parts that fit into one access; data is NULL where only the right to do it is asked for. */
static enum svm_emul_result access_tss(struct svm_emul *e, const struct svm_emul_segment *tr,
                                       unsigned offset, unsigned size, uint32_t access, void *data)
{
	enum svm_emul_result result = SVM_EMUL_OK;
	uint8_t *const bytes = data;

	for (unsigned done = 0; done < size && result == SVM_EMUL_OK; done += SVM_EMUL_DATA_MAX) {
		const unsigned rest = size - done;
		const unsigned part = rest < SVM_EMUL_DATA_MAX ? rest : SVM_EMUL_DATA_MAX;
		struct svm_emul_span span;

		result = svm_emul_prepare_linear(e, (uint32_t)(tr->base + offset + done), part,
		                                 access | SVM_EMUL_SYSTEM, &span);
		if (result != SVM_EMUL_OK || !data)
			continue;
		result = access & SVM_EMUL_WRITE ? svm_emul_store(e, &span, bytes + done)
		                                 : svm_emul_load(e, &span, bytes + done);
	}
	return result;
}

/* A link that leads nowhere is #TS, any other selector #GP. */
static enum svm_emul_result find_new_tss(struct svm_emul *e, struct task_change *c)
{
	const uint16_t selector = c->task->selector;
	const bool is_return = c->task->reason == SVM_EMUL_TASK_IRET;
	const uint8_t vector = is_return ? VECTOR_TS : VECTOR_GP;
	const unsigned wanted = TYPE_16 | (is_return ? TYPE_BUSY : 0);
	enum svm_emul_result result;
	unsigned type;

	if (selector & 4)
		return svm_descriptor_fault(e, vector, selector);
	result = svm_descriptor_read(e, selector, 8, vector, &c->new);
	if (result != SVM_EMUL_OK)
		return result;
	type = TYPE_OF(svm_descriptor_attributes(&c->new));
	if ((type & ~TYPE_32) != wanted)
		return svm_descriptor_fault(e, vector, selector);
	if (!(svm_descriptor_attributes(&c->new) & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_NP, selector);
	if (!(type & TYPE_32))
		return SVM_EMUL_UNKNOWN;
	svm_descriptor_unpack(&c->new, &c->new_tr);
	if (c->new_tr.limit < TSS_LIMIT)
		return svm_descriptor_fault(e, VECTOR_TS, selector);
	return SVM_EMUL_OK;
}

static enum svm_emul_result find_old_tss(struct svm_emul *e, struct task_change *c)
{
	e->ops->store_segment(e->arg, SVM_EMUL_TR, &c->old_tr);
	if (!(c->old_tr.attributes & TYPE_32))
		return SVM_EMUL_UNKNOWN;
	if (c->old_tr.limit < TSS_LIMIT)
		return svm_descriptor_fault(e, VECTOR_TS, c->old_tr.selector);
	if (is_nested(c->task))
		return SVM_EMUL_OK;
	return svm_descriptor_read(e, c->old_tr.selector, 8, VECTOR_TS, &c->old);
}

/* All rights that the first half needs. */
static enum svm_emul_result prepare_tasks(struct svm_emul *e, struct task_change *c)
{
	const uint32_t both = SVM_EMUL_READ | SVM_EMUL_WRITE;
	enum svm_emul_result result =
		access_tss(e, &c->old_tr, 4 * TSS_RIP, 4 * (TSS_LDT - TSS_RIP), both, NULL);

	if (result == SVM_EMUL_OK)
		result = access_tss(e, &c->new_tr, 0, 4 * TSS_WORDS, SVM_EMUL_READ, NULL);
	if (result == SVM_EMUL_OK && is_nested(c->task))
		result = access_tss(e, &c->new_tr, 0, 2, both, NULL);
	if (result == SVM_EMUL_OK && !is_nested(c->task))
		result = svm_descriptor_prepare_clear(e, DESCRIPTOR_BUSY, &c->old);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_prepare_mark(e, DESCRIPTOR_BUSY, &c->new);
	return result;
}

static enum svm_emul_result save_selectors(struct svm_emul *e, const struct task_change *c)
{
	enum svm_emul_result result = SVM_EMUL_OK;

	for (unsigned n = 0; n < SVM_EMUL_SEGMENTS && result == SVM_EMUL_OK; n++) {
		uint16_t selector = e->segment[n].selector;

		result = access_tss(e, &c->old_tr, 4 * (TSS_SELECTOR + n), 2, SVM_EMUL_WRITE,
		                    &selector);
	}
	return result;
}

/* A task that returns is no longer nested when it is called again. */
static enum svm_emul_result save_old_task(struct svm_emul *e, const struct task_change *c)
{
	const bool is_return = c->task->reason == SVM_EMUL_TASK_IRET;
	uint32_t word[TSS_SELECTOR - TSS_RIP] = {
		(uint32_t)c->task->rip,
		(uint32_t)(is_return ? e->rflags & ~FLAG_NT : e->rflags),
	};
	uint16_t link = c->old_tr.selector;
	enum svm_emul_result result;

	for (unsigned n = 0; n < 8; n++)
		word[TSS_GPR - TSS_RIP + n] = (uint32_t)e->gpr[n];
	result = access_tss(e, &c->old_tr, 4 * TSS_RIP, sizeof(word), SVM_EMUL_WRITE, word);
	if (result == SVM_EMUL_OK)
		result = save_selectors(e, c);
	if (result == SVM_EMUL_OK && is_nested(c->task))
		result = access_tss(e, &c->new_tr, 4 * TSS_LINK, 2, SVM_EMUL_WRITE, &link);
	return result;
}

/* --- the new task: its faults ----------------------------------------------------------------- */

static enum svm_emul_result load_task_ldt(struct svm_emul *e, struct task_change *c)
{
	const uint16_t selector = (uint16_t)c->image[TSS_LDT];
	enum svm_emul_result result = SVM_EMUL_OK;
	struct svm_descriptor d;
	unsigned attributes;

	c->ldtr = (struct svm_emul_segment){ .selector = selector };
	e->ops->load_segment(e->arg, SVM_EMUL_LDTR, &c->ldtr);
	if (svm_is_null_selector(selector))
		return SVM_EMUL_OK;
	if (selector & 4)
		return svm_descriptor_fault(e, VECTOR_TS, selector);
	result = svm_descriptor_read(e, selector, 8, VECTOR_TS, &d);
	if (result != SVM_EMUL_OK)
		return result;
	attributes = svm_descriptor_attributes(&d);
	if (TYPE_OF(attributes) != TYPE_LDT || !(attributes & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_TS, selector);
	svm_descriptor_unpack(&d, &c->ldtr);
	e->ops->load_segment(e->arg, SVM_EMUL_LDTR, &c->ldtr);
	return SVM_EMUL_OK;
}

static enum svm_emul_result judge_task_code(struct svm_emul *e, const struct svm_descriptor *d)
{
	const unsigned type = svm_descriptor_attributes(d), dpl = svm_descriptor_dpl(d);
	const bool is_allowed = type & DESCRIPTOR_CONFORMING ? dpl <= e->cpl : dpl == e->cpl;

	if (!(type & DESCRIPTOR_S) || !(type & DESCRIPTOR_CODE) || !is_allowed)
		return svm_descriptor_fault(e, VECTOR_TS, d->selector);
	if (!(type & DESCRIPTOR_P))
		return svm_descriptor_fault(e, VECTOR_NP, d->selector);
	return SVM_EMUL_OK;
}

static enum svm_emul_result judge_task_segment(struct svm_emul *e, unsigned n,
                                               const struct svm_descriptor *d)
{
	if (n == SVM_EMUL_CS)
		return judge_task_code(e, d);
	if (n == SVM_EMUL_SS)
		return svm_descriptor_judge_stack(e, e->cpl, VECTOR_TS, d);
	return svm_descriptor_judge_data(e, VECTOR_TS, d);
}

static enum svm_emul_result load_task_segment(struct svm_emul *e, struct task_change *c, unsigned n)
{
	const uint16_t selector = c->segment[n].selector;
	enum svm_emul_result result;
	struct svm_descriptor d;

	if (svm_is_null_selector(selector)) {
		if (n == SVM_EMUL_CS || n == SVM_EMUL_SS)
			return svm_emul_raise_error(e, VECTOR_TS, 0);
		return SVM_EMUL_OK;
	}
	result = svm_descriptor_read(e, selector, 8, VECTOR_TS, &d);
	if (result == SVM_EMUL_OK)
		result = judge_task_segment(e, n, &d);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_prepare_mark(e, DESCRIPTOR_ACCESSED, &d);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_mark(e, &d);
	if (result == SVM_EMUL_OK)
		svm_descriptor_unpack(&d, &c->segment[n]);
	return result;
}

/* Until they are loaded, segments are there by name alone. */
static void name_task_segments(struct task_change *c)
{
	const bool is_virtual = c->image[TSS_RFLAGS] & FLAG_VM;

	c->cpl = is_virtual ? 3 : c->image[TSS_SELECTOR + SVM_EMUL_CS] & 3;
	for (unsigned n = 0; n < SVM_EMUL_SEGMENTS; n++) {
		const uint16_t selector = (uint16_t)c->image[TSS_SELECTOR + n];
		const bool has_dpl = n == SVM_EMUL_CS || n == SVM_EMUL_SS;

		c->segment[n] = (struct svm_emul_segment){
			.selector = selector,
			.attributes = (uint16_t)(has_dpl ? c->cpl << 5 : 0),
		};
		if (is_virtual)
			c->segment[n] = svm_far_virtual_segment(selector);
	}
}

static enum svm_emul_result load_task_segments(struct svm_emul *e, struct task_change *c)
{
	static const uint8_t order[] = { SVM_EMUL_CS, SVM_EMUL_SS, SVM_EMUL_ES,
		                         SVM_EMUL_DS, SVM_EMUL_FS, SVM_EMUL_GS };
	enum svm_emul_result result = SVM_EMUL_OK;

	if (c->image[TSS_RFLAGS] & FLAG_VM)
		return SVM_EMUL_OK;
	for (size_t i = 0; i < sizeof(order) && result == SVM_EMUL_OK; i++)
		result = load_task_segment(e, c, order[i]);
	return result;
}

/* The error code of the event that led here; a 32-bit TSS gets 32 bits. */
static enum svm_emul_result push_task_error(struct svm_emul *e, struct task_change *c)
{
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t rsp;

	if (!c->task->has_error)
		return SVM_EMUL_OK;
	result = svm_emul_prepare_push(e, 4, &rsp, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &span, c->task->error);
	if (result == SVM_EMUL_OK)
		c->rsp = rsp;
	return result;
}

/* As the new task sees it: with its CPL, its segments and its stack pointer. */
static enum svm_emul_result load_new_task(struct svm_emul *e, struct task_change *c)
{
	const struct svm_emul_segment *const segment = e->segment;
	const uint64_t rsp = e->gpr[SVM_EMUL_RSP];
	const enum svm_insn_mode mode = e->mode;
	const uint8_t cpl = e->cpl;
	enum svm_emul_result result;

	name_task_segments(c);
	c->rsp = c->image[TSS_GPR + SVM_EMUL_RSP];
	e->segment = c->segment;
	e->gpr[SVM_EMUL_RSP] = c->rsp;
	e->cpl = c->cpl;
	result = load_task_ldt(e, c);
	if (result == SVM_EMUL_OK)
		result = load_task_segments(e, c);
	e->mode = svm_far_mode(e, &c->segment[SVM_EMUL_CS]);
	if (c->image[TSS_RFLAGS] & FLAG_VM)
		e->mode = SVM_INSN_MODE_REAL;
	if (result == SVM_EMUL_OK)
		result = push_task_error(e, c);
	if (result == SVM_EMUL_OK && c->image[TSS_RIP] > c->segment[SVM_EMUL_CS].limit)
		result = svm_emul_raise_error(e, VECTOR_GP, 0);
	e->segment = segment;
	e->gpr[SVM_EMUL_RSP] = rsp;
	e->mode = mode;
	e->cpl = cpl;
	return result;
}

/* --- from one to the other -------------------------------------------------------------------- */

static enum svm_emul_result task_register(struct svm_emul *e, enum svm_emul_register kind,
                                          uint32_t number, uint64_t value)
{
	return e->ops->write_register(e->arg, kind, number, value, &e->fault);
}

/* What the switch has changed before it was certain. */
static void return_to_old_task(struct svm_emul *e, const struct task_change *c)
{
	e->ops->load_segment(e->arg, SVM_EMUL_LDTR, &c->old_ldtr);
	if (e->cr0 & TASK_CR0_PG)
		(void)task_register(e, SVM_EMUL_CR, 3, c->old_cr3);
	(void)task_register(e, SVM_EMUL_CR, 0, e->cr0);
}

/* OK or FAULT: the switch is certain.  What is neither leaves the old task as it was. */
static enum svm_emul_result enter_new_task(struct svm_emul *e, struct task_change *c)
{
	enum svm_emul_result result = task_register(e, SVM_EMUL_CR, 0, e->cr0 | TASK_CR0_TS);
	enum svm_emul_result verdict = SVM_EMUL_OK;

	if (result != SVM_EMUL_OK)
		return result;
	e->ops->store_segment(e->arg, SVM_EMUL_LDTR, &c->old_ldtr);
	if (e->cr0 & TASK_CR0_PG)
		result = task_register(e, SVM_EMUL_CR, 3, c->image[TSS_CR3]);
	if (result == SVM_EMUL_OK)
		verdict = load_new_task(e, c);
	if (result == SVM_EMUL_OK && verdict != SVM_EMUL_FAULT)
		result = verdict;
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_mark(e, &c->old);
	if (result == SVM_EMUL_OK)
		result = svm_descriptor_mark(e, &c->new);
	if (result != SVM_EMUL_OK) {
		return_to_old_task(e, c);
		return result;
	}
	/* What succeeds leaves e->fault alone: it is still the verdict's. */
	e->task_switched = true;
	return verdict;
}

static void take_new_task(struct svm_emul *e, struct task_change *c)
{
	const uint64_t rflags = c->image[TSS_RFLAGS] & TASK_FLAGS;

	c->new_tr.attributes |= TYPE_BUSY;
	e->ops->load_segment(e->arg, SVM_EMUL_TR, &c->new_tr);
	e->cpl = c->cpl;
	for (unsigned n = 0; n < SVM_EMUL_SEGMENTS; n++)
		e->ops->load_segment(e->arg, n, &c->segment[n]);
	for (unsigned n = 0; n < 8; n++)
		e->gpr[n] = c->image[TSS_GPR + n];
	e->gpr[SVM_EMUL_RSP] = c->rsp;
	e->rip = c->image[TSS_RIP];
	e->rflags = rflags | 2 | (is_nested(c->task) ? FLAG_NT : 0);
	e->keeps_rf = true;
	if (c->dr7 & TASK_DR7_L)
		(void)task_register(e, SVM_EMUL_DR, 7, c->dr7 & ~TASK_DR7_L);
}

/* The trap comes before the task's first instruction. */
static enum svm_emul_result task_trap(struct svm_emul *e)
{
	uint64_t dr6 = 0;

	if (e->ops->read_register(e->arg, SVM_EMUL_DR, 6, &dr6, &e->fault) == SVM_EMUL_OK)
		(void)task_register(e, SVM_EMUL_DR, 6, dr6 | TASK_DR6_BT);
	return svm_emul_raise(e, VECTOR_DB);
}

static enum svm_emul_result read_old_registers(struct svm_emul *e, struct task_change *c)
{
	enum svm_emul_result result;

	if (!e->ops->read_register || !e->ops->write_register || !e->ops->load_segment ||
	    !e->ops->store_segment || svm_emul_in_long_mode(e))
		return SVM_EMUL_UNKNOWN;
	result = e->ops->read_register(e->arg, SVM_EMUL_DR, 7, &c->dr7, &e->fault);
	if (result == SVM_EMUL_OK)
		result = e->ops->read_register(e->arg, SVM_EMUL_CR, 3, &c->old_cr3, &e->fault);
	return result;
}

static enum svm_emul_result switch_tasks(struct svm_emul *e, struct task_change *c)
{
	enum svm_emul_result result = read_old_registers(e, c);

	if (result == SVM_EMUL_OK)
		result = find_new_tss(e, c);
	if (result == SVM_EMUL_OK)
		result = find_old_tss(e, c);
	if (result == SVM_EMUL_OK)
		result = prepare_tasks(e, c);
	if (result == SVM_EMUL_OK)
		result = save_old_task(e, c);
	if (result == SVM_EMUL_OK)
		result = access_tss(e, &c->new_tr, 0, sizeof(c->image), SVM_EMUL_READ, c->image);
	return result == SVM_EMUL_OK ? enter_new_task(e, c) : result;
}

enum svm_emul_result svm_emul_task_switch(struct svm_emul *e, const struct svm_emul_task *task)
{
	struct task_change c = { .task = task };
	enum svm_emul_result result;

	e->task_switched = false;
	result = switch_tasks(e, &c);
	if (result == SVM_EMUL_FAULT && task->is_external && svm_names_selector(e->fault.vector))
		e->fault.error |= SVM_ERROR_EXT;
	if (!e->task_switched)
		return result;
	take_new_task(e, &c);
	if (result == SVM_EMUL_OK && (c.image[TSS_TRAP] & TSS_TRAPS))
		return task_trap(e);
	return result;
}

/* --- what instructions lead to ---------------------------------------------------------------- */

enum svm_emul_result svm_exec_task(struct svm_emul *e, uint16_t selector,
                                   enum svm_emul_task_reason reason)
{
	const struct svm_emul_task task = {
		.selector = selector,
		.reason = (uint8_t)reason,
		.rip = svm_emul_rip_after(e),
		.is_external = e->insn.kind == SVM_INSN_INT1,
	};

	return svm_emul_task_switch(e, &task);
}

/* IRET with NT set: the link of the present TSS. */
enum svm_emul_result svm_exec_task_return(struct svm_emul *e)
{
	struct svm_emul_segment tr;
	enum svm_emul_result result;
	uint16_t link = 0;

	e->ops->store_segment(e->arg, SVM_EMUL_TR, &tr);
	if (tr.limit < TSS_LIMIT)
		return svm_descriptor_fault(e, VECTOR_TS, tr.selector);
	result = access_tss(e, &tr, 4 * TSS_LINK, 2, SVM_EMUL_READ, &link);
	return result == SVM_EMUL_OK ? svm_exec_task(e, link, SVM_EMUL_TASK_IRET) : result;
}
