/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* KVM's paravirtual interface: Linux's Documentation/virt/kvm/x86/cpuid.rst and msr.rst. */
#include <check.h>
#include <string.h>

#include <libsvm/platform/paravirt.h>

#include "boot_rig.h"

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define PAGE    UINT64_C(0x200000)

static struct svm_paravirt pv;
static struct svm_paravirt_vcpu vcpu;
static struct svm_paravirt_config config;

static void setup(void)
{
	rig_pc(UINT64_C(4) << 20);
	memset(rig.memory + PAGE, 0xee, 0x10000);
	memset(&vcpu, 0, sizeof(vcpu));
	config = (struct svm_paravirt_config){
		.features = SVM_PARAVIRT_ALL,
		.tsc_hz = 2500000000,
		.wall_ns = UINT64_C(1700000000123456789),
		.base_tsc = 1000,
		.base_ns = 2000,
	};
	ck_assert_int_eq(svm_paravirt_init(&pv, &config), 0);
}

static void teardown(void)
{
	rig_close();
}

/* --- CPUID ----------------------------------------------------------------------------------- */

START_TEST(signature_is_kvms)
{
	struct svm_cpuid_entry rows[SVM_PARAVIRT_ROWS];
	char text[13] = { 0 };

	svm_paravirt_cpuid(&pv, rows);
	memcpy(text, &rows[0].ebx, 4);
	memcpy(text + 4, &rows[0].ecx, 4);
	memcpy(text + 8, &rows[0].edx, 4);
	ck_assert_uint_eq(rows[0].leaf, 0x40000000);
	ck_assert_uint_eq(rows[0].eax, 0x40000001);
	ck_assert_str_eq(text, "KVMKVMKVM");
	ck_assert_uint_eq(rows[1].leaf, 0x40000001);
	ck_assert_uint_eq(rows[1].eax, 0x01000aea); /* bits 1, 3, 5, 6, 7, 9, 11, 24 */
	ck_assert_uint_eq(rows[1].ebx | rows[1].ecx | rows[1].edx, 0);
}
END_TEST

static const struct {
	const char *what;
	uint32_t features;
	uint64_t hz;
	int result;
} init_rows[] = {
	{ "nothing but the signature", 0, 1000, 0 },
	{ "1 THz", 8, UINT64_C(1000000000000), 0 },
	{ "below 1 kHz", 8, 999, SVM_ERR_INVAL },
	{ "0 Hz", 8, 0, SVM_ERR_INVAL },
	{ "above 1 THz", 8, UINT64_C(1000000000001), SVM_ERR_INVAL },
	{ "stable without a clock", 1 << 24, 1000, SVM_ERR_INVAL },
	{ "the old clock", 1, 1000, SVM_ERR_INVAL },
	{ "a flush in a page", 1 << 5 | 1 << 9, 1000, 0 },
	{ "a flush without its page", 1 << 9, 1000, SVM_ERR_INVAL },
};

START_TEST(configuration_has_its_shape)
{
	config.features = init_rows[_i].features;
	config.tsc_hz = init_rows[_i].hz;
	ck_assert_msg(svm_paravirt_init(&pv, &config) == init_rows[_i].result, "%s",
	              init_rows[_i].what);
}
END_TEST

/* --- the clock ------------------------------------------------------------------------------- */

static const struct {
	uint64_t hz;
	uint32_t multiplier;
	int shift;
} scale_rows[] = {
	{ 1000000000, 0x80000000, 1 },
	{ 500000000, 0x80000000, 2 },
	{ 2000000000, 0x80000000, 0 },
	{ 4000000000, 0x80000000, -1 },
	{ 2500000000, 0xcccccccc, -1 },
	{ 3000000000, 0xaaaaaaaa, -1 },
	{ 1999999999, 0x80000001, 0 },
	{ 2000000001, 0xfffffffd, -1 },
	{ 1, 0xee6b2800, 30 },
	{ 1000, 0xf4240000, 20 },
	{ UINT64_C(1) << 62, 0xee6b2800, -32 },
};

START_TEST(scale_is_exact_to_32_bits)
{
	uint32_t multiplier;
	int8_t shift;

	svm_paravirt_scale(scale_rows[_i].hz, &multiplier, &shift);
	ck_assert_msg(multiplier == scale_rows[_i].multiplier && shift == scale_rows[_i].shift,
	              "%lu Hz: %x, %d", scale_rows[_i].hz, multiplier, shift);
}
END_TEST

