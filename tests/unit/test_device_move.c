/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The short way of a driver's access against the long one: the same exit twice, once with nothing
 * remembered, and everything that a guest or an embedder can see must be the same.
 */
#include "core/vcpu/device_move.h"
#include "emulate/internal.h"
#include "vcpu_rig.h"

#define MARK UINT64_C(0xfeedfeedfeedfeed)

#define DEVICE_SIZE UINT64_C(0x1802) /* Over a page end, and with one of its own in a page. */

/* One access as the device saw it. */
struct seen {
	unsigned calls;
	struct svm_mmio_access access;
};

struct device {
	struct seen seen;
	enum svm_device_result result;
	uint64_t answer;
};

/* What came of an exit. */
struct outcome {
	enum svm_action action;
	enum svm_exit_kind kind;
	struct svm_regs regs;
	uint64_t shadow, requests;
	bool exception;
	uint8_t vector;
	uint32_t error;
	struct seen seen;
	struct svm_exit exit; /* Of RETURN. */
	bool was_short;
};

static uint64_t seed = 1;

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 16) % below;
}

static enum svm_device_result device_access(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_mmio_access *access)
{
	struct device *d = arg;

	(void)vcpu;
	d->seen.calls++;
	d->seen.access.gpa = access->gpa;
	d->seen.access.size = access->size;
	d->seen.access.is_write = access->is_write;
	memcpy(d->seen.access.data, access->data, access->size);
	if (d->result != SVM_DEVICE_EXIT && !access->is_write)
		memcpy(access->data, &d->answer, access->size);
	return d->result;
}

static void start(struct rig *r, struct device *d, enum rig_mode mode)
{
	*d = (struct device){ .result = SVM_DEVICE_DONE, .answer = 0xa7a6a5a4a3a2a1a0 };
	rig_init(r, NULL, mode);
	ck_assert_int_eq(svm_vm_mmio_handler(r->vm, RIG_HOLE, DEVICE_SIZE, device_access, d),
	                 0);
	/* CR0.AM: with RFLAGS.AC at CPL 3 alignment is checked. */
	svm_vmcb_set_cr0(r->vcpu->vmcb, svm_vmcb_get_cr0(r->vcpu->vmcb) | SVM_BIT(18));
}

static void forget(struct rig *r)
{
	r->vcpu->code_walk.mode = 0;
	r->vcpu->data_walk.mode = 0;
	memset(&r->vcpu->insn_cache, 0, sizeof(r->vcpu->insn_cache));
	svm_device_forget(r->vcpu);
}

/* The guest's state and the exit of one access. */
struct access_case {
	uint8_t bytes[16];
	struct svm_regs regs;
	uint8_t cpl;
	uint64_t info1, info2;
	uint8_t assist; /* Bytes that the processor says it has fetched. */
};

static struct outcome run_case(struct rig *r, struct device *d, const struct access_case *c)
{
	struct svm_vcpu *vcpu = r->vcpu;
	struct svm_vmcb_control *control = &vcpu->vmcb->control;
	struct outcome o;

	memset(&o, 0, sizeof(o));
	if (svm_vcpu_set_regs(vcpu, &c->regs))
		ck_abort_msg("the registers are refused");
	svm_vmcb_set_cpl(vcpu->vmcb, c->cpl);
	vcpu->events.exception_pending = false;
	vcpu->owed = SVM_OWED_NOTHING;
	svm_emulation_forget(vcpu);
	svm_atomic_store(&vcpu->s.requests, 0);
	control->exit_code = SVM_EXIT_NPF;
	control->exit_info_1 = c->info1;
	control->exit_info_2 = c->info2;
	control->int_state = SVM_INT_STATE_SHADOW;
	control->insn_count = c->assist;
	memcpy(control->insn_bytes, c->bytes, 15);
	memset(&d->seen, 0, sizeof(d->seen));
	vcpu->emul.rip = MARK; /* The long way writes there. */
	o.action = svm_exit_dispatch(vcpu, &r->exit);
	o.kind = o.action == SVM_ACTION_RETURN ? r->exit.kind : SVM_EXIT_KIND_NONE;
	if (o.kind == SVM_EXIT_KIND_MMIO)
		o.exit = r->exit;
	o.was_short = (d->seen.calls || o.kind == SVM_EXIT_KIND_MMIO) && vcpu->emul.rip == MARK;
	svm_vcpu_get_regs(vcpu, &o.regs);
	o.shadow = control->int_state;
	o.requests = svm_atomic_load(&vcpu->s.requests);
	o.exception = vcpu->events.exception_pending;
	o.vector = o.exception ? vcpu->events.exception_vector : 0;
	o.error = o.exception ? vcpu->events.exception_error : 0;
	o.seen = d->seen;
	return o;
}

