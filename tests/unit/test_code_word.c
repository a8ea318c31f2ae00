/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The code at RIP is what the guest has in its memory now, whatever is remembered of where that is:
 * it is written, moved, taken away and mapped elsewhere between two looks.
 */
#include "vcpu_rig.h"

#include "core/vcpu/code_word.h"

#define OTHER RIG_DATA
#define ONES  UINT64_C(0x1111111111111111)
#define TWOS  UINT64_C(0x2222222222222222)

static void put(struct rig *r, svm_gpa_t gpa, uint64_t word)
{
	memcpy(r->memory + gpa, &word, sizeof(word));
}

/* Two looks, so that the second finds what the first has remembered. */
static void expect(struct rig *r, uint64_t word)
{
	ck_assert_uint_eq(svm_code_word(r->vcpu), word);
	ck_assert_uint_eq(svm_code_word(r->vcpu), word);
}

static void start(struct rig *r, enum rig_mode mode, bool has_direct_map)
{
	rig_init(r, NULL, mode);
	if (has_direct_map)
		ck_assert_int_eq(
			svm_host_set_direct_map(r->host, r->memory - r->memory_hpa, UINT64_MAX), 0);
	put(r, RIG_CODE, ONES);
	put(r, OTHER, TWOS);
	expect(r, ONES);
}

/* Each mode, on a host that is asked and on one that has told of its direct map. */
static const enum rig_mode modes[] = { RIG_REAL, RIG_32, RIG_64 };
#define START(r) start(r, modes[_i / 2], _i % 2)

START_TEST(it_is_read_each_time)
{
	struct rig r;

	START(&r);
	put(&r, RIG_CODE, TWOS);
	expect(&r, TWOS);
	rig_fini(&r);
}
END_TEST

START_TEST(it_is_at_rip)
{
	struct rig r;

	START(&r);
	r.vcpu->vmcb->save.rip += 3;
	put(&r, RIG_CODE + 3, TWOS);
	expect(&r, TWOS);
	r.vcpu->vmcb->save.rip += 0x20;
	put(&r, RIG_CODE + 0x23, ONES);
	expect(&r, ONES);
	rig_fini(&r);
}
END_TEST

START_TEST(it_moves_with_its_page)
{
	struct rig r;

	START(&r);
	ck_assert_int_eq(svm_vm_unmap(r.vm, RIG_CODE, SVM_PAGE_SIZE), 0);
	expect(&r, 0);
	ck_assert_int_eq(svm_vm_map(r.vm, RIG_CODE, r.memory_hpa + OTHER, SVM_PAGE_SIZE,
	                            SVM_PROT_ALL),
	                 0);
	expect(&r, TWOS);
	rig_fini(&r);
}
END_TEST

START_TEST(while_its_page_is_taken_away_there_is_none)
{
	struct rig r;

	START(&r);
	svm_vm_invalidate_begin(r.vm, RIG_CODE, SVM_PAGE_SIZE);
	expect(&r, 0);
	svm_vm_invalidate_end(r.vm, RIG_CODE, SVM_PAGE_SIZE);
	expect(&r, ONES);
	rig_fini(&r);
}
END_TEST

START_TEST(it_does_not_cross_a_page)
{
	struct rig r;

	START(&r);
	r.vcpu->vmcb->save.rip += SVM_PAGE_SIZE - 8;
	put(&r, RIG_CODE + SVM_PAGE_SIZE - 8, TWOS);
	expect(&r, TWOS);
	r.vcpu->vmcb->save.rip++;
	expect(&r, 0);
	rig_fini(&r);
}
END_TEST

/* CS.base and RIP are added in 32 bits. */
START_TEST(it_wraps_at_4_gib)
{
	struct svm_vmcb_segment cs;
	struct rig r;

	start(&r, RIG_32, _i);
	cs = svm_vmcb_get_cs(r.vcpu->vmcb);
	cs.base = UINT32_MAX;
	svm_vmcb_set_cs(r.vcpu->vmcb, cs);
	r.vcpu->vmcb->save.rip = OTHER + 1;
	expect(&r, TWOS);
	cs.base = 0xfff00000;
	svm_vmcb_set_cs(r.vcpu->vmcb, cs);
	r.vcpu->vmcb->save.rip = 0;
	expect(&r, 0);
	rig_fini(&r);
}
END_TEST

/* The guest's own tables, and turning them on where the same page was read without. */
START_TEST(it_follows_the_guests_tables)
{
	uint64_t cr0;
	struct rig r;

	start(&r, RIG_64, _i);
	put(&r, RIG_PT + 3 * SVM_PAGE_SIZE + 8 * (RIG_CODE / SVM_PAGE_SIZE), OTHER | 7);
	expect(&r, TWOS);
	cr0 = svm_vmcb_get_cr0(r.vcpu->vmcb);
	svm_vmcb_set_cr0(r.vcpu->vmcb, cr0 & ~CR0_PG);
	expect(&r, ONES);
	svm_vmcb_set_cr0(r.vcpu->vmcb, cr0);
	expect(&r, TWOS);
	rig_fini(&r);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, it_is_read_each_time, 0, 2 * ROWS(modes));
	tcase_add_loop_test(tc, it_is_at_rip, 0, 2 * ROWS(modes));
	tcase_add_loop_test(tc, it_moves_with_its_page, 0, 2 * ROWS(modes));
	tcase_add_loop_test(tc, while_its_page_is_taken_away_there_is_none, 0, 2 * ROWS(modes));
	tcase_add_loop_test(tc, it_does_not_cross_a_page, 0, 2 * ROWS(modes));
	tcase_add_loop_test(tc, it_wraps_at_4_gib, 0, 2);
	tcase_add_loop_test(tc, it_follows_the_guests_tables, 0, 2);
}

int main(void)
{
	return rig_main("code word", add);
}
