/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the emulator asks of a vCPU: memory through the guest's page tables and the VM's slots,
 * devices through the callbacks, registers by the rules of the guest.
 */
#include "core/features.h"
#include "core/vcpu/device_move.h"
#include "core/vcpu/guest_virtual.h"

/* --- memory ----------------------------------------------------------------------------------- */

/* Whoever pages guest memory is told what it is that the instruction waits for. */
static enum svm_emul_result absent(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint32_t access)
{
	vcpu->absent_gpa = gpa;
	vcpu->absent_access = access;
	return SVM_EMUL_ABSENT;
}

static enum svm_emul_result emulation_result(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint32_t access,
                                             int error)
{
	switch (error) {
	case 0:
		return SVM_EMUL_OK;
	case SVM_ERR_FAULT:
		return SVM_EMUL_NOT_RAM;
	default:
		return absent(vcpu, gpa, access);
	}
}

static enum svm_emul_result emulation_translate(void *arg, uint64_t linear, uint32_t access,
                                                uint64_t *gpa, struct svm_emul_fault *fault)
{
	struct svm_vcpu *vcpu = arg;
	struct svm_translation page; /* Filled where it is looked at. */
	bool is_system = access & SVM_EMUL_SYSTEM;
	uint32_t rights = SVM_PROT_READ;
	int error;

	if (access & SVM_EMUL_WRITE)
		rights = SVM_PROT_WRITE;
	else if (access & SVM_EMUL_FETCH)
		rights = SVM_PROT_EXECUTE;
	/* A frame for another privilege is pushed before the VMCB knows of it. */
	if (vcpu->emul.cpl == 3 && !is_system)
		rights |= SVM_ACCESS_USER;
	else if (vcpu->emul.cpl != 3 && svm_vmcb_get_cpl(vcpu->vmcb) == 3)
		is_system = true;
	error = svm_guest_walk(vcpu, linear, rights, is_system, gpa, &page);
	if (!error)
		return SVM_EMUL_OK;
	if (error != SVM_ERR_FAULT) /* The processor's walk is a write too. */
		return absent(vcpu, page.entry_gpa, SVM_PROT_READ | SVM_PROT_WRITE);
	*fault = (struct svm_emul_fault){
		.vector = page.vector,
		.has_error = true,
		.error = page.error_code,
		.address = linear,
	};
	return SVM_EMUL_FAULT;
}

static enum svm_emul_result emulation_ram_read(void *arg, uint64_t gpa, void *data, unsigned size)
{
	struct svm_vcpu *vcpu = arg;

	return emulation_result(vcpu, gpa, SVM_PROT_READ,
	                        svm_vm_read(vcpu->vm, gpa, data, size, NULL));
}

static enum svm_emul_result emulation_ram_write(void *arg, uint64_t gpa, const void *data,
                                                unsigned size)
{
	struct svm_vcpu *vcpu = arg;

	return emulation_result(vcpu, gpa, SVM_PROT_READ | SVM_PROT_WRITE,
	                        svm_vm_write(vcpu->vm, gpa, data, size, NULL));
}

/* One at a time of those who emulate an access over two pages. */
static void emulation_serialise(void *arg, bool on)
{
	const struct svm_vcpu *vcpu = arg;

	while (on && svm_atomic_exchange(&vcpu->vm->split_lock, 1))
		svm_ring0_pause();
	if (!on)
		svm_atomic_store(&vcpu->vm->split_lock, 0);
}

static enum svm_emul_result emulation_ram_exchange(void *arg, uint64_t gpa, void *expected,
                                                   const void *desired, unsigned size, bool *stored)
{
	struct svm_vcpu *vcpu = arg;

	return emulation_result(
		vcpu, gpa, SVM_PROT_READ | SVM_PROT_WRITE,
		svm_memory_exchange(vcpu->vm, gpa, expected, desired, size, stored));
}

/* --- devices ---------------------------------------------------------------------------------- */

void svm_vcpu_mmio_handler(struct svm_vcpu *vcpu, svm_gpa_t gpa, uint64_t size, svm_mmio_fn fn,
                           void *arg)
{
	vcpu->own_mmio = (struct svm_mmio_range){ gpa, gpa + size - 1, fn, arg };
	svm_device_forget(vcpu);
}

const struct svm_mmio_range *svm_vcpu_find_mmio(const struct svm_vcpu *vcpu, svm_gpa_t gpa,
                                                unsigned size)
{
	const struct svm_mmio_range *own = &vcpu->own_mmio, *guess;

	if (own->fn && svm_mmio_owns(own, gpa, size))
		return own;
	guess = svm_mmio_guess(&vcpu->vm->mmio, gpa, size);
	return SVM_MOSTLY(guess) ? guess : svm_mmio_find(&vcpu->vm->mmio, gpa, size);
}

