/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * W01 to W15 and W17: what the guest can do to the machine because nobody intercepts it.
 *
 * VMRUN demands one intercept, its own.  Every other one that is missing hands the guest a part of
 * the host: EFER.SVME is set in every guest, so even the SVM instructions work there, on host
 * physical addresses.
 */
#include "core/diagnose/audit.h"

#define IOPM_PORT_BYTES 0x2000u
#define IOPM_PAST_END   0x07u   /* Three ports more: an access of four bytes at FFFFh. */
#define MSRPM_WINDOW    0x2000u /* MSRs per window, 800h bytes each. */
#define MSRPM_WRITE     2u

#define DEBUG_ENABLE SVM_BITS(7, 0)

/* The exit that is not taken; the finding names the intercept word and its bit. */
static bool is_open(const struct svm_audit_facts *facts, struct svm_finding *finding, unsigned n)
{
	const uint32_t word = facts->vmcb->control._intercept[n / 32];

	finding->offset = (uint16_t)(n / 32 * 4);
	finding->value = word;
	finding->bits = SVM_BIT(n % 32);
	return !(word & finding->bits);
}

#define ALWAYS_INTERCEPTED(name, code)                                                             \
	static bool name(const struct svm_audit_facts *facts, struct svm_finding *finding)         \
	{                                                                                          \
		return is_open(facts, finding, (code));                                            \
	}

ALWAYS_INTERCEPTED(w01, SVM_EXIT_HLT)
ALWAYS_INTERCEPTED(w02, SVM_EXIT_INTR)
ALWAYS_INTERCEPTED(w03, SVM_EXIT_NMI)
ALWAYS_INTERCEPTED(w04, SVM_EXIT_SHUTDOWN)
ALWAYS_INTERCEPTED(w05_init, SVM_EXIT_INIT)
ALWAYS_INTERCEPTED(w06_intercept, SVM_EXIT_IOIO)
ALWAYS_INTERCEPTED(w07_intercept, SVM_EXIT_MSR)
ALWAYS_INTERCEPTED(w09_skinit, SVM_EXIT_SKINIT)
ALWAYS_INTERCEPTED(w09_invlpga, SVM_EXIT_INVLPGA)
ALWAYS_INTERCEPTED(w10_db, SVM_EXIT_EXCEPTION + SVM_VECTOR_DB)
ALWAYS_INTERCEPTED(w10_ac, SVM_EXIT_EXCEPTION + SVM_VECTOR_AC)
ALWAYS_INTERCEPTED(w11, SVM_EXIT_EXCEPTION + SVM_VECTOR_MC)
ALWAYS_INTERCEPTED(w14, SVM_EXIT_INVD)
ALWAYS_INTERCEPTED(w15_monitor, SVM_EXIT_MONITOR)
ALWAYS_INTERCEPTED(w15_mwait, SVM_EXIT_MWAIT)

/*
 * An SMI that a port access of the guest raised can be given to nobody: STGI while it is pending
 * is undefined (15.22.3).  With every port intercepted none is raised.
 */
static bool w05_smi(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint8_t *iopm = facts->context->iopm;
	bool open = false;

	if (!svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_SMI))
		return false;
	if (!svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_IOIO))
		open = true;
	for (size_t i = 0; iopm && i < IOPM_PORT_BYTES; i++)
		if (iopm[i] != 0xff)
			open = true;
	if (iopm && (iopm[IOPM_PORT_BYTES] & IOPM_PAST_END) != IOPM_PAST_END)
		open = true;
	finding->value = facts->vmcb->control._intercept[SVM_EXIT_SMI / 32];
	finding->bits = SVM_BIT(SVM_EXIT_SMI % 32);
	return open;
}

static bool w06_map(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t base = svm_vmcb_get_iopm_base(facts->vmcb);

	return svm_audit_if(finding, base, (base & SVM_PAGE_MASK) == 0);
}

static bool w07_map(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t base = svm_vmcb_get_msrpm_base(facts->vmcb);

	return svm_audit_if(finding, base, (base & SVM_PAGE_MASK) == 0);
}

/* With their virtualisation on, these act on the guest's own state. */
static bool w09_vmload(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return is_open(facts, finding, SVM_EXIT_VMLOAD) &&
	       !(svm_vmcb_get_virt_control(facts->vmcb) & SVM_VIRT_VMLOAD);
}

static bool w09_vmsave(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return is_open(facts, finding, SVM_EXIT_VMSAVE) &&
	       !(svm_vmcb_get_virt_control(facts->vmcb) & SVM_VIRT_VMLOAD);
}

static bool w09_stgi(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return is_open(facts, finding, SVM_EXIT_STGI) &&
	       !(svm_vmcb_get_int_control(facts->vmcb) & SVM_INT_V_GIF_ENABLE);
}

static bool w09_clgi(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return is_open(facts, finding, SVM_EXIT_CLGI) &&
	       !(svm_vmcb_get_int_control(facts->vmcb) & SVM_INT_V_GIF_ENABLE);
}

static bool w12(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint16_t count = svm_vmcb_get_pause_filter_count(facts->vmcb);

	return svm_audit_if(finding, count,
	                    count == 0 && svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_PAUSE));
}

static bool w13(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_features *features = facts->context->features;

	return (!features || features->xsave) && is_open(facts, finding, SVM_EXIT_XSETBV);
}

