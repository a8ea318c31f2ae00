/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_DEVICES_CHANCE_H
#define TESTS_DEVICES_CHANCE_H
/*
 * What the random sequences share: numbers that a seed repeats, a wire's end that counts, and the
 * comparison that ends a program with everything that is needed to see it again.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct chance {
	uint64_t random, seed;
	unsigned long event;
	uint64_t now; /* Nanoseconds. */
};

static struct chance chance;

static inline void chance_init(uint64_t seed)
{
	chance = (struct chance){ .seed = seed, .random = seed * 0x9e3779b97f4a7c15u + 1 };
}

/* George Marsaglia's xorshift. */
static inline uint64_t draw(uint64_t below)
{
	chance.random ^= chance.random << 13;
	chance.random ^= chance.random >> 7;
	chance.random ^= chance.random << 17;
	return (chance.random >> 16) % below;
}

static inline bool one_in(uint64_t n)
{
	return draw(n) == 0;
}

static inline void same(const char *what, uint64_t library, uint64_t model)
{
	if (library == model)
		return;
	printf("seed %llu, event %lu, %llu ns: %s: library %#llx, model %#llx\n",
	       (unsigned long long)chance.seed, chance.event, (unsigned long long)chance.now, what,
	       (unsigned long long)library, (unsigned long long)model);
	exit(1);
}

/* A wire's end. */
struct end {
	bool level;
	uint64_t rises;
};

static inline void end_set(void *arg, unsigned line, bool level)
{
	struct end *end = arg;

	(void)line;
	end->rises += level && !end->level;
	end->level = level;
}

#endif
