/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Guests that go wrong while they run, and monitors that let them: what broken.c cannot show, since
 * each VMCB here is right.
 *
 *	guests --list    their names, what is wrong, and what must be in the explanation
 *	guests NAME      run one, and print its explanation: a line, or a page
 *
 * Look at explain(), which is all that a monitor needs to have that line in its log, and at config:
 * both detectors of guests that do not get on are set for the VM.  One of the monitors below has
 * itself told by a callback; for the others svm_vcpu_run() comes back with the exit.
 */
#include <common/machine.h>

#include <libsvm/exit_codes.h>

#define OUTSIDE 0x8000000u /* Guest-physical; there is no memory. */
#define TABLES  0x8000u    /* Of a guest with paging. */
#define PORT    0x80u

enum answer {
	ANSWER_NONE,  /* The first exit is the last. */
	ANSWER_RETRY, /* The same instruction again, for ever. */
	ANSWER_AGAIN, /* Just run again. */
};

struct broken_guest {
	const char *name, *mistake, *tells;
	const uint8_t *code, *end;
	void (*start)(struct svm_vcpu *vcpu);
	void (*change)(struct machine *m);
	enum answer answer;
	bool in_full, by_callback;
};

GUEST_CODE(guest_halt, 16, "cli; hlt");
GUEST_CODE(guest_halt_open, 16, "sti; hlt");
GUEST_CODE(guest_spin, 16, "cli; 1: jmp 1b");
GUEST_CODE(guest_spin_open, 16, "sti; 1: jmp 1b");
GUEST_CODE(guest_poll, 32, "1: mov 0x3000, %eax; inc %ecx; jmp 1b");
GUEST_CODE(guest_undefined, 32, "ud2");
GUEST_CODE(guest_breakpoint, 16, "int3");
GUEST_CODE(guest_wild_jump, 32, ".byte 0xe9; .long 0x8000000 - 0x1005");
GUEST_CODE(guest_wild_store, 32, "mov %eax, 0x8000000");
GUEST_CODE(guest_store, 32, "mov %eax, 0x20000");
GUEST_CODE(guest_load, 32, "mov 0x20000, %eax");
GUEST_CODE(guest_port_out, 32, "out %al, $0x80");
GUEST_CODE(guest_unknown_msr, 32, "mov $0xc0019999, %ecx; rdmsr");
GUEST_CODE(guest_hypercall, 32, "mov $77, %eax; vmmcall");

static void set_idt(struct svm_vcpu *vcpu, uint32_t limit)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(vcpu, &system);
	system.idtr.limit = limit;
	MUST(svm_vcpu_set_system(vcpu, &system));
}

static void without_idt(struct machine *m)
{
	set_idt(m->vcpu, 0);
}

static void with_8_gates(struct machine *m)
{
	set_idt(m->vcpu, 0x3f);
}

static void beyond_cs(struct machine *m)
{
	struct svm_regs regs;

	svm_vcpu_get_regs(m->vcpu, &regs);
	regs.rip = 0x11000;
	MUST(svm_vcpu_set_regs(m->vcpu, &regs));
	set_idt(m->vcpu, 0);
}

/* In real mode vector 6 leads to 0:0, and there is an IRET. */
static void handler_that_sends_back(struct machine *m)
{
	m->memory[0] = 0xcf;
	m->memory[MACHINE_START] = 0x0f;
	m->memory[MACHINE_START + 1] = 0x0b;
}

static void stack_outside(struct machine *m)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(m->vcpu, &system);
	system.ss.base = OUTSIDE;
	MUST(svm_vcpu_set_system(m->vcpu, &system));
}

/* 64-bit mode: PE and PG, PAE, LME and LMA, and L in place of D. */
static void page_with(struct machine *m, uint64_t cr3)
{
	struct svm_system_regs system;

	svm_vcpu_get_system(m->vcpu, &system);
	system.cr0 |= SVM_BIT(31);
	system.cr3 = cr3;
	system.cr4 |= SVM_BIT(5);
	system.efer |= SVM_BIT(8) | SVM_BIT(10);
	system.cs.attributes = SVM_SEG_G | SVM_SEG_L | SVM_SEG_P | SVM_SEG_S | 0xb;
	MUST(svm_vcpu_set_system(m->vcpu, &system));
}

/* What #PF finds is told when the monitor asks to see it. */
static void empty_tables(struct machine *m)
{
	page_with(m, TABLES);
	MUST(svm_vcpu_set_intercept(m->vcpu, SVM_EXIT_EXCEPTION + SVM_VECTOR_PF, true));
}

static void tables_outside(struct machine *m)
{
	page_with(m, OUTSIDE);
}

static void interrupt_waits(struct machine *m)
{
	MUST(svm_vcpu_inject_interrupt(m->vcpu, 0x30));
}

