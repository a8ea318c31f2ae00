/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Local APIC: registers, modes, state.  APM vol. 2, 16.3, 16.9 … 16.11. */
#include "lapic_rig.h"

/* --- the registers in memory: table 16-2 -------------------------------------------------- */

/* After reset, and after all ones were written while enabled by software. */
static const struct {
	const char *what;
	uint32_t offset, reset, ones;
} register_rows[] = {
	{ "the ID is the APIC's own and cannot be changed", 0x020, 0x05000000, 0x05000000 },
	{ "version 10h with 6 LVT entries", 0x030, 0x00050010, 0x00050010 },
	{ "TPR has 8 bits", 0x080, 0, 0xff },
	{ "APR cannot be written", 0x090, 0, 0 },
	{ "PPR cannot be written", 0x0a0, 0, 0 },
	{ "EOI reads as 0", 0x0b0, 0, 0 },
	{ "remote read reads as 0", 0x0c0, 0, 0 },
	{ "LDR has 8 bits", 0x0d0, 0, 0xff000000 },
	{ "DFR has 4 bits, the rest is ones", 0x0e0, 0xffffffff, 0xffffffff },
	{ "SVR has vector, enable and focus", 0x0f0, 0x000000ff, 0x000003ff },
	{ "ISR cannot be written", 0x100, 0, 0 },
	{ "the last of ISR neither", 0x170, 0, 0 },
	{ "TMR cannot be written", 0x180, 0, 0 },
	{ "IRR cannot be written", 0x200, 0, 0 },
	{ "the last of IRR neither", 0x270, 0, 0 },
	{ "ESR takes no value", 0x280, 0, 0 },
	{ "ICR, high half: the destination", 0x310, 0, 0xff000000 },
	{ "LVT timer: vector, mask, mode", 0x320, 0x00010000, 0x000700ff },
	{ "LVT thermal: vector, message type, mask", 0x330, 0x00010000, 0x000107ff },
	{ "LVT performance counter", 0x340, 0x00010000, 0x000107ff },
	{ "LVT LINT0: polarity and trigger too", 0x350, 0x00010000, 0x0001a7ff },
	{ "LVT LINT1", 0x360, 0x00010000, 0x0001a7ff },
	{ "LVT error", 0x370, 0x00010000, 0x000107ff },
	{ "initial count has 32 bits", 0x380, 0, 0xffffffff },
	{ "divide has bits 3, 1, 0", 0x3e0, 0, 0xb },
};

START_TEST(a_register_resets_and_takes_bits_as_the_table_says)
{
	const uint32_t offset = register_rows[_i].offset;

	make_lapic(5);
	ck_assert_msg(get(offset) == register_rows[_i].reset, "%s: reset to %#x",
	              register_rows[_i].what, get(offset));
	put(0xf0, 0x1ff);
	put(offset, 0xffffffff);
	ck_assert_msg(get(offset) == register_rows[_i].ones, "%s: takes %#x",
	              register_rows[_i].what, get(offset));
	svm_lapic_reset_by_init(&lapic);
	ck_assert_msg(get(offset) == register_rows[_i].reset, "%s: INIT leaves %#x",
	              register_rows[_i].what, get(offset));
	put(0x280, 0);
	ck_assert_msg(get(0x280) == 0, "%s: error %#x", register_rows[_i].what, get(0x280));
}
END_TEST

static const uint32_t missing_rows[] = { 0x000, 0x010, 0x040, 0x070, 0x290, 0x2f0, 0x3a0,
	                                 0x3d0, 0x3f0, 0x400, 0x410, 0x480, 0x500, 0xff0 };

START_TEST(a_register_that_does_not_exist_reads_0_and_is_an_error)
{
	make_enabled(0);
	ck_assert_uint_eq(get(missing_rows[_i]), 0);
	ck_assert_uint_eq(get(0x280), 0);
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0x80);
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0);
	put(missing_rows[_i], 1);
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0x80);
}
END_TEST

