/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory of the process that the guest has: mapped, taken away, moved, logged, also under a guest
 * that runs.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm.h"

/* The kernel takes pages away and gives others: the guest sees what the process sees. */
static void paging(void)
{
	static const uint8_t code[] = {
		0xa0, 0x00, 0x40,       /* mov al, [4000h] */
		0xc6, 0x06, 0x00, 0x50, 0x11, /* mov byte [5000h], 11h */
		0xf4,                   /* hlt */
		0xeb, 0xf5,             /* again */
	};
	struct kvm_regs regs = { 0 };
	struct machine m;

	machine_open(&m);
	START(&m, code);
	for (unsigned round = 0; round < 50 && !failed; round++) {
		const uint8_t value = (uint8_t)(round + 1);

		if (round % 2)
			madvise(m.memory + 0x4000, 0x2000, MADV_DONTNEED);
		else
			m.memory[0x4000] = value;
		run_to(&m, KVM_EXIT_HLT);
		ioctl(m.vcpu, KVM_GET_REGS, &regs);
		EXPECT((regs.rax & 0xff) == (round % 2 ? 0 : value), regs.rax & 0xff);
		EXPECT(m.memory[0x5000] == 0x11, m.memory[0x5000]);
		m.memory[0x5000] = 0;
	}
	munmap(m.memory + 0x4000, 0x1000);
	EXPECT(run(&m) == -1 && errno == EFAULT, 0);
	machine_close(&m);
}

/* --- while the guest runs -------------------------------------------------------------------- */

static volatile bool runner_ends;

static bool may_go_on(const struct machine *m, int result)
{
	if (result)
		return errno == EFAULT;
	return m->run->exit_reason == KVM_EXIT_MMIO || m->run->exit_reason == KVM_EXIT_IO;
}

/* Holes, and memory that may not be written now, are passed over: whoever made them mends them. */
static void *runner(void *arg)
{
	struct machine *const m = arg;

	while (!runner_ends && may_go_on(m, run(m)))
		;
	return NULL;
}

static void run_beside(struct machine *m, pthread_t *thread)
{
	static const uint8_t code[] = {
		0xff, 0x06, 0x00, 0x40, /* inc word [4000h] */
		0xe6, 0x80,             /* out 80h, al */
		0xeb, 0xf8,             /* again */
	};

	START(m, code);
	runner_ends = false;
	pthread_create(thread, NULL, runner, m);
}

/* The guest counts in memory that the process sees: not where the page was, but where it is. */
static bool counts(const struct machine *m)
{
	const volatile uint16_t *const counter = (volatile uint16_t *)(m->memory + 0x4000);
	const uint16_t before = *counter;

	for (unsigned i = 0; i < 2000; i++) {
		if (*counter != before)
			return true;
		usleep(1000);
	}
	return false;
}

