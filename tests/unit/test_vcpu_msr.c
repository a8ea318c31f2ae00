/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * MSRs as the library answers them: values, policies, filters, callbacks, the TSC's offset.  APM
 * vol. 2, 15.11.
 */
#include "core/msrpm.h"
#include "vcpu_rig.h"

/* --- MSRs --------------------------------------------------------------------------------- */

#define FAULT 13
#define NONE  (-1)

static const struct {
	uint32_t msr;
	uint64_t value;
	int write;       /* Vector, or NONE. */
	uint64_t reads;  /* After the write; FAULT row below decides. */
	int read;
} msr_rows[] = {
	{ 0x1b, 0xfee00900, NONE, 0xfee00900, NONE },
	{ 0x1b, 0xfee00d00, NONE, 0xfee00d00, NONE },
	{ 0x1b, 0xfee00500, FAULT, 0xfee00900, NONE },         /* x2APIC without enable */
	{ 0x1b, 0xfee00901, FAULT, 0xfee00900, NONE },         /* reserved */
	{ 0x1b, SVM_BIT(48), FAULT, 0xfee00900, NONE },        /* MAXPHYADDR is 48 */
	{ 0x48, 0x1, NONE, 0x1, NONE },                        /* IBRS: what the CPU has */
	{ 0x48, 0x2, FAULT, 0x0, NONE },                       /* no STIBP here */
	{ 0x48, 0x4, FAULT, 0x0, NONE },                       /* no SSBD here */
	{ 0x48, SVM_BIT(32), FAULT, 0x0, NONE },
	{ 0x49, 0x1, NONE, 0, FAULT },                         /* write only */
	{ 0x49, 0x0, NONE, 0, FAULT },
	{ 0x49, 0x2, FAULT, 0, FAULT },
	{ 0xfe, 0x508, FAULT, 0x508, NONE },                   /* read only */
	{ 0x179, 0, FAULT, 0, NONE },
	{ 0x174, 0x10, NONE, 0x10, NONE },
	{ 0x1d9, 0x3f, NONE, 0x3f, NONE },
	{ 0x1d9, 0x40, FAULT, 0, NONE },
	{ 0x200, 0x1234, NONE, 0x1234, NONE },                 /* shadow */
	{ 0x277, 0x0007040600070406, NONE, 0x0007040600070406, NONE },
	{ 0x277, 0x0706050401000100, NONE, 0x0706050401000100, NONE },
	{ 0x277, 0x2, FAULT, 0x0007040600070406, NONE },
	{ 0x277, 0x0300000000000000, FAULT, 0x0007040600070406, NONE },
	{ 0x277, 0x8, FAULT, 0x0007040600070406, NONE },
	{ 0xda0, 0, NONE, 0, NONE },
	{ 0xda0, 0x100, FAULT, 0, NONE },                      /* no supervisor state */
	{ 0xc0000080, 0xd01, NONE, 0xd01, NONE },              /* SCE */
	{ 0xc0000080, 0x901, NONE, 0xd01, NONE },              /* LMA is not software's */
	{ 0xc0000080, 0x500, NONE, 0x500, NONE },              /* NXE */
	{ 0xc0000080, 0x4d00, NONE, 0x4d00, NONE },            /* FFXSR */
	{ 0xc0000080, 0xc00, FAULT, 0xd00, NONE },             /* LME under paging */
	{ 0xc0000080, 0x1d00, FAULT, 0xd00, NONE },            /* SVME */
	{ 0xc0000080, 0xd02, FAULT, 0xd00, NONE },
	{ 0xc0000080, SVM_BIT(63) | 0xd00, FAULT, 0xd00, NONE },
	{ 0xc0000103, 0xffffffff, NONE, 0xffffffff, NONE },
	{ 0xc0000103, SVM_BIT(32), FAULT, 0, NONE },
	{ 0xc0000104, 0, FAULT, 0, FAULT },                    /* TSC_RATIO is the host's */
	{ 0xc0010000, 0x1234, NONE, 0, NONE },                 /* zero */
	{ 0xc0010114, 0x0, NONE, 0x18, NONE },                 /* SVMDIS and LOCK */
	{ 0xc0010117, 0x1000, FAULT, 0, FAULT },
	{ 0x12345678, 0, FAULT, 0, FAULT },
	{ 0xc0000082, 0xffff800000000000, NONE, 0xffff800000000000, NONE },
	{ 0xc0000102, 0x00007fffffffffff, NONE, 0x00007fffffffffff, NONE },
};

static void try_msr(struct rig *r, bool is_write, int row)
{
	struct svm_regs regs = rig_regs(r);

	regs.rcx = msr_rows[row].msr | UINT64_C(0xffffffff00000000); /* ECX counts. */
	regs.rax = (uint32_t)msr_rows[row].value | UINT64_C(0xabcdef0100000000);
	regs.rdx = msr_rows[row].value >> 32 | UINT64_C(0xabcdef0100000000);
	regs.rip = RIG_CODE;
	regs.rsp = RIG_STACK;
	ck_assert_int_eq(svm_vcpu_set_regs(r->vcpu, &regs), 0);
	hosted_script_init(&r->code, 64);
	if (is_write)
		hosted_script_wrmsr(&r->code);
	else
		hosted_script_rdmsr(&r->code);
}

