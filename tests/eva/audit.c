/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The audit of any 4096 bytes, in any context, with any of the optional parts at hand or not, and
 * room for any number of findings.
 *
 * eva: src/core/diagnose/audit.c src/core/diagnose/audit_control.c
 * eva: src/core/diagnose/audit_events.c src/core/diagnose/audit_host.c
 * eva: src/core/diagnose/audit_intercepts.c src/core/diagnose/audit_memory.c
 * eva: src/core/diagnose/audit_save.c src/core/diagnose/rules.c
 * eva-options: -no-warn-invalid-bool -eva-precision 2 -eva-split-return auto
 * eva-options: -eva-slevel-function keeps_translations:9,w27_ncr3:9,w27_cr0:9
 * eva-options: -eva-slevel-function w27_cr3:9,w27_cr4:9,w27_efer:9
 */
#include <libsvm/diagnose.h>

#include "core/core.h"

void eva_main(void);

#define UNKNOWN(object) Frama_C_make_unknown((char *)&(object), sizeof(object))

static void any_mapping(void *arg, svm_gpa_t gpa, struct svm_audit_mapping *mapping)
{
	(void)arg;
	/*@ assert gpa < (1UL << 52); */
	(void)gpa;
	mapping->memory = eva_maybe();
	mapping->mapped = eva_maybe();
	mapping->rights = eva_any();
	mapping->leaf = eva_any();
}

void eva_main(void)
{
	static struct svm_vmcb vmcb, before;
	static struct svm_features features;
	static struct svm_audit_host host;
	static uint8_t msrpm[2 * SVM_PAGE_SIZE], iopm[3 * SVM_PAGE_SIZE];
	static struct svm_finding findings[8];
	struct svm_audit_context context;

	UNKNOWN(vmcb);
	UNKNOWN(before);
	UNKNOWN(msrpm);
	UNKNOWN(iopm);
	UNKNOWN(features);
	UNKNOWN(host);
	UNKNOWN(context);
	context.features = eva_maybe() ? &features : NULL;
	context.msrpm = eva_maybe() ? msrpm : NULL;
	context.iopm = eva_maybe() ? iopm : NULL;
	context.host = eva_maybe() ? &host : NULL;
	context.before = eva_maybe() ? &before : NULL;
	context.nested = eva_maybe() ? any_mapping : NULL;

	(void)svm_audit(&vmcb, &context, findings, (size_t)Frama_C_interval(0, 8));
}
