/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Channels between VMs: three of them on one host, each with the same small program: it calls, and
 * looks at memory.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "platform/channel.h"

#include "vcpu_rig.h"

#define AT     UINT64_C(0x40000) /* Behind the guest's own memory. */
#define PAGES  3u
#define VMS    3

enum { PUBLISHER, READER, WRITER };

static struct rig r;       /* Of the publisher. */
static svm_hpa_t memory_hpa;
static uint8_t *memory;
static struct svm_channel *channel;
static struct side {
	struct svm_vm *vm;
	struct svm_vcpu *vcpu;
	svm_hpa_t code_hpa;
	uint8_t *code;
	struct svm_channels *channels;
	unsigned rings;
	uint32_t rung_vcpu;
	uint8_t rung_vector;
	struct svm_exit exit;
} sides[VMS];

static void ring(void *arg, uint32_t vcpu, uint8_t vector)
{
	struct side *side = arg;

	side->rings++;
	side->rung_vcpu = vcpu;
	side->rung_vector = vector;
}

static struct svm_channel_config config_of(const char *name)
{
	struct svm_channel_config config = { .hpa = memory_hpa, .pages = PAGES };

	memcpy(config.name, name, strlen(name));
	return config;
}

/* A second and a third VM beside the rig's, with the same shape. */
static void make_side(struct side *side)
{
	const struct svm_vm_config config = { .vcpu_max = 4, .table_reserve = 32 };

	ck_assert_int_eq(svm_vm_create(r.host, &config, &side->vm), 0);
	side->code = hosted_guest_alloc(r.m, RIG_PAGES, 4096, &side->code_hpa);
	memcpy(side->code, r.memory, RIG_PAGES * 4096);
	ck_assert_int_eq(svm_vm_map(side->vm, 0, side->code_hpa, RIG_PAGES * 4096, SVM_PROT_ALL),
	                 0);
	ck_assert_int_eq(svm_vcpu_create(side->vm, 0, &side->vcpu), 0);
}

static void setup(void)
{
	static const uint32_t rights[VMS] = {
		[PUBLISHER] = SVM_CHANNEL_MAY_PUBLISH,
		[READER] = SVM_CHANNEL_MAY_SUBSCRIBE,
		[WRITER] = SVM_CHANNEL_MAY_SUBSCRIBE | SVM_CHANNEL_MAY_WRITE,
	};
	struct hosted_config machine;
	struct svm_channel_config config;

	hosted_config_init(&machine);
	machine.cpus = 2;
	memset(sides, 0, sizeof(sides));
	rig_init(&r, &machine, RIG_64);
	sides[0].vm = r.vm;
	sides[0].vcpu = r.vcpu;
	sides[0].code = r.memory;
	memory = hosted_guest_alloc(r.m, PAGES, 4096, &memory_hpa);
	memset(memory, 0xee, PAGES * 4096);
	config = config_of("news");
	ck_assert_int_eq(svm_channel_create(r.host, &config, &channel), 0);
	for (unsigned i = 0; i < VMS; i++) {
		if (i)
			make_side(&sides[i]);
		ck_assert_int_eq(svm_vm_set_exits(sides[i].vm, SVM_WANT_MMIO), 0);
		ck_assert_int_eq(svm_channels_create(sides[i].vm, ring, &sides[i],
		                                     &sides[i].channels),
		                 0);
		ck_assert_int_eq(svm_channels_allow(sides[i].channels, channel, rights[i]), 0);
	}
}

/* A VM ends: also in the middle of everything. */
static void end_side(struct side *side)
{
	if (!side->vm)
		return;
	ck_assert_int_eq(svm_channels_destroy(side->channels), 0);
	side->channels = NULL;
	if (side == &sides[0])
		return;
	ck_assert_int_eq(svm_vcpu_destroy(side->vcpu), 0);
	ck_assert_int_eq(svm_vm_destroy(side->vm), 0);
	hosted_guest_free(r.m, side->code_hpa, RIG_PAGES);
	side->vm = NULL;
}

static void teardown(void)
{
	for (unsigned i = 0; i < VMS; i++)
		end_side(&sides[i]);
	ck_assert_int_eq(svm_channel_destroy(channel), 0);
	hosted_guest_free(r.m, memory_hpa, PAGES);
	rig_fini(&r);
}