START_TEST(an_msr_answers_as_the_manual_says)
{
	struct svm_regs regs;
	uint64_t value = 0;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	try_msr(&r, true, _i);
	ck_assert_msg(rig_outcome(&r) == msr_rows[_i].write, "WRMSR %x", msr_rows[_i].msr);
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	try_msr(&r, false, _i);
	ck_assert_msg(rig_outcome(&r) == msr_rows[_i].read, "RDMSR %x", msr_rows[_i].msr);
	if (msr_rows[_i].read == NONE) {
		regs = rig_regs(&r);
		ck_assert_uint_eq(regs.rdx << 32 | regs.rax, msr_rows[_i].reads);
		ck_assert_uint_le(regs.rdx, 0xffffffff);
		ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, msr_rows[_i].msr, &value), 0);
		ck_assert_uint_eq(value, msr_rows[_i].reads);
	} else {
		ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, msr_rows[_i].msr, &value),
		                 SVM_ERR_NOENT);
	}
	rig_fini(&r);
}
END_TEST

START_TEST(an_msr_set_from_outside_is_checked_alike)
{
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, msr_rows[_i].msr, msr_rows[_i].value),
	                 msr_rows[_i].write == NONE ? 0 : SVM_ERR_INVAL);
	hosted_script_nop(&r.code);
	ck_assert_int_eq(rig_outcome(&r), -1); /* And the entry is accepted. */
	rig_fini(&r);
}
END_TEST

static const uint32_t address_msrs[] = { 0x175,      0x176,      0xc0000082, 0xc0000083,
	                                 0xc0000100, 0xc0000101, 0xc0000102 };

START_TEST(an_address_must_be_canonical)
{
	uint64_t value;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, address_msrs[_i], 0x0000800000000000),
	                 SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, address_msrs[_i], 0xffff7fffffffffff),
	                 SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, address_msrs[_i], 0xffff800000000000), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, address_msrs[_i], &value), 0);
	ck_assert_uint_eq(value, 0xffff800000000000);
	rig_fini(&r);
}
END_TEST

START_TEST(speculation_msrs_need_their_processor)
{
	struct hosted_config config;
	uint64_t value;
	struct rig r;

	hosted_config_init(&config);
	config.features.spec_ctrl = config.features.rdtscp = config.features.xsaves = false;
	rig_init(&r, &config, RIG_64);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x48, &value), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0x48, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0x49, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0xc0000103, &value), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0xc0000103, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0xda0, &value), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0xda0, 0), SVM_ERR_INVAL);
	rig_fini(&r);
}
END_TEST

/* Policies beside the table's own. */
START_TEST(a_policy_decides_what_the_guest_gets)
{
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MSR), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(r.vm, 0x277, 1, SVM_MSR_EXIT), 0);
	regs = rig_regs(&r);
	regs.rcx = 0x277;
	regs.rax = 0x11112222;
	regs.rdx = 0x33334444;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_wrmsr(&r.code);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_WRMSR);
	ck_assert_uint_eq(r.exit.msr.msr, 0x277);
	ck_assert_uint_eq(r.exit.msr.value, 0x3333444411112222);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RDMSR);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0x5555666677778888), 0);
	ck_assert_int_eq(rig_outcome(&r), -1);
	regs = rig_regs(&r);
	ck_assert_uint_eq(regs.rax, 0x77778888);
	ck_assert_uint_eq(regs.rdx, 0x55556666);

	/* Refused ones are the embedder's too, and it may refuse. */
	ck_assert_int_eq(svm_vcpu_complete_retry(r.vcpu), 0);
	rig_rewind(&r);
	regs = rig_regs(&r);
	regs.rcx = 0xc0010117;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RDMSR);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 13, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 13);
	rig_fini(&r);
}
END_TEST

/* For its number above; here for its value. */
START_TEST(a_value_that_is_refused_can_be_an_exit)
{
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MSR), 0);
	regs = rig_regs(&r);
	regs.rcx = 0x277;
	regs.rax = 2; /* No memory type. */
	regs.rdx = 0;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_wrmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_WRMSR);
	ck_assert_uint_eq(r.exit.msr.value, 2);
	ck_assert_int_eq(svm_vcpu_complete_fault(r.vcpu, 13, 0), 0);
	ck_assert_int_eq(rig_outcome(&r), 13);
	rig_fini(&r);
}
END_TEST

static bool deny_reads_of(void *arg, uint32_t msr, bool is_write)
{
	const uint32_t *denied = arg;

	return is_write || msr != *denied;
}

