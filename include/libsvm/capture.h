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
 * long as it lasts.  The capture holds what the guest's registers and the pages that the library
 * read held: who passes it on passes that on.
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

/**
 * @brief End it; what is not written yet is.
 * @retval 0              It holds everything.
 * @retval SVM_ERR_STATE  There is none.
 * @retval SVM_ERR_NOMEM  It ended before: a table of the recorder was full, or svm_selftest() ran.
 * @par Context
 * T, not from a callback.
 */
SVM_MUST_CHECK int svm_capture_end(void);

/** @} */

#endif
