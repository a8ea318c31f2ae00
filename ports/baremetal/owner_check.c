/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which frames a guest can have, tried with the library and on every frame that there is: a VM and
 * a vCPU are made, so that there are VMCBs, permission maps and tables among them, and none of all
 * frames may be mapped but those that were given away.
 */
#include "port_check.h"

#include "frames.h"
#include "kprintf.h"
#include "memory.h"

struct counts {
	uint64_t tried, mapped, odd;
};

/* Mapped, or refused by another name than the one that is expected. */
static void try_frame(struct svm_vm *vm, uint64_t pa, struct counts *counts)
{
	const int error = svm_vm_map(vm, 0, pa, PAGE_SIZE, SVM_PROT_ALL);

	counts->tried++;
	if (!error) {
		counts->mapped++;
		counts->odd += svm_vm_unmap(vm, 0, PAGE_SIZE) != 0;
	} else {
		counts->odd += error != SVM_ERR_FORBIDDEN;
	}
}

static struct counts try_all(struct svm_vm *vm)
{
	struct counts counts = { 0 };

	for (uint64_t pa = 0; pa < frames_end(); pa += PAGE_SIZE)
		try_frame(vm, pa, &counts);
	return counts;
}

static bool is_right(const char *what, const struct counts *counts, uint64_t wanted)
{
	const bool passed = counts->tried && counts->mapped == wanted && !counts->odd;

	kprintf("port %s%s%s: owners: %lu of %lu frames can be mapped by a VM %s\n",
	        passed ? color_good() : color_bad(), passed ? "pass" : "FAIL", color_off(),
	        counts->mapped, counts->tried, what);
	return passed;
}

static unsigned int try_with(struct svm_vm *vm)
{
	struct counts counts = try_all(vm);
	unsigned int failed = !is_right("that owns none", &counts, 0);
	uint64_t pa;

	if (!frames_alloc(2, PAGE_SIZE, &pa))
		return failed + 1;
	/* One is some guest's, the other everybody's. */
	if (frames_give(pa, 1, FRAMES_GUEST) && frames_give(pa + PAGE_SIZE, 1, FRAMES_SHARED)) {
		counts = try_all(vm);
		failed += !is_right("when one is shared and one another guest's", &counts, 1);
	} else {
		failed++;
	}
	frames_free(pa, 2);
	counts = (struct counts){ 0 };
	try_frame(vm, pa, &counts);
	try_frame(vm, pa + PAGE_SIZE, &counts);
	return failed + !is_right("once they are free again", &counts, 0);
}

unsigned int port_check_owners(struct svm_host *host)
{
	const struct svm_vm_config config = { .vcpu_max = 1 };
	struct svm_vcpu *vcpu = NULL;
	struct svm_vm *vm;
	unsigned int failed = 0;

	if (svm_vm_create(host, &config, &vm))
		return 1;
	if (svm_vcpu_create(vm, 0, &vcpu))
		failed++;
	else
		failed += try_with(vm);
	if (vcpu && svm_vcpu_destroy(vcpu))
		failed++;
	return failed + (svm_vm_destroy(vm) != 0);
}
