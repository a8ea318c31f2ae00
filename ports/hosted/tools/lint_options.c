/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Options of svm-lint: what 4096 bytes do not say of the processor and of the host around them.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsvm/version.h>

#include "disassemble.h"
#include "lint.h"
#include "processor.h"

#define MSRPM_SIZE 0x2000u
#define IOPM_SIZE  0x3000u

static const char usage_text[] =
	"usage: svm-lint [OPTION]... [FILE]...\n"
	"       svm-lint --diff A B\n"
	"\n"
	"Judge VMCBs of AMD-V: each rule of VMRUN that is broken, and each setting that is\n"
	"legal and deadly. A FILE is 4096 raw bytes or several times that, or a hex dump: xxd,\n"
	"hexdump -C, QEMU's \"xp /1024wx ADDRESS\", gdb's \"x/1024wx\"; or what Linux's KVM\n"
	"prints of a VMCB with dump_invalid_vmcb=1. No FILE or -: standard input.\n"
	"\n"
	"  -c, --cpu MODEL         judge for a processor: --list-cpus; default: any\n"
	"  -f, --features LIST     SVM features it has: npt,nrips,... or +nrips,-avic\n"
	"      --cpuinfo FILE      features and widths from a copy of /proc/cpuinfo\n"
	"      --phys-bits N       width of physical addresses, 32 to 52\n"
	"      --asids N           number of ASIDs, CPUID Fn8000_000A EBX\n"
	"  -g, --given LIST        facts that the VMCB does not hold: no-paging, legacy-host,\n"
	"                          host-la57, if-clear, after-exit, moved, nmi-in-service,\n"
	"                          debug-switched\n"
	"      --vmcb-address A    where the VMCB lies;  --hsave A  what VM_HSAVE_PA holds\n"
	"      --msrpm FILE        its MSR permission map, 8 KiB;  --iopm FILE  and I/O, 12 KiB\n"
	"      --memory FILE[@BASE]  physical memory, with the nested tables: they are looked up\n"
	"      --before FILE       the same VMCB as the last exit left it: finds stale clean bits\n"
	"      --at OFFSET         judge the 4096 bytes there, and no others\n"
	"  -e, --errors-only       leave the warnings out\n"
	"  -i, --ignore RULES      leave these out: W01,W06\n"
	"  -d, --diff              print the fields in which two VMCBs differ\n"
	"      --fields[=all]      print the fields that are not 0, or all\n"
	"  -j, --json              for programs\n"
	"  -q, --quiet             only the sums\n"
	"      --color WHEN        auto, always, never\n"
	"      --list-rules, --list-features, --list-cpus, --help, --version\n"
	"\n"
	"Status: 0 clean, 1 warnings, 2 broken rules, 3 wrong usage or a file that cannot be "
	"read;\n"
	"with --diff 0 alike, 1 different, 3 trouble.\n";

enum long_option {
	OPTION_CPUINFO = 256,
	OPTION_PHYS_BITS,
	OPTION_ASIDS,
	OPTION_VMCB,
	OPTION_HSAVE,
	OPTION_MSRPM,
	OPTION_IOPM,
	OPTION_BEFORE,
	OPTION_MEMORY,
	OPTION_AT,
	OPTION_FIELDS,
	OPTION_COLOR,
	OPTION_LIST_RULES,
	OPTION_LIST_FEATURES,
	OPTION_LIST_CPUS,
};

static const struct option long_options[] = {
	{ "asids", required_argument, NULL, OPTION_ASIDS },
	{ "at", required_argument, NULL, OPTION_AT },
	{ "before", required_argument, NULL, OPTION_BEFORE },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "cpu", required_argument, NULL, 'c' },
	{ "cpuinfo", required_argument, NULL, OPTION_CPUINFO },
	{ "diff", no_argument, NULL, 'd' },
	{ "errors-only", no_argument, NULL, 'e' },
	{ "features", required_argument, NULL, 'f' },
	{ "fields", optional_argument, NULL, OPTION_FIELDS },
	{ "given", required_argument, NULL, 'g' },
	{ "help", no_argument, NULL, 'h' },
	{ "hsave", required_argument, NULL, OPTION_HSAVE },
	{ "ignore", required_argument, NULL, 'i' },
	{ "iopm", required_argument, NULL, OPTION_IOPM },
	{ "json", no_argument, NULL, 'j' },
	{ "list-cpus", no_argument, NULL, OPTION_LIST_CPUS },
	{ "list-features", no_argument, NULL, OPTION_LIST_FEATURES },
	{ "list-rules", no_argument, NULL, OPTION_LIST_RULES },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "msrpm", required_argument, NULL, OPTION_MSRPM },
	{ "phys-bits", required_argument, NULL, OPTION_PHYS_BITS },
	{ "quiet", no_argument, NULL, 'q' },
	{ "version", no_argument, NULL, 'V' },
	{ "vmcb-address", required_argument, NULL, OPTION_VMCB },
	{ NULL, 0, NULL, 0 },
};

