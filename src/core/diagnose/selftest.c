/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The ladder: tiny guests that prove, one rung after the other, that this host runs guests.
 *
 * Whoever ports the library meets its mistakes here, with a name and a reason, and not in the
 * first boot of an operating system as "it hangs after VMRUN".  Each rung needs only what the
 * rungs before it have shown.
 */
#include <libsvm/diagnose.h>
#include <libsvm/msrs.h>

#include "core/diagnose/selftest_guest.h"
#include "core/features.h"
#include "hal/ring0.h"

struct ladder {
	struct svm_selftest_guest guest;
	void (*report)(void *arg, const struct svm_selftest_result *result);
	void *arg;
	int failed;
};

static void say(struct ladder *l, const char *rung, const char *text, const char *explanation,
                bool passed, uint64_t expected, uint64_t observed)
{
	const struct svm_selftest_result result = {
		.rung = rung,
		.text = text,
		.explanation = explanation,
		.passed = passed,
		.expected = expected,
		.observed = observed,
	};

	if (!passed)
		l->failed++;
	if (l->report)
		l->report(l->arg, &result);
}

/* Run a program from its start; the kind of exit, or NONE if the call failed. */
static enum svm_exit_kind run(struct ladder *l, const uint8_t *program, size_t size,
                              struct svm_exit *exit)
{
	svm_selftest_guest_start(&l->guest, program, size);
	return svm_selftest_guest_continue(&l->guest, exit);
}

#define RUN(l, program, exit) run((l), (program), sizeof(program), (exit))

/* --- rungs ------------------------------------------------------------------------------------ */

static void rung_enable(struct ladder *l)
{
	const uint64_t efer = svm_ring0_rdmsr(SVM_MSR_EFER);

	say(l, "enable", "EFER.SVME is set on this CPU",
	    "svm_cpu_online() ran on another CPU, or someone cleared SVME since",
	    efer & EFER_SVME, EFER_SVME, efer & EFER_SVME);
}

static void rung_enter(struct ladder *l)
{
	static const uint8_t program[] = { 0x0f, 0x01, 0xd9 }; /* vmmcall */
	struct svm_exit exit;
	const enum svm_exit_kind kind = RUN(l, program, &exit);

	say(l, "enter", "a guest of one instruction, VMMCALL, enters and exits",
	    kind == SVM_EXIT_KIND_ENTRY_FAILED
	            ? "VMRUN refused the VMCB: the exit's findings name the rule"
	            : "the exit is not the guest's own: look at raw.exit_code",
	    kind == SVM_EXIT_KIND_HYPERCALL, SVM_EXIT_VMMCALL, exit.raw.exit_code);
}

static void rung_real_mode(struct ladder *l)
{
	struct svm_exit exit = { .kind = SVM_EXIT_KIND_NONE };
	enum svm_exit_kind kind;

	svm_selftest_guest_reset(&l->guest);
	kind = svm_selftest_guest_continue(&l->guest, &exit);
	say(l, "enter.reset", "a vCPU starts at F000:FFF0 in real mode, as after RESET",
	    "no memory at FFFFFFF0h, or paging of real mode fails in the nested tables",
	    kind == SVM_EXIT_KIND_HYPERCALL, SVM_EXIT_KIND_HYPERCALL, kind);
}

