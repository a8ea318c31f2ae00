/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A scheduler of one's own: three vCPUs that take turns on one CPU.
 *
 * Look at pick() and at what follows each run.  svm_vcpu_run() is a function like any other: it
 * returns when the host's timer interrupts the guest, here after some thousand instructions, and
 * then any vCPU may be next.  A vCPU that halts costs nothing until it has an event; the wake
 * callback says when.  The library keeps no list of them and never blocks.
 */
#include <common/machine.h>

#define VCPUS 3u

struct task {
	struct svm_vcpu *vcpu;
	const char *name;
	bool is_ready;
	unsigned turns;
};

/* The next one that is ready, after the last one. */
static struct task *pick(struct task *tasks, unsigned *last)
{
	for (unsigned i = 1; i <= VCPUS; i++) {
		struct task *task = &tasks[(*last + i) % VCPUS];

		if (task->is_ready) {
			*last = (*last + i) % VCPUS;
			return task;
		}
	}
	return NULL;
}

/* From any thread, and from interrupt handlers: in a kernel, the run queue has a lock. */
static void wake(void *arg, struct svm_vcpu *vcpu)
{
	struct task *task = arg;

	if (!task->is_ready && svm_vcpu_has_event(vcpu)) {
		task->is_ready = true;
		printf("%s wakes\n", task->name);
	}
}

/* Spin for ESI rounds, say so, and halt until an interrupt comes; then it is over. */
GUEST_CODE(guest, 32,
           "1: dec %esi\n"
           "jnz 1b\n"
           "out %eax, $0x80\n"
           "hlt");

static void create(struct machine *m, struct task *task, uint32_t id, const char *name,
                   uint64_t rounds)
{
	struct svm_regs regs;

	*task = (struct task){ .name = name, .is_ready = true, .vcpu = m->vcpu };
	if (id)
		MUST(svm_vcpu_create(m->vm, id, &task->vcpu));
	machine_start_32(task->vcpu);
	svm_vcpu_get_regs(task->vcpu, &regs);
	regs.rsi = rounds;
	MUST(svm_vcpu_set_regs(task->vcpu, &regs));
	svm_vcpu_set_wake(task->vcpu, wake, task);
}

/* One turn: until the timer, or until the guest wants something. */
static void turn(struct task *task)
{
	struct svm_exit exit;

	MUST(svm_vcpu_run(task->vcpu, &exit));
	task->turns++;
	switch (exit.kind) {
	case SVM_EXIT_KIND_HOST_INTERRUPT: /* Its time is over. */
		break;
	case SVM_EXIT_KIND_IO:
		printf("%s is done after %u turns\n", task->name, task->turns);
		MUST(svm_vcpu_complete_skip(task->vcpu));
		break;
	default: /* HLT */
		task->is_ready = false;
		printf("%s: %s\n", task->name, svm_exit_kind_name(exit.kind));
		break;
	}
}

int main(void)
{
	static const char *const names[VCPUS] = { "short", "long", "medium" };
	static const uint64_t rounds[VCPUS] = { 2000, 20000, 9000 };
	struct task tasks[VCPUS], *task;
	unsigned last = VCPUS - 1;
	struct machine m;

	machine_create(&m, VCPUS);
	machine_load(&m, guest, guest_end);
	for (uint32_t i = 0; i < VCPUS; i++)
		create(&m, &tasks[i], i, names[i], rounds[i]);
	while ((task = pick(tasks, &last)))
		turn(task);
	printf("nobody is ready\n");
	svm_vcpu_inject_nmi(tasks[1].vcpu);
	printf("%s is %s\n", tasks[1].name, tasks[1].is_ready ? "ready" : "asleep");
	for (uint32_t i = 1; i < VCPUS; i++)
		MUST(svm_vcpu_destroy(tasks[i].vcpu));
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
