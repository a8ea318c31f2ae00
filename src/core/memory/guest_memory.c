/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads and writes of guest memory by the library and the embedder.
 *
 * They go through the slots, not through the nested tables: those hold only what the guest
 * happened to touch.  A pointer into guest memory is good for one 4 KiB frame and for one section
 * (CVE-2013-1796 and CVE-2024-50115 were page-crossing accesses through such a pointer), so each
 * page is a section of its own.
 */
#include "core/memory/dirty.h"
#include "core/memory/section.h"
#include "hal/exchange.h"

/* One page of guest memory in reach; valid until the section is left. */
struct window {
	const struct svm_slot_piece *piece;
	void *hva; /* Of the byte at gpa. */
};

/* What has to be asked for: a page of a list or of a callback, or anything at all just now. */
static int locate_slowly(struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                         uint32_t access, svm_hpa_t *hpa)
{
	struct svm_backing backing;
	const int result = svm_slots_backing(vm, piece, gpa, access, &backing);

	if (result)
		return result;
	if (access & ~backing.prot)
		return SVM_ERR_FAULT;
	*hpa = backing.hpa + (gpa & (SVM_PAGE_SIZE - 1));
	return 0;
}

static inline int locate(struct svm_vm *vm, const struct svm_slot_piece *piece, svm_gpa_t gpa,
                         uint32_t access, svm_hpa_t *hpa)
{
	if (!piece || (access & ~(uint32_t)piece->prot))
		return SVM_ERR_FAULT;
	if (piece->kind != SVM_SLOT_RANGE || svm_atomic_load(&vm->memory.invalidate_count))
		return locate_slowly(vm, piece, gpa, access, hpa);
	*hpa = piece->target.hpa + (gpa - piece->first);
	return 0;
}

int svm_memory_locate(struct svm_vm *vm, svm_gpa_t gpa, uint32_t access, svm_hpa_t *hpa)
{
	return locate(vm, svm_slots_find_again(&vm->memory, gpa), gpa, access, hpa);
}

/* Inside a section. */
static int open_window(struct svm_vm *vm, svm_gpa_t gpa, uint32_t access, struct window *window)
{
	svm_hpa_t hpa;
	int result;

	window->piece = svm_slots_find_again(&vm->memory, gpa);
	result = locate(vm, window->piece, gpa, access, &hpa);
	if (result)
		return result;
	window->hva = svm_host_at(vm->host, hpa);
	return window->hva ? 0 : SVM_ERR_FAULT;
}

int svm_memory_read_page(struct svm_vm *vm, svm_gpa_t gpa, uint8_t *data, size_t size)
{
	const unsigned section = svm_section_enter(&vm->memory);
	struct window window;
	const int result = open_window(vm, gpa, SVM_PROT_READ, &window);

	if (!result)
		memcpy(data, window.hva, size);
	svm_section_leave(&vm->memory, section);
	return result;
}

static int write_page(struct svm_vm *vm, svm_gpa_t gpa, const uint8_t *data, size_t size)
{
	const unsigned section = svm_section_enter(&vm->memory);
	struct window window;
	const int result = open_window(vm, gpa, SVM_PROT_WRITE, &window);

	if (!result) {
		memcpy(window.hva, data, size);
		svm_dirty_set(window.piece, gpa);
	}
	svm_section_leave(&vm->memory, section);
	return result;
}

/* Bytes of a transfer that lie in the page of gpa. */
static size_t chunk(svm_gpa_t gpa, size_t size)
{
	return svm_min(size, SVM_PAGE_SIZE - (gpa & (SVM_PAGE_SIZE - 1)));
}

int svm_vm_read(struct svm_vm *vm, svm_gpa_t gpa, void *data, size_t size, size_t *done)
{
	uint8_t *to = data;
	size_t count = 0;
	int result = 0;

	while (count < size && !result) {
		const svm_gpa_t at = gpa + count;
		const size_t bytes = chunk(at, size - count);

		result = at < gpa ? SVM_ERR_FAULT : svm_memory_read_page(vm, at, to + count, bytes);
		if (!result)
			count += bytes;
	}
	if (done)
		*done = count;
	return result;
}