static void check_same(const struct outcome *a, const struct outcome *b, const char *what)
{
	if (a->action != b->action || a->kind != b->kind)
		ck_abort_msg("%s: exit", what);
	if (memcmp(&a->regs, &b->regs, sizeof(a->regs)) != 0)
		ck_abort_msg("%s: registers", what);
	if (a->shadow != b->shadow || a->requests != b->requests)
		ck_abort_msg("%s: state", what);
	if (a->exception != b->exception || a->vector != b->vector || a->error != b->error)
		ck_abort_msg("%s: exception", what);
	if (a->seen.calls != b->seen.calls ||
	    memcmp(&a->seen.access, &b->seen.access, sizeof(a->seen.access)) != 0)
		ck_abort_msg("%s: the device", what);
}

/* --- any move --------------------------------------------------------------------------------- */

static void any_bytes(uint8_t bytes[16], enum rig_mode mode)
{
	static const uint8_t opcodes[] = { 0x88, 0x89, 0x8a, 0x8b, 0xc6, 0xc7, 0xb6, 0xb7, 0xa1,
		                           0xa3, 0xbe, 0x01, 0x39, 0x87, 0xa4, 0xff, 0xa0 };
	const uint8_t opcode = opcodes[draw(4) ? draw(10) : draw(sizeof(opcodes))];
	unsigned at = 0;

	for (unsigned i = 0; i < 16; i++)
		bytes[i] = (uint8_t)draw(256);
	if (draw(8) == 0)
		bytes[at++] = (uint8_t)(0x64 + draw(4)); /* FS, GS, 66, 67 */
	if (mode == RIG_32 && draw(8) == 0)
		bytes[at++] = (uint8_t)(0x26 + draw(4) * 8); /* ES, CS, SS, DS */
	if (mode == RIG_64 && draw(2))
		bytes[at++] = (uint8_t)(0x40 + draw(16));
	if (opcode >= 0xb0 && opcode < 0xc0)
		bytes[at++] = 0x0f;
	bytes[at++] = opcode;
	if (opcode >= 0xc0)
		bytes[at] &= 0xc7;
	bytes[at] &= draw(8) ? 0xbf : 0xff; /* Rarely a register. */
}

static uint64_t *register_of(struct svm_regs *regs, unsigned n)
{
	uint64_t *const home[] = { &regs->rax, &regs->rcx, &regs->rdx, &regs->rbx, &regs->rsp,
		                   &regs->rbp, &regs->rsi, &regs->rdi, &regs->r8,  &regs->r9,
		                   &regs->r10, &regs->r11, &regs->r12, &regs->r13, &regs->r14,
		                   &regs->r15 };

	return home[n & 15];
}

/* Turn the base register, or the displacement if there is none, so that the operand is at `to`. */
static bool aim(struct access_case *c, uint64_t to, enum rig_mode rig_mode)
{
	const enum svm_insn_mode mode = rig_mode == RIG_64 ? SVM_INSN_MODE_64 : SVM_INSN_MODE_32;
	uint64_t gpr[16], address;
	struct svm_emul e = { .gpr = gpr, .mode = mode, .rip = RIG_CODE };
	struct svm_plain_form form;
	unsigned segment;
	uint32_t disp;

	if (svm_insn_decode(mode, c->bytes, 15, &e.insn) != SVM_INSN_OK)
		return false;
	for (unsigned n = 0; n < 16; n++)
		gpr[n] = *register_of(&c->regs, n);
	if (!e.insn.has_modrm && e.insn.disp_size) { /* MOV of an offset */
		memcpy(c->bytes + e.insn.length - e.insn.disp_size, &to, e.insn.disp_size);
		return true;
	}
	if (!svm_emul_rm_is_memory(&e)) {
		*register_of(&c->regs, draw(2) ? 6 : 7) = to; /* MOVS */
		return true;
	}
	address = svm_emul_effective_address(&e, &segment);
	form.base = (uint8_t)((e.insn.has_sib ? e.insn.sib & 7u : svm_insn_rm(&e.insn)) |
	                      (e.insn.rex & SVM_INSN_REX_B ? 8u : 0));
	if (svm_insn_mod(&e.insn) == 0 && (form.base & 7) == 5 && e.insn.disp_size == 4) {
		disp = (uint32_t)((uint64_t)e.insn.disp + to - address);
		memcpy(c->bytes + e.insn.length - e.insn.imm_size[0] - 4, &disp, 4);
	} else {
		*register_of(&c->regs, form.base) += to - address;
	}
	return true;
}

/* Ends of the page and of the device more often than others. */
static uint64_t any_offset(void)
{
	switch (draw(8)) {
	case 0:
		return 0xff8 + draw(16);
	case 1:
		return DEVICE_SIZE - 8 + draw(16);
	case 2:
		return draw(0x1000);
	default:
		return draw(0x1000 / 8) * 8;
	}
}

