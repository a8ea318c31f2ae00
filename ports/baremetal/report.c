/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A table's columns are as wide as their widest cells, which are known at the end only; so cells
 * are kept.  JSON is written as it comes.  Either way a row that turns out not to fit is taken back
 * whole: half an answer must still be one.
 */
#include "report.h"

#include "format.h"
#include "kprintf.h"
#include "string.h"

#define LINE_MAX    256
#define NUMBER_MAX  24
#define TAIL_SIZE   24 /* for what ends a JSON text: a mark that it is cut, and brackets */
#define COLOR_MAX   16
#define GAP         2

static const char cut_mark[] = "{\"cut\":true}";

_Static_assert(sizeof(cut_mark) + 4 <= TAIL_SIZE, "the end of a JSON text fits");

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static void put(struct report *report, const char *text, size_t size)
{
	if (report->is_full || report->used + size > REPORT_SIZE - TAIL_SIZE) {
		report->is_full = true;
		return;
	}
	memcpy(report->text + report->used, text, size);
	report->used += size;
}

static void put_string(struct report *report, const char *text)
{
	put(report, text, length_of(text));
}

/* --- JSON ---------------------------------------------------------------------------------- */

/* RFC 8259, section 7.  Bytes that are not ASCII could be broken UTF-8; each is a question mark. */
static void put_quoted(struct report *report, const char *text)
{
	char piece[8];

	put(report, "\"", 1);
	for (; *text; text++) {
		const uint8_t c = (uint8_t)*text;

		if (c == '"' || c == '\\')
			put(report, piece, format_text(piece, sizeof(piece), "\\%c", c));
		else if (c < ' ')
			put(report, piece, format_text(piece, sizeof(piece), "\\u%04x", c));
		else
			put(report, c < 0x7f ? text : "?", 1);
	}
	put(report, "\"", 1);
}

static void put_value(struct report *report, const char *name, const char *text, bool is_bare)
{
	if (report->column || report->rows)
		put(report, ",", 1);
	if (!report->column)
		put(report, "{", 1);
	put_quoted(report, name);
	put(report, ":", 1);
	if (is_bare)
		put_string(report, text);
	else
		put_quoted(report, text);
}

/* --- cells --------------------------------------------------------------------------------- */

static void put_cell(struct report *report, const char *name, const char *text, bool is_number,
                     bool is_bare)
{
	if (!report->is_in_row) {
		report->is_in_row = true;
		report->row_start = report->used;
		report->column = 0;
	}
	if (report->is_json) {
		put_value(report, name, text, is_bare);
	} else if (report->form == REPORT_FIELDS) {
		put(report, name, length_of(name) + 1);
		put(report, text, length_of(text) + 1);
	} else {
		if (report->column == REPORT_COLUMNS_MAX)
			return;
		report->names[report->column] = name;
		report->is_number[report->column] = is_number;
		put(report, text, length_of(text) + 1);
	}
	report->column++;
}

void report_begin(struct report *report, enum report_form form, bool is_json)
{
	report->form = form;
	report->is_json = is_json;
	report->is_cut = report->is_full = report->is_in_row = false;
	report->column = report->columns = 0;
	report->rows = 0;
	report->used = report->row_start = 0;
	if (is_json && form == REPORT_ROWS)
		put(report, "[", 1);
}

void report_text(struct report *report, const char *name, const char *text)
{
	put_cell(report, name, text, false, false);
}

void report_number(struct report *report, const char *name, uint64_t value)
{
	char text[NUMBER_MAX];

	format_text(text, sizeof(text), "%lu", value);
	put_cell(report, name, text, true, true);
}

void report_hex(struct report *report, const char *name, uint64_t value, unsigned int digits)
{
	char text[NUMBER_MAX];

	format_text(text, sizeof(text), "%s%0*lx", report->is_json ? "0x" : "", (int)digits, value);
	put_cell(report, name, text, true, false);
}

void report_bool(struct report *report, const char *name, bool value)
{
	if (report->is_json)
		put_cell(report, name, value ? "true" : "false", false, true);
	else
		put_cell(report, name, value ? "yes" : "no", false, false);
}

