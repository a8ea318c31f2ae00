/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flight recorder of a vCPU: what it keeps of each exit, and for how long.
 */
#include "vcpu_rig.h"

#include <libsvm/recorder.h>

static struct rig r;
static struct svm_record records[128];

static void setup(void)
{
	rig_init(&r, NULL, RIG_64);
}

static void teardown(void)
{
	rig_fini(&r);
}

static size_t read_all(void)
{
	memset(records, 0xa5, sizeof(records));
	return svm_recorder_read(r.vcpu, 0, records, ROWS(records));
}

static void set_rcx(uint64_t value)
{
	struct svm_regs regs = rig_regs(&r);

	regs.rcx = value;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
}

START_TEST(a_new_vcpu_has_recorded_nothing)
{
	struct svm_recorder_header header;

	svm_recorder_describe(r.vcpu, &header);
	ck_assert_str_eq(header.magic, "svm-rec");
	ck_assert_uint_eq(header.version, 1);
	ck_assert_uint_eq(header.header_size, 64);
	ck_assert_uint_eq(header.record_size, 64);
	ck_assert_uint_eq(header.vcpu, 0);
	ck_assert_uint_eq(header.capacity, 64);
	ck_assert_uint_eq(header.count, 0);
	ck_assert_uint_eq(header.recorded, 0);
	ck_assert_uint_eq(header.tsc_hz, r.hal.tsc_hz);
	ck_assert_uint_eq(read_all(), 0);
}
END_TEST

/* CPUID is finished inside, OUT comes back and is completed. */
START_TEST(an_exit_leaves_one_record)
{
	struct svm_recorder_header header;

	hosted_script_cpuid(&r.code);
	hosted_script_out_imm(&r.code, 0x80, 1);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_IO);
	ck_assert_uint_eq(read_all(), 2);
	ck_assert_uint_eq(records[0].number, 0);
	ck_assert_uint_eq(records[0].exit_code, SVM_EXIT_CPUID);
	ck_assert_uint_eq(records[0].rip, RIG_CODE);
	ck_assert_uint_eq(records[0].advanced, 1);
	ck_assert_uint_eq(records[0].kind, SVM_EXIT_KIND_NONE);
	ck_assert_uint_eq(records[1].number, 1);
	ck_assert_uint_eq(records[1].exit_code, SVM_EXIT_IOIO);
	ck_assert_uint_eq(records[1].rip, RIG_CODE + 2);
	ck_assert_uint_eq(records[1].exit_info_1, r.exit.raw.exit_info_1);
	ck_assert_uint_eq(records[1].exit_info_2, RIG_CODE + 4);
	ck_assert_uint_eq(records[1].advanced, 0);
	ck_assert_uint_eq(records[1].kind, SVM_EXIT_KIND_IO);
	ck_assert_uint_lt(records[0].tsc, records[1].tsc);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(records[i].exit_int_info, 0);
		ck_assert_uint_eq(records[i].event, 0);
	}

	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_uint_eq(read_all(), 2);
	ck_assert_uint_eq(records[1].advanced, 1);
	svm_recorder_describe(r.vcpu, &header);
	ck_assert_uint_eq(header.count, 2);
	ck_assert_uint_eq(header.recorded, 2);
}
END_TEST

START_TEST(a_fault_shows_as_the_event_behind_its_exit)
{
	rig_handlers(&r);
	set_rcx(0x12345);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(read_all(), 2);
	ck_assert_uint_eq(records[0].exit_code, SVM_EXIT_MSR);
	ck_assert_uint_eq(records[0].advanced, 0);
	ck_assert_uint_eq(records[0].kind, SVM_EXIT_KIND_NONE);
	ck_assert_uint_eq(records[0].event, 0x80000b0d);
	ck_assert_uint_eq(records[1].exit_code, SVM_EXIT_VMMCALL);
	ck_assert_uint_eq(records[1].event, 0);
}
END_TEST

