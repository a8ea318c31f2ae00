/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Local APIC: what it receives, sends and makes itself.  APM vol. 2, 16.4 … 16.6; deadline timer
 * and self IPI: Intel SDM, vol. 3.
 */
#include "lapic_rig.h"

/* --- priorities: 16.6.4 ------------------------------------------------------------------- */

/* One vector in service (0: none), TPR, one requested: what is PPR, and is it delivered? */
static const struct {
	const char *what;
	uint8_t in_service, tpr, requested, ppr;
	int pending;
} priority_rows[] = {
	{ "nothing in the way", 0, 0, 0x10, 0, 0x10 },
	{ "the highest vector", 0, 0, 0xff, 0, 0xff },
	{ "TPR of the same class", 0, 0x30, 0x3f, 0x30, -1 },
	{ "TPR of the class below", 0, 0x2f, 0x30, 0x2f, 0x30 },
	{ "TPR's low half is in PPR", 0, 0x35, 0x40, 0x35, 0x40 },
	{ "in service, the same class", 0x31, 0, 0x3f, 0x30, -1 },
	{ "in service, a class below", 0x3f, 0, 0x40, 0x30, 0x40 },
	{ "equal classes: TPR with its low half", 0x31, 0x35, 0x40, 0x35, 0x40 },
	{ "equal classes: TPR even if 0 in its low half", 0x3f, 0x30, 0x40, 0x30, 0x40 },
	{ "TPR above in service", 0x31, 0x51, 0x60, 0x51, 0x60 },
	{ "in service above TPR", 0x61, 0x51, 0x60, 0x60, -1 },
	{ "all classes are closed", 0, 0xff, 0xff, 0xff, -1 },
};

START_TEST(ppr_and_what_is_pending_follow_from_tpr_and_in_service)
{
	make_enabled(0);
	if (priority_rows[_i].in_service) {
		ck_assert(svm_lapic_post(&lapic, priority_rows[_i].in_service, false));
		svm_lapic_accept(&lapic, priority_rows[_i].in_service);
	}
	put(0x80, priority_rows[_i].tpr);
	ck_assert(svm_lapic_post(&lapic, priority_rows[_i].requested, false));
	ck_assert_msg(get(0xa0) == priority_rows[_i].ppr, "%s: PPR %#x", priority_rows[_i].what,
	              get(0xa0));
	ck_assert_msg(svm_lapic_pending(&lapic, svm_lapic_get_tpr(&lapic)) ==
	                      priority_rows[_i].pending,
	              "%s", priority_rows[_i].what);
}
END_TEST

START_TEST(cr8_and_tpr_are_one_register)
{
	make_lapic(0);
	put(0x80, 0x4f);
	ck_assert_uint_eq(svm_lapic_get_tpr(&lapic), 4);
	svm_lapic_set_tpr(&lapic, 9);
	ck_assert_uint_eq(get(0x80), 0x90);
	ck_assert_uint_eq(get(0xa0), 0x90);
	svm_lapic_set_tpr(&lapic, 0xf3);
	ck_assert_uint_eq(get(0x80), 0x30);
}
END_TEST

START_TEST(an_interrupt_goes_from_irr_to_isr_to_nowhere)
{
	make_enabled(0);
	ck_assert(svm_lapic_post(&lapic, 0x51, false));
	ck_assert(svm_lapic_post(&lapic, 0x83, true));
	ck_assert(svm_lapic_post(&lapic, 0x83, true));
	ck_assert_uint_eq(wakes, 2);
	ck_assert_uint_eq(get(0x220), 1u << 17);
	ck_assert_uint_eq(get(0x240), 1u << 3);
	ck_assert_uint_eq(get(0x1c0), 1u << 3);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x83);
	svm_lapic_accept(&lapic, 0x83);
	ck_assert_uint_eq(get(0x240), 0);
	ck_assert_uint_eq(get(0x140), 1u << 3);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	ck_assert(svm_lapic_post(&lapic, 0x83, true));
	ck_assert_uint_eq(get(0x240), 1u << 3);
	put(0xb0, 0x12345678);
	ck_assert_uint_eq(get(0x140), 0);
	ck_assert_uint_eq(eoi_count, 1);
	ck_assert_uint_eq(eoi_vector, 0x83);
	svm_lapic_accept(&lapic, 0x83);
	put(0xb0, 0);
	svm_lapic_accept(&lapic, 0x51);
	put(0xb0, 0);
	ck_assert_uint_eq(eoi_count, 2);
	put(0xb0, 0);
	ck_assert_uint_eq(eoi_count, 2);
	ck_assert_uint_eq(get(0xa0), 0);
}
END_TEST

