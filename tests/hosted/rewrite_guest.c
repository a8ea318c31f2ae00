/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * No byte of an instruction below begins a jump or an interrupt: whatever mixture of them is
 * executed, RIP stays in the slot until it leaves it at its end.
 */
#include "rewrite_guest.h"

#define STACK_0 UINT64_C(0x1f000) /* Of the handler, where it is not the guest's. */
#define STEPS   48u               /* Of vCPU 1, before it starts anew. */

#define P    UINT64_C(1)
#define W    UINT64_C(2)
#define U    UINT64_C(4)
#define RSVD (UINT64_C(1) << 51)
#define NX   (UINT64_C(1) << 63)

/* So many rows touch memory when the model executes them: they bring the emulator into play. */
#define MODELLED 13u

#define INSN(bytes)                           \
	{                                     \
		sizeof(bytes) - 1, bytes "\0" \
	}

static const struct {
	uint8_t length;
	char bytes[SLOT_SIZE];
} instructions[] = {
	/* Memory, as the model knows it, */
	INSN("\x88\x03"),                         /* mov [rbx], al */
	INSN("\x89\x03"),                         /* mov [rbx], eax */
	INSN("\x66\x89\x03"),                     /* mov [rbx], ax */
	INSN("\x48\x89\x03"),                     /* mov [rbx], rax */
	INSN("\x49\x89\x00"),                     /* mov [r8], rax */
	INSN("\x8a\x03"),                         /* mov al, [rbx] */
	INSN("\x8b\x03"),                         /* mov eax, [rbx] */
	INSN("\x49\x8b\x00"),                     /* mov rax, [r8] */
	INSN("\xc7\x03\x01\x02\x03\x04"),         /* mov dword [rbx], imm */
	INSN("\x48\xc7\x45\x08\x01\x02\x03\x04"), /* mov qword [rbp + 8], imm */
	INSN("\x01\x03"),                         /* add [rbx], eax */
	INSN("\x31\x03"),                         /* xor [rbx], eax */
	INSN("\xf7\x13"),                         /* not dword [rbx] */
	/* and as only the emulator does. */
	INSN("\xf0\x01\x03"),     /* lock add [rbx], eax */
	INSN("\x87\x03"),         /* xchg [rbx], eax */
	INSN("\x48\x0f\xb1\x03"), /* cmpxchg [rbx], rax */
	INSN("\x48\x0f\xc7\x0b"), /* cmpxchg16b [rbx] */
	INSN("\x0f\xab\x03"),     /* bts [rbx], eax */
	INSN("\x8f\x03"),         /* pop qword [rbx] */
	INSN("\xa5"),             /* movsd */
	INSN("\xf3\x48\xa5"),     /* rep movsq */
	INSN("\xf3\xa6"),         /* repe cmpsb */
	INSN("\xf3\xab"),         /* rep stosd */
	INSN("\xac"),             /* lodsb */
	INSN("\x0f\x11\x03"),     /* movups [rbx], xmm0 */
	INSN("\x0f\x28\x03"),     /* movaps xmm0, [rbx] */
	INSN("\xc5\xfe\x7f\x03"), /* vmovdqu [rbx], ymm0 */
	INSN("\x8e\x03"),         /* mov es, [rbx] */
	INSN("\x0f\xb2\x03"),     /* lss eax, [rbx] */
	/* Ports. */
	INSN("\xec"), INSN("\xed"), INSN("\x66\xed"), INSN("\xee"), INSN("\xef"), /* in, out */
	INSN("\x6c"), INSN("\xf3\x6c"), INSN("\xf3\x6d"),                         /* ins */
	INSN("\x6f"), INSN("\xf3\x6e"),                                           /* outs */
	/* Neither. */
	INSN("\x90"),                 /* nop */
	INSN("\xb8\x01\x02\x03\x04"), /* mov eax, imm */
	INSN("\x31\xc0"),             /* xor eax, eax */
	INSN("\x50"),                 /* push rax */
	INSN("\x9c"),                 /* pushf */
	INSN("\x0f\xa2"),             /* cpuid */
	/* Privileged. */
	INSN("\xf4"),         /* hlt */
	INSN("\xfa"),         /* cli */
	INSN("\xfb"),         /* sti */
	INSN("\x0f\x06"),     /* clts */
	INSN("\x0f\x09"),     /* wbinvd */
	INSN("\x0f\x32"),     /* rdmsr */
	INSN("\x0f\x20\xc0"), /* mov rax, cr0 */
	INSN("\x0f\x01\x33"), /* lmsw [rbx] */
	INSN("\x0f\x01\x23"), /* smsw [rbx] */
	INSN("\x0f\x00\x03"), /* sldt [rbx] */
	INSN("\x0f\x00\x1b"), /* ltr [rbx] */
	INSN("\x0f\x01\x3b"), /* invlpg [rbx] */
};

/* For a guest at CPL 0, to whom SMEP and SMAP forbid what has U; at CPL 3 each has the other. */
static const uint64_t code_leaves[] = {
	GUEST_CODE | P, CODE_2 | P, GUEST_CODE | P, CODE_2 | P, GUEST_CODE | P | W, CODE_2 | P | W,
	GUEST_CODE | P, CODE_2 | P, GUEST_CODE | P, CODE_2 | P, GUEST_CODE | P | U, CODE_2 | P | NX,
	HOLE | P,       DEVICE | P, 0,
};
static const uint64_t window_leaves[] = {
	DEVICE | P | W, HOLE | P | W, ROM | P | W, RAM | P | W, DEVICE | P | W | U,
	DEVICE | P | W, HOLE | P | W, DEVICE | P,  RAM | P,     DEVICE | P | W | RSVD,
	DEVICE | P | W, HOLE | P,     ROM | P,     0,
};

