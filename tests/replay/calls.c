/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The calls of a capture, made again.
 *
 * One at a time is read and made; inside it, whatever the library asks for reads on.  A callback
 * may call, so calls are nested, but not deep: what such a call asks for may call once more.
 */
#include "player.h"

#include <string.h>

#define OBJECTS   (SVM_CAPTURE_HOSTS + SVM_CAPTURE_VMS + SVM_CAPTURE_VCPUS)
#define DEPTH_MAX 4u

static struct {
	unsigned objects, slots, depth;
	bool makes_vcpu;
	struct {
		void *object; /* NULL: gone. */
		enum player_object type;
	} object[OBJECTS];
} calls;

/* --- objects ---------------------------------------------------------------------------------- */

void *player_object(unsigned number, enum player_object type)
{
	if (number >= calls.objects || !calls.object[number].object ||
	    calls.object[number].type != type)
		player_refuse("object %u is not there, or another kind of object", number);
	return calls.object[number].object;
}

unsigned player_object_number(const void *object)
{
	for (unsigned i = 0; object && i < calls.objects; i++)
		if (calls.object[i].object == object)
			return i;
	return SVM_CAPTURE_NOBODY;
}

static void forget(unsigned number)
{
	if (calls.object[number].type == PLAYER_VM)
		player_forget_vm(calls.object[number].object);
	calls.object[number].object = NULL;
}

bool player_makes_vcpu(void)
{
	return calls.makes_vcpu;
}

void *player_next_slot(void)
{
	if (calls.slots == SVM_CAPTURE_CALLBACKS)
		player_refuse("more callbacks than a recorder has room for");
	return (void *)(uintptr_t)calls.slots++;
}

/* --- results ---------------------------------------------------------------------------------- */

static void check_result(int error)
{
	player_check_writes();
	player_expect(SVM_CAPTURE_RESULT);
	const int64_t recorded = (int64_t)reader_number();

	if (error == recorded)
		return;
	player_diverge();
	player_say("it says %s, and said %s", error ? svm_error_name(error) : "0",
	           recorded ? svm_error_name((int)recorded) : "0");
	player_diverged();
}

/* An object has been made, or not. */
static void check_made(int error, void *object, enum player_object type)
{
	const unsigned number = error ? SVM_CAPTURE_NOBODY : calls.objects;

	check_result(error);
	if (!error && calls.objects == OBJECTS)
		player_refuse("more objects than a recorder has room for");
	if (!error)
		calls.object[calls.objects++] = (typeof(calls.object[0])){ object, type };
	if (reader_number() != number)
		player_refuse("an object's number is not the next");
}

static void check_exit(int error, const struct svm_exit *exit)
{
	struct svm_capture_field field[SVM_CAPTURE_FIELDS_MAX];
	const unsigned count = error ? 0 : svm_capture_exit_fields(exit, field);
	const uint64_t recorded = reader_below(SVM_CAPTURE_FIELDS_MAX + 1u, "fields of an exit");

	for (unsigned i = 0; i < count && i < recorded; i++) {
		const uint64_t then = reader_number();

		if (i == 0 && field[0].value != then) {
			player_diverge();
			player_say("it returns %s, and returned %s", svm_exit_kind_name(exit->kind),
			           then < SVM_EXIT_KIND_COUNT
			                   ? svm_exit_kind_name((enum svm_exit_kind)then)
			                   : "what this library does not know");
			player_diverged();
		}
		player_same(field[i].name, field[i].value, then);
	}
	player_same("the number of fields of the exit", count, recorded);
}

/* --- calls with numbers ----------------------------------------------------------------------- */

/* Arguments are read in their order, which that of an argument list is not. */
#define NUMBER(type) ((type)(uint64_t)n[at++])
#define READ(count)                                                                                \
	uint64_t n[4];                                                                             \
	unsigned at = 0;                                                                           \
                                                                                                   \
	for (unsigned i = 0; i < (count); i++)                                                     \
		n[i] = reader_number();                                                            \
	(void)at

#define OBJECT(object) (struct svm_##object *)o
#define C0(name, object)                                                                           \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		return svm_##name(OBJECT(object));                                                 \
	}
#define C1(name, object, ta)                                                                       \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		READ(1);                                                                           \
		const ta a = NUMBER(ta);                                                           \
                                                                                                   \
		return svm_##name(OBJECT(object), a);                                              \
	}
