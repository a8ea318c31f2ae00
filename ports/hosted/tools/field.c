/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables of <libsvm/vmcb.h> as a walk over 4096 bytes.
 *
 * Whatever lies between the named fields is reserved, and a byte that differs there is news too.
 */
#include <stdio.h>
#include <string.h>

#include <libsvm/diagnose.h>

#include "field.h"

#define VMCB_SIZE 4096u
#define WORDS_END 0x18u /* Of the intercepts. */

/* Bytes of the field that begins here; 0 if none does. */
static uint8_t size_at(uint16_t offset)
{
	switch (offset) {
#define CACHED(type, area, name, offset, group, what)                                              \
	case (offset):                                                                             \
		return sizeof(type);
		SVM_VMCB_CACHED_FIELDS(CACHED)
#undef CACHED
#define PLAIN(type, area, name, offset, what)                                                      \
	case (offset):                                                                             \
		return sizeof(type);
		SVM_VMCB_PLAIN_FIELDS(PLAIN)
#undef PLAIN
#define SEGMENT(name, field, offset, group)                                                        \
	case (offset):                                                                             \
	case (offset) + 2:                                                                         \
		return 2;                                                                          \
	case (offset) + 4:                                                                         \
		return 4;                                                                          \
	case (offset) + 8:                                                                         \
		return 8;
		SVM_VMCB_SEGMENTS(SEGMENT)
#undef SEGMENT
	default:
		return offset < WORDS_END && offset % 4 == 0 ? 4 : 0;
	}
}

uint16_t field_at(uint16_t offset, struct field *field)
{
	static const uint16_t bytes = offsetof(struct svm_vmcb, control.insn_bytes);
	static const uint16_t software = offsetof(struct svm_vmcb, control.software);
	char name[SVM_VMCB_FIELD_NAME_SIZE];

	field->offset = offset;
	field->size = size_at(offset);
	field->is_reserved = false;
	if (field->size && svm_vmcb_field_name(offset, name)) {
		snprintf(field->name, FIELD_NAME, "%s", name);
		return (uint16_t)(offset + field->size);
	}
	field->size = 1;
	if (offset >= bytes && offset < bytes + 15) {
		snprintf(field->name, FIELD_NAME, "instruction byte %d", offset - bytes);
	} else if (offset >= software && offset < software + 0x20) {
		snprintf(field->name, FIELD_NAME, "software's byte %d", offset - software);
	} else {
		snprintf(field->name, FIELD_NAME, "reserved");
		field->is_reserved = true;
	}
	return (uint16_t)(offset + 1);
}

