/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * svm-trace: what the flight recorder saw, for people.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsvm/diagnose.h>
#include <libsvm/version.h>

#include "exit_text.h"
#include "trace_print.h"

enum status { STATUS_GOOD, STATUS_NOTHING, STATUS_TROUBLE = 3 };

#define CODES_MOST 64

/* Which exits are wanted. */
struct filter {
	const char *names[CODES_MOST]; /* Of exits; none: all. */
	size_t name_count;
	uint64_t first_rip, last_rip, vcpu;
	bool has_rip, has_vcpu, returned, events;
};

struct program {
	struct trace trace;
	struct filter filter;
	char *exit_list;
	const char *perfetto, *svg;
	bool summary, raw, list, color;
	uint64_t last;
	enum status status;
};

static const char usage_text[] =
	"usage: svm-trace [OPTION]... [FILE]...\n"
	"\n"
	"Print dumps of libsvm's flight recorder: the lines that a console shows (text or\n"
	"hexadecimal, among whatever else it shows), or binary files. A log of QEMU with -d "
	"in_asm\n"
	"is read too. No FILE or -: standard input.\n"
	"\n"
	"  -x, --exit NAMES     only these exits: IOIO,#PF,CR4_WRITE,7Bh\n"
	"      --rip A[-B]      only exits at these addresses, hexadecimal\n"
	"      --vcpu N         only this vCPU\n"
	"      --returned       only exits that whoever runs the guest got\n"
	"      --events         only exits with an event cut short or injected\n"
	"  -n, --last N         only the last N exits of each dump\n"
	"  -s, --summary        numbers by exit and RIP, and what looks wrong\n"
	"  -l, --list           a line for each exit; what is done without -s, -r, -p and -g\n"
	"  -r, --raw            lines in the recorder's own text form\n"
	"  -p, --perfetto FILE  write a trace for ui.perfetto.dev or chrome://tracing\n"
	"  -g, --svg FILE       write a timeline as a picture\n"
	"      --color WHEN     auto, always, never\n"
	"  -h, --help           print this\n"
	"  -V, --version        print the version\n"
	"\n"
	"Status: 0 something was printed, 1 no exit was wanted, 3 wrong usage or a file that "
	"cannot\n"
	"be read or written.\n";

enum long_option { OPTION_RIP = 256, OPTION_VCPU, OPTION_RETURNED, OPTION_EVENTS, OPTION_COLOR };

static const struct option long_options[] = {
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "events", no_argument, NULL, OPTION_EVENTS },
	{ "exit", required_argument, NULL, 'x' },
	{ "help", no_argument, NULL, 'h' },
	{ "last", required_argument, NULL, 'n' },
	{ "list", no_argument, NULL, 'l' },
	{ "perfetto", required_argument, NULL, 'p' },
	{ "raw", no_argument, NULL, 'r' },
	{ "returned", no_argument, NULL, OPTION_RETURNED },
	{ "rip", required_argument, NULL, OPTION_RIP },
	{ "summary", no_argument, NULL, 's' },
	{ "svg", required_argument, NULL, 'g' },
	{ "vcpu", required_argument, NULL, OPTION_VCPU },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static _Noreturn void wrong_usage(const char *what, const char *value)
{
	fprintf(stderr, "svm-trace: %s: %s\nTry: svm-trace --help\n", what, value);
	exit(STATUS_TROUBLE);
}

static void trouble(struct program *program, const char *name, const char *why)
{
	fprintf(stderr, "svm-trace: %s: %s\n", name, why);
	program->status = STATUS_TROUBLE;
}

/* --- options --------------------------------------------------------------------------------- */

static uint64_t number(const char *what, const char *text, char **end, int base)
{
	unsigned long long value;

	errno = 0;
	value = strtoull(text, end, base);
	if (errno || *end == text || !isxdigit((unsigned char)*text))
		wrong_usage(what, text);
	return value;
}

static void take_rip(struct filter *filter, const char *text)
{
	char *end;

	filter->has_rip = true;
	filter->first_rip = filter->last_rip =
		number("--rip takes hexadecimal addresses", text, &end, 16);
	if (*end == '-')
		filter->last_rip = number("--rip takes hexadecimal addresses", end + 1, &end, 16);
	if (*end || filter->last_rip < filter->first_rip)
		wrong_usage("--rip takes hexadecimal addresses", text);
}

static void take_exits(struct program *program, const char *text)
{
	struct filter *filter = &program->filter;
	char *rest = NULL;

	free(program->exit_list);
	program->exit_list = strdup(text);
	filter->name_count = 0;
	for (char *name = strtok_r(program->exit_list, ",", &rest); name;
	     name = strtok_r(NULL, ",", &rest)) {
		if (filter->name_count == CODES_MOST)
			wrong_usage("--exit takes fewer names", text);
		filter->names[filter->name_count++] = name;
	}
	if (filter->name_count == 0)
		wrong_usage("--exit takes names of exits", text);
}

