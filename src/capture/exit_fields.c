/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An exit as a list of names and numbers.
 *
 * Not its bytes: what a kind does not use is left over from the exit before, and the compiler pads.
 */
#include "capture/format.h"
#include "core/core.h"

struct list {
	struct svm_capture_field *field;
	unsigned count;
};

static void add(struct list *list, const char *name, uint64_t value)
{
	list->field[list->count++] = (struct svm_capture_field){ name, value };
}

/* Eight bytes in a number. */
static uint64_t word_of(const uint8_t *bytes, unsigned count)
{
	uint64_t word = 0;

	for (unsigned i = 0; i < count; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void add_io(struct list *list, const struct svm_exit *exit)
{
	add(list, "io.port", exit->io.port);
	add(list, "io.size", exit->io.size);
	add(list, "io.is_in", exit->io.is_in);
	if (!exit->io.is_in)
		add(list, "io.value", exit->io.value);
}

static void add_mmio(struct list *list, const struct svm_exit *exit)
{
	add(list, "mmio.gpa", exit->mmio.gpa);
	add(list, "mmio.size", exit->mmio.size);
	add(list, "mmio.is_write", exit->mmio.is_write);
	if (!exit->mmio.is_write)
		return;
	for (unsigned at = 0; at < exit->mmio.size && at < sizeof(exit->mmio.data); at += 8)
		add(list, "mmio.data",
		    word_of(exit->mmio.data + at, (unsigned)svm_min(exit->mmio.size - at, 8)));
}

static void add_exception(struct list *list, const struct svm_exit *exit)
{
	add(list, "exception.vector", exit->exception.vector);
	add(list, "exception.has_error", exit->exception.has_error);
	if (exit->exception.has_error)
		add(list, "exception.error", exit->exception.error);
	add(list, "exception.address", exit->exception.address);
}

static void add_register(struct list *list, const struct svm_exit *exit)
{
	add(list, "reg.number", exit->reg.number);
	add(list, "reg.is_write", exit->reg.is_write);
	if (exit->reg.is_write)
		add(list, "reg.value", exit->reg.value);
}

static void add_npt_fault(struct list *list, const struct svm_exit *exit)
{
	add(list, "npt.gpa", exit->npt.gpa);
	add(list, "npt.access", exit->npt.access);
	add(list, "npt.reason", exit->npt.reason);
}

static void add_entry(struct list *list, const struct svm_exit *exit)
{
	for (unsigned i = 0; i < exit->entry.count && i < SVM_EXIT_FINDINGS; i++)
		add(list, "entry.rules", exit->entry.rules[i]);
}

static void add_kind(struct list *list, const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_IO:
		add_io(list, exit);
		break;
	case SVM_EXIT_KIND_MMIO:
		add_mmio(list, exit);
		break;
	case SVM_EXIT_KIND_RDMSR:
		add(list, "msr.msr", exit->msr.msr);
		break;
	case SVM_EXIT_KIND_WRMSR:
		add(list, "msr.msr", exit->msr.msr);
		add(list, "msr.value", exit->msr.value);
		break;
	case SVM_EXIT_KIND_CPUID:
		add(list, "cpuid.leaf", exit->cpuid.leaf);
		add(list, "cpuid.subleaf", exit->cpuid.subleaf);
		break;
	case SVM_EXIT_KIND_HYPERCALL:
		add(list, "hypercall.number", exit->hypercall.number);
		add(list, "hypercall.cpl", exit->hypercall.cpl);
		break;
	case SVM_EXIT_KIND_EXCEPTION:
	case SVM_EXIT_KIND_DEBUG:
		add_exception(list, exit);
		break;
	case SVM_EXIT_KIND_CR:
	case SVM_EXIT_KIND_DR:
		add_register(list, exit);
		break;
	case SVM_EXIT_KIND_TASK_SWITCH:
		add(list, "task.selector", exit->task.selector);
		break;
	case SVM_EXIT_KIND_NPT_FAULT:
		add_npt_fault(list, exit);
		break;
	case SVM_EXIT_KIND_ENTRY_FAILED:
		add_entry(list, exit);
		break;
	default:
		break;
	}
}

unsigned svm_capture_exit_fields(const struct svm_exit *exit,
                                 struct svm_capture_field field[SVM_CAPTURE_FIELDS_MAX])
{
	struct list list = { .field = field };

	add(&list, "kind", exit->kind);
	if (exit->kind == SVM_EXIT_KIND_NONE)
		return list.count;
	add(&list, "flags", exit->flags);
	add(&list, "rip", exit->rip);
	add(&list, "insn_len", exit->insn_len);
	add(&list, "insn_count", exit->insn_count);
	if (exit->insn_count <= sizeof(exit->insn)) {
		add(&list, "insn", word_of(exit->insn, (unsigned)svm_min(exit->insn_count, 8)));
		if (exit->insn_count > 8)
			add(&list, "insn", word_of(exit->insn + 8, exit->insn_count - 8u));
	}
	add_kind(&list, exit);
	return list.count;
}
