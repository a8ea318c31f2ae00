/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Places in guest memory.  Sums of an address and a length that come from an image are never made:
 * the length is compared with the room behind the address, which cannot wrap.
 */
#include "boot/plan.h"

#define LOWEST_BLOCK UINT64_C(0x1000) /* Below are the real-mode vectors and BIOS data. */
#define CONVENTIONAL UINT64_C(0xa0000)
#define BLOCK_TABLES 6u /* svm_boot_write_tables() */
#define ZEROS        512u

int svm_boot_refuse(struct svm_boot_plan *plan, int error, const char *why)
{
	plan->why = why;
	return error;
}

uint32_t svm_boot_string_size(const char *string)
{
	uint32_t length = 0;

	while (string && length < SVM_BOOT_CMDLINE_MAX && string[length])
		length++;
	return length + 1;
}

/* --- the configuration ----------------------------------------------------------------------- */

static int check_map(struct svm_boot_plan *plan, const struct svm_boot_config *config)
{
	svm_gpa_t end = 0;

	if (!config->map || !config->map_count || config->map_count > SVM_BOOT_RANGE_MAX)
		return svm_boot_refuse(plan, SVM_ERR_INVAL,
		                       "the memory map has no or too many ranges");
	for (uint32_t i = 0; i < config->map_count; i++) {
		const struct svm_boot_range *range = &config->map[i];

		if (range->gpa < end || !range->size || range->size > UINT64_MAX - range->gpa ||
		    range->kind < SVM_BOOT_RAM || range->kind > SVM_BOOT_NVS)
			return svm_boot_refuse(
				plan, SVM_ERR_INVAL,
				"a range of the memory map is wrong or out of order");
		end = range->gpa + range->size;
	}
	return 0;
}

static int check_modules(struct svm_boot_plan *plan, const struct svm_boot_config *config)
{
	if (config->module_count > SVM_BOOT_MODULE_MAX ||
	    (config->module_count && !config->modules))
		return svm_boot_refuse(plan, SVM_ERR_INVAL, "there are too many modules");
	for (uint32_t i = 0; i < config->module_count; i++) {
		const struct svm_boot_module *module = &config->modules[i];

		if (!module->bytes || !module->size)
			return svm_boot_refuse(plan, SVM_ERR_INVAL, "a module has no bytes");
		if (svm_boot_string_size(module->cmdline) > SVM_BOOT_CMDLINE_MAX)
			return svm_boot_refuse(plan, SVM_ERR_INVAL,
			                       "a module's command line is longer than 4095 bytes");
	}
	return 0;
}

int svm_boot_plan_init(struct svm_boot_plan *plan, const struct svm_boot_config *config,
                       struct svm_boot_state *state)
{
	int result;

	memset(state, 0, sizeof(*state));
	plan->config = config;
	plan->state = state;
	plan->why = "";
	plan->count = plan->first_module = 0;
	plan->block = (struct svm_boot_block){ .size = 0 };
	plan->cmdline_size = svm_boot_string_size(config->cmdline);
	if (!config->image || !config->size)
		return svm_boot_refuse(plan, SVM_ERR_INVAL, "the image has no bytes");
	if (plan->cmdline_size > SVM_BOOT_CMDLINE_MAX)
		return svm_boot_refuse(plan, SVM_ERR_INVAL,
		                       "the command line is longer than 4095 bytes");
	result = check_map(plan, config);
	return result ? result : check_modules(plan, config);
}

uint32_t svm_boot_pc_map(uint64_t memory, struct svm_boot_range map[SVM_BOOT_PC_RANGES])
{
	const uint64_t below = svm_min(memory, SVM_BOOT_PC_HOLE);

	if ((memory & (SVM_PAGE_SIZE - 1)) || memory < SVM_BIT(21) || memory > SVM_BIT(40))
		return 0;
	map[0] = (struct svm_boot_range){ 0, 0x9fc00, SVM_BOOT_RAM };
	map[1] = (struct svm_boot_range){ 0x9fc00, 0x400, SVM_BOOT_RESERVED };
	map[2] = (struct svm_boot_range){ 0xe0000, 0x20000, SVM_BOOT_RESERVED };
	map[3] = (struct svm_boot_range){ SVM_BOOT_1M, below - SVM_BOOT_1M, SVM_BOOT_RAM };
	if (memory == below)
		return 4;
	map[4] = (struct svm_boot_range){ SVM_BOOT_4G, memory - below, SVM_BOOT_RAM };
	return 5;
}

