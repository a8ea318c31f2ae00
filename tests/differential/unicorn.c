/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The emulator against Unicorn, for what no process can execute: real mode, CPL 0, segment loads
 * and far transfers in 16- and 32-bit code.
 *
 * usage: unicorn [CASES [SEED]]
 *
 * Registers, flags, segment registers, memory and the vector of a fault are compared.  Unicorn does
 * not show error codes, and for a far transfer does not mark a descriptor accessed; so that bit is
 * left out.  What the emulator calls UNKNOWN is counted and not compared.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unicorn/unicorn.h>

#include "emulate/emulate.h"

#define RAM_SIZE 0x40000u
#define CODE     0xf000u /* In a page that no operand reaches. */
#define GDT      0x2000u
#define GDT_SIZE 0x100u
#define STACK    0x8000u
#define DATA     0x9000u
#define AREA     0x100u /* Random bytes around STACK and from DATA on. */

#define FLAG_TF       0x100u
#define FLAG_RF       0x10000u
#define FLAG_VM       0x20000u
#define FLAGS_VIF_VIP 0x180000u /* An IRET at CPL 0 takes them; Unicorn's does not. */
#define NO_VECTOR     (-1)

static uint8_t ram[RAM_SIZE], unicorn_ram[RAM_SIZE];

static uint64_t seed;

static uint32_t random_below(uint32_t limit)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)((seed >> 32) % limit);
}

/* --- the emulator's side ---------------------------------------------------------------------- */

static struct svm_emul emulator;
static uint64_t emulator_gpr[16];
static struct svm_emul_segment segments[SVM_EMUL_TR + 1];

static enum svm_emul_result emu_translate(void *arg, uint64_t linear, uint32_t access,
                                          uint64_t *gpa, struct svm_emul_fault *fault)
{
	(void)arg;
	(void)access;
	*gpa = linear;
	if (linear < RAM_SIZE)
		return SVM_EMUL_OK;
	*fault = (struct svm_emul_fault){ .vector = 14, .has_error = true, .address = linear };
	return SVM_EMUL_FAULT;
}

