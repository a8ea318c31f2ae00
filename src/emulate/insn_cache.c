/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A decode costs more than all else of an emulated access, and a guest that drives a device does it
 * with few instructions.
 *
 * Only whole instructions are kept.  One that is cut off at the end of a page, or is none, is
 * decoded each time: what such bytes mean depends on what comes behind them.
 */
#include "emulate/insn_cache.h"

#include "emulate/insn_common.h"

enum svm_insn_status svm_insn_cache_fill(struct svm_insn_cache_entry *entry,
                                         enum svm_insn_mode mode, const uint64_t word[2],
                                         size_t count)
{
	const uint8_t *bytes = (const uint8_t *)word;
	struct svm_insn *insn = &entry->insn;

	entry->tag = 0;
	if (!svm_insn_decode_common(mode, bytes, count, insn)) {
		const enum svm_insn_status status = svm_insn_decode(mode, bytes, count, insn);

		if (status != SVM_INSN_OK)
			return status;
	}
	entry->bytes[0] = word[0];
	entry->bytes[1] = word[1];
	svm_plain_form(mode, insn, &entry->form);
	entry->tag = (uint8_t)(mode + 1);
	return SVM_INSN_OK;
}

enum svm_insn_status svm_insn_cache_decode(struct svm_insn_cache *cache, uint64_t place,
                                           enum svm_insn_mode mode, const uint8_t bytes[16],
                                           size_t count, struct svm_insn *insn)
{
	struct svm_insn_cache_entry *entry = svm_insn_cache_at(cache, place);
	enum svm_insn_status status = SVM_INSN_OK;
	uint64_t word[2];

	__builtin_memcpy(word, bytes, sizeof(word));
	if (!svm_insn_cache_is(entry, mode, word, count))
		status = svm_insn_cache_fill(entry, mode, word, count);
	if (status == SVM_INSN_OK)
		*insn = entry->insn;
	return status;
}
