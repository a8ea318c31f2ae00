/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A channel's memory in the maps of VMs.
 *
 * It is mapped after it was cleared and cleared after it was unmapped everywhere, so that no guest
 * ever reads what a former one wrote.  It is never executable: code is each VM's own.
 */
#include "platform/channel.h"

#include "hal/ring0.h"

/* --- locks ----------------------------------------------------------------------------------- */

static void lock_seats(struct svm_channel *channel)
{
	const struct svm_hal *hal = &channel->host->hal;

	hal->preempt_off(hal->ctx);
	while (svm_atomic_exchange(&channel->spin, 1u))
		svm_ring0_pause();
}

static void unlock_seats(struct svm_channel *channel)
{
	const struct svm_hal *hal = &channel->host->hal;

	svm_atomic_store(&channel->spin, 0u);
	hal->preempt_on(hal->ctx);
}

static void lock_channel(struct svm_channel *channel)
{
	channel->host->hal.mutex_lock(channel->host->hal.ctx, &channel->mutex);
}

static void unlock_channel(struct svm_channel *channel)
{
	channel->host->hal.mutex_unlock(channel->host->hal.ctx, &channel->mutex);
}

/* --- making and unmaking --------------------------------------------------------------------- */

static void clear_memory(struct svm_channel *channel)
{
	const struct svm_hal *hal = &channel->host->hal;

	for (uint64_t i = 0; i < channel->config.pages; i++) {
		const svm_hpa_t hpa = channel->config.hpa + i * SVM_PAGE_SIZE;
		void *page;

		hal->preempt_off(hal->ctx); /* A pointer is good in context A. */
		page = hal->phys_to_virt(hal->ctx, hpa);
		if (page)
			memset(page, 0, SVM_PAGE_SIZE);
		hal->preempt_on(hal->ctx);
	}
}

static bool name_is_legal(const char name[SVM_CHANNEL_NAME_MAX])
{
	unsigned length = 0;

	while (length < SVM_CHANNEL_NAME_MAX && name[length])
		length++;
	for (unsigned i = length; i < SVM_CHANNEL_NAME_MAX; i++)
		if (name[i])
			return false;
	return length > 0 && length < SVM_CHANNEL_NAME_MAX;
}

int svm_channel_create(struct svm_host *host, const struct svm_channel_config *config,
                       struct svm_channel **result)
{
	struct svm_channel *channel;
	svm_hpa_t hpa = 0;

	if (!name_is_legal(config->name) || config->hpa % SVM_PAGE_SIZE || config->pages == 0 ||
	    config->pages > SVM_CHANNEL_PAGES_MAX)
		return SVM_ERR_INVAL;
	channel = svm_host_frames(host, 1, &hpa);
	if (!channel)
		return SVM_ERR_NOMEM;
	channel->host = host;
	channel->config = *config;
	channel->hpa = hpa;
	clear_memory(channel);
	*result = channel;
	return 0;
}

int svm_channel_destroy(struct svm_channel *channel)
{
	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX; i++)
		if (channel->seat[i])
			return SVM_ERR_BUSY;
	svm_host_frames_free(channel->host, channel, channel->hpa, 1);
	return 0;
}

/* --- seats ----------------------------------------------------------------------------------- */

int svm_channel_sit(struct svm_channel *channel, struct svm_channel_seat *seat)
{
	int error = SVM_ERR_NOMEM;

	lock_seats(channel);
	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX && error; i++) {
		if (channel->seat[i])
			continue;
		channel->seat[i] = seat;
		error = 0;
	}
	unlock_seats(channel);
	return error;
}

void svm_channel_stand(struct svm_channel_seat *seat)
{
	struct svm_channel *channel = seat->channel;

	lock_seats(channel);
	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX; i++)
		if (channel->seat[i] == seat)
			channel->seat[i] = NULL;
	unlock_seats(channel);
	seat->channel = NULL;
}

static bool has_publisher(const struct svm_channel *channel)
{
	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX; i++)
		if (channel->seat[i] && channel->seat[i]->is_publisher)
			return true;
	return false;
}

static bool is_in_use(const struct svm_channel *channel)
{
	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX; i++)
		if (channel->seat[i] && channel->seat[i]->is_mapped)
			return true;
	return false;
}