START_TEST(an_edge_takes_the_level_mark_from_a_vector)
{
	make_enabled(0);
	ck_assert(svm_lapic_post(&lapic, 0x51, true));
	svm_lapic_accept(&lapic, 0x51);
	put(0xb0, 0);
	ck_assert(svm_lapic_post(&lapic, 0x51, false));
	ck_assert_uint_eq(get(0x1a0), 0);
	svm_lapic_accept(&lapic, 0x51);
	put(0xb0, 0);
	ck_assert_uint_eq(eoi_count, 1);
}
END_TEST

START_TEST(accepting_what_nobody_requested_does_nothing)
{
	make_enabled(0);
	svm_lapic_accept(&lapic, 0x51);
	ck_assert_uint_eq(get(0x120), 0);
}
END_TEST

START_TEST(apr_is_the_highest_of_all_priorities)
{
	make_enabled(0);
	put(0x80, 0x25);
	ck_assert_uint_eq(get(0x90), 0x25);
	ck_assert(svm_lapic_post(&lapic, 0x2f, false));
	ck_assert_uint_eq(get(0x90), 0x25);
	ck_assert(svm_lapic_post(&lapic, 0x3f, false));
	ck_assert_uint_eq(get(0x90), 0x30);
	ck_assert(svm_lapic_post(&lapic, 0x41, false));
	svm_lapic_accept(&lapic, 0x41);
	ck_assert_uint_eq(get(0x90), 0x40);
}
END_TEST

/* --- disabled by software: 16.3.2 --------------------------------------------------------- */

START_TEST(an_apic_disabled_by_software_takes_no_vectors_and_masks_its_entries)
{
	make_enabled(0);
	put(0x350, 0x700);
	ck_assert(svm_lapic_post(&lapic, 0x51, false));
	put(0xf0, 0xff);
	ck_assert_uint_eq(get(0x350), 0x10700);
	put(0x350, 0x700);
	ck_assert_uint_eq(get(0x350), 0x10700);
	put(0x320, 0x20031);
	ck_assert_uint_eq(get(0x320), 0x30031);
	ck_assert(!svm_lapic_post(&lapic, 0x52, false));
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x51);
	put(0xf0, 0x1ff);
	ck_assert_uint_eq(get(0x350), 0x10700);
}
END_TEST

/* Messages to an APIC that is enabled, disabled by software, and off: taken? requests */
static const struct {
	const char *what;
	uint8_t mode;
	bool enabled, disabled;
	uint32_t requests;
} receive_rows[] = {
	{ "fixed", SVM_APIC_FIXED, true, false, 0 },
	{ "lowest priority", SVM_APIC_LOWEST, true, false, 0 },
	{ "SMI", SVM_APIC_SMI, true, true, SVM_LAPIC_REQUEST_SMI },
	{ "remote read", SVM_APIC_REMOTE_READ, false, false, 0 },
	{ "NMI", SVM_APIC_NMI, true, true, SVM_LAPIC_REQUEST_NMI },
	{ "INIT", SVM_APIC_INIT, true, true, SVM_LAPIC_REQUEST_INIT },
	{ "start-up", SVM_APIC_STARTUP, true, true, SVM_LAPIC_REQUEST_STARTUP },
	{ "ExtINT", SVM_APIC_EXTINT, true, true, SVM_LAPIC_REQUEST_EXTINT },
	{ "beyond the table", 8, false, false, 0 },
};

START_TEST(a_message_is_taken_or_not_by_mode)
{
	const struct svm_apic_message message = {
		.mode = receive_rows[_i].mode,
		.vector = 0x41,
		.is_assert = true,
	};
	uint8_t vector = 0;

	make_enabled(0);
	ck_assert_msg(svm_lapic_receive(&lapic, &message) == receive_rows[_i].enabled, "%s",
	              receive_rows[_i].what);
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), receive_rows[_i].requests);
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), 0);
	ck_assert_uint_eq(wakes, receive_rows[_i].enabled);
	put(0xf0, 0xff);
	ck_assert_msg(svm_lapic_receive(&lapic, &message) == receive_rows[_i].disabled, "%s",
	              receive_rows[_i].what);
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), receive_rows[_i].requests);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE));
	ck_assert_msg(!svm_lapic_receive(&lapic, &message), "%s", receive_rows[_i].what);
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), 0);
}
END_TEST

