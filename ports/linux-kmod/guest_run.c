/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * KVM_RUN.
 *
 * The page that user space shares with us is hostile: whatever is read from it is read once, and
 * what an instruction waits for is remembered here (guest_vcpu.debt and exit), so that nothing that
 * user space writes meanwhile changes size, port or address.
 *
 * Without interrupt controllers in the kernel HLT is an exit, after which the guest is where the
 * instruction ends: user space decides when it runs again.  With them the thread sleeps here.
 */
#include <linux/sched.h>
#include <linux/string.h>

#include <libsvm/exit_codes.h>

#include "compat.h"
#include "cpus.h"
#include "guest.h"
#include "guest_irq.h"
#include "guest_own.h"
#include "hal.h"
#include "trace.h"

/* --- interrupts ------------------------------------------------------------------------------- */

/* User space has its own priorities: what it gives is to be taken. */
static int pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	const struct guest_vcpu *const g = arg;

	return g->interrupt;
}

static uint8_t accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	struct guest_vcpu *const g = arg;

	g->interrupt = -1;
	return vector;
}

/* CR8 is in the run page at each return. */
static void tpr_changed(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
}

void guest_run_init(struct guest_vcpu *vcpu)
{
	const struct svm_irq_port port = {
		.pending = pending,
		.accept = accept,
		.tpr_changed = tpr_changed,
		.arg = vcpu,
	};

	vcpu->interrupt = -1;
	if (svm_vcpu_set_irq_port(vcpu->vcpu, &port))
		pr_err("no interrupt port\n");
}

/* --- what user space owes --------------------------------------------------------------------- */

static void set_mmio(struct guest_vcpu *vcpu)
{
	struct kvm_run *const run = vcpu->run;
	const u32 left = vcpu->exit.mmio.size - vcpu->mmio_done;
	const u32 size = min(left, 8u);

	vcpu->debt = GUEST_OWES_MMIO;
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = vcpu->exit.mmio.gpa + vcpu->mmio_done;
	run->mmio.len = size;
	run->mmio.is_write = vcpu->exit.mmio.is_write;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (vcpu->exit.mmio.is_write)
		memcpy(run->mmio.data, vcpu->exit.mmio.data + vcpu->mmio_done, size);
}

/* An access of more than 8 bytes is several of KVM's.  True: the next part is due. */
static bool next_mmio(struct guest_vcpu *vcpu)
{
	const u32 size = min(vcpu->exit.mmio.size - vcpu->mmio_done, 8u);

	if (!vcpu->exit.mmio.is_write)
		memcpy(vcpu->mmio_data + vcpu->mmio_done, vcpu->run->mmio.data, size);
	vcpu->mmio_done += size;
	return vcpu->mmio_done < vcpu->exit.mmio.size;
}

static int complete_mmio(struct guest_vcpu *vcpu)
{
	vcpu->debt = GUEST_OWES_NOTHING;
	if (vcpu->exit.mmio.is_write)
		return svm_vcpu_complete_skip(vcpu->vcpu);
	return svm_vcpu_complete_data(vcpu->vcpu, vcpu->mmio_data, vcpu->exit.mmio.size);
}

/* Where user space has put the guest elsewhere, its instruction is not there to be finished. */
void guest_run_moved(struct guest_vcpu *vcpu, u64 rip)
{
	struct svm_regs regs;

	svm_vcpu_get_regs(vcpu->vcpu, &regs);
	if (vcpu->debt == GUEST_OWES_NOTHING || rip == regs.rip)
		return;
	vcpu->debt = GUEST_OWES_NOTHING;
	if (svm_vcpu_complete_retry(vcpu->vcpu))
		pr_err("an instruction could not be given up\n");
}

