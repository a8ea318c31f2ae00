/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TOOLS_PARTIAL_H
#define TOOLS_PARTIAL_H
/*
 * The audit of a VMCB of which not all is known.
 */
#include <libsvm/diagnose.h>

#include "field.h"

#define PARTIAL_MOST 1024 /* More findings than all rules have for all fields and MSRs. */

struct partial {
	struct svm_finding findings[PARTIAL_MOST];
	size_t count;
	/* What may be broken or not: of each finding only rule and offset mean something. */
	struct svm_finding unsure[PARTIAL_MOST];
	size_t unsure_count;
};

/*
 * Judge a VMCB whose bytes are known where the byte of `known` is 1, and 0 elsewhere; NULL: all
 * are known.
 */
void partial_audit(struct partial *partial, const struct svm_vmcb *vmcb, const uint8_t *known,
                   const struct svm_audit_context *context);

/* Bits of a field that are not known; 0 if it is known, or `known` is NULL. */
uint64_t partial_unknown_bits(const uint8_t *known, const struct field *field);

#endif
