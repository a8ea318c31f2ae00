/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How a VM changes its state while threads that it does not know run its vCPUs.
 *
 *	pause                                  run
 *	P1  state of the VM = PAUSED           R1  vCPU RUNNING
 *	P2  kick each vCPU that is RUNNING     R2  read the state of the VM; PAUSED: take R1 back
 *	P3  wait for those that are RUNNING    R3  run
 *	                                       R4  vCPU not RUNNING
 *
 * All in one order.  Either R1 comes before P3 looks, and the vCPU is waited for; or it comes
 * later, and so does R2, which sees P1.  Waiting ends: a vCPU that is past R2 finds the kick, which
 * sticks, and one that is before it takes R1 back.  R4 is the last thing that a run does, so
 * whoever has waited may touch all that a run touches.  tests/model/life.pml proves it.
 *
 * A thread may be between R1 and R2 at any time, also long after the pause: a reset therefore waits
 * again for each vCPU.
 *
 * The moves exclude each other by the VM's lock.  Only the first run and the end by an
 * inconsistency come from elsewhere, hence the compare-exchange.
 */
#include "core/diagnose/text.h"
#include "core/vcpu/vcpu.h"

enum svm_vm_state svm_vm_state(const struct svm_vm *vm)
{
	return (enum svm_vm_state)svm_atomic_load(&vm->state);
}

/* --- the run's side --------------------------------------------------------------------------- */

static int check_may_run(uint32_t state)
{
	switch (state) {
	case SVM_VM_CREATED:
	case SVM_VM_RUNNING:
		return 0;
	case SVM_VM_DEAD:
		return SVM_ERR_DEAD;
	default:
		return SVM_ERR_STATE;
	}
}

int svm_vm_may_run(const struct svm_vm *vm)
{
	return check_may_run(svm_atomic_load(&vm->state));
}

int svm_vm_begin_run(struct svm_vm *vm)
{
	uint32_t state = svm_atomic_load(&vm->state);

	if (state == SVM_VM_CREATED &&
	    svm_atomic_cas(&vm->state, &state, (uint32_t)SVM_VM_RUNNING))
		return 0;
	return check_may_run(state);
}

/* --- moves ------------------------------------------------------------------------------------ */

/* False: there is no such move from *from.  Caller: holds the lock. */
static bool move_vm(struct svm_vm *vm, enum svm_vm_state to, uint32_t *from)
{
	*from = svm_atomic_load(&vm->state);
	do {
		if (!svm_vm_state_allowed((enum svm_vm_state)*from, to))
			return false;
		/* A first run or the end can come in between, each once. */
	} while (!svm_atomic_cas(&vm->state, from, (uint32_t)to));
	return true;
}

static int refuse_move(const struct svm_vm *vm, uint32_t from, enum svm_vm_state to)
{
	const struct svm_hal *hal = &vm->host->hal;
	struct svm_text text;
	char line[64];

	svm_text_init(&text, line, sizeof(line));
	svm_text_add(&text, "VM: no move from ");
	svm_text_add(&text, svm_vm_state_name((enum svm_vm_state)from));
	svm_text_add(&text, " to ");
	svm_text_add(&text, svm_vm_state_name(to));
	hal->log(hal->ctx, SVM_LOG_DEBUG, line);
	return SVM_ERR_STATE;
}

static void wait_while_running(const struct svm_vcpu *vcpu)
{
	while (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING)
		svm_ring0_pause();
}

/* One that does not run now will find out by itself, and a kick would stick until then. */
static void end_run(struct svm_vcpu *vcpu)
{
	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING)
		svm_vcpu_kick(vcpu);
	else
		svm_vcpu_wake(vcpu);
}

static void end_runs(struct svm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.vcpu_max; i++)
		if (vm->vcpu[i])
			end_run(vm->vcpu[i]);
	for (uint32_t i = 0; i < vm->config.vcpu_max; i++)
		if (vm->vcpu[i])
			wait_while_running(vm->vcpu[i]);
}