uint64_t random_below(uint64_t *seed, uint64_t limit)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (*seed >> 33) % limit;
}

void random_instruction(uint64_t *seed, uint8_t bytes[SLOT_SIZE])
{
	const uint64_t all = sizeof(instructions) / sizeof(instructions[0]);
	const uint64_t row = random_below(seed, random_below(seed, 2) ? MODELLED : all);

	memset(bytes, 0x90, SLOT_SIZE);
	memcpy(bytes, instructions[row].bytes, instructions[row].length);
}

uint64_t random_leaf(uint64_t *seed, uint8_t cpl, uint64_t *gva)
{
	const uint64_t which = random_below(seed, 4);
	uint64_t leaf;

	*gva = which == 0 ? GUEST_CODE : WINDOW + (which == 3 ? PAGE : 0);
	if (which == 0)
		leaf = code_leaves[random_below(seed, sizeof(code_leaves) / 8)];
	else
		leaf = window_leaves[random_below(seed, sizeof(window_leaves) / 8)];
	return leaf && cpl == 3 ? leaf ^ U : leaf;
}

bool is_for_emulator_only(const uint8_t *insn)
{
	const uint8_t opcode = insn[insn[0] == 0xf3 || insn[0] == 0x48];

	switch (opcode) {
	case 0x0f:
	case 0x87:
	case 0x8e:
	case 0x8f:
	case 0xc5:
	case 0xf0:
		return true;
	default:
		return (opcode & 0xf0) == 0xa0;
	}
}

static void set_word(uint8_t *memory, uint64_t gpa, uint64_t value)
{
	memcpy(memory + gpa, &value, sizeof(value));
}

/* What the delivery of an exception needs is in no page that vCPU 0 can write. */
static void write_tables(uint8_t *memory, uint8_t cpl)
{
	const uint64_t user = cpl == 3 ? U : 0, stack = GUEST_STACK - PAGE;

	for (uint64_t i = 0; i < 3; i++)
		set_word(memory, WRITER_PT + i * PAGE, (WRITER_PT + (i + 1) * PAGE) | P | W | U);
	memset(memory + LEAF(GUEST_PT, 0), 0, PAGE);
	for (uint64_t gva = 0; gva < GUEST_PAGES * PAGE; gva += PAGE) {
		set_word(memory, LEAF(WRITER_PT, gva), gva | P | W);
		set_word(memory, LEAF(GUEST_PT, gva), gva | P);
	}
	set_word(memory, LEAF(GUEST_PT, GUEST_CODE), GUEST_CODE | P | user);
	set_word(memory, LEAF(GUEST_PT, stack), stack | P | W | user);
	set_word(memory, LEAF(GUEST_PT, STACK_0 - PAGE), (STACK_0 - PAGE) | P | W);
	set_word(memory, GUEST_TSS + 4, STACK_0);
}

static void script_store_word(struct hosted_script *s, uint64_t gpa, uint64_t value)
{
	hosted_script_mov(s, HOSTED_RBX, gpa);
	hosted_script_mov(s, HOSTED_RAX, value);
	hosted_script_store(s, HOSTED_RBX, HOSTED_RAX, true);
}

/* Stores of words, and a jump with 32 bits back to the first. */
static void write_writer(uint8_t *memory, uint8_t cpl, uint64_t seed)
{
	struct hosted_script s;
	uint8_t bytes[SLOT_SIZE];
	uint64_t word, leaf, gva;
	int32_t back;

	hosted_script_init(&s, 64);
	for (unsigned i = 0; i < STEPS; i++) {
		random_instruction(&seed, bytes);
		memcpy(&word, bytes, sizeof(word));
		script_store_word(&s, SLOT + (i & 1 ? CODE_2 - GUEST_CODE : 0), word);
		if (i % 4)
			continue;
		leaf = random_leaf(&seed, cpl, &gva);
		script_store_word(&s, LEAF(GUEST_PT, gva), leaf);
	}
	back = -(int32_t)s.size - 5;
	hosted_script_raw(&s, "\xe9", 1);
	hosted_script_raw(&s, &back, sizeof(back));
	memcpy(memory + WRITER, s.bytes, s.size);
}

void write_guest(uint8_t *memory, uint8_t cpl, uint64_t seed)
{
	struct hosted_script vmmcall;

	write_tables(memory, cpl);
	hosted_script_init(&vmmcall, 64);
	hosted_script_vmmcall(&vmmcall);
	for (unsigned vector = 0; vector < 32; vector++)
		guest_handler(memory, vector, HANDLER, &vmmcall);
	for (uint64_t code = GUEST_CODE; code <= CODE_2; code += CODE_2 - GUEST_CODE) {
		uint8_t *slot = memory + code + (SLOT - GUEST_CODE);

		memset(slot, 0x90, SLOT_SIZE);
		memcpy(slot + SLOT_SIZE, vmmcall.bytes, vmmcall.size);
	}
	write_writer(memory, cpl, seed);
}
