/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the kernel's log has after an exit that KVM did not expect, with the module's parameter
 * dump_invalid_vmcb=1.
 *
 * No picture of memory: names and numbers, some decimal, in lines that begin with whatever the log
 * puts before them, among messages of others.  Kernels differ in what they print.  So names are
 * looked for wherever a word begins; what has no row here is passed over; and what is not there,
 * because no kernel prints it or because the log has lost the line, is not known.  A field that is
 * there twice is no such thing: two processors have printed at once, and nobody can say whose is
 * what.
 */
#include <stdlib.h>
#include <string.h>

#include <libsvm/vmcb.h>

#include "kvm_text.h"

#define VMCB_SIZE    sizeof(struct svm_vmcb)
#define CONTROL_HEAD "VMCB Control Area:"
#define SAVE_HEAD    "VMCB State Save Area:"
#define LAST_KEY     "excp_to:" /* Of the save area. */

enum form {
	FORM_HEX,
	FORM_DECIMAL,
	FORM_WORDS,   /* One or more numbers of 32 bits, or one of 64. */
	FORM_SEGMENT, /* Selector, attributes, limit and base. */
};

struct row {
	const char *key;
	uint16_t offset;
	uint8_t size; /* Bytes of the field, or of one of its numbers. */
	uint8_t wide; /* The same where the number has more digits than that. */
	enum form form;
};

/* clang-format off */
static const struct row control_rows[] = {
	{ "cr_read:", 0x000, 2, 2, FORM_HEX },         { "cr_write:", 0x002, 2, 2, FORM_HEX },
	{ "dr_read:", 0x004, 2, 2, FORM_HEX },         { "dr_write:", 0x006, 2, 2, FORM_HEX },
	{ "exceptions:", 0x008, 4, 4, FORM_HEX },      { "intercepts:", 0x00c, 4, 8, FORM_WORDS },
	{ "pause filter threshold:", 0x03c, 2, 2, FORM_DECIMAL },
	{ "pause filter count:", 0x03e, 2, 2, FORM_DECIMAL },
	{ "iopm_base_pa:", 0x040, 8, 8, FORM_HEX },    { "msrpm_base_pa:", 0x048, 8, 8, FORM_HEX },
	{ "tsc_offset:", 0x050, 8, 8, FORM_HEX },      { "asid:", 0x058, 4, 4, FORM_DECIMAL },
	{ "tlb_ctl:", 0x05c, 1, 1, FORM_DECIMAL },     { "int_ctl:", 0x060, 4, 4, FORM_HEX },
	{ "int_vector:", 0x064, 4, 4, FORM_HEX },      { "int_state:", 0x068, 4, 8, FORM_HEX },
	{ "exit_code:", 0x070, 4, 8, FORM_HEX },       { "exit_info1:", 0x078, 8, 8, FORM_HEX },
	{ "exit_info2:", 0x080, 8, 8, FORM_HEX },      { "exit_int_info:", 0x088, 4, 8, FORM_HEX },
	{ "exit_int_info_err:", 0x08c, 4, 4, FORM_HEX },
	{ "nested_ctl:", 0x090, 8, 8, FORM_DECIMAL },  { "avic_vapic_bar:", 0x098, 8, 8, FORM_HEX },
	{ "ghcb:", 0x0a0, 8, 8, FORM_HEX },            { "event_inj:", 0x0a8, 4, 8, FORM_HEX },
	{ "event_inj_err:", 0x0ac, 4, 4, FORM_HEX },   { "nested_cr3:", 0x0b0, 8, 8, FORM_HEX },
	/* What has several names was renamed. */
	{ "lbr_ctl:", 0x0b8, 8, 8, FORM_DECIMAL },     { "virt_ext:", 0x0b8, 8, 8, FORM_DECIMAL },
	{ "misc_ctl:", 0x090, 8, 8, FORM_DECIMAL },    { "misc_ctl2:", 0x0b8, 8, 8, FORM_DECIMAL },
	{ "erap_ctl:", 0x05d, 1, 1, FORM_DECIMAL },
	{ "allowed_sev_features:", 0x138, 8, 8, FORM_HEX },
	{ "guest_sev_features:", 0x140, 8, 8, FORM_HEX },
	{ "next_rip:", 0x0c8, 8, 8, FORM_HEX },        { "vmsa_pa:", 0x108, 8, 8, FORM_HEX },
	{ "avic_backing_page:", 0x0e0, 8, 8, FORM_HEX },
	{ "avic_logical_id:", 0x0f0, 8, 8, FORM_HEX },
	{ "avic_physical_id:", 0x0f8, 8, 8, FORM_HEX },
	{ NULL, 0, 0, 0, FORM_HEX },
};

