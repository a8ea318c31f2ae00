/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The auditor: each rule broken alone is found, alone; nothing that is legal is.
 *
 * Rules about the VMCB are in tests/audit/cases.h, where VMRUN judges them as well.  Here are
 * those, and the rules that need to know the host, the processor or the past.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsvm/diagnose.h>

#include "core/diagnose/audit.h"

#include "../audit/cases.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

#define ROOM 64

/* A processor that has everything, and a host that does everything right. */
struct fixture {
	struct svm_vmcb vmcb, before;
	struct svm_features features;
	struct svm_audit_host host;
	struct svm_audit_mapping mapping;
	struct svm_audit_context context;
	uint8_t iopm[0x3000], msrpm[0x2000];
	struct svm_finding findings[ROOM];
	size_t count;
	char rules[ROOM * 4];
};

static const struct audit_place place = {
	.iopm = 0x100000,
	.msrpm = 0x104000,
	.ncr3 = 0x200000,
	.code = 0x10000,
	.cr3_long = 0x12000,
	.cr3_pae = 0x13000,
	.cr3_legacy = 0x14000,
};

static void nested(void *arg, svm_gpa_t gpa, struct svm_audit_mapping *mapping)
{
	if (gpa >= SVM_BIT(52))
		ck_abort_msg("asked for %llx", (unsigned long long)gpa);
	*mapping = *(const struct svm_audit_mapping *)arg;
}

static void setup(struct fixture *f, enum audit_mode mode)
{
	memset(f, 0, sizeof(*f));
	memset(f->iopm, 0xff, sizeof(f->iopm));
	memset(f->msrpm, 0xff, sizeof(f->msrpm));
	audit_baseline(&f->vmcb, mode, &place);
	f->features = (struct svm_features){
		.has_svm = true,
		.asid_count = 16,
		.svm = ~UINT64_C(0),
		.svm_ecx = ~UINT32_C(0),
		.physical_bits = 40,
		.linear_bits = 48,
		.long_mode = true,
		.xsave = true,
		.cr0_reserved = SVM_BITS(63, 32),
		.cr4_reserved = SVM_BITS(63, 24) | SVM_BIT(19) | SVM_BITS(15, 13),
		.efer_reserved = ~(SVM_BIT(0) | SVM_BIT(8) | SVM_BITS(15, 10)),
	};
	f->host = (struct svm_audit_host){
		.cr0 = 0x80010033,
		.cr3 = 0x1000,
		.cr4 = 0x20,
		.efer = 0x1d00,
		.rip = 0xffffffff80000000,
		.dr7 = 0x400,
		.hsave = 0x301000,
		.cs = 8,
		.ss = 0x10,
		.ds = 0,
		.es = 0x10,
		.gdt_limit = 0x17,
	};
	f->mapping = (struct svm_audit_mapping){ true, true, 7, 0x10007 };
	f->context = (struct svm_audit_context){
		.features = &f->features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
		.vmcb_hpa = 0x300000,
		.host_save_hpa = 0x301000,
		.msrpm = f->msrpm,
		.iopm = f->iopm,
		.host = &f->host,
		.nested = nested,
		.nested_arg = &f->mapping,
	};
}

/* Keep the VMCB as the last exit left it, with everything marked clean. */
static void after_exit(struct fixture *f)
{
	f->vmcb.control.clean = SVM_CLEAN_ALL;
	f->before = f->vmcb;
	f->context.before = &f->before;
}

/* "C02 W18": the rules found, each once, in the order found. */
static const char *audit(struct fixture *f)
{
	const struct svm_vmcb copy = f->vmcb;

	f->count = svm_audit(&f->vmcb, &f->context, f->findings, ROOM);
	ck_assert_int_eq(memcmp(&copy, &f->vmcb, sizeof(copy)), 0);
	ck_assert_uint_le(f->count, ROOM);
	f->rules[0] = '\0';
	for (size_t i = 0; i < f->count; i++) {
		const char *id = svm_rule_info(f->findings[i].rule)->id;

		if (strstr(f->rules, id))
			continue;
		if (f->rules[0] != '\0')
			strcat(f->rules, " ");
		strcat(f->rules, id);
	}
	return f->rules;
}

static void audit_case_table(struct fixture *f, const struct audit_case *c)
{
	setup(f, (enum audit_mode)c->mode);
	audit_break(&f->vmcb, c, &f->features);
	ck_assert_msg(strcmp(audit(f), c->rules) == 0, "%s: expected \"%s\", found \"%s\"", c->name,
	              c->rules, f->rules);
}

START_TEST(a_broken_vmcb_breaks_its_rule_and_no_other)
{
	static struct fixture f;

	audit_case_table(&f, &audit_cases[_i]);
}
END_TEST

START_TEST(a_good_vmcb_is_clean_in_every_mode)
{
	static struct fixture f;

	setup(&f, (enum audit_mode)_i);
	ck_assert_msg(audit(&f)[0] == '\0', "%s: found \"%s\"", audit_mode_names[_i], f.rules);
}
END_TEST

START_TEST(nothing_known_of_the_processor_nothing_guessed)
{
	static struct fixture f;

	setup(&f, (enum audit_mode)_i);
	f.context = (struct svm_audit_context){ .host_paging = true,
		                                .host_long_mode = true,
		                                .host_interrupts = true };
	ck_assert_msg(audit(&f)[0] == '\0', "%s: found \"%s\"", audit_mode_names[_i], f.rules);
}
END_TEST

/* What the next entry finds after an ordinary exit: nothing changed, all bits clean. */
START_TEST(a_second_entry_is_clean)
{
	static struct fixture f;

	setup(&f, (enum audit_mode)_i);
	after_exit(&f);
	f.vmcb.save.rip += 2;
	ck_assert_msg(audit(&f)[0] == '\0', "%s: found \"%s\"", audit_mode_names[_i], f.rules);
}
END_TEST

static void no_intercept(struct fixture *f, unsigned code)
{
	svm_vmcb_set_intercept(&f->vmcb, code, false);
}

