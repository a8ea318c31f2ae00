/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_DESCRIPTOR_H
#define SVM_EMULATE_DESCRIPTOR_H
/*
 * A descriptor on its way from a table into a segment register.  APM vol. 2, 4.7, 4.8.
 */
#include "emulate/internal.h"

#define DESCRIPTOR_EFER_LMA UINT64_C(0x400)

/* svm_emul_segment.attributes. */
#define DESCRIPTOR_RW         0x002u
#define DESCRIPTOR_CONFORMING 0x004u /* Of code. */
#define DESCRIPTOR_CODE       0x008u
#define DESCRIPTOR_S          0x010u
#define DESCRIPTOR_P          0x080u
#define DESCRIPTOR_L          0x200u
#define DESCRIPTOR_DB         0x400u
#define DESCRIPTOR_G          0x800u

/* Bits of the descriptor that a load sets. */
#define DESCRIPTOR_ACCESSED UINT64_C(0x10000000000)
#define DESCRIPTOR_BUSY     UINT64_C(0x20000000000)

struct svm_descriptor {
	uint64_t word[2]; /* [1] only of 16 bytes. */
	uint64_t mark;    /* Bits to change in word[0] in memory. */
	struct svm_emul_segment table;
	struct svm_emul_span span; /* Where, if there is something to mark. */
	uint16_t selector;
};

/* Tables and TSS are those of long mode, in compatibility mode too. */
static inline bool svm_emul_in_long_mode(const struct svm_emul *e)
{
	return e->efer & DESCRIPTOR_EFER_LMA;
}

static inline bool svm_is_null_selector(uint16_t selector)
{
	return selector <= 3;
}

enum svm_emul_result svm_descriptor_fault(struct svm_emul *e, uint8_t vector, uint16_t selector);
/*
 * Read 8 or 16 bytes.  Outside the table it is #GP(selector), or #TS(selector) for what a TSS
 * names: the vector says.  ops->store_segment has to be there.
 */
enum svm_emul_result svm_descriptor_read(struct svm_emul *e, uint16_t selector, unsigned size,
                                         uint8_t vector, struct svm_descriptor *d);
unsigned svm_descriptor_attributes(const struct svm_descriptor *d);
unsigned svm_descriptor_dpl(const struct svm_descriptor *d);
void svm_descriptor_unpack(const struct svm_descriptor *d, struct svm_emul_segment *segment);

/* Is it a stack of this privilege?  #SS if it is absent, the vector for all else. */
enum svm_emul_result svm_descriptor_judge_stack(struct svm_emul *e, unsigned cpl, uint8_t vector,
                                                const struct svm_descriptor *d);

/* The same question of DS, ES, FS and GS at e->cpl; #NP if it is absent. */
enum svm_emul_result svm_descriptor_judge_data(struct svm_emul *e, uint8_t vector,
                                               const struct svm_descriptor *d);

/*
 * Set a bit in memory, if it is clear, or clear it, if it is set: first the right to, then the
 * exchange.
 */
enum svm_emul_result svm_descriptor_prepare_mark(struct svm_emul *e, uint64_t bit,
                                                 struct svm_descriptor *d);
enum svm_emul_result svm_descriptor_prepare_clear(struct svm_emul *e, uint64_t bit,
                                                  struct svm_descriptor *d);
enum svm_emul_result svm_descriptor_mark(struct svm_emul *e, struct svm_descriptor *d);

#endif
