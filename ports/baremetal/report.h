/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * An answer made of rows, for people as a table with aligned columns, for programs as JSON on one
 * line.
 *
 * The same calls make both.  A number above 2^53 loses digits in most readers of JSON, so whatever
 * may be one is given with report_hex(), a string there.  An answer that does not fit is cut behind
 * a whole row, and says so.  Pure but for report_print().
 */
#ifndef BAREMETAL_REPORT_H
#define BAREMETAL_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPORT_SIZE        32768
#define REPORT_COLUMNS_MAX 16

enum report_form {
	REPORT_ROWS,   /**< a heading and rows; an array of objects */
	REPORT_FIELDS, /**< one row, each cell a line with its name; an object */
};

struct report {
	enum report_form form;
	bool is_json;
	bool is_cut;         /**< rows were left out */
	bool is_full;        /**< the row that is being made does not fit */
	bool is_in_row;
	unsigned int column; /**< of the row that is being made */
	unsigned int columns;
	uint64_t rows;
	size_t used, row_start; /**< of text */
	const char *names[REPORT_COLUMNS_MAX];   /**< of the columns; the first row's */
	bool is_number[REPORT_COLUMNS_MAX];      /**< it goes to the right */
	char text[REPORT_SIZE]; /**< JSON, or cells with a NUL behind each */
};

void report_begin(struct report *report, enum report_form form, bool is_json);

/** @name Cells of a row; each row names the same ones in the same order */
/** @{ */
/** @p name outlives the report and is lower case; @p text: any bytes. */
void report_text(struct report *report, const char *name, const char *text);
void report_number(struct report *report, const char *name, uint64_t value);
void report_hex(struct report *report, const char *name, uint64_t value, unsigned int digits);
void report_bool(struct report *report, const char *name, bool value);
/** @} */

/** The row is whole; a report of fields has but one, and needs no call. */
void report_row(struct report *report);

/** Give it to @p write line by line, each with its line feed. */
void report_end(struct report *report, void (*write)(const char *text, size_t size));

#endif