static const struct {
	const char *what;
	uint32_t offset;
	unsigned size;
	uint64_t value;
} size_rows[] = {
	{ "a byte of the version", 0x030, 1, 0x10 },
	{ "its third byte: the number of LVT entries", 0x032, 1, 0x05 },
	{ "the upper word", 0x032, 2, 0x0005 },
	{ "8 bytes: nothing above the register", 0x030, 8, 0x00050010 },
	{ "the gap behind a register", 0x034, 4, 0 },
	{ "the end of the gap", 0x03c, 4, 0 },
	{ "across the end of the register", 0x032, 4, 0x0005 },
	{ "the ID by its last byte", 0x023, 1, 0x05 },
	{ "bits above 11 of the offset are not looked at", 0xfee00030, 4, 0x00050010 },
};

START_TEST(a_read_of_any_size_gives_the_bytes_of_the_register)
{
	make_lapic(5);
	ck_assert_msg(svm_lapic_read(&lapic, size_rows[_i].offset, size_rows[_i].size, now) ==
	                      size_rows[_i].value,
	              "%s", size_rows[_i].what);
}
END_TEST

START_TEST(only_an_aligned_double_word_is_written)
{
	make_lapic(0);
	svm_lapic_write(&lapic, 0x80, 1, 0x20, now);
	svm_lapic_write(&lapic, 0x80, 2, 0x20, now);
	svm_lapic_write(&lapic, 0x80, 8, 0x20, now);
	svm_lapic_write(&lapic, 0x81, 4, 0x20, now);
	svm_lapic_write(&lapic, 0x84, 4, 0x20, now);
	ck_assert_uint_eq(get(0x80), 0);
	svm_lapic_write(&lapic, 0x80, 4, 0x20, now);
	ck_assert_uint_eq(get(0x80), 0x20);
}
END_TEST

/* --- the registers by MSR: table 16-6 ----------------------------------------------------- */

/* What is read after reset, the bits that may be written, or neither. */
#define NO_WRITE UINT64_MAX
static const struct {
	const char *what;
	uint32_t msr;
	uint64_t reset, writable;
} msr_rows[] = {
	{ "800h does not exist", 0x800, NO_READ, NO_WRITE },
	{ "the ID has 32 bits", 0x802, 0x25, NO_WRITE },
	{ "version", 0x803, 0x00050010, NO_WRITE },
	{ "TPR", 0x808, 0, 0xff },
	{ "APR", 0x809, 0, NO_WRITE },
	{ "PPR", 0x80a, 0, NO_WRITE },
	{ "EOI is written with 0 only", 0x80b, NO_READ, 0 },
	{ "remote read is gone", 0x80c, NO_READ, NO_WRITE },
	{ "LDR follows from the ID", 0x80d, 0x00020020, NO_WRITE },
	{ "DFR is gone", 0x80e, NO_READ, NO_WRITE },
	{ "SVR", 0x80f, 0xff, 0x3ff },
	{ "ISR", 0x810, 0, NO_WRITE },
	{ "the last of IRR", 0x827, 0, NO_WRITE },
	{ "ESR is written with 0 only", 0x828, 0, 0 },
	{ "no CMCI entry", 0x82f, NO_READ, NO_WRITE },
	{ "ICR is one register; delivery status may be written", 0x830, 0,
	  UINT64_C(0xffffffff000cdfff) },
	{ "its upper half is gone", 0x831, NO_READ, NO_WRITE },
	{ "LVT timer", 0x832, 0x10000, 0x000710ff },
	{ "LVT thermal", 0x833, 0x10000, 0x000117ff },
	{ "LVT performance counter", 0x834, 0x10000, 0x000117ff },
	{ "LVT LINT0", 0x835, 0x10000, 0x0001f7ff },
	{ "LVT LINT1", 0x836, 0x10000, 0x0001f7ff },
	{ "LVT error", 0x837, 0x10000, 0x000117ff },
	{ "initial count", 0x838, 0, 0xffffffff },
	{ "current count", 0x839, 0, NO_WRITE },
	{ "divide", 0x83e, 0, 0xb },
	{ "self IPI is write-only", 0x83f, NO_READ, 0xff },
	{ "840h does not exist", 0x840, NO_READ, NO_WRITE },
	{ "8ffh does not exist", 0x8ff, NO_READ, NO_WRITE },
	{ "far below", 0x7ff, NO_READ, NO_WRITE },
	{ "0", 0, NO_READ, NO_WRITE },
	{ "the last MSR", 0xffffffff, NO_READ, NO_WRITE },
};

