/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Linked into every test of the library with --wrap=svm_world_switch: each entry is audited, with
 * what the last exit left beside it.  The library must never enter a guest with a finding, be it a
 * warning: it would be a false alarm of the auditor or a mistake of the library.
 */
#include <check.h>
#include <string.h>

#include <libsvm/libsvm.h>

#include "model.h"

#define KEPT 64

void __real_svm_world_switch(struct svm_switch *s);
void __wrap_svm_world_switch(struct svm_switch *s);

/* What #VMEXIT left in a VMCB.  A VMCB without clean bits is new: its frame's past is another's. */
static __thread struct kept {
	svm_hpa_t hpa;
	struct svm_vmcb vmcb;
} kept[KEPT];

static struct kept *kept_at(svm_hpa_t hpa)
{
	struct kept *place = &kept[hpa / SVM_PAGE_SIZE % KEPT];

	if (place->hpa != hpa)
		place->hpa = 0;
	return place;
}

static void complain(const struct svm_finding *findings, size_t count)
{
	char text[400], all[2000] = "";

	for (size_t i = 0; i < count && i < 4; i++) {
		svm_finding_text(&findings[i], text, sizeof(text));
		strncat(all, "\n  ", sizeof(all) - strlen(all) - 1);
		strncat(all, text, sizeof(all) - strlen(all) - 1);
	}
	ck_abort_msg("the library enters a guest with%s", all);
}

static void audit(struct cpu *cpu, const struct svm_switch *s, const struct svm_vmcb *vmcb,
                  const struct svm_vmcb *before)
{
	struct svm_features features;
	struct svm_finding findings[16];
	const struct svm_audit_context context = {
		.features = &features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.vmcb_hpa = s->vmcb,
		.host_save_hpa = cpu->hsave,
		.msrpm = hosted_memory(cpu->m, svm_vmcb_get_msrpm_base(vmcb)),
		.iopm = hosted_memory(cpu->m, svm_vmcb_get_iopm_base(vmcb)),
		.before = before,
		.debug_switched = s->flags & SVM_SWITCH_DO_GUEST_DR,
	};
	size_t count;

	if (svm_features_probe(NULL, &features) != SVM_ERR_SVM_IN_USE)
		ck_abort_msg("the world switch without SVM");
	count = svm_audit(vmcb, &context, findings, 16);
	if (count)
		complain(findings, count);
}

void __wrap_svm_world_switch(struct svm_switch *s)
{
	struct cpu *cpu = this_cpu();
	struct svm_vmcb *vmcb = hosted_memory(cpu->m, s->vmcb);
	struct kept *last = kept_at(s->vmcb);

	audit(cpu, s, vmcb, last->hpa && vmcb->control.clean ? &last->vmcb : NULL);
	__real_svm_world_switch(s);
	last->hpa = s->vmcb;
	memcpy(&last->vmcb, vmcb, sizeof(*vmcb));
}
