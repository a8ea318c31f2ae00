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
#pragma GCC visibility push(hidden)
#endif

#endif
