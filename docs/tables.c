/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables of the documentation, printed from the tables of the headers.
 *
 * A page that repeats a table by hand is wrong after the next change.  Here the compiler expands
 * the same X-macros as in the library; generate.py puts the result into the pages, and a test
 * compares.  Each table begins with a line "=== name".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/libsvm.h>

/* Text for a cell: Doxygen takes "#DB" for a reference, and a bar ends a cell. */
static const char *cell(const char *text)
{
	static char buffers[4][512];
	static unsigned next;
	char *buffer = buffers[next++ % 4];
	size_t n = 0;

	for (; *text && n + 3 < sizeof(buffers[0]); text++) {
		if (*text == '#' || *text == '|')
			buffer[n++] = '\\';
		buffer[n++] = *text;
	}
	buffer[n] = 0;
	return buffer;
}

/* --- states ---------------------------------------------------------------------------------- */

#define SKIP(...)
#define STATE(name, text)   printf("| `%s` | %s |\n", #name, cell(text));
#define MOVE(from, to, why) printf("| `%s` | `%s` | %s |\n", #from, #to, cell(why));

static void states(void)
{
	printf("=== vm-states\n| state | the VM |\n| --- | --- |\n");
	SVM_VM_STATES(STATE, SKIP)
	printf("=== vcpu-states\n| state | the vCPU |\n| --- | --- |\n");
	SVM_VCPU_STATES(STATE, SKIP)
}

static void moves(void)
{
	printf("=== vm-moves\n| from | to | by |\n| --- | --- | --- |\n");
	SVM_VM_STATES(SKIP, MOVE)
	printf("=== vcpu-moves\n| from | to | by |\n| --- | --- | --- |\n");
	SVM_VCPU_STATES(SKIP, MOVE)
}

#undef STATE
#undef MOVE

/* DEAD is reached from everywhere; drawn in full its arrows would hide the others. */
static void dot_move(const char *from, const char *to, const char *why)
{
	const bool dead = strcmp(to, "DEAD") == 0;

	printf("\t%s -> %s [label=\"%s\"%s];\n", from, to, dead ? "" : why,
	       dead ? ", color=grey, style=dashed" : "");
}

static void dot_head(const char *file, const char *table, const char *header)
{
	printf("=== %s.dot\n", file);
	printf("// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only\n");
	printf("// Generated from %s of libsvm/%s: ninja -C build docs-update\n", table, header);
	printf("digraph states {\n");
	printf("\tnode [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n");
	printf("\tedge [fontname=\"sans-serif\", fontsize=9];\n");
}

static void graphs(void)
{
#define STATE(name, text)   printf("\t%s [tooltip=\"%s\"];\n", #name, text);
#define MOVE(from, to, why) dot_move(#from, #to, why);
	dot_head("vm-states", "SVM_VM_STATES", "vm.h");
	SVM_VM_STATES(STATE, MOVE)
	printf("}\n");
	dot_head("vcpu-states", "SVM_VCPU_STATES", "vcpu.h");
	SVM_VCPU_STATES(STATE, MOVE)
	printf("}\n");
#undef STATE
#undef MOVE
}

/* --- exits ------------------------------------------------------------------------------------ */

/* What the embedder may answer; a new kind does not compile until it has its line. */
static const char *completions(enum svm_exit_kind kind)
{
	switch (kind) {
	case SVM_EXIT_KIND_IO:
		return "IN: value; OUT: skip; fault or retry";
	case SVM_EXIT_KIND_MMIO:
		return "read: value or data; write: skip; fault or retry";
	case SVM_EXIT_KIND_RDMSR:
		return "value, fault, skip or retry";
	case SVM_EXIT_KIND_WRMSR:
		return "skip, fault or retry";
	case SVM_EXIT_KIND_CPUID:
		return "cpuid, fault, skip or retry";
	case SVM_EXIT_KIND_HYPERCALL:
		return "value (the new RAX), fault, skip or retry";
	case SVM_EXIT_KIND_MWAIT:
		return "skip, fault or retry";
	case SVM_EXIT_KIND_EXCEPTION:
	case SVM_EXIT_KIND_DEBUG:
		return "fault (let the guest have it) or retry (swallow it)";
	case SVM_EXIT_KIND_CR:
	case SVM_EXIT_KIND_DR:
		return "read: value; write: skip; fault or retry";
	case SVM_EXIT_KIND_TASK_SWITCH:
		return "fault or retry";
	case SVM_EXIT_KIND_RAW:
	case SVM_EXIT_KIND_EMULATION:
		return "skip where the length is known, fault or retry";
	case SVM_EXIT_KIND_NONE:
	case SVM_EXIT_KIND_HLT:
	case SVM_EXIT_KIND_PAUSE:
	case SVM_EXIT_KIND_INTR_WINDOW:
	case SVM_EXIT_KIND_NMI_WINDOW:
	case SVM_EXIT_KIND_SHUTDOWN:
	case SVM_EXIT_KIND_INIT:
	case SVM_EXIT_KIND_NPT_FAULT:
	case SVM_EXIT_KIND_NEED_MEMORY:
	case SVM_EXIT_KIND_REQUEST:
	case SVM_EXIT_KIND_HOST_INTERRUPT:
	case SVM_EXIT_KIND_ENTRY_FAILED:
	case SVM_EXIT_KIND_LOOP:
	case SVM_EXIT_KIND_SILENT:
	case SVM_EXIT_KIND_COUNT:
		break;
	}
	return "nothing";
}

