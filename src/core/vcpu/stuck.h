/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_STUCK_H
#define SVM_CORE_VCPU_STUCK_H
/*
 * Two ways not to get on: one exit again and again, and none but the host's.
 */
#include <libsvm/vcpu.h>

#include "core/core.h"

enum svm_action;

struct svm_stuck {
	uint64_t loop_limit; /* 0: nobody wants to know. */
	uint64_t loop_count, loop_rip, loop_code, loop_rcx;
	uint64_t loop_number; /* Of the last exit that was looked at. */

	uint64_t silence_limit; /* Ticks of the TSC; 0: nobody wants to know. */
	uint64_t silence;       /* Ticks in the guest since its last exit of its own. */
	uint64_t mark;          /* TSC up to which they are counted. */
	uint64_t own;           /* Exits of its own up to then. */
	uint64_t rip;           /* Of the first look. */
	uint32_t looks;         /* Host interrupts meanwhile; 0: nothing is counted. */
	uint32_t same;          /* Those of them that found it at `rip`. */
};

void svm_stuck_init(struct svm_vcpu *vcpu);

/*
 * After an exit, if the exit before did not move RIP; whether that one was answered with an event.
 * True: *exit is LOOP and shall be returned.
 */
bool svm_stuck_loops(struct svm_vcpu *vcpu, struct svm_exit *exit, bool had_event);

/* As a run begins, if there were looks. */
void svm_stuck_begin(struct svm_vcpu *vcpu);

/* After a host interrupt, if silence_limit is set; true: *exit is SILENT and shall be returned. */
bool svm_stuck_is_silent(struct svm_vcpu *vcpu, struct svm_exit *exit);

#endif