/* A callback that wants the run to end is obeyed after the instruction. */
static enum svm_emul_result device_result(struct svm_vcpu *vcpu, enum svm_device_result result)
{
	if (result == SVM_DEVICE_RETURN)
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_RETURN);
	return result == SVM_DEVICE_EXIT ? SVM_EMUL_EXIT : SVM_EMUL_OK;
}

static enum svm_emul_result emulation_mmio(void *arg, uint64_t gpa, void *data, unsigned size,
                                           bool is_write)
{
	struct svm_vcpu *vcpu = arg;
	const struct svm_mmio_range *range = svm_vcpu_find_mmio(vcpu, gpa, size);
	struct svm_mmio_access access = {
		.gpa = gpa,
		.size = (uint8_t)size,
		.is_write = is_write,
	};
	enum svm_device_result answer;
	enum svm_emul_result result;

	if (!range || (vcpu->declined && gpa == vcpu->declined_gpa))
		return SVM_EMUL_EXIT;
	if (is_write)
		memcpy(access.data, data, size);
	else
		memset(access.data, 0xff, sizeof(access.data));
	answer = range->fn(range->arg, vcpu, &access);
	result = device_result(vcpu, answer);
	if (result == SVM_EMUL_OK && !is_write)
		memcpy(data, access.data, size);
	return result;
}

static enum svm_emul_result emulation_port(void *arg, uint16_t number, uint32_t *value,
                                           unsigned size, bool is_in)
{
	struct svm_vcpu *vcpu = arg;
	const struct svm_io_range *range = svm_io_find(&vcpu->vm->io, number, (uint8_t)size);
	struct svm_io_access access = {
		.port = number,
		.size = (uint8_t)size,
		.is_in = is_in,
		.value = is_in ? UINT32_MAX : *value,
	};
	enum svm_device_result answer;
	enum svm_emul_result result;

	if (!range)
		return SVM_EMUL_EXIT;
	answer = range->fn(range->arg, vcpu, &access);
	result = device_result(vcpu, answer);
	if (result == SVM_EMUL_OK && is_in)
		*value = access.value;
	return result;
}

/* Judged by the emulator; only the clean bits are left to think of. */
static void emulation_load_segment(void *arg, unsigned number,
                                   const struct svm_emul_segment *segment)
{
	struct svm_vcpu *vcpu = arg;
	struct svm_vmcb *vmcb = vcpu->vmcb;
	const struct svm_vmcb_segment to = { segment->selector, segment->attributes,
		                             segment->limit, segment->base };

	switch (number) {
	case SVM_EMUL_ES:
		svm_vmcb_set_es(vmcb, to);
		break;
	case SVM_EMUL_CS:
		svm_vmcb_set_cs(vmcb, to);
		break;
	case SVM_EMUL_SS:
		svm_vmcb_set_ss(vmcb, to);
		break;
	case SVM_EMUL_DS:
		svm_vmcb_set_ds(vmcb, to);
		break;
	case SVM_EMUL_FS:
		svm_vmcb_set_fs(vmcb, to);
		break;
	case SVM_EMUL_GS:
		svm_vmcb_set_gs(vmcb, to);
		break;
	case SVM_EMUL_GDTR:
		svm_vmcb_set_gdtr(vmcb, to);
		break;
	case SVM_EMUL_LDTR:
		svm_vmcb_set_ldtr(vmcb, to);
		break;
	case SVM_EMUL_IDTR:
		svm_vmcb_set_idtr(vmcb, to);
		break;
	default:
		svm_vmcb_set_tr(vmcb, to);
		break;
	}
}

/* The six others are read in place. */
static struct svm_vmcb_segment table_register(const struct svm_vmcb *vmcb, unsigned number)
{
	switch (number) {
	case SVM_EMUL_GDTR:
		return svm_vmcb_get_gdtr(vmcb);
	case SVM_EMUL_LDTR:
		return svm_vmcb_get_ldtr(vmcb);
	case SVM_EMUL_IDTR:
		return svm_vmcb_get_idtr(vmcb);
	default:
		return svm_vmcb_get_tr(vmcb);
	}
}

static void emulation_store_segment(void *arg, unsigned number, struct svm_emul_segment *segment)
{
	const struct svm_vcpu *vcpu = arg;
	const struct svm_vmcb_segment from = table_register(vcpu->vmcb, number);

	*segment =
		(struct svm_emul_segment){ from.selector, from.attributes, from.limit, from.base };
}

static void emulation_read_vector(void *arg, unsigned n, void *data, unsigned size)
{
	svm_fpu_read_vector(arg, n, data, size);
}

