/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * KVM's register structures from and to the library's.
 *
 * They differ in three places.  KVM spreads a segment's attributes over bytes and has a bit
 * "unusable", which on AMD is the absence of P.  The CPL, of its own in a VMCB, is SS.DPL in KVM.
 * And the interrupt that waits for delivery is a bit in a map of 256.
 *
 * The library checks what it is given and refuses all or nothing.
 */
#include <linux/bitmap.h>
#include <linux/string.h>

#include <libsvm/msrs.h>

#include "guest.h"
#include "guest_irq.h"
#include "hal.h"

void guest_get_regs(struct guest_vcpu *vcpu, struct kvm_regs *out)
{
	struct svm_regs r;

	svm_vcpu_get_regs(vcpu->vcpu, &r);
	*out = (struct kvm_regs){
		.rax = r.rax, .rbx = r.rbx, .rcx = r.rcx, .rdx = r.rdx,
		.rsi = r.rsi, .rdi = r.rdi, .rsp = r.rsp, .rbp = r.rbp,
		.r8 = r.r8, .r9 = r.r9, .r10 = r.r10, .r11 = r.r11,
		.r12 = r.r12, .r13 = r.r13, .r14 = r.r14, .r15 = r.r15,
		.rip = r.rip, .rflags = r.rflags,
	};
}

int guest_set_regs(struct guest_vcpu *vcpu, const struct kvm_regs *in)
{
	const struct svm_regs r = {
		.rax = in->rax, .rbx = in->rbx, .rcx = in->rcx, .rdx = in->rdx,
		.rsi = in->rsi, .rdi = in->rdi, .rsp = in->rsp, .rbp = in->rbp,
		.r8 = in->r8, .r9 = in->r9, .r10 = in->r10, .r11 = in->r11,
		.r12 = in->r12, .r13 = in->r13, .r14 = in->r14, .r15 = in->r15,
		.rip = in->rip, .rflags = in->rflags,
	};

	guest_run_moved(vcpu, in->rip);
	return hal_errno(svm_vcpu_set_regs(vcpu->vcpu, &r));
}

/* --- segments --------------------------------------------------------------------------------- */

static struct kvm_segment to_kvm(struct svm_vmcb_segment s)
{
	return (struct kvm_segment){
		.base = s.base,
		.limit = s.limit,
		.selector = s.selector,
		.type = svm_bits_get(s.attributes, SVM_SEG_TYPE),
		.present = !!(s.attributes & SVM_SEG_P),
		.dpl = svm_bits_get(s.attributes, SVM_SEG_DPL),
		.db = !!(s.attributes & SVM_SEG_DB),
		.s = !!(s.attributes & SVM_SEG_S),
		.l = !!(s.attributes & SVM_SEG_L),
		.g = s.limit > 0xfffff,
		.avl = !!(s.attributes & SVM_SEG_AVL),
		.unusable = !(s.attributes & SVM_SEG_P),
	};
}

static struct svm_vmcb_segment from_kvm(const struct kvm_segment *s)
{
	u64 attributes = svm_bits_put(s->type, SVM_SEG_TYPE) | svm_bits_put(s->dpl, SVM_SEG_DPL);

	attributes |= s->s ? SVM_SEG_S : 0;
	attributes |= s->present && !s->unusable ? SVM_SEG_P : 0;
	attributes |= s->avl ? SVM_SEG_AVL : 0;
	attributes |= s->l ? SVM_SEG_L : 0;
	attributes |= s->db ? SVM_SEG_DB : 0;
	attributes |= s->g ? SVM_SEG_G : 0;
	return (struct svm_vmcb_segment){
		.selector = s->selector,
		.attributes = (u16)attributes,
		.limit = s->limit,
		.base = s->base,
	};
}

static struct kvm_dtable table_to_kvm(struct svm_vmcb_segment s)
{
	return (struct kvm_dtable){ .base = s.base, .limit = (u16)s.limit };
}

static struct svm_vmcb_segment table_from_kvm(const struct kvm_dtable *t)
{
	return (struct svm_vmcb_segment){ .base = t->base, .limit = t->limit };
}

/* --- system registers ------------------------------------------------------------------------- */

/* A delivery that an exit broke off is one that waits, for whoever saves the state. */
int guest_waiting_interrupt(struct guest_vcpu *vcpu)
{
	struct svm_events events;

	svm_vcpu_get_events(vcpu->vcpu, &events);
	if ((events.reinject & SVM_EVENT_VALID) &&
	    svm_bits_get(events.reinject, SVM_EVENT_TYPE) == SVM_EVENT_TYPE_INTR)
		return (int)svm_bits_get(events.reinject, SVM_EVENT_VECTOR);
	return vcpu->interrupt;
}

void guest_get_sregs(struct guest_vcpu *vcpu, struct kvm_sregs *out)
{
	const int vector = guest_waiting_interrupt(vcpu);
	struct svm_system_regs r;
	uint64_t apic_base = 0;

	svm_vcpu_get_system(vcpu->vcpu, &r);
	if (svm_vcpu_get_msr(vcpu->vcpu, SVM_MSR_APIC_BASE, &apic_base))
		apic_base = 0;
	memset(out, 0, sizeof(*out));
	out->cs = to_kvm(r.cs), out->ds = to_kvm(r.ds), out->es = to_kvm(r.es);
	out->fs = to_kvm(r.fs), out->gs = to_kvm(r.gs), out->ss = to_kvm(r.ss);
	out->tr = to_kvm(r.tr), out->ldt = to_kvm(r.ldtr);
	out->gdt = table_to_kvm(r.gdtr), out->idt = table_to_kvm(r.idtr);
	out->cr0 = r.cr0, out->cr2 = r.cr2, out->cr3 = r.cr3, out->cr4 = r.cr4, out->cr8 = r.cr8;
	out->efer = r.efer;
	out->apic_base = apic_base;
	if (vector >= 0)
		out->interrupt_bitmap[vector / 64] |= BIT_ULL(vector % 64);
}

