/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What cannot be is refused: two operand sizes or none, two address sizes, a segment that does
 * not exist.  Bits that the manual reserves are not looked at, since a later processor may set
 * them.  REP without a string is a prefix that IN and OUT ignore.
 */
#include "core/vcpu/ioio.h"

static uint8_t address_size(uint64_t info)
{
	switch (info & (SVM_IOIO_ADDR_16 | SVM_IOIO_ADDR_32 | SVM_IOIO_ADDR_64)) {
	case 0:
		return 0;
	case SVM_IOIO_ADDR_16:
		return 16;
	case SVM_IOIO_ADDR_32:
		return 32;
	case SVM_IOIO_ADDR_64:
		return 64;
	default:
		return UINT8_MAX;
	}
}

bool svm_ioio_decode(uint64_t info, struct svm_ioio *ioio)
{
	const uint8_t size = (uint8_t)svm_bits_get(info, SVM_IOIO_SIZE);

	*ioio = (struct svm_ioio){
		.port = (uint16_t)svm_bits_get(info, SVM_IOIO_PORT),
		.size = size,
		.is_in = info & SVM_IOIO_IN,
		.string = info & SVM_IOIO_STRING,
		.rep = (info & SVM_IOIO_STRING) && (info & SVM_IOIO_REP),
		.address_size = address_size(info),
		.segment = (uint8_t)(info & SVM_IOIO_STRING ? svm_bits_get(info, SVM_IOIO_SEGMENT)
		                                            : 0),
	};
	return (size == 1 || size == 2 || size == 4) && ioio->address_size != UINT8_MAX &&
	       ioio->segment <= 5;
}
