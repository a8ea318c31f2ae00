/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which guests there are and when they run.  One after another by default, so that whatever a
 * guest leaves behind is noticed before the next one starts: the frames it used are counted.
 *
 * All that is done with guests is done by one task, the keeper, be it asked for at the prompt or
 * not; so it needs no locks.  It holds up one processor only while it makes or unmakes a guest.
 */
#include "guests.h"

#include "apic.h"
#include "channels.h"
#include "cmdline.h"
#include "configured.h"
#include "console.h"
#include "console_terminal.h"
#include "cpu.h"
#include "frames.h"
#include "guest_run.h"
#include "idt.h"
#include "kprintf.h"
#include "memory.h"
#include "monitor.h"
#include "multiboot.h"
#include "power.h"
#include "processors.h"
#include "sched.h"
#include "smp.h"
#include "string.h"
#include "time.h"
#include "words.h"
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

static struct svm_host *the_host;
static unsigned int problems;
static struct guest_job jobs[BOOT_MODULES_MAX];
static struct guest *guests[GUESTS_MAX];
static unsigned int job_count, guest_count;
static struct sched_task keeper;

/* What is run without anybody's asking: the guests that there were at first. */
static struct {
	unsigned int count, next;
	bool is_parallel, is_over;
	size_t free_frames;       /* while no guest is made */
	struct guest *stormed;    /* the boot CPU shall storm it; atomic */
} batch;

/* --- which there are ------------------------------------------------------------------------- */

struct guest *guests_at(unsigned int number)
{
	return number < guest_count ? guests[number] : NULL;
}

uint8_t guests_owner(const struct svm_vm *vm)
{
	_Static_assert(FRAMES_GUEST + GUESTS_MAX <= UINT8_MAX, "each has a number of its own");
	for (unsigned int i = 0; i < guest_count; i++) {
		if (__atomic_load_n(&guests[i]->vm, __ATOMIC_RELAXED) == vm)
			return guests[i]->owner;
	}
	return FRAMES_HOST;
}

struct guest *guests_find(const char *name)
{
	for (unsigned int i = 0; i < guest_count; i++) {
		if (words_equal(guests[i]->name, name))
			return guests[i];
	}
	return NULL;
}

struct svm_host *guests_host(void)
{
	return the_host;
}

bool guests_add(struct guest *guest)
{
	if (guest_count == GUESTS_MAX)
		return false;
	guest->host = the_host;
	guest->owner = (uint8_t)(FRAMES_GUEST + guest_count);
	guests[guest_count++] = guest;
	return true;
}

static bool are_all_absent(void)
{
	for (unsigned int i = 0; i < guest_count; i++) {
		if (guest_state(guests[i]) != GUEST_ABSENT)
			return false;
	}
	return true;
}

static bool is_any_busy(void)
{
	for (unsigned int i = 0; i < guest_count; i++) {
		if (guest_is_busy(guests[i]))
			return true;
	}
	return false;
}

/* A processor that is offline has given back frames of its own, so only all of them compare. */
void guests_gone(struct guest *guest)
{
	const size_t now = frames_free_count();

	problems += guest->host_failed;
	guest->host_failed = false;
	if (now == batch.free_frames || !are_all_absent() || !processors_are_all_online())
		return;
	kprintf("%sguest %s: host failed: %ld frames were not given back%s\n", color_bad(),
	        guest->name, (long)(batch.free_frames - now), color_off());
	problems++;
	batch.free_frames = now;
}

/* --- one after another, or all at once ------------------------------------------------------- */

static bool wants_storm(const struct guest *guest)
{
	return !batch.is_parallel && guest->kind == &guest_job_kind &&
	       ((const struct guest_job *)guest)->wants_storm && cpu_count() > STORM_CPU;
}

static void start_next(void)
{
	struct guest *const guest = guests[batch.next++];
	const bool storms = wants_storm(guest);

	/* Somebody at the prompt was faster. */
	if (guest_state(guest) != GUEST_ABSENT || guest_is_busy(guest))
		return;
	if (storms)
		guest_pin(guest, 0, UINT64_C(1) << STORM_CPU);
	if (guest_do(guest, GUEST_VERB_START) != GUEST_DONE || !storms)
		return;
	__atomic_store_n(&batch.stormed, guest, __ATOMIC_RELEASE);
	sched_prod(0);
}

