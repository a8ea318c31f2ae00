/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * svm-lint: the audit for whoever has a VMCB and no libsvm in it.
 *
 * Everything read is a stranger's: sizes are checked before use, no pointer in a VMCB is followed,
 * and what the audit cannot know from 4096 bytes is said by options or left unjudged.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsvm/version.h>

#include "disassemble.h"
#include "dump.h"
#include "json.h"
#include "memory.h"
#include "processor.h"
#include "report.h"

#define VMCB_SIZE     sizeof(struct svm_vmcb)
#define MSRPM_SIZE    0x2000u
#define IOPM_SIZE     0x3000u
#define FINDINGS_MOST 1024 /* More than all rules for all fields and MSRs. */

enum status { STATUS_CLEAN, STATUS_WARNINGS, STATUS_ERRORS, STATUS_TROUBLE };

struct lint {
	struct svm_features features;
	struct svm_audit_context context;
	struct report_style style;
	bool json, diff, fields, all_fields, at_given, host_la57;
	uint64_t at;
	const char *ignored;
	struct dump msrpm, iopm, before;
	struct memory memory; /* With file NULL: none was given. */
	enum status status;
	size_t printed; /* Objects of JSON. */
};

static const char usage_text[] =
	"usage: svm-lint [OPTION]... [FILE]...\n"
	"       svm-lint --diff A B\n"
	"\n"
	"Judge VMCBs of AMD-V: each rule of VMRUN that is broken, and each setting that is\n"
	"legal and deadly. A FILE is 4096 raw bytes or several times that, or a hex dump: xxd,\n"
	"hexdump -C, QEMU's \"xp /1024wx ADDRESS\", gdb's \"x/1024wx\". No FILE or -: standard "
	"input.\n"
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

static _Noreturn void wrong_usage(const char *what, const char *value)
{
	fprintf(stderr, "svm-lint: %s%s%s\nTry: svm-lint --help\n", what, value ? ": " : "",
	        value ? value : "");
	exit(STATUS_TROUBLE);
}

static void trouble(struct lint *lint, const char *name, const char *why)
{
	fprintf(stderr, "svm-lint: %s: %s\n", name, why);
	lint->status = STATUS_TROUBLE;
}

static void worsen(struct lint *lint, enum status status)
{
	if (status > lint->status)
		lint->status = status;
}

/* --- options --------------------------------------------------------------------------------- */

static uint64_t number(const char *what, const char *text, uint64_t least, uint64_t most)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < least || value > most)
		wrong_usage(what, text);
	return value;
}

static bool open_and_decode(const char *name, struct dump *memory, char why[DUMP_WHY])
{
	const bool is_input = strcmp(name, "-") == 0;
	FILE *file = is_input ? stdin : fopen(name, "rb");
	struct dump raw;
	bool good;

	if (!file) {
		snprintf(why, DUMP_WHY, "%s", strerror(errno));
		return false;
	}
	good = dump_read(file, &raw, why);
	if (!is_input)
		fclose(file);
	if (!good)
		return false;
	good = dump_decode(&raw, memory, DUMP_MOST, why);
	dump_free(&raw);
	return good;
}

/* A file of exactly so many bytes. */
static void read_map(const char *name, struct dump *map, size_t size)
{
	char why[DUMP_WHY];

	dump_free(map);
	if (!open_and_decode(name, map, why)) {
		fprintf(stderr, "svm-lint: %s: %s\n", name, why);
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
			wrong_usage("--given has no fact of this name", name);
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
		wrong_usage("--color is auto, always or never", when);
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
			wrong_usage("--ignore takes ids of rules, with commas between", id);
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
			wrong_usage("no such model of a processor; --list-cpus names them", optarg);
		break;
	case 'f':
		if (!processor_features(&lint->features, optarg, why))
			wrong_usage(why, NULL);
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
			wrong_usage("--memory takes a file, and perhaps @ and its address", optarg);
		break;
	case OPTION_AT:
		lint->at = number("not an offset", optarg, 0, UINT64_MAX);
		lint->at_given = true;
		break;
	case OPTION_FIELDS:
		lint->fields = true;
		lint->all_fields = optarg && strcmp(optarg, "all") == 0;
		if (optarg && !lint->all_fields)
			wrong_usage("--fields or --fields=all", optarg);
		break;
	case OPTION_COLOR:
		take_color(lint, optarg);
		break;
	default:
		take_processor_option(lint, option);
		break;
	}
}

/* --- files ----------------------------------------------------------------------------------- */

static bool is_ignored(const struct lint *lint, const struct svm_finding *finding)
{
	return lint->ignored && strstr(lint->ignored, svm_rule_info(finding->rule)->id);
}

static void judge(struct lint *lint, const char *name, const struct svm_vmcb *vmcb)
{
	static struct svm_finding findings[FINDINGS_MOST];
	struct report report = { .name = name, .vmcb = vmcb, .findings = findings };
	size_t count;

	if (lint->memory.file && lint->context.host_long_mode) {
		lint->memory.root = svm_vmcb_get_ncr3(vmcb);
		lint->memory.levels = lint->host_la57 ? 5 : 4;
		lint->context.nested = memory_nested;
		lint->context.nested_arg = &lint->memory;
	}
	count = svm_audit(vmcb, &lint->context, findings, FINDINGS_MOST);

	if (count > FINDINGS_MOST)
		count = FINDINGS_MOST;
	for (size_t i = 0; i < count; i++)
		if (!is_ignored(lint, &findings[i]))
			findings[report.count++] = findings[i];
	report.errors = svm_finding_errors(findings, report.count);
	worsen(lint, report.errors ? STATUS_ERRORS : report.count ? STATUS_WARNINGS : STATUS_CLEAN);
	if (lint->json) {
		fputs(lint->printed++ ? ",\n" : "[", stdout);
		report_json(stdout, &report);
		return;
	}
	if (lint->fields)
		report_fields(stdout, vmcb, lint->all_fields);
	report_text(stdout, &report, &lint->style);
}

