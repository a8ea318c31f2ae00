/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * IN, OUT and their string forms: IOPL first, then the permission map, then the access (15.10).
 */
#include "model.h"

static uint64_t io_info(const struct guest_insn *insn, uint16_t port, unsigned size, bool is_in,
                        bool assists)
{
	uint64_t info = (uint64_t)port << 16 | (uint64_t)size << 4 | (is_in ? SVM_IOIO_IN : 0);

	info |= insn->address_size == 2   ? SVM_IOIO_ADDR_16
	        : insn->address_size == 4 ? SVM_IOIO_ADDR_32
	                                  : SVM_IOIO_ADDR_64;
	if (insn->opcode >= 0x6c && insn->opcode <= 0x6f) {
		info |= SVM_IOIO_STRING;
		if (insn->rep || insn->repne)
			info |= SVM_IOIO_REP;
		if (assists)
			info |= svm_bits_put(is_in ? GUEST_ES : (uint64_t)insn->segment,
			                     SVM_IOIO_SEGMENT);
	}
	return info;
}

/* Every byte of the access is looked up. */
static bool io_protected(struct cpu *cpu, uint16_t port, unsigned size)
{
	const uint64_t base = cpu->guest.v->control._iopm_base & SVM_PAGE_MASK;
	bool found = false;

	for (unsigned i = 0; i < size; i++) {
		const unsigned bit = port + i;
		const uint8_t *page =
			library_page(cpu->m, base + (bit / 32768) * SVM_PAGE_SIZE, "IOPM");

		if (!page)
			return true;
		found |= page[bit / 8 % SVM_PAGE_SIZE] >> (bit % 8) & 1;
	}
	return found;
}

void guest_port_io(struct cpu *cpu, const struct guest_insn *insn)
{
	struct guest *g = &cpu->guest;
	const bool is_string = insn->opcode >= 0x6c && insn->opcode <= 0x6f;
	const bool is_in = is_string ? insn->opcode < 0x6e : !(insn->opcode & 2);
	const unsigned size = !(insn->opcode & 1) ? 1 : insn->operand == 2 ? 2 : 4;
	const bool has_imm = insn->opcode >= 0xe4 && insn->opcode <= 0xe7;
	const uint16_t port = has_imm ? (uint16_t)insn->imm : (uint16_t)g->gpr[HOSTED_RDX];

	if (g->v->save._cpl > svm_bits_get(g->v->save.rflags, SVM_BITS(13, 12))) {
		guest_fault(cpu, SVM_VECTOR_GP, 0, 0); /* No script has a TSS bitmap. */
		return;
	}
	if (intercepted(cpu, SVM_EXIT_IOIO) && io_protected(cpu, port, size)) {
		guest_intercept(cpu, insn, SVM_EXIT_IOIO,
		                io_info(insn, port, size, is_in,
		                        cpu->f.svm_edx & SVM_FEATURE_DECODE_ASSISTS),
		                g->v->save.rip + insn->length);
		return;
	}
	if (is_string) {
		breach(cpu->m, HOSTED_BREACH_MODEL, "string I/O on an open port");
		guest_exit(cpu, SVM_EXIT_SHUTDOWN, POISON, POISON);
		return;
	}
	if (is_in)
		guest_set_register(cpu, HOSTED_RAX, atomic_get(&cpu->m->ports[port]), size);
	else
		atomic_set(&cpu->m->ports[port],
		           (uint32_t)guest_truncate(g->gpr[HOSTED_RAX], size));
	guest_advance(cpu, insn);
}
