/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Guest memory by linear address: translation, data and code across pages, in a VM with slots. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/features.h"
#include "core/vcpu/guest_virtual.h"
#include "core/vcpu/vcpu.h"
#include "hosted.h"

#define RAM_PAGES 16u
#define RAM_SIZE  (RAM_PAGES * 4096u)

static struct hosted_machine *machine;
static struct svm_host *host;
static struct svm_vm *vm;
static struct svm_vcpu *vcpu;
static uint8_t *ram;
static svm_hpa_t ram_hpa;

static void put(uint64_t gpa, uint64_t entry)
{
	memcpy(ram + gpa, &entry, sizeof(entry));
}

static uint64_t get(uint64_t gpa)
{
	uint64_t entry;

	memcpy(&entry, ram + gpa, sizeof(entry));
	return entry;
}

/*
 * Long mode, PML4 1000h, PDPT 2000h, PD 3000h, PT 4000h.  Linear page n of the first 16:
 *   0 → 8000h, 1 → A000h (not next to it), 2 → 9000h user, 3 absent, 4 → read-only B000h,
 *   5 → beyond the slot, 6 → NX C000h.
 */
static void long_mode(void)
{
	struct svm_vmcb *vmcb = vcpu->vmcb;
	struct svm_vmcb_segment cs = svm_vmcb_get_cs(vmcb);

	put(0x1000, 0x2007);
	put(0x2000, 0x3007);
	put(0x3000, 0x4007);
	put(0x4000, 0x8003);
	put(0x4008, 0xa003);
	put(0x4010, 0x9007);
	put(0x4020, 0xb001);
	put(0x4028, 0x100003);
	put(0x4030, 0xc003 | 1ull << 63);
	cs.attributes = 0xa9b;
	cs.base = 0;
	svm_vmcb_set_cs(vmcb, cs);
	svm_vmcb_set_efer(vmcb, EFER_LME | EFER_LMA | EFER_NXE | EFER_SVME);
	svm_vmcb_set_cr4(vmcb, CR4_PAE);
	svm_vmcb_set_cr3(vmcb, 0x1000);
	svm_vmcb_set_cr0(vmcb, CR0_PG | CR0_WP | CR0_PE);
	svm_vmcb_set_cpl(vmcb, 0);
	vmcb->save.rflags = RFLAGS_FIXED;
}

static void setup(void)
{
	machine = hosted_create(NULL);
	hosted_become(machine, 0);
	ck_assert_int_eq(svm_host_create(hosted_hal(machine), &host), 0);
	ck_assert_int_eq(svm_cpu_online(host), 0);
	ck_assert_int_eq(svm_vm_create(host, NULL, &vm), 0);
	ram = hosted_guest_alloc(machine, RAM_PAGES, 4096, &ram_hpa);
	ck_assert_int_eq(svm_vm_map(vm, 0, ram_hpa, RAM_SIZE, SVM_PROT_ALL), 0);
	ck_assert_int_eq(svm_vcpu_create(vm, 0, &vcpu), 0);
	for (unsigned i = 0x8000; i < RAM_SIZE; i++)
		ram[i] = (uint8_t)(i >> 12 << 4 | (i & 15));
	long_mode();
}

static void teardown(void)
{
	ck_assert_int_eq(svm_vcpu_destroy(vcpu), 0);
	ck_assert_int_eq(svm_vm_destroy(vm), 0);
	hosted_guest_free(machine, ram_hpa, RAM_PAGES);
	ck_assert_int_eq(svm_cpu_offline(host), 0);
	ck_assert_int_eq(svm_host_destroy(host), 0);
	hosted_leave();
	hosted_destroy(machine);
}

#define READ    SVM_PROT_READ
#define WRITE   SVM_PROT_WRITE
#define EXECUTE SVM_PROT_EXECUTE
#define USER    SVM_ACCESS_USER
#define SYSTEM  SVM_ACCESS_SYSTEM