/* Every general register but RAX and RSP is software's to switch. */
static void rung_registers(struct ladder *l)
{
	static const uint8_t program[] = {
		0x48, 0xf7, 0xd3, 0x48, 0xf7, 0xd1, 0x48, 0xf7, 0xd2, /* not rbx, rcx, rdx */
		0x48, 0xf7, 0xd6, 0x48, 0xf7, 0xd7, 0x48, 0xf7, 0xd5, /* not rsi, rdi, rbp */
		0x49, 0xf7, 0xd0, 0x49, 0xf7, 0xd1, 0x49, 0xf7, 0xd2, /* not r8, r9, r10 */
		0x49, 0xf7, 0xd3, 0x49, 0xf7, 0xd4, 0x49, 0xf7, 0xd5, /* not r11, r12, r13 */
		0x49, 0xf7, 0xd6, 0x49, 0xf7, 0xd7,                   /* not r14, r15 */
		0x0f, 0x01, 0xd9,                                     /* vmmcall */
	};
	static const uint8_t numbers[] = { 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	struct svm_vcpu *vcpu = l->guest.vcpu;
	struct svm_exit exit;
	uint64_t wrong = 0;

	svm_selftest_guest_start(&l->guest, program, sizeof(program));
	for (size_t i = 0; i < SVM_ARRAY_SIZE(numbers); i++)
		svm_vcpu_write_gpr(vcpu, numbers[i], UINT64_C(0x0123456789abcdef) * (i + 1));
	svm_selftest_guest_continue(&l->guest, &exit);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(numbers); i++)
		if (svm_vcpu_read_gpr(vcpu, numbers[i]) !=
		    ~(UINT64_C(0x0123456789abcdef) * (i + 1)))
			wrong |= SVM_BIT(numbers[i]);
	say(l, "exit.registers", "14 general registers reach the guest and come back",
	    "observed has a bit for each register that did not: the world switch loses it",
	    exit.kind == SVM_EXIT_KIND_HYPERCALL && !wrong, 0, wrong);
}

/* What VMLOAD and VMSAVE switch is the host's again after an exit, whatever the guest had. */
static void rung_host_state(struct ladder *l)
{
	static const uint8_t program[] = { 0x0f, 0x01, 0xd9 };
	static const uint32_t msrs[] = { SVM_MSR_FS_BASE, SVM_MSR_GS_BASE, SVM_MSR_KERNEL_GS_BASE,
		                         SVM_MSR_STAR,    SVM_MSR_LSTAR,   SVM_MSR_SFMASK };
	uint64_t before[SVM_ARRAY_SIZE(msrs)];
	struct svm_exit exit;
	uint64_t wrong = 0;

	for (size_t i = 0; i < SVM_ARRAY_SIZE(msrs); i++)
		before[i] = svm_ring0_rdmsr(msrs[i]);
	svm_selftest_guest_start(&l->guest, program, sizeof(program));
	svm_selftest_guest_hostile_segments(&l->guest);
	svm_selftest_guest_continue(&l->guest, &exit);
	for (size_t i = 0; i < SVM_ARRAY_SIZE(msrs); i++)
		if (svm_ring0_rdmsr(msrs[i]) != before[i])
			wrong |= SVM_BIT(i);
	say(l, "exit.host-state", "FS, GS, KernelGSBase and the syscall MSRs are the host's again",
	    "the host's VMSAVE page or its VMLOAD is missing: bit n is the nth of FS GS KernelGS "
	    "STAR LSTAR SFMASK",
	    exit.kind == SVM_EXIT_KIND_HYPERCALL && !wrong, 0, wrong);
}

/*
 * A pending interrupt must end the run of a guest that never exits by itself.  The kick is sent
 * with interrupts off, so that it is still pending at VMRUN; a host whose should_exit() says "go
 * on" would enter and exit for ever, hence the loop limit.
 */
static void rung_host_interrupt(struct ladder *l)
{
	/* mov $0x400000, %ecx; 1: addr32 loop 1b; vmmcall: without a kick a failure, no hang. */
	static const uint8_t program[] = { 0x66, 0xb9, 0, 0, 0x40, 0, 0x67, 0xe2, 0xfd,
		                           0x0f, 0x01, 0xd9 };
	struct svm_host *host = l->guest.vm->host;
	const struct svm_hal *hal = &host->hal;
	struct svm_exit exit;
	uint64_t irq;

	svm_selftest_guest_start(&l->guest, program, sizeof(program));
	svm_selftest_guest_interrupts(&l->guest, true);
	svm_vcpu_set_loop_limit(l->guest.vcpu, 4);
	irq = hal->irq_save(hal->ctx);
	hal->cpu_kick(hal->ctx, hal->cpu_id(hal->ctx));
	svm_selftest_guest_continue_once(&l->guest, &exit);
	hal->irq_restore(hal->ctx, irq);
	svm_vcpu_set_loop_limit(l->guest.vcpu, 0);
	say(l, "interrupt.exit", "a host interrupt ends the run of a spinning guest",
	    "cpu_kick() sends no maskable interrupt, or the one before it got no EOI, or the "
	    "host's IF was 0 at VMRUN",
	    exit.raw.exit_code == SVM_EXIT_INTR, SVM_EXIT_INTR, exit.raw.exit_code);
}

