/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Ordinary instructions of scripts: moves, jumps, the stack, flags; and which file has the others.
 */
#include <string.h>

#include "model.h"

#define FLAGS_WRITABLE (SVM_BITS(11, 6) | SVM_BIT(0) | SVM_BIT(2) | SVM_BIT(4) | SVM_BITS(18, 12))

void guest_advance(struct cpu *cpu, const struct guest_insn *insn)
{
	uint64_t *rip = &cpu->guest.v->save.rip;
	const int bits = guest_code_bits(cpu);

	*rip += insn->length;
	if (bits != 64)
		*rip &= bits == 16 ? 0xffff : 0xffffffff;
}

bool guest_intercept(struct cpu *cpu, const struct guest_insn *insn, unsigned int code,
                     uint64_t info_1, uint64_t info_2)
{
	struct guest *g = &cpu->guest;
	const int bits = guest_code_bits(cpu);

	if (!intercepted(cpu, code))
		return false;
	g->next_rip = g->v->save.rip + insn->length;
	if (bits != 64)
		g->next_rip &= bits == 16 ? 0xffff : 0xffffffff;
	guest_exit(cpu, code, info_1, info_2);
	return true;
}

void guest_set_register(struct cpu *cpu, unsigned n, uint64_t value, unsigned size)
{
	uint64_t *r = &cpu->guest.gpr[n];

	switch (size) {
	case 8:
		*r = value;
		break;
	case 4:
		*r = value & 0xffffffff;
		break;
	case 2:
		*r = (*r & ~UINT64_C(0xffff)) | (value & 0xffff);
		break;
	default: /* Low bytes only: scripts use none of AH to BH. */
		*r = (*r & ~UINT64_C(0xff)) | (value & 0xff);
		break;
	}
}

uint64_t guest_truncate(uint64_t value, unsigned size)
{
	return size == 8 ? value : value & ((UINT64_C(1) << (8 * size)) - 1);
}

static bool read_rm(struct cpu *cpu, const struct guest_insn *insn, unsigned size, uint64_t *value)
{
	*value = 0;
	if (insn->memory)
		return guest_segmented(cpu, insn->segment, insn->address, value, size,
		                       SVM_PROT_READ);
	*value = guest_truncate(cpu->guest.gpr[insn->rm], size);
	return true;
}

static bool write_rm(struct cpu *cpu, const struct guest_insn *insn, unsigned size, uint64_t value)
{
	if (insn->memory)
		return guest_segmented(cpu, insn->segment, insn->address, &value, size,
		                       SVM_PROT_WRITE);
	guest_set_register(cpu, insn->rm, value, size);
	return true;
}

static void set_zs(struct cpu *cpu, uint64_t value, unsigned size)
{
	uint64_t *flags = &cpu->guest.v->save.rflags;

	value = guest_truncate(value, size);
	*flags &= ~(RFLAGS_ZF | RFLAGS_SF);
	*flags |= (value ? 0 : RFLAGS_ZF) | (value >> (8 * size - 1) ? RFLAGS_SF : 0);
}

/* ADD, XOR, CMP, TEST and the two of group 1. */
static bool arithmetic(struct cpu *cpu, const struct guest_insn *insn, char op, uint64_t source)
{
	uint64_t old, new;

	if (!read_rm(cpu, insn, insn->operand, &old))
		return false;
	new = op == '+'   ? old + source
	      : op == '^' ? old ^ source
	      : op == '&' ? old &source
	                  : old - source;
	if ((op == '+' || op == '^') && !write_rm(cpu, insn, insn->operand, new))
		return false;
	set_zs(cpu, new, insn->operand);
	return true;
}

static unsigned stack_width(const struct cpu *cpu, const struct guest_insn *insn)
{
	return guest_code_bits(cpu) == 64 ? 8 : insn->operand;
}

static uint64_t stack_mask(const struct cpu *cpu)
{
	const int bits = guest_code_bits(cpu);

	if (bits == 64)
		return ~UINT64_C(0);
	return cpu->guest.v->save._ss.attributes & SVM_SEG_DB ? 0xffffffff : 0xffff;
}

static bool stack_move(struct cpu *cpu, uint64_t sp, uint64_t *value, unsigned width, uint32_t prot)
{
	return guest_segmented(cpu, GUEST_SS, sp & stack_mask(cpu), value, width, prot);
}

static void set_sp(struct cpu *cpu, uint64_t sp)
{
	const uint64_t mask = stack_mask(cpu);

	cpu->guest.gpr[HOSTED_RSP] = (cpu->guest.gpr[HOSTED_RSP] & ~mask) | (sp & mask);
}

static bool push(struct cpu *cpu, uint64_t value, unsigned width)
{
	const uint64_t sp = cpu->guest.gpr[HOSTED_RSP] - width;

	if (!stack_move(cpu, sp, &value, width, SVM_PROT_WRITE))
		return false;
	set_sp(cpu, sp);
	return true;
}

