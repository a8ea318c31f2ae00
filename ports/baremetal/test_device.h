/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Device memory for tests: 64 KiB at guest-physical FEB00000h that behave like RAM, except that
 * each access is an exit and is finished by the library's emulator.  A guest can so compare what
 * an instruction does to memory with what the emulator makes of it.
 */
#ifndef BAREMETAL_TEST_DEVICE_H
#define BAREMETAL_TEST_DEVICE_H

#include <libsvm/libsvm.h>

#define TEST_DEVICE_GPA  0xfeb00000ull
#define TEST_DEVICE_SIZE 0x10000ull

struct test_device {
	uint8_t *bytes; /**< NULL: there is none */
	uint64_t pa;
	uint64_t reads, writes;
};

/**
 * @brief Put a device full of zeros into a VM.
 * @retval 0              Done.
 * @retval SVM_ERR_NOMEM  No frames.
 * @return Otherwise what svm_vm_mmio_handler() returns; the device holds nothing then.
 */
int test_device_make(struct test_device *device, struct svm_vm *vm);

/** Give its frames back, if it has any; its VM is gone, or will not run again. */
void test_device_unmake(struct test_device *device);

#endif
