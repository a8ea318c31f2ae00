/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_HAL_EXCHANGE_H
#define SVM_HAL_EXCHANGE_H
/*
 * LOCK CMPXCHG on an operand of any alignment.
 *
 * In assembly because the compiler's atomics want aligned objects.  A guest's operand need not be
 * one, and the processor keeps its promise for it all the same (APM vol. 2, 7.3.2).  A guest can
 * lock the bus with such an operand by itself, so nothing is lost by doing it for the guest.
 */
#include <stdbool.h>
#include <stdint.h>

#define SVM_EXCHANGE(name, type)                                                                   \
	static inline bool svm_exchange_##name(void *at, type *expected, type desired)             \
	{                                                                                          \
		bool stored;                                                                       \
                                                                                                   \
		__asm__ volatile("lock cmpxchg %[desired], %[at]"                                  \
		                 : "=@ccz"(stored), [at] "+m"(*(char(*)[sizeof(type)])at),         \
		                   "+a"(*expected)                                                 \
		                 : [desired] "r"(desired)                                          \
		                 : "memory");                                                      \
		return stored;                                                                     \
	}

SVM_EXCHANGE(8, uint8_t)
SVM_EXCHANGE(16, uint16_t)
SVM_EXCHANGE(32, uint32_t)
SVM_EXCHANGE(64, uint64_t)

/* A multiple of 16, as the instruction demands of its guest too. */
static inline bool svm_exchange_128(void *at, uint64_t expected[2], const uint64_t desired[2])
{
	bool stored;

	__asm__ volatile("lock cmpxchg16b %[at]"
	                 : "=@ccz"(stored), [at] "+m"(*(char(*)[16])at), "+a"(expected[0]),
	                   "+d"(expected[1])
	                 : "b"(desired[0]), "c"(desired[1])
	                 : "memory");
	return stored;
}

#endif
