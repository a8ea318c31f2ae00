/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A decode costs more than all else of an emulated access, and a guest that drives a device does it
 * with few instructions.
 *
 * Only whole instructions are kept.  One that is cut off at the end of a page, or is none, is
 * decoded each time: what such bytes mean depends on what comes behind them.
 */
#include "emulate/insn_cache.h"

static uint64_t load_word(const uint8_t *bytes)
{
	uint64_t word;

	__builtin_memcpy(&word, bytes, sizeof(word));
	return word;
}

/* Instructions in a row differ in the lowest bits, functions of a driver in the next. */
static struct svm_insn_cache_entry *entry_of(struct svm_insn_cache *cache, uint64_t place)
{
	return &cache->entry[(place ^ place >> 4) % SVM_INSN_CACHE_ENTRIES];
}

/* Ones over as many bytes of word n, 0 or 1, as belong to an instruction of 1 to 15. */
static uint64_t word_mask(unsigned length, unsigned n)
{
	const unsigned bytes = n ? (length > 8 ? length - 8 : 0) : (length < 8 ? length : 8);

	return bytes ? ~UINT64_C(0) >> (64 - 8 * bytes) : 0;
}

static void remember(struct svm_insn_cache_entry *entry, enum svm_insn_mode mode,
                     const uint64_t word[2], const struct svm_insn *insn)
{
	for (unsigned n = 0; n < 2; n++) {
		entry->mask[n] = word_mask(insn->length, n);
		entry->bytes[n] = word[n] & entry->mask[n];
	}
	entry->insn = *insn;
	entry->tag = (uint8_t)(mode + 1);
}

enum svm_insn_status svm_insn_cache_decode(struct svm_insn_cache *cache, uint64_t place,
                                           enum svm_insn_mode mode, const uint8_t bytes[16],
                                           size_t count, struct svm_insn *insn)
{
	const uint64_t word[2] = { load_word(bytes), load_word(bytes + 8) };
	struct svm_insn_cache_entry *entry = entry_of(cache, place);
	enum svm_insn_status status;

	if (entry->tag == mode + 1 && entry->insn.length <= count &&
	    (((word[0] & entry->mask[0]) ^ entry->bytes[0]) |
	     ((word[1] & entry->mask[1]) ^ entry->bytes[1])) == 0) {
		*insn = entry->insn;
		return SVM_INSN_OK;
	}
	status = svm_insn_decode(mode, bytes, count, insn);
	if (status == SVM_INSN_OK)
		remember(entry, mode, word, insn);
	return status;
}