/* As a guest computes it, from the page. */
static uint64_t guest_time(svm_gpa_t page, uint64_t tsc)
{
	const int8_t shift = (int8_t)rig_get(page + 28, 1);
	uint64_t delta = tsc - rig_get(page + 8, 8);

	delta = shift < 0 ? delta >> -shift : delta << shift;
	return rig_get(page + 16, 8) +
	       (uint64_t)((unsigned __int128)delta * rig_get(page + 24, 4) >> 32);
}

START_TEST(time_page_is_written)
{
	uint64_t value = 0;

	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d01, PAGE | 1));
	ck_assert(svm_paravirt_read_msr(&pv, &vcpu, 0x4b564d01, &value));
	ck_assert_uint_eq(value, PAGE | 1);
	ck_assert_uint_eq(rig_get(PAGE, 4), 2);
	ck_assert_uint_eq(rig_get(PAGE + 4, 4), 0);
	ck_assert_uint_eq(rig_get(PAGE + 8, 8), 1000);
	ck_assert_uint_eq(rig_get(PAGE + 16, 8), 2000);
	ck_assert_uint_eq(rig_get(PAGE + 24, 4), 0xcccccccc);
	ck_assert_uint_eq(rig_get(PAGE + 28, 4), 0x01ff); /* shift -1, stable */
	ck_assert_uint_eq(rig_get(PAGE + 32, 1), 0xee);
	ck_assert_uint_eq(guest_time(PAGE, 1000), 2000);
	/* A minute at 2.5 GHz: exact but for the rounding of the multiplier, below 2^-31. */
	ck_assert_uint_le(UINT64_C(60000002000) - guest_time(PAGE, UINT64_C(150000001000)), 28);
}
END_TEST

START_TEST(version_is_odd_while_it_changes)
{
	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d01, PAGE | 1));
	/* The second of three writes is the body; let it and what follows fail. */
	rig.writes = 0;
	rig.fail_at = 2;
	svm_paravirt_update(&pv, &vcpu);
	ck_assert_uint_eq(rig_get(PAGE, 4), 3);
	rig.fail_at = 0;
	svm_paravirt_update(&pv, &vcpu);
	ck_assert_uint_eq(rig_get(PAGE, 4), 4);
}
END_TEST

START_TEST(all_vcpus_have_one_line)
{
	struct svm_paravirt_vcpu other = { 0 };

	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d01, PAGE | 1));
	ck_assert(svm_paravirt_write_msr(&pv, &other, 0x4b564d01, (PAGE + 64) | 1));
	ck_assert_mem_eq(rig.memory + PAGE, rig.memory + PAGE + 64, 32);
	ck_assert_int_eq(svm_paravirt_set_line(&pv, 1000000000, 5000, 7000), 0);
	svm_paravirt_update(&pv, &vcpu);
	ck_assert_uint_eq(rig_get(PAGE, 4), 4);
	ck_assert_uint_eq(guest_time(PAGE, 5001), 7001);
	ck_assert_int_eq(svm_paravirt_set_line(&pv, 0, 0, 0), SVM_ERR_INVAL);
	ck_assert_uint_eq(pv.config.tsc_hz, 1000000000);
}
END_TEST

START_TEST(clock_that_is_off_writes_nothing)
{
	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d01, PAGE));
	svm_paravirt_update(&pv, &vcpu);
	ck_assert(rig_all(PAGE, 64, 0xee));
}
END_TEST

START_TEST(clock_may_be_anywhere)
{
	static const uint64_t places[] = { 0xa0000, UINT64_MAX, 0x3ffff0, UINT64_MAX - 2 };

	for (unsigned i = 0; i < 4; i++)
		ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d01, places[i] | 1));
}
END_TEST

