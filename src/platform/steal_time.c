/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * KVM's steal time (Documentation/virt/kvm/x86/msr.rst):
 *
 *	struct kvm_steal_time { u64 steal; u32 version, flags; u8 preempted, pad[47]; };
 *
 * Bit 0 of `preempted`: the vCPU does not run.  Bit 1: it is to flush before it runs again; the
 * guest sets it by a compare-exchange on a byte that has bit 0.  Arrival takes both away at once.
 * If the byte is not just "preempted" at that moment, somebody wants a flush or is writing
 * nonsense, and one flush answers both: whoever finds 0 afterwards sends an interrupt instead.
 *
 * Version and time are counted here and not read back, so that the guest has no say in them.
 */
#include <libsvm/platform/steal_time.h>

#include "core/core.h"
#include "core/memory/memory.h"

#define STEAL_ENABLE   SVM_BIT(0)
#define STEAL_RESERVED SVM_BITS(5, 1)
#define STEAL_FLAGS    (STEAL_ENABLE | STEAL_RESERVED)

#define OFFSET_STEAL     0u
#define OFFSET_VERSION   8u
#define OFFSET_PREEMPTED 16u

#define VCPU_PREEMPTED 1u

static svm_gpa_t steal_page(const struct svm_steal_time *steal)
{
	return steal->msr & ~STEAL_FLAGS;
}

bool svm_steal_time_write_msr(struct svm_steal_time *steal, uint64_t value)
{
	if (value & STEAL_RESERVED)
		return false;
	steal->msr = value;
	steal->is_away = value & STEAL_ENABLE;
	steal->left_ns = SVM_NEVER;
	return true;
}

/* --- coming and going ------------------------------------------------------------------------ */

static int write_version(struct svm_steal_time *steal, struct svm_vm *vm, uint32_t version)
{
	return svm_vm_write(vm, steal_page(steal) + OFFSET_VERSION, &version, sizeof(version),
	                    NULL);
}

/* Three writes, in this order also for another processor that reads meanwhile. */
static void publish_steal(struct svm_steal_time *steal, struct svm_vm *vm)
{
	const uint64_t stolen = steal->stolen_ns;

	if (write_version(steal, vm, steal->version + 1) ||
	    svm_vm_write(vm, steal_page(steal) + OFFSET_STEAL, &stolen, sizeof(stolen), NULL))
		return;
	steal->version += 2;
	(void)!write_version(steal, vm, steal->version);
}

/* As far as memory is there; what is not there at all can say nothing. */
static int clear_preempted(struct svm_steal_time *steal, struct svm_vm *vm, bool *was_plain)
{
	const svm_gpa_t gpa = steal_page(steal) + OFFSET_PREEMPTED;
	const uint8_t here = 0;
	uint8_t away = VCPU_PREEMPTED;
	int error;

	*was_plain = false;
	error = svm_memory_exchange(vm, gpa, &away, &here, sizeof(here), was_plain);
	if (!error && !*was_plain)
		error = svm_vm_write(vm, gpa, &here, sizeof(here), NULL);
	return error;
}

enum svm_arrival svm_steal_time_arrive(struct svm_steal_time *steal, struct svm_vm *vm,
                                       uint64_t now_ns, svm_gpa_t *gpa)
{
	bool was_plain;

	if (!steal->is_away)
		return SVM_ARRIVAL_DONE;
	if (clear_preempted(steal, vm, &was_plain) == SVM_ERR_AGAIN) {
		*gpa = steal_page(steal) + OFFSET_PREEMPTED;
		return SVM_ARRIVAL_AGAIN;
	}
	steal->is_away = false;
	if (now_ns > steal->left_ns)
		steal->stolen_ns += now_ns - steal->left_ns;
	publish_steal(steal, vm);
	return was_plain ? SVM_ARRIVAL_DONE : SVM_ARRIVAL_FLUSH;
}

void svm_steal_time_leave(struct svm_steal_time *steal, struct svm_vm *vm, uint64_t now_ns,
                          bool has_work)
{
	const uint8_t away = VCPU_PREEMPTED;

	if (!(steal->msr & STEAL_ENABLE))
		return;
	steal->left_ns = has_work ? now_ns : SVM_NEVER;
	steal->is_away = !svm_vm_write(vm, steal_page(steal) + OFFSET_PREEMPTED, &away,
	                               sizeof(away), NULL);
}

/* --- saved state ----------------------------------------------------------------------------- */

void svm_steal_time_save(const struct svm_steal_time *steal, struct svm_steal_time_state *state)
{
	*state = (struct svm_steal_time_state){ steal->msr, steal->stolen_ns, steal->version, 0 };
}

int svm_steal_time_restore(struct svm_steal_time *steal, const struct svm_steal_time_state *state)
{
	const struct svm_steal_time_state s = *state;

	if ((s.version & 1) || s.reserved || (s.msr & STEAL_RESERVED))
		return SVM_ERR_INVAL;
	*steal = (struct svm_steal_time){
		.msr = s.msr,
		.stolen_ns = s.stolen_ns,
		.left_ns = SVM_NEVER,
		.version = s.version,
		.is_away = s.msr & STEAL_ENABLE,
	};
	return 0;
}