START_TEST(an_msr_is_read_and_its_reserved_bits_fault_as_the_table_says)
{
	const uint64_t writable = msr_rows[_i].writable;

	make_x2apic(0x25);
	ck_assert_msg(get_msr(msr_rows[_i].msr) == msr_rows[_i].reset, "%s: %#lx",
	              msr_rows[_i].what, get_msr(msr_rows[_i].msr));
	if (writable == NO_WRITE) {
		ck_assert_msg(!put_msr(msr_rows[_i].msr, 0), "%s: written", msr_rows[_i].what);
		return;
	}
	for (unsigned bit = 0; bit < 64; bit++)
		ck_assert_msg(put_msr(msr_rows[_i].msr, UINT64_C(1) << bit) ==
		                      (bool)(writable >> bit & 1),
		              "%s: bit %u", msr_rows[_i].what, bit);
	ck_assert_msg(put_msr(msr_rows[_i].msr, 0), "%s: 0", msr_rows[_i].what);
}
END_TEST

START_TEST(each_mode_has_one_way_to_the_registers)
{
	make_lapic(0);
	ck_assert(!put_msr(0x808, 0x20));
	ck_assert_uint_eq(get_msr(0x802), NO_READ);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE | ENABLE | X2APIC));
	put(0x80, 0x30);
	ck_assert_uint_eq(get(0x80), 0xffffffff);
	ck_assert_uint_eq(svm_lapic_read(&lapic, 0x80, 8, now), UINT64_MAX);
	ck_assert_uint_eq(svm_lapic_read(&lapic, 0x80, 1, now), 0xff);
	ck_assert_uint_eq(get_msr(0x808), 0);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE));
	ck_assert(!put_msr(0x808, 0x20));
	ck_assert_uint_eq(get(0x80), 0xffffffff);
}
END_TEST

/* --- the base MSR ------------------------------------------------------------------------- */

/* 16.9: from mode to mode; -1: #GP. */
static const struct {
	const char *what;
	uint64_t first, second;
	bool is_legal;
} base_rows[] = {
	{ "xAPIC to off", ENABLE, 0, true },
	{ "xAPIC to xAPIC", ENABLE, ENABLE, true },
	{ "xAPIC to x2APIC", ENABLE, ENABLE | X2APIC, true },
	{ "xAPIC to EXTD without AE", ENABLE, X2APIC, false },
	{ "off to off", 0, 0, true },
	{ "off to xAPIC", 0, ENABLE, true },
	{ "off to x2APIC", 0, ENABLE | X2APIC, false },
	{ "off to EXTD without AE", 0, X2APIC, false },
	{ "x2APIC to off", ENABLE | X2APIC, 0, true },
	{ "x2APIC to xAPIC", ENABLE | X2APIC, ENABLE, false },
	{ "x2APIC to x2APIC", ENABLE | X2APIC, ENABLE | X2APIC, true },
	{ "x2APIC to EXTD without AE", ENABLE | X2APIC, X2APIC, false },
	{ "a reserved low bit", ENABLE, ENABLE | 1, false },
	{ "reserved bit 9", ENABLE, ENABLE | 0x200, false },
	{ "the highest address bit", ENABLE, ENABLE | UINT64_C(1) << 39, true },
	{ "an address bit too high", ENABLE, ENABLE | UINT64_C(1) << 40, false },
	{ "bit 63", ENABLE, ENABLE | UINT64_C(1) << 63, false },
};