/* STAR is open to the guest, PAT the library's: what the filter denies is an exit of both. */
START_TEST(a_filter_comes_before_everything)
{
	static const uint32_t denied[] = { 0xc0000081, 0x277 };
	uint32_t msr = denied[_i];
	struct svm_regs regs;
	uint64_t value = 0;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	ck_assert(!svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000081, false));
	ck_assert_int_eq(svm_vm_msr_filter(r.vm, deny_reads_of, &msr), 0);
	ck_assert_int_eq(svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000081, false), _i == 0);
	ck_assert(!svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000082, false));
	regs = rig_regs(&r);
	regs.rcx = msr;
	regs.rax = 6;
	regs.rdx = 0;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	hosted_script_wrmsr(&r.code);
	hosted_script_rdmsr(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_RDMSR);
	ck_assert_uint_eq(r.exit.msr.msr, msr);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 7), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, msr, &value), 0);
	ck_assert_uint_eq(value, 6);
	ck_assert_int_eq(svm_vm_msr_filter(r.vm, NULL, NULL), 0);
	ck_assert(!svm_msrpm_denies(r.vm->msr.msrpm, 0xc0000081, false));
	rig_fini(&r);
}
END_TEST

/* Guest TSC = host TSC + offset; WRMSR moves the offset. */
START_TEST(the_tsc_has_an_offset)
{
	uint64_t before, after, value;
	struct svm_regs regs;
	struct rig r;

	rig_init_help(&r, 0, RIG_64);
	svm_vcpu_set_tsc_offset(r.vcpu, UINT64_C(0) - 0x123456789);
	ck_assert_uint_eq(svm_vcpu_get_tsc_offset(r.vcpu), UINT64_C(0) - 0x123456789);
	hosted_script_rdtsc(&r.code);
	before = svm_ring0_rdtsc() - 0x123456789;
	ck_assert_int_eq(rig_outcome(&r), -1);
	after = svm_ring0_rdtsc() - 0x123456789;
	regs = rig_regs(&r);
	ck_assert(before <= (regs.rdx << 32 | regs.rax) && (regs.rdx << 32 | regs.rax) <= after);
	ck_assert_int_eq(svm_vcpu_set_msr(r.vcpu, 0x10, 1000), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x10, &value), 0);
	ck_assert(value >= 1000 && value < 1000 + 10 * r.hal.tsc_hz);
	rig_fini(&r);
}
END_TEST

/* --- registers behind a callback -------------------------------------------------------------- */

static bool count_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	uint64_t *last = arg;

	(void)vcpu;
	if (access->msr == 0x801)
		return false;
	if (access->is_write)
		*last = access->value;
	else
		access->value = *last + 1;
	return true;
}

START_TEST(a_callback_is_asked_for_its_registers)
{
	struct svm_regs regs;
	uint64_t last = 0;
	struct rig r;

	rig_init_help(&r, _i, RIG_64);
	ck_assert_int_eq(svm_vm_set_exits(r.vm, SVM_WANT_MSR), 0);
	ck_assert_int_eq(svm_vm_msr_handler(r.vm, 0x800, 2, count_msr, &last), 0);
	hosted_script_wrmsr(&r.code);
	hosted_script_rdmsr(&r.code);
	hosted_script_vmmcall(&r.code);
	regs = rig_regs(&r);
	regs.rcx = 0x800;
	regs.rdx = 0x11223344;
	regs.rax = 0x55667788;
	ck_assert_int_eq(svm_vcpu_set_regs(r.vcpu, &regs), 0);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(last, 0x1122334455667788);
	ck_assert_uint_eq(rig_regs(&r).rax, 0x55667789);
	ck_assert_uint_eq(rig_regs(&r).rdx, 0x11223344);
	ck_assert_int_eq(svm_vcpu_complete_value(r.vcpu, 0), 0);
	ck_assert_int_eq(svm_vcpu_get_msr(r.vcpu, 0x801, &last), SVM_ERR_NOENT);
	rig_fini(&r);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, an_msr_answers_as_the_manual_says, 0, ROWS(msr_rows));
	tcase_add_loop_test(tc, an_msr_set_from_outside_is_checked_alike, 0, ROWS(msr_rows));
	tcase_add_loop_test(tc, an_address_must_be_canonical, 0, ROWS(address_msrs));
	tcase_add_test(tc, speculation_msrs_need_their_processor);
	tcase_add_loop_test(tc, a_policy_decides_what_the_guest_gets, 0, RIG_HELPS);
	tcase_add_loop_test(tc, a_value_that_is_refused_can_be_an_exit, 0, RIG_HELPS);
	tcase_add_loop_test(tc, a_filter_comes_before_everything, 0, 2);
	tcase_add_test(tc, the_tsc_has_an_offset);
	tcase_add_loop_test(tc, a_callback_is_asked_for_its_registers, 0, RIG_HELPS);
}

int main(void)
{
	return rig_main("vCPU MSRs", add_tests);
}
