/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Device memory and string I/O: from the exit through the emulator to a callback or the embedder.
 *
 * The processor model stops at a nested fault or an IOIO exit; everything behind it is the
 * library's.  RIG_HOLE is where the device is: paged by the guest, in no slot.
 */
#include <libsvm/diagnose.h>

#include "core/vcpu/emulation.h"
#include "vcpu_rig.h"

/* A device that counts, answers with a pattern, and remembers what was written. */
struct device {
	unsigned reads, writes;
	struct svm_mmio_access last;
	enum svm_device_result result;
};

static enum svm_device_result device_access(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_mmio_access *access)
{
	struct device *d = arg;

	(void)vcpu;
	if (d->result == SVM_DEVICE_EXIT)
		return SVM_DEVICE_EXIT;
	if (access->is_write) {
		d->writes++;
	} else {
		d->reads++;
		for (unsigned i = 0; i < access->size; i++)
			access->data[i] = (uint8_t)(0xa0 + i);
	}
	d->last = *access;
	return d->result;
}

static void start(struct rig *r, struct device *d)
{
	*d = (struct device){ .result = SVM_DEVICE_DONE };
	rig_init(r, NULL, RIG_64);
	ck_assert_int_eq(svm_vm_mmio_handler(r->vm, RIG_HOLE, 0x1000, device_access, d), 0);
}

static void set_gpr(struct rig *r, unsigned n, uint64_t value)
{
	struct svm_regs regs = rig_regs(r);
	uint64_t *const home[] = { &regs.rax, &regs.rcx, &regs.rdx, &regs.rbx,
		                   &regs.rsp, &regs.rbp, &regs.rsi, &regs.rdi };

	*home[n] = value;
	ck_assert_int_eq(svm_vcpu_set_regs(r->vcpu, &regs), 0);
}

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

/* One instruction on the device at [rbx], then VMMCALL. */
static void put_insn(struct rig *r, const char *bytes, size_t size)
{
	hosted_script_raw(&r->code, bytes, size);
	hosted_script_vmmcall(&r->code);
	set_gpr(r, RBX, RIG_HOLE + 0x10);
}

/* --- callbacks -------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	const char *bytes;
	unsigned size;
	uint64_t rax, rax_after;
	unsigned reads, writes, access_size;
	uint64_t written; /* Of the last write. */
} callback_rows[] = {
	{ "mov [rbx], al", "\x88\x03", 2, 0x11223344556677ff, 0x11223344556677ff, 0, 1, 1, 0xff },
	{ "mov [rbx], eax", "\x89\x03", 2, 0x1122334455667788, 0x1122334455667788, 0, 1, 4,
	  0x55667788 },
	{ "mov [rbx], rax", "\x48\x89\x03", 3, 0x1122334455667788, 0x1122334455667788, 0, 1, 8,
	  0x1122334455667788 },
	{ "mov al, [rbx]", "\x8a\x03", 2, 0x1122334455667788, 0x11223344556677a0, 1, 0, 1, 0 },
	{ "mov eax, [rbx]", "\x8b\x03", 2, 0x1122334455667788, 0xa3a2a1a0, 1, 0, 4, 0 },
	{ "movzx eax, word [rbx]", "\x0f\xb7\x03", 3, ~UINT64_C(0), 0xa1a0, 1, 0, 2, 0 },
	{ "movsx rax, byte [rbx]", "\x48\x0f\xbe\x03", 4, 0, 0xffffffffffffffa0, 1, 0, 1, 0 },
	{ "or dword [rbx], 1", "\x83\x0b\x01", 3, 5, 5, 1, 1, 4, 0xa3a2a1a1 },
	{ "lock inc dword [rbx]", "\xf0\xff\x03", 3, 5, 5, 1, 1, 4, 0xa3a2a1a1 },
	{ "xchg [rbx], eax", "\x87\x03", 2, 0x77, 0xa3a2a1a0, 1, 1, 4, 0x77 },
	{ "test byte [rbx], 1", "\xf6\x03\x01", 3, 5, 5, 1, 0, 1, 0 },
	{ "mov dword [rbx], 9", "\xc7\x03\x09\x00\x00\x00", 6, 5, 5, 0, 1, 4, 9 },
};

