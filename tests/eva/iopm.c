/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The I/O permission map with every port, range, width and contents: no access outside its three
 * pages, which is not obvious for a double word at port FFFFh.
 *
 * eva: src/core/iopm.c
 */
#include "core/iopm.h"

void eva_main(void);

void eva_main(void)
{
	static uint8_t iopm[SVM_IOPM_SIZE];
	static const uint8_t sizes[] = { 1, 2, 4 };

	svm_iopm_deny_all(iopm);
	Frama_C_make_unknown((char *)iopm, sizeof(iopm));

	const uint16_t port = (uint16_t)Frama_C_interval(0, 0xffff);
	const uint32_t first = (uint32_t)Frama_C_unsigned_int_interval(0, SVM_PORT_COUNT);
	const uint32_t count = (uint32_t)Frama_C_unsigned_int_interval(0, SVM_PORT_COUNT);

	svm_iopm_set(iopm, first, count, Frama_C_interval(0, 1));
	(void)svm_iopm_denies(iopm, port, sizes[Frama_C_interval(0, 2)]);
}
