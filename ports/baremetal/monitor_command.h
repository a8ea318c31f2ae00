/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/** @file What the commands of the monitor share. The keeper of guests.c only. */
#ifndef BAREMETAL_MONITOR_COMMAND_H
#define BAREMETAL_MONITOR_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "words.h"

struct guest;

struct monitor_command;

/** A command that was typed. */
struct monitor_call {
	const struct monitor_command *command;
	struct words words; /**< behind the command's own, as many as it takes */
	bool is_json;
};

/** A command. */
struct monitor_command {
	const char *name;      /**< one word, or two with a blank between */
	const char *arguments; /**< for people */
	unsigned int least, most; /**< words that it takes */
	const char *text;
	void (*run)(struct monitor_call *call);
};

/** Command @p number; NULL behind the last. */
const struct monitor_command *monitor_command(unsigned int number);

/** First word @p number of all that a command can begin with; NULL behind the last. */
const char *monitor_first_word(unsigned int number);

/** Begin an answer; there is one at a time. */
struct report *monitor_report(const struct monitor_call *call, enum report_form form);

/** Give it. */
void monitor_answer(struct report *report);

/** The answer is that it cannot be done. */
void monitor_refuse(const struct monitor_call *call, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** How the command is to be written; the answer to what is not. */
void monitor_usage(const struct monitor_call *call);

/** The guest that a word names; NULL: there is none, and it was said. */
struct guest *monitor_guest(const struct monitor_call *call, unsigned int word);

/** A number up to @p most; false: it is none, and the usage was said. */
bool monitor_number(const struct monitor_call *call, unsigned int word, uint64_t most,
                    uint64_t *number);

/** @name Commands */
/** @{ */
void monitor_help(struct monitor_call *call);
void monitor_attach(struct monitor_call *call);
void monitor_quit(struct monitor_call *call);
void monitor_power_off(struct monitor_call *call);
void monitor_vm_list(struct monitor_call *call);
void monitor_vm_show(struct monitor_call *call);
void monitor_vm_create(struct monitor_call *call);
void monitor_vm_cycle(struct monitor_call *call);
/** All that is one of GUEST_VERBS, but for create. */
void monitor_vm_verb(struct monitor_call *call);
void monitor_vcpu_list(struct monitor_call *call);
void monitor_vcpu_pin(struct monitor_call *call);
void monitor_vcpu_regs(struct monitor_call *call);
void monitor_vcpu_explain(struct monitor_call *call);
void monitor_trace(struct monitor_call *call);
void monitor_stats(struct monitor_call *call);
void monitor_mem(struct monitor_call *call);
void monitor_cpu_list(struct monitor_call *call);
void monitor_cpu_offline(struct monitor_call *call);
void monitor_cpu_online(struct monitor_call *call);
/** @} */

/** Print again what `stats -f` follows, if it is time: when it will be; UINT64_MAX: never. */
uint64_t monitor_stats_look(uint64_t now);

bool monitor_stats_is_live(void);

/** Follow no longer. */
void monitor_stats_end(void);

#endif
