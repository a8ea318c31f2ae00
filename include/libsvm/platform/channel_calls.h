/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_PLATFORM_CHANNEL_CALLS_H
#define LIBSVM_PLATFORM_CHANNEL_CALLS_H
/**
 * @file
 * @brief What a guest says to use a channel (channel.h).  Macros only, for assemblers too.
 *
 * A call is VMMCALL at CPL 0 with the number in EAX and arguments in EBX, ECX, EDX, ESI, or in the
 * whole registers in 64-bit code.  The answer is in EAX or RAX; one of the errors below is negative
 * in the width of the code that makes the call.  No other register changes.
 */

/** @addtogroup svm_platform
 *  @{ */

/* FIND: a name of up to 15 bytes, padded with zeros, 4 in the lower half of each argument.
 * Answers the number by which the other calls know the channel. */
#define SVM_CHANNEL_FIND        0x53564d00
/* INFO: number.  Answers SVM_CHANNEL_INFO_*. */
#define SVM_CHANNEL_INFO        0x53564d01
/* RING: number.  Rings at the subscribers, or as a subscriber at the publisher.  Answers how many
 * have a doorbell. */
#define SVM_CHANNEL_RING        0x53564d02
/* PUBLISH: number, guest-physical address, doorbell.  The memory, all zeros if nobody has mapped
 * it, appears there, to be read and written.  There is one publisher.  Answers 0. */
#define SVM_CHANNEL_PUBLISH     0x53564d03
/* SUBSCRIBE: the same, once there is a publisher; to be read, and written if allowed. */
#define SVM_CHANNEL_SUBSCRIBE   0x53564d04
/* UNSUBSCRIBE: number.  Takes the caller's mapping away, also the publisher's.  Answers 0. */
#define SVM_CHANNEL_UNSUBSCRIBE 0x53564d05

#define SVM_CHANNEL_CALL_FIRST SVM_CHANNEL_FIND
#define SVM_CHANNEL_CALL_COUNT 6

/* A doorbell: a vector from 32 to 255 for the local APIC of a vCPU.  0 is none. */
#define SVM_CHANNEL_DOORBELL(vcpu, vector) ((vcpu) << 8 | (vector))

/* Of INFO. */
#define SVM_CHANNEL_INFO_PAGES         0x0000ffff /* Of 4096 bytes. */
#define SVM_CHANNEL_INFO_MAY_PUBLISH   0x00010000
#define SVM_CHANNEL_INFO_MAY_SUBSCRIBE 0x00020000
#define SVM_CHANNEL_INFO_MAY_WRITE     0x00040000 /* As a subscriber. */
#define SVM_CHANNEL_INFO_IS_MAPPED     0x00080000 /* By the caller. */
#define SVM_CHANNEL_INFO_IS_PUBLISHED  0x00100000

/* Errors. */
#define SVM_CHANNEL_EPERM  (-1)  /* Not from CPL 0, or not allowed. */
#define SVM_CHANNEL_ENOENT (-2)  /* No such channel, or nothing mapped. */
#define SVM_CHANNEL_EAGAIN (-11) /* Nobody has published yet. */
#define SVM_CHANNEL_ENOMEM (-12)
#define SVM_CHANNEL_EBUSY  (-16) /* The caller has mapped it, or another is the publisher. */
#define SVM_CHANNEL_EEXIST (-17) /* Something else is at that address. */
#define SVM_CHANNEL_EINVAL (-22) /* An address or a doorbell that cannot be. */

/** @} */

#endif
