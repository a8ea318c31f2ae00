/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_ERROR_H
#define LIBSVM_ERROR_H
/**
 * @file
 * @brief Errors: what the environment or the caller can do wrong.
 *
 * A call that can fail returns 0 or one of these, negative.  What a guest does wrong is never an
 * error of a call: it becomes an exception in the guest or an exit.
 */

/** @addtogroup svm_base
 *  @{ */

/** Every error: name, value, and the sentence that svm_strerror() returns. */
#define SVM_ERRORS(X)                                                                              \
	X(INVAL, -1, "an argument is not of the documented shape")                                 \
	X(NOMEM, -2, "the host has no frame left for a table or an object")                        \
	X(EXIST, -3, "part of the range is in use already")                                        \
	X(NOENT, -4, "nothing is there under that address, number or name")                        \
	X(STATE, -5, "not allowed in the present state of the VM or vCPU")                         \
	X(BUSY, -6, "still in use: a vCPU is running or an object is alive")                       \
	X(FAULT, -7, "the guest address is not mapped, or not with these rights")                  \
	X(AGAIN, -8, "the host cannot serve the page now; page it in and call again")              \
	X(HAL_MISSING, -9, "a mandatory HAL entry is missing")                                     \
	X(HAL_CONTRACT, -10, "the host broke a clause of the HAL's contract")                      \
	X(ABI, -11, "the caller was built against another version of libsvm")                      \
	X(NO_SVM, -12, "this processor has no SVM (CPUID Fn8000_0001 ECX bit 2 is 0)")             \
	X(SVM_DISABLED, -13,                                                                       \
	  "SVM is disabled in VM_CR and not locked: enable it in the firmware set-up")             \
	X(SVM_LOCKED, -14, "SVM is disabled and locked by the firmware until the next reset")      \
	X(SVM_LOCKED_KEY, -15, "SVM is disabled and locked; the firmware's SVM key can unlock it") \
	X(SVM_IN_USE, -16, "EFER.SVME is set already: another hypervisor uses SVM on this CPU")    \
	X(NO_NPT, -17, "this processor has no nested paging (CPUID Fn8000_000A EDX bit 0 is 0)")   \
	X(CPU_MISMATCH, -18, "this CPU's features differ from those of the first CPU")             \
	X(CPU_OFFLINE, -19, "svm_cpu_online() has not succeeded on this CPU")                      \
	X(DEAD, -20, "the VM is dead: an entry failed or an inconsistency was found")              \
	X(INCOMPLETE, -21, "the last exit awaits svm_vcpu_complete()")                             \
	X(RANGE, -22, "the address or size is beyond what the processor can map")                  \
	X(NOSUPPORT, -23, "neither the processor nor the library offers this")                     \
	X(BAD_IMAGE, -24, "the guest image is damaged or lies about its sizes")                    \
	X(FORBIDDEN, -25, "the host does not let this VM have these frames")

/** Negative results of libsvm's calls. */
enum svm_error {
#define SVM_ERROR_ENUM(name, value, text) SVM_ERR_##name = (value),
	SVM_ERRORS(SVM_ERROR_ENUM)
#undef SVM_ERROR_ENUM
};

/**
 * @brief The sentence for an error.
 *
 * @param error  A result of a libsvm call: 0 or negative.
 * @return A constant string; "success" for 0 and "unknown error" for a number that is none.
 * @par Context
 * Any.
 */
const char *svm_strerror(int error);

/**
 * @brief The symbolic name of an error, such as "SVM_ERR_NOMEM".
 *
 * @param error  A result of a libsvm call: 0 or negative.
 * @return A constant string; "0" for 0, "SVM_ERR_?" for a number that is none.
 * @par Context
 * Any.
 */
const char *svm_error_name(int error);

/** @} */

#endif
