/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The 8254 in the kernel, with a timer of its own: it ticks wherever the vCPUs' threads are.
 *
 * KVM's structure describes a counter by its count and when that was loaded, ours by the counting
 * element and its OUT.  One follows from the other except in modes that a gate triggers, which no
 * counter of a PC uses: they come back as having ended.
 */
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "guest_irq.h"
#include "hal.h"

#define GSI_TIMER 0u

#define PORTS_FIRST 0x40u
#define PORT_61     0x61u

/* Of port 61h. */
#define PORT61_GATE2   BIT(0)
#define PORT61_SPEAKER BIT(1)

#define FLAGS_ALL (KVM_PIT_FLAGS_HPET_LEGACY | KVM_PIT_FLAGS_SPEAKER_DATA_ON)

/* --- time ------------------------------------------------------------------------------------- */

static u64 to_ticks(u64 ns)
{
	return mul_u64_u32_div(ns, SVM_PIT_HZ, NSEC_PER_SEC);
}

static u64 to_ns(u64 ticks)
{
	return mul_u64_u32_div(ticks, NSEC_PER_SEC, SVM_PIT_HZ);
}

/* Under the lock. */
static void arm(struct guest_irq *irq)
{
	const u64 deadline = svm_pit_deadline(&irq->pit);

	if (deadline == SVM_NEVER || deadline + irq->start_ns >= KTIME_MAX)
		hrtimer_try_to_cancel(&irq->pit_timer);
	else
		hrtimer_start(&irq->pit_timer, ns_to_ktime(deadline + irq->start_ns),
		              HRTIMER_MODE_ABS);
}

static enum hrtimer_restart fired(struct hrtimer *timer)
{
	struct guest_irq *const irq = container_of(timer, struct guest_irq, pit_timer);
	const unsigned long flags = guest_irq_enter(irq);

	svm_pit_advance(&irq->pit, guest_irq_now(irq));
	arm(irq);
	guest_irq_leave(irq, flags);
	return HRTIMER_NORESTART;
}

/* Under the lock. */
static void output(void *arg, unsigned int line, bool level)
{
	struct guest_irq *const irq = arg;

	if (!irq->pit_is_silent || !level)
		(void)guest_irq_set_gsi(irq, GSI_TIMER, GUEST_SOURCE_PIT, level);
}

/* --- ports ------------------------------------------------------------------------------------ */

static enum svm_device_result counter_access(void *arg, struct svm_vcpu *vcpu,
                                             struct svm_io_access *io)
{
	struct guest_irq *const irq = arg;
	const unsigned long flags = guest_irq_enter(irq);
	const u64 now = guest_irq_now(irq);
	const u32 offset = io->port - PORTS_FIRST;

	if (io->is_in)
		io->value = svm_pit_read(&irq->pit, offset, io->size, now);
	else
		svm_pit_write(&irq->pit, offset, io->size, io->value, now);
	arm(irq);
	guest_irq_leave(irq, flags);
	return SVM_DEVICE_DONE;
}

static enum svm_device_result port61_access(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_io_access *io)
{
	struct guest_irq *const irq = arg;
	const unsigned long flags = guest_irq_enter(irq);
	const u64 now = guest_irq_now(irq);

	if (io->is_in)
		io->value = svm_pit_read_port61(&irq->pit, now);
	else
		svm_pit_write_port61(&irq->pit, (u8)io->value, now);
	guest_irq_leave(irq, flags);
	return SVM_DEVICE_DONE;
}

/* --- state ------------------------------------------------------------------------------------ */

/* Ticks that have passed since the element was loaded; in modes 2 and 3 for the last time. */
static u32 ticks_since_load(const struct svm_pit_counter *c)
{
	const u32 modulus = c->bcd ? 10000 : 65536;

	if (!c->loaded || c->load)
		return 0;
	if (c->mode == 3) {
		const u32 half = ((c->loaded & ~1u) - c->element) / 2;

		return c->out ? half : half + (c->loaded + 1) / 2;
	}
	if (c->mode == 2 || c->armed)
		return c->loaded - c->element;
	return c->loaded + (modulus - c->element) % modulus;
}

/* What reads and writes are at, in KVM's words: 1 low byte, 2 high, 3 low and 4 high of two. */
static u8 place(u8 access, u8 is_high)
{
	return access == 3 && is_high ? 4 : access;
}

