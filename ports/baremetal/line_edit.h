/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * A line that is being typed: moving about in it, its history, completion of words.
 *
 * Keys are those of a VT100 and, for terminals without them, those of Emacs.  Pure: no terminal, no
 * machine.  What is typed may be anything; only printable ASCII gets into a line.
 */
#ifndef BAREMETAL_LINE_EDIT_H
#define BAREMETAL_LINE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_EDIT_MAX     512 /**< with the NUL */
#define LINE_EDIT_HISTORY 32

enum line_edit_result {
	LINE_EDIT_NOTHING, /**< the line looks as before */
	LINE_EDIT_CHANGED,
	LINE_EDIT_CHOICE, /**< Tab, and several words would fit: line_edit_choice() */
	LINE_EDIT_DONE,   /**< Enter: line_edit_take() */
};

/** Starts as all zero but for @c offer. */
struct line_edit {
	/**
	 * Word @p number that may follow the @p length bytes of @p before, which are empty or end
	 * with a blank; NULL behind the last.  NULL instead of a function: nothing is completed.
	 */
	const char *(*offer)(const char *before, size_t length, unsigned int number);

	char text[LINE_EDIT_MAX];
	size_t used, at; /**< the cursor is before text[at] */
	char history[LINE_EDIT_HISTORY][LINE_EDIT_MAX]; /**< a ring */
	unsigned int history_count; /**< lines that ever came in */
	unsigned int back;          /**< how far back the line shown is; 0: it is the new one */
	char fresh[LINE_EDIT_MAX];  /**< the new one, while another is shown */
	uint8_t escape;             /**< where in a key's sequence we are */
	uint8_t parameter;          /**< its first number */
	bool was_return;            /**< the line feed behind a carriage return is no second line */
};

/** A key was pressed. */
enum line_edit_result line_edit_key(struct line_edit *edit, uint8_t key);

/** Leave the line as if it had never been typed. */
void line_edit_clear(struct line_edit *edit);

/**
 * @brief Take the line, without blanks around it, and remember it.
 * @param line  Room for LINE_EDIT_MAX bytes.
 */
void line_edit_take(struct line_edit *edit, char *line);

/** Word @p number of those that would fit at the cursor; NULL behind the last. */
const char *line_edit_choice(const struct line_edit *edit, unsigned int number);

/**
 * @brief The part of the line around the cursor that fits into a screen's.
 * @param width    Columns, at least 2.
 * @param to       Room for @p width + 1 bytes.
 * @return Columns from the cursor to the end of what is shown.
 */
size_t line_edit_view(const struct line_edit *edit, size_t width, char *to);

#endif
