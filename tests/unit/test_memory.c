/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The memory map as the embedder and the guest see it.  APM vol. 2, 15.25 and 5.3. */
#include "memory_rig.h"

#include <check.h>
#include <stdlib.h>

#define KIB4 UINT64_C(0x1000)
#define MIB2 UINT64_C(0x200000)
#define GIB1 UINT64_C(0x40000000)
#define RW   (SVM_PROT_READ | SVM_PROT_WRITE)
#define RX   (SVM_PROT_READ | SVM_PROT_EXECUTE)
#define RWX  SVM_PROT_ALL

static void setup(void)
{
	rig_setup();
	rig_vm();
}

static void teardown(void)
{
	ck_assert(rig_teardown());
}

/* The raw entry of the leaf that maps gpa, found by hand; 0 if there is none. */
static uint64_t raw_leaf(svm_gpa_t gpa)
{
	const uint64_t *table = rig_hva(rig.vm->memory.root_hpa);

	for (int shift = 39; shift >= 12; shift -= 9) {
		const uint64_t entry = table[(gpa >> shift) & 511];

		if (!(entry & 1) || shift == 12 || (entry & 0x80))
			return entry & 1 ? entry : 0;
		if ((entry & ~UINT64_C(0x000ffffffffff000)) != 0x27)
			ck_abort_msg("entry %llx", (unsigned long long)entry);
		table = rig_hva(entry & UINT64_C(0x000ffffffffff000));
	}
	return 0;
}

static uint64_t mapped_size(svm_gpa_t gpa)
{
	struct svm_mapping mapping;

	return svm_vm_query(rig.vm, gpa, &mapping) ? 0 : mapping.size;
}

/* A fault that must be filled. */
static void touch(svm_gpa_t gpa, uint32_t access)
{
	enum svm_npt_fault_reason reason;

	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, access, &reason), SVM_FAULT_FILLED);
}

static void touch_refused(svm_gpa_t gpa, uint32_t access, enum svm_npt_fault_reason why)
{
	enum svm_npt_fault_reason reason = SVM_NPT_FAULT_TABLE;

	ck_assert_int_eq(svm_memory_fault(rig.vm, gpa, access, &reason), SVM_FAULT_REFUSED);
	ck_assert_int_eq(reason, why);
}

static void add_range(svm_gpa_t gpa, svm_hpa_t hpa, uint64_t size, uint32_t prot)
{
	const struct svm_slot slot = {
		.gpa = gpa, .size = size, .prot = prot, .kind = SVM_SLOT_RANGE, .hpa = hpa
	};

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
}

/* --- mapping and the bits that come of it --- */

/* Long-mode entries: P 0, W 1, U 2, PWT 3, PCD 4, A 5, D 6, PS 7, NX 63 (5.3.3); U always. */
static const struct {
	const char *what;
	svm_gpa_t gpa;
	svm_hpa_t hpa;
	uint64_t size;
	uint32_t prot;
	svm_gpa_t at;
	uint64_t leaf;
} map_rows[] = {
	{ "4 KiB, all rights", 0x1000, 0x7f000, KIB4, RWX, 0x1000, UINT64_C(0x000000000007f007) },
	{ "4 KiB, no execute", 0x1000, 0x7f000, KIB4, RW, 0x1000, UINT64_C(0x800000000007f007) },
	{ "4 KiB, read only", 0x1000, 0x7f000, KIB4, 1, 0x1000, UINT64_C(0x800000000007f005) },
	{ "2 MiB", MIB2, 0x600000, MIB2, RWX, MIB2, UINT64_C(0x0000000000600087) },
	{ "2 MiB, read and execute", MIB2, 0x600000, MIB2, RX, MIB2 + 0x12345,
	  UINT64_C(0x0000000000600085) },
	{ "2 MiB, frames not congruent", MIB2, 0x601000, MIB2, RWX, MIB2,
	  UINT64_C(0x0000000000601007) },
	{ "1 GiB", GIB1, 2 * GIB1, GIB1, RWX, GIB1, UINT64_C(0x0000000080000087) },
	{ "1 GiB, congruent modulo 2 MiB only", GIB1, 2 * GIB1 + MIB2, GIB1, RWX, GIB1,
	  UINT64_C(0x0000000080200087) },
	{ "last page of 48 bits", UINT64_C(0xfffffffff000), UINT64_C(0xfffffffff000), KIB4, RWX,
	  UINT64_C(0xffffffffffff), UINT64_C(0x0000fffffffff007) },
	{ "ragged end after 2 MiB", MIB2, 0x600000, MIB2 + KIB4, RWX, 2 * MIB2,
	  UINT64_C(0x0000000000800007) },
	{ "ragged start before 2 MiB", MIB2 - KIB4, 0x5ff000, MIB2 + KIB4, RWX, MIB2 - 1,
	  UINT64_C(0x00000000005ff007) },
};

