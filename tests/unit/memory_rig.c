/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "memory_rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RIG_FRAMES (RIG_SIZE / SVM_PAGE_SIZE)

struct rig rig;

static pthread_mutex_t rig_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t next_frame;

_Noreturn static void rig_die(const char *what)
{
	fprintf(stderr, "rig: %s\n", what);
	abort();
}

void *rig_hva(svm_hpa_t hpa)
{
	if (hpa < RIG_BASE || hpa >= RIG_BASE + RIG_SIZE)
		rig_die("a physical address that is not memory");
	return rig.memory + (hpa - RIG_BASE);
}

static void *phys_to_virt(void *ctx, svm_hpa_t hpa)
{
	(void)ctx;
	__atomic_add_fetch(&rig.lookups, 1, __ATOMIC_RELAXED);
	return hpa >= RIG_BASE && hpa < RIG_BASE + RIG_SIZE ? rig.memory + (hpa - RIG_BASE) : NULL;
}

static bool is_free(uint64_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rig.owned[first + i])
			return false;
	return true;
}

void *svm_host_frames(struct svm_host *host, size_t count, svm_hpa_t *hpa)
{
	const uint64_t limit = (RIG_GUEST - RIG_BASE) / SVM_PAGE_SIZE;
	void *hva = NULL;

	(void)host;
	pthread_mutex_lock(&rig_lock);
	rig.allocations++;
	for (uint64_t turn = 0; rig.allocations != rig.fail_at && turn < limit; turn++) {
		const uint64_t first = (next_frame + turn) % limit;

		if (first + count > limit || !is_free(first, count))
			continue;
		memset(rig.owned + first, 1, count);
		next_frame = first + count;
		rig.frames += count;
		hva = rig.memory + first * SVM_PAGE_SIZE;
		*hpa = RIG_BASE + first * SVM_PAGE_SIZE;
		memset(hva, 0, count * SVM_PAGE_SIZE);
		break;
	}
	pthread_mutex_unlock(&rig_lock);
	return hva;
}

void svm_host_frames_free(struct svm_host *host, void *hva, svm_hpa_t hpa, size_t count)
{
	const uint64_t first = (hpa - RIG_BASE) / SVM_PAGE_SIZE;

	(void)host;
	if (hva != rig_hva(hpa))
		rig_die("freed with a pointer that is not the frame's");
	pthread_mutex_lock(&rig_lock);
	for (size_t i = 0; i < count; i++) {
		if (!rig.owned[first + i])
			rig_die("freed twice");
		rig.owned[first + i] = 0;
	}
	/* Whoever still looks finds reserved bits and absurd addresses. */
	memset(hva, 0xfa, count * SVM_PAGE_SIZE);
	rig.frames -= count;
	pthread_mutex_unlock(&rig_lock);
}

static void lock_word(void *ctx, uintptr_t *lock)
{
	uintptr_t expected = 0;

	(void)ctx;
	while (!__atomic_compare_exchange_n(lock, &expected, 1, false, __ATOMIC_ACQUIRE,
	                                    __ATOMIC_RELAXED))
		expected = 0;
}

static void unlock_word(void *ctx, uintptr_t *lock)
{
	(void)ctx;
	if (!__atomic_load_n(lock, __ATOMIC_RELAXED))
		rig_die("unlocked what is free");
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

void svm_vm_lock(struct svm_vm *vm)
{
	lock_word(NULL, &vm->lock);
}

void svm_vm_unlock(struct svm_vm *vm)
{
	unlock_word(NULL, &vm->lock);
}

void svm_vm_flush(struct svm_vm *vm)
{
	(void)vm;
	__atomic_add_fetch(&rig.flushes, 1, __ATOMIC_SEQ_CST);
	if (rig.on_flush)
		rig.on_flush();
}

void svm_vm_bug(struct svm_vm *vm, const char *what)
{
	(void)vm;
	fprintf(stderr, "bug: %s\n", what);
	__atomic_add_fetch(&rig.bugs, 1, __ATOMIC_SEQ_CST);
}

static bool may_map(void *ctx, const struct svm_vm *vm, svm_hpa_t hpa, uint64_t count)
{
	(void)ctx;
	if (vm != rig.vm)
		rig_die("asked about a stranger");
	return !rig.forbidden || rig.forbidden < hpa ||
	       (rig.forbidden - hpa) / SVM_PAGE_SIZE >= count;
}

void rig_setup(void)
{
	next_frame = 0;
	rig = (struct rig){ .host = calloc(1, sizeof(*rig.host)),
		            .vm = calloc(1, sizeof(*rig.vm)),
		            .owned = calloc(1, RIG_FRAMES) };
	rig.memory = mmap(NULL, RIG_SIZE, PROT_READ | PROT_WRITE,
	                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!rig.host || !rig.vm || !rig.owned || rig.memory == MAP_FAILED)
		rig_die("no memory");
	rig.host->hal.phys_to_virt = phys_to_virt;
	rig.host->hal.may_map = may_map;
	rig.host->hal.mutex_lock = lock_word;
	rig.host->hal.mutex_unlock = unlock_word;
	rig.host->features.physical_bits = 48;
	rig.host->features.page_1g = true;
	rig.host->features.host_nx = true;
	rig.vm->host = rig.host;
	rig.vm->config.npt_levels = 4;
	rig.vm->config.table_reserve = 8;
}

void rig_vm(void)
{
	if (svm_memory_init(rig.vm))
		rig_die("svm_memory_init() failed");
}

bool rig_teardown(void)
{
	bool is_clean;

	svm_memory_fini(rig.vm);
	is_clean = !rig.frames && !rig.bugs;
	munmap(rig.memory, RIG_SIZE);
	free(rig.owned);
	free(rig.host);
	free(rig.vm);
	return is_clean;
}
