/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * What can be done with a guest, and what is done with one that ends by itself.
 *
 * A guest is known for as long as the host runs; its machine comes and goes.  The states are those
 * of the library (SVM_VM_STATES) for a guest that has a machine, and one for a guest that has none.
 *
 * All calls are for one thread, the keeper of guests.c; the state may be read by any.
 */
#ifndef BAREMETAL_GUEST_LIFE_H
#define BAREMETAL_GUEST_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_config.h"

/** X(name, text) */
#define GUEST_STATES(X)                                                                            \
	X(ABSENT, "it has no machine")                                                             \
	X(CREATED, "its machine is made and has not run")                                          \
	X(RUNNING, "its processors run")                                                           \
	X(PAUSED, "its processors wait for resume")                                                \
	X(STOPPED, "it has come to an end and is kept to be looked at")

enum guest_state {
#define GUEST_STATE_ENUM(name, text) GUEST_##name,
	GUEST_STATES(GUEST_STATE_ENUM)
#undef GUEST_STATE_ENUM
	GUEST_STATE_COUNT,
};

#define GUEST_IN(state) (1u << GUEST_##state)
#define GUEST_MADE                                                                                 \
	(GUEST_IN(CREATED) | GUEST_IN(RUNNING) | GUEST_IN(PAUSED) | GUEST_IN(STOPPED))

/** X(name, word, states from which it may be done, text) */
#define GUEST_VERBS(X)                                                                             \
	X(CREATE, "create", GUEST_IN(ABSENT), "make its machine")                                  \
	X(START, "start", GUEST_IN(ABSENT) | GUEST_IN(CREATED) | GUEST_IN(STOPPED),                \
	  "let it run, from the beginning of its image")                                           \
	X(PAUSE, "pause", GUEST_IN(RUNNING), "keep its processors from running")                   \
	X(RESUME, "resume", GUEST_IN(PAUSED), "let them go on")                                    \
	X(RESET, "reset", GUEST_MADE, "make its machine afresh; runs if it was running")           \
	X(STOP, "stop", GUEST_IN(CREATED) | GUEST_IN(RUNNING) | GUEST_IN(PAUSED),                  \
	  "end it, and keep it to be looked at")                                                   \
	X(DESTROY, "destroy", GUEST_MADE, "end it, and unmake its machine")

enum guest_verb {
#define GUEST_VERB_ENUM(name, word, from, text) GUEST_VERB_##name,
	GUEST_VERBS(GUEST_VERB_ENUM)
#undef GUEST_VERB_ENUM
	GUEST_VERB_COUNT,
};

enum guest_result {
	GUEST_DONE,
	GUEST_REFUSED, /**< not from the state that it is in */
	GUEST_FAILED,  /**< it was said why */
};

/** A part of struct guest; all zero but for what it is configured with. */
struct guest_life {
	enum guest_action actions[GUEST_OCCASION_COUNT]; /**< configured */
	uint32_t state;        /**< enum guest_state; atomic */
	uint64_t started_ns;   /**< when it began to run */
	uint64_t paused_ns;    /**< when it was paused */
	bool is_waiting;       /**< absent, and is made again at: */
	uint64_t restart_ns;
	unsigned int early;    /**< ends in a row that came soon after a start */
	uint64_t cycles_left;  /**< times that it is still to be made, run and unmade */
	uint64_t cycles;       /**< of how many in all */
	uint64_t cycle_ns;     /**< longest of each */
	uint64_t cycle_begin_ns;
	size_t cycle_frames;   /**< free before the first */
};

struct guest;

/** The present state.  Any CPU. */
enum guest_state guest_state(const struct guest *guest);
/** Its name, such as "PAUSED". */
const char *guest_state_name(enum guest_state state);
/** The word for a verb. */
const char *guest_verb_word(enum guest_verb verb);
/** What a verb does, a phrase. */
const char *guest_verb_text(enum guest_verb verb);
/** The states from which it may be done, an OR of GUEST_IN(). */
unsigned int guest_verb_from(enum guest_verb verb);

/** Do it.  On return it is done. */
enum guest_result guest_do(struct guest *guest, enum guest_verb verb);

/**
 * @brief Make, run and unmake it again and again, each time until it ends but no longer than
 *        @p ms; its end then has no other consequence.
 * @return GUEST_REFUSED: it is not ABSENT.
 */
enum guest_result guest_cycle(struct guest *guest, uint64_t count, uint64_t ms);

/** Whether something is still to come of it without anybody's doing. */
bool guest_is_busy(const struct guest *guest);

/**
 * @brief See what has become of it, and do what is due.
 * @return When to look again, by time_ns(); UINT64_MAX: when something has happened to it.
 */
uint64_t guest_look(struct guest *guest, uint64_t now);

#endif
