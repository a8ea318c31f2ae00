/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a VM does with ports, MSRs and CPUID: policies, and the permission maps that follow. */
#include <check.h>
#include <stdlib.h>

#include "core/iopm.h"
#include "core/msrpm.h"
#include "core/vcpu/vcpu.h"
#include "hosted.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct hosted_machine *machine;
static struct svm_host *host;
static struct svm_vm *vm;

static void setup(void)
{
	const struct svm_vm_config config = { .vcpu_max = 4 };

	machine = hosted_create(NULL);
	hosted_become(machine, 0);
	ck_assert_int_eq(svm_host_create(hosted_hal(machine), &host), 0);
	ck_assert_int_eq(svm_cpu_online(host), 0);
	ck_assert_int_eq(svm_vm_create(host, &config, &vm), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(svm_vm_destroy(vm), 0);
	ck_assert_int_eq(svm_cpu_offline(host), 0);
	ck_assert_int_eq(svm_host_destroy(host), 0);
	hosted_leave();
	hosted_destroy(machine); /* A frame that was not freed is a breach. */
}

static enum svm_device_result device(void *arg, struct svm_vcpu *vcpu, struct svm_io_access *access)
{
	(void)arg;
	(void)vcpu;
	(void)access;
	return SVM_DEVICE_DONE;
}

/* --- ports --- */

static const struct {
	const char *what;
	uint16_t first;
	uint32_t count;
	int handler, allow; /* Results. */
} shape_rows[] = {
	{ "one port", 0x60, 1, 0, 0 },
	{ "no port", 0x60, 0, SVM_ERR_INVAL, SVM_ERR_INVAL },
	{ "the last port", 0xffff, 1, 0, 0 },
	{ "past the last port", 0xffff, 2, SVM_ERR_INVAL, SVM_ERR_INVAL },
	{ "all ports", 0, 65536, 0, 0 },
	{ "more than all", 0, 65537, SVM_ERR_INVAL, SVM_ERR_INVAL },
	{ "a count that wraps", 1, UINT32_MAX, SVM_ERR_INVAL, SVM_ERR_INVAL },
};

START_TEST(port_ranges_have_their_shape)
{
	ck_assert_msg(svm_vm_io_handler(vm, shape_rows[_i].first, shape_rows[_i].count, device,
	                                NULL) == shape_rows[_i].handler,
	              "%s", shape_rows[_i].what);
	ck_assert_msg(svm_vm_io_allow(vm, shape_rows[_i].first, shape_rows[_i].count, true) ==
	                      shape_rows[_i].allow,
	              "%s", shape_rows[_i].what);
}
END_TEST

/* Devices at 20h-21h, 40h-43h, 3F8h-3FFh, FFFEh-FFFFh. */
static int one, two, three, four;

static void place_devices(void)
{
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x40, 4, device, &two), 0);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0xfffe, 2, device, &four), 0);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x20, 2, device, &one), 0);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x3f8, 8, device, &three), 0);
}

static const struct {
	uint16_t port;
	uint8_t size;
	int *owner;
} find_rows[] = {
	{ 0x00, 1, NULL },    { 0x1f, 1, NULL },    { 0x1f, 2, NULL },   { 0x20, 1, &one },
	{ 0x20, 2, &one },    { 0x20, 4, NULL },    { 0x21, 1, &one },   { 0x21, 2, NULL },
	{ 0x22, 1, NULL },    { 0x3f, 2, NULL },    { 0x40, 4, &two },   { 0x41, 2, &two },
	{ 0x41, 4, NULL },    { 0x43, 1, &two },    { 0x44, 1, NULL },   { 0x3f8, 1, &three },
	{ 0x3ff, 1, &three }, { 0x3ff, 2, NULL },   { 0x400, 1, NULL },  { 0xfffd, 1, NULL },
	{ 0xfffe, 2, &four }, { 0xffff, 1, &four }, { 0xffff, 2, NULL }, { 0xfffe, 4, NULL },
};

/* As svm_exit_io() asks. */
static const struct svm_io_range *find_again(uint16_t port, uint8_t size)
{
	const uint64_t info = (uint64_t)port << 16 | (uint64_t)size << 4, last = vm->io.last;

	if (!svm_io_is_last(last, info))
		return svm_io_find_anew(&vm->io, info);
	return last >> 32 < vm->io.range_count ? &vm->io.range[last >> 32] : NULL;
}

