/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_DIAGNOSE_TEXT_H
#define SVM_CORE_DIAGNOSE_TEXT_H
/*
 * Text built piece by piece in a caller's buffer.
 *
 * A freestanding program has no snprintf(), and one of our own would check its format at run time
 * only; with one function per kind of piece the compiler checks all of them.  As with snprintf(),
 * `length` counts what the whole text takes, whether it fitted or not.
 */
#include "core/core.h"

struct svm_text {
	char *buffer;
	size_t size;   /* Of the buffer; what is kept is NUL-terminated unless this is 0. */
	size_t length; /* Of the text so far, without the NUL. */
};

void svm_text_init(struct svm_text *text, char *buffer, size_t size);

void svm_text_add_char(struct svm_text *text, char c);
/* NULL adds nothing. */
void svm_text_add(struct svm_text *text, const char *string);
/* Decimal, without leading zeros. */
void svm_text_add_decimal(struct svm_text *text, uint64_t value);
/* Upper case with at least `digits` digits (1 … 16), no prefix, no suffix. */
void svm_text_add_digits(struct svm_text *text, uint64_t value, unsigned digits);
/* As the manual writes it: "7Bh", "FFFF_F000h": groups of four from the fifth digit on. */
void svm_text_add_hex(struct svm_text *text, uint64_t value);

#endif
