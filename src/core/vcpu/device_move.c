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
 * A driver repeats itself, so what an instruction at this address was found to be is kept with who
 * answers for the device (struct svm_device_move).  The bytes are read and compared each time, and
 * so are the registers and entries that decide what they mean and where their operand lies.
 *
 * Until the callback is asked nothing has changed, and whatever is not plain is left to the long
 * way.  That starts afresh but for the bytes of the instruction, if they were come by.
 */
#include "core/vcpu/device_move.h"

#include "core/vcpu/code_mode.h"
#include "core/vcpu/events.h"
#include "core/vcpu/walk_check.h"
#include "emulate/walk.h"

#define NO_WALK UINT64_MAX /* Of svm_device_move.walk. */

/* Of a segment that changes no address and refuses none: data, writable, not expand-down. */
#define FLAT_MASK (SVM_SEG_P | SVM_SEG_S | UINT64_C(0xe))
#define FLAT_DATA (SVM_SEG_P | SVM_SEG_S | UINT64_C(0x2))

static inline bool covers_all(const struct svm_vmcb_segment *segment)
{
	return segment->base == 0 && segment->limit == UINT32_MAX;
}

/* How the code decodes; REAL: in a way, or with a check of alignment, that is not plain. */
static inline enum svm_insn_mode plain_mode(const struct svm_vcpu *vcpu)
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
static inline bool is_flat(const struct svm_vmcb *vmcb, const struct svm_plain_form *form)
{
	const struct svm_vmcb_segment *segment = &(&vmcb->save._es)[form->segment & 3];

	return form->is_wide ||
	       (covers_all(segment) && (segment->attributes & FLAT_MASK) == FLAT_DATA);
}

static inline bool has_assist(const struct svm_vcpu *vcpu)
{
	return vcpu->vmcb->control.insn_count == SVM_INSN_MAX_LENGTH &&
	       (vcpu->vm->host->features.svm & SVM_FEATURE_DECODE_ASSISTS);
}

/* The bytes that the processor has fetched are those it executed, whoever wrote there since. */
static void read_assist(const struct svm_vcpu *vcpu, uint64_t word[2])
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;

	__builtin_memcpy(&word[0], control->insn_bytes, 8);
	__builtin_memcpy(&word[1], control->insn_bytes + 7, 8);
	word[1] >>= 8;
}

/* Inside a section. */
static bool read_code(const struct svm_vcpu *vcpu, uint32_t walk_mode, uint64_t word[2])
{
	if (!has_assist(vcpu))
		return svm_walk_memo_read(vcpu, &vcpu->code_walk, vcpu->vmcb->save.rip,
		                          walk_mode | SVM_WALK_EXECUTE, word);
	read_assist(vcpu, word);
	return true;
}

/* Inside a section, of a guest that pages: what is kept of the last walk still ends there. */
static SVM_LONG_WAY bool is_translated(const struct svm_vcpu *vcpu, uint32_t walk_mode,
                                       svm_gva_t linear)
{
	const struct svm_walk_memo *memo = &vcpu->data_walk;

	return vcpu->vmcb->control.exit_info_2 == (memo->gpa | (linear & (SVM_PAGE_SIZE - 1))) &&
	       svm_walk_memo_is_for(memo, vcpu->vmcb, linear, walk_mode) &&
	       svm_atomic_load(&vcpu->vm->memory.generation) == memo->generation &&
	       svm_walk_step_holds(vcpu->vm->host, &memo->step[memo->count - 1]);
}

static inline bool is_store(const struct svm_device_move *move)
{
	return move->form.kind != SVM_PLAIN_LOAD;
}

/* Inside a section: is the operand where the processor did not get on? */
static inline bool is_operand(const struct svm_vcpu *vcpu, const struct svm_device_move *move)
{
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;
	const svm_gva_t linear = svm_plain_address(&move->form, move->offset, vcpu->s.gpr);

	if (!is_flat(vcpu->vmcb, &move->form))
		return false;
	if (!(svm_vmcb_get_cr0(vcpu->vmcb) & CR0_PG))
		return control->exit_info_2 == linear;
	return is_translated(vcpu, move->walk_mode | (is_store(move) ? SVM_WALK_WRITE : 0), linear);
}

