/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * One instruction from its bytes to its end.  APM vol. 3, 1; vol. 2, 8.
 */
#include "emulate/internal.h"

#define REP_MAX_DEFAULT 1024u

/* The order is that of how often exits need them. */
static enum svm_emul_result (*const families[])(struct svm_emul *e) = {
	svm_exec_integer, svm_exec_string, svm_exec_port, svm_exec_bits, svm_exec_branch,
	svm_exec_segment, svm_exec_system, svm_exec_far, svm_exec_vector,
};

bool svm_emul_is_long(const struct svm_emul *e)
{
	return e->mode == SVM_INSN_MODE_64;
}

enum svm_emul_result svm_emul_raise(struct svm_emul *e, uint8_t vector)
{
	e->fault = (struct svm_emul_fault){ .vector = vector };
	return SVM_EMUL_FAULT;
}

enum svm_emul_result svm_emul_raise_error(struct svm_emul *e, uint8_t vector, uint32_t error)
{
	e->fault = (struct svm_emul_fault){ .vector = vector, .has_error = true, .error = error };
	return SVM_EMUL_FAULT;
}

uint64_t svm_emul_rip_after(const struct svm_emul *e)
{
	const uint64_t next = e->rip + e->insn.length;

	if (svm_emul_is_long(e))
		return next;
	return e->mode == SVM_INSN_MODE_32 ? (uint32_t)next : next & 0xffff;
}

/* --- the bytes ------------------------------------------------------------------------------- */

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/*
 * Fetch up to 15 bytes, each page once.  The end of the segment ends the fetch too: an instruction
 * that needs a byte behind it faults, one that does not is fine.
 */
static enum svm_emul_result fetch_page(struct svm_emul *e)
{
	const unsigned room = SVM_INSN_MAX_LENGTH - e->count;
	uint64_t linear, gpa;
	enum svm_emul_result result;
	unsigned size;

	result = svm_emul_linear(e, SVM_EMUL_CS, e->rip + e->count, 1, SVM_EMUL_FETCH, &linear);
	if (result != SVM_EMUL_OK)
		return result;
	result = e->ops->translate(e->arg, linear, SVM_EMUL_FETCH, &gpa, &e->fault);
	if (result != SVM_EMUL_OK)
		return result;
	size = min(room, 4096u - (unsigned)(linear & 4095u));
	if (!svm_emul_is_long(e))
		size = (unsigned)(e->segment[SVM_EMUL_CS].limit - (e->rip + e->count) < size
		                          ? e->segment[SVM_EMUL_CS].limit - (e->rip + e->count) + 1
		                          : size);
	result = e->ops->ram_read(e->arg, gpa, e->bytes + e->count, size);
	/* No processor executed it from there: its page is another one than when it exited. */
	if (result == SVM_EMUL_NOT_RAM)
		return e->class == SVM_EMUL_ANY ? SVM_EMUL_UNKNOWN : SVM_EMUL_RETRY;
	if (result == SVM_EMUL_OK)
		e->count = (uint8_t)(e->count + size);
	return result;
}

static enum svm_insn_status decode_bytes(struct svm_emul *e)
{
	if (e->cache)
		return svm_insn_cache_decode(e->cache, e->rip, e->mode, e->bytes, e->count,
		                             &e->insn);
	return svm_insn_decode(e->mode, e->bytes, e->count, &e->insn);
}

static enum svm_emul_result decode(struct svm_emul *e)
{
	enum svm_insn_status status = SVM_INSN_TRUNCATED;

	if (e->count)
		status = decode_bytes(e);
	/* At most two pages hold 15 bytes; a segment may end in between. */
	for (unsigned page = 0; status == SVM_INSN_TRUNCATED && page < 3; page++) {
		const enum svm_emul_result result = fetch_page(e);

		if (result != SVM_EMUL_OK)
			return result;
		status = decode_bytes(e);
	}
	switch (status) {
	case SVM_INSN_OK:
		return SVM_EMUL_OK;
	case SVM_INSN_TRUNCATED:
	case SVM_INSN_TOO_LONG:
		return svm_emul_raise_error(e, VECTOR_GP, 0);
	case SVM_INSN_ILLEGAL:
		return svm_emul_raise(e, VECTOR_UD);
	case SVM_INSN_UNKNOWN:
		break;
	}
	return SVM_EMUL_UNKNOWN;
}

