/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * S01 to S13, W35 to W38, W40 to W43, W45: the guest's own state.  APM vol. 2, 15.5.1.
 *
 * VMRUN is laxer than the instructions that usually write these registers.  CR0 with NW needs CD
 * (the reset value 60000010h is legal), PG without PE is legal, attributes of a segment are not
 * checked at all, and the bits of CR3 below the table's address are ignored.  What a real guest
 * can be in must pass: a CR3 above 4 GiB that long mode left behind, unusable segments, any CPL.
 */
#include "core/diagnose/audit.h"

/* EFER bits that some processor has: SCE, LME, LMA, NXE, SVME, LMSLE, FFXSR, TCE and so on. */
#define EFER_KNOWN                                                                                 \
	(SVM_BIT(0) | EFER_LME | SVM_BITS(15, 10) | SVM_BIT(17) | SVM_BIT(18) | SVM_BIT(20) |      \
	 SVM_BIT(21))

#define S_CET_KNOWN SVM_BITS(1, 0) /* SH_STK_EN, WR_SHSTK_EN. */

#define RFLAGS_FIXED    SVM_BIT(1)
#define RFLAGS_RESERVED (SVM_BIT(3) | SVM_BIT(5) | SVM_BIT(15) | SVM_BITS(63, 22))

#define DR7_ENABLE SVM_BITS(7, 0)
#define DR7_GD     SVM_BIT(13)

#define DR6_ONES (SVM_BITS(31, 16) | SVM_BITS(10, 4)) /* Bit 11 is 0 for a bus lock. */

#define TSS_BUSY_16 UINT64_C(3)
#define TSS_BUSY_32 UINT64_C(11) /* Or 64-bit. */

static bool s01(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t efer = svm_vmcb_get_efer(facts->vmcb);

	return svm_audit_bits(finding, efer, ~efer & EFER_SVME);
}

/* LME and LMA without long mode are S03's. */
static bool s02(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_features *features = facts->context->features;
	const uint64_t efer = svm_vmcb_get_efer(facts->vmcb);
	const uint64_t reserved = features ? features->efer_reserved : ~EFER_KNOWN;

	return svm_audit_bits(finding, efer, efer & reserved & ~(EFER_SVME | EFER_LME | EFER_LMA));
}

static bool s03(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_features *features = facts->context->features;
	const uint64_t efer = svm_vmcb_get_efer(facts->vmcb);

	return features && !features->long_mode &&
	       svm_audit_bits(finding, efer, efer & (EFER_LME | EFER_LMA));
}

static bool s04(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(facts->vmcb);

	return svm_audit_bits(finding, cr0, (cr0 & CR0_CD) ? 0 : cr0 & CR0_NW);
}

static bool s05(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(facts->vmcb);

	return svm_audit_bits(finding, cr0, cr0 & SVM_BITS(63, 32));
}

static bool s06(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr3 = svm_vmcb_get_cr3(facts->vmcb);

	return svm_audit_bits(finding, cr3, cr3 & facts->beyond);
}

static bool s07(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_features *features = facts->context->features;
	const uint64_t cr4 = svm_vmcb_get_cr4(facts->vmcb);
	const uint64_t reserved = SVM_BITS(63, 32) | (features ? features->cr4_reserved : 0);

	return svm_audit_bits(finding, cr4, cr4 & reserved);
}

/* EFER.LME and CR0.PG: the processor would be in long mode, or be trying. */
static bool pages_long(const struct svm_audit_facts *facts)
{
	return facts->paging && (svm_vmcb_get_efer(facts->vmcb) & EFER_LME);
}

static bool s08(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr4 = svm_vmcb_get_cr4(facts->vmcb);

	return pages_long(facts) && svm_audit_bits(finding, cr4, ~cr4 & CR4_PAE);
}

static bool s09(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(facts->vmcb);

	return pages_long(facts) && svm_audit_bits(finding, cr0, ~cr0 & CR0_PE);
}

static bool s10(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t both = SVM_SEG_L | SVM_SEG_DB;
	const uint64_t attributes = svm_vmcb_get_cs(facts->vmcb).attributes;

	return pages_long(facts) && (svm_vmcb_get_cr4(facts->vmcb) & CR4_PAE) &&
	       svm_audit_bits(finding, attributes, (attributes & both) == both ? both : 0);
}

