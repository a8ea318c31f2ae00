/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Multiboot 1 information.  Every address in it is 32 bits wide and the bootstrap tables map the
 * low 4 GiB, so a wrong pointer reads the wrong bytes but cannot fault; lengths are bounded here.
 */
#include "multiboot.h"

#include "memory.h"
#include "string.h"

#define INFO_CMDLINE (1u << 2)
#define INFO_MODULES (1u << 3)
#define INFO_MEMMAP  (1u << 6)
#define INFO_BASIC   (1u << 0)

struct multiboot_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline;
	uint32_t mods_count, mods_addr;
	uint32_t syms[4];
	uint32_t mmap_length, mmap_addr;
};

struct multiboot_module {
	uint32_t start, end, string, reserved;
};

/* An entry's size field does not count itself, and the fields behind it are not aligned to 8. */
struct multiboot_range {
	uint32_t size, base_low, base_high, length_low, length_high, type;
};

struct boot_info boot_info;

static const void *low_memory(uint32_t address, size_t size)
{
	if (address + (uint64_t)size > UINT64_C(1) << 32)
		return NULL;
	return phys_to_direct(address);
}

static void copy_text(char *to, size_t size, uint32_t address)
{
	for (size_t i = 0; i + 1 < size; i++) {
		const char *c = low_memory(address, i + 1);

		to[i] = c ? c[i] : '\0';
		if (!to[i])
			return;
	}
	to[size - 1] = '\0';
}

static void add_range(uint64_t start, uint64_t length, uint32_t type)
{
	uint64_t end;

	if (!length)
		return;
	if (boot_info.range_count == BOOT_RANGES_MAX ||
	    __builtin_add_overflow(start, length, &end)) {
		boot_info.truncated = true;
		return;
	}
	boot_info.ranges[boot_info.range_count++] =
		(struct boot_range){ .start = start, .end = end, .type = type };
}

static void read_ranges(const struct multiboot_info *info)
{
	uint32_t at = 0;

	while (at < info->mmap_length && info->mmap_length - at >= sizeof(struct multiboot_range)) {
		const uint64_t address = (uint64_t)info->mmap_addr + at;
		const struct multiboot_range *range;

		range = address >> 32 ? NULL : low_memory((uint32_t)address, sizeof(*range));
		if (!range || range->size < sizeof(*range) - sizeof(range->size) ||
		    range->size > 256) {
			boot_info.truncated = true;
			return;
		}
		add_range((uint64_t)range->base_high << 32 | range->base_low,
		          (uint64_t)range->length_high << 32 | range->length_low, range->type);
		at += range->size + (uint32_t)sizeof(range->size);
	}
}

static void read_modules(const struct multiboot_info *info)
{
	for (uint32_t i = 0; i < info->mods_count; i++) {
		const uint64_t address =
			info->mods_addr + (uint64_t)i * sizeof(struct multiboot_module);
		const struct multiboot_module *module;

		module = address >> 32 ? NULL : low_memory((uint32_t)address, sizeof(*module));
		if (!module || module->end < module->start ||
		    boot_info.module_count == BOOT_MODULES_MAX) {
			boot_info.truncated = true;
			return;
		}

		struct boot_module *to = &boot_info.modules[boot_info.module_count++];

		to->start = module->start;
		to->end = module->end;
		if (module->string)
			copy_text(to->text, sizeof(to->text), module->string);
	}
}

void multiboot_read(uint32_t info_address)
{
	const struct multiboot_info *info = low_memory(info_address, sizeof(*info));

	if (!info) {
		boot_info.truncated = true;
		return;
	}
	if (info->flags & INFO_CMDLINE)
		copy_text(boot_info.cmdline, sizeof(boot_info.cmdline), info->cmdline);
	if (info->flags & INFO_MODULES)
		read_modules(info);
	if (info->flags & INFO_MEMMAP) {
		read_ranges(info);
	} else if (info->flags & INFO_BASIC) {
		add_range(0, (uint64_t)info->mem_lower << 10, BOOT_RANGE_RAM);
		add_range(0x100000, (uint64_t)info->mem_upper << 10, BOOT_RANGE_RAM);
	}
}