START_TEST(an_access_belongs_to_the_device_that_has_all_its_bytes)
{
	const struct svm_io_range *range;

	place_devices();
	range = svm_io_find(&vm->io, find_rows[_i].port, find_rows[_i].size);
	ck_assert_msg((range ? range->arg : NULL) == find_rows[_i].owner, "%#x, %u bytes",
	              find_rows[_i].port, find_rows[_i].size);
	/* A wrong guess changes nothing, be it about a range that was or that never is. */
	for (uint32_t guess = 0; guess < SVM_IO_RANGE_MAX + 2; guess++) {
		vm->io.last = (uint64_t)guess << 32;
		ck_assert_ptr_eq(find_again(find_rows[_i].port, find_rows[_i].size), range);
		ck_assert_ptr_eq(find_again(find_rows[_i].port, find_rows[_i].size), range);
	}
}
END_TEST

/* Without a guess. */
static const struct svm_io_range *find_slowly(uint32_t port, uint8_t size)
{
	for (uint32_t i = 0; i < vm->io.range_count; i++) {
		if (vm->io.range[i].first <= port && vm->io.range[i].last >= port + size - 1)
			return &vm->io.range[i];
	}
	return NULL;
}

static void compare_all_ports(void)
{
	for (uint32_t port = 0; port < 0x10000; port++)
		for (uint8_t size = 1; size <= 4; size = (uint8_t)(size * 2))
			if (find_again((uint16_t)port, size) != find_slowly(port, size) ||
			    find_again((uint16_t)port, size) != find_slowly(port, size))
				ck_abort_msg("%#x, %u bytes", port, size);
}

/* What is remembered of the last access is right, also behind a change. */
START_TEST(the_last_access_is_remembered)
{
	if (_i)
		place_devices();
	compare_all_ports();
	ck_assert_ptr_null(find_again(0x50, 1));
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x50, 1, device, NULL), 0);
	ck_assert_ptr_nonnull(find_again(0x50, 1));
	compare_all_ports();
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x50, 1, NULL, NULL), 0);
	ck_assert_ptr_null(find_again(0x50, 1));
	compare_all_ports();
}
END_TEST

START_TEST(devices_do_not_overlap_and_leave_by_their_own_range)
{
	place_devices();
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x21, 1, device, NULL), SVM_ERR_EXIST);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x1f, 2, device, NULL), SVM_ERR_EXIST);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x00, 0x10000, device, NULL), SVM_ERR_EXIST);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x22, 0x1e, device, NULL), 0);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x40, 3, NULL, NULL), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x41, 3, NULL, NULL), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x40, 4, NULL, NULL), 0);
	ck_assert_ptr_null(svm_io_find(&vm->io, 0x40, 1));
	ck_assert_ptr_nonnull(svm_io_find(&vm->io, 0x3f8, 1));
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x40, 4, NULL, NULL), SVM_ERR_NOENT);
}
END_TEST

START_TEST(device_ranges_are_counted)
{
	for (uint16_t i = 0; i < SVM_IO_RANGE_MAX; i++)
		ck_assert_int_eq(svm_vm_io_handler(vm, (uint16_t)(i * 2), 1, device, NULL), 0);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x1000, 1, device, NULL), SVM_ERR_NOMEM);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0, 1, NULL, NULL), 0);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x1000, 1, device, NULL), 0);
}
END_TEST

START_TEST(a_vm_gets_a_port_map_of_its_own_with_its_first_open_port)
{
	const size_t before = hosted_frames_used(machine);

	ck_assert_ptr_eq(vm->io.iopm, host->iopm);
	ck_assert_int_eq(svm_vm_io_allow(vm, 0, 65536, false), 0); /* Nothing to change. */
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x60, 1, device, NULL), 0);
	ck_assert_ptr_eq(vm->io.iopm, host->iopm);
	ck_assert_uint_eq(hosted_frames_used(machine), before);

	ck_assert_int_eq(svm_vm_io_allow(vm, 0x3f8, 8, true), 0);
	ck_assert_ptr_ne(vm->io.iopm, host->iopm);
	ck_assert_uint_ne(vm->io.iopm_hpa, host->iopm_hpa);
	ck_assert_uint_eq(hosted_frames_used(machine), before + 3);
	ck_assert(!svm_iopm_denies(vm->io.iopm, 0x3f8, 4));
	ck_assert(svm_iopm_denies(vm->io.iopm, 0x3ff, 2));
	ck_assert(svm_iopm_denies(host->iopm, 0x3f8, 1));

	ck_assert_int_eq(svm_vm_io_allow(vm, 0x3fa, 1, false), 0);
	ck_assert(svm_iopm_denies(vm->io.iopm, 0x3fa, 1));
	ck_assert(!svm_iopm_denies(vm->io.iopm, 0x3fb, 1));
	ck_assert_uint_eq(hosted_frames_used(machine), before + 3);
}
END_TEST

