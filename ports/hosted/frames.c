/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Physical memory.  It starts at 4 GiB, where no address of the process's own memory lies, so a
 * virtual address used as a physical one misses it and is named.
 *
 * The library's frames come from the bottom, lowest first: a frame that was freed is the next one
 * given out, which makes a use after the free as harmful as it can be.  Guests' frames come from
 * the top.  Each change of owner raises the frame's generation, by which a kept translation, or a
 * VMCB that the processor kept, is seen to be about somebody else's memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "model.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAVE_ASAN 1
#endif
#endif
#ifdef HAVE_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

void frames_init(struct hosted_machine *m)
{
	m->frame_count = m->config.memory / SVM_PAGE_SIZE;
	m->memory = mmap(NULL, m->config.memory, PROT_READ | PROT_WRITE,
	                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	m->frames = calloc(m->frame_count, sizeof(*m->frames));
	if (m->memory == MAP_FAILED || !m->frames) {
		fputs("hosted: no memory for the machine\n", stderr);
		abort();
	}
}

void frames_fini(struct hosted_machine *m)
{
	ASAN_UNPOISON_MEMORY_REGION(m->memory, m->config.memory);
	munmap(m->memory, m->config.memory);
	free(m->frames);
}

struct frame *frame_at(struct hosted_machine *m, svm_hpa_t hpa)
{
	const uint64_t index = (hpa - HOSTED_MEMORY_BASE) / SVM_PAGE_SIZE;

	if (hpa < HOSTED_MEMORY_BASE || index >= m->frame_count)
		return NULL;
	return &m->frames[index];
}

void *hosted_memory(struct hosted_machine *m, svm_hpa_t hpa)
{
	if (!frame_at(m, hpa))
		return NULL;
	return m->memory + (hpa - HOSTED_MEMORY_BASE);
}

void *library_page(struct hosted_machine *m, svm_hpa_t hpa, const char *who)
{
	const uint64_t as_hva = (uint64_t)(uintptr_t)m->memory;
	const struct frame *frame = frame_at(m, hpa);

	if (hpa - as_hva < m->config.memory)
		breach(m, HOSTED_BREACH_HVA_AS_HPA, "%s: 0x%llx", who, (unsigned long long)hpa);
	else if (!frame || atomic_get(&frame->owner) != FRAME_LIBRARY)
		breach(m, HOSTED_BREACH_FRAME, "%s: 0x%llx %s", who, (unsigned long long)hpa,
		       !frame                                    ? "is no memory"
		       : atomic_get(&frame->owner) == FRAME_FREE ? "is free"
		                                                 : "is a guest's");
	else
		return m->memory + (hpa - HOSTED_MEMORY_BASE);
	return NULL;
}

static void give(struct hosted_machine *m, size_t first, size_t count, enum frame_owner owner)
{
	uint8_t *const memory = m->memory + first * SVM_PAGE_SIZE;

	for (size_t i = first; i < first + count; i++) {
		__atomic_add_fetch(&m->frames[i].generation, 1, __ATOMIC_SEQ_CST);
		atomic_set(&m->frames[i].owner, (uint8_t)owner);
	}
	ASAN_UNPOISON_MEMORY_REGION(memory, count * SVM_PAGE_SIZE);
	memset(memory, 0, count * SVM_PAGE_SIZE);
}

static void take_back(struct hosted_machine *m, size_t first, size_t count)
{
	uint8_t *const memory = m->memory + first * SVM_PAGE_SIZE;

	for (size_t i = first; i < first + count; i++) {
		__atomic_add_fetch(&m->frames[i].generation, 1, __ATOMIC_SEQ_CST);
		atomic_set(&m->frames[i].owner, (uint8_t)FRAME_FREE);
	}
	/* Scribble on what the library owned; a guest's frames may be many. */
	if (count <= 64)
		memset(memory, 0xdb, count * SVM_PAGE_SIZE);
	ASAN_POISON_MEMORY_REGION(memory, count * SVM_PAGE_SIZE);
}

static bool run_is_free(const struct hosted_machine *m, size_t first, size_t count)
{
	for (size_t i = first; i < first + count; i++)
		if (m->frames[i].owner != FRAME_FREE)
			return false;
	return true;
}

static bool allocation_fails(struct hosted_machine *m)
{
	m->allocations++;
	if (m->fail_from && m->allocations >= m->fail_from)
		return true;
	return m->fail_at && m->allocations == m->fail_at;
}

void *library_alloc(void *ctx, size_t count, svm_hpa_t *hpa)
{
	struct hosted_machine *m = ctx;
	void *hva = NULL;

	if (count == 0)
		breach(m, HOSTED_BREACH_HAL, "frames_alloc of 0 frames");
	pthread_mutex_lock(&m->lock);
	while (m->lowest_free < m->frame_count && m->frames[m->lowest_free].owner != FRAME_FREE)
		m->lowest_free++;
	if (allocation_fails(m))
		goto unlock;
	for (size_t first = m->lowest_free; first + count <= m->frame_count; first++) {
		if (!run_is_free(m, first, count))
			continue;
		give(m, first, count, FRAME_LIBRARY);
		m->library_frames += count;
		hva = m->memory + first * SVM_PAGE_SIZE;
		*hpa = HOSTED_MEMORY_BASE + first * SVM_PAGE_SIZE;
		break;
	}
unlock:
	pthread_mutex_unlock(&m->lock);
	return hva;
}

void library_free(void *ctx, void *hva, svm_hpa_t hpa, size_t count)
{
	struct hosted_machine *m = ctx;
	const size_t first = (hpa - HOSTED_MEMORY_BASE) / SVM_PAGE_SIZE;
	bool owned = hosted_memory(m, hpa) == hva && first + count <= m->frame_count;

	pthread_mutex_lock(&m->lock);
	for (size_t i = first; owned && i < first + count; i++)
		owned = m->frames[i].owner == FRAME_LIBRARY;
	if (owned) {
		take_back(m, first, count);
		m->library_frames -= count;
		if (first < m->lowest_free)
			m->lowest_free = first;
	}
	pthread_mutex_unlock(&m->lock);
	if (!owned)
		breach(m, HOSTED_BREACH_HAL, "frames_free(%p, 0x%llx, %zu): not allocated so", hva,
		       (unsigned long long)hpa, count);
}

void *hosted_guest_alloc(struct hosted_machine *m, size_t count, uint64_t align, svm_hpa_t *hpa)
{
	const size_t step = align / SVM_PAGE_SIZE; /* The base is aligned to 1 GiB. */

	pthread_mutex_lock(&m->lock);
	for (size_t n = (m->frame_count - count) / step + 1; n-- > 0;) {
		const size_t first = n * step;

		if (!run_is_free(m, first, count))
			continue;
		give(m, first, count, FRAME_GUEST);
		pthread_mutex_unlock(&m->lock);
		*hpa = HOSTED_MEMORY_BASE + first * SVM_PAGE_SIZE;
		return m->memory + first * SVM_PAGE_SIZE;
	}
	fputs("hosted: no memory for a guest\n", stderr);
	abort();
}

void hosted_guest_free(struct hosted_machine *m, svm_hpa_t hpa, size_t count)
{
	pthread_mutex_lock(&m->lock);
	take_back(m, (hpa - HOSTED_MEMORY_BASE) / SVM_PAGE_SIZE, count);
	pthread_mutex_unlock(&m->lock);
}

size_t hosted_frames_used(struct hosted_machine *m)
{
	pthread_mutex_lock(&m->lock);
	const size_t used = m->library_frames;
	pthread_mutex_unlock(&m->lock);
	return used;
}

void hosted_fail_allocation(struct hosted_machine *m, uint64_t k)
{
	pthread_mutex_lock(&m->lock);
	m->fail_at = k ? m->allocations + k : 0;
	pthread_mutex_unlock(&m->lock);
}

void hosted_fail_allocations_from(struct hosted_machine *m, uint64_t k)
{
	pthread_mutex_lock(&m->lock);
	m->fail_from = k ? m->allocations + k : 0;
	pthread_mutex_unlock(&m->lock);
}

uint64_t hosted_allocations(struct hosted_machine *m)
{
	pthread_mutex_lock(&m->lock);
	const uint64_t count = m->allocations;
	pthread_mutex_unlock(&m->lock);
	return count;
}
