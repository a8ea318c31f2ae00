/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_CAPTURE_H
#define LIBSVM_CAPTURE_H
/**
 * @file
 * @brief The second recorder, opt-in: all that the library reads, so that a run can be replayed.
 *
 * What the library does follows from the calls that are made and from what it reads: the processor,
 * the HAL, guest memory, the answers of callbacks.  A capture holds all of it, and what the library
 * made of it: each VMCB and the registers that it gave to VMRUN.  `tests/replay` repeats the calls
 * against the library in a process, without the guest, and says where it behaves differently.
 *
 * A program takes part by being linked with @c libsvm-capture and its options for the linker, which
 * lead calls that cross the library's border through the recorder; the library itself stays as it
 * is.  @c docs/recorder.md says how.
 */
#include <libsvm/error.h>
#include <libsvm/types.h>

/** @addtogroup svm_why
 *  @{ */

/** Version of the format. */
#define SVM_CAPTURE_VERSION 1u

/**
 * @brief Take the next bytes of a capture.
 *
 * Context A; calls neither the library nor fails: who has no room drops them, and the capture ends
 * there for whoever replays it.
 */
typedef void (*svm_capture_fn)(void *arg, const void *data, size_t size);

/**
 * @brief Begin to record; before svm_host_create(), since a replay begins with it.
 *
 * Objects that exist already are not part of it.  One thread at a time may be inside the library as
 * long as it lasts, or until svm_capture_split().  The capture holds what the guest's registers and
 * the pages that the library read held: who passes it on passes that on.
 *
 * @param write  Where to.
 * @param arg    Its first argument.
 * @retval 0              Begun.
 * @retval SVM_ERR_BUSY   There is one already, or the host that was recorded last is there still.
 * @retval SVM_ERR_INVAL  @p write is NULL.
 * @par Context
 * T.
 */
SVM_MUST_CHECK int svm_capture_begin(svm_capture_fn write, void *arg);

/** Captures at once. */
#define SVM_CAPTURE_BRANCHES 4u

/** Where the capture of one vCPU goes on. */
struct svm_capture_branch {
	struct svm_vcpu *vcpu;
	svm_capture_fn write; /**< May be called while another branch's is. */
	void *arg;            /**< Its first argument. */
};

/**
 * @brief Go on with a capture for each of some vCPUs, so that they can run at once.
 *
 * What was written until now and then what a branch writes is the capture of that branch's vCPU,
 * and replays by itself.  The function that svm_capture_begin() was given is not called any more.
 *
 * From then on one thread for each of these vCPUs may be inside the library.  While it is, it stays
 * on the CPU that the HAL says it is on, and no other thread of that CPU comes in.  Of a branch are
 * the calls on its vCPU, and svm_vm_reserve() from the CPU where it ran last; a kick, a
 * notification, the end of a halt or an NMI may come from any CPU.  A branch ends early, and says
 * so, where what it depends on happens beside it: any other call that changes the host or a VM ends
 * all of them, and a call on its vCPU from a callback of another one, or that registers a callback,
 * ends that one.  vCPUs without a branch may run too, and are in none.
 *
 * vCPUs of one VM see each other's memory: a page that changed is recorded again each time that the
 * library comes to it, and what the library writes there is not compared.
 *
 * @param branch  Of different vCPUs, each made since svm_capture_begin().
 * @param count   1 to ::SVM_CAPTURE_BRANCHES.
 * @retval 0              Split.
 * @retval SVM_ERR_STATE  There is no capture, or it is split already.
 * @retval SVM_ERR_INVAL  A branch or the count is not of the shape above.
 * @retval SVM_ERR_NOMEM  It ended before, as svm_capture_end() says.
 * @par Context
 * T, while no thread is inside the library.
 */
SVM_MUST_CHECK int svm_capture_split(const struct svm_capture_branch *branch, size_t count);

/**
 * @brief End it, or all branches; what is not written yet is.
 *
 * No thread is inside the library.  Branches are ended before what several of them share is.
 *
 * @retval 0              It holds everything, and each branch does.
 * @retval SVM_ERR_STATE  There is none.
 * @retval SVM_ERR_NOMEM  It ended before: a table of the recorder was full, svm_selftest() ran, or
 *                        a branch ended early.
 * @par Context
 * T, not from a callback.
 */
SVM_MUST_CHECK int svm_capture_end(void);

/** @} */

#endif
