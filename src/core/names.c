/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Names of numbers, all from the tables of the public headers.
 *
 * Guests choose many of these numbers, so every function answers for any argument.  Names of
 * families (CR4_WRITE) are built in the caller's buffer: there is no static state to share.
 */
#include <libsvm/diagnose.h>
#include <libsvm/exit_codes.h>
#include <libsvm/host.h>
#include <libsvm/msrs.h>

#include "core/diagnose/text.h"

/* 64-bit exit codes beside VMEXIT_INVALID.  APM vol. 2, appendix C; guests under SEV only. */
#define EXIT_BUSY          (~UINT64_C(0) - 1)
#define EXIT_IDLE_REQUIRED (~UINT64_C(0) - 2)
#define EXIT_INVALID_PMC   (~UINT64_C(0) - 3)

#define NAME_SIZE 24 /* Of the buffer of svm_exit_name(). */

struct exit_range {
	uint32_t first, count;
	const char *before, *after; /* The number stands between them. */
	const char *text;
};

/* The families of SVM_EXIT_RANGES, spelled as people say them. */
static const struct exit_range *find_range(uint64_t exit_code)
{
#define RANGE_TEXT(name, first, count, use, text) static const char text_##name[] = text;
	SVM_EXIT_RANGES(RANGE_TEXT)
#undef RANGE_TEXT
	static const struct exit_range families[] = {
		{ SVM_EXIT_CR_READ, 16, "CR", "_READ", text_CR_READ },
		{ SVM_EXIT_CR_WRITE, 16, "CR", "_WRITE", text_CR_WRITE },
		{ SVM_EXIT_DR_READ, 16, "DR", "_READ", text_DR_READ },
		{ SVM_EXIT_DR_WRITE, 16, "DR", "_WRITE", text_DR_WRITE },
		{ SVM_EXIT_EXCEPTION, 32, "EXCEPTION_", "", text_EXCEPTION },
		{ SVM_EXIT_CR_WRITE_TRAP, 16, "CR", "_WRITE_TRAP", text_CR_WRITE_TRAP },
	};

	for (size_t i = 0; i < SVM_ARRAY_SIZE(families); i++) {
		const struct exit_range *family = &families[i];

		if (exit_code >= family->first && exit_code - family->first < family->count)
			return family;
	}
	return NULL;
}

/* The mnemonic without its hash sign, or NULL. */
static const char *exception_letters(uint8_t vector)
{
	switch (vector) {
#define LETTERS(name, vector, has_error, class, text)                                              \
	case (vector):                                                                             \
		return #name;
		SVM_EXCEPTIONS(LETTERS)
#undef LETTERS
	default:
		return NULL;
	}
}

const char *svm_exit_name(uint64_t exit_code, char buffer[NAME_SIZE])
{
	const struct exit_range *range = find_range(exit_code);

	if (range) {
		const uint8_t number = (uint8_t)(exit_code - range->first);
		const char *letters =
			range->first == SVM_EXIT_EXCEPTION ? exception_letters(number) : NULL;
		struct svm_text text;

		svm_text_init(&text, buffer, NAME_SIZE);
		svm_text_add(&text, range->before);
		if (letters)
			svm_text_add(&text, letters);
		else
			svm_text_add_decimal(&text, number);
		svm_text_add(&text, range->after);
		return buffer;
	}
	switch (exit_code) {
#define EXIT_NAME(name, code, use, text)                                                           \
	case (code):                                                                               \
		return #name;
		SVM_EXIT_CODES(EXIT_NAME)
#undef EXIT_NAME
	case EXIT_BUSY:
		return "BUSY";
	case EXIT_IDLE_REQUIRED:
		return "IDLE_REQUIRED";
	case EXIT_INVALID_PMC:
		return "INVALID_PMC";
	default:
		return svm_exit_is_invalid(exit_code) ? "INVALID" : NULL;
	}
}

const char *svm_exit_text(uint64_t exit_code)
{
	const struct exit_range *range = find_range(exit_code);

	if (range)
		return range->text;
	switch (exit_code) {
#define EXIT_TEXT(name, code, use, text)                                                           \
	case (code):                                                                               \
		return text;
		SVM_EXIT_CODES(EXIT_TEXT)
#undef EXIT_TEXT
	case EXIT_BUSY:
		return "the save area is in use (SEV)";
	case EXIT_IDLE_REQUIRED:
		return "the sibling thread is not idle (SEV)";
	case EXIT_INVALID_PMC:
		return "the counters are not as the guest demands (SEV)";
	default:
		return svm_exit_is_invalid(exit_code) ? "VMRUN refused the VMCB" : NULL;
	}
}

const char *svm_exit_kind_name(enum svm_exit_kind kind)
{
	switch (kind) {
	case SVM_EXIT_KIND_NONE:
		return "NONE";
#define KIND_NAME(name, completes, text)                                                           \
	case SVM_EXIT_KIND_##name:                                                                 \
		return #name;
		SVM_EXIT_KINDS(KIND_NAME)
#undef KIND_NAME
	case SVM_EXIT_KIND_COUNT:
		break;
	}
	return "?";
}

const char *svm_exception_name(uint8_t vector)
{
	switch (vector) {
#define MNEMONIC(name, vector, has_error, class, text)                                             \
	case (vector):                                                                             \
		return "#" #name;
		SVM_EXCEPTIONS(MNEMONIC)
#undef MNEMONIC
	default:
		return "#?";
	}
}

const char *svm_msr_name(uint32_t msr)
{
	switch (msr) {
#define MSR_NAME(name, number, policy, reset, text)                                                \
	case (number):                                                                             \
		return #name;
		SVM_MSRS(MSR_NAME)
#undef MSR_NAME
	default:
		return NULL;
	}
}

const char *svm_feature_name(unsigned bit)
{
#define FEATURE(name)                                                                              \
	{                                                                                          \
		SVM_FEATURE_##name, #name                                                          \
	}
	static const struct {
		uint64_t mask;
		const char *name;
	} features[] = {
		FEATURE(NPT),           FEATURE(LBRV),
		FEATURE(LOCK),          FEATURE(NRIPS),
		FEATURE(TSC_RATE),      FEATURE(CLEAN),
		FEATURE(FLUSH_BY_ASID), FEATURE(DECODE_ASSISTS),
		FEATURE(PAUSE_FILTER),  FEATURE(PAUSE_THRESHOLD),
		FEATURE(AVIC),          FEATURE(V_VMLOAD),
		FEATURE(V_GIF),         FEATURE(GMET),
		FEATURE(X2AVIC),        FEATURE(SSS),
		FEATURE(V_SPEC_CTRL),   FEATURE(V_NMI),
		FEATURE(ADDR_CHECK),    FEATURE(BUS_LOCK),
		FEATURE(IDLE_HLT),
	};
#undef FEATURE

	if (bit > 31)
		return NULL;
	for (size_t i = 0; i < SVM_ARRAY_SIZE(features); i++) {
		if (features[i].mask == SVM_BIT(bit))
			return features[i].name;
	}
	return NULL;
}
