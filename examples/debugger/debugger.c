/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A debugger for guests: a breakpoint, single steps, and a watched store.
 *
 * Look at the fact that nothing in the guest's memory changes.  Breakpoint and watchpoint are debug
 * registers of the virtual processor, a step is the trap flag; SVM_WANT_DEBUG has their #DB come
 * here before the guest sees it, and svm_vcpu_complete_retry() swallows it.  The guest could see
 * its RFLAGS and debug registers, so a debugger that must stay hidden intercepts PUSHF and DR reads
 * too.
 */
#include <common/machine.h>

#define RFLAGS_TF SVM_BIT(8)
#define RFLAGS_RF SVM_BIT(16) /* The next instruction hits no breakpoint. */

#define DR7_ENABLE(n) (UINT64_C(2) << 2 * (n))
#define DR7_STORE(n)  (UINT64_C(0xd) << (16 + 4 * (n))) /* Four bytes, stores. */
#define DR6_INIT      UINT64_C(0xffff0ff0)

GUEST_CODE(guest, 32,
           "mov $3, %ecx\n"      /* 1000 */
           "mov $0, %eax\n"      /* 1005 */
           "1: add %ecx, %eax\n" /* 100a */
           "dec %ecx\n"          /* 100c */
           "jnz 1b\n"            /* 100d */
           "mov %eax, 0x5000\n"  /* 100f */
           "hlt");               /* 1014 */

#define LOOP  0x100au
#define TOTAL 0x5000u

static void set_flags(struct svm_vcpu *vcpu, uint64_t set, uint64_t clear)
{
	struct svm_regs regs;

	svm_vcpu_get_regs(vcpu, &regs);
	regs.rflags = (regs.rflags | set) & ~clear;
	MUST(svm_vcpu_set_regs(vcpu, &regs));
}

static void set_debug(struct svm_vcpu *vcpu, uint64_t dr7)
{
	const struct svm_debug_regs debug = { .dr = { LOOP, TOTAL }, .dr6 = DR6_INIT, .dr7 = dr7 };

	MUST(svm_vcpu_set_debug(vcpu, &debug));
}

/* Run to the next #DB and say where the guest is; false: it ended. */
static bool go(struct svm_vcpu *vcpu, const char *what)
{
	struct svm_debug_regs debug;
	struct svm_exit exit;
	struct svm_regs regs;

	if (machine_run(vcpu, &exit) != SVM_EXIT_KIND_DEBUG) {
		printf("%s: %s\n", what, svm_exit_kind_name(exit.kind));
		return false;
	}
	svm_vcpu_get_regs(vcpu, &regs);
	svm_vcpu_get_debug(vcpu, &debug);
	printf("%s: EIP %x, EAX %u, ECX %u, DR6 %x\n", what, (unsigned)regs.rip, (unsigned)regs.rax,
	       (unsigned)regs.rcx, (unsigned)exit.exception.address & 0xffffu);
	MUST(svm_vcpu_complete_retry(vcpu));
	debug.dr6 = DR6_INIT; /* The processor only ever sets bits there. */
	MUST(svm_vcpu_set_debug(vcpu, &debug));
	return true;
}

int main(void)
{
	struct machine m;

	machine_create(&m, 1);
	machine_load(&m, guest, guest_end);
	machine_start_32(m.vcpu);
	MUST(svm_vm_set_exits(m.vm, SVM_WANT_DEBUG));

	set_debug(m.vcpu, DR7_ENABLE(0)); /* DR0: execution. */
	go(m.vcpu, "breakpoint");
	set_flags(m.vcpu, RFLAGS_RF | RFLAGS_TF, 0);
	for (unsigned i = 0; i < 3; i++)
		go(m.vcpu, "step");
	set_flags(m.vcpu, 0, RFLAGS_TF);
	set_debug(m.vcpu, DR7_ENABLE(1) | DR7_STORE(1)); /* DR1: stores. */
	while (go(m.vcpu, "store"))
		;
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
