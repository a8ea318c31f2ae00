/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Multiboot specification 0.6.96: the header within the first 8 KiB (3.1), the machine's state
 * (3.2), the information structure (3.3).
 *
 * Of what a header may demand (flags 0 to 15), aligned modules and the memory map are offered; a
 * demand for a video mode is refused, since a guest that insists on one would show nothing.
 */
#include "boot/start.h"

#define HEADER_SEARCH    8192u
#define HEADER_MAGIC     0x1badb002u
#define LOADER_MAGIC     0x2badb002u
#define HEADER_ADDRESSES 0x00010000u
#define HEADER_OFFERED   0x00000003u
#define HEADER_DEMANDS   0x0000ffffu

/* Valid members: memory sizes, command line, modules, memory map, name of the loader. */
#define INFO_VALID    (1u << 0 | 1u << 2 | 1u << 3 | 1u << 6 | 1u << 9)
#define INFO_HEAD     120u
#define INFO_MOD_SIZE 16u
#define INFO_ROW_SIZE 24u
#define INFO_MODS     INFO_HEAD
#define INFO_ROWS     (INFO_MODS + INFO_MOD_SIZE * SVM_BOOT_MODULE_MAX)
#define INFO_NAME     (INFO_ROWS + INFO_ROW_SIZE * SVM_BOOT_RANGE_MAX)
#define INFO_BYTES    (INFO_NAME + 8u)

/* The five addresses of a header. */
struct kludge {
	uint64_t header, load, load_end, bss_end, entry;
};

/* Offset of the header and its flags. */
static bool find_multiboot(const struct svm_boot_config *config, uint64_t *offset, uint32_t *flags)
{
	const uint8_t *image = config->image;

	for (uint64_t at = 0; at + 12 <= HEADER_SEARCH; at += 4) {
		if (!svm_boot_fits(at, 12, config->size))
			return false;
		if (svm_boot_field(image + at, 4) != HEADER_MAGIC)
			continue;
		*offset = at;
		*flags = (uint32_t)svm_boot_field(image + at + 4, 4);
		if ((uint32_t)(HEADER_MAGIC + *flags + svm_boot_field(image + at + 8, 4)) == 0)
			return true;
	}
	return false;
}

bool svm_boot_is_multiboot(const struct svm_boot_config *config)
{
	uint64_t offset;
	uint32_t flags;

	return find_multiboot(config, &offset, &flags);
}

static struct kludge read_kludge(const uint8_t *header)
{
	return (struct kludge){
		.header = svm_boot_field(header + 12, 4),
		.load = svm_boot_field(header + 16, 4),
		.load_end = svm_boot_field(header + 20, 4),
		.bss_end = svm_boot_field(header + 24, 4),
		.entry = svm_boot_field(header + 28, 4),
	};
}

/* 3.1.3: the header's own address says which byte of the file goes to the load address. */
static int plan_addresses(struct svm_boot_plan *plan, uint64_t offset, uint64_t *entry)
{
	static const char order[] = "the multiboot header's addresses contradict each other";
	const uint8_t *image = plan->config->image;
	struct svm_boot_piece piece = { .clear = true };
	struct kludge k;
	uint64_t first;

	if (!svm_boot_fits(offset, 32, plan->config->size))
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "the file ends inside its multiboot header");
	k = read_kludge(image + offset);
	if (k.header < k.load || k.header - k.load > offset)
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE, order);
	first = offset - (k.header - k.load);
	if (!k.load_end)
		k.load_end = k.load + (plan->config->size - first);
	if (k.load_end < k.load || (k.bss_end && k.bss_end < k.load_end) || k.entry < k.load ||
	    k.entry >= k.load_end)
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE, order);
	if (!svm_boot_fits(first, k.load_end - k.load, plan->config->size))
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "the multiboot header asks for more than the file has");
	piece.gpa = k.load;
	piece.bytes = image + first;
	piece.count = k.load_end - k.load;
	piece.size = k.bss_end ? k.bss_end - k.load : piece.count;
	*entry = k.entry;
	return svm_boot_plan_add(plan, &piece);
}

static int plan_image(struct svm_boot_plan *plan, uint64_t *entry)
{
	uint64_t offset;
	uint32_t flags;

	if (!find_multiboot(plan->config, &offset, &flags))
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the image has no multiboot header");
	if (flags & HEADER_DEMANDS & ~HEADER_OFFERED)
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the multiboot header demands what is not offered");
	return flags & HEADER_ADDRESSES ? plan_addresses(plan, offset, entry)
	                                : svm_boot_plan_segments(plan, entry);
}

