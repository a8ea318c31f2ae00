/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The run loop.
 *
 *	requests -> audit if state was set -> world switch, which looks again -> dispatch
 *
 * One word, `requests`, says whether anything has to be done before an entry; an exit that the
 * library finishes costs one load of it.  Nothing here allocates, sleeps or takes a lock.
 */
#include <libsvm/diagnose.h>

#include "core/features.h"
#include "core/vcpu/emulation.h"

/* --- the audit ---------------------------------------------------------------------------- */

static size_t audit(const struct svm_vcpu *vcpu, struct svm_finding *findings, size_t room)
{
	const struct svm_audit_context context = {
		.features = &vcpu->vm->host->features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true, /* The switch sets IF under GIF = 0. */
		.errors_only = true,
		.vmcb_hpa = vcpu->s.vmcb,
		.host_save_hpa = vcpu->cpu ? vcpu->cpu->pages_hpa : 0,
	};

	return svm_audit(vcpu->vmcb, &context, findings, room);
}

/* Errors of the VMCB into the exit; their number. */
static size_t report_errors(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	struct svm_finding findings[SVM_EXIT_FINDINGS];
	const size_t errors = audit(vcpu, findings, SVM_EXIT_FINDINGS);

	exit->entry.count = (uint8_t)svm_min(errors, SVM_EXIT_FINDINGS);
	for (unsigned i = 0; i < exit->entry.count; i++)
		exit->entry.rules[i] = (uint16_t)findings[i].rule;
	return errors;
}

static enum svm_action entry_failed(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_ENTRY_FAILED);
	report_errors(vcpu, exit);
	return SVM_ACTION_RETURN;
}

/* What the processor has left goes where the copy was, for a debugger. */
static void restore_save_area(struct svm_vcpu *vcpu)
{
	uint64_t left[SVM_SAVE_KEPT / sizeof(uint64_t)];

	memcpy(left, &vcpu->vmcb->save, sizeof(left));
	memcpy(&vcpu->vmcb->save, vcpu->copy, sizeof(left));
	memcpy(vcpu->copy, left, sizeof(left));
	vcpu->copy_valid = false;
}

/*
 * VMRUN refused the block.  The save area is then undefined (QEMU overwrites it with the host's),
 * so it is put back as it was when last set from outside, and audited; the control area is as it
 * was offered, EVENTINJ included.  A TLB_CONTROL in it may not have been obeyed, so the CPU
 * still owes the flush to whoever comes next.
 */
enum svm_action svm_exit_entry_failed(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	svm_cpu_drop_asids(vcpu->cpu);
	svm_recorder_cut(&vcpu->recorder);
	vcpu->vmcb->control.event_inj = vcpu->events.injecting;
	if (vcpu->copy_valid)
		restore_save_area(vcpu);
	return entry_failed(vcpu, exit);
}

/* Nothing that was set from outside reaches VMRUN unseen. */
static enum svm_action audit_state(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_AUDIT);
	memcpy(vcpu->copy, &vcpu->vmcb->save, sizeof(vcpu->copy));
	vcpu->copy_valid = true;
	*exit = (struct svm_exit){ .kind = SVM_EXIT_KIND_NONE };
	if (report_errors(vcpu, exit) == 0)
		return SVM_ACTION_RESUME;
	return entry_failed(vcpu, exit);
}

/* --- before an entry ------------------------------------------------------------------------ */

static enum svm_action shut_down(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_SHUTDOWN);
	exit->shutdown.merged = true;
	exit->shutdown.first = SVM_VECTOR_DF;
	exit->shutdown.second = vcpu->events.shutdown_second;
	return SVM_ACTION_RETURN;
}

/* The guest cannot go on before whoever looks at its presence sees it here. */
static enum svm_action wait_for_memory(struct svm_vcpu *vcpu, struct svm_exit *exit, svm_gpa_t gpa)
{
	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_NPT_FAULT);
	exit->npt.gpa = gpa;
	exit->npt.access = SVM_PROT_READ | SVM_PROT_WRITE;
	exit->npt.reason = SVM_NPT_FAULT_AGAIN;
	return SVM_ACTION_RETURN;
}