static enum svm_emul_result emu_read(void *arg, uint64_t gpa, void *data, unsigned size)
{
	(void)arg;
	memcpy(data, ram + gpa, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result emu_write(void *arg, uint64_t gpa, const void *data, unsigned size)
{
	(void)arg;
	memcpy(ram + gpa, data, size);
	return SVM_EMUL_OK;
}

static enum svm_emul_result emu_exchange(void *arg, uint64_t gpa, void *expected,
                                         const void *desired, unsigned size, bool *stored)
{
	(void)expected;
	*stored = true;
	return emu_write(arg, gpa, desired, size);
}

static enum svm_emul_result emu_read_register(void *arg, enum svm_emul_register kind,
                                              uint32_t number, uint64_t *value,
                                              struct svm_emul_fault *fault)
{
	(void)arg;
	(void)fault;
	if (kind != SVM_EMUL_CR || number != 0)
		return SVM_EMUL_UNKNOWN;
	*value = emulator.cr0;
	return SVM_EMUL_OK;
}

static void emu_load_segment(void *arg, unsigned number, const struct svm_emul_segment *segment)
{
	(void)arg;
	segments[number] = *segment;
}

static void emu_store_segment(void *arg, unsigned number, struct svm_emul_segment *segment)
{
	(void)arg;
	*segment = segments[number];
}

static const struct svm_emul_ops ops = {
	.translate = emu_translate,
	.ram_read = emu_read,
	.ram_write = emu_write,
	.ram_exchange = emu_exchange,
	.read_register = emu_read_register,
	.load_segment = emu_load_segment,
	.store_segment = emu_store_segment,
};

/* --- a case ----------------------------------------------------------------------------------- */

struct template
{
	const char *name;
	uint8_t bytes[2];
	uint8_t count;
	int8_t sub;      /* ModRM.reg, -1 any, -2 no ModRM. */
	bool memory;     /* ModRM names memory. */
	uint8_t trailer; /* 1: imm16; 2: far pointer. */
	bool is_far;
};

static const struct template templates[] = {
	{ "mov sreg, E", { 0x8e }, 1, -1, false, 0, false },
	{ "mov E, sreg", { 0x8c }, 1, -1, false, 0, false },
	{ "push es", { 0x06 }, 1, -2, false, 0, false },
	{ "push cs", { 0x0e }, 1, -2, false, 0, false },
	{ "push ss", { 0x16 }, 1, -2, false, 0, false },
	{ "push ds", { 0x1e }, 1, -2, false, 0, false },
	{ "push fs", { 0x0f, 0xa0 }, 2, -2, false, 0, false },
	{ "push gs", { 0x0f, 0xa8 }, 2, -2, false, 0, false },
	{ "pop es", { 0x07 }, 1, -2, false, 0, false },
	{ "pop ss", { 0x17 }, 1, -2, false, 0, false },
	{ "pop ds", { 0x1f }, 1, -2, false, 0, false },
	{ "pop fs", { 0x0f, 0xa1 }, 2, -2, false, 0, false },
	{ "pop gs", { 0x0f, 0xa9 }, 2, -2, false, 0, false },
	{ "les", { 0xc4 }, 1, -1, true, 0, false },
	{ "lds", { 0xc5 }, 1, -1, true, 0, false },
	{ "lss", { 0x0f, 0xb2 }, 2, -1, true, 0, false },
	{ "lfs", { 0x0f, 0xb4 }, 2, -1, true, 0, false },
	{ "lgs", { 0x0f, 0xb5 }, 2, -1, true, 0, false },
	{ "jmp far", { 0xea }, 1, -2, false, 2, true },
	{ "call far", { 0x9a }, 1, -2, false, 2, true },
	{ "jmp far m", { 0xff }, 1, 5, true, 0, true },
	{ "call far m", { 0xff }, 1, 3, true, 0, true },
	{ "retf", { 0xcb }, 1, -2, false, 0, true },
	{ "retf n", { 0xca }, 1, -2, false, 1, true },
	{ "iret", { 0xcf }, 1, -2, false, 0, true },
	{ "pushf", { 0x9c }, 1, -2, false, 0, false },
	{ "popf", { 0x9d }, 1, -2, false, 0, false },
	{ "cli", { 0xfa }, 1, -2, false, 0, false },
	{ "sti", { 0xfb }, 1, -2, false, 0, false },
	{ "cmc", { 0xf5 }, 1, -2, false, 0, false },
	{ "clc", { 0xf8 }, 1, -2, false, 0, false },
	{ "stc", { 0xf9 }, 1, -2, false, 0, false },
	{ "cld", { 0xfc }, 1, -2, false, 0, false },
	{ "std", { 0xfd }, 1, -2, false, 0, false },
	{ "sahf", { 0x9e }, 1, -2, false, 0, false },
	{ "lahf", { 0x9f }, 1, -2, false, 0, false },
	{ "smsw", { 0x0f, 0x01 }, 2, 4, false, 0, false },
	{ "sgdt", { 0x0f, 0x01 }, 2, 0, true, 0, false },
	{ "lgdt", { 0x0f, 0x01 }, 2, 2, true, 0, false },
	{ "mov r, cr0", { 0x0f, 0x20 }, 2, 0, false, 0, false },
	{ "pusha", { 0x60 }, 1, -2, false, 0, false },
	{ "popa", { 0x61 }, 1, -2, false, 0, false },
	{ "enter", { 0xc8 }, 1, -2, false, 1, false },
	{ "leave", { 0xc9 }, 1, -2, false, 0, false },
	{ "inc", { 0x42 }, 1, -2, false, 0, false },
	{ "dec", { 0x4e }, 1, -2, false, 0, false },
	{ "bound", { 0x62 }, 1, -1, true, 0, false },
	{ "jcxz", { 0xe3 }, 1, -2, false, 1, true },
	{ "loopne", { 0xe0 }, 1, -2, false, 1, false },
	{ "jmp", { 0xe9 }, 1, -2, false, 1, true },
	{ "xlat", { 0xd7 }, 1, -2, false, 0, false },
	{ "verr", { 0x0f, 0x00 }, 2, 4, false, 0, false },
	{ "verw", { 0x0f, 0x00 }, 2, 5, false, 0, false },
	{ "lsl", { 0x0f, 0x03 }, 2, -1, false, 0, false },
};
#define TEMPLATES (sizeof(templates) / sizeof(templates[0]))

static bool is_real; /* Else protected, 32 bits, CPL 0. */

/* Mostly one that the table has. */
static uint16_t random_selector(void)
{
	if (is_real)
		return (uint16_t)random_below(0x2000);
	return (uint16_t)(random_below(GDT_SIZE + 0x10) & (random_below(8) ? 0xfff8u : 0xffffu));
}

static unsigned make_instruction(const struct template *t, uint8_t *bytes)
{
	unsigned count = 0;
	const bool has_66 = random_below(3) == 0;
	const bool is_wide = has_66 == is_real;

	if (has_66)
		bytes[count++] = 0x66;
	memcpy(bytes + count, t->bytes, t->count);
	count += t->count;
	if (t->sub != -2) {
		const unsigned reg = t->sub >= 0 ? (unsigned)t->sub : random_below(6);
		const unsigned mod = t->memory ? random_below(3) : random_below(4);

		bytes[count++] = (uint8_t)(mod << 6 | reg << 3 | random_below(8));
		for (unsigned i = 0; i < 5; i++)
			bytes[count++] =
				(uint8_t)(i == 1 ? random_below(0x20) : random_below(2) * 8);
	}
	if (t->trailer) {
		const uint16_t selector = random_selector();
		const unsigned offset = t->trailer == 1 ? 2 : is_wide ? 4 : 2;

		memset(bytes + count, 0, 4);
		bytes[count] = (uint8_t)random_below(0x100);
		bytes[count + 1] = (uint8_t)random_below(0x80);
		count += offset;
		if (t->trailer == 2)
			memcpy(bytes + count, &selector, 2);
		count += 2;
	}
	return count;
}

static bool is_call_gate(uint32_t attributes)
{
	return !is_real && (attributes & 0x17) == 0x04 && attributes != 0;
}

static void fill_memory(void)
{
	static const uint16_t attributes[] = { 0xc9b, 0xc93, 0xc9a, 0xc92, 0x49f, 0x491, 0xcfb,
		                               0xcf3, 0x09b, 0x093, 0xc99, 0x082, 0x089, 0x08e,
		                               0xc1b, 0xc13, 0x097, 0xcff, 0xc98, 0x000,
		                               0x08c, 0x084, 0x0ec, 0x00c };

	memset(ram, 0x90, sizeof(ram));
	for (uint32_t at = 0; at < AREA; at += 2) {
		const uint16_t low =
			random_below(2) ? random_selector() : (uint16_t)random_below(0x8000);

		memcpy(ram + STACK - AREA / 2 + at, &low, 2);
		memcpy(ram + DATA + at, &low, 2);
	}
	for (uint32_t at = 0; at < GDT_SIZE; at += 8) {
		const uint32_t a = at == 8    ? 0xc9b
		                   : at == 16 ? 0xc93
		                              : attributes[random_below(24)];
		const uint64_t high = (a & 0xff) << 8 | (a >> 8) << 20 | 0xf0000;
		/* Unicorn takes the upper half of the offset from a 16-bit gate too. */
		const uint64_t upper = a & 0x08 ? random_below(2) << 16 : 0;
		const uint64_t gate = (a & 0xff) << 8 | upper | random_below(4);
		const uint64_t code = (uint64_t)random_selector() << 16 | random_below(0x8000);
		const uint64_t descriptor = is_call_gate(a) ? gate << 32 | code
		                                            : high << 32 | 0xffff;

		memcpy(ram + GDT + at, &descriptor, 8);
	}
}

/* --- both sides ------------------------------------------------------------------------------- */

static const int uc_gpr[8] = { UC_X86_REG_EAX, UC_X86_REG_ECX, UC_X86_REG_EDX, UC_X86_REG_EBX,
	                       UC_X86_REG_ESP, UC_X86_REG_EBP, UC_X86_REG_ESI, UC_X86_REG_EDI };
static const int uc_segment[6] = { UC_X86_REG_ES, UC_X86_REG_CS, UC_X86_REG_SS,
	                           UC_X86_REG_DS, UC_X86_REG_FS, UC_X86_REG_GS };

static int unicorn_vector;

static void on_interrupt(uc_engine *uc, uint32_t vector, void *arg)
{
	(void)arg;
	unicorn_vector = (int)vector;
	uc_emu_stop(uc);
}

static void must(uc_err error, const char *what)
{
	if (error == UC_ERR_OK)
		return;
	printf("unicorn: %s: %s\n", what, uc_strerror(error));
	exit(1);
}

static uc_engine *open_unicorn(void)
{
	uc_engine *uc;
	uc_hook hook;

	must(uc_open(UC_ARCH_X86, is_real ? UC_MODE_16 : UC_MODE_32, &uc), "open");
	must(uc_mem_map_ptr(uc, 0, RAM_SIZE, UC_PROT_ALL, unicorn_ram), "map");
	must(uc_hook_add(uc, &hook, UC_HOOK_INTR, (void *)(uintptr_t)on_interrupt, NULL, 1, 0),
	     "hook");
	return uc;
}

/* A fresh engine has flat segments, CPL 0; its selectors then come from the table. */
static void load_unicorn(uc_engine *uc, const uint8_t *bytes)
{
	uc_x86_mmr gdtr = { .base = GDT, .limit = GDT_SIZE - 1 };
	uint32_t flags = (uint32_t)emulator.rflags;

	memcpy(unicorn_ram, ram, sizeof(ram));
	must(uc_mem_write(uc, CODE, bytes, 16), "code");
	must(uc_reg_write(uc, UC_X86_REG_GDTR, &gdtr), "gdtr");
	for (unsigned n = 0; n < 6; n++) {
		const uint32_t selector = segments[n].selector;

		must(uc_reg_write(uc, uc_segment[n], &selector), "segment");
	}
	for (unsigned n = 0; n < 8; n++)
		must(uc_reg_write(uc, uc_gpr[n], &emulator.gpr[n]), "register");
	must(uc_reg_write(uc, UC_X86_REG_EFLAGS, &flags), "flags");
}

static void load_case(void)
{
	memset(&emulator, 0, sizeof(emulator));
	memset(segments, 0, sizeof(segments));
	for (unsigned n = 0; n <= SVM_EMUL_GS; n++) {
		const bool is_code = n == SVM_EMUL_CS;

		segments[n].selector = is_real ? 0 : is_code ? 8 : 16;
		segments[n].attributes = is_real ? 0x93 : is_code ? 0xc9b : 0xc93;
		segments[n].limit = is_real ? 0xffff : 0xffffffff;
	}
	segments[SVM_EMUL_GDTR].base = GDT;
	segments[SVM_EMUL_GDTR].limit = GDT_SIZE - 1;
	emulator.ops = &ops;
	emulator.gpr = emulator_gpr;
	emulator.segment = segments;
	emulator.mode = is_real ? SVM_INSN_MODE_REAL : SVM_INSN_MODE_32;
	emulator.linear_bits = 48;
	emulator.rip = CODE;
	emulator.rflags = 2 | (random_below(0x10000) & 0x7ed5);
	emulator.rflags &= ~UINT64_C(0x4000); /* With NT an IRET is a task switch. */
	for (unsigned n = 0; n < 8; n++)
		emulator.gpr[n] = random_below(4) ? DATA / 4 + random_below(64) : random_selector();
	emulator.gpr[SVM_EMUL_RBX] = DATA + random_below(32);
	emulator.gpr[SVM_EMUL_RSP] = STACK + random_below(8);
}

static unsigned differences;

static void differ(const char *name, const uint8_t *bytes, const char *what, uint64_t ours,
                   uint64_t theirs)
{
	differences++;
	if (differences > 20)
		return;
	printf("%s, %s: %s: %llx, Unicorn has %llx:", is_real ? "real" : "protected", name, what,
	       (unsigned long long)ours, (unsigned long long)theirs);
	for (unsigned i = 0; i < 12; i++)
		printf(" %02x", bytes[i]);
	printf("\n");
}

static void compare_state(uc_engine *uc, const char *name, const uint8_t *bytes)
{
	const bool is_iret = strcmp(name, "iret") == 0;
	uint32_t value = 0;

	for (unsigned n = 0; n < 8; n++) {
		uc_reg_read(uc, uc_gpr[n], &value);
		if (value != (uint32_t)emulator.gpr[n])
			differ(name, bytes, "register", emulator.gpr[n], value);
	}
	for (unsigned n = 0; n < 6; n++) {
		value = 0;
		uc_reg_read(uc, uc_segment[n], &value);
		if ((uint16_t)value != segments[n].selector)
			differ(name, bytes, "selector", segments[n].selector, value);
	}
	uc_reg_read(uc, UC_X86_REG_EFLAGS, &value);
	if (is_iret)
		value |= (uint32_t)emulator.rflags & FLAGS_VIF_VIP;
	/* Into virtual-8086 mode it drops RF. */
	if (is_iret && (emulator.rflags & FLAG_VM))
		value |= (uint32_t)emulator.rflags & FLAG_RF;
	if (value != (uint32_t)emulator.rflags)
		differ(name, bytes, "flags", emulator.rflags, value);
	uc_reg_read(uc, UC_X86_REG_EIP, &value);
	/* After a far transfer Unicorn shows the linear address. */
	if (value != (uint32_t)emulator.rip &&
	    value != (uint32_t)(segments[SVM_EMUL_CS].base + emulator.rip))
		differ(name, bytes, "rip", emulator.rip, value);
	for (uint32_t at = 5; at < GDT_SIZE; at += 8) {
		ram[GDT + at] |= 1;
		unicorn_ram[GDT + at] |= 1;
	}
	if (memcmp(ram, unicorn_ram, sizeof(ram)) != 0)
		differ(name, bytes, "memory", 0, 0);
}

/* Unmapped memory is Unicorn's own error; at the next instruction it is none of this one's. */
static int run_unicorn(uc_engine *uc)
{
	const uc_err error = (unicorn_vector = NO_VECTOR, uc_emu_start(uc, CODE, ~0ull, 0, 1));

	if (error == UC_ERR_READ_UNMAPPED || error == UC_ERR_WRITE_UNMAPPED)
		return 14;
	if (error == UC_ERR_INSN_INVALID)
		return 6;
	return unicorn_vector;
}

static unsigned compared, unknown, faults, limits;

/* Unicorn does not compare RIP with the limit of CS in real mode, nor on a return in any mode. */
static bool misses_limit(const struct template *t, int ours, int theirs)
{
	return t->is_far && ours == 13 && emulator.fault.error == 0 && theirs == NO_VECTOR;
}

/* A JMP through a gate to absent code is #GP there, and not #NP. */
static bool misses_absence(const struct template *t, int ours, int theirs)
{
	return strncmp(t->name, "jmp far", 7) == 0 && ours == 11 && theirs == 13;
}

static void one_case(void)
{
	const struct template *t = &templates[random_below(TEMPLATES)];
	uint8_t bytes[16];
	uc_engine *uc;
	enum svm_emul_result result;
	int theirs, ours;

	memset(bytes, 0x90, sizeof(bytes));
	fill_memory();
	load_case();
	(void)make_instruction(t, bytes);
	memcpy(ram + CODE, bytes, sizeof(bytes));
	uc = open_unicorn();
	load_unicorn(uc, bytes);
	emulator.cr0 = 0;
	uc_reg_read(uc, UC_X86_REG_CR0, &emulator.cr0);
	result = svm_emulate(&emulator);
	if (result == SVM_EMUL_UNKNOWN || (emulator.rflags & FLAG_TF)) {
		unknown++;
		uc_close(uc);
		return;
	}
	theirs = run_unicorn(uc);
	ours = result == SVM_EMUL_FAULT ? emulator.fault.vector : NO_VECTOR;
	compared++;
	faults += ours != NO_VECTOR;
	if (misses_limit(t, ours, theirs) || misses_absence(t, ours, theirs))
		limits++;
	else if (ours != theirs)
		differ(t->name, bytes, "vector", (uint64_t)ours, (uint64_t)theirs);
	else if (ours == NO_VECTOR)
		compare_state(uc, t->name, bytes);
	uc_close(uc);
}

int main(int argc, char **argv)
{
	const unsigned cases = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 2000;

	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	for (unsigned i = 0; i < cases; i++) {
		is_real = i & 1;
		one_case();
	}
	printf("%u cases, %u compared (%u faults), %u checks missing there, %u unknown, %u "
	       "differences\n",
	       cases, compared, faults, limits, unknown, differences);
	return differences || !faults || compared < cases / 2;
}
