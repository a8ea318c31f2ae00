/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Instructions that a monitor may intercept, with the order of fault and intercept that the manual
 * gives each of them (APM vol. 2, 15.9 to 15.14).
 *
 * An SVM instruction that no intercept catches works on the host's physical memory or on its GIF:
 * that is the end of the machine, and reported as such.
 */
#include "model.h"

static void ud(struct cpu *cpu)
{
	guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
}

static void gp(struct cpu *cpu)
{
	guest_fault(cpu, SVM_VECTOR_GP, 0, 0);
}

static bool supervisor(struct cpu *cpu)
{
	if (cpu->guest.v->save._cpl == 0)
		return true;
	gp(cpu);
	return false;
}

static uint32_t low(const struct cpu *cpu, unsigned n)
{
	return (uint32_t)cpu->guest.gpr[n];
}

static void set_edx_eax(struct cpu *cpu, uint64_t value)
{
	cpu->guest.gpr[HOSTED_RAX] = value & 0xffffffff;
	cpu->guest.gpr[HOSTED_RDX] = value >> 32;
}

static uint64_t edx_eax(const struct cpu *cpu)
{
	return (uint64_t)low(cpu, HOSTED_RDX) << 32 | low(cpu, HOSTED_RAX);
}

static uint64_t guest_tsc(const struct cpu *cpu)
{
	const unsigned __int128 scaled = (unsigned __int128)model_tsc(cpu) * cpu->tsc_ratio;

	return (uint64_t)(scaled >> 32) + cpu->guest.v->control._tsc_offset;
}

static void cpuid(struct cpu *cpu, const struct guest_insn *insn)
{
	struct svm_cpuid_regs r;

	if (guest_intercept(cpu, insn, SVM_EXIT_CPUID, POISON, POISON))
		return;
	r = model_cpuid(cpu, low(cpu, HOSTED_RAX), low(cpu, HOSTED_RCX));
	cpu->guest.gpr[HOSTED_RAX] = r.eax;
	cpu->guest.gpr[HOSTED_RBX] = r.ebx;
	cpu->guest.gpr[HOSTED_RCX] = r.ecx;
	cpu->guest.gpr[HOSTED_RDX] = r.edx;
	guest_advance(cpu, insn);
}

/* The permission map: two bits for each register of three windows.  15.11. */
static bool msr_protected(struct cpu *cpu, uint32_t msr, bool is_write)
{
	const uint64_t base = cpu->guest.v->control._msrpm_base & SVM_PAGE_MASK;
	uint32_t index;
	const uint8_t *page;

	if (msr < 0x2000)
		index = msr;
	else if (msr - 0xc0000000 < 0x2000)
		index = msr - 0xc0000000 + 0x2000;
	else if (msr - 0xc0010000 < 0x2000)
		index = msr - 0xc0010000 + 0x4000;
	else
		return true;
	page = library_page(cpu->m, base + index / 16384 * SVM_PAGE_SIZE, "MSRPM");
	return !page || page[index / 4 % SVM_PAGE_SIZE] >> (index % 4 * 2 + is_write) & 1;
}

static bool is_hosts_own(uint32_t msr)
{
	return msr == SVM_MSR_EFER || msr == SVM_MSR_VM_CR || msr == SVM_MSR_VM_HSAVE_PA ||
	       msr == SVM_MSR_APIC_BASE || msr == SVM_MSR_TSC_RATIO;
}

static void msr(struct cpu *cpu, const struct guest_insn *insn)
{
	const bool is_write = insn->opcode == 0x0f30;
	const uint32_t number = low(cpu, HOSTED_RCX);
	uint64_t value = edx_eax(cpu);
	bool ok;

	if (!supervisor(cpu))
		return;
	if (intercepted(cpu, SVM_EXIT_MSR) && msr_protected(cpu, number, is_write)) {
		guest_intercept(cpu, insn, SVM_EXIT_MSR, is_write, POISON);
		return;
	}
	if (is_write && is_hosts_own(number)) {
		breach(cpu->m, HOSTED_BREACH_ESCAPE, "the guest wrote the host's MSR 0x%x", number);
		guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
		return;
	}
	if (is_write)
		ok = model_wrmsr(cpu, number, value);
	else
		ok = model_rdmsr(cpu, number, &value);
	if (!ok) {
		gp(cpu);
		return;
	}
	if (!is_write)
		set_edx_eax(cpu, number == SVM_MSR_TSC ? guest_tsc(cpu) : value);
	guest_advance(cpu, insn);
}

