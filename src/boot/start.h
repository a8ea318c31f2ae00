/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef SVM_BOOT_START_H
#define SVM_BOOT_START_H
/*
 * The registers that an image starts with, and the tables in guest memory that they point to.
 */
#include "boot/plan.h"

/* The mode in plan->state; everything but RIP and RFLAGS is 0, interrupts are off. */
void svm_boot_start_long(struct svm_boot_plan *plan, uint64_t rip);
void svm_boot_start_protected(struct svm_boot_plan *plan, uint64_t rip);
void svm_boot_start_real(struct svm_boot_plan *plan, svm_gpa_t address);

/* The descriptor table of the block, and page tables if the state is the long one. */
SVM_MUST_CHECK int svm_boot_write_tables(const struct svm_boot_plan *plan, struct svm_vm *vm);

/* The command line, and behind it those of the modules, each with its 0. */
SVM_MUST_CHECK int svm_boot_write_strings(const struct svm_boot_plan *plan, struct svm_vm *vm);

/* Information of PVH and ELF at the block, RBX and what else the state needs (pvh.c). */
SVM_MUST_CHECK int svm_boot_plan_pvh(struct svm_boot_plan *plan, bool is_long);
SVM_MUST_CHECK int svm_boot_write_pvh(const struct svm_boot_plan *plan, struct svm_vm *vm);

/* Formats: fill plan and state, write nothing. */
SVM_MUST_CHECK int svm_boot_plan_linux(struct svm_boot_plan *plan);
SVM_MUST_CHECK int svm_boot_plan_multiboot(struct svm_boot_plan *plan);
SVM_MUST_CHECK int svm_boot_plan_elf(struct svm_boot_plan *plan);
SVM_MUST_CHECK int svm_boot_plan_flat(struct svm_boot_plan *plan);

/* And afterwards what the block holds. */
SVM_MUST_CHECK int svm_boot_write_linux(const struct svm_boot_plan *plan, struct svm_vm *vm);
SVM_MUST_CHECK int svm_boot_write_multiboot(const struct svm_boot_plan *plan, struct svm_vm *vm);

/* Marks of a format; LINUX_64 is told from LINUX_32, PVH from ELF. */
enum svm_boot_format svm_boot_linux_format(const struct svm_boot_config *config);
bool svm_boot_is_multiboot(const struct svm_boot_config *config);
enum svm_boot_format svm_boot_elf_format(const struct svm_boot_config *config);

/* The segments of an ELF file as pieces; its entry point, physical. */
SVM_MUST_CHECK int svm_boot_plan_segments(struct svm_boot_plan *plan, uint64_t *entry);

#endif
