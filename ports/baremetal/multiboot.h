/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * What the boot loader told us, copied into the kernel's own memory.
 *
 * The loader leaves its tables wherever it liked, in memory the map calls free.  They are read
 * once, each field checked, before the frame allocator exists; afterwards only the modules'
 * contents still lie outside the image.
 */
#ifndef BAREMETAL_MULTIBOOT_H
#define BAREMETAL_MULTIBOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOT_RANGES_MAX  128
#define BOOT_MODULES_MAX 32
#define BOOT_CMDLINE_MAX 512
#define BOOT_MODULE_TEXT 128

/** The type of a range that is ordinary free RAM; every other type is not ours to use. */
#define BOOT_RANGE_RAM 1

struct boot_range {
	uint64_t start, end; /**< physical bytes; end is exclusive and above start */
	uint32_t type;
};

struct boot_module {
	uint64_t start, end; /**< physical bytes; below 4 GiB */
	char text[BOOT_MODULE_TEXT];
};

struct boot_info {
	struct boot_range ranges[BOOT_RANGES_MAX];
	size_t range_count;
	struct boot_module modules[BOOT_MODULES_MAX];
	size_t module_count;
	char cmdline[BOOT_CMDLINE_MAX];
	bool truncated; /**< something did not fit the limits above or lied, and was left out */
};

extern struct boot_info boot_info;

/** Fill boot_info from the multiboot 1 information at physical @p info. Boot CPU, once. */
void multiboot_read(uint32_t info);

#endif
