/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A spin lock whose waiting has an end: the CPU that holds it may be the one that crashed, and its
 * last words go through here.  Once somebody waited in vain nobody waits long again.
 */
#include "console_lock.h"

#include "spinlock.h"

#define WAIT_MAX   10000000
#define NOT_LOCKED (UINT64_C(1) << 63) /* of a key; RFLAGS has no such bit */

static struct spinlock lock;
static bool is_broken;

uint64_t console_lock(void)
{
	const uint64_t flags = interrupts_save();

	for (int i = 0; i < WAIT_MAX && !__atomic_load_n(&is_broken, __ATOMIC_RELAXED); i++) {
		if (spin_try(&lock))
			return flags;
		cpu_pause();
	}
	__atomic_store_n(&is_broken, true, __ATOMIC_RELAXED);
	return flags | NOT_LOCKED;
}

void console_unlock(uint64_t key)
{
	if (key & NOT_LOCKED)
		interrupts_restore(key & ~NOT_LOCKED);
	else
		spin_unlock(&lock, key);
}