START_TEST(a_port_map_that_cannot_be_had_changes_nothing)
{
	hosted_fail_allocation(machine, 1);
	ck_assert_int_eq(svm_vm_io_allow(vm, 0x3f8, 8, true), SVM_ERR_NOMEM);
	ck_assert_ptr_eq(vm->io.iopm, host->iopm);
	ck_assert(svm_iopm_denies(host->iopm, 0x3f8, 1));
	ck_assert_int_eq(svm_vm_io_allow(vm, 0x3f8, 8, true), 0);
}
END_TEST

START_TEST(nothing_changes_while_a_vcpu_runs)
{
	struct svm_vcpu *vcpu;

	ck_assert_int_eq(svm_vcpu_create(vm, 3, &vcpu), 0);
	vcpu->state = SVM_VCPU_RUNNING;
	ck_assert_int_eq(svm_vm_io_allow(vm, 0x3f8, 8, true), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vm_io_handler(vm, 0x3f8, 8, device, NULL), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0xc0000081, 1, SVM_MSR_EXIT), SVM_ERR_BUSY);
	ck_assert_int_eq(svm_vm_hypercall_default(vm, true, 0), SVM_ERR_BUSY);
	ck_assert(!vm->hypercalls.has_default);
	vcpu->state = SVM_VCPU_CREATED;
	ck_assert_int_eq(svm_vm_io_allow(vm, 0x3f8, 8, true), 0);
	ck_assert_int_eq(svm_vcpu_destroy(vcpu), 0);
}
END_TEST

/* --- MSRs --- */

static const struct {
	const char *what;
	uint32_t first;
	uint64_t count;
	enum svm_msr_policy policy;
	int result;
} msr_rows[] = {
	{ "no register", 0x10, 0, SVM_MSR_EXIT, SVM_ERR_INVAL },
	{ "all registers to the embedder", 0, 1ull << 32, SVM_MSR_EXIT, 0 },
	{ "one more than all", 0, (1ull << 32) + 1, SVM_MSR_EXIT, SVM_ERR_INVAL },
	{ "the last register", 0xffffffff, 1, SVM_MSR_ZERO, 0 },
	{ "past the last register", 0xffffffff, 2, SVM_MSR_ZERO, SVM_ERR_INVAL },
	{ "a count that wraps", 1, UINT64_MAX, SVM_MSR_ZERO, SVM_ERR_INVAL },
	{ "a PASS register", 0xc0000082, 1, SVM_MSR_PASS, 0 },
	{ "four PASS registers", 0xc0000081, 4, SVM_MSR_PASS, 0 },
	{ "EFER among them", 0xc0000080, 5, SVM_MSR_PASS, SVM_ERR_INVAL },
	{ "one beyond them", 0xc0000081, 5, SVM_MSR_PASS, SVM_ERR_INVAL },
	{ "PASS for EFER", 0xc0000080, 1, SVM_MSR_PASS, SVM_ERR_INVAL },
	{ "PASS for VM_HSAVE_PA", 0xc0010117, 1, SVM_MSR_PASS, SVM_ERR_INVAL },
	{ "PASS for TSC_AUX", 0xc0000103, 1, SVM_MSR_PASS, SVM_ERR_INVAL },
	{ "PASS for an unknown register", 0x12345, 1, SVM_MSR_PASS, SVM_ERR_INVAL },
	{ "PASS for all", 0, 1ull << 32, SVM_MSR_PASS, SVM_ERR_INVAL },
	{ "STATE for EFER", 0xc0000080, 1, SVM_MSR_STATE, 0 },
	{ "STATE for LSTAR", 0xc0000082, 1, SVM_MSR_STATE, SVM_ERR_INVAL },
	{ "STATE for an unknown register", 0x12345, 1, SVM_MSR_STATE, SVM_ERR_INVAL },
	{ "SHADOW for a refused register", 0x6e0, 1, SVM_MSR_SHADOW, 0 },
	{ "SHADOW for an unknown register", 0x12345, 1, SVM_MSR_SHADOW, SVM_ERR_INVAL },
	{ "SHADOW for the fixed ranges", 0x268, 8, SVM_MSR_SHADOW, 0 },
	{ "SHADOW with a gap", 0x258, 3, SVM_MSR_SHADOW, SVM_ERR_INVAL },
	{ "a device without its callback", 0x800, 1, SVM_MSR_DEVICE, SVM_ERR_INVAL },
	{ "no policy", 0x10, 1, (enum svm_msr_policy)7, SVM_ERR_INVAL },
};

