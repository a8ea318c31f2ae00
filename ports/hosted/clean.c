/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the processor keeps of a VMCB between two VMRUNs.  APM vol. 2, 15.15.
 *
 * A set clean bit is a hint, which this processor always takes: it uses what it kept, and if
 * memory says something else, somebody changed a field and forgot the bit.  The identity of a kept
 * VMCB is its physical address, so a frame with a new owner, or a VMCB that ran elsewhere since,
 * must come with all bits clear.
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

/* One field: from memory, or as kept if its group is clean.  A group of all bits: if any is. */
static void merge_field(const struct merge *merge, void *kept, const void *memory, size_t size,
                        uint64_t group, const char *name)
{
	uint64_t was = 0, is = 0;

	if (!(merge->clean & group)) {
		memcpy(kept, memory, size);
		return;
	}
	merge->cpu->counts.clean_used++;
	if (memcmp(kept, memory, size) == 0)
		return;
	memcpy(&was, kept, size < 8 ? size : 8);
	memcpy(&is, memory, size < 8 ? size : 8);
	breach(merge->cpu->m, HOSTED_BREACH_STALE_CLEAN,
	       "stale clean bit: group 0x%llx field %s: kept 0x%llx, memory has 0x%llx (VMCB "
	       "0x%llx, CPU %u)",
	       (unsigned long long)group, name, (unsigned long long)was, (unsigned long long)is,
	       (unsigned long long)merge->hpa, merge->cpu->id);
}

static void merge_fields(const struct merge *merge, struct svm_vmcb *kept,
                         const struct svm_vmcb *memory)
{
	merge_field(merge, kept->control._intercept, memory->control._intercept,
	            sizeof(kept->control._intercept), SVM_CLEAN_INTERCEPTS, "intercepts");
#define MERGE_CACHED(type, area, name, offset, group, what)                                        \
	merge_field(merge, &kept->area._##name, &memory->area._##name, sizeof(type), group, #name);
	SVM_VMCB_CACHED_FIELDS(MERGE_CACHED)
#undef MERGE_CACHED
#define MERGE_SEGMENT(name, field, offset, group)                                                  \
	merge_field(merge, &kept->save.field, &memory->save.field, 16, group, #name);
	SVM_VMCB_SEGMENTS(MERGE_SEGMENT)
#undef MERGE_SEGMENT
#define MERGE_PLAIN(type, area, name, offset, what) kept->area.name = memory->area.name;
	SVM_VMCB_PLAIN_FIELDS(MERGE_PLAIN)
#undef MERGE_PLAIN
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
