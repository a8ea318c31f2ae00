/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The guest of the self-test, 64-bit and as small as that can be.
 *
 *	page 0  PML4        page 4  GDT, IDT
 *	page 1  PDPT        page 5  program
 *	page 2  PD          page 6  stack
 *	page 3  handlers    page 7  reset vector, and what fills the hole
 *
 * Pages 0 to 6 are guest-physical 0 to 6FFFh; page 7 is the last below 4 GiB and, later, the hole
 * at 1 MiB.  The page directory maps the first 2 MiB one to one.  Handler n loads n into RAX and
 * ends in VMMCALL.
 */
#include "core/diagnose/selftest_guest.h"
#include "core/features.h"

enum {
	PML4,
	PDPT,
	PD,
	HANDLERS,
	TABLES,
	PROGRAM,
	STACK,
	RESET,
	PAGES,
};

#define PAGE(n)     ((uint64_t)(n) * SVM_PAGE_SIZE)
#define LOW_SIZE    PAGE(RESET)
#define RESET_GPA   UINT64_C(0xfffff000)
#define PTE_TABLE   UINT64_C(0x07) /* Present, writable, user. */
#define PTE_LARGE   UINT64_C(0x87)
#define GDT_OFFSET  0u
#define IDT_OFFSET  0x100u
#define VECTORS     32u
#define CODE_SELECTOR 8u
#define GATE_64     UINT64_C(0x8e0000000000) /* Present, interrupt gate. */
#define HANDLER_SIZE 16u
#define HOST_INTERRUPTS_MAX 1000u /* The longest rung is shorter than two ticks. */

/* The first error of a set-up stays, and keeps the guest from running. */
static void note(struct svm_selftest_guest *g, int error)
{
	if (!g->error)
		g->error = error;
}

static void put64(struct svm_selftest_guest *g, uint64_t offset, uint64_t value)
{
	memcpy(g->memory + offset, &value, sizeof(value));
}

/* mov eax, n; vmmcall. */
static void put_handler(struct svm_selftest_guest *g, unsigned n)
{
	const uint8_t code[] = { 0xb8, (uint8_t)n, 0, 0, 0, 0x0f, 0x01, 0xd9 };
	const uint64_t at = PAGE(HANDLERS) + n * HANDLER_SIZE;
	const uint64_t gate = PAGE(TABLES) + IDT_OFFSET + 16u * n;

	memcpy(g->memory + at, code, sizeof(code));
	put64(g, gate, (at & 0xffff) | (CODE_SELECTOR << 16) | GATE_64 | (at >> 16) << 48);
	put64(g, gate + 8, 0);
}

static void fill_memory(struct svm_selftest_guest *g)
{
	static const uint8_t vmmcall[] = { 0x0f, 0x01, 0xd9 };

	put64(g, PAGE(PML4), PAGE(PDPT) | PTE_TABLE);
	put64(g, PAGE(PDPT), PAGE(PD) | PTE_TABLE);
	put64(g, PAGE(PD), PTE_LARGE);
	put64(g, PAGE(TABLES) + GDT_OFFSET + CODE_SELECTOR, UINT64_C(0x00209b0000000000));
	for (unsigned n = 0; n < VECTORS; n++)
		put_handler(g, n);
	put64(g, PAGE(RESET), SVM_SELFTEST_MAGIC);
	memcpy(g->memory + PAGE(RESET) + 0xff0, vmmcall, sizeof(vmmcall));
}

int svm_selftest_guest_make(struct svm_selftest_guest *g, struct svm_host *host)
{
	int error;

	g->memory = svm_host_frames(host, PAGES, &g->hpa);
	if (!g->memory)
		return SVM_ERR_NOMEM;
	fill_memory(g);
	error = svm_vm_create(host, NULL, &g->vm);
	if (error)
		goto free_memory;
	g->vm->is_selftest = true;
	error = svm_vm_map(g->vm, 0, g->hpa, LOW_SIZE, SVM_PROT_ALL);
	if (error)
		goto destroy_vm;
	error = svm_vm_map(g->vm, RESET_GPA, g->hpa + PAGE(RESET), SVM_PAGE_SIZE, SVM_PROT_ALL);
	if (error)
		goto destroy_vm;
	error = svm_vcpu_create(g->vm, 0, &g->vcpu);
	if (error)
		goto destroy_vm;
	return 0;

destroy_vm:
	note(g, svm_vm_destroy(g->vm));
free_memory:
	svm_host_frames_free(host, g->memory, g->hpa, PAGES);
	return error;
}