START_TEST(init_voids_an_earlier_startup_and_not_a_later_one)
{
	const struct svm_apic_message init = { .mode = SVM_APIC_INIT, .is_assert = true };
	const struct svm_apic_message deassert = { .mode = SVM_APIC_INIT, .is_level = true };
	const struct svm_apic_message startup = { .mode = SVM_APIC_STARTUP, .vector = 8 };
	uint8_t vector = 0;

	make_lapic(1);
	ck_assert(svm_lapic_receive(&lapic, &startup));
	ck_assert(svm_lapic_receive(&lapic, &init));
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), SVM_LAPIC_REQUEST_INIT);
	ck_assert(svm_lapic_receive(&lapic, &init));
	ck_assert(svm_lapic_receive(&lapic, &startup));
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector),
	                  SVM_LAPIC_REQUEST_INIT | SVM_LAPIC_REQUEST_STARTUP);
	ck_assert_uint_eq(vector, 8);
	ck_assert(svm_lapic_receive(&lapic, &deassert));
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), 0);
}
END_TEST

/* --- errors: 16.4.5 ----------------------------------------------------------------------- */

START_TEST(an_illegal_vector_is_an_error_of_who_sends_or_receives_it)
{
	make_enabled(0);
	put(0x310, 0x01000000);
	put(0x300, 0x0000000f);
	ck_assert_uint_eq(sent_count, 0);
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0x20);
	ck_assert(svm_lapic_post(&lapic, 15, false));
	ck_assert_uint_eq(get(0x200), 0);
	ck_assert_uint_eq(get(0x280), 0x20);
	put(0x280, 0xffffffff);
	ck_assert_uint_eq(get(0x280), 0x40);
	ck_assert(svm_lapic_post(&lapic, 16, false));
	ck_assert_uint_eq(get(0x200), 0x10000);
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0);
}
END_TEST

START_TEST(the_first_error_interrupts_until_esr_is_written)
{
	make_enabled(0);
	put(0x370, 0xfe);
	(void)svm_lapic_post(&lapic, 3, false);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0xfe);
	svm_lapic_accept(&lapic, 0xfe);
	put(0xb0, 0);
	(void)svm_lapic_post(&lapic, 4, false);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	put(0x280, 0);
	(void)svm_lapic_post(&lapic, 4, false);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0xfe);
}
END_TEST

START_TEST(an_error_entry_with_an_illegal_vector_ends_there)
{
	make_enabled(0);
	put(0x370, 0x05);
	(void)get(0x3f0);
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0xc0);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
}
END_TEST

START_TEST(an_error_may_be_an_nmi)
{
	uint8_t vector;

	make_enabled(0);
	put(0x370, 0x400);
	(void)get(0x3f0);
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), SVM_LAPIC_REQUEST_NMI);
}
END_TEST

START_TEST(a_timer_with_an_illegal_vector_is_a_received_error)
{
	make_enabled(0);
	put(0x320, 0x0f);
	put(0x380, 1);
	now.ns = 10;
	put(0x280, 0);
	ck_assert_uint_eq(get(0x280), 0x40);
}
END_TEST

/* --- interprocessor interrupts: 16.5 ------------------------------------------------------ */