START_TEST(map_makes_the_manuals_bits)
{
	ck_assert_int_eq(svm_vm_map(rig.vm, map_rows[_i].gpa, map_rows[_i].hpa, map_rows[_i].size,
	                            map_rows[_i].prot),
	                 0);
	ck_assert_msg(raw_leaf(map_rows[_i].at) == map_rows[_i].leaf, "%s: %016lx",
	              map_rows[_i].what, raw_leaf(map_rows[_i].at));
	ck_assert_uint_eq(raw_leaf(map_rows[_i].gpa + map_rows[_i].size), 0);
	if (map_rows[_i].gpa)
		ck_assert_uint_eq(raw_leaf(map_rows[_i].gpa - 1), 0);
}
END_TEST

/* Entries 0 to 3 of the PAT's reset value are WB, WT, UC- and UC (7.8.2): PCD:PWT. */
START_TEST(memory_types_choose_pat_entries)
{
	static const uint64_t bits[] = { 0x00, 0x08, 0x10, 0x18 };
	struct svm_mapping mapping;
	const struct svm_slot slot = {
		.gpa = 0x5000, .size = KIB4, .prot = RW, .memory_type = (enum svm_memory_type)_i
	};

	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	touch(0x5000, SVM_PROT_READ);
	ck_assert_uint_eq(raw_leaf(0x5000), UINT64_C(0x8000000000000027) | bits[_i]);
	ck_assert_int_eq(svm_vm_query(rig.vm, 0x5123, &mapping), 0);
	ck_assert_int_eq(mapping.memory_type, _i);
}
END_TEST

START_TEST(refused_shapes)
{
	static const struct {
		svm_gpa_t gpa;
		svm_hpa_t hpa;
		uint64_t size;
		uint32_t prot;
		int result;
	} rows[] = {
		{ 0, 0, 0, RWX, SVM_ERR_INVAL },
		{ 1, 0, KIB4, RWX, SVM_ERR_INVAL },
		{ 0, 1, KIB4, RWX, SVM_ERR_INVAL },
		{ 0, 0, KIB4 + 1, RWX, SVM_ERR_INVAL },
		{ 0, 0, KIB4, 0, SVM_ERR_INVAL },
		{ 0, 0, KIB4, SVM_PROT_WRITE, SVM_ERR_INVAL },
		{ 0, 0, KIB4, 8 | SVM_PROT_READ, SVM_ERR_INVAL },
		{ UINT64_MAX - 4095, 0, 2 * KIB4, RWX, SVM_ERR_INVAL },
		{ UINT64_C(1) << 48, 0, KIB4, RWX, SVM_ERR_RANGE },
		{ (UINT64_C(1) << 48) - KIB4, 0, 2 * KIB4, RWX, SVM_ERR_RANGE },
		{ 0, UINT64_C(1) << 48, KIB4, RWX, SVM_ERR_RANGE },
		{ 0, (UINT64_C(1) << 48) - KIB4, 2 * KIB4, RWX, SVM_ERR_RANGE },
	};

	for (size_t i = 0; i < SVM_ARRAY_SIZE(rows); i++)
		ck_assert_msg(svm_vm_map(rig.vm, rows[i].gpa, rows[i].hpa, rows[i].size,
		                         rows[i].prot) == rows[i].result,
		              "row %zu", i);
	ck_assert_int_eq(svm_vm_map(rig.vm, 0x1000, 0, 2 * KIB4, RWX), 0);
	ck_assert_int_eq(svm_vm_map(rig.vm, 0x2000, 0, KIB4, RWX), SVM_ERR_EXIST);
	ck_assert_int_eq(svm_vm_map(rig.vm, 0, 0, 2 * KIB4, RWX), SVM_ERR_EXIST);
}
END_TEST

/* --- faults --- */

