/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Every rule of VMRUN broken alone, on a VMCB that is right otherwise.
 * APM vol. 2, 15.5.1, 15.20, 15.25.4.
 */
#include <libsvm/exit_codes.h>
#include <libsvm/msrs.h>

#include "bare.h"
#include "suite.h"

enum verdict { REFUSED, UNDEFINED, ACCEPTED };

struct row {
	const char *what, *rule;
	enum verdict verdict;
	enum guest_mode mode;
	uint16_t offset; /* In the VMCB. */
	uint8_t size;
	uint64_t clear, set;
};

static const struct row rows[] = {
	{ "no VMRUN intercept", "C01", REFUSED, GUEST_64, 0x010, 4, 1, 0 },
	{ "ASID 0", "C02", REFUSED, GUEST_64, 0x058, 4, 0xffffffff, 0 },
	{ "highest ASID", NULL, ACCEPTED, GUEST_64, 0x058, 4, 0xffffffff, 15 },
	{ "ASID beyond the highest", "C03", UNDEFINED, GUEST_64, 0x058, 4, 0xffffffff, 16 },
	{ "MSRPM ends past MAXPHYADDR", "C04", REFUSED, GUEST_64, 0x048, 8, ~0ull, 0xfffffffff000 },
	{ "IOPM ends past MAXPHYADDR", "C05", REFUSED, GUEST_64, 0x040, 8, ~0ull, 0xffffffffe000 },
	{ "event type 1", "C07", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000120 },
	{ "event type 5", "C07", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000520 },
	{ "event type 6", "C07", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000620 },
	{ "event type 7", "C07", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000720 },
	{ "event type 7 without V", NULL, ACCEPTED, GUEST_64, 0x0a8, 8, ~0ull, 0x00000720 },
	{ "exception 2", "C08", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000302 },
	{ "exception 32", "C08", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000320 },
	{ "#BR in 64-bit code", "C09", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000305 },
	{ "#OF in 64-bit code", "C09", REFUSED, GUEST_64, 0x0a8, 8, ~0ull, 0x80000304 },
	{ "event bit 12", "C10", UNDEFINED, GUEST_64, 0x0a8, 8, ~0ull, 0x8000130d },
	{ "nCR3 beyond MAXPHYADDR", "C15", REFUSED, GUEST_64, 0x0b0, 8, 0, 1ull << 48 },
	{ "PAT type 2", "C16", REFUSED, GUEST_64, 0x668, 8, 0xff, 2 },
	{ "PAT type 3 in the last byte", "C16", REFUSED, GUEST_64, 0x668, 8, 0xffull << 56,
	  3ull << 56 },
	{ "PAT type 8", "C16", REFUSED, GUEST_64, 0x668, 8, 0xff, 8 },
	{ "SEV", "C17", UNDEFINED, GUEST_64, 0x090, 8, 0, 2 },
	{ "vNMI without NMI intercept", "C18", REFUSED, GUEST_64, 0x060, 8, 0, 1ull << 26 },
	{ "AVIC", "C19", UNDEFINED, GUEST_64, 0x060, 8, 0, 1ull << 31 },
	{ "TLB_CONTROL 2", "C20", UNDEFINED, GUEST_64, 0x05c, 1, 0xff, 2 },
	{ "TLB_CONTROL 7", NULL, ACCEPTED, GUEST_64, 0x05c, 1, 0xff, 7 },
	{ "LBR virtualisation", "C21", UNDEFINED, GUEST_64, 0x0b8, 8, 0, 1 },
	{ "int_control bit 13", "C22", UNDEFINED, GUEST_64, 0x060, 8, 0, 1ull << 13 },
	{ "int_state bit 2", "C22", UNDEFINED, GUEST_64, 0x068, 8, 0, 4 },
	{ "SVME clear", "S01", REFUSED, GUEST_64, 0x4d0, 8, 0x1000, 0 },
	{ "EFER bit 1", "S02", REFUSED, GUEST_64, 0x4d0, 8, 0, 2 },
	{ "EFER bit 63", "S02", REFUSED, GUEST_64, 0x4d0, 8, 0, 1ull << 63 },
	{ "CR0.NW without CD", "S04", REFUSED, GUEST_64, 0x558, 8, 0, 1ull << 29 },
	{ "CR0.NW and CD", NULL, ACCEPTED, GUEST_64, 0x558, 8, 0, 3ull << 29 },
	{ "CR0 bit 32", "S05", REFUSED, GUEST_64, 0x558, 8, 0, 1ull << 32 },
	{ "CR3 beyond MAXPHYADDR", "S06", REFUSED, GUEST_64, 0x550, 8, 0, 1ull << 48 },
	{ "the same, no long mode", NULL, ACCEPTED, GUEST_32, 0x550, 8, 0, 1ull << 48 },
	{ "CR4.VMXE", "S07", REFUSED, GUEST_64, 0x548, 8, 0, 1ull << 13 },
	{ "CR4 bit 32", "S07", REFUSED, GUEST_64, 0x548, 8, 0, 1ull << 32 },
	{ "long mode without PAE", "S08", REFUSED, GUEST_64, 0x548, 8, 0x20, 0 },
	{ "long mode without PE", "S09", REFUSED, GUEST_64, 0x558, 8, 1, 0 },
	{ "CS.L and CS.D", "S10", REFUSED, GUEST_64, 0x412, 2, 0, 0x400 },
	{ "DR6 bit 32", "S11", REFUSED, GUEST_64, 0x568, 8, 0, 1ull << 32 },
	{ "DR7 bit 32", "S12", REFUSED, GUEST_64, 0x560, 8, 0, 1ull << 32 },
};

