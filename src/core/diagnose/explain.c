/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An exit as one line: what happened, how, where, and what that usually means.
 *
 * Everything here may be hostile: the guest chose the registers, and a tool may hand in a dump of
 * any origin with an exit that does not belong to it.  So nothing is used as an index unchecked,
 * no pointer is followed, and only the member of the union that the kind names is read.
 */
#include <libsvm/exit_codes.h>

#include "core/diagnose/explain.h"

#define RFLAGS_IF SVM_BIT(9)

static bool interrupts_off(const struct svm_vmcb *vmcb)
{
	return !(vmcb->save.rflags & RFLAGS_IF);
}

/* JMP to itself: the usual end of a guest that gave up. */
static bool jumps_to_itself(const struct svm_exit *exit)
{
	return exit->insn_count >= 2 && exit->insn[0] == 0xeb && exit->insn[1] == 0xfe;
}

static void add_bytes(struct svm_text *text, unsigned size)
{
	svm_text_add_decimal(text, size);
	svm_text_add(text, size == 1 ? " byte" : " bytes");
}

static void add_io(struct svm_text *text, const struct svm_exit *exit)
{
	svm_text_add(text, exit->io.is_in ? "IN of " : "OUT of ");
	if (!exit->io.is_in) {
		svm_text_add_hex(text, exit->io.value);
		svm_text_add(text, ", ");
	}
	add_bytes(text, exit->io.size);
	svm_text_add(text, exit->io.is_in ? " from port " : " to port ");
	svm_text_add_hex(text, exit->io.port);
}

static void add_mmio(struct svm_text *text, const struct svm_exit *exit)
{
	svm_text_add(text, exit->mmio.is_write ? "write of " : "read of ");
	add_bytes(text, exit->mmio.size);
	svm_text_add(text, exit->mmio.is_write ? " to" : " from");
	svm_text_add(text, " guest-physical ");
	svm_text_add_hex(text, exit->mmio.gpa);
	svm_text_add(text, ", where no memory is and no device of the VM answers");
}

static void add_msr(struct svm_text *text, const struct svm_exit *exit)
{
	const char *name = svm_msr_name(exit->msr.msr);

	if (exit->kind == SVM_EXIT_KIND_WRMSR) {
		svm_text_add(text, "WRMSR of ");
		svm_text_add_hex(text, exit->msr.value);
		svm_text_add(text, " to ");
	} else {
		svm_text_add(text, "RDMSR of ");
	}
	svm_text_add_hex(text, exit->msr.msr);
	svm_text_add(text, name ? " " : ", a register that the library does not know");
	svm_text_add(text, name);
}

static void add_register(struct svm_text *text, const struct svm_exit *exit)
{
	svm_text_add(text, exit->reg.is_write ? "write of " : "read of ");
	if (exit->reg.is_write) {
		svm_text_add_hex(text, exit->reg.value);
		svm_text_add(text, " to ");
	}
	svm_text_add(text, exit->kind == SVM_EXIT_KIND_CR ? "CR" : "DR");
	svm_text_add_decimal(text, exit->reg.number);
}

static void add_exception(struct svm_text *text, const struct svm_exit *exit)
{
	const uint8_t vector = exit->exception.vector;

	svm_explain_exception(text, vector);
	if (vector == SVM_VECTOR_PF) {
		svm_text_add(text, ", ");
		svm_explain_pf_error(text, exit->exception.error);
		svm_text_add(text, ", address ");
		svm_text_add_hex(text, exit->exception.address);
	} else if (exit->exception.has_error) {
		svm_text_add(text, ", error code ");
		svm_text_add_hex(text, exit->exception.error);
	} else if (vector == SVM_VECTOR_DB) {
		svm_text_add(text, ", DR6 ");
		svm_text_add_hex(text, exit->exception.address);
	}
}

