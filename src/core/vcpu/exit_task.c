/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Task switches.  APM vol. 2, 12.3, 15.14.1.
 *
 * The processor exits before it has changed anything, and the emulator makes the switch in its
 * place.  An event that led here through a task gate is delivered by the switch: it must not be
 * injected again.  An instruction goes on behind itself when its task comes back, an interrupted
 * one where it was; which of the two it is, the bytes have to confirm, since another vCPU may have
 * rewritten them.
 */
#include "core/features.h"
#include "core/vcpu/emulation.h"

#define TASK_BY_IRET   SVM_BIT(36)
#define TASK_BY_JUMP   SVM_BIT(38)
#define TASK_HAS_ERROR SVM_BIT(44)

static enum svm_action task_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t info = vcpu->vmcb->control.exit_info_2;

	svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_TASK_SWITCH, SVM_OWED_EVENT, 0);
	exit->task.selector = (uint16_t)vcpu->vmcb->control.exit_info_1;
	exit->task.is_iret = info & TASK_BY_IRET;
	exit->task.is_jump = info & TASK_BY_JUMP;
	exit->task.has_error = info & TASK_HAS_ERROR;
	exit->task.error = (uint32_t)info;
	return SVM_ACTION_RETURN;
}

static enum svm_emul_task_reason reason_of(const struct svm_vmcb_control *control)
{
	if (control->exit_info_2 & TASK_BY_IRET)
		return SVM_EMUL_TASK_IRET;
	if (control->exit_info_2 & TASK_BY_JUMP)
		return SVM_EMUL_TASK_JMP;
	if (control->exit_int_info & SVM_EVENT_VALID)
		return SVM_EMUL_TASK_EVENT;
	return SVM_EMUL_TASK_CALL;
}

/* JMP and CALL by pointer in the code, or in memory: FF /5 and FF /3. */
static bool is_far_branch(const struct svm_exit_decoded *insn, uint8_t direct, unsigned sub)
{
	return insn->opcode == direct || (insn->opcode == 0xff && (insn->modrm >> 3 & 7u) == sub);
}

static bool fits_reason(const struct svm_exit_decoded *insn, enum svm_emul_task_reason reason)
{
	if (!insn->valid || insn->map != SVM_OPCODE_PRIMARY)
		return false;
	switch (reason) {
	case SVM_EMUL_TASK_IRET:
		return insn->opcode == 0xcf;
	case SVM_EMUL_TASK_JMP:
		return is_far_branch(insn, 0xea, 5);
	case SVM_EMUL_TASK_CALL:
		return is_far_branch(insn, 0x9a, 3);
	case SVM_EMUL_TASK_EVENT:
		break;
	}
	return insn->opcode >= 0xcc && insn->opcode <= 0xce; /* INT3, INT n, INTO. */
}

/* RIP behind the instruction that switches; false if it is another one by now. */
static bool find_rip_behind(struct svm_vcpu *vcpu, struct svm_exit *exit,
                            struct svm_emul_task *task)
{
	*exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_NONE };
	svm_emulation_describe(vcpu, exit);
	task->rip = svm_vcpu_wrap_rip(vcpu, vcpu->vmcb->save.rip + exit->insn_len);
	return fits_reason(&exit->decoded, (enum svm_emul_task_reason)task->reason);
}

/* What the processor was delivering is kept for injection, unless it is the guest's own INT n. */
static void describe_event(struct svm_vcpu *vcpu, struct svm_emul_task *task)
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;
	const uint64_t event = vcpu->events.reinject;

	task->rip = vcpu->vmcb->save.rip;
	task->is_external = true;
	task->has_error = control->exit_info_2 & TASK_HAS_ERROR;
	task->error = (uint32_t)control->exit_info_2;
	if (svm_bits_get(event, SVM_EVENT_TYPE) == SVM_EVENT_TYPE_EXCP &&
	    svm_exception_is_fault((uint8_t)(event & SVM_EVENT_VECTOR)))
		vcpu->vmcb->save.rflags |= RFLAGS_RF; /* As the old TSS will hold them. */
}

/* The event is delivered, the instruction done: nothing is left of the old task. */
static void begin_task(struct svm_vcpu *vcpu)
{
	vcpu->events.reinject = 0;
	vcpu->vmcb->control.int_state &= ~SVM_INT_STATE_SHADOW;
	svm_events_end_step(vcpu);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

enum svm_action svm_exit_task_switch(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	struct svm_emul_task task = {
		.selector = (uint16_t)vcpu->vmcb->control.exit_info_1,
		.reason = (uint8_t)reason_of(&vcpu->vmcb->control),
	};
	enum svm_emul_result result;

	if (svm_vcpu_debugger_wants(vcpu, SVM_EXIT_TASK_SWITCH))
		return task_to_embedder(vcpu, exit);
	if (task.reason == SVM_EMUL_TASK_EVENT && vcpu->events.reinject)
		describe_event(vcpu, &task);
	else if (!find_rip_behind(vcpu, exit, &task))
		return SVM_ACTION_RESUME;
	result = svm_emulation_switch_task(vcpu, &task);
	if (vcpu->emul.task_switched)
		begin_task(vcpu);
	switch (result) {
	case SVM_EMUL_FAULT:
		svm_emulation_raise(vcpu);
		return SVM_ACTION_RESUME;
	case SVM_EMUL_ABSENT: /* The processor comes to the switch again. */
		return svm_emulation_wait(vcpu, exit);
	case SVM_EMUL_OK:
	case SVM_EMUL_RETRY:
		/* As much work as all the turns after which the run loop asks. */
		return svm_exit_look_at_host(vcpu, exit);
	default:
		return task_to_embedder(vcpu, exit);
	}
}
