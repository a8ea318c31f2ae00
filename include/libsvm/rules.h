/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_RULES_H
#define LIBSVM_RULES_H
/**
 * @file
 * @brief Every rule that svm_audit() checks, one table.
 *
 * Letters: V the VMRUN instruction itself, C control area, S save area, H host, W legal but
 * deadly.  A rule keeps its id for ever.
 */

/** How bad a finding is. */
enum svm_severity {
	SVM_SEVERITY_ERROR,   /**< VMRUN refuses or faults, or the result is undefined. */
	SVM_SEVERITY_WARNING, /**< Legal, and usually a hang, a leak or a hole. */
};

/** X(id, severity, section, sentence, advice). */
#define SVM_RULES(X)                                                                               \
	X(C01, ERROR, "15.5.1", "the VMRUN intercept is clear",                                    \
	  "set bit 0 of the intercept word at 010h")                                               \
	X(C02, ERROR, "15.5.1", "the ASID is 0, which belongs to the host",                        \
	  "use 1 up to CPUID Fn8000_000A EBX minus 1")                                             \
	X(S01, ERROR, "15.5.1", "EFER.SVME is clear", "OR SVME into the guest's EFER, always")

/** Rules by id. */
enum svm_rule {
#define SVM_RULE_ENUM(id, severity, section, text, advice) SVM_RULE_##id,
	SVM_RULES(SVM_RULE_ENUM)
#undef SVM_RULE_ENUM
	SVM_RULE_COUNT,
};

#endif