START_TEST(the_base_register_changes_modes_as_the_manual_allows)
{
	make_lapic(0);
	ck_assert_uint_eq(svm_lapic_get_base(&lapic), 0xfee00900);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE | base_rows[_i].first));
	ck_assert_msg(svm_lapic_set_base(&lapic, AT_FEE | base_rows[_i].second) ==
	                      base_rows[_i].is_legal,
	              "%s", base_rows[_i].what);
	ck_assert_uint_eq(svm_lapic_get_base(&lapic),
	                  BSP | AT_FEE |
	                          (base_rows[_i].is_legal ? base_rows[_i].second :
	                                                    base_rows[_i].first));
}
END_TEST

START_TEST(without_the_option_there_is_no_x2apic_and_no_deadline_mode)
{
	struct svm_lapic_config config = config_of(0);

	config.has_x2apic = config.has_tsc_deadline = false;
	ck_assert_int_eq(svm_lapic_init(&lapic, &config), 0);
	ck_assert(!svm_lapic_set_base(&lapic, AT_FEE | ENABLE | X2APIC));
	put(0xf0, 0x1ff);
	put(0x320, 0x400ff);
	ck_assert_uint_eq(get(0x320), 0xff);
	svm_lapic_set_tsc_deadline(&lapic, 5, now);
	ck_assert_uint_eq(svm_lapic_get_tsc_deadline(&lapic, now), 0);
}
END_TEST

START_TEST(the_bsp_bit_is_read_only_and_only_one_has_it)
{
	make_lapic(1);
	ck_assert_uint_eq(svm_lapic_get_base(&lapic), 0xfee00800);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE | ENABLE | BSP));
	ck_assert_uint_eq(svm_lapic_get_base(&lapic), 0xfee00800);
}
END_TEST

START_TEST(the_page_moves_with_the_base)
{
	make_lapic(0);
	ck_assert_uint_eq(svm_lapic_mmio_base(&lapic), 0xfee00000);
	ck_assert(svm_lapic_set_base(&lapic, 0x12345000 | ENABLE));
	ck_assert_uint_eq(svm_lapic_mmio_base(&lapic), 0x12345000);
	ck_assert(svm_lapic_set_base(&lapic, 0x12345000 | ENABLE | X2APIC));
	ck_assert_uint_eq(svm_lapic_mmio_base(&lapic), SVM_NEVER);
	ck_assert(svm_lapic_set_base(&lapic, 0x12345000));
	ck_assert_uint_eq(svm_lapic_mmio_base(&lapic), SVM_NEVER);
}
END_TEST

START_TEST(x2apic_keeps_the_registers_and_off_forgets_them)
{
	make_enabled(0x13);
	put(0x80, 0x40);
	put(0xd0, 0x02000000);
	put(0x310, 0x07000000);
	ck_assert(svm_lapic_post(&lapic, 0x61, false));
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE | ENABLE | X2APIC));
	ck_assert_uint_eq(get_msr(0x808), 0x40);
	ck_assert_uint_eq(get_msr(0x80f), 0x1ff);
	ck_assert_uint_eq(get_msr(0x80d), 0x00010008);
	ck_assert_uint_eq(get_msr(0x830), 0);
	ck_assert_uint_eq(get_msr(0x823), 2);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE));
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	ck_assert(!svm_lapic_post(&lapic, 0x61, false));
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE | ENABLE));
	ck_assert_uint_eq(get(0x80), 0);
	ck_assert_uint_eq(get(0xf0), 0xff);
	ck_assert_uint_eq(get(0xd0), 0);
	ck_assert_uint_eq(get(0x230), 0);
}
END_TEST