static void exit_kind(const char *name, enum svm_exit_kind kind, bool completes, const char *text)
{
	const char *owed = completions(kind);

	if (completes == (strcmp(owed, "nothing") == 0)) {
		fprintf(stderr, "exit kind %s: exit.h and completions() disagree\n", name);
		exit(EXIT_FAILURE);
	}
	printf("| `%s` | %s | %s |\n", name, cell(text), owed);
}

static void exit_kinds(void)
{
	printf("=== exit-kinds\n| kind | what happened | to be completed with |\n"
	       "| --- | --- | --- |\n");
#define KIND(name, completes, text) exit_kind(#name, SVM_EXIT_KIND_##name, completes, text);
	SVM_EXIT_KINDS(KIND)
#undef KIND
}

struct exit_row {
	unsigned first, count;
	const char *name, *use, *text;
};

static int by_code(const void *a, const void *b)
{
	const struct exit_row *left = a, *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

static void exit_codes(void)
{
	struct exit_row rows[] = {
#define RANGE(name, first, count, use, text) { (first), (count), #name, #use, text },
#define CODE(name, code, use, text)          { (code), 1, #name, #use, text },
		SVM_EXIT_RANGES(RANGE) SVM_EXIT_CODES(CODE)
#undef RANGE
#undef CODE
	};

	qsort(rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0]), by_code);
	printf("=== exit-codes\n| code | name | intercept | means |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].count > 1)
			printf("| %03Xh to %03Xh | `%s` + n | %s | %s |\n", rows[i].first,
			       rows[i].first + rows[i].count - 1, rows[i].name, rows[i].use,
			       cell(rows[i].text));
		else
			printf("| %03Xh | `%s` | %s | %s |\n", rows[i].first, rows[i].name,
			       rows[i].use, cell(rows[i].text));
	}
}

static void exceptions(void)
{
	printf("=== exceptions\n| vector | name | error code | class | means |\n"
	       "| --- | --- | --- | --- | --- |\n");
#define EXCEPTION(name, vector, has_error, class, text)                                            \
	printf("| %d | \\#%s | %s | %s | %s |\n", vector, #name, (has_error) ? "yes" : "no",       \
	       #class, text);
	SVM_EXCEPTIONS(EXCEPTION)
#undef EXCEPTION
}

/* --- registers, rules, errors -------------------------------------------------------------------
 */

static void msrs(void)
{
	printf("=== msrs\n| number | name | policy | at reset | is |\n"
	       "| --- | --- | --- | --- | --- |\n");
#define MSR(name, number, policy, reset, text)                                                     \
	printf("| %04X_%04Xh | `%s` | %s | %llXh | %s |\n", (unsigned)(number) >> 16,              \
	       (unsigned)(number)&0xffff, #name, #policy, (unsigned long long)(reset),             \
	       cell(text));
	SVM_MSRS(MSR)
#undef MSR
}

static void rules(void)
{
	printf("=== rules\n| id | | APM vol. 2 | the rule that is broken | what to do |\n"
	       "| --- | --- | --- | --- | --- |\n");
#define RULE(id, severity, section, text, advice)                                                  \
	printf("| %s | %s | %s | %s | %s |\n", #id,                                                \
	       strcmp(#severity, "ERROR") ? "warning" : "error", section, cell(text),              \
	       cell(advice));
	SVM_RULES(RULE)
#undef RULE
}

static void rules_unseen(void)
{
	printf("=== rules-unseen\n| id | what the audit does not see | why |\n| --- | --- | --- "
	       "|\n");
#define UNSEEN(id, text, reason) printf("| %s | %s | %s |\n", #id, cell(text), cell(reason));
	SVM_RULES_UNSEEN(UNSEEN)
#undef UNSEEN
}

/* --- the recorder ---------------------------------------------------------------------------- */

static void recorder(void)
{
#define FIELD(member, key, form, text)                                                             \
	printf("| `%s` | %s | %s |\n", key,                                                        \
	       strcmp(#form, "HEX") == 0   ? "hexadecimal"                                         \
	       : strcmp(#form, "DEC") == 0 ? "decimal"                                             \
	                                   : "name or -",                                          \
	       cell(text));
	printf("=== recorder-fields\n| key | form | is |\n| --- | --- | --- |\n");
	SVM_RECORDER_FIELDS(FIELD)
	printf("=== record-fields\n| key | form | is |\n| --- | --- | --- |\n");
	SVM_RECORD_FIELDS(FIELD)
#undef FIELD
}

static void errors(void)
{
	printf("=== errors\n| error | value | means |\n| --- | --- | --- |\n");
#define ERROR_ROW(name, value, text)                                                               \
	printf("| `SVM_ERR_%s` | %d | %s |\n", #name, value, cell(text));
	SVM_ERRORS(ERROR_ROW)
#undef ERROR_ROW
}

int main(void)
{
	states();
	moves();
	graphs();
	exit_kinds();
	exit_codes();
	exceptions();
	msrs();
	rules();
	rules_unseen();
	recorder();
	errors();
	return EXIT_SUCCESS;
}
