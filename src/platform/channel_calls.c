/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The calls by which a guest uses its channels.
 *
 * Each argument is the guest's: a number is compared with the count before it is an index, a name
 * with all of the few names, an address is checked by whoever adds slots.
 */
#include <libsvm/exit_codes.h>

#include "core/vcpu/vcpu.h"
#include "platform/channel.h"

#define DOORBELL_VECTOR SVM_BITS(7, 0)
#define DOORBELL_VCPU   SVM_BITS(31, 8)
#define VECTOR_LEAST    32u

/* --- making and unmaking --------------------------------------------------------------------- */

static enum svm_device_result channel_call(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_hypercall *call);

int svm_channels_create(struct svm_vm *vm, svm_doorbell_fn ring, void *arg,
                        struct svm_channels **result)
{
	struct svm_channels *channels;
	svm_hpa_t hpa = 0;
	int error;

	channels = svm_host_frames(vm->host, 1, &hpa);
	if (!channels)
		return SVM_ERR_NOMEM;
	*channels = (struct svm_channels){ .vm = vm, .ring = ring, .arg = arg, .hpa = hpa };
	error = svm_vm_hypercall_handler(vm, SVM_CHANNEL_CALL_FIRST, SVM_CHANNEL_CALL_COUNT,
	                                 channel_call, channels);
	if (error) {
		svm_host_frames_free(vm->host, channels, hpa, 1);
		return error;
	}
	*result = channels;
	return 0;
}

int svm_channels_leave(struct svm_channels *channels)
{
	for (uint32_t i = 0; i < channels->count; i++) {
		const int error = svm_channel_unmap(&channels->seat[i]);

		if (error && error != SVM_ERR_NOENT)
			return error;
	}
	return 0;
}

int svm_channels_destroy(struct svm_channels *channels)
{
	int error;

	if (!channels)
		return 0;
	error = svm_channels_leave(channels);
	if (!error)
		error = svm_vm_hypercall_handler(channels->vm, SVM_CHANNEL_CALL_FIRST,
		                                 SVM_CHANNEL_CALL_COUNT, NULL, NULL);
	if (error)
		return error;
	for (uint32_t i = 0; i < channels->count; i++)
		svm_channel_stand(&channels->seat[i]);
	svm_host_frames_free(channels->vm->host, channels, channels->hpa, 1);
	return 0;
}

static struct svm_channel_seat *find_seat(struct svm_channels *channels,
                                          const char name[SVM_CHANNEL_NAME_MAX])
{
	for (uint32_t i = 0; i < channels->count; i++)
		if (!memcmp(channels->seat[i].channel->config.name, name, SVM_CHANNEL_NAME_MAX))
			return &channels->seat[i];
	return NULL;
}

static bool rights_are_legal(uint32_t rights)
{
	const uint32_t roles = SVM_CHANNEL_MAY_PUBLISH | SVM_CHANNEL_MAY_SUBSCRIBE;

	if (!(rights & roles) || (rights & ~(roles | SVM_CHANNEL_MAY_WRITE)))
		return false;
	return !(rights & SVM_CHANNEL_MAY_WRITE) || (rights & SVM_CHANNEL_MAY_SUBSCRIBE);
}

int svm_channels_allow(struct svm_channels *channels, struct svm_channel *channel, uint32_t rights)
{
	struct svm_channel_seat *seat;
	int error;

	if (!rights_are_legal(rights) || channel->host != channels->vm->host)
		return SVM_ERR_INVAL;
	if (find_seat(channels, channel->config.name))
		return SVM_ERR_EXIST;
	if (channels->count == SVM_CHANNEL_SEATS_MAX)
		return SVM_ERR_NOMEM;
	seat = &channels->seat[channels->count];
	*seat = (struct svm_channel_seat){ channel, channels, .rights = rights };
	error = svm_channel_sit(channel, seat);
	if (!error)
		channels->count++;
	return error;
}

/* --- calls inside the run -------------------------------------------------------------------- */

static int64_t answer_find(struct svm_channels *channels, const struct svm_hypercall *call)
{
	char name[SVM_CHANNEL_NAME_MAX];
	const struct svm_channel_seat *seat;

	for (unsigned i = 0; i < 4; i++) {
		const uint32_t word = (uint32_t)call->argument[i];

		memcpy(name + 4 * i, &word, sizeof(word));
	}
	seat = find_seat(channels, name);
	return seat ? seat - channels->seat : SVM_CHANNEL_ENOENT;
}

static int64_t answer_info(const struct svm_channel_seat *seat)
{
	uint64_t info = seat->channel->config.pages;

	if (seat->rights & SVM_CHANNEL_MAY_PUBLISH)
		info |= SVM_CHANNEL_INFO_MAY_PUBLISH;
	if (seat->rights & SVM_CHANNEL_MAY_SUBSCRIBE)
		info |= SVM_CHANNEL_INFO_MAY_SUBSCRIBE;
	if (seat->rights & SVM_CHANNEL_MAY_WRITE)
		info |= SVM_CHANNEL_INFO_MAY_WRITE;
	if (svm_atomic_load_relaxed(&seat->is_mapped))
		info |= SVM_CHANNEL_INFO_IS_MAPPED;
	if (svm_channel_is_published(seat->channel))
		info |= SVM_CHANNEL_INFO_IS_PUBLISHED;
	return (int64_t)info;
}