START_TEST(fault_outcomes)
{
	add_range(0x10000, RIG_GUEST, 0x10000, RX);
	touch_refused(0xffff, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	touch_refused(0x20000, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	touch_refused(UINT64_C(1) << 48, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	touch_refused(0x10000, SVM_PROT_WRITE, SVM_NPT_FAULT_RIGHTS);
	ck_assert_uint_eq(mapped_size(0x10000), 0);
	touch(0x10000, RX);
	ck_assert_uint_eq(raw_leaf(0x10000), RIG_GUEST | 0x25);
	touch(0x10000, SVM_PROT_READ);
}
END_TEST

/* --- whose frames they are --- */

static svm_hpa_t some_frames[512];

static enum svm_resolve_result resolve_forbidden(void *arg, svm_gpa_t gpa, uint32_t access,
                                                 struct svm_resolved_page *page)
{
	(void)gpa;
	(void)access;
	*page = (struct svm_resolved_page){ .hpa = RIG_GUEST, .size = *(uint64_t *)arg,
		                            .prot = RWX };
	return SVM_RESOLVE_MAPPED;
}

static int add_slot(enum svm_slot_kind kind, uint64_t size, uint64_t *resolve_size)
{
	const struct svm_slot slot = { .size = size,
		                       .prot = RWX,
		                       .kind = kind,
		                       .hpa = RIG_GUEST,
		                       .frames = some_frames,
		                       .resolve = resolve_forbidden,
		                       .resolve_arg = resolve_size };

	return svm_vm_slot_add(rig.vm, &slot);
}

START_TEST(no_slot_over_a_forbidden_frame)
{
	for (unsigned i = 0; i < 512; i++)
		some_frames[i] = RIG_GUEST + i * KIB4;
	rig.forbidden = RIG_GUEST + 511 * KIB4;
	ck_assert_int_eq(add_slot(SVM_SLOT_RANGE, MIB2, NULL), SVM_ERR_FORBIDDEN);
	ck_assert_int_eq(svm_vm_map(rig.vm, 0, RIG_GUEST, MIB2, RWX), SVM_ERR_FORBIDDEN);
	ck_assert_int_eq(add_slot(SVM_SLOT_FRAMES, MIB2, NULL), SVM_ERR_FORBIDDEN);
	touch_refused(0, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	ck_assert_int_eq(add_slot(SVM_SLOT_RANGE, MIB2 - KIB4, NULL), 0);
	touch(0, RWX);
}
END_TEST

/* The array is the embedder's, and so is what a callback says: each use is asked about. */
START_TEST(no_leaf_over_a_forbidden_frame)
{
	uint64_t size = MIB2;

	for (unsigned i = 0; i < 512; i++)
		some_frames[i] = RIG_GUEST + i * KIB4;
	ck_assert_int_eq(add_slot(SVM_SLOT_FRAMES, MIB2, NULL), 0);
	rig.forbidden = RIG_GUEST + 5 * KIB4;
	touch_refused(5 * KIB4, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	touch(6 * KIB4, RWX);
	ck_assert_uint_eq(mapped_size(6 * KIB4), KIB4);
	ck_assert_int_eq(svm_vm_slot_remove(rig.vm, 0), 0);

	ck_assert_int_eq(add_slot(SVM_SLOT_RESOLVE, MIB2, &size), 0);
	touch_refused(0, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	size = KIB4;
	touch(0, RWX);
	ck_assert_uint_eq(mapped_size(0), KIB4);
}
END_TEST

START_TEST(fault_takes_the_largest_leaf)
{
	add_range(GIB1 - MIB2 - KIB4, 4 * GIB1 - MIB2 - KIB4, 2 * GIB1, RWX);
	touch(GIB1 - MIB2 - 1, SVM_PROT_READ);
	touch(GIB1 - 1, SVM_PROT_READ);
	touch(GIB1 + 12345, SVM_PROT_WRITE);
	touch(2 * GIB1 + GIB1 - 2 * MIB2 - 1, SVM_PROT_READ);
	ck_assert_uint_eq(mapped_size(GIB1 - MIB2 - KIB4), KIB4);
	ck_assert_uint_eq(mapped_size(GIB1 - MIB2), MIB2);
	ck_assert_uint_eq(mapped_size(2 * GIB1 - 1), GIB1);
	ck_assert_uint_eq(raw_leaf(GIB1), UINT64_C(0x00000001000000e7));
	ck_assert_uint_eq(mapped_size(3 * GIB1 - 2 * MIB2 - 1), MIB2);
}
END_TEST

START_TEST(no_1g_without_the_feature_and_no_2m_on_demand)
{
	rig.host->features.page_1g = false;
	add_range(0, 0, 2 * GIB1, RWX);
	touch(0, SVM_PROT_READ);
	ck_assert_uint_eq(mapped_size(0), MIB2);
	rig.vm->config.no_huge_pages = true;
	touch(GIB1, SVM_PROT_READ);
	ck_assert_uint_eq(mapped_size(GIB1), KIB4);
}
END_TEST

START_TEST(without_nx_everything_executes)
{
	rig.host->features.host_nx = false;
	ck_assert_int_eq(svm_vm_map(rig.vm, 0, 0, KIB4, SVM_PROT_READ), 0);
	ck_assert_uint_eq(raw_leaf(0), 0x5);
}
END_TEST

START_TEST(fault_needs_frames_and_says_so)
{
	enum svm_npt_fault_reason reason;
	struct svm_frame frame[8];

	add_range(0, RIG_GUEST, KIB4, RWX);
	for (size_t i = 0; i < 8; i++)
		ck_assert(svm_reserve_take(rig.vm, &frame[i]));
	ck_assert_int_eq(svm_memory_fault(rig.vm, 0, 1, &reason), SVM_FAULT_NEED_FRAMES);
	ck_assert_uint_eq(rig.vm->memory.reserve_count, 0);
	for (size_t i = 0; i < 8; i++) {
		memset(frame[i].hva, 0xff, SVM_PAGE_SIZE); /* A split may have been on its way. */
		svm_reserve_return(rig.vm, &frame[i]);
	}
	ck_assert_int_eq(svm_memory_fault(rig.vm, 0, 1, &reason), SVM_FAULT_NEED_FRAMES);

	const uint64_t before = rig.frames;

	ck_assert_int_eq(svm_vm_reserve(rig.vm, 0), 0);
	ck_assert_uint_eq(rig.frames, before);
	touch(0, SVM_PROT_READ);
	ck_assert_uint_eq(rig.vm->memory.reserve_count, 5);
	for (svm_gpa_t gpa = KIB4; gpa < UINT64_C(1) << 47; gpa *= 2)
		ck_assert_uint_eq(raw_leaf(gpa), 0);
}
END_TEST

/* --- unmap and protect --- */

START_TEST(unmap_splits_what_it_cuts)
{
	ck_assert_int_eq(svm_vm_map(rig.vm, 0, 0, 2 * GIB1, RWX), 0);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, GIB1 + MIB2 + KIB4, KIB4), 0);
	ck_assert_uint_eq(rig.flushes, 1);
	ck_assert_uint_eq(mapped_size(0), GIB1);
	ck_assert_uint_eq(mapped_size(GIB1), MIB2);
	ck_assert_uint_eq(raw_leaf(GIB1 + MIB2), UINT64_C(0x0000000040200007));
	ck_assert_uint_eq(raw_leaf(GIB1 + MIB2 + KIB4), 0);
	ck_assert_uint_eq(raw_leaf(GIB1 + MIB2 + 2 * KIB4), UINT64_C(0x0000000040202007));
	touch_refused(GIB1 + MIB2 + KIB4, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	touch(GIB1 + MIB2 + 2 * KIB4, RWX);
}
END_TEST

START_TEST(unmap_gives_tables_back)
{
	const uint64_t before = rig.frames;

	ck_assert_int_eq(svm_vm_map(rig.vm, KIB4, KIB4 * 2, 64 * MIB2, RWX), 0);
	ck_assert_uint_eq(rig.frames, before + 2 + 65);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 0, 32 * MIB2), 0);
	ck_assert_uint_eq(mapped_size(32 * MIB2 - 1), 0);
	ck_assert_uint_eq(mapped_size(32 * MIB2), KIB4);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 32 * MIB2, 64 * MIB2), 0);
	ck_assert_uint_eq(rig.frames, before);
}
END_TEST

/* The table around the first page alone, when the rest of the range had none. */
START_TEST(unmap_gives_the_first_table_back)
{
	const uint64_t before = rig.frames;

	ck_assert_int_eq(svm_vm_map(rig.vm, 2 * MIB2 - KIB4, 2 * MIB2 - KIB4, MIB2 + KIB4, RWX), 0);
	ck_assert_int_eq(svm_vm_map(rig.vm, 8 * MIB2, 8 * MIB2, MIB2, RWX), 0);
	ck_assert_uint_eq(rig.frames, before + 3);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 2 * MIB2 - KIB4, MIB2 + KIB4), 0);
	ck_assert_uint_eq(rig.frames, before + 2);
}
END_TEST

