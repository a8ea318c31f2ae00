/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * An exit as a page of lines: all that the VMCB says, each line with a name in front.
 *
 * As for the one line, the VMCB and the exit may be anybody's: no number becomes an index
 * unchecked, and no pointer is followed.
 */
#include <libsvm/exit_codes.h>

#include "core/diagnose/explain.h"
#include "core/features.h"

static void add_event(struct svm_text *text, const char *name, uint64_t event)
{
	svm_explain_label(text, name);
	if (!(event & SVM_EVENT_VALID)) {
		svm_text_add(text, "none\n");
		return;
	}
	svm_text_add_hex(text, event);
	svm_text_add(text, ": ");
	svm_explain_event(text, event);
	if (event & SVM_EVENT_ERROR_VALID) {
		svm_text_add(text, ", error code ");
		svm_text_add_hex(text, svm_bits_get(event, SVM_EVENT_ERROR));
	}
	svm_text_add_char(text, '\n');
}

static void add_code(struct svm_text *text, const struct svm_exit *exit)
{
	const char *const what = svm_exit_text(exit->raw.exit_code);
	const uint64_t info_1 = exit->raw.exit_info_1, info_2 = exit->raw.exit_info_2;
	struct svm_text measure;

	svm_explain_label(text, "exit code");
	svm_text_add_hex(text, exit->raw.exit_code);
	svm_text_add(text, ": ");
	svm_text_add(text, what ? what : "not known");
	svm_text_add_char(text, '\n');
	svm_explain_label(text, "exit info");
	svm_text_add_hex(text, info_1);
	svm_text_add_char(text, ' ');
	svm_text_add_hex(text, info_2);
	svm_text_init(&measure, NULL, 0);
	svm_explain_raw(&measure, exit->raw.exit_code, info_1, info_2);
	if (measure.length != 0) {
		svm_text_add(text, ": ");
		svm_explain_raw(text, exit->raw.exit_code, info_1, info_2);
	}
	svm_text_add_char(text, '\n');
}

static void add_paging(struct svm_text *text, const struct svm_vmcb *vmcb)
{
	const uint64_t cr4 = svm_vmcb_get_cr4(vmcb);

	if (!(svm_vmcb_get_cr0(vmcb) & CR0_PG))
		svm_text_add(text, ", no paging");
	else if (svm_vmcb_get_efer(vmcb) & EFER_LMA)
		svm_text_add(text, (cr4 & CR4_LA57) ? ", 5 levels of tables"
		                                    : ", 4 levels of tables");
	else
		svm_text_add(text, (cr4 & CR4_PAE) ? ", 3 levels of tables (PAE)"
		                                   : ", 2 levels of tables");
}

static void add_mode(struct svm_text *text, const struct svm_vmcb *vmcb,
                     const struct svm_exit *exit)
{
	svm_explain_label(text, "guest");
	svm_explain_where(text, vmcb, exit);
	add_paging(text, vmcb);
	svm_text_add_char(text, '\n');
}

static void add_decoded(struct svm_text *text, const struct svm_exit *exit)
{
	static const char *const maps[] = { "",     "0F ",   "0F 38 ", "0F 3A ",
		                            "0F 0F ", "XOP 8 ", "XOP 9 ", "XOP A " };
	const struct svm_exit_decoded *const d = &exit->decoded;

	if (!d->valid)
		return;
	svm_explain_label(text, "instruction");
	svm_text_add(text, "opcode ");
	svm_text_add(text, d->map < SVM_ARRAY_SIZE(maps) ? maps[d->map] : "? ");
	svm_text_add_digits(text, d->opcode, 2);
	if (d->has_modrm) {
		svm_text_add(text, ", ModRM ");
		svm_text_add_digits(text, d->modrm, 2);
	}
	svm_text_add(text, ", operands of ");
	svm_text_add_decimal(text, d->operand_width);
	svm_text_add(text, " bits, addresses of ");
	svm_text_add_decimal(text, d->address_width);
	svm_text_add(text, " bits\n");
}

/* What lets a physical interrupt end the guest's run, and what lets the guest take one. */
static void add_interrupts(struct svm_text *text, const struct svm_vmcb *vmcb)
{
	const uint64_t control = svm_vmcb_get_int_control(vmcb);

	svm_explain_label(text, "interrupts");
	svm_text_add(text, (vmcb->save.rflags & RFLAGS_IF) ? "IF set" : "IF clear");
	svm_text_add(text, (vmcb->control.int_state & SVM_INT_STATE_SHADOW) ? ", in a shadow" : "");
	svm_text_add(text, (control & SVM_INT_V_MASKING)
	                           ? ", V_INTR_MASKING"
	                           : ", no V_INTR_MASKING: the guest's IF holds the host's back");
	svm_text_add(text, ", task priority ");
	svm_text_add_hex(text, svm_bits_get(control, SVM_INT_V_TPR));
	if (control & SVM_INT_V_IRQ) {
		svm_text_add(text, ", virtual interrupt ");
		svm_text_add_hex(text, svm_bits_get(control, SVM_INT_V_INTR_VECTOR));
		svm_text_add(text, " of priority ");
		svm_text_add_hex(text, svm_bits_get(control, SVM_INT_V_PRIO));
	}
	svm_text_add_char(text, '\n');
}

static void add_one_line(struct svm_text *text, const struct svm_vmcb *vmcb,
                         const struct svm_exit *exit)
{
	svm_explain_line(text, vmcb, exit);
	svm_text_add_char(text, '\n');
}

void svm_explain_page(struct svm_text *text, const struct svm_vmcb *vmcb,
                      const struct svm_exit *exit)
{
	add_one_line(text, vmcb, exit);
	add_code(text, exit);
	add_event(text, "interrupted", exit->raw.exit_int_info);
	add_event(text, "injected", vmcb->control.event_inj);
	add_mode(text, vmcb, exit);
	add_decoded(text, exit);
	add_interrupts(text, vmcb);
	svm_explain_registers(text, vmcb);
}

size_t svm_explain_vmcb_full(const struct svm_vmcb *vmcb, const struct svm_exit *exit,
                             char *buffer, size_t size)
{
	struct svm_text text;

	svm_text_init(&text, buffer, size);
	svm_explain_page(&text, vmcb, exit);
	return text.length;
}
