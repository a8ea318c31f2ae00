/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VM_IDLE_H
#define SVM_CORE_VM_IDLE_H
/*
 * For calls whose contract wants a VM at rest.
 */
#include <stdbool.h>

struct svm_vm;

/* Whether no vCPU of the VM is RUNNING.  Caller: holds the VM's lock. */
bool svm_vm_is_idle(const struct svm_vm *vm);

#endif