static int vector_in(const u64 bitmap[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		if (bitmap[i])
			return (int)(i * 64 + __ffs64(bitmap[i]));
	return -1;
}

/* Whatever was on its way before belongs to the state that is being replaced. */
static int drop_reinjection(struct guest_vcpu *vcpu)
{
	struct svm_events events;

	svm_vcpu_get_events(vcpu->vcpu, &events);
	if (!events.reinject)
		return 0;
	events.reinject = 0;
	return svm_vcpu_set_events(vcpu->vcpu, &events);
}

static int set_apic_base(struct guest_vcpu *vcpu, u64 base)
{
	if (guest_irq_of(vcpu->guest))
		return guest_irq_set_base(vcpu->apic, base);
	return hal_errno(svm_vcpu_set_msr(vcpu->vcpu, SVM_MSR_APIC_BASE, base));
}

int guest_set_sregs(struct guest_vcpu *vcpu, const struct kvm_sregs *in)
{
	const struct svm_system_regs r = {
		.cs = from_kvm(&in->cs), .ds = from_kvm(&in->ds), .es = from_kvm(&in->es),
		.fs = from_kvm(&in->fs), .gs = from_kvm(&in->gs), .ss = from_kvm(&in->ss),
		.tr = from_kvm(&in->tr), .ldtr = from_kvm(&in->ldt),
		.gdtr = table_from_kvm(&in->gdt), .idtr = table_from_kvm(&in->idt),
		.cr0 = in->cr0, .cr2 = in->cr2, .cr3 = in->cr3, .cr4 = in->cr4, .cr8 = in->cr8,
		.efer = in->efer & ~BIT_ULL(10), /* LMA follows from LME and PG. */
		.cpl = in->ss.dpl & 3,
	};
	uint64_t old_base = 0;
	int error = hal_errno(svm_vcpu_get_msr(vcpu->vcpu, SVM_MSR_APIC_BASE, &old_base));

	if (!error && in->apic_base != old_base)
		error = set_apic_base(vcpu, in->apic_base);
	if (error)
		return error;
	error = svm_vcpu_set_system(vcpu->vcpu, &r);
	if (error)
		return set_apic_base(vcpu, old_base) ? -EIO : hal_errno(error);
	guest_irq_follow_cr8(vcpu);
	vcpu->interrupt = vector_in(in->interrupt_bitmap);
	return hal_errno(drop_reinjection(vcpu));
}

/* --- FPU -------------------------------------------------------------------------------------- */

/* FXSAVE's area, the first part of XSAVE's.  APM vol. 2, 11.4.4. */
struct legacy_area {
	u16 fcw, fsw;
	u8 ftw, reserved;
	u16 opcode;
	u64 ip, dp;
	u32 mxcsr, mxcsr_mask;
	u8 st[8][16], xmm[16][16];
	u8 rest[96];
	u64 present; /* XSTATE_BV of XSAVE's header. */
};

#define STATE_X87_SSE 3u

int guest_get_fpu(struct guest_vcpu *vcpu, struct kvm_fpu *out)
{
	const struct legacy_area *const area = vcpu->xsave;
	const bool xsave = svm_host_features(guest_host)->xsave;
	const int error = svm_vcpu_get_xsave(vcpu->vcpu, vcpu->xsave, vcpu->xsave_size);

	if (error)
		return hal_errno(error);
	memset(out, 0, sizeof(*out));
	out->fcw = 0x37f;
	out->mxcsr = area->mxcsr;
	if (!xsave || (area->present & 1)) {
		memcpy(out->fpr, area->st, sizeof(out->fpr));
		out->fcw = area->fcw;
		out->fsw = area->fsw;
		out->ftwx = area->ftw;
		out->last_opcode = area->opcode;
		out->last_ip = area->ip;
		out->last_dp = area->dp;
	}
	if (!xsave || (area->present & 2))
		memcpy(out->xmm, area->xmm, sizeof(out->xmm));
	return 0;
}

int guest_set_fpu(struct guest_vcpu *vcpu, const struct kvm_fpu *in)
{
	struct legacy_area *const area = vcpu->xsave;
	int error = svm_vcpu_get_xsave(vcpu->vcpu, vcpu->xsave, vcpu->xsave_size);

	if (error)
		return hal_errno(error);
	memcpy(area->st, in->fpr, sizeof(area->st));
	memcpy(area->xmm, in->xmm, sizeof(area->xmm));
	area->fcw = in->fcw;
	area->fsw = in->fsw;
	area->ftw = in->ftwx;
	area->opcode = in->last_opcode;
	area->ip = in->last_ip;
	area->dp = in->last_dp;
	area->mxcsr = in->mxcsr & 0xffff; /* As KVM: reserved bits are dropped, not refused. */
	if (svm_host_features(guest_host)->xsave)
		area->present |= STATE_X87_SSE;
	error = svm_vcpu_set_xsave(vcpu->vcpu, vcpu->xsave, vcpu->xsave_size);
	return hal_errno(error);
}
