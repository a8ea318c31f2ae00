/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * record_pair FILE FILE: two vCPUs of one VM, each on a CPU of its own, and each recorded by itself
 * while the other runs.
 *
 * They have all memory together.  Each counts in a word of its own and never stops to; the library
 * reads the other's word (OUTS), writes beside it (INS) and walks the page tables that both use.
 * Each wakes, kicks and interrupts the other.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include <libsvm/capture.h>

#include "rig.h"
#include "suite.h"

#define PAIR         2u
#define WANTED       40u /* Times that a word of the other's is another one. */
#define STORES       20u /* Between two exits. */
#define VECTOR       0x30
#define HANDLER      UINT64_C(0xd000)
#define CODE(n)      (GUEST_HOLES + 0x1000 * (n))
#define STACK(n)     (GUEST_STACK - 0x800 * (n))
#define WORD(n)      (GUEST_DATA + 8 * (n))
#define FROM_PORT(n) (GUEST_DATA + 0x100 + 8 * (n))

static const char *names[PAIR];
static FILE *files[PAIR];

static struct half {
	struct svm_vcpu *vcpu;
	pthread_t thread;
	uint32_t last;    /* Of the other's words that the library read. */
	unsigned changes; /* How often it was another than before.  Atomic. */
	unsigned kicks, interrupts;
	bool raised; /* Atomic: by the other. */
	bool waits;  /* Atomic. */
} halves[PAIR];

static struct rig rig;
static pthread_barrier_t start;

static void to_both(void *arg, const void *data, size_t size)
{
	(void)arg;
	for (unsigned n = 0; n < PAIR; n++)
		ck_assert_uint_eq(fwrite(data, 1, size, files[n]), size);
}

static uint32_t word_of(unsigned n)
{
	return __atomic_load_n((uint32_t *)(void *)(rig.memory + WORD(n)), __ATOMIC_SEQ_CST);
}

/* Until the other has counted on; but it may wait itself, or be at its end. */
static void let_other_count(unsigned n)
{
	const uint32_t before = word_of(1 - n);

	__atomic_store_n(&halves[n].waits, true, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < 100 && word_of(1 - n) == before; i++) {
		if (__atomic_load_n(&halves[1 - n].waits, __ATOMIC_SEQ_CST))
			break;
		sched_yield();
	}
	__atomic_store_n(&halves[n].waits, false, __ATOMIC_SEQ_CST);
}

/* A page goes by, and is another before the library looks at it. */
static void to_one(void *arg, const void *data, size_t size)
{
	const unsigned n = arg == files[1];

	if (size == 4096)
		let_other_count(n);
	ck_assert_uint_eq(fwrite(data, 1, size, arg), size);
}

/* --- what stands around the guest ------------------------------------------------------------- */

static bool is_enough(void)
{
	for (unsigned n = 0; n < PAIR; n++)
		if (__atomic_load_n(&halves[n].changes, __ATOMIC_SEQ_CST) < WANTED)
			return false;
	return true;
}

static void disturb(struct half *other, unsigned change)
{
	if (change % 3 == 0) {
		__atomic_store_n(&other->raised, true, __ATOMIC_SEQ_CST);
		svm_vcpu_notify(other->vcpu);
	} else if (change % 3 == 1) {
		svm_vcpu_kick(other->vcpu);
	}
}

static void look(struct half *half, struct half *other, uint32_t word)
{
	if (word == half->last)
		return;
	half->last = word;
	disturb(other, __atomic_fetch_add(&half->changes, 1, __ATOMIC_SEQ_CST));
}

/* Port 60h has the other's word, 64h says 1 at the end. */
static enum svm_device_result on_port(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_io_access *access)
{
	struct half *half = &halves[svm_vcpu_id(vcpu)];

	(void)arg;
	if (access->is_in)
		access->value = is_enough() ? 1 : 2;
	else
		look(half, &halves[1 - svm_vcpu_id(vcpu)], access->value);
	sched_yield();
	return SVM_DEVICE_DONE;
}

static int on_pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	struct half *half = arg;

	(void)vcpu;
	return __atomic_load_n(&half->raised, __ATOMIC_SEQ_CST) && tpr < VECTOR / 16 ? VECTOR : -1;
}

