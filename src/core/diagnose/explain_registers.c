/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Registers of a VMCB in words: flags by name, segments by what their attributes say.
 *
 * A bit without a name is printed as a number behind the names: it is the one that matters when
 * VMRUN refuses a value.
 */
#include "core/diagnose/explain.h"
#include "core/diagnose/register_flags.h"

#define DR6_FIXED UINT64_C(0xffff0ff0) /* Read as 1 always, 13.1.1.3. */
#define DR7_FIXED SVM_BIT(10)

struct flag {
	const char *name;
	uint64_t mask;
};

/* A register's names; `fixed` bits mean nothing and get none. */
struct flags {
	const struct flag *flag;
	size_t count;
	uint64_t fixed;
};

#define FLAG(name, bit) { #name, SVM_BIT(bit) },
#define FLAGS(register, FLAGS_OF, fixed)                                                           \
	static const struct flag register##_flag[] = { FLAGS_OF(FLAG) };                           \
	static const struct flags register##_flags = { register##_flag,                            \
		                                       SVM_ARRAY_SIZE(register##_flag), fixed }
FLAGS(cr0, SVM_CR0_FLAGS, 0);
FLAGS(cr4, SVM_CR4_FLAGS, 0);
FLAGS(efer, SVM_EFER_FLAGS, 0);
FLAGS(rflags, SVM_RFLAGS_FLAGS, SVM_BIT(1));
FLAGS(dr6, SVM_DR6_FLAGS, DR6_FIXED);
FLAGS(dr7, SVM_DR7_FLAGS, DR7_FIXED);
FLAGS(page, SVM_PAGE_FLAGS, SVM_BITS(62, 9));
#undef FLAGS
#undef FLAG

/* ": PE ET PG", and bits without a name as a number. */
static void add_names(struct svm_text *text, uint64_t value, const struct flags *names)
{
	uint64_t rest = value & ~names->fixed;
	const char *before = ": ";

	for (size_t i = 0; i < names->count; i++) {
		if (!(rest & names->flag[i].mask))
			continue;
		svm_text_add(text, before);
		svm_text_add(text, names->flag[i].name);
		before = " ";
		rest &= ~names->flag[i].mask;
	}
	if (rest == 0)
		return;
	svm_text_add(text, before);
	svm_text_add_hex(text, rest);
}

void svm_explain_label(struct svm_text *text, const char *name)
{
	const size_t start = text->length;

	svm_text_add(text, name);
	while (text->length < start + 12)
		svm_text_add_char(text, ' ');
}

void svm_explain_page_entry(struct svm_text *text, uint64_t entry)
{
	svm_text_add_hex(text, entry);
	add_names(text, entry, &page_flags);
}

static void add_flags(struct svm_text *text, const char *name, uint64_t value,
                      const struct flags *names)
{
	svm_explain_label(text, name);
	svm_text_add_hex(text, value);
	add_names(text, value, names);
	svm_text_add_char(text, '\n');
}

static void add_number(struct svm_text *text, const char *name, uint64_t value)
{
	svm_explain_label(text, name);
	svm_text_add_hex(text, value);
	svm_text_add_char(text, '\n');
}

/* --- segments ------------------------------------------------------------------------------- */

/* Type of a code or data segment, 4.7.2 and 4.7.3. */
static void add_memory_type(struct svm_text *text, uint64_t attributes)
{
	const uint64_t type = attributes & SVM_SEG_TYPE;

	if (type & 8) {
		svm_text_add(text, (type & 2) ? "code, readable" : "code, execute only");
		svm_text_add(text, (type & 4) ? ", conforming" : "");
	} else {
		svm_text_add(text, (type & 2) ? "data, writable" : "data, read only");
		svm_text_add(text, (type & 4) ? ", expands down" : "");
	}
	svm_text_add(text, (type & 1) ? ", accessed" : "");
}

/* Those that a VMCB can hold for TR and LDTR, 4.8.3. */
static const char *system_type(uint64_t type)
{
	switch (type) {
	case 1:
		return "16-bit TSS, available";
	case 2:
		return "LDT";
	case 3:
		return "16-bit TSS, busy";
	case 9:
		return "TSS, available";
	case 11:
		return "TSS, busy";
	default:
		return "system, of no segment's type";
	}
}

static void add_attributes(struct svm_text *text, uint64_t attributes)
{
	if (!(attributes & SVM_SEG_ALL)) {
		svm_text_add(text, "null");
		return;
	}
	if (attributes & SVM_SEG_S)
		add_memory_type(text, attributes);
	else
		svm_text_add(text, system_type(attributes & SVM_SEG_TYPE));
	svm_text_add(text, ", DPL ");
	svm_text_add_decimal(text, svm_bits_get(attributes, SVM_SEG_DPL));
	svm_text_add(text, (attributes & SVM_SEG_P) ? "" : ", not present");
	svm_text_add(text, (attributes & SVM_SEG_L) ? ", 64-bit" : "");
	svm_text_add(text, (attributes & SVM_SEG_DB) ? ", 32-bit" : "");
	svm_text_add(text, (attributes & SVM_SEG_G) ? ", limit in pages" : "");
	if (attributes & ~SVM_SEG_ALL)
		svm_text_add(text, ", bits that do not exist: VMX's format?");
}

static void add_segment(struct svm_text *text, const char *name,
                        const struct svm_vmcb_segment *segment)
{
	svm_explain_label(text, name);
	svm_text_add_digits(text, segment->selector, 4);
	svm_text_add(text, " base ");
	svm_text_add_hex(text, segment->base);
	svm_text_add(text, " limit ");
	svm_text_add_hex(text, segment->limit);
	svm_text_add(text, " attributes ");
	svm_text_add_hex(text, segment->attributes);
	svm_text_add(text, ": ");
	add_attributes(text, segment->attributes);
	svm_text_add_char(text, '\n');
}

static void add_table(struct svm_text *text, const char *name,
                      const struct svm_vmcb_segment *table)
{
	svm_explain_label(text, name);
	svm_text_add(text, "base ");
	svm_text_add_hex(text, table->base);
	svm_text_add(text, " limit ");
	svm_text_add_hex(text, table->limit);
	svm_text_add_char(text, '\n');
}

static void add_segments(struct svm_text *text, const struct svm_vmcb *vmcb)
{
	const struct svm_vmcb_segment cs = svm_vmcb_get_cs(vmcb), ss = svm_vmcb_get_ss(vmcb),
	                              ds = svm_vmcb_get_ds(vmcb), es = svm_vmcb_get_es(vmcb),
	                              gdtr = svm_vmcb_get_gdtr(vmcb),
	                              idtr = svm_vmcb_get_idtr(vmcb);

	add_segment(text, "cs", &cs);
	add_segment(text, "ss", &ss);
	add_segment(text, "ds", &ds);
	add_segment(text, "es", &es);
	add_segment(text, "fs", &vmcb->save.fs);
	add_segment(text, "gs", &vmcb->save.gs);
	add_segment(text, "tr", &vmcb->save.tr);
	add_segment(text, "ldtr", &vmcb->save.ldtr);
	add_table(text, "gdtr", &gdtr);
	add_table(text, "idtr", &idtr);
}

/* --- all of them ---------------------------------------------------------------------------- */

void svm_explain_registers(struct svm_text *text, const struct svm_vmcb *vmcb)
{
	add_number(text, "rax", vmcb->save.rax);
	add_number(text, "rsp", vmcb->save.rsp);
	add_flags(text, "rflags", vmcb->save.rflags, &rflags_flags);
	add_flags(text, "cr0", svm_vmcb_get_cr0(vmcb), &cr0_flags);
	add_number(text, "cr2", svm_vmcb_get_cr2(vmcb));
	add_number(text, "cr3", svm_vmcb_get_cr3(vmcb));
	add_flags(text, "cr4", svm_vmcb_get_cr4(vmcb), &cr4_flags);
	add_flags(text, "efer", svm_vmcb_get_efer(vmcb), &efer_flags);
	add_flags(text, "dr6", svm_vmcb_get_dr6(vmcb), &dr6_flags);
	add_flags(text, "dr7", svm_vmcb_get_dr7(vmcb), &dr7_flags);
	add_segments(text, vmcb);
}
