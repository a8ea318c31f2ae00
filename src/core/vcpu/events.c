/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events on their way into the guest.  APM vol. 2, 8.2.9, 15.7.2, 15.20, 15.21.
 *
 * Three rules hold this file together:
 *
 * - An exit may come in the middle of a delivery (a nested fault on the guest's stack).  What was
 *   being delivered is in EXITINTINFO and nowhere else: it is injected again, or merged with the
 *   exception that the exit turns into.
 * - EVENTINJ delivers at once, whatever IF says.  So nothing is put there before the guest could
 *   take it; until then a window is open that makes the guest exit when it can.
 * - EVENTINJ of an NMI blocks no other NMI (15.20).  The mask is kept here, and the guest's IRET
 *   is watched while an NMI handler runs.
 */
#include "core/features.h"
#include "core/vcpu/debugger.h"

static const struct {
	uint8_t vector;
	bool has_error;
	uint8_t class;
} exceptions[] = {
#define ROW(name, vector, has_error, class, text) { (vector), (has_error), SVM_EXCEPTION_##class },
	SVM_EXCEPTIONS(ROW)
#undef ROW
};

static uint8_t class_of(uint8_t vector)
{
	for (size_t i = 0; i < SVM_ARRAY_SIZE(exceptions); i++)
		if (exceptions[i].vector == vector)
			return exceptions[i].class;
	return SVM_EXCEPTION_BENIGN;
}

bool svm_exception_has_error(uint8_t vector)
{
	for (size_t i = 0; i < SVM_ARRAY_SIZE(exceptions); i++)
		if (exceptions[i].vector == vector)
			return exceptions[i].has_error;
	return false;
}

bool svm_exception_is_fault(uint8_t vector)
{
	return vector != SVM_VECTOR_DB && vector != SVM_VECTOR_BP && vector != SVM_VECTOR_OF &&
	       vector != SVM_VECTOR_DF && vector != SVM_VECTOR_MC;
}

static uint64_t event_word(uint64_t type, uint8_t vector)
{
	return SVM_EVENT_VALID | svm_bits_put(type, SVM_EVENT_TYPE) | vector;
}

static uint64_t exception_word(uint8_t vector, uint32_t error)
{
	uint64_t word = event_word(SVM_EVENT_TYPE_EXCP, vector);

	if (svm_exception_has_error(vector))
		word |= SVM_EVENT_ERROR_VALID | svm_bits_put(error, SVM_EVENT_ERROR);
	return word;
}

static uint64_t type_of(uint64_t event)
{
	return svm_bits_get(event, SVM_EVENT_TYPE);
}

/* --- raising: merging two exceptions, 8.2.9 --------------------------------------------- */

/* An interrupt whose delivery an exception broke off is held until the guest can take it again. */
static void hold_interrupted(struct svm_vcpu_events *events)
{
	const uint64_t event = events->reinject;

	events->reinject = 0;
	if (!event)
		return;
	if (type_of(event) == SVM_EVENT_TYPE_NMI) {
		events->nmi_pending = true;
		events->nmi_masked = false;
	} else if (type_of(event) == SVM_EVENT_TYPE_INTR) {
		events->held_interrupt = (int)(event & SVM_EVENT_VECTOR);
	}
}

static bool makes_double_fault(uint8_t first, uint8_t second)
{
	const uint8_t a = class_of(first), b = class_of(second);

	if (a == SVM_EXCEPTION_CONTRIBUTORY)
		return b == SVM_EXCEPTION_CONTRIBUTORY;
	if (a == SVM_EXCEPTION_PAGE)
		return b == SVM_EXCEPTION_CONTRIBUTORY || b == SVM_EXCEPTION_PAGE;
	return false;
}

void svm_events_raise(struct svm_vcpu *vcpu, uint8_t vector, uint32_t error)
{
	struct svm_vcpu_events *events = &vcpu->events;
	int first = -1;

	if (events->exception_pending)
		first = events->exception_vector;
	else if (events->reinject && type_of(events->reinject) == SVM_EVENT_TYPE_EXCP)
		first = (int)(events->reinject & SVM_EVENT_VECTOR);

	if (first == SVM_VECTOR_DF && class_of(vector) != SVM_EXCEPTION_BENIGN) {
		events->shutdown = true;
		events->shutdown_second = vector;
	} else if (first >= 0 && makes_double_fault((uint8_t)first, vector)) {
		vector = SVM_VECTOR_DF;
		error = 0;
	}
	hold_interrupted(events);
	events->is_unseen = false;
	events->exception_pending = true;
	events->exception_vector = vector;
	events->exception_error = error;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

void svm_events_trap(struct svm_vcpu *vcpu)
{
	svm_events_raise(vcpu, SVM_VECTOR_DB, 0);
	vcpu->events.is_unseen = svm_debugger_wants_db(vcpu);
}

/* --- windows ------------------------------------------------------------------------------ */

/* What a debugger wants is intercepted already. */
static inline void watch(struct svm_vcpu *vcpu, unsigned code, bool on)
{
	if (SVM_MOSTLY(svm_vmcb_get_intercept(vcpu->vmcb, code) == on))
		return;
	if (on || !svm_vcpu_debugger_wants(vcpu, code))
		svm_vmcb_set_intercept(vcpu->vmcb, code, on);
}

/*
 * A dummy virtual interrupt of the highest priority, intercepted: it exits the moment the guest
 * could take one.  CR8 writes are intercepted meanwhile, since QEMU 7.2 aborts on one that finds
 * a virtual interrupt pending.
 */
static void set_interrupt_window(struct svm_vcpu *vcpu, bool open)
{
	const uint64_t window = SVM_INT_V_IRQ | SVM_INT_V_IGN_TPR | SVM_INT_V_PRIO;
	const uint64_t old = svm_vmcb_get_int_control(vcpu->vmcb);
	const uint64_t new = open ? old | window : old & ~window;

	if (new != old)
		svm_vmcb_set_int_control(vcpu->vmcb, new);
	watch(vcpu, SVM_EXIT_VINTR, open);
	watch(vcpu, SVM_EXIT_CR_WRITE + 8, open);
}

void svm_events_close_windows(struct svm_vcpu *vcpu)
{
	set_interrupt_window(vcpu, false);
	watch(vcpu, SVM_EXIT_IRET, false);
}

/* One instruction with TF, to get past an IRET or an interrupt shadow; #DB is in the floor. */
void svm_events_start_step(struct svm_vcpu *vcpu)
{
	struct svm_vcpu_events *events = &vcpu->events;
	struct svm_vmcb_save *save = &vcpu->vmcb->save;

	if (events->single_step)
		return;
	events->single_step = true;
	events->guest_tf = save->rflags & RFLAGS_TF;
	save->rflags |= RFLAGS_TF;
}

/* The step is over, or is taken back: RFLAGS.TF is the guest's own again. */
void svm_events_end_step(struct svm_vcpu *vcpu)
{
	struct svm_vcpu_events *events = &vcpu->events;

	if (!events->single_step)
		return;
	events->single_step = false;
	if (!events->guest_tf)
		vcpu->vmcb->save.rflags &= ~RFLAGS_TF;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

uint64_t svm_events_rflags(const struct svm_vcpu *vcpu)
{
	const uint64_t rflags = vcpu->vmcb->save.rflags;

	if (vcpu->events.single_step && !vcpu->events.guest_tf)
		return rflags & ~RFLAGS_TF;
	return rflags;
}

void svm_events_set_rflags(struct svm_vcpu *vcpu, uint64_t rflags)
{
	struct svm_vcpu_events *events = &vcpu->events;

	events->guest_tf = rflags & RFLAGS_TF;
	vcpu->vmcb->save.rflags = rflags | (events->single_step ? RFLAGS_TF : 0);
}

bool svm_events_single_step(struct svm_vcpu *vcpu)
{
	const struct svm_vcpu_debugger *debugger = &vcpu->debugger;
	const bool is_wanted = vcpu->events.guest_tf || debugger->wanted.single_step;

	if (!vcpu->events.single_step || !(svm_vmcb_get_dr6(vcpu->vmcb) & DR6_BS))
		return false;
	svm_events_end_step(vcpu);
	if (is_wanted)
		return false;
	svm_vmcb_set_dr6(vcpu->vmcb, svm_vmcb_get_dr6(vcpu->vmcb) & ~DR6_BS);
	/* A debugger's DR6 tells of one #DB alone, and of a breakpoint in the same. */
	return !debugger->is_on || !(svm_vmcb_get_dr6(vcpu->vmcb) & DR6_BREAKPOINTS);
}

void svm_events_interrupt_window(struct svm_vcpu *vcpu)
{
	set_interrupt_window(vcpu, false);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

void svm_events_iret(struct svm_vcpu *vcpu)
{
	watch(vcpu, SVM_EXIT_IRET, false);
	vcpu->iret_seen = true;
	vcpu->events.iret_rip = vcpu->vmcb->save.rip;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

/* --- before an entry ---------------------------------------------------------------------- */

static bool in_shadow(const struct svm_vcpu *vcpu)
{
	return vcpu->vmcb->control.int_state & SVM_INT_STATE_SHADOW;
}

bool svm_events_can_interrupt(const struct svm_vcpu *vcpu)
{
	return (vcpu->vmcb->save.rflags & RFLAGS_IF) && !in_shadow(vcpu) &&
	       !vcpu->vmcb->control.event_inj;
}

/* Of #BP and #OF the processor pushes the next RIP and not RIP, where it has NRIPS (15.20). */
static inline void inject(struct svm_vcpu *vcpu, uint64_t event)
{
	vcpu->vmcb->control.event_inj = event;
	vcpu->vmcb->control.next_rip = vcpu->vmcb->save.rip;
	vcpu->events.injecting = event;
	vcpu->stats.injected++;
	svm_recorder_injected(&vcpu->recorder, event);
	if (vcpu->vm->config.exit_after_interrupt == SVM_EXIT_AFTER_ALWAYS &&
	    type_of(event) == SVM_EVENT_TYPE_INTR)
		vcpu->exit_at_once = true;
}

static void inject_exception(struct svm_vcpu *vcpu)
{
	struct svm_vcpu_events *events = &vcpu->events;

	events->exception_pending = false;
	if (svm_exception_is_fault(events->exception_vector))
		vcpu->vmcb->save.rflags |= RFLAGS_RF; /* 8.2: the return must not trap again. */
	inject(vcpu, exception_word(events->exception_vector, events->exception_error));
}

static void prepare_nmi(struct svm_vcpu *vcpu)
{
	struct svm_vcpu_events *events = &vcpu->events;

	if (!events->nmi_pending)
		return;
	if (events->nmi_masked && !vcpu->iret_seen)
		return; /* The IRET intercept is on. */
	if (vcpu->vmcb->control.event_inj) {
		/* One event an entry: come back before the first instruction of its handler. */
		vcpu->exit_at_once = true;
		return;
	}
	if (events->nmi_masked || in_shadow(vcpu)) {
		svm_events_start_step(vcpu);
		return;
	}
	events->nmi_pending = false;
	events->nmi_masked = true;
	vcpu->iret_seen = false;
	watch(vcpu, SVM_EXIT_IRET, true);
	inject(vcpu, event_word(SVM_EVENT_TYPE_NMI, SVM_VECTOR_NMI));
}

/* The vector that wants to be taken next, or -1. */
static int next_interrupt(struct svm_vcpu *vcpu)
{
	if (vcpu->events.held_interrupt >= 0)
		return vcpu->events.held_interrupt;
	if (vcpu->irq.pending)
		return vcpu->irq.pending(vcpu->irq.arg, vcpu, vcpu->tpr);
	return svm_atomic_load(&vcpu->interrupt_vector);
}

static void take_interrupt(struct svm_vcpu *vcpu, int vector)
{
	if (vcpu->events.held_interrupt >= 0)
		vcpu->events.held_interrupt = -1;
	else if (vcpu->irq.pending)
		vector = vcpu->irq.accept(vcpu->irq.arg, vcpu, (uint8_t)vector);
	else
		svm_atomic_store(&vcpu->interrupt_vector, -1);
	inject(vcpu, event_word(SVM_EVENT_TYPE_INTR, (uint8_t)vector));
}

/* Something waits that only the guest's task priority keeps back: it may lower it any time. */
static bool waits_for_tpr(struct svm_vcpu *vcpu)
{
	return vcpu->tpr && vcpu->irq.pending &&
	       vcpu->irq.pending(vcpu->irq.arg, vcpu, 0) >= 0;
}

/* None is wanted and none is open, the debugger's included: nearly always. */
static bool has_no_window(const struct svm_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	return !vcpu->events.window_wanted && !vcpu->tpr &&
	       !(svm_vmcb_get_int_control(vmcb) & SVM_INT_V_IRQ) &&
	       !svm_vmcb_get_intercept(vmcb, SVM_EXIT_VINTR) &&
	       !svm_vmcb_get_intercept(vmcb, SVM_EXIT_CR_WRITE + 8);
}

static void prepare_interrupt(struct svm_vcpu *vcpu)
{
	int vector = next_interrupt(vcpu);

	if (vcpu->shadowed) {
		set_interrupt_window(vcpu, false); /* Settled behind the next exit. */
		return;
	}
	if (vector >= 0 && svm_events_can_interrupt(vcpu)) {
		take_interrupt(vcpu, vector);
		vector = next_interrupt(vcpu);
	}
	/* Whatever still waits needs an exit when the guest can take it. */
	if (vector < 0 && has_no_window(vcpu))
		return;
	set_interrupt_window(vcpu, vector >= 0 || vcpu->events.window_wanted);
	if (vector < 0 && !vcpu->events.window_wanted)
		watch(vcpu, SVM_EXIT_CR_WRITE + 8, waits_for_tpr(vcpu));
}

/* For a debugger they wait, and no window tells of them: it asks again when it lets them go. */
static void prepare_external(struct svm_vcpu *vcpu)
{
	if (vcpu->debugger.wanted.hold_events) {
		set_interrupt_window(vcpu, false);
		return;
	}
	prepare_nmi(vcpu);
	prepare_interrupt(vcpu);
}

void svm_events_prepare(struct svm_vcpu *vcpu)
{
	struct svm_vcpu_events *events = &vcpu->events;

	if (svm_atomic_load(&vcpu->s.requests) & SVM_REQUEST_NMI) {
		svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_NMI);
		events->nmi_pending = true;
	}
	if (events->reinject) {
		inject(vcpu, events->reinject);
		events->reinject = 0;
		vcpu->stats.reinjected++;
	} else if (events->exception_pending) {
		inject_exception(vcpu);
	}
	prepare_external(vcpu);
	svm_events_step_again(vcpu);
	if (vcpu->irq.deadline)
		svm_events_rearm(vcpu);
}

void svm_events_rearm(struct svm_vcpu *vcpu)
{
	const struct svm_hal *hal = &vcpu->vm->host->hal;

	vcpu->armed_ns = vcpu->irq.deadline(vcpu->irq.arg, vcpu);
	hal->timer_arm(hal->ctx, vcpu->armed_ns);
}

bool svm_events_timer_stands(struct svm_vcpu *vcpu)
{
	const uint64_t deadline = vcpu->irq.deadline(vcpu->irq.arg, vcpu);

	return deadline == vcpu->armed_ns &&
	       (deadline == UINT64_MAX || deadline > svm_host_clock_ns(vcpu->vm->host));
}

uint64_t svm_vcpu_deadline(struct svm_vcpu *vcpu)
{
	return vcpu->irq.deadline ? vcpu->irq.deadline(vcpu->irq.arg, vcpu) : UINT64_MAX;
}

/* --- after an exit ------------------------------------------------------------------------ */

/*
 * Some processors report a delivery under a type that EVENTINJ refuses: QEMU says "exception" for
 * virtual interrupts and NMIs.  The vector tells the truth.
 */
static uint64_t repair(uint64_t event)
{
	const uint8_t vector = (uint8_t)(event & SVM_EVENT_VECTOR);

	if (type_of(event) == SVM_EVENT_TYPE_NMI ||
	    (type_of(event) == SVM_EVENT_TYPE_EXCP && vector == SVM_VECTOR_NMI))
		return event_word(SVM_EVENT_TYPE_NMI, SVM_VECTOR_NMI);
	if (type_of(event) == SVM_EVENT_TYPE_EXCP && vector >= 32)
		return event_word(SVM_EVENT_TYPE_INTR, vector);
	if (type_of(event) == SVM_EVENT_TYPE_EXCP)
		return exception_word(vector,
		                      (uint32_t)svm_bits_get(event, SVM_EVENT_ERROR));
	return event_word(type_of(event), vector);
}

/*
 * INT n, INT3, INTO of the guest itself: RIP is still on the instruction, which runs again.  One
 * that the library has injected is told apart by what was injected.  Bochs reports them all as an
 * interrupt of vector 0.
 */
static bool is_guests_instruction(uint64_t event, uint64_t injected)
{
	const uint64_t same = SVM_EVENT_VALID | SVM_EVENT_TYPE | SVM_EVENT_VECTOR;
	const uint8_t vector = (uint8_t)(event & SVM_EVENT_VECTOR);

	if (((event ^ injected) & same) == 0)
		return false;
	return type_of(event) == SVM_EVENT_TYPE_SOFT ||
	       (type_of(event) == SVM_EVENT_TYPE_INTR && vector == 0) ||
	       (type_of(event) == SVM_EVENT_TYPE_EXCP &&
	        (vector == SVM_VECTOR_BP || vector == SVM_VECTOR_OF));
}

void svm_events_keep_shadow(struct svm_vcpu *vcpu)
{
	if (!in_shadow(vcpu))
		return;
	vcpu->shadowed = true;
	vcpu->events.shadow_rip = vcpu->vmcb->save.rip;
	set_interrupt_window(vcpu, false);
}

/* Another of the host's interrupts may come before the instruction has been executed. */
static bool is_still_in_shadow(const struct svm_vcpu *vcpu)
{
	return vcpu->vmcb->control.exit_code == SVM_EXIT_INTR &&
	       vcpu->vmcb->save.rip == vcpu->events.shadow_rip;
}

void svm_events_settle(struct svm_vcpu *vcpu)
{
	struct svm_vcpu_events *events = &vcpu->events;
	const uint64_t info = vcpu->vmcb->control.exit_int_info;

	if (vcpu->shadowed && !is_still_in_shadow(vcpu)) {
		vcpu->shadowed = false;
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	}
	if (vcpu->exit_at_once) {
		vcpu->exit_at_once = false;
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	}
	if (vcpu->iret_seen && vcpu->vmcb->save.rip != events->iret_rip) {
		vcpu->iret_seen = false;
		events->nmi_masked = false;
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	}
	if (!(info & SVM_EVENT_VALID))
		return;
	svm_recorder_interrupted(&vcpu->recorder, info);
	if (is_guests_instruction(info, events->injecting))
		return;
	events->reinject = repair(info);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

/* --- the embedder's side -------------------------------------------------------------------- */

static bool is_exception(uint8_t vector)
{
	for (size_t i = 0; i < SVM_ARRAY_SIZE(exceptions); i++)
		if (exceptions[i].vector == vector)
			return true;
	return false;
}

/* INTO and BOUND do not exist in 64-bit code, and VMRUN refuses their exceptions there: 15.20. */
static bool fits_mode(const struct svm_vcpu *vcpu, uint8_t vector)
{
	return svm_vcpu_code_bits(vcpu) != 64 ||
	       (vector != SVM_VECTOR_OF && vector != SVM_VECTOR_BR);
}

int svm_vcpu_inject_exception(struct svm_vcpu *vcpu, uint8_t vector, uint32_t error,
                              uint64_t address)
{
	if (!is_exception(vector) || !fits_mode(vcpu, vector))
		return SVM_ERR_INVAL;
	if (vector == SVM_VECTOR_PF)
		svm_vmcb_set_cr2(vcpu->vmcb, address);
	svm_events_raise(vcpu, vector, error);
	return 0;
}

void svm_vcpu_want_window(struct svm_vcpu *vcpu, bool want)
{
	if (vcpu->events.window_wanted == want)
		return;
	vcpu->events.window_wanted = want;
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
}

bool svm_vcpu_can_interrupt(const struct svm_vcpu *vcpu)
{
	const struct svm_vcpu_events *events = &vcpu->events;

	return svm_events_can_interrupt(vcpu) && !events->reinject && !events->exception_pending &&
	       events->held_interrupt < 0;
}

void svm_vcpu_inject_nmi(struct svm_vcpu *vcpu)
{
	svm_vcpu_request(vcpu, SVM_REQUEST_NMI | SVM_REQUEST_EVENTS);
}

int svm_vcpu_inject_interrupt(struct svm_vcpu *vcpu, uint8_t vector)
{
	int none = -1;

	if (vector < 16)
		return SVM_ERR_INVAL;
	if (vcpu->irq.pending)
		return SVM_ERR_STATE;
	if (!svm_atomic_cas(&vcpu->interrupt_vector, &none, (int)vector))
		return SVM_ERR_BUSY;
	svm_vcpu_request(vcpu, SVM_REQUEST_EVENTS);
	return 0;
}

int svm_vcpu_set_irq_port(struct svm_vcpu *vcpu, const struct svm_irq_port *port)
{
	if (port && (!port->pending || !port->accept || !port->tpr_changed))
		return SVM_ERR_INVAL;
	vcpu->irq = port ? *port : (struct svm_irq_port){ .pending = NULL };
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	return 0;
}

bool svm_vcpu_has_event(struct svm_vcpu *vcpu)
{
	const struct svm_vcpu_events *events = &vcpu->events;

	if (events->reinject || events->exception_pending || events->shutdown)
		return true;
	if (!events->nmi_masked &&
	    (events->nmi_pending || (svm_atomic_load(&vcpu->s.requests) & SVM_REQUEST_NMI)))
		return true;
	if (svm_atomic_load(&vcpu->unhalted))
		return true;
	return (vcpu->vmcb->save.rflags & RFLAGS_IF) && next_interrupt(vcpu) >= 0;
}

/* An accepted interrupt that is held shows as the interrupted delivery that it is. */
static uint64_t visible_reinject(const struct svm_vcpu_events *events)
{
	if (events->reinject || events->held_interrupt < 0)
		return events->reinject;
	return event_word(SVM_EVENT_TYPE_INTR, (uint8_t)events->held_interrupt);
}

void svm_vcpu_get_events(const struct svm_vcpu *vcpu, struct svm_events *out)
{
	const struct svm_vcpu_events *events = &vcpu->events;

	*out = (struct svm_events){
		/* A step of a debugger's is no event of the guest's. */
		.exception_pending = events->exception_pending &&
		                     !(events->is_unseen && vcpu->debugger.is_on),
		.exception_has_error = svm_exception_has_error(events->exception_vector),
		.exception_vector = events->exception_vector,
		.exception_error = events->exception_error,
		.nmi_pending = events->nmi_pending ||
		               (svm_atomic_load(&vcpu->s.requests) & SVM_REQUEST_NMI),
		.nmi_masked = events->nmi_masked,
		.interrupt_shadow = in_shadow(vcpu),
		.reinject = visible_reinject(events),
	};
}

static bool is_event(uint64_t event)
{
	if (!(event & SVM_EVENT_VALID) || repair(event) != event)
		return false;
	switch (type_of(event)) {
	case SVM_EVENT_TYPE_INTR:
	case SVM_EVENT_TYPE_NMI:
		return true;
	case SVM_EVENT_TYPE_EXCP:
		return is_exception((uint8_t)(event & SVM_EVENT_VECTOR));
	default: /* A software interrupt runs again by itself. */
		return false;
	}
}

int svm_vcpu_set_events(struct svm_vcpu *vcpu, const struct svm_events *wanted)
{
	const struct svm_events w = *wanted;
	const bool is_interrupt = type_of(w.reinject) == SVM_EVENT_TYPE_INTR;

	if (svm_vcpu_state(vcpu) == SVM_VCPU_RUNNING)
		return SVM_ERR_STATE;
	if (w.exception_pending && !is_exception(w.exception_vector))
		return SVM_ERR_INVAL;
	if (w.reinject && !is_event(w.reinject))
		return SVM_ERR_INVAL;
	if (w.reinject && w.exception_pending && !is_interrupt)
		return SVM_ERR_INVAL; /* They would have been merged. */

	svm_events_end_step(vcpu);
	vcpu->exit_at_once = vcpu->iret_seen = vcpu->shadowed = false;
	vcpu->events = (struct svm_vcpu_events){
		.exception_pending = w.exception_pending,
		.exception_vector = w.exception_vector,
		.exception_error = w.exception_error,
		.nmi_pending = w.nmi_pending,
		.nmi_masked = w.nmi_masked,
		.window_wanted = vcpu->events.window_wanted,
		/* Delivered as soon as IF and shadow allow: at once, where it was interrupted. */
		.held_interrupt = w.reinject && is_interrupt ? (int)(w.reinject & SVM_EVENT_VECTOR)
		                                             : -1,
		.reinject = is_interrupt ? 0 : w.reinject,
	};
	vcpu->vmcb->control.int_state = w.interrupt_shadow ? SVM_INT_STATE_SHADOW : 0;
	watch(vcpu, SVM_EXIT_IRET, w.nmi_masked);
	svm_events_step_again(vcpu);
	svm_atomic_and(&vcpu->s.requests, ~SVM_REQUEST_NMI);
	svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_EVENTS);
	return 0;
}