static const struct row save_rows[] = {
	{ "es:", 0x400, 0, 0, FORM_SEGMENT },          { "cs:", 0x410, 0, 0, FORM_SEGMENT },
	{ "ss:", 0x420, 0, 0, FORM_SEGMENT },          { "ds:", 0x430, 0, 0, FORM_SEGMENT },
	{ "fs:", 0x440, 0, 0, FORM_SEGMENT },          { "gs:", 0x450, 0, 0, FORM_SEGMENT },
	{ "gdtr:", 0x460, 0, 0, FORM_SEGMENT },        { "ldtr:", 0x470, 0, 0, FORM_SEGMENT },
	{ "idtr:", 0x480, 0, 0, FORM_SEGMENT },        { "tr:", 0x490, 0, 0, FORM_SEGMENT },
	{ "vmpl:", 0x4ca, 1, 1, FORM_DECIMAL },        { "cpl:", 0x4cb, 1, 1, FORM_DECIMAL },
	{ "efer:", 0x4d0, 8, 8, FORM_HEX },            { "cr4:", 0x548, 8, 8, FORM_HEX },
	{ "cr3:", 0x550, 8, 8, FORM_HEX },             { "cr0:", 0x558, 8, 8, FORM_HEX },
	{ "dr7:", 0x560, 8, 8, FORM_HEX },             { "dr6:", 0x568, 8, 8, FORM_HEX },
	{ "rflags:", 0x570, 8, 8, FORM_HEX },          { "rip:", 0x578, 8, 8, FORM_HEX },
	{ "rsp:", 0x5d8, 8, 8, FORM_HEX },             { "s_cet:", 0x5e0, 8, 8, FORM_HEX },
	{ "ssp:", 0x5e8, 8, 8, FORM_HEX },             { "isst_addr:", 0x5f0, 8, 8, FORM_HEX },
	{ "rax:", 0x5f8, 8, 8, FORM_HEX },             { "star:", 0x600, 8, 8, FORM_HEX },
	{ "lstar:", 0x608, 8, 8, FORM_HEX },           { "cstar:", 0x610, 8, 8, FORM_HEX },
	{ "sfmask:", 0x618, 8, 8, FORM_HEX },          { "kernel_gs_base:", 0x620, 8, 8, FORM_HEX },
	{ "sysenter_cs:", 0x628, 8, 8, FORM_HEX },     { "sysenter_esp:", 0x630, 8, 8, FORM_HEX },
	{ "sysenter_eip:", 0x638, 8, 8, FORM_HEX },    { "cr2:", 0x640, 8, 8, FORM_HEX },
	{ "gpat:", 0x668, 8, 8, FORM_HEX },            { "dbgctl:", 0x670, 8, 8, FORM_HEX },
	{ "br_from:", 0x678, 8, 8, FORM_HEX },         { "br_to:", 0x680, 8, 8, FORM_HEX },
	{ "excp_from:", 0x688, 8, 8, FORM_HEX },       { LAST_KEY, 0x690, 8, 8, FORM_HEX },
	{ NULL, 0, 0, 0, FORM_HEX },
};
/* clang-format on */

struct kvm_reader {
	struct dump *memory;
	size_t room, most; /* Bytes. */
	char *why;
	const struct row *rows; /* Of the area that is being read; NULL: of none. */
	unsigned int line;
};

static bool refuse(struct kvm_reader *r, const char *what)
{
	snprintf(r->why, DUMP_WHY, "line %u: %s", r->line, what);
	return false;
}

/* --- one VMCB after the other ---------------------------------------------------------------- */

static bool make_room(struct kvm_reader *r)
{
	struct dump *memory = r->memory;
	const size_t room = memory->size ? memory->size * 2 : VMCB_SIZE;
	uint8_t *bytes, *known;

	if (memory->size < r->room)
		return true;
	bytes = realloc(memory->bytes, room);
	if (bytes)
		memory->bytes = bytes;
	known = realloc(memory->known, room);
	if (known)
		memory->known = known;
	r->room = room;
	return bytes && known;
}

/* Of which nothing is known yet. */
static bool begin_vmcb(struct kvm_reader *r)
{
	struct dump *memory = r->memory;

	if (memory->size + VMCB_SIZE > r->most)
		return refuse(r, "that is too much");
	if (!make_room(r))
		return refuse(r, "no memory is left");
	memset(memory->bytes + memory->size, 0, VMCB_SIZE);
	memset(memory->known + memory->size, 0, VMCB_SIZE);
	memory->size += VMCB_SIZE;
	return true;
}

static bool knows(const struct kvm_reader *r, size_t offset, size_t size)
{
	const uint8_t *last = r->memory->known + r->memory->size - VMCB_SIZE;

	return memchr(last + offset, 1, size) != NULL;
}

static bool put(struct kvm_reader *r, size_t offset, size_t size, uint64_t value)
{
	const size_t at = r->memory->size - VMCB_SIZE + offset;

	if (knows(r, offset, size))
		return refuse(r, "this field was there before; two processors' texts are mixed");
	for (size_t i = 0; i < size; i++)
		r->memory->bytes[at + i] = (uint8_t)(value >> (8 * i));
	memset(r->memory->known + at, 1, size);
	return true;
}

