/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What CPUID tells a guest: the default table, made from a made-up processor, and the lookup. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpuid.h"
#include "core/cpuid_default.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

/*
 * A processor that claims everything: all feature bits set, so that whatever a guest gets is what
 * the library lets through.  Only leaves that steer the making have sense.
 */
static uint32_t max_basic, max_extended;

static struct svm_cpuid_regs everything(uint32_t leaf, uint32_t subleaf)
{
	const struct svm_cpuid_regs zero = { 0, 0, 0, 0 };

	if (leaf < 0x80000000 ? leaf > max_basic : leaf > max_extended)
		return zero;
	switch (leaf) {
	case 0:
		return (struct svm_cpuid_regs){ max_basic, 0x68747541, 0x444d4163, 0x69746e65 };
	case 0x80000000:
		return (struct svm_cpuid_regs){ max_extended, 0x68747541, 0x444d4163, 0x69746e65 };
	case 0xd:
		if (subleaf == 2)
			return (struct svm_cpuid_regs){ 256, 576, 0, 0 };
		if (subleaf == 9)
			return (struct svm_cpuid_regs){ 8, 2432, 0, 0 };
		break;
	case 0x80000002:
		return (struct svm_cpuid_regs){ 0x20444d41, 1, 2, 3 };
	case 0x8000001d:
		if (subleaf == 3)
			return (struct svm_cpuid_regs){ 0x0001c163, 0x03c0003f, 0x3fff, 1 };
		return subleaf > 3 ? zero : (struct svm_cpuid_regs){ 0x4121, 0x01c0003f, 0x3f, 0 };
	default:
		break;
	}
	return (struct svm_cpuid_regs){ UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
}

static struct svm_features features;
static struct svm_cpuid_entry entries[SVM_CPUID_MAX];
static struct svm_cpuid_table table;
static struct svm_cpuid_state state;

/* All features, or none of those that the library must switch. */
static void make(bool rich)
{
	memset(&features, 0, sizeof(features));
	features.physical_bits = 48;
	features.linear_bits = 48;
	features.cr4_reserved = ~UINT64_C(0);
	features.efer_reserved = ~UINT64_C(0);
	if (rich) {
		features.long_mode = features.nx = features.rdtscp = features.page_1g = true;
		features.xsave = features.xsaves = features.xsaveopt = features.pku = true;
		features.smep = features.smap = features.umip = features.la57 = true;
		features.spec_ctrl = features.ibpb = true;
		features.xcr0 = 0x207;
		features.xsave_size = 2440;
		features.cr4_reserved = 0;
		features.efer_reserved = 0;
	}
	memset(entries, 0, sizeof(entries));
	memset(&state, 0, sizeof(state));
	table.entries = entries;
	table.count = (uint32_t)svm_cpuid_make(everything, &features, entries, SVM_CPUID_MAX);
	ck_assert_uint_le(table.count, SVM_CPUID_MAX);
}

static void rich(void)
{
	max_basic = 0x10;
	max_extended = 0x80000028;
	make(true);
}

static struct svm_cpuid_regs ask(uint32_t leaf, uint32_t subleaf)
{
	struct svm_cpuid_regs regs = { 1, 2, 3, 4 };