/* 0: user space is asked for more; 1: the guest may go on; negative: an error. */
static int settle_debt(struct guest_vcpu *vcpu)
{
	int error = 0;

	if (vcpu->debt == GUEST_OWES_IO) {
		error = guest_io_complete(vcpu);
	} else if (vcpu->debt == GUEST_OWES_MMIO) {
		if (next_mmio(vcpu)) {
			set_mmio(vcpu);
			return 0;
		}
		error = complete_mmio(vcpu);
	} else if (vcpu->debt == GUEST_OWES_MSR) {
		error = guest_msr_complete(vcpu);
	}
	return error ? hal_errno(error) : 1;
}

/* --- exits ------------------------------------------------------------------------------------ */

static int internal_error(struct guest_vcpu *vcpu, u32 why)
{
	struct kvm_run *const run = vcpu->run;

	guest_explain(vcpu);
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = why;
	run->internal.ndata = 3;
	run->internal.data[0] = vcpu->exit.kind;
	run->internal.data[1] = vcpu->exit.raw.exit_code;
	run->internal.data[2] = vcpu->exit.rip;
	/* Whoever repairs the guest's state may run it again. */
	if ((vcpu->exit.flags & SVM_EXIT_COMPLETE) && svm_vcpu_complete_retry(vcpu->vcpu))
		return -EIO;
	return 0;
}

/* Memory that is there but not now; and what cannot be there for this access. */
static int memory_fault(struct guest_vcpu *vcpu)
{
	int error;

	if (vcpu->exit.npt.reason != SVM_NPT_FAULT_AGAIN)
		return internal_error(vcpu, KVM_INTERNAL_ERROR_EMULATION);
	error = guest_memory_fault(vcpu->guest, vcpu->exit.npt.gpa, vcpu->exit.npt.access);
	return error ? error : 1;
}

static int need_memory(struct guest_vcpu *vcpu)
{
	const int error = svm_vm_reserve(vcpu->guest->vm, 0);

	if (error == SVM_ERR_NOMEM && hal_reclaim(1))
		return 1;
	return error ? hal_errno(error) : 1;
}