static void any_case(struct access_case *c, enum rig_mode mode)
{
	const uint64_t offset = any_offset();
	const bool is_store = draw(2);

	do {
		memset(c, 0, sizeof(*c));
		any_bytes(c->bytes, mode);
		for (unsigned n = 0; n < 16; n++)
			*register_of(&c->regs, n) =
				draw(2) ? draw(UINT64_MAX) : draw(0x100);
	} while (!aim(c, RIG_HOLE + offset, mode));
	c->regs.rip = RIG_CODE;
	c->regs.rflags = 2 | (draw(8) ? 0 : 0x100) | (draw(8) ? 0 : 0x10000) |
	                 (draw(4) ? 0 : 0x40000) | (draw(0x1000) & 0x8d5);
	c->cpl = draw(2) ? 0 : 3;
	c->info1 = SVM_NPF_FINAL | SVM_NPF_USER | (is_store ? SVM_NPF_WRITE : 0);
	c->info2 = RIG_HOLE + (draw(16) ? offset : draw(0x1000));
	c->assist = draw(3) ? 0 : draw(4) ? 15 : (uint8_t)draw(16);
}

/* Without what is remembered.  With the bytes told, a guest without paging needs nothing else. */
static struct outcome run_slowly(struct rig *r, struct device *d, const struct access_case *c)
{
	struct access_case untold = *c;
	struct outcome o;

	if (!(svm_vmcb_get_cr0(r->vcpu->vmcb) & CR0_PG))
		untold.assist = 0;
	forget(r);
	o = run_case(r, d, &untold);
	if (o.was_short)
		ck_abort_msg("it was to go the long way");
	return o;
}

START_TEST(both_ways_end_the_same)
{
	static const enum svm_device_result results[] = { SVM_DEVICE_DONE, SVM_DEVICE_DONE,
		                                          SVM_DEVICE_RETURN, SVM_DEVICE_EXIT };
	const enum rig_mode mode = _i ? RIG_32 : RIG_64;
	unsigned moved = 0, declined = 0;
	struct access_case c;
	struct outcome slow, fast;
	struct device d;
	struct rig r;

	start(&r, &d, mode);
	for (unsigned i = 0; i < 100000; i++) {
		any_case(&c, mode);
		d.result = results[draw(4)];
		d.answer = draw(UINT64_MAX);
		memcpy(r.memory + RIG_CODE, c.bytes, 16);
		slow = run_slowly(&r, &d, &c);
		(void)run_case(&r, &d, &c); /* Where marks had to be set, this one remembers. */
		fast = run_case(&r, &d, &c);
		check_same(&slow, &fast, "random");
		moved += fast.was_short;
		declined += fast.seen.calls == 1 && d.result == SVM_DEVICE_EXIT;
	}
	ck_assert_uint_gt(moved, 8000);
	ck_assert_uint_gt(declined, 10000);
	rig_fini(&r);
}
END_TEST

/* --- nobody's, so the embedder's ---------------------------------------------------------- */

static void check_same_question(const struct svm_exit *a, const struct svm_exit *b)
{
	if (a->flags != b->flags || a->rip != b->rip || a->insn_len != b->insn_len)
		ck_abort_msg("flags, RIP or length");
	if (a->insn_count != b->insn_count || memcmp(a->insn, b->insn, a->insn_count) != 0)
		ck_abort_msg("bytes of the instruction");
	if (a->mmio.gpa != b->mmio.gpa || a->mmio.size != b->mmio.size ||
	    a->mmio.is_write != b->mmio.is_write)
		ck_abort_msg("place, size or direction");
	if (a->mmio.is_write && memcmp(a->mmio.data, b->mmio.data, a->mmio.size) != 0)
		ck_abort_msg("data");
}

/* What the guest has once the embedder has answered as `way` says, and the next run has begun. */
static void complete(struct rig *r, struct outcome *o, unsigned way, uint64_t answer)
{
	struct svm_vcpu *vcpu = r->vcpu;
	struct svm_regs regs;
	unsigned questions = 0;

	while (o->kind == SVM_EXIT_KIND_MMIO && questions++ < 4) {
		if (way == 1) { /* The state that is there already, but from outside. */
			svm_vcpu_get_regs(vcpu, &regs);
			ck_assert_int_eq(svm_vcpu_set_regs(vcpu, &regs), 0);
		}
		if (way == 2)
			ck_assert_int_eq(svm_vcpu_complete_fault(vcpu, SVM_VECTOR_GP, 7), 0);
		else if (way == 3)
			ck_assert_int_eq(svm_vcpu_complete_retry(vcpu), 0);
		else if (r->exit.mmio.is_write)
			ck_assert_int_eq(svm_vcpu_complete_skip(vcpu), 0);
		else
			ck_assert_int_eq(svm_vcpu_complete_data(vcpu, &answer, r->exit.mmio.size),
			                 0);
		o->kind = SVM_EXIT_KIND_NONE;
		if (vcpu->emulating &&
		    svm_emulation_continue(vcpu, &r->exit) == SVM_ACTION_RETURN)
			o->kind = r->exit.kind;
	}
	svm_vcpu_get_regs(vcpu, &o->regs);
	o->shadow = vcpu->vmcb->control.int_state;
	o->requests = svm_atomic_load(&vcpu->s.requests);
	o->exception = vcpu->events.exception_pending;
	o->vector = o->exception ? vcpu->events.exception_vector : 0;
	o->error = o->exception ? vcpu->events.exception_error : 0;
}

