/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events through the guest's IDT, and what becomes of faults on that way.
 *
 * A fault is shown to the exception intercepts before it is merged with the event in delivery;
 * only then the processor makes a #DF or a shutdown of the two (APM vol. 2, 15.12, 8.2.9).  An
 * exit in the middle reports the event in EXITINTINFO and leaves the guest's registers as they
 * were before it.
 */
#include <string.h>

#include "model.h"

static const struct {
	uint8_t vector;
	bool has_error;
	enum svm_exception_class class;
} exceptions[] = {
#define EXCEPTION_ROW(name, vector, has_error, class, text)                                        \
	{ vector, has_error, SVM_EXCEPTION_##class },
	SVM_EXCEPTIONS(EXCEPTION_ROW)
#undef EXCEPTION_ROW
};

static bool pushes_error(unsigned vector)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (exceptions[i].vector == vector)
			return exceptions[i].has_error;
	return false;
}

static enum svm_exception_class class_of(unsigned vector)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (exceptions[i].vector == vector)
			return exceptions[i].class;
	return SVM_EXCEPTION_BENIGN;
}

static uint64_t event_type(uint64_t event)
{
	return svm_bits_get(event, SVM_EVENT_TYPE);
}

static unsigned event_vector(uint64_t event)
{
	if (event_type(event) == SVM_EVENT_TYPE_NMI)
		return SVM_VECTOR_NMI; /* The field is ignored. */
	return (unsigned)svm_bits_get(event, SVM_EVENT_VECTOR);
}

static uint64_t exception_event(unsigned vector, uint32_t error)
{
	uint64_t event = SVM_EVENT_VALID | vector;

	event |= svm_bits_put(SVM_EVENT_TYPE_EXCP, SVM_EVENT_TYPE);
	if (pushes_error(vector))
		event |= SVM_EVENT_ERROR_VALID | (uint64_t)error << 32;
	return event;
}

static void shutdown(struct cpu *cpu)
{
	if (!intercepted(cpu, SVM_EXIT_SHUTDOWN))
		breach(cpu->m, HOSTED_BREACH_MACHINE_LOST, "shutdown without its intercept");
	cpu->guest.delivering = 0;
	guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
}

static void intercept_exception(struct cpu *cpu, unsigned vector, uint32_t error, uint64_t address)
{
	const bool is_trap_with_rip = vector == SVM_VECTOR_BP || vector == SVM_VECTOR_OF;
	uint64_t info_1 = POISON;

	if (pushes_error(vector) && vector != SVM_VECTOR_DF && vector != SVM_VECTOR_TS)
		info_1 = error;
	if (!is_trap_with_rip)
		cpu->guest.next_rip = 0;
	guest_exit(cpu, SVM_EXIT_EXCEPTION + vector, info_1,
	           vector == SVM_VECTOR_PF ? address : POISON);
}

/* Merging by class; true: the pair is a double fault. */
static bool is_double(uint64_t first, unsigned second)
{
	const enum svm_exception_class b = class_of(second);
	enum svm_exception_class a;

	if (event_type(first) != SVM_EVENT_TYPE_EXCP)
		return false;
	a = class_of(event_vector(first));
	if (a == SVM_EXCEPTION_CONTRIBUTORY)
		return b == SVM_EXCEPTION_CONTRIBUTORY;
	return a == SVM_EXCEPTION_PAGE &&
	       (b == SVM_EXCEPTION_PAGE || b == SVM_EXCEPTION_CONTRIBUTORY);
}

void guest_fault(struct cpu *cpu, unsigned int vector, uint32_t error, uint64_t address)
{
	struct guest *g = &cpu->guest;
	const uint64_t first = g->delivering;

	if (g->exiting)
		return;
	if (intercepted(cpu, SVM_EXIT_EXCEPTION + vector)) {
		intercept_exception(cpu, vector, error, address);
		return;
	}
	if (first && event_type(first) == SVM_EVENT_TYPE_EXCP &&
	    event_vector(first) == SVM_VECTOR_DF && class_of(vector) != SVM_EXCEPTION_BENIGN) {
		shutdown(cpu);
		return;
	}
	if (first && is_double(first, vector)) {
		vector = SVM_VECTOR_DF;
		error = 0;
		if (intercepted(cpu, SVM_EXIT_EXCEPTION + vector)) {
			intercept_exception(cpu, vector, error, address);
			return;
		}
	} else if (vector == SVM_VECTOR_PF) {
		g->v->save._cr2 = address;
	}
	guest_deliver(cpu, exception_event(vector, error), g->v->save.rip);
}

