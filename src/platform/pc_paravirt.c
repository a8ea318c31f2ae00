/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What vCPUs of one PC tell each other by way of KVM's interface: interrupts to many, the end of a
 * halt, and whether they run at all.
 */
#include "platform/pc.h"

#include <libsvm/platform/paravirt_calls.h>

#include "core/vcpu/vcpu.h"

/* --- hypercalls ------------------------------------------------------------------------------ */

/* Argument 1 is an APIC ID, argument 0 is for later uses. */
static uint64_t kick_cpu(struct svm_pc *pc, const struct svm_hypercall *call)
{
	const uint64_t id = call->argument[1];

	if (id >= pc->config.cpus || !pc->cpu[id].vcpu)
		return SVM_PARAVIRT_EINVAL;
	svm_vcpu_unhalt(pc->cpu[id].vcpu);
	return 0;
}

enum svm_device_result svm_pc_hypercall(void *arg, struct svm_vcpu *vcpu,
                                        struct svm_hypercall *call)
{
	struct svm_pc *pc = arg;

	(void)vcpu;
	if (call->number != SVM_PARAVIRT_CALL_KICK_CPU &&
	    call->number != SVM_PARAVIRT_CALL_SEND_IPI)
		return SVM_DEVICE_EXIT;
	if (call->cpl != 0)
		call->result = SVM_PARAVIRT_EPERM;
	else if (call->number == SVM_PARAVIRT_CALL_KICK_CPU)
		call->result = kick_cpu(pc, call);
	else
		call->result = svm_paravirt_send_ipi(&pc->bus, call);
	return SVM_DEVICE_DONE;
}

/* --- steal time ------------------------------------------------------------------------------ */

static enum svm_arrival pc_arrive(void *arg, struct svm_vcpu *vcpu, svm_gpa_t *gpa)
{
	struct pc_cpu *cpu = arg;

	(void)vcpu;
	return svm_steal_time_arrive(&cpu->steal, cpu->pc->vm, svm_pc_now(cpu->pc), gpa);
}

static void pc_leave(void *arg, struct svm_vcpu *vcpu, bool has_work)
{
	struct pc_cpu *cpu = arg;

	(void)vcpu;
	svm_steal_time_leave(&cpu->steal, cpu->pc->vm, svm_pc_now(cpu->pc), has_work);
}

/* A vCPU whose guest does not ask pays nothing. */
void svm_pc_follow_steal_time(struct pc_cpu *cpu)
{
	const struct svm_presence presence = { pc_arrive, pc_leave, cpu };

	svm_vcpu_set_presence(cpu->vcpu, cpu->steal.is_away ? &presence : NULL);
}

bool svm_pc_steal_time_msr(struct pc_cpu *cpu, struct svm_msr_access *access)
{
	if (!(cpu->pc->paravirt.config.features & SVM_PARAVIRT_STEAL_TIME))
		return false;
	if (!access->is_write) {
		access->value = cpu->steal.msr;
		return true;
	}
	if (!svm_steal_time_write_msr(&cpu->steal, access->value))
		return false;
	svm_pc_follow_steal_time(cpu);
	return true;
}

void svm_pc_reset_steal_time(struct pc_cpu *cpu)
{
	cpu->steal = (struct svm_steal_time){ .msr = 0 };
	svm_pc_follow_steal_time(cpu);
}