	(void)svm_cpuid_lookup(&table, &state, leaf, subleaf, &regs);
	return regs;
}

/* Bits that a guest must not see set, however rich the processor.  APM vol. 3, appendix E. */
static const struct {
	const char *what;
	uint32_t leaf, subleaf;
	struct svm_cpuid_regs forbidden; /* eax, ebx, ecx, edx */
} hidden_rows[] = {
	{ "MONITOR, x2APIC, TSC deadline, OSXSAVE", 1, 0, { 0, 0, 0x09200008, 0 } },
	{ "effective frequency", 6, 0, { 0xfffffffb, ~0u, ~0u, ~0u } },
	{ "TSC_ADJUST, RTM, PQM, MPX, PT", 7, 0, { 0, 0x0240d802, 0, 0 } },
	{ "OSPKE, WAITPKG, CET_SS, bus lock", 7, 0, { 0, 0, 0x010000b0, 0 } },
	{ "UINTR, IBT, AMX, Intel's speculation bits", 7, 0, { 0, 0, 0, 0xff500020 } },
	{ "AVX-512 without its states", 7, 0, { 0, 0xd0230000, 0x00005842, 0x100 } },
	{ "SVM, ext. APIC, OSVW, IBS, SKINIT, WDT, LWP", 0x80000001, 0, { 0, 0, 0x0000b60c, 0 } },
	{ "TCE, counters, DataBkptExt, MONITORX", 0x80000001, 0, { 0, 0, 0x7d820000, 0 } },
	{ "RAS and power management", 0x80000007, 0, { ~0u, ~0u, ~0u, 0xfffffeff } },
	{ "InstRetCnt, INVLPGB, RDPRU, MCOMMIT", 0x80000008, 0, { 0, 0x0000011a, 0, 0 } },
	{ "VIRT_SPEC_CTRL, CPPC", 0x80000008, 0, { 0, 0x0a000000, 0, 0 } },
	{ "SVM's leaf", 0x8000000a, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "IBS's leaf", 0x8000001b, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "LWP's leaf", 0x8000001c, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "SME and SEV", 0x8000001f, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "QoS", 0x80000020, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "what follows the last known leaf", 0x80000022, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "MONITOR's leaf", 5, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "performance monitoring", 0xa, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "QoS enforcement", 0x10, 0, { ~0u, ~0u, ~0u, ~0u } },
	{ "supervisor states of XSAVES", 0xd, 1, { 0xfffffff0, 0, ~0u, ~0u } },
	{ "CET's state", 0xd, 11, { ~0u, ~0u, ~0u, ~0u } },
};

START_TEST(a_rich_processor_shows_nothing_that_the_library_does_not_switch)
{
	struct svm_cpuid_regs regs;

	rich();
	regs = ask(hidden_rows[_i].leaf, hidden_rows[_i].subleaf);
	ck_assert_msg(!(regs.eax & hidden_rows[_i].forbidden.eax) &&
	                      !(regs.ebx & hidden_rows[_i].forbidden.ebx) &&
	                      !(regs.ecx & hidden_rows[_i].forbidden.ecx) &&
	                      !(regs.edx & hidden_rows[_i].forbidden.edx),
	              "%s: %#x %#x %#x %#x", hidden_rows[_i].what, regs.eax, regs.ebx, regs.ecx,
	              regs.edx);
}
END_TEST

static void no_xsave(void)
{
	features.xsave = false;
}
static void no_avx(void)
{
	features.xcr0 &= ~UINT64_C(4);
}
static void no_pkru_state(void)
{
	features.xcr0 &= ~UINT64_C(0x200);
}
static void no_pku(void)
{
	features.pku = false;
}
static void no_pcide(void)
{
	features.cr4_reserved = UINT64_C(1) << 17;
}
static void no_fsgsbase(void)
{
	features.cr4_reserved = UINT64_C(1) << 16;
}
static void no_smep(void)
{
	features.smep = false;
}
static void no_smap(void)
{
	features.smap = false;
}
static void no_umip(void)
{
	features.umip = false;
}
static void no_la57(void)
{
	features.la57 = false;
}
static void no_rdtscp(void)
{
	features.rdtscp = false;
}
static void no_nx(void)
{
	features.nx = false;
}
static void no_long_mode(void)
{
	features.long_mode = false;
}
static void no_page_1g(void)
{
	features.page_1g = false;
}
static void no_ffxsr(void)
{
	features.efer_reserved = UINT64_C(1) << 14;
}
static void no_aibrs(void)
{
	features.efer_reserved = UINT64_C(1) << 21;
}
static void no_ibpb(void)
{
	features.ibpb = false;
}
static void no_spec_ctrl(void)
{
	features.spec_ctrl = false;
}
static void no_xsaves(void)
{
	features.xsaves = false;
}
static void no_xsaveopt(void)
{
	features.xsaveopt = false;
}

/* Bits that follow one feature each: with everything else there, they vanish with it alone. */
static const struct {
	const char *what;
	void (*take)(void);
	uint32_t leaf, subleaf;
	struct svm_cpuid_regs lost;
} needs[] = {
	{ "XSAVE and what lives on it", no_xsave, 1, 0, { 0, 0, 0x34001000, 0 } },
	{ "AVX, FMA, F16C", no_avx, 1, 0, { 0, 0, 0x30001000, 0 } },
	{ "AVX2", no_avx, 7, 0, { 0, 0x20, 0x600, 0 } },
	{ "XOP, FMA4", no_avx, 0x80000001, 0, { 0, 0, 0x10800, 0 } },
	{ "PKU by its state", no_pkru_state, 7, 0, { 0, 0, 0x8, 0 } },
	{ "PKU", no_pku, 7, 0, { 0, 0, 0x8, 0 } },
	{ "PCID", no_pcide, 1, 0, { 0, 0, 0x20000, 0 } },
	{ "INVPCID", no_pcide, 7, 0, { 0, 0x400, 0, 0 } },
	{ "FSGSBASE", no_fsgsbase, 7, 0, { 0, 0x1, 0, 0 } },
	{ "SMEP", no_smep, 7, 0, { 0, 0x80, 0, 0 } },
	{ "SMAP", no_smap, 7, 0, { 0, 0x100000, 0, 0 } },
	{ "UMIP", no_umip, 7, 0, { 0, 0, 0x4, 0 } },
	{ "LA57", no_la57, 7, 0, { 0, 0, 0x10000, 0 } },
	{ "RDPID", no_rdtscp, 7, 0, { 0, 0, 0x400000, 0 } },
	{ "RDTSCP", no_rdtscp, 0x80000001, 0, { 0, 0, 0, 0x08000000 } },
	{ "NX", no_nx, 0x80000001, 0, { 0, 0, 0, 0x00100000 } },
	{ "long mode, 1 GiB pages", no_long_mode, 0x80000001, 0, { 0, 0, 0, 0x24000000 } },
	{ "1 GiB pages alone", no_page_1g, 0x80000001, 0, { 0, 0, 0, 0x04000000 } },
	{ "FFXSR", no_ffxsr, 0x80000001, 0, { 0, 0, 0, 0x02000000 } },
	{ "automatic IBRS", no_aibrs, 0x80000021, 0, { 0x100, 0, 0, 0 } },
	{ "IBPB", no_ibpb, 0x80000008, 0, { 0, 0x40001000, 0, 0 } },
	{ "SPEC_CTRL's bits", no_spec_ctrl, 0x80000008, 0, { 0, 0x110fc000, 0, 0 } },
	{ "XSAVES", no_xsaves, 0xd, 1, { 0x8, 0, 0, 0 } },
	{ "XSAVEOPT", no_xsaveopt, 0xd, 1, { 0x1, 0, 0, 0 } },
};

START_TEST(a_bit_needs_its_feature_and_changes_with_it_alone)
{
	struct svm_cpuid_regs with, without;

	rich();
	with = ask(needs[_i].leaf, needs[_i].subleaf);
	needs[_i].take();
	table.count = (uint32_t)svm_cpuid_make(everything, &features, entries, SVM_CPUID_MAX);
	without = ask(needs[_i].leaf, needs[_i].subleaf);
	if (needs[_i].leaf == 0xd)
		with.ebx = without.ebx = 0; /* A size. */
	ck_assert_msg((with.eax ^ without.eax) == needs[_i].lost.eax &&
	                      (with.ebx ^ without.ebx) == needs[_i].lost.ebx &&
	                      (with.ecx ^ without.ecx) == needs[_i].lost.ecx &&
	                      (with.edx ^ without.edx) == needs[_i].lost.edx,
	              "%s: %#x %#x %#x %#x", needs[_i].what, with.eax ^ without.eax,
	              with.ebx ^ without.ebx, with.ecx ^ without.ecx, with.edx ^ without.edx);
	ck_assert((with.eax & needs[_i].lost.eax) == needs[_i].lost.eax);
	ck_assert((with.ebx & needs[_i].lost.ebx) == needs[_i].lost.ebx);
	ck_assert((with.ecx & needs[_i].lost.ecx) == needs[_i].lost.ecx);
	ck_assert((with.edx & needs[_i].lost.edx) == needs[_i].lost.edx);
}
END_TEST

START_TEST(a_poor_processor_gives_a_short_table)
{
	max_basic = 1;
	max_extended = 0x80000000 - 1;
	make(false);
	ck_assert_uint_eq(table.count, 2);
	ck_assert_uint_eq(ask(0, 0).eax, 1);
	ck_assert_uint_eq(ask(1, 0).ecx & 0x80000000, 0x80000000);
	ck_assert_uint_eq(ask(7, 0).ebx, 0);
	ck_assert_uint_eq(ask(0x80000000, 0).eax, 0);
}
END_TEST

START_TEST(the_hypervisor_bit_and_the_vendor_are_there)
{
	rich();
	ck_assert_uint_eq(ask(0, 0).eax, 0xd);
	ck_assert_uint_eq(ask(0, 0).ebx, 0x68747541);
	ck_assert_uint_eq(ask(0x80000000, 0).eax, 0x80000021);
	ck_assert_uint_eq(ask(1, 0).ecx >> 31, 1);
	ck_assert_uint_eq(ask(0x80000002, 0).eax, 0x20444d41);
	ck_assert_uint_eq(ask(0x80000008, 0).eax, 0x3030);
}
END_TEST

START_TEST(the_whole_table_counts_itself_when_there_is_no_room)
{
	struct svm_cpuid_entry two[2];
	const struct svm_cpuid_entry guard = { .leaf = 0x5a5a5a5a };

	rich();
	two[1] = guard;
	ck_assert_uint_eq(svm_cpuid_make(everything, &features, two, 1), table.count);
	ck_assert_uint_eq(two[0].leaf, 0);
	ck_assert_uint_eq(two[1].leaf, 0x5a5a5a5a);
}
END_TEST

START_TEST(rows_come_sorted_so_that_lookup_finds_each)
{
	rich();
	for (uint32_t i = 0; i < table.count; i++) {
		struct svm_cpuid_regs regs;

		ck_assert(svm_cpuid_lookup(&table, &state, entries[i].leaf, entries[i].subleaf,
		                           &regs));
		ck_assert_uint_eq(regs.eax, entries[i].eax);
		if (i)
			ck_assert(entries[i - 1].leaf < entries[i].leaf ||
			          entries[i - 1].subleaf < entries[i].subleaf);
	}
}
END_TEST

/* Asks for a leaf with a row number in every hint. */
static bool ask_with_hint(uint8_t row, uint32_t leaf, uint32_t subleaf, struct svm_cpuid_regs *regs)
{
	memset(table.hint, row, sizeof(table.hint));
	return svm_cpuid_lookup(&table, &state, leaf, subleaf, regs);
}

START_TEST(no_hint_changes_an_answer)
{
	rich();
	for (uint32_t i = 0; i < 2 * table.count; i++) {
		/* Each leaf of the table, and the one behind it, which is often none. */
		const uint32_t leaf = entries[i / 2].leaf + i % 2;

		for (uint32_t subleaf = 0; subleaf < 4; subleaf++) {
			struct svm_cpuid_regs want, got;
			const bool known = ask_with_hint(UINT8_MAX, leaf, subleaf, &want);

			for (uint32_t row = 0; row <= table.count; row++) {
				ck_assert(ask_with_hint((uint8_t)row, leaf, subleaf, &got) ==
				          known);
				ck_assert_mem_eq(&got, &want, sizeof(got));
			}
		}
	}
	memset(table.hint, 0, sizeof(table.hint));
}
END_TEST

/* A small table by hand: leaf, subleaf, does it matter, four registers. */
static struct svm_cpuid_entry small[] = {
	{ 0x00000001, 0, false, 0x11, 0xffff0000, 0x04000000, 0x14 },
	{ 0x00000004, 0, true, 0x41, 0, 0, 0 },
	{ 0x00000004, 2, true, 0x42, 0, 0, 0 },
	{ 0x00000007, 0, true, 0, 0, 0x00000018, 0 },
	{ 0x00000007, 1, true, 0x71, 0, 0x00000018, 0 },
	{ 0x0000000b, 0, true, 0, 1, 0x100, 0x99 },
	{ 0x0000000b, 1, true, 2, 4, 0x201, 0x99 },
	{ 0x0000000d, 0, true, 0x207, 0x999, 0x988, 0 },
	{ 0x0000000d, 1, true, 0xf, 0x999, 0, 0 },
	{ 0x0000000d, 2, true, 256, 576, 0, 0 },
	{ 0x0000000d, 9, true, 8, 2432, 0, 0 },
	{ 0x0000000d, 10, true, 40, 0, 2, 0 }, /* Aligned when compacted. */
	{ 0x0000000d, 11, true, 16, 0, 1, 0 },
	{ 0x8000001e, 0, false, 0x99, 0x0199, 0, 0 },
};

static const struct {
	const char *what;
	uint32_t leaf, subleaf;
	struct svm_cpuid_state state; /* apic_id, cr4, xcr0, xss */
	bool found;
	struct svm_cpuid_regs regs;
} lookup_rows[] = {
	{ "a leaf below the first", 0, 0, { 0 }, false, { 0, 0, 0, 0 } },
	{ "any ECX where it does not matter",
	  1,
	  77,
	  { 0 },
	  true,
	  { 0x11, 0xff0000, 0x4000000, 0x14 } },
	{ "the APIC ID", 1, 0, { .apic_id = 3 }, true, { 0x11, 0x3ff0000, 0x4000000, 0x14 } },
	{ "its low byte", 1, 0, { .apic_id = 0x1fe }, true, { 0x11, 0xfeff0000, 0x4000000, 0x14 } },
	{ "OSXSAVE", 1, 0, { .cr4 = 0x40000 }, true, { 0x11, 0xff0000, 0xc000000, 0x14 } },
	{ "MONITOR, shown",
	  1,
	  0,
	  { .monitor = SVM_CPUID_MONITOR_SHOWN },
	  true,
	  { 0x11, 0xff0000, 0x4000008, 0x14 } },
	{ "other bits of CR4",
	  1,
	  0,
	  { .cr4 = ~0x40000ull },
	  true,
	  { 0x11, 0xff0000, 0x4000000, 0x14 } },
	{ "a leaf between two", 3, 0, { 0 }, false, { 0, 0, 0, 0 } },
	{ "the first subleaf", 4, 0, { 0 }, true, { 0x41, 0, 0, 0 } },
	{ "a subleaf between two", 4, 1, { 0 }, true, { 0, 0, 0, 0 } },
	{ "the last subleaf", 4, 2, { 0 }, true, { 0x42, 0, 0, 0 } },
	{ "a subleaf past the last", 4, 0xffffffff, { 0 }, true, { 0, 0, 0, 0 } },
	{ "OSPKE off", 7, 0, { 0 }, true, { 0, 0, 8, 0 } },
	{ "OSPKE on", 7, 0, { .cr4 = 0x400000 }, true, { 0, 0, 0x18, 0 } },
	{ "subleaf 1 has no OSPKE", 7, 1, { 0 }, true, { 0x71, 0, 0x18, 0 } },
	{ "the x2APIC ID, level 0", 0xb, 0, { .apic_id = 300 }, true, { 0, 1, 0x100, 300 } },
	{ "the x2APIC ID, level 1", 0xb, 1, { .apic_id = 300 }, true, { 2, 4, 0x201, 300 } },
	{ "XSAVE size of x87 and SSE", 0xd, 0, { .xcr0 = 3 }, true, { 0x207, 576, 0x988, 0 } },
	{ "with AVX", 0xd, 0, { .xcr0 = 7 }, true, { 0x207, 832, 0x988, 0 } },
	{ "with PKRU alone", 0xd, 0, { .xcr0 = 0x203 }, true, { 0x207, 2440, 0x988, 0 } },
	{ "compacted, none", 0xd, 1, { .xcr0 = 3 }, true, { 0xf, 576, 0, 0 } },
	{ "compacted, AVX and PKRU", 0xd, 1, { .xcr0 = 0x207 }, true, { 0xf, 840, 0, 0 } },
	{ "compacted, an aligned one after PKRU",
	  0xd,
	  1,
	  { .xcr0 = 0x607 },
	  true,
	  { 0xf, 936, 0, 0 } },
	{ "compacted, a supervisor state",
	  0xd,
	  1,
	  { .xcr0 = 3, .xss = 0x800 },
	  true,
	  { 0xf, 592, 0, 0 } },
	{ "a state's own row", 0xd, 2, { .xcr0 = 7 }, true, { 256, 576, 0, 0 } },
	{ "between basic and extended", 0x40000000, 0, { 0 }, false, { 0, 0, 0, 0 } },
	{ "extended APIC and core ID", 0x8000001e, 5, { .apic_id = 6 }, true, { 6, 0x106, 0, 0 } },
	{ "past the last leaf", 0x8000001f, 0, { 0 }, false, { 0, 0, 0, 0 } },
	{ "the last leaf there could be", 0xffffffff, 0xffffffff, { 0 }, false, { 0, 0, 0, 0 } },
};

START_TEST(lookup_answers_and_patches)
{
	const struct svm_cpuid_table by_hand = { .entries = small, .count = ARRAY_SIZE(small) };
	struct svm_cpuid_regs regs = { 9, 9, 9, 9 };
	const bool found = svm_cpuid_lookup(&by_hand, &lookup_rows[_i].state, lookup_rows[_i].leaf,
	                                    lookup_rows[_i].subleaf, &regs);

	ck_assert_msg(found == lookup_rows[_i].found, "%s", lookup_rows[_i].what);
	ck_assert_msg(memcmp(&regs, &lookup_rows[_i].regs, sizeof(regs)) == 0, "%s: %x %x %x %x",
	              lookup_rows[_i].what, regs.eax, regs.ebx, regs.ecx, regs.edx);
}
END_TEST

START_TEST(an_empty_table_answers_zeros)
{
	const struct svm_cpuid_table empty = { 0 };
	struct svm_cpuid_regs regs = { 9, 9, 9, 9 };

	ck_assert(!svm_cpuid_lookup(&empty, &state, 0, 0, &regs));
	ck_assert_uint_eq(regs.eax | regs.ebx | regs.ecx | regs.edx, 0);
}
END_TEST

START_TEST(the_size_of_all_states_is_what_the_processor_says)
{
	rich();
	state.xcr0 = features.xcr0;
	ck_assert_uint_eq(ask(0xd, 0).ebx, 2440);
	ck_assert_uint_eq(ask(0xd, 0).ecx, 2440);
	ck_assert_uint_eq(ask(0xd, 0).eax, 0x207);
}
END_TEST

/* CPUs; then what counts them. */
static const struct {
	uint32_t cpus, logical, htt, cmp_legacy, shift, cores_less_one, id_size;
} topology_rows[] = {
	{ 1, 1, 0, 0, 0, 0, 0 },       { 2, 2, 1, 1, 1, 1, 1 },       { 3, 3, 1, 1, 2, 2, 2 },
	{ 4, 4, 1, 1, 2, 3, 2 },       { 5, 5, 1, 1, 3, 4, 3 },       { 64, 64, 1, 1, 6, 63, 6 },
	{ 128, 128, 1, 1, 7, 127, 7 }, { 256, 255, 1, 1, 8, 255, 8 },
};

START_TEST(topology_counts_cores_of_one_thread)
{
	rich();
	svm_cpuid_set_topology(entries, table.count, 1);
	svm_cpuid_set_topology(entries, table.count, 7); /* The last call counts. */
	svm_cpuid_set_topology(entries, table.count, topology_rows[_i].cpus);
	ck_assert_uint_eq(ask(1, 0).ebx >> 16 & 0xff, topology_rows[_i].logical);
	ck_assert_uint_eq(ask(1, 0).edx >> 28 & 1, topology_rows[_i].htt);
	ck_assert_uint_eq(ask(0x80000001, 0).ecx >> 1 & 1, topology_rows[_i].cmp_legacy);
	ck_assert_uint_eq(ask(0xb, 0).eax, 0);
	ck_assert_uint_eq(ask(0xb, 0).ebx, 1);
	ck_assert_uint_eq(ask(0xb, 1).eax, topology_rows[_i].shift);
	ck_assert_uint_eq(ask(0xb, 1).ebx, topology_rows[_i].cpus);
	ck_assert_uint_eq(ask(0xb, 1).ecx, 0x201);
	ck_assert_uint_eq(ask(0x80000008, 0).ecx & 0xff, topology_rows[_i].cores_less_one);
	ck_assert_uint_eq(ask(0x80000008, 0).ecx >> 12, topology_rows[_i].id_size);
	ck_assert_uint_eq(ask(0x8000001d, 0).eax >> 14 & 0xfff, 0);
	ck_assert_uint_eq(ask(0x8000001d, 3).eax >> 14 & 0xfff, topology_rows[_i].cpus - 1);
	ck_assert_uint_eq(ask(0x8000001d, 4).eax, 0);
	ck_assert_uint_eq(ask(0x8000001e, 0).ebx >> 8, 0); /* One thread in each core. */
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cpuid");
	TCase *tcase = tcase_create("cpuid");

	tcase_add_loop_test(tcase, a_rich_processor_shows_nothing_that_the_library_does_not_switch,
	                    0, ARRAY_SIZE(hidden_rows));
	tcase_add_loop_test(tcase, a_bit_needs_its_feature_and_changes_with_it_alone, 0,
	                    ARRAY_SIZE(needs));
	tcase_add_test(tcase, a_poor_processor_gives_a_short_table);
	tcase_add_test(tcase, the_hypervisor_bit_and_the_vendor_are_there);
	tcase_add_test(tcase, the_whole_table_counts_itself_when_there_is_no_room);
	tcase_add_test(tcase, rows_come_sorted_so_that_lookup_finds_each);
	tcase_add_test(tcase, no_hint_changes_an_answer);
	tcase_add_loop_test(tcase, lookup_answers_and_patches, 0, ARRAY_SIZE(lookup_rows));
	tcase_add_test(tcase, an_empty_table_answers_zeros);
	tcase_add_test(tcase, the_size_of_all_states_is_what_the_processor_says);
	tcase_add_loop_test(tcase, topology_counts_cores_of_one_thread, 0,
	                    ARRAY_SIZE(topology_rows));
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