/* --- what was found before -------------------------------------------------------------------- */

/*
 * The first of two places for what RIP and address lead to; the other one is NEXT_PLACE behind it.
 * A function that drives a device may be told the register, so both count.
 */
#define NEXT_PLACE 2u
_Static_assert(SVM_DEVICE_MOVES - NEXT_PLACE == 4, "found without a division");
static inline struct svm_device_move *places_of(struct svm_vcpu *vcpu)
{
	const uint64_t rip = vcpu->vmcb->save.rip, gpa = vcpu->vmcb->control.exit_info_2;

	return &vcpu->moves[(rip + (gpa >> 4)) % (SVM_DEVICE_MOVES - NEXT_PLACE)];
}

/* Not the one that was taken last: instructions that take turns find a place each. */
static struct svm_device_move *take_place(struct svm_vcpu *vcpu)
{
	struct svm_device_move *move = places_of(vcpu);

	if (move == &vcpu->moves[vcpu->last_move])
		move += NEXT_PLACE;
	vcpu->last_move = (uint8_t)(move - vcpu->moves);
	return move;
}

void svm_device_forget(struct svm_vcpu *vcpu)
{
	for (unsigned i = 0; i < SVM_DEVICE_MOVES; i++)
		vcpu->moves[i].cpl = SVM_DEVICE_MOVE_NONE;
}

/* Selector, attributes and limit of CS in one. */
static inline uint64_t cs_word(const struct svm_vmcb *vmcb)
{
	uint64_t word;

	__builtin_memcpy(&word, &vmcb->save._cs, sizeof(word));
	return word;
}

/* All that makes the code what it is, but its bytes. */
static inline bool is_same_exit(const struct svm_vcpu *vcpu, const struct svm_device_move *move)
{
	const struct svm_vmcb *vmcb = vcpu->vmcb;

	return move->rip == vmcb->save.rip && move->gpa == vmcb->control.exit_info_2 &&
	       move->info == (uint8_t)vmcb->control.exit_info_1 &&
	       move->cpl == svm_vmcb_get_cpl(vmcb) && move->cs == cs_word(vmcb) &&
	       vmcb->save._cs.base == 0 && move->cr0 == (uint32_t)svm_vmcb_get_cr0(vmcb) &&
	       move->efer == (uint16_t)svm_vmcb_get_efer(vmcb) &&
	       !(vmcb->save.rflags & (RFLAGS_AC | RFLAGS_VM)) &&
	       move->serial == vcpu->vm->mmio.serial;
}

/*
 * Inside a section: the bytes at RIP, if the walk that once led there is kept and would end there
 * again.  Of what a walk depends on, is_same_exit() has compared the rest.  No slot has come to
 * where the device is either: it has none in the number of the walk's memory.
 */
static inline bool find_code(const struct svm_vcpu *vcpu, const struct svm_device_move *move,
                             const void **code)
{
	const struct svm_walk_memo *walk = &vcpu->code_walk;

	if (!SVM_MOSTLY(move->walk == walk->serial && walk->cr3 == svm_vmcb_get_cr3(vcpu->vmcb) &&
	                walk->cr4 == svm_vmcb_get_cr4(vcpu->vmcb) &&
	                svm_walk_memo_holds(vcpu->vm, walk)))
		return false;
	return svm_host_find(vcpu->vm->host, walk->hpa | (move->rip & (SVM_PAGE_SIZE - 1)), code);
}

/* Bytes behind the instruction too: without its length that is less to do. */
static inline bool are_same(const struct svm_device_move *move, uint64_t first, uint64_t second)
{
	return move->word[0] == first && move->word[1] == second;
}

static SVM_LONG_WAY bool is_same_assist(const struct svm_vcpu *vcpu,
                                        const struct svm_device_move *move)
{
	uint64_t word[2];

	read_assist(vcpu, word);
	return move->walk == NO_WALK && are_same(move, word[0], word[1]) &&
	       svm_device_is_alone(vcpu, move->gpa);
}

