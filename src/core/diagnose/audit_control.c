/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * C01 to C05 and C13 to C23: the control area.  APM vol. 2, 15.5.1 and the sections named.
 *
 * Not all of these make VMRUN fail.  A bit whose feature the processor lacks is reserved there,
 * and the manual says of a reserved bit only that software writes 0: today's processor may ignore
 * it and the next one may not, so a monitor that sets one is wrong on both.
 */
#include "core/diagnose/audit.h"

/* CPUID Fn8000_000A, bits that the library itself has no use for. */
#define FEATURE_PMC        SVM_BIT(8)
#define FEATURE_ROGPT      SVM_BIT(21)
#define FEATURE_IBS        SVM_BIT(26)
#define FEATURE_ECX_PML    SVM_BIT(4)
#define FEATURE_ECX_X2AVIC SVM_BIT(6) /* More than 512 entries. */

#define MSRPM_BYTES UINT64_C(0x2000)
#define IOPM_BYTES  UINT64_C(0x3000)

/* Bits of 090h; 7 lets the guest broadcast TLB flushes. */
#define NP_VTE     SVM_BIT(5)
#define NP_ROGPT   SVM_BIT(6)
#define NP_INVLPGB SVM_BIT(7)
#define NP_PML     SVM_BIT(11)

#define INT_KNOWN                                                                                  \
	(SVM_INT_V_TPR | SVM_INT_V_IRQ | SVM_INT_V_GIF | SVM_INT_V_NMI | SVM_INT_V_NMI_MASK |      \
	 SVM_INT_V_PRIO | SVM_INT_V_IGN_TPR | SVM_INT_V_MASKING | SVM_INT_V_GIF_ENABLE |           \
	 SVM_INT_V_NMI_ENABLE | SVM_INT_X2AVIC_ENABLE | SVM_INT_AVIC_ENABLE |                      \
	 SVM_INT_V_INTR_VECTOR)

#define AVIC_MAX_INDEX SVM_BITS(11, 0)
#define AVIC_LAST      255u /* xAVIC: 255 is the broadcast, the table ends there. */
#define X2AVIC_LAST    511u /* One page of entries. */

static bool c01(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint32_t word = facts->vmcb->control._intercept[4];

	return svm_audit_bits(finding, word, ~word & 1u);
}

static bool c02(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return svm_audit_if(finding, 0, svm_vmcb_get_asid(facts->vmcb) == 0);
}

static bool c03(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint32_t asid = svm_vmcb_get_asid(facts->vmcb);
	const struct svm_features *features = facts->context->features;

	return features && features->asid_count != 0 &&
	       svm_audit_if(finding, asid, asid >= features->asid_count);
}

/* VMRUN ignores the low 12 bits and looks at the map's last byte. */
static bool ends_beyond(const struct svm_audit_facts *facts, uint64_t base, uint64_t bytes)
{
	const uint64_t first = base & SVM_PAGE_MASK;
	const uint64_t last = first + (bytes - 1);

	return last < first || (last & facts->beyond) != 0;
}

static bool c04(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t base = svm_vmcb_get_msrpm_base(facts->vmcb);

	return svm_audit_if(finding, base, ends_beyond(facts, base, MSRPM_BYTES));
}

static bool c05(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t base = svm_vmcb_get_iopm_base(facts->vmcb);

	return svm_audit_if(finding, base, ends_beyond(facts, base, IOPM_BYTES));
}

static bool c13(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return svm_audit_if(finding, svm_vmcb_get_np_control(facts->vmcb),
	                    facts->nested && !svm_audit_has(facts, SVM_FEATURE_NPT));
}

static bool c14(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return svm_audit_if(finding, svm_vmcb_get_np_control(facts->vmcb),
	                    facts->nested && !facts->context->host_paging);
}

/* The nested tables have the host's format; outside long mode CR3 is a 32-bit register. */
static bool c15(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t root = svm_vmcb_get_ncr3(facts->vmcb);
	uint64_t reserved = facts->beyond;

	if (!facts->context->host_long_mode)
		reserved |= SVM_BITS(63, 32);
	return facts->nested && svm_audit_bits(finding, root, root & reserved);
}

static bool c16(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t pat = svm_vmcb_get_g_pat(facts->vmcb);
	uint64_t bits = 0;

	for (unsigned i = 0; i < 8; i++) {
		const uint64_t type = (pat >> (8 * i)) & 0xff;

		if (type > 7 || type == 2 || type == 3)
			bits |= UINT64_C(0xff) << (8 * i);
	}
	return facts->nested && svm_audit_bits(finding, pat, bits);
}

