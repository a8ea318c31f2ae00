/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The short way of the commonest emulated access: a driver's MOV to or from a register of a device,
 * be it a callback's or the embedder's.
 *
 * It ends as the long way of emulation.c would, and goes on only while everything is plain.  The
 * instruction is what the processor says it has fetched (decode assists, APM vol. 2, 15.8.4), or is
 * fetched by the last walk for code, each entry of which is read again.  Its operand
 * needs no walk of ours: the processor has just done one for this access, rights and all, and says
 * where it ended.  Two things are asked before it is believed, since another vCPU may have written
 * to code or tables since: that our own last walk for that page ended there too, and that the leaf
 * is what it was then, dirty bit included.  Outside 64-bit mode the segments have to be flat too.
 *
 * Until the callback is asked nothing has changed, and whatever is not plain is left to the long
 * way.  That starts afresh but for the bytes of the instruction, if they were come by.
 */
#include "core/vcpu/device_move.h"

#include "core/vcpu/code_mode.h"
#include "core/vcpu/events.h"
#include "core/vcpu/walk_check.h"
#include "emulate/walk.h"

/* Of a segment that changes no address and refuses none: data, writable, not expand-down. */
#define FLAT_MASK (SVM_SEG_P | SVM_SEG_S | UINT64_C(0xe))
#define FLAT_DATA (SVM_SEG_P | SVM_SEG_S | UINT64_C(0x2))

static bool covers_all(const struct svm_vmcb_segment *segment)
{
	return segment->base == 0 && segment->limit == UINT32_MAX;
}

/* How the code decodes; REAL: in a way, or with a check of alignment, that is not plain. */
static enum svm_insn_mode plain_mode(const struct svm_vcpu *vcpu)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;
	const unsigned bits = svm_vcpu_code_bits(vcpu);

	if (vmcb->save.rflags & RFLAGS_AC)
		return SVM_INSN_MODE_REAL;
	if (bits == 64)
		return SVM_INSN_MODE_64;
	return bits == 32 && covers_all(&vmcb->save._cs) ? SVM_INSN_MODE_32 : SVM_INSN_MODE_REAL;
}

/* FS and GS are no part of a plain move. */
static bool is_flat(const struct svm_vmcb *vmcb, const struct svm_plain_form *form)
{
	const struct svm_vmcb_segment *segment = &(&vmcb->save._es)[form->segment & 3];

	return form->is_wide ||
	       (covers_all(segment) && (segment->attributes & FLAT_MASK) == FLAT_DATA);
}

/* The bytes that the processor has fetched are those it executed, whoever wrote there since. */
static bool read_assist(const struct svm_vcpu *vcpu, uint64_t word[2])
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;

	if (control->insn_count != SVM_INSN_MAX_LENGTH ||
	    !(vcpu->vm->host->features.svm & SVM_FEATURE_DECODE_ASSISTS))
		return false;
	__builtin_memcpy(&word[0], control->insn_bytes, 8);
	__builtin_memcpy(&word[1], control->insn_bytes + 7, 8);
	word[1] >>= 8;
	return true;
}

/* Inside a section: is the operand where the processor did not get on? */
static bool is_operand(const struct svm_vcpu *vcpu, uint32_t mode,
                       const struct svm_plain_form *form, svm_gva_t linear)
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;
	const struct svm_walk_memo *memo = &vcpu->data_walk;
	const uint64_t offset = linear & (SVM_PAGE_SIZE - 1);
	const bool is_store = form->kind != SVM_PLAIN_LOAD;

	if (is_store != !!(control->exit_info_1 & SVM_NPF_WRITE) ||
	    offset + form->size > SVM_PAGE_SIZE || !is_flat(vcpu->vmcb, form))
		return false;
	if (!(svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PG))
		return control->exit_info_2 == linear;
	if (is_store)
		mode |= SVM_WALK_WRITE;
	return control->exit_info_2 == (memo->gpa | offset) &&
	       svm_walk_memo_is_for(memo, vcpu->vmcb, linear, mode) &&
	       svm_atomic_load(&vcpu->vm->memory.generation) == memo->generation &&
	       svm_walk_step_holds(vcpu->vm->host, &memo->step[memo->count - 1]);
}

/* The plain move at RIP, if its operand is at the fault. */
static const struct svm_insn_cache_entry *find_move(struct svm_vcpu *vcpu,
                                                    enum svm_insn_mode code)
{
	const uint32_t mode = svm_walk_memo_mode(vcpu, SVM_WALK_SET_AD);
	const uint64_t rip = vcpu->vmcb->save.rip;
	struct svm_insn_cache_entry *entry;
	uint64_t word[2];

	if (!read_assist(vcpu, word) &&
	    !svm_walk_memo_read(vcpu, &vcpu->code_walk, rip, mode | SVM_WALK_EXECUTE, word))
		return NULL;
	entry = svm_insn_cache_at(&vcpu->insn_cache, rip);
	if ((svm_insn_cache_is(entry, code, word, SVM_INSN_MAX_LENGTH) ||
	     svm_insn_cache_fill(entry, code, word, SVM_INSN_MAX_LENGTH) ==
	             SVM_INSN_OK) &&
	    entry->form.kind != SVM_PLAIN_NONE &&
	    is_operand(vcpu, mode, &entry->form,
	               svm_plain_address(&entry->form, &entry->insn, vcpu->s.gpr, rip)))
		return entry;
	/* The long way need not fetch what is here. */
	__builtin_memcpy(vcpu->emul.bytes, word, sizeof(word));
	vcpu->emul_fetched = SVM_INSN_MAX_LENGTH;
	return NULL;
}

