/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The monitor's commands: what is typed, what is answered, for people and for programs. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/console_terminal.h"
#include "../../ports/baremetal/guests.h"
#include "../../ports/baremetal/kprintf.h"
#include "../../ports/baremetal/monitor.h"
#include "../../ports/baremetal/monitor_command.h"
#include "../../ports/baremetal/power.h"
#include "fake_guests.h"
#include "fake_terminal.h"

static bool take_input(void *arg, uint8_t byte)
{
	(void)arg;
	(void)byte;
	return true;
}

/* Guest a is RUNNING, b has ended and is kept. */
static void begin(void)
{
	now = SECOND;
	console_start_input(NULL);
	make_guests();
	guest[0].console.input = guest[1].console.input = take_input;
	ck_assert_int_eq(guest_do(&guest[0], GUEST_VERB_START), GUEST_DONE);
	ck_assert_int_eq(guest_do(&guest[1], GUEST_VERB_START), GUEST_DONE);
	guest[1].life.actions[GUEST_ON_CRASH] = GUEST_ACTION_KEEP;
	end_guest(&guest[1], GUEST_END_TRIPLE_FAULT, "triple-fault: too bad");
	guest_look(&guest[1], now);
	guest[0].cpus[0].exits[SVM_EXIT_KIND_HLT] = 4;
	guest[0].cpus[0].timed[SVM_EXIT_KIND_HLT] = 3;
	guest[0].cpus[0].cycles[SVM_EXIT_KIND_HLT] = 4002;
	guest[0].cpus[0].exit[0].rip = 0x1234;
	guest[0].cpus[0].next_exit = 1;
	guest[0].cpus[0].has_exit = true;
	steps[0] = '\0';
	forget();
}

/* Behind the line that was typed and before the next prompt. */
static const char *answer_to(const char *line)
{
	char *answer;

	if (!console_is_prompting())
		type(KEY);
	type(line);
	forget();
	type("\r\n");
	answer = strchr(shown, '\n');
	ck_assert_ptr_nonnull(answer);
	ck_assert_uint_gt(shown_size, strlen(PROMPT));
	ck_assert_str_eq(shown + shown_size - strlen(PROMPT), PROMPT);
	shown[shown_size - strlen(PROMPT)] = '\0';
	return answer + 1;
}

#define LIST                                                                                       \
	"  NAME  STATE    CPUS  MEMORY MIB  EXITS  NOTE\n"                                         \
	"  a     RUNNING     1           4    100\n"                                               \
	"  b     STOPPED     2           8    200  ended: triple-fault: too bad\n"

