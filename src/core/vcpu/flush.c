/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Making sure that no processor uses an old translation of a VM.
 *
 * vm->flush_epoch counts changes that took something away.  A vCPU that is about to enter
 * publishes in_guest, reads the epoch, and flushes if it has not honoured it (run.c).  So after the
 * epoch has moved, a vCPU is of one of three kinds:
 *
 * - not in a guest: it reads the new epoch before it enters again;
 * - in a guest with the new epoch honoured: nothing is owed;
 * - in a guest with an older epoch: it is asked to look again, and kicked.  If it is still on its
 *   way, its host may take that interrupt; then the request keeps it from entering.
 *
 * Waiting for the third kind is bounded: in_guest is set only for a few instructions on the way,
 * with what interrupts the host takes there, or inside the guest, which the kick ends.
 */
#include "core/vcpu/vcpu.h"

static bool uses_older(const struct svm_vcpu *vcpu, uint64_t epoch)
{
	return svm_atomic_load(&vcpu->in_guest) && svm_atomic_load(&vcpu->flush_epoch) < epoch;
}

void svm_vm_flush(struct svm_vm *vm)
{
	const struct svm_hal *hal = &vm->host->hal;
	const uint64_t epoch = svm_atomic_add(&vm->flush_epoch, 1);

	for (uint32_t i = 0; i < vm->config.vcpu_max; i++) {
		struct svm_vcpu *vcpu = svm_atomic_load(&vm->vcpu[i]);
		const uint32_t in_guest = vcpu ? svm_atomic_load(&vcpu->in_guest) : 0;

		if (!in_guest || !uses_older(vcpu, epoch))
			continue;
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_FLUSH);
		hal->cpu_kick(hal->ctx, in_guest - 1);
	}
	for (uint32_t i = 0; i < vm->config.vcpu_max; i++) {
		const struct svm_vcpu *vcpu = svm_atomic_load(&vm->vcpu[i]);

		while (vcpu && uses_older(vcpu, epoch))
			svm_ring0_pause();
	}
}