static void paging_beside(void)
{
	struct machine m;
	pthread_t thread;

	machine_open(&m);
	run_beside(&m, &thread);
	for (unsigned round = 0; round < 200 && !failed; round++) {
		switch (round % 3) {
		case 0:
			madvise(m.memory + 0x4000, 0x1000, MADV_DONTNEED);
			break;
		case 1:
			mprotect(m.memory + 0x4000, 0x1000, PROT_READ);
			mprotect(m.memory + 0x4000, 0x1000, PROT_READ | PROT_WRITE);
			break;
		default:
			mmap(m.memory + 0x4000, 0x1000, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
			break;
		}
		EXPECT(counts(&m), round);
	}
	runner_ends = true;
	pthread_join(thread, NULL);
	machine_close(&m);
}

/* Memory is taken away and given back, behind the address another page each time. */
static void slots_beside(void)
{
	uint8_t *const pages = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE,
	                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine m;
	pthread_t thread;

	machine_open(&m);
	EXPECT(set_slot(&m, 0, 0, 0, NULL, 0) == 0, 0);
	EXPECT(set_slot(&m, 0, 0, 0x4000, m.memory, 0) == 0, 0);
	EXPECT(set_slot(&m, 1, 0x4000, 0x1000, pages, 0) == 0, 0);
	run_beside(&m, &thread);
	for (unsigned round = 0; round < 100 && !failed; round++) {
		uint8_t *const page = pages + 0x1000 * (round % 2);
		const struct machine shown = { .memory = page - 0x4000 };
		uint16_t before;

		EXPECT(set_slot(&m, 1, 0, 0, NULL, 0) == 0, round);
		before = *(volatile uint16_t *)(pages + 0x1000 * (1 - round % 2));
		EXPECT(set_slot(&m, 1, 0x4000, 0x1000, page, 0) == 0, round);
		EXPECT(counts(&shown), round);
		/* Nobody writes to the old page any more. */
		EXPECT(*(volatile uint16_t *)(pages + 0x1000 * (1 - round % 2)) == before, round);
	}
	runner_ends = true;
	pthread_join(thread, NULL);
	machine_close(&m);
	munmap(pages, 0x2000);
}

/* --- slots ------------------------------------------------------------------------------------ */

static void slots(void)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff,       /* mov ax, ffffh */
		0x8e, 0xd8,             /* mov ds, ax: base ffff0h */
		0xa0, 0x10, 0x00,       /* mov al, [10h]: 100000h */
		0xa2, 0x11, 0x00,       /* mov [11h], al */
		0xf4,                   /* hlt */
	};
	uint8_t *const page = mmap(NULL, 0x2000, PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine m;

	machine_open(&m);
	page[0] = 0x21;
	EXPECT(set_slot(&m, 1, MEMORY - 0x1000, 0x1000, page, 0) == -1 && errno == EEXIST, 0);
	EXPECT(set_slot(&m, 1, MEMORY + 1, 0x1000, page, 0) == -1 && errno == EINVAL, 0);
	EXPECT(set_slot(&m, 40000, MEMORY, 0x1000, page, 0) == -1 && errno == EINVAL, 0);
	EXPECT(set_slot(&m, 1, MEMORY, 0x1000, page, 0) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(page[1] == 0x21, page[1]);
	EXPECT(set_slot(&m, 1, MEMORY, 0x2000, page, 0) == -1 && errno == EINVAL, 0);
	/* Moved: the old address is a hole. */
	EXPECT(set_slot(&m, 1, MEMORY + 0x1000, 0x1000, page, 0) == 0, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_MMIO);
	EXPECT(m.run->mmio.phys_addr == MEMORY && !m.run->mmio.is_write, 0);
	EXPECT(set_slot(&m, 1, 0, 0, page, 0) == 0, 0);
	machine_close(&m);
	munmap(page, 0x2000);
}

static void readonly_slot(void)
{
	static const uint8_t code[] = {
		0xb8, 0xff, 0xff, 0x8e, 0xd8, /* ds = ffffh */
		0xa0, 0x10, 0x00,             /* mov al, [10h]: 100000h */
		0xa2, 0x11, 0x00,             /* mov [11h], al */
		0xf4,
	};
	uint8_t *const page = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE,
	                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct machine m;

	machine_open(&m);
	page[0] = 0x31;
	if (ioctl(m.device, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) == 1) {
		EXPECT(set_slot(&m, 1, MEMORY, 0x1000, page, KVM_MEM_READONLY) == 0, 0);
		START(&m, code);
		run_to(&m, KVM_EXIT_MMIO);
		EXPECT(m.run->mmio.phys_addr == MEMORY + 1 && m.run->mmio.is_write, 0);
		EXPECT(m.run->mmio.data[0] == 0x31, m.run->mmio.data[0]);
		run_to(&m, KVM_EXIT_HLT);
		EXPECT(page[1] == 0, page[1]);
	}
	machine_close(&m);
	munmap(page, 0x1000);
}

static void dirty_log(void)
{
	static const uint8_t code[] = { 0xa0, 0x00, 0x40, 0xa2, 0x00, 0x50, 0xf4, 0xeb, 0xf7 };
	uint8_t bitmap[MEMORY / 4096 / 8];
	struct kvm_dirty_log log = { .slot = 0, .dirty_bitmap = bitmap };
	struct machine m;

	machine_open(&m);
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == -1 && errno == ENOENT, 0);
	START(&m, code);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(set_slot(&m, 0, 0, MEMORY, m.memory, KVM_MEM_LOG_DIRTY_PAGES) == 0, 0);
	for (unsigned round = 0; round < 3; round++) {
		run_to(&m, KVM_EXIT_HLT);
		memset(bitmap, 0xff, sizeof(bitmap));
		EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0, 0);
		EXPECT(bitmap[0] == 1 << 5, bitmap[0]);
		for (unsigned i = 1; i < sizeof(bitmap); i++)
			EXPECT(bitmap[i] == 0, i);
	}
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0 && bitmap[0] == 0, bitmap[0]);
	machine_close(&m);
}

