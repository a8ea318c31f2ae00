/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Features by name.
 *
 * The machine that judges is rarely the machine that failed, so nothing is asked of the processor
 * below.  What is not known counts as there: a rule that depends on it stays silent, as it does in
 * the library, and a false alarm is worth less than none.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "processor.h"

/* Where a feature shows: in Fn8000_000A, in a bit of CR4 or of EFER, or in a member of its own. */
enum kind { KIND_SVM, KIND_ECX, KIND_CR4, KIND_EFER, KIND_LONG_MODE, KIND_XSAVE };

struct feature {
	const char *name, *linux_name; /* The latter NULL: as the former. */
	enum kind kind;
	uint64_t bits;
};

static const struct feature features_known[] = {
	{ "npt", NULL, KIND_SVM, SVM_FEATURE_NPT },
	{ "lbrv", NULL, KIND_SVM, SVM_FEATURE_LBRV },
	{ "lock", "svm_lock", KIND_SVM, SVM_FEATURE_LOCK },
	{ "nrips", "nrip_save", KIND_SVM, SVM_FEATURE_NRIPS },
	{ "tsc_rate", "tsc_scale", KIND_SVM, SVM_FEATURE_TSC_RATE },
	{ "clean", "vmcb_clean", KIND_SVM, SVM_FEATURE_CLEAN },
	{ "flush_by_asid", "flushbyasid", KIND_SVM, SVM_FEATURE_FLUSH_BY_ASID },
	{ "decode_assists", "decodeassists", KIND_SVM, SVM_FEATURE_DECODE_ASSISTS },
	{ "pmc_virt", NULL, KIND_SVM, SVM_BIT(8) },
	{ "pause_filter", "pausefilter", KIND_SVM, SVM_FEATURE_PAUSE_FILTER },
	{ "pause_threshold", "pfthreshold", KIND_SVM, SVM_FEATURE_PAUSE_THRESHOLD },
	{ "avic", NULL, KIND_SVM, SVM_FEATURE_AVIC },
	{ "v_vmload", "v_vmsave_vmload", KIND_SVM, SVM_FEATURE_V_VMLOAD },
	{ "v_gif", "vgif", KIND_SVM, SVM_FEATURE_V_GIF },
	{ "gmet", NULL, KIND_SVM, SVM_FEATURE_GMET },
	{ "x2avic", NULL, KIND_SVM, SVM_FEATURE_X2AVIC },
	{ "sss", "ssscheck", KIND_SVM, SVM_FEATURE_SSS },
	{ "v_spec_ctrl", NULL, KIND_SVM, SVM_FEATURE_V_SPEC_CTRL },
	{ "rogpt", NULL, KIND_SVM, SVM_BIT(21) },
	{ "v_nmi", "vnmi", KIND_SVM, SVM_FEATURE_V_NMI },
	{ "ibs_virt", NULL, KIND_SVM, SVM_BIT(26) },
	{ "addr_check", "svme_addr_chk", KIND_SVM, SVM_FEATURE_ADDR_CHECK },
	{ "bus_lock", "bus_lock_threshold", KIND_SVM, SVM_FEATURE_BUS_LOCK },
	{ "idle_hlt", "idle_hlt", KIND_SVM, SVM_FEATURE_IDLE_HLT },
	{ "pml", NULL, KIND_ECX, SVM_BIT(4) },
	{ "x2avic_ext", NULL, KIND_ECX, SVM_BIT(6) },
	{ "fxsr", NULL, KIND_CR4, SVM_BIT(9) },
	{ "sse", NULL, KIND_CR4, SVM_BIT(10) },
	{ "umip", NULL, KIND_CR4, SVM_BIT(11) },
	{ "la57", NULL, KIND_CR4, SVM_BIT(12) },
	{ "fsgsbase", NULL, KIND_CR4, SVM_BIT(16) },
	{ "pcid", NULL, KIND_CR4, SVM_BIT(17) },
	{ "smep", NULL, KIND_CR4, SVM_BIT(20) },
	{ "smap", NULL, KIND_CR4, SVM_BIT(21) },
	{ "pku", NULL, KIND_CR4, SVM_BIT(22) },
	{ "cet", "user_shstk", KIND_CR4, SVM_BIT(23) },
	{ "nx", NULL, KIND_EFER, SVM_BIT(11) },
	{ "lmsle", NULL, KIND_EFER, SVM_BIT(13) },
	{ "ffxsr", "fxsr_opt", KIND_EFER, SVM_BIT(14) },
	{ "tce", NULL, KIND_EFER, SVM_BIT(15) },
	{ "mcommit", NULL, KIND_EFER, SVM_BIT(17) },
	{ "intwb", NULL, KIND_EFER, SVM_BIT(18) },
	{ "uaie", NULL, KIND_EFER, SVM_BIT(20) },
	{ "aibrse", "autoibrs", KIND_EFER, SVM_BIT(21) },
	{ "xsave", NULL, KIND_XSAVE, SVM_BIT(18) },
	{ "lm", NULL, KIND_LONG_MODE, SVM_BIT(8) | SVM_BIT(10) },
};
#define FEATURE_COUNT (sizeof(features_known) / sizeof(features_known[0]))

