/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * CPUID with any leaf, subleaf and state of the vCPU, over a table of any number of rows with
 * anything in them, sorted or not.
 *
 * eva: src/core/cpuid_lookup.c
 * eva-options: -no-warn-invalid-bool
 */
#include "core/core.h"
#include "core/cpuid.h"

void eva_main(void);

void eva_main(void)
{
	static struct svm_cpuid_entry rows[SVM_CPUID_MAX];
	static struct svm_cpuid_table table;
	struct svm_cpuid_state state;
	struct svm_cpuid_regs regs;

	Frama_C_make_unknown((char *)rows, sizeof(rows));
	Frama_C_make_unknown((char *)&state, sizeof(state));
	table.entries = rows;
	table.count = (uint32_t)Frama_C_interval(0, SVM_CPUID_MAX);
	(void)svm_cpuid_lookup(&table, &state, (uint32_t)eva_any(), (uint32_t)eva_any(), &regs);
}
