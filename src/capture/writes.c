/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * When the library writes to guest memory: in these functions and nowhere else.
 *
 * Whoever else has the same page has to see it, and a locked operand must be the one in memory; so
 * these get the page itself where reads get a copy.
 */
#include "capture/capture.h"
#include "core/memory/memory.h"

#define WRITER(name, parameters, arguments)                                                        \
	int __real_svm_##name parameters;                                                          \
	int __wrap_svm_##name parameters;                                                          \
	int __wrap_svm_##name parameters                                                           \
	{                                                                                          \
		struct svm_capture_stream *const stream = svm_capture_stream();                    \
		const bool before = stream->is_writing;                                            \
		int error;                                                                         \
                                                                                                   \
		stream->is_writing = stream->inside;                                               \
		error = __real_svm_##name arguments;                                               \
		stream->is_writing = before;                                                       \
		return error;                                                                      \
	}

WRITER(vm_write, (struct svm_vm * vm, svm_gpa_t gpa, const void *data, size_t size, size_t *done),
       (vm, gpa, data, size, done))
WRITER(memory_cas_u32,
       (struct svm_vm * vm, svm_gpa_t gpa, uint32_t *expected, uint32_t desired, bool *stored),
       (vm, gpa, expected, desired, stored))
WRITER(memory_cas_u64,
       (struct svm_vm * vm, svm_gpa_t gpa, uint64_t *expected, uint64_t desired, bool *stored),
       (vm, gpa, expected, desired, stored))
WRITER(memory_exchange,
       (struct svm_vm * vm, svm_gpa_t gpa, void *expected, const void *desired, unsigned size,
        bool *stored),
       (vm, gpa, expected, desired, size, stored))