/* Bits of CR4 and EFER that no processor of AMD has. */
#define CR4_NEVER  (SVM_BITS(63, 32) | SVM_BITS(15, 13) | SVM_BIT(19))
#define EFER_NEVER (SVM_BITS(63, 22) | SVM_BIT(19) | SVM_BIT(16) | SVM_BIT(9) | SVM_BITS(7, 1))

static const struct model {
	const char *name, *text;
	uint32_t svm, asid_count;
	uint8_t physical_bits;
} models[] = {
	{ "barest", "nested paging and nothing else, two ASIDs, 36 bits", 1, 2, 36 },
	{ "qemu", "QEMU 7.2 to 10.0, TCG, -cpu EPYC,+svm,+npt", 1, 16, 40 },
	{ "bochs", "Bochs 2.7, ryzen", 0x44f, 0x8000, 40 },
};

void processor_any(struct svm_features *features)
{
	*features = (struct svm_features){
		.has_svm = true,
		.svm = ~UINT64_C(0),
		.svm_ecx = ~UINT32_C(0),
		.physical_bits = 52,
		.linear_bits = 57,
		.long_mode = true,
		.xsave = true,
		.cr0_reserved = SVM_BITS(63, 32),
		.cr4_reserved = CR4_NEVER,
		.efer_reserved = EFER_NEVER,
	};
}

bool processor_model(struct svm_features *features, const char *name)
{
	processor_any(features);
	if (strcmp(name, "any") == 0)
		return true;
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		if (strcmp(name, models[i].name) != 0)
			continue;
		features->svm = models[i].svm;
		features->svm_ecx = 0;
		features->asid_count = models[i].asid_count;
		features->physical_bits = models[i].physical_bits;
		return true;
	}
	return false;
}

void processor_models(FILE *out)
{
	fprintf(out, "%-8s %s\n", "any", "whatever some processor allows");
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
		fprintf(out, "%-8s %s\n", models[i].name, models[i].text);
}

static uint64_t with(uint64_t set, uint64_t bits, bool on)
{
	return on ? set | bits : set & ~bits;
}

static void switch_feature(struct svm_features *features, const struct feature *feature, bool on)
{
	switch (feature->kind) {
	case KIND_SVM:
		features->svm = with(features->svm, feature->bits, on);
		break;
	case KIND_ECX:
		features->svm_ecx = (uint32_t)with(features->svm_ecx, feature->bits, on);
		break;
	case KIND_LONG_MODE:
		features->long_mode = on;
		break;
	case KIND_XSAVE:
		features->xsave = on;
		features->cr4_reserved = with(features->cr4_reserved, feature->bits, !on);
		break;
	case KIND_CR4:
		features->cr4_reserved = with(features->cr4_reserved, feature->bits, !on);
		break;
	case KIND_EFER:
		features->efer_reserved = with(features->efer_reserved, feature->bits, !on);
		break;
	}
}