/* A counter that nobody has loaded has KVM's largest count: VMMs divide by it. */
static void counter_to_kvm(const struct guest_irq *irq, const struct svm_pit_counter *c,
                           struct kvm_pit_channel_state *out)
{
	const u64 tick = c->tick - min_t(u64, c->tick, ticks_since_load(c));

	*out = (struct kvm_pit_channel_state){
		.count = c->reload ? c->reload : 65536,
		.latched_count = c->latch,
		.count_latched = c->latched ? place(c->access, c->read_high) : 0,
		.status_latched = c->status_latched,
		.status = c->status,
		.read_state = place(c->access, c->read_high),
		.write_state = place(c->access, c->write_high),
		.write_latch = c->write_low,
		.rw_mode = c->access,
		.mode = c->mode,
		.bcd = c->bcd,
		.gate = c->gate,
		.count_load_time = (s64)(irq->start_ns + to_ns(tick)),
	};
}

/* A load time that was never or is not yet means now. */
static u64 elapsed_ticks(const struct guest_irq *irq, u64 now, s64 load_time)
{
	const s64 elapsed = (s64)(irq->start_ns + now) - load_time;

	return load_time <= 0 || elapsed < 0 ? 0 : to_ticks((u64)elapsed);
}

/* The counter as it was loaded, and ticks that have passed since: to where it stands now. */
static void let_pass(struct svm_pit_counter *c, u64 passed, u64 now_tick)
{
	const u32 period = max(c->reload, 2u);

	c->tick = now_tick;
	c->out = c->mode != 0;
	if (!c->reload) {
		c->null_count = 1;
		return;
	}
	c->loaded = c->mode == 2 || c->mode == 3 ? period : c->reload;
	c->element = c->mode == 3 ? period & ~1u : c->loaded;
	c->armed = 1;
	/* No edge is owed for the past: of periods the present one counts. */
	if (c->mode == 2 || c->mode == 3)
		passed %= period;
	if (passed < c->loaded && c->mode != 1 && c->mode != 5) {
		c->tick = now_tick - min(passed, now_tick);
		return;
	}
	c->element = 0;
	c->armed = 0;
	c->out = 1;
}

static bool counter_from_kvm(const struct guest_irq *irq, u64 now,
                             const struct kvm_pit_channel_state *in, struct svm_pit_counter *c)
{
	const u32 most = in->bcd ? 10000 : 65536;
	const u8 access = in->rw_mode ? in->rw_mode : 3;

	if (in->count > most || in->mode > 5 || access > 3)
		return false;
	*c = (struct svm_pit_counter){
		.reload = in->count,
		.latch = in->latched_count,
		.mode = in->mode,
		.access = access,
		.bcd = !!in->bcd,
		.gate = !!in->gate,
		.latched = !!in->count_latched,
		.status_latched = !!in->status_latched,
		.status = in->status,
		.read_high = access == 3 && in->read_state == 4,
		.write_high = access == 3 && in->write_state == 4,
		.write_low = in->write_latch,
	};
	let_pass(c, elapsed_ticks(irq, now, in->count_load_time), to_ticks(now));
	return true;
}

static void get_state(struct guest_irq *irq, struct kvm_pit_state2 *out)
{
	const unsigned long flags = guest_irq_enter(irq);
	const struct svm_pit_state *const state = &irq->pit.state;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	svm_pit_advance(&irq->pit, guest_irq_now(irq));
	arm(irq);
	for (i = 0; i < ARRAY_SIZE(out->channels); i++)
		counter_to_kvm(irq, &state->counters[i], &out->channels[i]);
	out->flags = irq->pit_is_silent ? KVM_PIT_FLAGS_HPET_LEGACY : 0;
	if (state->port61 & PORT61_SPEAKER)
		out->flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	guest_irq_leave(irq, flags);
}

