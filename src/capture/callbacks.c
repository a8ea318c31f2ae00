/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Callbacks: the recorder's own stand where the embedder's were registered, write down what was
 * asked and answered, and let what a callback calls be recorded as calls from outside.
 */
#include "capture/capture.h"
#include "core/vcpu/vcpu.h"

static struct {
	unsigned count;
	struct svm_capture_slot slot[SVM_CAPTURE_CALLBACKS];
} callbacks;

void svm_capture_reset_slots(void)
{
	callbacks.count = 0;
}

struct svm_capture_slot *svm_capture_slot(union svm_capture_fn fn, void *arg)
{
	struct svm_capture_slot *slot;

	/* A replay numbers those that it sees registered. */
	if (svm_capture_is_split() || callbacks.count == SVM_CAPTURE_CALLBACKS) {
		svm_capture_lose();
		return NULL;
	}
	slot = &callbacks.slot[callbacks.count++];
	*slot = (struct svm_capture_slot){ fn, arg };
	return slot;
}

/* True: recorded, the request follows. */
static bool begin(const struct svm_capture_slot *slot, enum svm_capture_callback what,
                  const struct svm_vcpu *vcpu)
{
	if (!svm_capture_inside())
		return false;
	/* The library takes note of requests before it asks the port: this one is new. */
	if (what != SVM_CAPTURE_ON_IRQ_PENDING || !svm_capture_is_asked(SVM_REQUEST_EVENTS))
		svm_capture_asyncs();
	svm_capture_writes();
	svm_capture_event(SVM_CAPTURE_CALLBACK);
	svm_capture_number((uint64_t)(slot - callbacks.slot));
	svm_capture_number(what);
	svm_capture_number(svm_capture_object(vcpu));
	return true;
}

static void end(uint64_t result)
{
	svm_capture_comeback();
	svm_capture_after_callback();
	svm_capture_event(SVM_CAPTURE_ANSWER);
	svm_capture_number(result);
}

enum svm_device_result svm_capture_on_io(void *arg, struct svm_vcpu *vcpu,
                                         struct svm_io_access *access)
{
	const struct svm_capture_slot *slot = arg;
	const bool recorded = begin(slot, SVM_CAPTURE_ON_IO, vcpu);
	enum svm_device_result result;

	if (!recorded)
		return slot->fn.io(slot->arg, vcpu, access);
	svm_capture_number(access->port);
	svm_capture_number(access->size);
	svm_capture_number(access->is_in);
	svm_capture_number(access->is_in ? 0 : access->value);
	svm_capture_leave();
	result = slot->fn.io(slot->arg, vcpu, access);
	end(result);
	svm_capture_number(access->value);
	return result;
}

enum svm_device_result svm_capture_on_mmio(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_mmio_access *access)
{
	const struct svm_capture_slot *slot = arg;
	const bool recorded = begin(slot, SVM_CAPTURE_ON_MMIO, vcpu);
	enum svm_device_result result;

	if (!recorded)
		return slot->fn.mmio(slot->arg, vcpu, access);
	svm_capture_number(access->gpa);
	svm_capture_number(access->size);
	svm_capture_number(access->is_write);
	svm_capture_bytes(access->data, access->is_write ? access->size : 0);
	svm_capture_leave();
	result = slot->fn.mmio(slot->arg, vcpu, access);
	end(result);
	svm_capture_bytes(access->data, access->is_write ? 0 : access->size);
	return result;
}

enum svm_device_result svm_capture_on_hypercall(void *arg, struct svm_vcpu *vcpu,
                                                struct svm_hypercall *call)
{
	const struct svm_capture_slot *slot = arg;
	const bool recorded = begin(slot, SVM_CAPTURE_ON_HYPERCALL, vcpu);
	enum svm_device_result result;

	if (!recorded)
		return slot->fn.hypercall(slot->arg, vcpu, call);
	svm_capture_number(call->number);
	for (unsigned i = 0; i < SVM_ARRAY_SIZE(call->argument); i++)
		svm_capture_number(call->argument[i]);
	svm_capture_number(call->cpl);
	svm_capture_number(call->is_wide);
	svm_capture_leave();
	result = slot->fn.hypercall(slot->arg, vcpu, call);
	end(result);
	svm_capture_number(call->result);
	return result;
}

bool svm_capture_on_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	const struct svm_capture_slot *slot = arg;
	const bool recorded = begin(slot, SVM_CAPTURE_ON_MSR, vcpu);
	bool known;

	if (!recorded)
		return slot->fn.msr(slot->arg, vcpu, access);
	svm_capture_number(access->msr);
	svm_capture_number(access->is_write);
	svm_capture_number(access->is_write ? access->value : 0);
	svm_capture_leave();
	known = slot->fn.msr(slot->arg, vcpu, access);
	end(known);
	svm_capture_number(access->value);
	return known;
}

bool svm_capture_on_msr_filter(void *arg, uint32_t msr, bool is_write)
{
	const struct svm_capture_slot *slot = arg;
	bool allowed;

	if (!begin(slot, SVM_CAPTURE_ON_MSR_FILTER, NULL))
		return slot->fn.msr_filter(slot->arg, msr, is_write);
	svm_capture_number(msr);
	svm_capture_number(is_write);
	svm_capture_leave();
	allowed = slot->fn.msr_filter(slot->arg, msr, is_write);
	end(allowed);
	return allowed;
}

