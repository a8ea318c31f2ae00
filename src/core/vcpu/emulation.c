/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The emulator's view of a vCPU: registers in and out, memory through the guest's page tables and
 * the VM's slots, devices through the callbacks.
 *
 * What may be executed is bounded by the exit: after IOIO only IN and OUT, after a nested fault
 * only an instruction that touches the page of the fault.  Another vCPU can rewrite code and page
 * tables between the exit and our look at them; the guest then just runs again and exits for what
 * is there now.
 *
 * An access that the embedder answers ends the run.  Its answer goes into the emulator's log, and
 * the next run starts the instruction again before it enters the guest (see emulate.h).
 */
#include "core/vcpu/emulation.h"
#include "core/features.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/insn_length.h"

/* --- memory --------------------------------------------------------------------------------------
 */

static enum svm_emul_result emulation_result(int error)
{
	switch (error) {
	case 0:
		return SVM_EMUL_OK;
	case SVM_ERR_FAULT:
		return SVM_EMUL_NOT_RAM;
	default:
		return SVM_EMUL_RETRY;
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
	if (error != SVM_ERR_FAULT)
		return error ? SVM_EMUL_RETRY : SVM_EMUL_OK;
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
	const struct svm_vcpu *vcpu = arg;

	return emulation_result(svm_vm_read(vcpu->vm, gpa, data, size, NULL));
}

static enum svm_emul_result emulation_ram_write(void *arg, uint64_t gpa, const void *data,
                                                unsigned size)
{
	const struct svm_vcpu *vcpu = arg;

	return emulation_result(svm_vm_write(vcpu->vm, gpa, data, size, NULL));
}

/* Aligned words are exchanged by the processor; the parts of one, within it. */
static enum svm_emul_result exchange_aligned(struct svm_vm *vm, uint64_t gpa, void *expected,
                                             const void *desired, unsigned size, bool *stored)
{
	const uint64_t base = gpa & ~UINT64_C(7);
	const unsigned shift = 8 * (unsigned)(gpa & 7);
	const uint64_t mask = (size == 8 ? ~UINT64_C(0) : (UINT64_C(1) << (8 * size)) - 1) << shift;
	uint64_t wanted = 0, new = 0, word;
	enum svm_emul_result result;

	memcpy(&wanted, expected, size);
	memcpy(&new, desired, size);
	result = emulation_result(svm_memory_read_u64(vm, base, &word));
	if (result != SVM_EMUL_OK)
		return result;
	*stored = false;
	if ((word & mask) == wanted << shift)
		result = emulation_result(
			svm_memory_cas_u64(vm, base, &word, (word & ~mask) | new << shift, stored));
	word = (word & mask) >> shift;
	memcpy(expected, &word, size);
	return result;
}

/* One at a time of those who emulate an access that no instruction of the host covers. */
static void serialise(struct svm_vm *vm, bool on)
{
	while (on && svm_atomic_exchange(&vm->split_lock, 1))
		svm_ring0_pause();
	if (!on)
		svm_atomic_store(&vm->split_lock, 0);
}

static void emulation_serialise(void *arg, bool on)
{
	const struct svm_vcpu *vcpu = arg;

	serialise(vcpu->vm, on);
}

/*
 * An operand over two words of 8 bytes: read, compare, write.  Atomic among emulated accesses of
 * the VM, which this lock serialises; not against a vCPU that writes with its own instructions.
 */
static enum svm_emul_result exchange_split(struct svm_vm *vm, uint64_t gpa, void *expected,
                                           const void *desired, unsigned size, bool *stored)
{
	uint8_t found[16];
	int error;

	serialise(vm, true);
	error = svm_vm_read(vm, gpa, found, size, NULL);
	*stored = !error && memcmp(found, expected, size) == 0;
	if (*stored)
		error = svm_vm_write(vm, gpa, desired, size, NULL);
	serialise(vm, false);
	if (!error && !*stored)
		memcpy(expected, found, size);
	return emulation_result(error);
}

static enum svm_emul_result emulation_ram_exchange(void *arg, uint64_t gpa, void *expected,
                                                   const void *desired, unsigned size, bool *stored)
{
	const struct svm_vcpu *vcpu = arg;

	if ((gpa & 7) + size <= 8)
		return exchange_aligned(vcpu->vm, gpa, expected, desired, size, stored);
	return exchange_split(vcpu->vm, gpa, expected, desired, size, stored);
}

/* --- devices ---------------------------------------------------------------------------------- */

/* A callback that wants the run to end is obeyed after the instruction. */
static enum svm_emul_result device_result(struct svm_vcpu *vcpu, enum svm_device_result result)
{
	if (result == SVM_DEVICE_RETURN)
		svm_atomic_or(&vcpu->requests, SVM_REQUEST_RETURN);
	return result == SVM_DEVICE_EXIT ? SVM_EMUL_EXIT : SVM_EMUL_OK;
}

static enum svm_emul_result emulation_mmio(void *arg, uint64_t gpa, void *data, unsigned size,
                                           bool is_write)
{
	struct svm_vcpu *vcpu = arg;
	const struct svm_mmio_range *range = svm_mmio_find(&vcpu->vm->mmio, gpa, size);
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
		if (svm_vcpu_wants_msr(vcpu, policy))
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
		if (svm_vcpu_wants_msr(vcpu, policy))
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

static const struct svm_emul_ops emulation_ops = {
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

/* --- registers
 * ------------------------------------------------------------------------------------------ */

_Static_assert(sizeof(struct svm_emul_segment) == sizeof(struct svm_vmcb_segment),
               "the emulator reads segments in place");
_Static_assert(offsetof(struct svm_vmcb_save, gs) ==
                       offsetof(struct svm_vmcb_save, _es) +
                               SVM_EMUL_GS * sizeof(struct svm_vmcb_segment),
               "ES to GS follow each other");

static enum svm_insn_mode insn_mode_of(const struct svm_vcpu *vcpu)
{
	if (!(svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PE) || (vcpu->vmcb->save.rflags & RFLAGS_VM))
		return SVM_INSN_MODE_REAL;
	switch (svm_vcpu_code_bits(vcpu)) {
	case 64:
		return SVM_INSN_MODE_64;
	case 32:
		return SVM_INSN_MODE_32;
	default:
		return SVM_INSN_MODE_16;
	}
}

static void load_emulator_registers(struct svm_vcpu *vcpu)
{
	struct svm_emul *e = &vcpu->emul;
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	svm_emulation_lend(vcpu);
	e->gpr = vcpu->s.gpr;
	e->rip = vmcb->save.rip;
	/* In place: the six lie in the VMCB in the processor's order, and only for reading. */
	e->segment = (const void *)&vmcb->save._es;
	e->ops = &emulation_ops;
	e->arg = vcpu;
	e->cache = &vcpu->insn_cache;
	e->rflags = svm_events_rflags(vcpu);
	e->cr0 = svm_vmcb_get_cr0(vmcb);
	e->cr4 = svm_vmcb_get_cr4(vmcb);
	e->efer = svm_vmcb_get_efer(vmcb);
	e->xcr0 = vcpu->s.guest_xcr0;
	e->cpl = svm_vmcb_get_cpl(vmcb);
	e->linear_bits = e->cr4 & CR4_LA57 ? 57 : 48;
	e->in_vm86 = e->rflags & RFLAGS_VM;
	e->mode = insn_mode_of(vcpu);
	e->count = vcpu->emul_fetched;
	vcpu->emul_fetched = 0;
}

static void store_emulator_registers(struct svm_vcpu *vcpu)
{
	const struct svm_emul *e = &vcpu->emul;

	svm_emulation_take_back(vcpu);
	svm_events_set_rflags(vcpu, e->rflags);
	if (e->cpl != svm_vmcb_get_cpl(vcpu->vmcb))
		svm_vmcb_set_cpl(vcpu->vmcb, e->cpl);
	/* The new task's, also where it begins with a fault. */
	if (e->task_switched)
		vcpu->vmcb->save.rip = e->rip;
}

/* --- outcomes
 * ------------------------------------------------------------------------------------------------
 */

void svm_emulation_raise(struct svm_vcpu *vcpu)
{
	const struct svm_emul_fault *fault = &vcpu->emul.fault;

	if (fault->vector == SVM_VECTOR_PF)
		svm_vmcb_set_cr2(vcpu->vmcb, fault->address);
	svm_events_raise(vcpu, fault->vector, fault->error);
}

/*
 * TF traps as it was before the instruction (APM vol. 2, 13.1.4), between two iterations too, but
 * not into the shadow of a new stack segment.
 */
static void complete_emulation(struct svm_vcpu *vcpu, bool stepped)
{
	const struct svm_emul *e = &vcpu->emul;

	if (e->rep_goes_on && !stepped)
		return;
	if (e->sets_shadow && e->insn.kind != SVM_INSN_STI)
		stepped = false;
	svm_vcpu_retire(vcpu, e->rip, stepped);
	if (e->keeps_rf)
		vcpu->vmcb->save.rflags |= e->rflags & RFLAGS_RF;
	if (e->sets_shadow)
		vcpu->vmcb->control.int_state |= SVM_INT_STATE_SHADOW;
}

/* Beside the device that it touches, the instruction touches what is nobody's. */
static enum svm_action touch_of_nothing(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_emul_access access = vcpu->emul.pending;
	uint8_t byte;

	svm_emul_forget(&vcpu->emul);
	svm_exit_return(vcpu, exit, SVM_EXIT_KIND_NPT_FAULT);
	exit->npt.gpa = access.address;
	exit->npt.access = access.is_write ? SVM_PROT_WRITE : SVM_PROT_READ;
	exit->npt.reason = svm_vm_read(vcpu->vm, access.address, &byte, 1, NULL)
	                           ? SVM_NPT_FAULT_ABSENT
	                           : SVM_NPT_FAULT_RIGHTS;
	return SVM_ACTION_RETURN;
}

static enum svm_action emulation_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_emul_access *access = &vcpu->emul.pending;
	const bool is_port = access->kind == SVM_EMUL_PENDING_PORT;

	if (!is_port && !(vcpu->vm->want & SVM_WANT_MMIO) &&
	    !svm_mmio_find(&vcpu->vm->mmio, access->address, access->size))
		return touch_of_nothing(vcpu, exit);
	svm_exit_owe(vcpu, exit, is_port ? SVM_EXIT_KIND_IO : SVM_EXIT_KIND_MMIO,
	             SVM_OWED_EMULATION, 0);
	exit->insn_len = vcpu->emul.insn.length;
	exit->insn_count = vcpu->emul.insn.length;
	memcpy(exit->insn, vcpu->emul.bytes, sizeof(exit->insn));
	if (is_port) {
		exit->io.port = (uint16_t)access->address;
		exit->io.size = access->size;
		exit->io.is_in = !access->is_write;
		if (access->is_write)
			memcpy(&exit->io.value, access->data, sizeof(exit->io.value));
	} else {
		exit->mmio.gpa = access->address;
		exit->mmio.size = access->size;
		exit->mmio.is_write = access->is_write;
		if (access->is_write)
			memcpy(exit->mmio.data, access->data, access->size);
	}
	return SVM_ACTION_RETURN;
}

_Static_assert((unsigned)SVM_OPCODE_XOPA == (unsigned)SVM_INSN_MAP_XOPA, "one order of maps");
_Static_assert(SVM_PREFIX_REX == SVM_INSN_REX, "one order of prefixes");

static void describe(struct svm_exit *exit, const struct svm_insn *insn)
{
	exit->decoded = (struct svm_exit_decoded){
		.valid = true,
		.map = insn->map,
		.opcode = insn->opcode,
		.has_modrm = insn->has_modrm,
		.modrm = insn->modrm,
		.prefixes = insn->prefixes,
		.rex = insn->rex,
		.operand_width = insn->operand_width,
		.address_width = insn->address_width,
	};
}

void svm_emulation_describe(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	struct svm_insn insn;

	exit->insn_count = (uint8_t)svm_vcpu_fetch(vcpu, exit->insn);
	if (svm_insn_decode(insn_mode_of(vcpu), exit->insn, exit->insn_count, &insn) != SVM_INSN_OK)
		return;
	exit->insn_len = insn.length;
	describe(exit, &insn);
}

static enum svm_action unknown_instruction(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_emul *e = &vcpu->emul;
	const enum svm_exit_kind kind =
		vcpu->emul_cr0_wanted ? SVM_EXIT_KIND_CR : SVM_EXIT_KIND_EMULATION;

	svm_exit_owe(vcpu, exit, kind, SVM_OWED_SKIP,
	             e->insn.length ? svm_emul_rip_after(e) : 0);
	exit->insn_count = e->count;
	memcpy(exit->insn, e->bytes, sizeof(exit->insn));
	if (e->insn.length)
		describe(exit, &e->insn);
	if (kind == SVM_EXIT_KIND_CR) {
		exit->reg.number = 0;
		exit->reg.is_write = true;
		exit->reg.value = vcpu->emul_cr0;
	}
	return SVM_ACTION_RETURN;
}

/*
 * After a release any instruction may be executed, but it has to be the one that exited: fetched
 * once, here.  CLTS, LMSW and SMSW are not in the scan's tables.
 */
static bool is_still_released(struct svm_vcpu *vcpu)
{
	const uint64_t code = vcpu->vmcb->control.exit_code;
	struct svm_emul *e = &vcpu->emul;
	struct svm_insn_scan scan;

	e->class = SVM_EMUL_ANY;
	e->count = (uint8_t)svm_vcpu_fetch(vcpu, e->bytes);
	if (code == SVM_EXIT_EXCEPTION + SVM_VECTOR_UD ||
	    svm_insn_scan(e->bytes, e->count, svm_vcpu_code_bits(vcpu), code, &scan))
		return true;
	e->class = SVM_EMUL_STATUS_WORD;
	return code == SVM_EXIT_CR_READ || code == SVM_EXIT_CR_WRITE;
}

static enum svm_action emulate_instruction(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const bool stepped = svm_events_rflags(vcpu) & RFLAGS_TF;
	enum svm_emul_result result;

	vcpu->emul_cr0_wanted = false;
	load_emulator_registers(vcpu);
	if (vcpu->emul_released && !is_still_released(vcpu))
		return SVM_ACTION_RESUME;
	result = svm_emulate(&vcpu->emul);
	/* A repeat commits whole iterations, whatever the last one came to. */
	store_emulator_registers(vcpu);
	switch (result) {
	case SVM_EMUL_OK:
		complete_emulation(vcpu, stepped);
		return SVM_ACTION_RESUME;
	case SVM_EMUL_FAULT:
		svm_emulation_raise(vcpu);
		return SVM_ACTION_RESUME;
	case SVM_EMUL_EXIT:
		return emulation_to_embedder(vcpu, exit);
	case SVM_EMUL_RETRY:
	case SVM_EMUL_NOT_RAM:
		/* If the page tables were rewritten, the processor still used the old ones. */
		vcpu->flush = true;
		return SVM_ACTION_RESUME;
	case SVM_EMUL_UNKNOWN:
		break;
	}
	return unknown_instruction(vcpu, exit);
}

enum svm_action svm_emulation_run(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                  enum svm_emul_class class)
{
	enum svm_action action;

	vcpu->emul_released = false;
	vcpu->emul.class = class;
	vcpu->emul.wanted_gpa = vcpu->vmcb->control.exit_info_2;
	vcpu->emul.wanted_access = vcpu->vmcb->control.exit_info_1 & SVM_NPF_WRITE
	                                   ? SVM_EMUL_WRITE
	                                   : SVM_EMUL_READ;
	svm_emul_forget(&vcpu->emul);
	action = emulate_instruction(vcpu, exit);
	vcpu->declined = false;
	return action;
}

enum svm_action svm_emulation_continue(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	vcpu->emulating = false;
	return emulate_instruction(vcpu, exit);
}

void svm_emulation_answer(struct svm_vcpu *vcpu, const void *data)
{
	svm_emul_answer(&vcpu->emul, data);
	vcpu->emulating = true;
}

void svm_emulation_release(struct svm_vcpu *vcpu)
{
	svm_emul_forget(&vcpu->emul);
	vcpu->emul_released = true;
	vcpu->emulating = true;
}

enum svm_emul_result svm_emulation_switch_task(struct svm_vcpu *vcpu,
                                               const struct svm_emul_task *task)
{
	struct svm_emul *e = &vcpu->emul;
	enum svm_emul_result result;

	load_emulator_registers(vcpu);
	svm_emul_forget(e);
	e->class = SVM_EMUL_ANY;
	e->insn.kind = SVM_INSN_OTHER;
	result = svm_emul_task_switch(e, task);
	svm_emul_forget(e);
	if (e->task_switched)
		store_emulator_registers(vcpu);
	return result;
}

void svm_emulation_forget(struct svm_vcpu *vcpu)
{
	svm_emul_forget(&vcpu->emul);
	vcpu->emul_released = false;
	vcpu->emulating = false;
}
