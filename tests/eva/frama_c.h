/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Included first where sources see the VMCB.  Frama-C 25 knows neither GCC's name for offsetof() nor
 * how to evaluate one in an assertion; the compilers have tried the assertions already.
 */
#ifndef TESTS_EVA_FRAMA_C_H
#define TESTS_EVA_FRAMA_C_H

#define __builtin_offsetof(type, member) ((__SIZE_TYPE__) & ((type *)0)->member)
#define _Static_assert(condition, text)  struct frama_c_asserted

#endif