/*
 * The exit as a processor reports it, with these bytes at RIP.  The model knows few instructions,
 * the emulator many.
 */
static enum svm_action touch(struct rig *r, uint64_t direction, const char *bytes, size_t size)
{
	struct svm_vmcb_control *control = &r->vcpu->vmcb->control;

	memcpy(r->memory + RIG_CODE, bytes, size);
	control->exit_code = SVM_EXIT_NPF;
	control->exit_info_1 = SVM_NPF_FINAL | SVM_NPF_USER | direction;
	control->exit_info_2 = RIG_HOLE + 0x10;
	return svm_exit_dispatch(r->vcpu, &r->exit);
}

START_TEST(a_callback_finishes_the_instruction)
{
	struct device d;
	struct rig r;
	uint64_t written = 0;

	start(&r, &d);
	set_gpr(&r, RBX, RIG_HOLE + 0x10);
	set_gpr(&r, RAX, callback_rows[_i].rax);
	ck_assert_msg(touch(&r, callback_rows[_i].writes ? SVM_NPF_WRITE : 0,
	                    callback_rows[_i].bytes, callback_rows[_i].size) == SVM_ACTION_RESUME,
	              "%s: exit %s", callback_rows[_i].what, svm_exit_kind_name(r.exit.kind));
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + callback_rows[_i].size);
	ck_assert_uint_eq(rig_regs(&r).rax, callback_rows[_i].rax_after);
	ck_assert_uint_eq(d.reads, callback_rows[_i].reads);
	ck_assert_uint_eq(d.writes, callback_rows[_i].writes);
	ck_assert_uint_eq(d.last.size, callback_rows[_i].access_size);
	ck_assert_uint_eq(d.last.gpa, RIG_HOLE + 0x10);
	if (callback_rows[_i].writes) {
		memcpy(&written, d.last.data, d.last.size);
		ck_assert_uint_eq(written, callback_rows[_i].written);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(a_callback_can_end_the_run)
{
	struct device d;
	struct rig r;

	start(&r, &d);
	d.result = SVM_DEVICE_RETURN;
	put_insn(&r, "\x8b\x03", 2);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 2);
	ck_assert_uint_eq(rig_regs(&r).rax, 0xa3a2a1a0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(d.reads, 1);
	rig_fini(&r);
}
END_TEST

START_TEST(stores_cross_from_memory_to_the_device)
{
	struct device d;
	struct rig r;

	start(&r, &d);
	ck_assert_int_eq(svm_vm_map(r.vm, RIG_HOLE - 0x1000, r.memory_hpa + RIG_DATA, 0x1000,
	                            SVM_PROT_ALL),
	                 0);
	put_insn(&r, "\x48\x89\x03", 3);
	set_gpr(&r, RBX, RIG_HOLE - 3);
	set_gpr(&r, RAX, 0x8877665544332211);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_read64(&r, RIG_DATA + 0x1000 - 8) >> 40, 0x332211);
	ck_assert_uint_eq(d.writes, 1);
	ck_assert_uint_eq(d.last.gpa, RIG_HOLE);
	ck_assert_uint_eq(d.last.size, 5);
	ck_assert_int_eq(memcmp(d.last.data, "\x44\x55\x66\x77\x88", 5), 0);
	rig_fini(&r);
}
END_TEST

/* --- exits to the embedder -------------------------------------------------------------------- */

static void start_exits(struct rig *r)
{
	rig_init(r, NULL, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r->vm, SVM_WANT_MMIO), 0);
}

