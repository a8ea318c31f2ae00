/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A finding in two lines: what is wrong, with the field, its place, its value and the bits by name,
 * and what to do, with the section of the manual.  Sentences are the library's own.
 */
#include <inttypes.h>
#include <string.h>

#include "disassemble.h"
#include "field.h"
#include "json.h"
#include "partial.h"
#include "report.h"

#define RED    "\033[31;1m"
#define YELLOW "\033[33;1m"
#define GREEN  "\033[32;1m"
#define BOLD   "\033[1m"
#define PLAIN  "\033[0m"

#define UNKNOWN_SIZE (FIELD_NAME + 32)

static const char *paint(const struct report_style *style, const char *code)
{
	return style->color ? code : "";
}

static const char *severity_name(const struct svm_rule_info *info)
{
	return info->severity == SVM_SEVERITY_ERROR ? "error" : "warning";
}

static bool has_field(const struct svm_finding *finding)
{
	return finding->offset != SVM_FINDING_NO_FIELD;
}

/* The name of what a finding is about: a field, or the MSR of W08. */
static const char *subject(const struct svm_finding *finding, char buffer[SVM_VMCB_FIELD_NAME_SIZE])
{
	const char *msr;

	if (finding->rule == SVM_RULE_W08) {
		msr = svm_msr_name((uint32_t)finding->value);
		return msr ? msr : "MSR";
	}
	return has_field(finding) ? svm_vmcb_field_name(finding->offset, buffer) : NULL;
}

static void print_finding(FILE *out, const struct report *report, const struct svm_finding *finding,
                          const struct report_style *style)
{
	const struct svm_rule_info *info = svm_rule_info(finding->rule);
	const bool is_error = info->severity == SVM_SEVERITY_ERROR;
	char name[SVM_VMCB_FIELD_NAME_SIZE], bits[FIELD_BITS];
	const char *what = subject(finding, name);

	fprintf(out, "%s: %s%s %s%s: %s\n", report->name, paint(style, is_error ? RED : YELLOW),
	        severity_name(info), info->id, paint(style, PLAIN), info->text);
	fprintf(out, "\t%s%s", paint(style, BOLD), what ? what : has_field(finding) ? "" : "value");
	if (has_field(finding))
		fprintf(out, " (%03Xh)", (unsigned int)finding->offset);
	fprintf(out, " = %" PRIX64 "h%s", finding->value, paint(style, PLAIN));
	if (finding->bits) {
		fprintf(out, ", bits %" PRIX64 "h", finding->bits);
		if (*field_bits(finding->offset, finding->bits, bits))
			fprintf(out, " (%s)", bits);
	}
	fprintf(out, "\n\t%s (APM vol. 2, %s)\n", info->advice, info->section);
}

/* The processor's last word, if it has spoken. */
static void print_exit(FILE *out, const struct report *report)
{
	const struct svm_vmcb_control *control = &report->vmcb->control;
	char buffer[24];
	const char *name = svm_exit_name(control->exit_code, buffer);
	const char *text = svm_exit_text(control->exit_code);
	char insn[DISASSEMBLE_SIZE];

	if (control->exit_code == 0 && control->exit_info_1 == 0 && control->exit_info_2 == 0)
		return;
	fprintf(out,
	        "%s: last exit %s (%" PRIX64 "h)%s%s, EXITINFO1 %" PRIX64 "h, EXITINFO2 %" PRIX64
	        "h, RIP %" PRIX64 "h\n",
	        report->name, name ? name : "of no known code", control->exit_code,
	        text ? ": " : "", text ? text : "", control->exit_info_1, control->exit_info_2,
	        report->vmcb->save.rip);
	if (*disassemble(report->vmcb, insn))
		fprintf(out, "%s: instruction bytes %s\n", report->name, insn);
}

/* --- what is not known ------------------------------------------------------------------------ */

/* "EFER", "exit code, bits FFFFFFFF00000000h", or "" for a field that is known. */
static const char *unknown_text(const struct report *report, const struct field *field,
                                char text[UNKNOWN_SIZE])
{
	const uint64_t all = UINT64_MAX >> (64 - 8 * field->size);
	const uint64_t bits = partial_unknown_bits(report->known, field);

	text[0] = '\0';
	if (bits == all)
		snprintf(text, UNKNOWN_SIZE, "%s", field->name);
	else if (bits)
		snprintf(text, UNKNOWN_SIZE, "%s, bits %" PRIX64 "h", field->name, bits);
	return text;
}

