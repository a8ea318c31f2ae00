/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two opinions of VMRUN's rules, written apart: each case of tests/audit/cases.h is judged by the
 * auditor and run on the strict processor.  Where they differ, tests/audit/quirks says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/diagnose.h>
#include <libsvm/exit_codes.h>

#include "../audit/cases.h"
#include "bare.h"

#define AUDIT_CODE  UINT64_C(0x10000)
#define LINE        256
#define FUZZ_ROUNDS 10000u

/* How many near-valid VMCBs and which: scripts/soak audit says it. */
static unsigned long fuzz_rounds = FUZZ_ROUNDS, fuzz_seed;

/* The verdict that the quirk file gives, or NULL: none for this case. */
static const char *quirk(const char *name, char verdict[16])
{
	FILE *file = fopen(AUDIT_QUIRKS, "r");
	char line[LINE], processor[32], which[64];
	const char *found = NULL;

	ck_assert_ptr_nonnull(file);
	while (!found && fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "%31s %63s %15s", processor, which, verdict) == 3 &&
		    !strcmp(processor, "hosted") && !strcmp(which, name))
			found = verdict;
	}
	fclose(file);
	return found;
}

static void add_rules(char *text, size_t size, const struct svm_finding *findings, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const size_t used = strlen(text);

		snprintf(text + used, size - used, " %s", svm_rule_info(findings[i].rule)->id);
	}
}

/* SVM is on already, which the probe reports as in use; the features are filled all the same. */
static struct svm_features probe(struct bare *b)
{
	struct svm_features features;

	if (svm_features_probe(hosted_hal(b->m), &features) != SVM_ERR_SVM_IN_USE)
		ck_abort_msg("SVM is not in use");
	return features;
}

/* What the model does not look at: reserved bits, and CR3 of guests that do not use it. */
static bool is_left_out(const struct svm_finding *finding)
{
	return svm_rule_info(finding->rule)->severity != SVM_SEVERITY_ERROR ||
	       finding->rule == SVM_RULE_C22 || finding->rule == SVM_RULE_S06;
}

/* The auditor's verdict, with the rules as text, and whether the model leaves all of them out. */
static bool audit_verdict(struct bare *b, char *rules, size_t size, bool *left_out)
{
	const struct svm_features features = probe(b);
	struct svm_finding findings[32];
	const struct svm_audit_context context = {
		.features = &features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.vmcb_hpa = b->s.vmcb,
		.host_save_hpa = b->hsave,
	};
	size_t count;

	count = svm_audit(b->vmcb, &context, findings, 32);
	if (count > 32)
		ck_abort_msg("%zu findings", count);
	rules[0] = '\0';
	add_rules(rules, size, findings, count);
	*left_out = true;
	for (size_t i = 0; i < count; i++)
		*left_out &= is_left_out(&findings[i]);
	return svm_finding_errors(findings, count) != 0;
}

static bool audit_refuses(struct bare *b, char *rules, size_t size)
{
	bool left_out;

	return audit_verdict(b, rules, size, &left_out);
}

/* A VMCB of our own in place of bare's, its maps and nested tables kept. */
static void prepare(struct bare *b, const struct audit_case *c, enum audit_mode mode)
{
	const struct svm_features features = probe(b);
	struct audit_place place = {
		.iopm = svm_vmcb_get_iopm_base(b->vmcb),
		.msrpm = svm_vmcb_get_msrpm_base(b->vmcb),
		.ncr3 = b->root,
	};

	audit_guest(b->memory + AUDIT_CODE, AUDIT_CODE, &place);
	memset(b->vmcb, 0, sizeof(*b->vmcb));
	audit_baseline(b->vmcb, mode, &place);
	if (c)
		audit_break(b->vmcb, c, &features);
}

static uint64_t run(struct bare *b)
{
	const uint64_t flags = svm_ring0_irq_save();

	b->s.flags |= SVM_SWITCH_DO_IF;
	svm_world_switch(&b->s);
	b->s.flags &= ~(uint32_t)SVM_SWITCH_DO_IF;
	svm_ring0_irq_restore(flags);
	return b->vmcb->control.exit_code;
}

/* What the manual leaves undefined, and guests with legacy paging, which the model enters but
 * cannot run. */
static void tolerate(struct bare *b)
{
	hosted_tolerate(b->m, HOSTED_BREACH_MODEL);
	hosted_tolerate(b->m, HOSTED_BREACH_UNDEFINED);
	hosted_tolerate(b->m, HOSTED_BREACH_CLEAN_RESERVED);
}

