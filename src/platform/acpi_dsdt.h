/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_PLATFORM_ACPI_DSDT_H
#define SVM_PLATFORM_ACPI_DSDT_H
#include <libsvm/platform/acpi_tables.h>

#include "platform/bytes.h"

/* Append the DSDT's AML, without the table's header. */
void svm_acpi_dsdt(const struct svm_acpi_config *config, struct svm_bytes *out);

#endif