/* The way into the handler, put together before any register changes. */
struct frame_plan {
	uint64_t words[6]; /* In the order pushed. */
	unsigned count, width;
	uint64_t rsp, rip;
	struct svm_vmcb_segment cs;
	uint8_t cpl;
	bool changes_stack, clears_if;
};

static bool gate_fault(struct cpu *cpu, uint64_t event, unsigned vector)
{
	const bool external = event_type(event) != SVM_EVENT_TYPE_SOFT;

	guest_fault(cpu, SVM_VECTOR_GP, vector * 8 + 2 + (external ? 1 : 0), 0);
	return false;
}

static bool checks_dpl(uint64_t event)
{
	const unsigned vector = event_vector(event);

	return event_type(event) == SVM_EVENT_TYPE_SOFT ||
	       (event_type(event) == SVM_EVENT_TYPE_EXCP &&
	        (vector == SVM_VECTOR_BP || vector == SVM_VECTOR_OF));
}

static bool read_system(struct cpu *cpu, svm_gva_t gva, void *data, size_t size)
{
	return guest_linear(cpu, gva, data, size,
	                    (struct guest_access){ .prot = SVM_PROT_READ, .system = true });
}

static bool load_code(struct cpu *cpu, uint16_t selector, struct frame_plan *plan)
{
	const struct svm_vmcb_segment *gdtr = &cpu->guest.v->save._gdtr;
	uint64_t d;

	if (!(selector & ~3u) || (selector & ~7u) + 7u > gdtr->limit) {
		guest_fault(cpu, SVM_VECTOR_GP, selector & ~3u, 0);
		return false;
	}
	if (!read_system(cpu, gdtr->base + (selector & ~7u), &d, sizeof(d)))
		return false;
	if (!(d & SVM_BIT(47)) || !(d & SVM_BIT(43))) {
		guest_fault(cpu, d & SVM_BIT(47) ? SVM_VECTOR_GP : SVM_VECTOR_NP, selector & ~3u,
		            0);
		return false;
	}
	plan->cpl = (uint8_t)svm_bits_get(d, SVM_BITS(46, 45));
	plan->cs.selector = (uint16_t)((selector & ~3u) | plan->cpl);
	plan->cs.attributes = (uint16_t)((d >> 40 & 0xff) | (d >> 44 & 0xf00));
	plan->cs.base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000);
	plan->cs.limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));
	if (d & SVM_BIT(55))
		plan->cs.limit = plan->cs.limit << 12 | 0xfff;
	return true;
}

static bool pick_stack(struct cpu *cpu, unsigned ist, struct frame_plan *plan)
{
	struct guest *g = &cpu->guest;

	plan->rsp = g->gpr[HOSTED_RSP];
	plan->changes_stack = ist || plan->cpl < g->v->save._cpl;
	if (plan->changes_stack) {
		const unsigned offset = ist ? 36 + 8 * (ist - 1) : 4u + 8u * plan->cpl;

		if (!read_system(cpu, cpu->vm.tr.base + offset, &plan->rsp, 8))
			return false;
	}
	plan->rsp &= ~UINT64_C(15);
	return true;
}

static bool plan_long(struct cpu *cpu, uint64_t event, uint64_t return_rip, struct frame_plan *plan)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	const unsigned vector = event_vector(event);
	uint64_t gate[2];

	if (vector * 16 + 15 > save->_idtr.limit)
		return gate_fault(cpu, event, vector);
	if (!read_system(cpu, save->_idtr.base + vector * 16, gate, sizeof(gate)))
		return false;
	const uint64_t type = svm_bits_get(gate[0], SVM_BITS(43, 40));

	if ((type != 0xe && type != 0xf) || !(gate[0] & SVM_BIT(47)) ||
	    (checks_dpl(event) && svm_bits_get(gate[0], SVM_BITS(46, 45)) < save->_cpl))
		return gate_fault(cpu, event, vector);
	if (!load_code(cpu, (uint16_t)(gate[0] >> 16), plan) ||
	    !pick_stack(cpu, gate[0] >> 32 & 7, plan))
		return false;
	plan->rip = (gate[0] & 0xffff) | (gate[0] >> 32 & 0xffff0000) | gate[1] << 32;
	plan->clears_if = type == 0xe;
	plan->width = 8;
	plan->words[plan->count++] = save->_ss.selector;
	plan->words[plan->count++] = cpu->guest.gpr[HOSTED_RSP];
	plan->words[plan->count++] = save->rflags;
	plan->words[plan->count++] = save->_cs.selector;
	plan->words[plan->count++] = return_rip;
	return true;
}

