/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_CHANNEL_H
#define LIBSVM_PLATFORM_CHANNEL_H
/**
 * @file
 * @brief Memory that VMs share, and doorbells between them.
 *
 * A channel is a piece of the embedder's memory with a name.  The embedder says which VM may
 * publish it, which may subscribe, and who may write; the guests say where in their memory it
 * appears and what interrupt is their doorbell (channel_calls.h).  The memory is the channel's and
 * no VM's, so it does not matter which of them ends first: each takes only its own mapping away.
 * When the last is gone the memory is cleared, and nobody reads what earlier users left.
 *
 * Both sides are hostile to each other.  Shared bytes may change at any time: whoever takes
 * something from them copies it first.  A doorbell is an edge and says nothing; ten of them may
 * arrive as one.
 *
 * Calls that map and unmap may sleep, so the run returns HYPERCALL for them: hand it to
 * svm_channels_serve().  FIND, INFO and RING are finished inside the run.
 */
#include <libsvm/platform/channel_calls.h>
#include <libsvm/vcpu.h>

/** @addtogroup svm_platform
 *  @{ */

/** A channel; opaque. */
struct svm_channel;
/** The channels that one VM may use; opaque. */
struct svm_channels;

/** Bytes of a name, NUL included. */
#define SVM_CHANNEL_NAME_MAX 16u
/** Most pages of a channel. */
#define SVM_CHANNEL_PAGES_MAX 256u
/** Most VMs that may use one channel, and most channels that one VM may use. */
#define SVM_CHANNEL_SEATS_MAX 8u

/* What a VM may do; OR of these. */
#define SVM_CHANNEL_MAY_PUBLISH   SVM_BIT(0) /* To read and write. */
#define SVM_CHANNEL_MAY_SUBSCRIBE SVM_BIT(1) /* To read ... */
#define SVM_CHANNEL_MAY_WRITE     SVM_BIT(2) /* ... and write, as a subscriber. */

/** What a channel is made of. */
struct svm_channel_config {
	char name[SVM_CHANNEL_NAME_MAX]; /**< Not empty; zeros behind its end. */
	svm_hpa_t hpa;  /**< Memory of the embedder; write-back; multiple of 4096. */
	uint64_t pages; /**< 1 … ::SVM_CHANNEL_PAGES_MAX. */
};

/**
 * @brief Make a channel; its memory is cleared.
 * @param host          The host of all VMs that will use it.
 * @param config        Copied.
 * @param[out] channel  The channel.
 * @retval 0              Made.
 * @retval SVM_ERR_INVAL  @p config is not of its shape.
 * @retval SVM_ERR_NOMEM  No frame.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_channel_create(struct svm_host *host,
                                      const struct svm_channel_config *config,
                                      struct svm_channel **channel);

/**
 * @brief Unmake a channel; its memory is cleared, and the embedder's again.
 * @retval 0             Gone.
 * @retval SVM_ERR_BUSY  A VM may still use it.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_channel_destroy(struct svm_channel *channel);

/**
 * @brief Ring at a VM: send it an interrupt.
 *
 * Context A, any thread, also while the VM is running; not after svm_channels_destroy().
 *
 * @param arg     As given.
 * @param vcpu    Below the VM's svm_vm_config.vcpu_max.
 * @param vector  32 … 255.
 */
typedef void (*svm_doorbell_fn)(void *arg, uint32_t vcpu, uint8_t vector);

/**
 * @brief Let a VM make the calls; so far there is no channel that it may use.
 * @param vm             None of its vCPUs runs.
 * @param ring           Rings at this VM.
 * @param arg            Its first argument.
 * @param[out] channels  The VM's channels.
 * @retval 0              Done.
 * @retval SVM_ERR_EXIST  The VM has channels, or somebody else takes their hypercalls.
 * @retval SVM_ERR_NOMEM  No frame, or no room for a callback.
 * @retval SVM_ERR_BUSY   A vCPU runs.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_channels_create(struct svm_vm *vm, svm_doorbell_fn ring, void *arg,
                                       struct svm_channels **channels);

/**
 * @brief Take all mappings and rights away; before svm_vm_destroy().
 * @param channels  None of the VM's vCPUs runs.  NULL: nothing.
 * @retval 0              Gone.
 * @retval SVM_ERR_NOMEM  No frame to unmap with: call again.
 * @retval SVM_ERR_BUSY   A vCPU runs: call again.
 * @retval SVM_ERR_NOENT  The callback was taken away by somebody else; nothing was freed.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_channels_destroy(struct svm_channels *channels);

/**
 * @brief Let a VM use a channel.
 * @param channels  The VM's.
 * @param channel   Made on the VM's host.
 * @param rights    OR of SVM_CHANNEL_MAY_*.
 * @retval 0              Done.
 * @retval SVM_ERR_INVAL  No right, an unknown one, WRITE without SUBSCRIBE, or another host.
 * @retval SVM_ERR_EXIST  The VM may use it, or one of its name, already.
 * @retval SVM_ERR_NOMEM  ::SVM_CHANNEL_SEATS_MAX reached, of the VM or of the channel.
 * @par Context
 * T; before the VM's first run.
 */
SVM_MUST_CHECK int svm_channels_allow(struct svm_channels *channels, struct svm_channel *channel,
                                      uint32_t rights);

/**
 * @brief Carry a call out, and complete its exit.
 * @param channels  The VM's.
 * @param vcpu      Its exit of kind HYPERCALL awaits completion.
 * @retval 0              Done; the guest has its answer.
 * @retval SVM_ERR_NOENT  Not a call of channels; nothing was done.
 * @retval SVM_ERR_STATE  No hypercall awaits completion.
 * @par Context
 * T, the vCPU's thread.  It waits until no CPU uses what it unmaps.
 */
SVM_MUST_CHECK int svm_channels_serve(struct svm_channels *channels, struct svm_vcpu *vcpu);

/**
 * @brief Take all mappings away, as UNSUBSCRIBE would: the guest is reset, say.
 * @retval 0              Nothing is mapped.
 * @retval SVM_ERR_NOMEM  No frame to unmap with: call again.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_channels_leave(struct svm_channels *channels);

/** @} */

#endif