START_TEST(the_embedder_is_asked_the_same)
{
	const enum rig_mode mode = _i ? RIG_32 : RIG_64;
	unsigned moved = 0;
	struct access_case c;
	struct outcome slow, fast;
	struct device d;
	struct rig r;

	start(&r, &d, mode);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE, DEVICE_SIZE, NULL, NULL), 0);
	/* Between two addresses of nobody a callback has its own. */
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE + 0x800, 0x100, device_access, &d), 0);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MMIO), 0);
	for (unsigned i = 0; i < 100000; i++) {
		const unsigned way = (unsigned)draw(8);
		const uint64_t answer = draw(UINT64_MAX);

		any_case(&c, mode);
		d.result = SVM_DEVICE_DONE;
		d.answer = answer;
		memcpy(r.memory + RIG_CODE, c.bytes, 16);
		slow = run_slowly(&r, &d, &c);
		complete(&r, &slow, way, answer);
		(void)run_case(&r, &d, &c);
		fast = run_case(&r, &d, &c);
		if (slow.exit.kind == SVM_EXIT_KIND_MMIO || fast.exit.kind == SVM_EXIT_KIND_MMIO)
			check_same_question(&slow.exit, &fast.exit);
		moved += fast.was_short && fast.kind == SVM_EXIT_KIND_MMIO;
		complete(&r, &fast, way, answer);
		check_same(&slow, &fast, "random");
	}
	ck_assert_uint_gt(moved, 8000);
	rig_fini(&r);
}
END_TEST

/* --- what was remembered and is no longer so -------------------------------------------------- */

#define TABLE(n) (RIG_PT + (n) * 4096u) /* PML4, PDPT, PD, PT */
#define OTHER    UINT64_C(0x20000)      /* Frames for what a change brings. */

static void put64(struct rig *r, svm_gpa_t gpa, uint64_t value)
{
	memcpy(r->memory + gpa, &value, sizeof(value));
}

/* Another instruction in another page. */
static void put_other_code(struct rig *r)
{
	memcpy(r->memory + OTHER + (RIG_CODE & 0xfff), "\x88\x03", 2);
}

/* A table of one level in which code lies in OTHER; the device stays where it is. */
static void copy_table(struct rig *r, unsigned level, svm_gpa_t to)
{
	memcpy(r->memory + to, r->memory + TABLE(3 - level), 4096);
}

static void change_bytes(struct rig *r)
{
	memcpy(r->memory + RIG_CODE, "\x88\x03", 2);
}

static void change_code_leaf(struct rig *r)
{
	put_other_code(r);
	put64(r, TABLE(3) + 8 * (RIG_CODE >> 12), OTHER | 0x67);
}

static void change_directory(struct rig *r)
{
	put_other_code(r);
	copy_table(r, 0, OTHER + 0x1000);
	put64(r, OTHER + 0x1000 + 8 * (RIG_CODE >> 12), OTHER | 0x67);
	put64(r, TABLE(2), (OTHER + 0x1000) | 0x67);
}

static void change_cr3(struct rig *r)
{
	const uint64_t entry = rig_read64(r, TABLE(2));

	change_directory(r);
	put64(r, TABLE(2), entry);
	copy_table(r, 3, OTHER + 0x2000);
	copy_table(r, 2, OTHER + 0x3000);
	copy_table(r, 1, OTHER + 0x4000);
	put64(r, OTHER + 0x2000, (OTHER + 0x3000) | 0x67);
	put64(r, OTHER + 0x3000, (OTHER + 0x4000) | 0x67);
	put64(r, OTHER + 0x4000, (OTHER + 0x1000) | 0x67);
	svm_vmcb_set_cr3(r->vcpu->vmcb, OTHER + 0x2000);
}

static void forbid_execution(struct rig *r)
{
	svm_vmcb_set_efer(r->vcpu->vmcb, svm_vmcb_get_efer(r->vcpu->vmcb) | EFER_NXE);
	put64(r, TABLE(2), TABLE(3) | 0x67 | UINT64_C(1) << 63);
}

static void take_code_away(struct rig *r)
{
	put64(r, TABLE(3) + 8 * (RIG_CODE >> 12), 0);
}

static void make_device_read_only(struct rig *r)
{
	svm_vmcb_set_cr0(r->vcpu->vmcb, svm_vmcb_get_cr0(r->vcpu->vmcb) | CR0_WP);
	put64(r, TABLE(3) + 8 * (RIG_HOLE >> 12), RIG_HOLE | 0x65);
}

static void move_device(struct rig *r)
{
	put64(r, TABLE(3) + 8 * (RIG_HOLE >> 12), (RIG_HOLE + 0x1000) | 0x67);
}

static void clean_device(struct rig *r)
{
	put64(r, TABLE(3) + 8 * (RIG_HOLE >> 12), RIG_HOLE | 0x27);
}

/* Writable to the supervisor by CR0.WP = 0 alone. */
static void leave_unprotected(struct rig *r)
{
	svm_vmcb_set_cr0(r->vcpu->vmcb, svm_vmcb_get_cr0(r->vcpu->vmcb) & ~CR0_WP);
	put64(r, TABLE(3) + 8 * (RIG_HOLE >> 12), RIG_HOLE | 0x65);
}

