/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The dispatch of any exit of a vCPU in any state: any exit code, any EXITINFO, any registers, any
 * code bytes at RIP, any policy of the VM.  Either the guest goes on or *exit is filled.
 *
 * eva: src/core/cpuid_lookup.c src/core/msr_table.c src/core/vcpu/advance.c
 * eva: src/core/vcpu/control.c src/core/vcpu/debugger.c
 * eva: src/core/vcpu/events.c src/core/vcpu/exit_cpuid.c src/core/vcpu/exit_exception.c
 * eva: src/core/vcpu/exit_hlt.c
 * eva: src/core/vcpu/exit_hypercall.c src/core/vcpu/exit_io.c src/core/vcpu/exit_msr.c
 * eva: src/core/vcpu/exit_npf.c
 * eva: src/core/vcpu/exit_register.c src/core/vcpu/exit_task.c src/core/vcpu/exits.c
 * eva: src/core/vcpu/insn_length.c
 * eva: src/core/vcpu/ioio.c src/core/vcpu/msr.c
 * eva-options: -no-warn-invalid-bool -eva-precision 1 -eva-split-return auto
 * eva-options: -eva-domains cvalue,equality
 * eva-options: -eva-slevel-function svm_vcpu_next_rip_of:8,find_operand:24,svm_exit_dispatch:99
 * eva-options: -eva-slevel-function svm_msr_read:8,svm_msr_write:8,dispatch_seldom:99
 */
#include "vcpu.h"

#include "core/vcpu/device_move.h"
#include "core/vcpu/guest_virtual.h"

void eva_main(void);

/* Other files of the core, and ring 0. */
static bool any_filter(void *arg, uint32_t msr, bool is_write)
{
	(void)arg;
	(void)msr;
	(void)is_write;
	return eva_maybe();
}

static bool any_idle(void *arg, struct svm_vcpu *of)
{
	(void)arg;
	svm_atomic_or(&of->s.requests, (uint32_t)eva_any());
	return eva_maybe();
}

static uint64_t any_irq(void *ctx)
{
	(void)ctx;
	return eva_any();
}

static void no_irq(void *ctx, uint64_t irq)
{
	(void)ctx;
	(void)irq;
}

void svm_exit_counts_charge(struct svm_vcpu *of)
{
	(void)of;
}

bool svm_stuck_is_silent(struct svm_vcpu *of, struct svm_exit *exit)
{
	if (eva_maybe())
		return false;
	svm_exit_return(of, exit, SVM_EXIT_KIND_SILENT);
	return true;
}

const struct svm_io_range *svm_io_find_anew(struct svm_io_policy *policy, uint64_t info)
{
	static struct svm_io_range range;

	(void)policy;
	(void)info;
	range.fn = any_device;
	return eva_maybe() ? &range : NULL;
}

uint64_t svm_code_word(struct svm_vcpu *of)
{
	(void)of;
	return eva_any();
}

bool svm_memory_is_hole(struct svm_vm *within, svm_gpa_t gpa, uint64_t *generation)
{
	(void)within;
	(void)gpa;
	*generation = eva_any();
	return eva_maybe();
}

enum svm_action svm_emulation_run(struct svm_vcpu *of, struct svm_exit *exit,
                                  enum svm_emul_class class)
{
	(void)of;
	(void)class;
	UNKNOWN(*exit);
	return eva_maybe() ? SVM_ACTION_RESUME : SVM_ACTION_RETURN;
}

bool svm_device_answers(const struct svm_vcpu *of, svm_gpa_t gpa)
{
	(void)of;
	(void)gpa;
	return eva_maybe();
}

enum svm_action svm_device_first(struct svm_vcpu *of, struct svm_exit *exit)
{
	if (eva_maybe())
		return svm_exit_npf_refused(of, exit, SVM_NPT_FAULT_ABSENT);
	return svm_emulation_run(of, exit, SVM_EMUL_MEMORY);
}

enum svm_action svm_device_again(struct svm_vcpu *of, struct svm_exit *exit)
{
	return eva_maybe() ? svm_device_first(of, exit) : svm_exit_npf_anew(of, exit);
}

enum svm_action svm_emulation_wait(struct svm_vcpu *of, struct svm_exit *exit)
{
	return svm_exit_return(of, exit, SVM_EXIT_KIND_NPT_FAULT);
}

void svm_emulation_describe(struct svm_vcpu *of, struct svm_exit *exit)
{
	(void)of;
	UNKNOWN(exit->insn);
	UNKNOWN(exit->insn_len);
	UNKNOWN(exit->decoded);
}

