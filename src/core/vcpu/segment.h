/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_SEGMENT_H
#define SVM_CORE_VCPU_SEGMENT_H
/*
 * Segment descriptors as memory holds them and as the VMCB does.  APM vol. 2, 4.7, 15.5.1.
 */
#include <libsvm/vmcb.h>

/*
 * What loading a descriptor puts into the VMCB.  base_high is the third word of a 16-byte system
 * descriptor in long mode, 0 otherwise.  A null selector (0 … 3) gives attributes 0: that, and no
 * other bit, is how the VMCB says "null".
 */
struct svm_vmcb_segment svm_segment_unpack(uint16_t selector, uint64_t descriptor,
                                           uint32_t base_high);

/*
 * The descriptor that svm_segment_unpack() would make this from; bits 63:32 of the base are the
 * caller's.  False: there is none (limit not of the granularity's form, unknown attributes).
 */
bool svm_segment_pack(const struct svm_vmcb_segment *segment, uint64_t *descriptor);

/* How code decodes: 16, 32 or 64, by CS's attributes and EFER.LMA. */
unsigned svm_segment_code_bits(uint16_t cs_attributes, bool long_mode);

#endif
