/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Control and debug registers, XCR0.  APM vol. 2, 3.1, 15.8, 15.9.
 *
 * Of the control registers only CR4 is always intercepted: its reserved bits follow the CPUID
 * that the guest was given, and QEMU answers a reserved bit that it does not know by refusing the
 * next entry.  Debug registers are intercepted until the guest first uses one; from then on they
 * are swapped around the world switch.
 */
#include "core/vcpu/exits.h"
#include "core/features.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/insn_length.h"

#define CR4_FLUSHES (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE)

/* CPUID bit -> CR4 bit; what no CPUID bit guards is always there. */
static const struct {
	uint8_t cr4;
	uint8_t leaf; /* 1 or 7. */
	char word;    /* 'b', 'c', 'd'. */
	uint8_t bit;
} cr4_bits[] = {
	{ 0, 1, 'd', 1 },   { 1, 1, 'd', 1 },   { 2, 1, 'd', 4 },   { 3, 1, 'd', 2 },
	{ 4, 1, 'd', 3 },   { 5, 1, 'd', 6 },   { 6, 1, 'd', 7 },   { 7, 1, 'd', 13 },
	{ 9, 1, 'd', 24 },  { 10, 1, 'd', 25 }, { 11, 7, 'c', 2 },  { 12, 7, 'c', 16 },
	{ 16, 7, 'b', 0 },  { 17, 1, 'c', 17 }, { 18, 1, 'c', 26 }, { 20, 7, 'b', 7 },
	{ 21, 7, 'b', 20 }, { 22, 7, 'c', 3 },
};
#define CR4_PCE SVM_BIT(8)

uint64_t svm_vcpu_cr4_allowed(const struct svm_vcpu *vcpu)
{
	const struct svm_cpuid_state state = svm_vcpu_cpuid_state(vcpu);
	struct svm_cpuid_regs leaf1 = { 0, 0, 0, 0 }, leaf7 = { 0, 0, 0, 0 };
	uint64_t allowed = CR4_PCE;

	(void)svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 1, 0, &leaf1);
	(void)svm_cpuid_lookup(&vcpu->vm->cpuid, &state, 7, 0, &leaf7);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(cr4_bits); i++) {
		const struct svm_cpuid_regs *regs = cr4_bits[i].leaf == 1 ? &leaf1 : &leaf7;
		const uint32_t word = cr4_bits[i].word == 'b'   ? regs->ebx
		                      : cr4_bits[i].word == 'c' ? regs->ecx
		                                                : regs->edx;

		if ((word >> cr4_bits[i].bit) & 1u)
			allowed |= SVM_BIT(cr4_bits[i].cr4);
	}
	return allowed & ~vcpu->vm->host->features.cr4_reserved;
}

static bool cr4_is_legal(const struct svm_vcpu *vcpu, uint64_t value)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const uint64_t old = svm_vmcb_get_cr4(vmcb);
	const bool long_mode = svm_vmcb_get_efer(vmcb) & EFER_LMA;

	if (value & ~svm_vcpu_cr4_allowed(vcpu))
		return false;
	if (long_mode && !(value & CR4_PAE))
		return false;
	if (long_mode && ((old ^ value) & CR4_LA57))
		return false;
	if ((value & ~old & CR4_PCIDE) && (!long_mode || (svm_vmcb_get_cr3(vmcb) & 0xfff)))
		return false;
	return true;
}

static enum svm_action write_cr4(struct svm_vcpu *vcpu, uint64_t value, uint64_t next)
{
	const uint64_t old = svm_vmcb_get_cr4(vcpu->vmcb);

	if (!cr4_is_legal(vcpu, value))
		return svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
	if ((old ^ value) & CR4_FLUSHES)
		vcpu->flush = true; /* 15.16: the processor flushes only for its own MOV CR4. */
	svm_vmcb_set_cr4(vcpu->vmcb, value);
	if ((old ^ value) & CR4_OSXSAVE)
		svm_vcpu_update_switch(vcpu);
	svm_vcpu_advance(vcpu, next);
	return SVM_ACTION_RESUME;
}

static enum svm_action write_cr8(struct svm_vcpu *vcpu, uint64_t value, uint64_t next)
{
	const uint64_t control = svm_vmcb_get_int_control(vcpu->vmcb);

	if (value & ~UINT64_C(0xf))
		return svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
	svm_vmcb_set_int_control(vcpu->vmcb, (control & ~SVM_INT_V_TPR) | value);
	svm_vcpu_advance(vcpu, next);
	svm_vcpu_follow_tpr(vcpu);
	return SVM_ACTION_RESUME;
}

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

static uint64_t read_register(const struct svm_vcpu *vcpu, unsigned n)
{
	switch (n) {
	case 0:
		return svm_vmcb_get_cr0(vcpu->vmcb);
	case 2:
		return svm_vmcb_get_cr2(vcpu->vmcb);
	case 3:
		return svm_vmcb_get_cr3(vcpu->vmcb);
	case 4:
		return svm_vmcb_get_cr4(vcpu->vmcb);
	default:
		return svm_vmcb_get_int_control(vcpu->vmcb) & 0xf;
	}
}

static uint64_t read_debug_register(const struct svm_vcpu *vcpu, unsigned n)
{
	if (n < 4)
		return vcpu->s.guest_dr[n];
	return n & 1 ? svm_vmcb_get_dr7(vcpu->vmcb) : svm_vmcb_get_dr6(vcpu->vmcb);
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
		exit->reg.value = kind == SVM_EXIT_KIND_CR ? read_register(vcpu, number)
		                                           : read_debug_register(vcpu, number);
	return SVM_ACTION_RETURN;
}

static enum svm_action control_register(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const uint64_t code = vcpu->vmcb->control.exit_code;
	const unsigned number = (unsigned)code & 15;
	const bool is_write = code >= SVM_EXIT_CR_WRITE;
	uint64_t next = 0;
	unsigned gpr = 0;

	if (!find_operand(vcpu, &gpr, &next))
		return svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_EMULATION, SVM_OWED_SKIP, 0);
	if (is_write && number == 4 && !(vcpu->vm->want & SVM_WANT_CR))
		return write_cr4(vcpu, operand(vcpu, gpr), next);
	if (is_write && number == 8 && !svm_vcpu_debugger_wants(vcpu, (unsigned)code))
		return write_cr8(vcpu, operand(vcpu, gpr), next);
	return register_to_embedder(vcpu, exit, SVM_EXIT_KIND_CR, is_write, gpr, next);
}

/* The guest's first use of a debug register: from now on they are its own around the switch. */
static enum svm_action debug_register(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const unsigned code = (unsigned)vcpu->vmcb->control.exit_code;
	uint64_t next = 0;
	unsigned gpr = 0;

	if (!svm_vcpu_debugger_wants(vcpu, code)) {
		svm_vcpu_use_debug(vcpu, true);
		return SVM_ACTION_RESUME;
	}
	if (!find_operand(vcpu, &gpr, &next))
		return SVM_ACTION_RESUME; /* Other bytes by now: they run. */
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
	    !xcr0_is_offered(vcpu, value) || svm_vcpu_set_xcr0(vcpu, value))
		return svm_exit_fault(vcpu, SVM_VECTOR_GP, 0);
	svm_vcpu_advance(vcpu, next);
	return SVM_ACTION_RESUME;
}