uint64_t field_value(const struct svm_vmcb *vmcb, const struct field *field)
{
	const uint8_t *at = (const uint8_t *)vmcb + field->offset;
	uint64_t value = 0;

	for (unsigned int i = 0; i < field->size; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

struct bit_name {
	uint16_t offset; /* Of the field. */
	uint8_t bit;
	const char *name;
};

#define CR0    0x558
#define CR4    0x548
#define EFER   0x4d0
#define RFLAGS 0x570

/* clang-format off */
static const struct bit_name bit_names[] = {
	{ CR0, 0, "PE" },       { CR0, 1, "MP" },       { CR0, 2, "EM" },
	{ CR0, 3, "TS" },       { CR0, 4, "ET" },       { CR0, 5, "NE" },
	{ CR0, 16, "WP" },      { CR0, 18, "AM" },      { CR0, 29, "NW" },
	{ CR0, 30, "CD" },      { CR0, 31, "PG" },      { CR4, 0, "VME" },
	{ CR4, 1, "PVI" },      { CR4, 2, "TSD" },      { CR4, 3, "DE" },
	{ CR4, 4, "PSE" },      { CR4, 5, "PAE" },      { CR4, 6, "MCE" },
	{ CR4, 7, "PGE" },      { CR4, 8, "PCE" },      { CR4, 9, "OSFXSR" },
	{ CR4, 10, "OSXMMEXCPT" }, { CR4, 11, "UMIP" }, { CR4, 12, "LA57" },
	{ CR4, 13, "VMXE, which is Intel's" }, { CR4, 14, "SMXE, which is Intel's" },
	{ CR4, 16, "FSGSBASE" }, { CR4, 17, "PCIDE" },  { CR4, 18, "OSXSAVE" },
	{ CR4, 20, "SMEP" },    { CR4, 21, "SMAP" },    { CR4, 22, "PKE" },
	{ CR4, 23, "CET" },     { EFER, 0, "SCE" },     { EFER, 8, "LME" },
	{ EFER, 10, "LMA" },    { EFER, 11, "NXE" },    { EFER, 12, "SVME" },
	{ EFER, 13, "LMSLE" },  { EFER, 14, "FFXSR" },  { EFER, 15, "TCE" },
	{ EFER, 17, "MCOMMIT" }, { EFER, 18, "INTWB" }, { EFER, 20, "UAIE" },
	{ EFER, 21, "AIBRSE" }, { RFLAGS, 0, "CF" },    { RFLAGS, 1, "the one that is always 1" },
	{ RFLAGS, 2, "PF" },    { RFLAGS, 4, "AF" },    { RFLAGS, 6, "ZF" },
	{ RFLAGS, 7, "SF" },    { RFLAGS, 8, "TF" },    { RFLAGS, 9, "IF" },
	{ RFLAGS, 10, "DF" },   { RFLAGS, 11, "OF" },   { RFLAGS, 14, "NT" },
	{ RFLAGS, 16, "RF" },   { RFLAGS, 17, "VM" },   { RFLAGS, 18, "AC" },
	{ RFLAGS, 19, "VIF" },  { RFLAGS, 20, "VIP" },  { RFLAGS, 21, "ID" },
	{ 0x060, 8, "V_IRQ" },  { 0x060, 9, "V_GIF" },  { 0x060, 11, "V_NMI" },
	{ 0x060, 12, "V_NMI_MASK" }, { 0x060, 20, "V_IGN_TPR" }, { 0x060, 24, "V_INTR_MASKING" },
	{ 0x060, 25, "V_GIF_ENABLE" }, { 0x060, 26, "V_NMI_ENABLE" }, { 0x060, 30, "X2AVIC" },
	{ 0x060, 31, "AVIC" },  { 0x068, 0, "shadow" }, { 0x068, 1, "guest interrupt mask" },
	{ 0x090, 0, "NP_ENABLE" }, { 0x090, 1, "SEV" }, { 0x090, 2, "SEV-ES" },
	{ 0x090, 3, "GMET" },   { 0x090, 4, "SSS" },    { 0x0b8, 0, "LBR" },
	{ 0x0b8, 1, "VMLOAD/VMSAVE" }, { 0x0b8, 2, "IBS" }, { 0x0b8, 3, "PMC" },
	{ 0x0c0, 0, "intercepts" }, { 0x0c0, 1, "maps" }, { 0x0c0, 2, "ASID" },
	{ 0x0c0, 3, "interrupts" }, { 0x0c0, 4, "nested paging" }, { 0x0c0, 5, "CRx" },
	{ 0x0c0, 6, "DRx" },    { 0x0c0, 7, "GDTR, IDTR" }, { 0x0c0, 8, "segments" },
	{ 0x0c0, 9, "CR2" },    { 0x0c0, 10, "LBR" },   { 0x0c0, 11, "AVIC" },
	{ 0x0c0, 12, "CET" },
};
/* clang-format on */

/* Attributes of a segment are alike in all of them. */
static const char *attribute_name(unsigned int bit)
{
	static const char *const names[12] = { NULL,  NULL, NULL,  NULL, "S", "DPL",
		                               "DPL", "P",  "AVL", "L",  "D", "G" };

	return bit < 12 ? names[bit] : NULL;
}

static bool is_attributes(uint16_t offset)
{
	return offset >= 0x400 && offset < 0x4a0 && offset % 16 == 2;
}

static const char *bit_name(uint16_t offset, unsigned int bit, char buffer[24])
{
	if (offset < WORDS_END && offset % 4 == 0)
		return svm_exit_name(offset * 8u + bit, buffer);
	if (is_attributes(offset))
		return attribute_name(bit);
	for (size_t i = 0; i < sizeof(bit_names) / sizeof(bit_names[0]); i++)
		if (bit_names[i].offset == offset && bit_names[i].bit == bit)
			return bit_names[i].name;
	return NULL;
}

const char *field_bits(uint16_t offset, uint64_t bits, char text[FIELD_BITS])
{
	const char *last = NULL;
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int bit = 0; bit < 64; bit++) {
		char buffer[24];
		const char *name = bits >> bit & 1 ? bit_name(offset, bit, buffer) : NULL;

		if (!name || (last && name == last)) /* The two bits of DPL. */
			continue;
		used += (size_t)snprintf(text + used, FIELD_BITS - used, "%s%s", used ? ", " : "",
		                         name);
		if (used >= FIELD_BITS)
			break;
		last = name == buffer ? NULL : name;
	}
	return text;
}