/* The gates of counters 0 and 1 are wired to high; counter 2's is in port 61h, with the speaker. */
static int set_state(struct guest_irq *irq, const struct kvm_pit_state2 *in)
{
	const unsigned long flags = guest_irq_enter(irq);
	const u64 now = guest_irq_now(irq);
	struct svm_pit_state state = { 0 };
	bool legal = !(in->flags & ~FLAGS_ALL);
	int error = -EINVAL;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(in->channels) && legal; i++)
		legal = counter_from_kvm(irq, now, &in->channels[i], &state.counters[i]);
	state.counters[0].gate = state.counters[1].gate = 1;
	state.port61 = state.counters[2].gate ? PORT61_GATE2 : 0;
	if (in->flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON)
		state.port61 |= PORT61_SPEAKER;
	if (legal)
		error = hal_errno(svm_pit_restore(&irq->pit, &state, now));
	if (!error) {
		irq->pit_is_silent = in->flags & KVM_PIT_FLAGS_HPET_LEGACY;
		arm(irq);
	}
	guest_irq_leave(irq, flags);
	return error;
}

/* --- life ------------------------------------------------------------------------------------- */

static int bind(struct guest_irq *irq, bool with_port61)
{
	struct svm_vm *const vm = irq->guest->vm;
	int error = svm_vm_io_handler(vm, PORTS_FIRST, SVM_PIT_PORTS, counter_access, irq);

	if (error || !with_port61)
		return hal_errno(error);
	error = svm_vm_io_handler(vm, PORT_61, 1, port61_access, irq);
	if (error && svm_vm_io_handler(vm, PORTS_FIRST, SVM_PIT_PORTS, NULL, NULL))
		return -EIO;
	return hal_errno(error);
}

static int create(struct guest_irq *irq, u32 wanted)
{
	const struct svm_wire wire = { output, irq, 0 };
	int error;

	if (wanted & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;
	mutex_lock(&irq->guest->lock);
	error = irq->has_pit ? -EEXIST : 0;
	if (!error) {
		compat_hrtimer_init(&irq->pit_timer, fired, HRTIMER_MODE_ABS);
		svm_pit_init(&irq->pit, &wire);
		error = bind(irq, wanted & KVM_PIT_SPEAKER_DUMMY);
	}
	if (!error)
		smp_store_release(&irq->has_pit, true);
	mutex_unlock(&irq->guest->lock);
	return error;
}

void guest_pit_stop(struct guest_irq *irq)
{
	if (irq->has_pit)
		hrtimer_cancel(&irq->pit_timer);
}

/* --- calls ------------------------------------------------------------------------------------ */

static long create2(struct guest_irq *irq, void __user *user)
{
	struct kvm_pit_config config;

	if (copy_from_user(&config, user, sizeof(config)))
		return -EFAULT;
	return create(irq, config.flags);
}

/* The older structure is the beginning of the newer one. */
static long get(struct guest_irq *irq, void __user *user, size_t size)
{
	struct kvm_pit_state2 state;

	get_state(irq, &state);
	return copy_to_user(user, &state, size) ? -EFAULT : 0;
}

static long set(struct guest_irq *irq, void __user *user, size_t size)
{
	struct kvm_pit_state2 state = { 0 };

	if (copy_from_user(&state, user, size))
		return -EFAULT;
	return set_state(irq, &state);
}

static long reinject(struct guest_irq *irq, void __user *user)
{
	struct kvm_reinject_control control;
	unsigned long flags;

	if (copy_from_user(&control, user, sizeof(control)))
		return -EFAULT;
	flags = guest_irq_enter(irq);
	svm_pit_drop_late(&irq->pit, !control.pit_reinject);
	arm(irq);
	guest_irq_leave(irq, flags);
	return 0;
}

long guest_pit_ioctl(struct guest_irq *irq, unsigned int number, void __user *user)
{
	if (number == KVM_CREATE_PIT)
		return create(irq, 0);
	if (number == KVM_CREATE_PIT2)
		return create2(irq, user);
	if (!smp_load_acquire(&irq->has_pit))
		return -ENXIO;
	switch (number) {
	case KVM_REINJECT_CONTROL:
		return reinject(irq, user);
	case KVM_GET_PIT:
		return get(irq, user, sizeof(struct kvm_pit_state));
	case KVM_SET_PIT:
		return set(irq, user, sizeof(struct kvm_pit_state));
	case KVM_GET_PIT2:
		return get(irq, user, sizeof(struct kvm_pit_state2));
	default:
		return set(irq, user, sizeof(struct kvm_pit_state2));
	}
}
