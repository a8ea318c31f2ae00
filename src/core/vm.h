/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VM_H
#define SVM_CORE_VM_H
/*
 * The VM object: what all vCPUs of a machine share.
 *
 * Each part has one owner file, named beside it; only that file writes it.
 */
#include <libsvm/vm.h>

#include "core/cpuid.h"
#include "core/host.h"
#include "core/hypercall_policy.h"
#include "core/io_policy.h"
#include "core/memory/memory.h"
#include "core/mmio_policy.h"
#include "core/msr_policy.h"

struct svm_vm {
	struct svm_host *host;
	struct svm_vm_config config; /* Defaults filled in. */
	uintptr_t lock;              /* HAL mutex: memory map, vCPU list, moves between states. */
	uint32_t state;              /* Atomic: enum svm_vm_state (vm_life.c). */
	bool is_selftest;     /* Its memory is the library's: diagnose/selftest_guest.c. */
	uint64_t want;        /* SVM_WANT_*. */
	uint64_t mitigations; /* SVM_MITIGATE_*. */

	struct svm_memory memory;          /* memory/ */
	struct svm_io_policy io;           /* io_policy.c */
	struct svm_mmio_policy mmio;       /* mmio_policy.c */
	struct svm_hypercall_policy hypercalls; /* hypercall_policy.c */
	struct svm_msr_policies msr;       /* msr_policy.c */
	struct svm_cpuid_table cpuid;      /* cpuid.c */

	/*
	 * Translations cached by processors are older than this number says (vcpu/flush.c).
	 * An entry whose vCPU has seen a smaller one flushes first.
	 */
	uint64_t flush_epoch;

	uint64_t settings; /* Counts changes of the maps, of want, of mitigations: vcpu/load.c. */
	uintptr_t split_lock; /* Emulated locked accesses that no instruction of the host covers. */

	size_t pages; /* Frames of this object. */
	svm_hpa_t hpa;
	uint32_t vcpu_count;
	struct svm_vcpu *vcpu[]; /* config.vcpu_max entries, by id; written under lock. */
};

void svm_vm_lock(struct svm_vm *vm);
void svm_vm_unlock(struct svm_vm *vm);

/*
 * Drop every translation that a processor may hold for this VM: on return no CPU uses one that
 * was made before the call.  Kicks running vCPUs and waits for them; never sleeps.  The caller
 * holds the edit lock of the memory, so that no vCPU goes away meanwhile.  Defined in vcpu/flush.c.
 */
void svm_vm_flush(struct svm_vm *vm);

/* The same by each vCPU's next entry, without kick, wait or lock: for what is a hint anyway. */
static inline void svm_vm_flush_later(struct svm_vm *vm)
{
	svm_atomic_add(&vm->flush_epoch, 1u);
}

/* Whether a vCPU may begin to run: 0, ::SVM_ERR_STATE or ::SVM_ERR_DEAD.  In vm_life.c. */
int svm_vm_may_run(const struct svm_vm *vm);

/*
 * The same for good: a run begins.  Caller: a vCPU that is RUNNING already, so that whoever changes
 * the state of the VM after this looked at it finds the vCPU.  On an error it leaves again, having
 * touched nothing.  In vm_life.c.
 */
int svm_vm_begin_run(struct svm_vm *vm);

/* An inconsistency inside the library: the VM is dead, the HAL's bug() is told, nothing panics. */
void svm_vm_bug(struct svm_vm *vm, const char *what);

#define SVM_STRING_(x) #x
#define SVM_STRING(x)  SVM_STRING_(x)
/* Never for what a guest or a caller did.  Yields the condition, so that callers can back out. */
#define SVM_ASSERT(vm, condition)                                                                  \
	((condition) ? true                                                                        \
	             : (svm_vm_bug((vm), __FILE__ ":" SVM_STRING(__LINE__) ": " #condition), false))

#endif
