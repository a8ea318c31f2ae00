/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A breach ends the process at once: the call stack that a debugger then shows is that of the
 * mistake.  A test of the model itself tolerates the kind that it provokes.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

static const char *const breach_names[] = {
#define BREACH_NAME(name, text) #name,
	HOSTED_BREACHES(BREACH_NAME)
#undef BREACH_NAME
};

static const char *const breach_sentences[] = {
#define BREACH_TEXT(name, text) text,
	HOSTED_BREACHES(BREACH_TEXT)
#undef BREACH_TEXT
};

void breach(struct hosted_machine *m, enum hosted_breach kind, const char *format, ...)
{
	char detail[400];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);

	pthread_mutex_lock(&m->lock);
	snprintf(m->breach_text, sizeof(m->breach_text), "%s: %s", breach_names[kind], detail);
	pthread_mutex_unlock(&m->lock);
	__atomic_add_fetch(&m->breaches[kind], 1, __ATOMIC_SEQ_CST);
	if (m->tolerated[kind])
		return;
	fprintf(stderr, "hosted: %s (%s): %s\n", breach_names[kind], breach_sentences[kind],
	        detail);
	fflush(NULL);
	abort();
}

const char *hosted_breach_name(enum hosted_breach kind)
{
	return breach_names[kind];
}

void hosted_tolerate(struct hosted_machine *m, enum hosted_breach kind)
{
	m->tolerated[kind] = true;
}

uint64_t hosted_breaches(struct hosted_machine *m, enum hosted_breach kind)
{
	return atomic_get(&m->breaches[kind]);
}

uint64_t hosted_breaches_all(struct hosted_machine *m)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < HOSTED_BREACH_COUNT; i++)
		sum += atomic_get(&m->breaches[i]);
	return sum;
}

const char *hosted_breach_text(struct hosted_machine *m)
{
	return m->breach_text;
}