static void open_msr(struct fixture *f, uint32_t offset, unsigned index, uint8_t rights)
{
	f->msrpm[offset + index / 4] &= (uint8_t) ~(rights << (index % 4 * 2));
}

static void vmcb_set_bits(struct fixture *f, uint16_t offset, uint8_t size, uint64_t set)
{
	audit_write(&f->vmcb, offset, size, audit_read(&f->vmcb, offset, size) | set);
}

/* One row: what is done to the good 64-bit VMCB and its surroundings, and what is found. */
#define ROW(name, expected, ...)                                                                   \
	static void do_##name(struct fixture *f)                                                   \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
#define ROWS(X)                                                                                    \
	/* The instruction and the host. */                                                        \
	X(host_without_protection, "V01", f->host.cr0 &= ~UINT64_C(1))                             \
	X(host_without_svme, "V01", f->host.efer &= ~UINT64_C(0x1000))                             \
	X(host_in_ring_3, "V02", f->host.cpl = 3)                                                  \
	X(vmcb_unaligned, "V03", f->context.vmcb_hpa = 0x300010)                                   \
	X(vmcb_at_the_limit, "V03", f->context.vmcb_hpa = SVM_BIT(40))                             \
	X(vmcb_in_the_last_frame, "", f->context.vmcb_hpa = SVM_BIT(40) - 0x1000)                  \
	X(no_save_area, "V04", f->host.hsave = 0)                                                  \
	X(save_area_unaligned, "V04", f->host.hsave = 0x301004)                                    \
	X(save_area_beyond, "V04", f->host.hsave = SVM_BIT(41))                                    \
	X(save_area_unaligned_2, "V04", f->context.host = NULL; f->context.host_save_hpa = 8)      \
	X(save_area_not_known, "", f->context.host = NULL; f->context.host_save_hpa = 0)           \
	X(vmcb_is_save_area, "V06", f->context.vmcb_hpa = f->host.hsave)                           \
	X(host_cr3_beyond, "H01", f->host.cr3 |= SVM_BIT(40))                                      \
	X(host_cs_in_ldt, "H02", f->host.cs |= 4)                                                  \
	X(host_cs_null, "H02", f->host.cs = 3)                                                     \
	X(host_ss_beyond_gdt, "H02", f->host.ss = 0x18)                                            \
	X(host_ds_in_ldt, "H02", f->host.ds = 4)                                                   \
	X(host_es_beyond_gdt, "H02", f->host.es = 0x1b)                                            \
	X(host_segments_null, "", f->host.ss = 0; f->host.ds = 3; f->host.es = 0)                  \
	X(host_cr0_upper, "H03", f->host.cr0 |= SVM_BIT(32))                                       \
	X(host_cr0_nw, "H03", f->host.cr0 |= SVM_BIT(29))                                          \
	X(host_cr4_reserved, "H03", f->host.cr4 |= SVM_BIT(13))                                    \
	X(host_rip_not_canonical, "H04", f->host.rip = SVM_BIT(47))                                \
	X(host_rip_with_57_bits, "", f->host.rip = SVM_BIT(47); f->host.cr4 |= SVM_BIT(12))        \
	/* The processor. */                                                                       \
	X(no_nested_paging, "C13", f->features.svm &= ~SVM_FEATURE_NPT)                            \
	X(host_without_paging, "C14", f->context.host_paging = false)                              \
	X(root_above_4g_for_legacy_host, "C15", f->context.host_long_mode = false;                 \
	  svm_vmcb_set_ncr3(&f->vmcb, SVM_BIT(32)))                                                \
	X(root_above_4g_for_long_host, "", svm_vmcb_set_ncr3(&f->vmcb, SVM_BIT(32)))               \
	X(nested_rules_need_nested, "", svm_vmcb_set_np_control(&f->vmcb, 0);                      \
	  svm_vmcb_set_g_pat(&f->vmcb, 2); svm_vmcb_set_ncr3(&f->vmcb, SVM_BIT(50));               \
	  f->context.host_paging = false)                                                          \
	X(sev_es_complete, "", svm_vmcb_set_np_control(&f->vmcb, 7);                               \
	  svm_vmcb_set_virt_control(&f->vmcb, 1))                                                  \
	X(sev_es_without_lbr, "C17", svm_vmcb_set_np_control(&f->vmcb, 7))                         \
	X(vnmi, "", vmcb_set_bits(f, 0x060, 8, SVM_BIT(26)))                                       \
	X(vnmi_without_feature, "C18", f->features.svm &= ~SVM_FEATURE_V_NMI;                      \
	  vmcb_set_bits(f, 0x060, 8, SVM_BIT(26)))                                                 \
	X(avic, "", vmcb_set_bits(f, 0x060, 8, SVM_BIT(31)))                                       \
	X(avic_without_feature, "C19", f->features.svm &= ~SVM_FEATURE_AVIC;                       \
	  vmcb_set_bits(f, 0x060, 8, SVM_BIT(31)))                                                 \
	X(x2avic_without_feature, "C19", f->features.svm &= ~SVM_FEATURE_X2AVIC;                   \
	  vmcb_set_bits(f, 0x060, 8, SVM_BITS(31, 30)))                                            \
	X(avic_backing_unaligned, "C19", vmcb_set_bits(f, 0x060, 8, SVM_BIT(31));                  \
	  svm_vmcb_set_avic_backing_page(&f->vmcb, 0x1800))                                        \
	X(avic_backing_beyond, "C19", vmcb_set_bits(f, 0x060, 8, SVM_BIT(31));                     \
	  svm_vmcb_set_avic_backing_page(&f->vmcb, SVM_BIT(40)))                                   \
	X(avic_logical_unaligned, "C19", vmcb_set_bits(f, 0x060, 8, SVM_BIT(31));                  \
	  svm_vmcb_set_avic_logical_table(&f->vmcb, 1))                                            \
	X(avic_physical_beyond, "C19", vmcb_set_bits(f, 0x060, 8, SVM_BIT(31));                    \
	  svm_vmcb_set_avic_physical_table(&f->vmcb, SVM_BIT(51)))                                 \
	X(avic_index_255, "", vmcb_set_bits(f, 0x060, 8, SVM_BIT(31));                             \
	  svm_vmcb_set_avic_physical_table(&f->vmcb, 0x10ff))                                      \
	X(avic_index_256, "C19", vmcb_set_bits(f, 0x060, 8, SVM_BIT(31));                          \
	  svm_vmcb_set_avic_physical_table(&f->vmcb, 0x1100))                                      \
	X(x2avic_index_511, "", vmcb_set_bits(f, 0x060, 8, SVM_BITS(31, 30));                      \
	  f->features.svm_ecx = 0; svm_vmcb_set_avic_physical_table(&f->vmcb, 0x11ff))             \
	X(x2avic_index_512, "C19", vmcb_set_bits(f, 0x060, 8, SVM_BITS(31, 30));                   \
	  f->features.svm_ecx = 0; svm_vmcb_set_avic_physical_table(&f->vmcb, 0x1200))             \
	X(x2avic_index_4095, "", vmcb_set_bits(f, 0x060, 8, SVM_BITS(31, 30));                     \
	  svm_vmcb_set_avic_physical_table(&f->vmcb, 0x1fff))                                      \
	X(avic_off_pages_ignored, "", svm_vmcb_set_avic_backing_page(&f->vmcb, 0x1800))            \
	X(flush_by_asid, "", f->vmcb.control.tlb_control = 3)                                      \
	X(flush_nonglobal, "", f->vmcb.control.tlb_control = 7)                                    \
	X(flush_without_feature, "C20", f->vmcb.control.tlb_control = 3;                           \
	  f->features.svm &= ~SVM_FEATURE_FLUSH_BY_ASID)                                           \
	X(virt_all, "", svm_vmcb_set_virt_control(&f->vmcb, 15))                                   \
	X(lbr_without_feature, "C21", f->features.svm &= ~SVM_FEATURE_LBRV;                        \
	  svm_vmcb_set_virt_control(&f->vmcb, 15))                                                 \
	X(vmload_without_feature, "C21", f->features.svm &= ~SVM_FEATURE_V_VMLOAD;                 \
	  svm_vmcb_set_virt_control(&f->vmcb, 2))                                                  \
	X(vgif, "", vmcb_set_bits(f, 0x060, 8, SVM_BIT(25)))                                       \
	X(vgif_without_feature, "C22", f->features.svm &= ~SVM_FEATURE_V_GIF;                      \
	  vmcb_set_bits(f, 0x060, 8, SVM_BIT(25)))                                                 \
	X(vgif_alone_without_feature, "C22", f->features.svm &= ~SVM_FEATURE_V_GIF;                \
	  vmcb_set_bits(f, 0x060, 8, SVM_BIT(9)))                                                  \
	X(v_nmi_without_feature, "C22", f->features.svm &= ~SVM_FEATURE_V_NMI;                     \
	  vmcb_set_bits(f, 0x060, 8, SVM_BIT(11)))                                                 \
	X(interrupt_mask_without_sev_es, "C22", f->vmcb.control.int_state = 2)                     \
	X(pml_without_feature, "C22", f->features.svm_ecx = 0; vmcb_set_bits(f, 0x090, 8, 0x800))  \
	X(clean_all_ones, "", f->vmcb.control.clean = 0xffffffff)                                  \
	X(no_long_mode, "S03", f->features.long_mode = false)                                      \
	X(s_cet_without_cet, "", f->features.cr4_reserved |= SVM_BIT(23);                          \
	  svm_vmcb_set_s_cet(&f->vmcb, 0xff))                                                      \
	X(efer_mcommit, "S02", vmcb_set_bits(f, 0x4d0, 8, SVM_BIT(17)))                            \
	X(efer_mcommit_not_known, "", vmcb_set_bits(f, 0x4d0, 8, SVM_BIT(17));                     \
	  f->context.features = NULL)                                                              \
	X(efer_bit_22_not_known, "S02", vmcb_set_bits(f, 0x4d0, 8, SVM_BIT(22));                   \
	  f->context.features = NULL)                                                              \
	/* Intercepts. */                                                                          \
	X(hlt, "W01", no_intercept(f, SVM_EXIT_HLT))                                               \
	X(intr, "W02", no_intercept(f, SVM_EXIT_INTR))                                             \
	X(nmi_open, "W03", no_intercept(f, SVM_EXIT_NMI))                                          \
	X(shutdown, "W04", no_intercept(f, SVM_EXIT_SHUTDOWN))                                     \
	X(init, "W05", no_intercept(f, SVM_EXIT_INIT))                                             \
	X(smi_and_an_open_port, "W05", f->iopm[0x1fff] = 0x7f)                                     \
	X(smi_and_a_port_past_the_end, "W05", f->iopm[0x2000] = 0xfb)                              \
	X(smi_and_unused_bits, "", f->iopm[0x2000] = 7)                                            \
	X(no_smi_and_an_open_port, "", f->iopm[0] = 0; no_intercept(f, SVM_EXIT_SMI))              \
	X(ioio, "W05 W06", no_intercept(f, SVM_EXIT_IOIO))                                         \
	X(iopm_page_0, "W06", svm_vmcb_set_iopm_base(&f->vmcb, 0))                                 \
	X(msr, "W07", no_intercept(f, SVM_EXIT_MSR))                                               \
	X(msrpm_page_0, "W07", svm_vmcb_set_msrpm_base(&f->vmcb, 0))                               \
	X(msr_efer, "W08", open_msr(f, 0x800, 0x80, 2))                                            \
	X(msr_efer_read, "", open_msr(f, 0x800, 0x80, 1))                                          \
	X(msr_vm_cr, "W08", open_msr(f, 0x1000, 0x114, 2))                                         \
	X(msr_hsave, "W08", open_msr(f, 0x1000, 0x117, 3))                                         \
	X(msr_apic_base, "W08", open_msr(f, 0, 0x1b, 2))                                           \
	X(msr_bank, "W08", open_msr(f, 0, 0x47f, 2))                                               \
	X(msr_star, "", open_msr(f, 0x800, 0x81, 3))                                               \
	X(msr_pat, "", open_msr(f, 0, 0x277, 3))                                                   \
	X(msr_pat_without_np, "W08", open_msr(f, 0, 0x277, 3);                                     \
	  svm_vmcb_set_np_control(&f->vmcb, 0))                                                    \
	X(msr_debugctl, "W08", open_msr(f, 0, 0x1d9, 3))                                           \
	X(msr_debugctl_lbrv, "", open_msr(f, 0, 0x1d9, 3); svm_vmcb_set_virt_control(&f->vmcb, 1)) \
	X(vmload, "W09", no_intercept(f, SVM_EXIT_VMLOAD))                                         \
	X(vmsave, "W09", no_intercept(f, SVM_EXIT_VMSAVE))                                         \
	X(vmload_virtual, "", no_intercept(f, SVM_EXIT_VMLOAD);                                    \
	  svm_vmcb_set_virt_control(&f->vmcb, 2))                                                  \
	X(stgi, "W09", no_intercept(f, SVM_EXIT_STGI))                                             \
	X(clgi, "W09", no_intercept(f, SVM_EXIT_CLGI))                                             \
	X(clgi_virtual, "", no_intercept(f, SVM_EXIT_CLGI);                                        \
	  vmcb_set_bits(f, 0x060, 8, SVM_BIT(25)))                                                 \
	X(skinit, "W09", no_intercept(f, SVM_EXIT_SKINIT))                                         \
	X(invlpga, "W09", no_intercept(f, SVM_EXIT_INVLPGA))                                       \
	X(exception_db, "W10", no_intercept(f, 0x41))                                              \
	X(exception_ac, "W10", no_intercept(f, 0x51))                                              \
	X(exception_mc, "W11", no_intercept(f, 0x52))                                              \
	X(pause, "W12", svm_vmcb_set_intercept(&f->vmcb, SVM_EXIT_PAUSE, true))                    \
	X(pause_filtered, "", svm_vmcb_set_intercept(&f->vmcb, SVM_EXIT_PAUSE, true);              \
	  svm_vmcb_set_pause_filter_count(&f->vmcb, 3000))                                         \
	X(xsetbv, "W13", no_intercept(f, SVM_EXIT_XSETBV))                                         \
	X(xsetbv_without_xsave, "", no_intercept(f, SVM_EXIT_XSETBV); f->features.xsave = false)   \
	X(invd, "W14", no_intercept(f, SVM_EXIT_INVD))                                             \
	X(monitor, "W15", no_intercept(f, SVM_EXIT_MONITOR))                                       \
	X(mwait, "W15", no_intercept(f, SVM_EXIT_MWAIT))                                           \
	X(iret_during_nmi, "W16", no_intercept(f, SVM_EXIT_IRET);                                  \
	  f->context.nmi_in_service = true)                                                        \
	X(iret_with_injected_nmi, "W16", no_intercept(f, SVM_EXIT_IRET);                           \
	  f->vmcb.control.event_inj = 0x80000202)                                                  \
	X(iret_with_vnmi, "", no_intercept(f, SVM_EXIT_IRET); f->context.nmi_in_service = true;    \
	  vmcb_set_bits(f, 0x060, 8, SVM_BIT(26)))                                                 \
	X(iret_otherwise, "", no_intercept(f, SVM_EXIT_IRET))                                      \
	X(task_switch_in_long_mode, "", no_intercept(f, SVM_EXIT_TASK_SWITCH))                     \
	X(task_switch, "W17", setup(f, AUDIT_LEGACY32); no_intercept(f, SVM_EXIT_TASK_SWITCH))     \
	X(ferr, "W17", setup(f, AUDIT_REAL); no_intercept(f, SVM_EXIT_FERR_FREEZE))                \
	X(host_breakpoints, "W17", f->host.dr7 = 0x401; no_intercept(f, SVM_EXIT_DR_WRITE))        \
	X(host_breakpoints_switched, "", f->host.dr7 = 0x401; f->context.debug_switched = true;    \
	  no_intercept(f, SVM_EXIT_DR_WRITE))                                                      \
	/* Interrupts and events. */                                                               \
	X(unmasked, "W18", svm_vmcb_set_int_control(&f->vmcb, 0))                                  \
	X(host_if_clear, "W19", f->context.host_interrupts = false)                                \
	X(window_shut, "W20", svm_vmcb_set_intercept(&f->vmcb, SVM_EXIT_VINTR, true);              \
	  vmcb_set_bits(f, 0x060, 8, 0x100 | 0x20000 | 2))                                         \
	X(window_open, "", svm_vmcb_set_intercept(&f->vmcb, SVM_EXIT_VINTR, true);                 \
	  vmcb_set_bits(f, 0x060, 8, 0x100 | 0x30000 | 2))                                         \
	X(window_ignores_tpr, "", svm_vmcb_set_intercept(&f->vmcb, SVM_EXIT_VINTR, true);          \
	  vmcb_set_bits(f, 0x060, 8, 0x100 | 0x100000 | 15))                                       \
	X(interrupt_twice, "W21", f->vmcb.control.event_inj = 0x80000030;                          \
	  vmcb_set_bits(f, 0x060, 8, 0x100 | 0xf0000 | UINT64_C(0x30) << 32))                      \
	X(interrupt_and_another, "", f->vmcb.control.event_inj = 0x80000030;                       \
	  vmcb_set_bits(f, 0x060, 8, 0x100 | 0xf0000 | UINT64_C(0x31) << 32))                      \
	X(interrupt, "", f->vmcb.control.event_inj = 0x80000030)                                   \
	X(interrupt_in_shadow, "W22", f->vmcb.control.event_inj = 0x80000030;                      \
	  f->vmcb.control.int_state = 1)                                                           \
	X(nmi_in_shadow, "", f->vmcb.control.event_inj = 0x80000202;                               \
	  f->vmcb.control.int_state = 1)                                                           \
	X(lost_event, "W23", f->vmcb.control.exit_int_info = 0x80000030)                           \
	X(reinjected_event, "", f->vmcb.control.exit_int_info = 0x80000030;                        \
	  f->vmcb.control.event_inj = 0x80000030)                                                  \
	X(delivered_event, "", f->vmcb.control.exit_int_info = 0x030)                              \
	X(lost_nmi, "W23", f->vmcb.control.exit_int_info = 0x80000202)                             \
	X(soft_interrupt_again, "", f->vmcb.control.exit_int_info = 0x80000480)                    \
	X(fault_again, "", f->vmcb.control.exit_int_info = 0x80000b0e)                             \
	X(event_in_a_dump, "", f->vmcb.control.exit_int_info = 0x80000030;                         \
	  f->context.at_rest = true)                                                               \
	X(shadow_stayed, "W24", f->vmcb.control.int_state = 1; after_exit(f); f->vmcb.save.rip++)  \
	X(shadow_and_retry, "", f->vmcb.control.int_state = 1; after_exit(f))                      \
	X(shadow_new, "", after_exit(f); f->vmcb.control.int_state = 1; f->vmcb.save.rip++)        \
	X(soft_interrupt_without_rip, "W25", f->vmcb.control.event_inj = 0x80000480)               \
	X(breakpoint_without_rip, "W25", f->vmcb.control.event_inj = 0x80000303)                   \
	X(soft_interrupt, "", f->vmcb.control.event_inj = 0x80000480;                              \
	  f->vmcb.control.next_rip = 0x10002)                                                      \
	X(soft_interrupt_without_nrips, "", f->vmcb.control.event_inj = 0x80000480;                \
	  f->features.svm &= ~SVM_FEATURE_NRIPS)                                                   \
	/* TLB and memory. */                                                                      \
	X(flush_forgotten, "W26", f->vmcb.control.tlb_control = 1; f->context.at_rest = true)      \
	X(flush_twice, "", f->vmcb.control.tlb_control = 1; after_exit(f))                         \
	X(root_changed, "W27", after_exit(f); svm_vmcb_set_ncr3(&f->vmcb, 0x400000))               \
	X(root_changed_and_flush, "", after_exit(f); svm_vmcb_set_ncr3(&f->vmcb, 0x400000);        \
	  f->vmcb.control.tlb_control = 3)                                                         \
	X(root_changed_and_asid, "", after_exit(f); svm_vmcb_set_ncr3(&f->vmcb, 0x400000);         \
	  svm_vmcb_set_asid(&f->vmcb, 2))                                                          \
	X(cr0_wp_changed, "W27", after_exit(f); svm_vmcb_set_cr0(&f->vmcb, 0x80000031))            \
	X(cr0_ts_changed, "", after_exit(f); svm_vmcb_set_cr0(&f->vmcb, 0x80010039))               \
	X(cr3_changed, "W27", after_exit(f); svm_vmcb_set_cr3(&f->vmcb, 0x15000))                  \
	X(cr4_pge_changed, "W27", after_exit(f); svm_vmcb_set_cr4(&f->vmcb, 0xa0))                 \
	X(efer_nxe_changed, "W27", after_exit(f); svm_vmcb_set_efer(&f->vmcb, 0x1500))             \
	X(moved_and_clean, "W28", after_exit(f); f->context.moved = true)                          \
	X(moved_and_dirty, "", after_exit(f); f->context.moved = true; f->vmcb.control.clean = 0)  \
	X(moved_without_clean_bits, "", after_exit(f); f->context.moved = true;                    \
	  f->features.svm &= ~SVM_FEATURE_CLEAN)                                                   \
	X(dr7_changed, "W28", after_exit(f); f->vmcb.save._dr7 = 0x402)                            \
	X(dr7_set, "", after_exit(f); svm_vmcb_set_dr7(&f->vmcb, 0x402))                           \
	X(intercept_changed, "W28", after_exit(f); f->vmcb.control._intercept[3] |= 1u << 14)      \
	X(segment_changed, "W28", after_exit(f); f->vmcb.save._ds.limit = 1)                       \
	X(fs_changed, "", after_exit(f); f->vmcb.save.fs.limit = 1)                                \
	X(ungrouped_changed, "W28", after_exit(f); f->vmcb.control._pause_filter_threshold = 9;    \
	  f->vmcb.control.clean = 1)                                                               \
	X(undefined_clean_bit, "W28", after_exit(f); svm_vmcb_set_dr7(&f->vmcb, 0x402);            \
	  f->vmcb.control.clean |= SVM_BIT(20))                                                    \
	X(software_clean_bit, "", after_exit(f); svm_vmcb_set_dr7(&f->vmcb, 0x402);                \
	  f->vmcb.control.clean |= SVM_BIT(31))                                                    \
	X(nested_without_user, "W29", f->mapping.rights = 3)                                       \
	X(tables_read_only, "W30", f->mapping.rights = 5)                                          \
	X(tables_read_only_allowed, "", f->mapping.rights = 5; vmcb_set_bits(f, 0x090, 8, 0x40))   \
	X(code_read_only, "", setup(f, AUDIT_REAL); f->mapping.rights = 5)                         \
	X(root_0, "W32", svm_vmcb_set_ncr3(&f->vmcb, 0x18))                                        \
	X(no_memory, "W33", f->mapping = (struct svm_audit_mapping){ 0 })                          \
	X(not_mapped_yet, "", f->mapping = (struct svm_audit_mapping){ .memory = true })           \
	X(pat_0, "W34", svm_vmcb_set_g_pat(&f->vmcb, 0))                                           \
	X(leaf_uncached, "W34", f->mapping.leaf |= 0x10)                                           \
	/* Guest state. */                                                                         \
	X(ss_dpl, "W35", f->vmcb.save._ss.attributes |= 0x60)                                      \
	X(ss_dpl_of_ring_3, "", f->vmcb.save._ss.attributes |= 0x60; f->vmcb.save._cpl = 3)        \
	X(tr_not_busy, "W35", f->vmcb.save.tr.attributes = 0x89)                                   \
	X(tr_16_bit_in_long_mode, "W35", f->vmcb.save.tr.attributes = 0x83)                        \
	X(tr_16_bit, "", setup(f, AUDIT_PAE32); f->vmcb.save.tr.attributes = 0x83)                 \
	X(tr_in_real_mode, "", setup(f, AUDIT_REAL); f->vmcb.save.tr.attributes = 0)               \
	X(ldtr_null_with_selector, "W35", f->vmcb.save.ldtr.selector = 0x20)                       \
	X(ldtr, "", f->vmcb.save.ldtr.selector = 0x20; f->vmcb.save.ldtr.attributes = 0x82)        \
	X(rip_with_57_bits, "", f->vmcb.save.rip = SVM_BIT(47);                                    \
	  vmcb_set_bits(f, 0x548, 8, SVM_BIT(12)))                                                 \
	X(breakpoints, "W38", svm_vmcb_set_dr7(&f->vmcb, 0x401); no_intercept(f, 0x37))            \
	X(breakpoints_gd, "W38", svm_vmcb_set_dr7(&f->vmcb, 0x2400); no_intercept(f, 0x37))        \
	X(breakpoints_watched, "", svm_vmcb_set_dr7(&f->vmcb, 0x401))                              \
	X(breakpoints_switched, "", svm_vmcb_set_dr7(&f->vmcb, 0x401); no_intercept(f, 0x37);      \
	  f->context.debug_switched = true)                                                        \
	X(after_shutdown, "W40", f->vmcb.control.exit_code = 0x7f; after_exit(f))                  \
	X(after_shutdown_and_reset, "", f->vmcb.control.exit_code = 0x7f; after_exit(f);           \
	  f->vmcb.save.rip = 0xfff0)                                                               \
	X(after_invalid, "W40", f->vmcb.control.exit_code = ~UINT64_C(0);                          \
	  f->context.at_rest = true)                                                               \
	X(after_invalid_32, "W40", f->vmcb.control.exit_code = 0xffffffff;                         \
	  f->context.at_rest = true)                                                               \
	X(es_as_in_vmx, "W42", f->vmcb.save._es.attributes |= 0xa000)                              \
	X(ss_as_in_vmx, "W42", f->vmcb.save._ss.attributes |= 0xa000)                              \
	X(ds_as_in_vmx, "W42", f->vmcb.save._ds.attributes |= 0xa000)                              \
	X(fs_as_in_vmx, "W42", f->vmcb.save.fs.attributes |= 0xa000)                               \
	X(gs_as_in_vmx, "W42", f->vmcb.save.gs.attributes |= 0xa000)                               \
	X(ldtr_as_in_vmx, "W42", f->vmcb.save.ldtr.attributes |= 0xa000)                           \
	X(tr_as_in_vmx, "W42", f->vmcb.save.tr.attributes |= 0xa000)                               \
	X(after_hlt, "", f->vmcb.control.exit_code = 0x78; f->context.at_rest = true)              \
	X(paged_real_mode_watched, "", setup(f, AUDIT_LEGACY32); f->vmcb.save._cr0 &= ~1ull;       \
	  svm_vmcb_set_intercept(&f->vmcb, 0x4e, true))

