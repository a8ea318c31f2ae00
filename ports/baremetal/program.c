/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The main program.  The command line says what to run, `run=` and words with commas between:
 *
 *	port	what this port promises
 *	hal	the library's conformance kit
 *	ladder	the library's self-test, on every processor
 *	guests	each module whose text has the word `guest`, or the built-in guest
 *
 * Without it, all four.  `crash=HOW` (port_check.h) breaks the host on purpose.  The last line
 * is `libsvm bare metal: all well` or says how much went wrong; a guest's end is never a failure.
 */
#include "program.h"

#include <libsvm/libsvm.h>

#include "cmdline.h"
#include "cpu.h"
#include "frames.h"
#include "guests.h"
#include "hal.h"
#include "kprintf.h"
#include "multiboot.h"
#include "port_check.h"
#include "power.h"
#include "smp.h"

#define CPU_TIMEOUT_MS    5000
#define LADDER_TIMEOUT_MS 120000

static struct svm_host *host;
static unsigned int problems;

/* The words of run= are few: commas become blanks, and cmdline_has() does the rest. */
static bool wants(const char *word)
{
	char words[128];

	if (!cmdline_get(boot_info.cmdline, "run", words, sizeof(words)))
		return true;
	for (char *c = words; *c; c++) {
		if (*c == ',')
			*c = ' ';
	}
	return cmdline_has(words, word);
}

static const char *verdict_color(bool passed, bool skipped)
{
	return skipped ? color_warn() : passed ? color_good() : color_bad();
}

static const char *verdict_word(bool passed, bool skipped)
{
	return skipped ? "skip" : passed ? "pass" : "FAIL";
}

/* --- the processor ------------------------------------------------------------------------ */

static void print_features(const struct svm_features *f)
{
	char line[KPRINTF_MAX];
	size_t used = 0;

	kprintf("processor: %s family %xh model %xh stepping %u, %u physical and %u linear bits\n",
	        f->vendor, f->family, f->model, f->stepping, f->physical_bits, f->linear_bits);
	if (!f->has_svm)
		return;
	line[0] = '\0';
	for (unsigned int bit = 0; bit < 32; bit++) {
		const char *name = svm_feature_name(bit);

		if (name && (f->svm & SVM_BIT(bit)))
			used += format_text(line + used, sizeof(line) - used, " %s", name);
	}
	kprintf("svm: revision %u, %u ASIDs, features:%s\n", f->svm_revision, f->asid_count, line);
	kprintf("svm: %s, %s, xsave area %u bytes\n", f->page_1g ? "1 GiB pages" : "2 MiB pages",
	        f->la57 ? "57-bit" : "48-bit", f->xsave_size);
	if (f->is_tcg)
		kprintf("svm: QEMU's TCG: an exit behind each interrupt (careful=0: none)\n");
}

static _Noreturn void refuse(const char *what, int error)
{
	kprintf("%slibsvm: %s: %s: %s%s\n", color_bad(), what, svm_error_name(error),
	        svm_strerror(error), color_off());
	power_off(POWER_FAILURE);
}

/* --- the library -------------------------------------------------------------------------- */

struct clauses {
	unsigned int passed, skipped;
};

static void report_clause(void *arg, const struct svm_hal_check_result *r)
{
	struct clauses *clauses = arg;

	clauses->passed += r->passed && !r->skipped;
	clauses->skipped += r->skipped;
	kprintf("hal %s%s%s: %s: %s", verdict_color(r->passed, r->skipped),
	        verdict_word(r->passed, r->skipped), color_off(), r->clause, r->text);
	if (!r->passed && !r->skipped)
		kprintf(" (observed %lx)", r->observed);
	kprintf("\n");
}

static void check_hal(void)
{
	struct clauses clauses = { 0 };
	const unsigned int failed = svm_hal_check(hal_table(), report_clause, &clauses);

	problems += failed;
	kprintf("hal: %u passed, %u failed, %u skipped\n", clauses.passed, failed, clauses.skipped);
}

struct cpu_call {
	int result;
};

static void online_here(void *arg)
{
	struct cpu_call *call = arg;

	call->result = svm_cpu_online(host);
}

static void offline_here(void *arg)
{
	struct cpu_call *call = arg;

	call->result = svm_cpu_offline(host);
}

static void on_every_cpu(const char *what, void (*fn)(void *arg))
{
	for (uint32_t i = 0; i < cpu_count(); i++) {
		struct cpu_call call = { .result = SVM_ERR_STATE };

		if (!cpu_run_on(i, fn, &call, CPU_TIMEOUT_MS)) {
			kprintf("%scpu %u: does not come back from %s%s\n", color_bad(), i, what,
			        color_off());
			power_off(POWER_FAILURE);
		}
		if (call.result) {
			kprintf("%scpu %u: %s: %s: %s%s\n", color_bad(), i, what,
			        svm_error_name(call.result), svm_strerror(call.result),
			        color_off());
			problems++;
		}
	}
}

/* --- the ladder --------------------------------------------------------------------------- */

struct ladder {
	int failed;
	unsigned int passed, skipped;
	uint32_t cpu;
};

