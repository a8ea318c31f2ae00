/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Bit n of the map belongs to port n, and an access looks at the bit of each of its bytes.
 *
 * A word or a double word at the last ports reaches past FFFFh: the processor does not wrap to
 * port 0 but looks at three more bits, at the start of a third page.  No port stands for them, so
 * they stay 1 whatever the ports before them are, and such an access always exits.
 */
#include "core/iopm.h"

void svm_iopm_deny_all(uint8_t *iopm)
{
	memset(iopm, 0xff, SVM_IOPM_SIZE);
}

void svm_iopm_set(uint8_t *iopm, uint32_t first, uint32_t count, bool allow)
{
	for (uint32_t port = first; port < first + count && port < SVM_PORT_COUNT; port++) {
		const uint8_t bit = (uint8_t)(1u << (port % 8));

		if (allow)
			iopm[port / 8] &= (uint8_t)~bit;
		else
			iopm[port / 8] |= bit;
	}
}

bool svm_iopm_denies(const uint8_t *iopm, uint16_t port, uint8_t size)
{
	/* The byte after the map's 64 Ki + 3 bits exists: the map is three whole pages. */
	const uint32_t two_bytes = iopm[port / 8] | (uint32_t)iopm[port / 8 + 1] << 8;

	return (two_bytes >> (port % 8)) & ((1u << size) - 1u);
}