static void add_npt_fault(struct svm_text *text, const struct svm_exit *exit)
{
	if (exit->npt.access & SVM_PROT_EXECUTE)
		svm_text_add(text, "fetch from");
	else if (exit->npt.access & SVM_PROT_WRITE)
		svm_text_add(text, "write to");
	else
		svm_text_add(text, "read of");
	svm_text_add(text, " guest-physical ");
	svm_text_add_hex(text, exit->npt.gpa);
	switch (exit->npt.reason) {
	case SVM_NPT_FAULT_ABSENT:
		svm_text_add(text,
		             ": no slot is there; add memory with svm_vm_map() or serve it as a "
		             "device");
		break;
	case SVM_NPT_FAULT_RIGHTS:
		svm_text_add(text, ": the slot does not allow it; ROM, or rights too narrow");
		break;
	case SVM_NPT_FAULT_AGAIN:
		svm_text_add(text, ": the page is not there now; page it in and run again");
		break;
	case SVM_NPT_FAULT_TABLE:
		svm_text_add(text,
		             ": no slot is there and the guest keeps page tables in it; check CR3 "
		             "and the size of memory");
		break;
	}
}

static void add_shutdown(struct svm_text *text, const struct svm_vmcb *vmcb,
                         const struct svm_exit *exit)
{
	svm_text_add(text, "triple fault");
	if (exit->shutdown.merged) {
		svm_text_add(text, ": ");
		svm_explain_exception(text, exit->shutdown.second);
		svm_text_add(text, " while delivering ");
		svm_explain_exception(text, exit->shutdown.first);
	}
	if (svm_vmcb_get_idtr(vmcb).limit == 0)
		svm_text_add(text,
		             "; the IDT has limit 0: the guest's first exception or interrupt "
		             "ended it, look for that one");
	else
		svm_text_add(text, "; an exception, and another in the IDT, the stack or the #DF "
		                   "handler that should have caught it");
}

static void add_entry_failed(struct svm_text *text, const struct svm_exit *exit)
{
	const struct svm_rule_info *first = NULL;

	svm_text_add(text, "VMRUN refused the VMCB");
	for (unsigned i = 0; i < exit->entry.count && i < SVM_EXIT_FINDINGS; i++) {
		const struct svm_rule_info *info =
			svm_rule_info((enum svm_rule)exit->entry.rules[i]);

		svm_text_add(text, i == 0 ? ", rules broken: " : " ");
		svm_text_add(text, info ? info->id : "?");
		if (!first)
			first = info;
	}
	if (first) {
		svm_text_add(text, "; ");
		svm_text_add(text, first->text);
		svm_text_add(text, ": ");
		svm_text_add(text, first->advice);
	} else {
		svm_text_add(text, "; the audit finds no rule broken: report the dump of the VMCB");
	}
}

/* Who should have done something about it. */
static void add_loop(struct svm_text *text, const struct svm_exit *exit)
{
	const char *const what = svm_exit_text(exit->raw.exit_code);

	svm_text_add_decimal(text, exit->loop.count);
	svm_text_add(text, " times the same exit at the same RIP; ");
	if (exit->raw.exit_code == SVM_EXIT_INTR || exit->raw.exit_code == SVM_EXIT_NMI) {
		svm_text_add(text, "the host's interrupt is not taken, or gets no EOI, or the "
		                   "guest spins there");
		return;
	}
	svm_text_add(text, "the handler of ");
	svm_text_add(text, what ? what : "that exit");
	svm_text_add(text, " neither steps over the instruction nor removes the cause");
}

/* What keeps interrupts from a guest beside its IF.  Without V_GIF VMRUN has set GIF (15.17). */
static void add_masks(struct svm_text *text, const struct svm_vmcb *vmcb)
{
	const uint64_t control = svm_vmcb_get_int_control(vmcb);
	const bool gif = !(control & SVM_INT_V_GIF_ENABLE) || (control & SVM_INT_V_GIF);

	svm_text_add(text, control & SVM_INT_V_MASKING
	                           ? "; V_INTR_MASKING is set, "
	                           : "; V_INTR_MASKING is clear, the guest's IF is the host's, ");
	svm_text_add(text, gif ? "GIF is 1" : "GIF is 0: the guest has executed CLGI");
}