START_TEST(a_read_waits_for_its_value)
{
	struct rig r;

	start_exits(&r);
	put_insn(&r, "\x8b\x03", 2);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MMIO);
	ck_assert_uint_eq(r.exit.mmio.gpa, RIG_HOLE + 0x10);
	ck_assert_uint_eq(r.exit.mmio.size, 4);
	ck_assert(!r.exit.mmio.is_write);
	ck_assert(r.exit.flags & SVM_EXIT_COMPLETE);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), SVM_ERR_INCOMPLETE);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_data(r.vcpu, "12345678", 8), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0xcafef00d), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, 0xcafef00d);
	rig_fini(&r);
}
END_TEST

/* Read and write of one instruction: two exits, and the read is not asked for twice. */
START_TEST(a_read_and_write_exits_twice)
{
	struct rig r;

	start_exits(&r);
	put_insn(&r, "\x83\x0b\x01", 3); /* or dword [rbx], 1 */
	ck_assert_int_eq(touch(&r, 0, "\x83\x0b\x01", 3), SVM_ACTION_RETURN);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_MMIO);
	ck_assert(!r.exit.mmio.is_write);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x10), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MMIO);
	ck_assert(r.exit.mmio.is_write);
	ck_assert_int_eq(memcmp(r.exit.mmio.data, "\x11\0\0\0", 4), 0);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* A selector from the device: the segment comes from the guest's table, with its hidden part. */
START_TEST(a_segment_register_is_loaded_from_a_device)
{
	struct rig r;
	struct svm_vmcb_segment es;

	start_exits(&r);
	put_insn(&r, "\x8e\x03", 2); /* mov es, [rbx] */
	svm_vmcb_set_es(r.vcpu->vmcb, (struct svm_vmcb_segment){ 0, 0, 0, 0 });
	ck_assert_int_eq(touch(&r, 0, "\x8e\x03", 2), SVM_ACTION_RETURN);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_MMIO);
	ck_assert_uint_eq(r.exit.mmio.size, 2);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x10), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	es = svm_vmcb_get_es(r.vcpu->vmcb);
	ck_assert_uint_eq(es.selector, 0x10);
	ck_assert_uint_eq(es.attributes, 0xc93);
	ck_assert_uint_eq(es.limit, 0xffffffff);
	ck_assert_uint_eq(es.base, 0);
	rig_fini(&r);
}
END_TEST

/* A system instruction with its operand in the device is carried out, and not met for ever. */
START_TEST(a_table_register_is_stored_to_a_device)
{
	struct device d;
	struct rig r;

	start(&r, &d);
	set_gpr(&r, RBX, RIG_HOLE + 0x10);
	/* sgdt [rbx]; pushf */
	ck_assert_int_eq(touch(&r, SVM_NPF_WRITE, "\x0f\x01\x03\x9c", 4), SVM_ACTION_RESUME);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 3);
	ck_assert_uint_eq(d.writes, 1);
	ck_assert_uint_eq(d.last.size, 10);
	ck_assert_int_eq(memcmp(d.last.data, "\x1f\0\x00\x60\0\0\0\0\0\0", 10), 0);
	set_gpr(&r, RSP, RIG_HOLE + 0x18);
	ck_assert_int_eq(touch(&r, SVM_NPF_WRITE, "\x0f\x01\x03\x9c", 4), SVM_ACTION_RESUME);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 4);
	ck_assert_uint_eq(rig_regs(&r).rsp, RIG_HOLE + 0x10);
	ck_assert_uint_eq(d.writes, 2);
	ck_assert_uint_eq(d.last.gpa, RIG_HOLE + 0x10);
	rig_fini(&r);
}
END_TEST

/* The operand is a register now: the code was rewritten after the exit, and simply runs. */
START_TEST(a_system_instruction_without_memory_is_not_emulated)
{
	struct device d;
	struct rig r;

	start(&r, &d);
	ck_assert_int_eq(touch(&r, 0, "\x0f\x01\xf0", 3), SVM_ACTION_RESUME); /* lmsw ax */
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	ck_assert_int_eq(touch(&r, 0, "\x0f\x22\xc0", 3), SVM_ACTION_RESUME); /* mov cr0, rax */
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	ck_assert_int_eq(touch(&r, 0, "\x0f\x22\x03", 3), SVM_ACTION_RESUME); /* mov cr0, rbx */
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	rig_fini(&r);
}
END_TEST

