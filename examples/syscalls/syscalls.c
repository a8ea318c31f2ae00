/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Watching system calls from outside: every INT 80h of a guest, with its number, arguments and
 * answer, and the guest's kernel executes them as if nobody looked.
 *
 * Look at watch(): the intercept of INT n is set above the library's own, the registers are read at
 * the exit, and svm_vcpu_complete_emulate() has the library execute the instruction that it was
 * only asked to show.  The answer is read where the call returns: a breakpoint of the virtual
 * processor stands behind the INT.
 *
 * The guest here is a kernel of seven instructions and a program, with the numbers of 32-bit Linux.
 * In a Linux of 64 bits programs use SYSCALL, which has no intercept: examples/linux-syscalls.
 */
#include <common/machine.h>

#define SYSTEM_CALL 0x80u
#define DB          1u

#define DR6_INIT UINT64_C(0xffff0ff0)

/* The vector's entry in the table at 0; then write(1, "hi", 2), getpid(), exit(3). */
GUEST_CODE(program, 16,
           "movw $0x1100, 0x80 * 4\n"
           "movw $0, 0x80 * 4 + 2\n"
           "mov $4, %eax\n"
           "mov $1, %ebx\n"
           "mov $0x1200, %ecx\n"
           "mov $2, %edx\n"
           "int $0x80\n"
           "mov $20, %eax\n"
           "int $0x80\n"
           "mov $1, %eax\n"
           "mov $3, %ebx\n"
           "int $0x80");
/* The kernel: exit ends the machine, write says how much it wrote, everything else is 42. */
GUEST_CODE(kernel, 16,
           "cmp $1, %eax\n"
           "jne 1f\n"
           "hlt\n"
           "1: cmp $4, %eax\n"
           "mov $42, %eax\n"
           "jne 2f\n"
           "mov %edx, %eax\n"
           "2: iretw");

static const char *name_of(uint64_t number)
{
	return number == 1 ? "exit" : number == 4 ? "write" : number == 20 ? "getpid" : "?";
}

static void break_at(struct svm_vcpu *vcpu, uint64_t address)
{
	const struct svm_debug_regs debug = { .dr = { address },
		                              .dr6 = DR6_INIT,
		                              .dr7 = address ? 2 : 0 };

	MUST(svm_vcpu_set_debug(vcpu, &debug));
}

/* What the call is about; a string is fetched through the guest's own page tables. */
static void print_call(struct svm_vcpu *vcpu, const struct svm_regs *regs)
{
	char text[8] = "";
	const size_t size = regs->rdx < sizeof(text) ? regs->rdx : sizeof(text) - 1;

	printf("%s(%u", name_of(regs->rax), (unsigned)regs->rbx);
	if (regs->rax == 4 && !svm_vcpu_read(vcpu, regs->rcx, text, size, NULL))
		printf(", \"%s\", %u", text, (unsigned)regs->rdx);
	printf(")");
}

/* The base of CS is 0 here, so RIP is the linear address. */
static bool is_system_call(struct svm_vcpu *vcpu, svm_gva_t rip)
{
	uint8_t insn[2]; /* CDh and the vector. */

	return !svm_vcpu_read(vcpu, rip, insn, sizeof(insn), NULL) && insn[1] == SYSTEM_CALL;
}

static void watch(struct svm_vcpu *vcpu)
{
	struct svm_exit exit;
	struct svm_regs regs;

	while (machine_run(vcpu, &exit) != SVM_EXIT_KIND_HLT) {
		svm_vcpu_get_regs(vcpu, &regs);
		if (exit.kind == SVM_EXIT_KIND_DEBUG && exit.exception.vector == DB) {
			printf(" = %u\n", (unsigned)regs.rax);
			break_at(vcpu, 0);
			MUST(svm_vcpu_complete_retry(vcpu));
			continue;
		}
		if (is_system_call(vcpu, exit.rip)) {
			print_call(vcpu, &regs);
			break_at(vcpu, exit.rip + 2); /* INT n is two bytes long. */
		}
		MUST(svm_vcpu_complete_emulate(vcpu));
	}
	printf(" does not return\n");
}

int main(void)
{
	struct machine m;

	machine_create(&m, 1);
	machine_load(&m, program, program_end);
	memcpy(m.memory + 0x1100, kernel, (size_t)(kernel_end - kernel));
	memcpy(m.memory + 0x1200, "hi", 2);
	machine_start_16(m.vcpu);
	MUST(svm_vm_set_exits(m.vm, SVM_WANT_DEBUG));
	MUST(svm_vcpu_set_intercept(m.vcpu, SVM_EXIT_INTN, true));
	watch(m.vcpu);
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