/* With GIF = 0 the interrupt of the rung before could not have been taken by the host. */
static void rung_gif(struct ladder *l)
{
	static const uint8_t program[] = { 0x90, 0x90, 0x0f, 0x01, 0xd9 }; /* nop; nop; vmmcall */
	struct svm_vcpu *vcpu = l->guest.vcpu;
	struct svm_exit exit = { .kind = SVM_EXIT_KIND_NONE };
	uint64_t interrupts;

	svm_vcpu_set_loop_limit(vcpu, 64);
	svm_selftest_guest_start(&l->guest, program, sizeof(program));
	svm_selftest_guest_interrupts(&l->guest, true);
	interrupts = vcpu->stats.interrupts;
	/* A tick of the host may fall into the run: that is one interrupt, not one per entry. */
	for (unsigned i = 0; i < 4 && exit.kind != SVM_EXIT_KIND_HYPERCALL; i++)
		svm_selftest_guest_continue_once(&l->guest, &exit);
	svm_vcpu_set_loop_limit(vcpu, 0);
	interrupts = vcpu->stats.interrupts - interrupts;
	say(l, "exit.gif", "after an exit GIF is 1 and the host takes its interrupts",
	    "STGI is missing, or the host's interrupt handler sends no EOI",
	    exit.kind == SVM_EXIT_KIND_HYPERCALL && interrupts < 4, 0, interrupts);
}

static void rung_cpuid(struct ladder *l)
{
	static const uint8_t program[] = { 0x0f, 0xa2, 0x0f, 0x01, 0xd9 }; /* cpuid; vmmcall */
	const struct svm_cpuid_state state = { .apic_id = 0 };
	struct svm_vcpu *vcpu = l->guest.vcpu;
	struct svm_cpuid_regs regs;
	struct svm_exit exit;

	svm_selftest_guest_start(&l->guest, program, sizeof(program));
	svm_vcpu_write_gpr(vcpu, 0, 0);
	svm_vcpu_write_gpr(vcpu, 1, 0);
	svm_selftest_guest_continue(&l->guest, &exit);
	(void)svm_cpuid_lookup(&l->guest.vm->cpuid, &state, 0, 0, &regs);
	say(l, "exit.cpuid", "CPUID is answered from the VM's table and stepped over",
	    "the length of the instruction is wrong: RIP does not advance",
	    exit.kind == SVM_EXIT_KIND_HYPERCALL && vcpu->s.rbx == regs.ebx, regs.ebx,
	    vcpu->s.rbx);
}

static void rung_nested_fault(struct ladder *l)
{
	static const uint8_t program[] = { 0x48, 0x8b, 0x03, 0x0f, 0x01, 0xd9 };
	/* mov rax, [rbx]; vmmcall */
	struct svm_selftest_guest *g = &l->guest;
	struct svm_exit exit;
	bool passed;

	svm_selftest_guest_start(g, program, sizeof(program));
	svm_vcpu_write_gpr(g->vcpu, 3, SVM_SELFTEST_HOLE);
	svm_selftest_guest_continue(g, &exit);
	passed = exit.kind == SVM_EXIT_KIND_NPT_FAULT && exit.npt.gpa == SVM_SELFTEST_HOLE &&
	         exit.npt.access == SVM_PROT_READ;
	say(l, "memory.fault", "a touch of unmapped memory exits with its address",
	    "the nested tables map too much, or the fault's address is wrong", passed,
	    SVM_SELFTEST_HOLE, exit.kind == SVM_EXIT_KIND_NPT_FAULT ? exit.npt.gpa : 0);

	passed = svm_selftest_guest_fill_hole(g) == 0;
	svm_selftest_guest_continue(g, &exit);
	say(l, "memory.fill", "after a slot was added the same instruction reads its memory",
	    "the nested tables lead to another frame, or phys_to_virt() does",
	    passed && exit.kind == SVM_EXIT_KIND_HYPERCALL &&
	            svm_vcpu_read_gpr(g->vcpu, 0) == SVM_SELFTEST_MAGIC,
	    SVM_SELFTEST_MAGIC, svm_vcpu_read_gpr(g->vcpu, 0));
}