static int64_t answer_of(int error)
{
	switch (error) {
	case SVM_ERR_NOENT:
		return SVM_CHANNEL_ENOENT;
	case SVM_ERR_AGAIN:
		return SVM_CHANNEL_EAGAIN;
	case SVM_ERR_NOMEM:
		return SVM_CHANNEL_ENOMEM;
	case SVM_ERR_BUSY:
		return SVM_CHANNEL_EBUSY;
	case SVM_ERR_EXIST:
		return SVM_CHANNEL_EEXIST;
	case SVM_ERR_INVAL:
	case SVM_ERR_RANGE:
		return SVM_CHANNEL_EINVAL;
	default:
		return error >= 0 ? error : SVM_CHANNEL_EINVAL; /* A count. */
	}
}

static struct svm_channel_seat *seat_of(struct svm_channels *channels,
                                        const struct svm_hypercall *call)
{
	return call->argument[0] < channels->count ? &channels->seat[call->argument[0]] : NULL;
}

/* False: it may sleep. */
static bool answer_at_once(struct svm_channels *channels, const struct svm_hypercall *call,
                           int64_t *answer)
{
	struct svm_channel_seat *seat = seat_of(channels, call);

	if (call->cpl != 0)
		*answer = SVM_CHANNEL_EPERM;
	else if (call->number == SVM_CHANNEL_FIND)
		*answer = answer_find(channels, call);
	else if (!seat)
		*answer = SVM_CHANNEL_ENOENT;
	else if (call->number == SVM_CHANNEL_INFO)
		*answer = answer_info(seat);
	else if (call->number == SVM_CHANNEL_RING)
		*answer = answer_of(svm_channel_ring(seat));
	else
		return false;
	return true;
}

static enum svm_device_result channel_call(void *arg, struct svm_vcpu *vcpu,
                                           struct svm_hypercall *call)
{
	int64_t answer;

	(void)vcpu;
	if (!answer_at_once(arg, call, &answer))
		return SVM_DEVICE_EXIT;
	call->result = (uint64_t)answer;
	return SVM_DEVICE_DONE;
}

/* --- calls outside of it --------------------------------------------------------------------- */

static bool read_wish(const struct svm_channels *channels, const struct svm_hypercall *call,
                      struct svm_channel_wish *wish)
{
	const uint64_t doorbell = call->argument[2];

	*wish = (struct svm_channel_wish){
		.gpa = call->argument[1],
		.is_publisher = call->number == SVM_CHANNEL_PUBLISH,
		.vector = (uint8_t)svm_bits_get(doorbell, DOORBELL_VECTOR),
		.vcpu = (uint32_t)svm_bits_get(doorbell, DOORBELL_VCPU),
	};
	if (doorbell == 0)
		return true;
	return doorbell <= UINT32_MAX && wish->vector >= VECTOR_LEAST &&
	       wish->vcpu < channels->vm->config.vcpu_max;
}

static int64_t answer_map(struct svm_channels *channels, struct svm_channel_seat *seat,
                          const struct svm_hypercall *call)
{
	struct svm_channel_wish wish;
	uint32_t needed;

	if (!read_wish(channels, call, &wish))
		return SVM_CHANNEL_EINVAL;
	needed = wish.is_publisher ? SVM_CHANNEL_MAY_PUBLISH : SVM_CHANNEL_MAY_SUBSCRIBE;
	if (!(seat->rights & needed))
		return SVM_CHANNEL_EPERM;
	return answer_of(svm_channel_map(seat, &wish));
}

static int64_t answer_in_time(struct svm_channels *channels, const struct svm_hypercall *call)
{
	struct svm_channel_seat *seat = seat_of(channels, call);
	int64_t answer;

	if (answer_at_once(channels, call, &answer))
		return answer;
	if (!seat)
		return SVM_CHANNEL_ENOENT;
	if (call->number == SVM_CHANNEL_UNSUBSCRIBE)
		return answer_of(svm_channel_unmap(seat));
	return answer_map(channels, seat, call);
}

int svm_channels_serve(struct svm_channels *channels, struct svm_vcpu *vcpu)
{
	struct svm_hypercall call;

	if (vcpu->owed != SVM_OWED_VALUE || vcpu->vmcb->control.exit_code != SVM_EXIT_VMMCALL)
		return SVM_ERR_STATE;
	svm_vcpu_get_hypercall(vcpu, &call);
	if (call.number - SVM_CHANNEL_CALL_FIRST >= SVM_CHANNEL_CALL_COUNT)
		return SVM_ERR_NOENT;
	return svm_vcpu_complete_value(vcpu, (uint64_t)answer_in_time(channels, &call));
}