static enum svm_action arrive(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	enum svm_arrival result = SVM_ARRIVAL_DONE;
	svm_gpa_t gpa = 0;

	if (vcpu->presence.arrive)
		result = vcpu->presence.arrive(vcpu->presence.arg, vcpu, &gpa);
	if (result == SVM_ARRIVAL_AGAIN)
		return wait_for_memory(vcpu, exit, gpa);
	if (result == SVM_ARRIVAL_FLUSH)
		vcpu->flush = true;
	svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_ARRIVE);
	return SVM_ACTION_RESUME;
}

static enum svm_action serve_requests(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint32_t requests = svm_atomic_load(&vcpu->s.requests);

	if (requests & SVM_REQUEST_RETURN) {
		svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_RETURN);
		return svm_exit_return(vcpu, exit, SVM_EXIT_KIND_REQUEST);
	}
	if (requests & (SVM_REQUEST_EVENTS | SVM_REQUEST_NMI)) {
		/* Clear first: whoever asks from now on is seen by the next look. */
		svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_EVENTS);
		if (vcpu->events.shutdown)
			return shut_down(vcpu, exit);
		if (vcpu->events.is_unseen)
			return svm_exit_trap(vcpu, exit);
		svm_events_prepare(vcpu);
	}
	if (requests & SVM_REQUEST_FLUSH) /* The epoch tells the rest: enter(). */
		svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_FLUSH);
	if (requests & SVM_REQUEST_TIMES)
		svm_exit_counts_switch(vcpu);
	if ((requests & SVM_REQUEST_ARRIVE) && arrive(vcpu, exit) == SVM_ACTION_RETURN)
		return SVM_ACTION_RETURN;
	if (requests & SVM_REQUEST_AUDIT)
		return audit_state(vcpu, exit);
	return SVM_ACTION_RESUME;
}

/* --- entry and exit --------------------------------------------------------------------------- */

/* What an entry seldom has to do.  False: the VM is DEAD. */
static bool prepare_entry(struct svm_vcpu *vcpu, uint64_t epoch)
{
	const bool has_flushed = epoch != vcpu->flush_epoch;

	if (has_flushed) {
		vcpu->flush = true;
		svm_atomic_store(&vcpu->flush_epoch, epoch);
	}
	if (vcpu->flush || vcpu->asid_is_old)
		svm_vcpu_prepare_asid(vcpu);
	if (vcpu->timed)
		svm_exit_counts_charge(vcpu);
	return !has_flushed || svm_vm_state(vcpu->vm) != SVM_VM_DEAD;
}

/*
 * An interrupt of our own waits behind CLGI, and so ends the run as soon as the processor has
 * delivered what it was given.
 */
static uint64_t enter_and_exit(struct svm_vcpu *vcpu)
{
	const struct svm_hal *hal = &vcpu->vm->host->hal;
	const uint64_t irq = hal->irq_save(hal->ctx);
	const bool was_off = vcpu->s.flags & SVM_SWITCH_DO_IF;
	uint64_t has_run;

	hal->cpu_kick(hal->ctx, vcpu->cpu->id);
	vcpu->s.flags |= SVM_SWITCH_DO_IF;
	has_run = svm_world_switch(&vcpu->s);
	if (!was_off)
		vcpu->s.flags &= ~(uint32_t)SVM_SWITCH_DO_IF;
	hal->irq_restore(hal->ctx, irq);
	return has_run;
}

static SVM_LONG_WAY uint64_t enter_prepared(struct svm_vcpu *vcpu, uint64_t epoch)
{
	if (!prepare_entry(vcpu, epoch))
		return 0;
	return vcpu->exit_at_once ? enter_and_exit(vcpu) : svm_world_switch(&vcpu->s);
}

/*
 * 0: something was asked for in the last moment, or the VM has died.  in_guest is published
 * before the flush epoch is read, here, and the requests, by the world switch and behind CLGI; see
 * svm_vcpu_request() and flush.c for the other half.  The loads are sequentially consistent: a
 * relaxed one may come before the store (on x86 the store pays for it, the loads are plain).
 * tests/model/kick.pml proves the protocol.
 */