static void wake_all(struct svm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.vcpu_max; i++)
		if (vm->vcpu[i])
			svm_vcpu_wake(vm->vcpu[i]);
}

static int halt_vm(struct svm_vm *vm, enum svm_vm_state to)
{
	uint32_t from;
	bool is_done;

	svm_vm_lock(vm);
	is_done = move_vm(vm, to, &from);
	if (is_done)
		end_runs(vm);
	svm_vm_unlock(vm);
	return is_done ? 0 : refuse_move(vm, from, to);
}

int svm_vm_pause(struct svm_vm *vm)
{
	return halt_vm(vm, SVM_VM_PAUSED);
}

int svm_vm_stop(struct svm_vm *vm)
{
	return halt_vm(vm, SVM_VM_STOPPED);
}

int svm_vm_resume(struct svm_vm *vm)
{
	uint32_t from = SVM_VM_PAUSED;
	bool is_done;

	svm_vm_lock(vm);
	/* Not move_vm(): a VM that was never started is not started by this. */
	is_done = svm_atomic_cas(&vm->state, &from, (uint32_t)SVM_VM_RUNNING);
	if (is_done)
		wake_all(vm);
	svm_vm_unlock(vm);
	return is_done ? 0 : refuse_move(vm, from, SVM_VM_RUNNING);
}

/* --- reset ------------------------------------------------------------------------------------ */

static bool can_reset_all(const struct svm_vm *vm)
{
	for (uint32_t i = 0; i < vm->config.vcpu_max; i++) {
		const struct svm_vcpu *vcpu = vm->vcpu[i];

		if (!vcpu)
			continue;
		wait_while_running(vcpu);
		if (svm_vcpu_state(vcpu) == SVM_VCPU_DEAD || svm_vcpu_is_elsewhere(vcpu))
			return false;
	}
	return true;
}

/* A thread that finds out only now that it may not run puts back the state that it found. */
static void reset_vcpu(struct svm_vcpu *vcpu)
{
	uint32_t from;

	do {
		wait_while_running(vcpu);
		from = svm_atomic_load(&vcpu->state);
	} while (from == SVM_VCPU_RUNNING ||
	         !svm_atomic_cas(&vcpu->state, &from, (uint32_t)SVM_VCPU_CREATED));
	svm_vcpu_put(vcpu);
	svm_vcpu_reset_state(vcpu);
}

/* PAUSED or STOPPED, with the lock. */
static bool reset_all(struct svm_vm *vm)
{
	uint32_t from;

	if (!can_reset_all(vm))
		return false;
	for (uint32_t i = 0; i < vm->config.vcpu_max; i++)
		if (vm->vcpu[i])
			reset_vcpu(vm->vcpu[i]);
	return move_vm(vm, SVM_VM_CREATED, &from);
}

int svm_vm_reset(struct svm_vm *vm)
{
	const struct svm_hal *hal = &vm->host->hal;
	uint32_t from = SVM_VM_CREATED, ignored;
	bool was_created, is_move, is_done;

	svm_vm_lock(vm);
	was_created = svm_atomic_cas(&vm->state, &from, (uint32_t)SVM_VM_PAUSED);
	if (was_created)
		end_runs(vm);
	is_move = was_created || svm_vm_state_allowed((enum svm_vm_state)from, SVM_VM_CREATED);
	is_done = is_move && reset_all(vm);
	if (was_created && !is_done)
		(void)move_vm(vm, SVM_VM_CREATED, &ignored);
	if (is_done)
		wake_all(vm);
	svm_vm_unlock(vm);
	if (!is_move)
		return refuse_move(vm, from, SVM_VM_CREATED);
	if (!is_done) {
		hal->log(hal->ctx, SVM_LOG_DEBUG, "VM: no reset with a vCPU dead or elsewhere");
		return SVM_ERR_STATE;
	}
	return 0;
}