/* Inside a section. */
static inline bool is_same_code(const struct svm_vcpu *vcpu, const struct svm_device_move *move)
{
	const void *code;
	uint64_t word[2];

	if (has_assist(vcpu))
		return is_same_assist(vcpu, move);
	if (!SVM_MOSTLY(find_code(vcpu, move, &code)))
		return false;
	__builtin_memcpy(&word[0], code, sizeof(word[0]));
	__builtin_memcpy(&word[1], (const uint8_t *)code + sizeof(word[0]), sizeof(word[1]));
	return are_same(move, word[0], word[1]);
}

static inline bool is_same(struct svm_vcpu *vcpu, const struct svm_device_move *move)
{
	const unsigned section = svm_section_enter(&vcpu->vm->memory);
	const bool same = is_same_code(vcpu, move) && is_operand(vcpu, move);

	svm_section_leave(&vcpu->vm->memory, section);
	return same;
}

/* --- the first time --------------------------------------------------------------------------- */

/* False: an access over the end of a page or of a range, or in the other direction. */
static bool describe_move(const struct svm_vcpu *vcpu, const struct svm_insn_cache_entry *entry,
                          const uint64_t word[2], const struct svm_mmio_range *range,
                          uint32_t walk_mode, struct svm_device_move *move)
{
	const uint64_t write = entry->form.kind == SVM_PLAIN_LOAD ? 0 : SVM_NPF_WRITE;
	const struct svm_vmcb_control *control = &vcpu->vmcb->control;
	const svm_gpa_t gpa = control->exit_info_2, last = gpa + entry->form.size - 1;

	*move = (struct svm_device_move){
		.rip = vcpu->vmcb->save.rip,
		.gpa = gpa,
		.cs = cs_word(vcpu->vmcb),
		.cr0 = (uint32_t)svm_vmcb_get_cr0(vcpu->vmcb),
		.efer = (uint16_t)svm_vmcb_get_efer(vcpu->vmcb),
		.cpl = SVM_DEVICE_MOVE_NONE, /* Until it is found to be at the fault. */
		.info = (uint8_t)control->exit_info_1,
		.serial = vcpu->vm->mmio.serial,
		.range = range,
		.word = { word[0], word[1] },
		.offset = svm_plain_offset(&entry->form, entry->insn.disp,
		                           vcpu->vmcb->save.rip + entry->insn.length),
		.imm = (int32_t)entry->insn.imm[0],
		.form = entry->form,
		.length = entry->insn.length,
		.walk_mode = (uint16_t)walk_mode,
		.walk = has_assist(vcpu) ? NO_WALK : vcpu->code_walk.serial,
	};
	if (vcpu->vmcb->save._cs.base || /* Of 64-bit code; it means nothing. */
	    !svm_vcpu_is_near(vcpu, vcpu->vmcb->save.rip + entry->insn.length) ||
	    write != (control->exit_info_1 & SVM_NPF_WRITE) || (gpa ^ last) & SVM_PAGE_MASK)
		return false;
	return range ? last <= range->last : !svm_vcpu_find_mmio(vcpu, last, 1);
}

/* Inside a section: the plain move at RIP, if its operand is at the fault. */
static bool find_move(struct svm_vcpu *vcpu, enum svm_insn_mode code,
                      const struct svm_mmio_range *range, struct svm_device_move *move)
{
	const uint32_t walk_mode = svm_walk_memo_mode(vcpu, SVM_WALK_SET_AD);
	struct svm_insn_cache_entry *entry;
	uint64_t word[2];

	if (!read_code(vcpu, walk_mode, word))
		return false;
	entry = svm_insn_cache_at(&vcpu->insn_cache, vcpu->vmcb->save.rip);
	if ((svm_insn_cache_is(entry, code, word, SVM_INSN_MAX_LENGTH) ||
	     svm_insn_cache_fill(entry, code, word, SVM_INSN_MAX_LENGTH) == SVM_INSN_OK) &&
	    entry->form.kind != SVM_PLAIN_NONE &&
	    describe_move(vcpu, entry, word, range, walk_mode, move) && is_operand(vcpu, move))
		return true;
	/* The long way need not fetch what is here. */
	__builtin_memcpy(vcpu->emul.bytes, word, sizeof(word));
	vcpu->emul_fetched = SVM_INSN_MAX_LENGTH;
	return false;
}

