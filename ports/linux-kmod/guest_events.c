/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * KVM's view of events that wait or are half delivered, from and to the library's.
 *
 * KVM tells three stages apart, the library two: what an exit interrupted is "injected" there and
 * to be reinjected here.  An exception that only waits is shown as injected too, as KVM shows it to
 * user space that has not asked for payloads; both are delivered next, so one that is given back
 * waits.  Whether it has an error code follows from its vector.
 *
 * There is no system management mode here, and nothing to tell of it.
 */
#include <linux/string.h>
#include <linux/uaccess.h>

#include "guest.h"
#include "hal.h"

#define FLAGS_READ  (KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW)
#define FLAGS_KNOWN (FLAGS_READ | KVM_VCPUEVENT_VALID_SIPI_VECTOR | KVM_VCPUEVENT_VALID_SMM)
#define VECTOR_NMI  2u
#define VECTOR_BP   3u
#define VECTORS     32u

#define NMI_DELIVERY                                                                               \
	(SVM_EVENT_VALID | svm_bits_put(SVM_EVENT_TYPE_NMI, SVM_EVENT_TYPE) | VECTOR_NMI)

static bool is_soft(u8 vector)
{
	return vector == 3 || vector == 4;
}

static void get_exception(const struct svm_events *events, struct kvm_vcpu_events *out)
{
	const u64 word = events->reinject;

	if ((word & SVM_EVENT_VALID) &&
	    svm_bits_get(word, SVM_EVENT_TYPE) == SVM_EVENT_TYPE_EXCP) {
		out->exception.injected = 1;
		out->exception.nr = (u8)svm_bits_get(word, SVM_EVENT_VECTOR);
		out->exception.has_error_code = !!(word & SVM_EVENT_ERROR_VALID);
		out->exception.error_code = (u32)svm_bits_get(word, SVM_EVENT_ERROR);
	} else if (events->exception_pending) {
		out->exception.injected = out->exception.pending = 1;
		out->exception.nr = events->exception_vector;
		out->exception.has_error_code = events->exception_has_error;
		out->exception.error_code = events->exception_error;
	}
	/* INT3 and INTO run again by themselves; what user space gives is guest_debug.c's. */
	if (is_soft(out->exception.nr))
		out->exception.injected = out->exception.pending = 0;
}

void guest_get_events(struct guest_vcpu *vcpu, struct kvm_vcpu_events *out)
{
	const int vector = guest_waiting_interrupt(vcpu);
	struct svm_events events;

	svm_vcpu_get_events(vcpu->vcpu, &events);
	memset(out, 0, sizeof(*out));
	get_exception(&events, out);
	if (vcpu->owes_int3) {
		out->exception.injected = out->exception.pending = 1;
		out->exception.nr = VECTOR_BP;
	}
	out->interrupt.injected = vector >= 0;
	out->interrupt.nr = vector >= 0 ? (u8)vector : 0;
	if (events.interrupt_shadow)
		out->interrupt.shadow = KVM_X86_SHADOW_INT_MOV_SS | KVM_X86_SHADOW_INT_STI;
	out->nmi.injected = (events.reinject & SVM_EVENT_VALID) &&
	                    svm_bits_get(events.reinject, SVM_EVENT_TYPE) == SVM_EVENT_TYPE_NMI;
	out->nmi.pending = events.nmi_pending;
	out->nmi.masked = events.nmi_masked;
	out->flags = FLAGS_READ | KVM_VCPUEVENT_VALID_SMM;
}

static bool is_legal(const struct kvm_vcpu_events *in)
{
	if (in->flags & ~FLAGS_KNOWN)
		return false;
	if (in->exception.injected &&
	    (in->exception.nr >= VECTORS || in->exception.nr == VECTOR_NMI))
		return false;
	return !(in->flags & KVM_VCPUEVENT_VALID_SMM) || !(in->smi.smm || in->smi.pending);
}

int guest_set_events(struct guest_vcpu *vcpu, const struct kvm_vcpu_events *in)
{
	struct svm_events events;
	bool is_int3;
	int error;

	if (!is_legal(in))
		return -EINVAL;
	svm_vcpu_get_events(vcpu->vcpu, &events);
	if (in->flags & KVM_VCPUEVENT_VALID_NMI_PENDING)
		events.nmi_pending = in->nmi.pending;
	if (in->flags & KVM_VCPUEVENT_VALID_SHADOW)
		events.interrupt_shadow = in->interrupt.shadow;
	events.nmi_masked = in->nmi.masked;
	is_int3 = in->exception.injected && in->exception.nr == VECTOR_BP;
	events.exception_pending = in->exception.injected && !is_int3;
	events.exception_vector = in->exception.nr;
	events.exception_error = in->exception.error_code;
	events.reinject = 0;
	if (in->nmi.injected && in->exception.injected)
		events.nmi_pending = true;
	else if (in->nmi.injected)
		events.reinject = NMI_DELIVERY;
	error = svm_vcpu_set_events(vcpu->vcpu, &events);
	if (error)
		return hal_errno(error);
	vcpu->owes_int3 = is_int3;
	/* A software interrupt runs again by itself. */
	vcpu->interrupt = in->interrupt.injected && !in->interrupt.soft ? in->interrupt.nr : -1;
	svm_vcpu_notify(vcpu->vcpu);
	return 0;
}

long guest_events_get(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_vcpu_events events;

	guest_get_events(vcpu, &events);
	return copy_to_user(user, &events, sizeof(events)) ? -EFAULT : 0;
}

long guest_events_set(struct guest_vcpu *vcpu, void __user *user)
{
	struct kvm_vcpu_events events;

	if (copy_from_user(&events, user, sizeof(events)))
		return -EFAULT;
	return guest_set_events(vcpu, &events);
}
