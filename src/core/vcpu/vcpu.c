/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Making and unmaking a vCPU, and the few ways in which other threads touch one.
 *
 * A vCPU is one allocation: this structure, the FPU area and the recorder's ring, which share their
 * pages, and the VMCB on a page of its own.
 */
#include "core/features.h"
#include "core/vcpu/device_move.h"
#include "core/vcpu/vcpu.h"

/* Both parts behind the structure begin at such an address, and so do XSAVE and a cache line. */
#define PART_ALIGNMENT 64u

static size_t align_part(size_t offset)
{
	return (offset + PART_ALIGNMENT - 1) & ~(size_t)(PART_ALIGNMENT - 1);
}

static size_t fpu_offset(void)
{
	return align_part(sizeof(struct svm_vcpu));
}

static size_t recorder_offset(const struct svm_vm *vm)
{
	return align_part(fpu_offset() + svm_fpu_size(&vm->host->features));
}

static size_t vmcb_offset(const struct svm_vm *vm)
{
	const size_t ring = vm->config.recorder_slots * sizeof(struct svm_record);
	const size_t size = recorder_offset(vm) + ring;

	return (size + SVM_PAGE_SIZE - 1) & ~(size_t)(SVM_PAGE_SIZE - 1);
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
	const size_t pages = vmcb_offset(vm) / SVM_PAGE_SIZE + 1;
	svm_hpa_t hpa = 0;
	uint8_t *base;
	int error;

	if (id >= vm->config.vcpu_max)
		return SVM_ERR_INVAL;
	if (svm_vm_state(vm) == SVM_VM_DEAD)
		return SVM_ERR_DEAD;
	vcpu = svm_host_frames(vm->host, pages, &hpa);
	if (!vcpu)
		return SVM_ERR_NOMEM;

	base = (uint8_t *)vcpu;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->serial = svm_atomic_add(&vm->host->vcpu_serial, 1);
	vcpu->hpa = hpa;
	vcpu->pages = pages;
	vcpu->vmcb = (void *)(base + vmcb_offset(vm));
	vcpu->s.vmcb = hpa + vmcb_offset(vm);
	vcpu->fpu = base + fpu_offset();
	svm_recorder_init(&vcpu->recorder, base + recorder_offset(vm), vm->config.recorder_slots);
	vcpu->flush_epoch = svm_atomic_load(&vm->flush_epoch);
	svm_stuck_init(vcpu);
	vcpu->code_page.gpa = SVM_CODE_PAGE_NONE;
	svm_device_forget(vcpu);
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
 * the requests behind CLGI, both in one total order: whoever comes second sees the other.  An
 * interrupt that arrives before CLGI is taken and the request is seen; one that arrives later stays
 * pending and ends the run at once.
 */
void svm_vcpu_request(struct svm_vcpu *vcpu, uint32_t request)
{
	const struct svm_hal *hal = &vcpu->vm->host->hal;
	uint32_t in_guest;

	svm_atomic_or(&vcpu->s.requests, request);
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

void svm_vcpu_set_idle(struct svm_vcpu *vcpu, svm_idle_fn fn, void *arg)
{
	vcpu->idle = fn;
	vcpu->idle_arg = arg;
}

void svm_vcpu_set_exit_handler(struct svm_vcpu *vcpu, svm_exit_fn fn, void *arg)
{
	vcpu->exit_handler = fn;
	vcpu->exit_handler_arg = arg;
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
	vcpu->stuck.loop_limit = count;
	vcpu->stuck.loop_count = 0;
}
