/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events of a vCPU in any state, with any EXITINTFO and any controller behind it: raised and
 * merged, prepared for an entry, taken back after an exit, and set and shown by the embedder.
 *
 * eva: src/core/vcpu/events.c
 * eva-options: -no-warn-invalid-bool
 */
#include "vcpu.h"

void eva_main(void);

void eva_main(void)
{
	struct svm_events events;

	any_vcpu();
	UNKNOWN(events);
	(void)svm_vcpu_set_events(&vcpu, &events);
	svm_vcpu_get_events(&vcpu, &events);
	(void)svm_vcpu_has_event(&vcpu);
	svm_events_after_exit(&vcpu);
	svm_events_raise(&vcpu, (uint8_t)eva_any(), (uint32_t)eva_any());
	svm_events_prepare(&vcpu);
	(void)svm_events_can_interrupt(&vcpu);
	(void)svm_events_rflags(&vcpu);
	(void)svm_events_single_step(&vcpu);
	svm_events_interrupt_window(&vcpu);
	svm_events_iret(&vcpu);
	svm_events_end_step(&vcpu);
	svm_events_close_windows(&vcpu);
	(void)svm_vcpu_inject_exception(&vcpu, (uint8_t)eva_any(), (uint32_t)eva_any(), eva_any());
	(void)svm_vcpu_inject_interrupt(&vcpu, (uint8_t)eva_any());
	svm_vcpu_inject_nmi(&vcpu);
}