/* The guest's stack for #GP is where no memory is: the exit comes in the middle of the delivery. */
START_TEST(an_interrupted_delivery_is_told)
{
	struct svm_regs regs = rig_regs(&r);

	rig_handlers(&r);
	regs.rcx = 0x12345;
	regs.rsp = RIG_HOLE + 0x800;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_uint_eq(read_all(), 2);
	ck_assert_uint_eq(records[0].event, 0x80000b0d);
	ck_assert_uint_eq(records[0].exit_int_info, 0);
	ck_assert_uint_eq(records[1].exit_code, SVM_EXIT_NPF);
	ck_assert_uint_eq(records[1].exit_info_2 & ~UINT64_C(0xfff), RIG_HOLE);
	ck_assert_uint_eq(records[1].exit_int_info, 0x80000b0d);
	ck_assert_uint_eq(records[1].kind, SVM_EXIT_KIND_NPT_FAULT);
}
END_TEST

/* What a slot held before does not shine through. */
START_TEST(marks_do_not_outlive_their_exit)
{
	const struct svm_vm_config config = { .recorder_slots = 2 };
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;

	ck_assert_int_eq(svm_vcpu_destroy(r.vcpu), 0);
	r.vcpu = NULL;
	ck_assert_int_eq(svm_vm_create(r.host, &config, &vm), 0);
	ck_assert_int_eq(svm_vm_map(vm, 0, r.memory_hpa, RIG_PAGES * 4096, SVM_PROT_ALL), 0);
	ck_assert_int_eq(svm_vcpu_create(vm, 0, &vcpu), 0);
	rig_prepare(&r, vcpu);
	hosted_script_init(&r.code, 64);
	for (int i = 0; i < 3; i++) {
		hosted_script_out_imm(&r.code, 0x80, 1);
		hosted_script_wbinvd(&r.code);
		hosted_script_pause(&r.code);
	}
	memcpy(r.memory + RIG_CODE, r.code.bytes, r.code.size);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert_int_eq(svm_vcpu_run(vcpu, &r.exit), 0);
		ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_IO);
		ck_assert_uint_eq(svm_recorder_read(vcpu, 0, records, 2), 1);
		ck_assert_uint_eq(records[0].number, 2 * i);
		ck_assert_uint_eq(records[0].advanced, 0);
		ck_assert_uint_eq(records[0].kind, SVM_EXIT_KIND_IO);
		ck_assert_int_eq(svm_vcpu_complete_skip(vcpu), 0);
	}
	ck_assert_int_eq(svm_vcpu_destroy(vcpu), 0);
	ck_assert_int_eq(svm_vm_destroy(vm), 0);
}
END_TEST