/* RBX points to the page of the fault, RDX to another one that is a device too, RSI to memory. */
static const struct {
	const char *what;
	const char *bytes;
	unsigned size;
	uint64_t direction;
} rewritten_rows[] = {
	{ "another device is read", "\x8b\x02", 2, 0 },
	{ "another device is written", "\x89\x02", 2, SVM_NPF_WRITE },
	{ "memory is written", "\x89\x06", 2, SVM_NPF_WRITE },
	{ "memory is exchanged", "\xf0\xff\x06", 3, SVM_NPF_WRITE },
	{ "written, where it was read", "\x89\x03", 2, 0 },
	{ "read, where it was written", "\x8b\x03", 2, SVM_NPF_WRITE },
};

START_TEST(an_instruction_elsewhere_just_runs_again)
{
	const uint64_t direction = rewritten_rows[_i].direction;
	uint64_t before;
	struct device d;
	struct rig r;

	start(&r, &d);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE + 0x1000, 0x10, device_access, &d), 0);
	set_gpr(&r, RBX, RIG_HOLE + 0x10);
	set_gpr(&r, RDX, RIG_HOLE + 0x1000);
	set_gpr(&r, RSI, RIG_DATA);
	before = rig_read64(&r, RIG_DATA);
	r.vcpu->flush = false;
	ck_assert_msg(touch(&r, direction, rewritten_rows[_i].bytes, rewritten_rows[_i].size) ==
	                      SVM_ACTION_RESUME,
	              "%s", rewritten_rows[_i].what);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	ck_assert_uint_eq(d.reads + d.writes, 0);
	ck_assert_uint_eq(rig_read64(&r, RIG_DATA), before);
	ck_assert(r.vcpu->flush); /* The processor may have used an old translation. */
	rig_fini(&r);
}
END_TEST

/* --- TF -------------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	const char *bytes;
	unsigned size;
	uint64_t before, pushed, after; /* RFLAGS. */
	bool traps;
} trap_rows[] = {
	{ "popf clears TF", "\x9d", 1, 0x102, 0x002, 0x002, true },
	{ "popf sets TF", "\x9d", 1, 0x002, 0x102, 0x102, false },
	{ "popf keeps TF", "\x9d", 1, 0x102, 0x102, 0x102, true },
};

/* The stack is the device, which answers with the flags. */
START_TEST(a_trap_goes_by_the_flag_before_the_instruction)
{
	struct svm_regs regs;
	struct svm_debug_regs debug;
	struct rig r;

	start_exits(&r);
	regs = rig_regs(&r);
	regs.rsp = RIG_HOLE + 0x10;
	regs.rflags = trap_rows[_i].before;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(touch(&r, 0, trap_rows[_i].bytes, trap_rows[_i].size), SVM_ACTION_RETURN);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, trap_rows[_i].pushed), 0);
	ck_assert_int_eq(svm_emulation_continue(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + trap_rows[_i].size);
	ck_assert_uint_eq(rig_regs(&r).rflags, trap_rows[_i].after);
	ck_assert_msg(r.vcpu->events.exception_pending == trap_rows[_i].traps, "%s",
	              trap_rows[_i].what);
	svm_vcpu_get_debug(r.vcpu, &debug);
	ck_assert_uint_eq(debug.dr6 >> 14 & 1, trap_rows[_i].traps);
	rig_fini(&r);
}
END_TEST

/* MOVS from the device to where nothing is: the embedder asked for no such exits. */
START_TEST(what_is_nobodys_stays_an_absent_page)
{
	struct device d;
	struct rig r;

	start(&r, &d);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE, 0x1000, NULL, NULL), 0);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE, 0x40, device_access, &d), 0);
	set_gpr(&r, RSI, RIG_HOLE + 0x10);
	set_gpr(&r, RDI, RIG_HOLE + 0x80);
	ck_assert_int_eq(touch(&r, 0, "\xa4", 1), SVM_ACTION_RETURN);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_uint_eq(r.exit.npt.gpa, RIG_HOLE + 0x80);
	ck_assert_uint_eq(r.exit.npt.access, SVM_PROT_WRITE);
	ck_assert_int_eq(r.exit.npt.reason, SVM_NPT_FAULT_ABSENT);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	rig_fini(&r);
}
END_TEST

