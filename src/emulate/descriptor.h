/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_EMULATE_DESCRIPTOR_H
#define SVM_EMULATE_DESCRIPTOR_H
/*
 * A descriptor on its way from a table into a segment register.  APM vol. 2, 4.7, 4.8.
 */
#include "emulate/internal.h"

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
	uint64_t mark;    /* Bits to set in word[0] in memory. */
	struct svm_emul_segment table;
	struct svm_emul_span span; /* Where, if there is something to mark. */
	uint16_t selector;
};

/* Read 8 or 16 bytes; #GP(selector) outside the table.  ops->store_segment has to be there. */
enum svm_emul_result svm_descriptor_read(struct svm_emul *e, uint16_t selector, unsigned size,
                                         struct svm_descriptor *d);
unsigned svm_descriptor_attributes(const struct svm_descriptor *d);
unsigned svm_descriptor_dpl(const struct svm_descriptor *d);
void svm_descriptor_unpack(const struct svm_descriptor *d, struct svm_emul_segment *segment);

/* Set a bit in memory, if it is clear: first the right to, then the exchange. */
enum svm_emul_result svm_descriptor_prepare_mark(struct svm_emul *e, uint64_t bit,
                                                 struct svm_descriptor *d);
enum svm_emul_result svm_descriptor_mark(struct svm_emul *e, struct svm_descriptor *d);

#endif
