/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: boot_dump IMAGE MIB [CMDLINE]
 *
 * Load a real image into a guest of so many MiB and print what came of it, for a script that reads
 * the file by itself: format, registers, and for Linux the zero page in hexadecimal.
 */
#include <stdio.h>
#include <stdlib.h>

#include "boot_rig.h"

static uint8_t *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	long end;

	if (!file || fseek(file, 0, SEEK_END) || (end = ftell(file)) < 0 ||
	    fseek(file, 0, SEEK_SET))
		return NULL;
	*size = (size_t)end;
	bytes = malloc(*size);
	if (bytes && fread(bytes, 1, *size, file) != *size)
		bytes = NULL;
	fclose(file);
	return bytes;
}

int main(int argc, char **argv)
{
	size_t size = 0;
	uint8_t *bytes = argc < 3 ? NULL : read_file(argv[1], &size);
	const struct svm_boot_module module = { "initramfs", 9, NULL };
	int result;

	if (!bytes) {
		fprintf(stderr, "usage: boot_dump IMAGE MIB [CMDLINE]\n");
		return 2;
	}
	rig_pc(strtoull(argv[2], NULL, 0) << 20);
	rig.config.cmdline = argc > 3 ? argv[3] : NULL;
	rig.config.modules = &module;
	rig.config.module_count = 1;
	result = rig_load(bytes, size);
	printf("result %d\n", result);
	if (result) {
		printf("why %s\n", rig.why);
		return 1;
	}
	printf("format %s\n", svm_boot_format_text(rig.state.format));
	printf("rip %#lx\n", rig.state.regs.rip);
	printf("rsi %#lx\n", rig.state.regs.rsi);
	printf("changed %#lx %#lx\n", rig.first, rig.end);
	printf("at_rip ");
	for (unsigned i = 0; i < 64; i++)
		printf("%02lx", rig_get(rig.state.regs.rip + i, 1));
	printf("\nzero_page ");
	for (unsigned i = 0; i < 4096; i++)
		printf("%02lx", rig_get(rig.state.regs.rsi + i, 1));
	printf("\ncmdline %s\n", rig_string(rig_get(rig.state.regs.rsi + 0x228, 4)));
	free(bytes);
	return 0;
}
