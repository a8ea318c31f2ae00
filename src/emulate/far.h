/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_FAR_H
#define SVM_EMULATE_FAR_H
/*
 * Between the files of far transfers: where a transfer goes, and on which stack.
 *
 * Both are found and judged before anything is written: the target, the stack, room on it.  Then
 * the descriptors are marked, the frame is stored, and svm_far_go() makes the new state the
 * guest's, which cannot fail.
 */
#include "emulate/descriptor.h"

/* A judged target: what CS, RIP and CPL become. */
struct svm_far_target {
	struct svm_emul_segment cs;
	struct svm_descriptor descriptor; /* Nothing to mark in real and virtual-8086 mode. */
	uint64_t rip;
	uint8_t cpl;
};

/* A stack: the present one, that of another privilege, or that of the interrupt stack table. */
struct svm_far_stack {
	struct svm_emul_segment ss;
	struct svm_descriptor descriptor;
	uint64_t rsp;
	enum svm_insn_mode mode; /* Of the code that uses it: in 64-bit mode SS means nothing. */
	uint16_t error;          /* Code of the #SS that it raises. */
	uint8_t cpl;
	bool is_new; /* SS is loaded. */
};

#define SVM_FAR_FRAME_MAX 35u /* A call gate's: SS, RSP, 31 parameters, CS, RIP. */

struct svm_far_frame {
	uint64_t value[SVM_FAR_FRAME_MAX]; /* In the order of the pushes. */
	uint64_t rsp;                      /* Behind the last of them. */
	uint8_t count;
	uint8_t width; /* Bytes of each. */
};

/* --- far.c --- */

bool svm_far_is_long_code(const struct svm_emul *e, const struct svm_emul_segment *cs);
/* Mode of code in a protected mode. */
enum svm_insn_mode svm_far_mode(const struct svm_emul *e, const struct svm_emul_segment *cs);
/* #GP(0) unless RIP lies within the target. */
enum svm_emul_result svm_far_check_rip(struct svm_emul *e, const struct svm_far_target *target);

/* In real and virtual-8086 mode limit and attributes of CS stay. */
void svm_far_real_target(struct svm_emul *e, uint16_t selector, uint64_t rip,
                         struct svm_far_target *target);
/* Code, present, and of a privilege that the transfer allows? */
enum svm_emul_result svm_far_judge_code(struct svm_emul *e, const struct svm_descriptor *d,
                                        bool is_allowed);
/* target->descriptor is judged, target->cpl is set: fill CS. */
enum svm_emul_result svm_far_take_code(struct svm_emul *e, struct svm_far_target *target);
/* The code that a gate names; DPL up to CPL, 64-bit code in long mode. */
enum svm_emul_result svm_far_gate_target(struct svm_emul *e, uint16_t selector, uint64_t rip,
                                         struct svm_far_target *target);

void svm_far_push(struct svm_far_frame *frame, uint64_t value);
/* Pop count values from *rsp on, which moves; RSP itself stays. */
enum svm_emul_result svm_far_pop(struct svm_emul *e, unsigned count, unsigned width,
                                 uint64_t *value, uint64_t *rsp);

/* The marks in memory are the last thing that can fail before a frame is stored. */
enum svm_emul_result svm_far_mark(struct svm_emul *e, struct svm_far_target *target,
                                  struct svm_far_stack *stack);
/* All of a transfer that can fail once its target and stack are known, the stores last. */
enum svm_emul_result svm_far_write_frame(struct svm_emul *e, struct svm_far_target *target,
                                         struct svm_far_stack *stack, struct svm_far_frame *frame);
enum svm_emul_result svm_far_go(struct svm_emul *e, const struct svm_far_target *target,
                                const struct svm_far_stack *stack, uint64_t rsp);

/* --- far_stack.c --- */

/* The stack as it is, for code of this mode. */
void svm_far_keep_stack(const struct svm_emul *e, enum svm_insn_mode mode,
                        struct svm_far_stack *stack);
/* What the TSS holds for target->cpl; in long mode for entry ist of its table, if not 0. */
enum svm_emul_result svm_far_inner_stack(struct svm_emul *e, const struct svm_far_target *target,
                                         unsigned ist, struct svm_far_stack *stack);
/* What a return names. */
enum svm_emul_result svm_far_outer_stack(struct svm_emul *e, const struct svm_far_target *target,
                                         uint16_t selector, uint64_t rsp,
                                         struct svm_far_stack *stack);

/* A segment of virtual-8086 mode. */
static inline struct svm_emul_segment svm_far_virtual_segment(uint16_t selector)
{
	return (struct svm_emul_segment){ selector, 0xf3, 0xffff, (uint32_t)selector << 4 };
}

/* Error codes of these are selectors, with EXT for an event from outside. */
#define SVM_ERROR_EXT 0x1u
static inline bool svm_names_selector(uint8_t vector)
{
	return vector >= VECTOR_TS && vector <= VECTOR_GP;
}

/* --- exec_task.c --- */

/* The TSS that an instruction names, or its gate; whether it may is decided. */
enum svm_emul_result svm_exec_task(struct svm_emul *e, uint16_t selector,
                                   enum svm_emul_task_reason reason);
enum svm_emul_result svm_exec_task_return(struct svm_emul *e);

/* --- exec_gate.c, exec_return.c, exec_interrupt.c --- */

/* JMP or CALL of the gate or TSS in target->descriptor, of which 8 bytes are read. */
enum svm_emul_result svm_exec_gate(struct svm_emul *e, struct svm_far_target *target, bool is_call);
enum svm_emul_result svm_exec_far_return(struct svm_emul *e);
enum svm_emul_result svm_exec_interrupt_return(struct svm_emul *e);
enum svm_emul_result svm_exec_interrupt(struct svm_emul *e);

#endif
