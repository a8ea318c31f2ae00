/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * EXITINFO1, EXITINFO2 and EXITINTINFO in words.  APM vol. 2, 15.7 to 15.14, 15.25.6, 15.29.9.
 *
 * Most exits leave both fields undefined, so an exit that is not named here adds nothing: leftovers
 * of the exit before would read like facts.
 */
#include <libsvm/exit_codes.h>

#include "core/diagnose/explain.h"

#define PF_PRESENT  SVM_BIT(0)
#define PF_WRITE    SVM_BIT(1)
#define PF_USER     SVM_BIT(2)
#define PF_RESERVED SVM_BIT(3)
#define PF_FETCH    SVM_BIT(4)

#define TASK_SELECTOR SVM_BITS(15, 0)
#define TASK_IRET     SVM_BIT(36)
#define TASK_JUMP     SVM_BIT(38)

static const char *access_word(uint64_t error)
{
	if (error & PF_FETCH)
		return "fetch";
	return (error & PF_WRITE) ? "write" : "read";
}

void svm_explain_exception(struct svm_text *text, uint8_t vector)
{
	const char *name = svm_exception_name(vector);

	if (name[1] != '?') {
		svm_text_add(text, name);
		return;
	}
	svm_text_add(text, "exception ");
	svm_text_add_decimal(text, vector);
}

void svm_explain_pf_error(struct svm_text *text, uint64_t error)
{
	svm_text_add(text, access_word(error));
	svm_text_add(text, (error & PF_USER) ? " at CPL 3" : " as supervisor");
	if (error & PF_RESERVED)
		svm_text_add(text, ", reserved bit in a table");
	else if (error & PF_PRESENT)
		svm_text_add(text, ", page protected");
	else
		svm_text_add(text, ", page not present");
}

/* U is set for every access of a guest, so it says nothing. */
void svm_explain_npf(struct svm_text *text, uint64_t info_1)
{
	svm_text_add(text, access_word(info_1));
	if (info_1 & SVM_NPF_WALK)
		svm_text_add(text, " by a walk of the guest's page tables");
	if (info_1 & SVM_NPF_SHADOW_STACK)
		svm_text_add(text, " of a shadow stack");
	if (info_1 & SVM_NPF_RESERVED)
		svm_text_add(text, ", reserved bit in a nested table");
	else if (info_1 & SVM_NPF_PRESENT)
		svm_text_add(text, ", nested page protected");
	else
		svm_text_add(text, ", nested page not present");
}

void svm_explain_event(struct svm_text *text, uint64_t event)
{
	const uint8_t vector = (uint8_t)svm_bits_get(event, SVM_EVENT_VECTOR);

	switch (svm_bits_get(event, SVM_EVENT_TYPE)) {
	case SVM_EVENT_TYPE_INTR:
		svm_text_add(text, "interrupt ");
		svm_text_add_hex(text, vector);
		break;
	case SVM_EVENT_TYPE_NMI:
		svm_text_add(text, "an NMI");
		break;
	case SVM_EVENT_TYPE_EXCP:
		svm_explain_exception(text, vector);
		break;
	case SVM_EVENT_TYPE_SOFT:
		svm_text_add(text, "INT ");
		svm_text_add_hex(text, vector);
		break;
	default:
		svm_text_add(text, "an event of a reserved type");
		break;
	}
}

static void add_raw_io(struct svm_text *text, uint64_t info_1)
{
	if (info_1 & SVM_IOIO_REP)
		svm_text_add(text, "REP ");
	svm_text_add(text, (info_1 & SVM_IOIO_IN) ? "IN" : "OUT");
	if (info_1 & SVM_IOIO_STRING)
		svm_text_add(text, "S");
	svm_text_add(text, ", ");
	svm_text_add_decimal(text, svm_bits_get(info_1, SVM_IOIO_SIZE));
	svm_text_add(text, " bytes, port ");
	svm_text_add_hex(text, svm_bits_get(info_1, SVM_IOIO_PORT));
}

static void add_task(struct svm_text *text, uint64_t info_1, uint64_t info_2)
{
	svm_text_add(text, "to TSS ");
	svm_text_add_hex(text, info_1 & TASK_SELECTOR);
	if (info_2 & TASK_IRET)
		svm_text_add(text, " by IRET");
	else if (info_2 & TASK_JUMP)
		svm_text_add(text, " by JMP");
	else
		svm_text_add(text, " by CALL or an event");
}