#define C2(name, object, ta, tb)                                                                   \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		READ(2);                                                                           \
		const ta a = NUMBER(ta);                                                           \
		const tb b = NUMBER(tb);                                                           \
                                                                                                   \
		return svm_##name(OBJECT(object), a, b);                                           \
	}
#define C3(name, object, ta, tb, tc)                                                               \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		READ(3);                                                                           \
		const ta a = NUMBER(ta);                                                           \
		const tb b = NUMBER(tb);                                                           \
		const tc c = NUMBER(tc);                                                           \
                                                                                                   \
		return svm_##name(OBJECT(object), a, b, c);                                        \
	}
#define C4(name, object, ta, tb, tc, td)                                                           \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		READ(4);                                                                           \
		const ta a = NUMBER(ta);                                                           \
		const tb b = NUMBER(tb);                                                           \
		const tc c = NUMBER(tc);                                                           \
		const td d = NUMBER(td);                                                           \
                                                                                                   \
		return svm_##name(OBJECT(object), a, b, c, d);                                     \
	}
#define V0(name, object)                                                                           \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		svm_##name(OBJECT(object));                                                        \
		return 0;                                                                          \
	}
#define V1(name, object, ta)                                                                       \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		READ(1);                                                                           \
		const ta a = NUMBER(ta);                                                           \
                                                                                                   \
		svm_##name(OBJECT(object), a);                                                     \
		return 0;                                                                          \
	}
#define V2(name, object, ta, tb)                                                                   \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		READ(2);                                                                           \
		const ta a = NUMBER(ta);                                                           \
		const tb b = NUMBER(tb);                                                           \
                                                                                                   \
		svm_##name(OBJECT(object), a, b);                                                  \
		return 0;                                                                          \
	}
#define A0(name, object) V0(name, object)
/* A bool of a structure holds 0 or 1, or the compiler's code does what it likes. */
static void only_bools(bool *first, size_t count)
{
	uint8_t *byte = (uint8_t *)first;

	for (size_t i = 0; i < count; i++)
		byte[i] &= 1;
}

static void make_good(void *data, enum svm_capture_call call)
{
	struct svm_debugger *debugger = data;
	struct svm_events *events = data;

	if (call == SVM_CALL_vcpu_set_debugger)
		only_bools(&debugger->single_step, 3);
	if (call != SVM_CALL_vcpu_set_events)
		return;
	only_bools(&events->exception_pending, 2);
	only_bools(&events->nmi_pending, 3);
}

/* A structure of this size into *data, or false: NULL was given. */
static bool read_structure(void *data, size_t size, const char *what, enum svm_capture_call call)
{
	size_t has;
	const void *bytes = reader_some_bytes(size, &has, what);

	if (has == 0 && call == SVM_CALL_vcpu_set_debugger)
		return false;
	if (has != size)
		player_refuse("%s has %zu bytes, and %zu in this library", what, has, size);
	memcpy(data, bytes, size);
	make_good(data, call);
	return true;
}

