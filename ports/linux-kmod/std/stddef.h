/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_STDDEF_H
#define LIBSVM_LINUX_STDDEF_H
/* Stands in for the compiler's header of the same name: see stdint.h. */
#include <linux/stddef.h>
#include <linux/types.h>

#endif
