/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The embedder of a replay: it answers what the recorded one answered, after the same calls.
 *
 * A callback's argument is its number, in the order in which callbacks were registered.
 */
#include "player.h"

#include <string.h>

static const char *const names[] = {
#define NAME(name, text) #name,
	SVM_CAPTURE_CALLBACKS_OF(NAME)
#undef NAME
};

/* The library calls: the request follows. */
static void begin(void *arg, enum svm_capture_callback what, const struct svm_vcpu *vcpu)
{
	uint64_t recorded;

	player_check_writes();
	player_expect_for(SVM_CAPTURE_CALLBACK, "the callback that is called", (uintptr_t)arg);
	recorded = reader_below(sizeof(names) / sizeof(names[0]), "kind of a callback");
	if (recorded != what) {
		player_diverge();
		player_say("the library calls back for %s, and did for %s", names[what],
		           names[recorded]);
		player_diverged();
	}
	player_same("the callback's vCPU", player_object_number(vcpu), reader_number());
}

/* What the callback called, and what it said. */
static uint64_t answer(void)
{
	for (player_take_late(); reader_peek() == SVM_CAPTURE_CALL; player_take_late()) {
		reader_skip_tag();
		player_call();
	}
	player_expect(SVM_CAPTURE_ANSWER);
	return reader_number();
}

static enum svm_device_result device_answer(void)
{
	const uint64_t result = answer();

	if (result > SVM_DEVICE_EXIT)
		player_refuse("a device answered %llu", (unsigned long long)result);
	return (enum svm_device_result)result;
}

/* An answer that is one number. */
static uint64_t short_answer(void)
{
	return player_read(answer());
}

static bool yes_or_no(void)
{
	const uint64_t result = short_answer();

	if (result > 1)
		player_refuse("a callback answered %llu to yes or no", (unsigned long long)result);
	return result;
}

enum svm_device_result player_on_io(void *arg, struct svm_vcpu *vcpu,
                                    struct svm_io_access *access)
{
	enum svm_device_result result;

	begin(arg, SVM_CAPTURE_ON_IO, vcpu);
	player_same("the port", access->port, reader_number());
	player_same("the port's size", access->size, reader_number());
	player_same("IN instead of OUT", access->is_in, reader_number());
	player_same("the value for the port", access->is_in ? 0 : access->value, reader_number());
	result = device_answer();
	access->value = (uint32_t)player_read(reader_number());
	return result;
}

enum svm_device_result player_on_mmio(void *arg, struct svm_vcpu *vcpu,
                                      struct svm_mmio_access *access)
{
	enum svm_device_result result;
	const void *data;
	size_t size;

	begin(arg, SVM_CAPTURE_ON_MMIO, vcpu);
	player_same("the address in device memory", access->gpa, reader_number());
	player_same("the size of the access", access->size, reader_number());
	player_same("a write instead of a read", access->is_write, reader_number());
	data = reader_some_bytes(sizeof(access->data), &size, "data");
	player_same("the size of the data", access->is_write ? access->size : 0, size);
	if (memcmp(access->data, data, size) != 0) {
		player_diverge();
		player_say("other bytes are written to device memory at 0x%llx",
		           (unsigned long long)access->gpa);
		player_diverged();
	}
	result = device_answer();
	data = reader_some_bytes(sizeof(access->data), &size, "data");
	memcpy(access->data, data, size);
	player_take_async();
	return result;
}

enum svm_device_result player_on_hypercall(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_hypercall *call)
{
	enum svm_device_result result;

	begin(arg, SVM_CAPTURE_ON_HYPERCALL, vcpu);
	player_same("the number of the hypercall", call->number, reader_number());
	for (unsigned i = 0; i < 4; i++)
		player_same("an argument of the hypercall", call->argument[i], reader_number());
	player_same("the CPL of the hypercall", call->cpl, reader_number());
	player_same("the width of the hypercall", call->is_wide, reader_number());
	result = device_answer();
	call->result = player_read(reader_number());
	return result;
}

