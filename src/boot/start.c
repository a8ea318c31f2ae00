/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Start states.  Linux wants code at selector 10h and data at 18h (Documentation/x86/boot.rst);
 * the other formats leave selectors open, so all get these, and a descriptor table that holds
 * them: it is in the guest's memory, and what the guest does with it is its own affair.
 *
 * TR and LDTR are as after reset (APM vol. 2, 14.1.3), but TR's TSS is a 32-bit one (PVH).
 */
#include "boot/start.h"

#define START_CODE 0x10
#define START_DATA 0x18

/* Attributes as the VMCB packs them: G, D or L, present, accessed. */
#define CODE_32   0xc9b
#define CODE_64   0xa9b
#define DATA_32   0xc93
#define REAL_CODE 0x9b
#define REAL_DATA 0x93
#define LDT_EMPTY 0x82
#define TSS_BUSY  0x8b

#define START_PE  SVM_BIT(0)
#define START_ET  SVM_BIT(4)
#define START_PG  SVM_BIT(31)
#define START_PAE SVM_BIT(5)
#define START_LME SVM_BIT(8)
#define START_LMA SVM_BIT(10)

/* Entries of page tables: present, writable; a 2 MiB page.  APM vol. 2, 5.3. */
#define ENTRY_TABLE UINT64_C(0x003)
#define ENTRY_2M    UINT64_C(0x083)
#define DIRECTORIES 4u /* 1 GiB each. */

static void set_segment_state(struct svm_system_regs *system, struct svm_vmcb_segment code,
                              struct svm_vmcb_segment data)
{
	system->cs = code;
	system->ds = system->es = system->ss = system->fs = system->gs = data;
	system->ldtr = (struct svm_vmcb_segment){ 0, LDT_EMPTY, 0xffff, 0 };
	system->tr = (struct svm_vmcb_segment){ 0, TSS_BUSY, 0x67, 0 };
}

static void start_at(struct svm_boot_plan *plan, uint64_t rip)
{
	struct svm_boot_state *state = plan->state;

	state->regs.rip = rip;
	state->regs.rflags = 2;
	state->system.cr0 = START_ET;
}

void svm_boot_start_protected(struct svm_boot_plan *plan, uint64_t rip)
{
	struct svm_system_regs *system = &plan->state->system;

	start_at(plan, rip);
	set_segment_state(system, (struct svm_vmcb_segment){ START_CODE, CODE_32, UINT32_MAX, 0 },
	                  (struct svm_vmcb_segment){ START_DATA, DATA_32, UINT32_MAX, 0 });
	system->gdtr = (struct svm_vmcb_segment){ 0, 0, 0x1f, plan->block.gpa };
	system->cr0 |= START_PE;
}

void svm_boot_start_long(struct svm_boot_plan *plan, uint64_t rip)
{
	struct svm_system_regs *system = &plan->state->system;

	svm_boot_start_protected(plan, rip);
	system->cs.attributes = CODE_64;
	system->cr0 |= START_PG;
	system->cr3 = plan->block.gpa + plan->block.tables;
	system->cr4 = START_PAE;
	system->efer = START_LME | START_LMA;
}

void svm_boot_start_real(struct svm_boot_plan *plan, svm_gpa_t address)
{
	struct svm_system_regs *system = &plan->state->system;
	const uint16_t selector = (uint16_t)(address >> 4 & 0xf000);
	const struct svm_vmcb_segment data = { 0, REAL_DATA, 0xffff, 0 };

	/* 0:7C00 for a boot sector: some compare CS with 0. */
	start_at(plan, address & 0xffff);
	set_segment_state(
		system,
		(struct svm_vmcb_segment){ selector, REAL_CODE, 0xffff, (uint64_t)selector << 4 },
		data);
	system->gdtr = system->idtr = (struct svm_vmcb_segment){ 0, 0, 0xffff, 0 };
}

/* 512 entries from a page on: each the one before plus a step. */
static int write_table(struct svm_vm *vm, svm_gpa_t gpa, uint64_t entry, uint64_t step,
                       unsigned count)
{
	uint8_t row[64 * 8];
	int result = 0;

	for (unsigned i = 0; i < 512 && !result; i += 64) {
		for (unsigned j = 0; j < 64; j++)
			svm_boot_put(row + 8 * j, i + j < count ? entry + step * (i + j) : 0, 8);
		result = svm_vm_write(vm, gpa + 8 * i, row, sizeof(row), NULL);
	}
	return result;
}

/* The first 4 GiB 1:1. */
static int write_page_tables(struct svm_vm *vm, svm_gpa_t gpa)
{
	const svm_gpa_t directories = gpa + 2 * SVM_PAGE_SIZE;
	int result = write_table(vm, gpa, (gpa + SVM_PAGE_SIZE) | ENTRY_TABLE, 0, 1);

	if (!result)
		result = write_table(vm, gpa + SVM_PAGE_SIZE, directories | ENTRY_TABLE,
		                     SVM_PAGE_SIZE, DIRECTORIES);
	for (unsigned i = 0; i < DIRECTORIES && !result; i++)
		result = write_table(vm, directories + i * SVM_PAGE_SIZE,
		                     SVM_BIT(30) * i | ENTRY_2M, SVM_BIT(21), 512);
	return result;
}

int svm_boot_write_tables(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	const bool is_long = plan->state->system.efer & START_LME;
	const uint64_t code = is_long ? UINT64_C(0x00af9b000000ffff) : UINT64_C(0x00cf9b000000ffff);
	uint8_t gdt[32] = { 0 };
	int result;

	svm_boot_put(gdt + START_CODE, code, 8);
	svm_boot_put(gdt + START_DATA, UINT64_C(0x00cf93000000ffff), 8);
	result = svm_vm_write(vm, plan->block.gpa, gdt, sizeof(gdt), NULL);
	if (!result && is_long)
		result = write_page_tables(vm, plan->block.gpa + plan->block.tables);
	return result;
}

static int write_string(struct svm_vm *vm, svm_gpa_t *gpa, const char *string)
{
	const uint32_t size = svm_boot_string_size(string);
	const int result = svm_vm_write(vm, *gpa, string ? string : "", size, NULL);

	*gpa += size;
	return result;
}

int svm_boot_write_strings(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	const struct svm_boot_config *config = plan->config;
	svm_gpa_t gpa = plan->block.gpa + plan->block.strings;
	int result = write_string(vm, &gpa, config->cmdline);

	for (uint32_t i = 0; i < config->module_count && !result; i++)
		result = write_string(vm, &gpa, config->modules[i].cmdline);
	return result;
}

int svm_boot_apply(struct svm_vcpu *vcpu, const struct svm_boot_state *state)
{
	int result;

	/* A processor comes out of reset where firmware begins. */
	if (state->format == SVM_BOOT_FIRMWARE)
		return svm_vcpu_reset(vcpu);
	result = svm_vcpu_set_system(vcpu, &state->system);
	return result ? result : svm_vcpu_set_regs(vcpu, &state->regs);
}
