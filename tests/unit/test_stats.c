/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Exits counted by code, timed and sorted by the logarithm of their time; as text and as JSON.
 */
#include "vcpu_rig.h"

#include <stdio.h>

#include <libsvm/diagnose.h>

static struct rig r;
static char text[8192];

static void setup(void)
{
	rig_init(&r, NULL, RIG_64);
}

static void teardown(void)
{
	rig_fini(&r);
}

/* `count` CPUIDs, then a VMMCALL that comes back. */
static void run_cpuids(int count)
{
	hosted_script_init(&r.code, 64);
	rig_rewind(&r);
	for (int i = 0; i < count; i++)
		hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_vcpu_complete_skip(r.vcpu), 0);
}

static uint64_t sum_of(uint64_t code)
{
	uint32_t buckets[SVM_EXIT_BUCKETS];
	uint64_t sum = 0;

	svm_vcpu_get_exit_histogram(r.vcpu, code, buckets);
	for (unsigned i = 0; i < SVM_EXIT_BUCKETS; i++)
		sum += buckets[i];
	return sum;
}

static struct svm_exit_count row_of(uint64_t code)
{
	struct svm_exit_count rows[SVM_EXIT_COUNT_MAX];
	const size_t count = svm_vcpu_get_exit_counts(r.vcpu, rows, SVM_EXIT_COUNT_MAX);

	for (size_t i = 0; i < count; i++)
		if (rows[i].code == code)
			return rows[i];
	return (struct svm_exit_count){ .code = code };
}

START_TEST(nothing_is_timed_before_it_is_asked_for)
{
	run_cpuids(5);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).count, 5);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 0);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).cycles, 0);
	ck_assert_uint_eq(sum_of(SVM_EXIT_CPUID), 0);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, false), 0);
	run_cpuids(1);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 0);
}
END_TEST

/* The embedder's time between two runs is nobody's, nor is that of exits before the first. */
START_TEST(times_begin_and_end_with_a_run)
{
	run_cpuids(5);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	run_cpuids(3);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).count, 8);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 3);
	ck_assert_uint_eq(sum_of(SVM_EXIT_CPUID), 3);
	ck_assert_uint_eq(row_of(SVM_EXIT_VMMCALL).count, 2);
	ck_assert_uint_eq(row_of(SVM_EXIT_VMMCALL).timed, 1);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, false), 0);
	run_cpuids(4);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).count, 12);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 3);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	run_cpuids(1);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 4);
	ck_assert_uint_eq(row_of(SVM_EXIT_VMMCALL).timed, 2);
}
END_TEST

static enum svm_device_result switch_times(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_io_access *access)
{
	(void)arg;
	ck_assert_int_eq(svm_vcpu_time_exits(vcpu, access->value), 0);
	return SVM_DEVICE_DONE;
}

/* The exit in whose midst it is asked for has no beginning, and the one that ends it no end. */
START_TEST(times_begin_and_end_within_a_run)
{
	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, switch_times, NULL), 0);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0); /* For the table. */
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, false), 0);
	hosted_script_mov(&r.code, HOSTED_RAX, 1);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_cpuid(&r.code);
	hosted_script_cpuid(&r.code);
	hosted_script_mov(&r.code, HOSTED_RAX, 0);
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_cpuid(&r.code);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).count, 3);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 2);
	ck_assert_uint_eq(row_of(SVM_EXIT_IOIO).count, 2);
	ck_assert_uint_eq(row_of(SVM_EXIT_IOIO).timed, 0);
}
END_TEST

START_TEST(times_outlive_a_reset)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(r.vcpu, &system);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), 0);
	ck_assert_int_eq(svm_vcpu_set_system(r.vcpu, &system), 0);
	run_cpuids(2);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 2);
}
END_TEST

/* A callback that takes its time, which is the exit's. */
static uint64_t delay;

static enum svm_device_result on_port(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_io_access *access)
{
	const uint64_t start = svm_ring0_rdtsc();

	(void)arg;
	(void)vcpu;
	(void)access;
	while (svm_ring0_rdtsc() - start < delay)
		;
	return SVM_DEVICE_DONE;
}

