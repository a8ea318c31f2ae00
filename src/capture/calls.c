/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The calls of the interface: what the linker puts in their place.
 *
 * Those with numbers for arguments come from the table of format.h; the others follow.
 */
#include "capture/capture.h"

/* An object that ends has no number any more. */
static void forget(enum svm_capture_call call, const void *object, int error)
{
	const bool ends = call == SVM_CALL_host_destroy || call == SVM_CALL_vm_destroy ||
	                  call == SVM_CALL_vcpu_destroy;

	if (ends && error == 0)
		svm_capture_forget_object(object);
}

static int done(enum svm_capture_call call, const void *object, int error)
{
	svm_capture_result(error);
	forget(call, object, error);
	return error;
}

#define C0(name, object)                                                                           \
	int __real_svm_##name(struct svm_##object *o);                                             \
	int __wrap_svm_##name(struct svm_##object *o);                                             \
	int __wrap_svm_##name(struct svm_##object *o)                                              \
	{                                                                                          \
		if (!svm_capture_call(SVM_CALL_##name, o))                                         \
			return __real_svm_##name(o);                                               \
		return done(SVM_CALL_##name, o, __real_svm_##name(o));                             \
	}
#define C1(name, object, ta)                                                                       \
	int __real_svm_##name(struct svm_##object *o, ta a);                                       \
	int __wrap_svm_##name(struct svm_##object *o, ta a);                                       \
	int __wrap_svm_##name(struct svm_##object *o, ta a)                                        \
	{                                                                                          \
		if (!svm_capture_call(SVM_CALL_##name, o))                                         \
			return __real_svm_##name(o, a);                                            \
		svm_capture_number((uint64_t)a);                                                   \
		return done(SVM_CALL_##name, o, __real_svm_##name(o, a));                          \
	}
#define C2(name, object, ta, tb)                                                                   \
	int __real_svm_##name(struct svm_##object *o, ta a, tb b);                                 \
	int __wrap_svm_##name(struct svm_##object *o, ta a, tb b);                                 \
	int __wrap_svm_##name(struct svm_##object *o, ta a, tb b)                                  \
	{                                                                                          \
		if (!svm_capture_call(SVM_CALL_##name, o))                                         \
			return __real_svm_##name(o, a, b);                                         \
		svm_capture_number((uint64_t)a);                                                   \
		svm_capture_number((uint64_t)b);                                                   \
		return done(SVM_CALL_##name, o, __real_svm_##name(o, a, b));                       \
	}
#define C3(name, object, ta, tb, tc)                                                               \
	int __real_svm_##name(struct svm_##object *o, ta a, tb b, tc c);                           \
	int __wrap_svm_##name(struct svm_##object *o, ta a, tb b, tc c);                           \
	int __wrap_svm_##name(struct svm_##object *o, ta a, tb b, tc c)                            \
	{                                                                                          \
		if (!svm_capture_call(SVM_CALL_##name, o))                                         \
			return __real_svm_##name(o, a, b, c);                                      \
		svm_capture_number((uint64_t)a);                                                   \
		svm_capture_number((uint64_t)b);                                                   \
		svm_capture_number((uint64_t)c);                                                   \
		return done(SVM_CALL_##name, o, __real_svm_##name(o, a, b, c));                    \
	}
#define C4(name, object, ta, tb, tc, td)                                                           \
	int __real_svm_##name(struct svm_##object *o, ta a, tb b, tc c, td d);                     \
	int __wrap_svm_##name(struct svm_##object *o, ta a, tb b, tc c, td d);                     \
	int __wrap_svm_##name(struct svm_##object *o, ta a, tb b, tc c, td d)                      \
	{                                                                                          \
		if (!svm_capture_call(SVM_CALL_##name, o))                                         \
			return __real_svm_##name(o, a, b, c, d);                                   \
		svm_capture_number((uint64_t)a);                                                   \
		svm_capture_number((uint64_t)b);                                                   \
		svm_capture_number((uint64_t)c);                                                   \
		svm_capture_number((uint64_t)d);                                                   \
		return done(SVM_CALL_##name, o, __real_svm_##name(o, a, b, c, d));                 \
	}
#define V0(name, object)                                                                           \
	void __real_svm_##name(struct svm_##object *o);                                            \
	void __wrap_svm_##name(struct svm_##object *o);                                            \
	void __wrap_svm_##name(struct svm_##object *o)                                             \
	{                                                                                          \
		const bool recorded = svm_capture_call(SVM_CALL_##name, o);                        \
                                                                                                   \
		__real_svm_##name(o);                                                              \
		if (recorded)                                                                      \
			svm_capture_result(0);                                                     \
	}
/* The processor may be anywhere in the library, or in the recorder: see svm_capture_async(). */
#define A0(name, object)                                                                           \
	void __real_svm_##name(struct svm_##object *o);                                            \
	void __wrap_svm_##name(struct svm_##object *o);                                            \
	void __wrap_svm_##name(struct svm_##object *o)                                             \
	{                                                                                          \
		struct svm_capture_stream *held = svm_capture_async(SVM_CALL_##name, o);           \
                                                                                                   \
		__real_svm_##name(o);                                                              \
		svm_capture_async_made(held);                                                      \
	}
#define V1(name, object, ta)                                                                       \
	void __real_svm_##name(struct svm_##object *o, ta a);                                      \
	void __wrap_svm_##name(struct svm_##object *o, ta a);                                      \
	void __wrap_svm_##name(struct svm_##object *o, ta a)                                       \
	{                                                                                          \
		const bool recorded = svm_capture_call(SVM_CALL_##name, o);                        \
                                                                                                   \
		if (recorded)                                                                      \
			svm_capture_number((uint64_t)a);                                           \
		__real_svm_##name(o, a);                                                           \
		if (recorded)                                                                      \
			svm_capture_result(0);                                                     \
	}
#define V2(name, object, ta, tb)                                                                   \
	void __real_svm_##name(struct svm_##object *o, ta a, tb b);                                \
	void __wrap_svm_##name(struct svm_##object *o, ta a, tb b);                                \
	void __wrap_svm_##name(struct svm_##object *o, ta a, tb b)                                 \
	{                                                                                          \
		const bool recorded = svm_capture_call(SVM_CALL_##name, o);                        \
                                                                                                   \
		if (recorded) {                                                                    \
			svm_capture_number((uint64_t)a);                                           \
			svm_capture_number((uint64_t)b);                                           \
		}                                                                                  \
		__real_svm_##name(o, a, b);                                                        \
		if (recorded)                                                                      \
			svm_capture_result(0);                                                     \
	}
#define S(name, object, type)                                                                      \
	int __real_svm_##name(struct svm_##object *o, const struct type *data);                    \
	int __wrap_svm_##name(struct svm_##object *o, const struct type *data);                    \
	int __wrap_svm_##name(struct svm_##object *o, const struct type *data)                     \
	{                                                                                          \
		if (!svm_capture_call(SVM_CALL_##name, o))                                         \
			return __real_svm_##name(o, data);                                         \
		svm_capture_bytes(data, data ? sizeof(*data) : 0);                                 \
		return done(SVM_CALL_##name, o, __real_svm_##name(o, data));                       \
	}

SVM_CAPTURE_CALLS(C0, C1, C2, C3, C4, V0, V1, V2, A0, S)
