/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The audit lab: the bare-metal port with this in place of its main program.
 *
 * Each case of cases.h is audited and then handed to a real VMRUN.  The serial line says, for a
 * script to compare with tests/audit/quirks:
 *
 *	MODE <number> exit=<exit code> audit=<rules>      a good VMCB in each mode
 *	CASE <name> <INVALID|ACCEPTED|SKIP> exit=<exit code> audit=<rules>
 *	FUZZ <INVALID|ACCEPTED> <times> audit=<rules> like=<case>   near-valid VMCBs on which the
 *	                                                  two verdicts differ; `fuzz=` says how many
 *	LAB <number of cases>                             the end
 *
 * `skip=` on the command line names cases, with commas between, that this processor would not
 * survive.  Nothing of the library's run loop is involved: a VMCB that the library would never
 * build has to reach the processor.
 */
#include <libsvm/libsvm.h>

#include "hal/ring0.h"

#include "cases.h"
#include "cmdline.h"
#include "frames.h"
#include "hal.h"
#include "kprintf.h"
#include "multiboot.h"
#include "power.h"
#include "program.h"
#include "string.h"

#define GUEST_CODE  UINT64_C(0x10000)
#define TABLE_ENTRY UINT64_C(7) /* Present, writable, user. */
#define FINDINGS    32
#define SKIP_SIZE   512

enum lab_page {
	PAGE_VMCB,
	PAGE_HOST_VMCB,
	PAGE_IOPM,
	PAGE_MSRPM = PAGE_IOPM + 3,
	PAGE_NPT = PAGE_MSRPM + 2, /* Four levels. */
	PAGE_GUEST = PAGE_NPT + 4,
	PAGE_COUNT = PAGE_GUEST + AUDIT_PAGES,
};

struct lab {
	struct svm_features features;
	struct svm_switch s;
	uint8_t *pages;
	uint64_t pages_pa;
	struct svm_vmcb *vmcb;
	struct audit_place place;
};

static uint64_t page_pa(const struct lab *lab, unsigned int page)
{
	return lab->pages_pa + page * (uint64_t)SVM_PAGE_SIZE;
}

static void *page(const struct lab *lab, unsigned int number)
{
	return lab->pages + number * (size_t)SVM_PAGE_SIZE;
}

/* The guest's pages at GUEST_CODE, nothing else. */
static void fill_npt(struct lab *lab)
{
	for (unsigned int level = 0; level < 3; level++) {
		uint64_t *table = page(lab, PAGE_NPT + level);

		table[0] = page_pa(lab, PAGE_NPT + level + 1) | TABLE_ENTRY;
	}

	uint64_t *leaves = page(lab, PAGE_NPT + 3);

	for (unsigned int i = 0; i < AUDIT_PAGES; i++)
		leaves[GUEST_CODE / SVM_PAGE_SIZE + i] = page_pa(lab, PAGE_GUEST + i) | TABLE_ENTRY;
}

static bool lab_init(struct lab *lab)
{
	memset(lab, 0, sizeof(*lab));
	lab->pages = frames_alloc(PAGE_COUNT, SVM_PAGE_SIZE, &lab->pages_pa);
	if (!lab->pages)
		return false;
	lab->vmcb = page(lab, PAGE_VMCB);
	lab->s.vmcb = page_pa(lab, PAGE_VMCB);
	lab->s.host_vmcb = page_pa(lab, PAGE_HOST_VMCB);
	memset(page(lab, PAGE_IOPM), 0xff, 5 * SVM_PAGE_SIZE);
	fill_npt(lab);
	lab->place.iopm = page_pa(lab, PAGE_IOPM);
	lab->place.msrpm = page_pa(lab, PAGE_MSRPM);
	lab->place.ncr3 = page_pa(lab, PAGE_NPT);
	return true;
}

/* A fresh guest and a fresh VMCB: a refusal may leave anything in it. */
static void prepare(struct lab *lab, enum audit_mode mode)
{
	memset(page(lab, PAGE_GUEST), 0, AUDIT_PAGES * SVM_PAGE_SIZE);
	audit_guest(page(lab, PAGE_GUEST), GUEST_CODE, &lab->place);
	memset(lab->vmcb, 0, sizeof(*lab->vmcb));
	audit_baseline(lab->vmcb, mode, &lab->place);
}

