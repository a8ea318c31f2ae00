/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From an exit to the emulator and from its verdict to the guest or the embedder.
 *
 * What may be executed is bounded by the exit: after IOIO only IN and OUT, after a nested fault
 * only an instruction that touches the page of the fault.  Another vCPU can rewrite code and page
 * tables between the exit and our look at them; the guest then just runs again and exits for what
 * is there now.
 *
 * An access that the embedder answers ends the run.  Its answer goes into the emulator's log, and
 * the next run starts the instruction again before it enters the guest (see emulate.h).
 */
#include "core/vcpu/emulation.h"
#include "core/features.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/insn_length.h"

/* --- registers -------------------------------------------------------------------------------- */

_Static_assert(sizeof(struct svm_emul_segment) == sizeof(struct svm_vmcb_segment),
               "the emulator reads segments in place");
_Static_assert(offsetof(struct svm_vmcb_save, gs) ==
                       offsetof(struct svm_vmcb_save, _es) +
                               SVM_EMUL_GS * sizeof(struct svm_vmcb_segment),
               "ES to GS follow each other");

static enum svm_insn_mode insn_mode_of(const struct svm_vcpu *vcpu)
{
	if (!(svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PE) || (vcpu->vmcb->save.rflags & RFLAGS_VM))
		return SVM_INSN_MODE_REAL;
	switch (svm_vcpu_code_bits(vcpu)) {
	case 64:
		return SVM_INSN_MODE_64;
	case 32:
		return SVM_INSN_MODE_32;
	default:
		return SVM_INSN_MODE_16;
	}
}

static void load_emulator_registers(struct svm_vcpu *vcpu)
{
	struct svm_emul *e = &vcpu->emul;
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	svm_emulation_lend(vcpu);
	e->gpr = vcpu->s.gpr;
	e->rip = vmcb->save.rip;
	/* In place: the six lie in the VMCB in the processor's order, and only for reading. */
	e->segment = (const void *)&vmcb->save._es;
	e->ops = &svm_emulation_ops;
	e->arg = vcpu;
	e->cache = &vcpu->insn_cache;
	e->rflags = svm_events_rflags(vcpu);
	e->cr0 = svm_vmcb_get_cr0(vmcb);
	e->cr4 = svm_vmcb_get_cr4(vmcb);
	e->efer = svm_vmcb_get_efer(vmcb);
	e->xcr0 = vcpu->s.guest_xcr0;
	e->cpl = svm_vmcb_get_cpl(vmcb);
	e->linear_bits = e->cr4 & CR4_LA57 ? 57 : 48;
	e->in_vm86 = e->rflags & RFLAGS_VM;
	e->mode = insn_mode_of(vcpu);
	e->count = vcpu->emul_fetched;
	vcpu->emul_fetched = 0;
}

static void store_emulator_registers(struct svm_vcpu *vcpu)
{
	const struct svm_emul *e = &vcpu->emul;

	svm_emulation_take_back(vcpu);
	svm_events_set_rflags(vcpu, e->rflags);
	if (e->cpl != svm_vmcb_get_cpl(vcpu->vmcb))
		svm_vmcb_set_cpl(vcpu->vmcb, e->cpl);
	/* The new task's, also where it begins with a fault. */
	if (e->task_switched)
		vcpu->vmcb->save.rip = e->rip;
}

/* --- outcomes --------------------------------------------------------------------------------- */

void svm_emulation_raise(struct svm_vcpu *vcpu)
{
	const struct svm_emul_fault *fault = &vcpu->emul.fault;

	if (fault->vector == SVM_VECTOR_PF)
		svm_vmcb_set_cr2(vcpu->vmcb, fault->address);
	if (fault->vector == SVM_VECTOR_DB)
		svm_events_trap(vcpu);
	else
		svm_events_raise(vcpu, fault->vector, fault->error);
}

/*
 * TF traps as it was before the instruction (APM vol. 2, 13.1.4), between two iterations too, but
 * not into the shadow of a new stack segment.
 */
static void complete_emulation(struct svm_vcpu *vcpu, bool stepped)
{
	const struct svm_emul *e = &vcpu->emul;

	if (e->rep_goes_on && !stepped)
		return;
	if (e->sets_shadow && e->insn.kind != SVM_INSN_STI)
		stepped = false;
	svm_vcpu_retire(vcpu, e->rip, stepped);
	if (e->keeps_rf)
		vcpu->vmcb->save.rflags |= e->rflags & RFLAGS_RF;
	if (e->sets_shadow)
		vcpu->vmcb->control.int_state |= SVM_INT_STATE_SHADOW;
}