_Noreturn void lint_wrong_usage(const char *what, const char *value)
{
	fprintf(stderr, "svm-lint: %s%s%s\nTry: svm-lint --help\n", what, value ? ": " : "",
	        value ? value : "");
	exit(STATUS_TROUBLE);
}

static uint64_t number(const char *what, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < least || value > most)
		lint_wrong_usage(what, text);
	return value;
}

/* A file of exactly so many bytes. */
static void read_map(const char *name, struct dump *map, size_t size)
{
	char why[DUMP_WHY];

	dump_free(map);
	if (!dump_open(name, map, why)) {
		fprintf(stderr, "svm-lint: %s: %s\n", name, why);
		exit(STATUS_TROUBLE);
	}
	if (map->known) {
		fprintf(stderr, "svm-lint: %s: not all of it is known\n", name);
		exit(STATUS_TROUBLE);
	}
	if (map->size != size) {
		fprintf(stderr, "svm-lint: %s: %zu bytes where %zu were expected\n", name,
		        map->size, size);
		exit(STATUS_TROUBLE);
	}
}

static void take_given(struct lint *lint, char *list)
{
	struct svm_audit_context *context = &lint->context;
	const struct {
		const char *name;
		bool *fact, value;
	} facts[] = {
		{ "no-paging", &context->host_paging, false },
		{ "legacy-host", &context->host_long_mode, false },
		{ "host-la57", &lint->host_la57, true },
		{ "if-clear", &context->host_interrupts, false },
		{ "after-exit", &context->at_rest, true },
		{ "moved", &context->moved, true },
		{ "nmi-in-service", &context->nmi_in_service, true },
		{ "debug-switched", &context->debug_switched, true },
	};
	char *rest = NULL;

	for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		size_t i = 0;

		while (i < sizeof(facts) / sizeof(facts[0]) && strcmp(facts[i].name, name) != 0)
			i++;
		if (i == sizeof(facts) / sizeof(facts[0]))
			lint_wrong_usage("--given has no fact of this name", name);
		*facts[i].fact = facts[i].value;
	}
}

static void take_color(struct lint *lint, const char *when)
{
	if (strcmp(when, "always") == 0)
		lint->style.color = true;
	else if (strcmp(when, "never") == 0)
		lint->style.color = false;
	else if (strcmp(when, "auto") != 0)
		lint_wrong_usage("--color is auto, always or never", when);
}

static void take_cpuinfo(struct lint *lint, const char *name)
{
	FILE *file = fopen(name, "r");
	char why[PROCESSOR_WHY];

	if (!file)
		snprintf(why, sizeof(why), "%s", strerror(errno));
	if (!file || !processor_cpuinfo(&lint->features, file, why)) {
		fprintf(stderr, "svm-lint: %s: %s\n", name, why);
		exit(STATUS_TROUBLE);
	}
	fclose(file);
}

static void check_ignored(const char *list)
{
	for (const char *id = list; *id; id += id[3] == ',' ? 4 : 3) {
		int rule = 0;

		while (rule < SVM_RULE_COUNT &&
		       strncmp(svm_rule_info((enum svm_rule)rule)->id, id, 3) != 0)
			rule++;
		if (rule == SVM_RULE_COUNT || (id[3] && id[3] != ','))
			lint_wrong_usage("--ignore takes ids of rules, with commas between", id);
	}
}

static _Noreturn void list_rules(void)
{
	for (int rule = 0; rule < SVM_RULE_COUNT; rule++)
		report_rule(stdout, svm_rule_info((enum svm_rule)rule));
	exit(STATUS_CLEAN);
}

