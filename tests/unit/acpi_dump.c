/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* usage: acpi_dump CPUS FILE: write the default tables of so many processors. */
#include <stdio.h>
#include <stdlib.h>

#include <libsvm/platform/acpi_tables.h>

int main(int argc, char **argv)
{
	static uint8_t bytes[SVM_ACPI_TABLES_SIZE];
	struct svm_acpi_config config;
	size_t length;
	FILE *file;

	if (argc != 3)
		return 2;
	svm_acpi_default_config(&config, (uint32_t)strtoul(argv[1], NULL, 0));
	config.has_8042 = true;
	file = fopen(argv[2], "wb");
	if (!file || svm_acpi_build(&config, bytes, sizeof(bytes), &length))
		return 1;
	if (fwrite(bytes, 1, length, file) != length)
		return 1;
	return fclose(file) != 0;
}
