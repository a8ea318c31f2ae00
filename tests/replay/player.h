/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef TESTS_REPLAY_PLAYER_H
#define TESTS_REPLAY_PLAYER_H
/*
 * A replay: the calls of a capture, made again, and everything that the library asks for meanwhile
 * answered from it.
 *
 * The capture comes from whoever reports a bug.  Each number is checked against what the place that
 * it goes to can bear, before it goes there.  There is no way back from inside the library, so the
 * program ends where the replay does: 0 it came to the end, 1 the library behaves differently, 2
 * the capture is none or asks for what no recorder writes.
 */
#include <stdio.h>

#include "capture/format.h"
#include "hal/ring0.h"

#define PLAYER_PAGE 4096u

/* --- the capture, read from front to back (reader.c) ------------------------------------------ */

void reader_open(const uint8_t *data, size_t size);
size_t reader_at(void);
void reader_rewind(size_t at);
/* The next event's tag; the end of the capture ends the program. */
unsigned reader_peek(void);
void reader_skip_tag(void);
uint64_t reader_number(void);
uint64_t reader_peek_number(void); /* The first behind the next tag. */
/* Below a limit, or the capture is refused for `what`. */
uint64_t reader_below(uint64_t limit, const char *what);
/* Bytes with their size in front, which must be this one. */
const void *reader_bytes(size_t size, const char *what);
/* Any size up to a limit. */
const void *reader_some_bytes(size_t limit, size_t *size, const char *what);
/* Apply differences; allowed() says which words may change, NULL: all. */
void reader_differences(uint64_t *image, unsigned words, bool (*allowed)(unsigned word));

/* --- the end (report.c) ----------------------------------------------------------------------- */

/* Where the replay is. */
struct player_place {
	const char *call; /* Outermost, or NULL. */
	uint64_t exits;
	uint64_t exit_code, rip; /* Of the last exit. */
	bool is_listed;          /* Each exit is printed. */
};
extern struct player_place player_place;

void player_at_exit(uint64_t exit_code, uint64_t rip);

_Noreturn void player_finish(const char *why);
_Noreturn void player_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Say where; then lines of player_say(), then player_diverged(). */
void player_diverge(void);
void player_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void player_diverged(void);
/* What the library does now is not what it did. */
void player_same(const char *what, uint64_t now, uint64_t recorded);

/* --- events ----------------------------------------------------------------------------------- */

/* The library asks for this: it must be the next event. */
void player_expect(enum svm_capture_event event);
/* The library asks for something that another number chose, which must be the same. */
void player_expect_for(enum svm_capture_event event, const char *what, uint64_t which);

/* --- calls (player.c, calls.c) ---------------------------------------------------------------- */

enum player_object { PLAYER_HOST, PLAYER_VM, PLAYER_VCPU };

void *player_object(unsigned number, enum player_object type);
unsigned player_object_number(const void *object);
/* Make the call whose tag has been read. */
void player_call(void);
/*
 * Calls that came at any time are made now, if they are next.  An event's reader looks when it has
 * read it: what came until the next event came most likely soon, and before the library looked
 * whether something had come.
 */
void player_take_async(void);
/* The run looks for the last time before its entry: those that came just before are made now. */
void player_take_entering(void);
/* Those that are next came behind the run's last look but one, or kept the guest from running. */
bool player_comes_at_entry(void);
/* Whatever came is made now: there is another event before the next entry. */
void player_take_late(void);
/* player_take_async() with what has been read. */
uint64_t player_read(uint64_t value);
bool player_makes_vcpu(void);
/* Number of the callback that is registered next, as an argument for it. */
void *player_next_slot(void);

/* --- HAL and memory (hal.c) ------------------------------------------------------------------- */

/* The table, from the arguments of host_create in the capture. */
const struct svm_hal *player_hal(void);
void player_forget_vm(const struct svm_vm *vm);
/* A frame of the library's, and the bytes to the end of its run; NULL: none. */
uint8_t *player_frame(svm_hpa_t hpa, size_t *left);
/* The run of a byte of the library's that holds a vCPU; bytes to its end, or 0. */
size_t player_vcpu_left(const void *hva);
/* Events that may stand before any other. */
void player_take_writes(void);
/* Control leaves the library: guest memory is as it was then. */
void player_check_writes(void);

/* --- callbacks (callbacks.c) ------------------------------------------------------------------ */

enum svm_device_result player_on_io(void *arg, struct svm_vcpu *vcpu,
                                    struct svm_io_access *access);
enum svm_device_result player_on_mmio(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_mmio_access *access);
enum svm_device_result player_on_hypercall(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_hypercall *call);
bool player_on_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access);
bool player_on_msr_filter(void *arg, uint32_t msr, bool is_write);
enum svm_resolve_result player_on_resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                          struct svm_resolved_page *page);
bool player_on_stuck(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit);
struct svm_irq_port player_port(void *slot, bool has_deadline);
struct svm_presence player_presence(void *slot);

#endif
