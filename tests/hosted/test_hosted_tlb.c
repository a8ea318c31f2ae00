/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Kept translations: what flushes them, what makes them stale, what a walk reports. */
#include "bare.h"
#include "suite.h"

#define PAGE(n) ((svm_gpa_t)(n)*4096)

static struct hosted_touch touch(struct bare *b, uint32_t asid, svm_gpa_t gpa, uint32_t access)
{
	return hosted_cpu_touch(b->m, 0, asid, b->root, gpa, access);
}

static uint64_t *table(struct bare *b, unsigned level)
{
	return b->pt - (level - 1) * 512u;
}

START_TEST(a_translation_stays_until_its_asid_is_flushed)
{
	struct bare b;
	struct hosted_touch t;

	bare_init(&b, NULL, GUEST_64);
	t = touch(&b, 2, PAGE(1) + 5, SVM_PROT_READ);
	ck_assert(t.mapped && !t.hit);
	ck_assert_uint_eq(t.hpa, b.memory_hpa + 0x1005);
	ck_assert(touch(&b, 2, PAGE(1), SVM_PROT_READ).hit);
	ck_assert(!touch(&b, 3, PAGE(1), SVM_PROT_READ).hit);
	hosted_cpu_flush(b.m, 0, 2);
	ck_assert(!touch(&b, 2, PAGE(1), SVM_PROT_READ).hit);
	ck_assert(touch(&b, 3, PAGE(1), SVM_PROT_READ).hit);
	hosted_cpu_flush_all(b.m, 0);
	ck_assert(!touch(&b, 3, PAGE(1), SVM_PROT_READ).hit);
	bare_fini(&b);
}
END_TEST

/* What to do to the entry of a page that was read and written, and what its next use then is. */
static const struct {
	const char *what;
	uint64_t clear, set;
	uint32_t access;
	enum hosted_breach breach;
} stale_rows[] = {
	{ "unmapped", 1, 0, SVM_PROT_READ, HOSTED_BREACH_STALE_TRANSLATION },
	{ "moved", 0x1000, 0x100000, SVM_PROT_READ, HOSTED_BREACH_STALE_TRANSLATION },
	{ "read-only", 2, 0, SVM_PROT_WRITE, HOSTED_BREACH_STALE_TRANSLATION },
	{ "not a user's", 4, 0, SVM_PROT_READ, HOSTED_BREACH_STALE_TRANSLATION },
	{ "no-execute", 0, 1ull << 63, SVM_PROT_EXECUTE, HOSTED_BREACH_STALE_TRANSLATION },
	{ "reserved bit", 0, 1ull << 50, SVM_PROT_READ, HOSTED_BREACH_STALE_TRANSLATION },
	{ "D cleared", 0x40, 0, SVM_PROT_WRITE, HOSTED_BREACH_STALE_DIRTY },
	{ "read-only, read", 2, 0, SVM_PROT_READ, HOSTED_BREACH_COUNT },
	{ "A cleared", 0x20, 0, SVM_PROT_WRITE, HOSTED_BREACH_COUNT },
	{ "D cleared, read", 0x40, 0, SVM_PROT_READ, HOSTED_BREACH_COUNT },
};

START_TEST(a_changed_entry_makes_its_translation_stale)
{
	const enum hosted_breach kind = stale_rows[_i].breach;
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	ck_assert(touch(&b, 2, PAGE(3), SVM_PROT_WRITE).mapped);
	b.pt[3] = (b.pt[3] & ~stale_rows[_i].clear) | stale_rows[_i].set;
	if (kind < HOSTED_BREACH_COUNT)
		hosted_tolerate(b.m, kind);
	ck_assert(touch(&b, 2, PAGE(3), stale_rows[_i].access).hit);
	ck_assert_msg(hosted_breaches_all(b.m) == (kind < HOSTED_BREACH_COUNT), "%s",
	              stale_rows[_i].what);
	/* After a flush the same change is nobody's mistake. */
	hosted_cpu_flush(b.m, 0, 2);
	touch(&b, 2, PAGE(3), stale_rows[_i].access);
	ck_assert_uint_eq(hosted_breaches_all(b.m), kind < HOSTED_BREACH_COUNT);
	bare_fini(&b);
}
END_TEST