/* ICR, low half; is it sent (or received at once), and as what? */
enum { DROPPED, SENT, HERE };
static const struct {
	const char *what;
	uint32_t low;
	int fate;
	uint8_t mode, shorthand;
	bool is_logical, is_assert;
} icr_rows[] = {
	{ "fixed, physical", 0x00004041, SENT, 0, 0, false, true },
	{ "fixed, logical", 0x00004841, SENT, 0, 0, true, true },
	{ "fixed to self", 0x00044041, HERE, 0, 1, false, true },
	{ "fixed to all", 0x00084041, SENT, 0, 2, false, true },
	{ "fixed to all but self", 0x000c4041, SENT, 0, 3, false, true },
	{ "lowest priority", 0x00004141, SENT, 1, 0, false, true },
	{ "lowest priority to self is invalid", 0x00044141, DROPPED, 0, 0, false, false },
	{ "lowest priority to all is invalid", 0x00084141, DROPPED, 0, 0, false, false },
	{ "lowest priority to all but self", 0x000c4141, SENT, 1, 3, false, true },
	{ "SMI", 0x00004200, SENT, 2, 0, false, true },
	{ "remote read is not offered", 0x00004300, DROPPED, 0, 0, false, false },
	{ "NMI", 0x00004400, SENT, 4, 0, false, true },
	{ "NMI to self is invalid", 0x00044400, DROPPED, 0, 0, false, false },
	{ "NMI to all but self", 0x000c4400, SENT, 4, 3, false, true },
	{ "INIT, assert", 0x0000c500, SENT, 5, 0, false, true },
	{ "INIT, level de-assert", 0x00008500, SENT, 5, 0, false, false },
	{ "INIT, edge", 0x00000500, SENT, 5, 0, false, true },
	{ "INIT to all is invalid", 0x00084500, DROPPED, 0, 0, false, false },
	{ "start-up to all but self", 0x000c4641, SENT, 6, 3, false, true },
	{ "start-up at page 0", 0x00004600, SENT, 6, 0, false, true },
	{ "external interrupts are not sent", 0x00004700, DROPPED, 0, 0, false, false },
	{ "a level-triggered fixed one is an edge", 0x0000c041, SENT, 0, 0, false, true },
	{ "delivery status is not looked at", 0x00005041, SENT, 0, 0, false, true },
};

START_TEST(a_write_of_icr_sends_what_the_table_allows)
{
	const uint8_t vector = icr_rows[_i].low & 0xff;

	make_enabled(3);
	put(0x310, 0x7f000000);
	put(0x300, icr_rows[_i].low);
	ck_assert_uint_eq(get(0x300), icr_rows[_i].low & 0xfffcefff);
	ck_assert_msg(sent_count == (icr_rows[_i].fate == SENT), "%s", icr_rows[_i].what);
	ck_assert_msg(svm_lapic_pending(&lapic, 0) ==
	                      (icr_rows[_i].fate == HERE ? (int)vector : -1),
	              "%s", icr_rows[_i].what);
	if (icr_rows[_i].fate != SENT)
		return;
	ck_assert_uint_eq(sent.destination, 0x7f);
	ck_assert_uint_eq(sent.source, 3);
	ck_assert_uint_eq(sent.vector, vector);
	ck_assert_uint_eq(sent.mode, icr_rows[_i].mode);
	ck_assert_uint_eq(sent.shorthand, icr_rows[_i].shorthand);
	ck_assert_msg(sent.is_logical == icr_rows[_i].is_logical, "%s", icr_rows[_i].what);
	ck_assert_msg(sent.is_assert == icr_rows[_i].is_assert, "%s", icr_rows[_i].what);
	ck_assert(!sent.is_wide && !sent.is_level);
}
END_TEST

START_TEST(in_x2apic_mode_icr_is_one_write_with_a_destination_of_32_bits)
{
	make_x2apic(3);
	ck_assert(put_msr(0x80f, 0x1ff));
	ck_assert(put_msr(0x830, UINT64_C(0x8765432100004841)));
	ck_assert_uint_eq(sent_count, 1);
	ck_assert_uint_eq(sent.destination, 0x87654321);
	ck_assert(sent.is_wide && sent.is_logical);
	ck_assert_uint_eq(get_msr(0x830), UINT64_C(0x8765432100004841));
	ck_assert(put_msr(0x83f, 0x77));
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x77);
	ck_assert(put_msr(0x83f, 0x0f));
	ck_assert(put_msr(0x828, 0));
	ck_assert_uint_eq(get_msr(0x828), 0x20);
}
END_TEST

START_TEST(an_apic_disabled_by_software_sends_still)
{
	make_lapic(0);
	put(0x310, 0x01000000);
	put(0x300, 0x000c4500);
	ck_assert_uint_eq(sent_count, 1);
}
END_TEST

/* --- logical destinations: 16.6.1, 16.14 -------------------------------------------------- */

