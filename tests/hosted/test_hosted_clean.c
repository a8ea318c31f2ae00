/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Kept VMCB fields: a change without its clean bit is seen, one with it is not.  APM 15.15. */
#include <libsvm/exit_codes.h>

#include "bare.h"
#include "suite.h"

/* Literals of 15.15.3 and appendix B; of a field without a group any bit keeps it. */
static const struct field {
	const char *name;
	size_t offset;
	uint64_t group;
} fields[] = {
	{ "intercepts", 0x000, 0x0001 },   { "last intercepts", 0x014, 0x0001 },
	{ "PAUSE count", 0x03e, 0x0001 },  { "TSC offset", 0x050, 0x0001 },
	{ "IOPM", 0x040, 0x0002 },         { "MSRPM", 0x048, 0x0002 },
	{ "ASID", 0x058, 0x0004 },         { "V_TPR", 0x060, 0x0008 },
	{ "NP", 0x090, 0x0010 },           { "nCR3", 0x0b0, 0x0010 },
	{ "PAT", 0x668, 0x0010 },          { "EFER", 0x4d0, 0x0020 },
	{ "CR4", 0x548, 0x0020 },          { "CR3", 0x550, 0x0020 },
	{ "CR0", 0x558, 0x0020 },          { "DR7", 0x560, 0x0040 },
	{ "DR6", 0x568, 0x0040 },          { "GDTR", 0x468, 0x0080 },
	{ "IDTR limit", 0x484, 0x0080 },   { "ES", 0x400, 0x0100 },
	{ "CS", 0x410, 0x0100 },           { "SS", 0x420, 0x0100 },
	{ "DS base", 0x438, 0x0100 },      { "CPL", 0x4cb, 0x0100 },
	{ "CR2", 0x640, 0x0200 },          { "DBGCTL", 0x670, 0x0400 },
	{ "BR_FROM", 0x678, 0x0400 },      { "BR_TO", 0x680, 0x0400 },
	{ "LASTEXCPFROM", 0x688, 0x0400 }, { "LASTEXCPTO", 0x690, 0x0400 },
	{ "AVIC bar", 0x098, 0x0800 },     { "AVIC page", 0x0e0, 0x0800 },
	{ "AVIC logical", 0x0f0, 0x0800 }, { "AVIC physical", 0x0f8, 0x0800 },
	{ "S_CET", 0x5e0, 0x1000 },        { "SSP", 0x5e8, 0x1000 },
	{ "ISST", 0x5f0, 0x1000 },         { "PAUSE threshold", 0x03c, 0x1fff },
	{ "ERAP", 0x05d, 0x1fff },         { "GHCB", 0x0a0, 0x1fff },
	{ "LBR enable", 0x0b8, 0x1fff },   { "VMSA", 0x108, 0x1fff },
	{ "bus lock", 0x120, 0x1fff },     { "SEV allowed", 0x138, 0x1fff },
	{ "SEV features", 0x140, 0x1fff }, { "PML base", 0x1c8, 0x1fff },
	{ "PML index", 0x1d0, 0x1fff },
};

/* The library's setter clears just the bit of its field.  Fields that no row names clear none. */
static uint64_t group_at(size_t offset)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].offset == offset)
			return fields[i].group;
	/* Segments: the rows above name a place inside some of them. */
	return offset == 0x430 ? 0x100 : offset == 0x460 || offset == 0x480 ? 0x80 : 0;
}

