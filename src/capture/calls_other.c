/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Calls that make objects, register callbacks or pass arrays: each in its own way.
 */
#include "capture/capture.h"

/* A slot for a callback, if the call is recorded and there is a callback. */
static struct svm_capture_slot *slot_if(bool wanted, union svm_capture_fn fn, void *arg)
{
	return wanted ? svm_capture_slot(fn, arg) : NULL;
}

static int done(int error)
{
	svm_capture_result(error);
	return error;
}

/* --- objects ---------------------------------------------------------------------------------- */

static int made(int error, void *const *object)
{
	svm_capture_gives(error);
	svm_capture_number(error ? SVM_CAPTURE_NOBODY : svm_capture_add_object(*object));
	svm_capture_returned();
	return error;
}

static uint64_t entries_of(const struct svm_hal *hal)
{
	return (hal->irq_save && hal->irq_restore ? SVM_CAPTURE_HAS_IRQ : 0) |
	       (hal->fpu_begin && hal->fpu_end ? SVM_CAPTURE_HAS_FPU : 0) |
	       (hal->should_exit ? SVM_CAPTURE_HAS_SHOULD_EXIT : 0) |
	       (hal->machine_check ? SVM_CAPTURE_HAS_MACHINE_CHECK : 0) |
	       (hal->clock_ns ? SVM_CAPTURE_HAS_CLOCK : 0) |
	       (hal->rdmsr_safe ? SVM_CAPTURE_HAS_RDMSR : 0) |
	       (hal->wrmsr_safe ? SVM_CAPTURE_HAS_WRMSR : 0) |
	       (hal->may_map ? SVM_CAPTURE_HAS_MAY_MAP : 0) |
	       (hal->features ? SVM_CAPTURE_HAS_FEATURES : 0);
}

int __real_svm_host_create(const struct svm_hal *hal, struct svm_host **host);
int __wrap_svm_host_create(const struct svm_hal *hal, struct svm_host **host);
int __wrap_svm_host_create(const struct svm_hal *hal, struct svm_host **host)
{
	if (!hal || !host || !svm_capture_call(SVM_CALL_host_create, NULL))
		return __real_svm_host_create(hal, host);
	svm_capture_number(hal->cpu_max);
	svm_capture_number(hal->tsc_hz);
	svm_capture_number(entries_of(hal));
	svm_capture_number(hal->features ? hal->features->svm_edx : 0);
	svm_capture_number(hal->features ? hal->features->svm_ecx : 0);
	svm_capture_number(hal->features ? hal->features->no_huge_1g : 0);
	return made(__real_svm_host_create(svm_capture_hal(hal), host), (void **)host);
}

/* Not let through: without a direct map the library asks for each page that it looks at. */
int __wrap_svm_host_set_direct_map(struct svm_host *host, void *base, uint64_t size);
int __wrap_svm_host_set_direct_map(struct svm_host *host, void *base, uint64_t size)
{
	(void)host;
	(void)base;
	(void)size;
	return 0;
}

int __real_svm_vm_create(struct svm_host *host, const struct svm_vm_config *config,
                         struct svm_vm **vm);
int __wrap_svm_vm_create(struct svm_host *host, const struct svm_vm_config *config,
                         struct svm_vm **vm);
int __wrap_svm_vm_create(struct svm_host *host, const struct svm_vm_config *config,
                         struct svm_vm **vm)
{
	struct svm_vm_config own = { 0 };
	struct svm_capture_slot *slot;

	if (!svm_capture_call(SVM_CALL_vm_create, host))
		return __real_svm_vm_create(host, config, vm);
	if (config)
		own = *config;
	slot = slot_if(own.on_stuck, (union svm_capture_fn){ .stuck = own.on_stuck },
	               own.on_stuck_arg);
	own.on_stuck_arg = NULL; /* An address of ours tells nobody anything. */
	own.on_stuck = NULL;
	svm_capture_number(slot != NULL);
	svm_capture_bytes(&own, sizeof(own));
	own.on_stuck = slot ? svm_capture_on_stuck : NULL;
	own.on_stuck_arg = slot;
	return made(__real_svm_vm_create(host, &own, vm), (void **)vm);
}

