/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which states a VM has and which moves are legal: SVM_VM_STATES of vm.h, as code.
 */
#include <libsvm/vm.h>

#define SKIP(...)

const char *svm_vm_state_name(enum svm_vm_state state)
{
	switch (state) {
#define STATE_NAME(name, text)                                                                     \
	case SVM_VM_##name:                                                                        \
		return #name;
		SVM_VM_STATES(STATE_NAME, SKIP)
#undef STATE_NAME
	case SVM_VM_STATE_COUNT:
		break;
	}
	return "?";
}

#define IS_MOVE(a, b, why) || (from == SVM_VM_##a && to == SVM_VM_##b)

bool svm_vm_state_allowed(enum svm_vm_state from, enum svm_vm_state to)
{
	return false SVM_VM_STATES(SKIP, IS_MOVE);
}

#undef IS_MOVE
