/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two ways not to get on, told apart by what the recorder has.
 *
 * A *loop* is one exit at one place again and again, none of which moved RIP or delivered anything:
 * a handler, the library's or the embedder's, that does not do its work.  A guest that halts in a
 * loop, or whose own handler sends it back to the instruction that faulted, is none.  A host whose
 * interrupt comes back at once is one.
 *
 * *Silence* is a guest that only the host's interrupts take out of its code.  It may compute; so it
 * is reported with what a reader needs to decide, and only to those who asked.  What counts is the
 * time in the guest, since one that is not scheduled is silent by no fault of its own.  A guest
 * that does not even leave for interrupts cannot be seen from here: svm_vcpu_get_silence() is for
 * other CPUs.
 */
#include "core/vcpu/stuck.h"

#include "core/vcpu/exits.h"

#define MS_PER_S 1000u

void svm_stuck_init(struct svm_vcpu *vcpu)
{
	const struct svm_vm_config *const config = &vcpu->vm->config;

	vcpu->stuck.own = UINT64_MAX; /* The first look begins. */
	vcpu->stuck.loop_limit = config->loop_limit;
	vcpu->stuck.silence_limit =
		config->silence_ms * (vcpu->vm->host->hal.tsc_hz / MS_PER_S + 1);
}

/* True: nobody is told by a call, or it does not want the guest to go on. */
static bool tell(struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	const struct svm_vm_config *const config = &vcpu->vm->config;

	return !config->on_stuck || !config->on_stuck(config->on_stuck_arg, vcpu, exit);
}

/* --- loops ------------------------------------------------------------------------------------ */

static bool repeats(struct svm_vcpu *vcpu, bool had_event)
{
	const struct svm_vmcb *const vmcb = vcpu->vmcb;
	struct svm_stuck *const stuck = &vcpu->stuck;

	if (vmcb->save.rip == stuck->loop_rip && vmcb->control.exit_code == stuck->loop_code &&
	    vcpu->s.rcx == stuck->loop_rcx && !had_event)
		return true;
	stuck->loop_rip = vmcb->save.rip;
	stuck->loop_code = vmcb->control.exit_code;
	stuck->loop_rcx = vcpu->s.rcx; /* A REP counter that moves is progress. */
	return false;
}

bool svm_stuck_loops(struct svm_vcpu *vcpu, struct svm_exit *exit, bool had_event)
{
	struct svm_stuck *const stuck = &vcpu->stuck;
	uint64_t number;

	if (!stuck->loop_limit)
		return false;
	number = svm_recorder_count(&vcpu->recorder);
	/* An exit that moved RIP is not told of, but then there was one between. */
	if (number - stuck->loop_number != 1)
		stuck->loop_count = 0;
	stuck->loop_number = number;
	if (vcpu->vmcb->control.exit_code == SVM_EXIT_EXCEPTION + SVM_VECTOR_MC)
		return false; /* The host's business, and it must not get lost. */
	stuck->loop_count = repeats(vcpu, had_event) ? stuck->loop_count + 1 : 1;
	if (stuck->loop_count < stuck->loop_limit)
		return false;
	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_LOOP);
	exit->loop.count = stuck->loop_count;
	stuck->loop_count = 0;
	return tell(vcpu, exit);
}

/* --- silence ---------------------------------------------------------------------------------- */

static uint64_t own_exits(const struct svm_vcpu *vcpu)
{
	return svm_recorder_count(&vcpu->recorder) - vcpu->stats.interrupts;
}

/* The time between two runs is not the guest's; behind an exit of its own the count starts anew. */
void svm_stuck_begin(struct svm_vcpu *vcpu)
{
	struct svm_stuck *const stuck = &vcpu->stuck;

	stuck->mark = svm_ring0_rdtsc();
	if (own_exits(vcpu) != stuck->own)
		stuck->looks = 0;
}

static void restart(struct svm_vcpu *vcpu, uint64_t own)
{
	struct svm_stuck *const stuck = &vcpu->stuck;

	stuck->own = own;
	stuck->silence = 0;
	stuck->rip = vcpu->vmcb->save.rip;
	stuck->looks = stuck->same = 1;
}

static void report_silence(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_stuck *const stuck = &vcpu->stuck;
	const uint64_t hz = vcpu->vm->host->hal.tsc_hz;

	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_SILENT);
	exit->insn_count = (uint8_t)svm_vcpu_fetch(vcpu, exit->insn);
	exit->silent.ms = stuck->silence / (hz / MS_PER_S + 1);
	exit->silent.looks = stuck->looks;
	exit->silent.same = stuck->same;
}

bool svm_stuck_is_silent(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	struct svm_stuck *const stuck = &vcpu->stuck;
	const uint64_t own = own_exits(vcpu);
	const uint64_t tsc = vcpu->recorder.last->tsc, since = tsc - stuck->mark;

	stuck->mark = tsc;
	if (own != stuck->own) {
		restart(vcpu, own);
		return false;
	}
	stuck->silence += since;
	stuck->looks++;
	stuck->same += vcpu->vmcb->save.rip == stuck->rip;
	if (stuck->silence < stuck->silence_limit)
		return false;
	report_silence(vcpu, exit);
	restart(vcpu, own);
	return tell(vcpu, exit);
}

void svm_vcpu_get_silence(const struct svm_vcpu *vcpu, struct svm_silence *silence)
{
	const uint64_t count = svm_recorder_count(&vcpu->recorder);
	const uint64_t hz = vcpu->vm->host->hal.tsc_hz;
	struct svm_record last = { .number = 0 };

	*silence = (struct svm_silence){
		.in_guest = svm_atomic_load(&vcpu->in_guest) != 0,
		.exits = count,
	};
	if (count == 0 || svm_recorder_read(vcpu, count - 1, &last, 1) == 0)
		return;
	silence->rip = last.rip;
	silence->exit_code = last.exit_code;
	silence->ms = (svm_ring0_rdtsc() - last.tsc) / (hz / MS_PER_S + 1);
}
