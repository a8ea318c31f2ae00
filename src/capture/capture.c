/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The writer, and who is inside the library.
 *
 * A call that the library makes of itself, from one of its files to another, passes the same wrap
 * as the embedder's: only a call that comes from outside is recorded, since a replay repeats
 * those and the library repeats the others.
 */
#include "capture/capture.h"
#include "core/vcpu/vcpu.h"

#define ASYNC_MAX 64u
#define DEPTH_MAX 8u
#define OBJECTS (SVM_CAPTURE_HOSTS + SVM_CAPTURE_VMS + SVM_CAPTURE_VCPUS)

/* Made meanwhile and not yet written. */
struct async {
	uint32_t number; /* Atomic: of the call + 1, when the rest is there. */
	enum svm_capture_call call;
	unsigned object;
};

struct call {
	enum svm_capture_call call;
	const void *about; /* Its object. */
};

static struct {
	svm_capture_fn write; /* NULL: no recording. */
	void *arg;
	bool inside, lost;
	struct call call;             /* The newest from outside. */
	struct call outer[DEPTH_MAX]; /* Those whose callbacks are being answered. */
	unsigned depth;
	uint32_t asyncs;            /* Atomic: made, */
	uint32_t written;           /* and how many of them are written. */
	struct async async[ASYNC_MAX];
	unsigned objects;
	const void *object[OBJECTS]; /* By number; NULL: gone. */
	size_t filled;
	uint8_t buffer[512];
} capture;

static void flush(void)
{
	if (capture.filled && !capture.lost)
		capture.write(capture.arg, capture.buffer, capture.filled);
	capture.filled = 0;
}

static void put(const void *data, size_t size)
{
	if (size > sizeof(capture.buffer) - capture.filled)
		flush();
	if (size > sizeof(capture.buffer)) {
		if (!capture.lost)
			capture.write(capture.arg, data, size);
		return;
	}
	if (size)
		memcpy(capture.buffer + capture.filled, data, size);
	capture.filled += size;
}

void svm_capture_event(enum svm_capture_event event)
{
	const uint8_t tag = (uint8_t)event;

	put(&tag, 1);
}

/* Those whose place in the ring is another's by now are lost, and with them the rest. */
void svm_capture_asyncs(void)
{
	for (;;) {
		const uint32_t next = capture.written + 1;
		struct async *async = &capture.async[capture.written % ASYNC_MAX];

		if (svm_atomic_load(&capture.asyncs) - capture.written > ASYNC_MAX) {
			svm_capture_lose();
			return;
		}
		if (svm_atomic_load_acquire(&async->number) != next)
			return;
		svm_capture_event(SVM_CAPTURE_ASYNC);
		svm_capture_number(async->call);
		svm_capture_number(async->object);
		capture.written = next;
	}
}


void svm_capture_number(uint64_t value)
{
	uint8_t bytes[10];
	unsigned count = 0;

	for (; value > 0x7f; value >>= 7)
		bytes[count++] = (uint8_t)(value | 0x80);
	bytes[count++] = (uint8_t)value;
	put(bytes, count);
}

void svm_capture_bytes(const void *data, size_t size)
{
	svm_capture_number(size);
	put(data, size);
}

/* Runs of words: how many are skipped, how many follow, these; no words: the end. */
void svm_capture_differences(const uint64_t *now, uint64_t *image, unsigned words)
{
	unsigned at = 0, from, end;

	for (;;) {
		for (from = at; from < words && now[from] == image[from];)
			from++;
		for (end = from; end < words && now[end] != image[end]; end++)
			image[end] = now[end];
		svm_capture_number(from == words ? 0 : from - at);
		svm_capture_number(end - from);
		if (from == words)
			return;
		put(image + from, (end - from) * sizeof(*image));
		at = end;
	}
}

void svm_capture_lose(void)
{
	if (!capture.write || capture.lost)
		return;
	svm_capture_event(SVM_CAPTURE_LOST);
	flush();
	capture.lost = true;
}

/* --- objects ---------------------------------------------------------------------------------- */

unsigned svm_capture_object(const void *object)
{
	for (unsigned i = 0; object && i < capture.objects; i++)
		if (capture.object[i] == object)
			return i;
	return SVM_CAPTURE_NOBODY;
}

unsigned svm_capture_add_object(const void *object)
{
	if (capture.objects == OBJECTS) {
		svm_capture_lose();
		return SVM_CAPTURE_NOBODY;
	}
	capture.object[capture.objects] = object;
	return capture.objects++;
}