START_TEST(more_rights_need_no_flush)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	b.pt[3] &= ~2ull;
	ck_assert(touch(&b, 2, PAGE(3), SVM_PROT_READ).mapped);
	ck_assert_uint_eq(touch(&b, 2, PAGE(3), SVM_PROT_WRITE).fault, 0x100000007);
	b.pt[3] |= 2;
	ck_assert(touch(&b, 2, PAGE(3), SVM_PROT_WRITE).mapped);
	b.pt[4] &= ~1ull;
	ck_assert_uint_eq(touch(&b, 2, PAGE(4), SVM_PROT_READ).fault, 0x100000004);
	b.pt[4] |= 1; /* What is not present is not kept. */
	ck_assert(touch(&b, 2, PAGE(4), SVM_PROT_READ).mapped);
	bare_fini(&b);
}
END_TEST

START_TEST(a_removed_table_is_remembered)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	ck_assert(touch(&b, 2, PAGE(1), SVM_PROT_READ).mapped);
	table(&b, 2)[0] = 0;
	hosted_tolerate(b.m, HOSTED_BREACH_STALE_TABLE);
	touch(&b, 2, PAGE(9), SVM_PROT_READ); /* Never translated, yet its table was. */
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_STALE_TABLE), 1);
	bare_fini(&b);
}
END_TEST

START_TEST(one_touch_keeps_all_of_a_large_page)
{
	struct hosted_config config;
	svm_hpa_t hpa;
	struct bare b;

	hosted_config_init(&config);
	bare_init(&b, &config, GUEST_64);
	hosted_guest_alloc(b.m, 512, 2 << 20, &hpa);
	table(&b, 2)[1] = hpa | 0x87;
	ck_assert(touch(&b, 2, (2 << 20) + 0x12345, SVM_PROT_READ).mapped);
	ck_assert(touch(&b, 2, (2 << 20) + 0x54321, SVM_PROT_READ).hit);
	table(&b, 2)[1] = 0;
	hosted_tolerate(b.m, HOSTED_BREACH_STALE_TRANSLATION);
	ck_assert_uint_eq(touch(&b, 2, (2 << 20) + 0x7000, SVM_PROT_READ).hpa, hpa + 0x7000);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_STALE_TRANSLATION), 1);
	hosted_guest_free(b.m, hpa, 512);
	bare_fini(&b);
}
END_TEST

/* EXITINFO1 of a nested fault, all of it.  15.25.6. */
static const struct {
	const char *what;
	unsigned level;
	uint64_t clear, set;
	uint32_t access;
	uint64_t fault; /* 0: mapped */
} walk_rows[] = {
	{ "not present, read", 1, 1, 0, SVM_PROT_READ, 0x100000004 },
	{ "not present, write", 1, 1, 0, SVM_PROT_WRITE, 0x100000006 },
	{ "not present, fetch", 1, 1, 0, SVM_PROT_EXECUTE, 0x100000014 },
	{ "read-only, write", 1, 2, 0, SVM_PROT_WRITE, 0x100000007 },
	{ "read-only at level 3, write", 3, 2, 0, SVM_PROT_WRITE, 0x100000007 },
	{ "supervisor, read", 1, 4, 0, SVM_PROT_READ, 0x100000005 },
	{ "supervisor at level 4, read", 4, 4, 0, SVM_PROT_READ, 0x100000005 },
	{ "no-execute, fetch", 1, 0, 1ull << 63, SVM_PROT_EXECUTE, 0x100000015 },
	{ "no-execute at level 2, fetch", 2, 0, 1ull << 63, SVM_PROT_EXECUTE, 0x100000015 },
	{ "no-execute, read", 1, 0, 1ull << 63, SVM_PROT_READ, 0 },
	{ "bit 48 at MAXPHYADDR 48", 1, 0, 1ull << 48, SVM_PROT_READ, 0x10000000d },
	{ "bit 51 at level 2, write", 2, 0, 1ull << 51, SVM_PROT_WRITE, 0x10000000f },
	{ "bit 52 is software's", 1, 0, 1ull << 52, SVM_PROT_READ, 0 },
	{ "PS at level 4", 4, 0, 0x80, SVM_PROT_READ, 0x10000000d },
	{ "G at level 4", 4, 0, 0x100, SVM_PROT_READ, 0x10000000d },
	{ "G in a leaf", 1, 0, 0x100, SVM_PROT_READ, 0 },
	{ "unaligned 2 MiB leaf", 2, 0, 0x80, SVM_PROT_READ, 0x10000000d },
	{ "not present wins over reserved", 1, 1, 1ull << 51, SVM_PROT_READ, 0x100000004 },
};