#define S(name, object, type)                                                                      \
	static int make_##name(void *o)                                                            \
	{                                                                                          \
		struct type data;                                                                  \
		const bool has = read_structure(&data, sizeof(data), "struct " #type,              \
		                                SVM_CALL_##name);                                  \
                                                                                                   \
		return svm_##name(OBJECT(object), has ? &data : NULL);                             \
	}

SVM_CAPTURE_CALLS(C0, C1, C2, C3, C4, V0, V1, V2, A0, S)

/* --- calls that make objects ------------------------------------------------------------------ */

static void host_create(void *o)
{
	struct svm_host *host = NULL;
	const int error = svm_host_create(player_hal(), &host);

	(void)o;
	check_made(error, host, PLAYER_HOST);
}

static void vm_create(void *o)
{
	struct svm_vm_config config;
	struct svm_vm *vm = NULL;
	bool has_stuck = reader_below(2, "on_stuck");
	int error;

	memcpy(&config, reader_bytes(sizeof(config), "struct svm_vm_config"), sizeof(config));
	only_bools(&config.no_huge_pages, 1);
	only_bools(&config.smi_passthrough, 1);
	only_bools(&config.no_prepared_cpuid, 1);
	config.on_stuck = has_stuck ? player_on_stuck : NULL;
	config.on_stuck_arg = has_stuck ? player_next_slot() : NULL;
	error = svm_vm_create(o, &config, &vm);
	check_made(error, vm, PLAYER_VM);
}

static void vcpu_create(void *o)
{
	const uint32_t id = (uint32_t)reader_number();
	struct svm_vcpu *vcpu = NULL;
	int error;

	calls.makes_vcpu = true;
	error = svm_vcpu_create(o, id, &vcpu);
	calls.makes_vcpu = false;
	check_made(error, vcpu, PLAYER_VCPU);
}

/* --- a VM's memory and policy ----------------------------------------------------------------- */

static const svm_hpa_t *frames_of(uint64_t size)
{
	static svm_hpa_t frames[1u << 16];
	const size_t bytes = (size_t)(size / PLAYER_PAGE) * sizeof(frames[0]);

	if (size / PLAYER_PAGE > sizeof(frames) / sizeof(frames[0]))
		player_refuse("a slot of more frames than a replay has room for");
	memcpy(frames, reader_bytes(bytes, "the frames of a slot"), bytes);
	return frames;
}

static void vm_slot_add(void *o)
{
	struct svm_slot slot = { .gpa = reader_number() };

	slot.size = reader_number();
	slot.prot = (uint32_t)reader_number();
	slot.memory_type = (enum svm_memory_type)reader_below(SVM_MEMORY_UC + 1u, "memory type");
	slot.kind = (enum svm_slot_kind)reader_below(SVM_SLOT_RESOLVE + 1u, "kind of a slot");
	slot.hpa = reader_number();
	if (reader_below(2, "resolve")) {
		slot.resolve = player_on_resolve;
		slot.resolve_arg = player_next_slot();
	}
	if (slot.kind == SVM_SLOT_FRAMES)
		slot.frames = frames_of(slot.size);
	check_result(svm_vm_slot_add(o, &slot));
}

static void vm_set_cpuid(void *o)
{
	struct svm_cpuid_entry row[SVM_CPUID_MAX];
	size_t size;
	const void *data = reader_some_bytes(sizeof(row), &size, "a CPUID table");

	memcpy(row, data, size);
	for (size_t i = 0; i < size / sizeof(row[0]); i++)
		only_bools(&row[i].subleaf_matters, 1);
	check_result(svm_vm_set_cpuid(o, row, size / sizeof(row[0])));
}

#define RANGE(name, first_type, count_type, fn)                                                    \
	static void vm_##name(void *o)                                                             \
	{                                                                                          \
		const first_type first = (first_type)reader_number();                              \
		const count_type count = (count_type)reader_number();                              \
		const bool has = reader_below(2, "callback");                                      \
                                                                                                   \
		check_result(svm_vm_##name(o, first, count, has ? fn : NULL,                       \
		                           has ? player_next_slot() : NULL));                      \
	}
RANGE(io_handler, uint16_t, uint32_t, player_on_io)
RANGE(mmio_handler, svm_gpa_t, uint64_t, player_on_mmio)
RANGE(hypercall_handler, uint32_t, uint32_t, player_on_hypercall)
RANGE(msr_handler, uint32_t, uint64_t, player_on_msr)

static void vm_msr_filter(void *o)
{
	const bool has = reader_below(2, "callback");

	check_result(svm_vm_msr_filter(o, has ? player_on_msr_filter : NULL,
	                               has ? player_next_slot() : NULL));
}

/* --- a vCPU's ports and data ------------------------------------------------------------------ */

static void vcpu_mmio_handler(void *o)
{
	const svm_gpa_t gpa = reader_number();
	const uint64_t size = reader_number();
	const bool has = reader_below(2, "callback");

	svm_vcpu_mmio_handler(o, gpa, size, has ? player_on_mmio : NULL,
	                      has ? player_next_slot() : NULL);
	check_result(0);
}

static void vcpu_set_irq_port(void *o)
{
	const uint64_t has = reader_below(4, "interrupt port");
	struct svm_irq_port port;

	if (has & 1)
		port = player_port(player_next_slot(), has & 2);
	check_result(svm_vcpu_set_irq_port(o, has & 1 ? &port : NULL));
}

static void vcpu_set_presence(void *o)
{
	const bool has = reader_below(2, "callback");
	struct svm_presence presence;

	if (has)
		presence = player_presence(player_next_slot());
	svm_vcpu_set_presence(o, has ? &presence : NULL);
	check_result(0);
}