/* What stands for itself, or ends the program. */
static bool take_plain_option(struct lint *lint, int option)
{
	switch (option) {
	case 'd':
		lint->diff = true;
		return true;
	case 'e':
		lint->context.errors_only = true;
		return true;
	case 'j':
		lint->json = true;
		return true;
	case 'q':
		lint->style.quiet = true;
		return true;
	case 'h':
		fputs(usage_text, stdout);
		exit(STATUS_CLEAN);
	case 'V':
		printf("svm-lint (libsvm) %s%s\n", svm_version(),
		       disassemble_exists() ? ", with a disassembler" : "");
		exit(STATUS_CLEAN);
	case OPTION_LIST_RULES:
		list_rules();
	case OPTION_LIST_FEATURES:
		processor_names(stdout);
		exit(STATUS_CLEAN);
	case OPTION_LIST_CPUS:
		processor_models(stdout);
		exit(STATUS_CLEAN);
	default:
		return false;
	}
}

static void take_processor_option(struct lint *lint, int option)
{
	char why[PROCESSOR_WHY];

	switch (option) {
	case 'c':
		if (!processor_model(&lint->features, optarg))
			lint_wrong_usage("no such model of a processor; --list-cpus names them",
			                 optarg);
		break;
	case 'f':
		if (!processor_features(&lint->features, optarg, why))
			lint_wrong_usage(why, NULL);
		break;
	case OPTION_CPUINFO:
		take_cpuinfo(lint, optarg);
		break;
	case OPTION_PHYS_BITS:
		lint->features.physical_bits =
			(uint8_t)number("--phys-bits is 32 to 52", optarg, 32, 52);
		break;
	case OPTION_ASIDS:
		lint->features.asid_count =
			(uint32_t)number("--asids is 2 to 2^32 - 1", optarg, 2, UINT32_MAX);
		break;
	default:
		exit(STATUS_TROUBLE); /* getopt_long() has said why. */
	}
}

static void take_option(struct lint *lint, int option)
{
	if (take_plain_option(lint, option))
		return;
	switch (option) {
	case 'g':
		take_given(lint, optarg);
		break;
	case 'i':
		check_ignored(optarg);
		lint->ignored = optarg;
		break;
	case OPTION_VMCB:
		lint->context.vmcb_hpa = number("not an address", optarg, 0, UINT64_MAX);
		break;
	case OPTION_HSAVE:
		lint->context.host_save_hpa = number("not an address", optarg, 0, UINT64_MAX);
		break;
	case OPTION_MSRPM:
		read_map(optarg, &lint->msrpm, MSRPM_SIZE);
		lint->context.msrpm = lint->msrpm.bytes;
		break;
	case OPTION_IOPM:
		read_map(optarg, &lint->iopm, IOPM_SIZE);
		lint->context.iopm = lint->iopm.bytes;
		break;
	case OPTION_BEFORE:
		read_map(optarg, &lint->before, VMCB_SIZE);
		lint->context.before = (const struct svm_vmcb *)(const void *)lint->before.bytes;
		break;
	case OPTION_MEMORY:
		memory_close(&lint->memory);
		if (!memory_open(&lint->memory, optarg))
			lint_wrong_usage("--memory takes a file, and perhaps @ and its address",
			                 optarg);
		break;
	case OPTION_AT:
		lint->at = number("not an offset", optarg, 0, UINT64_MAX);
		lint->at_given = true;
		break;
	case OPTION_FIELDS:
		lint->fields = true;
		lint->all_fields = optarg && strcmp(optarg, "all") == 0;
		if (optarg && !lint->all_fields)
			lint_wrong_usage("--fields or --fields=all", optarg);
		break;
	case OPTION_COLOR:
		take_color(lint, optarg);
		break;
	default:
		take_processor_option(lint, option);
		break;
	}
}

int lint_take_options(struct lint *lint, int argc, char **argv)
{
	int option;

	processor_any(&lint->features);
	lint->context = (struct svm_audit_context){
		.features = &lint->features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
	};
	lint->style.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	while ((option = getopt_long(argc, argv, "c:def:g:hi:jqV", long_options, NULL)) != -1)
		take_option(lint, option);
	return optind;
}
