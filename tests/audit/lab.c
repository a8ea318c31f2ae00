/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The audit lab: the bare-metal port with this in place of its main program.
 *
 * Each case of cases.h is audited and then handed to a real VMRUN.  The serial line says, for a
 * script to compare with tests/audit/quirks:
 *
 *	MODE <number> exit=<exit code> audit=<rules>      a good VMCB in each mode
 *	CASE <name> <INVALID|ACCEPTED|SKIP> exit=<exit code> audit=<rules>
 *	FUZZ ...                                          see lab_fuzz.c; `fuzz=` and `seed=`
 *	                                                  say how many and which
 *	LAB <number of cases>                             the end
 *
 * `skip=` on the command line names cases, with commas between, that this processor would not
 * survive.  Nothing of the library's run loop is involved: a VMCB that the library would never
 * build has to reach the processor.
 */
#include "cmdline.h"
#include "frames.h"
#include "hal.h"
#include "kprintf.h"
#include "lab.h"
#include "multiboot.h"
#include "power.h"
#include "program.h"
#include "string.h"

#define GUEST_CODE  UINT64_C(0x10000)
#define TABLE_ENTRY UINT64_C(7) /* Present, writable, user. */
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

void lab_repair_guest(struct lab *lab)
{
	audit_guest(page(lab, PAGE_GUEST), GUEST_CODE, &lab->place);
}

void lab_fill_guest(struct lab *lab)
{
	memset(page(lab, PAGE_GUEST), 0, AUDIT_PAGES * SVM_PAGE_SIZE);
	lab_repair_guest(lab);
}

/* A fresh guest and a fresh VMCB: a refusal may leave anything in it. */
static void prepare(struct lab *lab, enum audit_mode mode)
{
	lab_fill_guest(lab);
	memset(lab->vmcb, 0, sizeof(*lab->vmcb));
	audit_baseline(lab->vmcb, mode, &lab->place);
}

size_t lab_audit(struct lab *lab, bool errors_only, struct svm_finding findings[LAB_FINDINGS])
{
	const struct svm_audit_context context = {
		.features = &lab->features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.errors_only = errors_only,
		.vmcb_hpa = lab->s.vmcb,
		.msrpm = page(lab, PAGE_MSRPM),
		.iopm = page(lab, PAGE_IOPM),
	};

	return svm_audit(lab->vmcb, &context, findings, LAB_FINDINGS);
}

void lab_print_finding(const struct svm_finding *finding)
{
	kprintf("%s@%03x:%lx", svm_rule_info(finding->rule)->id, finding->offset, finding->bits);
}

static void print_audit(struct lab *lab)
{
	struct svm_finding findings[LAB_FINDINGS];
	const size_t count = lab_audit(lab, false, findings);

	kprintf(" audit=%s", count ? "" : "-");
	for (size_t i = 0; i < count && i < LAB_FINDINGS; i++) {
		kprintf("%s", i ? "," : "");
		lab_print_finding(&findings[i]);
	}
	kprintf("\n");
}

uint64_t lab_run(struct lab *lab)
{
	const uint64_t flags = svm_ring0_irq_save();

	svm_ring0_vmsave(lab->s.host_vmcb);
	lab->s.flags |= SVM_SWITCH_DO_IF;
	svm_world_switch(&lab->s);
	lab->s.flags &= ~(uint32_t)SVM_SWITCH_DO_IF;
	svm_ring0_irq_restore(flags);
	return lab->vmcb->control.exit_code;
}

/* Audit what is there, then let the processor judge it. */
static void judge(struct lab *lab, const struct svm_vmcb *offered)
{
	const uint64_t exit_code = lab_run(lab);

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
		exit_code = lab_run(lab);
	}
	kprintf("MODE %u %s exit=%lx", (unsigned int)mode,
	        svm_exit_is_invalid(exit_code) ? "INVALID" : "ACCEPTED", exit_code);
	prepare(lab, mode);
	print_audit(lab);
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
	uint64_t rounds, seed;
	int error;

	rounds = cmdline_number(boot_info.cmdline, "fuzz", 0, &bad);
	seed = cmdline_number(boot_info.cmdline, "seed", 1, &bad);
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
		lab_fuzz(&lab, rounds, seed, skip);
	kprintf("LAB %u\n", (unsigned int)AUDIT_CASE_COUNT);
	power_off(POWER_SUCCESS);
}
