/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_VCPU_IOIO_H
#define SVM_CORE_VCPU_IOIO_H
/*
 * EXITINFO1 of an IOIO exit, decoded.  APM vol. 2, 15.10.2, 15.10.3.
 */
#include <libsvm/vmcb.h>

struct svm_ioio {
	uint16_t port;
	uint8_t size; /* 1, 2 or 4 bytes. */
	bool is_in, string, rep;
	uint8_t address_size; /* 16, 32, 64; 0: the processor does not say (QEMU). */
	uint8_t segment; /* Strings, and only with decode assists: ES CS SS DS FS GS as 0 … 5. */
};

/* IN or OUT of a size that there is, of one register; the others need svm_ioio_decode(). */
static inline bool svm_ioio_is_plain(uint64_t info)
{
	/* Bit n: size and address size, as they stand in bits 9:4, may be n: one of each at most.
	 */
	const uint64_t sizes = SVM_BIT(1) | SVM_BIT(2) | SVM_BIT(4);
	const uint64_t plain = sizes | sizes << 8 | sizes << 16 | sizes << 32;

	return !(info & SVM_IOIO_STRING) && (plain >> (info >> 4 & 63) & 1);
}

/* False: the encoding is impossible. */
bool svm_ioio_decode(uint64_t info, struct svm_ioio *ioio);

#endif
