/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What happens on each vector.  An exception of the host is a defect of the host: everything known
 * is printed and that CPU stops, since going on would hide it.  The one exception are instructions
 * listed in the fix-up table (RDMSR and WRMSR of registers that may not exist): their #GP goes
 * on at the address the table names.
 */
#include "apic.h"
#include "cpu.h"
#include "idt.h"
#include "kprintf.h"
#include "memory.h"
#include "power.h"
#include "sched.h"
#include "timer.h"
#include "x86.h"

#define BACKTRACE_MAX 16

struct fixup {
	uint64_t rip, target;
};

extern const struct fixup fixup_table_start[], fixup_table_end[];

static const char *const exception_names[VECTOR_EXCEPTIONS] = {
	"#DE divide error",
	"#DB debug",
	"NMI",
	"#BP breakpoint",
	"#OF overflow",
	"#BR bound range",
	"#UD invalid opcode",
	"#NM device not available",
	"#DF double fault",
	"coprocessor overrun",
	"#TS invalid TSS",
	"#NP segment not present",
	"#SS stack fault",
	"#GP general protection",
	"#PF page fault",
	"reserved",
	"#MF x87",
	"#AC alignment check",
	"#MC machine check",
	"#XF SIMD",
	"#VE",
	"#CP control protection",
	"reserved",
	"reserved",
	"reserved",
	"reserved",
	"reserved",
	"reserved",
	"#HV",
	"#VC",
	"#SX security",
	"reserved",
};

static bool try_fixup(struct trap_frame *frame)
{
	for (const struct fixup *f = fixup_table_start; f < fixup_table_end; f++) {
		if (f->rip == frame->rip) {
			frame->rip = f->target;
			return true;
		}
	}
	return false;
}

static bool is_stack_address(uint64_t address)
{
	const uint64_t boot = (uintptr_t)boot_stack_bottom, boot_end = (uintptr_t)boot_stack_top;

	if (address & 7)
		return false;
	return (address >= boot && address + 16 <= boot_end) ||
	       (address >= STACK_AREA && address < WINDOW_AREA);
}

static bool is_in_trap_common(uint64_t address)
{
	extern const char trap_common[], trap_common_end[];

	return address > (uintptr_t)trap_common && address < (uintptr_t)trap_common_end;
}

/*
 * Follow saved frame pointers while they stay on a stack and go upwards within one page run.
 * Behind the call of trap_dispatch() lies the frame of what was interrupted: the processor aligns
 * RSP before it pushes (APM vol. 2, 8.9.3), so nothing is between.
 */
static void print_backtrace(uint64_t rip, uint64_t rbp)
{
	kprintf("  backtrace: %lx", rip);
	for (int i = 0; i < BACKTRACE_MAX && is_stack_address(rbp); i++) {
		const uint64_t *const words = (const uint64_t *)(uintptr_t)rbp;
		const struct trap_frame *const frame = (const struct trap_frame *)(words + 2);
		const uint64_t next = words[0];

		kprintf(" %lx", words[1]);
		if (is_in_trap_common(words[1]) && is_stack_address((uintptr_t)frame))
			kprintf(" (vector %lx, rflags %lx) %lx", frame->vector, frame->rflags,
			        frame->rip);
		if (next <= rbp || next - rbp > BOOT_STACK_SIZE)
			break;
		rbp = next;
	}
	kprintf("\n");
}

static void print_trap(const struct trap_frame *f, uint32_t cpu)
{
	kprintf("%shost exception on CPU %u: vector %lu (%s), error code %lx%s\n", color_bad(), cpu,
	        f->vector, f->vector < VECTOR_EXCEPTIONS ? exception_names[f->vector] : "?",
	        f->error_code, color_off());
	kprintf("  rip %04lx:%016lx  rflags %08lx  rsp %04lx:%016lx\n", f->cs, f->rip, f->rflags,
	        f->ss, f->rsp);
	kprintf("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", f->rax, f->rbx, f->rcx,
	        f->rdx);
	kprintf("  rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", f->rsi, f->rdi, f->rbp,
	        f->r8);
	kprintf("  r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", f->r9, f->r10, f->r11,
	        f->r12);
	kprintf("  r13 %016lx  r14 %016lx  r15 %016lx\n", f->r13, f->r14, f->r15);
	kprintf("  cr0 %08lx  cr2 %016lx  cr3 %lx  cr4 %08lx  efer %lx  gs base %lx\n", read_cr0(),
	        read_cr2(), read_cr3(), read_cr4(), rdmsr(MSR_EFER), rdmsr(MSR_GS_BASE));
	print_backtrace(f->rip, f->rbp);
}

static _Noreturn void crash(const struct trap_frame *frame)
{
	/* GS may be what is broken: between #VMEXIT and VMLOAD it is the guest's. */
	const struct cpu *self = cpu_self_without_gs();

	print_trap(frame, self->index);
	/* The boot CPU runs the show: without it nothing would ever end the machine. */
	if (self->index == 0)
		power_off(POWER_CRASH);
	cpu_halt_forever();
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static void interrupt(uint64_t vector, struct cpu *self)
{
	switch (vector) {
	case VECTOR_NMI:
		count(&self->nmis);
		return;
	case VECTOR_TIMER:
		timer_interrupt(self);
		apic_eoi();
		return;
	case VECTOR_KICK:
		count(&self->kicks);
		sched_prodded(self);
		break;
	default: /* no EOI: neither APIC nor PIC sets an in-service bit (APM vol. 2, 16.4.7) */
		count(&self->spurious);
		return;
	}
	self->waits = false;
	__atomic_store_n(&self->wanted, true, __ATOMIC_RELAXED);
	apic_eoi();
}

void trap_dispatch(struct trap_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_NMI:
	case VECTOR_TIMER:
	case VECTOR_KICK:
	case VECTOR_SPURIOUS:
	case VECTOR_PIC + 7:
	case VECTOR_PIC + 15:
		interrupt(frame->vector, cpu_self());
		return;
	default:
		if (frame->vector != VECTOR_GENERAL_PROTECTION || !try_fixup(frame))
			crash(frame);
		return;
	}
}