/* clang-format off */
ROWS(ROW)
#undef ROW

static const struct {
	const char *name;
	const char *rules;
	void (*act)(struct fixture *f);
} rows[] = {
#define ROW(name, expected, ...) { #name, expected, do_##name },
	ROWS(ROW)
#undef ROW
};
/* clang-format on */

static void audit_row(struct fixture *f, int i)
{
	setup(f, AUDIT_LONG64);
	rows[i].act(f);
	ck_assert_msg(strcmp(audit(f), rows[i].rules) == 0, "%s: expected \"%s\", found \"%s\"",
	              rows[i].name, rows[i].rules, f->rules);
}

START_TEST(a_broken_surrounding_breaks_its_rule_and_no_other)
{
	static struct fixture f;

	audit_row(&f, _i);
}
END_TEST

START_TEST(every_rule_is_broken_by_some_row)
{
	static struct fixture f;
	bool seen[SVM_RULE_COUNT] = { false };

	for (size_t i = 0; i < AUDIT_CASE_COUNT; i++) {
		audit_case_table(&f, &audit_cases[i]);
		for (size_t j = 0; j < f.count; j++)
			seen[f.findings[j].rule] = true;
	}
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		audit_row(&f, i);
		for (size_t j = 0; j < f.count; j++)
			seen[f.findings[j].rule] = true;
	}
	for (int i = 0; i < SVM_RULE_COUNT; i++)
		ck_assert_msg(seen[i], "no row breaks %s", svm_rule_info((enum svm_rule)i)->id);
}
END_TEST

