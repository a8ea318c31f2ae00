/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Errors in words.  A switch and not an array: the compiler then refuses two errors with one
 * number, and a number that is none cannot index anything.
 */
#include <libsvm/error.h>

const char *svm_strerror(int error)
{
	switch (error) {
	case 0:
		return "success";
#define ERROR_TEXT(name, value, text)                                                              \
	case (value):                                                                              \
		return text;
		SVM_ERRORS(ERROR_TEXT)
#undef ERROR_TEXT
	default:
		return "unknown error";
	}
}

const char *svm_error_name(int error)
{
	switch (error) {
	case 0:
		return "0";
#define ERROR_NAME(name, value, text)                                                              \
	case (value):                                                                              \
		return "SVM_ERR_" #name;
		SVM_ERRORS(ERROR_NAME)
#undef ERROR_NAME
	default:
		return "SVM_ERR_?";
	}
}