static void read_only(struct machine *m)
{
	MUST(svm_vm_unmap(m->vm, 0, MACHINE_MEMORY));
	MUST(svm_vm_map(m->vm, 0, m->memory_hpa, MACHINE_MEMORY, SVM_PROT_READ | SVM_PROT_EXECUTE));
}

/* A host that pages, and never gets to it. */
static enum svm_resolve_result never_there(void *arg, svm_gpa_t gpa, uint32_t access,
                                           struct svm_resolved_page *page)
{
	(void)arg;
	(void)gpa;
	(void)access;
	(void)page;
	return SVM_RESOLVE_AGAIN;
}

static void paged_out(struct machine *m)
{
	const struct svm_slot slot = { .gpa = 0x20000,
		                       .size = 0x20000,
		                       .prot = SVM_PROT_ALL,
		                       .kind = SVM_SLOT_RESOLVE,
		                       .resolve = never_there };

	MUST(svm_vm_unmap(m->vm, 0x20000, 0x20000));
	MUST(svm_vm_slot_add(m->vm, &slot));
}

/* --- the table ------------------------------------------------------------------------------- */

#define CODE(name) guest_##name, guest_##name##_end

static const struct broken_guest guests[] = {
	{ .name = "halts_with_if_clear",
	  .mistake = "HLT behind CLI",
	  .tells = "HLT with IF clear: only an NMI or a reset wakes it",
	  CODE(halt),
	  .start = machine_start_16 },
	{ .name = "halts_before_its_interrupt",
	  .mistake = "CLI; HLT, and the monitor has an interrupt for it",
	  .tells = "interrupt 30h waits until the guest can take it",
	  CODE(halt),
	  .start = machine_start_16,
	  .change = interrupt_waits },
	{ .name = "halts_and_nobody_wakes_it",
	  .mistake = "no timer was ever armed",
	  .tells = "HLT, waits for an interrupt",
	  CODE(halt_open),
	  .start = machine_start_16 },
	{ .name = "spins_with_if_clear",
	  .mistake = "a guest that gave up: CLI; JMP to itself",
	  .tells = "the instruction jumps to itself; IF is clear, it takes no interrupt",
	  CODE(spin),
	  .start = machine_start_16,
	  .answer = ANSWER_AGAIN },
	{ .name = "never_opens_its_window",
	  .mistake = "an interrupt is injected and the guest never sets IF",
	  .tells = "interrupt 30h waits until the guest can take it",
	  CODE(spin),
	  .start = machine_start_16,
	  .change = interrupt_waits,
	  .answer = ANSWER_AGAIN },
	{ .name = "waits_for_an_interrupt_that_nobody_raises",
	  .mistake = "STI; JMP to itself, and no device",
	  .tells = "IF is set: if it waits for an interrupt, none was raised",
	  CODE(spin_open),
	  .start = machine_start_16,
	  .answer = ANSWER_AGAIN },
	{ .name = "polls_for_ever",
	  .mistake = "a flag in memory that no other vCPU sets",
	  .tells = "polls memory that nobody writes",
	  CODE(poll),
	  .start = machine_start_32,
	  .answer = ANSWER_AGAIN },
	{ .name = "is_sent_back_by_its_handler",
	  .mistake = "real mode without a vector table: what is at 0:0 is the handler of all",
	  .tells = "its exceptions go to an IDT that sends it back",
	  CODE(spin),
	  .start = machine_start_16,
	  .change = handler_that_sends_back,
	  .answer = ANSWER_AGAIN },
	{ .name = "starts_beyond_its_cs",
	  .mistake = "real mode's CS, and an entry at 11000h",
	  .tells = "started at RIP 0001_1000h, beyond the limit of CS",
	  CODE(halt),
	  .start = machine_start_16,
	  .change = beyond_cs },
	{ .name = "has_no_idt",
	  .mistake = "UD2 before LIDT",
	  .tells = "it was started with an IDT of limit 0h: unless it has loaded another",
	  CODE(undefined),
	  .start = machine_start_32,
	  .change = without_idt },
	{ .name = "has_a_short_idt",
	  .mistake = "an IDT of 8 gates, none of them for #DF",
	  .tells = "it was started with an IDT of limit 3Fh: unless it has loaded another",
	  CODE(undefined),
	  .start = machine_start_32,
	  .change = with_8_gates },
	{ .name = "reads_an_unknown_msr",
	  .mistake = "the MSR policy answers #GP, and there is no handler",
	  .tells = "the exit before was MSR at 1005h, answered with #GP",
	  CODE(unknown_msr),
	  .start = machine_start_32,
	  .change = without_idt },
	{ .name = "jumps_to_nowhere",
	  .mistake = "a pointer of a kernel for more memory than there is",
	  .tells = "fetch from guest-physical 0800_0000h: no slot is there",
	  CODE(wild_jump),
	  .start = machine_start_32 },
	{ .name = "writes_to_nowhere",
	  .mistake = "a device that the monitor does not have",
	  .tells = "write to guest-physical 0800_0000h: no slot is there",
	  CODE(wild_store),
	  .start = machine_start_32 },
	{ .name = "has_no_stack",
	  .mistake = "SS beyond the end of memory; INT3 wants to push",
	  .tells = "while delivering #BP",
	  CODE(breakpoint),
	  .start = machine_start_16,
	  .change = stack_outside },
	{ .name = "writes_to_rom",
	  .mistake = "memory was mapped without the right to write",
	  .tells = "write to guest-physical 0002_0000h: the slot does not allow it; ROM",
	  CODE(store),
	  .start = machine_start_32,
	  .change = read_only },
	{ .name = "has_empty_page_tables",
	  .mistake = "CR0.PG before the tables are filled",
	  .tells = "fails at level 4: the entry is not present",
	  CODE(halt),
	  .start = machine_start_32,
	  .change = empty_tables,
	  .in_full = true },
	{ .name = "has_page_tables_nowhere",
	  .mistake = "CR3 is an address of the host's",
	  .tells = "the guest keeps page tables in it; check CR3",
	  CODE(halt),
	  .start = machine_start_32,
	  .change = tables_outside },
	{ .name = "gets_no_answer_from_its_port",
	  .mistake = "the monitor handles the OUT and does not step over it",
	  .tells = "the handler of IN or OUT of a protected port neither steps over",
	  CODE(port_out),
	  .start = machine_start_32,
	  .answer = ANSWER_RETRY },
	{ .name = "gets_no_answer_and_a_callback_tells",
	  .mistake = "the same; the monitor has a callback for what is stuck",
	  .tells = "told: LOOP (IOIO 7Bh): 100 times the same exit at the same RIP",
	  CODE(port_out),
	  .start = machine_start_32,
	  .answer = ANSWER_RETRY,
	  .by_callback = true },
	{ .name = "gets_no_answer_from_its_monitor",
	  .mistake = "VMMCALL is taken for an exit that needs nothing",
	  .tells = "the handler of VMMCALL neither steps over the instruction",
	  CODE(hypercall),
	  .start = machine_start_32,
	  .answer = ANSWER_RETRY },
	{ .name = "waits_for_its_page",
	  .mistake = "the monitor runs again without paging in",
	  .tells = "the handler of nested page fault neither",
	  CODE(load),
	  .start = machine_start_32,
	  .change = paged_out,
	  .answer = ANSWER_AGAIN },
};

