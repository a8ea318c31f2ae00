/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rules and findings in words.  A finding becomes one line that needs no other source: which rule,
 * which field, what stands in it, which bits are wrong, what to do, and where the manual says so.
 */
#include "core/diagnose/audit.h"
#include "core/diagnose/text.h"

const struct svm_rule_info *svm_rule_info(enum svm_rule rule)
{
	static const struct svm_rule_info infos[] = {
#define INFO(id, severity, section, text, advice)                                                  \
	{ #id, section, text, advice, SVM_SEVERITY_##severity },
		SVM_RULES(INFO)
#undef INFO
	};
	const size_t index = (size_t)rule;

	return index < SVM_ARRAY_SIZE(infos) ? &infos[index] : NULL;
}

const struct svm_rule_unseen *svm_rule_unseen(size_t index)
{
	static const struct svm_rule_unseen rows[] = {
#define UNSEEN(id, text, reason) { #id, text, reason },
		SVM_RULES_UNSEEN(UNSEEN)
#undef UNSEEN
	};

	return index < SVM_ARRAY_SIZE(rows) ? &rows[index] : NULL;
}

size_t svm_finding_errors(const struct svm_finding *findings, size_t count)
{
	size_t errors = 0;

	for (size_t i = 0; i < count; i++) {
		const struct svm_rule_info *info = svm_rule_info(findings[i].rule);

		if (info && info->severity == SVM_SEVERITY_ERROR)
			errors++;
	}
	return errors;
}

/* The name of a field, and for a segment register which part of it; NULL if none begins there. */
static const char *find_field(uint16_t offset, const char **part)
{
	static const char *const words[] = {
		"intercepts of CR0 to CR15", "intercepts of DR0 to DR15",
		"intercepts of exceptions",  "intercept word 3",
		"intercept word 4",          "intercept word 5",
	};
	static const struct {
		uint16_t offset;
		const char *name;
	} fields[] = {
#define CACHED(type, area, name, offset, group, what) { (offset), what },
#define PLAIN(type, area, name, offset, what)         { (offset), what },
		SVM_VMCB_CACHED_FIELDS(CACHED) SVM_VMCB_PLAIN_FIELDS(PLAIN)
#undef CACHED
#undef PLAIN
	};
	static const struct {
		uint16_t offset;
		const char *name;
	} segments[] = {
#define SEGMENT(name, field, offset, group) { (offset), #name },
		SVM_VMCB_SEGMENTS(SEGMENT)
#undef SEGMENT
	};

	*part = NULL;
	if (offset < sizeof(words) / sizeof(words[0]) * 4 && offset % 4 == 0)
		return words[offset / 4];
	for (size_t i = 0; i < SVM_ARRAY_SIZE(fields); i++)
		if (fields[i].offset == offset)
			return fields[i].name;
	for (size_t i = 0; i < SVM_ARRAY_SIZE(segments); i++) {
		const unsigned inside = (unsigned)offset - segments[i].offset;

		if (offset < segments[i].offset || inside >= sizeof(struct svm_vmcb_segment))
			continue;
		if (inside != 0 && inside != 2 && inside != 4 && inside != 8)
			break;
		*part = inside == 0   ? " selector"
		        : inside == 2 ? " attributes"
		        : inside == 4 ? " limit"
		                      : " base";
		return segments[i].name;
	}
	return NULL;
}

const char *svm_vmcb_field_name(uint16_t offset, char buffer[SVM_VMCB_FIELD_NAME_SIZE])
{
	const char *part;
	const char *name = find_field(offset, &part);
	struct svm_text text;

	if (!name)
		return NULL;
	svm_text_init(&text, buffer, SVM_VMCB_FIELD_NAME_SIZE);
	svm_text_add(&text, name);
	svm_text_add(&text, part);
	return buffer;
}

static void add_field(struct svm_text *text, const struct svm_finding *finding)
{
	char buffer[SVM_VMCB_FIELD_NAME_SIZE] = "";
	const char *name;

	if (finding->rule == SVM_RULE_W08) {
		const char *msr = svm_msr_name((uint32_t)finding->value);

		svm_text_add(text, " MSR ");
		svm_text_add_hex(text, finding->value);
		if (msr) {
			svm_text_add(text, " ");
			svm_text_add(text, msr);
		}
		return;
	}
	if (finding->offset != SVM_FINDING_NO_FIELD) {
		name = svm_vmcb_field_name(finding->offset, buffer);
		svm_text_add(text, " ");
		if (name) {
			svm_text_add(text, name);
			svm_text_add(text, " ");
		}
		svm_text_add(text, "(");
		svm_text_add_digits(text, finding->offset, 3);
		svm_text_add(text, "h)");
	}
	svm_text_add(text, " = ");
	svm_text_add_hex(text, finding->value);
	if (finding->bits != 0) {
		svm_text_add(text, ", bits ");
		svm_text_add_hex(text, finding->bits);
	}
}

size_t svm_finding_text(const struct svm_finding *finding, char *buffer, size_t size)
{
	const struct svm_rule_info *info = svm_rule_info(finding->rule);
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	if (!info) {
		svm_text_add(&text, "a finding of no rule");
		return text.length;
	}
	svm_text_add(&text, info->id);
	svm_text_add(&text, info->severity == SVM_SEVERITY_ERROR ? " error:" : " warning:");
	add_field(&text, finding);
	svm_text_add(&text, ": ");
	svm_text_add(&text, info->text);
	svm_text_add(&text, " (APM vol. 2, ");
	svm_text_add(&text, info->section);
	svm_text_add(&text, "); ");
	svm_text_add(&text, info->advice);
	return text.length;
}
