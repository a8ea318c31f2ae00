/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The first system calls of a Linux guest, seen from outside: by a kernel of 400 lines, with the
 * skeleton's Linux program, neither of which knows of it.
 *
 * Look at where this sits: the linker gives the program __wrap_svm_vcpu_run() for svm_vcpu_run(),
 * so all exits pass by here first.  SYSCALL has no intercept.  But it leads to one place, whose
 * address is in LSTAR, and there a UD2 is planted: its #UD comes here before the guest sees it.
 * Then the real bytes are put back, the guest makes one step, and UD2 is planted again.
 *
 * INT3 would be one byte instead of two, but QEMU's is no exception to the intercepts
 * (docs/troubleshooting.md).  Debug registers would leave the guest's memory alone: see
 * examples/debugger.
 */
#include <libsvm/libsvm.h>

#include "kernel.h"
#include "names.h"

#define LSTAR     0xc0000082u
#define RFLAGS_TF SVM_BIT(8)
#define DB        1u
#define UD        6u
#define CALLS     40u /* Then Linux is left alone. */

int __real_svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit);
int __wrap_svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit);

static svm_gva_t entry; /* Where SYSCALL leads to; 0: nobody watches. */
static svm_gpa_t entry_gpa;
static uint8_t code[2]; /* What stands there. */
static const uint8_t ud2[2] = { 0x0f, 0x0b };
static unsigned seen;

static void print_hex(uint64_t value)
{
	char text[] = "0x0000000000000000";

	for (char *digit = text + 17; value; value >>= 4)
		*digit-- = "0123456789abcdef"[value & 15];
	print(text);
}

/* Through the slots, since to the guest's kernel its own code cannot be written. */
static bool plant(struct svm_vcpu *vcpu, const uint8_t *bytes)
{
	return !svm_vm_write(svm_vcpu_vm(vcpu), entry_gpa, bytes, sizeof(code), NULL);
}

/* As soon as there is a program: then the kernel has finished changing its own code. */
static void begin(struct svm_vcpu *vcpu)
{
	struct svm_translation place;
	struct svm_system_regs system;

	svm_vcpu_get_system(vcpu, &system);
	if (seen || system.cpl != 3 || svm_vcpu_get_msr(vcpu, LSTAR, &entry) || !entry)
		return;
	if (svm_vcpu_translate(vcpu, entry, SVM_PROT_READ | SVM_ACCESS_SYSTEM, &place) ||
	    svm_vm_read(svm_vcpu_vm(vcpu), place.gpa, code, sizeof(code), NULL) ||
	    svm_vm_set_exits(svm_vcpu_vm(vcpu), SVM_WANT_MMIO | SVM_WANT_DEBUG | SVM_WANT_UD))
		return;
	entry_gpa = place.gpa;
	seen = plant(vcpu, ud2);
}

/* A path is the program's: it may not be in memory, and may have no end. */
static void print_path(struct svm_vcpu *vcpu, svm_gva_t address)
{
	char path[32] = "";

	if (svm_vcpu_read(vcpu, address, path, sizeof(path) - 1, NULL))
		return;
	print(" ");
	print(path);
}

static void print_call(struct svm_vcpu *vcpu, const struct svm_regs *regs)
{
	size_t i = 0;

	while (i < sizeof(names) / sizeof(names[0]) && names[i].number != regs->rax)
		i++;
	print("syscall ");
	if (i == sizeof(names) / sizeof(names[0])) {
		print_hex(regs->rax);
	} else {
		print(names[i].name);
		if (names[i].path)
			print_path(vcpu, names[i].path == 1 ? regs->rdi : regs->rsi);
	}
	print("\n");
}

/* At the entry: nothing of the kernel's has run yet, so the registers are the program's. */
static int on_call(struct svm_vcpu *vcpu, struct svm_regs *regs)
{
	print_call(vcpu, regs);
	if (!plant(vcpu, code))
		return SVM_ERR_FAULT;
	if (++seen <= CALLS)
		regs->rflags |= RFLAGS_TF;
	return svm_vcpu_set_regs(vcpu, regs);
}

static int on_step(struct svm_vcpu *vcpu, struct svm_regs *regs)
{
	regs->rflags &= ~RFLAGS_TF;
	return plant(vcpu, ud2) ? svm_vcpu_set_regs(vcpu, regs) : SVM_ERR_FAULT;
}

static int on_debug(struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	struct svm_regs regs;
	int error;

	svm_vcpu_get_regs(vcpu, &regs);
	if (exit->exception.vector == UD && exit->rip == entry)
		error = on_call(vcpu, &regs);
	else if (exit->exception.vector == DB && (regs.rflags & RFLAGS_TF))
		error = on_step(vcpu, &regs);
	else
		return svm_vcpu_complete_fault(vcpu, exit->exception.vector, 0); /* Its own. */
	return error ? error : svm_vcpu_complete_retry(vcpu);
}

int __wrap_svm_vcpu_run(struct svm_vcpu *vcpu, struct svm_exit *exit)
{
	int error = __real_svm_vcpu_run(vcpu, exit);

	while (!error &&
	       (exit->kind == SVM_EXIT_KIND_DEBUG || exit->kind == SVM_EXIT_KIND_EXCEPTION)) {
		error = on_debug(vcpu, exit);
		if (!error)
			error = __real_svm_vcpu_run(vcpu, exit);
	}
	if (!error)
		begin(vcpu);
	return error;
}
