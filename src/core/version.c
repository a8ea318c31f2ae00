/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The version is compiled into the archive, not read from the header by its user: that is the only
 * way to notice that the two do not belong together.
 */
#include <libsvm/version.h>

#define TEXT(x)                      #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *svm_version(void)
{
	return VERSION(SVM_VERSION_MAJOR, SVM_VERSION_MINOR, SVM_VERSION_PATCH);
}

unsigned int svm_version_number(void)
{
	return SVM_VERSION_NUMBER;
}