static const struct {
	const char *what, *line, *answer;
} rows[] = {
	{ "a list of all guests", "vm list", LIST },
	{ "vm may be left out", "list", LIST },
	{ "blanks do not matter", "  vm   list  ", LIST },
	{ "letters are taken back", "vm lixx\b\177st", LIST },
	{ "and the same as JSON", "vm list -j",
	  "[{\"name\":\"a\",\"state\":\"RUNNING\",\"cpus\":1,\"memory_mib\":4,\"exits\":100,"
	  "\"note\":\"\"},{\"name\":\"b\",\"state\":\"STOPPED\",\"cpus\":2,\"memory_mib\":8,"
	  "\"exits\":200,\"note\":\"ended: triple-fault: too bad\"}]\n" },
	{ "all about one", "vm show b",
	  "  name           b\n  state          STOPPED\n  cpus           2\n"
	  "  memory_mib     8\n  exits          200\n"
	  "  note           ended: triple-fault: too bad\n  library_state  another\n"
	  "  processors     all\n  limit_ms       0\n  on_power_off   destroy\n"
	  "  on_reset       destroy\n  on_crash       keep\n" },
	{ "a verb is answered by the state", "vm pause a", "guest a: PAUSED\n" },
	{ "by the state as JSON", "-j pause a", "{\"name\":\"a\",\"state\":\"PAUSED\"}\n" },
	{ "what cannot be done is told with what can", "vm resume a",
	  "guest a is RUNNING: no resume; there are pause, reset, stop, destroy\n" },
	{ "as JSON", "resume b -j",
	  "{\"error\":\"guest b is STOPPED: no resume; there are start, reset, destroy\"}\n" },
	{ "destroy", "destroy b", "guest b: ABSENT\n" },
	{ "cycle is for who is absent", "vm cycle a 10",
	  "guest a is RUNNING: cycle is for one that is ABSENT\n" },
	{ "cycle needs a count", "vm cycle a 0", "usage: vm cycle NAME COUNT [MS]\n" },
	{ "and a number", "vm cycle a ten", "usage: vm cycle NAME COUNT [MS]\n" },
	{ "that is not too large", "vm cycle a 1 3600001", "usage: vm cycle NAME COUNT [MS]\n" },
	{ "processors", "vcpu list a",
	  "  VM  VCPU  STATE   CPU  ALLOWED  MS  SLICES  ENTRIES  RETURNS  INTERRUPTS  FILLS  "
	  "INJECTED  ASIDS  FLUSHES\n"
	  "  a      0  HALTED    0  all       0       0      100       30           0      "
	  "0         0      0        0\n" },
	{ "where a processor may run", "vcpu pin b 1 0", "guest b: vCPUs 1 on 0\n" },
	{ "all of a guest's", "vcpu pin b all 0-1 -j",
	  "{\"name\":\"b\",\"vcpus\":\"all\",\"allowed\":\"0-1\"}\n" },
	{ "a processor that it has not", "vcpu pin b 1,2 0",
	  "guest b has processors 0 to 1\n" },
	{ "one that the host has not", "vcpu pin b 0 2", "usage: vcpu pin NAME VCPUS CPUS\n" },
	{ "no set", "vcpu pin b 0, 1", "usage: vcpu pin NAME VCPUS CPUS\n" },
	{ "an explanation", "vcpu explain a 0", "  exit at 1234\n  second line\n" },
	{ "a long one", "vcpu explain -f a 0", "  all about 1234\n" },
	{ "of nothing", "vcpu explain -f a", "usage: vcpu explain [-f] NAME N\n" },
	{ "as JSON", "vcpu explain a 0 -j", "{\"text\":\"exit at 1234\\u000asecond line\"}\n" },
	{ "nothing to explain", "vcpu explain b 1",
	  "no exit of its own has ended a run yet; trace has those that did not\n" },
	{ "no such processor", "vcpu regs b 2", "guest b has processors 0 to 1\n" },
	{ "no number", "vcpu regs b x", "usage: vcpu regs NAME N\n" },
	{ "what was recorded", "trace a 0",
	  "  NUMBER  TSC  CODE   RIP  INFO1  INFO2  KIND     EVENT\n"
	  "       7  abc  HLT   1000      1      2  HLT          0\n"
	  "       8  abd  ?     1001      0      0  -     80000b0d\n" },
	{ "for a tool", "trace -d a 0", "header of 2\nrecord 7\nrecord 8\n" },
	{ "not both", "trace -d a 0 -j", "{\"error\":\"usage: trace [-d] NAME N\"}\n" },
	{ "of one processor", "trace -d a", "usage: trace [-d] NAME N\n" },
	{ "counts", "stats a",
	  "  VCPU  EXIT   WHERE    COUNT  CYCLES  EACH\n"
	  "     0  HLT    library      4    3000   750\n"
	  "     0  other  library      1       0     0\n"
	  "     0  HLT    port         4    4002  1334\n" },
	{ "memory", "mem",
	  "  USE    NAME  FRAMES  MIB\n  guest  a       1024    4\n  guest  b       2048    8\n"
	  "  host           5928   23\n  free           1000    3\n  total         10000   39\n" },
	{ "the host's processors", "cpu list",
	  "  CPU  STATE   APIC ID  BUSY MS  TICKS  LATEST US\n"
	  "    0  ONLINE        0     1000      0          0\n"
	  "    1  ONLINE        0     2000      0          0\n" },
	{ "one less", "cpu offline 1", "cpu 1: OFFLINE\n" },
	{ "as JSON", "cpu offline 1 -j", "{\"cpu\":1,\"online\":false}\n" },
	{ "one that is not there", "cpu online 2", "cpu 2: there is no such processor\n" },
	{ "a guest must be there", "stats c", "no guest 'c'; vm list tells what there are\n" },
	{ "a guest must be named whole", "stop aa",
	  "no guest 'aa'; vm list tells what there are\n" },
	{ "too few words get the usage", "attach", "usage: attach NAME\n" },
	{ "so do too many", "vm list x", "usage: vm list\n" },
	{ "as JSON", "stats -j", "{\"error\":\"usage: stats [-f] NAME\"}\n" },
	{ "an option is no word", "stats -f", "usage: stats [-f] NAME\n" },
	{ "a command must be named whole", "lis", "no command 'lis'; did you mean 'list'?\n" },
	{ "letters in the wrong order are understood", "attahc a",
	  "no command 'attahc'; did you mean 'attach'?\n" },
	{ "so are second words", "vcpu lsit",
	  "no command 'vcpu lsit'; did you mean 'vcpu list'?\n" },
	{ "what is far from all is not", "reboot",
	  "no command 'reboot'; help tells what there are\n" },
	{ "half a command is none", "cpu", "no command 'cpu'; help tells what there are\n" },
	{ "a quote that is open", "vm show \"a", "a quote is not closed\n" },
	{ "help about some", "help vcpu",
	  "  COMMAND                   MEANING\n"
	  "  vcpu list [NAME]          the processors of a guest, or of all\n"
	  "  vcpu pin NAME VCPUS CPUS  let them run on these only: 0-1,3 or all\n"
	  "  vcpu regs NAME N          the registers of its processor N\n"
	  "  vcpu explain [-f] NAME N  why a run ended last; -f: all about it\n" },
	/* New guests. */
	{ "what is wrong with a key is told with it", "vm create c memory=5M",
	  "memory=5M: expected a kernel\n" },
	{ "a word that is no key", "vm create c kernel",
	  "expected KEY=VALUE of one guest, not 'kernel'\n" },
	{ "a comment is no key", "vm create c #k=1",
	  "expected KEY=VALUE of one guest, not '#k=1'\n" },
	{ "nor is another guest", "vm create c guest=d",
	  "expected KEY=VALUE of one guest, not 'guest=d'\n" },
	{ "a guest that has a machine", "vm create a kernel=k",
	  "guest a is RUNNING: no create; there are pause, reset, stop, destroy\n" },
	{ "a guest that is not configured", "vm create c",
	  "no guest 'c'; vm list tells what there are\n" },
	{ "a new guest", "vm create c kernel=k", "guest c: CREATED\n" },
};

