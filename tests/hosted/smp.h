/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_HOSTED_SMP_H
#define TESTS_HOSTED_SMP_H
/*
 * A guest with four processors on a few CPUs, each CPU a thread that takes the next vCPU that wants
 * to run, so vCPUs move all the time.
 *
 * The guest passes tokens around by IPIs of its APICs.  A token is one interrupt: whoever takes it
 * counts it and sends it on, and sleeps in HLT; one of them spins instead, so that a token meets
 * both a sleeper and a guest that runs.  There is no timer.  A wake-up that is lost, be it the
 * library's or the APICs', stops a token for ever, and smp_wait_for() notices.
 *
 * Between the threads there is nothing but the library and three words for each vCPU: a lock of
 * this rig's own would order what the library has to order.
 */
#include <pthread.h>

#include "rig.h"

#define SMP_VCPUS   4u
#define SMP_CPUS    3u /* That run vCPUs; CPU 0 is the test's own. */
#define SMP_TOKENS  2u
#define SMP_SPINNER 2u /* Without CPUID, so that nothing but an IPI ends its run. */
#define SMP_WINDOW  UINT64_C(0x40000) /* A page that each vCPU writes to once a round. */

#define smp_get(p)    __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define smp_put(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

struct smp_cpu {
	struct smp *smp;
	uint32_t id;
	uint64_t noise;
	pthread_t thread;
};

struct smp {
	struct rig r;
	struct svm_pc *pc;
	struct svm_vcpu *vcpu[SMP_VCPUS];
	bool wanted[SMP_VCPUS]; /* Atomic: it has not halted, or was woken since. */
	bool busy[SMP_VCPUS];   /* Atomic: a CPU drives it. */
	uint64_t faults;        /* Atomic: touches of the window while there was none. */
	uint64_t refused;       /* Atomic: runs that a pause refused. */
	uint64_t moves;         /* Atomic: CPUs that went offline and came back. */
	bool is_restless;       /* Atomic: CPUs go offline and come back between two runs. */
	bool stop;              /* Atomic. */
	struct smp_cpu cpu[SMP_CPUS];
	svm_hpa_t window; /* Frame behind the window; 0: none. */
};

/* Everything up to the first token; asids: how many each CPU has, 0 for all. */
void smp_init(struct smp *smp, uint32_t asids);
/* The CPUs begin, and end. */
void smp_start(struct smp *smp);
void smp_stop(struct smp *smp);
/* All frames are back, and the processors saw no breach. */
void smp_fini(struct smp *smp);

/* How often the vCPU took a token. */
uint32_t smp_count(struct smp *smp, uint32_t id);
/* Until each vCPU has taken `more` tokens more; fails if one of them stands still. */
void smp_wait_for(struct smp *smp, uint32_t more);

/* Another frame behind the window; the old one is nobody's, and a use of it a breach. */
void smp_map_window(struct smp *smp);
void smp_unmap_window(struct smp *smp);

/* For any thread; check's own assertions are for the main thread only. */
void smp_must(bool holds, const char *what, int value);

#endif