START_TEST(long_exits_are_in_high_buckets)
{
	uint32_t buckets[SVM_EXIT_BUCKETS];
	uint64_t longer = 0;

	ck_assert_int_eq(svm_vm_io_handler(r.vm, 0x80, 1, on_port, NULL), 0);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	delay = UINT64_C(1) << 20;
	hosted_script_out_imm(&r.code, 0x80, 1);
	hosted_script_vmmcall(&r.code);
	ck_assert_int_eq(rig_run_on(&r), SVM_EXIT_KIND_HYPERCALL);
	svm_vcpu_get_exit_histogram(r.vcpu, SVM_EXIT_IOIO, buckets);
	for (unsigned i = 20; i < SVM_EXIT_BUCKETS; i++)
		longer += buckets[i];
	ck_assert_uint_eq(longer, 1);
	ck_assert_uint_ge(row_of(SVM_EXIT_IOIO).cycles, delay);
}
END_TEST

START_TEST(a_code_without_a_row_has_an_empty_histogram)
{
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	ck_assert_uint_eq(sum_of(0x12345), 0);
	ck_assert_uint_eq(sum_of(UINT64_MAX), 0);
}
END_TEST

START_TEST(without_memory_nothing_changes)
{
	hosted_fail_allocation(r.m, 1);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), SVM_ERR_NOMEM);
	run_cpuids(2);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).count, 2);
	ck_assert_uint_eq(row_of(SVM_EXIT_CPUID).timed, 0);
	hosted_fail_allocation(r.m, 0);
	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
}
END_TEST

START_TEST(counters_as_text_and_as_json)
{
	static const char as_text[] = "vcpu 0\n"
	                              "entries 3\n"
	                              "host_exits 1\n"
	                              "interrupts 0\n"
	                              "npt_fills 0\n"
	                              "injected 0\n"
	                              "reinjected 0\n"
	                              "asid_changes 1\n"
	                              "flushes 0\n"
	                              "loads 1\n"
	                              "exit CPUID count 2\n"
	                              "exit VMMCALL count 1\n";
	static const char as_json[] =
		"{\"vcpu\":0,\"entries\":3,\"host_exits\":1,\"interrupts\":0,\"npt_fills\":0,"
		"\"injected\":0,\"reinjected\":0,\"asid_changes\":1,\"flushes\":0,\"loads\":1,"
		"\"exits\":[{\"name\":\"CPUID\",\"count\":2},{\"name\":\"VMMCALL\",\"count\":1}]}";

	ck_assert_int_eq(svm_vm_populate(r.vm, 0, RIG_PAGES * 4096), 0);
	run_cpuids(2);
	ck_assert_uint_eq(svm_stats_text(r.vcpu, text, sizeof(text)), strlen(as_text));
	ck_assert_str_eq(text, as_text);
	ck_assert_uint_eq(svm_stats_json(r.vcpu, text, sizeof(text)), strlen(as_json));
	ck_assert_str_eq(text, as_json);
	ck_assert_uint_eq(svm_stats_json(r.vcpu, text, 10), strlen(as_json));
	ck_assert_str_eq(text, "{\"vcpu\":0");
	ck_assert_uint_eq(svm_stats_text(r.vcpu, NULL, 0), strlen(as_text));
}
END_TEST

/* What the clock gives is put into the expected line from the table. */
START_TEST(times_as_text_and_as_json)
{
	uint32_t buckets[SVM_EXIT_BUCKETS];
	struct svm_exit_count row;
	char line[200];
	unsigned b = 0;

	ck_assert_int_eq(svm_vcpu_time_exits(r.vcpu, true), 0);
	run_cpuids(0);
	row = row_of(SVM_EXIT_VMMCALL);
	svm_vcpu_get_exit_histogram(r.vcpu, SVM_EXIT_VMMCALL, buckets);
	while (!buckets[b])
		b++;
	snprintf(line, sizeof(line), "\nexit VMMCALL count 1 timed 1 cycles %llu log2 %u:1\n",
	         (unsigned long long)row.cycles, b);
	svm_stats_text(r.vcpu, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, line));
	snprintf(line, sizeof(line),
	         "{\"name\":\"VMMCALL\",\"count\":1,\"timed\":1,\"cycles\":%llu,"
	         "\"log2\":{\"%u\":1}}",
	         (unsigned long long)row.cycles, b);
	svm_stats_json(r.vcpu, text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, line));
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_timed_before_it_is_asked_for);
	tcase_add_test(tc, times_begin_and_end_with_a_run);
	tcase_add_test(tc, times_begin_and_end_within_a_run);
	tcase_add_test(tc, times_outlive_a_reset);
	tcase_add_test(tc, long_exits_are_in_high_buckets);
	tcase_add_test(tc, a_code_without_a_row_has_an_empty_histogram);
	tcase_add_test(tc, without_memory_nothing_changes);
	tcase_add_test(tc, counters_as_text_and_as_json);
	tcase_add_test(tc, times_as_text_and_as_json);
}

int main(void)
{
	return rig_main("statistics", add);
}
