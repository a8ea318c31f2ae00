/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the processor keeps of a VMCB between two VMRUNs.  APM vol. 2, 15.15.
 *
 * A set clean bit is a hint, which this processor always takes: it uses what it kept, and if
 * memory says something else, somebody changed a field and forgot the bit.  The identity of a kept
 * VMCB is its physical address, so a frame with a new owner, or a VMCB that ran elsewhere since,
 * must come with all bits clear.
 *
 * Which field belongs to which bit is written down here once more, from the manual: the library's
 * own table is what is tested.
 */
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define BUCKETS (sizeof(((struct cpu *)0)->kept) / sizeof(((struct cpu *)0)->kept[0]))
#define KNOWN   (SVM_CLEAN_ALL | SVM_BIT(31)) /* Bit 31 is software's own. */

struct merge {
	struct cpu *cpu;
	svm_hpa_t hpa;
	uint64_t clean;
};

static struct kept_vmcb **bucket(struct cpu *cpu, svm_hpa_t hpa)
{
	return &cpu->kept[(hpa >> 12) % BUCKETS];
}

void kept_fini(struct cpu *cpu)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (cpu->kept[i]) {
			struct kept_vmcb *next = cpu->kept[i]->next;

			free(cpu->kept[i]);
			cpu->kept[i] = next;
		}
	}
}

static struct kept_vmcb *find_or_make(struct cpu *cpu, svm_hpa_t hpa)
{
	struct kept_vmcb **head = bucket(cpu, hpa);

	for (struct kept_vmcb *k = *head; k; k = k->next)
		if (k->hpa == hpa)
			return k;
	struct kept_vmcb *k = calloc(1, sizeof(*k));

	if (!k)
		abort();
	k->hpa = hpa;
	k->next = *head;
	*head = k;
	return k;
}

#define ANY_BIT 0x1fffu /* No group is named: kept as long as any bit is set. */

static const struct field {
	uint16_t offset, size, bits;
	const char *name;
} fields[] = {
	{ 0x000, 24, 1u << 0, "intercepts" },
	{ 0x03e, 2, 1u << 0, "pause_filter_count" },
	{ 0x050, 8, 1u << 0, "tsc_offset" },
	{ 0x040, 8, 1u << 1, "iopm_base" },
	{ 0x048, 8, 1u << 1, "msrpm_base" },
	{ 0x058, 4, 1u << 2, "asid" },
	{ 0x060, 8, 1u << 3, "int_control" },
	{ 0x090, 8, 1u << 4, "np_control" },
	{ 0x0b0, 8, 1u << 4, "ncr3" },
	{ 0x668, 8, 1u << 4, "g_pat" },
	{ 0x4d0, 8, 1u << 5, "efer" },
	{ 0x548, 8, 1u << 5, "cr4" },
	{ 0x550, 8, 1u << 5, "cr3" },
	{ 0x558, 8, 1u << 5, "cr0" },
	{ 0x560, 8, 1u << 6, "dr7" },
	{ 0x568, 8, 1u << 6, "dr6" },
	{ 0x460, 16, 1u << 7, "gdtr" },
	{ 0x480, 16, 1u << 7, "idtr" },
	{ 0x400, 16, 1u << 8, "es" },
	{ 0x410, 16, 1u << 8, "cs" },
	{ 0x420, 16, 1u << 8, "ss" },
	{ 0x430, 16, 1u << 8, "ds" },
	{ 0x4cb, 1, 1u << 8, "cpl" },
	{ 0x640, 8, 1u << 9, "cr2" },
	{ 0x670, 40, 1u << 10, "dbgctl and branch records" },
	{ 0x098, 8, 1u << 11, "avic_apic_bar" },
	{ 0x0e0, 8, 1u << 11, "avic_backing_page" },
	{ 0x0f0, 16, 1u << 11, "avic tables" },
	{ 0x5e0, 24, 1u << 12, "s_cet, ssp, isst_addr" },
	{ 0x03c, 2, ANY_BIT, "pause_filter_threshold" },
	{ 0x05d, 1, ANY_BIT, "erap_control" },
	{ 0x0a0, 8, ANY_BIT, "ghcb" },
	{ 0x0b8, 8, ANY_BIT, "virt_control" },
	{ 0x108, 8, ANY_BIT, "vmsa" },
	{ 0x120, 2, ANY_BIT, "bus_lock_count" },
	{ 0x138, 16, ANY_BIT, "sev_features" },
	{ 0x1c8, 10, ANY_BIT, "page modification log" },
};

static void report_stale(const struct merge *merge, const struct field *field, const uint8_t *kept,
                         const uint8_t *memory)
{
	const size_t size = field->size < 8 ? field->size : 8;
	uint64_t was = 0, is = 0;

	memcpy(&was, kept + field->offset, size);
	memcpy(&is, memory + field->offset, size);
	breach(merge->cpu->m, HOSTED_BREACH_STALE_CLEAN,
	       "stale clean bit: group 0x%x field %s: kept 0x%llx, memory has 0x%llx (VMCB "
	       "0x%llx, CPU %u)",
	       field->bits, field->name, (unsigned long long)was, (unsigned long long)is,
	       (unsigned long long)merge->hpa, merge->cpu->id);
}

/* Memory, but for the fields of clean groups: those stay as they were kept. */
static void merge_fields(const struct merge *merge, struct svm_vmcb *kept,
                         const struct svm_vmcb *memory)
{
	const uint8_t *const from = (const uint8_t *)memory, *const old = (const uint8_t *)kept;
	struct svm_vmcb merged = *memory;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];

		if (!(merge->clean & f->bits))
			continue;
		merge->cpu->counts.clean_used++;
		if (memcmp(old + f->offset, from + f->offset, f->size) != 0)
			report_stale(merge, f, old, from);
		memcpy((uint8_t *)&merged + f->offset, old + f->offset, f->size);
	}
	*kept = merged;
}

struct kept_vmcb *vmcb_load(struct cpu *cpu, svm_hpa_t hpa, struct svm_vmcb *memory)
{
	struct frame *frame = frame_at(cpu->m, hpa);
	struct kept_vmcb *kept = find_or_make(cpu, hpa);
	const uint32_t generation = atomic_get(&frame->generation);
	const uint32_t last_cpu = atomic_get(&frame->vmcb_cpu);
	const bool is_known = kept->generation == generation;
	struct merge merge = { .cpu = cpu, .hpa = hpa };

	if (cpu->f.svm_edx & SVM_FEATURE_CLEAN)
		merge.clean = memory->control.clean;
	if (merge.clean & ~KNOWN)
		breach(cpu->m, HOSTED_BREACH_CLEAN_RESERVED, "VMCB 0x%llx: clean bits 0x%llx",
		       (unsigned long long)hpa, (unsigned long long)merge.clean);
	merge.clean &= SVM_CLEAN_ALL;
	if (merge.clean && (!is_known || last_cpu != cpu->id + 1))
		breach(cpu->m, HOSTED_BREACH_CLEAN_FOREIGN,
		       "VMCB 0x%llx: clean bits 0x%llx on CPU %u, %s", (unsigned long long)hpa,
		       (unsigned long long)merge.clean, cpu->id,
		       !is_known ? "which has never run it" : "which was not the last to run it");
	if (!is_known)
		merge.clean = 0;
	merge_fields(&merge, &kept->copy, memory);
	kept->generation = generation;
	atomic_set(&frame->vmcb_cpu, cpu->id + 1);
	return kept;
}