/* --- large pages ------------------------------------------------------------------------------ */

#define LARGE 0x200000u

static uint8_t *large_page(void)
{
	uint8_t *memory = mmap(NULL, 2 * LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	                       -1, 0);

	memory += -(uintptr_t)memory % LARGE;
	madvise(memory, LARGE, MADV_HUGEPAGE);
	memory[0] = 0;
	return memory;
}

static uint16_t word_at(const uint8_t *memory, size_t at)
{
	return *(const volatile uint16_t *)(memory + at);
}

/*
 * One large page of the process, at an address of the guest that is aligned alike or is not: a part
 * that is taken away is another one for the guest too, and a log tells of each small page.
 */
static void large_pages_at(uint64_t gpa)
{
	static const uint8_t code[] = {
		0xff, 0x06, 0x00, 0x00, /* inc word [0] */
		0xff, 0x06, 0x00, 0x30, /* inc word [3000h] */
		0xf4,                   /* hlt */
		0xeb, 0xf5,             /* again */
	};
	uint8_t *const memory = large_page();
	uint8_t bitmap[LARGE / 4096 / 8] = { 0 };
	struct kvm_dirty_log log = { .slot = 1, .dirty_bitmap = bitmap };
	struct kvm_sregs sregs;
	struct machine m;

	machine_open(&m);
	EXPECT(set_slot(&m, 1, gpa, LARGE, memory, 0) == 0, 0);
	START(&m, code);
	ioctl(m.vcpu, KVM_GET_SREGS, &sregs);
	sregs.ds.base = gpa;
	EXPECT(ioctl(m.vcpu, KVM_SET_SREGS, &sregs) == 0, 0);
	for (unsigned round = 1; round < 20 && !failed; round++) {
		run_to(&m, KVM_EXIT_HLT);
		EXPECT(word_at(memory, 0) == round, word_at(memory, 0));
		EXPECT(word_at(memory, 0x3000) == 1, word_at(memory, 0x3000));
		madvise(memory + 0x3000, 0x1000, MADV_DONTNEED);
		madvise(memory, LARGE, MADV_HUGEPAGE);
	}
	EXPECT(set_slot(&m, 1, gpa, LARGE, memory, KVM_MEM_LOG_DIRTY_PAGES) == 0, 0);
	run_to(&m, KVM_EXIT_HLT);
	EXPECT(ioctl(m.vm, KVM_GET_DIRTY_LOG, &log) == 0, 0);
	EXPECT(bitmap[0] == 0x9 && bitmap[1] == 0, bitmap[0]);
	machine_close(&m);
	munmap(memory, LARGE);
}

static void large_pages(void)
{
	large_pages_at(LARGE);
	large_pages_at(LARGE + 0x1000);
}

const struct test memory_tests[] = {
	{ "paging", paging },
	{ "paging-beside", paging_beside },
	{ "slots-beside", slots_beside },
	{ "slots", slots },
	{ "readonly-slot", readonly_slot },
	{ "dirty-log", dirty_log },
	{ "large-pages", large_pages },
	{ NULL, NULL },
};
