/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two processors, a VM without vCPUs, and the memory that its slots lead to.
 */
#include "random.h"

#define FAR (UINT64_C(1) << 40) /* Frames that exist in tables only. */

struct hosted_machine *machine;
struct svm_vm *vm;
svm_hpa_t frames[2 * FLAT_PAGES];

static struct svm_host *host;
static svm_hpa_t pool; /* Guest memory that exists. */

void make_machine(uint64_t kind)
{
	struct hosted_config config;
	struct svm_vm_config vm_config = { .vcpu_max = 1 };

	hosted_config_init(&config);
	config.cpus = CPUS;
	config.memory = UINT64_C(64) << 20;
	config.features.page_1g = !(kind & 1);
	config.features.la57 = kind & 2;
	vm_config.npt_levels = kind & 2 ? 5 : 4;
	vm_config.no_huge_pages = kind & 4;
	machine = hosted_create(&config);
	hosted_guest_alloc(machine, POOL_PAGES, MIB2 << 12, &pool);
	for (uint32_t cpu = CPUS; cpu-- > 0;) {
		hosted_become(machine, cpu);
		if (!host)
			CHECK(!svm_host_create(hosted_hal(machine), &host));
		CHECK(!svm_cpu_online(host));
		if (cpu)
			hosted_leave();
	}
	CHECK(!svm_vm_create(host, &vm_config, &vm));
	for (uint32_t i = 0; i < 2 * FLAT_PAGES; i++)
		frames[i] =
			pool + ((uint64_t)(one_in(900) ? draw(POOL_PAGES) : i % POOL_PAGES) << 12);
	change_backing(0, FLAT_PAGES - 1);
}

void end_machine(void)
{
	CHECK(!svm_vm_destroy(vm));
	for (uint32_t cpu = 0; cpu < CPUS; cpu++) {
		if (cpu)
			hosted_become(machine, cpu);
		CHECK(!svm_cpu_offline(host));
		if (cpu + 1 == CPUS)
			CHECK(!svm_host_destroy(host));
		hosted_leave();
	}
	hosted_destroy(machine);
}

enum svm_resolve_result resolve(void *arg, svm_gpa_t gpa, uint32_t access,
                                struct svm_resolved_page *page)
{
	const uint32_t index = (uint32_t)((gpa - FLAT_GPA) >> 12);
	const struct flat_backing *b = &backing[index];

	(void)access;
	CHECK(arg == backing);
	page->size = b->is_large ? UINT64_C(1) << 21 : SVM_PAGE_SIZE;
	page->hpa = b->hpa & ~(page->size - 1);
	page->prot = b->prot;
	return SVM_RESOLVE_MAPPED;
}

void change_backing(uint32_t first, uint32_t last)
{
	for (uint32_t block = first / MIB2; block <= last / MIB2; block++) {
		const uint32_t start = block * MIB2;
		const bool whole = start >= first && start + MIB2 - 1 <= last;
		const bool large = whole && one_in(2);
		const svm_hpa_t base = pool + draw(POOL_PAGES / MIB2) * (MIB2 << 12);
		const uint8_t prot = (uint8_t)draw_prot();

		for (uint32_t i = start; i < start + MIB2; i++) {
			backing[i].is_large = large;
			if (i < first || i > last)
				continue;
			backing[i].hpa = large ? base + ((uint64_t)(i - start) << 12)
			                       : pool + (draw(POOL_PAGES) << 12);
			backing[i].prot = large ? prot : (uint8_t)(one_in(50) ? 0 : draw_prot());
		}
	}
}

svm_hpa_t draw_hpa(uint32_t page, uint32_t count)
{
	const svm_gpa_t gpa = flat_gpa(page);

	switch (draw(6)) {
	case 0:
	case 1:
		if (count <= MIB2)
			return pool + draw(POOL_PAGES / MIB2 - 1) * (MIB2 << 12) +
			       (gpa & ((MIB2 << 12) - 1));
		return FAR + (gpa & ((UINT64_C(1) << 30) - 1));
	case 2:
	case 3:
		return FAR + (draw(64) << 30) + (gpa & ((UINT64_C(1) << 30) - 1));
	case 4:
		return FAR + draw(4096) * (MIB2 << 12) + (gpa & ((MIB2 << 12) - 1));
	default:
		return FAR + (draw(1 << 20) << 12);
	}
}

uint64_t count_tables(void)
{
	struct svm_npt_walk walk;
	uint64_t count = 1;

	svm_npt_begin(&walk, vm, 0, SVM_BIT(48) - 1);
	do {
		uint64_t value = *svm_npt_at(&walk);

		while (svm_npt_is_table(value, walk.level)) {
			count++;
			svm_npt_down(&walk, value);
			value = *svm_npt_at(&walk);
		}
	} while (svm_npt_next(&walk));
	return count;
}

static uint64_t count_logs(void)
{
	const struct svm_slot_table *slots = vm->memory.slots;
	uint64_t count = 0;

	for (uint32_t i = 0; i < slots->count; i++) {
		const struct svm_dirty_log *log = slots->piece[i].log;
		bool is_new = log;

		for (uint32_t j = 0; j < i; j++)
			is_new = is_new && slots->piece[j].log != log;
		if (is_new)
			count += log->frames;
	}
	return count;
}

uint64_t count_rest(void)
{
	CHECK(!vm->memory.returned);
	return hosted_frames_used(machine) - count_tables() - vm->memory.reserve_count -
	       count_logs();
}
