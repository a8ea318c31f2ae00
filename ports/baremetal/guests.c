/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which guests there are and where they run.  One after another by default, so that whatever a
 * guest leaves behind is noticed before the next one starts: the frames it used are counted.
 */
#include "guests.h"

#include "apic.h"
#include "channels.h"
#include "cmdline.h"
#include "configured.h"
#include "console.h"
#include "cpu.h"
#include "frames.h"
#include "guest_run.h"
#include "idt.h"
#include "kprintf.h"
#include "memory.h"
#include "multiboot.h"
#include "power.h"
#include "sched.h"
#include "smp.h"
#include "string.h"
#include "time.h"
#include "x86.h"

#define MIB                  0x100000ull
#define DEFAULT_GUEST_MEMORY (16 * MIB)
#define DEFAULT_FLAT_ADDRESS MIB
#define REAL_MODE_ADDRESS    0x7c00ull
#define DEFAULT_LIMIT_MS     10000
#define LIMIT_MS_MAX         UINT64_C(600000)
#define CPU_TIMEOUT_MS       5000
#define STORM_CPU            1u
#define STORM_PAUSE_US       50
#define NS_PER_MS            UINT64_C(1000000)

extern const uint8_t builtin_guest_start[], builtin_guest_end[];

#define GUESTS_MAX           (CONFIGURED_MAX + BOOT_MODULES_MAX)
#define RETRY_NS             UINT64_C(10000000)

static unsigned int problems;
static struct guest_job jobs[BOOT_MODULES_MAX];
static struct guest_pc *pcs;
static struct guest *guests[GUESTS_MAX];
static unsigned int pc_count, job_count, guest_count;

/* --- who looks after them -------------------------------------------------------------------- */

/* The console, and guests that have ended; a task, so that no processor of a guest waits for it. */
static enum sched_next look_after(struct sched_task *task)
{
	const bool is_left = console_poll();

	for (unsigned int i = 0; i < guest_count; i++) {
		if (!guests[i]->is_made || !guest_has_ended(guests[i]))
			continue;
		guest_unmake(guests[i]);
		problems += guests[i]->host_failed;
		__atomic_store_n(&guests[i]->is_made, false, __ATOMIC_RELEASE);
		sched_prod(0);
	}
	task->deadline_ns = is_left ? time_ns() + RETRY_NS : UINT64_MAX;
	return SCHED_SLEEP;
}

static struct sched_task keeper = { .turn = look_after, .affinity = SCHED_ANYWHERE };

void guests_look(void)
{
	sched_wake(&keeper);
}

static bool is_gone(void *arg)
{
	const struct guest *guest = arg;

	return !__atomic_load_n(&guest->is_made, __ATOMIC_ACQUIRE);
}

static bool are_all_gone(void *arg)
{
	(void)arg;
	for (unsigned int i = 0; i < guest_count; i++) {
		if (!is_gone(guests[i]))
			return false;
	}
	return true;
}

/* --- running them ---------------------------------------------------------------------------- */

static bool start(struct guest *guest)
{
	if (guest_make(guest)) {
		guest_start(guest);
		return true;
	}
	problems += guest->host_failed;
	return false;
}

static _Noreturn void lost_cpu(const char *name, uint32_t cpu)
{
	kprintf("%sguest %s: host failed: CPU %u does not come back%s\n", color_bad(), name, cpu,
	        color_off());
	power_off(POWER_FAILURE);
}

/* NMIs and kicks at the guest's CPU for as long as it runs. */
static void storm(struct guest *guest)
{
	const uint64_t begin = time_ns(), limit = (guest->limit_ms + CPU_TIMEOUT_MS) * NS_PER_MS;
	const struct cpu *target = &cpus[STORM_CPU];
	uint64_t sent = 0;

	while (!is_gone(guest)) {
		if (time_ns() - begin > limit)
			lost_cpu(guest->name, STORM_CPU);
		apic_send_nmi(target->apic_id);
		apic_send_fixed(target->apic_id, VECTOR_KICK);
		sent++;
		time_delay_us(STORM_PAUSE_US);
	}
	kprintf("guest %s: ran under %lu NMIs and kicks\n", guest->name, sent);
}

static bool wants_storm(const struct guest *guest)
{
	return guest->kind == &guest_job_kind && ((const struct guest_job *)guest)->wants_storm &&
	       cpu_count() > STORM_CPU;
}

static void check_frames(const char *name, size_t before)
{
	const size_t now = frames_free_count();

	if (now == before)
		return;
	kprintf("%sguest %s: host failed: %ld frames were not given back%s\n", color_bad(), name,
	        (long)(before - now), color_off());
	problems++;
}

