/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * INT n, INT3, ICEBP, each with an intercept of its own (15.13, 15.14), and PAUSE with its filter.
 */
#include "model.h"

void guest_soft_interrupt(struct cpu *cpu, const struct guest_insn *insn)
{
	const bool assists = cpu->f.svm_edx & SVM_FEATURE_DECODE_ASSISTS;
	const uint64_t next = cpu->guest.v->save.rip + insn->length;

	switch (insn->opcode) {
	case 0xcd:
		if (!guest_intercept(cpu, insn, SVM_EXIT_INTN, assists ? insn->imm : POISON,
		                     POISON))
			guest_deliver(cpu,
			              insn->imm | svm_bits_put(SVM_EVENT_TYPE_SOFT, SVM_EVENT_TYPE),
			              next);
		break;
	case 0xcc:
		if (!guest_intercept(cpu, insn, SVM_EXIT_EXCEPTION + SVM_VECTOR_BP, POISON, POISON))
			guest_deliver(cpu,
			              SVM_VECTOR_BP |
			                      svm_bits_put(SVM_EVENT_TYPE_EXCP, SVM_EVENT_TYPE),
			              next);
		break;
	default: /* ICEBP: its own intercept; exception intercepts do not see it. */
		if (!guest_intercept(cpu, insn, SVM_EXIT_ICEBP, POISON, POISON))
			guest_deliver(cpu,
			              SVM_VECTOR_DB |
			                      svm_bits_put(SVM_EVENT_TYPE_EXCP, SVM_EVENT_TYPE),
			              next);
		break;
	}
}

void guest_pause(struct cpu *cpu, const struct guest_insn *insn)
{
	struct guest *g = &cpu->guest;
	const uint16_t count = g->v->control._pause_filter_count;
	const uint16_t threshold = g->v->control._pause_filter_threshold;
	const uint64_t now = cpu->counts.instructions;

	if (!(cpu->f.svm_edx & SVM_FEATURE_PAUSE_FILTER)) {
		if (!guest_intercept(cpu, insn, SVM_EXIT_PAUSE, POISON, POISON))
			guest_advance(cpu, insn);
		return;
	}
	/* One instruction counts as ten cycles. */
	if ((cpu->f.svm_edx & SVM_FEATURE_PAUSE_THRESHOLD) && threshold &&
	    (now - g->pause_stamp) * 10 > threshold)
		g->pause_left = count;
	g->pause_stamp = now;
	if (g->pause_left == 0 && guest_intercept(cpu, insn, SVM_EXIT_PAUSE, POISON, POISON))
		return;
	g->pause_left -= g->pause_left != 0;
	guest_advance(cpu, insn);
}
