/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The decoder on anything a guest may hold in memory.  The first byte chooses the mode.
 *
 * Held: a verdict for every input; lengths within the instruction set's limit and within the
 * input; the same verdict from exactly the bytes that the instruction claims; TRUNCATED from one
 * byte fewer.
 */
#include <stdlib.h>
#include <string.h>

#include "emulate/insn.h"

#define HOLDS(x)                 \
	do {                     \
		if (!(x))        \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct svm_insn insn, again;

	if (size == 0)
		return 0;

	const enum svm_insn_mode mode = (enum svm_insn_mode)(data[0] & 3);
	const enum svm_insn_status status = svm_insn_decode(mode, data + 1, size - 1, &insn);

	if (status == SVM_INSN_TRUNCATED)
		HOLDS(size - 1 < SVM_INSN_MAX_LENGTH);
	if (status != SVM_INSN_OK)
		return 0;

	HOLDS(insn.length >= 1 && insn.length <= SVM_INSN_MAX_LENGTH && insn.length < size);
	HOLDS(insn.kind < SVM_INSN_KIND_COUNT);
	HOLDS(insn.segment <= SVM_INSN_SEG_DEFAULT);
	HOLDS(insn.has_modrm || !insn.has_sib);
	HOLDS(insn.disp_size + insn.imm_size[0] + insn.imm_size[1] < insn.length);
	HOLDS(svm_insn_decode(mode, data + 1, insn.length, &again) == SVM_INSN_OK);
	HOLDS(memcmp(&insn, &again, sizeof(insn)) == 0);
	HOLDS(svm_insn_decode(mode, data + 1, insn.length - 1u, &again) == SVM_INSN_TRUNCATED);
	return 0;
}
