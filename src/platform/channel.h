/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_PLATFORM_CHANNEL_H
#define SVM_PLATFORM_CHANNEL_H
/*
 * Channels and those who sit at them.
 *
 * A seat is a VM's right to a channel, and what it has made of it.  Two locks of the channel: the
 * mutex serialises who maps and unmaps, the spin lock guards what a doorbell looks at.  Order:
 * mutex, the VM's own locks, spin lock; a doorbell is rung under the spin lock, so that it is not
 * rung at a VM that has left.
 */
#include <libsvm/platform/channel.h>

#include "core/vm.h"

struct svm_channel_seat {
	struct svm_channel *channel; /* NULL: free. */
	struct svm_channels *owner;
	uint32_t rights;
	svm_gpa_t gpa; /* Under the mutex. */
	/* Under both locks. */
	bool is_mapped, is_publisher;
	uint8_t vector; /* 0: no doorbell. */
	uint32_t vcpu;
};

struct svm_channel {
	struct svm_host *host;
	struct svm_channel_config config;
	uintptr_t mutex; /* Of the HAL. */
	uint32_t spin;   /* Atomic. */
	struct svm_channel_seat *seat[SVM_CHANNEL_SEATS_MAX]; /* NULL: free. */
	svm_hpa_t hpa;   /* Of this object. */
};

struct svm_channels {
	struct svm_vm *vm;
	svm_doorbell_fn ring;
	void *arg;
	uint32_t count;
	struct svm_channel_seat seat[SVM_CHANNEL_SEATS_MAX]; /* By the number that the guest has. */
	svm_hpa_t hpa;
};

_Static_assert(sizeof(struct svm_channel) <= SVM_PAGE_SIZE, "one frame");
_Static_assert(sizeof(struct svm_channels) <= SVM_PAGE_SIZE, "one frame");

/* --- channel.c: results are enum svm_error, or what a doorbell counts ------------------------ */

int svm_channel_sit(struct svm_channel *channel, struct svm_channel_seat *seat);
/* Nothing of it is mapped. */
void svm_channel_stand(struct svm_channel_seat *seat);

/* What a guest wants to map. */
struct svm_channel_wish {
	svm_gpa_t gpa;
	bool is_publisher;
	uint8_t vector;
	uint32_t vcpu;
};

/* AGAIN: no publisher.  BUSY: there is one, or the seat has mapped.  As svm_vm_slot_add() else. */
int svm_channel_map(struct svm_channel_seat *seat, const struct svm_channel_wish *wish);
/* NOENT: nothing mapped. */
int svm_channel_unmap(struct svm_channel_seat *seat);
/* How many were rung at; NOENT: the seat has mapped nothing. */
int svm_channel_ring(struct svm_channel_seat *seat);
bool svm_channel_is_published(struct svm_channel *channel);

#endif
