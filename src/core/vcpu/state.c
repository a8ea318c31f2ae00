/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which states a vCPU has and which moves are legal: SVM_VCPU_STATES of vcpu.h, as code.
 */
#include <libsvm/vcpu.h>

#define SKIP(...)

const char *svm_vcpu_state_name(enum svm_vcpu_state state)
{
	switch (state) {
#define STATE_NAME(name, text)                                                                     \
	case SVM_VCPU_##name:                                                                      \
		return #name;
		SVM_VCPU_STATES(STATE_NAME, SKIP)
#undef STATE_NAME
	case SVM_VCPU_STATE_COUNT:
		break;
	}
	return "?";
}

/* All moves in one word, since two are asked for in each run: bit 8 * from + to. */
_Static_assert(SVM_VCPU_STATE_COUNT <= 8, "eight states fit");
#define MOVE(from, to)      (8u * (unsigned)(from) + (unsigned)(to))
#define MOVE_BIT(a, b, why) | SVM_BIT(MOVE(SVM_VCPU_##a, SVM_VCPU_##b))

bool svm_vcpu_state_allowed(enum svm_vcpu_state from, enum svm_vcpu_state to)
{
	const uint64_t moves = 0 SVM_VCPU_STATES(SKIP, MOVE_BIT);

	return (unsigned)from < SVM_VCPU_STATE_COUNT && (unsigned)to < SVM_VCPU_STATE_COUNT &&
	       (moves >> MOVE(from, to) & 1);
}

#undef MOVE_BIT
#undef MOVE
