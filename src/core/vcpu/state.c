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

bool svm_vcpu_state_allowed(enum svm_vcpu_state from, enum svm_vcpu_state to)
{
#define STATE_MOVE(a, b, why)                                                                      \
	if (from == SVM_VCPU_##a && to == SVM_VCPU_##b)                                            \
		return true;
	SVM_VCPU_STATES(SKIP, STATE_MOVE)
#undef STATE_MOVE
	return false;
}