START_TEST(wall_clock_is_written)
{
	uint64_t value = 0;

	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d00, PAGE + 0xffc));
	ck_assert(svm_paravirt_read_msr(&pv, &vcpu, 0x4b564d00, &value));
	ck_assert_uint_eq(value, PAGE + 0xffc);
	ck_assert_uint_eq(rig_get(PAGE + 0xffc, 4), 2);
	ck_assert_uint_eq(rig_get(PAGE + 0x1000, 4), 1700000000);
	ck_assert_uint_eq(rig_get(PAGE + 0x1004, 4), 123456789);
	ck_assert_uint_eq(rig_get(PAGE + 0x1008, 1), 0xee);
	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d00, PAGE + 0xffc));
	ck_assert_uint_eq(rig_get(PAGE + 0xffc, 4), 4);
}
END_TEST

/* --- registers ------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t features, msr;
	uint64_t value;
	bool is_there;
} msr_rows[] = {
	{ "wall clock", 8, 0x4b564d00, PAGE, true },
	{ "system time", 8, 0x4b564d01, PAGE, true },
	{ "asynchronous page faults", SVM_PARAVIRT_ALL, 0x4b564d02, PAGE, false },
	{ "stolen time", SVM_PARAVIRT_ALL, 0x4b564d03, PAGE, false },
	{ "EOI", 0x40, 0x4b564d04, PAGE | 1, true },
	{ "EOI, reserved bit", 0x40, 0x4b564d04, PAGE | 3, false },
	{ "past the last", SVM_PARAVIRT_ALL, 0x4b564d05, PAGE, false },
	{ "the old wall clock", SVM_PARAVIRT_ALL, 0x11, PAGE, false },
	{ "wall clock without the feature", 0x40, 0x4b564d00, PAGE, false },
	{ "system time without the feature", 0x40, 0x4b564d01, PAGE, false },
	{ "EOI without the feature", 8, 0x4b564d04, PAGE, false },
};

START_TEST(registers_follow_the_features)
{
	config.features = msr_rows[_i].features;
	ck_assert_int_eq(svm_paravirt_init(&pv, &config), 0);
	ck_assert_msg(svm_paravirt_write_msr(&pv, &vcpu, msr_rows[_i].msr, msr_rows[_i].value) ==
	                      msr_rows[_i].is_there,
	              "%s", msr_rows[_i].what);
}
END_TEST

START_TEST(unknown_registers_cannot_be_read)
{
	uint64_t value;

	ck_assert(!svm_paravirt_read_msr(&pv, &vcpu, 0x4b564d02, &value));
	config.features = 0;
	ck_assert_int_eq(svm_paravirt_init(&pv, &config), 0);
	for (uint32_t i = 0; i < SVM_PARAVIRT_MSR_COUNT; i++)
		ck_assert(!svm_paravirt_read_msr(&pv, &vcpu, SVM_PARAVIRT_MSR_FIRST + i, &value));
}
END_TEST

/* --- the end of an interrupt ----------------------------------------------------------------- */

START_TEST(guest_ends_an_interrupt_by_a_bit)
{
	ck_assert(!svm_paravirt_offer_eoi(&pv, &vcpu)); /* Off. */
	ck_assert(!svm_paravirt_take_eoi(&pv, &vcpu));
	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d04, PAGE | 1));
	ck_assert(svm_paravirt_offer_eoi(&pv, &vcpu));
	ck_assert_uint_eq(rig_get(PAGE, 1), 1);
	rig.memory[PAGE] = 0; /* The guest's BTR. */
	ck_assert(svm_paravirt_take_eoi(&pv, &vcpu));
	ck_assert(!svm_paravirt_take_eoi(&pv, &vcpu)); /* Once. */
}
END_TEST

START_TEST(offer_can_be_taken_back)
{
	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d04, PAGE | 1));
	ck_assert(svm_paravirt_offer_eoi(&pv, &vcpu));
	ck_assert(!svm_paravirt_take_eoi(&pv, &vcpu));
	ck_assert_uint_eq(rig_get(PAGE, 1), 0);
}
END_TEST

START_TEST(offer_needs_memory)
{
	ck_assert(svm_paravirt_write_msr(&pv, &vcpu, 0x4b564d04, 0xa0001));
	ck_assert(!svm_paravirt_offer_eoi(&pv, &vcpu));
	ck_assert(!svm_paravirt_take_eoi(&pv, &vcpu));
}
END_TEST

