/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_CAPTURE_CAPTURE_H
#define SVM_CAPTURE_CAPTURE_H
/*
 * The recorder's state and its writers.
 *
 * Linked with --wrap, so that __wrap_X stands where the program calls X and __real_X is X itself:
 * a build of the library without the recorder does not know that there is one.  Everything is
 * static and of fixed size: a recorder that allocates would change what it records.
 */
#include <libsvm/capture.h>

#include "capture/format.h"
#include "core/core.h"
#include "hal/ring0.h"

#define SVM_CAPTURE_ASYNCS      64u
#define SVM_CAPTURE_COPIES      2u /* The library looks at one page at a time. */
#define SVM_CAPTURE_DEPTH       8u
#define SVM_CAPTURE_PAGES       1024u
#define SVM_CAPTURE_TOUCHED     64u
#define SVM_CAPTURE_XSAVE_WORDS 2048u

/* Made meanwhile and not yet written. */
struct svm_capture_async_call {
	uint32_t number; /* Atomic: of the call + 1, when the rest is there. */
	enum svm_capture_call call;
	unsigned object;
};

struct svm_capture_made_call {
	enum svm_capture_call call;
	const void *about; /* Its object. */
};

/* A page of guest memory as a replay of the stream has it. */
struct svm_capture_page {
	svm_hpa_t hpa;
	uint64_t sum;
	const void *hva;
};

/* One capture: what was written of it, and who is inside the library for it. */
struct svm_capture_stream {
	svm_capture_fn write; /* NULL: no recording. */
	void *arg;
	const struct svm_vcpu *vcpu; /* Of a branch; else NULL. */
	uint32_t cpu;                /* Atomic: where that vCPU ran last. */
	uint32_t spoilt;             /* Atomic: another thread says that it is to be lost. */
	uint32_t held;               /* Atomic: see svm_capture_hold(). */
	bool has_company;            /* Other vCPUs write to the same memory. */
	bool inside, lost;
	struct svm_capture_made_call call;                     /* The newest from outside. */
	struct svm_capture_made_call outer[SVM_CAPTURE_DEPTH]; /* Whose callbacks are answered. */
	unsigned depth;
	uint32_t asyncs;  /* Atomic: made, */
	uint32_t written; /* and how many of them are written. */
	struct svm_capture_async_call async[SVM_CAPTURE_ASYNCS];
	size_t filled;
	uint8_t buffer[512];

	/* hal.c: pages at hpa's own place, or another's is there; and since control came in. */
	struct svm_capture_page page[SVM_CAPTURE_PAGES];
	struct svm_capture_page *touched[SVM_CAPTURE_TOUCHED];
	unsigned touches;
	uint64_t copy[SVM_CAPTURE_COPIES][SVM_PAGE_SIZE / 8];
	unsigned copies;
	bool is_writing; /* writes.c: what the library is given now it writes to. */

	/* ring0.c: what a replay has of the guest's state. */
	svm_hpa_t hpa;
	uint64_t vmcb[SVM_CAPTURE_VMCB_WORDS];
	uint64_t block[SVM_CAPTURE_SWITCH_WORDS];
	uint64_t xsave[SVM_CAPTURE_XSAVE_WORDS];
};

/* streams.c: that of the present CPU; never NULL, but maybe one that records nothing. */
struct svm_capture_stream *svm_capture_stream(void);
/* That a call belongs to, which becomes the present CPU's; NULL: to none. */
struct svm_capture_stream *svm_capture_stream_of(enum svm_capture_call call, const void *object);
/* That such a call of any thread's belongs to; NULL: none. */
struct svm_capture_stream *svm_capture_stream_for(const struct svm_vcpu *vcpu);
bool svm_capture_is_split(void);
/* One stream and no branches. */
struct svm_capture_stream *svm_capture_reset_streams(void);
/* By number; NULL: no more. */
struct svm_capture_stream *svm_capture_stream_at(unsigned number);
/*
 * Of a branch: its thread is in the library proper, not in the guest, a callback or elsewhere; or
 * another thread makes a call that may come at any time, so that it comes before or behind all that
 * the library does there.
 */
void svm_capture_hold(struct svm_capture_stream *stream);
void svm_capture_release(struct svm_capture_stream *stream);
/* The same by another thread than the branch's; true: to be released. */
bool svm_capture_hold_other(struct svm_capture_stream *stream);
/* All branches depend on what is no branch's; each of them says so itself. */
void svm_capture_spoil(void);
/* What the buffer has goes out. */
void svm_capture_flush(struct svm_capture_stream *stream);