static int halted(struct guest_vcpu *vcpu)
{
	if (guest_irq_of(vcpu->guest))
		return 1; /* To guest_mp_settle(). */
	svm_vcpu_unhalt(vcpu->vcpu);
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

/* As KVM on AMD: what a shutdown leaves is undefined, so user space finds a processor at reset. */
static int shut_down(struct guest_vcpu *vcpu)
{
	guest_explain(vcpu);
	guest_load_end(vcpu);
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return svm_vcpu_reset(vcpu->vcpu) ? -EIO : 0;
}

/* APM vol. 2, 9.2: without CR4.MCE, or within the handler of another, it is a shutdown. */
static int machine_check_ends(struct guest_vcpu *vcpu)
{
	vcpu->mce_ends_it = false;
	pr_info_ratelimited("process %d, vCPU %u: a machine check while the guest takes none\n",
	                    task_tgid_nr(current), svm_vcpu_id(vcpu->vcpu));
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return svm_vcpu_reset(vcpu->vcpu) ? -EIO : 0;
}

static int entry_failed(struct guest_vcpu *vcpu)
{
	guest_explain(vcpu);
	vcpu->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	vcpu->run->fail_entry.hardware_entry_failure_reason = U64_MAX;
	vcpu->run->fail_entry.cpu = raw_smp_processor_id();
	return 0;
}

/* A write for which an eventfd waits, or that can wait itself, is none for user space. */
static bool is_awaited(const struct guest *guest)
{
	return !list_empty_careful(&guest->ioeventfds) || !list_empty_careful(&guest->zones);
}

static bool is_done(struct guest *guest, const struct guest_write *write)
{
	return guest_ioeventfd_write(guest, write) || guest_coalesced_write(guest, write);
}

static noinline bool port_write_is_done(struct guest_vcpu *vcpu)
{
	const struct guest_write write = {
		.is_port = true,
		.address = vcpu->exit.io.port,
		.size = vcpu->exit.io.size,
		.value = vcpu->exit.io.value,
	};

	return is_done(vcpu->guest, &write);
}

static noinline bool memory_write_is_done(struct guest_vcpu *vcpu)
{
	struct guest_write write = {
		.address = vcpu->exit.mmio.gpa,
		.size = vcpu->exit.mmio.size,
	};

	if (write.size > sizeof(write.value))
		return false;
	memcpy(&write.value, vcpu->exit.mmio.data, write.size);
	return is_done(vcpu->guest, &write);
}

static int port_access(struct guest_vcpu *vcpu)
{
	if (!vcpu->exit.io.is_in && is_awaited(vcpu->guest) && port_write_is_done(vcpu))
		return svm_vcpu_complete_skip(vcpu->vcpu) ? -EIO : 1;
	return guest_io(vcpu);
}

static int memory_access(struct guest_vcpu *vcpu)
{
	if (vcpu->exit.mmio.is_write && is_awaited(vcpu->guest) && memory_write_is_done(vcpu))
		return svm_vcpu_complete_skip(vcpu->vcpu) ? -EIO : 1;
	vcpu->mmio_done = 0;
	set_mmio(vcpu);
	return 0;
}

/* As settle_debt(). */
static int dispatch(struct guest_vcpu *vcpu)
{
	if (likely(vcpu->exit.kind == SVM_EXIT_KIND_IO)) /* A switch of so many is a search. */
		return port_access(vcpu);
	switch (vcpu->exit.kind) {
	case SVM_EXIT_KIND_MMIO:
		return memory_access(vcpu);
	case SVM_EXIT_KIND_HLT:
		return halted(vcpu);
	case SVM_EXIT_KIND_INTR_WINDOW:
		vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
		return 0;
	case SVM_EXIT_KIND_NPT_FAULT:
		return memory_fault(vcpu);
	case SVM_EXIT_KIND_NEED_MEMORY:
		return need_memory(vcpu);
	case SVM_EXIT_KIND_HYPERCALL:
		return guest_hypercall(vcpu);
	case SVM_EXIT_KIND_DEBUG:
		return guest_debug_exit(vcpu);
	case SVM_EXIT_KIND_RAW:
		if (vcpu->exit.raw.exit_code == SVM_EXIT_INTN)
			return guest_debug_int(vcpu);
		return internal_error(vcpu, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
	case SVM_EXIT_KIND_EXCEPTION:
		return guest_undefined(vcpu);
	case SVM_EXIT_KIND_RDMSR:
	case SVM_EXIT_KIND_WRMSR:
		return guest_msr_exit(vcpu);
	case SVM_EXIT_KIND_MWAIT:
		return guest_mwait(vcpu);
	case SVM_EXIT_KIND_SHUTDOWN:
		return shut_down(vcpu);
	case SVM_EXIT_KIND_ENTRY_FAILED:
		return entry_failed(vcpu);
	case SVM_EXIT_KIND_REQUEST:
	case SVM_EXIT_KIND_HOST_INTERRUPT:
	case SVM_EXIT_KIND_INIT:
		return 1;
	case SVM_EXIT_KIND_EMULATION:
		return internal_error(vcpu, KVM_INTERNAL_ERROR_EMULATION);
	default:
		return internal_error(vcpu, KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

/* Whoever has stopped the VM holds its lock until it may go on. */
static int wait_for_change(struct guest_vcpu *vcpu)
{
	const enum svm_vcpu_state state = svm_vcpu_state(vcpu->vcpu);

	if (state == SVM_VCPU_WAIT_SIPI || state == SVM_VCPU_SHUTDOWN)
		return -EINVAL;
	mutex_lock(&vcpu->guest->lock);
	mutex_unlock(&vcpu->guest->lock);
	return 1;
}

static bool is_traced(void)
{
	return trace_libsvm_entry_enabled() || trace_libsvm_exit_enabled() ||
	       trace_libsvm_inject_enabled() || trace_libsvm_return_enabled();
}

static noinline int run_traced(struct guest_vcpu *vcpu)
{
	const u64 next = guest_trace_entry(vcpu);
	const int error = svm_vcpu_run(vcpu->vcpu, &vcpu->exit);

	guest_trace_exits(vcpu, next, error);
	return error;
}

/*
 * Where SVM is off the CPU went offline under us, and the scheduler is about to take us elsewhere;
 * or all of them stop.
 */
static int run_once(struct guest_vcpu *vcpu)
{
	const int error = is_traced() ? run_traced(vcpu)
	                              : svm_vcpu_run(vcpu->vcpu, &vcpu->exit);

	if (error == SVM_ERR_CPU_OFFLINE)
		return cpus_are_stopping() ? -EIO : 1;
	if (error == SVM_ERR_STATE)
		return wait_for_change(vcpu);
	return error ? hal_errno(error) : dispatch(vcpu);
}

static inline int turn(struct guest_vcpu *vcpu)
{
	int result = 1;

	if (guest_mp_is_due(vcpu))
		result = guest_mp_settle(vcpu);
	/* Behind a sleep there is some. */
	if (result > 0 && unlikely(hal_task_has_work()))
		result = guest_task_work(vcpu) ?: 1;
	if (result > 0 && guest_clock_is_due(vcpu))
		result = guest_clock_settle(vcpu);
	return result > 0 ? run_once(vcpu) : result;
}

/* For one run the vCPU is loaded anyway; it stays so for the next, but not for a sleep. */
static int loop(struct guest_vcpu *vcpu)
{
	int result;

	while ((result = turn(vcpu)) > 0)
		if (!vcpu->stays && svm_vcpu_state(vcpu->vcpu) == SVM_VCPU_RUNNABLE)
			guest_load_begin(vcpu);
	guest_load_end(vcpu);
	return result;
}

#define CR8_MAX 15u

/* As settle_debt().  The APIC is user space's, and so is its task priority. */
static int take_cr8(struct guest_vcpu *vcpu)
{
	const u64 cr8 = READ_ONCE(vcpu->run->cr8);

	if (cr8 > CR8_MAX)
		return -EINVAL;
	if (cr8 != svm_vcpu_get_cr8(vcpu->vcpu))
		svm_vcpu_set_cr8(vcpu->vcpu, (u8)cr8);
	return 1;
}

#define FLAG_IF BIT(9)

static void tell_state(struct guest_vcpu *vcpu)
{
	const struct guest_apic *const apic = vcpu->apic;
	struct kvm_run *const run = vcpu->run;

	run->if_flag = !!(svm_vcpu_get_rflags(vcpu->vcpu) & FLAG_IF);
	run->flags = 0;
	run->cr8 = svm_vcpu_get_cr8(vcpu->vcpu);
	run->apic_base = apic ? svm_lapic_get_base(&apic->lapic)
	                      : svm_vcpu_get_apic_base(vcpu->vcpu);
	/* With controllers in the kernel nobody else injects. */
	run->ready_for_interrupt_injection =
		guest_vcpu_has_pic(vcpu) ||
		(vcpu->interrupt < 0 && svm_vcpu_can_interrupt(vcpu->vcpu));
}

int guest_run(struct guest_vcpu *vcpu)
{
	int result = guest_sync_is_wanted(vcpu) ? guest_sync_take(vcpu) : 0;

	if (result)
		return result;
	result = settle_debt(vcpu);
	/* As KVM: the exit reason is still the last one's, whose rest has been done just now. */
	if (result > 0 && compat_immediate_exit(vcpu->run))
		result = -EINTR;
	if (result > 0 && vcpu->owes_int3)
		result = guest_debug_settle(vcpu);
	if (result > 0 && unlikely(vcpu->mce_ends_it))
		result = machine_check_ends(vcpu);
	if (result > 0 && !vcpu->apic)
		result = take_cr8(vcpu);
	if (result > 0) {
		vcpu->wants_window = !guest_vcpu_has_pic(vcpu) &&
		                     READ_ONCE(vcpu->run->request_interrupt_window);
		svm_vcpu_want_window(vcpu->vcpu, vcpu->wants_window);
		vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
		result = loop(vcpu);
	}
	tell_state(vcpu);
	if (guest_sync_is_wanted(vcpu))
		guest_sync_give(vcpu);
	return result;
}