static void poke(struct svm_vmcb *vmcb, const struct row *row)
{
	uint8_t *const field = (uint8_t *)vmcb + row->offset;
	uint64_t value = 0;

	memcpy(&value, field, row->size);
	value = (value & ~row->clear) | row->set;
	memcpy(field, &value, row->size);
}

static void break_rule(struct bare *b, const struct row *row)
{
	if (row->rule && strcmp(row->rule, "C18") == 0) {
		svm_vmcb_set_intercept(b->vmcb, SVM_EXIT_NMI, false);
	}
	poke(b->vmcb, row);
}

START_TEST(a_vmcb_is_refused_by_the_rule_it_breaks)
{
	const struct row *row = &rows[_i];
	struct bare b;

	bare_init(&b, NULL, row->mode);
	hosted_tolerate(b.m, HOSTED_BREACH_UNDEFINED);
	hosted_script_vmmcall(&b.code);
	break_rule(&b, row);
	bare_run(&b);
	if (row->verdict == ACCEPTED)
		ck_assert_msg(b.vmcb->control.exit_code == 0x81, "%s: exit %llx", row->what,
		              (unsigned long long)b.vmcb->control.exit_code);
	else
		ck_assert_msg(b.vmcb->control.exit_code == ~0ull, "%s: exit %llx", row->what,
		              (unsigned long long)b.vmcb->control.exit_code);
	if (row->rule)
		ck_assert_str_eq(hosted_invalid_rule(b.m, 0), row->rule);
	ck_assert_uint_eq(hosted_breaches_all(b.m), row->verdict == UNDEFINED);
	bare_fini(&b);
}
END_TEST

START_TEST(a_refusal_leaves_what_the_machine_says)
{
	struct hosted_config config;
	struct svm_vmcb_save before;
	struct bare b;

	hosted_config_init(&config);
	config.invalid_mode = (enum hosted_invalid_mode)_i;
	bare_init(&b, &config, GUEST_64);
	svm_vmcb_set_asid(b.vmcb, 0);
	svm_ring0_vmsave(b.s.vmcb); /* What the switch's own VMLOAD and VMSAVE will leave there. */
	before = b.vmcb->save;
	bare_run(&b);
	ck_assert(svm_exit_is_invalid(b.vmcb->control.exit_code));
	if (config.invalid_mode == HOSTED_INVALID_UNTOUCHED) {
		ck_assert_uint_eq(b.vmcb->control.exit_code, ~0ull);
		ck_assert_mem_eq(&before, &b.vmcb->save, sizeof(before));
	} else {
		ck_assert_uint_eq(b.vmcb->control.exit_code, 0xffffffff);
		ck_assert_uint_ne(b.vmcb->save.rip, before.rip);
	}
	ck_assert(hosted_cpu_gif(b.m, 0));
	bare_fini(&b);
}
END_TEST

