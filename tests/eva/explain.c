/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Any exit of any guest, and any finding, in words: no number that a guest chose becomes an index
 * unchecked.  What the pieces of text do with a buffer is text.c's proof; here they only look at
 * the string that they are given.  _Bool members of any value stand for what a tool may hand in.
 *
 * eva: src/core/diagnose/explain.c src/core/diagnose/explain_full.c
 * eva: src/core/diagnose/explain_raw.c src/core/diagnose/explain_registers.c
 * eva: src/core/diagnose/rules.c src/core/names.c
 * eva-options: -no-warn-invalid-bool -eva-precision 1
 */
#include <libsvm/diagnose.h>

#include "core/diagnose/text.h"

void eva_main(void);

static volatile char seen;

void svm_text_init(struct svm_text *text, char *buffer, size_t size)
{
	text->buffer = buffer;
	text->size = size;
	text->length = 0;
	if (size)
		buffer[0] = '\0';
}

void svm_text_add_char(struct svm_text *text, char c)
{
	seen = c;
	text->length = eva_any();
}

void svm_text_add(struct svm_text *text, const char *string)
{
	if (string)
		seen = *string;
	text->length = eva_any();
}

void svm_text_add_decimal(struct svm_text *text, uint64_t value)
{
	(void)value;
	text->length = eva_any();
}

void svm_text_add_digits(struct svm_text *text, uint64_t value, unsigned digits)
{
	(void)value;
	(void)digits;
	text->length = eva_any();
}

void svm_text_add_hex(struct svm_text *text, uint64_t value)
{
	svm_text_add_decimal(text, value);
}

void eva_main(void)
{
	static struct svm_vmcb vmcb;
	static struct svm_exit exit;
	static struct svm_finding finding;
	static char buffer[64];

	Frama_C_make_unknown((char *)&vmcb, sizeof(vmcb));
	Frama_C_make_unknown((char *)&exit, sizeof(exit));
	Frama_C_make_unknown((char *)&finding, sizeof(finding));
	(void)svm_explain_vmcb(&vmcb, &exit, buffer, sizeof(buffer));
	(void)svm_explain_vmcb_full(&vmcb, &exit, buffer, sizeof(buffer));
	(void)svm_finding_text(&finding, buffer, sizeof(buffer));
}