static bool pop(struct cpu *cpu, uint64_t *value, unsigned width)
{
	const uint64_t sp = cpu->guest.gpr[HOSTED_RSP];

	*value = 0;
	if (!stack_move(cpu, sp, value, width, SVM_PROT_READ))
		return false;
	set_sp(cpu, sp + width);
	return true;
}

/* CPL and IOPL do not matter in scripts' handlers, all of which run at CPL 0. */
static void set_flags(struct cpu *cpu, uint64_t value, unsigned width)
{
	uint64_t writable = FLAGS_WRITABLE & ~RFLAGS_VM & ~RFLAGS_RF;
	uint64_t *flags = &cpu->guest.v->save.rflags;

	if (width == 2)
		writable &= 0xffff;
	*flags = (*flags & ~writable) | (value & writable) | RFLAGS_1;
}

static bool load_cs(struct cpu *cpu, uint16_t selector)
{
	struct svm_vmcb_save *save = &cpu->guest.v->save;
	const struct guest_access access = { .prot = SVM_PROT_READ, .system = true };
	uint64_t d;

	if (!(save->_cr0 & CR0_PE)) {
		save->_cs.selector = selector;
		save->_cs.base = (uint64_t)selector << 4;
		return true;
	}
	if (!guest_linear(cpu, save->_gdtr.base + (selector & ~7u), &d, 8, access))
		return false;
	save->_cs.selector = selector;
	save->_cs.attributes = (uint16_t)((d >> 40 & 0xff) | (d >> 44 & 0xf00));
	save->_cpl = selector & 3;
	return true;
}

static void iret(struct cpu *cpu, const struct guest_insn *insn)
{
	struct guest *g = &cpu->guest;
	const bool is_64 = guest_code_bits(cpu) == 64;
	const unsigned width = insn->operand;
	const uint64_t old_rsp = g->gpr[HOSTED_RSP];
	uint64_t w[5] = { 0 };

	if (guest_intercept(cpu, insn, SVM_EXIT_IRET, POISON, POISON))
		return;
	for (unsigned i = 0; i < (is_64 ? 5u : 3u); i++) {
		if (!pop(cpu, &w[i], width)) {
			g->gpr[HOSTED_RSP] = old_rsp;
			return;
		}
	}
	if (!load_cs(cpu, (uint16_t)w[1])) {
		g->gpr[HOSTED_RSP] = old_rsp;
		return;
	}
	g->v->save.rip = w[0];
	set_flags(cpu, w[2], width);
	if (is_64) {
		g->gpr[HOSTED_RSP] = w[3];
		g->v->save._ss.selector = (uint16_t)w[4];
	}
	g->v->control._int_control &= ~SVM_INT_V_NMI_MASK;
}

static void jump(struct cpu *cpu, const struct guest_insn *insn, bool taken)
{
	guest_advance(cpu, insn);
	if (taken)
		cpu->guest.v->save.rip += insn->imm;
	if (guest_code_bits(cpu) != 64)
		cpu->guest.v->save.rip &= 0xffffffff;
}

/* MOV to SS in real mode or with a flat descriptor that is loaded already: for its shadow. */
static bool move_ss(struct cpu *cpu, const struct guest_insn *insn)
{
	uint64_t value;

	if ((insn->modrm >> 3 & 7) != 2) {
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return false;
	}
	if (!read_rm(cpu, insn, 2, &value))
		return false;
	cpu->guest.v->save._ss.selector = (uint16_t)value;
	if (!(cpu->guest.v->save._cr0 & CR0_PE))
		cpu->guest.v->save._ss.base = value << 4;
	cpu->guest.shadow_next = true;
	return true;
}

/* NOT, which changes no flag; of its group the only one that guests of the tests use. */
static bool invert(struct cpu *cpu, const struct guest_insn *insn)
{
	uint64_t value;

	if ((insn->modrm >> 3 & 7) != 2) {
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return false;
	}
	return read_rm(cpu, insn, insn->operand, &value) &&
	       write_rm(cpu, insn, insn->operand, ~value);
}

static bool group_ff(struct cpu *cpu, const struct guest_insn *insn)
{
	const unsigned op = insn->modrm >> 3 & 7;
	uint64_t value;

	if (op > 1) {
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return false;
	}
	if (!read_rm(cpu, insn, insn->operand, &value))
		return false;
	value = op ? value - 1 : value + 1;
	if (!write_rm(cpu, insn, insn->operand, value))
		return false;
	set_zs(cpu, value, insn->operand);
	return true;
}

/* INC and DEC with the register in the opcode. */
static bool count(struct cpu *cpu, const struct guest_insn *insn, unsigned n, bool down)
{
	const uint64_t value = cpu->guest.gpr[n] + (down ? ~UINT64_C(0) : 1);

	guest_set_register(cpu, n, value, insn->operand);
	set_zs(cpu, value, insn->operand);
	return true;
}

/* Of its group ADD and CMP. */
static bool group_83(struct cpu *cpu, const struct guest_insn *insn)
{
	const unsigned op = insn->modrm >> 3 & 7;

	if (op != 0 && op != 7) {
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return false;
	}
	return arithmetic(cpu, insn, op == 7 ? '-' : '+', insn->imm);
}

