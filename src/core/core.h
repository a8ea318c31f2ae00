/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CORE_CORE_H
#define SVM_CORE_CORE_H
/*
 * What every core file needs: the four functions that a freestanding compiler may call, atomics
 * under short names, and assertions that kill a VM and never the host.
 */
#include <libsvm/error.h>
#include <libsvm/types.h>

/* The only external symbols of the library; a kernel has them or its compiler could not work. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/*
 * Kept out of the function that it belongs to, so that the short way there saves no registers.  A
 * host may have a macro of the other spelling: Linux does.
 */
#define SVM_LONG_WAY __attribute__((__noinline__))

#define SVM_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Sequentially consistent unless the name says otherwise: the kick protocol is proved with these
 * and the cost is one fence per entry.
 */
#define svm_atomic_load(p)            __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define svm_atomic_load_acquire(p)    __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define svm_atomic_load_relaxed(p)    __atomic_load_n((p), __ATOMIC_RELAXED)
#define svm_atomic_store(p, v)        __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)
#define svm_atomic_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
#define svm_atomic_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define svm_atomic_exchange(p, v)     __atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST)
#define svm_atomic_add(p, v)          __atomic_add_fetch((p), (v), __ATOMIC_SEQ_CST)
#define svm_atomic_or(p, v)           __atomic_fetch_or((p), (v), __ATOMIC_SEQ_CST)
#define svm_atomic_and(p, v)          __atomic_fetch_and((p), (v), __ATOMIC_SEQ_CST)
/* True if *p was *expected and is now v; else *expected is what it was. */
#define svm_atomic_cas(p, expected, v) \
	__atomic_compare_exchange_n((p), (expected), (v), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)

/* Nearly always so: the rest goes out of the way of what every exit executes. */
#define SVM_MOSTLY(condition) __builtin_expect(!!(condition), 1)

static inline uint64_t svm_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t svm_max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

#endif