enum svm_resolve_result svm_capture_on_resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                               struct svm_resolved_page *page)
{
	const struct svm_capture_slot *slot = arg;
	enum svm_resolve_result result;
	bool is_mapped;

	if (!begin(slot, SVM_CAPTURE_ON_RESOLVE, NULL))
		return slot->fn.resolve(slot->arg, gpa, access, page);
	svm_capture_number(gpa);
	svm_capture_number(access);
	svm_capture_leave();
	result = slot->fn.resolve(slot->arg, gpa, access, page);
	end(result);
	is_mapped = result == SVM_RESOLVE_MAPPED;
	svm_capture_number(is_mapped ? page->hpa : 0);
	svm_capture_number(is_mapped ? page->size : 0);
	svm_capture_number(is_mapped ? page->prot : 0);
	return result;
}

bool svm_capture_on_stuck(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	const struct svm_capture_slot *slot = arg;
	bool go_on;

	if (!begin(slot, SVM_CAPTURE_ON_STUCK, vcpu))
		return slot->fn.stuck(slot->arg, vcpu, exit);
	svm_capture_number(exit->kind);
	svm_capture_leave();
	go_on = slot->fn.stuck(slot->arg, vcpu, exit);
	end(go_on);
	return go_on;
}

/* --- interrupt controllers -------------------------------------------------------------------- */

static int on_pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	const struct svm_capture_slot *slot = arg;
	int vector;

	if (!begin(slot, SVM_CAPTURE_ON_IRQ_PENDING, vcpu))
		return slot->fn.port.pending(slot->arg, vcpu, tpr);
	svm_capture_number(tpr);
	svm_capture_leave();
	vector = slot->fn.port.pending(slot->arg, vcpu, tpr);
	end((uint64_t)(vector + 1));
	return vector;
}

static uint8_t on_accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	const struct svm_capture_slot *slot = arg;
	uint8_t taken;

	if (!begin(slot, SVM_CAPTURE_ON_IRQ_ACCEPT, vcpu))
		return slot->fn.port.accept(slot->arg, vcpu, vector);
	svm_capture_number(vector);
	svm_capture_leave();
	taken = slot->fn.port.accept(slot->arg, vcpu, vector);
	end(taken);
	return taken;
}

static void on_tpr(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	const struct svm_capture_slot *slot = arg;

	if (!begin(slot, SVM_CAPTURE_ON_IRQ_TPR, vcpu)) {
		slot->fn.port.tpr_changed(slot->arg, vcpu, tpr);
		return;
	}
	svm_capture_number(tpr);
	svm_capture_leave();
	slot->fn.port.tpr_changed(slot->arg, vcpu, tpr);
	end(0);
}

static uint64_t on_deadline(void *arg, struct svm_vcpu *vcpu)
{
	const struct svm_capture_slot *slot = arg;
	uint64_t ns;

	if (!begin(slot, SVM_CAPTURE_ON_IRQ_DEADLINE, vcpu))
		return slot->fn.port.deadline(slot->arg, vcpu);
	svm_capture_leave();
	ns = slot->fn.port.deadline(slot->arg, vcpu);
	end(ns);
	return ns;
}

struct svm_irq_port svm_capture_port(struct svm_capture_slot *slot)
{
	return (struct svm_irq_port){
		.pending = slot->fn.port.pending ? on_pending : NULL,
		.accept = slot->fn.port.accept ? on_accept : NULL,
		.tpr_changed = slot->fn.port.tpr_changed ? on_tpr : NULL,
		.deadline = slot->fn.port.deadline ? on_deadline : NULL,
		.arg = slot,
	};
}

/* --- presence --------------------------------------------------------------------------------- */

static enum svm_arrival on_arrive(void *arg, struct svm_vcpu *vcpu, svm_gpa_t *gpa)
{
	const struct svm_capture_slot *slot = arg;
	enum svm_arrival result;

	if (!begin(slot, SVM_CAPTURE_ON_ARRIVE, vcpu))
		return slot->fn.presence.arrive(slot->arg, vcpu, gpa);
	svm_capture_leave();
	result = slot->fn.presence.arrive(slot->arg, vcpu, gpa);
	end(result);
	svm_capture_number(*gpa);
	return result;
}

static void on_leave(void *arg, struct svm_vcpu *vcpu, bool has_work)
{
	const struct svm_capture_slot *slot = arg;

	if (!begin(slot, SVM_CAPTURE_ON_LEAVE, vcpu)) {
		slot->fn.presence.leave(slot->arg, vcpu, has_work);
		return;
	}
	svm_capture_number(has_work);
	svm_capture_leave();
	slot->fn.presence.leave(slot->arg, vcpu, has_work);
	end(0);
}

struct svm_presence svm_capture_presence(struct svm_capture_slot *slot)
{
	return (struct svm_presence){ .arrive = on_arrive, .leave = on_leave, .arg = slot };
}
