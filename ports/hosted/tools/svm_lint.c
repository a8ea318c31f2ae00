/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * svm-lint: the audit for whoever has a VMCB and no libsvm in it.
 *
 * Everything read is a stranger's: sizes are checked before use, no pointer in a VMCB is followed,
 * and what the audit cannot know from 4096 bytes is said by options or left unjudged.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "lint.h"
#include "partial.h"

static void trouble(struct lint *lint, const char *name, const char *why)
{
	fprintf(stderr, "svm-lint: %s: %s\n", name, why);
	lint->status = STATUS_TROUBLE;
}

static void worsen(struct lint *lint, enum status status)
{
	if (status > lint->status)
		lint->status = status;
}

static bool is_ignored(const struct lint *lint, const struct svm_finding *finding)
{
	return lint->ignored && strstr(lint->ignored, svm_rule_info(finding->rule)->id);
}

/* Leave out what --ignore names; how many are left. */
static size_t leave_out_ignored(const struct lint *lint, struct svm_finding *findings, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!is_ignored(lint, &findings[i]))
			findings[kept++] = findings[i];
	return kept;
}

/* `known` is as in struct dump; what is known in part only is from a log, and so after an exit. */
static void judge(struct lint *lint, const char *name, const struct svm_vmcb *vmcb,
                  const uint8_t *known)
{
	static struct partial partial;
	struct svm_audit_context context;
	struct report report = { .name = name,
		                 .vmcb = vmcb,
		                 .known = known,
		                 .findings = partial.findings,
		                 .unsure = partial.unsure };

	if (lint->memory.file && lint->context.host_long_mode) {
		lint->memory.root = svm_vmcb_get_ncr3(vmcb);
		lint->memory.levels = lint->host_la57 ? 5 : 4;
		lint->context.nested = memory_nested;
		lint->context.nested_arg = &lint->memory;
	}
	context = lint->context;
	context.at_rest |= known != NULL;
	partial_audit(&partial, vmcb, known, &context);
	report.count = leave_out_ignored(lint, partial.findings, partial.count);
	report.unsure_count = leave_out_ignored(lint, partial.unsure, partial.unsure_count);
	report.errors = svm_finding_errors(report.findings, report.count);
	worsen(lint, report.errors ? STATUS_ERRORS : report.count ? STATUS_WARNINGS : STATUS_CLEAN);
	if (lint->json) {
		fputs(lint->printed++ ? ",\n" : "[", stdout);
		report_json(stdout, &report);
		return;
	}
	if (lint->fields)
		report_fields(stdout, &report, lint->all_fields);
	report_text(stdout, &report, &lint->style);
}

/* One VMCB of a dump of memory that is too large to be read, and is no text. */
static bool load_part(const struct lint *lint, const char *name, struct dump *memory)
{
	struct memory file;
	bool good = false;

	if (!lint->at_given || strchr(name, '@') || !memory_open(&file, name))
		return false;
	if (file.size > DUMP_MOST) {
		*memory = (struct dump){ .bytes = malloc(VMCB_SIZE), .size = VMCB_SIZE };
		good = memory->bytes && memory_read(&file, lint->at, memory->bytes, VMCB_SIZE);
		if (!good)
			dump_free(memory);
	}
	memory_close(&file);
	return good;
}

/* The part that the options want, as whole VMCBs; false, with a reason, if it is none. */
static bool choose(const struct lint *lint, struct dump *memory, char why[DUMP_WHY])
{
	if (lint->at_given) {
		if (memory->size < VMCB_SIZE || lint->at > memory->size - VMCB_SIZE) {
			snprintf(why, DUMP_WHY, "%zu bytes: no VMCB at this offset", memory->size);
			return false;
		}
		memmove(memory->bytes, memory->bytes + lint->at, VMCB_SIZE);
		if (memory->known)
			memmove(memory->known, memory->known + lint->at, VMCB_SIZE);
		memory->size = VMCB_SIZE;
	}
	if (memory->size == 0 || memory->size % VMCB_SIZE != 0) {
		snprintf(why, DUMP_WHY,
		         "%zu bytes: a VMCB has 4096, and several a multiple of that",
		         memory->size);
		return false;
	}
	return true;
}