static const struct svm_insn_cache_entry *find_in_section(struct svm_vcpu *vcpu,
                                                          enum svm_insn_mode code)
{
	const unsigned section = svm_section_enter(&vcpu->vm->memory);
	const struct svm_insn_cache_entry *entry = find_move(vcpu, code);

	svm_section_leave(&vcpu->vm->memory, section);
	return entry;
}

/* An absent register reads as ones; behind a value that is stored there are zeros. */
static void fill_access(struct svm_mmio_access *access, const struct svm_insn_cache_entry *entry,
                        const uint64_t *gpr)
{
	const uint64_t mask = ~UINT64_C(0) >> (64 - 8 * entry->form.size);
	uint64_t words[SVM_MMIO_DATA_MAX / 8] = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX };

	access->size = entry->form.size;
	access->is_write = entry->form.kind != SVM_PLAIN_LOAD;
	if (access->is_write) {
		words[0] = svm_plain_source(&entry->form, &entry->insn, gpr) & mask;
		words[1] = words[2] = words[3] = 0;
	}
	__builtin_memcpy(access->data, words, sizeof(words));
}

static void finish_move(struct svm_vcpu *vcpu, const struct svm_plain_form *form, unsigned length,
                        uint64_t value)
{
	const uint64_t next_rip = vcpu->vmcb->save.rip + length;

	if (form->kind == SVM_PLAIN_LOAD) {
		svm_plain_finish_load(form, value, vcpu->s.gpr);
		svm_emulation_take_back(vcpu);
	}
	svm_vcpu_retire(vcpu, next_rip, svm_events_traps(vcpu));
}

static inline const struct svm_insn_cache_entry *find_plain(struct svm_vcpu *vcpu)
{
	const enum svm_insn_mode code = plain_mode(vcpu);

	if (code == SVM_INSN_MODE_REAL)
		return NULL;
	svm_emulation_lend(vcpu);
	return find_in_section(vcpu, code);
}

bool svm_device_move(struct svm_vcpu *vcpu, const struct svm_mmio_range *range)
{
	const struct svm_insn_cache_entry *entry = find_plain(vcpu);
	struct svm_mmio_access access;
	enum svm_device_result answer;
	uint64_t value;

	access.gpa = vcpu->vmcb->control.exit_info_2;
	if (!entry || range->last - access.gpa < entry->form.size - 1u)
		return false;
	fill_access(&access, entry, vcpu->s.gpr);
	answer = range->fn(range->arg, vcpu, &access);
	if (answer == SVM_DEVICE_EXIT) {
		vcpu->declined = true;
		vcpu->declined_gpa = access.gpa;
		return false;
	}
	if (answer == SVM_DEVICE_RETURN)
		svm_atomic_or(&vcpu->requests, SVM_REQUEST_RETURN);
	__builtin_memcpy(&value, access.data, sizeof(value));
	finish_move(vcpu, &entry->form, entry->insn.length, value);
	return true;
}

/* --- the embedder's side ---------------------------------------------------------------------- */

/*
 * As the emulator would leave it: each way to complete the exit finds what it looks for, and the
 * emulator can go on where registers are set from outside before the answer comes.
 */
static void wait_for_answer(struct svm_vcpu *vcpu, const struct svm_insn_cache_entry *entry,
                            const struct svm_mmio_access *access)
{
	svm_emul_forget(&vcpu->emul);
	vcpu->emul.pending.kind = SVM_EMUL_PENDING_MMIO;
	vcpu->emul.pending.address = access->gpa;
	vcpu->emul.pending.size = access->size;
	vcpu->emul.pending.is_write = access->is_write;
	__builtin_memcpy(vcpu->emul.pending.data, access->data, 8);
	vcpu->emul_released = false;
	vcpu->move = entry->form;
	vcpu->move_length = entry->insn.length;
}

bool svm_device_move_out(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_insn_cache_entry *entry = find_plain(vcpu);
	struct svm_mmio_access access;

	/* A callback may own the access's other bytes. */
	access.gpa = vcpu->vmcb->control.exit_info_2;
	if (!entry || svm_vcpu_find_mmio(vcpu, access.gpa + entry->form.size - 1, 1))
		return false;
	fill_access(&access, entry, vcpu->s.gpr);
	wait_for_answer(vcpu, entry, &access);
	svm_exit_owe(vcpu, exit, SVM_EXIT_KIND_MMIO, SVM_OWED_EMULATION, 0);
	exit->insn_len = entry->insn.length;
	exit->insn_count = entry->insn.length;
	__builtin_memcpy(exit->insn, entry->bytes, sizeof(exit->insn));
	exit->mmio.gpa = access.gpa;
	exit->mmio.size = access.size;
	exit->mmio.is_write = access.is_write;
	if (access.is_write)
		memcpy(exit->mmio.data, access.data, access.size);
	return true;
}

void svm_device_move_answer(struct svm_vcpu *vcpu, const void *data)
{
	uint64_t value = 0;

	svm_emulation_lend(vcpu);
	if (vcpu->move.kind == SVM_PLAIN_LOAD)
		memcpy(&value, data, vcpu->move.size);
	svm_emul_forget(&vcpu->emul);
	finish_move(vcpu, &vcpu->move, vcpu->move_length, value);
	vcpu->move_length = 0;
}
