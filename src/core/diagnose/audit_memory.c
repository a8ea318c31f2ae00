/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * C06, W26 to W30 and W32 to W34, W44: permission maps, translations, and what the processor keeps.
 *
 * The worst of these cannot be seen in one VMCB: a clean bit is wrong only against what the
 * processor has kept, a translation stale only against the tables of before.  A caller that keeps
 * a copy of the VMCB as #VMEXIT left it gets these rules too (15.15.2, 15.16).
 */
#include "core/diagnose/audit.h"

#define PTE_WRITE    SVM_BIT(1)
#define PTE_USER     SVM_BIT(2)
#define PTE_UNCACHED SVM_BITS(4, 3) /* PWT, PCD. */
#define NP_ROGPT     SVM_BIT(6)

#define CLEAN_SOFTWARE SVM_BIT(31) /* Never the processor's. */

static bool c06_iopm(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t base = svm_vmcb_get_iopm_base(facts->vmcb);

	return svm_audit_bits(finding, base, base & ~SVM_PAGE_MASK);
}

static bool c06_msrpm(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t base = svm_vmcb_get_msrpm_base(facts->vmcb);

	return svm_audit_bits(finding, base, base & ~SVM_PAGE_MASK);
}

/* Before an entry, a flush that is wanted looks like one that was forgotten. */
static bool w26(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint8_t command = facts->vmcb->control.tlb_control;

	return svm_audit_if(finding, command,
	                    facts->context->at_rest && command != SVM_TLB_NOTHING);
}

/* Whether this entry uses the translations that the last one made. */
static bool keeps_translations(const struct svm_audit_facts *facts)
{
	return facts->before && !facts->context->moved &&
	       facts->vmcb->control.tlb_control == SVM_TLB_NOTHING &&
	       svm_vmcb_get_asid(facts->vmcb) == svm_vmcb_get_asid(facts->before);
}

static bool w27_ncr3(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t root = svm_vmcb_get_ncr3(facts->vmcb);

	return svm_audit_if(finding, root,
	                    facts->nested && keeps_translations(facts) &&
	                            root != svm_vmcb_get_ncr3(facts->before));
}

static bool w27_cr0(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(facts->vmcb);

	return keeps_translations(facts) &&
	       svm_audit_bits(finding, cr0,
	                      (cr0 ^ svm_vmcb_get_cr0(facts->before)) &
	                              (CR0_PG | CR0_WP | CR0_CD | CR0_NW));
}

static bool w27_cr3(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr3 = svm_vmcb_get_cr3(facts->vmcb);

	return keeps_translations(facts) &&
	       svm_audit_bits(finding, cr3, cr3 ^ svm_vmcb_get_cr3(facts->before));
}

static bool w27_cr4(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr4 = svm_vmcb_get_cr4(facts->vmcb);

	return keeps_translations(facts) && svm_audit_bits(finding, cr4,
	                                                   (cr4 ^ svm_vmcb_get_cr4(facts->before)) &
	                                                           (CR4_PGE | CR4_PAE | CR4_PSE));
}

static bool w27_efer(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t efer = svm_vmcb_get_efer(facts->vmcb);

	return keeps_translations(facts) &&
	       svm_audit_bits(finding, efer,
	                      (efer ^ svm_vmcb_get_efer(facts->before)) &
	                              (EFER_NXE | EFER_LME | EFER_LMA));
}

static bool w28_moved(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t clean = facts->vmcb->control.clean & SVM_BITS(31, 0) & ~CLEAN_SOFTWARE;

	return facts->context->moved && svm_audit_has(facts, SVM_FEATURE_CLEAN) &&
	       svm_audit_bits(finding, clean, clean);
}

/* What the nested tables say about an address; all clear if nobody can tell. */
static bool look_up(const struct svm_audit_facts *facts, svm_gpa_t gpa,
                    struct svm_audit_mapping *mapping)
{
	*mapping = (struct svm_audit_mapping){ false, false, 0, 0 };
	if (!facts->nested || !facts->context->nested || (gpa & SVM_BITS(63, 52)) != 0)
		return false;
	facts->context->nested(facts->context->nested_arg, gpa, mapping);
	return true;
}

/* The one physical address that the guest touches first: its code, or its own tables. */
static svm_gpa_t first_touch(const struct svm_audit_facts *facts)
{
	if (facts->paging)
		return svm_vmcb_get_cr3(facts->vmcb) & SVM_PAGE_MASK;
	return (svm_vmcb_get_cs(facts->vmcb).base + facts->vmcb->save.rip) & SVM_BITS(31, 0);
}

static bool w29(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	struct svm_audit_mapping mapping;
	const svm_gpa_t gpa = first_touch(facts);

	return look_up(facts, gpa, &mapping) &&
	       svm_audit_if(finding, gpa, mapping.mapped && !(mapping.rights & PTE_USER));
}

static bool w30(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	struct svm_audit_mapping mapping;
	const svm_gpa_t gpa = first_touch(facts);
	const bool may_read = svm_vmcb_get_np_control(facts->vmcb) & NP_ROGPT;

	return facts->paging && !may_read && look_up(facts, gpa, &mapping) &&
	       svm_audit_if(finding, gpa, mapping.mapped && !(mapping.rights & PTE_WRITE));
}

/* PWT and PCD are a memory type; VMRUN ignores the rest.  An EPT pointer has 1Eh there. */
static bool w44(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t root = svm_vmcb_get_ncr3(facts->vmcb);

	return facts->nested &&
	       svm_audit_bits(finding, root, root & ~SVM_PAGE_MASK & ~PTE_UNCACHED);
}