/* What is beyond the tables' reach is not what has the same low bits. */
START_TEST(unmap_of_everything_above)
{
	ck_assert_int_eq(svm_vm_map(rig.vm, 0, 0, GIB1, RWX), 0);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, GIB1, UINT64_MAX - GIB1 + 1), 0);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, UINT64_C(1) << 48, GIB1), 0);
	ck_assert_uint_eq(mapped_size(0), GIB1);
}
END_TEST

START_TEST(protect_changes_leaves_and_merges_again)
{
	const uint64_t flushes = rig.flushes;

	ck_assert_int_eq(svm_vm_map(rig.vm, 0, 0, GIB1, RWX), 0);

	const uint64_t before = rig.frames;

	ck_assert_int_eq(svm_vm_protect(rig.vm, MIB2, KIB4, RX), 0);
	ck_assert_uint_eq(rig.flushes, flushes + 1);
	ck_assert_uint_eq(rig.frames, before + 2);
	ck_assert_uint_eq(raw_leaf(MIB2), UINT64_C(0x0000000000200005));
	ck_assert_uint_eq(raw_leaf(MIB2 + KIB4), UINT64_C(0x0000000000201007));
	ck_assert_uint_eq(raw_leaf(0), UINT64_C(0x0000000000000087));
	touch_refused(MIB2, SVM_PROT_WRITE, SVM_NPT_FAULT_RIGHTS);
	ck_assert_int_eq(svm_vm_protect(rig.vm, MIB2, KIB4, RWX), 0);
	ck_assert_uint_eq(raw_leaf(MIB2), UINT64_C(0x0000000000000087));
	ck_assert_uint_eq(mapped_size(MIB2), GIB1);
	ck_assert_uint_eq(rig.frames, before);
	ck_assert_uint_eq(rig.vm->memory.slots->count, 1);
	ck_assert_int_eq(svm_vm_protect(rig.vm, GIB1, KIB4, RWX), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_protect(rig.vm, GIB1 - KIB4, 2 * KIB4, RWX), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_protect(rig.vm, 0, KIB4, SVM_PROT_WRITE), SVM_ERR_INVAL);
}
END_TEST