enum svm_emul_result svm_emulation_switch_task(struct svm_vcpu *of,
                                               const struct svm_emul_task *task)
{
	(void)task;
	of->emul.task_switched = eva_maybe();
	return (enum svm_emul_result)Frama_C_interval(SVM_EMUL_OK, SVM_EMUL_NOT_RAM);
}

void svm_emulation_raise(struct svm_vcpu *of)
{
	svm_events_raise(of, (uint8_t)Frama_C_interval(0, 31), (uint32_t)eva_any());
}

int svm_guest_fetch(struct svm_vcpu *of, uint64_t linear, uint8_t *buffer, unsigned want,
                    unsigned *got)
{
	(void)of;
	(void)linear;
	Frama_C_make_unknown((char *)buffer, want);
	*got = (unsigned)Frama_C_interval(0, 15);
	return Frama_C_interval(-1, 0);
}

static enum svm_device_result any_hypercall(void *arg, struct svm_vcpu *of,
                                            struct svm_hypercall *call)
{
	(void)arg;
	(void)of;
	call->result = eva_any();
	return (enum svm_device_result)Frama_C_interval(0, 2);
}

enum svm_msr_policy svm_msr_policy_anew(struct svm_msr_policies *policies, uint32_t msr)
{
	(void)policies;
	(void)msr;
	return (enum svm_msr_policy)Frama_C_interval(0, 6);
}

static bool any_msr_device(void *arg, struct svm_vcpu *of, struct svm_msr_access *access)
{
	(void)arg;
	(void)of;
	access->value = eva_any();
	return eva_maybe();
}

const struct svm_msr_handler *svm_msr_handler_of(const struct svm_msr_policies *policies,
                                                 uint32_t msr)
{
	static struct svm_msr_handler handler;

	(void)policies;
	(void)msr;
	handler.fn = any_msr_device;
	return eva_maybe() ? &handler : NULL;
}

enum svm_fault_outcome svm_memory_fault(struct svm_vm *of, svm_gpa_t gpa, uint32_t access,
                                        enum svm_npt_fault_reason *reason)
{
	(void)of;
	(void)gpa;
	(void)access;
	*reason = (enum svm_npt_fault_reason)Frama_C_interval(0, 3);
	return (enum svm_fault_outcome)Frama_C_interval(0, 2);
}

uint64_t svm_vcpu_read_gpr(const struct svm_vcpu *of, unsigned n)
{
	(void)of;
	/*@ assert n < 16; */
	(void)n;
	return eva_any();
}

void svm_vcpu_write_gpr(struct svm_vcpu *of, unsigned n, uint64_t value)
{
	/*@ assert n < 16; */
	if (n < 16)
		of->s.gpr[n] = value;
}

int svm_vcpu_set_xcr0(struct svm_vcpu *of, uint64_t value)
{
	(void)of;
	(void)value;
	return Frama_C_interval(-1, 0);
}

uint64_t svm_ring0_rdtsc(void)
{
	return eva_any();
}

void svm_vcpu_use_debug(struct svm_vcpu *of, bool on)
{
	of->guest_debugs = on;
}

void svm_vcpu_update_switch(struct svm_vcpu *of)
{
	(void)of;
}

void svm_vcpu_follow_tpr(struct svm_vcpu *of)
{
	(void)of;
}

void svm_vm_bug(struct svm_vm *of, const char *what)
{
	(void)of;
	(void)what;
}

static struct svm_cpu cpu;

void eva_main(void)
{
	struct svm_exit exit;

	UNKNOWN(cpu);
	any_vcpu();
	vm.msr.filter = eva_maybe() ? any_filter : NULL;
	vcpu.idle = eva_maybe() ? any_idle : NULL;
	vcpu.cpu = &cpu;
	vm.io.range_count = (uint32_t)eva_maybe();
	vm.io.range[0].fn = any_device;
	vm.hypercalls.range_count = (uint32_t)Frama_C_interval(0, SVM_HYPERCALL_RANGE_MAX);
	for (unsigned i = 0; i < SVM_HYPERCALL_RANGE_MAX; i++)
		vm.hypercalls.range[i].fn = any_hypercall;
	host.hal.irq_save = any_irq;
	host.hal.irq_restore = no_irq;
	UNKNOWN(exit);
	const enum svm_action action = svm_exit_dispatch(&vcpu, &exit);

	/*@ assert action == SVM_ACTION_RESUME || action == SVM_ACTION_RETURN; */
	(void)action;
}