static uint8_t on_accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	struct half *half = arg;

	(void)vcpu;
	__atomic_store_n(&half->raised, false, __ATOMIC_SEQ_CST);
	half->interrupts++;
	return vector;
}

static void on_tpr(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	(void)arg;
	(void)vcpu;
	(void)tpr;
}

/* --- the guest -------------------------------------------------------------------------------- */

static void make_handler(void)
{
	struct hosted_script handler;

	hosted_script_init(&handler, 64);
	hosted_script_iret(&handler);
	guest_handler(rig.memory, VECTOR, HANDLER, &handler);
}

static void make_code(unsigned n)
{
	struct hosted_script s;

	hosted_script_init(&s, 64);
	hosted_script_sti(&s);
	const size_t again = s.size;

	hosted_script_mov(&s, HOSTED_RBX, WORD(n));
	hosted_script_mov(&s, HOSTED_RCX, STORES);
	const size_t store = s.size;

	hosted_script_load(&s, HOSTED_RAX, HOSTED_RBX, false);
	hosted_script_inc(&s, HOSTED_RAX);
	hosted_script_store(&s, HOSTED_RBX, HOSTED_RAX, false);
	hosted_script_dec(&s, HOSTED_RCX);
	hosted_script_jnz(&s, store);
	hosted_script_cpuid(&s);
	hosted_script_mov(&s, HOSTED_RDX, 0x60);
	hosted_script_mov(&s, HOSTED_RSI, WORD(1 - n));
	hosted_script_raw(&s, "\x6f", 1); /* OUTSD */
	hosted_script_mov(&s, HOSTED_RDX, 0x64);
	hosted_script_mov(&s, HOSTED_RDI, FROM_PORT(n));
	hosted_script_raw(&s, "\x6d", 1); /* INSD */
	hosted_script_mov(&s, HOSTED_RBX, FROM_PORT(n));
	hosted_script_load(&s, HOSTED_RAX, HOSTED_RBX, false);
	hosted_script_dec(&s, HOSTED_RAX);
	hosted_script_jnz(&s, again);
	hosted_script_cli(&s); /* What still comes does not wake it. */
	hosted_script_hlt(&s);
	memcpy(rig.memory + CODE(n), s.bytes, s.size);
}

static void make_half(unsigned n)
{
	const struct svm_irq_port port = {
		.pending = on_pending,
		.accept = on_accept,
		.tpr_changed = on_tpr,
		.arg = &halves[n],
	};
	struct svm_regs regs;

	halves[n].vcpu = rig.vcpu;
	if (n != 0)
		ck_assert_int_eq(rig_vcpu(&rig, rig.vm, n, &halves[n].vcpu), 0);
	ck_assert_int_eq(svm_vcpu_set_irq_port(halves[n].vcpu, &port), 0);
	svm_vcpu_get_regs(halves[n].vcpu, &regs);
	regs.rip = CODE(n);
	regs.rsp = STACK(n);
	ck_assert_int_eq(svm_vcpu_set_regs(halves[n].vcpu, &regs), 0);
	make_code(n);
}

/* --- both at once ----------------------------------------------------------------------------- */

