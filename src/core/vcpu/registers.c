/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guest registers, by number and by group.
 *
 * Setters check what VMRUN would refuse, so that an embedder learns of a bad value here and not
 * from an entry that fails; the audit before the next entry sees the rest.
 */
#include "core/features.h"
#include "core/vcpu/debugger.h"
#include "core/vcpu/events.h"
#include "core/vcpu/vcpu.h"

enum { GPR_RAX = 0, GPR_RSP = 4 };

/* Where general register n is kept. */
static uint64_t *gpr(struct svm_vcpu *vcpu, unsigned n)
{
	struct svm_vmcb_save *save = &vcpu->vmcb->save;

	switch (n & 15) {
	case GPR_RAX:
		return &save->rax;
	case GPR_RSP:
		return &save->rsp;
	default:
		return &vcpu->s.gpr[n & 15];
	}
}

uint64_t svm_vcpu_read_gpr(const struct svm_vcpu *vcpu, unsigned n)
{
	return *gpr((struct svm_vcpu *)(uintptr_t)vcpu, n);
}

void svm_vcpu_write_gpr(struct svm_vcpu *vcpu, unsigned n, uint64_t value)
{
	*gpr(vcpu, n) = value;
}

/*
 * State was set from outside: the next entry audits it, and an instruction that waits for an answer
 * starts again with what is there now.
 */
static void set_from_outside(struct svm_vcpu *vcpu)
{
	vcpu->move_length = 0;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_AUDIT | SVM_REQUEST_EVENTS);
}

static bool is_running(const struct svm_vcpu *vcpu)
{
	return svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING;
}

void svm_vcpu_get_regs(const struct svm_vcpu *vcpu, struct svm_regs *regs)
{
	const struct svm_switch *s = &vcpu->s;
	const struct svm_vmcb_save *save = &vcpu->vmcb->save;

	*regs = (struct svm_regs){
		.rax = save->rax, .rbx = s->rbx, .rcx = s->rcx, .rdx = s->rdx,
		.rsi = s->rsi, .rdi = s->rdi, .rbp = s->rbp, .rsp = save->rsp,
		.r8 = s->r8, .r9 = s->r9, .r10 = s->r10, .r11 = s->r11,
		.r12 = s->r12, .r13 = s->r13, .r14 = s->r14, .r15 = s->r15,
		.rip = save->rip, .rflags = svm_events_rflags(vcpu),
	};
}

int svm_vcpu_set_regs(struct svm_vcpu *vcpu, const struct svm_regs *regs)
{
	const struct svm_regs r = *regs;
	struct svm_switch *s = &vcpu->s;
	struct svm_vmcb_save *save = &vcpu->vmcb->save;

	if (is_running(vcpu))
		return SVM_ERR_STATE;
	svm_events_end_step(vcpu);
	s->rbx = r.rbx, s->rcx = r.rcx, s->rdx = r.rdx;
	s->rsi = r.rsi, s->rdi = r.rdi, s->rbp = r.rbp;
	s->r8 = r.r8, s->r9 = r.r9, s->r10 = r.r10, s->r11 = r.r11;
	s->r12 = r.r12, s->r13 = r.r13, s->r14 = r.r14, s->r15 = r.r15;
	save->rax = r.rax;
	save->rsp = r.rsp;
	save->rip = r.rip;
	save->rflags = (r.rflags & RFLAGS_WRITABLE) | RFLAGS_FIXED;
	svm_events_step_again(vcpu);
	set_from_outside(vcpu);
	return 0;
}

void svm_vcpu_get_system(const struct svm_vcpu *vcpu, struct svm_system_regs *regs)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	*regs = (struct svm_system_regs){
		.es = svm_vmcb_get_es(vmcb), .cs = svm_vmcb_get_cs(vmcb),
		.ss = svm_vmcb_get_ss(vmcb), .ds = svm_vmcb_get_ds(vmcb),
		.fs = svm_vmcb_get_fs(vmcb), .gs = svm_vmcb_get_gs(vmcb),
		.gdtr = svm_vmcb_get_gdtr(vmcb), .ldtr = svm_vmcb_get_ldtr(vmcb),
		.idtr = svm_vmcb_get_idtr(vmcb), .tr = svm_vmcb_get_tr(vmcb),
		.cr0 = svm_vmcb_get_cr0(vmcb), .cr2 = svm_vmcb_get_cr2(vmcb),
		.cr3 = svm_vmcb_get_cr3(vmcb), .cr4 = svm_vmcb_get_cr4(vmcb),
		.cr8 = svm_vmcb_get_int_control(vmcb) & 0xf,
		.efer = svm_vmcb_get_efer(vmcb) & ~EFER_SVME,
		.cpl = svm_vmcb_get_cpl(vmcb),
	};
}

uint8_t svm_vcpu_get_cr8(const struct svm_vcpu *vcpu)
{
	return svm_vmcb_get_int_control(vcpu->vmcb) & 0xf;
}

uint64_t svm_vcpu_get_rflags(const struct svm_vcpu *vcpu)
{
	return svm_events_rflags(vcpu);
}

