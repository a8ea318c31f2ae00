/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The only user of Zydis.  Its types end here, so that another version, or another decoder, is a
 * change of this file.
 *
 * Four of its habits need care.  Branches with an operand-size prefix are decoded as Intel's unless
 * told otherwise: on AMD 66 E8 in 64-bit mode takes a 16-bit displacement.  Its success code is not
 * zero.  And its attributes for LOCK, REP and segments belong to the operand decoding that our
 * build leaves out, so prefixes are read from the list of raw ones.  And it takes F3 90 for PAUSE
 * even where REX.B makes it an exchange with R8.
 */
#include "emulate/insn.h"

#include <Zydis/Decoder.h>

/*
 * What is on: the branches of AMD.  Off: MPX, which AMD never had (its encodings are NOPs of the
 * same length), and WBNOINVD, which shares the intercept and the meaning "write back" with WBINVD.
 * MINIMAL has to be on in a build without operands.
 */
#define DECODER(machine, stack)                                                                    \
	{                                                                                          \
		.machine_mode = ZYDIS_MACHINE_MODE_##machine,                                      \
		.stack_width = ZYDIS_STACK_WIDTH_##stack,                                          \
		.decoder_mode = {                                                                  \
			[ZYDIS_DECODER_MODE_MINIMAL] = ZYAN_TRUE,                                  \
			[ZYDIS_DECODER_MODE_AMD_BRANCHES] = ZYAN_TRUE,                             \
			[ZYDIS_DECODER_MODE_CET] = ZYAN_TRUE,                                      \
			[ZYDIS_DECODER_MODE_LZCNT] = ZYAN_TRUE,                                    \
			[ZYDIS_DECODER_MODE_TZCNT] = ZYAN_TRUE,                                    \
			[ZYDIS_DECODER_MODE_CLDEMOTE] = ZYAN_TRUE,                                 \
		},                                                                                 \
	}

static const ZydisDecoder decoders[] = {
	[SVM_INSN_MODE_REAL] = DECODER(REAL_16, 16),
	[SVM_INSN_MODE_16] = DECODER(LEGACY_16, 16),
	[SVM_INSN_MODE_32] = DECODER(LEGACY_32, 32),
	[SVM_INSN_MODE_64] = DECODER(LONG_64, 64),
};

/* Kinds that Zydis calls by the same name, and those of which it has one per width. */
/* clang-format off */
#define SAME_NAME(X)                                                                              \
	X(BOUND) X(CLGI) X(CLI) X(CLTS) X(CPUID) X(HLT) X(IN) X(INT) X(INT1) X(INT3) X(INTO)      \
	X(INVD) X(INVLPG) X(INVLPGA) X(INVLPGB) X(INVPCID) X(LGDT) X(LIDT) X(LLDT) X(LMSW) X(LTR) \
	X(MCOMMIT) X(MONITOR) X(MONITORX) X(MWAIT) X(MWAITX) X(OUT) X(RDMSR) X(RDPMC) X(RDPRU)    \
	X(RDTSC) X(RDTSCP) X(RSM) X(SGDT) X(SIDT) X(SKINIT) X(SLDT) X(SMSW) X(STGI) X(STI) X(STR) \
	X(SWAPGS) X(TLBSYNC) X(VMCALL) X(VMLOAD) X(VMMCALL) X(VMRUN) X(VMSAVE) X(WBINVD) X(WRMSR) \
	X(XSETBV)

#define PER_WIDTH(X)                                                                              \
	X(INS, INSB) X(INS, INSW) X(INS, INSD)                                                    \
	X(IRET, IRET) X(IRET, IRETD) X(IRET, IRETQ)                                               \
	X(OUTS, OUTSB) X(OUTS, OUTSW) X(OUTS, OUTSD)                                              \
	X(POPF, POPF) X(POPF, POPFD) X(POPF, POPFQ)                                               \
	X(PUSHF, PUSHF) X(PUSHF, PUSHFD) X(PUSHF, PUSHFQ)
/* clang-format on */

/* MOV to and from control and debug registers is one mnemonic with every other MOV. */
static enum svm_insn_kind kind_of_mov(const ZydisDecodedInstruction *decoded)
{
	if (decoded->opcode_map != ZYDIS_OPCODE_MAP_0F)
		return SVM_INSN_OTHER;