/* Bytes that differ in their number alone are one: "software's bytes". */
static bool merge_bytes(const struct field *field, char text[UNKNOWN_SIZE])
{
	char *number = strrchr(text, ' ');

	if (field->size != 1 || !number || number[strspn(number, " 0123456789")])
		return true;
	strcpy(number, "s");
	return strcmp(field->name + (number - text), " 0") == 0;
}

/* The next that is not known, from *offset on; false behind the last. */
static bool next_unknown(const struct report *report, uint16_t *offset, char text[UNKNOWN_SIZE])
{
	while (report->known && *offset < sizeof(struct svm_vmcb)) {
		struct field field;

		*offset = field_at(*offset, &field);
		if (!field.is_reserved && *unknown_text(report, &field, text) &&
		    merge_bytes(&field, text))
			return true;
	}
	return false;
}

static void print_unsure(FILE *out, const struct report *report)
{
	char text[UNKNOWN_SIZE], name[SVM_VMCB_FIELD_NAME_SIZE];
	const char *before = "";

	if (!report->known)
		return;
	fprintf(out, "%s: not known: ", report->name);
	for (uint16_t offset = 0; next_unknown(report, &offset, text); before = "; ")
		fprintf(out, "%s%s", before, text);
	fputs(*before ? "\n" : "nothing\n", out);
	for (size_t i = 0; i < report->unsure_count; i++) {
		const struct svm_rule_info *info = svm_rule_info(report->unsure[i].rule);
		const char *what = subject(&report->unsure[i], name);

		fprintf(out, "%s: not judged %s%s%s%s: %s\n", report->name, info->id,
		        what ? " (" : "", what ? what : "", what ? ")" : "", info->text);
	}
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

void report_text(FILE *out, const struct report *report, const struct report_style *style)
{
	const size_t warnings = report->count - report->errors;
	const char *color = report->errors ? RED : warnings ? YELLOW : GREEN;

	if (!style->quiet) {
		print_exit(out, report);
		for (size_t i = 0; i < report->count; i++)
			print_finding(out, report, &report->findings[i], style);
		print_unsure(out, report);
	}
	fprintf(out, "%s: %s%zu error%s, %zu warning%s%s", report->name, paint(style, color),
	        report->errors, plural(report->errors), warnings, plural(warnings),
	        paint(style, PLAIN));
	if (report->known)
		fprintf(out, ", %zu not judged", report->unsure_count);
	fputc('\n', out);
}

static void print_finding_json(FILE *out, const struct svm_finding *finding)
{
	const struct svm_rule_info *info = svm_rule_info(finding->rule);
	char name[SVM_VMCB_FIELD_NAME_SIZE], bits[FIELD_BITS];

	fputc('{', out);
	json_text(out, "rule", info->id);
	fputc(',', out);
	json_text(out, "severity", severity_name(info));
	fputc(',', out);
	json_text(out, "field", subject(finding, name));
	if (has_field(finding))
		fprintf(out, ",\"offset\":%u,", (unsigned int)finding->offset);
	else
		fprintf(out, ",\"offset\":null,");
	json_hex(out, "value", finding->value);
	fputc(',', out);
	json_hex(out, "bits", finding->bits);
	fputc(',', out);
	json_text(out, "bit_names", field_bits(finding->offset, finding->bits, bits));
	fputc(',', out);
	json_text(out, "text", info->text);
	fputc(',', out);
	json_text(out, "section", info->section);
	fputc(',', out);
	json_text(out, "advice", info->advice);
	fputc('}', out);
}

static void print_unsure_json(FILE *out, const struct report *report)
{
	char text[UNKNOWN_SIZE], name[SVM_VMCB_FIELD_NAME_SIZE];
	bool is_first = true;

	fputs(",\"unknown\":[", out);
	for (uint16_t offset = 0; next_unknown(report, &offset, text); is_first = false) {
		fputs(is_first ? "" : ",", out);
		json_string(out, text);
	}
	fputs("],\"not_judged\":[", out);
	for (size_t i = 0; i < report->unsure_count; i++) {
		fputs(i ? ",{" : "{", out);
		json_text(out, "rule", svm_rule_info(report->unsure[i].rule)->id);
		fputc(',', out);
		json_text(out, "field", subject(&report->unsure[i], name));
		fputc('}', out);
	}
	fputc(']', out);
}

void report_json(FILE *out, const struct report *report)
{
	char buffer[24], insn[DISASSEMBLE_SIZE];

	fputc('{', out);
	json_text(out, "name", report->name);
	fputc(',', out);
	json_hex(out, "exit_code", report->vmcb->control.exit_code);
	fputc(',', out);
	json_text(out, "exit_name", svm_exit_name(report->vmcb->control.exit_code, buffer));
	fputc(',', out);
	json_hex(out, "rip", report->vmcb->save.rip);
	fputc(',', out);
	json_text(out, "instruction", disassemble(report->vmcb, insn));
	fprintf(out, ",\"errors\":%zu,\"warnings\":%zu,\"findings\":[", report->errors,
	        report->count - report->errors);
	for (size_t i = 0; i < report->count; i++) {
		if (i)
			fputc(',', out);
		print_finding_json(out, &report->findings[i]);
	}
	fputc(']', out);
	print_unsure_json(out, report);
	fputc('}', out);
}

/* "PG, WP" of one that has bits with names, in brackets. */
static void print_bits(FILE *out, const char *before, uint16_t offset, uint64_t bits)
{
	char text[FIELD_BITS];

	if (*field_bits(offset, bits, text))
		fprintf(out, "%s%s", before, text);
}

size_t report_difference(FILE *out, const struct svm_vmcb *a, const struct svm_vmcb *b,
                         const struct report_style *style)
{
	size_t count = 0;

	for (uint16_t offset = 0; offset < sizeof(struct svm_vmcb);) {
		struct field field;
		uint64_t from, to;

		offset = field_at(offset, &field);
		from = field_value(a, &field);
		to = field_value(b, &field);
		if (from == to)
			continue;
		count++;
		fprintf(out, "%s%s%s (%03Xh): %" PRIX64 "h -> %" PRIX64 "h", paint(style, BOLD),
		        field.name, paint(style, PLAIN), (unsigned int)field.offset, from, to);
		print_bits(out, "; set: ", field.offset, to & ~from);
		print_bits(out, "; cleared: ", field.offset, from & ~to);
		fputc('\n', out);
	}
	return count;
}

size_t report_difference_json(FILE *out, const struct svm_vmcb *a, const struct svm_vmcb *b)
{
	size_t count = 0;

	fputc('[', out);
	for (uint16_t offset = 0; offset < sizeof(struct svm_vmcb);) {
		struct field field;

		offset = field_at(offset, &field);
		if (field_value(a, &field) == field_value(b, &field))
			continue;
		fputs(count++ ? ",\n{" : "{", out);
		json_text(out, "field", field.name);
		fprintf(out, ",\"offset\":%u,", (unsigned int)field.offset);
		json_hex(out, "a", field_value(a, &field));
		fputc(',', out);
		json_hex(out, "b", field_value(b, &field));
		fputc('}', out);
	}
	fputs("]\n", out);
	return count;
}

void report_fields(FILE *out, const struct report *report, bool all)
{
	for (uint16_t offset = 0; offset < sizeof(struct svm_vmcb);) {
		char unknown[UNKNOWN_SIZE];
		struct field field;
		uint64_t value;

		offset = field_at(offset, &field);
		value = field_value(report->vmcb, &field);
		if (value == 0 && (!all || field.is_reserved))
			continue;
		if (value == 0 && *unknown_text(report, &field, unknown)) {
			fprintf(out, "%03Xh  %-28s not known\n", (unsigned int)field.offset,
			        field.name);
			continue;
		}
		fprintf(out, "%03Xh  %-28s %" PRIX64 "h", (unsigned int)field.offset, field.name,
		        value);
		print_bits(out, "  ", field.offset, value);
		fputc('\n', out);
	}
}

void report_rule(FILE *out, const struct svm_rule_info *info)
{
	fprintf(out, "%s %-7s APM vol. 2, %s\n\t%s\n\t%s\n", info->id, severity_name(info),
	        info->section, info->text, info->advice);
}