static bool w32(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t root = svm_vmcb_get_ncr3(facts->vmcb);

	return svm_audit_if(finding, root, facts->nested && (root & SVM_PAGE_MASK) == 0);
}

static bool w33(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	struct svm_audit_mapping mapping;
	const svm_gpa_t gpa = first_touch(facts);

	return look_up(facts, gpa, &mapping) &&
	       svm_audit_if(finding, gpa, !mapping.memory && !mapping.mapped);
}

static bool w34_pat(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t pat = svm_vmcb_get_g_pat(facts->vmcb);

	return svm_audit_if(finding, pat, facts->nested && pat == 0);
}

/* Caches are off after reset; firmware turns them on, and only a guest in real mode is that young.
 */
static bool w34_cr0(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(facts->vmcb);

	return !facts->real_mode && svm_audit_bits(finding, cr0, cr0 & CR0_CD);
}

static bool w34_leaf(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	struct svm_audit_mapping mapping;

	return look_up(facts, first_touch(facts), &mapping) && mapping.mapped && mapping.memory &&
	       svm_audit_bits(finding, mapping.leaf, mapping.leaf & PTE_UNCACHED);
}

struct svm_audit_rows svm_audit_memory_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_C06, SVM_AUDIT_OFFSET(control._iopm_base), c06_iopm },
		{ SVM_RULE_C06, SVM_AUDIT_OFFSET(control._msrpm_base), c06_msrpm },
		{ SVM_RULE_W26, SVM_AUDIT_OFFSET(control.tlb_control), w26 },
		{ SVM_RULE_W27, SVM_AUDIT_OFFSET(control._ncr3), w27_ncr3 },
		{ SVM_RULE_W27, SVM_AUDIT_OFFSET(save._cr0), w27_cr0 },
		{ SVM_RULE_W27, SVM_AUDIT_OFFSET(save._cr3), w27_cr3 },
		{ SVM_RULE_W27, SVM_AUDIT_OFFSET(save._cr4), w27_cr4 },
		{ SVM_RULE_W27, SVM_AUDIT_OFFSET(save._efer), w27_efer },
		{ SVM_RULE_W28, SVM_AUDIT_OFFSET(control.clean), w28_moved },
		{ SVM_RULE_W29, SVM_FINDING_NO_FIELD, w29 },
		{ SVM_RULE_W30, SVM_FINDING_NO_FIELD, w30 },
		{ SVM_RULE_W32, SVM_AUDIT_OFFSET(control._ncr3), w32 },
		{ SVM_RULE_W44, SVM_AUDIT_OFFSET(control._ncr3), w44 },
		{ SVM_RULE_W33, SVM_FINDING_NO_FIELD, w33 },
		{ SVM_RULE_W34, SVM_AUDIT_OFFSET(save._g_pat), w34_pat },
		{ SVM_RULE_W34, SVM_AUDIT_OFFSET(save._cr0), w34_cr0 },
		{ SVM_RULE_W34, SVM_FINDING_NO_FIELD, w34_leaf },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}

/* Bits that claim one group to be unchanged; of no known group, all that a processor may use. */
static uint64_t claims(const struct svm_vmcb *vmcb, uint64_t group)
{
	const uint64_t clean = vmcb->control.clean & SVM_BITS(31, 0) & ~CLEAN_SOFTWARE;
	const uint64_t undefined = SVM_BITS(31, 0) & ~SVM_CLEAN_ALL & ~CLEAN_SOFTWARE;

	return group == SVM_CLEAN_NONE ? 0 : clean & (group | undefined);
}

static void add_if_changed(const struct svm_audit_facts *facts, struct svm_audit_report *report,
                           uint16_t offset, uint64_t group, uint64_t now, bool changed)
{
	const struct svm_finding finding = { SVM_RULE_W28, offset, now,
		                             claims(facts->vmcb, group) };

	if (changed && finding.bits != 0)
		svm_audit_add(report, &finding);
}

/* W28, field by field: whatever differs from what #VMEXIT left must have its clean bit clear. */
void svm_audit_clean(const struct svm_audit_facts *facts, struct svm_audit_report *report)
{
	const struct svm_vmcb *now = facts->vmcb, *before = facts->before;

	if (!before || facts->context->moved || !svm_audit_has(facts, SVM_FEATURE_CLEAN))
		return;
	for (unsigned i = 0; i < SVM_ARRAY_SIZE(now->control._intercept); i++)
		add_if_changed(facts, report, (uint16_t)(4 * i), SVM_CLEAN_INTERCEPTS,
		               now->control._intercept[i],
		               now->control._intercept[i] != before->control._intercept[i]);
#define FIELD(type, area, name, offset, group, what)                                               \
	add_if_changed(facts, report, (offset), (group), svm_vmcb_get_##name(now),                 \
	               svm_vmcb_get_##name(now) != svm_vmcb_get_##name(before));
	SVM_VMCB_CACHED_FIELDS(FIELD)
#undef FIELD
#define SEGMENT(name, field, offset, group)                                                        \
	add_if_changed(facts, report, (offset), (group), now->save.field.base,                     \
	               memcmp(&now->save.field, &before->save.field,                               \
	                      sizeof(struct svm_vmcb_segment)) != 0);
	SVM_VMCB_SEGMENTS(SEGMENT)
#undef SEGMENT
}