void report_row(struct report *report)
{
	if (!report->is_in_row)
		return;
	if (report->is_json)
		put(report, "}", 1);
	if (report->is_full) {
		report->used = report->row_start;
		report->is_cut = true;
	} else {
		report->columns = report->column;
		report->rows++;
	}
	report->is_in_row = false;
	/* No later row goes where this one had no room: what is there is all up to some place. */
	report->is_full = report->is_cut;
}

/* --- the end ------------------------------------------------------------------------------- */

static void write_json(struct report *report, void (*write)(const char *text, size_t size))
{
	char *end = report->text + report->used;
	const bool is_empty = !report->rows;

	if (report->form == REPORT_FIELDS) {
		if (is_empty)
			end += format_text(end, TAIL_SIZE, report->is_cut ? cut_mark : "{}");
		end += format_text(end, 2, "\n");
	} else {
		end += format_text(end, TAIL_SIZE, "%s%s]\n",
		                   report->is_cut && !is_empty ? "," : "",
		                   report->is_cut ? cut_mark : "");
	}
	write(report->text, (size_t)(end - report->text));
}

/* One line of a table; cells of headings are not in the text. */
static void write_line(const struct report *report, const char *const *cells, const size_t *widths,
                       const char *color, void (*write)(const char *text, size_t size))
{
	char line[LINE_MAX + COLOR_MAX];
	size_t used = format_text(line, COLOR_MAX, "%s", color);

	for (unsigned int i = 0; i < report->columns; i++) {
		const int width = (int)widths[i];

		used += format_text(line + used, LINE_MAX - used,
		                    report->is_number[i] ? "%*s%*s" : "%*s%-*s", GAP, "", width,
		                    cells[i]);
	}
	while (used && line[used - 1] == ' ')
		used--;
	used += format_text(line + used, COLOR_MAX, "%s\n", *color ? color_off() : "");
	write(line, used);
}

static void widen(size_t *width, const char *cell)
{
	const size_t length = length_of(cell);

	if (*width < length)
		*width = length;
}

static const char *next_row(const struct report *report, const char *at, const char **cells)
{
	for (unsigned int i = 0; i < report->columns; i++) {
		cells[i] = at;
		at += length_of(at) + 1;
	}
	return at;
}

static void write_table(const struct report *report, void (*write)(const char *text, size_t size))
{
	char headings[REPORT_COLUMNS_MAX][NUMBER_MAX];
	const char *cells[REPORT_COLUMNS_MAX], *at = report->text;
	size_t widths[REPORT_COLUMNS_MAX] = { 0 };

	for (uint64_t row = 0; row < report->rows; row++) {
		at = next_row(report, at, cells);
		for (unsigned int i = 0; i < report->columns; i++)
			widen(&widths[i], cells[i]);
	}
	for (unsigned int i = 0; i < report->columns; i++) {
		char *c = headings[i];

		format_text(c, NUMBER_MAX, "%s", report->names[i]);
		for (; *c; c++)
			*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A')
			     : *c == '_'            ? ' '
			                            : *c;
		cells[i] = headings[i];
		widen(&widths[i], cells[i]);
	}
	write_line(report, cells, widths, color_title(), write);
	at = report->text;
	for (uint64_t row = 0; row < report->rows; row++) {
		at = next_row(report, at, cells);
		write_line(report, cells, widths, "", write);
	}
}

static void write_fields(const struct report *report, void (*write)(const char *text, size_t size))
{
	const char *const end = report->text + report->used;
	size_t width = 0;

	for (const char *at = report->text; at < end; at += length_of(at) + 1) {
		widen(&width, at);
		at += length_of(at) + 1;
	}
	for (const char *at = report->text; at < end; at += length_of(at) + 1) {
		const char *const value = at + length_of(at) + 1;
		char line[LINE_MAX];

		write(line, format_text(line, sizeof(line), "  %-*s  %s\n", (int)width, at, value));
		at = value;
	}
}

void report_end(struct report *report, void (*write)(const char *text, size_t size))
{
	static const char more[] = "  (there is more)\n";

	report_row(report);
	if (report->is_json) {
		write_json(report, write);
		return;
	}
	if (report->form == REPORT_FIELDS)
		write_fields(report, write);
	else if (report->rows)
		write_table(report, write);
	if (report->is_cut)
		write(more, sizeof(more) - 1);
}
