/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_INSN_CACHE_H
#define SVM_EMULATE_INSN_CACHE_H
/*
 * Instructions that were decoded before.
 *
 * An entry is found by where the instruction lies and used only if the bytes are its bytes: those
 * the decoder looked at, all of them, in the same mode.  The decoder depends on nothing else, so an
 * entry cannot be stale, whoever writes to the code and however.
 */
#include "emulate/plain_move.h"

#define SVM_INSN_CACHE_ENTRIES 16u

struct svm_insn_cache_entry {
	uint64_t bytes[2]; /* What stands behind the instruction is not looked at. */
	struct svm_insn insn;
	uint8_t tag; /* Mode + 1; 0: empty. */
	struct svm_plain_form form;
};

/* All zeros: empty. */
struct svm_insn_cache {
	struct svm_insn_cache_entry entry[SVM_INSN_CACHE_ENTRIES];
};

/* Instructions in a row differ in the lowest bits, functions of a driver in the next. */
static inline struct svm_insn_cache_entry *svm_insn_cache_at(struct svm_insn_cache *cache,
                                                             uint64_t place)
{
	return &cache->entry[(place ^ place >> 4) % SVM_INSN_CACHE_ENTRIES];
}

/* Do the first bytes agree, 1 to 15 of them? */
static inline bool svm_insn_cache_agrees(const uint64_t a[2], const uint64_t b[2], unsigned length)
{
	if (length <= 8)
		return (a[0] ^ b[0]) << (64 - 8 * length) == 0;
	return a[0] == b[0] && (a[1] ^ b[1]) << (128 - 8 * length) == 0;
}

/*
 * Is the entry the instruction that these bytes begin with?  word holds 16 bytes, of which count
 * are the guest's.
 */
static inline bool svm_insn_cache_is(const struct svm_insn_cache_entry *entry,
                                     enum svm_insn_mode mode, const uint64_t word[2], size_t count)
{
	return entry->tag == mode + 1 && entry->insn.length <= count &&
	       svm_insn_cache_agrees(entry->bytes, word, entry->insn.length);
}

/* Decode into the entry, which is empty where the status is not OK. */
enum svm_insn_status svm_insn_cache_fill(struct svm_insn_cache_entry *entry,
                                         enum svm_insn_mode mode, const uint64_t word[2],
                                         size_t count);

/*
 * As svm_insn_decode().
 *
 * place  picks the entry and has no other meaning: the instruction's address.
 * bytes  16 that can be read, of which count are the guest's.
 */
enum svm_insn_status svm_insn_cache_decode(struct svm_insn_cache *cache, uint64_t place,
                                           enum svm_insn_mode mode, const uint8_t bytes[16],
                                           size_t count, struct svm_insn *insn);

#endif
