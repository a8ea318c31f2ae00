/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The numbers of docs/walkthrough/by-hand.md, which were worked out on paper, against the code.
 */
#include "core/iopm.h"
#include "core/msr_policy.h"
#include "core/msrpm.h"
#include "emulate/descriptor.h"
#include "vcpu_rig.h"

START_TEST(a_bit_in_a_permission_map)
{
	static uint8_t iopm[SVM_IOPM_SIZE], msrpm[SVM_MSRPM_SIZE];
	struct svm_msrpm_slot slot;

	svm_iopm_deny_all(iopm);
	svm_iopm_set(iopm, 0x61, 1, true);
	ck_assert_uint_eq(iopm[0x0c], 0xfd);
	ck_assert(!svm_iopm_denies(iopm, 0x61, 1));
	ck_assert(svm_iopm_denies(iopm, 0x61, 2));

	ck_assert_int_eq(svm_msrpm_find(0xc0000082, &slot), 0);
	ck_assert_uint_eq(slot.byte, 0x820);
	ck_assert_uint_eq(slot.shift, 4);
	svm_msrpm_default(msrpm);
	ck_assert_uint_eq(msrpm[0x820], 0x03);
}
END_TEST

static const struct {
	uint64_t descriptor;
	uint16_t attributes;
	uint32_t limit;
} segments[] = {
	{ 0x00af9b000000ffff, 0xa9b, 0xffffffff },
	{ 0x00cf9b000000ffff, 0xc9b, 0xffffffff },
	{ 0x00cf93000000ffff, 0xc93, 0xffffffff },
};

START_TEST(the_attributes_of_a_segment)
{
	const struct svm_descriptor d = { .word = { segments[_i].descriptor } };
	struct svm_emul_segment segment = { .base = 1 };

	svm_descriptor_unpack(&d, &segment);
	ck_assert_uint_eq(segment.attributes, segments[_i].attributes);
	ck_assert_uint_eq(segment.limit, segments[_i].limit);
	ck_assert_uint_eq(segment.base, 0);
}
END_TEST

static void put(struct rig *r, svm_gpa_t gpa, uint64_t entry)
{
	memcpy(r->memory + gpa, &entry, sizeof(entry));
}

/* The four entries of the page's table; the guest's CR3 is 1000h. */
static void build_tables(struct rig *r)
{
	struct svm_system_regs system;

	put(r, 0x1000, 0x2007);
	put(r, 0x2000, 0x3007);
	put(r, 0x3010, 0x4007);
	put(r, 0x4010, 0x9007);
	svm_vcpu_get_system(r->vcpu, &system);
	system.cr3 = 0x1000;
	ck_assert_int_eq(svm_vcpu_set_system(r->vcpu, &system), 0);
}

START_TEST(a_nested_walk)
{
	struct svm_translation found;
	struct svm_mapping mapping;
	struct rig r;

	rig_init(&r, NULL, RIG_64);
	build_tables(&r);
	ck_assert_int_eq(svm_vcpu_translate(r.vcpu, 0x402345, SVM_PROT_READ, &found), 0);
	ck_assert_uint_eq(found.gpa, 0x9345);
	ck_assert_uint_eq(found.page_size, 4096);
	ck_assert_uint_eq(found.entry_gpa, 0x4010);
	ck_assert_uint_eq(found.entry, 0x9007);
	ck_assert_int_eq(svm_vm_query(r.vm, found.gpa, &mapping), 0);
	ck_assert_uint_eq(mapping.hpa, r.memory_hpa + 0x9345);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_bit_in_a_permission_map);
	tcase_add_loop_test(tc, the_attributes_of_a_segment, 0, ROWS(segments));
	tcase_add_test(tc, a_nested_walk);
}

int main(void)
{
	return rig_main("by hand", add);
}