static void rdtsc(struct cpu *cpu, const struct guest_insn *insn, bool with_aux)
{
	if ((cpu->guest.v->save._cr4 & SVM_BIT(2)) && !supervisor(cpu))
		return;
	if (with_aux && !cpu->f.rdtscp) {
		ud(cpu);
		return;
	}
	if (guest_intercept(cpu, insn, with_aux ? SVM_EXIT_RDTSCP : SVM_EXIT_RDTSC, POISON, POISON))
		return;
	set_edx_eax(cpu, guest_tsc(cpu));
	if (with_aux)
		cpu->guest.gpr[HOSTED_RCX] = cpu->tsc_aux;
	guest_advance(cpu, insn);
}

static void hlt(struct cpu *cpu, const struct guest_insn *insn)
{
	if (!supervisor(cpu) || guest_intercept(cpu, insn, SVM_EXIT_HLT, POISON, POISON))
		return;
	guest_advance(cpu, insn);
	cpu->guest.halted = true;
}

/* Privileged and without a result that a script could see. */
static void privileged(struct cpu *cpu, const struct guest_insn *insn, unsigned code,
                       const char *harm)
{
	if (!supervisor(cpu) || guest_intercept(cpu, insn, code, POISON, POISON))
		return;
	if (harm) {
		breach(cpu->m, HOSTED_BREACH_ESCAPE, "no intercept: %s", harm);
		guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
		return;
	}
	guest_advance(cpu, insn);
}

/* VMRUN and its kind: #UD outside protected mode, #GP for CPL and a bad address, intercept. */
static void svm_instruction(struct cpu *cpu, const struct guest_insn *insn, unsigned code,
                            bool has_address)
{
	const uint64_t rax = cpu->guest.gpr[HOSTED_RAX];

	if (!(cpu->guest.v->save._cr0 & CR0_PE)) {
		ud(cpu);
		return;
	}
	if (!supervisor(cpu))
		return;
	if (has_address && ((rax & ~SVM_PAGE_MASK) || rax >> cpu->f.physical_bits)) {
		gp(cpu);
		return;
	}
	privileged(cpu, insn, code, "an SVM instruction");
}

static void xsetbv(struct cpu *cpu, const struct guest_insn *insn)
{
	if (guest_intercept(cpu, insn, SVM_EXIT_XSETBV, POISON, POISON))
		return;
	if (!(cpu->guest.v->save._cr4 & CR4_OSXSAVE)) {
		ud(cpu);
		return;
	}
	if (!supervisor(cpu))
		return;
	if (low(cpu, HOSTED_RCX) || !xcr0_valid(&cpu->f, edx_eax(cpu))) {
		gp(cpu);
		return;
	}
	cpu->xcr0 = edx_eax(cpu);
	guest_advance(cpu, insn);
}

static void xgetbv(struct cpu *cpu, const struct guest_insn *insn)
{
	if (!(cpu->guest.v->save._cr4 & CR4_OSXSAVE)) {
		ud(cpu);
		return;
	}
	if (low(cpu, HOSTED_RCX)) {
		gp(cpu);
		return;
	}
	set_edx_eax(cpu, cpu->xcr0);
	guest_advance(cpu, insn);
}

static void invlpg(struct cpu *cpu, const struct guest_insn *insn)
{
	const bool assists = cpu->f.svm_edx & SVM_FEATURE_DECODE_ASSISTS;

	if (!supervisor(cpu) ||
	    guest_intercept(cpu, insn, SVM_EXIT_INVLPG, assists ? insn->address : POISON, POISON))
		return;
	linear_flush_page(cpu, cpu->guest.key.asid, insn->address);
	guest_advance(cpu, insn);
}

static void vmmcall(struct cpu *cpu, const struct guest_insn *insn)
{
	if (!guest_intercept(cpu, insn, SVM_EXIT_VMMCALL, POISON, POISON))
		ud(cpu);
}