START_TEST(the_auditor_and_the_strict_processor_agree)
{
	const struct audit_case *c = &audit_cases[(size_t)_i % AUDIT_CASE_COUNT];
	struct hosted_config config;
	char rules[160], verdict[16];
	struct bare b;

	/* First a processor with all that the model has, then the barest. */
	hosted_config_init(&config);
	if ((size_t)_i >= AUDIT_CASE_COUNT) {
		config.features.svm_edx = (uint32_t)SVM_FEATURE_NPT;
		config.features.asid_count = 3;
		config.features.physical_bits = 48;
	}
	bare_init(&b, &config, GUEST_64);
	tolerate(&b);
	prepare(&b, c, (enum audit_mode)c->mode);

	const char *audited = audit_refuses(&b, rules, sizeof(rules)) ? "INVALID" : "ACCEPTED";
	const char *known = quirk(c->name, verdict);

	if (!known || strcmp(known, "SKIP")) {
		const bool refused = svm_exit_is_invalid(run(&b));
		const char *seen = refused ? "INVALID" : "ACCEPTED";
		const char *named = hosted_invalid_rule(b.m, 0);

		ck_assert_msg(!strcmp(seen, known ? known : audited),
		              "%s: the processor says %s (%s), the auditor %s (%s), quirks %s",
		              c->name, seen, named ? named : "-", audited, rules,
		              known ? known : "nothing");
		ck_assert_msg(!known || strcmp(known, audited), "%s: the quirk is not needed",
		              c->name);
		/* Both refuse for the same reason; the model's C17 is the whole of 090h. */
		if (refused && !known && strcmp(named, "C17"))
			ck_assert_msg(strstr(rules, named),
			              "%s: the processor names %s, the auditor%s", c->name, named,
			              rules);
	}
	bare_fini(&b);
}
END_TEST

START_TEST(a_good_vmcb_runs_in_every_mode)
{
	const bool legacy_paging = _i == AUDIT_PAE32 || _i == AUDIT_LEGACY32 || _i == AUDIT_V8086;
	char rules[160];
	struct bare b;
	uint64_t exit_code;

	bare_init(&b, NULL, GUEST_64);
	if (legacy_paging)
		tolerate(&b);
	prepare(&b, NULL, (enum audit_mode)_i);
	ck_assert_msg(!audit_refuses(&b, rules, sizeof(rules)), "%s:%s", audit_mode_names[_i],
	              rules);
	ck_assert_str_eq(rules, "");
	exit_code = run(&b);
	ck_assert_msg(!svm_exit_is_invalid(exit_code), "%s: refused", audit_mode_names[_i]);
	ck_assert_msg(legacy_paging || exit_code == SVM_EXIT_VMMCALL, "%s: exit %llx",
	              audit_mode_names[_i], (unsigned long long)exit_code);
	bare_fini(&b);
}
END_TEST

static void make_near_valid(struct bare *b, uint64_t *state)
{
	const struct svm_features features = probe(b);
	struct audit_place place = { .iopm = b->s.host_vmcb + 0x2000, .ncr3 = b->root };

	place.msrpm = place.iopm + 0x3000;
	audit_guest(b->memory + AUDIT_CODE, AUDIT_CODE, &place);
	memset(b->vmcb, 0, sizeof(*b->vmcb));
	audit_near_valid(b->vmcb, state, &place, &features);
}

/*
 * Near-valid VMCBs: what the processor refuses the auditor has refused, always; and of what the
 * processor accepts it refuses only what is_left_out().  No assertion for each: in libcheck that is
 * a system call, and one run of this makes a million rounds.
 */
START_TEST(near_valid_vmcbs_are_judged_alike)
{
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15) * (fuzz_seed + (uint64_t)_i + 1);
	struct hosted_config config;
	unsigned long refusals = 0;
	char rules[160];
	struct bare b;

	hosted_config_init(&config);
	config.features.physical_bits = 40; /* Whatever audit_scramble() does to nCR3 is beyond. */
	bare_init(&b, &config, GUEST_64);
	tolerate(&b);
	for (unsigned long i = 0; i < fuzz_rounds; i++) {
		bool left_out;

		make_near_valid(&b, &state);
		hosted_cpu_flush_all(b.m, 0);
		const bool audited = audit_verdict(&b, rules, sizeof(rules), &left_out);
		const bool refused = svm_exit_is_invalid(run(&b));
		const char *named = hosted_invalid_rule(b.m, 0);

		refusals += refused;
		/* 090h: the model has none of its features and refuses every bit, the auditor
		 * only those that the manual does not let a processor ignore. */
		if (refused && !audited && !strcmp(named, "C17"))
			continue;
		if (refused && !audited)
			ck_abort_msg("round %lu: refused for %s, audited%s", i, named, rules);
		if (!refused && audited && !left_out)
			ck_abort_msg("round %lu: accepted, audited%s", i, rules);
	}
	ck_assert_uint_gt(refusals, fuzz_rounds / 10);
	ck_assert_uint_lt(refusals, fuzz_rounds - fuzz_rounds / 10);
	bare_fini(&b);
}
END_TEST

/* test_hosted_audit [ROUNDS SEED]: so many near-valid VMCBs and nothing else. */
int main(int argc, char **argv)
{
	Suite *suite = suite_create("hosted audit");
	TCase *tc = tcase_create("verdicts");

	if (argc == 3) {
		fuzz_rounds = strtoul(argv[1], NULL, 0);
		fuzz_seed = strtoul(argv[2], NULL, 0);
		tcase_add_test(tc, near_valid_vmcbs_are_judged_alike);
		tcase_set_timeout(tc, 0);
	} else {
		tcase_add_loop_test(tc, a_good_vmcb_runs_in_every_mode, 0, AUDIT_MODE_COUNT);
		tcase_add_loop_test(tc, the_auditor_and_the_strict_processor_agree, 0,
		                    2 * (int)AUDIT_CASE_COUNT);
		tcase_add_loop_test(tc, near_valid_vmcbs_are_judged_alike, 0, 4);
		tcase_set_timeout(tc, 120);
	}
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