/* --- places ---------------------------------------------------------------------------------- */

/* A piece that has a byte in common with the range, or NULL. */
static const struct svm_boot_piece *find_overlap(const struct svm_boot_plan *plan, svm_gpa_t gpa,
                                                 uint64_t size)
{
	for (unsigned i = 0; i < plan->count; i++) {
		const struct svm_boot_piece *piece = &plan->piece[i];

		/* No sum: the range may be any, also one that wraps. */
		if (gpa >= piece->gpa ? gpa - piece->gpa < piece->size : piece->gpa - gpa < size)
			return piece;
	}
	return NULL;
}

bool svm_boot_plan_overlaps(const struct svm_boot_plan *plan, svm_gpa_t gpa, uint64_t size)
{
	return find_overlap(plan, gpa, size);
}

static bool is_ram(const struct svm_boot_config *config, svm_gpa_t gpa, uint64_t size)
{
	for (uint32_t i = 0; i < config->map_count; i++) {
		const struct svm_boot_range *range = &config->map[i];

		if (range->kind == SVM_BOOT_RAM && gpa >= range->gpa &&
		    svm_boot_fits(gpa - range->gpa, size, range->size))
			return true;
	}
	return false;
}

int svm_boot_plan_add(struct svm_boot_plan *plan, const struct svm_boot_piece *piece)
{
	if (plan->count == SVM_BOOT_PIECE_MAX)
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the image and its modules are in too many pieces");
	if (!is_ram(plan->config, piece->gpa, piece->size))
		return svm_boot_refuse(plan, SVM_ERR_RANGE,
		                       "part of the image lies beyond the guest's memory");
	plan->piece[plan->count++] = *piece;
	return 0;
}

/* The part of a range between first and limit; false: it has none. */
static bool clip_range(const struct svm_boot_range *range, svm_gpa_t first, svm_gpa_t limit,
                       svm_gpa_t *start, svm_gpa_t *end)
{
	*start = range->gpa > first ? range->gpa : first;
	*end = svm_min(range->gpa + range->size, limit);
	return range->kind == SVM_BOOT_RAM && *start < *end;
}

/* The address rounded up; false: it would wrap. */
static bool round_up(svm_gpa_t *gpa, uint64_t align)
{
	const svm_gpa_t rounded = (*gpa + align - 1) & ~(align - 1);

	if (rounded < *gpa)
		return false;
	*gpa = rounded;
	return true;
}

bool svm_boot_find_lowest(const struct svm_boot_plan *plan, uint64_t size, uint64_t align,
                          svm_gpa_t first, svm_gpa_t limit, svm_gpa_t *gpa)
{
	for (uint32_t i = 0; i < plan->config->map_count; i++) {
		svm_gpa_t at, end;

		if (!clip_range(&plan->config->map[i], first, limit, &at, &end))
			continue;
		/* Each turn gets past one more piece. */
		for (unsigned turn = 0; turn <= plan->count; turn++) {
			const struct svm_boot_piece *piece;

			if (!round_up(&at, align) || !svm_boot_fits(at, size, end))
				break;
			piece = find_overlap(plan, at, size);
			if (!piece) {
				*gpa = at;
				return true;
			}
			at = piece->gpa + piece->size;
		}
	}
	return false;
}

bool svm_boot_find_highest(const struct svm_boot_plan *plan, uint64_t size, uint64_t align,
                           svm_gpa_t first, svm_gpa_t limit, svm_gpa_t *gpa)
{
	for (uint32_t i = plan->config->map_count; i-- > 0;) {
		svm_gpa_t start, end;

		if (!clip_range(&plan->config->map[i], first, limit, &start, &end))
			continue;
		for (unsigned turn = 0; turn <= plan->count; turn++) {
			const struct svm_boot_piece *piece;
			svm_gpa_t at;

			if (end < start || end - start < size)
				break;
			at = (end - size) & ~(align - 1);
			if (at < start)
				break;
			piece = find_overlap(plan, at, size);
			if (!piece) {
				*gpa = at;
				return true;
			}
			end = piece->gpa;
		}
	}
	return false;
}

