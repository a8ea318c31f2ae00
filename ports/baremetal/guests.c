/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which guests there are and where they run.  One after another by default, so that whatever a
 * guest leaves behind is noticed before the next one starts: the frames it used are counted.
 */
#include "guests.h"

#include "apic.h"
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
#define NO_LIMIT_MS          (UINT64_C(365) * 24 * 3600 * 1000)
#define STORM_PAUSE_US       50
#define NS_PER_MS            UINT64_C(1000000)

extern const uint8_t builtin_guest_start[], builtin_guest_end[];

static unsigned int problems;
static struct guest_job jobs[BOOT_MODULES_MAX];
static unsigned int job_count;
static struct guest_pc *pcs;
static unsigned int pc_count;

static _Noreturn void lost_cpu(const char *name, uint32_t cpu)
{
	kprintf("%sguest %s: host failed: CPU %u does not come back%s\n", color_bad(), name, cpu,
	        color_off());
	power_off(POWER_FAILURE);
}

/* NMIs and kicks at the guest's CPU for as long as it runs; false: it never ended. */
static bool storm(struct guest_job *job, uint64_t *sent)
{
	const uint64_t start = time_ns(), limit = (job->limit_ms + CPU_TIMEOUT_MS) * NS_PER_MS;
	const struct cpu *target = &cpus[job->cpu];

	if (!cpu_start_on(job->cpu, guest_run, job))
		return false;
	while (!cpu_is_idle(job->cpu)) {
		if (time_ns() - start > limit)
			return false;
		apic_send_nmi(target->apic_id);
		apic_send_fixed(target->apic_id, VECTOR_KICK);
		++*sent;
		time_delay_us(STORM_PAUSE_US);
		console_poll();
	}
	return true;
}

static void run_job(struct guest_job *job)
{
	uint64_t sent = 0;
	bool back;

	if (job->wants_storm && job->cpu == 0 && cpu_count() > 1)
		job->cpu = 1;
	if (job->wants_storm && job->cpu != 0) {
		back = storm(job, &sent);
		kprintf("guest %s: ran under %lu NMIs and kicks\n", job->name, sent);
	} else {
		back = cpu_run_on(job->cpu, guest_run, job, job->limit_ms + CPU_TIMEOUT_MS);
	}
	if (!back)
		lost_cpu(job->name, job->cpu);
	problems += job->host_failed;
}

static void run_pc(struct guest_pc *pc)
{
	const uint64_t limit = pc->limit_ms ? pc->limit_ms + CPU_TIMEOUT_MS : NO_LIMIT_MS;

	if (!cpu_run_on(pc->cpu, guest_pc_run, pc, limit))
		lost_cpu(pc->name, pc->cpu);
	problems += pc->host_failed;
}

static bool has_endless_guest(void)
{
	for (unsigned int i = 0; i < pc_count; i++) {
		if (!pcs[i].limit_ms)
			return true;
	}
	return false;
}

/* A guest beyond the number of application processors waits for one. */
static void start_somewhere(const char *name, void (*run)(void *arg), void *arg)
{
	const uint64_t start = time_ns();
	uint32_t cpu = 1;

	while (!console_wants_end() && !cpu_start_on(cpu, run, arg)) {
		console_poll();
		cpu = cpu + 1 < cpu_count() ? cpu + 1 : 1;
		if (!has_endless_guest() && time_ns() - start > LIMIT_MS_MAX * NS_PER_MS)
			lost_cpu(name, cpu);
	}
}

/* All at once, one on each application processor. */
static void run_in_parallel(void)
{
	const size_t free_before = frames_free_count();

	for (unsigned int i = 0; i < pc_count; i++)
		start_somewhere(pcs[i].name, guest_pc_run, &pcs[i]);
	for (unsigned int i = 0; i < job_count; i++) {
		jobs[i].in_parallel = true;
		start_somewhere(jobs[i].name, guest_run, &jobs[i]);
	}
	for (uint32_t cpu = 1; cpu < cpu_count(); cpu++) {
		while (!cpu_is_idle(cpu)) {
			console_poll();
			cpu_pause();
		}
	}
	for (unsigned int i = 0; i < job_count; i++)
		problems += jobs[i].host_failed;
	for (unsigned int i = 0; i < pc_count; i++)
		problems += pcs[i].host_failed;
	if (frames_free_count() != free_before) {
		kprintf("%sguests: host failed: frames were not given back%s\n", color_bad(),
		        color_off());
		problems++;
	}
}

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
	job->limit_ms = cmdline_number(text, "limit", DEFAULT_LIMIT_MS, &bad);
	cpu = cmdline_number(text, "cpu", number % cpu_count(), &bad);
	job->cpu = (uint32_t)cpu;
	job->wants_storm = cmdline_has(text, "storm=1");
	job->forgives = cmdline_has(text, "forgive=1");
	job->is_lazy = cmdline_has(text, "lazy=1");
	job->has_device = cmdline_has(text, "device=mmio");
	if (!cmdline_get(text, "name", job->name, sizeof(job->name)))
		format_text(job->name, sizeof(job->name), "%u", number);
	if (!bad && cpu < cpu_count() && job->limit_ms <= LIMIT_MS_MAX)
		return true;
	kprintf("guest %s: refused: OPTION: a number in its text is malformed or too large\n",
	        job->name);
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
		job->host = host;
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
			        job->name);
	}
	if (number || configured_is_there())
		return;
	jobs[job_count++] = (struct guest_job){
		.host = host,
		.bytes = builtin_guest_start,
		.size = (size_t)(builtin_guest_end - builtin_guest_start),
		.cmdline = "",
		.is_builtin = true,
		.memory_size = 2 * MIB,
		.load_address = MIB,
		.limit_ms = DEFAULT_LIMIT_MS,
		.name = "builtin",
	};
}

unsigned int guests_run(struct svm_host *host)
{
	bool bad = false;

	console_start_input();
	pc_count = configured_read(host, &pcs);
	add_modules(host);
	if (cpu_count() > 1 && cmdline_number(boot_info.cmdline, "parallel", 0, &bad) == 1) {
		run_in_parallel();
	} else {
		for (unsigned int i = 0; i < pc_count && !console_wants_end(); i++)
			run_pc(&pcs[i]);
		for (unsigned int i = 0; i < job_count && !console_wants_end(); i++)
			run_job(&jobs[i]);
	}
	kprintf("guests: %u ran, the host goes on\n", pc_count + job_count);
	return problems;
}
