/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The policy of any MSR number under any ranges that an embedder may have set, and the setting of
 * any other; the permission map that follows is the VM's own and written inside its two pages only.
 *
 * eva: src/core/msr_policy.c src/core/msr_table.c src/core/msrpm.c
 * eva-options: -no-warn-invalid-bool
 */
#include "core/msr_policy.h"
#include "core/msrpm.h"
#include "core/vm.h"
#include "core/vm_idle.h"

void eva_main(void);

static uint8_t hosts_map[SVM_MSRPM_SIZE], own_map[SVM_MSRPM_SIZE];

/* Stand for the host and the VM. */
void *svm_host_frames(struct svm_host *host, size_t count, svm_hpa_t *hpa)
{
	(void)host;
	/*@ assert count == 2; */
	(void)count;
	*hpa = eva_any();
	return eva_maybe() ? own_map : NULL;
}

void svm_host_frames_free(struct svm_host *host, void *hva, svm_hpa_t hpa, size_t count)
{
	(void)host;
	(void)hva;
	(void)hpa;
	(void)count;
}

bool svm_vm_is_idle(const struct svm_vm *vm)
{
	(void)vm;
	return eva_maybe();
}

void svm_vm_lock(struct svm_vm *vm)
{
	(void)vm;
}

void svm_vm_unlock(struct svm_vm *vm)
{
	(void)vm;
}

void eva_main(void)
{
	static struct svm_host host;
	static struct svm_vm vm;

	host.msrpm = hosts_map;
	vm.host = &host;
	svm_msrpm_default(hosts_map);
	svm_msr_policy_init(&vm);
	Frama_C_make_unknown((char *)vm.msr.range, sizeof(vm.msr.range));
	vm.msr.range_count = (uint32_t)Frama_C_interval(0, SVM_MSR_RANGE_MAX);

	(void)svm_msr_policy_of(&vm.msr, (uint32_t)eva_any());
	(void)svm_vm_set_msr_policy(&vm, (uint32_t)eva_any(), eva_any(),
	                            (enum svm_msr_policy)eva_any());
	svm_msr_policy_fini(&vm);
}