START_TEST(slot_remove_takes_the_whole_slot)
{
	add_range(0, RIG_GUEST, 16 * KIB4, RWX);
	add_range(16 * KIB4, RIG_GUEST, 16 * KIB4, RWX);
	ck_assert_int_eq(svm_vm_protect(rig.vm, 4 * KIB4, 4 * KIB4, SVM_PROT_READ), 0);
	ck_assert_uint_eq(rig.vm->memory.slots->count, 4);
	touch(15 * KIB4, SVM_PROT_READ);
	touch(16 * KIB4, SVM_PROT_READ);
	ck_assert_int_eq(svm_vm_slot_remove(rig.vm, 4 * KIB4), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vm_slot_remove(rig.vm, 0), 0);
	ck_assert_uint_eq(rig.vm->memory.slots->count, 1);
	ck_assert_uint_eq(mapped_size(15 * KIB4), 0);
	ck_assert_uint_eq(mapped_size(16 * KIB4), KIB4);
	/* A hole makes two slots of one. */
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 20 * KIB4, KIB4), 0);
	ck_assert_int_eq(svm_vm_slot_remove(rig.vm, 16 * KIB4), 0);
	touch_refused(16 * KIB4, SVM_PROT_READ, SVM_NPT_FAULT_ABSENT);
	touch(21 * KIB4, SVM_PROT_READ);
	ck_assert_uint_eq(raw_leaf(21 * KIB4), (RIG_GUEST + 5 * KIB4) | 0x07);
}
END_TEST