/* Beside the device that it touches, the instruction touches what is nobody's. */
static enum svm_action touch_of_nothing(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_emul_access access = vcpu->emul.pending;
	uint8_t byte;

	svm_emul_forget(&vcpu->emul);
	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_NPT_FAULT);
	exit->npt.gpa = access.address;
	exit->npt.access = access.is_write ? SVM_PROT_WRITE : SVM_PROT_READ;
	exit->npt.reason = svm_vm_read(vcpu->vm, access.address, &byte, 1, NULL)
	                           ? SVM_NPT_FAULT_ABSENT
	                           : SVM_NPT_FAULT_RIGHTS;
	return SVM_ACTION_RETURN;
}

/*
 * Guest memory that is not there now: the embedder pages it in, and the instruction starts again
 * with what it has got from devices so far.
 */
enum svm_action svm_emulation_wait(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_NPT_FAULT);
	exit->npt.gpa = vcpu->absent_gpa;
	exit->npt.access = vcpu->absent_access;
	exit->npt.reason = SVM_NPT_FAULT_AGAIN;
	if (vcpu->emul.log_count)
		exit->flags = 0; /* Part of the instruction is done, which no register shows. */
	return SVM_ACTION_RETURN;
}

static enum svm_action emulation_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_emul_access *access = &vcpu->emul.pending;
	const bool is_port = access->kind == SVM_EMUL_PENDING_PORT;

	if (!is_port && !(vcpu->vm->want & SVM_WANT_MMIO) &&
	    !svm_vcpu_find_mmio(vcpu, access->address, access->size))
		return touch_of_nothing(vcpu, exit);
	svm_exit_owe(vcpu, exit, is_port ? SVM_EXIT_KIND_IO : SVM_EXIT_KIND_MMIO,
	             SVM_OWED_EMULATION, 0);
	exit->insn_len = vcpu->emul.insn.length;
	exit->insn_count = vcpu->emul.insn.length;
	memcpy(exit->insn, vcpu->emul.bytes, sizeof(exit->insn));
	if (is_port) {
		exit->io.port = (uint16_t)access->address;
		exit->io.size = access->size;
		exit->io.is_in = !access->is_write;
		exit->io.value = 0;
		if (access->is_write)
			memcpy(&exit->io.value, access->data, sizeof(exit->io.value));
	} else {
		exit->mmio.gpa = access->address;
		exit->mmio.size = access->size;
		exit->mmio.is_write = access->is_write;
		memset(exit->mmio.data, 0, sizeof(exit->mmio.data));
		if (access->is_write)
			memcpy(exit->mmio.data, access->data, access->size);
	}
	return SVM_ACTION_RETURN;
}

_Static_assert((unsigned)SVM_OPCODE_XOPA == (unsigned)SVM_INSN_MAP_XOPA, "one order of maps");
_Static_assert(SVM_PREFIX_REX == SVM_INSN_REX, "one order of prefixes");

static void describe(struct svm_exit *exit, const struct svm_insn *insn)
{
	exit->decoded = (struct svm_exit_decoded){
		.valid = true,
		.map = insn->map,
		.opcode = insn->opcode,
		.has_modrm = insn->has_modrm,
		.modrm = insn->modrm,
		.prefixes = insn->prefixes,
		.rex = insn->rex,
		.operand_width = insn->operand_width,
		.address_width = insn->address_width,
	};
}

void svm_emulation_describe(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	struct svm_insn insn;

	exit->insn_count = (uint8_t)svm_vcpu_fetch(vcpu, exit->insn);
	if (svm_insn_decode(insn_mode_of(vcpu), exit->insn, exit->insn_count, &insn) != SVM_INSN_OK)
		return;
	exit->insn_len = insn.length;
	describe(exit, &insn);
}

static enum svm_action unknown_instruction(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_emul *e = &vcpu->emul;
	const enum svm_exit_kind kind =
		vcpu->emul_cr0_wanted ? SVM_EXIT_KIND_CR : SVM_EXIT_KIND_EMULATION;

	svm_exit_owe(vcpu, exit, kind, SVM_OWED_SKIP,
	             e->insn.length ? svm_emul_rip_after(e) : 0);
	exit->insn_count = e->count;
	memcpy(exit->insn, e->bytes, sizeof(exit->insn));
	if (e->insn.length)
		describe(exit, &e->insn);
	if (kind == SVM_EXIT_KIND_CR) {
		exit->reg.number = 0;
		exit->reg.is_write = true;
		exit->reg.value = vcpu->emul_cr0;
	}
	return SVM_ACTION_RETURN;
}

/*
 * After a release any instruction may be executed, but it has to be the one that exited: fetched
 * once, here.  CLTS, LMSW and SMSW are not in the scan's tables.
 */
