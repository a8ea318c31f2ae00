/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * record FILE: a guest on the strict processor, recorded.
 *
 * It does a bit of everything that makes the library read: ports and device memory, with a callback
 * and without, MSRs, CPUID, its own page tables through the emulator, interrupts of a port and of
 * the host, exceptions.
 */
#include <stdio.h>

#include <libsvm/capture.h>

#include "rig.h"
#include "suite.h"

#define DEVICE_GPA 0x40000u /* Behind the slot, where the page tables still lead. */
#define HANDLER    UINT64_C(0xd000)
#define ROUNDS     20u
#define VECTOR     0x30

static FILE *file;

static void to_file(void *arg, const void *data, size_t size)
{
	(void)arg;
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
}

/* --- what stands around the guest ------------------------------------------------------------- */

static unsigned raised;

static enum svm_device_result on_port(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_io_access *access)
{
	static uint32_t answer = 0x1234567;

	(void)arg;
	if (access->is_in)
		access->value = answer *= 3;
	else if (access->value & 1)
		svm_vcpu_notify(vcpu);
	raised++;
	return SVM_DEVICE_DONE;
}

static enum svm_device_result on_memory(void *arg, struct svm_vcpu *vcpu,
                                        struct svm_mmio_access *access)
{
	(void)arg;
	(void)vcpu;
	if (!access->is_write)
		memset(access->data, (int)access->gpa, access->size);
	return access->gpa & 0x800 ? SVM_DEVICE_EXIT : SVM_DEVICE_DONE;
}

static int on_pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)vcpu;
	return raised > 1 && tpr < VECTOR / 16 ? VECTOR : -1;
}

static uint8_t on_accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	(void)arg;
	(void)vcpu;
	raised = 0;
	return vector;
}

static void on_tpr(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)vcpu;
	(void)tpr;
}

static const struct svm_irq_port port = {
	.pending = on_pending,
	.accept = on_accept,
	.tpr_changed = on_tpr,
};

/* --- the guest -------------------------------------------------------------------------------- */

static void make_handler(struct rig *r)
{
	struct hosted_script handler;

	hosted_script_init(&handler, r->code.bits);
	hosted_script_inc(&handler, HOSTED_RBP);
	hosted_script_iret(&handler);
	guest_handler(r->memory, VECTOR, HANDLER, &handler);
}

static void make_guest(struct rig *r)
{
	struct hosted_script *s = &r->code;

	make_handler(r);
	hosted_script_mov(s, HOSTED_RSI, ROUNDS);
	const size_t again = s->size;

	hosted_script_sti(s);
	hosted_script_mov(s, HOSTED_RAX, 0);
	hosted_script_cpuid(s);
	hosted_script_in_imm(s, 0x60, 4);
	hosted_script_out_imm(s, 0x60, 4);
	hosted_script_out_imm(s, 0x70, 1);
	hosted_script_mov(s, HOSTED_RDX, 0x60);
	hosted_script_mov(s, HOSTED_RDI, GUEST_DATA);
	hosted_script_raw(s, "\x6d", 1); /* INSD: the library writes guest memory. */
	hosted_script_mov(s, HOSTED_RBX, DEVICE_GPA);
	hosted_script_store(s, HOSTED_RBX, HOSTED_RSI, false);
	hosted_script_load(s, HOSTED_RDI, HOSTED_RBX, false);
	hosted_script_mov(s, HOSTED_RBX, DEVICE_GPA + 0x800);
	hosted_script_load(s, HOSTED_RDI, HOSTED_RBX, false);
	hosted_script_mov(s, HOSTED_RCX, 0x10); /* TSC */
	hosted_script_rdmsr(s);
	hosted_script_mov(s, HOSTED_RCX, 0x277); /* PAT */
	hosted_script_rdmsr(s);
	hosted_script_wrmsr(s);
	hosted_script_read_cr(s, HOSTED_RAX, 0);
	hosted_script_vmmcall(s);
	hosted_script_dec(s, HOSTED_RSI);
	hosted_script_jnz(s, again);
	hosted_script_hlt(s);
}

static void complete(struct rig *r)
{
	switch (r->exit.kind) {
	case SVM_EXIT_KIND_IO:
	case SVM_EXIT_KIND_HYPERCALL:
		ck_assert_int_eq(svm_vcpu_complete_skip(r->vcpu), 0);
		break;
	case SVM_EXIT_KIND_MMIO:
		ck_assert_int_eq(svm_vcpu_complete_value(r->vcpu, 0x5555), 0);
		break;
	default:
		ck_abort_msg("exit %s", svm_exit_kind_name(r->exit.kind));
	}
}

static const char *name;

START_TEST(a_guest_is_recorded)
{
	struct rig r;

	file = fopen(name, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(svm_capture_begin(to_file, NULL), 0);
	rig_init(&r, NULL, GUEST_64);
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x60, 4, on_port, NULL), 0);
	ck_assert_int_eq(svm_vm_mmio_handler(r.vm, DEVICE_GPA, 0x1000, on_memory, NULL), 0);
	ck_assert_int_eq(svm_vcpu_set_irq_port(r.vcpu, &port), 0);
	make_guest(&r);
	rig_load(&r);
	while (rig_run(&r) != SVM_EXIT_KIND_HLT)
		complete(&r);
	rig_fini(&r);
	ck_assert_int_eq(svm_capture_end(), 0);
	ck_assert_int_eq(fclose(file), 0);
}
END_TEST

static void to_nowhere(void *arg, const void *data, size_t size)
{
	(void)data;
	*(size_t *)arg += size;
}

START_TEST(one_recording_at_a_time)
{
	size_t written = 0;

	ck_assert_int_eq(svm_capture_end(), SVM_ERR_STATE);
	ck_assert_int_eq(svm_capture_begin(NULL, NULL), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_capture_begin(to_nowhere, &written), 0);
	ck_assert_int_eq(svm_capture_begin(to_nowhere, &written), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_capture_end(), 0);
	ck_assert_uint_eq(written, 8 + 1 + 1); /* Magic, version, END. */
	ck_assert_int_eq(svm_capture_end(), SVM_ERR_STATE);
}
END_TEST

/* More callbacks than it has room for: it says so, and the library goes on without it. */
START_TEST(a_full_recorder_says_so)
{
	size_t written = 0, then;
	struct rig r;

	ck_assert_int_eq(svm_capture_begin(to_nowhere, &written), 0);
	rig_init(&r, NULL, GUEST_64);
	for (unsigned i = 0; i < 300; i++) {
		ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x60, 4, on_port, NULL), 0);
		ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x60, 4, NULL, NULL), 0);
	}
	then = written;
	make_guest(&r);
	rig_load(&r);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_uint_eq(written, then);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(svm_capture_end(), SVM_ERR_NOMEM);
	ck_assert_uint_eq(written, then);
	ck_assert_int_eq(svm_capture_begin(to_nowhere, &written), SVM_ERR_BUSY);
	rig_fini(&r);
	ck_assert_int_eq(svm_capture_begin(to_nowhere, &written), 0);
	ck_assert_int_eq(svm_capture_end(), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, one_recording_at_a_time);
	tcase_add_test(tc, a_full_recorder_says_so);
	tcase_add_test(tc, a_guest_is_recorded);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	name = argv[1];
	return suite_run("record", add);
}
