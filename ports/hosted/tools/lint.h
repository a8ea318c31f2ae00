/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_LINT_H
#define TOOLS_LINT_H
/*
 * What svm-lint was asked for.
 */
#include <stdbool.h>
#include <stdio.h>

#include "dump.h"
#include "memory.h"
#include "report.h"

#define VMCB_SIZE sizeof(struct svm_vmcb)

enum status { STATUS_CLEAN, STATUS_WARNINGS, STATUS_ERRORS, STATUS_TROUBLE };

struct lint {
	struct svm_features features;
	struct svm_audit_context context;
	struct report_style style;
	bool json, diff, fields, all_fields, at_given, host_la57;
	uint64_t at;
	const char *ignored;
	struct dump msrpm, iopm, before;
	struct memory memory; /* With file NULL: none was given. */
	enum status status;
	size_t printed; /* Objects of JSON. */
};

/*
 * Take all options; the index of the first file's name.  Ends the program after --help and its
 * like, and after a mistake.
 */
int lint_take_options(struct lint *lint, int argc, char **argv);

_Noreturn void lint_wrong_usage(const char *what, const char *value);

#endif