bool svm_channel_is_published(struct svm_channel *channel)
{
	bool result;

	lock_seats(channel);
	result = has_publisher(channel);
	unlock_seats(channel);
	return result;
}

/* --- mapping --------------------------------------------------------------------------------- */

/* A slot would hide registers from the guest that are not in any slot. */
static bool has_registers(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	bool result = false;

	svm_vm_lock(vm);
	for (uint32_t i = 0; i < vm->mmio.range_count; i++)
		if (gpa <= vm->mmio.range[i].last && gpa + size - 1 >= vm->mmio.range[i].first)
			result = true;
	svm_vm_unlock(vm);
	return result;
}

static int map_memory(const struct svm_channel_seat *seat, const struct svm_channel_wish *wish)
{
	const struct svm_channel_config *config = &seat->channel->config;
	const bool may_write = wish->is_publisher || (seat->rights & SVM_CHANNEL_MAY_WRITE);
	const struct svm_slot slot = {
		.gpa = wish->gpa,
		.size = config->pages * SVM_PAGE_SIZE,
		.prot = may_write ? SVM_PROT_READ | SVM_PROT_WRITE : SVM_PROT_READ,
		.memory_type = SVM_MEMORY_WB,
		.kind = SVM_SLOT_RANGE,
		.hpa = config->hpa,
	};

	if (has_registers(seat->owner->vm, slot.gpa, slot.size))
		return SVM_ERR_EXIST;
	return svm_vm_slot_add(seat->owner->vm, &slot);
}

static int map_seat(struct svm_channel_seat *seat, const struct svm_channel_wish *wish)
{
	struct svm_channel *channel = seat->channel;
	int error;

	if (seat->is_mapped || (wish->is_publisher && has_publisher(channel)))
		return SVM_ERR_BUSY;
	if (!wish->is_publisher && !has_publisher(channel))
		return SVM_ERR_AGAIN;
	error = map_memory(seat, wish);
	if (error)
		return error;
	seat->gpa = wish->gpa;
	lock_seats(channel);
	seat->is_mapped = true;
	seat->is_publisher = wish->is_publisher;
	seat->vcpu = wish->vcpu;
	seat->vector = wish->vector;
	unlock_seats(channel);
	return 0;
}

int svm_channel_map(struct svm_channel_seat *seat, const struct svm_channel_wish *wish)
{
	int error;

	lock_channel(seat->channel);
	error = map_seat(seat, wish);
	unlock_channel(seat->channel);
	return error;
}

/* Removing the slot waits until no CPU uses it; only then may the memory be cleared. */
static int unmap_seat(struct svm_channel_seat *seat)
{
	struct svm_channel *channel = seat->channel;
	int error;

	if (!seat->is_mapped)
		return SVM_ERR_NOENT;
	error = svm_vm_slot_remove(seat->owner->vm, seat->gpa);
	if (error)
		return error;
	lock_seats(channel);
	seat->is_mapped = seat->is_publisher = false;
	seat->vector = 0;
	unlock_seats(channel);
	if (!is_in_use(channel))
		clear_memory(channel);
	return 0;
}

int svm_channel_unmap(struct svm_channel_seat *seat)
{
	int error;

	lock_channel(seat->channel);
	error = unmap_seat(seat);
	unlock_channel(seat->channel);
	return error;
}

/* --- doorbells ------------------------------------------------------------------------------- */

static bool ring_one(const struct svm_channel_seat *seat)
{
	if (!seat->is_mapped || !seat->vector)
		return false;
	seat->owner->ring(seat->owner->arg, seat->vcpu, seat->vector);
	return true;
}

int svm_channel_ring(struct svm_channel_seat *seat)
{
	struct svm_channel *channel = seat->channel;
	int count = 0;

	lock_seats(channel);
	if (!seat->is_mapped)
		count = SVM_ERR_NOENT;
	for (unsigned i = 0; i < SVM_CHANNEL_SEATS_MAX && seat->is_mapped; i++)
		if (channel->seat[i] && channel->seat[i]->is_publisher != seat->is_publisher)
			count += ring_one(channel->seat[i]);
	unlock_seats(channel);
	return count;
}
