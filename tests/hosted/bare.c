/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <libsvm/exit_codes.h>
#include <libsvm/msrs.h>

#include "bare.h"

#define PTE_TABLE UINT64_C(0x7)           /* present, writable, user */
#define PAGES     (1 + 1 + 1 + 3 + 2 + 4) /* VMCB, host, hsave, IOPM, MSRPM, nested tables */

static void set_segments(struct svm_vmcb *v, enum guest_mode mode)
{
	const struct svm_vmcb_segment data = guest_data(mode);

	svm_vmcb_set_cs(v, guest_code(mode));
	svm_vmcb_set_ss(v, data);
	svm_vmcb_set_ds(v, data);
	svm_vmcb_set_es(v, data);
	v->save.fs = v->save.gs = data;
	v->save.tr = (struct svm_vmcb_segment){ 24, 0x8b, 0x67, 0x7000 };
	svm_vmcb_set_idtr(v, (struct svm_vmcb_segment){ 0, 0, 0xfff, GUEST_IDT });
	svm_vmcb_set_gdtr(v, (struct svm_vmcb_segment){ 0, 0, 0x1f, GUEST_GDT });
}

static void set_mode(struct svm_vmcb *v, enum guest_mode mode)
{
	svm_vmcb_set_efer(v, 0x1000);
	svm_vmcb_set_cr0(v, 0x10);
	if (mode != GUEST_REAL)
		svm_vmcb_set_cr0(v, 0x11);
	if (mode != GUEST_64)
		return;
	svm_vmcb_set_efer(v, 0x1d00); /* SVME NXE LMA LME */
	svm_vmcb_set_cr0(v, 0x80010011);
	svm_vmcb_set_cr4(v, 0x20);
	svm_vmcb_set_cr3(v, GUEST_PT);
}

static void set_intercepts(struct svm_vmcb *v)
{
	static const unsigned codes[] = {
		SVM_EXIT_INTR,  SVM_EXIT_NMI,     SVM_EXIT_INIT,   SVM_EXIT_SHUTDOWN,
		SVM_EXIT_VMRUN, SVM_EXIT_VMMCALL, SVM_EXIT_VMLOAD, SVM_EXIT_VMSAVE,
		SVM_EXIT_STGI,  SVM_EXIT_CLGI,    SVM_EXIT_SKINIT, SVM_EXIT_INVLPGA,
		SVM_EXIT_IOIO,  SVM_EXIT_MSR,
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		svm_vmcb_set_intercept(v, codes[i], true);
}

static void enable_svm(struct bare *b)
{
	hosted_become(b->m, 0);
	svm_ring0_wrmsr(SVM_MSR_EFER, svm_ring0_rdmsr(SVM_MSR_EFER) | 0x1000);
	svm_ring0_wrmsr(SVM_MSR_VM_HSAVE_PA, b->hsave);
	svm_ring0_vmsave(b->host_vmcb);
}

static void lay_out(struct bare *b)
{
	const struct svm_hal *hal = hosted_hal(b->m);
	uint8_t *p;

	hosted_become(b->m, 0);
	b->pages = hal->frames_alloc(hal->ctx, PAGES, &b->pages_hpa);
	ck_assert_ptr_nonnull(b->pages);
	p = b->pages;
	b->vmcb = b->pages;
	b->s.vmcb = b->pages_hpa;
	b->s.host_vmcb = b->host_vmcb = b->pages_hpa + 0x1000;
	b->hsave = b->pages_hpa + 0x2000;
	memset(p + 0x3000, 0xff, 0x5000);
	svm_vmcb_set_iopm_base(b->vmcb, b->pages_hpa + 0x3000);
	svm_vmcb_set_msrpm_base(b->vmcb, b->pages_hpa + 0x6000);
	b->root = b->pages_hpa + 0x8000;
	for (unsigned i = 0; i < 3; i++) {
		const uint64_t entry = (b->root + (i + 1) * 0x1000) | PTE_TABLE;

		memcpy(p + 0x8000 + i * 0x1000, &entry, 8);
	}
	b->pt = (uint64_t *)(void *)(p + 0xb000);
	b->memory = hosted_guest_alloc(b->m, GUEST_PAGES, 4096, &b->memory_hpa);
	for (unsigned i = 0; i < GUEST_PAGES; i++)
		b->pt[i] = (b->memory_hpa + i * 4096u) | PTE_TABLE;
}

void bare_init(struct bare *b, const struct hosted_config *config, enum guest_mode mode)
{
	memset(b, 0, sizeof(*b));
	hosted_script_init(&b->code, mode == GUEST_REAL ? 16 : mode == GUEST_32 ? 32 : 64);
	b->m = hosted_create(config);
	lay_out(b);
	enable_svm(b);
	set_intercepts(b->vmcb);
	set_segments(b->vmcb, mode);
	set_mode(b->vmcb, mode);
	guest_tables(b->memory, b->code.bits);
	svm_vmcb_set_asid(b->vmcb, 1);
	svm_vmcb_set_int_control(b->vmcb, SVM_INT_V_MASKING);
	svm_vmcb_set_np_control(b->vmcb, SVM_NP_ENABLE);
	svm_vmcb_set_ncr3(b->vmcb, b->root);
	svm_vmcb_set_g_pat(b->vmcb, UINT64_C(0x0007040600070406));
	svm_vmcb_set_dr6(b->vmcb, 0xffff0ff0);
	svm_vmcb_set_dr7(b->vmcb, 0x400);
	b->vmcb->save.rflags = 2;
	b->vmcb->save.rip = GUEST_CODE;
	b->vmcb->save.rsp = GUEST_STACK;
}

void bare_fini(struct bare *b)
{
	const struct svm_hal *hal = hosted_hal(b->m);

	hal->frames_free(hal->ctx, b->pages, b->pages_hpa, PAGES);
	hosted_guest_free(b->m, b->memory_hpa, GUEST_PAGES);
	hosted_destroy(b->m);
}

uint64_t bare_run(struct bare *b)
{
	const uint64_t flags = svm_ring0_irq_save();

	memcpy(b->memory + GUEST_CODE, b->code.bytes, b->code.size);
	b->s.flags |= SVM_SWITCH_DO_IF;
	svm_world_switch(&b->s);
	b->s.flags &= ~(uint32_t)SVM_SWITCH_DO_IF;
	svm_ring0_irq_restore(flags);
	return b->vmcb->control.exit_code;
}