START_TEST(a_command_is_answered)
{
	const char *answer;

	begin();
	answer = answer_to(rows[_i].line);
	ck_assert_msg(!strcmp(answer, rows[_i].answer), "%s: %s", rows[_i].what, answer);
}
END_TEST

START_TEST(a_definition_is_a_section_of_a_configuration)
{
	begin();
	answer_to("vm create c kernel=\"a b\" cmdline=\"x=\\\"y\\\\z\" cpus=2");
	ck_assert_str_eq(defined, "guest c\nkernel=\"a b\"\ncmdline=\"x=\\\"y\\\\z\"\n"
	                          "cpus=\"2\"\n");
	expect_steps("M");
}
END_TEST

START_TEST(each_verb_has_its_command)
{
	for (int verb = 0; verb < GUEST_VERB_COUNT; verb++) {
		const struct monitor_command *command;
		bool is_there = false;

		for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++)
			is_there |= !strncmp(command->name, "vm ", 3) &&
			            !strcmp(command->name + 3,
			                    guest_verb_word((enum guest_verb)verb));
		ck_assert_msg(is_there, "%s", guest_verb_word((enum guest_verb)verb));
	}
}
END_TEST

START_TEST(each_first_word_is_offered)
{
	const struct monitor_command *command;
	const char *word;

	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		const size_t size = strcspn(command->name, " ");
		bool is_there = false;

		for (unsigned int j = 0; (word = monitor_first_word(j)) != NULL; j++)
			is_there |= strlen(word) == size && !memcmp(word, command->name, size);
		ck_assert_msg(is_there, "%s", command->name);
	}
}
END_TEST

START_TEST(help_tells_every_command_and_fits_a_screen)
{
	const struct monitor_command *command;
	const char *answer;

	begin();
	answer = answer_to("help");
	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		ck_assert_ptr_nonnull(strstr(answer, command->name));
		ck_assert_ptr_nonnull(strstr(answer, command->text));
	}
	for (const char *line = answer; *line; line += strcspn(line, "\n") + 1)
		ck_assert_uint_lt(strcspn(line, "\n"), 80);
}
END_TEST