static void report_rung(void *arg, const struct svm_selftest_result *r)
{
	struct ladder *ladder = arg;

	ladder->passed += r->passed && !r->skipped;
	ladder->skipped += r->skipped;
	/* One full climb to read; of the other processors what differs. */
	if (ladder->cpu && (r->passed || r->skipped))
		return;
	kprintf("ladder %s%s%s: %s: %s\n", verdict_color(r->passed, r->skipped),
	        verdict_word(r->passed, r->skipped), color_off(), r->rung, r->text);
	if (r->explanation && (!r->passed || r->skipped))
		kprintf("    %s\n", r->explanation);
	if (!r->passed && !r->skipped)
		kprintf("    expected %lx, observed %lx\n", r->expected, r->observed);
}

static void climb_here(void *arg)
{
	struct ladder *ladder = arg;

	ladder->failed = svm_selftest(host, report_rung, ladder);
}

static void climb_ladder(void)
{
	for (uint32_t i = 0; i < cpu_count(); i++) {
		const size_t free_before = frames_free_count();
		struct ladder ladder = { .cpu = i };

		if (!cpu_run_on(i, climb_here, &ladder, LADDER_TIMEOUT_MS)) {
			kprintf("%sladder: cpu %u does not come back%s\n", color_bad(), i,
			        color_off());
			power_off(POWER_FAILURE);
		}
		if (ladder.failed < 0)
			kprintf("ladder on cpu %u: %s: %s\n", i, svm_error_name(ladder.failed),
			        svm_strerror(ladder.failed));
		else
			kprintf("ladder on cpu %u: %u passed, %d failed, %u skipped\n", i,
			        ladder.passed, ladder.failed, ladder.skipped);
		problems += ladder.failed != 0;
		if (frames_free_count() != free_before) {
			kprintf("%sladder: %ld frames were not given back%s\n", color_bad(),
			        (long)(free_before - frames_free_count()), color_off());
			problems++;
		}
	}
}

/* --- together ----------------------------------------------------------------------------- */

/* check=1: the library's own watch over this port, which costs some time at each call. */
static const struct svm_hal *choose_hal(void)
{
	static _Alignas(uint64_t) uint8_t state[SVM_HAL_CHECKED_SIZE];
	static struct svm_hal checked;
	int error;

	if (!cmdline_has(boot_info.cmdline, "check=1"))
		return hal_table();
	error = svm_hal_checked_init(&checked, hal_table(), state);
	if (error)
		refuse("svm_hal_checked_init", error);
	return &checked;
}

static void print_breaches(const struct svm_hal *hal)
{
	uint64_t breaches, leaks;

	if (hal == hal_table())
		return;
	breaches = svm_hal_checked_breaches(hal);
	leaks = svm_hal_checked_leaks(hal);
	problems += breaches || leaks;
	kprintf("hal: watched, %lu breaches of its contract, %lu frames not freed\n", breaches,
	        leaks);
}

/* No guest may keep a CPU from its host for long. */
static void print_latest_tick(void)
{
	uint64_t late_ns = 0;

	for (uint32_t i = 0; i < cpu_count(); i++)
		if (cpus[i].late_ns > late_ns)
			late_ns = cpus[i].late_ns;
	kprintf("host: a tick came at most %lu us late\n", late_ns / 1000);
}

/* Of an image that is to be recorded: see capture.c. */
__attribute__((weak)) void capture_start(void);
__attribute__((weak)) void capture_stop(void);

static void run_library(void)
{
	const size_t free_before = frames_free_count();
	const struct svm_hal *const hal = choose_hal();
	int error;

	if (capture_start)
		capture_start();
	error = hal_create_host(hal, &host);
	if (error)
		refuse("svm_host_create", error);
	on_every_cpu("svm_cpu_online", online_here);
	if (wants("port"))
		problems += port_check_owners(host);
	if (wants("ladder"))
		climb_ladder();
	if (wants("guests"))
		problems += guests_run(host);
	print_latest_tick();
	on_every_cpu("svm_cpu_offline", offline_here);
	error = svm_host_destroy(host);
	if (error)
		refuse("svm_host_destroy", error);
	if (capture_stop)
		capture_stop();
	print_breaches(hal);
	if (frames_free_count() != free_before) {
		kprintf("%slibrary: %ld frames were not given back%s\n", color_bad(),
		        (long)(free_before - frames_free_count()), color_off());
		problems++;
	}
}

_Noreturn void program_main(void)
{
	struct svm_features features;
	char crash[16];
	int error;

	if (cmdline_get(boot_info.cmdline, "crash", crash, sizeof(crash)))
		port_crash(crash);
	if (wants("port"))
		problems += port_check();
	if (wants("hal"))
		check_hal();
	error = svm_features_probe(hal_table(), &features);
	print_features(&features);
	if (error)
		refuse("guests cannot run here", error);
	if (wants("ladder") || wants("guests"))
		run_library();
	if (problems) {
		kprintf("%slibsvm bare metal: %u problems%s\n", color_bad(), problems, color_off());
		power_off(POWER_FAILURE);
	}
	kprintf("%slibsvm bare metal: all well%s\n", color_good(), color_off());
	power_off(POWER_SUCCESS);
}
