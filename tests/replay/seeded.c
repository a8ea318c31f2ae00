/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Mistakes in the library, for a replay to find: SEED=name:n makes one at the nth time that it can
 * be made.  Linked with --wrap for each function.
 */
#include <stdlib.h>
#include <string.h>

#include "core/vcpu/emulation.h"

/* Is the nth time of this mistake now? */
static bool now(const char *name)
{
	static unsigned times;
	const char *seed = getenv("SEED");
	const size_t size = strlen(name);

	if (!seed || strncmp(seed, name, size) != 0 || seed[size] != ':')
		return false;
	return ++times == (unsigned)strtoul(seed + size + 1, NULL, 10);
}

enum svm_action __real_svm_exit_cpuid(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action __wrap_svm_exit_cpuid(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action __wrap_svm_exit_cpuid(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const enum svm_action action = __real_svm_exit_cpuid(vcpu, exit);

	if (now("cpuid"))
		vcpu->s.rdx ^= 1;
	return action;
}

enum svm_action __real_svm_exit_msr(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action __wrap_svm_exit_msr(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action __wrap_svm_exit_msr(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const enum svm_action action = __real_svm_exit_msr(vcpu, exit);

	if (now("msr"))
		vcpu->vmcb->save.rip++;
	return action;
}

/* An interrupt is forgotten: nobody asks the port. */
void __real_svm_events_prepare(struct svm_vcpu *vcpu);
void __wrap_svm_events_prepare(struct svm_vcpu *vcpu);
void __wrap_svm_events_prepare(struct svm_vcpu *vcpu)
{
	if (!now("events"))
		__real_svm_events_prepare(vcpu);
}

enum svm_action __real_svm_exit_io(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action __wrap_svm_exit_io(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action __wrap_svm_exit_io(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	if (now("port"))
		vcpu->vmcb->save.rax ^= 0x100;
	return __real_svm_exit_io(vcpu, exit);
}

int __real_svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size,
                        size_t *done);
int __wrap_svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size,
                        size_t *done);
int __wrap_svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size,
                        size_t *done)
{
	return __real_svm_vm_write(vm, gpa, data, now("memory") ? size - 1 : size, done);
}
