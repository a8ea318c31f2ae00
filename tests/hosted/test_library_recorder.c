/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The flight recorder is read by one thread while another runs the vCPU: each record that is given
 * is whole, although the ring is overwritten all the time.
 */
#include <pthread.h>
#include <sched.h>

#include <libsvm/exit_codes.h>
#include <libsvm/recorder.h>

#include "rig.h"
#include "suite.h"

#define get(p)    __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define put(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

#define ROUNDS 2000u
#define PORTS  8u
#define SLOTS  4u /* Few: a reader is overtaken all the time. */

static struct {
	struct rig r;
	uint64_t round[PORTS]; /* RIP of each OUT. */
	bool stop;
} race;

static enum svm_device_result on_port(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_io_access *access)
{
	(void)arg;
	(void)vcpu;
	(void)access;
	return SVM_DEVICE_DONE;
}

static void *run(void *arg)
{
	struct rig *r = &race.r;
	struct svm_exit exit;

	(void)arg;
	hosted_become(r->m, 1);
	ck_assert_int_eq(svm_cpu_online(r->host), 0);
	while (!get(&race.stop))
		ck_assert_int_eq(svm_vcpu_run(r->vcpu, &exit), 0);
	ck_assert_int_eq(svm_cpu_offline(r->host), 0);
	hosted_leave();
	return NULL;
}

/* OUT to eight ports in turn, for ever: RIP tells the port, and the port is in EXITINFO1. */
static void make_guest(struct rig *r)
{
	hosted_script_init(&r->code, 32);
	const size_t again = r->code.size;

	for (unsigned i = 0; i < PORTS; i++) {
		race.round[i] = GUEST_CODE + r->code.size;
		hosted_script_out_imm(&r->code, (uint8_t)(0x80 + i), 1);
	}
	hosted_script_jmp(&r->code, again);
}

static void check(const struct svm_record *record)
{
	const uint64_t port = record->exit_info_1 >> 16;

	if (record->exit_code == SVM_EXIT_INTR)
		return;
	if (record->exit_code == SVM_EXIT_NPF) { /* The first touch of its code. */
		ck_assert_uint_eq(record->exit_info_2 >> 12, GUEST_CODE >> 12);
		return;
	}
	ck_assert_uint_eq(record->exit_code, SVM_EXIT_IOIO);
	ck_assert_uint_ge(port, 0x80);
	ck_assert_uint_lt(port, 0x80 + PORTS);
	ck_assert_uint_eq(record->rip, race.round[port - 0x80]);
	ck_assert_uint_eq(record->exit_info_2, record->rip + 2);
	ck_assert_uint_eq(record->event, 0);
	ck_assert_uint_eq(record->exit_int_info, 0);
}

/* Reads until so many records were seen that the ring went round many times. */
static uint64_t read_on(void)
{
	struct svm_record records[SLOTS];
	uint64_t next = 0, seen = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		const size_t count = svm_recorder_read(race.r.vcpu, next, records, SLOTS);

		ck_assert_uint_lt(count, SLOTS);
		for (size_t i = 0; i < count; i++) {
			check(&records[i]);
			ck_assert_uint_ge(records[i].number, next);
			if (i != 0) {
				ck_assert_uint_eq(records[i].number, records[0].number + i);
				ck_assert_uint_gt(records[i].tsc, records[i - 1].tsc);
				ck_assert_uint_eq(records[i - 1].advanced,
				                  records[i - 1].exit_code == SVM_EXIT_IOIO);
			}
		}
		if (count != 0)
			next = records[count - 1].number + 1;
		else
			sched_yield();
		seen += count;
	}
	return seen;
}

START_TEST(records_are_whole_while_the_guest_runs)
{
	const struct svm_vm_config small = { .recorder_slots = SLOTS };
	struct svm_recorder_header header;
	struct hosted_config config;
	uint64_t seen = 0;
	pthread_t thread;

	hosted_config_init(&config);
	config.cpus = 2;
	rig_init(&race.r, &config, GUEST_32);
	ck_assert_int_eq(svm_vcpu_destroy(race.r.vcpu), 0);
	ck_assert_int_eq(svm_vm_destroy(race.r.vm), 0);
	ck_assert_int_eq(rig_vm(&race.r, &race.r.vm, &small), 0);
	ck_assert_int_eq(rig_vcpu(&race.r, race.r.vm, 0, &race.r.vcpu), 0);
	ck_assert_int_eq(svm_vm_io_handler(race.r.vm, 0x80, PORTS, on_port, NULL), 0);
	make_guest(&race.r);
	rig_load(&race.r);
	put(&race.stop, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, run, NULL), 0);
	do { /* The guest may yet have to begin. */
		seen += read_on();
		svm_recorder_describe(race.r.vcpu, &header);
	} while (header.recorded < 10000 || !seen);
	put(&race.stop, true);
	svm_vcpu_kick(race.r.vcpu);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	rig_fini(&race.r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, records_are_whole_while_the_guest_runs);
}

int main(void)
{
	return suite_run("library recorder", add);
}
