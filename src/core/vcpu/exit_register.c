/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Control and debug registers, XCR0.  APM vol. 2, 3.1, 15.8, 15.9.
 *
 * Of the control registers only CR4 is always intercepted: its reserved bits follow the CPUID
 * that the guest was given, and QEMU answers a reserved bit that it does not know by refusing the
 * next entry.  Debug registers are intercepted until the guest first uses one; from then on they
 * are swapped around the world switch.
 */
#include "core/features.h"
#include "core/vcpu/debugger.h"
#include "core/vcpu/emulation.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/insn_length.h"

/*
 * Which register and which general register: from EXITINFO1 with decode assists, else from the
 * bytes.  False: the bytes are another instruction by now.
 */
static bool find_operand(struct svm_vcpu *vcpu, unsigned *gpr, uint64_t *next)
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;
	struct svm_insn_scan scan;
	uint8_t bytes[15];
	unsigned got;

	if ((vcpu->vm->host->features.svm & SVM_FEATURE_DECODE_ASSISTS) &&
	    (control->exit_code >= SVM_EXIT_DR_READ || (control->exit_info_1 & SVM_CR_MOV))) {
		*gpr = (unsigned)svm_bits_get(control->exit_info_1, SVM_CR_GPR);
		*next = svm_vcpu_next_rip(vcpu);
		return *next != 0;
	}
	got = svm_vcpu_fetch(vcpu, bytes);
	if (!svm_insn_scan(bytes, got, svm_vcpu_code_bits(vcpu), control->exit_code, &scan))
		return false;
	*gpr = scan.gpr;
	*next = svm_vcpu_next_rip(vcpu);
	return *next != 0;
}

/* Control and debug registers are 64 bits wide in 64-bit code and 32 elsewhere. */
static uint64_t operand(const struct svm_vcpu *vcpu, unsigned gpr)
{
	const uint64_t value = svm_vcpu_read_gpr(vcpu, gpr);

	return svm_vcpu_code_bits(vcpu) == 64 ? value : (uint32_t)value;
}

/* What only the embedder or a debugger asked for: reads are answered by it, writes are its. */
static enum svm_action register_to_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                   enum svm_exit_kind kind, bool is_write, unsigned gpr,
                                   uint64_t next)
{
	const unsigned number = (unsigned)vcpu->vmcb->control.exit_code & 15;

	svm_exit_owe(vcpu, exit, kind, is_write ? SVM_OWED_SKIP : SVM_OWED_VALUE, next);
	vcpu->owed_register = (uint8_t)gpr;
	vcpu->owed_size = svm_vcpu_code_bits(vcpu) == 64 ? 8 : 4;
	exit->reg.number = (uint8_t)number;
	exit->reg.is_write = is_write;
	if (is_write)
		exit->reg.value = operand(vcpu, gpr);
	else
		exit->reg.value = kind == SVM_EXIT_KIND_CR ? svm_control_read(vcpu, number)
		                                           : svm_debug_read(vcpu, number);
	return SVM_ACTION_RETURN;
}

static enum svm_action control_register(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t code = vcpu->vmcb->control.exit_code;
	const unsigned number = (unsigned)code & 15;
	const bool is_write = code >= SVM_EXIT_CR_WRITE;
	uint64_t next = 0;
	unsigned gpr = 0;

	/* LMSW, CLTS and SMSW share the exits of CR0; other bytes by now run again. */
	if (!find_operand(vcpu, &gpr, &next))
		return svm_emulation_run(vcpu, exit, SVM_EMUL_STATUS_WORD);
	if (!is_write || svm_vcpu_wants_control(vcpu, number, true))
		return register_to_embedder(vcpu, exit, SVM_EXIT_KIND_CR, is_write, gpr, next);
	if (!svm_control_write(vcpu, number, operand(vcpu, gpr)))
		return svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
	svm_vcpu_advance(vcpu, next);
	return SVM_ACTION_RESUME;
}

/* The guest's first use of a debug register: from now on they are its own around the switch. */
static enum svm_action debug_register(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const unsigned code = (unsigned)vcpu->vmcb->control.exit_code;
	uint64_t next = 0;
	unsigned gpr = 0;

	if (!svm_vcpu_debugger_wants(vcpu, code) && !vcpu->debugger.is_on) {
		svm_vcpu_use_debug(vcpu, true);
		return SVM_ACTION_RESUME;
	}
	if (!find_operand(vcpu, &gpr, &next))
		return SVM_ACTION_RESUME; /* Other bytes by now: they run. */
	if (!svm_vcpu_debugger_wants(vcpu, code))
		return svm_debugger_move(vcpu, exit, gpr, next);
	return register_to_embedder(vcpu, exit, SVM_EXIT_KIND_DR, code >= SVM_EXIT_DR_WRITE, gpr,
	                            next);
}

enum svm_action svm_exit_register(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	if (vcpu->vmcb->control.exit_code >= SVM_EXIT_DR_READ)
		return debug_register(vcpu, exit);
	return control_register(vcpu, exit);
}

/* Only what CPUID offers this guest, if its table has the leaf: others cannot be migrated with. */
static bool xcr0_is_offered(const struct svm_vcpu *vcpu, uint64_t xcr0)
{
	const struct svm_cpuid_state state = svm_vcpu_cpuid_state(vcpu);
	struct svm_cpuid_regs leaf = { 0, 0, 0, 0 };

	if (!svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 0xd, 0, &leaf))
		return true;
	return !(xcr0 & ~(((uint64_t)leaf.edx << 32) | leaf.eax));
}

bool svm_xcr0_write(struct svm_vcpu *vcpu, uint64_t value)
{
	return xcr0_is_offered(vcpu, value) && !svm_vcpu_set_xcr0(vcpu, value);
}

/* Intercepted before every fault, so all of them are ours: 15.9. */
enum svm_action svm_exit_xsetbv(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint64_t value = (vcpu->s.rdx << 32) | (uint32_t)vmcb->save.rax;
	const uint64_t next = svm_vcpu_next_rip(vcpu);

	(void)exit;
	if (!next)
		return SVM_ACTION_RESUME;
	if (!(svm_vmcb_get_cr4(vmcb) & CR4_OSXSAVE))
		return svm_exit_fault(vcpu, SVM_VECTOR_UD, 0);
	if (svm_vmcb_get_cpl(vmcb) != 0 || (uint32_t)vcpu->s.rcx != 0 ||
	    !svm_xcr0_write(vcpu, value))
		return svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
	svm_vcpu_advance(vcpu, next);
	return SVM_ACTION_RESUME;
}