/* A rule has a predicate for each field that it is about. */
static const struct {
	const char *name;
	struct svm_audit_rows (*rows)(void);
} predicate_tables[] = {
	{ "host", svm_audit_host_rows },
	{ "control", svm_audit_control_rows },
	{ "event", svm_audit_event_rows },
	{ "save", svm_audit_save_rows },
	{ "intercept", svm_audit_intercept_rows },
	{ "interrupt", svm_audit_interrupt_rows },
	{ "memory", svm_audit_memory_rows },
	{ "state", svm_audit_state_rows },
};

#define PREDICATES_MAX 64

typedef bool predicates_seen[ARRAY_SIZE(predicate_tables)][PREDICATES_MAX];

static void see_predicates(const struct fixture *f, predicates_seen seen)
{
	const struct svm_audit_facts facts = svm_audit_conclude(&f->vmcb, &f->context);

	for (int table = 0; table < ARRAY_SIZE(predicate_tables); table++) {
		const struct svm_audit_rows predicates = predicate_tables[table].rows();

		ck_assert_uint_le(predicates.count, PREDICATES_MAX);
		for (size_t i = 0; i < predicates.count; i++) {
			struct svm_finding finding = { .rule = predicates.row[i].rule };

			seen[table][i] |= predicates.row[i].is_broken(&facts, &finding);
		}
	}
}

