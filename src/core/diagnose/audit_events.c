/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * C07 to C12, W16 and W18 to W25: events on their way into the guest.  APM vol. 2, 15.20, 15.21.
 *
 * EVENTINJ is obeyed without a question: it asks neither IF nor the interrupt shadow nor the
 * NMI mask, and a wrong frame is pushed as told.  So most of the mistakes here are legal.
 */
#include "core/diagnose/audit.h"

static uint64_t injected(const struct svm_audit_facts *facts)
{
	return facts->vmcb->control.event_inj;
}

static bool is_injected(const struct svm_audit_facts *facts, uint64_t type)
{
	const uint64_t event = injected(facts);

	return (event & SVM_EVENT_VALID) && svm_bits_get(event, SVM_EVENT_TYPE) == type;
}

static bool c07(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t event = injected(facts);
	const bool known =
		is_injected(facts, SVM_EVENT_TYPE_INTR) || is_injected(facts, SVM_EVENT_TYPE_NMI) ||
		is_injected(facts, SVM_EVENT_TYPE_EXCP) || is_injected(facts, SVM_EVENT_TYPE_SOFT);

	finding->value = event;
	finding->bits = event & SVM_EVENT_TYPE;
	return (event & SVM_EVENT_VALID) && !known;
}

static bool c08(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t event = injected(facts);
	const uint64_t vector = svm_bits_get(event, SVM_EVENT_VECTOR);

	finding->value = event;
	finding->bits = event & SVM_EVENT_VECTOR;
	return is_injected(facts, SVM_EVENT_TYPE_EXCP) && (vector == SVM_VECTOR_NMI || vector > 31);
}

static bool c09(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t event = injected(facts);
	const uint64_t vector = svm_bits_get(event, SVM_EVENT_VECTOR);

	finding->value = event;
	finding->bits = event & SVM_EVENT_VECTOR;
	return is_injected(facts, SVM_EVENT_TYPE_EXCP) && facts->code_64 &&
	       (vector == SVM_VECTOR_OF || vector == SVM_VECTOR_BR);
}

static bool c10(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t event = injected(facts);

	return (event & SVM_EVENT_VALID) &&
	       svm_audit_bits(finding, event, event & SVM_EVENT_RESERVED);
}

struct svm_audit_rows svm_audit_event_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_C07, SVM_AUDIT_OFFSET(control.event_inj), c07 },
		{ SVM_RULE_C08, SVM_AUDIT_OFFSET(control.event_inj), c08 },
		{ SVM_RULE_C09, SVM_AUDIT_OFFSET(control.event_inj), c09 },
		{ SVM_RULE_C10, SVM_AUDIT_OFFSET(control.event_inj), c10 },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}

static bool has_error_code(uint64_t vector)
{
	switch (vector) {
#define HAS_ERROR(name, number, has_error, class, text)                                            \
	case (number):                                                                             \
		return (has_error);
		SVM_EXCEPTIONS(HAS_ERROR)
#undef HAS_ERROR
	default:
		return false;
	}
}

/* Real mode pushes no error code for any vector; its frames are not judged. */
static bool c11(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t event = injected(facts);
	const bool has = event & SVM_EVENT_ERROR_VALID;

	finding->value = event;
	finding->bits = SVM_EVENT_ERROR_VALID;
	return is_injected(facts, SVM_EVENT_TYPE_EXCP) && !facts->real_mode &&
	       has != has_error_code(svm_bits_get(event, SVM_EVENT_VECTOR));
}

static bool c12(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t event = injected(facts);

	finding->value = event;
	finding->bits = event & SVM_EVENT_VECTOR;
	return is_injected(facts, SVM_EVENT_TYPE_NMI) &&
	       svm_bits_get(event, SVM_EVENT_VECTOR) != SVM_VECTOR_NMI;
}

static uint64_t int_control(const struct svm_audit_facts *facts)
{
	return svm_vmcb_get_int_control(facts->vmcb);
}

static bool w16(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const bool in_service =
		facts->context->nmi_in_service || is_injected(facts, SVM_EVENT_TYPE_NMI);

	finding->value = facts->vmcb->control._intercept[SVM_EXIT_IRET / 32];
	finding->bits = SVM_BIT(SVM_EXIT_IRET % 32);
	return in_service && !svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_IRET) &&
	       !(int_control(facts) & SVM_INT_V_NMI_ENABLE);
}

static bool w18(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	finding->value = int_control(facts);
	finding->bits = SVM_INT_V_MASKING;
	return svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_INTR) &&
	       !(int_control(facts) & SVM_INT_V_MASKING);
}

static bool w19(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	return svm_audit_if(finding, int_control(facts),
	                    (int_control(facts) & SVM_INT_V_MASKING) &&
	                            !facts->context->host_interrupts);
}