START_TEST(init_keeps_the_mode_and_what_was_requested_meanwhile)
{
	uint8_t vector = 0;
	const struct svm_apic_message startup = { .mode = SVM_APIC_STARTUP, .vector = 0x9a };

	make_x2apic(0x25);
	ck_assert(put_msr(0x808, 0x70));
	ck_assert(svm_lapic_receive(&lapic, &startup));
	svm_lapic_reset_by_init(&lapic);
	ck_assert_uint_eq(svm_lapic_get_base(&lapic), AT_FEE | ENABLE | X2APIC);
	ck_assert_uint_eq(get_msr(0x808), 0);
	ck_assert_uint_eq(get_msr(0x80d), 0x00020020);
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), SVM_LAPIC_REQUEST_STARTUP);
	ck_assert_uint_eq(vector, 0x9a);
}
END_TEST

static const struct {
	const char *what;
	uint32_t id;
	uint8_t physical_bits;
	unsigned missing;
	int result;
} init_rows[] = {
	{ "the highest ID", 255, 40, 0, 0 },
	{ "an ID too high", 256, 40, 0, SVM_ERR_INVAL },
	{ "36 bits", 0, 36, 0, 0 },
	{ "52 bits", 0, 52, 0, 0 },
	{ "35 bits", 0, 35, 0, SVM_ERR_INVAL },
	{ "53 bits", 0, 53, 0, SVM_ERR_INVAL },
	{ "no wake", 0, 40, 1, SVM_ERR_INVAL },
	{ "no send", 0, 40, 2, SVM_ERR_INVAL },
	{ "no eoi", 0, 40, 3, SVM_ERR_INVAL },
};

START_TEST(a_configuration_is_checked)
{
	struct svm_lapic_config config = config_of(init_rows[_i].id);

	config.physical_bits = init_rows[_i].physical_bits;
	if (init_rows[_i].missing == 1)
		config.host.wake = NULL;
	if (init_rows[_i].missing == 2)
		config.host.send = NULL;
	if (init_rows[_i].missing == 3)
		config.host.eoi = NULL;
	ck_assert_msg(svm_lapic_init(&lapic, &config) == init_rows[_i].result, "%s",
	              init_rows[_i].what);
}
END_TEST

/* --- as systems use it -------------------------------------------------------------------- */

/* What Linux's boot asks: is there an APIC, can it be enabled, does the timer count at all? */
START_TEST(the_probes_of_a_kernel_find_an_apic)
{
	uint32_t before;

	make_lapic(0);
	ck_assert_uint_eq(get(0x30) & 0xff, 0x10);
	ck_assert_uint_ge(get(0x30) >> 16 & 0xff, 4);
	put(0x30, get(0x30) ^ 0x00ff00ff);
	ck_assert_uint_eq(get(0x30), 0x00050010);
	put(0xe0, 0xffffffff);
	put(0xd0, 0x01000000);
	put(0x80, 0x10);
	put(0xf0, 0x1ff);
	put(0x350, 0x00700);
	put(0x360, 0x00400);
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0);
	put(0x320, 0x200ec);
	put(0x3e0, 0x3);
	put(0x380, 0xffffffff);
	before = get(0x390);
	now.ns += 100000000;
	ck_assert_uint_eq(before - get(0x390), 6250000);
}
END_TEST

/* --- state -------------------------------------------------------------------------------- */

/* An APIC in the middle of much. */
static void make_busy(void)
{
	make_enabled(6);
	put(0x80, 0x25);
	put(0xd0, 0x40000000);
	put(0x310, 0x02000000);
	put(0x300, 0x4441);
	put(0x320, 0x20040);
	put(0x350, 0x8031);
	put(0x3e0, 0x3);
	put(0x380, 1000);
	(void)get(0x3f0);
	put(0x280, 0);
	(void)svm_lapic_post(&lapic, 5, false);
	(void)svm_lapic_post(&lapic, 0x93, true);
	svm_lapic_accept(&lapic, 0x93);
	(void)svm_lapic_post(&lapic, 0x94, false);
	svm_lapic_set_lint(&lapic, 0, true);
	svm_lapic_set_lint(&lapic, 1, true);
	now.ns = 1600;
	now.tsc = 1;
}