START_TEST(a_register_gets_only_what_it_can_have)
{
	ck_assert_msg(svm_vm_set_msr_policy(vm, msr_rows[_i].first, msr_rows[_i].count,
	                                    msr_rows[_i].policy) == msr_rows[_i].result,
	              "%s", msr_rows[_i].what);
	if (!msr_rows[_i].result)
		ck_assert_int_eq((int)svm_msr_policy_of(&vm->msr, msr_rows[_i].first),
		                 (int)msr_rows[_i].policy);
}
END_TEST

START_TEST(the_newest_range_wins)
{
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x800, 0x100, SVM_MSR_EXIT), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x808, 1, SVM_MSR_ZERO), 0);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x7ff), SVM_MSR_REFUSE);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x800), SVM_MSR_EXIT);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x808), SVM_MSR_ZERO);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x8ff), SVM_MSR_EXIT);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x900), SVM_MSR_REFUSE);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x800, 0x100, SVM_MSR_REFUSE), 0);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x808), SVM_MSR_REFUSE);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0xc0000080), SVM_MSR_STATE);
}
END_TEST

static bool msr_device(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	(void)arg;
	(void)vcpu;
	(void)access;
	return true;
}

/* The last register is remembered with its policy, until a policy changes. */
START_TEST(a_policy_that_changes_is_followed)
{
	static const uint32_t numbers[] = { 0, 0x808, UINT32_MAX };
	const uint32_t msr = numbers[_i];

	ck_assert_int_eq(svm_msr_policy_again(&vm->msr, msr), SVM_MSR_REFUSE);
	ck_assert_int_eq(svm_msr_policy_again(&vm->msr, msr), SVM_MSR_REFUSE);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, msr, 1, SVM_MSR_EXIT), 0);
	ck_assert_int_eq(svm_msr_policy_again(&vm->msr, msr), SVM_MSR_EXIT);
	ck_assert_int_eq(svm_msr_policy_again(&vm->msr, 0xc0000080), SVM_MSR_STATE);
	ck_assert_int_eq(svm_msr_policy_again(&vm->msr, msr), SVM_MSR_EXIT);
	ck_assert_int_eq(svm_vm_msr_handler(vm, msr, 1, msr_device, NULL), 0);
	ck_assert_int_eq(svm_msr_policy_again(&vm->msr, msr), SVM_MSR_DEVICE);
	ck_assert_int_eq(svm_vm_msr_handler(vm, msr, 1, NULL, NULL), 0);
	ck_assert_int_eq(svm_msr_policy_again(&vm->msr, msr), SVM_MSR_EXIT);
}
END_TEST

START_TEST(ranges_that_are_hidden_make_room)
{
	for (uint32_t i = 0; i < SVM_MSR_RANGE_MAX; i++)
		ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x800 + i, 1, SVM_MSR_EXIT), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x900, 1, SVM_MSR_EXIT), SVM_ERR_NOMEM);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x900), SVM_MSR_REFUSE);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x800), SVM_MSR_EXIT);
	/* The same range again hides itself. */
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x805, 1, SVM_MSR_ZERO), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x800, 0x100, SVM_MSR_ZERO), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x900, 1, SVM_MSR_EXIT), 0);
	ck_assert_uint_eq(vm->msr.range_count, 2);
}
END_TEST

static const struct {
	const char *what;
	uint32_t first;
	uint64_t count;
	svm_msr_fn fn;
	int result;
} handler_rows[] = {
	{ "none", 0x900, 0, msr_device, SVM_ERR_INVAL },
	{ "past the last", 0xffffffff, 2, msr_device, SVM_ERR_INVAL },
	{ "the last", 0xffffffff, 1, msr_device, 0 },
	{ "a register that the map opens", 0xc0000080, 3, msr_device, SVM_ERR_INVAL },
	{ "a register of the library's own", 0x1b, 1, msr_device, 0 },
	{ "before a range", 0x7ff, 1, msr_device, 0 },
	{ "the start of a range", 0x7ff, 2, msr_device, SVM_ERR_EXIST },
	{ "the end of a range", 0x83f, 9, msr_device, SVM_ERR_EXIST },
	{ "behind a range", 0x840, 1, msr_device, 0 },
	{ "give back what is not there", 0x800, 1, NULL, SVM_ERR_NOENT },
	{ "give back", 0x800, 0x40, NULL, 0 },
};