/* --- running them ----------------------------------------------------------------------------- */

static void explain(const struct broken_guest *guest, struct svm_vcpu *vcpu,
                    const struct svm_exit *exit)
{
	char text[8192];

	if (guest->in_full)
		svm_explain_full(vcpu, exit, text, sizeof(text));
	else
		svm_explain(vcpu, exit, text, sizeof(text));
	puts(text);
}

/* Inside svm_vcpu_run(); false ends it. */
static bool told(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	fputs("told: ", stdout);
	explain(arg, vcpu, exit);
	return false;
}

static bool is_end(const struct broken_guest *guest, enum svm_exit_kind kind)
{
	return guest->answer == ANSWER_NONE || kind == SVM_EXIT_KIND_LOOP ||
	       kind == SVM_EXIT_KIND_SILENT;
}

static void run_guest(const struct broken_guest *guest)
{
	const struct svm_vm_config config = { .loop_limit = 100,
		                              .silence_ms = 20,
		                              .on_stuck = guest->by_callback ? told : NULL,
		                              .on_stuck_arg = (void *)(uintptr_t)guest };
	struct hosted_config hosted;
	struct svm_exit exit;
	struct machine m;

	hosted_config_init(&hosted);
	machine_create_vm(&m, &hosted, &config);
	machine_load(&m, guest->code, guest->end);
	guest->start(m.vcpu);
	if (guest->change)
		guest->change(&m);
	while (!is_end(guest, machine_run(m.vcpu, &exit)))
		if (guest->answer == ANSWER_RETRY)
			MUST(svm_vcpu_complete_retry(m.vcpu));
	if (!guest->by_callback)
		explain(guest, m.vcpu, &exit);
	machine_destroy(&m);
}

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(guests) / sizeof(guests[0]); i++) {
		const struct broken_guest *guest = &guests[i];

		if (!strcmp(argv[1], "--list")) {
			printf("%s\t%s\t%s\n", guest->name, guest->mistake, guest->tells);
		} else if (!strcmp(argv[1], guest->name)) {
			run_guest(guest);
			return EXIT_SUCCESS;
		}
	}
	return argc == 2 && !strcmp(argv[1], "--list") ? EXIT_SUCCESS : EXIT_FAILURE;
}
