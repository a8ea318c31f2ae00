/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_TESTS_VMM_H
#define LIBSVM_TESTS_VMM_H
/*
 * A machine of one vCPU and a megabyte, and how tests of the ioctl interface are written with it.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>

#define MEMORY 0x100000ul /* Of the guest, from address 0. */
#define CODE   0x1000u
#define STACK  0x8000u
#define DATA   0x2000u

struct machine {
	int device, vm, vcpu;
	uint8_t *memory;
	struct kvm_run *run;
};

/* Arrays of these end with a name of NULL. */
struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test debug_tests[], eventfd_tests[], io_tests[], irq_tests[], ldt_tests[],
	mce_tests[], memory_tests[], msr_tests[], process_tests[], resample_tests[], state_tests[],
	turns_tests[], x2apic_tests[];

extern const char *test_name;
extern bool failed;

void fail(const char *what, long got);

#define EXPECT(condition, got)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail(#condition, (long)(got));                                             \
	} while (0)

/* A call that has to be refused so. */
#define REFUSED(call, code) EXPECT((call) == -1 && errno == (code), 0)

/* The second in two steps: a VM with its memory, and then a vCPU of number 0. */
void machine_open(struct machine *m);
void machine_open_vm(struct machine *m);
void machine_open_vcpu(struct machine *m);
void machine_close(struct machine *m);
int set_slot(const struct machine *m, uint32_t slot, uint64_t gpa, uint64_t size, void *hva,
             uint32_t flags);

/* Code at CODE in real mode, all segments at 0. */
void start(struct machine *m, const void *code, size_t size);
#define START(m, code) start((m), (code), sizeof(code))

int run_once(struct machine *m);
/* EINTR without a signal of ours means "call again": the task had something to do elsewhere. */
int run(struct machine *m);
/* To an exit of this reason. */
void run_to(struct machine *m, uint32_t reason);
void run_to_port(struct machine *m, uint16_t port);

/* KVM_GET_MSRS or KVM_SET_MSRS of one; 1: done. */
int user_msr(const struct machine *m, unsigned long call, uint32_t msr, uint64_t *value);

/* What was counted since the last look, 0 too; and one more. */
uint64_t eventfd_take(int fd);
void eventfd_put(int fd);

/* The value of a counter in a file of statistics, by its name; -1 without one. */
int64_t counter_of(int file, const char *name);

/* A handler that does nothing: its signal is to end a call. */
void on_alarm(int number);

/* As nobody: so many calls, of which all are the seed's. */
int random_calls(uint64_t seed, unsigned long count);

/* Does not return if all is well; else says why. */
int other_kernel(const char *kernel, const char *initrd, const char *command_line);

#endif
