/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The checks of VMRUN on the VMCB, as the manual promises them, one row each.
 *
 * A row marked undefined is a combination of which the manual promises nothing, not even a
 * refusal; the strict processor reports it and refuses.  What is checked is the merged state: a
 * field marked clean is judged as it was kept.  APM vol. 2, 15.5.1, 15.20, 15.25.4.
 */
#include "model.h"

typedef bool (*rule_fn)(const struct cpu *cpu, const struct svm_vmcb *v);

static bool beyond_memory(const struct cpu *cpu, uint64_t value)
{
	return value >> cpu->f.physical_bits;
}

static bool c01(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return !svm_vmcb_get_intercept(v, SVM_EXIT_VMRUN);
}

static bool c02(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return v->control._asid == 0;
}

static bool c03(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return v->control._asid >= cpu->f.asid_count;
}

/* The last byte may also be beyond what 64 bits can name. */
static bool map_beyond_memory(const struct cpu *cpu, uint64_t base, uint64_t last)
{
	base &= SVM_PAGE_MASK;
	return beyond_memory(cpu, base) || beyond_memory(cpu, base + last);
}

static bool c04(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return svm_vmcb_get_intercept(v, SVM_EXIT_MSR) &&
	       map_beyond_memory(cpu, v->control._msrpm_base, 0x1fff);
}

static bool c05(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return svm_vmcb_get_intercept(v, SVM_EXIT_IOIO) &&
	       map_beyond_memory(cpu, v->control._iopm_base, 0x2fff);
}

static uint64_t injected_type(const struct svm_vmcb *v)
{
	return svm_bits_get(v->control.event_inj, SVM_EVENT_TYPE);
}

static bool injects(const struct svm_vmcb *v)
{
	return v->control.event_inj & SVM_EVENT_VALID;
}

static bool c07(const struct cpu *cpu, const struct svm_vmcb *v)
{
	const uint64_t type = injected_type(v);

	(void)cpu;
	return injects(v) && (type == 1 || type > 4);
}

static bool c08(const struct cpu *cpu, const struct svm_vmcb *v)
{
	const uint64_t vector = svm_bits_get(v->control.event_inj, SVM_EVENT_VECTOR);

	(void)cpu;
	return injects(v) && injected_type(v) == SVM_EVENT_TYPE_EXCP &&
	       (vector == 2 || vector > 31);
}

/* BOUND and INTO do not exist in 64-bit code. */
static bool c09(const struct cpu *cpu, const struct svm_vmcb *v)
{
	const uint64_t vector = svm_bits_get(v->control.event_inj, SVM_EVENT_VECTOR);
	const bool is_64bit = (v->save._efer & EFER_LMA) && (v->save._cs.attributes & SVM_SEG_L);

	(void)cpu;
	return injects(v) && injected_type(v) == SVM_EVENT_TYPE_EXCP && is_64bit &&
	       (vector == SVM_VECTOR_BR || vector == SVM_VECTOR_OF);
}

static bool c10(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return injects(v) && (v->control.event_inj & SVM_EVENT_RESERVED);
}

static bool c13(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return (v->control._np_control & SVM_NP_ENABLE) && !(cpu->f.svm_edx & SVM_FEATURE_NPT);
}

static bool c14(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return (v->control._np_control & SVM_NP_ENABLE) && !(cpu->cr0 & CR0_PG);
}

static bool c15(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return (v->control._np_control & SVM_NP_ENABLE) && beyond_memory(cpu, v->control._ncr3);
}

static bool c16(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	if (!(v->control._np_control & SVM_NP_ENABLE))
		return false;
	for (unsigned i = 0; i < 64; i += 8) {
		const uint64_t type = v->save._g_pat >> i & 0xff;

		if (type > 7 || type == 2 || type == 3)
			return true;
	}
	return false;
}

static bool c17(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu; /* No CPU of ours has SEV, GMET or SSS. */
	return v->control._np_control & ~SVM_NP_ENABLE;
}

static bool c18(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return (v->control._int_control & SVM_INT_V_NMI_ENABLE) &&
	       !svm_vmcb_get_intercept(v, SVM_EXIT_NMI);
}