bool player_on_msr(void *arg, struct svm_vcpu *vcpu, struct svm_msr_access *access)
{
	bool known;

	begin(arg, SVM_CAPTURE_ON_MSR, vcpu);
	player_same("the MSR", access->msr, reader_number());
	player_same("WRMSR instead of RDMSR", access->is_write, reader_number());
	player_same("the value for the MSR", access->is_write ? access->value : 0, reader_number());
	known = answer() != 0;
	access->value = player_read(reader_number());
	return known;
}

bool player_on_msr_filter(void *arg, uint32_t msr, bool is_write)
{
	begin(arg, SVM_CAPTURE_ON_MSR_FILTER, NULL);
	player_same("the MSR that is asked for", msr, reader_number());
	player_same("WRMSR instead of RDMSR", is_write, reader_number());
	return yes_or_no();
}

enum svm_resolve_result player_on_resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                          struct svm_resolved_page *page)
{
	uint64_t result;

	begin(arg, SVM_CAPTURE_ON_RESOLVE, NULL);
	player_same("the address to resolve", gpa, reader_number());
	player_same("the access to resolve", access, reader_number());
	result = answer();
	if (result > SVM_RESOLVE_ABSENT)
		player_refuse("a resolve callback answered %llu", (unsigned long long)result);
	page->hpa = reader_number();
	page->size = reader_number();
	page->prot = (uint32_t)player_read(reader_number());
	return (enum svm_resolve_result)result;
}

bool player_on_stuck(void *arg, struct svm_vcpu *vcpu, const struct svm_exit *exit)
{
	begin(arg, SVM_CAPTURE_ON_STUCK, vcpu);
	player_same("the exit of a guest that is stuck", exit->kind, reader_number());
	return yes_or_no();
}

/* --- interrupt controllers -------------------------------------------------------------------- */

static int on_pending(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	uint64_t vector;

	begin(arg, SVM_CAPTURE_ON_IRQ_PENDING, vcpu);
	player_same("TPR", tpr, reader_number());
	vector = short_answer();
	if (vector > 256)
		player_refuse("vector %llu is pending", (unsigned long long)vector - 1);
	return (int)vector - 1;
}

static uint8_t on_accept(void *arg, struct svm_vcpu *vcpu, uint8_t vector)
{
	begin(arg, SVM_CAPTURE_ON_IRQ_ACCEPT, vcpu);
	player_same("the vector that is accepted", vector, reader_number());
	return (uint8_t)short_answer();
}

static void on_tpr(void *arg, struct svm_vcpu *vcpu, uint8_t tpr)
{
	begin(arg, SVM_CAPTURE_ON_IRQ_TPR, vcpu);
	player_same("TPR", tpr, reader_number());
	(void)short_answer();
}

static uint64_t on_deadline(void *arg, struct svm_vcpu *vcpu)
{
	begin(arg, SVM_CAPTURE_ON_IRQ_DEADLINE, vcpu);
	return short_answer();
}

struct svm_irq_port player_port(void *slot, bool has_deadline)
{
	return (struct svm_irq_port){
		.pending = on_pending,
		.accept = on_accept,
		.tpr_changed = on_tpr,
		.deadline = has_deadline ? on_deadline : NULL,
		.arg = slot,
	};
}

/* --- presence --------------------------------------------------------------------------------- */

static enum svm_arrival on_arrive(void *arg, struct svm_vcpu *vcpu, svm_gpa_t *gpa)
{
	uint64_t result;

	begin(arg, SVM_CAPTURE_ON_ARRIVE, vcpu);
	result = answer();
	if (result > SVM_ARRIVAL_AGAIN)
		player_refuse("an arrival was answered with %llu", (unsigned long long)result);
	*gpa = player_read(reader_number());
	return (enum svm_arrival)result;
}

static void on_leave(void *arg, struct svm_vcpu *vcpu, bool has_work)
{
	begin(arg, SVM_CAPTURE_ON_LEAVE, vcpu);
	player_same("whether it has work", has_work, reader_number());
	(void)short_answer();
}

struct svm_presence player_presence(void *slot)
{
	return (struct svm_presence){ .arrive = on_arrive, .leave = on_leave, .arg = slot };
}