/* --- what the exit allows --------------------------------------------------------------------- */

static bool is_port_kind(unsigned kind)
{
	return kind == SVM_INSN_IN || kind == SVM_INSN_OUT || kind == SVM_INSN_INS ||
	       kind == SVM_INSN_OUTS;
}

/*
 * Of the instructions with a kind those that touch memory: their stack, or an operand that may be
 * there.  INVLPG names an address and touches nothing; MOV CR and DR have no operand in memory,
 * whatever their ModRM says.
 */
static bool is_memory_kind(const struct svm_emul *e)
{
	switch (e->insn.kind) {
	case SVM_INSN_OTHER:
	case SVM_INSN_INT:
	case SVM_INSN_INT1:
	case SVM_INSN_INT3:
	case SVM_INSN_INTO:
	case SVM_INSN_IRET:
	case SVM_INSN_POPF:
	case SVM_INSN_PUSHF:
		return true;
	case SVM_INSN_BOUND:
	case SVM_INSN_INVPCID:
	case SVM_INSN_LGDT:
	case SVM_INSN_LIDT:
	case SVM_INSN_LLDT:
	case SVM_INSN_LMSW:
	case SVM_INSN_LTR:
	case SVM_INSN_SGDT:
	case SVM_INSN_SIDT:
	case SVM_INSN_SLDT:
	case SVM_INSN_SMSW:
	case SVM_INSN_STR:
		return svm_emul_rm_is_memory(e);
	default:
		return is_port_kind(e->insn.kind);
	}
}

/* Someone may have rewritten the code since the exit: then the guest simply runs again. */
static bool is_allowed(const struct svm_emul *e)
{
	switch (e->class) {
	case SVM_EMUL_IO:
		return is_port_kind(e->insn.kind);
	case SVM_EMUL_STATUS_WORD:
		return e->insn.kind == SVM_INSN_CLTS || e->insn.kind == SVM_INSN_LMSW ||
		       e->insn.kind == SVM_INSN_SMSW;
	case SVM_EMUL_MEMORY:
		return is_memory_kind(e);
	case SVM_EMUL_ANY:
		break;
	}
	return true;
}

/* The log belongs to one instruction at one place. */
static void match_log(struct svm_emul *e)
{
	if (e->log_count && (e->log_rip != e->rip ||
	                     memcmp(e->log_bytes, e->bytes, e->insn.length) != 0))
		e->log_count = 0;
	e->log_used = 0;
	e->log_rip = e->rip;
	__builtin_memcpy(e->log_bytes, e->bytes, sizeof(e->log_bytes));
}

static enum svm_emul_result execute(struct svm_emul *e)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const enum svm_emul_result result = families[i](e);

		if (result != SVM_EMUL_UNKNOWN)
			return result;
	}
	return SVM_EMUL_UNKNOWN;
}

enum svm_emul_result svm_emulate(struct svm_emul *e)
{
	enum svm_emul_result result;

	e->sets_shadow = false;
	e->rep_goes_on = false;
	e->keeps_rf = false;
	e->task_switched = false;
	e->touched = false;
	e->insn.length = 0;
	e->pending.kind = SVM_EMUL_PENDING_NOTHING;
	if (!e->rep_max)
		e->rep_max = REP_MAX_DEFAULT;
	result = decode(e);
	if (result != SVM_EMUL_OK)
		return result;
	if (!is_allowed(e))
		return SVM_EMUL_RETRY;
	match_log(e);
	result = execute(e);
	if (result == SVM_EMUL_OK && !e->rep_goes_on && !e->keeps_rf)
		e->rflags &= ~FLAG_RF;
	if (result != SVM_EMUL_EXIT && result != SVM_EMUL_ABSENT)
		svm_emul_log_commit(e);
	return result;
}

void svm_emul_answer(struct svm_emul *e, const void *data)
{
	struct svm_emul_access *access;

	if (e->pending.kind == SVM_EMUL_PENDING_NOTHING || e->log_count >= SVM_EMUL_LOG_MAX)
		return;
	access = &e->log[e->log_count++];
	*access = e->pending;
	if (!access->is_write)
		memcpy(access->data, data, access->size);
	e->pending.kind = SVM_EMUL_PENDING_NOTHING;
}

void svm_emul_forget(struct svm_emul *e)
{
	svm_emul_log_commit(e);
	e->pending.kind = SVM_EMUL_PENDING_NOTHING;
}