static uint64_t enter(struct svm_vcpu *vcpu)
{
	uint64_t epoch, has_run;

	svm_atomic_store(&vcpu->in_guest, vcpu->in_guest_here);
	epoch = svm_atomic_load(&vcpu->vm->flush_epoch);
	if (SVM_MOSTLY(epoch == vcpu->flush_epoch && !vcpu->unusual))
		has_run = svm_world_switch(&vcpu->s);
	else
		has_run = enter_prepared(vcpu, epoch);
	svm_atomic_store_release(&vcpu->in_guest, 0);
	if (!SVM_MOSTLY(has_run))
		svm_vcpu_keep_flush(vcpu);
	return has_run;
}

void svm_vcpu_follow_tpr(struct svm_vcpu *vcpu)
{
	const uint8_t tpr = svm_vmcb_get_int_control(vcpu->vmcb) & 0xf;

	if (tpr == vcpu->tpr)
		return;
	vcpu->tpr = tpr;
	if (vcpu->irq.pending)
		vcpu->irq.tpr_changed(vcpu->irq.arg, vcpu, tpr);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

/* What every exit owes to the next entry. */
static void settle(struct svm_vcpu *vcpu, struct svm_vmcb *vmcb)
{
	vmcb->control.clean = SVM_CLEAN_ALL; /* Bits we do not define stay 0: 15.15.3. */
	vmcb->control.tlb_control = SVM_TLB_NOTHING;
	svm_events_after_exit(vcpu);
	/* The bits above V_TPR in its byte are 0, or it is looked at more closely. */
	if (!SVM_MOSTLY((uint8_t)svm_vmcb_get_int_control(vmcb) == vcpu->tpr))
		svm_vcpu_follow_tpr(vcpu);
}

/*
 * A guest whose every exit is finished here spends most of its time in the host, and there the
 * host's interrupts arrive: they end no run, and nobody would ever ask whether the host wants the
 * CPU back.  So it is asked after this many turns too, be it exits or requests that keep coming.
 * The dearest turn takes some thousand instructions, but for a repeated string instruction,
 * which asks by itself (emulation.c).
 */
#define TURNS_WITHOUT_A_LOOK 128u

static enum svm_action after_exit(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t tsc = svm_ring0_rdtsc(); /* A call: before there are values to keep. */
	struct svm_vmcb *const vmcb = vcpu->vmcb;
	const struct svm_record_slot *const before = vcpu->recorder.last;
	const uint64_t code = vmcb->control.exit_code;

	svm_recorder_note(&vcpu->recorder, vmcb, code, tsc);
	if (SVM_MOSTLY(code < SVM_EXIT_COUNT_LOW))
		svm_exit_counts_add(&vcpu->counts, code);
	else if (SVM_MOSTLY(code == SVM_EXIT_NPF))
		svm_exit_counts_add(&vcpu->counts, SVM_EXIT_COUNT_NPF);
	else if (svm_exit_is_invalid(code))
		return svm_exit_entry_failed(vcpu, exit);
	else
		svm_exit_counts_add(&vcpu->counts, svm_exit_counts_high(code));
	settle(vcpu, vmcb);
	if (!before->advanced && svm_stuck_loops(vcpu, exit, before->has_event)) /* Seldom. */
		return SVM_ACTION_RETURN;
	/* The most frequent of all has the highest code: the dispatch would come to it last. */
	return code == SVM_EXIT_NPF ? svm_exit_npf(vcpu, exit) : svm_exit_dispatch(vcpu, exit);
}

/* Whether the embedder has answered the exit in place, so that the guest goes on. */
static inline bool is_answered(struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	return vcpu->exit_handler && (exit->flags & SVM_EXIT_COMPLETE) &&
	       vcpu->exit_handler(vcpu->exit_handler_arg, vcpu, exit) == 0 &&
	       vcpu->owed == SVM_OWED_NOTHING;
}

/* The answer may be to an access in the middle of an instruction; a next one of it returns. */
static inline enum svm_action go_on(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	return SVM_MOSTLY(!vcpu->emulating) ? SVM_ACTION_RESUME
	                                    : svm_emulation_continue(vcpu, exit);
}

/* To the end of the run; exit->kind. */
static enum svm_exit_kind loop(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	enum svm_action action;
	enum svm_exit_kind kind;
	unsigned turns = TURNS_WITHOUT_A_LOOK;

	action = go_on(vcpu, exit);
	while (action == SVM_ACTION_RESUME) {
		if (!SVM_MOSTLY(--turns != 0)) {
			turns = TURNS_WITHOUT_A_LOOK;
			action = svm_exit_look_at_host(vcpu, exit);
			if (action == SVM_ACTION_RETURN)
				break;
		}
		if (!SVM_MOSTLY(!svm_atomic_load_relaxed(&vcpu->s.requests))) {
			action = serve_requests(vcpu, exit);
			if (action == SVM_ACTION_RETURN)
				break;
		}
		if (SVM_MOSTLY(enter(vcpu))) {
			action = after_exit(vcpu, exit);
			if (action != SVM_ACTION_RESUME) {
				kind = (uint8_t)exit->kind; /* As it is recorded. */
				svm_recorder_returned(&vcpu->recorder, kind);
				if (!is_answered(vcpu, exit))
					return kind;
				action = go_on(vcpu, exit);
			}
		} else if (svm_vm_state(vcpu->vm) == SVM_VM_DEAD) {
			break;
		}
	}
	kind = exit->kind;
	svm_recorder_ended(&vcpu->recorder, kind);
	return kind;
}

/* --- the call --------------------------------------------------------------------------------- */

/* Exits after which a vCPU is not RUNNABLE. */
#define STOPPING_EXITS                                                                             \
	(SVM_BIT(SVM_EXIT_KIND_ENTRY_FAILED) | SVM_BIT(SVM_EXIT_KIND_HLT) |                        \
	 SVM_BIT(SVM_EXIT_KIND_SHUTDOWN))

static enum svm_vcpu_state state_after(const struct svm_vcpu *vcpu, enum svm_exit_kind kind)
{
	if (svm_atomic_load(&vcpu->vm->state) == SVM_VM_DEAD)
		return SVM_VCPU_DEAD;
	if (SVM_MOSTLY(!(STOPPING_EXITS >> kind & 1)))
		return SVM_VCPU_RUNNABLE;
	switch (kind) {
	case SVM_EXIT_KIND_ENTRY_FAILED:
		return SVM_VCPU_DEAD;
	case SVM_EXIT_KIND_HLT:
		return SVM_VCPU_HALTED;
	case SVM_EXIT_KIND_SHUTDOWN:
		return SVM_VCPU_SHUTDOWN;
	default:
		return SVM_VCPU_RUNNABLE;
	}
}

/*
 * RUNNING is published before the state of the VM is looked at, and svm_vm_pause() publishes its
 * state before it looks for vCPUs that are RUNNING: one of the two sees the other (vm_life.c).  The
 * first look keeps a thread that is refused again and again from delaying a pause.
 */
static SVM_LONG_WAY int claim_any(struct svm_vcpu *vcpu)
{
	int error = svm_vm_may_run(vcpu->vm);
	uint32_t before = svm_atomic_load(&vcpu->state);

	if (before == SVM_VCPU_DEAD)
		return SVM_ERR_DEAD;
	if (error)
		return error;
	if (!svm_vcpu_state_allowed((enum svm_vcpu_state)before, SVM_VCPU_RUNNING) ||
	    !svm_atomic_cas(&vcpu->state, &before, (uint32_t)SVM_VCPU_RUNNING))
		return SVM_ERR_STATE;
	error = svm_vm_begin_run(vcpu->vm);
	if (!error)
		return (int)before;
	svm_atomic_store_release(&vcpu->state, before);
	return error;
}

/* The state that it was in, or an error.  Nearly always one goes on in a VM that runs. */
static int claim(struct svm_vcpu *vcpu)
{
	const struct svm_vm *vm = vcpu->vm;
	uint32_t before = SVM_VCPU_RUNNABLE;

	if (SVM_MOSTLY(svm_atomic_load(&vm->state) == SVM_VM_RUNNING &&
	               svm_atomic_cas(&vcpu->state, &before, (uint32_t)SVM_VCPU_RUNNING))) {
		if (SVM_MOSTLY(svm_atomic_load(&vm->state) == SVM_VM_RUNNING))
			return SVM_VCPU_RUNNABLE;
		svm_atomic_store_release(&vcpu->state, (uint32_t)SVM_VCPU_RUNNABLE);
	}
	return claim_any(vcpu);
}

/* HLT goes on sleeping; the exit says so again. */
static bool still_halted(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	if (svm_vcpu_has_event(vcpu)) {
		svm_atomic_store(&vcpu->unhalted, false);
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS); /* Perhaps by time. */
		return false;
	}
	if (svm_atomic_load(&vcpu->s.requests) & SVM_REQUEST_RETURN) {
		svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_RETURN);
		svm_exit_return(vcpu, exit, SVM_EXIT_KIND_REQUEST);
	} else {
		svm_exit_return(vcpu, exit, SVM_EXIT_KIND_HLT);
	}
	return true;
}