/* One VMCB of a dump of memory that is too large to be read, and is no text. */
static bool load_part(const struct lint *lint, const char *name, struct dump *memory)
{
	struct memory file;
	bool good = false;

	if (!lint->at_given || strchr(name, '@') || !memory_open(&file, name))
		return false;
	if (file.size > DUMP_MOST) {
		memory->bytes = malloc(VMCB_SIZE);
		memory->size = VMCB_SIZE;
		good = memory->bytes && memory_read(&file, lint->at, memory->bytes, VMCB_SIZE);
		if (!good)
			dump_free(memory);
	}
	memory_close(&file);
	return good;
}

/* The part that the options want, as whole VMCBs; false, with a reason, if it is none. */
static bool choose(const struct lint *lint, struct dump *memory, char why[DUMP_WHY])
{
	if (lint->at_given) {
		if (memory->size < VMCB_SIZE || lint->at > memory->size - VMCB_SIZE) {
			snprintf(why, DUMP_WHY, "%zu bytes: no VMCB at this offset", memory->size);
			return false;
		}
		memmove(memory->bytes, memory->bytes + lint->at, VMCB_SIZE);
		memory->size = VMCB_SIZE;
	}
	if (memory->size == 0 || memory->size % VMCB_SIZE != 0) {
		snprintf(why, DUMP_WHY,
		         "%zu bytes: a VMCB has 4096, and several a multiple of that",
		         memory->size);
		return false;
	}
	return true;
}

static bool load(struct lint *lint, const char *name, struct dump *memory)
{
	char why[DUMP_WHY];

	if (load_part(lint, name, memory))
		return true;
	if (!open_and_decode(name, memory, why)) {
		trouble(lint, name, why);
		return false;
	}
	if (!choose(lint, memory, why)) {
		trouble(lint, name, why);
		dump_free(memory);
		return false;
	}
	return true;
}

static void judge_file(struct lint *lint, const char *name)
{
	struct dump memory;
	char part[300];

	if (!load(lint, name, &memory))
		return;
	for (size_t i = 0; i < memory.size / VMCB_SIZE; i++) {
		static struct svm_vmcb vmcb;

		memcpy(&vmcb, memory.bytes + i * VMCB_SIZE, VMCB_SIZE);
		snprintf(part, sizeof(part), "%s[%zu]", name, i);
		judge(lint, memory.size == VMCB_SIZE ? name : part, &vmcb);
	}
	dump_free(&memory);
}

/* Two files of one VMCB each, or one file of two. */
static void compare(struct lint *lint, char *const names[], int count)
{
	static struct svm_vmcb a, b;
	struct dump memory[2] = { { NULL, 0 }, { NULL, 0 } };
	size_t differences;

	if (count != 1 && count != 2)
		wrong_usage("--diff compares two VMCBs", NULL);
	for (int i = 0; i < count; i++) {
		if (!load(lint, names[i], &memory[i]))
			exit(STATUS_TROUBLE);
		if (memory[i].size != VMCB_SIZE * (3 - (size_t)count))
			wrong_usage(
				"--diff compares two VMCBs, and this has another number of them",
				names[i]);
	}
	memcpy(&a, memory[0].bytes, VMCB_SIZE);
	memcpy(&b, count == 2 ? memory[1].bytes : memory[0].bytes + VMCB_SIZE, VMCB_SIZE);
	differences = lint->json ? report_difference_json(stdout, &a, &b)
	                         : report_difference(stdout, &a, &b, &lint->style);
	worsen(lint, differences ? STATUS_WARNINGS : STATUS_CLEAN);
	dump_free(&memory[0]);
	dump_free(&memory[1]);
}

int main(int argc, char **argv)
{
	static char dash[] = "-", *standard_input[] = { dash };
	static struct lint lint;
	int option;

	processor_any(&lint.features);
	lint.context = (struct svm_audit_context){
		.features = &lint.features,
		.host_paging = true,
		.host_long_mode = true,
		.host_interrupts = true,
	};
	lint.style.color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	while ((option = getopt_long(argc, argv, "c:def:g:hi:jqV", long_options, NULL)) != -1)
		take_option(&lint, option);

	char **names = optind < argc ? argv + optind : standard_input;
	const int count = optind < argc ? argc - optind : 1;

	if (lint.diff) {
		compare(&lint, names, count);
	} else {
		for (int i = 0; i < count; i++)
			judge_file(&lint, names[i]);
		if (lint.json)
			fputs(lint.printed ? "]\n" : "[]\n", stdout);
	}
	if (fflush(stdout) || ferror(stdout))
		trouble(&lint, "standard output", strerror(errno));
	dump_free(&lint.msrpm);
	dump_free(&lint.iopm);
	dump_free(&lint.before);
	memory_close(&lint.memory);
	return (int)lint.status;
}