/* True: a call of the embedder's is inside the library, and what it asks for is recorded. */
bool svm_capture_inside(void);
/* Control leaves for a callback, and comes back. */
void svm_capture_leave(void);
void svm_capture_comeback(void);

/* A call from outside of a known object begins: true, and its arguments and end() follow. */
bool svm_capture_call(enum svm_capture_call call, const void *object);
void svm_capture_result(int64_t value);
/* The same in two steps, where more follows the value. */
void svm_capture_gives(int64_t value);
void svm_capture_returned(void);
/*
 * A call that may come from an interrupt handler, and so in the middle of anything: it is kept
 * until the next event, or until it is made if the thread that it concerns is held meanwhile.  The
 * call is made in between, and the second is given what the first gave.
 */
struct svm_capture_stream *svm_capture_async(enum svm_capture_call call, const void *object);
void svm_capture_async_made(struct svm_capture_stream *held);
/*
 * Write those that came until now; first of all wherever the library comes, since what the recorder
 * does then takes time in which more may come.
 */
void svm_capture_asyncs(void);
/*
 * The same behind a callback.  The devices of the platform ask the run to look at its port again
 * without a call: as if it had been one.
 */
void svm_capture_after_callback(void);
/* The run has one of these requests before it. */
bool svm_capture_is_asked(uint32_t requests);
/* A run looks for the last time whether something was asked for. */
void svm_capture_entering(void);

void svm_capture_event(enum svm_capture_event event);
void svm_capture_number(uint64_t value);
void svm_capture_bytes(const void *data, size_t size); /* Their size first. */
/* Words of `now` that are not those of `image`, which follows. */
void svm_capture_differences(const uint64_t *now, uint64_t *image, unsigned words);
/* A table is full, or something happens that cannot be replayed: neither can the rest. */
void svm_capture_lose(void);

/* An object was made or is gone; its number, or SVM_CAPTURE_NOBODY. */
unsigned svm_capture_object(const void *object);
unsigned svm_capture_add_object(const void *object);
void svm_capture_forget_object(const void *object);
/* Object that the present call is about is being made: its frames are a guest's. */
bool svm_capture_makes_vcpu(void);

/* hal.c: frames and guest memory.  The number of the present CPU, which nobody records. */
uint32_t svm_capture_cpu(void);
const struct svm_hal *svm_capture_hal(const struct svm_hal *hal);
void svm_capture_reset_memory(struct svm_capture_stream *stream);
/* The host that was recorded has frames still: its HAL and its callbacks are the recorder's. */
bool svm_capture_host_lives(void);
void *svm_capture_frame(svm_hpa_t hpa); /* A frame of the library's, or NULL. */
bool svm_capture_is_guest_state(const void *hva);
/* Control leaves the library: tell what it wrote to guest memory. */
void svm_capture_writes(void);

/* callbacks.c: what to register instead of a callback, with its argument; NULL: table full. */
union svm_capture_fn {
	svm_io_fn io;
	svm_mmio_fn mmio;
	svm_hypercall_fn hypercall;
	svm_msr_fn msr;
	svm_msr_filter_fn msr_filter;
	svm_resolve_fn resolve;
	svm_stuck_fn stuck;
	struct svm_irq_port port;
	struct svm_presence presence;
};
struct svm_capture_slot {
	union svm_capture_fn fn;
	void *arg;
};
struct svm_capture_slot *svm_capture_slot(union svm_capture_fn fn, void *arg);
void svm_capture_reset_slots(void);
enum svm_device_result svm_capture_on_io(void *arg, struct svm_vcpu *vcpu,
                                         struct svm_io_access *access);
enum svm_device_result svm_capture_on_mmio(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_mmio_access *access);
enum svm_device_result svm_capture_on_hypercall(void *arg, struct svm_vcpu *vcpu,
                                                struct svm_hypercall *call);
bool svm_capture_on_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access);
bool svm_capture_on_msr_filter(void *arg, uint32_t msr, bool is_write);
enum svm_resolve_result svm_capture_on_resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                               struct svm_resolved_page *page);
bool svm_capture_on_stuck(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit);
struct svm_irq_port svm_capture_port(struct svm_capture_slot *slot);
struct svm_presence svm_capture_presence(struct svm_capture_slot *slot);

#endif
