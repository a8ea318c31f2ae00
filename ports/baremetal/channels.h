/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * The channels of the configuration: made when it is read, for as long as the program runs.
 */
#ifndef BAREMETAL_CHANNELS_H
#define BAREMETAL_CHANNELS_H

#include <libsvm/platform/channel.h>

#include "guest_config.h"

#define CHANNELS_MAX 16

/** Says what is wrong, as guest_config_reader.complain(). */
typedef void (*channels_complain_fn)(void *arg, struct guest_config_place place,
                                     const char *message);

/** Make those that a guest publishes. False: complained. T. */
bool channels_publish(struct svm_host *host, const struct guest_config *config,
                      channels_complain_fn complain);

/** Does somebody publish all that a guest subscribes to? False: complained, with @p arg. */
bool channels_check(const struct guest_config *config, channels_complain_fn complain, void *arg);

/**
 * @brief Give a VM the channels that its configuration allows it.
 * @param vm        None of its vCPUs has run.
 * @param config    Of a guest without objections.
 * @param ring      Rings at the VM.
 * @param arg       Its first argument.
 * @param[out] channels  NULL if there are none.
 * @return As svm_channels_create() and svm_channels_allow(). T.
 */
int channels_give(struct svm_vm *vm, const struct guest_config *config, svm_doorbell_fn ring,
                  void *arg, struct svm_channels **channels);

/** Unmake them; no VM is left. The number of those that were not. T. */
unsigned int channels_close(void);

#endif