static const struct {
	const char *what;
	uint32_t ldr, dfr, destination;
	bool is_wide, matches;
} logical_rows[] = {
	{ "flat: its bit", 0x04000000, 0xffffffff, 0x04, false, true },
	{ "flat: among others", 0x04000000, 0xffffffff, 0x0f, false, true },
	{ "flat: another bit", 0x04000000, 0xffffffff, 0x08, false, false },
	{ "flat: nobody", 0x04000000, 0xffffffff, 0x00, false, false },
	{ "flat: everybody, even without a bit", 0, 0xffffffff, 0xff, false, true },
	{ "flat: no bit", 0, 0xffffffff, 0x7f, false, false },
	{ "cluster: same cluster, its bit", 0x32000000, 0x0fffffff, 0x32, false, true },
	{ "cluster: same cluster, all bits", 0x32000000, 0x0fffffff, 0x3f, false, true },
	{ "cluster: same cluster, another bit", 0x32000000, 0x0fffffff, 0x31, false, false },
	{ "cluster: another cluster", 0x32000000, 0x0fffffff, 0x22, false, false },
	{ "cluster: everybody", 0x32000000, 0x0fffffff, 0xff, false, true },
	{ "a model that does not exist", 0x32000000, 0x7fffffff, 0x32, false, false },
	{ "wide to a narrow one: the same 8 bits", 0x04000000, 0xffffffff, 0x04, true, true },
	{ "wide to a narrow one: beyond", 0x04000000, 0xffffffff, 0x104, true, false },
	{ "wide: FFh is not everybody", 0, 0xffffffff, 0xff, true, false },
	{ "wide: everybody", 0, 0xffffffff, 0xffffffff, true, true },
};

START_TEST(a_logical_destination_matches_by_the_models)
{
	make_enabled(0);
	put(0xd0, logical_rows[_i].ldr);
	put(0xe0, logical_rows[_i].dfr);
	ck_assert_uint_eq(get(0xe0), logical_rows[_i].dfr);
	ck_assert_msg(svm_lapic_matches_logical(&lapic, logical_rows[_i].destination,
	                                        logical_rows[_i].is_wide) ==
	                      logical_rows[_i].matches,
	              "%s", logical_rows[_i].what);
}
END_TEST

static const struct {
	const char *what;
	uint32_t id, destination;
	bool is_wide, matches;
} x2apic_rows[] = {
	{ "its bit in its cluster", 0x25, 0x00020020, true, true },
	{ "among others", 0x25, 0x0002ffff, true, true },
	{ "another bit", 0x25, 0x0002ffdf, true, false },
	{ "another cluster", 0x25, 0x0003ffff, true, false },
	{ "everybody", 0x25, 0xffffffff, true, true },
	{ "8 bits reach the first half of cluster 0", 0x03, 0x08, false, true },
	{ "8 bits, another bit", 0x03, 0x04, false, false },
	{ "8 bits, everybody", 0x25, 0xff, false, true },
};

START_TEST(in_x2apic_mode_clusters_have_16_members)
{
	make_x2apic(x2apic_rows[_i].id);
	ck_assert_msg(svm_lapic_matches_logical(&lapic, x2apic_rows[_i].destination,
	                                        x2apic_rows[_i].is_wide) ==
	                      x2apic_rows[_i].matches,
	              "%s", x2apic_rows[_i].what);
}
END_TEST

/* --- pins --------------------------------------------------------------------------------- */

/* LVT entry of LINT0 or LINT1, then the pin rises: what comes? */
static const struct {
	const char *what;
	unsigned pin;
	uint32_t entry, requests;
	int pending;
	bool extint;
} lint_rows[] = {
	{ "ExtINT is a state, not an event", 0, 0x00700, 0, -1, true },
	{ "masked ExtINT", 0, 0x10700, 0, -1, false },
	{ "ExtINT on LINT1 does nothing to the 8259", 1, 0x00700, 0, -1, false },
	{ "NMI on LINT1", 1, 0x00400, SVM_LAPIC_REQUEST_NMI, -1, false },
	{ "NMI on LINT0, as a watchdog", 0, 0x00400, SVM_LAPIC_REQUEST_NMI, -1, false },
	{ "NMI is an edge in any mode", 1, 0x08400, SVM_LAPIC_REQUEST_NMI, -1, false },
	{ "masked NMI", 1, 0x10400, 0, -1, false },
	{ "SMI", 1, 0x00200, SVM_LAPIC_REQUEST_SMI, -1, false },
	{ "INIT", 1, 0x00500, SVM_LAPIC_REQUEST_INIT, -1, false },
	{ "a vector by edge: virtual wire", 0, 0x00031, 0, 0x31, false },
	{ "a vector by level", 1, 0x08031, 0, 0x31, false },
	{ "a masked vector", 0, 0x10031, 0, -1, false },
	{ "a reserved type", 0, 0x00331, 0, -1, false },
};