static void protect(struct rig *r)
{
	svm_vmcb_set_cr0(r->vcpu->vmcb, svm_vmcb_get_cr0(r->vcpu->vmcb) | CR0_WP);
}

/* All pages of the rig are the user's. */
static void set_smap(struct rig *r)
{
	svm_vmcb_set_cr4(r->vcpu->vmcb, svm_vmcb_get_cr4(r->vcpu->vmcb) | SVM_BIT(21));
}

/* Segments that are not flat, in 32-bit code: the processor's access was by others. */
static void set_data(struct rig *r, uint16_t attributes, uint32_t limit, uint64_t base)
{
	svm_vmcb_set_ds(r->vcpu->vmcb, (struct svm_vmcb_segment){ 16, attributes, limit, base });
}

static void set_base(struct rig *r)
{
	set_data(r, 0xc93, UINT32_MAX, 0x1000);
}

static void set_limit(struct rig *r)
{
	set_data(r, 0x493, 0x1000, 0);
}

static void make_read_only(struct rig *r)
{
	set_data(r, 0xc91, UINT32_MAX, 0);
}

static void make_expand_down(struct rig *r)
{
	set_data(r, 0xc97, UINT32_MAX, 0);
}

static void make_absent(struct rig *r)
{
	set_data(r, 0xc13, UINT32_MAX, 0);
}

static void limit_code(struct rig *r)
{
	svm_vmcb_set_cs(r->vcpu->vmcb, (struct svm_vmcb_segment){ 8, 0x49b, RIG_CODE, 0 });
}

static void move_code(struct rig *r)
{
	memcpy(r->memory + OTHER + RIG_CODE, "\x88\x03", 2);
	svm_vmcb_set_cs(r->vcpu->vmcb, (struct svm_vmcb_segment){ 8, 0xc9b, UINT32_MAX, OTHER });
}

static void change_mode(struct rig *r)
{
	struct svm_vmcb_segment cs = svm_vmcb_get_cs(r->vcpu->vmcb);

	cs.attributes = 0xc9b;
	svm_vmcb_set_cs(r->vcpu->vmcb, cs);
}

static void replace_slot(struct rig *r)
{
	put_other_code(r);
	ck_assert_int_eq(svm_vm_unmap(r->vm, RIG_CODE, 0x1000), 0);
	ck_assert_int_eq(svm_vm_map(r->vm, RIG_CODE, r->memory_hpa + OTHER, 0x1000, SVM_PROT_ALL),
	                 0);
}

static void remove_slot(struct rig *r)
{
	ck_assert_int_eq(svm_vm_unmap(r->vm, RIG_CODE, 0x1000), 0);
}

static void remove_tables(struct rig *r)
{
	ck_assert_int_eq(svm_vm_unmap(r->vm, TABLE(1), 0x1000), 0);
}

/* The memory that has come is what the access is for. */
static void put_memory_there(struct rig *r)
{
	ck_assert_int_eq(svm_vm_map(r->vm, RIG_HOLE, r->memory_hpa + OTHER, 0x1000, SVM_PROT_ALL),
	                 0);
}

static void begin_invalidation(struct rig *r)
{
	svm_vm_invalidate_begin(r->vm, RIG_CODE, 0x1000);
}

static const struct {
	const char *what;
	void (*change)(struct rig *r);
	bool stays_short;
	unsigned calls, size; /* Of the device, and the last one's access. */
	uint8_t vector;
	uint8_t assist;
	void (*prepare)(struct rig *r);
} change_rows[] = {
	{ "other bytes are another instruction", change_bytes, true, 1, 1, 0, 0, NULL },
	{ "a leaf leads to other code", change_code_leaf, false, 1, 1, 0, 0, NULL },
	{ "a directory leads to other code", change_directory, false, 1, 1, 0, 0, NULL },
	{ "other tables lead to other code", change_cr3, false, 1, 1, 0, 0, NULL },
	{ "code may not be executed", forbid_execution, false, 0, 0, 14, 0, NULL },
	{ "code is not present", take_code_away, false, 0, 0, 14, 0, NULL },
	{ "the device may not be written", make_device_read_only, false, 0, 0, 14, 0, NULL },
	{ "the page is not the one of the fault", move_device, false, 0, 0, 0, 0, NULL },
	{ "the dirty bit is set again", clean_device, false, 1, 4, 0, 0, NULL },
	{ "32-bit code has an operand of its own", change_mode, true, 1, 4, 0, 0, NULL },
	{ "other memory holds other code", replace_slot, false, 1, 1, 0, 0, NULL },
	{ "no memory holds code", remove_slot, false, 0, 0, 0, 0, NULL },
	{ "no memory holds the tables", remove_tables, false, 0, 0, 0, 0, NULL },
	{ "no memory holds the operand's tables", remove_tables, false, 0, 0, 0, 15, NULL },
	{ "memory is where the device was", put_memory_there, false, 0, 0, 0, 0, NULL },
	{ "memory is there, the bytes are told", put_memory_there, false, 0, 0, 0, 15, NULL },
	{ "the host is changing the memory", begin_invalidation, false, 0, 0, 0, 0, NULL },
	{ "CR0.WP protects", protect, false, 0, 0, 14, 0, leave_unprotected },
	{ "CR4.SMAP protects", set_smap, false, 0, 0, 14, 0, NULL },
};