static SVM_LONG_WAY const struct svm_device_move *find_anew(struct svm_vcpu *vcpu,
                                                            const struct svm_mmio_range *range)
{
	const enum svm_insn_mode code = plain_mode(vcpu);
	struct svm_device_move *const move = take_place(vcpu);
	unsigned section;
	bool found;

	move->cpl = SVM_DEVICE_MOVE_NONE;
	if (code == SVM_INSN_MODE_REAL)
		return NULL;
	svm_emulation_lend(vcpu);
	section = svm_section_enter(&vcpu->vm->memory);
	found = find_move(vcpu, code, range, move);
	svm_section_leave(&vcpu->vm->memory, section);
	if (!found)
		return NULL;
	/* With assists the slots are asked each time; the number of the walk answers for both. */
	if (move->walk == NO_WALK || (svm_device_is_alone(vcpu, move->gpa) &&
	                              vcpu->code_walk.generation == vcpu->hole_generation))
		move->cpl = svm_vmcb_get_cpl(vcpu->vmcb);
	return move;
}

/* --- the access ------------------------------------------------------------------------------- */

/* An absent register reads as ones; behind the value there are zeros. */
static inline void fill_access(struct svm_mmio_access *access, const struct svm_device_move *move,
                               const uint64_t *gpr)
{
	const struct svm_plain_form *form = &move->form;
	uint64_t value = UINT64_MAX;

	if (is_store(move))
		value = svm_plain_source(form, (uint64_t)(int64_t)move->imm, gpr);
	access->gpa = move->gpa;
	access->size = form->size;
	access->is_write = is_store(move);
	__builtin_memcpy(access->data, &value, sizeof(value));
	__builtin_memset(access->data + sizeof(value), 0, sizeof(access->data) - sizeof(value));
}

static inline void finish_load(struct svm_vcpu *vcpu, const struct svm_plain_form *form,
                               uint64_t value)
{
	if (form->kind != SVM_PLAIN_LOAD)
		return;
	svm_plain_finish_load(form, value, vcpu->s.gpr);
	svm_emulation_take_back(vcpu);
}

/* The callback leaves this access to the embedder. */
static SVM_LONG_WAY enum svm_action decline(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	vcpu->declined = true;
	vcpu->declined_gpa = vcpu->vmcb->control.exit_info_2;
	return svm_emulation_run(vcpu, exit, SVM_EMUL_MEMORY);
}

/*
 * As the emulator would leave it: each way to complete the exit finds what it looks for, and the
 * emulator can go on where registers are set from outside before the answer comes.
 */
static void wait_for_answer(struct svm_vcpu *vcpu, const struct svm_device_move *move,
                            const struct svm_mmio_access *access)
{
	svm_emul_forget(&vcpu->emul);
	vcpu->emul.pending.kind = SVM_EMUL_PENDING_MMIO;
	vcpu->emul.pending.address = access->gpa;
	vcpu->emul.pending.size = access->size;
	vcpu->emul.pending.is_write = access->is_write;
	__builtin_memcpy(vcpu->emul.pending.data, access->data, 8);
	vcpu->emul_released = false;
	vcpu->move = move->form;
	vcpu->move_length = move->length;
}