/* The code's page is a hole by now: nothing is there to execute, so the guest runs again. */
START_TEST(code_that_is_gone_just_runs_again)
{
	struct svm_regs regs;
	struct device d;
	struct rig r;

	start(&r, &d);
	regs = rig_regs(&r);
	regs.rip = RIG_HOLE;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(touch(&r, 0, "\x8b\x03", 2), SVM_ACTION_RESUME);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_HOLE);
	ck_assert_uint_eq(d.reads, 0);
	rig_fini(&r);
}
END_TEST

START_TEST(a_fault_ends_the_instruction)
{
	struct rig r;

	start_exits(&r);
	rig_handlers(&r);
	put_insn(&r, "\x8b\x03", 2);
	set_gpr(&r, RAX, 0x55);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MMIO);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, SVM_VECTOR_GP, 0), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rax, SVM_VECTOR_GP);
	rig_fini(&r);
}
END_TEST

START_TEST(a_reset_forgets_what_was_half_done)
{
	struct rig r;

	start_exits(&r);
	put_insn(&r, "\x8b\x03", 2);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_MMIO);
	rig_rewind(&r);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* FADD has an operand in memory, and is none of the emulator's. */
START_TEST(an_unknown_instruction_comes_with_its_bytes)
{
	struct rig r;

	start_exits(&r);
	ck_assert_int_eq(touch(&r, 0, "\xd8\x03", 2), SVM_ACTION_RETURN);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_EMULATION);
	ck_assert_uint_ge(r.exit.insn_count, 2);
	ck_assert_int_eq(memcmp(r.exit.insn, "\xd8\x03", 2), 0);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 2);
	rig_fini(&r);
}
END_TEST

/* Without a wish and without a callback the address is simply absent. */
START_TEST(absent_memory_stays_absent)
{
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	put_insn(&r, "\x8b\x03", 2);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_int_eq(r.exit.npt.reason, SVM_NPT_FAULT_ABSENT);
	rig_fini(&r);
}
END_TEST

/* --- string I/O ------------------------------------------------------------------------------- */

START_TEST(rep_outsb_exits_byte_by_byte)
{
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	memcpy(r.memory + RIG_DATA, "abc", 3);
	hosted_script_rep_outsb(&r.code);
	hosted_script_vmmcall(&r.code);
	set_gpr(&r, RSI, RIG_DATA);
	set_gpr(&r, RDX, 0x3f8);
	set_gpr(&r, RCX, 3);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
		ck_assert_uint_eq(r.exit.io.port, 0x3f8);
		ck_assert_uint_eq(r.exit.io.size, 1);
		ck_assert(!r.exit.io.is_in);
		ck_assert_uint_eq(r.exit.io.value, 0x61 + i);
		ck_assert_uint_eq(rig_regs(&r).rcx, 3 - i);
		ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	}
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(rig_regs(&r).rcx, 0);
	ck_assert_uint_eq(rig_regs(&r).rsi, RIG_DATA + 3);
	rig_fini(&r);
}
END_TEST

/* --- memory that comes and goes --------------------------------------------------------------- */

struct paged {
	svm_hpa_t hpa;
	bool present;
};

static enum svm_resolve_result resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                       struct svm_resolved_page *page)
{
	const struct paged *p = arg;

	(void)gpa;
	(void)access;
	*page = (struct svm_resolved_page){ p->hpa, SVM_PAGE_SIZE, SVM_PROT_ALL };
	return p->present ? SVM_RESOLVE_MAPPED : SVM_RESOLVE_AGAIN;
}