static bool c19(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return v->control._int_control & (SVM_INT_AVIC_ENABLE | SVM_INT_X2AVIC_ENABLE);
}

static bool c20(const struct cpu *cpu, const struct svm_vmcb *v)
{
	const unsigned tlb = v->control.tlb_control;
	const bool by_asid = cpu->f.svm_edx & SVM_FEATURE_FLUSH_BY_ASID;

	return !(tlb <= 1 || (by_asid && (tlb == 3 || tlb == 7)));
}

static bool c21(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu; /* No CPU of ours virtualises LBR, VMLOAD, IBS or PMC. */
	return v->control._virt_control;
}

static bool c22(const struct cpu *cpu, const struct svm_vmcb *v)
{
	uint64_t known = SVM_INT_V_TPR | SVM_INT_V_IRQ | SVM_INT_V_PRIO | SVM_INT_V_IGN_TPR |
	                 SVM_INT_V_MASKING | SVM_INT_V_INTR_VECTOR | SVM_INT_AVIC_ENABLE |
	                 SVM_INT_X2AVIC_ENABLE;

	if (cpu->f.svm_edx & SVM_FEATURE_V_NMI)
		known |= SVM_INT_V_NMI | SVM_INT_V_NMI_MASK | SVM_INT_V_NMI_ENABLE;
	return (v->control._int_control & ~known) || (v->control.int_state & ~SVM_INT_STATE_SHADOW);
}

static bool s01(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return !(v->save._efer & EFER_SVME);
}

static bool s02(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return v->save._efer & ~efer_allowed(&cpu->f);
}

static bool s04(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return (v->save._cr0 & CR0_NW) && !(v->save._cr0 & CR0_CD);
}

static bool s05(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return v->save._cr0 >> 32;
}

static bool long_paging(const struct svm_vmcb *v)
{
	return (v->save._efer & EFER_LME) && (v->save._cr0 & CR0_PG);
}

static bool s06(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return long_paging(v) && beyond_memory(cpu, v->save._cr3);
}

static bool s07(const struct cpu *cpu, const struct svm_vmcb *v)
{
	return v->save._cr4 & ~cr4_allowed(&cpu->f);
}

static bool s08(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return long_paging(v) && !(v->save._cr4 & CR4_PAE);
}

static bool s09(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return long_paging(v) && !(v->save._cr0 & CR0_PE);
}

static bool s10(const struct cpu *cpu, const struct svm_vmcb *v)
{
	const uint64_t both = SVM_SEG_L | SVM_SEG_DB;

	(void)cpu;
	return long_paging(v) && (v->save._cr4 & CR4_PAE) &&
	       (v->save._cs.attributes & both) == both;
}

static bool s11(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return v->save._dr6 >> 32;
}

static bool s12(const struct cpu *cpu, const struct svm_vmcb *v)
{
	(void)cpu;
	return v->save._dr7 >> 32;
}

static const struct rule {
	const char *id;
	rule_fn is_broken;
	bool undefined;
} rules[] = {
	{ "C01", c01, false }, { "C02", c02, false }, { "C03", c03, true },  { "C04", c04, false },
	{ "C05", c05, false }, { "C07", c07, false }, { "C08", c08, false }, { "C09", c09, false },
	{ "C10", c10, true },  { "C13", c13, true },  { "C14", c14, false }, { "C15", c15, false },
	{ "C16", c16, false }, { "C17", c17, true },  { "C18", c18, false }, { "C19", c19, true },
	{ "C20", c20, true },  { "C21", c21, true },  { "C22", c22, true },  { "S01", s01, false },
	{ "S02", s02, false }, { "S04", s04, false }, { "S05", s05, false }, { "S06", s06, false },
	{ "S07", s07, false }, { "S08", s08, false }, { "S09", s09, false }, { "S10", s10, false },
	{ "S11", s11, false }, { "S12", s12, false },
};

const char *vmrun_check(struct cpu *cpu, const struct svm_vmcb *v)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].is_broken(cpu, v))
			continue;
		if (rules[i].undefined)
			breach(cpu->m, HOSTED_BREACH_UNDEFINED, "rule %s on CPU %u", rules[i].id,
			       cpu->id);
		return rules[i].id;
	}
	return NULL;
}