static const struct {
	const char *what;
	uint64_t gva;
	uint32_t access;
	uint8_t cpl;
	uint64_t cr4;
	int result;
	uint64_t gpa;
	uint32_t error;
	uint8_t vector, level;
} rows[] = {
	{ "a page", 0x0123, READ, 0, 0, 0, 0x8123, 0, 0, 1 },
	{ "its neighbour", 0x1123, WRITE, 0, 0, 0, 0xa123, 0, 0, 1 },
	{ "no access named is a read", 0x0123, 0, 0, 0, 0, 0x8123, 0, 0, 1 },
	{ "an absent page", 0x3123, WRITE, 0, 0, SVM_ERR_FAULT, 0, 0x2, 14, 1 },
	{ "an absent table", 0x200000, READ, 0, 0, SVM_ERR_FAULT, 0, 0, 14, 2 },
	{ "a read-only page", 0x4123, WRITE, 0, 0, SVM_ERR_FAULT, 0, 0x3, 14, 1 },
	{ "the vCPU's own CPL", 0x0123, READ, 3, 0, SVM_ERR_FAULT, 0, 0x5, 14, 1 },
	{ "SYSTEM at CPL 3", 0x0123, READ | SYSTEM, 3, 0, 0, 0x8123, 0, 0, 1 },
	{ "USER at CPL 0", 0x0123, READ | USER, 0, 0, SVM_ERR_FAULT, 0, 0x5, 14, 1 },
	{ "USER on a user page", 0x2123, WRITE | USER, 0, 0, 0, 0x9123, 0, 0, 1 },
	{ "SMAP", 0x2123, READ, 0, CR4_SMAP, SVM_ERR_FAULT, 0, 0x1, 14, 1 },
	{ "SMAP does not stop SYSTEM", 0x2123, READ | SYSTEM, 0, CR4_SMAP, 0, 0x9123, 0, 0, 1 },
	{ "an NX page", 0x6000, EXECUTE, 0, 0, SVM_ERR_FAULT, 0, 0x11, 14, 1 },
	{ "an NX page, for both", 0x6000, WRITE | EXECUTE, 0, 0, SVM_ERR_FAULT, 0, 0x11, 14, 1 },
	{ "both allowed", 0x0000, WRITE | EXECUTE, 0, 0, 0, 0x8000, 0, 0, 1 },
	{ "a page beyond memory is still translated", 0x5123, READ, 0, 0, 0, 0x100123, 0, 0, 1 },
	{ "not canonical", 0x0000800000000000, READ, 0, 0, SVM_ERR_FAULT, 0, 0, 13, 0 },
	{ "USER and SYSTEM", 0, USER | SYSTEM, 0, 0, SVM_ERR_INVAL, 0, 0, 0, 0 },
	{ "an unknown bit", 0, 64, 0, 0, SVM_ERR_INVAL, 0, 0, 0, 0 },
};

START_TEST(translation_follows_tables_and_rights)
{
	struct svm_translation result = { 0 };
	const int error = (svm_vmcb_set_cpl(vcpu->vmcb, rows[_i].cpl),
	                   svm_vmcb_set_cr4(vcpu->vmcb, CR4_PAE | rows[_i].cr4),
	                   svm_vcpu_translate(vcpu, rows[_i].gva, rows[_i].access, &result));

	ck_assert_msg(error == rows[_i].result, "%s: %d", rows[_i].what, error);
	if (error == SVM_ERR_INVAL)
		return;
	if (!error) {
		ck_assert_msg(result.gpa == rows[_i].gpa, "%s: %#llx", rows[_i].what,
		              (unsigned long long)result.gpa);
		ck_assert_uint_eq(result.page_size, 4096);
	}
	ck_assert_msg(result.error_code == rows[_i].error, "%s: %#x", rows[_i].what,
	              result.error_code);
	ck_assert_msg(result.vector == rows[_i].vector, "%s: #%u", rows[_i].what, result.vector);
	ck_assert_msg(result.level == rows[_i].level, "%s: level %u", rows[_i].what, result.level);
	ck_assert_uint_eq(get(0x4000) & 0x60, 0); /* No mark. */
}
END_TEST

START_TEST(a_table_outside_memory_is_no_fault_of_the_guest_s)
{
	struct svm_translation result;

	put(0x3000, 0x200007);
	ck_assert_int_eq(svm_vcpu_translate(vcpu, 0x0123, READ, &result), SVM_ERR_FAULT);
	ck_assert_uint_eq(result.vector, 0);
	ck_assert_uint_eq(result.level, 1);
	ck_assert_uint_eq(result.entry_gpa, 0x200000);
}
END_TEST

START_TEST(without_paging_linear_is_physical)
{
	struct svm_translation result;

	svm_vmcb_set_efer(vcpu->vmcb, EFER_SVME);
	svm_vmcb_set_cr0(vcpu->vmcb, CR0_PE);
	ck_assert_int_eq(svm_vcpu_translate(vcpu, 0x100008123, READ, &result), 0);
	ck_assert_uint_eq(result.gpa, 0x8123);
	ck_assert_uint_eq(result.level, 0);
}
END_TEST

START_TEST(data_crosses_pages_that_are_not_neighbours)
{
	uint8_t data[16];
	size_t done = 99;

	ck_assert_int_eq(svm_vcpu_read(vcpu, 0x0ff8, data, 16, &done), 0);
	ck_assert_uint_eq(done, 16);
	ck_assert_mem_eq(data, ram + 0x8ff8, 8);
	ck_assert_mem_eq(data + 8, ram + 0xa000, 8);

	memset(data, 0x77, sizeof(data));
	ck_assert_int_eq(svm_vcpu_write(vcpu, 0x0ff8, data, 16, &done), 0);
	ck_assert_uint_eq(done, 16);
	ck_assert_mem_eq(ram + 0x8ff8, data, 8);
	ck_assert_mem_eq(ram + 0xa000, data, 8);
	ck_assert_uint_eq(ram[0x9000], 0x90); /* The physical neighbour is untouched. */
	ck_assert_uint_eq(ram[0xa008], 0xa8);
}
END_TEST