START_TEST(each_setter_clears_the_bit_of_its_field)
{
	static struct svm_vmcb v;
	const struct svm_vmcb_segment segment = { 0, 0, 0, 0 };

#define CHECK_SETTER(call, name, offset)                                                           \
	v.control.clean = ~0ull;                                                                   \
	call;                                                                                      \
	ck_assert_msg(v.control.clean == ~group_at(offset), "%s", name);
#define CHECK_FIELD(type, area, name, offset, group, what)                                         \
	CHECK_SETTER(svm_vmcb_set_##name(&v, 0), #name, offset)
	SVM_VMCB_CACHED_FIELDS(CHECK_FIELD)
#define CHECK_SEGMENT(name, field, offset, group)                                                  \
	CHECK_SETTER(svm_vmcb_set_##name(&v, segment), #name, offset)
	SVM_VMCB_SEGMENTS(CHECK_SEGMENT)
	CHECK_SETTER(svm_vmcb_set_intercept(&v, 130, true), "intercept", 0)
#undef CHECK_SETTER
#undef CHECK_FIELD
#undef CHECK_SEGMENT
}
END_TEST

static void run_once(struct bare *b)
{
	ck_assert_uint_eq(bare_run(b), 0x81);
	b->vmcb->control.clean = SVM_CLEAN_ALL;
}

START_TEST(a_field_changed_behind_a_clean_bit_is_stale)
{
	const struct field *field = &fields[_i];
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	run_once(&b);
	hosted_tolerate(b.m, HOSTED_BREACH_STALE_CLEAN);
	((uint8_t *)b.vmcb)[field->offset] ^= 1;
	ck_assert_uint_eq(bare_run(&b), 0x81); /* Ran on what was kept. */
	ck_assert_msg(hosted_breaches(b.m, HOSTED_BREACH_STALE_CLEAN) == 1, "%s", field->name);
	ck_assert_uint_eq(hosted_breaches_all(b.m), 1);
	bare_fini(&b);
}
END_TEST

/* Of the other bits none must matter: all of them stay set. */
START_TEST(a_field_changed_with_its_bit_is_taken)
{
	const struct field *field = &fields[_i];
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	run_once(&b);
	hosted_tolerate(b.m, HOSTED_BREACH_UNDEFINED);
	hosted_tolerate(b.m, HOSTED_BREACH_FRAME);
	hosted_tolerate(b.m, HOSTED_BREACH_MODEL);
	hosted_tolerate(b.m, HOSTED_BREACH_STALE_GUEST);
	((uint8_t *)b.vmcb)[field->offset] ^= 1;
	b.vmcb->control.clean &= ~field->group;
	bare_run(&b);
	ck_assert_msg(hosted_breaches(b.m, HOSTED_BREACH_STALE_CLEAN) == 0, "%s", field->name);
	hosted_tolerate(b.m, HOSTED_BREACH_LEAK);
	bare_fini(&b);
}
END_TEST

START_TEST(the_kept_value_is_what_runs)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_read_cr(&b.code, HOSTED_RBX, 2);
	hosted_script_vmmcall(&b.code);
	svm_vmcb_set_cr2(b.vmcb, 0x1111);
	run_once(&b);
	b.vmcb->save.rip = GUEST_CODE;
	hosted_tolerate(b.m, HOSTED_BREACH_STALE_CLEAN);
	b.vmcb->save._cr2 = 0x2222;
	bare_run(&b);
	ck_assert_uint_eq(b.s.rbx, 0x1111);
	ck_assert_ptr_nonnull(strstr(hosted_breach_text(b.m), "field cr2: kept 0x1111"));
	bare_fini(&b);
}
END_TEST

START_TEST(fields_that_no_processor_keeps_need_no_bit)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	run_once(&b);
	b.vmcb->save.rip = GUEST_CODE;
	b.vmcb->save.rflags |= 0x40;
	b.vmcb->save.rsp -= 8;
	b.vmcb->save.rax = 7;
	b.vmcb->control.tlb_control = 1;
	b.vmcb->control.int_state = 1;
	run_once(&b);
	bare_fini(&b);
}
END_TEST

START_TEST(without_the_feature_memory_counts)
{
	struct hosted_config config;
	struct bare b;

	hosted_config_init(&config);
	config.features.svm_edx &= ~(uint32_t)SVM_FEATURE_CLEAN;
	bare_init(&b, &config, GUEST_64);
	hosted_script_read_cr(&b.code, HOSTED_RBX, 2);
	hosted_script_vmmcall(&b.code);
	run_once(&b);
	b.vmcb->save.rip = GUEST_CODE;
	b.vmcb->save._cr2 = 0x2222;
	run_once(&b);
	ck_assert_uint_eq(b.s.rbx, 0x2222);
	bare_fini(&b);
}
END_TEST