/* mov [rbx], eax */
static const struct access_case store_case = {
	.bytes = "\x89\x03",
	.regs = { .rip = RIG_CODE, .rbx = RIG_HOLE + 0x10, .rax = 0x11223344, .rflags = 2 },
	.info1 = SVM_NPF_FINAL | SVM_NPF_USER | SVM_NPF_WRITE,
	.info2 = RIG_HOLE + 0x10,
};

START_TEST(nothing_stale_is_used)
{
	struct access_case c = store_case;
	const char *what = change_rows[_i].what;
	struct outcome o, again;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_64);
	if (change_rows[_i].prepare)
		change_rows[_i].prepare(&r);
	c.assist = change_rows[_i].assist;
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert_msg(o.was_short && o.seen.calls == 1 && o.seen.access.size == 4, "%s: before",
	              what);
	change_rows[_i].change(&r);
	o = run_case(&r, &d, &c);
	ck_assert_msg(o.was_short == change_rows[_i].stays_short, "%s: the way", what);
	ck_assert_msg(o.seen.calls == change_rows[_i].calls, "%s: %u calls", what, o.seen.calls);
	ck_assert_msg(o.seen.access.size == change_rows[_i].size, "%s: size", what);
	ck_assert_msg(o.vector == change_rows[_i].vector, "%s: vector %u", what, o.vector);
	if (change_rows[_i].change == clean_device)
		ck_assert(rig_read64(&r, TABLE(3) + 8 * (RIG_HOLE >> 12)) & 0x40);
	forget(&r);
	again = run_case(&r, &d, &c);
	check_same(&again, &o, what);
	if (change_rows[_i].change == begin_invalidation)
		svm_vm_invalidate_end(r.vm, RIG_CODE, 0x1000);
	rig_fini(&r);
}
END_TEST

static const struct {
	const char *what;
	void (*change)(struct rig *r);
	bool stays_short;
	unsigned calls, size;
	uint8_t vector;
} segment_rows[] = {
	{ "other bytes are another instruction", change_bytes, true, 1, 1, 0 },
	{ "a base moves the operand", set_base, false, 0, 0, 0 },
	{ "a limit ends before the operand", set_limit, false, 0, 0, 13 },
	{ "data may not be written", make_read_only, false, 0, 0, 13 },
	{ "an expand-down segment has no room", make_expand_down, false, 0, 0, 13 },
	{ "the segment is not present", make_absent, false, 0, 0, 13 },
	{ "code ends within the instruction", limit_code, false, 0, 0, 13 },
	{ "code lies elsewhere", move_code, false, 1, 1, 0 },
	{ "other memory holds other code", replace_slot, false, 1, 1, 0 },
	{ "no memory holds code", remove_slot, false, 0, 0, 0 },
	{ "memory is where the device was", put_memory_there, false, 0, 0, 0 },
	{ "the host is changing the memory", begin_invalidation, false, 0, 0, 0 },
};

/* 32-bit code without paging: what is remembered is where the host has the page of the code. */
START_TEST(nothing_stale_is_used_without_paging)
{
	struct access_case c = store_case;
	const char *what = segment_rows[_i].what;
	struct outcome o, again;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_32);
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 2; i++)
		o = run_case(&r, &d, &c);
	ck_assert_msg(o.was_short && o.seen.calls == 1 && o.seen.access.size == 4, "%s: before",
	              what);
	segment_rows[_i].change(&r);
	o = run_case(&r, &d, &c);
	ck_assert_msg(o.was_short == segment_rows[_i].stays_short, "%s: the way", what);
	ck_assert_msg(o.seen.calls == segment_rows[_i].calls, "%s: %u calls", what, o.seen.calls);
	ck_assert_msg(o.seen.access.size == segment_rows[_i].size, "%s: size", what);
	ck_assert_msg(o.vector == segment_rows[_i].vector, "%s: vector %u", what, o.vector);
	again = run_slowly(&r, &d, &c);
	check_same(&again, &o, what);
	if (segment_rows[_i].change == begin_invalidation)
		svm_vm_invalidate_end(r.vm, RIG_CODE, 0x1000);
	rig_fini(&r);
}
END_TEST

/* With decode assists the bytes are those that were executed, even if others stand there now. */
START_TEST(the_processor_knows_what_it_executed)
{
	struct access_case c = store_case;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_64);
	c.assist = 15;
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	memcpy(r.memory + RIG_CODE, "\x88\x03", 2);
	o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	ck_assert_uint_eq(o.seen.access.size, 4);
	c.assist = 14; /* The fetch ended early: memory is asked. */
	o = run_case(&r, &d, &c);
	ck_assert_uint_eq(o.seen.access.size, 1);
	/* And the other way round: memory has what was found before, but not what was executed. */
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	ck_assert_uint_eq(o.seen.access.size, 4);
	c.assist = 15;
	memcpy(c.bytes, "\x88\x03", 2);
	o = run_case(&r, &d, &c);
	ck_assert_uint_eq(o.seen.access.size, 1);
	rig_fini(&r);
}
END_TEST