/* What VMRUN refuses: APM vol. 2, 15.5.1. */
static bool system_is_legal(const struct svm_features *f, const struct svm_system_regs *r)
{
	const bool paging = r->cr0 & CR0_PG;
	const uint64_t cr3_limit = f->physical_bits < 64 ? ~UINT64_C(0) << f->physical_bits : 0;

	if ((r->cr0 & f->cr0_reserved) || ((r->cr0 & CR0_NW) && !(r->cr0 & CR0_CD)))
		return false;
	if ((r->cr4 & f->cr4_reserved) || (r->efer & f->efer_reserved) || (r->efer & EFER_SVME))
		return false;
	if (paging && !(r->cr0 & CR0_PE))
		return false;
	if (paging && (r->efer & EFER_LME) && !(r->cr4 & CR4_PAE))
		return false;
	if (paging && (r->efer & EFER_LME) && (r->cs.attributes & SVM_SEG_L) &&
	    (r->cs.attributes & SVM_SEG_DB))
		return false;
	if (paging && (r->efer & EFER_LME) && (r->cr3 & cr3_limit))
		return false;
	return r->cpl <= 3 && r->cr8 <= 15;
}

/* Only the bits that a segment has: a caller's others would reach reserved fields. */
static struct svm_vmcb_segment clean_segment(struct svm_vmcb_segment segment)
{
	segment.attributes &= SVM_SEG_ALL;
	return segment;
}

static struct svm_vmcb_segment clean_table(struct svm_vmcb_segment segment)
{
	return (struct svm_vmcb_segment){ 0, 0, segment.limit & 0xffff, segment.base };
}

int svm_vcpu_set_system(struct svm_vcpu *vcpu, const struct svm_system_regs *regs)
{
	const struct svm_system_regs r = *regs;
	struct svm_vmcb *vmcb = vcpu->vmcb;
	uint64_t lma;

	if (is_running(vcpu))
		return SVM_ERR_STATE;
	if (!system_is_legal(&vcpu->vm->host->features, &r))
		return SVM_ERR_INVAL;

	svm_vmcb_set_es(vmcb, clean_segment(r.es));
	svm_vmcb_set_cs(vmcb, clean_segment(r.cs));
	svm_vmcb_set_ss(vmcb, clean_segment(r.ss));
	svm_vmcb_set_ds(vmcb, clean_segment(r.ds));
	svm_vmcb_set_fs(vmcb, clean_segment(r.fs));
	svm_vmcb_set_gs(vmcb, clean_segment(r.gs));
	svm_vmcb_set_ldtr(vmcb, clean_segment(r.ldtr));
	svm_vmcb_set_tr(vmcb, clean_segment(r.tr));
	svm_vmcb_set_gdtr(vmcb, clean_table(r.gdtr));
	svm_vmcb_set_idtr(vmcb, clean_table(r.idtr));
	svm_vmcb_set_cr0(vmcb, r.cr0 | CR0_ET);
	svm_vmcb_set_cr2(vmcb, r.cr2);
	svm_vmcb_set_cr3(vmcb, r.cr3);
	svm_vmcb_set_cr4(vmcb, r.cr4);
	/* LMA is not software's: it follows from LME and PG (3.1.7). */
	lma = (r.efer & EFER_LME) && (r.cr0 & CR0_PG) ? EFER_LMA : 0;
	svm_vmcb_set_efer(vmcb, (r.efer & ~EFER_LMA) | lma | EFER_SVME);
	svm_vmcb_set_cpl(vmcb, r.cpl);
	svm_vmcb_set_int_control(vmcb, (svm_vmcb_get_int_control(vmcb) & ~SVM_INT_V_TPR) | r.cr8);
	vcpu->tpr = (uint8_t)r.cr8;
	vcpu->flush = true;
	svm_vcpu_update_switch(vcpu);
	set_from_outside(vcpu);
	return 0;
}

void svm_vcpu_get_debug(const struct svm_vcpu *vcpu, struct svm_debug_regs *regs)
{
	svm_debugger_get_guest(vcpu, regs);
}

int svm_vcpu_set_debug(struct svm_vcpu *vcpu, const struct svm_debug_regs *regs)
{
	struct svm_debug_regs r = *regs;

	if (is_running(vcpu))
		return SVM_ERR_STATE;
	if ((r.dr6 | r.dr7) >> 32)
		return SVM_ERR_INVAL;
	r.dr6 = (r.dr6 & DR6_WRITABLE) | DR6_RESET;
	r.dr7 = (r.dr7 & DR7_WRITABLE) | DR7_RESET;
	svm_debugger_set_guest(vcpu, &r);
	set_from_outside(vcpu);
	return 0;
}

/* From now on DR0-3 are the guest's around the switch, and its accesses do not exit. */
void svm_vcpu_use_debug(struct svm_vcpu *vcpu, bool on)
{
	if (vcpu->guest_debugs == on)
		return;
	vcpu->guest_debugs = on;
	svm_vcpu_update_intercepts(vcpu);
	svm_vcpu_update_switch(vcpu);
}

void svm_vcpu_set_tsc_offset(struct svm_vcpu *vcpu, uint64_t offset)
{
	svm_vmcb_set_tsc_offset(vcpu->vmcb, offset);
}

uint64_t svm_vcpu_get_tsc_offset(const struct svm_vcpu *vcpu)
{
	return svm_vmcb_get_tsc_offset(vcpu->vmcb);
}

int svm_vcpu_set_pause_filter(struct svm_vcpu *vcpu, uint16_t count, uint16_t threshold)
{
	const uint64_t svm = vcpu->vm->host->features.svm;

	if (count && !(svm & SVM_FEATURE_PAUSE_FILTER))
		return SVM_ERR_NOSUPPORT;
	if (threshold && !(svm & SVM_FEATURE_PAUSE_THRESHOLD))
		return SVM_ERR_NOSUPPORT;
	svm_vmcb_set_pause_filter_count(vcpu->vmcb, count);
	svm_vmcb_set_pause_filter_threshold(vcpu->vmcb, threshold);
	return 0;
}
