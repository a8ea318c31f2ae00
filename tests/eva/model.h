/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_TESTS_EVA_MODEL_H
#define SVM_TESTS_EVA_MODEL_H
/*
 * What Eva is told of the world: run.sh includes this before every file of a proof.
 *
 * Eva knows no atomic access, and one thread.  Here an atomic load of a 64-bit word (an entry of a
 * table, a head of a list, request bits) gives any value at all: whatever another CPU, the
 * processor or the guest may have stored a moment ago.  Words of other types are read as they are,
 * since a pointer out of nowhere would be an alarm of the model and not of the code.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <__fc_builtin.h>

/* Eva has a specification of the function. */
#define __builtin_memset memset

#define __atomic_load_n(p, order)                                                                  \
	({                                                                                         \
		__typeof__(*(p)) loaded_ = *(p);                                                   \
		if (__builtin_types_compatible_p(__typeof__(*(p)), uint64_t))                      \
			Frama_C_make_unknown((char *)&loaded_, sizeof(loaded_));                   \
		loaded_;                                                                           \
	})

#define __atomic_store_n(p, v, order) ((void)(*(p) = (v)))

/* Every read-modify-write: the old value by the load above. */
#define EVA_UPDATE(p, v, old)                                                                      \
	({                                                                                         \
		const __typeof__(*(p)) old = __atomic_load_n(p, 0);                                \
		*(p) = (__typeof__(old))(v);                                                       \
		old;                                                                               \
	})
#define __atomic_exchange_n(p, v, order) EVA_UPDATE(p, v, old_)
#define __atomic_fetch_or(p, v, order)   EVA_UPDATE(p, old_ | (v), old_)
#define __atomic_fetch_and(p, v, order)  EVA_UPDATE(p, old_ & (v), old_)
#define __atomic_fetch_add(p, v, order)  EVA_UPDATE(p, old_ + (v), old_)
#define __atomic_add_fetch(p, v, order)  (EVA_UPDATE(p, old_ + (v), old_), *(p))

#define __atomic_compare_exchange_n(p, expected, v, weak, success, failure)                        \
	({                                                                                         \
		const __typeof__(*(p)) old_ = __atomic_load_n(p, 0);                               \
		const bool stored_ = old_ == *(expected);                                          \
		if (stored_)                                                                       \
			*(p) = (v);                                                                \
		else                                                                               \
			*(expected) = old_;                                                        \
		stored_;                                                                           \
	})

#define __atomic_thread_fence(order) ((void)0)
#define __builtin_ia32_pause()       ((void)0)
#define __builtin_memset(p, c, n)    memset((p), (c), (n))

/*
 * Frama-C 25 knows neither GCC's name for offsetof() nor how to evaluate one in an assertion; the
 * compilers have tried the assertions already.
 */
#define __builtin_offsetof(type, member) ((__SIZE_TYPE__) & ((type *)0)->member)
#define _Static_assert(condition, text)  struct eva_asserted

/* Any value of the whole type. */
static inline uint64_t eva_any(void)
{
	uint64_t value = 0;

	Frama_C_make_unknown((char *)&value, sizeof(value));
	return value;
}

static inline bool eva_maybe(void)
{
	return Frama_C_interval(0, 1);
}

#endif
