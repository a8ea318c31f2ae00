/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Making and unmaking a VM.  Its parts (memory, maps, tables) make themselves; the order here is
 * the order in which they need each other, and the way back is the reverse.
 */
#include "core/vm.h"

#define RECORDER_SLOTS_DEFAULT 64u
#define WANT_ALL        (SVM_WANT_CPUID | SVM_WANT_MSR | SVM_WANT_PAUSE | SVM_WANT_CR | \
                         SVM_WANT_DEBUG | SVM_WANT_WINDOWS | SVM_WANT_UD | SVM_WANT_SVM | \
                         SVM_WANT_MMIO | SVM_WANT_MWAIT)
#define MITIGATE_ALL    (SVM_MITIGATE_IBPB | SVM_MITIGATE_RSB | SVM_MITIGATE_VERW | \
                         SVM_MITIGATE_DIV)

void svm_vm_lock(struct svm_vm *vm)
{
	vm->host->hal.mutex_lock(vm->host->hal.ctx, &vm->lock);
}

void svm_vm_unlock(struct svm_vm *vm)
{
	vm->host->hal.mutex_unlock(vm->host->hal.ctx, &vm->lock);
}

void svm_vm_bug(struct svm_vm *vm, const char *what)
{
	const struct svm_hal *hal = &vm->host->hal;

	svm_atomic_store(&vm->state, (uint32_t)SVM_VM_DEAD);
	svm_atomic_add(&vm->flush_epoch, 1u); /* Who is about to enter looks at the state. */
	if (hal->bug)
		hal->bug(hal->ctx, what);
	else
		hal->log(hal->ctx, SVM_LOG_ERROR, what);
}

/*
 * The processor walks nested tables with the host's number of levels (15.25.3).  Tables of another
 * depth would make it take the guest's own memory for a table.
 */
static int check_config(const struct svm_host *host, struct svm_vm_config *config)
{
	const uint32_t levels = host->features.host_la57 ? 5 : 4;

	if (config->vcpu_max == 0)
		config->vcpu_max = 1;
	if (config->npt_levels == 0)
		config->npt_levels = levels;
	/* A touch may take a table of each level but the root's. */
	if (config->table_reserve == 0)
		config->table_reserve = config->npt_levels - 1;
	if (config->exit_after_interrupt == SVM_EXIT_AFTER_IF_NEEDED)
		config->exit_after_interrupt = host->features.is_tcg ?
		                                       SVM_EXIT_AFTER_ALWAYS :
		                                       SVM_EXIT_AFTER_NEVER;
	if (config->recorder_slots == 0)
		config->recorder_slots = RECORDER_SLOTS_DEFAULT;
	if (config->vcpu_max > SVM_VCPU_MAX || config->npt_levels < 4 || config->npt_levels > 5)
		return SVM_ERR_INVAL;
	if (config->recorder_slots < 2 || config->recorder_slots > SVM_RECORDER_SLOT_MAX ||
	    (config->recorder_slots & (config->recorder_slots - 1)))
		return SVM_ERR_INVAL;
	if (config->exit_after_interrupt > SVM_EXIT_AFTER_NEVER)
		return SVM_ERR_INVAL;
	if (config->npt_levels != levels)
		return SVM_ERR_NOSUPPORT;
	return 0;
}

static void count_vm(struct svm_host *host, uint32_t change)
{
	svm_host_lock(host);
	host->vm_count += change;
	svm_host_unlock(host);
}

int svm_vm_create(struct svm_host *host, const struct svm_vm_config *wanted, struct svm_vm **result)
{
	struct svm_vm_config config = { .vcpu_max = 0 };
	struct svm_vm *vm;
	svm_hpa_t hpa = 0;
	size_t pages;
	int error;

	if (!host->cpus_online)
		return SVM_ERR_CPU_OFFLINE;
	if (wanted)
		config = *wanted;
	error = check_config(host, &config);
	if (error)
		return error;

	pages = (sizeof(*vm) + config.vcpu_max * sizeof(vm->vcpu[0]) + SVM_PAGE_SIZE - 1) /
	        SVM_PAGE_SIZE;
	vm = svm_host_frames(host, pages, &hpa);
	if (!vm)
		return SVM_ERR_NOMEM;
	vm->host = host;
	vm->config = config;
	vm->pages = pages;
	vm->hpa = hpa;
	vm->flush_epoch = 1;
	if (host->features.ibpb)
		vm->mitigations = SVM_MITIGATE_IBPB;
	svm_io_policy_init(vm);
	svm_msr_policy_init(vm);
	error = svm_cpuid_init(vm);
	if (error)
		goto free_vm;
	error = svm_memory_init(vm);
	if (error)
		goto fini_cpuid;
	count_vm(host, 1);
	*result = vm;
	return 0;

fini_cpuid:
	svm_cpuid_fini(vm);
free_vm:
	svm_host_frames_free(host, vm, hpa, pages);
	return error;
}

int svm_vm_destroy(struct svm_vm *vm)
{
	struct svm_host *host = vm->host;

	svm_vm_lock(vm);
	const bool busy = vm->vcpu_count != 0;

	svm_vm_unlock(vm);
	if (busy)
		return SVM_ERR_BUSY;
	svm_memory_fini(vm);
	svm_cpuid_fini(vm);
	svm_msr_policy_fini(vm);
	svm_io_policy_fini(vm);
	svm_host_frames_free(host, vm, vm->hpa, vm->pages);
	count_vm(host, (uint32_t)-1);
	return 0;
}

int svm_vm_set_exits(struct svm_vm *vm, uint64_t want)
{
	if (want & ~WANT_ALL)
		return SVM_ERR_INVAL;
	vm->want = want;
	vm->settings++;
	return 0;
}

int svm_vm_set_mitigations(struct svm_vm *vm, uint64_t mitigations)
{
	if (mitigations & ~MITIGATE_ALL)
		return SVM_ERR_INVAL;
	if ((mitigations & SVM_MITIGATE_IBPB) && !vm->host->features.ibpb)
		return SVM_ERR_NOSUPPORT;
	vm->mitigations = mitigations;
	vm->settings++;
	return 0;
}