static bool load(struct lint *lint, const char *name, struct dump *memory)
{
	char why[DUMP_WHY];

	if (load_part(lint, name, memory))
		return true;
	if (!dump_open(name, memory, why)) {
		trouble(lint, name, why);
		return false;
	}
	if (!choose(lint, memory, why)) {
		trouble(lint, name, why);
		dump_free(memory);
		return false;
	}
	return true;
}

static void judge_file(struct lint *lint, const char *name)
{
	struct dump memory;
	char part[300];

	if (!load(lint, name, &memory))
		return;
	for (size_t i = 0; i < memory.size / VMCB_SIZE; i++) {
		static struct svm_vmcb vmcb;

		memcpy(&vmcb, memory.bytes + i * VMCB_SIZE, VMCB_SIZE);
		snprintf(part, sizeof(part), "%s[%zu]", name, i);
		judge(lint, memory.size == VMCB_SIZE ? name : part, &vmcb,
		      memory.known ? memory.known + i * VMCB_SIZE : NULL);
	}
	dump_free(&memory);
}

/* What is not known in one of two VMCBs does not differ. */
static void share_unknown(const struct svm_vmcb *a, struct svm_vmcb *b, const struct dump memory[2],
                          int count)
{
	const uint8_t *known_a = memory[0].known;
	const uint8_t *known_b = count == 2        ? memory[1].known
	                         : memory[0].known ? memory[0].known + VMCB_SIZE
	                                           : NULL;

	for (size_t i = 0; i < VMCB_SIZE; i++)
		if ((known_a && !known_a[i]) || (known_b && !known_b[i]))
			((uint8_t *)b)[i] = ((const uint8_t *)a)[i];
}

/* Two files of one VMCB each, or one file of two. */
static void compare(struct lint *lint, char *const names[], int count)
{
	static struct svm_vmcb a, b;
	struct dump memory[2] = { { .bytes = NULL }, { .bytes = NULL } };
	size_t differences;

	if (count != 1 && count != 2)
		lint_wrong_usage("--diff compares two VMCBs", NULL);
	for (int i = 0; i < count; i++) {
		if (!load(lint, names[i], &memory[i]))
			exit(STATUS_TROUBLE);
		if (memory[i].size != VMCB_SIZE * (3 - (size_t)count))
			lint_wrong_usage(
				"--diff compares two VMCBs, and this has another number of them",
				names[i]);
	}
	memcpy(&a, memory[0].bytes, VMCB_SIZE);
	memcpy(&b, count == 2 ? memory[1].bytes : memory[0].bytes + VMCB_SIZE, VMCB_SIZE);
	share_unknown(&a, &b, memory, count);
	differences = lint->json ? report_difference_json(stdout, &a, &b)
	                         : report_difference(stdout, &a, &b, &lint->style);
	worsen(lint, differences ? STATUS_WARNINGS : STATUS_CLEAN);
	dump_free(&memory[0]);
	dump_free(&memory[1]);
}

int main(int argc, char **argv)
{
	static char dash[] = "-", *standard_input[] = { dash };
	static struct lint lint;
	const int first = lint_take_options(&lint, argc, argv);
	char **names = first < argc ? argv + first : standard_input;
	const int count = first < argc ? argc - first : 1;

	if (lint.diff) {
		compare(&lint, names, count);
	} else {
		for (int i = 0; i < count; i++)
			judge_file(&lint, names[i]);
		if (lint.json)
			fputs(lint.printed ? "]\n" : "[]\n", stdout);
	}
	if (fflush(stdout) || ferror(stdout))
		trouble(&lint, "standard output", strerror(errno));
	dump_free(&lint.msrpm);
	dump_free(&lint.iopm);
	dump_free(&lint.before);
	memory_close(&lint.memory);
	return (int)lint.status;
}