START_TEST(a_write_marks_the_guest_s_tables_and_a_read_does_not)
{
	uint8_t byte = 1;

	ck_assert_int_eq(svm_vcpu_read(vcpu, 0x0000, &byte, 1, NULL), 0);
	ck_assert_uint_eq(get(0x1000) & 0x60, 0);
	ck_assert_uint_eq(get(0x4000) & 0x60, 0);
	ck_assert_int_eq(svm_vcpu_write(vcpu, 0x0000, &byte, 1, NULL), 0);
	ck_assert_uint_eq(get(0x1000) & 0x60, 0x20);
	ck_assert_uint_eq(get(0x4000) & 0x60, 0x60);
}
END_TEST

START_TEST(a_transfer_stops_where_the_guest_would_fault)
{
	uint8_t data[16] = { 0 };
	size_t done = 99;

	ck_assert_int_eq(svm_vcpu_read(vcpu, 0x2ff8, data, 16, &done), SVM_ERR_FAULT);
	ck_assert_uint_eq(done, 8);
	ck_assert_mem_eq(data, ram + 0x9ff8, 8);
	ck_assert_int_eq(svm_vcpu_write(vcpu, 0x3ff8, data, 16, &done), SVM_ERR_FAULT);
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(svm_vcpu_write(vcpu, 0x4000, data, 1, &done), SVM_ERR_FAULT); /* WP. */
	ck_assert_int_eq(svm_vcpu_read(vcpu, 0x5000, data, 1, &done), SVM_ERR_FAULT); /* No slot. */
	ck_assert_uint_eq(done, 0);
	ck_assert_int_eq(svm_vcpu_read(vcpu, 0x00007ffffffffff8, data, 16, &done), SVM_ERR_FAULT);
}
END_TEST

START_TEST(code_is_fetched_as_far_as_it_goes)
{
	uint8_t code[15];
	unsigned got = 99;

	ck_assert_int_eq(svm_guest_fetch(vcpu, 0x0ffa, code, 15, &got), 0);
	ck_assert_uint_eq(got, 15);
	ck_assert_mem_eq(code, ram + 0x8ffa, 6);
	ck_assert_mem_eq(code + 6, ram + 0xa000, 9);
	ck_assert_int_eq(svm_guest_fetch(vcpu, 0x2ffa, code, 15, &got), 0);
	ck_assert_uint_eq(got, 6); /* The next page is absent. */
	ck_assert_int_eq(svm_guest_fetch(vcpu, 0x6000, code, 15, &got), SVM_ERR_FAULT);
	ck_assert_uint_eq(got, 0);
	ck_assert_uint_eq(get(0x4000) & 0x60, 0);
}
END_TEST

START_TEST(linear_addresses_wrap_outside_64_bit_mode)
{
	struct svm_vmcb_segment cs = svm_vmcb_get_cs(vcpu->vmcb);
	uint8_t code[15];
	unsigned got;

	/* Compatibility mode; the last page below 4 GiB is at linear FFFFF000h. */
	put(0x2018, 0x5007);
	put(0x5ff8, 0x6007);
	put(0x6ff8, 0xd003);
	cs.attributes = 0xc9b;
	svm_vmcb_set_cs(vcpu->vmcb, cs);
	ck_assert_int_eq(svm_guest_fetch(vcpu, 0xfffffffa, code, 15, &got), 0);
	ck_assert_uint_eq(got, 15);
	ck_assert_mem_eq(code, ram + 0xdffa, 6);
	ck_assert_mem_eq(code + 6, ram + 0x8000, 9);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("guest_virtual");
	TCase *tcase = tcase_create("guest_virtual");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, translation_follows_tables_and_rights, 0,
	                    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tcase, a_table_outside_memory_is_no_fault_of_the_guest_s);
	tcase_add_test(tcase, without_paging_linear_is_physical);
	tcase_add_test(tcase, data_crosses_pages_that_are_not_neighbours);
	tcase_add_test(tcase, a_write_marks_the_guest_s_tables_and_a_read_does_not);
	tcase_add_test(tcase, a_transfer_stops_where_the_guest_would_fault);
	tcase_add_test(tcase, code_is_fetched_as_far_as_it_goes);
	tcase_add_test(tcase, linear_addresses_wrap_outside_64_bit_mode);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
