/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The auditor: VMRUN's checks in software, and the settings that VMRUN accepts and people regret.
 *
 * In software because the processor's verdict is one number without a reason, and because no
 * processor makes all the checks: each emulator and each family leaves some out (15.5.1 promises
 * fewer than a monitor must keep).  Nothing here writes to the VMCB or touches the machine, so a
 * dump from elsewhere can be judged as well.
 */
#include "core/diagnose/audit.h"

#define MAXPHYADDR_MOST 52u

static uint64_t beyond_address(const struct svm_features *features)
{
	unsigned bits = features ? features->physical_bits : 0;

	if (bits < 32 || bits > MAXPHYADDR_MOST)
		bits = MAXPHYADDR_MOST;
	return ~UINT64_C(0) << bits;
}

struct svm_audit_facts svm_audit_conclude(const struct svm_vmcb *vmcb,
                                          const struct svm_audit_context *context)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(vmcb), efer = svm_vmcb_get_efer(vmcb);
	const struct svm_vmcb_segment cs = svm_vmcb_get_cs(vmcb);
	struct svm_audit_facts facts = {
		.vmcb = vmcb,
		.context = context,
		.host = context->host,
		.before = context->before,
		.features_known = context->features != NULL,
		.features = context->features ? context->features->svm : ~UINT64_C(0),
		.beyond = beyond_address(context->features),
	};

	facts.nested = svm_vmcb_get_np_control(vmcb) & SVM_NP_ENABLE;
	facts.paging = cr0 & CR0_PG;
	facts.real_mode = !(cr0 & CR0_PE);
	facts.long_mode = !facts.real_mode && (efer & EFER_LMA);
	facts.code_64 = facts.long_mode && (cs.attributes & SVM_SEG_L);
	facts.v8086 = !facts.real_mode && !facts.long_mode && (vmcb->save.rflags & RFLAGS_VM);
	facts.protected_mode = !facts.real_mode && !facts.v8086;
	return facts;
}

void svm_audit_add(struct svm_audit_report *report, const struct svm_finding *finding)
{
	const struct svm_rule_info *info = svm_rule_info(finding->rule);

	if (report->errors_only && info && info->severity != SVM_SEVERITY_ERROR)
		return;
	if (report->count < report->room)
		report->findings[report->count] = *finding;
	report->count++;
}

static void judge(const struct svm_audit_facts *facts, struct svm_audit_rows rows,
                  struct svm_audit_report *report)
{
	for (size_t i = 0; i < rows.count; i++) {
		struct svm_finding finding = { rows.row[i].rule, rows.row[i].offset, 0, 0 };

		if (rows.row[i].is_broken(facts, &finding))
			svm_audit_add(report, &finding);
	}
}

size_t svm_audit(const struct svm_vmcb *vmcb, const struct svm_audit_context *context,
                 struct svm_finding *findings, size_t room)
{
	const struct svm_audit_facts facts = svm_audit_conclude(vmcb, context);
	struct svm_audit_report report = { findings, room, 0, context->errors_only };

	judge(&facts, svm_audit_host_rows(), &report);
	judge(&facts, svm_audit_control_rows(), &report);
	judge(&facts, svm_audit_save_rows(), &report);
	judge(&facts, svm_audit_event_rows(), &report);

	judge(&facts, svm_audit_intercept_rows(), &report);
	svm_audit_msrpm(&facts, &report);
	judge(&facts, svm_audit_interrupt_rows(), &report);
	judge(&facts, svm_audit_memory_rows(), &report);
	svm_audit_clean(&facts, &report);
	judge(&facts, svm_audit_state_rows(), &report);
	return report.count;
}