static bool take_color(const char *when)
{
	if (strcmp(when, "always") && strcmp(when, "never") && strcmp(when, "auto"))
		wrong_usage("--color is auto, always or never", when);
	return *when == 'a' && when[1] == 'l' ? true
	       : *when == 'n'                 ? false
	                                      : isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

static uint64_t decimal(const char *what, const char *text)
{
	char *end;
	const uint64_t value = number(what, text, &end, 10);

	if (*end)
		wrong_usage(what, text);
	return value;
}

static void take_filter_option(struct program *program, int option)
{
	struct filter *filter = &program->filter;

	switch (option) {
	case 'x':
		take_exits(program, optarg);
		break;
	case OPTION_RIP:
		take_rip(filter, optarg);
		break;
	case OPTION_VCPU:
		filter->has_vcpu = true;
		filter->vcpu = decimal("--vcpu takes a number", optarg);
		break;
	case OPTION_RETURNED:
		filter->returned = true;
		break;
	case OPTION_EVENTS:
		filter->events = true;
		break;
	default:
		exit(STATUS_TROUBLE); /* getopt_long() has said why. */
	}
}

static void take_option(struct program *program, int option)
{
	switch (option) {
	case 'n':
		program->last = decimal("--last takes a number", optarg);
		break;
	case 's':
		program->summary = true;
		break;
	case 'l':
		program->list = true;
		break;
	case 'r':
		program->raw = true;
		break;
	case 'p':
		program->perfetto = optarg;
		break;
	case 'g':
		program->svg = optarg;
		break;
	case OPTION_COLOR:
		program->color = take_color(optarg);
		break;
	case 'h':
		fputs(usage_text, stdout);
		exit(STATUS_GOOD);
	case 'V':
		printf("svm-trace (libsvm) %s\n", svm_version());
		exit(STATUS_GOOD);
	default:
		take_filter_option(program, option);
		break;
	}
}

/* --- files ----------------------------------------------------------------------------------- */

/* "7B", "7Bh", "0x7b" as the code; anything else as a name, in any case. */
static bool is_exit(const char *wanted, uint32_t code)
{
	char name[EXIT_NAME_SIZE], buffer[24], *end;
	const unsigned long value = strtoul(wanted, &end, 16);
	const char *other = svm_exit_name(code, buffer);

	if (strcasecmp(wanted, exit_name(code, name)) == 0 ||
	    (other && strcasecmp(wanted, other) == 0))
		return true;
	end += *end == 'h';
	return isxdigit((unsigned char)*wanted) && *end == '\0' && value == code;
}

static bool is_wanted(const void *arg, const struct trace_dump *dump,
                      const struct svm_record *record)
{
	const struct filter *filter = arg;
	bool named = filter->name_count == 0;

	for (size_t i = 0; i < filter->name_count; i++)
		named |= is_exit(filter->names[i], record->exit_code);
	return named && (!filter->has_vcpu || dump->header.vcpu == filter->vcpu) &&
	       (!filter->has_rip ||
	        (record->rip >= filter->first_rip && record->rip <= filter->last_rip)) &&
	       (!filter->returned || record->kind != SVM_EXIT_KIND_NONE) &&
	       (!filter->events || record->event || record->exit_int_info);
}

static void read_file(struct program *program, const char *name)
{
	const bool is_input = strcmp(name, "-") == 0;
	FILE *file = is_input ? stdin : fopen(name, "rb");
	char why[DUMP_WHY];
	struct dump raw;

	if (!file) {
		trouble(program, name, strerror(errno));
		return;
	}
	if (!dump_read(file, &raw, why)) {
		trouble(program, name, why);
	} else {
		if (!trace_read(&program->trace, &raw, why))
			trouble(program, name, why);
		dump_free(&raw);
	}
	if (!is_input)
		fclose(file);
}

static void write_file(struct program *program, const char *name,
                       void (*print)(FILE *out, const struct trace *trace))
{
	FILE *file = strcmp(name, "-") ? fopen(name, "w") : stdout;
	bool failed;

	if (!file) {
		trouble(program, name, strerror(errno));
		return;
	}
	print(file, &program->trace);
	failed = fflush(file) || ferror(file);
	if (file != stdout)
		failed |= fclose(file) != 0;
	if (failed)
		trouble(program, name, "it cannot be written");
}

static size_t wanted_exits(const struct trace *trace)
{
	size_t count = 0;

	for (size_t i = 0; i < trace->dump_count; i++)
		count += trace->dumps[i].count;
	return count;
}

static void print(struct program *program)
{
	const bool elsewhere =
		program->summary || program->raw || program->perfetto || program->svg;

	if (program->list || !elsewhere)
		trace_print_list(stdout, &program->trace, program->color);
	if (program->raw)
		trace_print_raw(stdout, &program->trace);
	if (program->summary)
		trace_print_summary(stdout, &program->trace);
	if (program->perfetto)
		write_file(program, program->perfetto, trace_print_perfetto);
	if (program->svg)
		write_file(program, program->svg, trace_print_svg);
	if (fflush(stdout) || ferror(stdout))
		trouble(program, "standard output", strerror(errno));
}

int main(int argc, char **argv)
{
	static struct program program;
	int option;

	program.last = UINT64_MAX;
	program.color = take_color("auto");
	while ((option = getopt_long(argc, argv, "x:n:slrp:g:hV", long_options, NULL)) != -1)
		take_option(&program, option);
	if (optind == argc)
		read_file(&program, "-");
	for (int i = optind; i < argc; i++)
		read_file(&program, argv[i]);
	trace_measure(&program.trace);
	trace_keep(&program.trace, is_wanted, &program.filter);
	trace_keep_last(&program.trace, program.last);
	if (wanted_exits(&program.trace))
		print(&program);
	else if (program.status == STATUS_GOOD)
		program.status = STATUS_NOTHING;
	trace_free(&program.trace);
	free(program.exit_list);
	return (int)program.status;
}
