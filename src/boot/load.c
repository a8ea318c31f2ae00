/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * From an image to a guest that can start: find out what it is, plan, try the memory, write.
 */
#include "boot/start.h"

const char *svm_boot_format_text(enum svm_boot_format format)
{
	static const char *const texts[] = {
#define FORMAT_TEXT(name, text) text,
		SVM_BOOT_FORMATS(FORMAT_TEXT)
#undef FORMAT_TEXT
	};

	return (unsigned)format < SVM_BOOT_FORMAT_COUNT ? texts[format] : "?";
}

static enum svm_boot_format format_of(const struct svm_boot_config *config)
{
	enum svm_boot_format format = config->format;

	if (format != SVM_BOOT_AUTO)
		return format;
	format = svm_boot_linux_format(config);
	if (format == SVM_BOOT_AUTO && svm_boot_is_multiboot(config))
		format = SVM_BOOT_MULTIBOOT;
	return format == SVM_BOOT_AUTO ? svm_boot_elf_format(config) : format;
}

static int plan_format(struct svm_boot_plan *plan)
{
	plan->state->format = format_of(plan->config);
	switch (plan->state->format) {
	case SVM_BOOT_LINUX_64:
	case SVM_BOOT_LINUX_32:
		return svm_boot_plan_linux(plan);
	case SVM_BOOT_MULTIBOOT:
		return svm_boot_plan_multiboot(plan);
	case SVM_BOOT_PVH:
	case SVM_BOOT_ELF:
		return svm_boot_plan_elf(plan);
	case SVM_BOOT_FLAT_32:
	case SVM_BOOT_FLAT_16:
	case SVM_BOOT_FIRMWARE:
		return svm_boot_plan_flat(plan);
	case SVM_BOOT_AUTO:
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the image is no bzImage, multiboot or ELF file");
	default:
		return svm_boot_refuse(plan, SVM_ERR_INVAL, "the configuration names no format");
	}
}

static int write_format(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	switch (plan->state->format) {
	case SVM_BOOT_LINUX_64:
	case SVM_BOOT_LINUX_32:
		return svm_boot_write_linux(plan, vm);
	case SVM_BOOT_MULTIBOOT:
		return svm_boot_write_multiboot(plan, vm);
	case SVM_BOOT_PVH:
	case SVM_BOOT_ELF:
		return svm_boot_write_pvh(plan, vm);
	default:
		return 0;
	}
}

static int write_all(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	int result = svm_boot_plan_write(plan, vm);

	if (!result && plan->block.size)
		result = svm_boot_write_tables(plan, vm);
	if (!result && plan->block.size)
		result = svm_boot_write_strings(plan, vm);
	return result ? result : write_format(plan, vm);
}

int svm_boot_load(struct svm_vm *vm, const struct svm_boot_config *config,
                  struct svm_boot_state *state, const char **why)
{
	struct svm_boot_plan plan;
	int result = svm_boot_plan_init(&plan, config, state);

	if (!result)
		result = plan_format(&plan);
	if (!result)
		result = svm_boot_plan_probe(&plan, vm);
	if (!result) {
		result = write_all(&plan, vm);
		if (result)
			plan.why = "the guest's memory went away during the load";
	}
	if (why)
		*why = plan.why;
	return result;
}
