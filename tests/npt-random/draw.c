/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Choices.  Uniform ones would hardly ever meet: most mistakes need two operations whose ranges
 * touch or cut a large leaf.
 */
#include "random.h"

static uint64_t seed;
static uint32_t hot[64]; /* Pages where something happened. */

void draw_from(uint64_t start)
{
	seed = start * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

bool one_in(uint64_t n)
{
	return draw(n) == 0;
}

uint32_t draw_page(void)
{
	const uint64_t kind = draw(10);
	uint64_t page;

	if (kind < 7)
		page = hot[draw(SVM_ARRAY_SIZE(hot))] + draw(24) + FLAT_PAGES - 12;
	else if (kind < 9)
		page = draw(8) * (GIB1 / 4) + draw(3) * MIB2 + draw(16) + FLAT_PAGES - 8;
	else
		page = draw(FLAT_PAGES);
	return (uint32_t)(page % FLAT_PAGES);
}

uint32_t draw_used_page(bool logs)
{
	const struct svm_slot_table *slots = vm->memory.slots;

	for (unsigned i = 0; i < 16 && slots->count; i++) {
		const struct svm_slot_piece *piece = &slots->piece[draw(slots->count)];
		const uint32_t first = (uint32_t)((piece->first - FLAT_GPA) >> 12);
		const uint32_t count = (uint32_t)((piece->last - piece->first) >> 12) + 1;
		const uint32_t at = (uint32_t)draw(one_in(2) ? count : svm_min(count, 8));

		if (!logs || piece->log)
			return one_in(2) ? first + at : first + count - 1 - at;
	}
	return draw_page();
}

uint32_t draw_count(uint32_t page)
{
	const uint64_t kind = draw(1000);
	uint64_t count = 1 + draw(16);

	if (kind > 700)
		count = 1 + draw(3 * MIB2);
	if (kind > 900)
		count = MIB2 * (1 + draw(3));
	if (kind > 998)
		count = GIB1 - page % GIB1 + draw(2) * draw(GIB1);
	return (uint32_t)svm_min(count, FLAT_PAGES - page);
}

uint32_t draw_prot(void)
{
	return SVM_PROT_READ | (uint32_t)(one_in(5) ? 0 : SVM_PROT_WRITE) |
	       (uint32_t)(one_in(4) ? 0 : SVM_PROT_EXECUTE);
}

void heat(uint32_t page)
{
	hot[draw(SVM_ARRAY_SIZE(hot))] = page;
}