START_TEST(every_predicate_is_true_of_some_row)
{
	static struct fixture f;
	predicates_seen seen = { { false } };

	for (size_t i = 0; i < AUDIT_CASE_COUNT; i++) {
		audit_case_table(&f, &audit_cases[i]);
		see_predicates(&f, seen);
	}
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		audit_row(&f, i);
		see_predicates(&f, seen);
	}
	for (int table = 0; table < ARRAY_SIZE(predicate_tables); table++) {
		const struct svm_audit_rows predicates = predicate_tables[table].rows();

		for (size_t i = 0; i < predicates.count; i++)
			ck_assert_msg(seen[table][i], "no row breaks %s, predicate %zu of %s, %xh",
			              svm_rule_info(predicates.row[i].rule)->id, i,
			              predicate_tables[table].name,
			              (unsigned)predicates.row[i].offset);
	}
}
END_TEST

/* Rules are numbered without gaps over both tables: nothing was forgotten. */
START_TEST(every_number_is_a_rule_or_said_to_be_unseen)
{
	static const struct {
		char letter;
		int last;
	} families[] = { { 'V', 6 }, { 'C', 23 }, { 'S', 15 }, { 'H', 4 }, { 'W', 45 } };

	for (int family = 0; family < ARRAY_SIZE(families); family++) {
		for (int n = 1; n <= families[family].last; n++) {
			char id[16];
			bool found = false;

			snprintf(id, sizeof(id), "%c%02d", families[family].letter, n);
			for (int i = 0; i < SVM_RULE_COUNT; i++)
				found |= !strcmp(svm_rule_info((enum svm_rule)i)->id, id);
			for (size_t i = 0; svm_rule_unseen(i); i++)
				found |= !strcmp(svm_rule_unseen(i)->id, id);
			ck_assert_msg(found, "%s is in neither table", id);
		}
	}
}
END_TEST