/* What a command may be given where guest a runs and b is stopped; NULL: it answers nothing. */
static const struct {
	const char *name, *arguments;
} examples[] = {
	{ "help", "" }, { "vm list", "" }, { "vm show", "a" }, { "vm create", "c kernel=k" },
	{ "vm start", "b" }, { "vm pause", "a" }, { "vm resume", "a" }, { "vm reset", "a" },
	{ "vm stop", "a" }, { "vm destroy", "b" }, { "vm cycle", "a 1" }, { "vcpu list", "b" },
	{ "vcpu pin", "b 0 1" }, { "vcpu regs", "a 0" }, { "vcpu explain", "a 0" },
	{ "stats", "a" }, { "trace", "a 0" }, { "mem", "" }, { "cpu list", "" },
	{ "cpu offline", "1" }, { "cpu online", "1" }, { "attach", NULL }, { "quit", NULL },
	{ "power-off", NULL },
};

static const char *example_of(const char *name)
{
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		if (!strcmp(examples[i].name, name))
			return examples[i].arguments;
	}
	ck_abort_msg("%s has no example", name);
}

/* One line, an object or an array, in which quotes and brackets are closed in their order. */
static bool is_json_line(const char *text)
{
	char open[16];
	size_t depth = 0;
	bool is_quoted = false;

	if (*text != '{' && *text != '[')
		return false;
	for (; *text && *text != '\n'; text++) {
		if (*text == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && *text == '\\')
			text++;
		else if (!is_quoted && (*text == '{' || *text == '['))
			open[depth++] = *text == '{' ? '}' : ']';
		else if (!is_quoted && (*text == '}' || *text == ']') &&
		         (!depth || open[--depth] != *text))
			return false;
		if (depth == sizeof(open))
			return false;
	}
	return !is_quoted && !depth && text[0] == '\n' && !text[1];
}

START_TEST(each_command_answers_in_json)
{
	const struct monitor_command *command;
	const char *arguments, *answer;
	char line[128];

	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		arguments = example_of(command->name);
		if (!arguments)
			continue;
		begin();
		snprintf(line, sizeof(line), "%s %s -j", command->name, arguments);
		answer = answer_to(line);
		ck_assert_msg(is_json_line(answer), "%s: %s", line, answer);
	}
}
END_TEST

START_TEST(each_command_tells_its_usage)
{
	const struct monitor_command *command;
	char line[512], usage[128];

	for (unsigned int i = 0; (command = monitor_command(i)) != NULL; i++) {
		size_t used = (size_t)snprintf(line, sizeof(line), "%s", command->name);

		snprintf(usage, sizeof(usage), "usage: %s%s%s\n", command->name,
		         command->arguments[0] ? " " : "", command->arguments);
		begin();
		if (command->least)
			ck_assert_str_eq(answer_to(line), usage);
		if (command->most == WORDS_MAX)
			continue;
		for (unsigned int word = 0; word <= command->most; word++)
			used += (size_t)snprintf(line + used, sizeof(line) - used, " a");
		ck_assert_str_eq(answer_to(line), usage);
	}
}
END_TEST

/* A guest that runs is held for that moment; one that does not is not touched. */
START_TEST(registers_are_read_while_the_guest_stands_still)
{
	begin();
	ck_assert_ptr_nonnull(strstr(answer_to("vcpu regs a 0"), "  rip     000000000000fff0\n"));
	expect_steps("PU");
	ck_assert_ptr_nonnull(strstr(answer_to("vcpu regs a 0 -j"),
	                             "\"rip\":\"0x000000000000fff0\",\"rflags\":"));
	expect_steps("PU");
	answer_to("pause a");
	expect_steps("Pp");
	ck_assert_ptr_nonnull(strstr(answer_to("vcpu regs a 0"),
	                             "  cs      0008 base 0000000000000000 limit 0000ffff "
	                             "attributes 000\n"));
	answer_to("vcpu explain a 0");
	answer_to("trace a 0");
	expect_steps("");
}
END_TEST