static bool s11(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t dr6 = svm_vmcb_get_dr6(facts->vmcb);

	return svm_audit_bits(finding, dr6, dr6 & SVM_BITS(63, 32));
}

static bool s12(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t dr7 = svm_vmcb_get_dr7(facts->vmcb);

	return svm_audit_bits(finding, dr7, dr7 & SVM_BITS(63, 32));
}

static bool s13_cr4(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cr4 = svm_vmcb_get_cr4(facts->vmcb);
	const bool protects = svm_vmcb_get_cr0(facts->vmcb) & CR0_WP;

	return svm_audit_bits(finding, cr4, protects ? 0 : cr4 & CR4_CET);
}

/* A processor without shadow stacks has no such field and does not look. */
static bool s13_s_cet(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_features *features = facts->context->features;
	const uint64_t s_cet = svm_vmcb_get_s_cet(facts->vmcb);

	return features && !(features->cr4_reserved & CR4_CET) &&
	       svm_audit_bits(finding, s_cet, s_cet & ~S_CET_KNOWN);
}

struct svm_audit_rows svm_audit_save_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_S01, SVM_AUDIT_OFFSET(save._efer), s01 },
		{ SVM_RULE_S02, SVM_AUDIT_OFFSET(save._efer), s02 },
		{ SVM_RULE_S03, SVM_AUDIT_OFFSET(save._efer), s03 },
		{ SVM_RULE_S04, SVM_AUDIT_OFFSET(save._cr0), s04 },
		{ SVM_RULE_S05, SVM_AUDIT_OFFSET(save._cr0), s05 },
		{ SVM_RULE_S06, SVM_AUDIT_OFFSET(save._cr3), s06 },
		{ SVM_RULE_S07, SVM_AUDIT_OFFSET(save._cr4), s07 },
		{ SVM_RULE_S08, SVM_AUDIT_OFFSET(save._cr4), s08 },
		{ SVM_RULE_S09, SVM_AUDIT_OFFSET(save._cr0), s09 },
		{ SVM_RULE_S10, SVM_AUDIT_OFFSET(save._cs.attributes), s10 },
		{ SVM_RULE_S11, SVM_AUDIT_OFFSET(save._dr6), s11 },
		{ SVM_RULE_S12, SVM_AUDIT_OFFSET(save._dr7), s12 },
		{ SVM_RULE_S13, SVM_AUDIT_OFFSET(save._cr4), s13_cr4 },
		{ SVM_RULE_S13, SVM_AUDIT_OFFSET(save._s_cet), s13_s_cet },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}

static bool w35_cs(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t attributes = svm_vmcb_get_cs(facts->vmcb).attributes;

	return svm_audit_bits(finding, attributes, ~attributes & SVM_SEG_P);
}

/* VMRUN takes CPL from its own field, some emulators from here: set both.  A null SS has no DPL. */
static bool w35_ss(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t attributes = svm_vmcb_get_ss(facts->vmcb).attributes;
	const bool differs = svm_bits_get(attributes, SVM_SEG_DPL) != svm_vmcb_get_cpl(facts->vmcb);

	finding->value = attributes;
	finding->bits = SVM_SEG_DPL;
	return facts->protected_mode && (attributes & SVM_SEG_P) && differs;
}

static bool w35_tr(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t attributes = svm_vmcb_get_tr(facts->vmcb).attributes;
	const uint64_t type = svm_bits_get(attributes, SVM_SEG_TYPE | SVM_SEG_S);

	finding->value = attributes;
	finding->bits = SVM_SEG_TYPE | SVM_SEG_S;
	return facts->protected_mode && type != TSS_BUSY_32 &&
	       (facts->long_mode || type != TSS_BUSY_16);
}

static bool w35_ldtr(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_vmcb_segment ldtr = svm_vmcb_get_ldtr(facts->vmcb);

	return svm_audit_if(finding, ldtr.selector,
	                    (ldtr.selector & 0xfffcu) != 0 && ldtr.attributes == 0);
}

static bool w36(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t rflags = facts->vmcb->save.rflags;

	return svm_audit_bits(finding, rflags,
	                      (~rflags & RFLAGS_FIXED) | (rflags & RFLAGS_RESERVED));
}