int svm_vm_write(struct svm_vm *vm, svm_gpa_t gpa, const void *data, size_t size, size_t *done)
{
	const uint8_t *from = data;
	size_t count = 0;
	int result = 0;

	while (count < size && !result) {
		const svm_gpa_t at = gpa + count;
		const size_t bytes = chunk(at, size - count);

		result = at < gpa ? SVM_ERR_FAULT : write_page(vm, at, from + count, bytes);
		if (!result)
			count += bytes;
	}
	if (done)
		*done = count;
	return result;
}

/*
 * Guest page-table entries.  Guest memory that the host handed over is aligned like its gpa
 * within a page, so an aligned gpa gives an aligned pointer.
 */
#define DEFINE_ACCESS(name, type)                                                                  \
	int svm_memory_read_##name(struct svm_vm *vm, svm_gpa_t gpa, type *value)                  \
	{                                                                                          \
		struct window window;                                                              \
                                                                                                   \
		if (gpa & (sizeof(type) - 1))                                                      \
			return SVM_ERR_INVAL;                                                      \
                                                                                                   \
		const unsigned section = svm_section_enter(&vm->memory);                           \
		const int result = open_window(vm, gpa, SVM_PROT_READ, &window);                   \
                                                                                                   \
		if (!result)                                                                       \
			*value = svm_atomic_load((const type *)window.hva);                        \
		svm_section_leave(&vm->memory, section);                                           \
		return result;                                                                     \
	}                                                                                          \
                                                                                                   \
	int svm_memory_cas_##name(struct svm_vm *vm, svm_gpa_t gpa, type *expected, type desired,  \
	                          bool *stored)                                                    \
	{                                                                                          \
		struct window window;                                                              \
                                                                                                   \
		if (gpa & (sizeof(type) - 1))                                                      \
			return SVM_ERR_INVAL;                                                      \
                                                                                                   \
		const unsigned section = svm_section_enter(&vm->memory);                           \
		const int result = open_window(vm, gpa, SVM_PROT_WRITE, &window);                  \
                                                                                                   \
		if (!result) {                                                                     \
			*stored = svm_atomic_cas((type *)window.hva, expected, desired);           \
			if (*stored)                                                               \
				svm_dirty_set(window.piece, gpa);                                  \
		}                                                                                  \
		svm_section_leave(&vm->memory, section);                                           \
		return result;                                                                     \
	}

DEFINE_ACCESS(u32, uint32_t)
DEFINE_ACCESS(u64, uint64_t)

/* --- locked operands -------------------------------------------------------------------------- */

#define EXCHANGE_CASE(bits, type)                                                                  \
	{                                                                                          \
		type old, new;                                                                     \
                                                                                                   \
		memcpy(&old, expected, sizeof(old));                                               \
		memcpy(&new, desired, sizeof(new));                                                \
		const bool stored = svm_exchange_##bits(at, &old, new);                            \
                                                                                                   \
		memcpy(expected, &old, sizeof(old));                                               \
		return stored;                                                                     \
	}

static bool exchange_16_bytes(void *at, void *expected, const void *desired)
{
	uint64_t old[2], new[2];

	memcpy(old, expected, sizeof(old));
	memcpy(new, desired, sizeof(new));
	const bool stored = svm_exchange_128(at, old, new);

	memcpy(expected, old, sizeof(old));
	return stored;
}

static bool exchange_operand(void *at, void *expected, const void *desired, unsigned size)
{
	switch (size) {
	case 1:
		EXCHANGE_CASE(8, uint8_t)
	case 2:
		EXCHANGE_CASE(16, uint16_t)
	case 4:
		EXCHANGE_CASE(32, uint32_t)
	case 8:
		EXCHANGE_CASE(64, uint64_t)
	default:
		return exchange_16_bytes(at, expected, desired);
	}
}

static bool is_exchange(svm_gpa_t gpa, unsigned size)
{
	if (size == 16)
		return (gpa & 15) == 0;
	return (size == 1 || size == 2 || size == 4 || size == 8) && chunk(gpa, size) == size;
}

int svm_memory_exchange(struct svm_vm *vm, svm_gpa_t gpa, void *expected, const void *desired,
                        unsigned size, bool *stored)
{
	struct window window;

	if (!is_exchange(gpa, size))
		return SVM_ERR_INVAL;

	const unsigned section = svm_section_enter(&vm->memory);
	const int result = open_window(vm, gpa, SVM_PROT_WRITE, &window);

	if (!result) {
		*stored = exchange_operand(window.hva, expected, desired, size);
		if (*stored)
			svm_dirty_set(window.piece, gpa);
	}
	svm_section_leave(&vm->memory, section);
	return result;
}
