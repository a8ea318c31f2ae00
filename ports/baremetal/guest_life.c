/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A guest that ends as soon as it is started, and is to be restarted, would have the host do
 * nothing else.  So a restart waits, twice as long after each life that was short, and not at all
 * after the first such or a long one.
 *
 * Reset unmakes the machine and makes it again.  There is no firmware in it that could load the
 * image from within, and what a machine's reset leaves alone, its memory, would be read by nobody.
 */
#include "guest_life.h"

#include "frames.h"
#include "guest.h"
#include "guests.h"
#include "kprintf.h"
#include "time.h"

#define NS_PER_MS   UINT64_C(1000000)
#define NS_PER_S    UINT64_C(1000000000)
#define LONG_NS     (10 * NS_PER_S) /* a life that is not short */
#define DOUBLED_MAX 6u              /* the longest wait is 2^6 s */

/* --- words ----------------------------------------------------------------------------------- */

const char *guest_state_name(enum guest_state state)
{
#define NAME(name, text) #name,
	static const char *const names[] = { GUEST_STATES(NAME) };
#undef NAME

	return state < GUEST_STATE_COUNT ? names[state] : "?";
}

static const struct {
	const char *word, *text;
	unsigned int from;
} verbs[] = {
#define ROW(name, word, from, text) { word, text, from },
	GUEST_VERBS(ROW)
#undef ROW
};

const char *guest_verb_word(enum guest_verb verb)
{
	return verbs[verb].word;
}

const char *guest_verb_text(enum guest_verb verb)
{
	return verbs[verb].text;
}

unsigned int guest_verb_from(enum guest_verb verb)
{
	return verbs[verb].from;
}

/* --- steps ----------------------------------------------------------------------------------- */

enum guest_state guest_state(const struct guest *guest)
{
	return (enum guest_state)__atomic_load_n(&guest->life.state, __ATOMIC_ACQUIRE);
}

static void set_state(struct guest *guest, enum guest_state state)
{
	__atomic_store_n(&guest->life.state, (uint32_t)state, __ATOMIC_RELEASE);
}

/* The library's view of it.  Refused only by a VM that is dead, whose end is under way. */
static void stop_vm(const struct guest *guest)
{
	if (svm_vm_state(guest->vm) != SVM_VM_STOPPED)
		(void)!svm_vm_stop(guest->vm);
}

static bool make(struct guest *guest)
{
	const bool is_made = guest_make(guest);

	if (is_made)
		set_state(guest, GUEST_CREATED);
	else
		guests_gone(guest);
	return is_made;
}

static void run(struct guest *guest)
{
	guest->life.started_ns = time_ns();
	set_state(guest, GUEST_RUNNING);
	guest_start(guest);
	guests_look(); /* Its kind may have something to do, and says when. */
}

static void unmake(struct guest *guest)
{
	guest_unmake(guest);
	set_state(guest, GUEST_ABSENT);
	guests_gone(guest);
}

/* Its processors are gone from the scheduler, whatever it was doing. */
static void halt(struct guest *guest)
{
	const enum guest_state state = guest_state(guest);

	if (state != GUEST_RUNNING && state != GUEST_PAUSED)
		return;
	guest_park(guest);
	guest_halt(guest);
	stop_vm(guest);
}

static void forget_plans(struct guest *guest)
{
	guest->life.is_waiting = false;
	guest->life.early = 0;
	guest->life.cycles_left = 0;
}

/* --- what can be done with it ---------------------------------------------------------------- */

static bool create(struct guest *guest)
{
	guest->console.had_terminal = false;
	return make(guest);
}

static bool start(struct guest *guest)
{
	const enum guest_state state = guest_state(guest);

	if (state == GUEST_STOPPED)
		unmake(guest);
	if (state != GUEST_CREATED && !(state == GUEST_STOPPED ? make(guest) : create(guest)))
		return false;
	run(guest);
	return true;
}

/* It may have come to an end meanwhile, which is for guest_look() to see. */
static bool pause(struct guest *guest)
{
	guest_park(guest);
	if (guest_is_ending(guest) || svm_vm_pause(guest->vm)) {
		guest_unpark(guest);
		return false;
	}
	guest->life.paused_ns = time_ns();
	set_state(guest, GUEST_PAUSED);
	return true;
}

static bool resume(struct guest *guest)
{
	if (svm_vm_resume(guest->vm))
		return false;
	guest->start_ns += time_ns() - guest->life.paused_ns;
	set_state(guest, GUEST_RUNNING);
	guest_unpark(guest);
	guests_look();
	return true;
}

static bool reset(struct guest *guest)
{
	const bool was_running = guest_state(guest) == GUEST_RUNNING;

	halt(guest);
	unmake(guest);
	if (!make(guest))
		return false;
	if (was_running)
		run(guest);
	return true;
}

static bool stop(struct guest *guest)
{
	halt(guest);
	stop_vm(guest);
	guest_say_stopped(guest);
	set_state(guest, GUEST_STOPPED);
	return true;
}

static bool destroy(struct guest *guest)
{
	if (guest_state(guest) != GUEST_STOPPED)
		stop(guest);
	unmake(guest);
	return true;
}

