/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The first program of a new port.  Each line needs only what the lines before it have shown, and
 * the first that does not come says where to look; docs/porting.md has a section for each.
 */
#include "hal.h"

#include "host.h"

#define RESET_RIP 0xfffffff0ull /* where a processor starts */

static struct svm_hal hal; /* with every call checked: SVM_HAL_CHECKED_SIZE of state */
static uint64_t checked_state[SVM_HAL_CHECKED_SIZE / 8];
static struct svm_host *host;

static void print_number(uint64_t value, unsigned base)
{
	char digits[21], *p = digits + sizeof(digits) - 1;

	*p = 0;
	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	host_print(p);
}

static void print_words(const char *const *words)
{
	while (*words)
		host_print(*words++);
}

#define SAY(...) print_words((const char *const[]){ __VA_ARGS__, NULL })

/* True if the call went well; otherwise it is said why not. */
static bool well(int error, const char *call)
{
	if (error)
		SAY(call, ": ", svm_error_name(error), ": ", svm_strerror(error), "\n");
	return !error;
}

#define WELL(call) well((call), #call)

/* --- 1: the table keeps its contract ---------------------------------------------------------- */

struct count {
	unsigned passed, failed, skipped;
};

static void count_one(struct count *count, bool passed, bool skipped)
{
	count->passed += passed && !skipped;
	count->skipped += skipped;
	count->failed += !passed && !skipped;
}

static bool print_count(const char *what, const struct count *count)
{
	host_print(what);
	print_number(count->passed, 10);
	host_print(" passed, ");
	print_number(count->failed, 10);
	host_print(" failed, ");
	print_number(count->skipped, 10);
	host_print(" skipped\n");
	return !count->failed && count->passed;
}

static void on_clause(void *arg, const struct svm_hal_check_result *result)
{
	count_one(arg, result->passed, result->skipped);
	if (result->passed || result->skipped)
		return;
	SAY("hal FAIL: ", result->clause, ": ", result->text, "; observed ");
	print_number(result->observed, 16);
	host_print("\n");
}

static bool check_hal(void)
{
	struct count count = { 0, 0, 0 };

	(void)svm_hal_check(hal_table(), on_clause, &count);
	return print_count("1 hal: ", &count);
}

/* --- 2: the processor has SVM, and it is on --------------------------------------------------- */

static bool start_host(void)
{
	if (!WELL(svm_hal_checked_init(&hal, hal_table(), checked_state)) ||
	    !WELL(svm_host_create(&hal, &host)) || !WELL(svm_cpu_online(host)))
		return false;
	host_print("2 host: SVM is on\n");
	return true;
}

/* --- 3: guests enter, exit, and leave the host as it was -------------------------------------- */

static void on_rung(void *arg, const struct svm_selftest_result *result)
{
	count_one(arg, result->passed, result->skipped);
	if (!result->passed && !result->skipped)
		SAY("ladder FAIL: ", result->rung, ": ", result->text, ": ", result->explanation,
		    "\n");
}

static bool climb_ladder(void)
{
	struct count count = { 0, 0, 0 };

	(void)svm_selftest(host, on_rung, &count);
	return print_count("3 ladder: ", &count);
}

/* --- 4 and 5: a guest of one's own ------------------------------------------------------------ */

static bool run_guest(const void *code, size_t size, struct svm_exit *exit)
{
	svm_hpa_t memory;
	void *const page = host_frames_take(1, &memory);
	struct svm_vcpu *vcpu;
	struct svm_vm *vm;
	bool good = page && WELL(svm_vm_create(host, NULL, &vm));

	if (!good)
		return false;
	good = WELL(svm_vm_map(vm, RESET_RIP & ~4095ull, memory, 4096, SVM_PROT_ALL)) &&
	       WELL(svm_vm_write(vm, RESET_RIP, code, size, NULL)) &&
	       WELL(svm_vcpu_create(vm, 0, &vcpu)) && WELL(svm_vcpu_run(vcpu, exit)) &&
	       WELL(svm_vcpu_destroy(vcpu));
	good = WELL(svm_vm_destroy(vm)) && good;
	host_frames_give(page, memory, 1);
	return good;
}

static bool first_exit(void)
{
	static const uint8_t code[] = { 0xe6, 0xe9 }; /* out %al, $0xe9 */
	struct svm_exit exit;

	if (!run_guest(code, sizeof(code), &exit))
		return false;
	SAY("4 first exit: ", svm_exit_kind_name(exit.kind), " at rip ");
	print_number(exit.rip, 16);
	host_print("\n");
	return exit.kind == SVM_EXIT_KIND_IO;
}

static bool spin(void)
{
	static const uint8_t code[] = { 0xfa, 0xeb, 0xfe }; /* cli; 1: jmp 1b */
	struct svm_exit exit;
	bool good;

	host_timer(10);
	good = run_guest(code, sizeof(code), &exit);
	host_timer(0);
	if (good)
		SAY("5 a guest that spins: ", svm_exit_kind_name(exit.kind), "\n");
	return good && exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT;
}

/* --- 6: nothing is left behind ---------------------------------------------------------------- */

static bool leave(void)
{
	if (!WELL(svm_cpu_offline(host)) || !WELL(svm_host_destroy(host)))
		return false;
	host_print("6 left behind: ");
	print_number(svm_hal_checked_leaks(&hal), 10);
	host_print(" frames; breaches of the contract: ");
	print_number(svm_hal_checked_breaches(&hal), 10);
	host_print("\n");
	return !svm_hal_checked_leaks(&hal) && !svm_hal_checked_breaches(&hal);
}

bool first_program(void)
{
	return check_hal() && start_host() && climb_ladder() && first_exit() && spin() && leave();
}