/* Alignment is the long way's, even where an aligned access came before. */
START_TEST(an_unaligned_access_is_checked)
{
	struct access_case c = store_case;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_64);
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	c.regs.rflags |= 0x40000;
	c.cpl = 3;
	for (unsigned i = 0; i < 3; i++) {
		o = run_case(&r, &d, &c);
		ck_assert_uint_eq(o.seen.calls, 1);
	}
	c.regs.rbx++;
	c.info2++;
	o = run_case(&r, &d, &c);
	ck_assert_uint_eq(o.vector, 17);
	ck_assert_uint_eq(o.seen.calls, 0);
	rig_fini(&r);
}
END_TEST

START_TEST(an_access_over_two_pages_is_two)
{
	struct access_case c = store_case;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_64);
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	c.regs.rbx = RIG_HOLE + 0xffd;
	c.info2 = RIG_HOLE + 0xffd;
	o = run_case(&r, &d, &c);
	ck_assert_uint_eq(o.seen.calls, 2);
	ck_assert_uint_eq(o.seen.access.gpa, RIG_HOLE + 0x1000);
	ck_assert_uint_eq(o.seen.access.size, 1);
	rig_fini(&r);
}
END_TEST

/* --- who answers ------------------------------------------------------------------------------ */

static struct device other_device;

static void set_range(struct rig *r, uint64_t size, svm_mmio_fn fn, void *arg)
{
	ck_assert_int_eq(svm_vm_mmio_handler(r->vm, RIG_HOLE, DEVICE_SIZE, NULL, NULL), 0);
	if (fn)
		ck_assert_int_eq(svm_vm_mmio_handler(r->vm, RIG_HOLE, size, fn, arg), 0);
}

static void give_to_another(struct rig *r)
{
	set_range(r, DEVICE_SIZE, device_access, &other_device);
}

static void take_away(struct rig *r)
{
	set_range(r, 0, NULL, NULL);
}

static void cut(struct rig *r)
{
	set_range(r, 0x12, device_access, &other_device);
}

static void leave_to_embedder(struct rig *r)
{
	take_away(r);
	ck_assert_int_eq(svm_vm_set_exits(r->vm, SVM_WANT_MMIO), 0);
}

static void make_private(struct rig *r)
{
	svm_vcpu_mmio_handler(r->vcpu, RIG_HOLE, 0x1000, device_access, &other_device);
}

static const struct {
	const char *what;
	void (*change)(struct rig *r);
	enum svm_exit_kind kind;
	unsigned calls; /* Of the other device. */
} owner_rows[] = {
	{ "another device", give_to_another, SVM_EXIT_KIND_NONE, 1 },
	{ "none any longer", take_away, SVM_EXIT_KIND_NPT_FAULT, 0 },
	{ "one of two bytes of the four", cut, SVM_EXIT_KIND_NPT_FAULT, 0 },
	{ "the embedder", leave_to_embedder, SVM_EXIT_KIND_MMIO, 0 },
	{ "a device of this vCPU alone", make_private, SVM_EXIT_KIND_NONE, 1 },
};

START_TEST(another_may_answer_the_next_time)
{
	struct access_case c = store_case;
	const char *what = owner_rows[_i].what;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_32);
	other_device = (struct device){ .result = SVM_DEVICE_DONE };
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 2; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	owner_rows[_i].change(&r);
	o = run_case(&r, &d, &c);
	ck_assert_msg(o.kind == owner_rows[_i].kind, "%s: exit %u", what, o.kind);
	ck_assert_msg(other_device.seen.calls == owner_rows[_i].calls, "%s: calls", what);
	ck_assert_uint_eq(o.seen.calls, 0);
	if (o.kind != SVM_EXIT_KIND_MMIO)
		goto end;
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, 0), 0);
	o = run_case(&r, &d, &c);
	ck_assert_int_eq(o.kind, SVM_EXIT_KIND_NPT_FAULT);
end:
	rig_fini(&r);
}
END_TEST

static enum svm_resolve_result resolve_later(void *arg, svm_gpa_t gpa, uint32_t access,
                                             struct svm_resolved_page *page)
{
	const svm_hpa_t *hpa = arg;

	(void)gpa;
	(void)access;
	*page = (struct svm_resolved_page){ .hpa = *hpa, .size = 0x1000, .prot = SVM_PROT_ALL };
	return *hpa ? SVM_RESOLVE_MAPPED : SVM_RESOLVE_ABSENT;
}