/* One that is paused has not come to its end. */
static bool is_under_way(const struct guest *guest)
{
	return guest_is_busy(guest) || guest_state(guest) == GUEST_PAUSED;
}

static void go_on(void)
{
	if (console_wants_end())
		batch.next = batch.count;
	while (batch.next < batch.count) {
		if (!batch.is_parallel && batch.next && is_under_way(guests[batch.next - 1]))
			return;
		start_next();
	}
}

/* As long as somebody is at the prompt there may be more to do. */
static bool is_over(void)
{
	return batch.next == batch.count && are_all_absent() && !is_any_busy() &&
	       (!console_is_prompting() || console_wants_end());
}

/* --- who looks after them -------------------------------------------------------------------- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * The console, and what is to be done with guests; a task, so that no processor of a guest waits
 * for it.
 */
static enum sched_next look_after(struct sched_task *task)
{
	uint64_t due = console_poll() ? time_ns() + RETRY_NS : UINT64_MAX;

	due = earlier(due, monitor_look(time_ns()));
	for (unsigned int i = 0; i < guest_count; i++)
		due = earlier(due, guest_look(guests[i], time_ns()));
	go_on();
	if (is_over()) {
		__atomic_store_n(&batch.is_over, true, __ATOMIC_RELEASE);
		sched_prod(0);
	}
	task->deadline_ns = due;
	return due <= time_ns() ? SCHED_AGAIN : SCHED_SLEEP;
}

static struct sched_task keeper = { .turn = look_after, .affinity = SCHED_ANYWHERE };

void guests_look(void)
{
	sched_wake(&keeper);
}

/* --- a storm --------------------------------------------------------------------------------- */

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

	while (guest_state(guest) == GUEST_RUNNING) {
		if (time_ns() - begin > limit)
			lost_cpu(guest->name, STORM_CPU);
		apic_send_nmi(target->apic_id);
		apic_send_fixed(target->apic_id, VECTOR_KICK);
		sent++;
		time_delay_us(STORM_PAUSE_US);
	}
	kprintf("guest %s: ran under %lu NMIs and kicks\n", guest->name, sent);
}

static bool is_wanted(void *arg)
{
	(void)arg;
	return __atomic_load_n(&batch.is_over, __ATOMIC_ACQUIRE) ||
	       __atomic_load_n(&batch.stormed, __ATOMIC_ACQUIRE);
}

static void run_all(void)
{
	struct guest *guest;

	while (!__atomic_load_n(&batch.is_over, __ATOMIC_ACQUIRE)) {
		guest = __atomic_exchange_n(&batch.stormed, NULL, __ATOMIC_ACQ_REL);
		if (guest)
			storm(guest);
		sched_run(is_wanted, NULL);
	}
}

/* --- from modules ---------------------------------------------------------------------------- */

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
	job->guest.affinity[0] = cpu == CPU_MAX ? SCHED_ANYWHERE : UINT64_C(1) << cpu % CPU_MAX;
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

static void add_modules(void)
{
	unsigned int number = 0;

	for (size_t i = 0; i < boot_info.module_count; i++) {
		const struct boot_module *module = &boot_info.modules[i];
		struct guest_job *job = &jobs[job_count];

		if (!cmdline_has(module->text, "guest"))
			continue;
		memset(job, 0, sizeof(*job));
		job->guest = (struct guest){
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
			.kind = &guest_job_kind,
			.name = "builtin",
			.limit_ms = DEFAULT_LIMIT_MS,
			.affinity = { SCHED_ANYWHERE },
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
	unsigned int ran;

	the_host = host;
	configured_read();
	add_modules();
	for (unsigned int i = 0; i < job_count; i++)
		guests_add(&jobs[i].guest);
	batch.count = ran = guest_count;
	batch.is_parallel = cmdline_number(boot_info.cmdline, "parallel", 0, &bad) == 1;
	batch.free_frames = frames_free_count();
	for (uint32_t cpu = 0; cpu < cpu_count(); cpu++)
		cpu_run_on(cpu, open_here, NULL, CPU_TIMEOUT_MS);
	sched_add(&keeper);
	console_start_input(guests_look);
	sched_wake(&keeper);
	run_all();
	problems += processors_bring_back();
	problems += channels_close();
	kprintf("guests: %u ran, the host goes on\n", ran);
	return problems;
}
