/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a PVH guest is told: struct hvm_start_info, its list of modules and its memory map, version
 * 1 (Xen's xen/include/public/arch-x86/hvm/start_info.h).  Plain ELF images get the same.
 */
#include "boot/start.h"

#define START_MAGIC  0x336ec578u
#define START_SIZE   56u
#define MODULE_SIZE  32u
#define MAP_SIZE     24u
#define INFO_MODULES START_SIZE
#define INFO_MAP     (INFO_MODULES + MODULE_SIZE * SVM_BOOT_MODULE_MAX)
#define INFO_SIZE    (INFO_MAP + MAP_SIZE * SVM_BOOT_RANGE_MAX)

int svm_boot_plan_pvh(struct svm_boot_plan *plan, bool is_long)
{
	const int result = svm_boot_plan_modules(plan);

	return result ? result : svm_boot_plan_block(plan, is_long, INFO_SIZE);
}

static int write_start_info(const struct svm_boot_plan *plan, struct svm_vm *vm, svm_gpa_t info)
{
	const struct svm_boot_config *config = plan->config;
	uint8_t start[START_SIZE] = { 0 };

	svm_boot_put(start, START_MAGIC, 4);
	svm_boot_put(start + 4, 1, 4);
	svm_boot_put(start + 12, config->module_count, 4);
	svm_boot_put(start + 16, config->module_count ? info + INFO_MODULES : 0, 8);
	svm_boot_put(start + 24, plan->block.gpa + plan->block.strings, 8);
	svm_boot_put(start + 32, config->rsdp, 8);
	svm_boot_put(start + 40, info + INFO_MAP, 8);
	svm_boot_put(start + 48, config->map_count, 4);
	return svm_vm_write(vm, info, start, sizeof(start), NULL);
}

static int write_start_map(const struct svm_boot_plan *plan, struct svm_vm *vm, svm_gpa_t map)
{
	const struct svm_boot_config *config = plan->config;
	int result = 0;

	for (uint32_t i = 0; i < config->map_count && !result; i++) {
		uint8_t row[MAP_SIZE] = { 0 };

		svm_boot_put(row, config->map[i].gpa, 8);
		svm_boot_put(row + 8, config->map[i].size, 8);
		svm_boot_put(row + 16, config->map[i].kind, 4);
		result = svm_vm_write(vm, map + MAP_SIZE * i, row, sizeof(row), NULL);
	}
	return result;
}

/* Rows of the list, and behind the command line those of the modules. */
static int write_start_modules(const struct svm_boot_plan *plan, struct svm_vm *vm, svm_gpa_t list)
{
	const struct svm_boot_config *config = plan->config;
	svm_gpa_t string = plan->block.gpa + plan->block.strings + plan->cmdline_size;
	int result = 0;

	for (uint32_t i = 0; i < config->module_count && !result; i++) {
		const struct svm_boot_piece *piece = &plan->piece[plan->first_module + i];
		uint8_t row[MODULE_SIZE] = { 0 };

		svm_boot_put(row, piece->gpa, 8);
		svm_boot_put(row + 8, piece->size, 8);
		svm_boot_put(row + 16, string, 8);
		result = svm_vm_write(vm, list + MODULE_SIZE * i, row, sizeof(row), NULL);
		string += svm_boot_string_size(config->modules[i].cmdline);
	}
	return result;
}

int svm_boot_write_pvh(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	const svm_gpa_t info = plan->block.gpa + plan->block.info;
	int result = write_start_info(plan, vm, info);

	if (!result)
		result = write_start_map(plan, vm, info + INFO_MAP);
	return result ? result : write_start_modules(plan, vm, info + INFO_MODULES);
}
