/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which capture a call, or what the library reads, belongs to.
 *
 * As long as there is one, to that one, and one thread is inside the library at a time.  Behind a
 * split each branch has a vCPU, and what the library does for it is known by the CPU: a thread that
 * runs a vCPU stays where it is, and the HAL says where that is.  A branch lets nobody but its own
 * thread touch it.  Others may only add to its ring of calls that come at any time, and leave a
 * note that it is spoilt: its thread reads that where it comes to anything at all.
 */
#include "capture/capture.h"
#include "core/vcpu/vcpu.h"

static struct {
	unsigned branches; /* 0: not split, and all is the first stream's. */
	struct svm_capture_stream stream[SVM_CAPTURE_BRANCHES];
	struct svm_capture_stream none;             /* Of CPUs where no branch's vCPU ran. */
	struct svm_capture_stream *on[SVM_CPU_MAX]; /* Atomic: whose vCPU ran there last. */
} streams;

bool svm_capture_is_split(void)
{
	return streams.branches != 0;
}

struct svm_capture_stream *svm_capture_stream(void)
{
	struct svm_capture_stream *stream;
	uint32_t cpu;

	if (!svm_capture_is_split())
		return &streams.stream[0];
	cpu = svm_capture_cpu();
	stream = cpu < SVM_CPU_MAX ? svm_atomic_load(&streams.on[cpu]) : NULL;
	/* It may have gone on elsewhere. */
	return stream && svm_atomic_load(&stream->cpu) == cpu ? stream : &streams.none;
}

struct svm_capture_stream *svm_capture_stream_for(const struct svm_vcpu *vcpu)
{
	if (!svm_capture_is_split())
		return &streams.stream[0];
	for (unsigned i = 0; i < streams.branches; i++)
		if (streams.stream[i].vcpu == vcpu)
			return &streams.stream[i];
	return NULL;
}

static void spoil(struct svm_capture_stream *stream)
{
	svm_atomic_store(&stream->spoilt, 1u);
}

void svm_capture_spoil(void)
{
	for (unsigned i = 0; i < streams.branches; i++)
		spoil(&streams.stream[i]);
}

void svm_capture_hold(struct svm_capture_stream *stream)
{
	while (stream->vcpu && svm_atomic_exchange(&stream->held, 1u))
		__builtin_ia32_pause();
}

void svm_capture_release(struct svm_capture_stream *stream)
{
	svm_atomic_store(&stream->held, 0u);
}

/*
 * An interrupt handler on the branch's own CPU stands in the middle of what it would wait for.  Nor
 * may two wait for each other: who is in the library proper has its own.
 */
bool svm_capture_hold_other(struct svm_capture_stream *stream)
{
	if (!stream->vcpu || svm_atomic_load(&stream->cpu) == svm_capture_cpu() ||
	    svm_capture_stream()->inside)
		return false;
	svm_capture_hold(stream);
	return true;
}

/* The thread that drives a vCPU has come with it to this CPU. */
static void move_here(struct svm_capture_stream *stream)
{
	const uint32_t cpu = svm_capture_cpu();

	if (cpu >= SVM_CPU_MAX)
		return;
	svm_atomic_store(&stream->cpu, cpu);
	svm_atomic_store(&streams.on[cpu], stream);
}

/* What a call is about, in the words of format.h's tables. */
enum about { ABOUT_none, ABOUT_host, ABOUT_vm, ABOUT_vcpu };

static const uint8_t about[SVM_CALL_COUNT] = {
#define ABOUT(name, object, ...) [SVM_CALL_##name] = ABOUT_##object,
	SVM_CAPTURE_CALLS(ABOUT, ABOUT, ABOUT, ABOUT, ABOUT, ABOUT, ABOUT, ABOUT, ABOUT, ABOUT)
	SVM_CAPTURE_OTHERS(ABOUT)
#undef ABOUT
};

struct svm_capture_stream *svm_capture_stream_of(enum svm_capture_call call, const void *object)
{
	struct svm_capture_stream *const here = svm_capture_stream();
	struct svm_capture_stream *stream;

	if (!svm_capture_is_split() || call == SVM_CALL_vm_reserve)
		return here;
	if (about[call] != ABOUT_vcpu) {
		svm_capture_spoil();
		return NULL;
	}
	stream = svm_capture_stream_for(object);
	if (!stream || stream == here)
		return stream;
	/* From a callback of another vCPU's: its own thread may be anywhere. */
	if (here->depth != 0) {
		spoil(stream);
		return NULL;
	}
	move_here(stream);
	return stream;
}

struct svm_capture_stream *svm_capture_stream_at(unsigned number)
{
	return number < SVM_ARRAY_SIZE(streams.stream) ? &streams.stream[number] : NULL;
}

struct svm_capture_stream *svm_capture_reset_streams(void)
{
	memset(&streams, 0, sizeof(streams));
	return &streams.stream[0];
}

/* --- the interface ---------------------------------------------------------------------------- */

static bool are_good(const struct svm_capture_branch *branch, size_t count)
{
	if (!branch || count == 0 || count > SVM_CAPTURE_BRANCHES)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!branch[i].write || svm_capture_object(branch[i].vcpu) == SVM_CAPTURE_NOBODY)
			return false;
		for (size_t j = 0; j < i; j++)
			if (branch[i].vcpu == branch[j].vcpu)
				return false;
	}
	return true;
}

int svm_capture_split(const struct svm_capture_branch *branch, size_t count)
{
	struct svm_capture_stream *const trunk = &streams.stream[0];

	if (!trunk->write || svm_capture_is_split())
		return SVM_ERR_STATE;
	if (!are_good(branch, count))
		return SVM_ERR_INVAL;
	svm_capture_asyncs();
	if (trunk->lost)
		return SVM_ERR_NOMEM;
	svm_capture_flush(trunk);
	for (size_t i = count; i-- > 0;) {
		struct svm_capture_stream *const stream = &streams.stream[i];

		if (stream != trunk)
			memcpy(stream, trunk, sizeof(*stream));
		stream->write = branch[i].write;
		stream->arg = branch[i].arg;
		stream->vcpu = branch[i].vcpu;
		stream->cpu = UINT32_MAX; /* No CPU's. */
		stream->has_company = branch[i].vcpu->vm->vcpu_count > 1;
	}
	streams.branches = (unsigned)count;
	return 0;
}

/* By whoever ends it, for a thread that is gone. */
static void end(struct svm_capture_stream *stream)
{
	if (svm_capture_is_split())
		move_here(stream);
	svm_capture_asyncs();
	svm_capture_event(SVM_CAPTURE_END);
	svm_capture_flush(stream);
}

int svm_capture_end(void)
{
	const unsigned count = svm_capture_is_split() ? streams.branches : 1;
	bool lost = false;

	if (!streams.stream[0].write)
		return SVM_ERR_STATE;
	for (unsigned i = 0; i < count; i++) {
		end(&streams.stream[i]);
		lost = lost || streams.stream[i].lost;
	}
	(void)svm_capture_reset_streams();
	return lost ? SVM_ERR_NOMEM : 0;
}
