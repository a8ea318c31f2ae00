/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * SVM is there, is allowed, is on: three different things.  CPUID says the first; firmware may have
 * said no to the second, in VM_CR; EFER.SVME is the third.  APM vol. 2, 15.4 and 15.30.
 */
#include <stddef.h>

#include "cpu.h"
#include "frames.h"
#include "svm.h"

#define EFER     0xc0000080
#define VM_CR    0xc0010114
#define VM_HSAVE 0xc0010117

#define EFER_SVME    0x1000
#define VM_CR_SVMDIS 0x10

const char *svm_enable(void)
{
	if (read_cpuid(0x80000000).eax < 0x8000000a)
		return "the processor is too old";
	if (!(read_cpuid(0x80000001).ecx & 4))
		return "the processor has no SVM";
	if (!(read_cpuid(0x8000000a).edx & 1))
		return "the processor has no nested paging";
	if (read_msr(VM_CR) & VM_CR_SVMDIS)
		return "firmware has disabled SVM";
	write_msr(EFER, read_msr(EFER) | EFER_SVME);
	/* Where VMRUN keeps the host's state.  Its form is the processor's own business. */
	write_msr(VM_HSAVE, (uintptr_t)frame_alloc());
	return NULL;
}
