/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_INTERNAL_H
#define SVM_EMULATE_INTERNAL_H
/*
 * Between the files of the emulator.
 */
#include "emulate/emulate.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* RFLAGS.  APM vol. 1, 3.1.4. */
#define FLAG_CF   UINT64_C(0x000001)
#define FLAG_PF   UINT64_C(0x000004)
#define FLAG_AF   UINT64_C(0x000010)
#define FLAG_ZF   UINT64_C(0x000040)
#define FLAG_SF   UINT64_C(0x000080)
#define FLAG_TF   UINT64_C(0x000100)
#define FLAG_IF   UINT64_C(0x000200)
#define FLAG_DF   UINT64_C(0x000400)
#define FLAG_OF   UINT64_C(0x000800)
#define FLAG_IOPL UINT64_C(0x003000)
#define FLAG_NT   UINT64_C(0x004000)
#define FLAG_RF   UINT64_C(0x010000)
#define FLAG_VM   UINT64_C(0x020000)
#define FLAG_AC   UINT64_C(0x040000)
#define FLAG_VIF  UINT64_C(0x080000)
#define FLAG_VIP  UINT64_C(0x100000)
#define FLAG_ID   UINT64_C(0x200000)
#define FLAGS_ARITHMETIC (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

enum {
	VECTOR_DE = 0,
	VECTOR_DB = 1,
	VECTOR_BP = 3,
	VECTOR_OF = 4,
	VECTOR_BR = 5,
	VECTOR_UD = 6,
	VECTOR_NM = 7,
	VECTOR_TS = 10,
	VECTOR_NP = 11,
	VECTOR_SS = 12,
	VECTOR_GP = 13,
	VECTOR_PF = 14,
	VECTOR_MF = 16,
	VECTOR_AC = 17,
};

/* --- emulate.c --- */
enum svm_emul_result svm_emul_raise(struct svm_emul *e, uint8_t vector);
enum svm_emul_result svm_emul_raise_error(struct svm_emul *e, uint8_t vector, uint32_t error);
bool svm_emul_is_long(const struct svm_emul *e); /* 64-bit mode. */

/* --- operand.c --- */

/* All ones in the low `size` bytes. */
static inline uint64_t svm_emul_mask(unsigned size)
{
	return size >= 8 ? ~UINT64_C(0) : (UINT64_C(1) << (8 * size)) - 1;
}

/* Bytes of the operand by the instruction's width; 1 for byte forms. */
unsigned svm_emul_width(const struct svm_emul *e);
/* General register as an operand of 1, 2, 4 or 8 bytes; high bytes without REX. */
uint64_t svm_emul_get_reg(const struct svm_emul *e, unsigned n, unsigned size);
/* 1 and 2 bytes merge, 4 clear the upper half. */
void svm_emul_set_reg(struct svm_emul *e, unsigned n, unsigned size, uint64_t value);
/* ModRM.reg and ModRM.rm with their REX bits. */
unsigned svm_emul_reg(const struct svm_emul *e);
unsigned svm_emul_rm(const struct svm_emul *e);
bool svm_emul_rm_is_memory(const struct svm_emul *e);

/* Offset of the memory operand within its segment, cut to the address width; and the segment. */
uint64_t svm_emul_effective_address(const struct svm_emul *e, unsigned *segment);
/* The override, or what the instruction defaults to. */
unsigned svm_emul_data_segment(const struct svm_emul *e, unsigned otherwise);
uint64_t svm_emul_address_mask(const struct svm_emul *e);

/* CR4.UMIP keeps SGDT, SIDT, SLDT, SMSW and STR from all but CPL 0. */
bool svm_emul_umip_forbids(const struct svm_emul *e);
/* 2, 4 or 8 by mode, 66 and REX.W alone, for what the decoder gives a fixed width. */
unsigned svm_emul_prefix_width(const struct svm_emul *e);
/* r/m16 as a source. */
enum svm_emul_result svm_emul_load_word(struct svm_emul *e, uint64_t *word);
/* The end of SMSW, SLDT, STR, MOV from Sreg: 16 bits to memory, a whole operand to a register. */
enum svm_emul_result svm_emul_store_word(struct svm_emul *e, uint64_t value);

/* --- memory.c --- */

/* A translated access of up to 32 bytes: one or two pages. */
struct svm_emul_span {
	uint64_t gpa[2];
	uint8_t size[2]; /* size[1] is 0 where one page holds it all. */
};

/*
 * Check and translate; no side effect but accessed and dirty bits.  Segment limit and type,
 * canonical form, alignment, paging.
 */
enum svm_emul_result svm_emul_prepare(struct svm_emul *e, unsigned segment, uint64_t offset,
                                      unsigned size, uint32_t access, struct svm_emul_span *span);
/* The same for a linear address: descriptor tables, TSS. */
enum svm_emul_result svm_emul_prepare_linear(struct svm_emul *e, uint64_t linear, unsigned size,
                                             uint32_t access, struct svm_emul_span *span);
/* The checks of a segment alone. */
enum svm_emul_result svm_emul_linear(struct svm_emul *e, unsigned segment, uint64_t offset,
                                     unsigned size, uint32_t access, uint64_t *linear);