/* A guest that computes and one that waits for an interrupt look alike, but for these. */
static void add_silent(struct svm_text *text, const struct svm_vmcb *vmcb,
                       const struct svm_exit *exit)
{
	svm_text_add_decimal(text, exit->silent.ms);
	svm_text_add(text, " ms in the guest without an exit of its own; RIP was the same at ");
	svm_text_add_decimal(text, exit->silent.same);
	svm_text_add(text, " of ");
	svm_text_add_decimal(text, exit->silent.looks);
	svm_text_add(text, " host interrupts");
	if (jumps_to_itself(exit))
		svm_text_add(text, "; the instruction jumps to itself");
	else if (exit->silent.same == exit->silent.looks)
		svm_text_add(text, "; it spins on that instruction, or its exceptions go to an "
		                   "IDT that sends it back");
	else
		svm_text_add(text, "; it computes, or polls memory that nobody writes, or each of "
		                   "its exceptions leads to the next");
	svm_text_add(text, interrupts_off(vmcb)
	                           ? "; IF is clear, it takes no interrupt"
	                           : "; IF is set: if it waits for an interrupt, none was raised");
	add_masks(text, vmcb);
}

/* Whoever is stopped by the clock again and again and takes no interrupt will not stop by itself.
 */
static void add_stopped(struct svm_text *text, const struct svm_vmcb *vmcb,
                        const struct svm_exit *exit, const char *why)
{
	svm_text_add(text, why);
	if (jumps_to_itself(exit))
		svm_text_add(text, "; the instruction jumps to itself");
	if (interrupts_off(vmcb))
		svm_text_add(text, jumps_to_itself(exit)
		                           ? " with IF clear: only an NMI or a reset ends that"
		                           : "; IF is clear, the guest takes no interrupt");
}

static const char *kind_text(enum svm_exit_kind kind)
{
	switch (kind) {
#define KIND_TEXT(name, completes, text)                                                           \
	case SVM_EXIT_KIND_##name:                                                                 \
		return text;
		SVM_EXIT_KINDS(KIND_TEXT)
#undef KIND_TEXT
	case SVM_EXIT_KIND_NONE:
	case SVM_EXIT_KIND_COUNT:
		break;
	}
	return "no exit";
}

static void add_hlt(struct svm_text *text, const struct svm_vmcb *vmcb)
{
	svm_text_add(text, "HLT");
	svm_text_add(text, interrupts_off(vmcb) ? " with IF clear: only an NMI or a reset wakes it"
	                                        : ", waits for an interrupt");
}

static void add_raw(struct svm_text *text, const struct svm_exit *exit)
{
	const uint64_t code = exit->raw.exit_code;
	const uint64_t info_1 = exit->raw.exit_info_1, info_2 = exit->raw.exit_info_2;
	const char *what = svm_exit_text(code);
	struct svm_text measure;

	if (!what) {
		svm_text_add(text, "an exit code that the library does not know, EXITINFO1 ");
		svm_text_add_hex(text, info_1);
		svm_text_add(text, ", EXITINFO2 ");
		svm_text_add_hex(text, info_2);
		return;
	}
	svm_text_add(text, what);
	svm_text_init(&measure, NULL, 0);
	svm_explain_raw(&measure, code, info_1, info_2);
	if (measure.length == 0)
		return;
	svm_text_add(text, ": ");
	svm_explain_raw(text, code, info_1, info_2);
}