START_TEST(a_walk_reports_what_the_manual_says)
{
	const unsigned level = walk_rows[_i].level;
	struct bare b;
	uint64_t *entry;
	struct hosted_touch t;

	bare_init(&b, NULL, GUEST_64);
	entry = level == 1 ? &b.pt[1] : &table(&b, level)[0];
	*entry = (*entry & ~walk_rows[_i].clear) | walk_rows[_i].set;
	t = touch(&b, 2, PAGE(1), walk_rows[_i].access);
	ck_assert_msg(t.fault == walk_rows[_i].fault, "%s: %llx", walk_rows[_i].what,
	              (unsigned long long)t.fault);
	ck_assert_int_eq(t.mapped, walk_rows[_i].fault == 0);
	bare_fini(&b);
}
END_TEST

START_TEST(a_and_d_are_set_by_use_only)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	touch(&b, 2, PAGE(1), SVM_PROT_READ);
	ck_assert_uint_eq(b.pt[1] & 0x60, 0x20);
	ck_assert_uint_eq(table(&b, 4)[0] & 0x60, 0x20);
	touch(&b, 2, PAGE(1), SVM_PROT_WRITE);
	ck_assert_uint_eq(b.pt[1] & 0x60, 0x60);
	ck_assert_uint_eq(table(&b, 2)[0] & 0x60, 0x20);
	b.pt[2] &= ~2ull;
	touch(&b, 2, PAGE(2), SVM_PROT_WRITE);
	ck_assert_uint_eq(b.pt[2] & 0x60, 0);
	bare_fini(&b);
}
END_TEST

START_TEST(one_gib_leaves_need_the_feature)
{
	struct hosted_config config;
	struct bare b;

	hosted_config_init(&config);
	config.features.page_1g = _i;
	bare_init(&b, &config, GUEST_64);
	table(&b, 3)[1] = (5ull << 30) | 0x87;
	if (_i)
		ck_assert_uint_eq(touch(&b, 2, (1u << 30) + 0x123, SVM_PROT_READ).hpa,
		                  (5ull << 30) + 0x123);
	else
		ck_assert_uint_eq(touch(&b, 2, 1u << 30, SVM_PROT_READ).fault, 0x10000000d);
	bare_fini(&b);
}
END_TEST

START_TEST(nx_is_reserved_without_nxe)
{
	struct hosted_config config;
	struct bare b;

	hosted_config_init(&config);
	config.features.nx = false;
	bare_init(&b, &config, GUEST_32);
	b.pt[1] |= 1ull << 63;
	ck_assert_uint_eq(touch(&b, 2, PAGE(1), SVM_PROT_READ).fault, 0x10000000d);
	bare_fini(&b);
}
END_TEST

START_TEST(an_asid_with_a_new_root_is_named)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	touch(&b, 2, PAGE(1), SVM_PROT_READ);
	hosted_tolerate(b.m, HOSTED_BREACH_ASID_REUSED);
	hosted_cpu_touch(b.m, 0, 2, b.root + 0x1000, PAGE(1), SVM_PROT_READ);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_ASID_REUSED), 1);
	bare_fini(&b);
}
END_TEST

/* While the call that revokes has not returned, a running CPU may use what it kept. */
START_TEST(in_a_race_only_revoked_translations_count)
{
	struct hosted_config config;
	svm_hpa_t hpa;
	struct bare b;

	hosted_config_init(&config);
	config.stale_mode = HOSTED_STALE_REVOKED;
	bare_init(&b, &config, GUEST_64);
	hosted_tolerate(b.m, HOSTED_BREACH_STALE_TRANSLATION);
	hosted_guest_alloc(b.m, 1, 4096, &hpa);
	b.pt[6] = hpa | 7;
	touch(&b, 2, PAGE(6), SVM_PROT_READ);
	b.pt[6] = 0;
	ck_assert(touch(&b, 2, PAGE(6), SVM_PROT_READ).hit);
	hosted_revoke(b.m, 0, PAGE(7), 4096); /* Someone else's. */
	ck_assert(touch(&b, 2, PAGE(6), SVM_PROT_READ).hit);
	ck_assert_uint_eq(hosted_breaches_all(b.m), 0);
	if (_i)
		hosted_revoke(b.m, b.root, PAGE(5), 8192);
	else
		hosted_guest_free(b.m, hpa, 1);
	touch(&b, 2, PAGE(6), SVM_PROT_READ);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_STALE_TRANSLATION), 1);
	if (_i)
		hosted_guest_free(b.m, hpa, 1);
	bare_fini(&b);
}
END_TEST