START_TEST(a_processor_runs_where_it_was_pinned)
{
	begin();
	answer_to("vcpu pin b 1 1");
	expect_steps("i");
	ck_assert_uint_eq(guest[1].affinity[0], UINT64_MAX);
	ck_assert_uint_eq(guest[1].affinity[1], 2);
	ck_assert_ptr_nonnull(strstr(answer_to("vm show b"), "  processors     all; vCPU 1: 1\n"));
	ck_assert_ptr_nonnull(strstr(answer_to("vcpu list b"), "  b      1  HALTED    0  1  "));
	answer_to("vcpu pin b all 0-1");
	expect_steps("ii");
	ck_assert_ptr_nonnull(strstr(answer_to("vm show b"), "  processors     0-1\n"));
	answer_to("cpu offline 1");
	ck_assert_str_eq(answer_to("vcpu pin b 0 1"), "none of these processors is online\n");
	expect_steps("");
}
END_TEST

START_TEST(nothing_is_told_of_a_machine_that_is_not_there)
{
	static const char *const lines[] = { "vcpu regs b 0", "vcpu explain b 0", "trace b 0",
		                             "stats b", "stats -f b" };

	begin();
	answer_to("destroy b");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		ck_assert_str_eq(answer_to(lines[i]), "guest b has no machine\n");
	ck_assert_str_eq(answer_to("attach b"), "guest b has no machine; vm start makes one\n");
	ck_assert_ptr_null(strstr(answer_to("vcpu list"), "  b "));
	ck_assert_ptr_null(strstr(answer_to("mem"), "  b "));
	ck_assert_ptr_nonnull(strstr(answer_to("vm show b"), "  library_state  none\n"));
}
END_TEST

START_TEST(live_counts_are_of_the_last_second_until_a_key)
{
	begin();
	type(KEY "stats -f a\r");
	ck_assert_ptr_nonnull(strstr(shown, "each second, until a key\n"));
	ck_assert_str_ne(shown + shown_size - strlen(PROMPT), PROMPT);
	forget();
	ck_assert_uint_eq(monitor_look(now + SECOND - 1), now + SECOND);
	expect("");
	guest[0].cpus[0].exits[SVM_EXIT_KIND_IO] = 100;
	guest[0].cpus[0].cycles[SVM_EXIT_KIND_IO] = 20000;
	now += 2 * SECOND;
	ck_assert_uint_eq(monitor_look(now), now + SECOND);
	expect("  EXIT  PER SECOND  EACH\n  IO            50   200\n");
	type("q");
	expect(PROMPT);
	ck_assert_uint_eq(monitor_look(now + SECOND), UINT64_MAX);
	expect("");
}
END_TEST

START_TEST(live_counts_end_with_the_guest)
{
	begin();
	type(KEY "stats -f a\r");
	guest_do(&guest[0], GUEST_VERB_DESTROY);
	forget();
	ck_assert_uint_eq(monitor_look(now), UINT64_MAX);
	expect("guest a is gone\n" PROMPT);
}
END_TEST

START_TEST(what_is_typed_is_edited_in_place)
{
	begin();
	type(KEY "vm lst");
	forget();
	type("\033[D\033[D");
	expect(ERASED PROMPT "vm lst\033[1D" ERASED PROMPT "vm lst\033[2D");
	type("i");
	expect(ERASED PROMPT "vm list\033[2D");
	kprintf("host\n");
	expect(ERASED "host\n" PROMPT "vm list\033[2D");
	type("\r");
	ck_assert_ptr_nonnull(strstr(shown, PROMPT "vm list\n" LIST));
	forget();
	type("\033[A");
	expect(ERASED PROMPT "vm list");
}
END_TEST

START_TEST(a_long_line_does_not_leave_its_row)
{
	begin();
	type(KEY);
	for (int i = 0; i < 200; i++) {
		forget();
		type(i == 199 ? "y" : "x");
		ck_assert_uint_le(shown_size, strlen(ERASED) + 79);
	}
	ck_assert_int_eq(shown[shown_size - 1], 'y');
}
END_TEST