static void rung_ports(struct ladder *l)
{
	static const uint8_t out[] = { 0xe6, 0x80, 0x0f, 0x01, 0xd9 }; /* out 80h, al; vmmcall */
	static const uint8_t in[] = { 0xe4, 0x80, 0x0f, 0x01, 0xd9 };  /* in al, 80h; vmmcall */
	struct svm_vcpu *vcpu = l->guest.vcpu;
	struct svm_exit exit;
	bool passed;

	svm_selftest_guest_start(&l->guest, out, sizeof(out));
	svm_vcpu_write_gpr(vcpu, 0, 0x5a);
	svm_selftest_guest_continue(&l->guest, &exit);
	passed = exit.kind == SVM_EXIT_KIND_IO && !exit.io.is_in && exit.io.port == 0x80 &&
	         exit.io.size == 1 && exit.io.value == 0x5a && !svm_vcpu_complete_skip(vcpu) &&
	         svm_selftest_guest_continue(&l->guest, &exit) == SVM_EXIT_KIND_HYPERCALL;
	say(l, "ports.out", "OUT exits with port, size and value",
	    "the I/O permission map is not the VMCB's, or not all ones", passed,
	    SVM_EXIT_KIND_HYPERCALL, exit.kind);

	svm_selftest_guest_start(&l->guest, in, sizeof(in));
	svm_vcpu_write_gpr(vcpu, 0, 0x1100);
	svm_selftest_guest_continue(&l->guest, &exit);
	passed = exit.kind == SVM_EXIT_KIND_IO && exit.io.is_in &&
	         !svm_vcpu_complete_value(vcpu, 0xa5) &&
	         svm_selftest_guest_continue(&l->guest, &exit) == SVM_EXIT_KIND_HYPERCALL;
	say(l, "ports.in", "IN takes the value that the embedder gives, in AL alone",
	    "the completion writes more or less than the operand",
	    passed && svm_vcpu_read_gpr(vcpu, 0) == 0x11a5, 0x11a5, svm_vcpu_read_gpr(vcpu, 0));
}

static void rung_msrs(struct ladder *l)
{
	static const uint8_t read[] = { 0x0f, 0x32, 0x0f, 0x01, 0xd9 };  /* rdmsr; vmmcall */
	static const uint8_t write[] = { 0x0f, 0x30, 0x0f, 0x01, 0xd9 }; /* wrmsr; vmmcall */
	struct svm_vcpu *vcpu = l->guest.vcpu;
	const uint64_t host = svm_ring0_rdmsr(SVM_MSR_KERNEL_GS_BASE);
	struct svm_exit exit;
	uint64_t kept = 0;

	svm_selftest_guest_start(&l->guest, read, sizeof(read));
	svm_vcpu_write_gpr(vcpu, 1, SVM_MSR_EFER);
	svm_selftest_guest_continue(&l->guest, &exit);
	say(l, "msrs.intercepted", "RDMSR of EFER is answered by the library, without SVME",
	    "the MSR permission map lets EFER through: the guest could clear SVME",
	    exit.kind == SVM_EXIT_KIND_HYPERCALL &&
	            svm_vcpu_read_gpr(vcpu, 0) == (EFER_LME | EFER_LMA),
	    EFER_LME | EFER_LMA, svm_vcpu_read_gpr(vcpu, 0));

	svm_selftest_guest_start(&l->guest, write, sizeof(write));
	svm_vcpu_write_gpr(vcpu, 1, SVM_MSR_KERNEL_GS_BASE);
	svm_vcpu_write_gpr(vcpu, 0, 0x1234000);
	svm_vcpu_write_gpr(vcpu, 2, 0);
	svm_selftest_guest_continue(&l->guest, &exit);
	const bool got = svm_vcpu_get_msr(vcpu, SVM_MSR_KERNEL_GS_BASE, &kept) == 0;

	say(l, "msrs.passed", "KernelGSBase is the guest's own, and the host's is untouched",
	    "VMSAVE after the exit or VMLOAD of the host is missing",
	    exit.kind == SVM_EXIT_KIND_HYPERCALL && got && kept == 0x1234000 &&
	            svm_ring0_rdmsr(SVM_MSR_KERNEL_GS_BASE) == host,
	    0x1234000, kept);
}

