/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Dumps of the flight recorder as lines, from the tables of libsvm/recorder.h alone.
 *
 * The lines are a format: tools of other versions read them.  So nothing here is shortened, turned
 * into words or aligned for the eye; that is what svm_explain() and the tools are for.
 */
#include <libsvm/diagnose.h>
#include <libsvm/recorder.h>

#include "core/diagnose/text.h"

#define UNIT_SIZE 64u /* Of the hexadecimal form: a header or a record. */

static void add_key(struct svm_text *text, const char *key)
{
	svm_text_add_char(text, ' ');
	svm_text_add(text, key);
	svm_text_add_char(text, '=');
}

static void add_form_DEC(struct svm_text *text, uint64_t value)
{
	svm_text_add_decimal(text, value);
}

static void add_form_HEX(struct svm_text *text, uint64_t value)
{
	svm_text_add_digits(text, value, 1);
}

static void add_form_CODE(struct svm_text *text, uint64_t code)
{
	char buffer[24];
	const char *const name = svm_exit_name(code, buffer);

	svm_text_add(text, name ? name : "-");
}

/* Records come out of files too: a kind may be any byte. */
static void add_form_KIND(struct svm_text *text, uint64_t kind)
{
	const bool is_kind = kind != SVM_EXIT_KIND_NONE && kind < SVM_EXIT_KIND_COUNT;

	svm_text_add(text, is_kind ? svm_exit_kind_name((enum svm_exit_kind)kind) : "-");
}

size_t svm_recorder_text(const struct svm_recorder_header *header, char *buffer, size_t size)
{
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	svm_text_add(&text, "svm-recorder");
#define ADD(member, key, form, what)                                                               \
	add_key(&text, key);                                                                       \
	add_form_##form(&text, header->member);
	SVM_RECORDER_FIELDS(ADD)
#undef ADD
	return text.length;
}

size_t svm_record_text(const struct svm_record *record, char *buffer, size_t size)
{
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	svm_text_add(&text, "svm-record");
#define ADD(member, key, form, what)                                                               \
	add_key(&text, key);                                                                       \
	add_form_##form(&text, record->member);
	SVM_RECORD_FIELDS(ADD)
#undef ADD
	return text.length;
}

size_t svm_recorder_hex(const void *unit, char *buffer, size_t size)
{
	const uint8_t *const bytes = unit;
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	svm_text_add(&text, "svm-hex ");
	for (unsigned i = 0; i < UNIT_SIZE; i++)
		svm_text_add_digits(&text, bytes[i], 2);
	return text.length;
}