static void add_raw_exception(struct svm_text *text, uint8_t vector, uint64_t info_1,
                              uint64_t info_2)
{
	switch (vector) {
	case SVM_VECTOR_PF:
		svm_explain_pf_error(text, info_1);
		svm_text_add(text, ", address ");
		svm_text_add_hex(text, info_2);
		break;
	case SVM_VECTOR_NP:
	case SVM_VECTOR_SS:
	case SVM_VECTOR_GP:
	case SVM_VECTOR_AC:
	case SVM_VECTOR_SX:
	case SVM_VECTOR_CP:
		svm_text_add(text, "error code ");
		svm_text_add_hex(text, info_1 & SVM_BITS(31, 0));
		break;
	default:
		break; /* Undefined: 15.12. */
	}
}

static void add_ipi(struct svm_text *text, uint64_t info_2)
{
	static const char *const reasons[] = {
		"kind that hardware does not send",
		"a target is not running",
		"a target does not exist",
		"a backing page is out of range",
		"vector below 16",
		"not sent in hardware",
	};
	const uint64_t reason = info_2 >> 32;

	svm_text_add(text, reason < SVM_ARRAY_SIZE(reasons) ? reasons[reason] : "unknown reason");
}

void svm_explain_raw(struct svm_text *text, uint64_t code, uint64_t info_1, uint64_t info_2)
{
	if (code >= SVM_EXIT_EXCEPTION && code < SVM_EXIT_EXCEPTION + 32u) {
		add_raw_exception(text, (uint8_t)(code - SVM_EXIT_EXCEPTION), info_1, info_2);
		return;
	}
	switch (code) {
	case SVM_EXIT_IOIO:
		add_raw_io(text, info_1);
		break;
	case SVM_EXIT_MSR:
		svm_text_add(text, (info_1 & 1) ? "WRMSR" : "RDMSR");
		break;
	case SVM_EXIT_TASK_SWITCH:
		add_task(text, info_1, info_2);
		break;
	case SVM_EXIT_SMI:
		svm_text_add(text, (info_1 & 1) ? "external" : "internal, lost");
		break;
	case SVM_EXIT_NPF:
		svm_explain_npf(text, info_1);
		svm_text_add(text, ", guest-physical ");
		svm_text_add_hex(text, info_2);
		break;
	case SVM_EXIT_AVIC_INCOMPLETE_IPI:
		add_ipi(text, info_2);
		break;
	case SVM_EXIT_AVIC_NOACCEL:
		svm_text_add(text, (info_1 & SVM_BIT(32)) ? "write of APIC register "
		                                          : "read of APIC register ");
		svm_text_add_hex(text, info_1 & 0xff0u);
		break;
	default:
		break;
	}
}

/* The mode in which the guest's next instruction would be decoded. */
static const char *mode_name(const struct svm_vmcb *vmcb)
{
	const uint64_t cr0 = svm_vmcb_get_cr0(vmcb);
	const uint64_t attributes = svm_vmcb_get_cs(vmcb).attributes;

	if (!(cr0 & SVM_BIT(0)))
		return (cr0 & SVM_BIT(31)) ? "paged real mode" : "real mode";
	if (svm_vmcb_get_efer(vmcb) & SVM_BIT(10))
		return (attributes & SVM_SEG_L) ? "64-bit mode" : "compatibility mode";
	if (vmcb->save.rflags & SVM_BIT(17))
		return "virtual-8086 mode";
	return (attributes & SVM_SEG_DB) ? "32-bit protected mode" : "16-bit protected mode";
}

void svm_explain_where(struct svm_text *text, const struct svm_vmcb *vmcb,
                       const struct svm_exit *exit)
{
	svm_text_add(text, mode_name(vmcb));
	svm_text_add(text, ", CPL ");
	svm_text_add_decimal(text, svm_vmcb_get_cpl(vmcb));
	svm_text_add(text, ", at ");
	svm_text_add_digits(text, svm_vmcb_get_cs(vmcb).selector, 4);
	svm_text_add(text, ":");
	svm_text_add_hex(text, exit->rip);
	for (unsigned i = 0; i < exit->insn_count && i < sizeof(exit->insn); i++) {
		svm_text_add(text, i == 0 ? " [" : " ");
		svm_text_add_digits(text, exit->insn[i], 2);
	}
	if (exit->insn_count != 0)
		svm_text_add(text, "]");
}