/* The guest's handlers end in VMMCALL with the vector in RAX; see selftest_guest.c. */
static void rung_injection(struct ladder *l)
{
	static const uint8_t nops[] = { 0x90, 0x90, 0x90, 0x0f, 0x01, 0xd9 };
	static const uint8_t sti[] = { 0xfb, 0x90, 0x90, 0x90, 0x0f, 0x01, 0xd9 };
	struct svm_vcpu *vcpu = l->guest.vcpu;
	struct svm_exit exit;
	int error;

	svm_selftest_guest_start(&l->guest, nops, sizeof(nops));
	error = svm_vcpu_inject_exception(vcpu, SVM_VECTOR_GP, 0x18, 0);
	svm_selftest_guest_continue(&l->guest, &exit);
	say(l, "inject.exception", "an injected #GP runs the guest's handler",
	    "EVENTINJ is not what the processor expects, or the guest's IDT is not reached",
	    !error && svm_vcpu_read_gpr(vcpu, 0) == SVM_VECTOR_GP, SVM_VECTOR_GP,
	    svm_vcpu_read_gpr(vcpu, 0));

	svm_selftest_guest_start(&l->guest, sti, sizeof(sti));
	error = svm_vcpu_inject_interrupt(vcpu, 0x1e);
	svm_selftest_guest_continue(&l->guest, &exit);
	say(l, "inject.interrupt", "an interrupt waits for STI and then runs the guest's handler",
	    "the interrupt window (VINTR) does not open, or the vector got lost in it",
	    !error && svm_vcpu_read_gpr(vcpu, 0) == 0x1e, 0x1e, svm_vcpu_read_gpr(vcpu, 0));

	svm_selftest_guest_start(&l->guest, nops, sizeof(nops));
	svm_vcpu_inject_nmi(vcpu);
	svm_selftest_guest_continue(&l->guest, &exit);
	say(l, "inject.nmi", "an NMI is delivered although IF is 0",
	    "NMIs are held back for a window that never opens",
	    svm_vcpu_read_gpr(vcpu, 0) == SVM_VECTOR_NMI, SVM_VECTOR_NMI,
	    svm_vcpu_read_gpr(vcpu, 0));
}

static void rung_shutdown(struct ladder *l)
{
	static const uint8_t program[] = { 0x0f, 0x0b }; /* ud2 */
	struct svm_exit exit;
	enum svm_exit_kind kind;

	svm_selftest_guest_start(&l->guest, program, sizeof(program));
	svm_selftest_guest_no_idt(&l->guest);
	kind = svm_selftest_guest_continue(&l->guest, &exit);
	say(l, "exit.shutdown", "a triple fault ends the guest and not the machine",
	    "the SHUTDOWN intercept is clear", kind == SVM_EXIT_KIND_SHUTDOWN,
	    SVM_EXIT_KIND_SHUTDOWN, kind);
}

int svm_selftest(struct svm_host *host,
                 void (*report)(void *arg, const struct svm_selftest_result *result), void *arg)
{
	static void (*const rungs[])(struct ladder *l) = {
		rung_enable,    rung_enter, rung_registers,      rung_host_state, rung_real_mode,
		rung_cpuid,     rung_ports, rung_msrs,           rung_nested_fault,
		rung_injection, rung_host_interrupt, rung_gif,   rung_shutdown,
	};
	struct ladder l = { .report = report, .arg = arg };
	const int error = svm_selftest_guest_make(&l.guest, host);

	if (error)
		return error;
	for (size_t i = 0; i < SVM_ARRAY_SIZE(rungs); i++)
		rungs[i](&l);
	svm_selftest_guest_free(&l.guest);
	return l.failed;
}