static bool is_still_released(struct svm_vcpu *vcpu)
{
	const uint64_t code = vcpu->vmcb->control.exit_code;
	struct svm_emul *e = &vcpu->emul;
	struct svm_insn_scan scan;

	e->class = SVM_EMUL_ANY;
	e->count = (uint8_t)svm_vcpu_fetch(vcpu, e->bytes);
	if (code == SVM_EXIT_EXCEPTION + SVM_VECTOR_UD ||
	    svm_insn_scan(e->bytes, e->count, svm_vcpu_code_bits(vcpu), code, &scan))
		return true;
	e->class = SVM_EMUL_STATUS_WORD;
	return code == SVM_EXIT_CR_READ || code == SVM_EXIT_CR_WRITE;
}

static enum svm_action emulate_part(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const bool stepped = svm_events_traps(vcpu);
	enum svm_emul_result result;

	vcpu->emul_cr0_wanted = false;
	load_emulator_registers(vcpu);
	if (vcpu->emul_released && !is_still_released(vcpu))
		return SVM_ACTION_RESUME;
	result = svm_emulate(&vcpu->emul);
	/* A repeat commits whole iterations, whatever the last one came to. */
	store_emulator_registers(vcpu);
	switch (result) {
	case SVM_EMUL_OK:
		complete_emulation(vcpu, stepped);
		return SVM_ACTION_RESUME;
	case SVM_EMUL_FAULT:
		svm_emulation_raise(vcpu);
		return SVM_ACTION_RESUME;
	case SVM_EMUL_EXIT:
		return emulation_to_embedder(vcpu, exit);
	case SVM_EMUL_ABSENT:
		vcpu->emulating = true;
		return svm_emulation_wait(vcpu, exit);
	case SVM_EMUL_RETRY:
	case SVM_EMUL_NOT_RAM:
		/* If the page tables were rewritten, the processor still used the old ones. */
		vcpu->flush = true;
		return SVM_ACTION_RESUME;
	case SVM_EMUL_UNKNOWN:
		break;
	}
	return unknown_instruction(vcpu, exit);
}

/* As many iterations of a repeated instruction are more work than any other exit. */
#define REPEAT_WITHOUT_A_LOOK 16u

static enum svm_action emulate_instruction(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t count = vcpu->s.gpr[SVM_EMUL_RCX];
	const enum svm_action action = emulate_part(vcpu, exit);

	if (action != SVM_ACTION_RESUME ||
	    !(vcpu->emul.insn.prefixes & (SVM_INSN_REP | SVM_INSN_REPNE)) ||
	    count - vcpu->s.gpr[SVM_EMUL_RCX] < REPEAT_WITHOUT_A_LOOK)
		return action;
	return svm_exit_look_at_host(vcpu, exit);
}

enum svm_action svm_emulation_run(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                  enum svm_emul_class class)
{
	enum svm_action action;

	vcpu->emul_released = false;
	vcpu->emul.class = class;
	vcpu->emul.wanted_gpa = vcpu->vmcb->control.exit_info_2;
	vcpu->emul.wanted_access = vcpu->vmcb->control.exit_info_1 & SVM_NPF_WRITE
	                                   ? SVM_EMUL_WRITE
	                                   : SVM_EMUL_READ;
	svm_emul_forget(&vcpu->emul);
	action = emulate_instruction(vcpu, exit);
	vcpu->declined = false;
	return action;
}

enum svm_action svm_emulation_continue(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	vcpu->emulating = false;
	return emulate_instruction(vcpu, exit);
}

void svm_emulation_answer(struct svm_vcpu *vcpu, const void *data)
{
	svm_emul_answer(&vcpu->emul, data);
	vcpu->emulating = true;
}

void svm_emulation_release(struct svm_vcpu *vcpu)
{
	svm_emul_forget(&vcpu->emul);
	vcpu->emul_released = true;
	vcpu->emulating = true;
}

enum svm_emul_result svm_emulation_switch_task(struct svm_vcpu *vcpu,
                                               const struct svm_emul_task *task)
{
	struct svm_emul *e = &vcpu->emul;
	enum svm_emul_result result;

	load_emulator_registers(vcpu);
	svm_emul_forget(e);
	e->class = SVM_EMUL_ANY;
	e->insn.kind = SVM_INSN_OTHER;
	result = svm_emul_task_switch(e, task);
	svm_emul_forget(e);
	if (e->task_switched)
		store_emulator_registers(vcpu);
	return result;
}

void svm_emulation_forget(struct svm_vcpu *vcpu)
{
	svm_emul_forget(&vcpu->emul);
	vcpu->move_length = 0;
	vcpu->emul_released = false;
	vcpu->emulating = false;
}