/* --- saved state ----------------------------------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t features;
	struct svm_paravirt_vcpu_state state;
	int result;
} restore_rows[] = {
	{ "nothing", 0, { 0 }, 0 },
	{ "everything", SVM_PARAVIRT_ALL, { PAGE | 1, PAGE | 1, 6, 1, { 0 } }, 0 },
	{ "odd version", SVM_PARAVIRT_ALL, { PAGE | 1, 0, 5, 0, { 0 } }, SVM_ERR_INVAL },
	{ "clock without the feature", 0x40, { PAGE | 1, 0, 0, 0, { 0 } }, SVM_ERR_INVAL },
	{ "version without the feature", 0x40, { 0, 0, 2, 0, { 0 } }, SVM_ERR_INVAL },
	{ "EOI without the feature", 8, { 0, PAGE | 1, 0, 0, { 0 } }, SVM_ERR_INVAL },
	{ "EOI with the reserved bit", 0x40, { 0, PAGE | 3, 0, 0, { 0 } }, SVM_ERR_INVAL },
	{ "an offer that is off", 0x40, { 0, PAGE, 0, 1, { 0 } }, SVM_ERR_INVAL },
	{ "an offer of 2", 0x40, { 0, PAGE | 1, 0, 2, { 0 } }, SVM_ERR_INVAL },
	{ "reserved member", SVM_PARAVIRT_ALL, { 0, 0, 0, 0, { 0, 0, 1 } }, SVM_ERR_INVAL },
};

START_TEST(restore_takes_only_what_can_be)
{
	struct svm_paravirt_vcpu_state before, after;

	config.features = restore_rows[_i].features;
	ck_assert_int_eq(svm_paravirt_init(&pv, &config), 0);
	svm_paravirt_save_vcpu(&vcpu, &before);
	ck_assert_msg(svm_paravirt_restore_vcpu(&pv, &vcpu, &restore_rows[_i].state) ==
	                      restore_rows[_i].result,
	              "%s", restore_rows[_i].what);
	svm_paravirt_save_vcpu(&vcpu, &after);
	ck_assert_mem_eq(&after, restore_rows[_i].result ? &before : &restore_rows[_i].state,
	                 sizeof(after));
}
END_TEST

START_TEST(wall_clock_is_restored)
{
	const struct svm_paravirt_state good = { PAGE, 4, 0 }, odd = { PAGE, 3, 0 };
	const struct svm_paravirt_state reserved = { PAGE, 4, 1 };
	struct svm_paravirt_state state;

	ck_assert_int_eq(svm_paravirt_restore(&pv, &good), 0);
	ck_assert_int_eq(svm_paravirt_restore(&pv, &odd), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_paravirt_restore(&pv, &reserved), SVM_ERR_INVAL);
	svm_paravirt_save(&pv, &state);
	ck_assert_mem_eq(&state, &good, sizeof(good));
	config.features = 0;
	ck_assert_int_eq(svm_paravirt_init(&pv, &config), 0);
	ck_assert_int_eq(svm_paravirt_restore(&pv, &good), SVM_ERR_INVAL);
	ck_assert(rig_all(PAGE, 16, 0xee));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("paravirt");
	TCase *tc = tcase_create("paravirt");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, signature_is_kvms);
	tcase_add_loop_test(tc, configuration_has_its_shape, 0, ROWS(init_rows));
	tcase_add_loop_test(tc, scale_is_exact_to_32_bits, 0, ROWS(scale_rows));
	tcase_add_test(tc, time_page_is_written);
	tcase_add_test(tc, version_is_odd_while_it_changes);
	tcase_add_test(tc, all_vcpus_have_one_line);
	tcase_add_test(tc, clock_that_is_off_writes_nothing);
	tcase_add_test(tc, clock_may_be_anywhere);
	tcase_add_test(tc, wall_clock_is_written);
	tcase_add_loop_test(tc, registers_follow_the_features, 0, ROWS(msr_rows));
	tcase_add_test(tc, unknown_registers_cannot_be_read);
	tcase_add_test(tc, guest_ends_an_interrupt_by_a_bit);
	tcase_add_test(tc, offer_can_be_taken_back);
	tcase_add_test(tc, offer_needs_memory);
	tcase_add_loop_test(tc, restore_takes_only_what_can_be, 0, ROWS(restore_rows));
	tcase_add_test(tc, wall_clock_is_restored);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
