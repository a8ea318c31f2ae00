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

#define OBJECTS (SVM_CAPTURE_HOSTS + SVM_CAPTURE_VMS + SVM_CAPTURE_VCPUS)

static struct {
	unsigned count;
	const void *object[OBJECTS]; /* By number; NULL: gone.  Atomic. */
} objects;

void svm_capture_flush(struct svm_capture_stream *stream)
{
	if (stream->filled && !stream->lost)
		stream->write(stream->arg, stream->buffer, stream->filled);
	stream->filled = 0;
}

static void put(struct svm_capture_stream *stream, const void *data, size_t size)
{
	if (size > sizeof(stream->buffer) - stream->filled)
		svm_capture_flush(stream);
	if (size > sizeof(stream->buffer)) {
		if (!stream->lost)
			stream->write(stream->arg, data, size);
		return;
	}
	if (size)
		memcpy(stream->buffer + stream->filled, data, size);
	stream->filled += size;
}

static void put_event(struct svm_capture_stream *stream, enum svm_capture_event event)
{
	const uint8_t tag = (uint8_t)event;

	put(stream, &tag, 1);
}

static void put_number(struct svm_capture_stream *stream, uint64_t value)
{
	uint8_t bytes[10];
	unsigned count = 0;

	for (; value > 0x7f; value >>= 7)
		bytes[count++] = (uint8_t)(value | 0x80);
	bytes[count++] = (uint8_t)value;
	put(stream, bytes, count);
}

void svm_capture_event(enum svm_capture_event event)
{
	put_event(svm_capture_stream(), event);
}

void svm_capture_number(uint64_t value)
{
	put_number(svm_capture_stream(), value);
}

static void lose(struct svm_capture_stream *stream)
{
	if (!stream->write || stream->lost)
		return;
	put_event(stream, SVM_CAPTURE_LOST);
	svm_capture_flush(stream);
	stream->lost = true;
}

void svm_capture_lose(void)
{
	lose(svm_capture_stream());
}

/* Those whose place in the ring is another's by now are lost, and with them the rest. */
static void put_asyncs(struct svm_capture_stream *stream)
{
	if (svm_atomic_load(&stream->spoilt))
		lose(stream);
	for (;;) {
		const uint32_t next = stream->written + 1;
		struct svm_capture_async_call *async =
			&stream->async[stream->written % SVM_CAPTURE_ASYNCS];

		if (svm_atomic_load(&stream->asyncs) - stream->written > SVM_CAPTURE_ASYNCS) {
			lose(stream);
			return;
		}
		if (svm_atomic_load_acquire(&async->number) != next)
			return;
		put_event(stream, SVM_CAPTURE_ASYNC);
		put_number(stream, async->call);
		put_number(stream, async->object);
		stream->written = next;
	}
}

void svm_capture_asyncs(void)
{
	put_asyncs(svm_capture_stream());
}

void svm_capture_bytes(const void *data, size_t size)
{
	struct svm_capture_stream *stream = svm_capture_stream();

	put_number(stream, size);
	put(stream, data, size);
}

/* Runs of words: how many are skipped, how many follow, these; no words: the end. */
void svm_capture_differences(const uint64_t *now, uint64_t *image, unsigned words)
{
	struct svm_capture_stream *stream = svm_capture_stream();
	unsigned at = 0, from, end;

	for (;;) {
		for (from = at; from < words && now[from] == image[from];)
			from++;
		for (end = from; end < words && now[end] != image[end]; end++)
			image[end] = now[end];
		put_number(stream, from == words ? 0 : from - at);
		put_number(stream, end - from);
		if (from == words)
			return;
		put(stream, image + from, (end - from) * sizeof(*image));
		at = end;
	}
}

/* --- objects ---------------------------------------------------------------------------------- */

unsigned svm_capture_object(const void *object)
{
	for (unsigned i = 0; object && i < objects.count; i++)
		if (svm_atomic_load(&objects.object[i]) == object)
			return i;
	return SVM_CAPTURE_NOBODY;
}

unsigned svm_capture_add_object(const void *object)
{
	if (objects.count == OBJECTS) {
		svm_capture_lose();
		return SVM_CAPTURE_NOBODY;
	}
	objects.object[objects.count] = object;
	return objects.count++;
}

void svm_capture_forget_object(const void *object)
{
	const unsigned number = svm_capture_object(object);

	if (number != SVM_CAPTURE_NOBODY)
		svm_atomic_store(&objects.object[number], NULL);
}

/* --- in and out ------------------------------------------------------------------------------- */

bool svm_capture_inside(void)
{
	const struct svm_capture_stream *stream = svm_capture_stream();

	return stream->inside && !stream->lost;
}

void svm_capture_leave(void)
{
	struct svm_capture_stream *stream = svm_capture_stream();

	if (stream->depth == SVM_CAPTURE_DEPTH)
		svm_capture_lose();
	else
		stream->outer[stream->depth] = stream->call;
	stream->depth++;
	stream->inside = false;
	svm_capture_release(stream);
}