static bool w37(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t rip = facts->vmcb->save.rip;

	if (facts->code_64)
		return svm_audit_if(finding, rip,
		                    !svm_audit_is_canonical(rip, svm_vmcb_get_cr4(facts->vmcb)));
	return svm_audit_if(finding, rip, rip > svm_vmcb_get_cs(facts->vmcb).limit);
}

static bool w38(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t dr7 = svm_vmcb_get_dr7(facts->vmcb);
	const bool watched = svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_DR_WRITE + 7);

	return !watched && !facts->context->debug_switched &&
	       svm_audit_bits(finding, dr7, dr7 & (DR7_ENABLE | DR7_GD));
}

/* A reset writes the save area and need not write the exit code. */
static bool w40(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t code = facts->vmcb->control.exit_code;
	const struct svm_vmcb *before = facts->before;
	const bool as_left =
		facts->context->at_rest ||
		(before && memcmp(&before->save, &facts->vmcb->save, sizeof(before->save)) == 0);

	return svm_audit_if(finding, code,
	                    as_left && (code == SVM_EXIT_SHUTDOWN || svm_exit_is_invalid(code)));
}

static bool w41(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const unsigned page_fault = SVM_EXIT_EXCEPTION + SVM_VECTOR_PF;

	return svm_audit_if(finding, svm_vmcb_get_cr0(facts->vmcb),
	                    facts->paging && facts->real_mode &&
	                            !svm_vmcb_get_intercept(facts->vmcb, page_fault));
}

/* The processor keeps 12 bits.  In VMX's form L, D and G stand above them and would be lost. */
#define OTHER_FORM(name, register)                                                                 \
	static bool name(const struct svm_audit_facts *facts, struct svm_finding *finding)         \
	{                                                                                          \
		const uint64_t attributes = svm_vmcb_get_##register(facts->vmcb).attributes;       \
                                                                                                   \
		return svm_audit_bits(finding, attributes, attributes & ~SVM_SEG_ALL);             \
	}

OTHER_FORM(w42_es, es)
OTHER_FORM(w42_cs, cs)
OTHER_FORM(w42_ss, ss)
OTHER_FORM(w42_ds, ds)
OTHER_FORM(w42_fs, fs)
OTHER_FORM(w42_gs, gs)
OTHER_FORM(w42_ldtr, ldtr)
OTHER_FORM(w42_tr, tr)

/* A processor's own instructions keep the two together; here software writes both. */
static bool w43(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t efer = svm_vmcb_get_efer(facts->vmcb);
	const uint64_t wanted = pages_long(facts) ? EFER_LMA : 0;

	return svm_audit_bits(finding, efer, (efer & EFER_LMA) ^ wanted);
}

static bool w45(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t dr6 = svm_vmcb_get_dr6(facts->vmcb);

	return svm_audit_bits(finding, dr6, ~dr6 & DR6_ONES);
}

struct svm_audit_rows svm_audit_state_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_W35, SVM_AUDIT_OFFSET(save._cs.attributes), w35_cs },
		{ SVM_RULE_W35, SVM_AUDIT_OFFSET(save._ss.attributes), w35_ss },
		{ SVM_RULE_W35, SVM_AUDIT_OFFSET(save.tr.attributes), w35_tr },
		{ SVM_RULE_W35, SVM_AUDIT_OFFSET(save.ldtr.selector), w35_ldtr },
		{ SVM_RULE_W36, SVM_AUDIT_OFFSET(save.rflags), w36 },
		{ SVM_RULE_W37, SVM_AUDIT_OFFSET(save.rip), w37 },
		{ SVM_RULE_W38, SVM_AUDIT_OFFSET(save._dr7), w38 },
		{ SVM_RULE_W40, SVM_AUDIT_OFFSET(control.exit_code), w40 },
		{ SVM_RULE_W41, SVM_AUDIT_OFFSET(save._cr0), w41 },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save._es.attributes), w42_es },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save._cs.attributes), w42_cs },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save._ss.attributes), w42_ss },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save._ds.attributes), w42_ds },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save.fs.attributes), w42_fs },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save.gs.attributes), w42_gs },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save.ldtr.attributes), w42_ldtr },
		{ SVM_RULE_W42, SVM_AUDIT_OFFSET(save.tr.attributes), w42_tr },
		{ SVM_RULE_W43, SVM_AUDIT_OFFSET(save._efer), w43 },
		{ SVM_RULE_W45, SVM_AUDIT_OFFSET(save._dr6), w45 },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}