START_TEST(a_callback_answers_for_registers)
{
	ck_assert_int_eq(svm_vm_msr_handler(vm, 0x800, 0x40, msr_device, NULL), 0);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x800), SVM_MSR_DEVICE);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x83f), SVM_MSR_DEVICE);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x840), SVM_MSR_REFUSE);
	ck_assert_msg(svm_vm_msr_handler(vm, handler_rows[_i].first, handler_rows[_i].count,
	                                 handler_rows[_i].fn, NULL) == handler_rows[_i].result,
	              "%s", handler_rows[_i].what);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x800),
	                 !handler_rows[_i].fn && !handler_rows[_i].result ? SVM_MSR_REFUSE
	                                                                  : SVM_MSR_DEVICE);
}
END_TEST

START_TEST(callbacks_for_registers_run_out)
{
	for (uint32_t i = 0; i < SVM_MSR_HANDLER_MAX; i++)
		ck_assert_int_eq(svm_vm_msr_handler(vm, 0x900 + i, 1, msr_device, NULL), 0);
	ck_assert_int_eq(svm_vm_msr_handler(vm, 0xa00, 1, msr_device, NULL), SVM_ERR_NOMEM);
	ck_assert_int_eq(svm_vm_msr_handler(vm, 0x900, 1, NULL, NULL), 0);
	ck_assert_int_eq(svm_vm_msr_handler(vm, 0xa00, 1, msr_device, NULL), 0);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0x907), SVM_MSR_DEVICE);
}
END_TEST

/* --- hypercalls --- */

static enum svm_device_result answer_call(void *arg, struct svm_vcpu *vcpu,
                                          struct svm_hypercall *call)
{
	(void)arg;
	(void)vcpu;
	(void)call;
	return SVM_DEVICE_DONE;
}

static const struct {
	const char *what;
	uint32_t first, count;
	svm_hypercall_fn fn;
	int result;
} call_rows[] = {
	{ "none", 1, 0, answer_call, SVM_ERR_INVAL },
	{ "past the last", 0xffffffff, 2, answer_call, SVM_ERR_INVAL },
	{ "the last", 0xffffffff, 1, answer_call, 0 },
	{ "before a range", 0xf, 1, answer_call, 0 },
	{ "the start of a range", 0xf, 2, answer_call, SVM_ERR_EXIST },
	{ "inside a range", 0x11, 1, answer_call, SVM_ERR_EXIST },
	{ "around a range", 0xf, 0x20, answer_call, SVM_ERR_EXIST },
	{ "the end of a range", 0x1f, 2, answer_call, SVM_ERR_EXIST },
	{ "behind a range", 0x20, 1, answer_call, 0 },
	{ "give back what is not there", 0x10, 0xf, NULL, SVM_ERR_NOENT },
	{ "give back", 0x10, 0x10, NULL, 0 },
};

START_TEST(a_callback_answers_hypercalls)
{
	ck_assert_int_eq(svm_vm_hypercall_handler(vm, 0x10, 0x10, answer_call, NULL), 0);
	ck_assert_msg(svm_vm_hypercall_handler(vm, call_rows[_i].first, call_rows[_i].count,
	                                       call_rows[_i].fn, NULL) == call_rows[_i].result,
	              "%s", call_rows[_i].what);
	ck_assert(!svm_hypercall_find(&vm->hypercalls, UINT64_C(0x100000010)));
	ck_assert_int_eq(!svm_hypercall_find(&vm->hypercalls, 0x1f),
	                 !call_rows[_i].fn && !call_rows[_i].result);
}
END_TEST

START_TEST(callbacks_for_hypercalls_run_out)
{
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_int_eq(svm_vm_hypercall_handler(vm, 2 * i, 1, answer_call, NULL), 0);
	ck_assert_int_eq(svm_vm_hypercall_handler(vm, 9, 1, answer_call, NULL), SVM_ERR_NOMEM);
	ck_assert_int_eq(svm_vm_hypercall_handler(vm, 0, 1, NULL, NULL), 0);
	ck_assert_int_eq(svm_vm_hypercall_handler(vm, 9, 1, answer_call, NULL), 0);
	ck_assert(!svm_hypercall_find(&vm->hypercalls, 0));
	ck_assert(svm_hypercall_find(&vm->hypercalls, 6) != NULL);
}
END_TEST