START_TEST(populate_builds_what_is_covered)
{
	add_range(0, 0, 2 * GIB1, RWX);
	add_range(2 * GIB1, 2 * GIB1 + KIB4, 4 * MIB2, RWX);
	ck_assert_int_eq(svm_vm_populate(rig.vm, MIB2, 2 * GIB1), 0);
	ck_assert_uint_eq(mapped_size(0), GIB1);
	ck_assert_uint_eq(mapped_size(GIB1), GIB1);
	ck_assert_uint_eq(mapped_size(2 * GIB1 + MIB2 - 1), KIB4);
	ck_assert_uint_eq(mapped_size(2 * GIB1 + MIB2), 0);
	ck_assert_int_eq(svm_vm_populate(rig.vm, 2 * GIB1, 5 * MIB2), SVM_ERR_NOENT);
	ck_assert_uint_eq(mapped_size(2 * GIB1 + MIB2), 0);
	ck_assert_int_eq(svm_vm_populate(rig.vm, 1, KIB4), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_vm_populate(rig.vm, 8 * GIB1, 0), 0);
}
END_TEST

/* A split that no longer has a reason is undone. */
START_TEST(populate_joins_what_faults_left_small)
{
	static svm_hpa_t frames[512];
	const struct svm_slot slot = {
		.gpa = MIB2, .size = MIB2, .prot = RWX, .kind = SVM_SLOT_FRAMES, .frames = frames
	};
	const uint64_t before = rig.frames;

	for (unsigned i = 0; i < 512; i++)
		frames[i] = 0x600000 + i * KIB4;
	frames[7] = 0;
	ck_assert_int_eq(svm_vm_slot_add(rig.vm, &slot), 0);
	touch(MIB2, SVM_PROT_READ);
	ck_assert_uint_eq(mapped_size(MIB2), KIB4);
	svm_vm_invalidate_begin(rig.vm, MIB2 + 7 * KIB4, KIB4);
	frames[7] = 0x607000;
	svm_vm_invalidate_end(rig.vm, MIB2 + 7 * KIB4, KIB4);
	ck_assert_int_eq(svm_vm_populate(rig.vm, MIB2, MIB2), 0);
	ck_assert_uint_eq(raw_leaf(MIB2), UINT64_C(0x00000000006000a7));
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 0, GIB1), 0);
	ck_assert_uint_eq(rig.frames, before);
}
END_TEST

/* A table that is in the way is gone into, not stepped over. */
START_TEST(populate_goes_into_tables_that_are_there)
{
	add_range(0, 0, GIB1, RWX);
	svm_vm_invalidate_begin(rig.vm, 3 * MIB2 + KIB4, KIB4);
	touch(3 * MIB2, SVM_PROT_READ);
	svm_vm_invalidate_end(rig.vm, 3 * MIB2 + KIB4, KIB4);
	ck_assert_uint_eq(mapped_size(3 * MIB2), KIB4);
	rig.vm->config.no_huge_pages = true; /* Or the merge would hide it. */
	touch(9 * MIB2 + KIB4, SVM_PROT_READ);
	rig.vm->config.no_huge_pages = false;
	rig.host->features.page_1g = false;
	ck_assert_int_eq(svm_vm_populate(rig.vm, 0, GIB1), 0);
	for (svm_gpa_t gpa = 0; gpa < 16 * MIB2; gpa += KIB4)
		ck_assert_uint_eq(mapped_size(gpa), MIB2);
}
END_TEST

/* Neighbours in both memories that are two slots are two slots to the tables as well. */
START_TEST(leaves_do_not_join_two_slots)
{
	add_range(0, 0, KIB4, RWX);
	add_range(KIB4, KIB4, MIB2 - KIB4, RWX);
	ck_assert_int_eq(svm_vm_populate(rig.vm, 0, MIB2), 0);
	ck_assert_uint_eq(mapped_size(0), KIB4);
	ck_assert_uint_eq(mapped_size(MIB2 - 1), KIB4);
	ck_assert_int_eq(svm_vm_protect(rig.vm, 0, MIB2, RX), 0);
	ck_assert_uint_eq(mapped_size(0), KIB4);
}
END_TEST

/* --- bounds --- */

START_TEST(adding_needs_no_flush)
{
	ck_assert_int_eq(svm_vm_map(rig.vm, 0, 0, GIB1 + MIB2 + KIB4, RX), 0);
	add_range(4 * GIB1, 0, 4 * MIB2, RX);
	touch(4 * GIB1, SVM_PROT_READ);
	ck_assert_int_eq(svm_vm_populate(rig.vm, 4 * GIB1, 4 * MIB2), 0);
	ck_assert_int_eq(svm_vm_protect(rig.vm, 0, GIB1, RWX), 0);
	ck_assert_uint_eq(rig.flushes, 0);
	/* Nor does taking away what nobody can have seen. */
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 8 * GIB1, GIB1), 0);
	ck_assert_uint_eq(rig.flushes, 0);
	ck_assert_int_eq(svm_vm_protect(rig.vm, 0, GIB1, RX), 0);
	ck_assert_uint_eq(rig.flushes, 1);
}
END_TEST

