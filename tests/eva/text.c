/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The builder of text: every kind of piece, after any length of text (even one that no memory could
 * hold), in a buffer of any size up to 32 and of none.
 *
 * eva: src/core/diagnose/text.c
 * eva-options: -eva-min-loop-unroll 20 -eva-slevel-function svm_text_add_decimal:500
 */
#include "core/diagnose/text.h"

void eva_main(void);

static void add_each(char *buffer, size_t size)
{
	static char string[40];
	struct svm_text text;

	Frama_C_make_unknown(string, sizeof(string) - 1);
	svm_text_init(&text, buffer, size);
	text.length = eva_any();
	svm_text_add_char(&text, Frama_C_char_interval(-128, 127));
	text.length = eva_any();
	svm_text_add(&text, NULL);
	svm_text_add(&text, string);
	text.length = eva_any();
	svm_text_add_decimal(&text, eva_any());
	text.length = eva_any();
	svm_text_add_digits(&text, eva_any(), (unsigned)eva_any());
	text.length = eva_any();
	svm_text_add_hex(&text, eva_any());
}

void eva_main(void)
{
	static char buffer[32];

	add_each(buffer, (size_t)Frama_C_interval(0, sizeof(buffer)));
	add_each(NULL, eva_any());
}