START_TEST(a_restored_apic_is_the_saved_one)
{
	struct svm_lapic_state first, second;
	uint32_t before[64];

	make_busy();
	svm_lapic_save(&lapic, &first, now);
	ck_assert_uint_eq(first.remaining_ns, 14400);
	for (uint32_t i = 0; i < 64; i++)
		before[i] = get(16 * i);
	make_lapic(6);
	now.ns = 77777;
	ck_assert_int_eq(svm_lapic_restore(&lapic, &first, now), 0);
	svm_lapic_save(&lapic, &second, now);
	ck_assert_mem_eq(&first, &second, sizeof(first));
	for (uint32_t i = 0; i < 64; i++)
		ck_assert_msg(before[i] == get(16 * i), "register %#x", 16 * i);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), 77777 + 14400);
}
END_TEST

/* By VMMs in the place of firmware.  Once the guest writes the entry only its own rules hold. */
START_TEST(the_8259_may_pass_an_apic_that_software_disabled)
{
	struct svm_lapic_state state;

	make_lapic(6);
	svm_lapic_save(&lapic, &state, now);
	state.lvt[SVM_LAPIC_LVT_LINT0] = 0x700;
	ck_assert_int_eq(svm_lapic_restore(&lapic, &state, now), 0);
	ck_assert(!svm_lapic_wants_extint(&lapic));
	svm_lapic_set_lint(&lapic, 0, true);
	ck_assert(svm_lapic_wants_extint(&lapic));
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	svm_lapic_write(&lapic, 0x350, 4, 0x700, now);
	ck_assert(!svm_lapic_wants_extint(&lapic));
	/* Not LINT1, and no vector. */
	svm_lapic_save(&lapic, &state, now);
	state.lvt[SVM_LAPIC_LVT_LINT1] = 0x700;
	ck_assert_int_eq(svm_lapic_restore(&lapic, &state, now), SVM_ERR_INVAL);
	state.lvt[SVM_LAPIC_LVT_LINT1] = 0x10000;
	state.lvt[SVM_LAPIC_LVT_LINT0] = 0x040;
	ck_assert_int_eq(svm_lapic_restore(&lapic, &state, now), SVM_ERR_INVAL);
}
END_TEST

#define FIELD(member)                             \
	offsetof(struct svm_lapic_state, member), \
		sizeof(((struct svm_lapic_state *)0)->member)
static const struct {
	const char *what;
	size_t offset, size;
	uint64_t value;
} hostile_rows[] = {
	{ "EXTD without AE", FIELD(base), 0xfee00400 },
	{ "x2APIC with a logical ID that is not the ID's", FIELD(base), 0xfee00c00 },
	{ "a reserved bit of the base", FIELD(base), 0xfee00801 },
	{ "an address too high", FIELD(base), UINT64_C(0x10000000800) },
	{ "another ID", FIELD(id), 7 },
	{ "TPR of 9 bits", FIELD(tpr), 0x100 },
	{ "LDR below its byte", FIELD(ldr), 1 },
	{ "DFR with a hole", FIELD(dfr), 0xfffffffe },
	{ "a reserved bit of SVR", FIELD(svr), 0x11ff },
	{ "open entries in an APIC disabled by software", FIELD(svr), 0xff },
	{ "an error that does not exist", FIELD(esr), 1 },
	{ "an error to come that does not exist", FIELD(errors), 0x10 },
	{ "delivery status", FIELD(icr_low), 0x1000 },
	{ "a destination of 32 bits in xAPIC mode", FIELD(icr_high), 1 },
	{ "a divisor's reserved bit", FIELD(divide), 4 },
	{ "vector 15 in service", FIELD(isr[0]), 0x8000 },
	{ "vector 0 in TMR", FIELD(tmr[0]), 1 },
	{ "vector 3 requested", FIELD(irr[0]), 8 },
	{ "a reserved bit of an LVT entry", FIELD(lvt[SVM_LAPIC_LVT_ERROR]), 0x20000 },
	{ "a timer in deadline mode that counts", FIELD(lvt[SVM_LAPIC_LVT_TIMER]), 0x40040 },
	{ "a deadline in another mode", FIELD(tsc_deadline), 1 },
	{ "a request that does not exist", FIELD(requests), 0x20 },
	{ "a start-up vector of 9 bits", FIELD(startup_vector), 0x100 },
	{ "a third pin", FIELD(lines), 4 },
	{ "a third pin in service", FIELD(lint_busy), 4 },
	{ "neither yes nor no", FIELD(is_counting), 2 },
	{ "a stopped timer with time left", FIELD(is_counting), 0 },
	{ "a running timer with none", FIELD(remaining_ns), 0 },
	{ "more left than the whole", FIELD(remaining_ns), 16001 },
	{ "more left than all", FIELD(remaining_ns), UINT64_MAX },
	{ "a count of 0", FIELD(initial_count), 0 },
};