/* --- what guests do -------------------------------------------------------------------------- */

static enum svm_exit_kind run(unsigned i, const struct hosted_script *script)
{
	struct side *side = &sides[i];

	rig_prepare(&r, side->vcpu);
	memcpy(side->code + RIG_CODE, script->bytes, script->size);
	do {
		ck_assert_int_eq(svm_vcpu_run(side->vcpu, &side->exit), 0);
	} while (side->exit.kind == SVM_EXIT_KIND_HOST_INTERRUPT);
	return side->exit.kind;
}

static uint64_t rax_of(unsigned i)
{
	struct svm_regs regs;

	svm_vcpu_get_regs(sides[i].vcpu, &regs);
	return regs.rax;
}

/* The answer; calls that may sleep are served. */
static int64_t call(unsigned i, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	struct hosted_script s;
	enum svm_exit_kind kind;

	hosted_script_init(&s, 64);
	hosted_script_mov(&s, HOSTED_RAX, number);
	hosted_script_mov(&s, HOSTED_RBX, a);
	hosted_script_mov(&s, HOSTED_RCX, b);
	hosted_script_mov(&s, HOSTED_RDX, c);
	hosted_script_vmmcall(&s);
	hosted_script_hlt(&s);
	kind = run(i, &s);
	if (kind == SVM_EXIT_KIND_HYPERCALL) {
		ck_assert_int_eq(svm_channels_serve(sides[i].channels, sides[i].vcpu), 0);
		ck_assert_int_eq(svm_vcpu_run(sides[i].vcpu, &sides[i].exit), 0);
		kind = sides[i].exit.kind;
	}
	ck_assert_int_eq(kind, SVM_EXIT_KIND_HLT);
	return (int64_t)rax_of(i);
}

static int64_t find(unsigned i, const char *name)
{
	uint32_t words[4] = { 0 };

	memcpy(words, name, strlen(name));
	return call(i, SVM_CHANNEL_FIND, words[0], words[1], words[2]);
}

static int64_t publish(unsigned i, uint64_t doorbell)
{
	return call(i, SVM_CHANNEL_PUBLISH, 0, AT, doorbell);
}

static int64_t subscribe(unsigned i, uint64_t doorbell)
{
	return call(i, SVM_CHANNEL_SUBSCRIBE, 0, AT, doorbell);
}

/* HLT: done. */
static enum svm_exit_kind look(unsigned i, uint64_t offset)
{
	struct hosted_script s;

	hosted_script_init(&s, 64);
	hosted_script_mov(&s, HOSTED_RBX, AT + offset);
	hosted_script_load(&s, HOSTED_RAX, HOSTED_RBX, true);
	hosted_script_hlt(&s);
	return run(i, &s);
}

static enum svm_exit_kind store(unsigned i, uint64_t offset, uint64_t value)
{
	struct hosted_script s;

	hosted_script_init(&s, 64);
	hosted_script_mov(&s, HOSTED_RBX, AT + offset);
	hosted_script_mov(&s, HOSTED_RAX, value);
	hosted_script_store(&s, HOSTED_RBX, HOSTED_RAX, true);
	hosted_script_hlt(&s);
	return run(i, &s);
}

/* --- sharing --------------------------------------------------------------------------------- */