	switch (decoded->opcode) {
	case 0x20:
		return SVM_INSN_MOV_FROM_CR;
	case 0x21:
		return SVM_INSN_MOV_FROM_DR;
	case 0x22:
		return SVM_INSN_MOV_TO_CR;
	case 0x23:
		return SVM_INSN_MOV_TO_DR;
	default:
		return SVM_INSN_OTHER;
	}
}

static enum svm_insn_kind kind_of(const ZydisDecodedInstruction *decoded)
{
	switch (decoded->mnemonic) {
#define CASE(name)                                                                                 \
	case ZYDIS_MNEMONIC_##name:                                                                \
		return SVM_INSN_##name;
		SAME_NAME(CASE)
#undef CASE
#define CASE(name, mnemonic)                                                                       \
	case ZYDIS_MNEMONIC_##mnemonic:                                                            \
		return SVM_INSN_##name;
		PER_WIDTH(CASE)
#undef CASE
	case ZYDIS_MNEMONIC_MOV:
		return kind_of_mov(decoded);
	case ZYDIS_MNEMONIC_PAUSE: /* F3 90; with REX.B it is XCHG r8, rAX on the processor */
		return decoded->raw.rex.B ? SVM_INSN_OTHER : SVM_INSN_PAUSE;
	default:
		return SVM_INSN_OTHER;
	}
}

static enum svm_insn_status status_of(ZyanStatus status)
{
	switch (status) {
	case ZYDIS_STATUS_NO_MORE_DATA:
		return SVM_INSN_TRUNCATED;
	case ZYDIS_STATUS_INSTRUCTION_TOO_LONG:
		return SVM_INSN_TOO_LONG;
	case ZYDIS_STATUS_BAD_REGISTER:
	case ZYDIS_STATUS_ILLEGAL_LOCK:
	case ZYDIS_STATUS_ILLEGAL_LEGACY_PFX:
	case ZYDIS_STATUS_ILLEGAL_REX:
		return SVM_INSN_ILLEGAL;
	default:
		return SVM_INSN_UNKNOWN;
	}
}

/*
 * Prefixes may come in any order and any number; of one group the last counts (APM vol. 3, 1.2.1).
 * 64-bit mode ignores ES, CS, SS and DS, and an ignored one does not undo FS or GS before it
 * (1.2.4).
 */
static void copy_prefixes(struct svm_insn *insn, const ZydisDecodedInstruction *decoded)
{
	const bool is_64 = decoded->machine_mode == ZYDIS_MACHINE_MODE_LONG_64;

	insn->segment = SVM_INSN_SEG_DEFAULT;
	for (unsigned int i = 0; i < decoded->raw.prefix_count; i++) {
		const uint8_t prefix = decoded->raw.prefixes[i].value;
		const unsigned int repeats = SVM_INSN_REP | SVM_INSN_REPNE;

		switch (prefix) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			if (!is_64)
				insn->segment = (uint8_t)(prefix >> 3 & 3u);
			break;
		case 0x64:
		case 0x65:
			insn->segment = (uint8_t)(prefix & 7u);
			break;
		case 0x66:
			insn->prefixes |= SVM_INSN_OPSIZE;
			break;
		case 0x67:
			insn->prefixes |= SVM_INSN_ADDRSIZE;
			break;
		case 0xf0:
			insn->prefixes |= SVM_INSN_LOCK;
			break;
		case 0xf2:
			insn->prefixes = (uint8_t)((insn->prefixes & ~repeats) | SVM_INSN_REPNE);
			break;
		case 0xf3:
			insn->prefixes = (uint8_t)((insn->prefixes & ~repeats) | SVM_INSN_REP);
			break;
		default: /* REX, which Zydis has judged */
			break;
		}
	}
}

static uint8_t rex_bits(unsigned int w, unsigned int r, unsigned int x, unsigned int b)
{
	return (uint8_t)((w & 1u) << 3 | (r & 1u) << 2 | (x & 1u) << 1 | (b & 1u));
}

/* VEX.pp stands for a mandatory prefix. */
static uint8_t vex_prefix(unsigned int pp)
{
	static const uint8_t prefixes[4] = { 0, SVM_INSN_OPSIZE, SVM_INSN_REP, SVM_INSN_REPNE };

	return prefixes[pp & 3];
}

