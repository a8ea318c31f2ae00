/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_VERSION_H
#define LIBSVM_VERSION_H
/**
 * @file
 * @brief Which libsvm this is: the headers' version, and the linked library's.
 *
 * The two differ when an archive is older or newer than the headers that its user compiled against.
 * Before 1.0 every minor number may change the interface.
 */

/** @addtogroup svm_base
 *  @{ */

/** Version of these headers, one number per part. */
#define SVM_VERSION_MAJOR 0
#define SVM_VERSION_MINOR 1
#define SVM_VERSION_PATCH 0

/** Version of these headers as one number that can be compared: 8 bits for each part. */
#define SVM_VERSION_NUMBER                                                                         \
	((SVM_VERSION_MAJOR << 16) | (SVM_VERSION_MINOR << 8) | SVM_VERSION_PATCH)

/**
 * @brief The version of the linked library.
 *
 * @return A constant string, "MAJOR.MINOR.PATCH".
 * @par Context
 * Any.
 */
const char *svm_version(void);

/**
 * @brief The version of the linked library as one number, in the shape of SVM_VERSION_NUMBER.
 *
 * @return The number; differs from SVM_VERSION_NUMBER where headers and archive are of two
 * versions.
 * @par Context
 * Any.
 */
unsigned int svm_version_number(void);

/** @} */

#endif
