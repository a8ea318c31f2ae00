/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * svm-lint on any bytes: as a dump in some form, and as a VMCB themselves.
 *
 * Held: what is decoded is no more than the text could show, and of the log of KVM no finding hangs
 * on what is not in it; every finding has words and lies in
 * the VMCB; the fields cover every byte once; JSON has no byte that is not printable.
 */
#include <stdlib.h>
#include <string.h>

#include "../../ports/hosted/tools/dump.h"
#include "../../ports/hosted/tools/field.h"
#include "../../ports/hosted/tools/partial.h"
#include "../../ports/hosted/tools/report.h"

#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x))                                                                          \
			abort();                                                                   \
	} while (0)
#define ROOM 1024
#define NAME "\"\\\x01\xff"
#define MOST 65536 /* A line "*" makes much of little; not so much that fuzzing crawls. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static FILE *nowhere;
static char *printed;
static size_t printed_size;

static void print_json(const struct report *report)
{
	rewind(nowhere);
	report_json(nowhere, report);
	HOLDS(fflush(nowhere) == 0);
	for (long i = 0, end = ftell(nowhere); i < end; i++)
		HOLDS(printed[i] >= ' ' && printed[i] <= '~');
	rewind(nowhere);
}

static void judge(const struct svm_vmcb *vmcb, const struct svm_vmcb *before)
{
	static struct svm_finding findings[ROOM];
	const struct svm_audit_context context = {
		.host_paging = true,
		.host_long_mode = true,
		.before = before,
		.at_rest = vmcb->control.exit_code & 1,
	};
	const size_t count = svm_audit(vmcb, &context, findings, ROOM);
	const struct report_style style = { .color = count & 1 };
	struct report report = { .name = NAME, .vmcb = vmcb, .findings = findings };

	HOLDS(count <= ROOM);
	report.count = count;
	report.errors = svm_finding_errors(findings, count);
	for (size_t i = 0; i < count; i++)
		HOLDS(findings[i].offset < sizeof(*vmcb) ||
		      findings[i].offset == SVM_FINDING_NO_FIELD);
	report_text(nowhere, &report, &style);
	report_fields(nowhere, &report, count & 1);
	report_difference(nowhere, before, vmcb, &style);

	print_json(&report);
}

/* What is not known is 0. */
static void check_known(const struct dump *memory)
{
	HOLDS(memory->size && memory->size % sizeof(struct svm_vmcb) == 0);
	for (size_t i = 0; i < memory->size; i++)
		HOLDS(memory->known[i] ? memory->known[i] == 1 : memory->bytes[i] == 0);
}

/* Nothing is found and doubted at once. */
static void judge_part(const struct dump *memory)
{
	static const struct svm_audit_context context = {
		.host_paging = true, .host_long_mode = true, .at_rest = true
	};
	static struct partial partial;
	static struct svm_vmcb vmcb;
	const struct report_style style = { .color = false };
	struct report report = { .name = NAME, .vmcb = &vmcb, .known = memory->known };

	memcpy(&vmcb, memory->bytes, sizeof(vmcb));
	partial_audit(&partial, &vmcb, memory->known, &context);
	for (size_t i = 0; i < partial.count; i++)
		for (size_t j = 0; j < partial.unsure_count; j++)
			HOLDS(partial.findings[i].rule != partial.unsure[j].rule ||
			      partial.findings[i].offset != partial.unsure[j].offset);
	report.findings = partial.findings;
	report.count = partial.count;
	report.unsure = partial.unsure;
	report.unsure_count = partial.unsure_count;
	report.errors = svm_finding_errors(report.findings, report.count);
	report_text(nowhere, &report, &style);
	report_fields(nowhere, &report, true);
	print_json(&report);
}

static void fields_cover_every_byte(void)
{
	uint16_t offset = 0;

	while (offset < sizeof(struct svm_vmcb)) {
		struct field field;
		const uint16_t next = field_at(offset, &field);

		HOLDS(field.offset == offset && next == offset + field.size && next > offset);
		offset = next;
	}
	HOLDS(offset == sizeof(struct svm_vmcb));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct svm_vmcb vmcb, before;
	const struct dump raw = { .bytes = (uint8_t *)(uintptr_t)data, .size = size };
	struct dump memory;
	char why[DUMP_WHY] = "";

	if (!nowhere) {
		nowhere = open_memstream(&printed, &printed_size);
		HOLDS(nowhere);
		fields_cover_every_byte();
	}
	if (dump_decode(&raw, &memory, MOST, why)) {
		if (memory.known)
			check_known(&memory);
		if (memory.known && size % 16 == 0) /* A thousand audits: not for each. */
			judge_part(&memory);
		HOLDS(memory.size <= (memory.known || memchr(data, '*', size) ? MOST : size));
		dump_free(&memory);
	} else {
		HOLDS(*why && !memory.bytes);
	}
	memset(&before, 0, sizeof(before));
	memcpy(&before, data, size < sizeof(before) ? size : sizeof(before));
	memset(&vmcb, 0, sizeof(vmcb));
	if (size > sizeof(vmcb))
		memcpy(&vmcb, data + sizeof(vmcb),
		       size - sizeof(vmcb) < sizeof(vmcb) ? size - sizeof(vmcb) : sizeof(vmcb));
	else
		vmcb = before;
	judge(&vmcb, &before);
	return 0;
}