START_TEST(a_pin_does_what_its_entry_says)
{
	uint8_t vector;

	make_enabled(0);
	put(lint_rows[_i].pin ? 0x360 : 0x350, lint_rows[_i].entry);
	svm_lapic_set_lint(&lapic, lint_rows[_i].pin, true);
	svm_lapic_set_lint(&lapic, lint_rows[_i].pin, true);
	ck_assert_msg(svm_lapic_take_requests(&lapic, &vector) == lint_rows[_i].requests, "%s",
	              lint_rows[_i].what);
	ck_assert_msg(svm_lapic_pending(&lapic, 0) == lint_rows[_i].pending, "%s",
	              lint_rows[_i].what);
	ck_assert_msg(svm_lapic_wants_extint(&lapic) == lint_rows[_i].extint, "%s",
	              lint_rows[_i].what);
	svm_lapic_set_lint(&lapic, lint_rows[_i].pin, false);
	ck_assert(!svm_lapic_wants_extint(&lapic));
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), 0);
}
END_TEST

START_TEST(a_level_pin_comes_again_after_its_end_while_it_is_high)
{
	make_enabled(0);
	put(0x350, 0x8031);
	svm_lapic_set_lint(&lapic, 0, true);
	ck_assert_uint_eq(get(0x350), 0xc031);
	svm_lapic_accept(&lapic, 0x31);
	put(0xb0, 0);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x31);
	svm_lapic_accept(&lapic, 0x31);
	svm_lapic_set_lint(&lapic, 0, false);
	put(0xb0, 0);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	ck_assert_uint_eq(get(0x350), 0x8031);
	put(0x350, 0x18031);
	svm_lapic_set_lint(&lapic, 0, true);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	put(0x350, 0x8031);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x31);
}
END_TEST

START_TEST(with_the_apic_off_the_pins_are_intr_and_nmi)
{
	uint8_t vector;

	make_lapic(0);
	ck_assert(svm_lapic_set_base(&lapic, AT_FEE));
	svm_lapic_set_lint(&lapic, 0, true);
	ck_assert(svm_lapic_wants_extint(&lapic));
	ck_assert_uint_eq(wakes, 1);
	svm_lapic_set_lint(&lapic, 1, true);
	ck_assert_uint_eq(svm_lapic_take_requests(&lapic, &vector), SVM_LAPIC_REQUEST_NMI);
	svm_lapic_set_lint(&lapic, 2, true);
	svm_lapic_set_lint(&lapic, 0, false);
	ck_assert(!svm_lapic_wants_extint(&lapic));
}
END_TEST

/* --- the timer: 16.4.1 -------------------------------------------------------------------- */

static const struct {
	uint32_t divide;
	uint64_t divisor;
} divide_rows[] = {
	{ 0x0, 2 },  { 0x1, 4 },  { 0x2, 8 },   { 0x3, 16 },
	{ 0x8, 32 }, { 0x9, 64 }, { 0xa, 128 }, { 0xb, 1 },
};

START_TEST(the_divisor_is_that_of_the_table)
{
	make_enabled(0);
	put(0x320, 0x40);
	put(0x3e0, divide_rows[_i].divide);
	now.ns = 1000;
	put(0x380, 100);
	ck_assert_uint_eq(get(0x390), 100);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), 1000 + 100 * divide_rows[_i].divisor);
	now.ns = 1000 + 40 * divide_rows[_i].divisor;
	ck_assert_uint_eq(get(0x390), 60);
	now.ns = 1000 + 100 * divide_rows[_i].divisor - 1;
	svm_lapic_advance(&lapic, now);
	ck_assert_uint_eq(get(0x390), 1);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	now.ns++;
	svm_lapic_advance(&lapic, now);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x40);
	ck_assert_uint_eq(get(0x390), 0);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), SVM_NEVER);
	ck_assert_uint_eq(get(0x380), 100);
}
END_TEST