START_TEST(a_vm_gets_an_msr_map_of_its_own_when_a_register_closes)
{
	const size_t before = hosted_frames_used(machine);

	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0x800, 0x100, SVM_MSR_EXIT), 0);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0xc0000082, 1, SVM_MSR_PASS), 0);
	ck_assert_ptr_eq(vm->msr.msrpm, host->msrpm);
	ck_assert_uint_eq(hosted_frames_used(machine), before);

	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0xc0000082, 1, SVM_MSR_EXIT), 0);
	ck_assert_ptr_ne(vm->msr.msrpm, host->msrpm);
	ck_assert_uint_ne(vm->msr.msrpm_hpa, host->msrpm_hpa);
	ck_assert_uint_eq(hosted_frames_used(machine), before + 2);
	ck_assert_uint_eq(vm->msr.msrpm[0x820], 0x33); /* EFER, LSTAR closed. */
	ck_assert_uint_eq(((uint8_t *)host->msrpm)[0x820], 0x03);

	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0, 1ull << 32, SVM_MSR_EXIT), 0);
	for (unsigned i = 0; i < SVM_MSRPM_SIZE; i++)
		ck_assert_uint_eq(vm->msr.msrpm[i], 0xff);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0xc0000081, 4, SVM_MSR_PASS), 0);
	ck_assert_uint_eq(vm->msr.msrpm[0x820], 0x03);
	ck_assert_uint_eq(vm->msr.msrpm[0x821], 0xfc);
	ck_assert_uint_eq(vm->msr.msrpm[0x840], 0xff);
}
END_TEST

START_TEST(an_msr_map_that_cannot_be_had_changes_nothing)
{
	hosted_fail_allocation(machine, 1);
	ck_assert_int_eq(svm_vm_set_msr_policy(vm, 0xc0000082, 1, SVM_MSR_EXIT), SVM_ERR_NOMEM);
	ck_assert_int_eq(svm_msr_policy_of(&vm->msr, 0xc0000082), SVM_MSR_PASS);
	ck_assert_uint_eq(vm->msr.range_count, 0);
	ck_assert_ptr_eq(vm->msr.msrpm, host->msrpm);
}
END_TEST

/* --- CPUID of a VM --- */

static struct svm_cpuid_regs ask(uint32_t leaf, uint32_t subleaf)
{
	const struct svm_cpuid_state state = { .apic_id = 2 };
	struct svm_cpuid_regs regs;

	(void)svm_cpuid_lookup(&vm->cpuid, &state, leaf, subleaf, &regs);
	return regs;
}

START_TEST(a_new_vm_has_the_default_table_for_its_cpus)
{
	ck_assert_uint_eq(ask(1, 0).ecx >> 31, 1);
	ck_assert_uint_eq(ask(1, 0).ebx >> 16 & 0xff, 4);
	ck_assert_uint_eq(ask(1, 0).ebx >> 24, 2);
	ck_assert_uint_eq(ask(0x80000001, 0).ecx & 4, 0); /* SVM. */
	ck_assert_uint_eq(vm->cpuid.max_basic, ask(0, 0).eax);
	ck_assert_uint_eq(vm->cpuid.max_extended, ask(0x80000000, 0).eax);
}
END_TEST

/* Every leaf that a row answers alone gets from it what the search finds, whatever the state. */
START_TEST(a_plain_row_is_the_whole_answer)
{
	const struct svm_cpuid_state state = {
		.apic_id = 3, .cr4 = UINT64_MAX, .xcr0 = 7, .xss = 1
	};
	unsigned int plain = 0;

	for (uint32_t i = 0; i < 4 * 0x40; i++) {
		const uint32_t leaf = (i >> 6) << 30 | (i & 0x3f);
		const struct svm_cpuid_entry *row = svm_cpuid_plain(&vm->cpuid, leaf);
		struct svm_cpuid_regs regs;

		ck_assert(svm_cpuid_lookup(&vm->cpuid, &state, leaf, 77, &regs) || !row);
		if (!row)
			continue;
		plain++;
		ck_assert_uint_eq(row->leaf, leaf);
		ck_assert_uint_eq(row->eax, regs.eax);
		ck_assert_uint_eq(row->ebx, regs.ebx);
		ck_assert_uint_eq(row->ecx, regs.ecx);
		ck_assert_uint_eq(row->edx, regs.edx);
	}
	ck_assert_uint_gt(plain, 5);
	ck_assert_ptr_null(svm_cpuid_plain(&vm->cpuid, 1));
	ck_assert_ptr_null(svm_cpuid_plain(&vm->cpuid, 0xd));
}
END_TEST