/* Work follows the tables, not the pages: looks at a table, for a map and for its end. */
static const struct {
	const char *what;
	svm_hpa_t hpa;
	uint64_t size;
	uint64_t tables, map_lookups, unmap_lookups;
} bounds[] = {
	{ "1 TiB with 1 GiB leaves", 0, 1024 * GIB1, 2, 8, 8 },
	{ "1 GiB with 2 MiB leaves", MIB2, GIB1, 2, 16, 16 },
	{ "4 GiB with 4 KiB leaves", KIB4, 4 * GIB1, 4 + 2048 + 1, 3 * 2053, 4 * 2053 },
};

START_TEST(work_is_bounded_by_tables)
{
	const uint64_t frames = rig.frames;
	uint64_t before = rig.lookups;

	ck_assert_int_eq(svm_vm_map(rig.vm, 0, bounds[_i].hpa, bounds[_i].size, RWX), 0);
	ck_assert_uint_eq(rig.frames, frames + bounds[_i].tables);
	ck_assert_msg(rig.lookups - before <= bounds[_i].map_lookups, "%s: map looks %lu times",
	              bounds[_i].what, rig.lookups - before);
	before = rig.lookups;
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 0, bounds[_i].size), 0);
	ck_assert_uint_eq(rig.flushes, 1);
	ck_assert_uint_eq(rig.frames, frames);
	ck_assert_msg(rig.lookups - before <= bounds[_i].unmap_lookups, "%s: unmap looks %lu times",
	              bounds[_i].what, rig.lookups - before);
}
END_TEST

/* A VM's memory map before its first slot, and one fault: 4 levels are looked at once. */
START_TEST(an_empty_map_and_a_fault_are_small)
{
	uint64_t before;

	ck_assert_uint_eq(rig.frames, 2 + 8); /* Root, slot table, reserve. */
	ck_assert_uint_le(sizeof(rig.vm->memory), 128);
	add_range(0, KIB4, GIB1, RWX);
	touch(0, RWX);
	before = rig.lookups;
	touch(KIB4, RWX);
	ck_assert_uint_eq(rig.lookups - before, 3);
}
END_TEST

/* --- allocations that fail --- */

static int call_init(void)
{
	svm_memory_fini(rig.vm);

	const int result = svm_memory_init(rig.vm);

	if (result) {
		ck_assert_uint_eq(rig.frames, 0);
		rig.fail_at = 0;
		rig_vm();
	}
	return result;
}

static int call_slot_add(void)
{
	const struct svm_slot slot = { .gpa = 8 * GIB1, .size = KIB4, .prot = RWX };

	return svm_vm_slot_add(rig.vm, &slot);
}

static int call_map(void)
{
	return svm_vm_map(rig.vm, 8 * GIB1 - 3 * KIB4, 8 * GIB1 - 3 * KIB4, MIB2, RWX);
}

static int call_unmap(void)
{
	return svm_vm_unmap(rig.vm, MIB2 + KIB4, GIB1 + 2 * KIB4);
}

static int call_protect(void)
{
	return svm_vm_protect(rig.vm, MIB2 + KIB4, GIB1 + 2 * KIB4, SVM_PROT_READ);
}

static int call_slot_remove(void)
{
	return svm_vm_slot_remove(rig.vm, 0);
}

static int call_populate(void)
{
	return svm_vm_populate(rig.vm, 4 * GIB1, 16 * MIB2);
}

static int call_reserve(void)
{
	static uint32_t wanted = 8;

	if (rig.vm->memory.reserve_count >= wanted)
		wanted = rig.vm->memory.reserve_count + 3;
	return svm_vm_reserve(rig.vm, wanted);
}

static const struct {
	const char *what;
	int (*call)(void);
	bool changes_nothing; /* When it fails. */
	unsigned failures;    /* At least so many of its allocations can fail it. */
} calls[] = {
	{ "init", call_init, false, 10 },
	{ "slot_add", call_slot_add, true, 1 },
	{ "map", call_map, true, 5 },
	{ "unmap", call_unmap, true, 5 },
	{ "protect", call_protect, true, 5 },
	{ "slot_remove", call_slot_remove, true, 1 },
	{ "populate", call_populate, false, 1 },
	{ "reserve", call_reserve, false, 3 },
};