/* Task switches and FERR exist outside long mode. */
static bool w17_task(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return !facts->long_mode && is_open(facts, finding, SVM_EXIT_TASK_SWITCH);
}

static bool w17_ferr(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return !facts->long_mode && is_open(facts, finding, SVM_EXIT_FERR_FREEZE);
}

/* The guest's MOV DR would change the host's breakpoints. */
static bool w17_dr(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return facts->host && (facts->host->dr7 & DEBUG_ENABLE) &&
	       !facts->context->debug_switched && is_open(facts, finding, SVM_EXIT_DR_WRITE);
}

struct svm_audit_rows svm_audit_intercept_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_W01, 0, w01 },
		{ SVM_RULE_W02, 0, w02 },
		{ SVM_RULE_W03, 0, w03 },
		{ SVM_RULE_W04, 0, w04 },
		{ SVM_RULE_W05, 0, w05_init },
		{ SVM_RULE_W05, SVM_AUDIT_OFFSET(control._intercept[3]), w05_smi },
		{ SVM_RULE_W06, 0, w06_intercept },
		{ SVM_RULE_W06, SVM_AUDIT_OFFSET(control._iopm_base), w06_map },
		{ SVM_RULE_W07, 0, w07_intercept },
		{ SVM_RULE_W07, SVM_AUDIT_OFFSET(control._msrpm_base), w07_map },
		{ SVM_RULE_W09, 0, w09_vmload },
		{ SVM_RULE_W09, 0, w09_vmsave },
		{ SVM_RULE_W09, 0, w09_stgi },
		{ SVM_RULE_W09, 0, w09_clgi },
		{ SVM_RULE_W09, 0, w09_skinit },
		{ SVM_RULE_W09, 0, w09_invlpga },
		{ SVM_RULE_W10, 0, w10_db },
		{ SVM_RULE_W10, 0, w10_ac },
		{ SVM_RULE_W11, 0, w11 },
		{ SVM_RULE_W12, SVM_AUDIT_OFFSET(control._pause_filter_count), w12 },
		{ SVM_RULE_W13, 0, w13 },
		{ SVM_RULE_W14, 0, w14 },
		{ SVM_RULE_W15, 0, w15_monitor },
		{ SVM_RULE_W15, 0, w15_mwait },
		{ SVM_RULE_W17, 0, w17_task },
		{ SVM_RULE_W17, 0, w17_ferr },
		{ SVM_RULE_W17, 0, w17_dr },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}

/* Whether the map lets the guest write an MSR of one of the three windows.  15.11. */
static bool is_writable(const uint8_t *msrpm, uint32_t msr)
{
	uint32_t window = 0, index = msr;

	if (msr >= 0xc0010000u) {
		window = 2;
		index = msr - 0xc0010000u;
	} else if (msr >= 0xc0000000u) {
		window = 1;
		index = msr - 0xc0000000u;
	}
	if (index >= MSRPM_WINDOW)
		return false;

	const uint8_t four = msrpm[window * 0x800u + index / 4u];

	return !((four >> (index % 4u * 2u)) & MSRPM_WRITE);
}

/* W08: registers whose write in the guest is a write in the host. */
void svm_audit_msrpm(const struct svm_audit_facts *facts, struct svm_audit_report *report)
{
	static const struct {
		uint32_t first, last;
	} never[] = {
		{ 0x0000001b, 0x0000001b }, /* APIC base */
		{ 0x00000179, 0x0000017b }, /* machine check, global */
		{ 0x000001d9, 0x000001d9 }, /* DebugCtl: see below */
		{ 0x00000277, 0x00000277 }, /* PAT: see below */
		{ 0x000002ff, 0x000002ff }, /* MTRR default type */
		{ 0x00000400, 0x0000047f }, /* machine check, banks */
		{ 0xc0000080, 0xc0000080 }, /* EFER: without SVME the next VMRUN fails */
		{ 0xc0000104, 0xc0000104 }, /* TSC ratio */
		{ 0xc0010010, 0xc0010010 }, /* SYSCFG */
		{ 0xc0010015, 0xc0010015 }, /* HWCR */
		{ 0xc0010111, 0xc0010113 }, /* SMM base, address, mask */
		{ 0xc0010114, 0xc0010118 }, /* VM_CR, IGNNE, SMM_CTL, VM_HSAVE_PA, SVM_KEY */
	};
	const uint8_t *msrpm = facts->context->msrpm;

	if (!msrpm || !svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_MSR))
		return;
	for (size_t i = 0; i < SVM_ARRAY_SIZE(never); i++) {
		/* With nested paging the guest has a PAT of its own, with LBR virtualisation a
		 * DebugCtl. */
		if (never[i].first == 0x277 && facts->nested)
			continue;
		if (never[i].first == 0x1d9 &&
		    (svm_vmcb_get_virt_control(facts->vmcb) & SVM_VIRT_LBR))
			continue;
		for (uint32_t msr = never[i].first; msr <= never[i].last; msr++) {
			const struct svm_finding finding = { SVM_RULE_W08,
				                             SVM_AUDIT_OFFSET(control._msrpm_base),
				                             msr, 0 };

			if (is_writable(msrpm, msr))
				svm_audit_add(report, &finding);
		}
	}
}