static void copy_extension(struct svm_insn *insn, const ZydisDecodedInstruction *decoded)
{
	const ZydisDecodedInstructionRaw *raw = &decoded->raw;

	switch (decoded->encoding) {
	case ZYDIS_INSTRUCTION_ENCODING_VEX:
		insn->encoding = SVM_INSN_VEX;
		insn->rex = rex_bits(raw->vex.W, ~raw->vex.R, ~raw->vex.X, ~raw->vex.B);
		insn->vvvv = ~raw->vex.vvvv & 0xfu;
		insn->vex_l = raw->vex.L;
		insn->prefixes = (uint8_t)(insn->prefixes | vex_prefix(raw->vex.pp));
		break;
	case ZYDIS_INSTRUCTION_ENCODING_XOP:
		insn->encoding = SVM_INSN_XOP;
		insn->rex = rex_bits(raw->xop.W, ~raw->xop.R, ~raw->xop.X, ~raw->xop.B);
		insn->vvvv = ~raw->xop.vvvv & 0xfu;
		insn->vex_l = raw->xop.L;
		break;
	default:
		insn->encoding = SVM_INSN_LEGACY;
		insn->rex = rex_bits(raw->rex.W, raw->rex.R, raw->rex.X, raw->rex.B);
		if (decoded->attributes & ZYDIS_ATTRIB_HAS_REX)
			insn->prefixes |= SVM_INSN_REX;
		break;
	}
}

/* Offset 0 is never that of a ModRM or SIB byte: an opcode stands before it. */
static void copy_operands(struct svm_insn *insn, const ZydisDecodedInstruction *decoded,
                          const uint8_t *bytes)
{
	const ZydisDecodedInstructionRaw *raw = &decoded->raw;

	if (raw->modrm.offset) {
		insn->has_modrm = true;
		insn->modrm = bytes[raw->modrm.offset];
	}
	if (raw->sib.offset) {
		insn->has_sib = true;
		insn->sib = bytes[raw->sib.offset];
	}
	insn->disp = raw->disp.value;
	insn->disp_size = raw->disp.size / 8;
	for (unsigned int i = 0; i < 2; i++) {
		insn->imm[i] = raw->imm[i].value.u;
		insn->imm_size[i] = raw->imm[i].size / 8;
	}
}

static uint8_t map_of(ZydisOpcodeMap map)
{
	switch (map) {
	case ZYDIS_OPCODE_MAP_0F:
		return SVM_INSN_MAP_0F;
	case ZYDIS_OPCODE_MAP_0F38:
		return SVM_INSN_MAP_0F38;
	case ZYDIS_OPCODE_MAP_0F3A:
		return SVM_INSN_MAP_0F3A;
	case ZYDIS_OPCODE_MAP_0F0F:
		return SVM_INSN_MAP_0F0F;
	case ZYDIS_OPCODE_MAP_XOP8:
		return SVM_INSN_MAP_XOP8;
	case ZYDIS_OPCODE_MAP_XOP9:
		return SVM_INSN_MAP_XOP9;
	case ZYDIS_OPCODE_MAP_XOPA:
		return SVM_INSN_MAP_XOPA;
	default: /* maps 4 to 7 are EVEX's alone */
		return SVM_INSN_MAP_PRIMARY;
	}
}

enum svm_insn_status svm_insn_decode(enum svm_insn_mode mode, const uint8_t *bytes, size_t count,
                                     struct svm_insn *insn)
{
	ZydisDecodedInstruction decoded;

	if (count > SVM_INSN_MAX_LENGTH)
		count = SVM_INSN_MAX_LENGTH;

	const ZyanStatus status =
		ZydisDecoderDecodeInstruction(&decoders[mode], NULL, bytes, count, &decoded);
	if (!ZYAN_SUCCESS(status))
		return status_of(status);

	*insn = (struct svm_insn){
		.kind = (uint8_t)kind_of(&decoded),
		.length = decoded.length,
		.map = map_of(decoded.opcode_map),
		.opcode = decoded.opcode,
		.operand_width = decoded.operand_width,
		.address_width = decoded.address_width,
	};
	copy_prefixes(insn, &decoded);
	copy_extension(insn, &decoded);
	copy_operands(insn, &decoded, bytes);
	return SVM_INSN_OK;
}

const char *svm_insn_kind_name(unsigned int kind)
{
	static const char *const names[] = {
#define NAME(name) [SVM_INSN_##name] = #name,
		SVM_INSN_KINDS(NAME)
#undef NAME
	};

	return kind < SVM_INSN_KIND_COUNT ? names[kind] : "?";
}