START_TEST(a_periodic_timer_makes_up_for_what_was_missed_with_one_interrupt)
{
	make_enabled(0);
	put(0x320, 0x20040);
	put(0x3e0, 0xb);
	put(0x380, 1000000);
	now.ns = 1000000;
	svm_lapic_advance(&lapic, now);
	ck_assert_uint_eq(get(0x390), 1000000);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), 2000000);
	svm_lapic_accept(&lapic, 0x40);
	put(0xb0, 0);
	now.ns = UINT64_C(7000123000000) + 400000;
	svm_lapic_advance(&lapic, now);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x40);
	ck_assert_uint_eq(get(0x390), 600000);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), UINT64_C(7000124000000));
}
END_TEST

START_TEST(a_period_of_one_count_does_not_keep_the_host_busy)
{
	make_enabled(0);
	put(0x320, 0x20040);
	put(0x3e0, 0xb);
	put(0x380, 1);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), 1);
	now.ns = 1;
	svm_lapic_advance(&lapic, now);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), 1 + SVM_LAPIC_PERIOD_MIN_NS);
	now.ns = UINT64_MAX / 2;
	svm_lapic_advance(&lapic, now);
	ck_assert_uint_eq(get(0x390), 1);
}
END_TEST

START_TEST(a_masked_timer_counts_and_wakes_nobody)
{
	make_enabled(0);
	put(0x320, 0x30040);
	put(0x3e0, 0xb);
	put(0x380, 1000);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), SVM_NEVER);
	now.ns = 2500;
	ck_assert_uint_eq(get(0x390), 500);
	put(0x320, 0x20040);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), 2500 + SVM_LAPIC_PERIOD_MIN_NS);
	put(0x380, 0);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), SVM_NEVER);
	ck_assert_uint_eq(get(0x390), 0);
}
END_TEST

START_TEST(the_count_goes_on_at_a_new_pace_and_in_a_new_mode)
{
	make_enabled(0);
	put(0x320, 0x40);
	put(0x3e0, 0xb);
	put(0x380, 1000);
	now.ns = 400;
	put(0x3e0, 0x3);
	ck_assert_uint_eq(get(0x390), 600);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), 400 + 600 * 16);
	put(0x320, 0x20040);
	now.ns = 400 + 600 * 16;
	svm_lapic_advance(&lapic, now);
	ck_assert_uint_eq(get(0x390), 1000);
	put(0x320, 0x40);
	now.ns += 1000 * 16;
	svm_lapic_advance(&lapic, now);
	ck_assert_uint_eq(get(0x390), 0);
}
END_TEST

START_TEST(the_longest_count_fits)
{
	make_enabled(0);
	put(0x320, 0x40);
	put(0x3e0, 0xa);
	put(0x380, 0xffffffff);
	ck_assert_uint_eq(get(0x390), 0xffffffff);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), UINT64_C(0xffffffff) * 128);
}
END_TEST

START_TEST(in_deadline_mode_the_tsc_fires_once)
{
	make_enabled(0);
	put(0x320, 0x40040);
	put(0x380, 1000);
	ck_assert_uint_eq(get(0x380), 0);
	ck_assert_uint_eq(svm_lapic_deadline(&lapic), SVM_NEVER);
	ck_assert_uint_eq(svm_lapic_tsc_deadline(&lapic), SVM_NEVER);
	svm_lapic_set_tsc_deadline(&lapic, 5000, now);
	ck_assert_uint_eq(svm_lapic_tsc_deadline(&lapic), 5000);
	ck_assert_uint_eq(svm_lapic_get_tsc_deadline(&lapic, now), 5000);
	now.tsc = 4999;
	svm_lapic_advance(&lapic, now);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), -1);
	now.tsc = 5000;
	ck_assert_uint_eq(svm_lapic_get_tsc_deadline(&lapic, now), 0);
	ck_assert_int_eq(svm_lapic_pending(&lapic, 0), 0x40);
	ck_assert_uint_eq(svm_lapic_tsc_deadline(&lapic), SVM_NEVER);
	svm_lapic_set_tsc_deadline(&lapic, 1, now);
	ck_assert_uint_eq(svm_lapic_tsc_deadline(&lapic), 1);
	svm_lapic_set_tsc_deadline(&lapic, 0, now);
	ck_assert_uint_eq(svm_lapic_tsc_deadline(&lapic), SVM_NEVER);
}
END_TEST