/* --- numbers ---------------------------------------------------------------------------------- */

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* A word of at most 16 hexadecimal digits; how many, or 0 and nothing is skipped. */
static size_t take_hex(const char **at, uint64_t *value)
{
	const char *start = skip_blanks(*at);
	const size_t digits = strspn(start, "0123456789abcdefABCDEF");
	const char next = start[digits];

	if (digits == 0 || digits > 16 || (next != '\0' && next != ' ' && next != '\t'))
		return 0;
	*value = strtoull(start, NULL, 16);
	*at = start + digits;
	return digits;
}

/* KVM prints fields without a sign as numbers that have one. */
static bool take_decimal(const char **at, size_t size, uint64_t *value)
{
	const char *start = skip_blanks(*at);
	const size_t sign = *start == '-';
	const size_t digits = strspn(start + sign, "0123456789");
	const char next = start[sign + digits];
	uint64_t most = UINT64_MAX >> (64 - 8 * size);

	if (digits == 0 || digits > 19 || (next != '\0' && next != ' ' && next != '\t'))
		return false;
	*value = strtoull(start + sign, NULL, 10);
	if (sign)
		most = most / 2 + 1;
	if (*value > most)
		return false;
	*value = sign ? 0 - *value : *value;
	*at = start + sign + digits;
	return true;
}

/* --- fields: false after a complaint; a number that does not fit is none ---------------------- */

static bool take_words(struct kvm_reader *r, const struct row *row, const char **at)
{
	uint64_t value;

	for (uint16_t offset = row->offset; offset < 0x018;) {
		const char *behind = *at;
		const size_t digits = take_hex(&behind, &value);
		const uint8_t size = digits > 2u * row->size ? row->wide : row->size;

		if (digits == 0 || offset + size > 0x018)
			break;
		if (!put(r, offset, size, value))
			return false;
		offset = (uint16_t)(offset + size);
		*at = behind;
	}
	return true;
}

static bool take_letter(const char **at, char letter)
{
	const char *start = skip_blanks(*at);

	if (start[0] != letter || start[1] != ':')
		return false;
	*at = start + 2;
	return true;
}

static bool take_segment(struct kvm_reader *r, const struct row *row, const char **at)
{
	static const struct {
		char letter;
		uint8_t offset, size;
	} parts[] = { { 's', 0, 2 }, { 'a', 2, 2 }, { 'l', 4, 4 }, { 'b', 8, 8 } };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t digits;
		uint64_t value;

		if (!take_letter(at, parts[i].letter))
			return true;
		digits = take_hex(at, &value);
		if (digits == 0 || digits > 2u * parts[i].size)
			return true;
		if (!put(r, row->offset + (size_t)parts[i].offset, parts[i].size, value))
			return false;
	}
	return true;
}

static bool take_field(struct kvm_reader *r, const struct row *row, const char **at)
{
	size_t size = row->size;
	uint64_t value;

	if (row->form == FORM_WORDS)
		return take_words(r, row, at);
	if (row->form == FORM_SEGMENT)
		return take_segment(r, row, at);
	if (row->form == FORM_DECIMAL) {
		if (!take_decimal(at, size, &value))
			return true;
	} else {
		const size_t digits = take_hex(at, &value);

		size = digits > 2 * size ? row->wide : size;
		if (digits == 0 || digits > 2 * size)
			return true;
	}
	return put(r, row->offset, size, value);
}

/* --- lines ------------------------------------------------------------------------------------ */

static const struct row *find_row(const struct row *rows, const char *at)
{
	for (const struct row *row = rows; row->key; row++)
		if (strncmp(row->key, at, strlen(row->key)) == 0)
			return row;
	return NULL;
}

static bool read_fields(struct kvm_reader *r, const char *line)
{
	const char *at = skip_blanks(line);

	while (*at && r->rows) {
		const struct row *row = find_row(r->rows, at);

		if (!row) {
			at = skip_blanks(at + strcspn(at, " \t"));
			continue;
		}
		at += strlen(row->key);
		if (!take_field(r, row, &at))
			return false;
		if (strcmp(row->key, LAST_KEY) == 0)
			r->rows = NULL;
		at = skip_blanks(at);
	}
	return true;
}

/* The save area of the VMCB whose control area was last; or of one whose control area was lost. */
static bool read_kvm_line(struct kvm_reader *r, const char *line)
{
	if (strstr(line, CONTROL_HEAD)) {
		r->rows = control_rows;
		return begin_vmcb(r);
	}
	if (strstr(line, SAVE_HEAD)) {
		const bool is_next = r->rows == control_rows;

		r->rows = save_rows;
		return is_next || begin_vmcb(r);
	}
	return !r->rows || read_fields(r, line);
}

bool kvm_text_is(const char *text)
{
	return strstr(text, CONTROL_HEAD) || strstr(text, SAVE_HEAD);
}

bool kvm_text_decode(char *text, struct dump *memory, size_t most, char why[DUMP_WHY])
{
	struct kvm_reader r = { .memory = memory, .most = most, .why = why };
	bool good = true;

	for (char *line = text, *next; good && line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "\r")] = '\0';
		r.line++;
		good = read_kvm_line(&r, line);
	}
	return good;
}
