/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * IN, OUT, INS, OUTS.  APM vol. 2, 12.2; vol. 3.
 *
 * The permission is checked here too, although the processor has checked it before the intercept:
 * the bytes may be another instruction by now, with another port.
 */
#include "emulate/internal.h"

#define TSS_IOPM_OFFSET 102u
#define TSS_MIN_LIMIT   103u
#define TSS_TYPE_16     0x1u /* Available; 3 when busy.  It has no I/O permission map. */

/*
 * CPL above IOPL, and virtual-8086 mode always, asks the bitmap of a 32- or 64-bit TSS: each port
 * of the access must be clear.  Two bytes are read always, so the map ends with a byte of ones.
 */
static enum svm_emul_result check_bitmap(struct svm_emul *e, uint16_t port, unsigned size)
{
	struct svm_emul_segment tss;
	struct svm_emul_span span;
	enum svm_emul_result result;
	uint64_t offset = 0, bits = 0;

	e->ops->store_segment(e->arg, SVM_EMUL_TR, &tss);
	if (!(tss.attributes & 0x80) || (tss.attributes & 0xd) == TSS_TYPE_16 ||
	    tss.limit < TSS_MIN_LIMIT)
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	result = svm_emul_prepare_linear(e, tss.base + TSS_IOPM_OFFSET, 2,
	                                 SVM_EMUL_READ | SVM_EMUL_SYSTEM, &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &offset);
	if (result != SVM_EMUL_OK)
		return result;
	offset += port / 8u;
	if (offset + 1 > tss.limit)
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	result = svm_emul_prepare_linear(e, tss.base + offset, 2, SVM_EMUL_READ | SVM_EMUL_SYSTEM,
	                                 &span);
	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &span, &bits);
	if (result != SVM_EMUL_OK)
		return result;
	if (bits >> (port & 7u) & ((1u << size) - 1))
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	return SVM_EMUL_OK;
}

static enum svm_emul_result check_permission(struct svm_emul *e, uint16_t port, unsigned size)
{
	const uint64_t iopl = (e->rflags & FLAG_IOPL) >> 12;

	if (!(e->cr0 & 1) || (!e->in_vm86 && e->cpl <= iopl))
		return SVM_EMUL_OK;
	return check_bitmap(e, port, size);
}

static unsigned width(const struct svm_emul *e)
{
	const unsigned size = svm_emul_width(e);

	if (!(e->insn.opcode & 1))
		return 1;
	return size == 8 ? 4 : size; /* REX.W changes nothing. */
}

static uint16_t port_number(const struct svm_emul *e)
{
	const bool immediate = e->insn.opcode >= 0xe4 && e->insn.opcode <= 0xe7;

	return immediate ? (uint8_t)e->insn.imm[0] : (uint16_t)e->gpr[SVM_EMUL_RDX];
}

static enum svm_emul_result single(struct svm_emul *e, bool is_in)
{
	const unsigned size = width(e);
	const uint16_t port = port_number(e);
	uint32_t value = (uint32_t)svm_emul_get_reg(e, SVM_EMUL_RAX, size);
	enum svm_emul_result result = check_permission(e, port, size);

	if (result == SVM_EMUL_OK)
		result = svm_emul_port(e, port, &value, size, is_in);
	if (result != SVM_EMUL_OK)
		return result;
	if (is_in)
		svm_emul_set_reg(e, SVM_EMUL_RAX, size, value);
	e->rip = svm_emul_rip_after(e);
	return SVM_EMUL_OK;
}

/* INS: the destination is checked before the port is read. */
static enum svm_emul_result ins(struct svm_emul *e, uint16_t port, unsigned size)
{
	struct svm_emul_span to;
	uint32_t value = 0;
	enum svm_emul_result result = svm_string_destination(e, size, SVM_EMUL_WRITE, &to);

	if (result == SVM_EMUL_OK)
		result = svm_emul_port(e, port, &value, size, true);
	if (result == SVM_EMUL_OK)
		result = svm_emul_store_u64(e, &to, value);
	if (result == SVM_EMUL_OK)
		svm_string_step(e, SVM_EMUL_RDI, size);
	return result;
}

static enum svm_emul_result outs(struct svm_emul *e, uint16_t port, unsigned size)
{
	struct svm_emul_span from;
	uint64_t value;
	uint32_t word;
	enum svm_emul_result result = svm_string_source(e, size, &from);

	if (result == SVM_EMUL_OK)
		result = svm_emul_load_u64(e, &from, &value);
	if (result != SVM_EMUL_OK)
		return result;
	word = (uint32_t)value;
	result = svm_emul_port(e, port, &word, size, false);
	if (result == SVM_EMUL_OK)
		svm_string_step(e, SVM_EMUL_RSI, size);
	return result;
}

static enum svm_emul_result iterate_port(struct svm_emul *e, bool is_in)
{
	const uint16_t port = (uint16_t)e->gpr[SVM_EMUL_RDX];

	return is_in ? ins(e, port, width(e)) : outs(e, port, width(e));
}

static enum svm_emul_result string(struct svm_emul *e, bool is_in)
{
	const uint16_t port = (uint16_t)e->gpr[SVM_EMUL_RDX];
	enum svm_emul_result result = check_permission(e, port, width(e));

	if (result != SVM_EMUL_OK)
		return result;
	if (!svm_string_repeats(e)) {
		result = iterate_port(e, is_in);
		if (result == SVM_EMUL_OK)
			e->rip = svm_emul_rip_after(e);
		return result;
	}
	for (uint32_t done = 0; done < e->rep_max; done++) {
		if (!(e->gpr[SVM_EMUL_RCX] & svm_emul_address_mask(e))) {
			e->rip = svm_emul_rip_after(e);
			return SVM_EMUL_OK;
		}
		result = iterate_port(e, is_in);
		if (result != SVM_EMUL_OK)
			return svm_string_broken_off(e, done, result);
		if (!svm_string_next(e)) {
			e->rip = svm_emul_rip_after(e);
			return SVM_EMUL_OK;
		}
		if (e->rflags & FLAG_TF)
			break;
	}
	e->rep_goes_on = true;
	return SVM_EMUL_OK;
}

enum svm_emul_result svm_exec_port(struct svm_emul *e)
{
	switch (e->insn.kind) {
	case SVM_INSN_IN:
		return single(e, true);
	case SVM_INSN_OUT:
		return single(e, false);
	case SVM_INSN_INS:
		return string(e, true);
	case SVM_INSN_OUTS:
		return string(e, false);
	default:
		return SVM_EMUL_UNKNOWN;
	}
}
