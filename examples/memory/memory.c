/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory slots, and which pages a guest has written since the last look.
 *
 * Look at the three slots: one is made of scattered frames, one can only be read, and one lies in
 * the guest's view at an address that has nothing to do with where it lies in the host's.  Then at
 * print_dirty(): this loop, until few pages come back, is how a running guest is copied elsewhere.
 */
#include <common/machine.h>

#define WINDOW UINT64_C(0x10000000) /* Guest-physical addresses. */
#define PIECES UINT64_C(0x20000000)
#define ROM    UINT64_C(0x30000000)
#define PAGES  4u

static void print_dirty(struct machine *m, const char *when)
{
	uint8_t bitmap[1];

	MUST(svm_vm_dirty_fetch(m->vm, WINDOW, PAGES, bitmap)); /* And forgets them. */
	printf("%s, written pages:", when);
	for (unsigned page = 0; page < PAGES; page++)
		if (bitmap[0] >> page & 1)
			printf(" %u", page);
	printf("\n");
}

/* Contiguous in the host: one address and a size. */
static void *add_range(struct machine *m, svm_gpa_t gpa, uint64_t pages, uint32_t prot,
                       svm_hpa_t *hpa)
{
	struct svm_slot slot = { .gpa = gpa, .size = pages * SVM_PAGE_SIZE, .prot = prot };
	void *memory = hosted_guest_alloc(m->hosted, pages, SVM_PAGE_SIZE, &slot.hpa);

	slot.kind = SVM_SLOT_RANGE;
	MUST(svm_vm_slot_add(m->vm, &slot));
	*hpa = slot.hpa;
	return memory;
}

/* A list of frames, here in reverse: page 0 of the slot is the last of them. */
static void add_pieces(struct machine *m, svm_hpa_t frames[2])
{
	const struct svm_slot slot = {
		.gpa = PIECES,
		.size = 2 * SVM_PAGE_SIZE,
		.prot = SVM_PROT_ALL,
		.kind = SVM_SLOT_FRAMES,
		.frames = frames,
	};

	for (unsigned i = 0; i < 2; i++)
		hosted_guest_alloc(m->hosted, 1, SVM_PAGE_SIZE, &frames[1 - i]);
	MUST(svm_vm_slot_add(m->vm, &slot));
}

GUEST_CODE(guest, 32,
           "movl $1, 0x10000000\n"
           "movl $1, 0x10003ffc\n"
           "hlt\n"
           "movl $1, 0x10002000\n"
           "movl $0x70006, 0x20000ffe\n" /* Across two frames that are not neighbours. */
           "mov 0x30000000, %eax\n"
           "mov %eax, 0x30000000\n" /* Refused. */
           "hlt");

int main(void)
{
	svm_hpa_t frames[2], window, rom;
	uint16_t half;
	struct machine m;
	struct svm_exit exit;

	machine_create(&m, 1);
	machine_load(&m, guest, guest_end);
	machine_start_32(m.vcpu);
	add_range(&m, WINDOW, PAGES, SVM_PROT_ALL, &window);
	memcpy(add_range(&m, ROM, 1, SVM_PROT_READ, &rom), "ROM", 4);
	add_pieces(&m, frames);
	MUST(svm_vm_dirty_log(m.vm, WINDOW, SVM_DIRTY_PROTECT));

	printf("%s\n", svm_exit_kind_name(machine_run(m.vcpu, &exit)));
	print_dirty(&m, "first round");
	svm_vcpu_unhalt(m.vcpu); /* Or any interrupt. */
	printf("%s", svm_exit_kind_name(machine_run(m.vcpu, &exit)));
	printf(" at %llx: the slot's rights\n", (unsigned long long)exit.npt.gpa);
	print_dirty(&m, "second round");
	MUST(svm_vm_read(m.vm, PIECES + 0x1000, &half, sizeof(half), NULL));
	printf("upper half of what crossed the frames: %u\n", half);

	MUST(svm_vm_slot_remove(m.vm, WINDOW)); /* From here on no processor can reach it. */
	hosted_guest_free(m.hosted, window, PAGES);
	machine_destroy(&m);
	return EXIT_SUCCESS;
}