static bool is_same(const char *a, const char *b)
{
	for (; *a && *b; a++, b++) {
		const char x = *a == '-' ? '_' : (char)tolower((unsigned char)*a);

		if (x != *b)
			return false;
	}
	return *a == *b;
}

/* As people say it. */
static const char *usual_name(const char *name)
{
	static const struct {
		const char *said, *name;
	} others[] = {
		{ "nrip", "nrips" },   { "lbr", "lbrv" },     { "flush_asid", "flush_by_asid" },
		{ "vls", "v_vmload" }, { "long_mode", "lm" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (is_same(name, others[i].said))
			return others[i].name;
	return name;
}

static const struct feature *find_feature(const char *said)
{
	const char *name = usual_name(said);

	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature *feature = &features_known[i];

		if (is_same(name, feature->name) ||
		    (feature->linux_name && is_same(name, feature->linux_name)))
			return feature;
	}
	return NULL;
}

void processor_names(FILE *out)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		fprintf(out, "%s\n", features_known[i].name);
}

bool processor_features(struct svm_features *features, char *list, char why[PROCESSOR_WHY])
{
	char *rest = NULL;

	if (*list != '+' && *list != '-') {
		features->svm = 0;
		features->svm_ecx = 0;
	}
	for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		const bool on = *name != '-';
		const struct feature *feature;

		name += *name == '+' || *name == '-';
		feature = find_feature(name);
		if (!feature) {
			snprintf(why, PROCESSOR_WHY,
			         "'%s' is no feature; --list-features names them", name);
			return false;
		}
		switch_feature(features, feature, on);
	}
	return true;
}

/* Linux does not print each of them: what it never prints stays as it was. */
static bool is_printed(const struct feature *feature)
{
	static const char *const silent[] = { "pmc_virt",  "gmet",       "rogpt", "ibs_virt",
		                              "pml",       "x2avic_ext", "sss",   "lmsle",
		                              "tce",       "mcommit",    "intwb", "uaie",
		                              "addr_check" };

	for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
		if (strcmp(feature->name, silent[i]) == 0)
			return false;
	return true;
}

static void take_flags(struct svm_features *features, char *flags)
{
	char *rest = NULL;

	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (is_printed(&features_known[i]))
			switch_feature(features, &features_known[i], false);
	for (char *name = strtok_r(flags, " \n", &rest); name;
	     name = strtok_r(NULL, " \n", &rest)) {
		const struct feature *feature = find_feature(name);

		if (feature)
			switch_feature(features, feature, true);
	}
}

bool processor_cpuinfo(struct svm_features *features, FILE *cpuinfo, char why[PROCESSOR_WHY])
{
	bool has_flags = false, has_svm = false;
	char *line = NULL;
	size_t room = 0;

	while (getline(&line, &room, cpuinfo) > 0 && *line != '\n') {
		char *value = strchr(line, ':');
		unsigned int bits;

		if (!value)
			continue;
		value++;
		if (strncmp(line, "flags", 5) == 0) {
			has_flags = true;
			has_svm = strstr(value, " svm ") != NULL;
			take_flags(features, value);
		} else if (strncmp(line, "address sizes", 13) == 0 &&
		           sscanf(value, " %u", &bits) == 1 && bits >= 32 && bits <= 52) {
			features->physical_bits = (uint8_t)bits;
		}
	}
	free(line);
	if (!has_flags)
		snprintf(why, PROCESSOR_WHY, "it has no line of flags");
	else if (!has_svm)
		snprintf(why, PROCESSOR_WHY, "this processor has no SVM, or it is off");
	return has_flags && has_svm;
}