static void print_audit(struct lab *lab)
{
	struct svm_finding findings[FINDINGS];
	const struct svm_audit_context context = {
		.features = &lab->features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.vmcb_hpa = lab->s.vmcb,
		.msrpm = page(lab, PAGE_MSRPM),
		.iopm = page(lab, PAGE_IOPM),
	};
	const size_t count = svm_audit(lab->vmcb, &context, findings, FINDINGS);

	kprintf(" audit=%s", count ? "" : "-");
	for (size_t i = 0; i < count && i < FINDINGS; i++)
		kprintf("%s%s", i ? "," : "", svm_rule_info(findings[i].rule)->id);
	kprintf("\n");
}

static uint64_t run(struct lab *lab)
{
	const uint64_t flags = svm_ring0_irq_save();

	svm_ring0_vmsave(lab->s.host_vmcb);
	svm_world_switch(&lab->s);
	svm_ring0_irq_restore(flags);
	return lab->vmcb->control.exit_code;
}

/* Audit what is there, then let the processor judge it. */
static void judge(struct lab *lab, const struct svm_vmcb *offered)
{
	const uint64_t exit_code = run(lab);

	kprintf(" %s exit=%lx", svm_exit_is_invalid(exit_code) ? "INVALID" : "ACCEPTED", exit_code);
	memcpy(lab->vmcb, offered, sizeof(*offered));
	print_audit(lab);
}

static void run_case(struct lab *lab, const struct audit_case *c, const char *skip)
{
	static struct svm_vmcb offered;

	prepare(lab, (enum audit_mode)c->mode);
	audit_break(lab->vmcb, c, &lab->features);
	memcpy(&offered, lab->vmcb, sizeof(offered));
	kprintf("CASE %s", c->name);
	if (cmdline_has(skip, c->name)) {
		kprintf(" SKIP exit=0");
		print_audit(lab);
		return;
	}
	judge(lab, &offered);
}

/* The clock may tick before the guest's first instruction: then once more. */
static void run_mode(struct lab *lab, enum audit_mode mode)
{
	uint64_t exit_code = SVM_EXIT_INTR;

	for (unsigned int i = 0; i < 100 && exit_code == SVM_EXIT_INTR; i++) {
		prepare(lab, mode);
		exit_code = run(lab);
	}
	kprintf("MODE %u %s exit=%lx", (unsigned int)mode,
	        svm_exit_is_invalid(exit_code) ? "INVALID" : "ACCEPTED", exit_code);
	prepare(lab, mode);
	print_audit(lab);
}

/* --- near-valid VMCBs ------------------------------------------------------------------------ */

struct difference {
	uint64_t rules[2]; /* A bit per enum svm_rule. */
	const char *like;
	bool refused;
	unsigned int count;
};

/* States that are legal and that some processor refuses: the case of cases.h that says so. */
static const char *resembles(const struct lab *lab, const struct svm_vmcb *vmcb)
{
	const uint64_t event = vmcb->control.event_inj;
	const uint64_t both = SVM_SEG_L | SVM_SEG_DB;

	if ((svm_vmcb_get_msrpm_base(vmcb) & SVM_PAGE_MASK) ==
	    SVM_BIT(lab->features.physical_bits) - 0x2000)
		return "msrpm-exact-fit";
	if ((event & SVM_EVENT_VALID) && svm_bits_get(event, SVM_EVENT_VECTOR) == 31)
		return "exception-31";
	if (svm_vmcb_get_efer(vmcb) & SVM_BIT(13))
		return "efer-lmsle";
	if ((svm_vmcb_get_cs(vmcb).attributes & both) == both)
		return "cs-l-and-d-unpaged";
	return "-";
}

static void note(const struct difference *d, struct difference *list, unsigned int room)
{
	for (unsigned int i = 0; i < room; i++) {
		if (list[i].count &&
		    (list[i].refused != d->refused || list[i].like != d->like ||
		     list[i].rules[0] != d->rules[0] || list[i].rules[1] != d->rules[1]))
			continue;
		const unsigned int count = list[i].count + 1;

		list[i] = *d;
		list[i].count = count;
		return;
	}
	kprintf("FUZZ full\n");
}

