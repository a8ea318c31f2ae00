/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_EXITS_H
#define SVM_CORE_VCPU_EXITS_H
/*
 * What happens after #VMEXIT: one handler per class, each of which says what is next.
 */
#include <libsvm/exit_codes.h>

#include "core/vcpu/code_mode.h"
#include "core/vcpu/events.h"
#include "core/vcpu/vcpu.h"

enum svm_action {
	SVM_ACTION_RESUME, /* The guest goes on. */
	SVM_ACTION_RETURN, /* svm_vcpu_run() returns; *exit is filled. */
};

/* The exit code's handler. */
enum svm_action svm_exit_dispatch(struct svm_vcpu *vcpu, struct svm_exit *exit);

/* Start an exit of a kind: raw fields, RIP, flags; the caller fills all of its union member. */
enum svm_action svm_exit_return(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                enum svm_exit_kind kind);
/* The same, and a completion is owed; next_rip 0 means that a skip is impossible. */
enum svm_action svm_exit_owe(struct svm_vcpu *vcpu, struct svm_exit *exit,
                             enum svm_exit_kind kind, enum svm_owed owed, uint64_t next_rip);

/* What every exit has; of what this one does not tell, the number or flag that says so. */
static inline void svm_exit_begin(const struct svm_vcpu *vcpu, struct svm_exit *exit,
                                  enum svm_exit_kind kind, uint32_t flags, uint8_t insn_len)
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;

	exit->kind = kind;
	exit->flags = flags;
	exit->rip = vcpu->vmcb->save.rip;
	exit->insn_len = insn_len;
	exit->insn_count = 0;
	exit->decoded.valid = false;
	exit->raw.exit_code = control->exit_code;
	exit->raw.exit_info_1 = control->exit_info_1;
	exit->raw.exit_info_2 = control->exit_info_2;
	exit->raw.exit_int_info = control->exit_int_info;
}

/* svm_exit_owe() where it is called most, in place. */
static inline enum svm_action svm_exit_owe_here(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                                enum svm_exit_kind kind, enum svm_owed owed,
                                                uint64_t next_rip)
{
	const uint64_t length = next_rip - vcpu->vmcb->save.rip;
	const bool is_known = next_rip && length <= 15;

	svm_exit_begin(vcpu, exit, kind, SVM_EXIT_COMPLETE, is_known ? (uint8_t)length : 0);
	vcpu->owed = owed;
	vcpu->next_rip = next_rip;
	return SVM_ACTION_RETURN;
}

/* Ask the host whether it wants the CPU; RETURN is HOST_INTERRUPT. */
enum svm_action svm_exit_look_at_host(struct svm_vcpu *vcpu, struct svm_exit *exit);