static bool do_verb(struct guest *guest, enum guest_verb verb)
{
	switch (verb) {
	case GUEST_VERB_CREATE:
		return create(guest);
	case GUEST_VERB_START:
		return start(guest);
	case GUEST_VERB_PAUSE:
		return pause(guest);
	case GUEST_VERB_RESUME:
		return resume(guest);
	case GUEST_VERB_RESET:
		return reset(guest);
	case GUEST_VERB_STOP:
		return stop(guest);
	case GUEST_VERB_DESTROY:
		return destroy(guest);
	case GUEST_VERB_COUNT:
		break;
	}
	return false;
}

enum guest_result guest_do(struct guest *guest, enum guest_verb verb)
{
	const bool is_planned = guest->life.is_waiting || guest->life.cycles_left;

	/* One that waits for its next life can be kept from it. */
	if (verb == GUEST_VERB_DESTROY && guest_state(guest) == GUEST_ABSENT && is_planned) {
		forget_plans(guest);
		return GUEST_DONE;
	}
	if (!(verbs[verb].from >> guest_state(guest) & 1))
		return GUEST_REFUSED;
	forget_plans(guest);
	return do_verb(guest, verb) ? GUEST_DONE : GUEST_FAILED;
}

enum guest_result guest_cycle(struct guest *guest, uint64_t count, uint64_t ms)
{
	if (guest_state(guest) != GUEST_ABSENT)
		return GUEST_REFUSED;
	forget_plans(guest);
	guest->life.cycles = guest->life.cycles_left = count;
	guest->life.cycle_ns = ms * NS_PER_MS;
	guest->life.cycle_begin_ns = time_ns();
	guest->life.cycle_frames = frames_free_count();
	return GUEST_DONE;
}

/* --- what is done with one that ends --------------------------------------------------------- */

static void plan_restart(struct guest *guest, uint64_t now)
{
	struct guest_life *life = &guest->life;
	unsigned int seconds;

	if (now - life->started_ns >= LONG_NS)
		life->early = 0;
	seconds = life->early ? 1u << (life->early - 1) : 0;
	life->early += life->early <= DOUBLED_MAX;
	life->is_waiting = true;
	life->restart_ns = now + seconds * NS_PER_S;
	kprintf("guest %s: restarts in %u s\n", guest->name, seconds);
}

static enum guest_action action_of(const struct guest *guest)
{
	const enum guest_occasion occasion = guest_end_occasion(guest->end);

	if (guest->host_failed || occasion == GUEST_OCCASION_COUNT)
		return GUEST_ACTION_DESTROY;
	return guest->life.actions[occasion];
}

static void end(struct guest *guest, uint64_t now)
{
	const enum guest_action action = action_of(guest);

	stop_vm(guest);
	if (action == GUEST_ACTION_KEEP) {
		set_state(guest, GUEST_STOPPED);
		return;
	}
	unmake(guest);
	if (action == GUEST_ACTION_RESTART)
		plan_restart(guest, now);
}

static void restart(struct guest *guest)
{
	guest->life.is_waiting = false;
	if (make(guest))
		run(guest);
}

/* --- again and again ------------------------------------------------------------------------- */

static void end_cycle(struct guest *guest, uint64_t now)
{
	struct guest_life *life = &guest->life;

	halt(guest);
	unmake(guest);
	if (--life->cycles_left)
		return;
	kprintf("guest %s: %lu cycles in %lu ms, %zu frames free before and %zu after\n",
	        guest->name, life->cycles, (now - life->cycle_begin_ns) / NS_PER_MS,
	        life->cycle_frames, frames_free_count());
}

/* One step; true: another is due at once. */
static bool step_cycle(struct guest *guest, uint64_t now)
{
	struct guest_life *life = &guest->life;

	if (guest_state(guest) == GUEST_ABSENT) {
		if (create(guest))
			run(guest);
		else
			life->cycles_left = 0;
		return false;
	}
	if (!guest_has_ended(guest) && now - life->started_ns < life->cycle_ns)
		return false;
	end_cycle(guest, now);
	return life->cycles_left;
}

bool guest_is_busy(const struct guest *guest)
{
	return guest_state(guest) == GUEST_RUNNING || guest->life.is_waiting ||
	       guest->life.cycles_left;
}

/* What its kind has to do while it runs. */
static uint64_t look_at_kind(struct guest *guest, uint64_t now)
{
	if (guest_state(guest) != GUEST_RUNNING || !guest->kind->look)
		return UINT64_MAX;
	return guest->kind->look(guest, now);
}

uint64_t guest_look(struct guest *guest, uint64_t now)
{
	struct guest_life *life = &guest->life;

	if (life->cycles_left)
		return step_cycle(guest, now) ? now
		       : life->cycles_left    ? life->started_ns + life->cycle_ns
		                              : UINT64_MAX;
	if (guest_state(guest) == GUEST_RUNNING && guest_has_ended(guest))
		end(guest, now);
	if (life->is_waiting && life->restart_ns <= now)
		restart(guest);
	return life->is_waiting ? life->restart_ns : look_at_kind(guest, now);
}
