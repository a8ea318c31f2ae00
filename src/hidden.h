/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Included before everything else in the position independent build (code_model=pic).
 *
 * Such code reaches what another file defines through a global offset table, since a shared library
 * might define it.  The loader of a kernel or a firmware image need not have one, and all of this
 * library ends up in one image: everything is hidden.  (-fvisibility=hidden would hide definitions
 * only.)
 */
#ifndef SVM_HIDDEN_H
#define SVM_HIDDEN_H

#ifndef __ASSEMBLER__

/* What the host brings along is not ours to hide: a process has these in a shared library. */
#define SVM_VISIBLE __attribute__((visibility("default")))
SVM_VISIBLE int memcmp(const void *left, const void *right, __SIZE_TYPE__ size);
SVM_VISIBLE void *memcpy(void *to, const void *from, __SIZE_TYPE__ size);
SVM_VISIBLE void *memmove(void *to, const void *from, __SIZE_TYPE__ size);
SVM_VISIBLE void *memset(void *to, int byte, __SIZE_TYPE__ size);
#undef SVM_VISIBLE

#pragma GCC visibility push(hidden)

#endif

#endif