static bool push_flags(struct cpu *cpu, const struct guest_insn *insn)
{
	if (guest_intercept(cpu, insn, SVM_EXIT_PUSHF, POISON, POISON))
		return false;
	return push(cpu, cpu->guest.v->save.rflags & ~(RFLAGS_RF | RFLAGS_VM),
	            stack_width(cpu, insn));
}

static bool pop_flags(struct cpu *cpu, const struct guest_insn *insn)
{
	const unsigned width = stack_width(cpu, insn);
	uint64_t value;

	if (guest_intercept(cpu, insn, SVM_EXIT_POPF, POISON, POISON) || !pop(cpu, &value, width))
		return false;
	set_flags(cpu, value, width);
	return true;
}

/* True: done, advance. */
static bool execute_move(struct cpu *cpu, const struct guest_insn *insn)
{
	const uint64_t reg = guest_truncate(cpu->guest.gpr[insn->reg], insn->operand);
	const unsigned size = insn->opcode & 1 ? insn->operand : 1;
	const unsigned low = (insn->opcode & 7u) | (insn->rex & 1 ? 8 : 0);
	uint64_t value;

	switch (insn->opcode & 0xfff8) {
	case 0x40: /* In 64-bit code these bytes are prefixes. */
	case 0x48:
		return count(cpu, insn, low, (insn->opcode & 8) != 0);
	case 0x50:
		return push(cpu, cpu->guest.gpr[low], stack_width(cpu, insn));
	case 0x58:
		if (!pop(cpu, &value, stack_width(cpu, insn)))
			return false;
		guest_set_register(cpu, low, value, stack_width(cpu, insn));
		return true;
	case 0xb8:
		guest_set_register(cpu, low, insn->imm, insn->operand);
		return true;
	}
	switch (insn->opcode) {
	case 0x01:
		return arithmetic(cpu, insn, '+', reg);
	case 0x31:
		return arithmetic(cpu, insn, '^', reg);
	case 0x39:
		return arithmetic(cpu, insn, '-', reg);
	case 0x85:
		return arithmetic(cpu, insn, '&', reg);
	case 0x83:
		return group_83(cpu, insn);
	case 0x88:
	case 0x89:
		return write_rm(cpu, insn, size, cpu->guest.gpr[insn->reg]);
	case 0x8a:
	case 0x8b:
		if (!read_rm(cpu, insn, size, &value))
			return false;
		guest_set_register(cpu, insn->reg, value, size);
		return true;
	case 0x8e:
		return move_ss(cpu, insn);
	case 0xa1:
		if (!read_rm(cpu, insn, size, &value))
			return false;
		guest_set_register(cpu, HOSTED_RAX, value, size);
		return true;
	case 0xa3:
		return write_rm(cpu, insn, size, cpu->guest.gpr[HOSTED_RAX]);
	case 0xc7:
		return write_rm(cpu, insn, insn->operand, insn->imm);
	case 0xf7:
		return invert(cpu, insn);
	case 0xff:
		return group_ff(cpu, insn);
	case 0x9c:
		return push_flags(cpu, insn);
	case 0x9d:
		return pop_flags(cpu, insn);
	case 0xfa:
		cpu->guest.v->save.rflags &= ~RFLAGS_IF;
		return true;
	case 0xfb: /* A shadow only where IF was 0. */
		cpu->guest.shadow_next = !(cpu->guest.v->save.rflags & RFLAGS_IF);
		cpu->guest.v->save.rflags |= RFLAGS_IF;
		return true;
	default:
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return false;
	}
}

void guest_execute(struct cpu *cpu, const struct guest_insn *insn)
{
	const bool zero = cpu->guest.v->save.rflags & RFLAGS_ZF;

	if (insn->lock) { /* No script locks what can be locked. */
		guest_fault(cpu, SVM_VECTOR_UD, 0, 0);
		return;
	}
	switch (insn->opcode) {
	case 0x90:
		if (insn->rep)
			guest_pause(cpu, insn);
		else
			guest_advance(cpu, insn);
		return;
	case 0xcc:
	case 0xcd:
	case 0xf1:
		guest_soft_interrupt(cpu, insn);
		return;
	case 0xcf:
		iret(cpu, insn);
		return;
	case 0x74:
	case 0x75:
		jump(cpu, insn, zero == (insn->opcode == 0x74));
		return;
	case 0xe9:
	case 0xeb:
		jump(cpu, insn, true);
		return;
	default:
		break;
	}
	if ((insn->opcode >= 0x6c && insn->opcode <= 0x6f) ||
	    (insn->opcode >= 0xe4 && insn->opcode <= 0xe7) ||
	    (insn->opcode >= 0xec && insn->opcode <= 0xef))
		guest_port_io(cpu, insn);
	else if (insn->opcode == 0xf4 || insn->opcode >= 0x0f00)
		guest_execute_system(cpu, insn);
	else if (execute_move(cpu, insn) && !cpu->guest.diverted && !cpu->guest.exiting)
		guest_advance(cpu, insn);
}
