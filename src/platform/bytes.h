/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_PLATFORM_BYTES_H
#define SVM_PLATFORM_BYTES_H
/*
 * Little-endian bytes appended to a buffer.  One that is full takes no more and says so at the end,
 * so that whoever appends need not look each time.
 */
#include <libsvm/types.h>

struct svm_bytes {
	uint8_t *bytes;
	size_t room, count;
	bool is_full; /* Something did not fit. */
};

static inline void svm_bytes_add(struct svm_bytes *b, uint64_t value, unsigned size)
{
	if (size > b->room - b->count) {
		b->is_full = true;
		return;
	}
	for (unsigned i = 0; i < size; i++)
		b->bytes[b->count++] = (uint8_t)(value >> (8 * i));
}

static inline void svm_bytes_text(struct svm_bytes *b, const char *text, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		svm_bytes_add(b, (uint8_t)text[i], 1);
}

/* Overwrite what was appended before. */
static inline void svm_bytes_set(struct svm_bytes *b, size_t at, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size && at + i < b->count; i++)
		b->bytes[at + i] = (uint8_t)(value >> (8 * i));
}

static inline void svm_bytes_align(struct svm_bytes *b, size_t align)
{
	while (!b->is_full && b->count % align)
		svm_bytes_add(b, 0, 1);
}

#endif