/* The page at RIG_DATA is the embedder's to bring. */
static void page_out(struct rig *r, struct paged *p)
{
	const struct svm_slot slot = {
		.gpa = RIG_DATA,
		.size = SVM_PAGE_SIZE,
		.prot = SVM_PROT_ALL,
		.kind = SVM_SLOT_RESOLVE,
		.resolve = resolve,
		.resolve_arg = p,
	};

	*p = (struct paged){ .hpa = r->memory_hpa + RIG_DATA };
	ck_assert_int_eq(svm_vm_unmap(r->vm, RIG_DATA, SVM_PAGE_SIZE), 0);
	ck_assert_int_eq(svm_vm_slot_add(r->vm, &slot), 0);
}

static void expect_wait(const struct rig *r, uint32_t access)
{
	ck_assert_int_eq(r->exit.npt.reason, SVM_NPT_FAULT_AGAIN);
	ck_assert_uint_eq(r->exit.npt.gpa, RIG_DATA);
	ck_assert_uint_eq(r->exit.npt.access, access);
}

/* The processor has not touched the operand of OUTS when it exits: nobody else asks for it. */
START_TEST(string_io_waits_for_its_page)
{
	struct paged paged;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	memcpy(r.memory + RIG_DATA, "a", 1);
	page_out(&r, &paged);
	hosted_script_rep_outsb(&r.code);
	hosted_script_vmmcall(&r.code);
	set_gpr(&r, RSI, RIG_DATA);
	set_gpr(&r, RDX, 0x3f8);
	set_gpr(&r, RCX, 1);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
		expect_wait(&r, SVM_PROT_READ);
		ck_assert_uint_eq(r.exit.flags, SVM_EXIT_CONSISTENT);
	}
	paged.present = true;
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_uint_eq(r.exit.io.value, 0x61);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	rig_fini(&r);
}
END_TEST

/* A register of a device may change by being read. */
START_TEST(a_device_is_read_once_while_memory_is_waited_for)
{
	struct paged paged;
	struct device d;
	struct rig r;

	start(&r, &d);
	page_out(&r, &paged);
	set_gpr(&r, RSI, RIG_HOLE + 0x10);
	set_gpr(&r, RDI, RIG_DATA);
	ck_assert_int_eq(touch(&r, 0, "\xa4", 1), SVM_ACTION_RETURN); /* movsb */
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_NPT_FAULT);
	expect_wait(&r, SVM_PROT_READ | SVM_PROT_WRITE);
	ck_assert_uint_eq(r.exit.flags, 0);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE);
	ck_assert_int_eq(svm_emulation_continue(r.vcpu, &r.exit), SVM_ACTION_RETURN);
	paged.present = true;
	ck_assert_int_eq(svm_emulation_continue(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert_uint_eq(rig_regs(&r).rip, RIG_CODE + 1);
	ck_assert_uint_eq(d.reads, 1);
	ck_assert_uint_eq(r.memory[RIG_DATA], 0xa0);
	rig_fini(&r);
}
END_TEST

/* The tables that translate the operand may be away too. */
START_TEST(a_walk_waits_for_its_tables)
{
	struct paged paged;
	struct device d;
	struct rig r;

	start(&r, &d);
	/* Linear 1 GiB and on: its directory is the page that is away. */
	memcpy(r.memory + RIG_DATA, r.memory + RIG_PT + 0x2000, SVM_PAGE_SIZE);
	page_out(&r, &paged);
	*(uint64_t *)(void *)(r.memory + RIG_PT + 0x1008) = RIG_DATA | 7;
	set_gpr(&r, RSI, RIG_HOLE + 0x10);
	set_gpr(&r, RDI, UINT64_C(0x40000000) + RIG_STACK - 8);
	ck_assert_int_eq(touch(&r, 0, "\xa4", 1), SVM_ACTION_RETURN);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_NPT_FAULT);
	expect_wait(&r, SVM_PROT_READ | SVM_PROT_WRITE);
	paged.present = true;
	ck_assert_int_eq(svm_emulation_continue(r.vcpu, &r.exit), SVM_ACTION_RESUME);
	ck_assert_uint_eq(d.reads, 1);
	ck_assert_uint_eq(r.memory[RIG_STACK - 8], 0xa0);
	rig_fini(&r);
}
END_TEST

