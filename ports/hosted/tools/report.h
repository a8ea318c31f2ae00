/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_REPORT_H
#define TOOLS_REPORT_H
/*
 * Findings of an audit, for people and for programs.
 */
#include <stdbool.h>
#include <stdio.h>

#include <libsvm/diagnose.h>

struct report_style {
	bool color;
	bool quiet; /* Only the line of the sum. */
};

/* One VMCB and what was found in it. */
struct report {
	const char *name; /* "vmcb.bin", "dump[3]". */
	const struct svm_vmcb *vmcb;
	const uint8_t *known; /* 1 for each byte that is known; NULL: all are. */
	const struct svm_finding *findings, *unsure;
	size_t count, errors, unsure_count;
};

void report_text(FILE *out, const struct report *report, const struct report_style *style);

/* An object without a newline behind it. */
void report_json(FILE *out, const struct report *report);

/* Every field that differs, a line each; how many. */
size_t report_difference(FILE *out, const struct svm_vmcb *a, const struct svm_vmcb *b,
                         const struct report_style *style);
/* The same as an array. */
size_t report_difference_json(FILE *out, const struct svm_vmcb *a, const struct svm_vmcb *b);

/* Every field that is known and not 0, or all that are not reserved. */
void report_fields(FILE *out, const struct report *report, bool all);

/* A rule as the manual page and the documents have it. */
void report_rule(FILE *out, const struct svm_rule_info *info);

#endif