/* MWAIT in a guest that may: as HLT. */
static void mwait(struct cpu *cpu, const struct guest_insn *insn)
{
	if (!supervisor(cpu) || guest_intercept(cpu, insn, SVM_EXIT_MWAIT_COND, POISON, POISON) ||
	    guest_intercept(cpu, insn, SVM_EXIT_MWAIT, POISON, POISON))
		return;
	guest_advance(cpu, insn);
	cpu->guest.halted = true;
}

static void group_0f01(struct cpu *cpu, const struct guest_insn *insn)
{
	if (insn->memory) {
		if ((insn->modrm >> 3 & 7) == 7)
			invlpg(cpu, insn);
		else
			ud(cpu);
		return;
	}
	switch (insn->modrm) {
	case 0xc8:
		privileged(cpu, insn, SVM_EXIT_MONITOR, NULL);
		break;
	case 0xc9:
		mwait(cpu, insn);
		break;
	case 0xd0:
		xgetbv(cpu, insn);
		break;
	case 0xd1:
		xsetbv(cpu, insn);
		break;
	case 0xd8:
		svm_instruction(cpu, insn, SVM_EXIT_VMRUN, true);
		break;
	case 0xd9:
		vmmcall(cpu, insn);
		break;
	case 0xda:
		svm_instruction(cpu, insn, SVM_EXIT_VMLOAD, true);
		break;
	case 0xdb:
		svm_instruction(cpu, insn, SVM_EXIT_VMSAVE, true);
		break;
	case 0xdc:
		svm_instruction(cpu, insn, SVM_EXIT_STGI, false);
		break;
	case 0xdd:
		svm_instruction(cpu, insn, SVM_EXIT_CLGI, false);
		break;
	case 0xde:
		svm_instruction(cpu, insn, SVM_EXIT_SKINIT, false);
		break;
	case 0xdf:
		svm_instruction(cpu, insn, SVM_EXIT_INVLPGA, false);
		break;
	case 0xf9:
		rdtsc(cpu, insn, true);
		break;
	default: /* RDPRU, INVLPGB, TLBSYNC: no CPU of ours has them. */
		if ((insn->modrm >> 3 & 7) == 4 || (insn->modrm >> 3 & 7) == 6)
			guest_machine_status(cpu, insn, insn->modrm >> 3 & 7);
		else
			ud(cpu);
		break;
	}
}

void guest_execute_system(struct cpu *cpu, const struct guest_insn *insn)
{
	const bool needs_cpl0 = insn->opcode >= 0x0f20 && insn->opcode <= 0x0f23;

	if ((needs_cpl0 || insn->opcode == 0x0f06) && !supervisor(cpu))
		return;
	switch (insn->opcode) {
	case 0xf4:
		hlt(cpu, insn);
		break;
	case 0x0f01:
		group_0f01(cpu, insn);
		break;
	case 0x0f06:
		guest_machine_status(cpu, insn, 0);
		break;
	case 0x0f08:
		privileged(cpu, insn, SVM_EXIT_INVD, "INVD throws the host's dirty lines away");
		break;
	case 0x0f09:
		privileged(cpu, insn, SVM_EXIT_WBINVD, NULL);
		break;
	case 0x0f20:
		guest_read_cr(cpu, insn);
		break;
	case 0x0f21:
		guest_move_dr(cpu, insn, false);
		break;
	case 0x0f22:
		guest_write_cr(cpu, insn);
		break;
	case 0x0f23:
		guest_move_dr(cpu, insn, true);
		break;
	case 0x0f30:
	case 0x0f32:
		msr(cpu, insn);
		break;
	case 0x0f31:
		rdtsc(cpu, insn, false);
		break;
	case 0x0f33:
		if (supervisor(cpu) && !guest_intercept(cpu, insn, SVM_EXIT_RDPMC, POISON, POISON))
			gp(cpu); /* No counter is configured. */
		break;
	case 0x0fa2:
		cpuid(cpu, insn);
		break;
	case 0x0faa: /* Intercept before #UD. */
		if (!guest_intercept(cpu, insn, SVM_EXIT_RSM, POISON, POISON))
			ud(cpu);
		break;
	default:
		ud(cpu);
		break;
	}
}