static SVM_LONG_WAY enum svm_action ask_embedder(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                                 const struct svm_device_move *move)
{
	struct svm_mmio_access access;

	fill_access(&access, move, vcpu->s.gpr);
	wait_for_answer(vcpu, move, &access);
	svm_exit_owe_here(vcpu, exit, SVM_EXIT_KIND_MMIO, SVM_OWED_EMULATION, 0);
	exit->insn_len = move->length;
	exit->insn_count = move->length;
	__builtin_memcpy(exit->insn, move->word, sizeof(exit->insn));
	exit->mmio.gpa = access.gpa;
	exit->mmio.size = access.size;
	exit->mmio.is_write = access.is_write;
	__builtin_memcpy(exit->mmio.data, access.data, sizeof(exit->mmio.data));
	return SVM_ACTION_RETURN;
}

void svm_device_move_answer(struct svm_vcpu *vcpu, const void *data)
{
	uint64_t value = 0;

	svm_emulation_lend(vcpu);
	if (vcpu->move.kind == SVM_PLAIN_LOAD)
		memcpy(&value, data, vcpu->move.size);
	svm_emul_forget(&vcpu->emul);
	finish_load(vcpu, &vcpu->move, value);
	svm_vcpu_advance(vcpu, vcpu->vmcb->save.rip + vcpu->move_length);
	vcpu->move_length = 0;
}

static inline bool embedder_answers(const struct svm_vcpu *vcpu)
{
	return vcpu->vm->want & SVM_WANT_MMIO;
}

bool svm_device_answers(const struct svm_vcpu *vcpu, svm_gpa_t gpa)
{
	return svm_vcpu_find_mmio(vcpu, gpa, 1) || embedder_answers(vcpu);
}

/* The address is nobody's. */
static SVM_LONG_WAY enum svm_action refuse_access(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	return svm_exit_npf_refused(vcpu, exit, SVM_NPT_FAULT_ABSENT);
}

static inline __attribute__((__always_inline__)) enum svm_action
carry_out(struct svm_vcpu *vcpu, struct svm_exit *exit, const struct svm_device_move *move)
{
	const struct svm_mmio_range *range = move->range;
	struct svm_mmio_access access;
	enum svm_device_result answer;
	uint64_t value;

	if (!SVM_MOSTLY(range))
		return embedder_answers(vcpu) ? ask_embedder(vcpu, exit, move)
		                              : refuse_access(vcpu, exit);
	fill_access(&access, move, vcpu->s.gpr);
	answer = range->fn(range->arg, vcpu, &access);
	if (!SVM_MOSTLY(answer == SVM_DEVICE_DONE)) {
		if (answer == SVM_DEVICE_EXIT)
			return decline(vcpu, exit);
		svm_atomic_or(&vcpu->s.requests, SVM_REQUEST_RETURN);
	}
	__builtin_memcpy(&value, access.data, sizeof(value));
	finish_load(vcpu, &move->form, value);
	return svm_vcpu_advance_near(vcpu, move->rip + move->length);
}

enum svm_action svm_device_first(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_mmio_range *const range =
		svm_vcpu_find_mmio(vcpu, vcpu->vmcb->control.exit_info_2, 1);
	const struct svm_device_move *move;

	if (!range && !embedder_answers(vcpu))
		return refuse_access(vcpu, exit);
	move = find_anew(vcpu, range);
	if (!move)
		return svm_emulation_run(vcpu, exit, SVM_EMUL_MEMORY);
	return carry_out(vcpu, exit, move);
}

static SVM_LONG_WAY enum svm_action carry_out_again(struct svm_vcpu *vcpu, struct svm_exit *exit,
                                                    const struct svm_device_move *move)
{
	svm_emulation_lend(vcpu);
	return SVM_MOSTLY(is_same(vcpu, move)) ? carry_out(vcpu, exit, move)
	                                       : svm_exit_npf_anew(vcpu, exit);
}

/* Without a frame, for the many faults that are no access to a device. */
enum svm_action svm_device_again(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	const struct svm_device_move *move = places_of(vcpu);

	if (is_same_exit(vcpu, move))
		return carry_out_again(vcpu, exit, move);
	move += NEXT_PLACE;
	if (is_same_exit(vcpu, move))
		return carry_out_again(vcpu, exit, move);
	return svm_exit_npf_anew(vcpu, exit);
}
