/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * #VMEXIT: what is written back, and nothing that the manual does not promise.
 *
 * Undefined fields get a pattern, so that a monitor that reads one sees nonsense rather than what
 * some processor happens to leave there.  EVENTINJ and TLB_CONTROL stay as they are: the monitor
 * has to reset them.  EXITINTINFO without V still has bits set below it.
 * APM vol. 2, 15.6, 15.7.
 */
#include <string.h>

#include "model.h"

#define WRITTEN_BACK                                                                               \
	(SVM_INT_V_TPR | SVM_INT_V_IRQ | SVM_INT_V_GIF | SVM_INT_V_NMI | SVM_INT_V_NMI_MASK)

bool intercepted(const struct cpu *cpu, unsigned int code)
{
	return svm_vmcb_get_intercept(cpu->guest.v, code);
}

void guest_exit(struct cpu *cpu, uint64_t code, uint64_t info_1, uint64_t info_2)
{
	struct guest *g = &cpu->guest;

	if (g->exiting) /* The first one counts: what follows it never happened. */
		return;
	g->exiting = true;
	g->exit_code = code;
	g->info_1 = info_1;
	g->info_2 = info_2;
}

static void store_save(const struct cpu *cpu, struct svm_vmcb_save *to)
{
	const struct guest *g = &cpu->guest;
	struct svm_vmcb_save *from = &g->v->save;

	from->rax = g->gpr[HOSTED_RAX];
	from->rsp = g->gpr[HOSTED_RSP];
	to->_es = from->_es;
	to->_cs = from->_cs;
	to->_ss = from->_ss;
	to->_ds = from->_ds;
	to->_gdtr = from->_gdtr;
	to->_idtr = from->_idtr;
	to->_cpl = from->_cpl;
	to->_efer = from->_efer;
	to->_cr0 = from->_cr0;
	to->_cr2 = from->_cr2;
	to->_cr3 = from->_cr3;
	to->_cr4 = from->_cr4;
	to->_dr6 = from->_dr6;
	to->_dr7 = from->_dr7;
	to->rflags = from->rflags;
	to->rip = from->rip;
	to->rsp = from->rsp;
	to->rax = from->rax;
	to->_g_pat = from->_g_pat;
}

/* Next RIP and instruction bytes, where this processor offers them. */
static void store_assists(const struct cpu *cpu, struct svm_vmcb_control *to)
{
	const struct guest *g = &cpu->guest;

	to->next_rip = cpu->f.svm_edx & SVM_FEATURE_NRIPS ? g->next_rip : POISON;
	if (!(cpu->f.svm_edx & SVM_FEATURE_DECODE_ASSISTS)) {
		to->insn_count = 0x5e;
		memset(to->insn_bytes, 0x5e, sizeof(to->insn_bytes));
		return;
	}
	to->insn_count = g->has_insn ? g->insn_count : 0;
	if (g->has_insn)
		memcpy(to->insn_bytes, g->insn_bytes, sizeof(to->insn_bytes));
}

static void scribble(struct svm_vmcb *memory, struct svm_vmcb *kept)
{
	uint8_t *const bytes = (uint8_t *)&memory->save;

	for (size_t i = 0; i + 8 <= offsetof(struct svm_vmcb_save, reserved_6e8); i += 8)
		memcpy(bytes + i, &(uint64_t){ POISON }, 8);
	kept->save = memory->save;
}

void vmexit_store(struct cpu *cpu, struct svm_vmcb *memory)
{
	struct guest *g = &cpu->guest;
	struct svm_vmcb_control *to = &memory->control;

	store_save(cpu, &memory->save);
	to->_int_control =
		(to->_int_control & ~WRITTEN_BACK) | (g->v->control._int_control & WRITTEN_BACK);
	to->int_state = g->v->control.int_state;
	to->exit_code = g->exit_code;
	to->exit_info_1 = g->info_1;
	to->exit_info_2 = g->info_2;
	to->exit_int_info = g->delivering ? g->delivering : POISON & ~SVM_EVENT_VALID;
	store_assists(cpu, to);
	cpu->cr2 = g->v->save._cr2;
	cpu->dr[6] = g->v->save._dr6;
	if (g->exit_code == SVM_EXIT_SHUTDOWN)
		scribble(memory, g->v);
}

void vmexit_invalid(struct cpu *cpu, struct svm_vmcb *memory)
{
	const bool as_qemu = cpu->m->config.invalid_mode == HOSTED_INVALID_OVERWRITTEN;
	struct svm_vmcb_control *to = &memory->control;

	to->exit_code = as_qemu ? UINT64_C(0xffffffff) : ~UINT64_C(0);
	to->exit_info_1 = POISON;
	to->exit_info_2 = POISON;
	to->exit_int_info = POISON; /* With V set: nothing was in delivery all the same. */
	if (as_qemu)
		memset(&memory->save, 0xee, offsetof(struct svm_vmcb_save, reserved_6e8));
}
