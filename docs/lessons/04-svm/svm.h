/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_H
#define SVM_H

/* Switch SVM on for this processor.  NULL, or why not. */
const char *svm_enable(void);

#endif