static void print_difference(const struct difference *d)
{
	bool first = true;

	kprintf("FUZZ %s %u audit=", d->refused ? "INVALID" : "ACCEPTED", d->count);
	for (unsigned int rule = 0; rule < SVM_RULE_COUNT; rule++) {
		if (!(d->rules[rule / 64] & SVM_BIT(rule % 64)))
			continue;
		kprintf("%s%s", first ? "" : ",", svm_rule_info((enum svm_rule)rule)->id);
		first = false;
	}
	kprintf("%s like=%s\n", first ? "-" : "", d->like);
}

/* The case lme-without-pae-unpaged, for a processor that does not survive it. */
static bool is_deadly(const struct svm_vmcb *vmcb)
{
	return (svm_vmcb_get_efer(vmcb) & SVM_BIT(8)) && !(svm_vmcb_get_cr4(vmcb) & SVM_BIT(5)) &&
	       !(svm_vmcb_get_cr0(vmcb) & SVM_BIT(31));
}

/* Only errors count: a warning says nothing of VMRUN's verdict. */
static bool audit_errors(struct lab *lab, uint64_t rules[2])
{
	struct svm_finding findings[FINDINGS];
	const struct svm_audit_context context = {
		.features = &lab->features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.vmcb_hpa = lab->s.vmcb,
	};
	const size_t count = svm_audit(lab->vmcb, &context, findings, FINDINGS);

	rules[0] = rules[1] = 0;
	for (size_t i = 0; i < count && i < FINDINGS; i++) {
		const unsigned int rule = (unsigned int)findings[i].rule;

		if (svm_rule_info(findings[i].rule)->severity == SVM_SEVERITY_ERROR)
			rules[rule / 64] |= SVM_BIT(rule % 64);
	}
	return rules[0] || rules[1];
}

static void fuzz(struct lab *lab, uint64_t rounds, const char *skip)
{
	const bool spare = cmdline_has(skip, "lme-without-pae-unpaged");
	static struct difference list[400];
	static struct svm_vmcb offered;
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t refusals = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		struct difference d = { .count = 1 };

		memset(page(lab, PAGE_GUEST), 0, AUDIT_PAGES * SVM_PAGE_SIZE);
		audit_guest(page(lab, PAGE_GUEST), GUEST_CODE, &lab->place);
		memset(lab->vmcb, 0, sizeof(*lab->vmcb));
		audit_near_valid(lab->vmcb, &state, &lab->place, &lab->features);
		if (spare && is_deadly(lab->vmcb))
			continue;
		memcpy(&offered, lab->vmcb, sizeof(offered));

		const bool audited = audit_errors(lab, d.rules);

		d.refused = svm_exit_is_invalid(run(lab));
		d.like = resembles(lab, &offered);
		refusals += d.refused;
		if (d.refused != audited)
			note(&d, list, 400);
	}
	for (unsigned int i = 0; i < 400 && list[i].count; i++)
		print_difference(&list[i]);
	kprintf("FUZZED %lu refused %lu\n", rounds, refusals);
}

static _Noreturn void fail(const char *what, int error)
{
	kprintf("audit lab: %s: %s\n", what, svm_strerror(error));
	power_off(POWER_FAILURE);
}

_Noreturn void program_main(void)
{
	static char skip[SKIP_SIZE];
	static struct lab lab;
	struct svm_host *host;
	bool bad = false;
	uint64_t rounds;
	int error;

	rounds = cmdline_number(boot_info.cmdline, "fuzz", 0, &bad);
	cmdline_get(boot_info.cmdline, "skip", skip, sizeof(skip));
	for (char *c = skip; *c; c++) {
		if (*c == ',')
			*c = ' ';
	}
	if (!lab_init(&lab))
		fail("frames", SVM_ERR_NOMEM);
	error = svm_features_probe(hal_table(), &lab.features);
	if (error)
		fail("svm_features_probe", error);
	error = svm_host_create(hal_table(), &host);
	if (error)
		fail("svm_host_create", error);
	error = svm_cpu_online(host);
	if (error)
		fail("svm_cpu_online", error);
	for (unsigned int i = 0; i < AUDIT_MODE_COUNT; i++)
		run_mode(&lab, (enum audit_mode)i);
	for (unsigned int i = 0; i < AUDIT_CASE_COUNT; i++)
		run_case(&lab, &audit_cases[i], skip);
	if (rounds && !bad)
		fuzz(&lab, rounds, skip);
	kprintf("LAB %u\n", (unsigned int)AUDIT_CASE_COUNT);
	power_off(POWER_SUCCESS);
}
