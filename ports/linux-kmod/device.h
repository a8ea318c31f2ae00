/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef LIBSVM_LINUX_DEVICE_H
#define LIBSVM_LINUX_DEVICE_H

int device_start(void);
void device_stop(void);

#endif