enum svm_emul_result svm_emul_load(struct svm_emul *e, const struct svm_emul_span *span,
                                   void *data);
enum svm_emul_result svm_emul_store(struct svm_emul *e, const struct svm_emul_span *span,
                                    const void *data);
enum svm_emul_result svm_emul_load_u64(struct svm_emul *e, const struct svm_emul_span *span,
                                       uint64_t *value);
enum svm_emul_result svm_emul_store_u64(struct svm_emul *e, const struct svm_emul_span *span,
                                        uint64_t value);
/*
 * Replace old by new in one step where the span is RAM within one page; a device, or a span over
 * two pages, gets a plain store.  OK and not *stored: someone else changed it since it was loaded.
 */
enum svm_emul_result svm_emul_replace(struct svm_emul *e, const struct svm_emul_span *span,
                                      const void *old, const void *new, bool *stored);

/* A port, through the log. */
enum svm_emul_result svm_emul_port(struct svm_emul *e, uint16_t port, uint32_t *value,
                                   unsigned size, bool is_in);

/* What was done so far is committed: the log starts anew (REP). */
void svm_emul_log_commit(struct svm_emul *e);

/* --- stack.c --- */

/* Bytes of a push in this mode and operand size. */
unsigned svm_emul_stack_width(const struct svm_emul *e);
/* What of RSP and RBP is an address of the stack. */
uint64_t svm_emul_stack_mask(const struct svm_emul *e);
/* Prepare a push or pop of size bytes; *rsp is what RSP becomes. */
enum svm_emul_result svm_emul_prepare_push(struct svm_emul *e, unsigned size, uint64_t *rsp,
                                           struct svm_emul_span *span);
enum svm_emul_result svm_emul_prepare_pop(struct svm_emul *e, unsigned size, uint64_t *rsp,
                                          struct svm_emul_span *span);

/* RSP moved by delta within the stack's width. */
uint64_t svm_emul_stack_move(const struct svm_emul *e, uint64_t delta);

/* --- alu.c: results and flags, APM vol. 3 --- */
enum svm_alu_op {
	ALU_ADD,
	ALU_OR,
	ALU_ADC,
	ALU_SBB,
	ALU_AND,
	ALU_SUB,
	ALU_XOR,
	ALU_CMP,
};
enum svm_shift_op {
	SHIFT_ROL,
	SHIFT_ROR,
	SHIFT_RCL,
	SHIFT_RCR,
	SHIFT_SHL,
	SHIFT_SHR,
	SHIFT_SAL,
	SHIFT_SAR,
};
/* a op b, size 1, 2, 4, 8; *flags in and out. */
uint64_t svm_alu(enum svm_alu_op op, uint64_t a, uint64_t b, unsigned size, uint64_t *flags);
uint64_t svm_alu_inc(uint64_t a, unsigned size, uint64_t *flags);
uint64_t svm_alu_dec(uint64_t a, unsigned size, uint64_t *flags);
uint64_t svm_alu_neg(uint64_t a, unsigned size, uint64_t *flags);
/* count as the instruction has it, not masked. */
uint64_t svm_alu_shift(enum svm_shift_op op, uint64_t a, uint8_t count, unsigned size,
                       uint64_t *flags);
uint64_t svm_alu_shld(uint64_t a, uint64_t b, uint8_t count, unsigned size, uint64_t *flags);
uint64_t svm_alu_shrd(uint64_t a, uint64_t b, uint8_t count, unsigned size, uint64_t *flags);
/* Condition cc of Jcc, SETcc, CMOVcc. */
bool svm_alu_condition(unsigned cc, uint64_t flags);

/* --- exec_string.c: what INS and OUTS share with the others --- */
bool svm_string_repeats(const struct svm_emul *e);
enum svm_emul_result svm_string_source(struct svm_emul *e, unsigned size,
                                       struct svm_emul_span *span);
enum svm_emul_result svm_string_destination(struct svm_emul *e, unsigned size, uint32_t access,
                                            struct svm_emul_span *span);
/* RSI or RDI by one element, as DF says. */
void svm_string_step(struct svm_emul *e, unsigned n, unsigned size);
bool svm_string_next(struct svm_emul *e);
enum svm_emul_result svm_string_broken_off(struct svm_emul *e, uint32_t done,
                                           enum svm_emul_result result);

/* --- exec_system.c --- */

/* The flags that POPF and IRET of size bytes may change at this CPL and IOPL. */
uint64_t svm_emul_flags_writable(const struct svm_emul *e, unsigned size);

/* --- exec_*.c: UNKNOWN if the instruction is not one of the file's. --- */
enum svm_emul_result svm_exec_integer(struct svm_emul *e);
enum svm_emul_result svm_exec_bits(struct svm_emul *e);
enum svm_emul_result svm_exec_string(struct svm_emul *e);
enum svm_emul_result svm_exec_port(struct svm_emul *e);
enum svm_emul_result svm_exec_branch(struct svm_emul *e);
enum svm_emul_result svm_exec_vector(struct svm_emul *e);
enum svm_emul_result svm_exec_system(struct svm_emul *e);
enum svm_emul_result svm_exec_segment(struct svm_emul *e);
enum svm_emul_result svm_exec_far(struct svm_emul *e);

#endif
