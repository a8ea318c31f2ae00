/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Making and unmaking a vCPU, and the few ways in which other threads touch one.
 *
 * A vCPU is one allocation: its VMCB and the copy of the VMCB that was last audited, each on a page
 * of its own, in front of them this structure and the FPU area, which share their pages: the latter
 * is small on most processors; behind them the recorder's ring.
 */
#include "core/features.h"
#include "core/vcpu/vcpu.h"

#define FPU_OFFSET ((sizeof(struct svm_vcpu) + 63) & ~(size_t)63)

static size_t front_pages(const struct svm_vm *vm)
{
	const size_t size = FPU_OFFSET + svm_fpu_size(&vm->host->features);

	return (size + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE;
}

static size_t recorder_pages(const struct svm_vm *vm)
{
	const size_t size = vm->config.recorder_slots * sizeof(struct svm_record);

	return (size + SVM_PAGE_SIZE - 1) / SVM_PAGE_SIZE;
}

static int publish(struct svm_vm *vm, uint32_t id, struct svm_vcpu *vcpu)
{
	int error = 0;

	svm_vm_lock(vm);
	if (vm->vcpu[id]) {
		error = SVM_ERR_EXIST;
	} else {
		svm_atomic_store(&vm->vcpu[id], vcpu);
		vm->vcpu_count++;
	}
	svm_vm_unlock(vm);
	return error;
}

int svm_vcpu_create(struct svm_vm *vm, uint32_t id, struct svm_vcpu **result)
{
	struct svm_vcpu *vcpu;
	const size_t front = front_pages(vm), pages = front + 2 + recorder_pages(vm);
	svm_hpa_t hpa = 0;
	uint8_t *page;
	int error;

	if (id >= vm->config.vcpu_max)
		return SVM_ERR_INVAL;
	if (svm_vm_state(vm) == SVM_VM_DEAD)
		return SVM_ERR_DEAD;
	vcpu = svm_host_frames(vm->host, pages, &hpa);
	if (!vcpu)
		return SVM_ERR_NOMEM;

	page = (uint8_t *)vcpu + front * SVM_PAGE_SIZE;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->serial = svm_atomic_add(&vm->host->vcpu_serial, 1);
	vcpu->hpa = hpa;
	vcpu->pages = pages;
	vcpu->vmcb = (void *)page;
	vcpu->s.vmcb = hpa + front * SVM_PAGE_SIZE;
	vcpu->copy = (void *)(page + SVM_PAGE_SIZE);
	vcpu->fpu = (uint8_t *)vcpu + FPU_OFFSET;
	svm_recorder_init(&vcpu->recorder, page + 2 * (size_t)SVM_PAGE_SIZE,
	                  vm->config.recorder_slots);
	vcpu->flush_epoch = svm_atomic_load(&vm->flush_epoch);
	svm_vcpu_init_control(vcpu);
	svm_vcpu_reset_state(vcpu);

	error = publish(vm, id, vcpu);
	if (error) {
		svm_host_frames_free(vm->host, vcpu, hpa, vcpu->pages);
		return error;
	}
	*result = vcpu;
	return 0;
}

int svm_vcpu_destroy(struct svm_vcpu *vcpu)
{
	struct svm_vm *vm = vcpu->vm;
	struct svm_host *host = vm->host;

	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING || vcpu->cpu)
		return SVM_ERR_BUSY;
	svm_vm_lock(vm);
	/* A flush looks at every vCPU; svm_vm_invalidate_begin() flushes under this lock alone. */
	host->hal.mutex_lock(host->hal.ctx, &vm->memory.edit_lock);
	svm_atomic_store(&vm->vcpu[vcpu->id], (struct svm_vcpu *)NULL);
	host->hal.mutex_unlock(host->hal.ctx, &vm->memory.edit_lock);
	vm->vcpu_count--;
	svm_vm_unlock(vm);
	svm_exit_counts_fini(vcpu);
	/*
	 * A freed frame may become another VMCB, whose identity for a processor's cache is its
	 * address (15.15): every VMCB starts with all clean bits 0, so nothing is owed here.
	 */
	svm_host_frames_free(host, vcpu, vcpu->hpa, vcpu->pages);
	return 0;
}

struct svm_vm *svm_vcpu_vm(const struct svm_vcpu *vcpu)
{
	return vcpu->vm;
}

uint32_t svm_vcpu_id(const struct svm_vcpu *vcpu)
{
	return vcpu->id;
}

enum svm_vcpu_state svm_vcpu_state(const struct svm_vcpu *vcpu)
{
	return (enum svm_vcpu_state)svm_atomic_load(&vcpu->state);
}

bool svm_vcpu_move(struct svm_vcpu *vcpu, enum svm_vcpu_state to)
{
	uint32_t from = svm_atomic_load(&vcpu->state);

	return svm_vcpu_state_allowed((enum svm_vcpu_state)from, to) &&
	       svm_atomic_cas(&vcpu->state, &from, (uint32_t)to);
}

/*
 * The request is made before in_guest is read, and the runner publishes in_guest before it reads
 * the requests, both in one total order: whoever comes second sees the other.  An interrupt sent
 * in between stays pending through CLGI and ends the run at once.
 */
void svm_vcpu_request(struct svm_vcpu *vcpu, uint64_t request)
{
	const struct svm_hal *hal = &vcpu->vm->host->hal;
	uint32_t in_guest;

	svm_atomic_or(&vcpu->requests, request);
	in_guest = svm_atomic_load(&vcpu->in_guest);
	if (in_guest)
		hal->cpu_kick(hal->ctx, in_guest - 1);
	else
		svm_vcpu_wake(vcpu);
}

void svm_vcpu_wake(struct svm_vcpu *vcpu)
{
	if (vcpu->wake)
		vcpu->wake(vcpu->wake_arg, vcpu);
}

void svm_vcpu_set_wake(struct svm_vcpu *vcpu, svm_wake_fn fn, void *arg)
{
	vcpu->wake = fn;
	vcpu->wake_arg = arg;
}

void svm_vcpu_unhalt(struct svm_vcpu *vcpu)
{
	svm_atomic_store(&vcpu->unhalted, true);
	svm_vcpu_notify(vcpu);
}

void svm_vcpu_kick(struct svm_vcpu *vcpu)
{
	svm_vcpu_request(vcpu, SVM_REQUEST_RETURN);
}

void svm_vcpu_notify(struct svm_vcpu *vcpu)
{
	svm_vcpu_request(vcpu, SVM_REQUEST_EVENTS);
}

const struct svm_vmcb *svm_vcpu_vmcb(const struct svm_vcpu *vcpu)
{
	return vcpu->vmcb;
}

void svm_vcpu_get_stats(const struct svm_vcpu *vcpu, struct svm_vcpu_stats *stats)
{
	*stats = vcpu->stats;
	stats->entries = svm_recorder_count(&vcpu->recorder); /* Each entry ends in an exit. */
}

void svm_vcpu_set_loop_limit(struct svm_vcpu *vcpu, uint64_t count)
{
	vcpu->loop_limit = count;
	vcpu->loop_count = 0;
}