START_TEST(errors_come_before_warnings)
{
	static struct fixture f;
	bool warned = false;

	memset(&f.vmcb, 0, sizeof(f.vmcb));
	f.context = (struct svm_audit_context){ .host_paging = true };
	f.count = svm_audit(&f.vmcb, &f.context, f.findings, ROOM);
	ck_assert_uint_gt(f.count, 10);
	ck_assert_uint_le(f.count, ROOM);
	for (size_t i = 0; i < f.count; i++) {
		const bool error =
			svm_rule_info(f.findings[i].rule)->severity == SVM_SEVERITY_ERROR;

		ck_assert_msg(!(error && warned), "%s", svm_rule_info(f.findings[i].rule)->id);
		warned |= !error;
	}
	/* A block of zeros: no VMRUN intercept, ASID 0, no SVME. */
	ck_assert_uint_eq(svm_finding_errors(f.findings, f.count), 3);
}
END_TEST

START_TEST(a_small_room_counts_on_and_writes_no_further)
{
	static struct fixture f;
	struct svm_finding small[3];

	setup(&f, AUDIT_LONG64);
	memset(&f.vmcb, 0, sizeof(f.vmcb));
	audit(&f);
	memset(small, 0x55, sizeof(small));
	ck_assert_uint_eq(svm_audit(&f.vmcb, &f.context, small, 2), f.count);
	ck_assert_uint_eq(svm_audit(&f.vmcb, &f.context, NULL, 0), f.count);
	ck_assert_uint_eq(small[1].rule, f.findings[1].rule);
	ck_assert_uint_eq(small[2].value, 0x5555555555555555);
}
END_TEST