static void add_what(struct svm_text *text, const struct svm_vmcb *vmcb,
                     const struct svm_exit *exit)
{
	switch (exit->kind) {
	case SVM_EXIT_KIND_IO:
		add_io(text, exit);
		break;
	case SVM_EXIT_KIND_MMIO:
		add_mmio(text, exit);
		break;
	case SVM_EXIT_KIND_RDMSR:
	case SVM_EXIT_KIND_WRMSR:
		add_msr(text, exit);
		break;
	case SVM_EXIT_KIND_CPUID:
		svm_text_add(text, "CPUID leaf ");
		svm_text_add_hex(text, exit->cpuid.leaf);
		svm_text_add(text, " subleaf ");
		svm_text_add_hex(text, exit->cpuid.subleaf);
		break;
	case SVM_EXIT_KIND_HLT:
		add_hlt(text, vmcb);
		break;
	case SVM_EXIT_KIND_MWAIT:
		svm_text_add(text, exit->mwait.is_monitor ? "MONITOR" : "MWAIT");
		break;
	case SVM_EXIT_KIND_HYPERCALL:
		svm_text_add(text, "VMMCALL number ");
		svm_text_add_hex(text, exit->hypercall.number);
		if (exit->hypercall.cpl != 0)
			svm_text_add(text, ", from user code: VMMCALL checks no privilege");
		break;
	case SVM_EXIT_KIND_EXCEPTION:
	case SVM_EXIT_KIND_DEBUG:
		add_exception(text, exit);
		break;
	case SVM_EXIT_KIND_SHUTDOWN:
		add_shutdown(text, vmcb, exit);
		break;
	case SVM_EXIT_KIND_CR:
	case SVM_EXIT_KIND_DR:
		add_register(text, exit);
		break;
	case SVM_EXIT_KIND_TASK_SWITCH:
		svm_text_add(text, "task switch ");
		svm_explain_raw(text, SVM_EXIT_TASK_SWITCH, exit->raw.exit_info_1,
		                exit->raw.exit_info_2);
		break;
	case SVM_EXIT_KIND_RAW:
		add_raw(text, exit);
		break;
	case SVM_EXIT_KIND_NPT_FAULT:
		add_npt_fault(text, exit);
		break;
	case SVM_EXIT_KIND_REQUEST:
	case SVM_EXIT_KIND_HOST_INTERRUPT:
		add_stopped(text, vmcb, exit, kind_text(exit->kind));
		break;
	case SVM_EXIT_KIND_ENTRY_FAILED:
		add_entry_failed(text, exit);
		break;
	case SVM_EXIT_KIND_LOOP:
		add_loop(text, exit);
		break;
	case SVM_EXIT_KIND_SILENT:
		add_silent(text, vmcb, exit);
		break;
	case SVM_EXIT_KIND_NONE:
	case SVM_EXIT_KIND_PAUSE:
	case SVM_EXIT_KIND_INTR_WINDOW:
	case SVM_EXIT_KIND_NMI_WINDOW:
	case SVM_EXIT_KIND_INIT:
	case SVM_EXIT_KIND_EMULATION:
	case SVM_EXIT_KIND_NEED_MEMORY:
	case SVM_EXIT_KIND_COUNT:
	default:
		svm_text_add(text, kind_text(exit->kind));
		break;
	}
}

void svm_explain_line(struct svm_text *text, const struct svm_vmcb *vmcb,
                      const struct svm_exit *exit)
{
	char name_buffer[24] = "";
	const char *name = svm_exit_name(exit->raw.exit_code, name_buffer);

	svm_text_add(text, svm_exit_kind_name(exit->kind));
	svm_text_add(text, " (");
	svm_text_add(text, name ? name : "exit code");
	svm_text_add(text, " ");
	svm_text_add_hex(text, exit->raw.exit_code);
	svm_text_add(text, "): ");
	add_what(text, vmcb, exit);
	if (exit->raw.exit_int_info & SVM_EVENT_VALID) {
		svm_text_add(text, "; while delivering ");
		svm_explain_event(text, exit->raw.exit_int_info);
	}
	svm_text_add(text, "; ");
	svm_explain_where(text, vmcb, exit);
}

size_t svm_explain_vmcb(const struct svm_vmcb *vmcb, const struct svm_exit *exit, char *buffer,
                        size_t size)
{
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	svm_explain_line(&text, vmcb, exit);
	return text.length;
}
