/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The four functions a freestanding compiler may call on its own, and the library does call.
 * String instructions, so that the compiler cannot turn the body of memcpy() into a call of
 * memcpy(); by eight bytes, since each step counts where instructions are counted.
 */
#include "string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	size_t words = size / 8, bytes = size % 8;
	void *at = to;

	__asm__ volatile("rep movsq" : "+D"(at), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	if ((uintptr_t)to - (uintptr_t)from >= size)
		return memcpy(to, from, size);

	/* The target starts inside the source: from the end down. */
	void *at = (char *)to + size - 1;

	from = (const char *)from + size - 1;
	__asm__ volatile("std\n\trep movsb\n\tcld" : "+D"(at), "+S"(from), "+c"(size) : : "memory");
	return to;
}

void *memset(void *to, int value, size_t size)
{
	const uint64_t pattern = (unsigned char)value * UINT64_C(0x0101010101010101);
	size_t words = size / 8, bytes = size % 8;
	void *at = to;

	__asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(pattern) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (size_t i = 0; i < size; i++) {
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	}
	return 0;
}