START_TEST(a_finding_names_field_value_and_bits)
{
	static struct fixture f;

	setup(&f, AUDIT_LONG64);
	svm_vmcb_set_cr0(&f.vmcb, 0x100000000 | 0xa0010031);
	audit(&f);
	ck_assert_uint_eq(f.count, 2);
	ck_assert_int_eq(f.findings[0].rule, SVM_RULE_S04);
	ck_assert_uint_eq(f.findings[0].offset, 0x558);
	ck_assert_uint_eq(f.findings[0].value, 0x1a0010031);
	ck_assert_uint_eq(f.findings[0].bits, 0x20000000);
	ck_assert_int_eq(f.findings[1].rule, SVM_RULE_S05);
	ck_assert_uint_eq(f.findings[1].bits, 0x100000000);
}
END_TEST

static const struct {
	struct svm_finding finding;
	const char *text;
} text_rows[] = {
	{ { SVM_RULE_C02, 0x058, 0, 0 },
	  "C02 error: address space identifier (058h) = 0h: the ASID is 0, which belongs to the "
	  "host "
	  "(APM vol. 2, 15.5.1); use 1 up to CPUID Fn8000_000A EBX minus 1" },
	{ { SVM_RULE_S10, 0x412, 0xe9b, 0x600 },
	  "S10 error: cs attributes (412h) = E9Bh, bits 600h: CS.L and CS.D are both set in long "
	  "mode "
	  "(APM vol. 2, 15.5.1); 64-bit code has D = 0; compatibility mode has L = 0" },
	{ { SVM_RULE_C01, 0x010, 0xfffe, 1 },
	  "C01 error: intercept word 4 (010h) = FFFEh, bits 1h: the VMRUN intercept is clear "
	  "(APM vol. 2, 15.5.1); set bit 0 of the intercept word at 010h" },
	{ { SVM_RULE_V02, SVM_FINDING_NO_FIELD, 3, 0 },
	  "V02 error: = 3h: VMRUN above privilege level 0 (APM vol. 2, 15.5.1); run the monitor in "
	  "ring 0" },
	{ { SVM_RULE_W08, 0x048, 0xc0000080, 0 },
	  "W08 warning: MSR C000_0080h EFER: the guest may write an MSR that belongs to the host "
	  "(APM vol. 2, 15.11); set the register's upper bit in the MSR permission map" },
	{ { (enum svm_rule)9999, 0, 0, 0 }, "a finding of no rule" },
};

