/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <libsvm/exit_codes.h>
#include <libsvm/msrs.h>

#include "bare.h"

#define PTE_TABLE UINT64_C(0x7)           /* present, writable, user */
#define PAGES     (1 + 1 + 1 + 3 + 2 + 4) /* VMCB, host, hsave, IOPM, MSRPM, nested tables */

static const struct svm_vmcb_segment real_code = { 0, 0x9b, 0xffff, 0 };
static const struct svm_vmcb_segment real_data = { 0, 0x93, 0xffff, 0 };
static const struct svm_vmcb_segment flat_code = { 8, 0xc9b, 0xffffffff, 0 };
static const struct svm_vmcb_segment flat_data = { 16, 0xc93, 0xffffffff, 0 };
static const struct svm_vmcb_segment long_code = { 8, 0xa9b, 0xffffffff, 0 };

static void set_segments(struct svm_vmcb *v, enum bare_mode mode)
{
	const struct svm_vmcb_segment data = mode == BARE_REAL ? real_data : flat_data;

	svm_vmcb_set_cs(v, mode == BARE_REAL ? real_code : mode == BARE_32 ? flat_code : long_code);
	svm_vmcb_set_ss(v, data);
	svm_vmcb_set_ds(v, data);
	svm_vmcb_set_es(v, data);
	v->save.fs = v->save.gs = data;
	v->save.tr = (struct svm_vmcb_segment){ 24, 0x8b, 0x67, 0x7000 };
	svm_vmcb_set_idtr(v, (struct svm_vmcb_segment){ 0, 0, 0xfff, BARE_IDT });
	svm_vmcb_set_gdtr(v, (struct svm_vmcb_segment){ 0, 0, 0x1f, BARE_GDT });
}

static void set_mode(struct svm_vmcb *v, enum bare_mode mode)
{
	svm_vmcb_set_efer(v, 0x1000);
	svm_vmcb_set_cr0(v, 0x10);
	if (mode != BARE_REAL)
		svm_vmcb_set_cr0(v, 0x11);
	if (mode != BARE_64)
		return;
	svm_vmcb_set_efer(v, 0x1d00); /* SVME NXE LMA LME */
	svm_vmcb_set_cr0(v, 0x80010011);
	svm_vmcb_set_cr4(v, 0x20);
	svm_vmcb_set_cr3(v, BARE_PT);
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

/* Present, not a system segment, code or data. */
static void set_tables(struct bare *b)
{
	static const uint64_t gdt_64[] = { 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0 };
	static const uint64_t gdt_32[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0 };
	const bool is_long = b->code.bits == 64;
	uint64_t *pt = (uint64_t *)(void *)(b->memory + BARE_PT);

	memcpy(b->memory + BARE_GDT, is_long ? gdt_64 : gdt_32, sizeof(gdt_64));
	for (unsigned i = 0; i < 3; i++)
		pt[i * 512] = (BARE_PT + (i + 1) * 4096) | PTE_TABLE;
	for (unsigned i = 0; i < 512; i++)
		pt[3 * 512 + i] = i * 4096u | PTE_TABLE;
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
	b->memory = hosted_guest_alloc(b->m, BARE_PAGES, 4096, &b->memory_hpa);
	for (unsigned i = 0; i < BARE_PAGES; i++)
		b->pt[i] = (b->memory_hpa + i * 4096u) | PTE_TABLE;
}

void bare_init(struct bare *b, const struct hosted_config *config, enum bare_mode mode)
{
	memset(b, 0, sizeof(*b));
	hosted_script_init(&b->code, mode == BARE_REAL ? 16 : mode == BARE_32 ? 32 : 64);
	b->m = hosted_create(config);
	lay_out(b);
	enable_svm(b);
	set_intercepts(b->vmcb);
	set_segments(b->vmcb, mode);
	set_mode(b->vmcb, mode);
	set_tables(b);
	svm_vmcb_set_asid(b->vmcb, 1);
	svm_vmcb_set_int_control(b->vmcb, SVM_INT_V_MASKING);
	svm_vmcb_set_np_control(b->vmcb, SVM_NP_ENABLE);
	svm_vmcb_set_ncr3(b->vmcb, b->root);
	svm_vmcb_set_g_pat(b->vmcb, UINT64_C(0x0007040600070406));
	svm_vmcb_set_dr6(b->vmcb, 0xffff0ff0);
	svm_vmcb_set_dr7(b->vmcb, 0x400);
	b->vmcb->save.rflags = 2;
	b->vmcb->save.rip = BARE_CODE;
	b->vmcb->save.rsp = BARE_STACK;
}

void bare_fini(struct bare *b)
{
	const struct svm_hal *hal = hosted_hal(b->m);

	hal->frames_free(hal->ctx, b->pages, b->pages_hpa, PAGES);
	hosted_guest_free(b->m, b->memory_hpa, BARE_PAGES);
	hosted_destroy(b->m);
}

uint64_t bare_run(struct bare *b)
{
	const uint64_t flags = svm_ring0_irq_save();

	memcpy(b->memory + BARE_CODE, b->code.bytes, b->code.size);
	svm_world_switch(&b->s);
	svm_ring0_irq_restore(flags);
	return b->vmcb->control.exit_code;
}

void bare_handler(struct bare *b, unsigned vector, svm_gpa_t gpa,
                  const struct hosted_script *script)
{
	uint64_t gate[2] = { 0 };

	memcpy(b->memory + gpa, script->bytes, script->size);
	if (script->bits == 16) {
		gate[0] = gpa;
		memcpy(b->memory + BARE_IDT + vector * 4, gate, 4);
		return;
	}
	gate[0] = (gpa & 0xffff) | 8u << 16 | UINT64_C(0x8e) << 40 | (gpa >> 16) << 48;
	gate[1] = gpa >> 32;
	memcpy(b->memory + BARE_IDT + vector * (script->bits == 64 ? 16 : 8), gate,
	       script->bits == 64 ? 16 : 8);
}
