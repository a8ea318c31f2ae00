/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HOSTED_SCRIPT_H
#define HOSTED_SCRIPT_H
/**
 * @file
 * @brief Guests as scripts: a builder that emits the instruction bytes which the model executes.
 *
 * Registers are the processor's numbers, 0 RAX … 15 R15.  Numbers above 7 and 64-bit operands
 * exist in 64-bit code only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum hosted_register {
	HOSTED_RAX,
	HOSTED_RCX,
	HOSTED_RDX,
	HOSTED_RBX,
	HOSTED_RSP,
	HOSTED_RBP,
	HOSTED_RSI,
	HOSTED_RDI,
};

/** Code under construction. */
struct hosted_script {
	uint8_t bytes[2048];
	size_t size; /**< Bytes emitted. */
	int bits;    /**< 16, 32 or 64. */
};

/** @brief Start empty code for a code segment of @p bits. */
void hosted_script_init(struct hosted_script *s, int bits);

/** @brief Emit bytes as they are. */
void hosted_script_raw(struct hosted_script *s, const void *bytes, size_t size);

/** Instructions without operands: X(name, length, bytes). */
#define HOSTED_SCRIPT_PLAIN(X)                                                                     \
	X(nop, 1, 0x90)                                                                            \
	X(pause, 2, 0xf3, 0x90)                                                                    \
	X(int3, 1, 0xcc)                                                                           \
	X(icebp, 1, 0xf1)                                                                          \
	X(hlt, 1, 0xf4)                                                                            \
	X(cli, 1, 0xfa)                                                                            \
	X(sti, 1, 0xfb)                                                                            \
	X(pushf, 1, 0x9c)                                                                          \
	X(popf, 1, 0x9d)                                                                           \
	X(cpuid, 2, 0x0f, 0xa2)                                                                    \
	X(rdmsr, 2, 0x0f, 0x32)                                                                    \
	X(wrmsr, 2, 0x0f, 0x30)                                                                    \
	X(rdtsc, 2, 0x0f, 0x31)                                                                    \
	X(rdpmc, 2, 0x0f, 0x33)                                                                    \
	X(rdtscp, 3, 0x0f, 0x01, 0xf9)                                                             \
	X(ud2, 2, 0x0f, 0x0b)                                                                      \
	X(invd, 2, 0x0f, 0x08)                                                                     \
	X(wbinvd, 2, 0x0f, 0x09)                                                                   \
	X(clts, 2, 0x0f, 0x06)                                                                     \
	X(rsm, 2, 0x0f, 0xaa)                                                                      \
	X(vmrun, 3, 0x0f, 0x01, 0xd8)                                                              \
	X(vmmcall, 3, 0x0f, 0x01, 0xd9)                                                            \
	X(vmload, 3, 0x0f, 0x01, 0xda)                                                             \
	X(vmsave, 3, 0x0f, 0x01, 0xdb)                                                             \
	X(stgi, 3, 0x0f, 0x01, 0xdc)                                                               \
	X(clgi, 3, 0x0f, 0x01, 0xdd)                                                               \
	X(skinit, 3, 0x0f, 0x01, 0xde)                                                             \
	X(invlpga, 3, 0x0f, 0x01, 0xdf)                                                            \
	X(monitor, 3, 0x0f, 0x01, 0xc8)                                                            \
	X(mwait, 3, 0x0f, 0x01, 0xc9)                                                              \
	X(xgetbv, 3, 0x0f, 0x01, 0xd0)                                                             \
	X(xsetbv, 3, 0x0f, 0x01, 0xd1)                                                             \
	X(rdpru, 3, 0x0f, 0x01, 0xfd)                                                              \
	X(invlpgb, 3, 0x0f, 0x01, 0xfe)                                                            \
	X(tlbsync, 3, 0x0f, 0x01, 0xff)                                                            \
	X(in_al_dx, 1, 0xec)                                                                       \
	X(out_dx_al, 1, 0xee)

#define HOSTED_SCRIPT_DECLARE(name, length, ...) void hosted_script_##name(struct hosted_script *s);
HOSTED_SCRIPT_PLAIN(HOSTED_SCRIPT_DECLARE)
#undef HOSTED_SCRIPT_DECLARE

void hosted_script_int(struct hosted_script *s, uint8_t vector);
/** @brief IRET with the operand size of the code. */
void hosted_script_iret(struct hosted_script *s);
/** @brief IN or OUT with an immediate port, or with DX; @p size is 1, 2 or 4. */
void hosted_script_in_imm(struct hosted_script *s, uint8_t port, int size);
void hosted_script_out_imm(struct hosted_script *s, uint8_t port, int size);
void hosted_script_in_dx(struct hosted_script *s, int size);
void hosted_script_out_dx(struct hosted_script *s, int size);
/** @brief REP OUTSB. */
void hosted_script_rep_outsb(struct hosted_script *s);
/** @brief reg = value: 64 bits in 64-bit code, else 32. */
void hosted_script_mov(struct hosted_script *s, unsigned reg, uint64_t value);
/** @brief 32-bit load and store, address in a register; 64 bits wide if @p wide. */
void hosted_script_load(struct hosted_script *s, unsigned reg, unsigned base, bool wide);
void hosted_script_store(struct hosted_script *s, unsigned base, unsigned reg, bool wide);
/** @brief RAX or EAX from and to an absolute address, MOV with moffs. */
void hosted_script_load_abs(struct hosted_script *s, uint64_t address);
void hosted_script_store_abs(struct hosted_script *s, uint64_t address);
/** @brief MOV reg, CRn … */
void hosted_script_read_cr(struct hosted_script *s, unsigned reg, unsigned cr);
void hosted_script_write_cr(struct hosted_script *s, unsigned cr, unsigned reg);
void hosted_script_read_dr(struct hosted_script *s, unsigned reg, unsigned dr);
void hosted_script_write_dr(struct hosted_script *s, unsigned dr, unsigned reg);
/** @brief INVLPG [reg]. */
void hosted_script_invlpg(struct hosted_script *s, unsigned base);
/** @brief MOV SS, reg: opens an interrupt shadow. */
void hosted_script_mov_ss(struct hosted_script *s, unsigned reg);
void hosted_script_push(struct hosted_script *s, unsigned reg);
void hosted_script_pop(struct hosted_script *s, unsigned reg);
void hosted_script_inc(struct hosted_script *s, unsigned reg);
void hosted_script_dec(struct hosted_script *s, unsigned reg);
/** @brief dst += src, 32 or 64 bits. */
void hosted_script_add(struct hosted_script *s, unsigned dst, unsigned src);
/** @brief JMP and JNZ to an offset of the script, at most 128 bytes away. */
void hosted_script_jmp(struct hosted_script *s, size_t target);
void hosted_script_jnz(struct hosted_script *s, size_t target);

#endif