START_TEST(a_state_that_cannot_be_is_refused_whole)
{
	struct svm_lapic_state good, bad;

	make_busy();
	svm_lapic_save(&lapic, &good, now);
	bad = good;
	memcpy((char *)&bad + hostile_rows[_i].offset, &hostile_rows[_i].value,
	       hostile_rows[_i].size);
	make_lapic(6);
	ck_assert_msg(svm_lapic_restore(&lapic, &bad, now) == SVM_ERR_INVAL, "%s",
	              hostile_rows[_i].what);
	ck_assert_uint_eq(get(0x80), 0);
	ck_assert_uint_eq(get(0xf0), 0xff);
	ck_assert_int_eq(svm_lapic_restore(&lapic, &good, now), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lapic");
	TCase *registers = tcase_create("registers");
	TCase *modes = tcase_create("modes");
	TCase *state = tcase_create("state");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(registers, a_register_resets_and_takes_bits_as_the_table_says, 0,
	                    ARRAY_SIZE(register_rows));
	tcase_add_loop_test(registers, a_register_that_does_not_exist_reads_0_and_is_an_error, 0,
	                    ARRAY_SIZE(missing_rows));
	tcase_add_loop_test(registers, a_read_of_any_size_gives_the_bytes_of_the_register, 0,
	                    ARRAY_SIZE(size_rows));
	tcase_add_test(registers, only_an_aligned_double_word_is_written);
	tcase_add_loop_test(registers,
	                    an_msr_is_read_and_its_reserved_bits_fault_as_the_table_says, 0,
	                    ARRAY_SIZE(msr_rows));
	tcase_add_test(registers, each_mode_has_one_way_to_the_registers);
	suite_add_tcase(suite, registers);

	tcase_add_loop_test(modes, the_base_register_changes_modes_as_the_manual_allows, 0,
	                    ARRAY_SIZE(base_rows));
	tcase_add_test(modes, without_the_option_there_is_no_x2apic_and_no_deadline_mode);
	tcase_add_test(modes, the_bsp_bit_is_read_only_and_only_one_has_it);
	tcase_add_test(modes, the_page_moves_with_the_base);
	tcase_add_test(modes, x2apic_keeps_the_registers_and_off_forgets_them);
	tcase_add_test(modes, init_keeps_the_mode_and_what_was_requested_meanwhile);
	tcase_add_loop_test(modes, a_configuration_is_checked, 0, ARRAY_SIZE(init_rows));
	tcase_add_test(modes, the_probes_of_a_kernel_find_an_apic);
	suite_add_tcase(suite, modes);

	tcase_add_test(state, a_restored_apic_is_the_saved_one);
	tcase_add_test(state, the_8259_may_pass_an_apic_that_software_disabled);
	tcase_add_loop_test(state, a_state_that_cannot_be_is_refused_whole, 0,
	                    ARRAY_SIZE(hostile_rows));
	suite_add_tcase(suite, state);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