static bool c17(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t np = svm_vmcb_get_np_control(facts->vmcb);
	const uint64_t virt = svm_vmcb_get_virt_control(facts->vmcb);
	uint64_t bits = 0;

	if ((np & SVM_SEV_ENABLE) && !facts->nested)
		bits |= SVM_SEV_ENABLE;
	if ((np & SVM_SEV_ES_ENABLE) && (!(np & SVM_SEV_ENABLE) || !(virt & SVM_VIRT_LBR)))
		bits |= SVM_SEV_ES_ENABLE;
	return svm_audit_bits(finding, np, bits);
}

static bool c18(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t control = svm_vmcb_get_int_control(facts->vmcb);
	const bool ready = svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_NMI) &&
	                   svm_audit_has(facts, SVM_FEATURE_V_NMI);

	return svm_audit_bits(finding, control, ready ? 0 : control & SVM_INT_V_NMI_ENABLE);
}

static bool avic_is_on(const struct svm_audit_facts *facts)
{
	return svm_vmcb_get_int_control(facts->vmcb) & SVM_INT_AVIC_ENABLE;
}

static bool c19_enable(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t control = svm_vmcb_get_int_control(facts->vmcb);
	const bool x2 = control & SVM_INT_X2AVIC_ENABLE;
	uint64_t bits = 0;

	if (avic_is_on(facts) && (!svm_audit_has(facts, SVM_FEATURE_AVIC) || !facts->nested))
		bits |= SVM_INT_AVIC_ENABLE;
	if (x2 && (!avic_is_on(facts) || !svm_audit_has(facts, SVM_FEATURE_X2AVIC)))
		bits |= SVM_INT_X2AVIC_ENABLE;
	return svm_audit_bits(finding, control, bits);
}

static bool c19_backing(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t page = svm_vmcb_get_avic_backing_page(facts->vmcb);

	return avic_is_on(facts) &&
	       svm_audit_bits(finding, page, page & (facts->beyond | ~SVM_PAGE_MASK));
}

/* Not looked at in x2AVIC mode, where logical IDs follow from physical ones. */
static bool c19_logical(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t page = svm_vmcb_get_avic_logical_table(facts->vmcb);

	return avic_is_on(facts) &&
	       svm_audit_bits(finding, page, page & (facts->beyond | ~SVM_PAGE_MASK));
}

static bool c19_physical(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t page = svm_vmcb_get_avic_physical_table(facts->vmcb);
	const bool x2 = svm_vmcb_get_int_control(facts->vmcb) & SVM_INT_X2AVIC_ENABLE;
	const struct svm_features *features = facts->context->features;
	uint64_t last = x2 ? X2AVIC_LAST : AVIC_LAST;
	uint64_t bits = page & facts->beyond;

	if (x2 && (!features || (features->svm_ecx & FEATURE_ECX_X2AVIC)))
		last = AVIC_MAX_INDEX;
	if ((page & AVIC_MAX_INDEX) > last)
		bits |= AVIC_MAX_INDEX;
	return avic_is_on(facts) && svm_audit_bits(finding, page, bits);
}

static bool c20(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint8_t command = facts->vmcb->control.tlb_control;
	const bool by_asid = command == SVM_TLB_FLUSH_ASID || command == SVM_TLB_FLUSH_NONGLOBAL;
	const bool legal = command == SVM_TLB_NOTHING || command == SVM_TLB_FLUSH_ALL ||
	                   (by_asid && svm_audit_has(facts, SVM_FEATURE_FLUSH_BY_ASID));

	return svm_audit_if(finding, command, !legal);
}

static bool c21(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	static const struct {
		uint64_t bit, feature;
	} switches[] = {
		{ SVM_VIRT_LBR, SVM_FEATURE_LBRV },
		{ SVM_VIRT_VMLOAD, SVM_FEATURE_V_VMLOAD },
		{ SVM_VIRT_IBS, FEATURE_IBS },
		{ SVM_VIRT_PMC, FEATURE_PMC },
	};
	const uint64_t value = svm_vmcb_get_virt_control(facts->vmcb);
	uint64_t allowed = 0;

	for (size_t i = 0; i < SVM_ARRAY_SIZE(switches); i++)
		if (svm_audit_has(facts, switches[i].feature))
			allowed |= switches[i].bit;
	return svm_audit_bits(finding, value, value & ~allowed);
}

/* 15.12.3, 15.12.10: these two are not implemented and the effect of setting them undefined. */
static bool c22_exceptions(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint32_t word = facts->vmcb->control._intercept[2];

	return svm_audit_bits(finding, word, word & (SVM_BIT(SVM_VECTOR_NMI) | SVM_BIT(9)));
}

static bool c22_word5(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint32_t word = facts->vmcb->control._intercept[5];

	return svm_audit_bits(finding, word, word & ~SVM_BITS(6, 0));
}