/* Handlers, one file each. */
enum svm_action svm_exit_cpuid(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_exception(struct svm_vcpu *vcpu, struct svm_exit *exit);
/* A #DB of which DR6 tells, shown to an embedder that wants each. */
enum svm_action svm_exit_debug(struct svm_vcpu *vcpu, struct svm_exit *exit);
/* The #DB of svm_events_trap(), before the guest gets it. */
enum svm_action svm_exit_trap(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_hlt(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_hypercall(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_io(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_msr(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_npf(struct svm_vcpu *vcpu, struct svm_exit *exit);
/* The same, and nothing of what was found before is of use. */
enum svm_action svm_exit_npf_anew(struct svm_vcpu *vcpu, struct svm_exit *exit);
/* The NPT_FAULT of the present exit. */
enum svm_action svm_exit_npf_refused(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                     enum svm_npt_fault_reason reason);
enum svm_action svm_exit_register(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_task_switch(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_xsetbv(struct svm_vcpu *vcpu, struct svm_exit *exit);
enum svm_action svm_exit_entry_failed(struct svm_vcpu *vcpu, struct svm_exit *exit);

/* Inject instead of executing. */
enum svm_action svm_exit_fault(struct svm_vcpu *vcpu, uint8_t vector, uint32_t error);

/* --- advance.c --- */

/*
 * RIP after the instruction that the exit intercepted, or 0: the bytes at RIP are not that
 * instruction (another vCPU rewrote them), or cannot be read.  Then the guest simply runs again.
 * Not wrapped yet: behind the last byte of a 64 KiB segment it is 10000h and not 0.
 */
uint64_t svm_vcpu_next_rip(struct svm_vcpu *vcpu);
/* The same where the processor does not tell, from the bytes and whatever prefixes they have. */
uint64_t svm_vcpu_scan_next_rip(struct svm_vcpu *vcpu);

/* Up to 15 bytes at CS:RIP; their number. */
unsigned svm_vcpu_fetch(struct svm_vcpu *vcpu, uint8_t bytes[15]);

/* The instruction is done: RIP moves, RF and the shadow go, TF traps.  RESUME. */
enum svm_action svm_vcpu_advance(struct svm_vcpu *vcpu, uint64_t next_rip);
enum svm_action svm_vcpu_advance_traced(struct svm_vcpu *vcpu, uint64_t next_rip);

/* No mode wraps where there is no carry out of the low 16 bits. */
static inline bool svm_vcpu_is_near(const struct svm_vcpu *vcpu, uint64_t next_rip)
{
	return (vcpu->vmcb->save.rip ^ next_rip) <= 0xffff;
}

/* As svm_vcpu_advance(), to where nothing wraps. */
static inline enum svm_action svm_vcpu_advance_near(struct svm_vcpu *vcpu, uint64_t next_rip)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;

	if (!SVM_MOSTLY(!(vmcb->save.rflags & RFLAGS_TF) && !vcpu->events.single_step))
		return svm_vcpu_advance_traced(vcpu, next_rip);
	vmcb->save.rip = next_rip;
	vmcb->save.rflags &= ~RFLAGS_RF;
	vmcb->control.int_state &= ~SVM_INT_STATE_SHADOW;
	svm_recorder_advanced(&vcpu->recorder);
	return SVM_ACTION_RESUME;
}

/* The same for one that wrote TF: whether it traps was settled before. */
void svm_vcpu_retire(struct svm_vcpu *vcpu, uint64_t next_rip, bool traps);

/* --- msr.c: as the guest, by the MSR's policy in its VM; false means #GP(0) --- */
bool svm_msr_read(struct svm_vcpu *vcpu, enum svm_msr_policy policy, uint32_t msr, uint64_t *value);
bool svm_msr_write(struct svm_vcpu *vcpu, enum svm_msr_policy policy, uint32_t msr, uint64_t value);

/* --- control.c: control and debug registers by number --- */
uint64_t svm_control_read(const struct svm_vcpu *vcpu, unsigned n);
uint64_t svm_debug_read(const struct svm_vcpu *vcpu, unsigned n);
/* As the guest, at CPL 0, consequences included; false means #GP(0) and nothing changed. */
bool svm_control_write(struct svm_vcpu *vcpu, unsigned n, uint64_t value);
bool svm_debug_write(struct svm_vcpu *vcpu, unsigned n, uint64_t value);

/* Only what CPUID offers this guest; false as above (exit_register.c). */
bool svm_xcr0_write(struct svm_vcpu *vcpu, uint64_t value);

/* V_TPR may have changed: tell the interrupt port (run.c). */
void svm_vcpu_follow_tpr(struct svm_vcpu *vcpu);

/* Did svm_vcpu_set_intercept() ask for this exit (intercepts.c)? */
bool svm_vcpu_debugger_wants(const struct svm_vcpu *vcpu, unsigned code);
/* Are accesses to control register n the embedder's? */
bool svm_vcpu_wants_control(const struct svm_vcpu *vcpu, unsigned n, bool is_write);
/* Is an access to a MSR of this policy the embedder's? */
bool svm_vcpu_wants_msr(const struct svm_vcpu *vcpu, enum svm_msr_policy policy, uint32_t msr,
                        bool is_write);

/* CR4 bits that the guest's CPUID offers; others are reserved for it. */
uint64_t svm_vcpu_cr4_allowed(const struct svm_vcpu *vcpu);

/* The dynamic state that CPUID shows. */
struct svm_cpuid_state svm_vcpu_cpuid_state(const struct svm_vcpu *vcpu);

#endif
