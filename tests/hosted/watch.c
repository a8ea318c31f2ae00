/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Linked into every test of the library with --wrap=svm_world_switch: each entry is audited, with
 * what the last exit left beside it.  The library must never enter a guest with a finding, be it a
 * warning: it would be a false alarm of the auditor or a mistake of the library.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/libsvm.h>

#include "model.h"
#include "watch.h"

/*
 * Every entry of a short test, one in many of a long one: an audit reads 20 KiB.  Errors that the
 * processor then refuses are somebody's test of that.
 */
#define ALL_ENTRIES 500u
#define STRIDE      61u
#define KEPT        64

uint64_t __real_svm_world_switch(struct svm_switch *s);
uint64_t __wrap_svm_world_switch(struct svm_switch *s);

/* What #VMEXIT left in a VMCB.  A VMCB without clean bits is new: its frame's past is another's. */
static _Thread_local struct kept {
	svm_hpa_t hpa;
	struct svm_vmcb vmcb;
} kept[KEPT];

_Thread_local struct watch_hook watch_hook;

static _Thread_local uint64_t entries;

static struct kept *kept_at(svm_hpa_t hpa)
{
	return &kept[hpa / SVM_PAGE_SIZE % KEPT];
}

/* Not check's own way to fail, which is for the main thread only. */
static _Noreturn void complain(const char *what, const struct svm_finding *findings, size_t count)
{
	char text[400];

	fprintf(stderr, "watch: the library enters a guest %s\n", what);
	for (size_t i = 0; i < count; i++) {
		svm_finding_text(&findings[i], text, sizeof(text));
		fprintf(stderr, "watch: %s\n", text);
	}
	abort();
}

static size_t audit(struct cpu *cpu, const struct svm_switch *s, const struct svm_vmcb *vmcb,
                    const struct svm_vmcb *before, struct svm_finding *findings, size_t room)
{
	struct svm_features features;
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

	if (svm_features_probe(NULL, &features) != SVM_ERR_SVM_IN_USE)
		complain("without SVM", NULL, 0);
	return svm_audit(vmcb, &context, findings, room);
}

uint64_t __wrap_svm_world_switch(struct svm_switch *s)
{
	struct cpu *cpu = this_cpu();
	struct svm_vmcb *vmcb = hosted_memory(cpu->m, s->vmcb);
	struct kept *last = kept_at(s->vmcb);
	struct svm_finding findings[16];
	const uint64_t entry = entries++;
	size_t count = 0;
	uint64_t has_run;

	if (entry < ALL_ENTRIES || entry % STRIDE == 0)
		count = audit(cpu, s, vmcb,
		              last->hpa == s->vmcb && vmcb->control.clean ? &last->vmcb : NULL,
		              findings, 16);
	if (count > 16)
		count = 16;
	if (count && svm_finding_errors(findings, count) == 0)
		complain("with", findings, count);
	has_run = __real_svm_world_switch(s);
	if (!has_run)
		return 0;
	if (count && !svm_exit_is_invalid(vmcb->control.exit_code))
		complain("that is accepted with", findings, count);
	last->hpa = 0;
	if (entry + 1 < ALL_ENTRIES || (entry + 1) % STRIDE == 0) {
		last->hpa = s->vmcb;
		memcpy(&last->vmcb, vmcb, sizeof(*vmcb));
	}
	if (watch_hook.after_exit)
		watch_hook.after_exit(watch_hook.arg);
	return has_run;
}