#define BYTES(name, limit)                                                                         \
	static void name(void *o)                                                                  \
	{                                                                                          \
		size_t size;                                                                       \
		const void *data = reader_some_bytes(limit, &size, #name);                         \
                                                                                                   \
		check_result(svm_##name(o, data, size));                                           \
	}
BYTES(vcpu_set_xsave, 4 * PLAYER_PAGE)
BYTES(vcpu_complete_data, SVM_MMIO_DATA_MAX)

static void vcpu_run(void *o)
{
	struct svm_exit exit = { .kind = SVM_EXIT_KIND_NONE };
	const int error = svm_vcpu_run(o, &exit);

	check_result(error);
	check_exit(error, &exit);
}

/* --- the table of all ------------------------------------------------------------------------- */

enum { PLAYER_OF_host = PLAYER_HOST, PLAYER_OF_vm, PLAYER_OF_vcpu, PLAYER_OF_none };

static const struct {
	const char *name;
	int (*plain)(void *o); /* Its result is checked here, ... */
	void (*own)(void *o);  /* ... or there. */
	unsigned type;
} table[SVM_CALL_COUNT] = {
#define PLAIN(name, object, ...) { #name, make_##name, NULL, PLAYER_OF_##object },
	SVM_CAPTURE_CALLS(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN)
#define OTHER(name, object, text) { #name, NULL, name, PLAYER_OF_##object },
	SVM_CAPTURE_OTHERS(OTHER)
};

static bool ends_object(uint64_t call)
{
	return call == SVM_CALL_host_destroy || call == SVM_CALL_vm_destroy ||
	       call == SVM_CALL_vcpu_destroy;
}

/* The object is gone before its end is recorded. */
static void make_plain(uint64_t call, void *object, unsigned number)
{
	const int error = table[call].plain(object);

	if (!error && ends_object(call))
		forget(number);
	check_result(error);
}

static bool is_async(uint64_t call)
{
	return call == SVM_CALL_vcpu_kick || call == SVM_CALL_vcpu_notify ||
	       call == SVM_CALL_vcpu_unhalt || call == SVM_CALL_vcpu_inject_nmi;
}

static void take_one(void)
{
	const uint64_t call = reader_below(SVM_CALL_COUNT, "the number of a call");

	if (!is_async(call))
		player_refuse("svm_%s() at any time", table[call].name);
	(void)table[call].plain(player_object((unsigned)reader_number(), PLAYER_VCPU));
}

bool player_comes_at_entry(void)
{
	const size_t at = reader_at();
	unsigned tag;

	for (tag = reader_peek(); tag == SVM_CAPTURE_ASYNC; tag = reader_peek()) {
		reader_skip_tag();
		(void)reader_number();
		(void)reader_number();
	}
	reader_rewind(at);
	return tag == SVM_CAPTURE_ENTERING;
}

void player_take_late(void)
{
	while (reader_peek() == SVM_CAPTURE_ASYNC) {
		reader_skip_tag();
		take_one();
	}
	if (reader_peek() == SVM_CAPTURE_ENTERING)
		reader_skip_tag();
}

void player_take_async(void)
{
	if (reader_peek() == SVM_CAPTURE_ASYNC && !player_comes_at_entry())
		player_take_late();
}

void player_take_entering(void)
{
	if (reader_peek() == SVM_CAPTURE_ASYNC && player_comes_at_entry())
		player_take_late();
}

uint64_t player_read(uint64_t value)
{
	player_take_async();
	return value;
}

void player_call(void)
{
	const uint64_t call = reader_below(SVM_CALL_COUNT, "the number of a call");
	const unsigned number = (unsigned)reader_below(SVM_CAPTURE_NOBODY + 1u, "an object");
	const char *const outer = player_place.call;
	void *object = NULL;

	if (++calls.depth > DEPTH_MAX)
		player_refuse("calls are nested too deep");
	if (calls.depth > 1 && ends_object(call))
		player_refuse("an object ends while it is used");
	if (table[call].type != PLAYER_OF_none)
		object = player_object(number, (enum player_object)table[call].type);
	else if (calls.objects)
		player_refuse("a second host");
	player_place.call = table[call].name;
	if (table[call].plain)
		make_plain(call, object, number);
	else
		table[call].own(object);
	player_place.call = outer;
	calls.depth--;
}
