/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_SWITCH_H
#define LIBSVM_LINUX_SWITCH_H
/*
 * What the world switch has to be for Linux: a function that objtool understands, with the return
 * thunk that this processor needs, where neither ftrace nor kprobes may put anything.
 */
#include <linux/linkage.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#define SVM_SWITCH_BEGIN(name) .section .noinstr.text, "ax"; SYM_FUNC_START(name)
#define SVM_SWITCH_END(name)   SYM_FUNC_END(name)
#define SVM_SWITCH_RET         RET
#define SVM_SWITCH_LOCAL_CALL  ANNOTATE_INTRA_FUNCTION_CALL

#endif