void svm_selftest_guest_free(struct svm_selftest_guest *g)
{
	struct svm_host *host = g->vm->host;

	note(g, svm_vcpu_destroy(g->vcpu));
	note(g, svm_vm_destroy(g->vm));
	svm_host_frames_free(host, g->memory, g->hpa, PAGES);
}

void svm_selftest_guest_reset(struct svm_selftest_guest *g)
{
	g->error = svm_vcpu_reset(g->vcpu);
}

void svm_selftest_guest_start(struct svm_selftest_guest *g, const uint8_t *program, size_t size)
{
	const struct svm_vmcb_segment data = { 0x10, 0xc93, 0xffffffff, 0 };
	struct svm_system_regs system;
	struct svm_regs regs = {
		.rip = PAGE(PROGRAM),
		.rsp = PAGE(STACK) + SVM_PAGE_SIZE,
		.rflags = RFLAGS_FIXED,
	};

	memcpy(g->memory + PAGE(PROGRAM), program, size);
	svm_selftest_guest_reset(g);
	svm_vcpu_get_system(g->vcpu, &system);
	system.cs = (struct svm_vmcb_segment){ CODE_SELECTOR, 0xa9b, 0xffffffff, 0 };
	system.ds = system.es = system.ss = system.fs = system.gs = data;
	system.tr.attributes = 0x8b;
	system.gdtr = (struct svm_vmcb_segment){ 0, 0, 0x17, PAGE(TABLES) + GDT_OFFSET };
	system.idtr = (struct svm_vmcb_segment){ 0, 0, 16 * VECTORS - 1,
		                                 PAGE(TABLES) + IDT_OFFSET };
	system.cr0 = CR0_PG | CR0_PE | CR0_ET;
	system.cr3 = PAGE(PML4);
	system.cr4 = CR4_PAE;
	system.efer = EFER_LME | EFER_LMA;
	note(g, svm_vcpu_set_system(g->vcpu, &system));
	note(g, svm_vcpu_set_regs(g->vcpu, &regs));
}

void svm_selftest_guest_interrupts(struct svm_selftest_guest *g, bool on)
{
	struct svm_regs regs;

	svm_vcpu_get_regs(g->vcpu, &regs);
	regs.rflags = on ? regs.rflags | RFLAGS_IF : regs.rflags & ~RFLAGS_IF;
	note(g, svm_vcpu_set_regs(g->vcpu, &regs));
}

void svm_selftest_guest_hostile_segments(struct svm_selftest_guest *g)
{
	const uint64_t nowhere = UINT64_C(0x00005a5a5a5a5000);
	struct svm_system_regs system;

	svm_vcpu_get_system(g->vcpu, &system);
	system.tr.base = nowhere;
	system.tr.limit = 0;
	system.fs.base = nowhere;
	system.gs.base = nowhere;
	note(g, svm_vcpu_set_system(g->vcpu, &system));
	note(g, svm_vcpu_set_msr(g->vcpu, SVM_MSR_KERNEL_GS_BASE, nowhere));
	note(g, svm_vcpu_set_msr(g->vcpu, SVM_MSR_STAR, nowhere));
	note(g, svm_vcpu_set_msr(g->vcpu, SVM_MSR_LSTAR, nowhere));
	note(g, svm_vcpu_set_msr(g->vcpu, SVM_MSR_SFMASK, 0x5a5a));
}

void svm_selftest_guest_no_idt(struct svm_selftest_guest *g)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(g->vcpu, &system);
	system.idtr.limit = 0;
	note(g, svm_vcpu_set_system(g->vcpu, &system));
}

int svm_selftest_guest_fill_hole(struct svm_selftest_guest *g)
{
	return svm_vm_map(g->vm, SVM_SELFTEST_HOLE, g->hpa + PAGE(RESET), SVM_PAGE_SIZE,
	                  SVM_PROT_ALL);
}

enum svm_exit_kind svm_selftest_guest_continue_once(struct svm_selftest_guest *g,
                                                    struct svm_exit *exit)
{
	if (g->vcpu->owed != SVM_OWED_NOTHING)
		note(g, svm_vcpu_complete_retry(g->vcpu));
	*exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_NONE };
	if (!g->error)
		g->error = svm_vcpu_run(g->vcpu, exit);
	if (g->error)
		exit->kind = SVM_EXIT_KIND_NONE;
	return exit->kind;
}

enum svm_exit_kind svm_selftest_guest_continue(struct svm_selftest_guest *g, struct svm_exit *exit)
{
	for (unsigned i = 0; i < HOST_INTERRUPTS_MAX; i++) {
		if (svm_selftest_guest_continue_once(g, exit) != SVM_EXIT_KIND_HOST_INTERRUPT)
			break;
	}
	return exit->kind;
}
