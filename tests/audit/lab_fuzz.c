/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Near-valid VMCBs: a good one with up to three fields changed, audited and then offered to VMRUN.
 *
 * Where the two verdicts differ a line says so, for tests/audit/lab-test to hold against what the
 * cases showed of this processor.  The differences are counted by rule and field, with all bits
 * that were let through: whether a processor that ignores one reserved bit ignores another is just
 * what the lines are to tell.
 *
 *	FUZZ ACCEPTED <times> <rule>@<offset>:<bits> first=<round>   the audit refused for this
 *	FUZZ INVALID <times> like=<case> first=<round>               the audit found no error
 *	FUZZED <rounds> refused <times> seed <seed>                  the end
 */
#include "cmdline.h"
#include "kprintf.h"
#include "lab.h"
#include "string.h"

#define TALLIES     256
#define LIKES       8
#define FILL_EVERY  64 /* Rounds: a guest rarely writes more than its page tables. */

struct tally {
	struct svm_finding finding; /* Its bits are those of all of them. */
	uint64_t count, first;
};

struct fuzz {
	struct tally accepted[TALLIES];
	struct {
		const char *like;
		uint64_t count, first;
	} refused[LIKES];
	uint64_t refusals;
	bool is_full;
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
	if (svm_vmcb_get_efer(vmcb) & SVM_BIT(15))
		return "efer-tce";
	if ((svm_vmcb_get_cs(vmcb).attributes & both) == both)
		return "cs-l-and-d-unpaged";
	return "-";
}

/* What some processor does not survive, by the case of cases.h that says so. */
static bool is_deadly(const struct svm_vmcb *vmcb, const char *skip)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(vmcb), cr4 = svm_vmcb_get_cr4(vmcb);
	const bool lme = svm_vmcb_get_efer(vmcb) & SVM_BIT(8);
	const bool pe = cr0 & SVM_BIT(0), pg = cr0 & SVM_BIT(31), pae = cr4 & SVM_BIT(5);
	const bool v8086 = vmcb->save.rflags & SVM_BIT(17);

	return (lme && !pae && !pg && cmdline_has(skip, "lme-without-pae-unpaged")) ||
	       (lme && pg && !pe && cmdline_has(skip, "long-mode-without-pe")) ||
	       (v8086 && vmcb->save.rip > 0xffff && cmdline_has(skip, "rip-beyond-limit-v8086"));
}

static void count_accepted(struct fuzz *fuzz, const struct svm_finding *finding, uint64_t round)
{
	for (unsigned int i = 0; i < TALLIES; i++) {
		struct tally *tally = &fuzz->accepted[i];

		if (tally->count == 0)
			*tally = (struct tally){ .finding = *finding, .first = round };
		if (tally->finding.rule != finding->rule ||
		    tally->finding.offset != finding->offset)
			continue;
		tally->finding.bits |= finding->bits;
		tally->count++;
		return;
	}
	fuzz->is_full = true;
}

static void count_refused(struct fuzz *fuzz, const char *like, uint64_t round)
{
	for (unsigned int i = 0; i < LIKES; i++) {
		if (fuzz->refused[i].count == 0) {
			fuzz->refused[i].like = like;
			fuzz->refused[i].first = round;
		}
		if (fuzz->refused[i].like != like)
			continue;
		fuzz->refused[i].count++;
		return;
	}
	fuzz->is_full = true;
}

static void judge(struct lab *lab, struct fuzz *fuzz, uint64_t round)
{
	struct svm_finding findings[LAB_FINDINGS];
	static struct svm_vmcb offered;
	const size_t count = lab_audit(lab, true, findings);
	bool refused;

	memcpy(&offered, lab->vmcb, sizeof(offered));
	refused = svm_exit_is_invalid(lab_run(lab));
	fuzz->refusals += refused;
	if (refused && count == 0)
		count_refused(fuzz, resembles(lab, &offered), round);
	for (size_t i = 0; !refused && i < count && i < LAB_FINDINGS; i++)
		count_accepted(fuzz, &findings[i], round);
}

static void print(const struct fuzz *fuzz)
{
	for (unsigned int i = 0; i < TALLIES && fuzz->accepted[i].count; i++) {
		kprintf("FUZZ ACCEPTED %lu ", fuzz->accepted[i].count);
		lab_print_finding(&fuzz->accepted[i].finding);
		kprintf(" first=%lu\n", fuzz->accepted[i].first);
	}
	for (unsigned int i = 0; i < LIKES && fuzz->refused[i].count; i++)
		kprintf("FUZZ INVALID %lu like=%s first=%lu\n", fuzz->refused[i].count,
		        fuzz->refused[i].like, fuzz->refused[i].first);
	if (fuzz->is_full)
		kprintf("FUZZ full\n");
}

void lab_fuzz(struct lab *lab, uint64_t rounds, uint64_t seed, const char *skip)
{
	static struct fuzz fuzz;
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (seed + 1);

	for (uint64_t i = 0; i < rounds; i++) {
		if (i % FILL_EVERY == 0)
			lab_fill_guest(lab);
		lab_repair_guest(lab);
		memset(lab->vmcb, 0, sizeof(*lab->vmcb));
		audit_near_valid(lab->vmcb, &state, &lab->place, &lab->features);
		if (!is_deadly(lab->vmcb, skip))
			judge(lab, &fuzz, i);
	}
	print(&fuzz);
	kprintf("FUZZED %lu refused %lu seed %lu\n", rounds, fuzz.refusals, seed);
}