START_TEST(a_bit_that_nobody_defined_is_named)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	run_once(&b);
	b.vmcb->control.clean |= SVM_BIT(31); /* Software's own. */
	run_once(&b);
	hosted_tolerate(b.m, HOSTED_BREACH_CLEAN_RESERVED);
	b.vmcb->control.clean |= SVM_BIT(13);
	run_once(&b);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_CLEAN_RESERVED), 1);
	bare_fini(&b);
}
END_TEST

START_TEST(a_first_run_needs_every_bit_clear)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	hosted_tolerate(b.m, HOSTED_BREACH_CLEAN_FOREIGN);
	b.vmcb->control.clean = SVM_CLEAN_CR2;
	run_once(&b);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_CLEAN_FOREIGN), 1);
	bare_fini(&b);
}
END_TEST

START_TEST(so_does_the_first_run_on_another_cpu)
{
	struct hosted_config config;
	struct bare b;

	hosted_config_init(&config);
	config.cpus = 2;
	bare_init(&b, &config, GUEST_64);
	hosted_script_vmmcall(&b.code);
	hosted_tolerate(b.m, HOSTED_BREACH_CLEAN_FOREIGN);
	run_once(&b);
	hosted_become(b.m, 1);
	svm_ring0_wrmsr(0xc0000080, svm_ring0_rdmsr(0xc0000080) | 0x1000);
	svm_ring0_wrmsr(0xc0010117, b.hsave);
	svm_ring0_vmsave(b.host_vmcb);
	run_once(&b);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_CLEAN_FOREIGN), 1);
	/* And back: CPU 0 still has its copy, which is old now. */
	hosted_become(b.m, 0);
	svm_ring0_vmsave(b.host_vmcb);
	run_once(&b);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_CLEAN_FOREIGN), 2);
	bare_fini(&b);
}
END_TEST

START_TEST(so_does_a_frame_with_a_new_owner)
{
	const struct svm_hal *hal;
	struct svm_vmcb copy;
	struct bare b;
	svm_hpa_t hpa;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	hal = hosted_hal(b.m);
	struct svm_vmcb *const own = b.vmcb;
	const svm_hpa_t own_hpa = b.s.vmcb;

	b.vmcb = hal->frames_alloc(hal->ctx, 1, &hpa);
	*b.vmcb = *own;
	b.s.vmcb = hpa;
	run_once(&b);
	copy = *b.vmcb;
	hal->frames_free(hal->ctx, b.vmcb, hpa, 1);
	b.vmcb = hal->frames_alloc(hal->ctx, 1, &b.s.vmcb);
	ck_assert_uint_eq(b.s.vmcb, hpa); /* The frame comes back at once: that is the danger. */
	*b.vmcb = copy;
	hosted_tolerate(b.m, HOSTED_BREACH_CLEAN_FOREIGN);
	hosted_tolerate(b.m, HOSTED_BREACH_ASID_REUSED);
	run_once(&b);
	ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_CLEAN_FOREIGN), 1);
	ck_assert_uint_gt(hosted_breaches(b.m, HOSTED_BREACH_ASID_REUSED), 0);
	hal->frames_free(hal->ctx, b.vmcb, hpa, 1);
	b.vmcb = own;
	b.s.vmcb = own_hpa;
	bare_fini(&b);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, each_setter_clears_the_bit_of_its_field);
	tcase_add_loop_test(tc, a_field_changed_behind_a_clean_bit_is_stale, 0, ROWS(fields));
	tcase_add_loop_test(tc, a_field_changed_with_its_bit_is_taken, 0, ROWS(fields));
	tcase_add_test(tc, the_kept_value_is_what_runs);
	tcase_add_test(tc, fields_that_no_processor_keeps_need_no_bit);
	tcase_add_test(tc, without_the_feature_memory_counts);
	tcase_add_test(tc, a_bit_that_nobody_defined_is_named);
	tcase_add_test(tc, a_first_run_needs_every_bit_clear);
	tcase_add_test(tc, so_does_the_first_run_on_another_cpu);
	tcase_add_test(tc, so_does_a_frame_with_a_new_owner);
}

int main(void)
{
	return suite_run("hosted clean", add);
}