START_TEST(flush_by_asid_needs_its_feature)
{
	struct hosted_config config;
	struct bare b;

	hosted_config_init(&config);
	config.features.svm_edx &= ~(uint32_t)SVM_FEATURE_FLUSH_BY_ASID;
	bare_init(&b, &config, GUEST_64);
	hosted_tolerate(b.m, HOSTED_BREACH_UNDEFINED);
	hosted_script_vmmcall(&b.code);
	b.vmcb->control.tlb_control = 3;
	bare_run(&b);
	ck_assert_str_eq(hosted_invalid_rule(b.m, 0), "C20");
	b.vmcb->control.tlb_control = 1;
	ck_assert_uint_eq(bare_run(&b), 0x81);
	bare_fini(&b);
}
END_TEST

START_TEST(a_refused_entry_flushes_nothing)
{
	struct bare b;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	bare_run(&b);
	b.vmcb->control.tlb_control = 1;
	svm_vmcb_set_asid(b.vmcb, 0);
	bare_run(&b);
	ck_assert_uint_eq(hosted_cpu_counts(b.m, 0).flushes, 0);
	ck_assert_uint_eq(hosted_cpu_counts(b.m, 0).invalid, 1);
	bare_fini(&b);
}
END_TEST

/* Each a mistake of a host that ends a real machine with an exception. */
START_TEST(the_hosts_own_mistakes_are_named)
{
	struct bare b;
	const uint64_t efer = 0x0d01;

	bare_init(&b, NULL, GUEST_64);
	hosted_script_vmmcall(&b.code);
	hosted_tolerate(b.m, HOSTED_BREACH_HOST_FAULT);
	hosted_tolerate(b.m, HOSTED_BREACH_FRAME);
	hosted_tolerate(b.m, HOSTED_BREACH_HVA_AS_HPA);
	hosted_tolerate(b.m, HOSTED_BREACH_SWITCH_CONTEXT);
	switch (_i) {
	case 0: /* #UD: SVM is off. */
		svm_ring0_wrmsr(SVM_MSR_EFER, efer);
		bare_run(&b);
		ck_assert_uint_ge(hosted_breaches(b.m, HOSTED_BREACH_HOST_FAULT), 1);
		break;
	case 1: /* #GP: the VMCB is not aligned. */
		b.s.vmcb += 8;
		bare_run(&b);
		ck_assert_uint_ge(hosted_breaches(b.m, HOSTED_BREACH_HOST_FAULT), 1);
		break;
	case 2: /* No host save area. */
		svm_ring0_wrmsr(SVM_MSR_VM_HSAVE_PA, 0);
		bare_run(&b);
		ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_FRAME), 1);
		break;
	case 3: /* A pointer where a physical address belongs. */
		b.s.vmcb = (uint64_t)(uintptr_t)b.vmcb;
		bare_run(&b);
		ck_assert_uint_ge(hosted_breaches(b.m, HOSTED_BREACH_HVA_AS_HPA), 1);
		break;
	case 4: /* The VMCB lies in a guest's memory. */
		b.s.vmcb = b.memory_hpa;
		bare_run(&b);
		ck_assert_uint_ge(hosted_breaches(b.m, HOSTED_BREACH_FRAME), 1);
		break;
	case 5: /* Interrupts off, and it is not said. */
		svm_ring0_irq_save();
		svm_world_switch(&b.s);
		svm_ring0_irq_restore(0x202);
		ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_SWITCH_CONTEXT), 1);
		break;
	default: /* GIF = 0. */
		svm_ring0_clgi();
		bare_run(&b);
		ck_assert_uint_eq(hosted_breaches(b.m, HOSTED_BREACH_SWITCH_CONTEXT), 1);
		break;
	}
	hosted_tolerate(b.m, HOSTED_BREACH_LEAK);
	bare_fini(&b);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_loop_test(tc, a_vmcb_is_refused_by_the_rule_it_breaks, 0, ROWS(rows));
	tcase_add_loop_test(tc, a_refusal_leaves_what_the_machine_says, 0, 2);
	tcase_add_test(tc, flush_by_asid_needs_its_feature);
	tcase_add_test(tc, a_refused_entry_flushes_nothing);
	tcase_add_loop_test(tc, the_hosts_own_mistakes_are_named, 0, 7);
}

int main(void)
{
	return suite_run("hosted vmrun", add);
}