/* A window is V_IRQ with the VINTR intercept: the exit comes when the interrupt could be taken. */
static bool w20(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t control = int_control(facts);
	const bool window = (control & SVM_INT_V_IRQ) && !(control & SVM_INT_AVIC_ENABLE) &&
	                    svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_VINTR);

	return svm_audit_if(finding, control,
	                    window && !(control & SVM_INT_V_IGN_TPR) &&
	                            svm_bits_get(control, SVM_INT_V_PRIO) <=
	                                    (svm_bits_get(control, SVM_INT_V_TPR) & 0xf));
}

static bool w21(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t control = int_control(facts);
	const bool pending = (control & SVM_INT_V_IRQ) && !(control & SVM_INT_AVIC_ENABLE) &&
	                     !svm_vmcb_get_intercept(facts->vmcb, SVM_EXIT_VINTR);

	finding->value = control;
	finding->bits = SVM_INT_V_IRQ;
	return pending && is_injected(facts, SVM_EVENT_TYPE_INTR) &&
	       svm_bits_get(control, SVM_INT_V_INTR_VECTOR) ==
	               svm_bits_get(injected(facts), SVM_EVENT_VECTOR);
}

static bool w22(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const bool masked = !(facts->vmcb->save.rflags & RFLAGS_IF) ||
	                    (facts->vmcb->control.int_state & SVM_INT_STATE_SHADOW);

	return svm_audit_if(finding, injected(facts),
	                    is_injected(facts, SVM_EVENT_TYPE_INTR) && masked);
}

/*
 * Faults and software interrupts come again when their instruction is executed again, and a
 * monitor may choose that.  What came from outside does not.
 */
static bool w23(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t cut = facts->vmcb->control.exit_int_info;
	const uint64_t type = svm_bits_get(cut, SVM_EVENT_TYPE);
	const bool outside = (cut & SVM_EVENT_VALID) &&
	                     (type == SVM_EVENT_TYPE_INTR || type == SVM_EVENT_TYPE_NMI);

	return svm_audit_if(finding, cut,
	                    outside && !facts->context->at_rest &&
	                            !(injected(facts) & SVM_EVENT_VALID));
}

static bool w24(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const struct svm_vmcb *before = facts->before;
	const uint64_t shadow = facts->vmcb->control.int_state & SVM_INT_STATE_SHADOW;

	return before && shadow && (before->control.int_state & SVM_INT_STATE_SHADOW) &&
	       before->save.rip != facts->vmcb->save.rip &&
	       svm_audit_bits(finding, facts->vmcb->control.int_state, shadow);
}

/* Without NRIPS a software interrupt pushes RIP as it stands, and 0C8h does not exist. */
static bool w25(const struct svm_audit_facts *facts, struct svm_finding *finding)
{
	const uint64_t vector = svm_bits_get(injected(facts), SVM_EVENT_VECTOR);
	const bool software = is_injected(facts, SVM_EVENT_TYPE_SOFT) ||
	                      (is_injected(facts, SVM_EVENT_TYPE_EXCP) &&
	                       (vector == SVM_VECTOR_BP || vector == SVM_VECTOR_OF));

	return svm_audit_if(finding, facts->vmcb->control.next_rip,
	                    software && facts->features_known &&
	                            svm_audit_has(facts, SVM_FEATURE_NRIPS) &&
	                            facts->vmcb->control.next_rip == 0);
}

struct svm_audit_rows svm_audit_interrupt_rows(void)
{
	static const struct svm_audit_row rows[] = {
		{ SVM_RULE_C11, SVM_AUDIT_OFFSET(control.event_inj), c11 },
		{ SVM_RULE_C12, SVM_AUDIT_OFFSET(control.event_inj), c12 },
		{ SVM_RULE_W16, SVM_AUDIT_OFFSET(control._intercept[3]), w16 },
		{ SVM_RULE_W18, SVM_AUDIT_OFFSET(control._int_control), w18 },
		{ SVM_RULE_W19, SVM_AUDIT_OFFSET(control._int_control), w19 },
		{ SVM_RULE_W20, SVM_AUDIT_OFFSET(control._int_control), w20 },
		{ SVM_RULE_W21, SVM_AUDIT_OFFSET(control._int_control), w21 },
		{ SVM_RULE_W22, SVM_AUDIT_OFFSET(control.event_inj), w22 },
		{ SVM_RULE_W23, SVM_AUDIT_OFFSET(control.exit_int_info), w23 },
		{ SVM_RULE_W24, SVM_AUDIT_OFFSET(control.int_state), w24 },
		{ SVM_RULE_W25, SVM_AUDIT_OFFSET(control.next_rip), w25 },
	};

	return (struct svm_audit_rows)SVM_AUDIT_ROWS(rows);
}