int svm_boot_plan_multiboot(struct svm_boot_plan *plan)
{
	uint64_t entry = 0;
	int result = plan_image(plan, &entry);

	if (!result)
		result = svm_boot_plan_modules(plan);
	if (!result)
		result = svm_boot_plan_block(plan, false, INFO_BYTES);
	if (result)
		return result;
	svm_boot_start_protected(plan, entry);
	plan->state->regs.rax = LOADER_MAGIC;
	plan->state->regs.rbx = plan->block.gpa + plan->block.info;
	return 0;
}

/* --- the information structure --------------------------------------------------------------- */

/* KiB of RAM from an address on, without a gap; what 32 bits hold. */
static uint64_t kib_from(const struct svm_boot_config *config, svm_gpa_t gpa)
{
	svm_gpa_t end = gpa;

	for (uint32_t i = 0; i < config->map_count; i++) {
		const struct svm_boot_range *range = &config->map[i];

		if (range->kind == SVM_BOOT_RAM && range->gpa <= end &&
		    range->gpa + range->size > end)
			end = range->gpa + range->size;
	}
	return svm_min((end - gpa) >> 10, UINT32_MAX);
}

static int write_head(const struct svm_boot_plan *plan, struct svm_vm *vm, svm_gpa_t info)
{
	static const char name[8] = "libsvm";
	const struct svm_boot_config *config = plan->config;
	uint8_t head[INFO_HEAD] = { 0 };
	int result;

	svm_boot_put(head, INFO_VALID, 4);
	svm_boot_put(head + 4, svm_min(kib_from(config, 0), 640), 4);
	svm_boot_put(head + 8, kib_from(config, SVM_BOOT_1M), 4);
	svm_boot_put(head + 16, plan->block.gpa + plan->block.strings, 4);
	svm_boot_put(head + 20, config->module_count, 4);
	svm_boot_put(head + 24, info + INFO_MODS, 4);
	svm_boot_put(head + 44, config->map_count * INFO_ROW_SIZE, 4);
	svm_boot_put(head + 48, info + INFO_ROWS, 4);
	svm_boot_put(head + 64, info + INFO_NAME, 4);
	result = svm_vm_write(vm, info, head, sizeof(head), NULL);
	return result ? result : svm_vm_write(vm, info + INFO_NAME, name, sizeof(name), NULL);
}

static int write_rows(const struct svm_boot_plan *plan, struct svm_vm *vm, svm_gpa_t rows)
{
	const struct svm_boot_config *config = plan->config;
	int result = 0;

	for (uint32_t i = 0; i < config->map_count && !result; i++) {
		uint8_t row[INFO_ROW_SIZE];

		svm_boot_put(row, INFO_ROW_SIZE - 4, 4); /* The size does not count itself. */
		svm_boot_put(row + 4, config->map[i].gpa, 8);
		svm_boot_put(row + 12, config->map[i].size, 8);
		svm_boot_put(row + 20, config->map[i].kind, 4);
		result = svm_vm_write(vm, rows + INFO_ROW_SIZE * i, row, sizeof(row), NULL);
	}
	return result;
}

static int write_mods(const struct svm_boot_plan *plan, struct svm_vm *vm, svm_gpa_t mods)
{
	const struct svm_boot_config *config = plan->config;
	svm_gpa_t string = plan->block.gpa + plan->block.strings + plan->cmdline_size;
	int result = 0;

	for (uint32_t i = 0; i < config->module_count && !result; i++) {
		const struct svm_boot_piece *piece = &plan->piece[plan->first_module + i];
		uint8_t row[INFO_MOD_SIZE] = { 0 };

		svm_boot_put(row, piece->gpa, 4);
		svm_boot_put(row + 4, piece->gpa + piece->size, 4);
		svm_boot_put(row + 8, string, 4);
		result = svm_vm_write(vm, mods + INFO_MOD_SIZE * i, row, sizeof(row), NULL);
		string += svm_boot_string_size(config->modules[i].cmdline);
	}
	return result;
}

int svm_boot_write_multiboot(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	const svm_gpa_t info = plan->block.gpa + plan->block.info;
	int result = write_head(plan, vm, info);

	if (!result)
		result = write_rows(plan, vm, info + INFO_ROWS);
	return result ? result : write_mods(plan, vm, info + INFO_MODS);
}