START_TEST(what_one_writes_the_others_read)
{
	ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	ck_assert_int_eq(subscribe(READER, 0), 0);
	ck_assert_int_eq(subscribe(WRITER, 0), 0);
	ck_assert_int_eq(look(READER, 0), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rax_of(READER), 0); /* Cleared. */
	ck_assert_int_eq(store(PUBLISHER, PAGES * 4096 - 8, 77), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(look(READER, PAGES * 4096 - 8), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rax_of(READER), 77);
	ck_assert_int_eq(store(WRITER, 4096, 78), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(look(PUBLISHER, 4096), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rax_of(PUBLISHER), 78);
}
END_TEST

START_TEST(a_reader_does_not_write)
{
	ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	ck_assert_int_eq(subscribe(READER, 0), 0);
	ck_assert_int_eq(look(READER, 0), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(store(READER, 0, 1), SVM_EXIT_KIND_MMIO);
	ck_assert(sides[READER].exit.mmio.is_write);
	ck_assert_uint_eq(sides[READER].exit.mmio.gpa, AT);
	ck_assert_int_eq(svm_vcpu_complete_skip(sides[READER].vcpu), 0);
	ck_assert_int_eq(svm_vcpu_run(sides[READER].vcpu, &sides[READER].exit), 0);
	ck_assert_int_eq(sides[READER].exit.kind, SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(memory[0], 0);
}
END_TEST

START_TEST(shared_memory_is_not_executed)
{
	struct side *side = &sides[PUBLISHER];
	struct svm_regs regs;

	ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	memory[0] = 0xf4; /* hlt */
	rig_prepare(&r, side->vcpu);
	svm_vcpu_get_regs(side->vcpu, &regs);
	regs.rip = AT;
	ck_assert_int_eq(svm_vcpu_set_regs(side->vcpu, &regs), 0);
	ck_assert_int_eq(svm_vcpu_run(side->vcpu, &side->exit), 0);
	ck_assert_int_eq(side->exit.kind, SVM_EXIT_KIND_NPT_FAULT);
	ck_assert_int_eq(side->exit.npt.reason, SVM_NPT_FAULT_RIGHTS);
	ck_assert_uint_eq(side->exit.npt.gpa, AT);
}
END_TEST

/* --- calls that are refused ------------------------------------------------------------------ */

static const struct {
	const char *what;
	unsigned side;
	bool is_published, is_mapped; /* Before; by the publisher, by the reader. */
	uint64_t number, a, b, c;
	int64_t answer;
} refusal_rows[] = {
	{ "publish without the right", READER, 0, 0, SVM_CHANNEL_PUBLISH, 0, AT, 0, -1 },
	{ "subscribe without the right", PUBLISHER, 0, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT, 0, -1 },
	{ "no publisher", READER, 0, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT, 0, -11 },
	{ "publish twice", PUBLISHER, 1, 0, SVM_CHANNEL_PUBLISH, 0, AT + 0x10000, 0, -16 },
	{ "subscribe twice", READER, 1, 1, SVM_CHANNEL_SUBSCRIBE, 0, AT + 0x10000, 0, -16 },
	{ "another's number", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 1, AT, 0, -2 },
	{ "a number that is too large", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, UINT64_MAX, AT, 0,
	  -2 },
	{ "over memory", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT - 0x1000, 0, -17 },
	{ "up to memory", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, 0, 0, -17 },
	{ "over registers", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, 0x7fffe000, 0, -17 },
	{ "not a page", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT + 8, 0, -22 },
	{ "beyond all addresses", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, UINT64_C(1) << 60, 0,
	  -22 },
	{ "across the end", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, UINT64_MAX - 0xfff, 0, -22 },
	{ "vector 31", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT, 31, -22 },
	{ "vector 0 of a vCPU", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT, 0x100, -22 },
	{ "a vCPU that is not there", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT, 0x440, -22 },
	{ "a doorbell of 64 bits", READER, 1, 0, SVM_CHANNEL_SUBSCRIBE, 0, AT,
	  UINT64_C(0x100000040), -22 },
	{ "unsubscribe nothing", READER, 1, 0, SVM_CHANNEL_UNSUBSCRIBE, 0, 0, 0, -2 },
	{ "ring without a seat", READER, 1, 0, SVM_CHANNEL_RING, 0, 0, 0, -2 },
	{ "ring at another's", READER, 1, 1, SVM_CHANNEL_RING, 1, 0, 0, -2 },
};

static enum svm_device_result registers(void *arg, struct svm_vcpu *vcpu,
                                        struct svm_mmio_access *access)
{
	(void)arg;
	(void)vcpu;
	(void)access;
	return SVM_DEVICE_DONE;
}

START_TEST(a_call_is_refused)
{
	ck_assert_int_eq(svm_vm_mmio_handler(sides[READER].vm, 0x80000800, 4, registers, NULL), 0);
	if (refusal_rows[_i].is_published)
		ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	if (refusal_rows[_i].is_mapped)
		ck_assert_int_eq(subscribe(READER, 0), 0);
	ck_assert_msg(call(refusal_rows[_i].side, refusal_rows[_i].number, refusal_rows[_i].a,
	                   refusal_rows[_i].b, refusal_rows[_i].c) == refusal_rows[_i].answer,
	              "%s", refusal_rows[_i].what);
	ck_assert_int_eq(look(READER, 0),
	                 refusal_rows[_i].is_mapped ? SVM_EXIT_KIND_HLT : SVM_EXIT_KIND_MMIO);
	if (!refusal_rows[_i].is_mapped)
		ck_assert_int_eq(svm_vcpu_complete_retry(sides[READER].vcpu), 0);
}
END_TEST

static const uint64_t all_calls[] = { SVM_CHANNEL_FIND,      SVM_CHANNEL_INFO,
	                              SVM_CHANNEL_RING,      SVM_CHANNEL_PUBLISH,
	                              SVM_CHANNEL_SUBSCRIBE, SVM_CHANNEL_UNSUBSCRIBE };

/* Ring 3 has no business with channels. */
START_TEST(calls_are_for_ring_0)
{
	const struct svm_vm *vm = sides[PUBLISHER].vm;
	const struct svm_hypercall_range *range = svm_hypercall_find(&vm->hypercalls,
	                                                             all_calls[_i]);
	struct svm_hypercall c = { .number = all_calls[_i], .cpl = 3, .is_wide = true };

	ck_assert_ptr_nonnull(range);
	ck_assert_int_eq(range->fn(range->arg, sides[PUBLISHER].vcpu, &c), SVM_DEVICE_DONE);
	ck_assert_int_eq((int64_t)c.result, -1);
}
END_TEST

START_TEST(other_calls_are_not_served)
{
	struct hosted_script s;

	hosted_script_init(&s, 64);
	hosted_script_mov(&s, HOSTED_RAX, SVM_CHANNEL_UNSUBSCRIBE + 1);
	hosted_script_vmmcall(&s);
	ck_assert_int_eq(svm_channels_serve(sides[0].channels, sides[0].vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(run(PUBLISHER, &s), SVM_EXIT_KIND_HYPERCALL);
	ck_assert_int_eq(svm_channels_serve(sides[0].channels, sides[0].vcpu), SVM_ERR_NOENT);
	ck_assert_int_eq(svm_vcpu_complete_skip(sides[0].vcpu), 0);
	hosted_script_init(&s, 64);
	hosted_script_mov(&s, HOSTED_RAX, SVM_CHANNEL_UNSUBSCRIBE);
	hosted_script_out_imm(&s, 0x80, 1);
	ck_assert_int_eq(run(PUBLISHER, &s), SVM_EXIT_KIND_IO);
	ck_assert_int_eq(svm_channels_serve(sides[0].channels, sides[0].vcpu), SVM_ERR_STATE);
	ck_assert_int_eq(svm_vcpu_complete_skip(sides[0].vcpu), 0);
}
END_TEST

/* --- finding --------------------------------------------------------------------------------- */

START_TEST(a_channel_has_a_name)
{
	ck_assert_int_eq(find(READER, "news"), 0);
	ck_assert_int_eq(find(READER, "new"), -2);
	ck_assert_int_eq(find(READER, "newsx"), -2);
	ck_assert_int_eq(find(READER, ""), -2);
}
END_TEST

START_TEST(a_channel_tells_its_state)
{
	ck_assert_int_eq(call(PUBLISHER, SVM_CHANNEL_INFO, 0, 0, 0), 0x00010003);
	ck_assert_int_eq(call(READER, SVM_CHANNEL_INFO, 0, 0, 0), 0x00020003);
	ck_assert_int_eq(call(WRITER, SVM_CHANNEL_INFO, 0, 0, 0), 0x00060003);
	ck_assert_int_eq(call(READER, SVM_CHANNEL_INFO, 1, 0, 0), -2);
	ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	ck_assert_int_eq(call(PUBLISHER, SVM_CHANNEL_INFO, 0, 0, 0), 0x00190003);
	ck_assert_int_eq(call(READER, SVM_CHANNEL_INFO, 0, 0, 0), 0x00120003);
}
END_TEST

/* --- doorbells ------------------------------------------------------------------------------- */

START_TEST(a_doorbell_rings_at_the_other_side)
{
	ck_assert_int_eq(publish(PUBLISHER, 0x140), 0);
	ck_assert_int_eq(call(PUBLISHER, SVM_CHANNEL_RING, 0, 0, 0), 0);
	ck_assert_int_eq(subscribe(READER, 0x3ff), 0);
	ck_assert_int_eq(subscribe(WRITER, 0), 0);
	ck_assert_int_eq(call(PUBLISHER, SVM_CHANNEL_RING, 0, 0, 0), 1);
	ck_assert_uint_eq(sides[READER].rings, 1);
	ck_assert_uint_eq(sides[READER].rung_vcpu, 3);
	ck_assert_uint_eq(sides[READER].rung_vector, 0xff);
	ck_assert_uint_eq(sides[WRITER].rings, 0);
	ck_assert_uint_eq(sides[PUBLISHER].rings, 0);
	/* A subscriber rings at the publisher alone. */
	ck_assert_int_eq(call(WRITER, SVM_CHANNEL_RING, 0, 0, 0), 1);
	ck_assert_uint_eq(sides[PUBLISHER].rings, 1);
	ck_assert_uint_eq(sides[PUBLISHER].rung_vcpu, 1);
	ck_assert_uint_eq(sides[PUBLISHER].rung_vector, 0x40);
	ck_assert_uint_eq(sides[READER].rings, 1);
	/* And nobody at who has left. */
	ck_assert_int_eq(call(READER, SVM_CHANNEL_UNSUBSCRIBE, 0, 0, 0), 0);
	ck_assert_int_eq(call(PUBLISHER, SVM_CHANNEL_RING, 0, 0, 0), 0);
	ck_assert_uint_eq(sides[READER].rings, 1);
}
END_TEST

/* --- ends ------------------------------------------------------------------------------------ */

START_TEST(who_has_left_sees_nothing)
{
	ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	ck_assert_int_eq(subscribe(READER, 0), 0);
	ck_assert_int_eq(look(READER, 0), SVM_EXIT_KIND_HLT); /* Translated. */
	ck_assert_int_eq(call(READER, SVM_CHANNEL_UNSUBSCRIBE, 0, 0, 0), 0);
	ck_assert_int_eq(look(READER, 0), SVM_EXIT_KIND_MMIO);
	ck_assert_int_eq(svm_vcpu_complete_retry(sides[READER].vcpu), 0);
	ck_assert_int_eq(subscribe(READER, 0), 0);
	ck_assert_int_eq(look(READER, 0), SVM_EXIT_KIND_HLT);
}
END_TEST

/* The memory is the channel's: a publisher's end takes nothing from its subscribers. */
START_TEST(a_subscriber_outlives_the_publisher)
{
	ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	ck_assert_int_eq(subscribe(WRITER, 0), 0);
	ck_assert_int_eq(store(PUBLISHER, 0, 7), SVM_EXIT_KIND_HLT);
	end_side(&sides[PUBLISHER]);
	ck_assert_int_eq(look(WRITER, 0), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rax_of(WRITER), 7);
	ck_assert_int_eq(call(WRITER, SVM_CHANNEL_RING, 0, 0, 0), 0);
	ck_assert_int_eq(subscribe(READER, 0), -11);
	ck_assert_int_eq(svm_channel_destroy(channel), SVM_ERR_BUSY);
	ck_assert_uint_eq(memory[0], 7);
	ck_assert_int_eq(svm_channels_leave(sides[WRITER].channels), 0);
	ck_assert_uint_eq(memory[0], 0); /* The last one is gone. */
	ck_assert_int_eq(look(WRITER, 0), SVM_EXIT_KIND_MMIO);
	ck_assert_int_eq(svm_vcpu_complete_retry(sides[WRITER].vcpu), 0);
}
END_TEST

START_TEST(a_publisher_outlives_its_subscribers)
{
	ck_assert_int_eq(publish(PUBLISHER, 0), 0);
	ck_assert_int_eq(subscribe(WRITER, 0x40), 0);
	ck_assert_int_eq(store(WRITER, 0, 7), SVM_EXIT_KIND_HLT);
	end_side(&sides[WRITER]);
	ck_assert_int_eq(call(PUBLISHER, SVM_CHANNEL_RING, 0, 0, 0), 0);
	ck_assert_int_eq(look(PUBLISHER, 0), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rax_of(PUBLISHER), 7);
}
END_TEST

/* --- any calls in any order ------------------------------------------------------------------ */

/* What the three have by now, as the rules say it. */
static struct {
	bool is_mapped[VMS];
	bool has_publisher;
	uint64_t value; /* Of the first word. */
} model;

static int64_t expected_map(unsigned i, bool publishes, uint64_t gpa)
{
	if (publishes != (i == PUBLISHER))
		return SVM_CHANNEL_EPERM;
	if (model.is_mapped[i])
		return SVM_CHANNEL_EBUSY;
	if (!publishes && !model.has_publisher)
		return SVM_CHANNEL_EAGAIN;
	return gpa % 4096 ? SVM_CHANNEL_EINVAL : gpa < AT ? SVM_CHANNEL_EEXIST : 0;
}

static void map_at_random(unsigned i, bool publishes)
{
	static const uint64_t places[] = { AT, AT, AT, AT - 4096, AT + 1 };
	const uint64_t gpa = places[rand() % ROWS(places)];
	const int64_t expected = expected_map(i, publishes, gpa);
	const uint64_t number = publishes ? SVM_CHANNEL_PUBLISH : SVM_CHANNEL_SUBSCRIBE;

	ck_assert_int_eq(call(i, number, 0, gpa, 0), expected);
	if (expected)
		return;
	model.is_mapped[i] = true;
	model.has_publisher |= publishes;
}

static void unmap_at_random(unsigned i)
{
	ck_assert_int_eq(call(i, SVM_CHANNEL_UNSUBSCRIBE, 0, 0, 0), model.is_mapped[i] ? 0 : -2);
	model.is_mapped[i] = false;
	if (i == PUBLISHER)
		model.has_publisher = false;
	if (!model.is_mapped[0] && !model.is_mapped[1] && !model.is_mapped[2])
		model.value = 0;
}

static void touch_at_random(unsigned i)
{
	const bool is_store = rand() % 2;
	const uint64_t value = (uint64_t)rand();
	const bool is_done = model.is_mapped[i] && !(is_store && i == READER);
	const enum svm_exit_kind kind = is_store ? store(i, 0, value) : look(i, 0);

	ck_assert_int_eq(kind, is_done ? SVM_EXIT_KIND_HLT : SVM_EXIT_KIND_MMIO);
	if (!is_done)
		ck_assert_int_eq(svm_vcpu_complete_retry(sides[i].vcpu), 0);
	else if (is_store)
		model.value = value;
	else
		ck_assert_uint_eq(rax_of(i), model.value);
}

START_TEST(any_order_of_calls_keeps_the_rules)
{
	memset(&model, 0, sizeof(model));
	srand((unsigned)_i + 1);
	for (unsigned n = 0; n < 2000; n++) {
		const unsigned i = (unsigned)rand() % VMS;

		switch (rand() % 8) {
		case 0:
		case 1:
			map_at_random(i, rand() % 4 ? i == PUBLISHER : i != PUBLISHER);
			break;
		case 2:
			unmap_at_random(i);
			break;
		default:
			touch_at_random(i);
			break;
		}
	}
}
END_TEST

/* --- beside each other ----------------------------------------------------------------------- */

static bool may_ring, has_stopped;
static unsigned late_rings;

static void ring_in_time(void *arg, uint32_t vcpu, uint8_t vector)
{
	(void)arg;
	(void)vcpu;
	(void)vector;
	late_rings += !__atomic_load_n(&may_ring, __ATOMIC_SEQ_CST);
}

static void *ring_all_the_time(void *arg)
{
	uintptr_t heard = 0;

	hosted_become(r.m, 1);
	while (!__atomic_load_n(&has_stopped, __ATOMIC_SEQ_CST))
		heard += svm_channel_ring(arg) > 0;
	hosted_leave();
	return (void *)heard;
}

/* Who has left is not rung at, however the two meet. */
START_TEST(nobody_rings_at_who_has_left)
{
	const struct svm_channel_wish publishes = { .gpa = AT, .is_publisher = true },
	                              subscribes = { .gpa = AT, .vector = 0x40 };
	struct svm_channel_seat *reader = &sides[READER].channels->seat[0];
	pthread_t thread;
	void *heard;

	sides[READER].channels->ring = ring_in_time;
	may_ring = has_stopped = false;
	late_rings = 0;
	ck_assert_int_eq(svm_channel_map(&sides[PUBLISHER].channels->seat[0], &publishes), 0);
	ck_assert_int_eq(pthread_create(&thread, NULL, ring_all_the_time,
	                                &sides[PUBLISHER].channels->seat[0]),
	                 0);
	for (unsigned n = 0; n < 3000; n++) {
		__atomic_store_n(&may_ring, true, __ATOMIC_SEQ_CST);
		ck_assert_int_eq(svm_channel_map(reader, &subscribes), 0);
		if (n % 64 == 0)
			sched_yield();
		ck_assert_int_eq(svm_channel_unmap(reader), 0);
		__atomic_store_n(&may_ring, false, __ATOMIC_SEQ_CST);
	}
	__atomic_store_n(&has_stopped, true, __ATOMIC_SEQ_CST);
	pthread_join(thread, &heard);
	ck_assert_uint_eq(late_rings, 0);
	ck_assert_uint_gt((uintptr_t)heard, 0);
}
END_TEST

/* --- making ---------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	char name[SVM_CHANNEL_NAME_MAX];
	uint64_t offset, pages;
} config_rows[] = {
	{ "no name", "", 0, 1 },
	{ "a name without an end", "0123456789abcde", 0, 1 },
	{ "bytes behind the name", "a\0b", 0, 1 },
	{ "not a page", "a", 8, 1 },
	{ "no pages", "a", 0, 0 },
	{ "too many pages", "a", 0, 257 },
};

START_TEST(a_channel_has_its_shape)
{
	struct svm_channel_config config = { .hpa = memory_hpa + config_rows[_i].offset,
		                             .pages = config_rows[_i].pages };
	struct svm_channel *other = NULL;

	memcpy(config.name, config_rows[_i].name, sizeof(config.name));
	if (_i == 1)
		config.name[15] = 'f';
	ck_assert_msg(svm_channel_create(r.host, &config, &other) == SVM_ERR_INVAL, "%s",
	              config_rows[_i].what);
	ck_assert_ptr_null(other);
}
END_TEST

static const struct {
	uint32_t rights;
	int result;
} rights_rows[] = {
	{ 0, SVM_ERR_INVAL },
	{ 1, 0 },
	{ 2, 0 },
	{ 3, 0 },
	{ 4, SVM_ERR_INVAL },
	{ 5, SVM_ERR_INVAL },
	{ 6, 0 },
	{ 7, 0 },
	{ 8, SVM_ERR_INVAL },
	{ 9, SVM_ERR_INVAL },
};

START_TEST(rights_have_their_shape)
{
	const struct svm_channel_config config = config_of("other");
	struct svm_channel *other;

	ck_assert_int_eq(svm_channel_create(r.host, &config, &other), 0);
	ck_assert_int_eq(svm_channels_allow(sides[0].channels, other, rights_rows[_i].rights),
	                 rights_rows[_i].result);
	ck_assert_int_eq(svm_channels_allow(sides[0].channels, channel, 1), SVM_ERR_EXIST);
	end_side(&sides[0]);
	ck_assert_int_eq(svm_channel_destroy(other), 0);
}
END_TEST

/* Whichever frame there is not: nothing is half done, and the next try succeeds. */
START_TEST(memory_runs_out)
{
	const struct svm_channel_config config = config_of("other");
	struct svm_channels *channels = NULL;
	struct svm_channel *other = NULL;

	hosted_fail_allocation(r.m, 1);
	ck_assert_int_eq(svm_channel_create(r.host, &config, &other), SVM_ERR_NOMEM);
	ck_assert_ptr_null(other);
	end_side(&sides[0]);
	hosted_fail_allocation(r.m, 1);
	ck_assert_int_eq(svm_channels_create(r.vm, ring, NULL, &channels), SVM_ERR_NOMEM);
	ck_assert_ptr_null(channels);
	ck_assert_int_eq(svm_channels_create(r.vm, ring, &sides[0], &sides[0].channels), 0);
	ck_assert_int_eq(svm_channels_allow(sides[0].channels, channel, 1), 0);
	hosted_fail_allocation(r.m, 1);
	ck_assert_int_eq(publish(PUBLISHER, 0x40), -12);
	ck_assert_int_eq(look(PUBLISHER, 0), SVM_EXIT_KIND_MMIO);
	ck_assert_int_eq(svm_vcpu_complete_retry(sides[0].vcpu), 0);
	ck_assert_int_eq(subscribe(READER, 0), -11);
	ck_assert_int_eq(publish(PUBLISHER, 0x40), 0);
	ck_assert_int_eq(store(PUBLISHER, 0, 5), SVM_EXIT_KIND_HLT);
	ck_assert_int_eq(subscribe(READER, 0), 0);
	hosted_fail_allocation(r.m, 1);
	ck_assert_int_eq(call(PUBLISHER, SVM_CHANNEL_UNSUBSCRIBE, 0, 0, 0), -12);
	ck_assert_int_eq(look(PUBLISHER, 0), SVM_EXIT_KIND_HLT);
	ck_assert_uint_eq(rax_of(PUBLISHER), 5);
	ck_assert_int_eq(call(READER, SVM_CHANNEL_RING, 0, 0, 0), 1);
	hosted_fail_allocation(r.m, 1);
	ck_assert_int_eq(svm_channels_destroy(sides[0].channels), SVM_ERR_NOMEM);
}
END_TEST

START_TEST(seats_run_out)
{
	struct svm_channel *more[SVM_CHANNEL_SEATS_MAX];

	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX; i++) {
		const char name[2] = { (char)('a' + i), 0 };
		const struct svm_channel_config config = config_of(name);

		ck_assert_int_eq(svm_channel_create(r.host, &config, &more[i]), 0);
		ck_assert_int_eq(svm_channels_allow(sides[0].channels, more[i], 1),
		                 i < SVM_CHANNEL_SEATS_MAX - 1 ? 0 : SVM_ERR_NOMEM);
	}
	ck_assert_int_eq(find(PUBLISHER, "g"), 7);
	end_side(&sides[0]);
	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX; i++)
		ck_assert_int_eq(svm_channel_destroy(more[i]), 0);
}
END_TEST

START_TEST(a_vm_has_its_channels_once)
{
	struct svm_channels *other;

	ck_assert_int_eq(svm_channels_create(r.vm, ring, NULL, &other), SVM_ERR_EXIST);
	ck_assert_int_eq(svm_channels_destroy(NULL), 0);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_one_writes_the_others_read);
	tcase_add_test(tc, a_reader_does_not_write);
	tcase_add_test(tc, shared_memory_is_not_executed);
	tcase_add_loop_test(tc, a_call_is_refused, 0, ROWS(refusal_rows));
	tcase_add_loop_test(tc, calls_are_for_ring_0, 0, ROWS(all_calls));
	tcase_add_test(tc, other_calls_are_not_served);
	tcase_add_test(tc, a_channel_has_a_name);
	tcase_add_test(tc, a_channel_tells_its_state);
	tcase_add_test(tc, a_doorbell_rings_at_the_other_side);
	tcase_add_test(tc, who_has_left_sees_nothing);
	tcase_add_test(tc, a_subscriber_outlives_the_publisher);
	tcase_add_test(tc, a_publisher_outlives_its_subscribers);
	tcase_add_loop_test(tc, any_order_of_calls_keeps_the_rules, 0, 4);
	tcase_add_test(tc, nobody_rings_at_who_has_left);
	tcase_add_loop_test(tc, a_channel_has_its_shape, 0, ROWS(config_rows));
	tcase_add_loop_test(tc, rights_have_their_shape, 0, ROWS(rights_rows));
	tcase_add_test(tc, memory_runs_out);
	tcase_add_test(tc, seats_run_out);
	tcase_add_test(tc, a_vm_has_its_channels_once);
}

int main(void)
{
	return rig_main("channel", add);
}