START_TEST(leaving_or_entering_deadline_mode_disarms)
{
	make_enabled(0);
	put(0x320, 0x40);
	put(0x380, 1000);
	svm_lapic_set_tsc_deadline(&lapic, 5000, now);
	ck_assert_uint_eq(svm_lapic_get_tsc_deadline(&lapic, now), 0);
	put(0x320, 0x40040);
	ck_assert_uint_eq(get(0x390), 0);
	svm_lapic_set_tsc_deadline(&lapic, 5000, now);
	put(0x320, 0x50040);
	ck_assert_uint_eq(svm_lapic_tsc_deadline(&lapic), SVM_NEVER);
	ck_assert_uint_eq(svm_lapic_get_tsc_deadline(&lapic, now), 5000);
	put(0x320, 0x40);
	put(0x320, 0x40040);
	ck_assert_uint_eq(svm_lapic_tsc_deadline(&lapic), SVM_NEVER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lapic_interrupt");
	TCase *interrupts = tcase_create("interrupts");
	TCase *timer = tcase_create("timer");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(interrupts, ppr_and_what_is_pending_follow_from_tpr_and_in_service, 0,
	                    ARRAY_SIZE(priority_rows));
	tcase_add_test(interrupts, cr8_and_tpr_are_one_register);
	tcase_add_test(interrupts, an_interrupt_goes_from_irr_to_isr_to_nowhere);
	tcase_add_test(interrupts, an_edge_takes_the_level_mark_from_a_vector);
	tcase_add_test(interrupts, accepting_what_nobody_requested_does_nothing);
	tcase_add_test(interrupts, apr_is_the_highest_of_all_priorities);
	tcase_add_test(interrupts,
	               an_apic_disabled_by_software_takes_no_vectors_and_masks_its_entries);
	tcase_add_loop_test(interrupts, a_message_is_taken_or_not_by_mode, 0,
	                    ARRAY_SIZE(receive_rows));
	tcase_add_test(interrupts, init_voids_an_earlier_startup_and_not_a_later_one);
	tcase_add_test(interrupts, an_illegal_vector_is_an_error_of_who_sends_or_receives_it);
	tcase_add_test(interrupts, the_first_error_interrupts_until_esr_is_written);
	tcase_add_test(interrupts, an_error_entry_with_an_illegal_vector_ends_there);
	tcase_add_test(interrupts, an_error_may_be_an_nmi);
	tcase_add_test(interrupts, a_timer_with_an_illegal_vector_is_a_received_error);
	tcase_add_loop_test(interrupts, a_write_of_icr_sends_what_the_table_allows, 0,
	                    ARRAY_SIZE(icr_rows));
	tcase_add_test(interrupts,
	               in_x2apic_mode_icr_is_one_write_with_a_destination_of_32_bits);
	tcase_add_test(interrupts, an_apic_disabled_by_software_sends_still);
	tcase_add_loop_test(interrupts, a_logical_destination_matches_by_the_models, 0,
	                    ARRAY_SIZE(logical_rows));
	tcase_add_loop_test(interrupts, in_x2apic_mode_clusters_have_16_members, 0,
	                    ARRAY_SIZE(x2apic_rows));
	tcase_add_loop_test(interrupts, a_pin_does_what_its_entry_says, 0, ARRAY_SIZE(lint_rows));
	tcase_add_test(interrupts, a_level_pin_comes_again_after_its_end_while_it_is_high);
	tcase_add_test(interrupts, with_the_apic_off_the_pins_are_intr_and_nmi);
	suite_add_tcase(suite, interrupts);

	tcase_add_loop_test(timer, the_divisor_is_that_of_the_table, 0, ARRAY_SIZE(divide_rows));
	tcase_add_test(timer, a_periodic_timer_makes_up_for_what_was_missed_with_one_interrupt);
	tcase_add_test(timer, a_period_of_one_count_does_not_keep_the_host_busy);
	tcase_add_test(timer, a_masked_timer_counts_and_wakes_nobody);
	tcase_add_test(timer, the_count_goes_on_at_a_new_pace_and_in_a_new_mode);
	tcase_add_test(timer, the_longest_count_fits);
	tcase_add_test(timer, in_deadline_mode_the_tsc_fires_once);
	tcase_add_test(timer, leaving_or_entering_deadline_mode_disarms);
	suite_add_tcase(suite, timer);

	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