int __real_svm_vcpu_create(struct svm_vm *vm, uint32_t id, struct svm_vcpu **vcpu);
int __wrap_svm_vcpu_create(struct svm_vm *vm, uint32_t id, struct svm_vcpu **vcpu);
int __wrap_svm_vcpu_create(struct svm_vm *vm, uint32_t id, struct svm_vcpu **vcpu)
{
	if (!svm_capture_call(SVM_CALL_vcpu_create, vm))
		return __real_svm_vcpu_create(vm, id, vcpu);
	svm_capture_number(id);
	return made(__real_svm_vcpu_create(vm, id, vcpu), (void **)vcpu);
}

/* Its guests write to frames of the library's, which nobody reads through the HAL. */
int __real_svm_selftest(struct svm_host *host,
                        void (*report)(void *arg, const struct svm_selftest_result *result),
                        void *arg);
int __wrap_svm_selftest(struct svm_host *host,
                        void (*report)(void *arg, const struct svm_selftest_result *result),
                        void *arg);
int __wrap_svm_selftest(struct svm_host *host,
                        void (*report)(void *arg, const struct svm_selftest_result *result),
                        void *arg)
{
	if (svm_capture_object(host) != SVM_CAPTURE_NOBODY) {
		svm_capture_lose();
		svm_capture_spoil();
	}
	return __real_svm_selftest(host, report, arg);
}

/* --- a VM's memory and policy ----------------------------------------------------------------- */

int __real_svm_vm_slot_add(struct svm_vm *vm, const struct svm_slot *slot);
int __wrap_svm_vm_slot_add(struct svm_vm *vm, const struct svm_slot *slot);
int __wrap_svm_vm_slot_add(struct svm_vm *vm, const struct svm_slot *slot)
{
	struct svm_capture_slot *behind;
	struct svm_slot own = *slot;

	if (!svm_capture_call(SVM_CALL_vm_slot_add, vm))
		return __real_svm_vm_slot_add(vm, slot);
	behind = slot_if(slot->kind == SVM_SLOT_RESOLVE && slot->resolve,
	                 (union svm_capture_fn){ .resolve = slot->resolve }, slot->resolve_arg);
	svm_capture_number(own.gpa);
	svm_capture_number(own.size);
	svm_capture_number(own.prot);
	svm_capture_number(own.memory_type);
	svm_capture_number(own.kind);
	svm_capture_number(own.hpa);
	svm_capture_number(behind != NULL);
	if (own.kind == SVM_SLOT_FRAMES && own.frames)
		svm_capture_bytes(own.frames, own.size / SVM_PAGE_SIZE * sizeof(own.frames[0]));
	if (behind) {
		own.resolve = svm_capture_on_resolve;
		own.resolve_arg = behind;
	}
	return done(__real_svm_vm_slot_add(vm, &own));
}

int __real_svm_vm_set_cpuid(struct svm_vm *vm, const struct svm_cpuid_entry *rows, size_t count);
int __wrap_svm_vm_set_cpuid(struct svm_vm *vm, const struct svm_cpuid_entry *rows, size_t count);
int __wrap_svm_vm_set_cpuid(struct svm_vm *vm, const struct svm_cpuid_entry *rows, size_t count)
{
	if (count > SVM_CPUID_MAX || !svm_capture_call(SVM_CALL_vm_set_cpuid, vm))
		return __real_svm_vm_set_cpuid(vm, rows, count);
	svm_capture_bytes(rows, count * sizeof(*rows));
	return done(__real_svm_vm_set_cpuid(vm, rows, count));
}