/* --- ranges ----------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	svm_gpa_t gpa;
	uint64_t size;
	int result;
} range_rows[] = {
	{ "nothing", 0x1000, 0, SVM_ERR_INVAL },
	{ "beyond the end", 0xfffffffffffff000, 0x1001, SVM_ERR_INVAL },
	{ "up to the end", 0xfffffffffffff000, 0x1000, 0 },
	{ "before the device", RIG_HOLE - 0x10, 0x10, 0 },
	{ "its first byte", RIG_HOLE - 0x10, 0x11, SVM_ERR_EXIST },
	{ "its last byte", RIG_HOLE + 0xfff, 1, SVM_ERR_EXIST },
	{ "behind the device", RIG_HOLE + 0x1000, 1, 0 },
};

START_TEST(ranges_do_not_overlap)
{
	struct device d;
	struct rig r;

	start(&r, &d);
	ck_assert_msg(svm_vm_mmio_handler(r.vm, range_rows[_i].gpa, range_rows[_i].size,
	                                  device_access, &d) == range_rows[_i].result,
	              "%s", range_rows[_i].what);
	if (range_rows[_i].result == 0)
		ck_assert_int_eq(svm_vm_mmio_handler(r.vm, range_rows[_i].gpa,
		                                     range_rows[_i].size, NULL, NULL),
		                 0);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE, 0xfff, NULL, NULL), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE, 0x1000, NULL, NULL), 0);
	rig_fini(&r);
}
END_TEST

START_TEST(ranges_run_out)
{
	struct device d;
	struct rig r;

	start(&r, &d);
	for (unsigned i = 1; i < SVM_MMIO_RANGE_MAX; i++)
		ck_assert_int_eq(svm_vm_mmio_handler(r.vm, RIG_HOLE + i * 0x1000, 0x10,
		                                     device_access, &d),
		                 0);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, 0x5000, 1, device_access, &d), SVM_ERR_NOMEM);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_callback_finishes_the_instruction, 0, ROWS(callback_rows));
	tcase_add_test(tc, a_callback_can_end_the_run);
	tcase_add_test(tc, stores_cross_from_memory_to_the_device);
	tcase_add_test(tc, a_read_waits_for_its_value);
	tcase_add_test(tc, a_read_and_write_exits_twice);
	tcase_add_test(tc, a_segment_register_is_loaded_from_a_device);
	tcase_add_test(tc, a_table_register_is_stored_to_a_device);
	tcase_add_test(tc, a_system_instruction_without_memory_is_not_emulated);
	tcase_add_loop_test(tc, an_instruction_elsewhere_just_runs_again, 0, ROWS(rewritten_rows));
	tcase_add_loop_test(tc, a_trap_goes_by_the_flag_before_the_instruction, 0, ROWS(trap_rows));
	tcase_add_test(tc, what_is_nobodys_stays_an_absent_page);
	tcase_add_test(tc, code_that_is_gone_just_runs_again);
	tcase_add_test(tc, a_fault_ends_the_instruction);
	tcase_add_test(tc, a_reset_forgets_what_was_half_done);
	tcase_add_test(tc, an_unknown_instruction_comes_with_its_bytes);
	tcase_add_test(tc, absent_memory_stays_absent);
	tcase_add_test(tc, rep_outsb_exits_byte_by_byte);
	tcase_add_test(tc, string_io_waits_for_its_page);
	tcase_add_test(tc, a_device_is_read_once_while_memory_is_waited_for);
	tcase_add_test(tc, a_walk_waits_for_its_tables);
	tcase_add_loop_test(tc, ranges_do_not_overlap, 0, ROWS(range_rows));
	tcase_add_test(tc, ranges_run_out);
}

int main(void)
{
	return rig_main("vCPU emulation", add);
}