static void *drive(void *arg)
{
	struct half *half = arg;
	struct svm_exit exit;

	hosted_become(rig.m, 1 + (uint32_t)(half - halves));
	pthread_barrier_wait(&start);
	do {
		ck_assert_int_eq(svm_vcpu_run(half->vcpu, &exit), 0);
		half->kicks += exit.kind == SVM_EXIT_KIND_REQUEST;
	} while (exit.kind == SVM_EXIT_KIND_REQUEST || exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	ck_assert_msg(exit.kind == SVM_EXIT_KIND_HLT, "exit %s", svm_exit_kind_name(exit.kind));
	hosted_leave();
	return NULL;
}

static void with_each_cpu(int (*change)(struct svm_host *host))
{
	for (uint32_t cpu = 1; cpu <= PAIR; cpu++) {
		hosted_leave();
		hosted_become(rig.m, cpu);
		ck_assert_int_eq(change(rig.host), 0);
	}
	hosted_leave();
	hosted_become(rig.m, 0);
}

static void split(void)
{
	struct svm_capture_branch branches[PAIR];

	for (unsigned n = 0; n < PAIR; n++)
		branches[n] = (struct svm_capture_branch){ halves[n].vcpu, to_one, files[n] };
	ck_assert_int_eq(svm_capture_split(branches, 0), SVM_ERR_INVAL);
	ck_assert_int_eq(svm_capture_split(branches, PAIR), 0);
	ck_assert_int_eq(svm_capture_split(branches, PAIR), SVM_ERR_STATE);
}

static void run_both(void)
{
	pthread_barrier_init(&start, NULL, PAIR);
	for (unsigned n = 0; n < PAIR; n++)
		ck_assert_int_eq(pthread_create(&halves[n].thread, NULL, drive, &halves[n]), 0);
	for (unsigned n = 0; n < PAIR; n++)
		ck_assert_int_eq(pthread_join(halves[n].thread, NULL), 0);
	pthread_barrier_destroy(&start);
}

static void make_pair(void)
{
	struct hosted_config config;

	hosted_config_init(&config);
	config.cpus = 1 + PAIR;
	rig_init(&rig, &config, GUEST_64);
	with_each_cpu(svm_cpu_online);
	ck_assert_int_eq(svm_vm_io_handler(rig.vm, 0x60, 8, on_port, NULL), 0);
	make_handler();
	for (unsigned n = 0; n < PAIR; n++)
		make_half(n);
	/* Of which of them a table is nobody records. */
	ck_assert_int_eq(svm_vm_populate(rig.vm, 0, GUEST_PAGES * 4096), 0);
}

static void end_pair(void)
{
	ck_assert_int_eq(svm_vcpu_destroy(halves[1].vcpu), 0);
	with_each_cpu(svm_cpu_offline);
	rig_fini(&rig);
}

START_TEST(two_at_once_are_recorded)
{
	for (unsigned n = 0; n < PAIR; n++) {
		files[n] = fopen(names[n], "wb");
		ck_assert_ptr_nonnull(files[n]);
	}
	ck_assert_int_eq(svm_capture_begin(to_both, NULL), 0);
	make_pair();
	split();
	run_both();
	ck_assert_int_eq(svm_capture_end(), 0);
	for (unsigned n = 0; n < PAIR; n++) {
		ck_assert_int_eq(fclose(files[n]), 0);
		printf("vCPU %u: %u words, %u kicks, %u interrupts\n", n, halves[n].changes,
		       halves[n].kicks, halves[n].interrupts);
	}
	end_pair();
}
END_TEST

static void to_nowhere(void *arg, const void *data, size_t size)
{
	(void)data;
	*(size_t *)arg += size;
}

/* What both depend on changes beside them: each says at its next call that it cannot go on. */
START_TEST(a_change_of_the_vm_ends_branches)
{
	size_t written[PAIR] = { 0 }, none = 0;
	struct svm_capture_branch branches[PAIR];

	ck_assert_int_eq(svm_capture_begin(to_nowhere, &none), 0);
	make_pair();
	for (unsigned n = 0; n < PAIR; n++)
		branches[n] = (struct svm_capture_branch){
			.vcpu = halves[n].vcpu,
			.write = to_nowhere,
			.arg = &written[n],
		};
	ck_assert_int_eq(svm_capture_split(branches, PAIR), 0);
	ck_assert_int_eq(svm_vm_unmap(rig.vm, 0, 4096), 0);
	ck_assert_int_eq(svm_vcpu_set_msr(halves[0].vcpu, 0x277, 0x0007040600070406), 0);
	ck_assert_uint_eq(written[0], 1); /* LOST */
	ck_assert_int_eq(svm_capture_end(), SVM_ERR_NOMEM);
	ck_assert_uint_eq(written[1], 1);
	end_pair();
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, a_change_of_the_vm_ends_branches);
	tcase_add_test(tc, two_at_once_are_recorded);
}

int main(int argc, char **argv)
{
	if (argc != 1 + PAIR)
		return 2;
	names[0] = argv[1];
	names[1] = argv[2];
	return suite_run("record_pair", add);
}