/* One that a port keeps loaded mostly finds all as its last run has left it. */
static inline bool is_bound(const struct svm_vcpu *vcpu)
{
	return vcpu->seen_settings == vcpu->vm->settings && vcpu->vm->host->fixed_registers &&
	       !vcpu->guest_debugs && vcpu->fpu_here && svm_vcpu_is_here(vcpu);
}

/* The deadline may have come and gone unseen. */
static inline bool has_missed_timer(struct svm_vcpu *vcpu)
{
	return vcpu->irq.deadline &&
	       !(svm_atomic_load_relaxed(&vcpu->s.requests) & SVM_REQUEST_EVENTS) &&
	       !svm_events_timer_stands(vcpu);
}

/* The state that the vCPU was in becomes the one to be in; nothing changes if it cannot run. */
static int run_claimed(struct svm_vcpu *vcpu, struct svm_exit *exit, int *state)
{
	enum svm_exit_kind kind;
	int error;

	if (vcpu->owed != SVM_OWED_NOTHING)
		return SVM_ERR_INCOMPLETE;
	exit->kind = SVM_EXIT_KIND_NONE; /* The rest by whoever gives it a kind. */
	if (*state == SVM_VCPU_HALTED && still_halted(vcpu, exit))
		return 0;
	if (!SVM_MOSTLY(is_bound(vcpu))) {
		error = svm_vcpu_bind(vcpu);
		if (error)
			return error;
	}
	if (has_missed_timer(vcpu))
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);

	if (vcpu->stuck.looks)
		svm_stuck_begin(vcpu);
	kind = loop(vcpu, exit);
	if (vcpu->timed)
		svm_exit_counts_charge(vcpu);
	vcpu->stats.host_exits++;
	*state = (int)state_after(vcpu, kind);
	if (!SVM_MOSTLY(vcpu->after_run == SVM_AFTER_RUN_NOTHING)) {
		if (vcpu->after_run == SVM_AFTER_RUN_PUT)
			svm_vcpu_unbind(vcpu, *state == SVM_VCPU_RUNNABLE);
		else
			svm_fpu_leave_guest(vcpu);
	}
	if (*state == SVM_VCPU_DEAD && kind != SVM_EXIT_KIND_ENTRY_FAILED)
		return SVM_ERR_DEAD;
	return 0;
}

int svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_host *host = vcpu->vm->host;
	int state, error;

	if (host->is_preemptible)
		host->hal.preempt_off(host->hal.ctx);
	state = claim(vcpu);
	if (state < 0) {
		error = state;
	} else {
		error = run_claimed(vcpu, exit, &state);
		/* Last: whoever sees that it is not RUNNING may reset or destroy it. */
		svm_atomic_store_release(&vcpu->state, (uint32_t)state);
	}
	if (host->is_preemptible)
		host->hal.preempt_on(host->hal.ctx);
	return error;
}
