/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The auditor on every VMCB, before and after, with maps of any content on a processor of any features:
 * it reads nothing outside of them and writes only into the findings that it was given.
 *
 * eva: src/core/diagnose/audit.c src/core/diagnose/audit_control.c src/core/diagnose/audit_events.c src/core/diagnose/audit_host.c src/core/diagnose/audit_intercepts.c src/core/diagnose/audit_memory.c src/core/diagnose/audit_save.c
 * eva-options: -eva-precision 1 -c11 -cpp-extra-args=-includetests/eva/frama_c.h
 */
#include <libsvm/diagnose.h>

#include <__fc_builtin.h>

void eva_main(void);

static void nested(void *arg, svm_gpa_t gpa, struct svm_audit_mapping *mapping)
{
	(void)arg;
	(void)gpa;
	mapping->memory = Frama_C_interval(0, 1);
	mapping->mapped = Frama_C_interval(0, 1);
	mapping->rights = Frama_C_unsigned_long_interval(0, ~0ul);
	mapping->leaf = Frama_C_unsigned_long_interval(0, ~0ul);
}

static struct svm_features any_features(void)
{
	struct svm_features features = { .has_svm = true };

	features.asid_count = Frama_C_unsigned_int_interval(0, ~0u);
	features.svm = Frama_C_unsigned_long_interval(0, ~0ul);
	features.svm_ecx = Frama_C_unsigned_int_interval(0, ~0u);
	features.physical_bits = (uint8_t)Frama_C_interval(0, 255);
	features.long_mode = Frama_C_interval(0, 1);
	features.xsave = Frama_C_interval(0, 1);
	features.cr4_reserved = Frama_C_unsigned_long_interval(0, ~0ul);
	features.efer_reserved = Frama_C_unsigned_long_interval(0, ~0ul);
	return features;
}

void eva_main(void)
{
	static struct svm_vmcb vmcb, before;
	static struct svm_audit_host host;
	static uint8_t iopm[0x3000], msrpm[0x2000];
	static struct svm_finding findings[4];
	struct svm_features features = any_features();
	struct svm_audit_context context = { .host_paging = true };

	Frama_C_make_unknown((char *)&vmcb, sizeof(vmcb));
	Frama_C_make_unknown((char *)&before, sizeof(before));
	Frama_C_make_unknown((char *)&host, sizeof(host));
	Frama_C_make_unknown((char *)iopm, sizeof(iopm));
	Frama_C_make_unknown((char *)msrpm, sizeof(msrpm));
	context.features = Frama_C_interval(0, 1) ? &features : 0;
	context.host_long_mode = Frama_C_interval(0, 1);
	context.host_interrupts = Frama_C_interval(0, 1);
	context.vmcb_hpa = Frama_C_unsigned_long_interval(0, ~0ul);
	context.host_save_hpa = Frama_C_unsigned_long_interval(0, ~0ul);
	context.msrpm = Frama_C_interval(0, 1) ? msrpm : 0;
	context.iopm = Frama_C_interval(0, 1) ? iopm : 0;
	context.host = Frama_C_interval(0, 1) ? &host : 0;
	context.before = Frama_C_interval(0, 1) ? &before : 0;
	context.moved = Frama_C_interval(0, 1);
	context.nested = Frama_C_interval(0, 1) ? nested : 0;
	(void)svm_audit(&vmcb, &context, findings, (size_t)Frama_C_interval(0, 4));
}
