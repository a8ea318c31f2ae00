/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A spin lock that also keeps this CPU's interrupts out, since handlers log and allocate nothing
 * but may interrupt one who does.  Held for a few hundred instructions at most.
 */
#ifndef BAREMETAL_SPINLOCK_H
#define BAREMETAL_SPINLOCK_H

#include "x86.h"

struct spinlock {
	uint32_t held;
};

static inline bool spin_try(struct spinlock *lock)
{
	return !__atomic_exchange_n(&lock->held, 1u, __ATOMIC_ACQUIRE);
}

/** Returns what spin_unlock() needs to give interrupts back as they were. */
static inline uint64_t spin_lock(struct spinlock *lock)
{
	const uint64_t flags = interrupts_save();

	while (!spin_try(lock))
		cpu_pause();
	return flags;
}

static inline void spin_unlock(struct spinlock *lock, uint64_t flags)
{
	__atomic_store_n(&lock->held, 0u, __ATOMIC_RELEASE);
	interrupts_restore(flags);
}

#endif
