/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "flat.h"

struct flat_page flat[FLAT_PAGES];
struct flat_backing backing[FLAT_PAGES];

static uint32_t last_slot;
static uint32_t invalidations, invalid_first, invalid_last;

uint32_t flat_prot(uint32_t page)
{
	const struct flat_page *p = &flat[page];

	if (!p->slot)
		return 0;
	if (p->kind != SVM_SLOT_RESOLVE)
		return p->prot;
	return backing[page].prot ? (backing[page].prot | SVM_PROT_READ) & p->prot : 0;
}

svm_hpa_t flat_hpa(uint32_t page)
{
	return flat[page].kind == SVM_SLOT_RESOLVE ? backing[page].hpa : flat[page].hpa;
}

enum flat_verdict flat_verdict(uint32_t page, uint32_t access)
{
	if (!flat[page].slot)
		return FLAT_ABSENT;
	if (access & ~(uint32_t)flat[page].prot)
		return FLAT_RIGHTS;
	if (flat_is_invalidating(page))
		return FLAT_AGAIN;
	return access & ~flat_prot(page) ? FLAT_RIGHTS : FLAT_MAPPED;
}

bool flat_is_free(uint32_t page, uint32_t count)
{
	for (uint32_t i = page; i < page + count; i++)
		if (flat[i].slot)
			return false;
	return true;
}

bool flat_is_covered(uint32_t page, uint32_t count)
{
	for (uint32_t i = page; i < page + count; i++)
		if (!flat[i].slot)
			return false;
	return true;
}

uint32_t flat_new_slot(void)
{
	return ++last_slot;
}

/* What is left behind the hole is a slot of its own. */
void flat_unmap(uint32_t page, uint32_t count)
{
	const uint32_t end = page + count;

	if (page && end < FLAT_PAGES && flat[end].slot && flat[page - 1].slot == flat[end].slot) {
		const uint32_t old = flat[end].slot, new_slot = flat_new_slot();

		for (uint32_t i = end; i < FLAT_PAGES && flat[i].slot == old; i++)
			flat[i].slot = new_slot;
	}
	for (uint32_t i = page; i < end; i++)
		flat[i] = (struct flat_page){ .slot = 0 };
}

uint32_t flat_slot_first(uint32_t page)
{
	while (page && flat[page - 1].slot == flat[page].slot)
		page--;
	return page;
}

uint32_t flat_slot_end(uint32_t page)
{
	const uint32_t slot = flat[page].slot;

	while (page < FLAT_PAGES && flat[page].slot == slot)
		page++;
	return page;
}

void flat_invalidate(uint32_t first, uint32_t last)
{
	if (!invalidations++) {
		invalid_first = first;
		invalid_last = last;
	}
	if (first < invalid_first)
		invalid_first = first;
	if (last > invalid_last)
		invalid_last = last;
}

void flat_invalidate_end(void)
{
	invalidations--;
}

bool flat_is_invalidating(uint32_t page)
{
	return invalidations && page >= invalid_first && page <= invalid_last;
}
