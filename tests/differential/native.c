/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The trampoline: load every register, jump to the instruction, come back by the jump behind it
 * or by a signal, store every register.
 *
 * Only one thing runs at a time, so the two states are global: the instruction owns all general
 * registers, and what is addressed relative to RIP needs none.
 */
#define _GNU_SOURCE
#include "native.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define PAGE 4096u
#define JUMP_SIZE 14u /* jmp *0(%rip), and the address */

extern struct native_state native_in, native_out, native_host;
struct native_state native_in, native_out, native_host;
_Static_assert(offsetof(struct native_state, fpu) == 192, "the trampoline knows the offset");
extern uint64_t native_target, native_host_rsp;
uint64_t native_target, native_host_rsp;

static uint8_t *code_page;
static volatile bool faulted;
static volatile unsigned fault_vector;
static volatile uint32_t fault_error;
static volatile uint64_t fault_address, fault_rip;

void native_enter(void);
void native_signal(int number, siginfo_t *info, void *context);
void native_handle(int number, siginfo_t *info, void *context);
void native_back(void);
void native_leave(void);

/* clang-format off */
__asm__(
	".text\n"
	".globl native_enter\n"
	"native_enter:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, native_host_rsp(%rip)\n"
	"	mov $7, %eax\n"
	"	xor %edx, %edx\n"
	"	xsave 192+native_host(%rip)\n"
	"	pushq 128+native_in(%rip)\n"
	"	popfq\n"
	"	mov $7, %eax\n"
	"	xor %edx, %edx\n"
	"	xrstor 192+native_in(%rip)\n"
	"	pushq 128+native_in(%rip)\n"
	"	popfq\n"
	"	mov 0+native_in(%rip), %rax\n"
	"	mov 8+native_in(%rip), %rcx\n"
	"	mov 16+native_in(%rip), %rdx\n"
	"	mov 24+native_in(%rip), %rbx\n"
	"	mov 32+native_in(%rip), %rsp\n"
	"	mov 40+native_in(%rip), %rbp\n"
	"	mov 48+native_in(%rip), %rsi\n"
	"	mov 56+native_in(%rip), %rdi\n"
	"	mov 64+native_in(%rip), %r8\n"
	"	mov 72+native_in(%rip), %r9\n"
	"	mov 80+native_in(%rip), %r10\n"
	"	mov 88+native_in(%rip), %r11\n"
	"	mov 96+native_in(%rip), %r12\n"
	"	mov 104+native_in(%rip), %r13\n"
	"	mov 112+native_in(%rip), %r14\n"
	"	mov 120+native_in(%rip), %r15\n"
	"	jmp *native_target(%rip)\n"
	/* Linux leaves AC as the instruction had it, and compilers do not align every access. */
	".globl native_signal\n"
	"native_signal:\n"
	"	pushfq\n"
	"	andq $~0x40000, (%rsp)\n"
	"	popfq\n"
	"	jmp native_handle\n"
	".globl native_back\n"
	"native_back:\n"
	"	mov %rax, 0+native_out(%rip)\n"
	"	mov %rcx, 8+native_out(%rip)\n"
	"	mov %rdx, 16+native_out(%rip)\n"
	"	mov %rbx, 24+native_out(%rip)\n"
	"	mov %rsp, 32+native_out(%rip)\n"
	"	mov %rbp, 40+native_out(%rip)\n"
	"	mov %rsi, 48+native_out(%rip)\n"
	"	mov %rdi, 56+native_out(%rip)\n"
	"	mov %r8, 64+native_out(%rip)\n"
	"	mov %r9, 72+native_out(%rip)\n"
	"	mov %r10, 80+native_out(%rip)\n"
	"	mov %r11, 88+native_out(%rip)\n"
	"	mov %r12, 96+native_out(%rip)\n"
	"	mov %r13, 104+native_out(%rip)\n"
	"	mov %r14, 112+native_out(%rip)\n"
	"	mov %r15, 120+native_out(%rip)\n"
	"	mov native_host_rsp(%rip), %rsp\n"
	"	pushfq\n"
	"	popq 128+native_out(%rip)\n"
	".globl native_leave\n"
	"native_leave:\n"
	"	mov native_host_rsp(%rip), %rsp\n"
	"	pushq $0x202\n"
	"	popfq\n"
	"	mov $7, %eax\n"
	"	xor %edx, %edx\n"
	"	xsave 192+native_out(%rip)\n"
	"	xrstor 192+native_host(%rip)\n"
	"	cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
);
/* clang-format on */

void native_handle(int number, siginfo_t *info, void *context)
{
	/* Linux's order of registers in a signal frame, by the processor's numbers. */
	static const int order[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
		                       REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
		                       REG_R12, REG_R13, REG_R14, REG_R15 };
	ucontext_t *u = context;
	greg_t *regs = u->uc_mcontext.gregs;

	(void)number;
	(void)info;
	faulted = true;
	fault_vector = (unsigned)regs[REG_TRAPNO];
	fault_error = (uint32_t)regs[REG_ERR];
	fault_address = (uint64_t)regs[REG_CR2];
	fault_rip = (uint64_t)regs[REG_RIP];
	for (unsigned i = 0; i < 16; i++)
		native_out.gpr[i] = (uint64_t)regs[order[i]];
	native_out.rflags = (uint64_t)regs[REG_EFL];
	regs[REG_RIP] = (greg_t)(uintptr_t)native_leave;
	regs[REG_EFL] = 0x202;
}

bool native_init(void)
{
	static uint8_t stack[64 * 1024] __attribute__((aligned(16)));
	const stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP };
	struct sigaction action = { .sa_sigaction = native_signal,
		                    .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

	if (!__builtin_cpu_supports("avx"))
		return false;
	code_page = mmap((void *)0x10000000, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (code_page == MAP_FAILED || sigaltstack(&alternate, NULL))
		return false;
	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &action, NULL))
			return false;
	return true;
}

uint64_t native_code_address(unsigned length)
{
	return (uint64_t)(uintptr_t)code_page + PAGE - length - JUMP_SIZE;
}

void native_run(const uint8_t *bytes, unsigned length, const struct native_state *in,
                struct native_outcome *out)
{
	const uint64_t start = native_code_address(length);
	uint8_t *code = (uint8_t *)(uintptr_t)start;
	const uint64_t back = (uint64_t)(uintptr_t)native_back;
	const uint8_t jump[6] = { 0xff, 0x25, 0, 0, 0, 0 };

	memcpy(code, bytes, length);
	memcpy(code + length, jump, sizeof(jump));
	memcpy(code + length + sizeof(jump), &back, sizeof(back));
	native_in = *in;
	memset(native_out.fpu, 0, sizeof(native_out.fpu));
	native_target = start;
	faulted = false;
	native_enter();
	out->state = native_out;
	out->rip = faulted ? fault_rip - start : length;
	out->faulted = faulted;
	out->vector = fault_vector;
	out->error = fault_error;
	out->address = fault_address;
}

bool native_owns(uint64_t address)
{
	return address - (uint64_t)(uintptr_t)code_page < 2 * PAGE;
}