void svm_capture_forget_object(const void *object)
{
	const unsigned number = svm_capture_object(object);

	if (number != SVM_CAPTURE_NOBODY)
		capture.object[number] = NULL;
}

/* --- in and out ------------------------------------------------------------------------------- */

bool svm_capture_inside(void)
{
	return capture.inside && !capture.lost;
}

void svm_capture_leave(void)
{
	if (capture.depth == DEPTH_MAX)
		svm_capture_lose();
	else
		capture.outer[capture.depth] = capture.call;
	capture.depth++;
	capture.inside = false;
}

void svm_capture_comeback(void)
{
	if (--capture.depth < DEPTH_MAX)
		capture.call = capture.outer[capture.depth];
	capture.inside = true;
}

bool svm_capture_makes_vcpu(void)
{
	return capture.inside && capture.call.call == SVM_CALL_vcpu_create;
}

bool svm_capture_call(enum svm_capture_call call, const void *object)
{
	const unsigned number = svm_capture_object(object);

	if (!capture.write || capture.lost || capture.inside)
		return false;
	if (number == SVM_CAPTURE_NOBODY && call != SVM_CALL_host_create)
		return false;
	svm_capture_asyncs();
	svm_capture_event(SVM_CAPTURE_CALL);
	svm_capture_number(call);
	svm_capture_number(number);
	capture.inside = true;
	capture.call = (struct call){ call, object };
	return true;
}

void svm_capture_result(int64_t value)
{
	svm_capture_asyncs();
	svm_capture_writes();
	svm_capture_event(SVM_CAPTURE_RESULT);
	svm_capture_number((uint64_t)value);
	capture.inside = false;
}

/* What the library does by itself in the calls that end runs, a replay's library will do too. */
static bool is_own_kick(enum svm_capture_call call)
{
	return call == SVM_CALL_vcpu_kick && capture.inside &&
	       (capture.call.call == SVM_CALL_vm_pause || capture.call.call == SVM_CALL_vm_stop ||
	        capture.call.call == SVM_CALL_vm_reset);
}

void svm_capture_async(enum svm_capture_call call, const void *object)
{
	const unsigned number = svm_capture_object(object);
	struct async *async;
	uint32_t at;

	if (!capture.write || capture.lost || number == SVM_CAPTURE_NOBODY || is_own_kick(call))
		return;
	at = svm_atomic_add(&capture.asyncs, 1u) - 1;
	async = &capture.async[at % ASYNC_MAX];
	async->call = call;
	async->object = number;
	svm_atomic_store_release(&async->number, at + 1);
}

bool svm_capture_is_asked(uint64_t requests)
{
	const struct svm_vcpu *vcpu = capture.call.about;

	return svm_capture_inside() && capture.call.call == SVM_CALL_vcpu_run &&
	       (svm_atomic_load(&vcpu->requests) & requests);
}

void svm_capture_after_callback(void)
{
	svm_capture_asyncs();
	if (!svm_capture_is_asked(SVM_REQUEST_EVENTS))
		return;
	svm_capture_event(SVM_CAPTURE_ASYNC);
	svm_capture_number(SVM_CALL_vcpu_notify);
	svm_capture_number(svm_capture_object(capture.call.about));
}

void svm_capture_entering(void)
{
	if (!svm_capture_inside() || svm_atomic_load(&capture.asyncs) == capture.written)
		return;
	svm_capture_asyncs();
	if (svm_capture_is_asked(UINT64_MAX))
		svm_capture_event(SVM_CAPTURE_ENTERING);
}

/* --- the interface ---------------------------------------------------------------------------- */

int svm_capture_begin(svm_capture_fn write, void *arg)
{
	if (!write)
		return SVM_ERR_INVAL;
	if (capture.write || svm_capture_host_lives())
		return SVM_ERR_BUSY;
	memset(&capture, 0, sizeof(capture));
	capture.write = write;
	capture.arg = arg;
	svm_capture_reset_memory();
	svm_capture_reset_switch();
	svm_capture_reset_slots();
	put(SVM_CAPTURE_MAGIC, sizeof(SVM_CAPTURE_MAGIC));
	svm_capture_number(SVM_CAPTURE_VERSION);
	return 0;
}

int svm_capture_end(void)
{
	const bool lost = capture.lost;

	if (!capture.write)
		return SVM_ERR_STATE;
	svm_capture_asyncs();
	svm_capture_event(SVM_CAPTURE_END);
	flush();
	capture.write = NULL;
	capture.inside = false;
	return lost ? SVM_ERR_NOMEM : 0;
}