void svm_capture_comeback(void)
{
	struct svm_capture_stream *stream = svm_capture_stream();

	svm_capture_hold(stream);
	if (--stream->depth < SVM_CAPTURE_DEPTH)
		stream->call = stream->outer[stream->depth];
	stream->inside = true;
}

bool svm_capture_makes_vcpu(void)
{
	const struct svm_capture_stream *stream = svm_capture_stream();

	return stream->inside && stream->call.call == SVM_CALL_vcpu_create;
}

bool svm_capture_call(enum svm_capture_call call, const void *object)
{
	const unsigned number = svm_capture_object(object);
	struct svm_capture_stream *stream;

	if (svm_capture_stream()->inside)
		return false;
	if (number == SVM_CAPTURE_NOBODY && call != SVM_CALL_host_create)
		return false;
	stream = svm_capture_stream_of(call, object);
	if (!stream || !stream->write || stream->lost)
		return false;
	svm_capture_hold(stream);
	svm_capture_asyncs();
	svm_capture_event(SVM_CAPTURE_CALL);
	svm_capture_number(call);
	svm_capture_number(number);
	stream->inside = true;
	stream->call = (struct svm_capture_made_call){ call, object };
	return true;
}

void svm_capture_gives(int64_t value)
{
	svm_capture_asyncs();
	svm_capture_writes();
	svm_capture_event(SVM_CAPTURE_RESULT);
	svm_capture_number((uint64_t)value);
}

void svm_capture_returned(void)
{
	struct svm_capture_stream *stream = svm_capture_stream();

	stream->inside = false;
	svm_capture_release(stream);
}

void svm_capture_result(int64_t value)
{
	svm_capture_gives(value);
	svm_capture_returned();
}

/* What the library does by itself in the calls that end runs, a replay's library will do too. */
static bool is_own_kick(const struct svm_capture_stream *stream, enum svm_capture_call call)
{
	return call == SVM_CALL_vcpu_kick && !stream->vcpu && stream->inside &&
	       (stream->call.call == SVM_CALL_vm_pause || stream->call.call == SVM_CALL_vm_stop ||
	        stream->call.call == SVM_CALL_vm_reset);
}

struct svm_capture_stream *svm_capture_async(enum svm_capture_call call, const void *object)
{
	struct svm_capture_stream *const stream = svm_capture_stream_for(object);
	const unsigned number = svm_capture_object(object);
	struct svm_capture_async_call *async;
	bool is_held;
	uint32_t at;

	if (!stream || !stream->write || number == SVM_CAPTURE_NOBODY || is_own_kick(stream, call))
		return NULL;
	is_held = svm_capture_hold_other(stream);
	at = svm_atomic_add(&stream->asyncs, 1u) - 1;
	async = &stream->async[at % SVM_CAPTURE_ASYNCS];
	async->call = call;
	async->object = number;
	svm_atomic_store_release(&async->number, at + 1);
	return is_held ? stream : NULL;
}

void svm_capture_async_made(struct svm_capture_stream *held)
{
	if (!held)
		return;
	put_asyncs(held);
	svm_capture_release(held);
}

bool svm_capture_is_asked(uint32_t requests)
{
	const struct svm_capture_stream *stream = svm_capture_stream();
	const struct svm_vcpu *vcpu = stream->call.about;

	return svm_capture_inside() && stream->call.call == SVM_CALL_vcpu_run &&
	       (svm_atomic_load(&vcpu->s.requests) & requests);
}

void svm_capture_after_callback(void)
{
	svm_capture_asyncs();
	if (!svm_capture_is_asked(SVM_REQUEST_EVENTS))
		return;
	svm_capture_event(SVM_CAPTURE_ASYNC);
	svm_capture_number(SVM_CALL_vcpu_notify);
	svm_capture_number(svm_capture_object(svm_capture_stream()->call.about));
}

void svm_capture_entering(void)
{
	const struct svm_capture_stream *stream = svm_capture_stream();

	if (!svm_capture_inside() || svm_atomic_load(&stream->asyncs) == stream->written)
		return;
	svm_capture_asyncs();
	if (svm_capture_is_asked(UINT32_MAX))
		svm_capture_event(SVM_CAPTURE_ENTERING);
}

/* --- the interface ---------------------------------------------------------------------------- */

int svm_capture_begin(svm_capture_fn write, void *arg)
{
	struct svm_capture_stream *stream;

	if (!write)
		return SVM_ERR_INVAL;
	if (svm_capture_stream_at(0)->write || svm_capture_host_lives())
		return SVM_ERR_BUSY;
	memset(&objects, 0, sizeof(objects));
	stream = svm_capture_reset_streams();
	stream->write = write;
	stream->arg = arg;
	svm_capture_reset_memory(stream);
	svm_capture_reset_slots();
	put(stream, SVM_CAPTURE_MAGIC, sizeof(SVM_CAPTURE_MAGIC));
	svm_capture_number(SVM_CAPTURE_VERSION);
	return 0;
}