static bool c22_int_control(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t control = svm_vmcb_get_int_control(facts->vmcb);
	uint64_t allowed = INT_KNOWN;

	/* C18 and C19 judge the bits that enable virtual NMIs and AVIC. */
	if (!svm_audit_has(facts, SVM_FEATURE_V_GIF))
		allowed &= ~(SVM_INT_V_GIF_ENABLE | SVM_INT_V_GIF);
	if (!svm_audit_has(facts, SVM_FEATURE_V_NMI))
		allowed &= ~(SVM_INT_V_NMI | SVM_INT_V_NMI_MASK);
	return svm_audit_bits(finding, control, control & ~allowed);
}

static bool c22_int_state(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t state = facts->vmcb->control.int_state;
	const bool sev_es = svm_vmcb_get_np_control(facts->vmcb) & SVM_SEV_ES_ENABLE;

	return svm_audit_bits(
		finding, state,
		state & ~(SVM_INT_STATE_SHADOW | (sev_es ? SVM_INT_STATE_MASK : UINT64_C(0))));
}

static bool c22_np(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_features *features = facts->context->features;
	const uint64_t np = svm_vmcb_get_np_control(facts->vmcb);
	/* C13, C17, C23 judge NP, SEV, SSS; a processor without GMET promises to ignore it. */
	uint64_t allowed = SVM_NP_ENABLE | SVM_SEV_ENABLE | SVM_SEV_ES_ENABLE | SVM_GMET_ENABLE |
	                   SVM_SSS_ENABLE | NP_VTE | NP_INVLPGB;

	if (svm_audit_has(facts, FEATURE_ROGPT))
		allowed |= NP_ROGPT;
	if (!features || (features->svm_ecx & FEATURE_ECX_PML))
		allowed |= NP_PML;
	return svm_audit_bits(finding, np, np & ~allowed);
}

/* The field is 32 bits wide; all ones in it are legal and mean "nothing changed" (15.15.3). */
static bool c22_clean(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t clean = facts->vmcb->control.clean;

	return svm_audit_bits(finding, clean, clean & SVM_BITS(63, 32));
}

static bool c23(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t np = svm_vmcb_get_np_control(facts->vmcb);

	return svm_audit_bits(finding, np, facts->nested ? 0 : np & SVM_SSS_ENABLE);
}

struct svm_audit_rows svm_audit_control_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_C01, SVM_AUDIT_OFFSET(control._intercept[4]), c01 },
		{ SVM_RULE_C02, SVM_AUDIT_OFFSET(control._asid), c02 },
		{ SVM_RULE_C03, SVM_AUDIT_OFFSET(control._asid), c03 },
		{ SVM_RULE_C04, SVM_AUDIT_OFFSET(control._msrpm_base), c04 },
		{ SVM_RULE_C05, SVM_AUDIT_OFFSET(control._iopm_base), c05 },
		{ SVM_RULE_C13, SVM_AUDIT_OFFSET(control._np_control), c13 },
		{ SVM_RULE_C14, SVM_AUDIT_OFFSET(control._np_control), c14 },
		{ SVM_RULE_C15, SVM_AUDIT_OFFSET(control._ncr3), c15 },
		{ SVM_RULE_C16, SVM_AUDIT_OFFSET(save._g_pat), c16 },
		{ SVM_RULE_C17, SVM_AUDIT_OFFSET(control._np_control), c17 },
		{ SVM_RULE_C18, SVM_AUDIT_OFFSET(control._int_control), c18 },
		{ SVM_RULE_C19, SVM_AUDIT_OFFSET(control._int_control), c19_enable },
		{ SVM_RULE_C19, SVM_AUDIT_OFFSET(control._avic_backing_page), c19_backing },
		{ SVM_RULE_C19, SVM_AUDIT_OFFSET(control._avic_logical_table), c19_logical },
		{ SVM_RULE_C19, SVM_AUDIT_OFFSET(control._avic_physical_table), c19_physical },
		{ SVM_RULE_C20, SVM_AUDIT_OFFSET(control.tlb_control), c20 },
		{ SVM_RULE_C21, SVM_AUDIT_OFFSET(control._virt_control), c21 },
		{ SVM_RULE_C22, SVM_AUDIT_OFFSET(control._intercept[2]), c22_exceptions },
		{ SVM_RULE_C22, SVM_AUDIT_OFFSET(control._intercept[5]), c22_word5 },
		{ SVM_RULE_C22, SVM_AUDIT_OFFSET(control._int_control), c22_int_control },
		{ SVM_RULE_C22, SVM_AUDIT_OFFSET(control.int_state), c22_int_state },
		{ SVM_RULE_C22, SVM_AUDIT_OFFSET(control._np_control), c22_np },
		{ SVM_RULE_C22, SVM_AUDIT_OFFSET(control.clean), c22_clean },
		{ SVM_RULE_C23, SVM_AUDIT_OFFSET(control._np_control), c23 },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}