START_TEST(a_vm_may_start_with_no_table)
{
	const struct svm_vm_config config = { .no_prepared_cpuid = true };
	struct svm_vm *bare;

	ck_assert_int_eq(svm_vm_create(host, &config, &bare), 0);
	ck_assert_uint_eq(bare->cpuid.count, 0);
	ck_assert_int_eq(svm_vm_destroy(bare), 0);
}
END_TEST

/* The host's rows are copied: what one VM makes of them, and its number of CPUs, is its own. */
START_TEST(what_vms_start_with_is_each_ones_own)
{
	const struct svm_cpuid_entry only = { .leaf = 1, .eax = 7 };
	const uint32_t four_cpus = ask(1, 0).ebx >> 16 & 0xff;
	struct svm_cpuid_entry entries[SVM_CPUID_MAX];
	size_t count = 0;
	struct svm_vm *other;

	ck_assert_uint_eq(four_cpus, 4);
	ck_assert_int_eq(svm_vm_set_cpuid(vm, &only, 1), 0);
	ck_assert_int_eq(svm_vm_create(host, NULL, &other), 0);
	ck_assert_int_eq(svm_cpuid_default(host, entries, SVM_CPUID_MAX, &count), 0);
	ck_assert_uint_eq(other->cpuid.count, count);
	ck_assert_ptr_null(svm_cpuid_plain(&vm->cpuid, 0));
	ck_assert_uint_eq(svm_cpuid_plain(&other->cpuid, 0)->eax, entries[0].eax);
	ck_assert_uint_eq(svm_cpuid_plain(&other->cpuid, 0)->ebx, entries[0].ebx);
	ck_assert_int_eq(svm_vm_destroy(other), 0);
}
END_TEST

/* With 4 levels a touch may take tables of three. */
START_TEST(a_vm_starts_with_tables_for_one_touch)
{
	ck_assert_uint_eq(vm->config.table_reserve, 3);
	ck_assert_uint_eq(vm->memory.reserve_count, 3);
}
END_TEST

START_TEST(the_default_table_can_be_had_changed_and_set)
{
	struct svm_cpuid_entry entries[SVM_CPUID_MAX];
	size_t count = 0, needed = 0;

	ck_assert_int_eq(svm_cpuid_default(host, entries, SVM_CPUID_MAX, &count), 0);
	ck_assert_uint_gt(count, 10);
	ck_assert_int_eq(svm_cpuid_default(host, entries, count - 1, &needed), SVM_ERR_RANGE);
	ck_assert_uint_eq(needed, count);
	ck_assert_int_eq(svm_cpuid_default(host, entries, count, &needed), 0);
	/* Any order. */
	for (size_t i = 0; i < count / 2; i++) {
		const struct svm_cpuid_entry other = entries[i];

		entries[i] = entries[count - 1 - i];
		entries[count - 1 - i] = other;
	}
	ck_assert_int_eq(svm_vm_set_cpuid(vm, entries, count), 0);
	ck_assert_uint_eq(vm->cpuid.count, count);
	ck_assert_uint_eq(ask(1, 0).ebx >> 16 & 0xff, 1);
	for (size_t i = 0; i < count; i++)
		if (entries[i].leaf != 1 && entries[i].leaf != 0x8000001e)
			ck_assert_uint_eq(ask(entries[i].leaf, entries[i].subleaf).eax,
			                  entries[i].eax);
}
END_TEST

static const struct {
	const char *what;
	struct svm_cpuid_entry a, b;
	int result;
} twin_rows[] = {
	{ "two leaves", { .leaf = 2 }, { .leaf = 1 }, 0 },
	{ "one leaf twice", { .leaf = 2 }, { .leaf = 2 }, SVM_ERR_INVAL },
	{ "two subleaves",
	  { .leaf = 2, .subleaf = 1, .subleaf_matters = true },
	  { .leaf = 2, .subleaf = 0, .subleaf_matters = true },
	  0 },
	{ "one subleaf twice",
	  { .leaf = 2, .subleaf = 1, .subleaf_matters = true },
	  { .leaf = 2, .subleaf = 1, .subleaf_matters = true },
	  SVM_ERR_INVAL },
	{ "a subleaf beside a row for all",
	  { .leaf = 2, .subleaf = 7, .subleaf_matters = true },
	  { .leaf = 2 },
	  SVM_ERR_INVAL },
	{ "subleaves that do not matter",
	  { .leaf = 2, .subleaf = 1 },
	  { .leaf = 2, .subleaf = 2 },
	  SVM_ERR_INVAL },
};

