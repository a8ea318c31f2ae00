/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The processor reads permission maps during a run, at times of its own choice, so they change
 * only while nobody runs.  To keep runs out for the length of a call is the embedder's part of the
 * contract; this check catches the embedder that forgot.
 */
#include "core/vm_idle.h"

#include <libsvm/vcpu.h>

#include "core/vm.h"

bool svm_vm_is_idle(const struct svm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.vcpu_max; i++)
		if (vm->vcpu[i] && svm_vcpu_state(vm->vcpu[i]) == SVM_VCPU_RUNNING)
			return false;
	return true;
}
