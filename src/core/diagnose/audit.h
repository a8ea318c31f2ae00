/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_DIAGNOSE_AUDIT_H
#define SVM_CORE_DIAGNOSE_AUDIT_H
/*
 * How the rules are written down: one row per rule and field, with a predicate that looks at the
 * VMCB, at its surroundings and at a few conclusions drawn once, and says yes only if it is sure.
 *
 * A rule that needs to know what the caller does not know is silent.  Silence is right for a rule
 * that VMRUN itself checks too; and a false alarm would teach people to ignore the true ones.
 */
#include <libsvm/diagnose.h>
#include <libsvm/exit_codes.h>
#include <libsvm/host.h>

#include "core/core.h"

/* Control registers, as far as rules speak of them. */
#define CR0_PE    SVM_BIT(0)
#define CR0_WP    SVM_BIT(16)
#define CR0_NW    SVM_BIT(29)
#define CR0_CD    SVM_BIT(30)
#define CR0_PG    SVM_BIT(31)
#define CR4_PSE   SVM_BIT(4)
#define CR4_PAE   SVM_BIT(5)
#define CR4_PGE   SVM_BIT(7)
#define CR4_LA57  SVM_BIT(12)
#define CR4_CET   SVM_BIT(23)
#define EFER_LME  SVM_BIT(8)
#define EFER_LMA  SVM_BIT(10)
#define EFER_NXE  SVM_BIT(11)
#define EFER_SVME SVM_BIT(12)

#define RFLAGS_IF SVM_BIT(9)
#define RFLAGS_VM SVM_BIT(17)

struct svm_audit_facts {
	const struct svm_vmcb *vmcb;
	const struct svm_audit_context *context;
	const struct svm_audit_host *host; /* NULL: not known. */
	const struct svm_vmcb *before;     /* NULL: not known. */
	bool features_known;
	uint64_t features; /* SVM_FEATURE_*; all ones if not known. */
	uint64_t beyond;   /* Bits of an address that MAXPHYADDR leaves out. */
	bool nested;       /* The guest has nested paging. */
	bool paging, long_mode, code_64, protected_mode, v8086, real_mode;
};

struct svm_audit_facts svm_audit_conclude(const struct svm_vmcb *vmcb,
                                          const struct svm_audit_context *context);

/*
 * One finding in the making.  A predicate fills value and bits and returns whether the rule is
 * broken; offset is the row's and may be replaced.
 */
typedef bool svm_audit_predicate(const struct svm_audit_facts *facts, struct svm_finding *finding);

struct svm_audit_row {
	enum svm_rule rule;
	uint16_t offset;
	svm_audit_predicate *is_broken;
};

struct svm_audit_rows {
	const struct svm_audit_row *row;
	size_t count;
};

#define SVM_AUDIT_OFFSET(field) ((uint16_t)offsetof(struct svm_vmcb, field))
#define SVM_AUDIT_ROWS(name)                                                                       \
	{                                                                                          \
		name, SVM_ARRAY_SIZE(name)                                                         \
	}

/* Errors, then warnings; each in its own file. */
struct svm_audit_rows svm_audit_host_rows(void);
struct svm_audit_rows svm_audit_control_rows(void);
struct svm_audit_rows svm_audit_event_rows(void);
struct svm_audit_rows svm_audit_save_rows(void);
struct svm_audit_rows svm_audit_intercept_rows(void);
struct svm_audit_rows svm_audit_interrupt_rows(void);
struct svm_audit_rows svm_audit_memory_rows(void);
struct svm_audit_rows svm_audit_state_rows(void);

/* Rules that are broken once per field or register: they add their findings themselves. */
struct svm_audit_report {
	struct svm_finding *findings;
	size_t room, count;
	bool errors_only;
};
void svm_audit_add(struct svm_audit_report *report, const struct svm_finding *finding);
void svm_audit_msrpm(const struct svm_audit_facts *facts, struct svm_audit_report *report);
void svm_audit_clean(const struct svm_audit_facts *facts, struct svm_audit_report *report);

/* Broken if any of the bits is. */
static inline bool svm_audit_bits(struct svm_finding *finding, uint64_t value, uint64_t bits)
{
	finding->value = value;
	finding->bits = bits;
	return bits != 0;
}

/* Broken as a whole. */
static inline bool svm_audit_if(struct svm_finding *finding, uint64_t value, bool broken)
{
	finding->value = value;
	return broken;
}

static inline bool svm_audit_has(const struct svm_audit_facts *facts, uint64_t feature)
{
	return (facts->features & feature) != 0;
}

/* Sign-extended from the top bit of a linear address: 48 bits, or 57 with 5-level paging. */
static inline bool svm_audit_is_canonical(uint64_t address, uint64_t cr4)
{
	const uint64_t upper = (cr4 & CR4_LA57) ? SVM_BITS(63, 56) : SVM_BITS(63, 47);

	return (address & upper) == 0 || (address & upper) == upper;
}

#endif