/* The upper half exists only where the host has AVX; the emulator looked at the guest's XCR0. */
static void emulation_write_vector(void *arg, unsigned n, const void *data, unsigned size,
                                   bool clear_upper)
{
	svm_fpu_write_vector(arg, n, data, size, clear_upper);
}

static void emulation_read_mmx(void *arg, unsigned n, uint64_t *value)
{
	svm_fpu_read_mmx(arg, n, value);
}

static void emulation_write_mmx(void *arg, unsigned n, uint64_t value)
{
	svm_fpu_write_mmx(arg, n, value);
}

/* --- control, debug and model-specific registers --------------------------------------------- */

static enum svm_emul_result register_result(bool taken, struct svm_emul_fault *fault)
{
	if (taken)
		return SVM_EMUL_OK;
	*fault = (struct svm_emul_fault){ .vector = SVM_VECTOR_GP, .has_error = true };
	return SVM_EMUL_FAULT;
}

/* No counters are offered, and of the extended registers only XCR0, which the emulator knows. */
static enum svm_emul_result emulation_read_register(void *arg, enum svm_emul_register kind,
                                                    uint32_t number, uint64_t *value,
                                                    struct svm_emul_fault *fault)
{
	struct svm_vcpu *vcpu = arg;
	enum svm_msr_policy policy;

	switch (kind) {
	case SVM_EMUL_CR:
		*value = svm_control_read(vcpu, number);
		return SVM_EMUL_OK;
	case SVM_EMUL_DR:
		*value = svm_debug_read(vcpu, number);
		return SVM_EMUL_OK;
	case SVM_EMUL_MSR:
		policy = svm_msr_policy_of(&vcpu->vm->msr, number);
		if (svm_vcpu_wants_msr(vcpu, policy, number, false))
			return SVM_EMUL_UNKNOWN;
		return register_result(svm_msr_read(vcpu, policy, number, value), fault);
	case SVM_EMUL_XCR:
	case SVM_EMUL_PMC:
		break;
	}
	return register_result(false, fault);
}

/* LMSW and CLTS are shown to an embedder that wants writes of CR0; see unknown_instruction(). */
static enum svm_emul_result write_control(struct svm_vcpu *vcpu, uint32_t number, uint64_t value,
                                          struct svm_emul_fault *fault)
{
	const uint8_t kind = vcpu->emul.insn.kind;

	if ((kind == SVM_INSN_LMSW || kind == SVM_INSN_CLTS) && !vcpu->emul_released &&
	    svm_vcpu_wants_control(vcpu, number, true)) {
		vcpu->emul_cr0_wanted = true;
		vcpu->emul_cr0 = value;
		return SVM_EMUL_UNKNOWN;
	}
	return register_result(svm_control_write(vcpu, number, value), fault);
}

static enum svm_emul_result emulation_write_register(void *arg, enum svm_emul_register kind,
                                                     uint32_t number, uint64_t value,
                                                     struct svm_emul_fault *fault)
{
	struct svm_vcpu *vcpu = arg;
	enum svm_msr_policy policy;

	switch (kind) {
	case SVM_EMUL_CR:
		return write_control(vcpu, number, value, fault);
	case SVM_EMUL_DR:
		return register_result(svm_debug_write(vcpu, number, value), fault);
	case SVM_EMUL_MSR:
		policy = svm_msr_policy_of(&vcpu->vm->msr, number);
		if (svm_vcpu_wants_msr(vcpu, policy, number, true))
			return SVM_EMUL_UNKNOWN;
		return register_result(svm_msr_write(vcpu, policy, number, value), fault);
	case SVM_EMUL_XCR:
		return register_result(number == 0 && svm_xcr0_write(vcpu, value), fault);
	case SVM_EMUL_PMC:
		break;
	}
	return register_result(false, fault);
}

/* One address is not worth INVLPGA: all of this guest's translations go. */
static void emulation_invalidate(void *arg, uint64_t linear)
{
	struct svm_vcpu *vcpu = arg;

	(void)linear;
	vcpu->flush = true;
}

const struct svm_emul_ops svm_emulation_ops = {
	.translate = emulation_translate,
	.ram_read = emulation_ram_read,
	.ram_write = emulation_ram_write,
	.ram_exchange = emulation_ram_exchange,
	.serialise = emulation_serialise,
	.mmio = emulation_mmio,
	.port = emulation_port,
	.read_register = emulation_read_register,
	.write_register = emulation_write_register,
	.load_segment = emulation_load_segment,
	.store_segment = emulation_store_segment,
	.read_vector = emulation_read_vector,
	.write_vector = emulation_write_vector,
	.read_mmx = emulation_read_mmx,
	.write_mmx = emulation_write_mmx,
	.invalidate = emulation_invalidate,
};