/* What answers instead of memory that a slot does not have yet is asked as long as it has not. */
START_TEST(a_slot_may_get_its_page_later)
{
	struct access_case c = store_case;
	svm_hpa_t hpa = 0;
	const struct svm_slot slot = { .gpa = RIG_HOLE,
		                       .size = 0x1000,
		                       .prot = SVM_PROT_ALL,
		                       .kind = SVM_SLOT_RESOLVE,
		                       .resolve = resolve_later,
		                       .resolve_arg = &hpa };
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_64);
	ck_assert_int_eq(svm_vm_slot_add(r.vm, &slot), 0);
	c.assist = _i ? 15 : 0;
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 4; i++) {
		o = run_case(&r, &d, &c);
		ck_assert_uint_eq(o.seen.calls, 1);
	}
	ck_assert(o.was_short);
	hpa = r.memory_hpa + OTHER;
	o = run_case(&r, &d, &c);
	ck_assert_int_eq(o.action, SVM_ACTION_RESUME);
	ck_assert_uint_eq(o.seen.calls, 0);
	rig_fini(&r);
}
END_TEST

/* The same instruction at the same fault, but by the registers that is not where it would go. */
START_TEST(a_register_may_have_moved_the_operand)
{
	struct access_case c = store_case;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, _i ? RIG_64 : RIG_32);
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	c.regs.rbx += 4; /* Still in the page, which is all that the long way wants. */
	o = run_case(&r, &d, &c);
	ck_assert(!o.was_short);
	ck_assert_uint_eq(o.seen.access.gpa, RIG_HOLE + 0x14);
	c.regs.rbx -= 4;
	c.info1 &= ~(uint64_t)SVM_NPF_WRITE;
	o = run_case(&r, &d, &c);
	ck_assert(!o.was_short); /* A store where the processor wanted to read. */
	rig_fini(&r);
}
END_TEST

/* What was found with the processor's own bytes says nothing of where they lie. */
START_TEST(bytes_that_were_told_lie_nowhere)
{
	struct access_case c = store_case;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_64);
	/* A walk for other code is kept, where the same bytes stand. */
	memcpy(r.memory + OTHER, c.bytes, 16);
	c.regs.rip = OTHER;
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	c.regs.rip = RIG_CODE + (OTHER & 0xfff);
	memcpy(r.memory + c.regs.rip, "\x88\x03", 2);
	c.assist = 15;
	o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	ck_assert_uint_eq(o.seen.access.size, 4);
	c.assist = 0;
	o = run_case(&r, &d, &c);
	ck_assert_uint_eq(o.seen.access.size, 1);
	rig_fini(&r);
}
END_TEST

/* What stands where the last walk for code ended says nothing of another page. */
START_TEST(a_walk_is_for_its_page_alone)
{
	struct access_case c = store_case;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, _i < 3 ? RIG_64 : RIG_32);
	memcpy(r.memory + RIG_CODE, c.bytes, 16);
	memcpy(r.memory + OTHER + (RIG_CODE & 0xfff), c.bytes, 16);
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	/* Of three neighbours one or more take no place from the first. */
	c.regs.rip = OTHER + (RIG_CODE & 0xfff) + 0x20 + (unsigned)_i % 3;
	memcpy(r.memory + c.regs.rip, c.bytes, 16);
	for (unsigned i = 0; i < 3; i++)
		o = run_case(&r, &d, &c);
	ck_assert(o.was_short);
	c.regs.rip = RIG_CODE;
	memcpy(r.memory + RIG_CODE, "\x88\x03", 2);
	o = run_case(&r, &d, &c);
	ck_assert_uint_eq(o.seen.access.size, 1);
	rig_fini(&r);
}
END_TEST

START_TEST(behind_the_top_of_4_gib_is_0)
{
	struct access_case c = store_case;
	struct outcome o;
	struct device d;
	struct rig r;

	start(&r, &d, RIG_32);
	c.regs.rip = 0xfffffffe;
	c.assist = 15;
	for (unsigned i = 0; i < 3; i++) {
		o = run_case(&r, &d, &c);
		ck_assert_uint_eq(o.seen.calls, 1);
		ck_assert_uint_eq(o.regs.rip, 0);
	}
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_walk_is_for_its_page_alone, 0, 6);
	tcase_add_test(tc, behind_the_top_of_4_gib_is_0);
	tcase_add_test(tc, bytes_that_were_told_lie_nowhere);
	tcase_add_loop_test(tc, another_may_answer_the_next_time, 0, ROWS(owner_rows));
	tcase_add_loop_test(tc, a_register_may_have_moved_the_operand, 0, 2);
	tcase_add_loop_test(tc, a_slot_may_get_its_page_later, 0, 2);
	tcase_add_test(tc, an_access_over_two_pages_is_two);
	tcase_add_test(tc, an_unaligned_access_is_checked);
	tcase_add_loop_test(tc, both_ways_end_the_same, 0, 2);
	tcase_add_loop_test(tc, the_embedder_is_asked_the_same, 0, 2);
	tcase_add_loop_test(tc, nothing_stale_is_used, 0, ROWS(change_rows));
	tcase_add_loop_test(tc, nothing_stale_is_used_without_paging, 0, ROWS(segment_rows));
	tcase_add_test(tc, the_processor_knows_what_it_executed);
}

int main(void)
{
	return rig_main("device move", add);
}