static void run_alone(struct guest *guest)
{
	const size_t free_before = frames_free_count();

	if (wants_storm(guest)) {
		guest->affinity = UINT64_C(1) << STORM_CPU;
		if (start(guest))
			storm(guest);
	} else if (start(guest)) {
		sched_run(is_gone, guest);
	}
	check_frames(guest->name, free_before);
}

static void run_together(void)
{
	const size_t free_before = frames_free_count();

	for (unsigned int i = 0; i < guest_count && !console_wants_end(); i++)
		start(guests[i]);
	sched_run(are_all_gone, NULL);
	check_frames("*", free_before);
}

/* --- which there are ------------------------------------------------------------------------- */

/* False: an option is malformed, and said so. */
static bool read_options(struct guest_job *job, const char *text, unsigned int number)
{
	char word[16];
	bool bad = false;
	uint64_t cpu;

	cmdline_get(text, "mode", word, sizeof(word));
	job->real_mode = !memcmp(word, "real", 5);
	job->memory_size = cmdline_number(text, "mem", DEFAULT_GUEST_MEMORY, &bad);
	job->load_address = cmdline_number(
		text, "addr", job->real_mode ? REAL_MODE_ADDRESS : DEFAULT_FLAT_ADDRESS, &bad);
	job->guest.limit_ms = cmdline_number(text, "limit", DEFAULT_LIMIT_MS, &bad);
	cpu = cmdline_number(text, "cpu", CPU_MAX, &bad);
	job->guest.affinity = cpu == CPU_MAX ? SCHED_ANYWHERE : UINT64_C(1) << cpu % CPU_MAX;
	job->wants_storm = cmdline_has(text, "storm=1");
	job->forgives = cmdline_has(text, "forgive=1");
	job->has_small_pages = cmdline_has(text, "lazy=1");
	job->is_lazy = job->has_small_pages || cmdline_has(text, "lazy=large");
	job->has_device = cmdline_has(text, "device=mmio");
	if (!cmdline_get(text, "name", job->guest.name, sizeof(job->guest.name)))
		format_text(job->guest.name, sizeof(job->guest.name), "%u", number);
	if (!bad && (cpu < cpu_count() || cpu == CPU_MAX) && job->guest.limit_ms <= LIMIT_MS_MAX)
		return true;
	kprintf("guest %s: refused: OPTION: a number in its text is malformed or too large\n",
	        job->guest.name);
	return false;
}

static void add_modules(struct svm_host *host)
{
	unsigned int number = 0;

	for (size_t i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *module = &boot_info.modules[i];
		struct guest_job *job = &jobs[job_count];

		if (!cmdline_has(module->text, "guest"))
			continue;
		memset(job, 0, sizeof(*job));
		job->guest = (struct guest){
			.host = host,
			.kind = &guest_job_kind,
			.cpu_count = 1,
		};
		job->bytes = phys_to_direct(module->start);
		job->size = (size_t)(module->end - module->start);
		job->cmdline = module->text;
		if (!read_options(job, module->text, number++))
			continue;
		/* Only RAM is mapped: a loader's lie must not become a fault of the host's. */
		if (memory_map_has_ram(module->start, module->end))
			job_count++;
		else
			kprintf("guest %s: refused: MODULE: its bytes are not in memory\n",
			        job->guest.name);
	}
	if (number || configured_is_there())
		return;
	jobs[job_count++] = (struct guest_job){
		.guest = {
			.host = host,
			.kind = &guest_job_kind,
			.name = "builtin",
			.limit_ms = DEFAULT_LIMIT_MS,
			.affinity = SCHED_ANYWHERE,
			.cpu_count = 1,
		},
		.bytes = builtin_guest_start,
		.size = (size_t)(builtin_guest_end - builtin_guest_start),
		.cmdline = "",
		.is_builtin = true,
		.memory_size = 2 * MIB,
		.load_address = MIB,
	};
}

static void open_here(void *arg)
{
	(void)arg;
	sched_open();
}

unsigned int guests_run(struct svm_host *host)
{
	bool bad = false;

	pc_count = configured_read(host, &pcs);
	add_modules(host);
	for (unsigned int i = 0; i < pc_count; i++)
		guests[guest_count++] = &pcs[i].guest;
	for (unsigned int i = 0; i < job_count; i++)
		guests[guest_count++] = &jobs[i].guest;
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		cpu_run_on(cpu, open_here, NULL, CPU_TIMEOUT_MS);
	sched_add(&keeper);
	console_start_input(guests_look);
	if (cmdline_number(boot_info.cmdline, "parallel", 0, &bad) == 1) {
		run_together();
	} else {
		for (unsigned int i = 0; i < guest_count && !console_wants_end(); i++)
			run_alone(guests[i]);
	}
	problems += channels_close();
	kprintf("guests: %u ran, the host goes on\n", guest_count);
	return problems;
}