/* A return that no exit of the guest has caused is nobody's. */
START_TEST(a_kick_before_the_entry_leaves_no_mark)
{
	hosted_script_hlt(&r.code);
	hosted_script_hlt(&r.code);
	svm_vcpu_kick(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(read_all(), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	svm_vcpu_unhalt(r.vcpu);
	svm_vcpu_kick(r.vcpu);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_REQUEST);
	ck_assert_uint_eq(read_all(), 1);
	ck_assert_uint_eq(records[0].kind, SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(records[0].advanced, 1);
}
END_TEST

START_TEST(a_refused_entry_is_recorded)
{
	hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	svm_vmcb_set_cr0(r.vcpu->vmcb, SVM_BIT(29)); /* NW without CD. */
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_ENTRY_FAILED);
	ck_assert_uint_eq(read_all(), 3);
	ck_assert_uint_eq(records[2].exit_code, SVM_EXIT_INVALID);
	ck_assert_uint_eq(records[2].kind, SVM_EXIT_KIND_ENTRY_FAILED);
	ck_assert_uint_eq(records[2].advanced, 0);
	ck_assert_uint_eq(records[2].has_event, 0);
	ck_assert_uint_eq(records[2].event, 0);
	ck_assert_uint_eq(records[2].exit_int_info, 0);
	/* The model leaves noise in the save area; a dump has what was set. */
	ck_assert_uint_eq(svm_vcpu_vmcb(r.vcpu)->save.rip, RIG_CODE);
	ck_assert_uint_eq(r.exit.rip, RIG_CODE);
}
END_TEST

/* 200 exits: 63 are left, since one slot is the next exit's. */
START_TEST(the_newest_exits_stay)
{
	struct svm_recorder_header header;

	for (int i = 0; i < 199; i++)
		hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(read_all(), 63);
	for (unsigned i = 0; i < 63; i++) {
		ck_assert_uint_eq(records[i].number, 137 + i);
		ck_assert_uint_eq(records[i].rip, RIG_CODE + 2 * (137 + i));
		ck_assert_uint_eq(records[i].exit_code,
		                  i == 62 ? SVM_EXIT_VMMCALL : SVM_EXIT_CPUID);
	}
	svm_recorder_describe(r.vcpu, &header);
	ck_assert_uint_eq(header.count, 63);
	ck_assert_uint_eq(header.recorded, 200);

	ck_assert_uint_eq(svm_recorder_read(r.vcpu, 198, records, 128), 2);
	ck_assert_uint_eq(records[0].number, 198);
	ck_assert_uint_eq(svm_recorder_read(r.vcpu, 150, records, 3), 3);
	ck_assert_uint_eq(records[2].number, 152);
	ck_assert_uint_eq(svm_recorder_read(r.vcpu, 200, records, 128), 0);
	ck_assert_uint_eq(svm_recorder_read(r.vcpu, UINT64_MAX, records, 128), 0);
	ck_assert_uint_eq(svm_recorder_read(r.vcpu, 0, NULL, 0), 0);
}
END_TEST

/* A reset of the vCPU is what one wants to see the way to. */
START_TEST(a_reset_keeps_the_records)
{
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	rig_rewind(&r);
	ck_assert_uint_eq(read_all(), 1);
	hosted_script_hlt(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(read_all(), 2);
}
END_TEST

static const struct {
	uint32_t slots;
	int result;
} size_rows[] = {
	{ 0, 0 },      { 1, SVM_ERR_INVAL },     { 2, 0 },
	{ 3, SVM_ERR_INVAL }, { 63, SVM_ERR_INVAL }, { 128, 0 },
	{ 65536, 0 },  { 131072, SVM_ERR_INVAL }, { UINT32_MAX, SVM_ERR_INVAL },
};

START_TEST(the_size_is_a_power_of_two)
{
	const struct svm_vm_config config = { .recorder_slots = size_rows[_i].slots };
	struct svm_recorder_header header;
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;

	ck_assert_int_eq(svm_vm_create(r.host, &config, &vm), size_rows[_i].result);
	if (size_rows[_i].result)
		return;
	if (size_rows[_i].slots < 65536) { /* More than the model's machine has. */
		ck_assert_int_eq(svm_vcpu_create(vm, 0, &vcpu), 0);
		svm_recorder_describe(vcpu, &header);
		ck_assert_uint_eq(header.capacity, size_rows[_i].slots ? size_rows[_i].slots : 64);
		ck_assert_int_eq(svm_vcpu_destroy(vcpu), 0);
	}
	ck_assert_int_eq(svm_vm_destroy(vm), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_new_vcpu_has_recorded_nothing);
	tcase_add_test(tc, an_exit_leaves_one_record);
	tcase_add_test(tc, a_fault_shows_as_the_event_behind_its_exit);
	tcase_add_test(tc, an_interrupted_delivery_is_told);
	tcase_add_test(tc, marks_do_not_outlive_their_exit);
	tcase_add_test(tc, a_kick_before_the_entry_leaves_no_mark);
	tcase_add_test(tc, a_refused_entry_is_recorded);
	tcase_add_test(tc, the_newest_exits_stay);
	tcase_add_test(tc, a_reset_keeps_the_records);
	tcase_add_loop_test(tc, the_size_is_a_power_of_two, 0, ROWS(size_rows));
}

int main(void)
{
	return rig_main("recorder", add);
}
