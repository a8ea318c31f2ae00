/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table of commands, from which help, usage and completion come too. */
#include "console.h"
#include "guest.h"
#include "kprintf.h"
#include "monitor_command.h"
#include "power.h"

static const struct monitor_command commands[] = {
	{ "help", "[WORD]", 0, 1, "this list, or what begins with WORD", monitor_help },
	{ "vm list", "", 0, 0, "the guests and what they do", monitor_vm_list },
	{ "vm show", "NAME", 1, 1, "all about a guest", monitor_vm_show },
	{ "vm create", "NAME [KEY=VALUE...]", 1, WORDS_MAX,
	  "make its machine; with keys: a new guest's",
	  monitor_vm_create },
	{ "vm start", "NAME", 1, 1, "let it run, from the beginning of its image",
	  monitor_vm_verb },
	{ "vm pause", "NAME", 1, 1, "keep its processors from running", monitor_vm_verb },
	{ "vm resume", "NAME", 1, 1, "let them go on", monitor_vm_verb },
	{ "vm reset", "NAME", 1, 1, "make its machine afresh; runs if it ran",
	  monitor_vm_verb },
	{ "vm stop", "NAME", 1, 1, "end it, and keep it to be looked at", monitor_vm_verb },
	{ "vm destroy", "NAME", 1, 1, "end it, and unmake its machine", monitor_vm_verb },
	{ "vm cycle", "NAME COUNT [MS]", 2, 3,
	  "make, run for MS at most, unmake: so often",
	  monitor_vm_cycle },
	{ "vcpu list", "[NAME]", 0, 1, "the processors of a guest, or of all", monitor_vcpu_list },
	{ "vcpu pin", "NAME VCPUS CPUS", 3, 3, "let them run on these only: 0-1,3 or all",
	  monitor_vcpu_pin },
	{ "vcpu regs", "NAME N", 2, 2, "the registers of its processor N",
	  monitor_vcpu_regs },
	{ "vcpu explain", "[-f] NAME N", 2, 3, "why a run ended last; -f: all about it",
	  monitor_vcpu_explain },
	{ "stats", "[-f] NAME", 1, 2, "exits by kind; -f: each second, until a key",
	  monitor_stats },
	{ "trace", "[-d] NAME N", 2, 3, "its last exits; -d: as svm-trace wants them",
	  monitor_trace },
	{ "mem", "", 0, 0, "what the host's memory is used for", monitor_mem },
	{ "cpu list", "", 0, 0, "the host's processors", monitor_cpu_list },
	{ "cpu offline", "N", 1, 1, "take processor N from the guests", monitor_cpu_offline },
	{ "cpu online", "N", 1, 1, "give it back to them", monitor_cpu_online },
	{ "attach", "NAME", 1, 1, "give it the terminal, until Ctrl-]", monitor_attach },
	{ "quit", "", 0, 0, "destroy all guests, then end the machine", monitor_quit },
	{ "power-off", "", 0, 0, "end the machine at once", monitor_power_off },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

const struct monitor_command *monitor_command(unsigned int number)
{
	return number < COMMAND_COUNT ? &commands[number] : NULL;
}

const char *monitor_first_word(unsigned int number)
{
	static const char *const words[] = {
		"attach", "cpu",   "help",  "list",  "mem",    "power-off", "quit",
		"reset",  "start", "stats", "stop",  "trace",  "vcpu",      "vm",
	};

	return number < sizeof(words) / sizeof(words[0]) ? words[number] : NULL;
}

static bool begins_with(const char *name, const char *word)
{
	while (*word && *name == *word) {
		name++;
		word++;
	}
	return !*word;
}

void monitor_help(struct monitor_call *call)
{
	const char *const word = call->words.count ? call->words.word[0] : "";
	struct report *const report = monitor_report(call, REPORT_ROWS);
	char usage[64];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (!begins_with(commands[i].name, word))
			continue;
		format_text(usage, sizeof(usage), "%s%s%s", commands[i].name,
		            commands[i].arguments[0] ? " " : "", commands[i].arguments);
		report_text(report, "command", usage);
		report_text(report, "meaning", commands[i].text);
		report_row(report);
	}
	monitor_answer(report);
	if (call->is_json || call->words.count)
		return;
	kprintf("  With -j the answer is JSON.  `vm' may be left out.  Tab completes words.\n"
	        "  An empty line goes back to where you were; Ctrl-] there goes to the guest.\n");
}

void monitor_power_off(struct monitor_call *call)
{
	(void)call;
	kprintf("libsvm bare metal: power off at the console\n");
	power_off(POWER_SUCCESS);
}
