/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The least that proves an installed libsvm: its headers are found, its archive is whole, the two
 * are of one version.  Nothing here needs ring 0, so an ordinary process will do.
 */
#include <stdio.h>

#include <libsvm/libsvm.h>

int main(void)
{
	if (svm_version_number() != SVM_VERSION_NUMBER)
		return 1;
	printf("libsvm %s\n", svm_version());
	return 0;
}