START_TEST(a_finding_reads_as_one_line)
{
	const char *expected = text_rows[_i].text;
	char text[400];

	ck_assert_uint_eq(svm_finding_text(&text_rows[_i].finding, text, sizeof(text)),
	                  strlen(expected));
	ck_assert_str_eq(text, expected);
	/* Cut short, but ended, whatever the size. */
	for (size_t size = 0; size < 40; size++) {
		memset(text, 'x', sizeof(text));
		ck_assert_uint_eq(svm_finding_text(&text_rows[_i].finding, text, size),
		                  strlen(expected));
		ck_assert_int_eq(text[size], 'x');
		if (size != 0) {
			ck_assert_uint_lt(strlen(text), size);
			ck_assert_int_eq(strncmp(text, expected, strlen(text)), 0);
		}
	}
}
END_TEST

START_TEST(words_of_every_rule)
{
	const struct svm_rule_info *info = svm_rule_info((enum svm_rule)_i);

	ck_assert_ptr_nonnull(info);
	ck_assert_uint_eq(strlen(info->id), 3);
	ck_assert_int_eq(strncmp(info->section, "15.", 3), 0);
	ck_assert_uint_gt(strlen(info->text), 10);
	ck_assert_uint_gt(strlen(info->advice), 7);
	if (info->id[0] == 'W')
		ck_assert_int_eq(info->severity, SVM_SEVERITY_WARNING);
	for (int i = 0; i < _i; i++)
		ck_assert_str_ne(svm_rule_info((enum svm_rule)i)->id, info->id);
}
END_TEST

START_TEST(no_words_of_what_is_no_rule)
{
	ck_assert_ptr_null(svm_rule_info(SVM_RULE_COUNT));
	ck_assert_ptr_null(svm_rule_info((enum svm_rule) - 1));
	ck_assert_ptr_null(svm_rule_unseen(1000));
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/*
 * Any block may be handed in.  A third of these are noise, the others good VMCBs with some bytes
 * changed, which get further.  Same answer twice, and words for each finding.
 */
START_TEST(random_blocks_are_judged_without_harm)
{
	static struct fixture f;
	uint64_t state = 0x9e3779b97f4a7c15;
	size_t errors = 0, clean = 0;

	for (int round = 0; round < 100000; round++) {
		char text[400];
		size_t count;

		if (round % 100 == 0)
			setup(&f, (enum audit_mode)(round / 100 % AUDIT_MODE_COUNT));
		if (round % 3 == 0) {
			uint64_t *words = (uint64_t *)(void *)&f.vmcb;

			for (size_t i = 0; i < sizeof(f.vmcb) / 8; i++)
				words[i] = next_random(&state);
		} else {
			memset(&f.vmcb, 0, sizeof(f.vmcb));
			audit_baseline(&f.vmcb, (enum audit_mode)(round % AUDIT_MODE_COUNT),
			               &place);
			for (unsigned i = 0; i < (unsigned)round % 4; i++)
				((uint8_t *)&f.vmcb)[next_random(&state) % 0x6f0] =
					(uint8_t)next_random(&state);
		}
		f.context.moved = next_random(&state) & 1;
		f.context.before = (next_random(&state) & 1) ? &f.before : NULL;
		count = svm_audit(&f.vmcb, &f.context, f.findings, ROOM);
		for (size_t i = 0; i < count && i < ROOM; i++)
			if (svm_finding_text(&f.findings[i], text, sizeof(text)) <= 20)
				ck_abort_msg("round %d, finding %zu: %s", round, i, text);
		errors += svm_finding_errors(f.findings, count < ROOM ? count : ROOM) != 0;
		clean += count == 0;
	}
	/* Noise is refused; untouched VMCBs are not. */
	ck_assert_uint_gt(errors, 33000);
	ck_assert_uint_gt(clean, 1000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("audit");
	TCase *rules = tcase_create("rules");
	TCase *words = tcase_create("words");
	TCase *random = tcase_create("random");

	tcase_add_loop_test(rules, a_good_vmcb_is_clean_in_every_mode, 0, AUDIT_MODE_COUNT);
	tcase_add_loop_test(rules, nothing_known_of_the_processor_nothing_guessed, 0,
	                    AUDIT_MODE_COUNT);
	tcase_add_loop_test(rules, a_second_entry_is_clean, 0, AUDIT_MODE_COUNT);
	tcase_add_loop_test(rules, a_broken_vmcb_breaks_its_rule_and_no_other, 0,
	                    (int)AUDIT_CASE_COUNT);
	tcase_add_loop_test(rules, a_broken_surrounding_breaks_its_rule_and_no_other, 0,
	                    ARRAY_SIZE(rows));
	tcase_add_test(rules, every_rule_is_broken_by_some_row);
	tcase_add_test(rules, every_predicate_is_true_of_some_row);
	tcase_add_test(rules, every_number_is_a_rule_or_said_to_be_unseen);
	tcase_add_test(rules, errors_come_before_warnings);
	tcase_add_test(rules, a_small_room_counts_on_and_writes_no_further);
	tcase_add_test(rules, a_finding_names_field_value_and_bits);
	suite_add_tcase(suite, rules);

	tcase_add_loop_test(words, words_of_every_rule, 0, SVM_RULE_COUNT);
	tcase_add_test(words, no_words_of_what_is_no_rule);
	tcase_add_loop_test(words, a_finding_reads_as_one_line, 0, ARRAY_SIZE(text_rows));
	suite_add_tcase(suite, words);

	tcase_set_timeout(random, 60);
	tcase_add_test(random, random_blocks_are_judged_without_harm);
	suite_add_tcase(suite, random);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
