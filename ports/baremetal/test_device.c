/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The device of test_device.h.  Its bytes are copied whatever their number and alignment: what
 * real devices refuse or merge is not what the tests are about.
 */
#include "test_device.h"

#include "frames.h"
#include "memory.h"
#include "string.h"

/* The library calls for accesses within the range only; one page holds the whole access. */
static enum svm_device_result access_device(void *arg, struct svm_vcpu *vcpu,
                                            struct svm_mmio_access *access)
{
	struct test_device *device = arg;
	uint8_t *bytes = device->bytes + (access->gpa - TEST_DEVICE_GPA);

	(void)vcpu;
	if (access->is_write) {
		memcpy(bytes, access->data, access->size);
		device->writes++;
	} else {
		memcpy(access->data, bytes, access->size);
		device->reads++;
	}
	return SVM_DEVICE_DONE;
}

int test_device_make(struct test_device *device, struct svm_vm *vm)
{
	int error;

	*device = (struct test_device){ 0 };
	device->bytes = frames_alloc(TEST_DEVICE_SIZE / PAGE_SIZE, PAGE_SIZE, &device->pa);
	if (!device->bytes)
		return SVM_ERR_NOMEM;
	error = svm_vm_mmio_handler(vm, TEST_DEVICE_GPA, TEST_DEVICE_SIZE, access_device, device);
	if (error)
		test_device_unmake(device);
	return error;
}

void test_device_unmake(struct test_device *device)
{
	if (device->bytes)
		frames_free(device->pa, TEST_DEVICE_SIZE / PAGE_SIZE);
	device->bytes = NULL;
}