int svm_boot_plan_modules(struct svm_boot_plan *plan)
{
	const struct svm_boot_config *config = plan->config;

	plan->first_module = plan->count;
	for (uint32_t i = 0; i < config->module_count; i++) {
		const struct svm_boot_module *module = &config->modules[i];
		struct svm_boot_piece piece = { 0, module->size, module->bytes, module->size,
			                        false };
		int result;

		if (!svm_boot_find_lowest(plan, module->size, SVM_PAGE_SIZE, SVM_BOOT_1M,
		                          SVM_BOOT_4G, &piece.gpa))
			return svm_boot_refuse(plan, SVM_ERR_RANGE,
			                       "the guest's memory has no room for a module");
		result = svm_boot_plan_add(plan, &piece);
		if (result)
			return result;
	}
	return 0;
}

int svm_boot_plan_block(struct svm_boot_plan *plan, bool has_tables, uint32_t info)
{
	const uint64_t page = SVM_PAGE_SIZE;
	const struct svm_boot_config *config = plan->config;
	struct svm_boot_block *block = &plan->block;
	uint64_t strings = plan->cmdline_size, size;

	for (uint32_t i = 0; i < config->module_count; i++)
		strings += svm_boot_string_size(config->modules[i].cmdline);

	block->tables = SVM_PAGE_SIZE;
	block->info = block->tables + (has_tables ? BLOCK_TABLES * SVM_PAGE_SIZE : 0);
	block->strings = (block->info + info + 7) & ~7u;
	size = (block->strings + strings + page - 1) & ~(page - 1);
	if (!svm_boot_find_lowest(plan, size, page, LOWEST_BLOCK, CONVENTIONAL, &block->gpa))
		return svm_boot_refuse(plan, SVM_ERR_RANGE,
		                       "the image leaves too little memory below 640 KiB");
	block->size = (uint32_t)size;
	return 0;
}

/* --- guest memory ---------------------------------------------------------------------------- */

/* A byte of each page, read and written back. */
static int touch(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	const svm_gpa_t last = (gpa + size - 1) & SVM_PAGE_MASK;

	if (!size)
		return 0;
	for (svm_gpa_t at = gpa;; at = (at & SVM_PAGE_MASK) + SVM_PAGE_SIZE) {
		uint8_t byte = 0;
		int result = svm_vm_read(vm, at, &byte, 1, NULL);

		if (!result)
			result = svm_vm_write(vm, at, &byte, 1, NULL);
		if (result || (at & SVM_PAGE_MASK) == last)
			return result;
	}
}

static uint64_t written(const struct svm_boot_piece *piece)
{
	return piece->clear ? piece->size : piece->count;
}

int svm_boot_plan_probe(struct svm_boot_plan *plan, struct svm_vm *vm)
{
	int result = touch(vm, plan->block.gpa, plan->block.size);

	for (unsigned i = 0; i < plan->count && !result; i++)
		result = touch(vm, plan->piece[i].gpa, written(&plan->piece[i]));
	if (result == SVM_ERR_FAULT)
		return svm_boot_refuse(plan, result,
		                       "the VM has no writable memory where the image goes");
	return result ? svm_boot_refuse(plan, result, svm_strerror(result)) : 0;
}

int svm_boot_clear(struct svm_vm *vm, svm_gpa_t gpa, uint64_t size)
{
	static const uint8_t zeros[ZEROS];
	int result = 0;

	for (uint64_t done = 0; done < size && !result; done += ZEROS)
		result = svm_vm_write(vm, gpa + done, zeros, svm_min(size - done, ZEROS), NULL);
	return result;
}

int svm_boot_plan_write(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	int result = 0;

	for (unsigned i = 0; i < plan->count && !result; i++) {
		const struct svm_boot_piece *piece = &plan->piece[i];

		if (piece->count)
			result = svm_vm_write(vm, piece->gpa, piece->bytes, piece->count, NULL);
		if (!result && piece->clear)
			result = svm_boot_clear(vm, piece->gpa + piece->count,
			                        piece->size - piece->count);
	}
	return result;
}