START_TEST(a_question_has_one_answer)
{
	const struct svm_cpuid_entry entries[2] = { twin_rows[_i].a, twin_rows[_i].b };
	const uint32_t before = vm->cpuid.count;

	ck_assert_msg(svm_vm_set_cpuid(vm, entries, 2) == twin_rows[_i].result, "%s",
	              twin_rows[_i].what);
	ck_assert_uint_eq(vm->cpuid.count, twin_rows[_i].result ? before : 2);
}
END_TEST

START_TEST(the_first_run_seals_the_table)
{
	const struct svm_cpuid_entry entry = { .leaf = 1 };

	vm->state = SVM_VM_RUNNING;
	ck_assert_int_eq(svm_vm_set_cpuid(vm, &entry, 1), SVM_ERR_STATE);
	vm->state = SVM_VM_CREATED;
	ck_assert_int_eq(svm_vm_set_cpuid(vm, &entry, 1), 0);
	ck_assert_int_eq(svm_vm_set_cpuid(vm, NULL, 0), 0);
	ck_assert_uint_eq(vm->cpuid.count, 0);
}
END_TEST

START_TEST(too_many_rows_are_refused)
{
	static struct svm_cpuid_entry entries[SVM_CPUID_MAX + 1];

	for (uint32_t i = 0; i <= SVM_CPUID_MAX; i++)
		entries[i].leaf = i;
	ck_assert_int_eq(svm_vm_set_cpuid(vm, entries, SVM_CPUID_MAX + 1), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_set_cpuid(vm, entries, SVM_CPUID_MAX), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("policy");
	TCase *tcase = tcase_create("policy");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, port_ranges_have_their_shape, 0, ARRAY_SIZE(shape_rows));
	tcase_add_loop_test(tcase, an_access_belongs_to_the_device_that_has_all_its_bytes, 0,
	                    ARRAY_SIZE(find_rows));
	tcase_add_loop_test(tcase, the_last_access_is_remembered, 0, 2);
	tcase_add_test(tcase, devices_do_not_overlap_and_leave_by_their_own_range);
	tcase_add_test(tcase, device_ranges_are_counted);
	tcase_add_test(tcase, a_vm_gets_a_port_map_of_its_own_with_its_first_open_port);
	tcase_add_test(tcase, a_port_map_that_cannot_be_had_changes_nothing);
	tcase_add_test(tcase, nothing_changes_while_a_vcpu_runs);
	tcase_add_loop_test(tcase, a_register_gets_only_what_it_can_have, 0, ARRAY_SIZE(msr_rows));
	tcase_add_test(tcase, the_newest_range_wins);
	tcase_add_loop_test(tcase, a_policy_that_changes_is_followed, 0, 3);
	tcase_add_test(tcase, ranges_that_are_hidden_make_room);
	tcase_add_loop_test(tcase, a_callback_answers_for_registers, 0,
	                    ARRAY_SIZE(handler_rows));
	tcase_add_test(tcase, callbacks_for_registers_run_out);
	tcase_add_loop_test(tcase, a_callback_answers_hypercalls, 0, ARRAY_SIZE(call_rows));
	tcase_add_test(tcase, callbacks_for_hypercalls_run_out);
	tcase_add_test(tcase, a_vm_gets_an_msr_map_of_its_own_when_a_register_closes);
	tcase_add_test(tcase, an_msr_map_that_cannot_be_had_changes_nothing);
	tcase_add_test(tcase, a_new_vm_has_the_default_table_for_its_cpus);
	tcase_add_test(tcase, a_plain_row_is_the_whole_answer);
	tcase_add_test(tcase, a_vm_may_start_with_no_table);
	tcase_add_test(tcase, what_vms_start_with_is_each_ones_own);
	tcase_add_test(tcase, a_vm_starts_with_tables_for_one_touch);
	tcase_add_test(tcase, the_default_table_can_be_had_changed_and_set);
	tcase_add_loop_test(tcase, a_question_has_one_answer, 0, ARRAY_SIZE(twin_rows));
	tcase_add_test(tcase, the_first_run_seals_the_table);
	tcase_add_test(tcase, too_many_rows_are_refused);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
