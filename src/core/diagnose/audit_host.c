/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * V and H: what VMRUN wants of the processor that executes it, and what #VMEXIT will load back.
 *
 * The second kind is the worst: the guest runs well, and its first exit shuts the machine down
 * (APM vol. 2, 15.6), so nobody looks at VMRUN.  Only a caller that fills svm_audit_context.host
 * gets these rules.
 */
#include "core/diagnose/audit.h"

#define NONE SVM_FINDING_NO_FIELD

#define SELECTOR_TI UINT16_C(4) /* The descriptor is in the LDT. */

static bool v01(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_audit_host *host = facts->host;

	if (!host)
		return false;
	if (!(host->cr0 & CR0_PE))
		return svm_audit_bits(finding, host->cr0, CR0_PE);
	return svm_audit_bits(finding, host->efer, ~host->efer & EFER_SVME);
}

static bool v02(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return facts->host && svm_audit_if(finding, facts->host->cpl, facts->host->cpl != 0);
}

/* Bits that the address of a frame cannot have. */
static uint64_t frame_errors(const struct svm_audit_facts *facts, svm_hpa_t hpa)
{
	return hpa & (facts->beyond | ~SVM_PAGE_MASK);
}

static bool v03(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const svm_hpa_t hpa = facts->context->vmcb_hpa;

	return svm_audit_bits(finding, hpa, frame_errors(facts, hpa));
}

static bool v04(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const svm_hpa_t hpa = facts->host ? facts->host->hsave : facts->context->host_save_hpa;

	if (facts->host && hpa == 0)
		return svm_audit_if(finding, hpa, true);
	return svm_audit_bits(finding, hpa, frame_errors(facts, hpa));
}

static bool v06(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const svm_hpa_t vmcb = facts->context->vmcb_hpa;
	const svm_hpa_t save = facts->host ? facts->host->hsave : facts->context->host_save_hpa;

	return svm_audit_if(finding, vmcb, vmcb != 0 && vmcb == save);
}

static bool h01(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return facts->host &&
	       svm_audit_bits(finding, facts->host->cr3, facts->host->cr3 & facts->beyond);
}

/* A null selector stands for no segment; CS cannot be null. */
static bool is_lost(uint16_t selector, uint16_t gdt_limit)
{
	if (selector & SELECTOR_TI)
		return true;
	return (selector | 7u) > gdt_limit && (selector & 0xfff8u) != 0;
}

static bool h02_cs(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_audit_host *host = facts->host;

	return host &&
	       svm_audit_if(finding, host->cs,
	                    is_lost(host->cs, host->gdt_limit) || (host->cs & 0xfff8u) == 0);
}

static bool h02_ss(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_audit_host *host = facts->host;

	return host && svm_audit_if(finding, host->ss, is_lost(host->ss, host->gdt_limit));
}

static bool h02_ds(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_audit_host *host = facts->host;

	return host && svm_audit_if(finding, host->ds, is_lost(host->ds, host->gdt_limit));
}

static bool h02_es(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_audit_host *host = facts->host;

	return host && svm_audit_if(finding, host->es, is_lost(host->es, host->gdt_limit));
}

static bool h03_cr0(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_audit_host *host = facts->host;
	uint64_t bits;

	if (!host)
		return false;
	bits = host->cr0 & SVM_BITS(63, 32);
	if ((host->cr0 & CR0_NW) && !(host->cr0 & CR0_CD))
		bits |= CR0_NW;
	return svm_audit_bits(finding, host->cr0, bits);
}

static bool h03_cr4(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_features *features = facts->context->features;

	return facts->host && features &&
	       svm_audit_bits(finding, facts->host->cr4, facts->host->cr4 & features->cr4_reserved);
}

static bool h04(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_audit_host *host = facts->host;

	return host &&
	       svm_audit_if(finding, host->rip, !svm_audit_is_canonical(host->rip, host->cr4));
}

struct svm_audit_rows svm_audit_host_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_V01, NONE, v01 },     { SVM_RULE_V02, NONE, v02 },
		{ SVM_RULE_V03, NONE, v03 },     { SVM_RULE_V04, NONE, v04 },
		{ SVM_RULE_V06, NONE, v06 },     { SVM_RULE_H01, NONE, h01 },
		{ SVM_RULE_H02, NONE, h02_cs },  { SVM_RULE_H02, NONE, h02_ss },
		{ SVM_RULE_H02, NONE, h02_ds },  { SVM_RULE_H02, NONE, h02_es },
		{ SVM_RULE_H03, NONE, h03_cr0 }, { SVM_RULE_H03, NONE, h03_cr4 },
		{ SVM_RULE_H04, NONE, h04 },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}