/* Nothing may be evicted for want of room. */
START_TEST(many_translations_are_all_kept)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	for (uint32_t asid = 1; asid < 2000; asid++)
		for (unsigned page = 0; page < 32; page++)
			touch(&b, asid, PAGE(page), SVM_PROT_READ);
	for (uint32_t asid = 1; asid < 2000; asid++)
		for (unsigned page = 0; page < 32; page++)
			ck_assert(touch(&b, asid, PAGE(page), SVM_PROT_READ).hit);
	bare_fini(&b);
}
END_TEST

/* The same through a guest: two VMCBs with one ASID, as a wrong ASID allocator makes them. */
START_TEST(a_guest_with_anothers_asid_is_named)
{
	const struct svm_hal *hal;
	struct svm_vmcb *second;
	svm_hpa_t hpa, first_hpa;
	struct bare b;

	bare_init(&b, NULL, GUEST_32);
	hal = hosted_hal(b.m);
	hosted_script_vmmcall(&b.code);
	ck_assert_uint_eq(bare_run(&b), 0x81);
	second = hal->frames_alloc(hal->ctx, 1, &hpa);
	*second = *b.vmcb;
	first_hpa = b.s.vmcb;
	b.s.vmcb = hpa;
	if (_i == 0)
		hosted_tolerate(b.m, HOSTED_BREACH_ASID_REUSED);
	else if (_i == 1)
		second->control.tlb_control = 3;
	else
		second->control._asid = 2;
	bare_run(&b);
	ck_assert_int_eq(hosted_breaches(b.m, HOSTED_BREACH_ASID_REUSED) > 0, _i == 0);
	hal->frames_free(hal->ctx, second, hpa, 1);
	b.s.vmcb = first_hpa;
	bare_fini(&b);
}
END_TEST

/* The monitor moved CR3 and forgot that the guest's own translations are tagged with the ASID. */
START_TEST(a_paging_change_by_the_monitor_needs_a_flush)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	bare_run(&b);
	memcpy(b.memory + 0xc000, b.memory + GUEST_PT, 4096);
	svm_vmcb_set_cr3(b.vmcb, 0xc000);
	if (_i)
		b.vmcb->control.tlb_control = 7;
	else
		hosted_tolerate(b.m, HOSTED_BREACH_STALE_GUEST);
	bare_run(&b);
	ck_assert_int_eq(hosted_breaches(b.m, HOSTED_BREACH_STALE_GUEST) > 0, _i == 0);
	bare_fini(&b);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_translation_stays_until_its_asid_is_flushed);
	tcase_add_loop_test(tc, a_changed_entry_makes_its_translation_stale, 0, ROWS(stale_rows));
	tcase_add_test(tc, more_rights_need_no_flush);
	tcase_add_test(tc, a_removed_table_is_remembered);
	tcase_add_test(tc, one_touch_keeps_all_of_a_large_page);
	tcase_add_loop_test(tc, a_walk_reports_what_the_manual_says, 0, ROWS(walk_rows));
	tcase_add_test(tc, a_and_d_are_set_by_use_only);
	tcase_add_loop_test(tc, one_gib_leaves_need_the_feature, 0, 2);
	tcase_add_test(tc, nx_is_reserved_without_nxe);
	tcase_add_test(tc, an_asid_with_a_new_root_is_named);
	tcase_add_loop_test(tc, in_a_race_only_revoked_translations_count, 0, 2);
	tcase_add_test(tc, many_translations_are_all_kept);
	tcase_add_loop_test(tc, a_guest_with_anothers_asid_is_named, 0, 3);
	tcase_add_loop_test(tc, a_paging_change_by_the_monitor_needs_a_flush, 0, 2);
}

int main(void)
{
	return suite_run("hosted tlb", add);
}
