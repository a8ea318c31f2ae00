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
#include "emulate/insn.h"

#define SVM_INSN_CACHE_ENTRIES 16u

struct svm_insn_cache_entry {
	uint64_t bytes[2]; /* Behind the instruction: zeros. */
	uint64_t mask[2];  /* Ones over the instruction. */
	struct svm_insn insn;
	uint8_t tag; /* Mode + 1; 0: empty. */
};

/* All zeros: empty. */
struct svm_insn_cache {
	struct svm_insn_cache_entry entry[SVM_INSN_CACHE_ENTRIES];
};

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
