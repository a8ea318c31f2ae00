/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The scheduler goes first: from then on no vCPU is loaded here, and svm_cpu_offline() finds the
 * processor free.  A virtual processor that comes to another one takes its state along with it, the
 * library sees to that.
 *
 * A guest that is made keeps its processors: one that it cannot do without does not go, though the
 * guest may not have been started yet, or be paused.
 */
#include "processors.h"

#include "cpu.h"
#include "format.h"
#include "guest.h"
#include "guests.h"
#include "sched.h"
#include "smp.h"

#define TIMEOUT_MS 5000

static bool is_offline[CPU_MAX];

/* Not on a stack: a processor that comes too late may still write here. */
static struct {
	bool is_closed;
	int error;
} answer;

static void leave_here(void *arg)
{
	(void)arg;
	answer.is_closed = sched_close();
	if (!answer.is_closed)
		return;
	answer.error = svm_cpu_offline(guests_host());
	if (answer.error)
		sched_open();
}

static void come_here(void *arg)
{
	(void)arg;
	answer.error = svm_cpu_online(guests_host());
	if (!answer.error)
		sched_open();
}

uint64_t processors_online_set(void)
{
	uint64_t set = 0;

	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		set |= (uint64_t)!is_offline[cpu] << cpu;
	return set;
}

/* Why the others are too few; NULL: they are not. */
static const char *find_need(uint64_t others)
{
	static char text[80];
	const struct guest *guest;

	if (!others)
		return "no other processor is left";
	for (unsigned int i = 0; (guest = guests_at(i)) != NULL; i++) {
		const uint32_t vcpu = guest_stranded(guest, others);

		if (guest_state(guest) == GUEST_ABSENT || vcpu == guest->cpu_count)
			continue;
		format_text(text, sizeof(text), "guest %s, vCPU %u, may run nowhere else",
		            guest->name, vcpu);
		return text;
	}
	return NULL;
}

const char *processors_offline(uint32_t cpu)
{
	const char *need;

	if (cpu >= cpu_count())
		return "there is no such processor";
	if (is_offline[cpu])
		return "it is offline";
	need = find_need(processors_online_set() & ~(UINT64_C(1) << cpu));
	if (need)
		return need;
	if (!cpu_run_on(cpu, leave_here, NULL, TIMEOUT_MS))
		return "it does not answer";
	if (!answer.is_closed)
		return "a task may run there only";
	if (answer.error)
		return svm_strerror(answer.error);
	is_offline[cpu] = true;
	return NULL;
}

const char *processors_online(uint32_t cpu)
{
	if (cpu >= cpu_count())
		return "there is no such processor";
	if (!is_offline[cpu])
		return "it is online";
	if (!cpu_run_on(cpu, come_here, NULL, TIMEOUT_MS))
		return "it does not answer";
	if (answer.error)
		return svm_strerror(answer.error);
	is_offline[cpu] = false;
	return NULL;
}

bool processors_is_online(uint32_t cpu)
{
	return !is_offline[cpu];
}

bool processors_are_all_online(void)
{
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (is_offline[cpu])
			return false;
	}
	return true;
}

unsigned int processors_bring_back(void)
{
	unsigned int failed = 0;

	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
		if (is_offline[cpu])
			failed += processors_online(cpu) != NULL;
	}
	return failed;
}