/* What a guest can find out: each leaf of both slots, by its address, and that of a third. */
static uint64_t guests_view(void)
{
	uint64_t sum = 0;

	for (svm_gpa_t gpa = 0; gpa < 3 * GIB1; gpa += MIB2 / 2)
		sum = sum * 31 + raw_leaf(gpa) + mapped_size(gpa);
	for (svm_gpa_t gpa = 8 * GIB1 - MIB2; gpa < 8 * GIB1 + MIB2; gpa += KIB4)
		sum = sum * 31 + raw_leaf(gpa);
	return sum + rig.vm->memory.slots->count;
}

/* Each allocation of each call fails in turn; then the call is made again and succeeds. */
START_TEST(a_failing_call_leaves_the_view_alone)
{
	unsigned failures = 0;

	for (uint64_t k = 1; k < 600; k++) {
		ck_assert_int_eq(svm_vm_map(rig.vm, 0, 0, 3 * GIB1, RWX), 0);
		add_range(4 * GIB1, 4 * GIB1 + KIB4, GIB1, RWX);

		const uint64_t view = guests_view();
		const uint64_t frames = rig.frames;
		const uint64_t flushes = rig.flushes;
		const uint64_t at = rig.allocations + k;

		rig.fail_at = at;

		const int result = calls[_i].call();
		const bool has_failed = rig.fail_at == 0 || rig.allocations >= at;

		rig.fail_at = 0;
		if (calls[_i].call == call_init)
			ck_assert_int_eq(result, has_failed ? SVM_ERR_NOMEM : 0);
		if (result) {
			failures++;
			ck_assert_int_eq(result, SVM_ERR_NOMEM);
			if (calls[_i].changes_nothing) {
				ck_assert_uint_eq(guests_view(), view);
				ck_assert_uint_eq(rig.frames, frames);
				ck_assert_uint_eq(rig.flushes, flushes);
			}
			if (calls[_i].call != call_init)
				ck_assert_int_eq(calls[_i].call(), 0);
		}
		ck_assert_int_eq(svm_vm_unmap(rig.vm, 0, UINT64_C(1) << 48), 0);
		if (!has_failed)
			break;
	}
	ck_assert_msg(failures >= calls[_i].failures, "%s: %u", calls[_i].what, failures);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, map_makes_the_manuals_bits, 0, SVM_ARRAY_SIZE(map_rows));
	tcase_add_loop_test(tcase, memory_types_choose_pat_entries, 0, 4);
	tcase_add_test(tcase, refused_shapes);
	tcase_add_test(tcase, fault_outcomes);
	tcase_add_test(tcase, no_slot_over_a_forbidden_frame);
	tcase_add_test(tcase, no_leaf_over_a_forbidden_frame);
	tcase_add_test(tcase, fault_takes_the_largest_leaf);
	tcase_add_test(tcase, no_1g_without_the_feature_and_no_2m_on_demand);
	tcase_add_test(tcase, without_nx_everything_executes);
	tcase_add_test(tcase, fault_needs_frames_and_says_so);
	tcase_add_test(tcase, unmap_splits_what_it_cuts);
	tcase_add_test(tcase, unmap_gives_tables_back);
	tcase_add_test(tcase, unmap_gives_the_first_table_back);
	tcase_add_test(tcase, unmap_of_everything_above);
	tcase_add_test(tcase, protect_changes_leaves_and_merges_again);
	tcase_add_test(tcase, slot_remove_takes_the_whole_slot);
	tcase_add_test(tcase, populate_builds_what_is_covered);
	tcase_add_test(tcase, populate_goes_into_tables_that_are_there);
	tcase_add_test(tcase, leaves_do_not_join_two_slots);
	tcase_add_test(tcase, adding_needs_no_flush);
	tcase_add_loop_test(tcase, work_is_bounded_by_tables, 0, SVM_ARRAY_SIZE(bounds));
	tcase_add_test(tcase, an_empty_map_and_a_fault_are_small);
	tcase_add_test(tcase, populate_joins_what_faults_left_small);
	tcase_add_loop_test(tcase, a_failing_call_leaves_the_view_alone, 0, SVM_ARRAY_SIZE(calls));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