#define RANGE(name, first_type, count_type, fn_type, member)                                       \
	int __real_svm_vm_##name(struct svm_vm *vm, first_type first, count_type count,            \
	                         fn_type fn, void *arg);                                           \
	int __wrap_svm_vm_##name(struct svm_vm *vm, first_type first, count_type count,            \
	                         fn_type fn, void *arg);                                           \
	int __wrap_svm_vm_##name(struct svm_vm *vm, first_type first, count_type count,            \
	                         fn_type fn, void *arg)                                            \
	{                                                                                          \
		struct svm_capture_slot *slot;                                                     \
                                                                                                   \
		if (!svm_capture_call(SVM_CALL_vm_##name, vm))                                     \
			return __real_svm_vm_##name(vm, first, count, fn, arg);                    \
		slot = slot_if(fn, (union svm_capture_fn){ .member = fn }, arg);                   \
		svm_capture_number(first);                                                         \
		svm_capture_number(count);                                                         \
		svm_capture_number(slot != NULL);                                                  \
		return done(__real_svm_vm_##name(vm, first, count,                                 \
		                                 slot ? svm_capture_on_##member : fn,              \
		                                 slot ? slot : arg));                              \
	}
RANGE(io_handler, uint16_t, uint32_t, svm_io_fn, io)
RANGE(mmio_handler, svm_gpa_t, uint64_t, svm_mmio_fn, mmio)
RANGE(hypercall_handler, uint32_t, uint32_t, svm_hypercall_fn, hypercall)
RANGE(msr_handler, uint32_t, uint64_t, svm_msr_fn, msr)

int __real_svm_vm_msr_filter(struct svm_vm *vm, svm_msr_filter_fn fn, void *arg);
int __wrap_svm_vm_msr_filter(struct svm_vm *vm, svm_msr_filter_fn fn, void *arg);
int __wrap_svm_vm_msr_filter(struct svm_vm *vm, svm_msr_filter_fn fn, void *arg)
{
	struct svm_capture_slot *slot;

	if (!svm_capture_call(SVM_CALL_vm_msr_filter, vm))
		return __real_svm_vm_msr_filter(vm, fn, arg);
	slot = slot_if(fn, (union svm_capture_fn){ .msr_filter = fn }, arg);
	svm_capture_number(slot != NULL);
	return done(__real_svm_vm_msr_filter(vm, slot ? svm_capture_on_msr_filter : fn,
	                                     slot ? slot : arg));
}

/* --- a vCPU's ports and data ------------------------------------------------------------------ */

void __real_svm_vcpu_mmio_handler(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint64_t size,
                                  svm_mmio_fn fn, void *arg);
void __wrap_svm_vcpu_mmio_handler(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint64_t size,
                                  svm_mmio_fn fn, void *arg);
void __wrap_svm_vcpu_mmio_handler(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint64_t size,
                                  svm_mmio_fn fn, void *arg)
{
	struct svm_capture_slot *slot;

	if (!svm_capture_call(SVM_CALL_vcpu_mmio_handler, vcpu)) {
		__real_svm_vcpu_mmio_handler(vcpu, gpa, size, fn, arg);
		return;
	}
	slot = slot_if(fn, (union svm_capture_fn){ .mmio = fn }, arg);
	svm_capture_number(gpa);
	svm_capture_number(size);
	svm_capture_number(slot != NULL);
	__real_svm_vcpu_mmio_handler(vcpu, gpa, size, slot ? svm_capture_on_mmio : fn,
	                             slot ? slot : arg);
	svm_capture_result(0);
}

int __real_svm_vcpu_set_irq_port(struct svm_vcpu *vcpu, const struct svm_irq_port *port);
int __wrap_svm_vcpu_set_irq_port(struct svm_vcpu *vcpu, const struct svm_irq_port *port);
int __wrap_svm_vcpu_set_irq_port(struct svm_vcpu *vcpu, const struct svm_irq_port *port)
{
	struct svm_capture_slot *slot;
	struct svm_irq_port own;

	if (port && !(port->pending && port->accept && port->tpr_changed))
		return __real_svm_vcpu_set_irq_port(vcpu, port);
	if (!svm_capture_call(SVM_CALL_vcpu_set_irq_port, vcpu))
		return __real_svm_vcpu_set_irq_port(vcpu, port);
	slot = port ? svm_capture_slot((union svm_capture_fn){ .port = *port }, port->arg) : NULL;
	svm_capture_number(!slot ? 0 : port->deadline ? 3 : 1);
	if (!slot)
		return done(__real_svm_vcpu_set_irq_port(vcpu, port));
	own = svm_capture_port(slot);
	return done(__real_svm_vcpu_set_irq_port(vcpu, &own));
}

void __real_svm_vcpu_set_presence(struct svm_vcpu *vcpu, const struct svm_presence *presence);
void __wrap_svm_vcpu_set_presence(struct svm_vcpu *vcpu, const struct svm_presence *presence);
void __wrap_svm_vcpu_set_presence(struct svm_vcpu *vcpu, const struct svm_presence *presence)
{
	struct svm_capture_slot *slot = NULL;
	struct svm_presence own;

	if (!svm_capture_call(SVM_CALL_vcpu_set_presence, vcpu)) {
		__real_svm_vcpu_set_presence(vcpu, presence);
		return;
	}
	if (presence)
		slot = svm_capture_slot((union svm_capture_fn){ .presence = *presence },
		                        presence->arg);
	svm_capture_number(slot != NULL);
	if (slot)
		own = svm_capture_presence(slot);
	__real_svm_vcpu_set_presence(vcpu, slot ? &own : presence);
	svm_capture_result(0);
}

/*
 * How long a wait takes and what ends it is the host's affair, and no run can be repeated with it
 * inside.  So a vCPU that is recorded sleeps outside, as where nobody offers to wait.
 */
void __real_svm_vcpu_set_idle(struct svm_vcpu *vcpu, svm_idle_fn fn, void *arg);
void __wrap_svm_vcpu_set_idle(struct svm_vcpu *vcpu, svm_idle_fn fn, void *arg);
void __wrap_svm_vcpu_set_idle(struct svm_vcpu *vcpu, svm_idle_fn fn, void *arg)
{
	const bool is_recorded = svm_capture_object(vcpu) != SVM_CAPTURE_NOBODY;

	__real_svm_vcpu_set_idle(vcpu, is_recorded ? NULL : fn, arg);
}

/*
 * A recorded run ends at each exit, and so do its replays; the answers are calls behind it.  The
 * embedder has to answer what comes back in any case.
 */
void __real_svm_vcpu_set_exit_handler(struct svm_vcpu *vcpu, svm_exit_fn fn, void *arg);
void __wrap_svm_vcpu_set_exit_handler(struct svm_vcpu *vcpu, svm_exit_fn fn, void *arg);
void __wrap_svm_vcpu_set_exit_handler(struct svm_vcpu *vcpu, svm_exit_fn fn, void *arg)
{
	const bool is_recorded = svm_capture_object(vcpu) != SVM_CAPTURE_NOBODY;

	__real_svm_vcpu_set_exit_handler(vcpu, is_recorded ? NULL : fn, arg);
}

#define BYTES(name)                                                                                \
	int __real_svm_##name(struct svm_vcpu *vcpu, const void *data, size_t size);               \
	int __wrap_svm_##name(struct svm_vcpu *vcpu, const void *data, size_t size);               \
	int __wrap_svm_##name(struct svm_vcpu *vcpu, const void *data, size_t size)                \
	{                                                                                          \
		if (!svm_capture_call(SVM_CALL_##name, vcpu))                                      \
			return __real_svm_##name(vcpu, data, size);                                \
		svm_capture_bytes(data, size);                                                     \
		return done(__real_svm_##name(vcpu, data, size));                                  \
	}
BYTES(vcpu_set_xsave)
BYTES(vcpu_complete_data)

/* --- the run ---------------------------------------------------------------------------------- */

int __real_svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit);
int __wrap_svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit);
int __wrap_svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	struct svm_capture_field field[SVM_CAPTURE_FIELDS_MAX];
	unsigned count;
	int error;

	if (!svm_capture_call(SVM_CALL_vcpu_run, vcpu))
		return __real_svm_vcpu_run(vcpu, exit);
	error = __real_svm_vcpu_run(vcpu, exit);
	svm_capture_gives(error);
	count = error ? 0 : svm_capture_exit_fields(exit, field);
	svm_capture_number(count);
	for (unsigned i = 0; i < count; i++)
		svm_capture_number(field[i].value);
	svm_capture_returned();
	return error;
}