static bool plan_protected(struct cpu *cpu, uint64_t event, uint64_t return_rip,
                           struct frame_plan *plan)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	const unsigned vector = event_vector(event);
	uint64_t gate;

	if (vector * 8 + 7 > save->_idtr.limit)
		return gate_fault(cpu, event, vector);
	if (!read_system(cpu, save->_idtr.base + vector * 8, &gate, sizeof(gate)))
		return false;
	const uint64_t type = svm_bits_get(gate, SVM_BITS(43, 40));

	if ((type != 0xe && type != 0xf) || !(gate & SVM_BIT(47)) ||
	    (checks_dpl(event) && svm_bits_get(gate, SVM_BITS(46, 45)) < save->_cpl))
		return gate_fault(cpu, event, vector);
	if (!load_code(cpu, (uint16_t)(gate >> 16), plan))
		return false;
	if (plan->cpl != save->_cpl) {
		breach(cpu->m, HOSTED_BREACH_MODEL, "32-bit delivery to another CPL");
		shutdown(cpu);
		return false;
	}
	plan->rip = (gate & 0xffff) | (gate >> 32 & 0xffff0000);
	plan->clears_if = type == 0xe;
	plan->width = 4;
	plan->rsp = cpu->guest.gpr[HOSTED_RSP];
	plan->words[plan->count++] = save->rflags;
	plan->words[plan->count++] = save->_cs.selector;
	plan->words[plan->count++] = return_rip;
	return true;
}

static bool plan_real(struct cpu *cpu, uint64_t event, uint64_t return_rip, struct frame_plan *plan)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	const unsigned vector = event_vector(event);
	uint16_t entry[2];

	if (vector * 4 + 3 > save->_idtr.limit) {
		guest_fault(cpu, SVM_VECTOR_GP, 0, 0);
		return false;
	}
	if (!read_system(cpu, save->_idtr.base + vector * 4, entry, sizeof(entry)))
		return false;
	plan->cs = save->_cs;
	plan->cs.selector = entry[1];
	plan->cs.base = (uint64_t)entry[1] << 4;
	plan->rip = entry[0];
	plan->clears_if = true;
	plan->width = 2;
	plan->rsp = cpu->guest.gpr[HOSTED_RSP];
	plan->words[plan->count++] = save->rflags;
	plan->words[plan->count++] = save->_cs.selector;
	plan->words[plan->count++] = return_rip;
	return true;
}

static bool push_frame(struct cpu *cpu, struct frame_plan *plan)
{
	const uint64_t base = plan->width == 8 ? 0 : cpu->guest.v->save._ss.base;
	const uint64_t mask = plan->width == 8   ? ~UINT64_C(0)
	                      : plan->width == 4 ? 0xffffffff
	                                         : 0xffff;
	const struct guest_access access = { .prot = SVM_PROT_WRITE, .system = plan->cpl < 3 };

	for (unsigned i = 0; i < plan->count; i++) {
		const uint64_t sp = (plan->rsp - plan->width) & mask;

		if (!guest_linear(cpu, base + sp, &plan->words[i], plan->width, access))
			return false;
		plan->rsp = (plan->rsp & ~mask) | sp;
	}
	return true;
}

static void commit(struct cpu *cpu, const struct frame_plan *plan)
{
	struct svm_vmcb_save *save = &cpu->guest.v->save;

	if (plan->width == 8 && plan->cpl != save->_cpl)
		save->_ss = (struct svm_vmcb_segment){ .selector = plan->cpl };
	save->_cs = plan->cs;
	save->_cpl = plan->cpl;
	save->rip = plan->rip;
	save->rflags &= ~(RFLAGS_TF | RFLAGS_NT | RFLAGS_RF | RFLAGS_VM);
	if (plan->clears_if)
		save->rflags &= ~RFLAGS_IF;
	cpu->guest.gpr[HOSTED_RSP] = plan->rsp;
	cpu->guest.delivering = 0;
	cpu->guest.halted = false;
	cpu->guest.v->control.int_state &= ~SVM_INT_STATE_SHADOW;
}

void guest_deliver(struct cpu *cpu, uint64_t event, uint64_t return_rip)
{
	const struct svm_vmcb_save *save = &cpu->guest.v->save;
	struct frame_plan plan = { .count = 0 };
	bool ok;

	cpu->guest.delivering = event | SVM_EVENT_VALID;
	cpu->guest.diverted = true;
	if (guest_is_long(cpu))
		ok = plan_long(cpu, event, return_rip, &plan);
	else if (save->_cr0 & CR0_PE)
		ok = plan_protected(cpu, event, return_rip, &plan);
	else
		ok = plan_real(cpu, event, return_rip, &plan);
	if (!ok)
		return;
	if ((event & SVM_EVENT_ERROR_VALID) && plan.width > 2)
		plan.words[plan.count++] = event >> 32;
	if (push_frame(cpu, &plan))
		commit(cpu, &plan);
}