/* What stands in the line after Tab. */
static const struct {
	const char *keys, *line;
} tab_rows[] = {
	{ "att\t", "attach " },  { "attach b\t", "attach b " }, { "vc\tr\t", "vcpu regs " },
	{ "vm sh\tb\t", "vm show b " }, { "stop b\t", "stop b " },     { "vm pau\t", "vm pause " },
	{ "help b\t", "help b" }, { "cpu of\tb\t", "cpu offline b" },
	{ "vm list b\t", "vm list b" },
};

START_TEST(tab_completes_commands_and_guests)
{
	begin();
	type(KEY);
	forget();
	type(tab_rows[_i].keys);
	type("\025"); /* the line before this is the one to look at */
	ck_assert_ptr_nonnull(strstr(shown, tab_rows[_i].line));
	forget();
	type(tab_rows[_i].keys);
	type("!");
	ck_assert_uint_ge(shown_size, strlen(tab_rows[_i].line) + 1);
	ck_assert_int_eq(shown[shown_size - 1], '!');
	ck_assert_int_eq(strncmp(shown + shown_size - 1 - strlen(tab_rows[_i].line),
	                         tab_rows[_i].line, strlen(tab_rows[_i].line)), 0);
}
END_TEST

START_TEST(tab_tells_what_there_is)
{
	begin();
	type(KEY "vcpu ");
	forget();
	type("\t");
	expect(ERASED "  list  pin  regs  explain\n" PROMPT "vcpu ");
	type("\025stats ");
	forget();
	type("\t");
	expect(ERASED "  a  b\n" PROMPT "stats ");
}
END_TEST

START_TEST(attach_gives_the_terminal)
{
	begin();
	type(KEY "attach a\r");
	ck_assert_ptr_nonnull(strstr(shown, "[attached to a; Ctrl-] opens the monitor]\n"));
	ck_assert(!console_is_prompting());
}
END_TEST

START_TEST(an_empty_line_leaves)
{
	begin();
	type(KEY "  \r");
	ck_assert(!console_is_prompting());
	type(KEY KEY);
	ck_assert(!console_is_prompting());
}
END_TEST

START_TEST(quit_destroys_all_and_lets_none_start)
{
	begin();
	ck_assert(!console_wants_end());
	type(KEY "quit\r");
	ck_assert_int_eq(guest_state(&guest[0]), GUEST_ABSENT);
	ck_assert_int_eq(guest_state(&guest[1]), GUEST_ABSENT);
	ck_assert(console_wants_end());
}
END_TEST

START_TEST(power_off_ends_the_machine)
{
	int status;

	begin();
	status = setjmp(off);
	if (!status) {
		type(KEY "power-off\r");
		ck_abort_msg("it goes on");
	}
	ck_assert_int_eq(status, POWER_SUCCESS);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_command_is_answered, 0,
	                    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tcase, a_definition_is_a_section_of_a_configuration);
	tcase_add_test(tcase, each_verb_has_its_command);
	tcase_add_test(tcase, each_first_word_is_offered);
	tcase_add_test(tcase, help_tells_every_command_and_fits_a_screen);
	tcase_add_test(tcase, each_command_answers_in_json);
	tcase_add_test(tcase, each_command_tells_its_usage);
	tcase_add_test(tcase, registers_are_read_while_the_guest_stands_still);
	tcase_add_test(tcase, a_processor_runs_where_it_was_pinned);
	tcase_add_test(tcase, nothing_is_told_of_a_machine_that_is_not_there);
	tcase_add_test(tcase, live_counts_are_of_the_last_second_until_a_key);
	tcase_add_test(tcase, live_counts_end_with_the_guest);
	tcase_add_test(tcase, what_is_typed_is_edited_in_place);
	tcase_add_test(tcase, a_long_line_does_not_leave_its_row);
	tcase_add_loop_test(tcase, tab_completes_commands_and_guests, 0,
	                    (int)(sizeof(tab_rows) / sizeof(tab_rows[0])));
	tcase_add_test(tcase, tab_tells_what_there_is);
	tcase_add_test(tcase, attach_gives_the_terminal);
	tcase_add_test(tcase, an_empty_line_leaves);
	tcase_add_test(tcase, quit_destroys_all_and_lets_none_start);
	tcase_add_test(tcase, power_off_ends_the_machine);
}

int main(void)
{
	return suite_run("monitor", add_tests);
}
