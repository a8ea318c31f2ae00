/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A key that is no character comes as a sequence, ESC [ or ESC O, numbers, and a letter or ~.  One
 * that is not known must vanish whole: its letter typed by itself would be a surprise.  A sequence
 * that breaks off is over with the next byte that cannot belong to it.
 */
#include "line_edit.h"

#include "string.h"

#define CONTROL(letter) ((letter) - '@')
#define KEY_ESCAPE      0x1b
#define KEY_DELETE      0x7f
#define PARAMETER_END   10 /* from here on it is no key of ours */

enum escape {
	ESCAPE_NONE,
	ESCAPE_BEGUN,     /* ESC came */
	ESCAPE_FIRST,     /* in the first number */
	ESCAPE_MORE,      /* behind it */
};

/* --- the text ------------------------------------------------------------------------------ */

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static void set_text(struct line_edit *edit, const char *text)
{
	edit->used = edit->at = length_of(text);
	memcpy(edit->text, text, edit->used + 1);
}

/* As much of it as there is room for. */
static bool insert(struct line_edit *edit, const char *text, size_t size)
{
	const size_t room = LINE_EDIT_MAX - 1 - edit->used;

	size = size < room ? size : room;
	memmove(edit->text + edit->at + size, edit->text + edit->at, edit->used - edit->at);
	memcpy(edit->text + edit->at, text, size);
	edit->at += size;
	edit->used += size;
	edit->text[edit->used] = '\0';
	return size != 0;
}

/* From the cursor to the end, or back to `from`; the cursor is where the gap was. */
static bool cut(struct line_edit *edit, size_t from, size_t to)
{
	if (from == to)
		return false;
	memmove(edit->text + from, edit->text + to, edit->used - to);
	edit->used -= to - from;
	edit->text[edit->used] = '\0';
	edit->at = from;
	return true;
}

static bool move(struct line_edit *edit, size_t at)
{
	const bool moves = at != edit->at;

	edit->at = at;
	return moves;
}

static size_t word_start(const struct line_edit *edit)
{
	size_t at = edit->at;

	while (at && edit->text[at - 1] != ' ')
		at--;
	return at;
}

/* The word before the cursor and the blanks behind it. */
static size_t word_before(const struct line_edit *edit)
{
	size_t at = edit->at;

	while (at && edit->text[at - 1] == ' ')
		at--;
	while (at && edit->text[at - 1] != ' ')
		at--;
	return at;
}

/* --- history ------------------------------------------------------------------------------- */

static unsigned int remembered(const struct line_edit *edit)
{
	return edit->history_count < LINE_EDIT_HISTORY ? edit->history_count : LINE_EDIT_HISTORY;
}

static bool show_back(struct line_edit *edit, unsigned int back)
{
	if (back > remembered(edit))
		return false;
	if (!edit->back)
		memcpy(edit->fresh, edit->text, edit->used + 1);
	edit->back = back;
	set_text(edit, back ? edit->history[(edit->history_count - back) % LINE_EDIT_HISTORY]
	                    : edit->fresh);
	return true;
}

static bool is_newest(const struct line_edit *edit, const char *line, size_t size)
{
	return edit->history_count &&
	       !memcmp(edit->history[(edit->history_count - 1) % LINE_EDIT_HISTORY], line, size);
}

void line_edit_clear(struct line_edit *edit)
{
	edit->back = 0;
	set_text(edit, "");
}

void line_edit_take(struct line_edit *edit, char *line)
{
	size_t blank = 0, size = edit->used;

	while (blank < size && edit->text[blank] == ' ')
		blank++;
	while (size > blank && edit->text[size - 1] == ' ')
		size--;
	size -= blank;
	memcpy(line, edit->text + blank, size);
	line[size] = '\0';
	if (size && !is_newest(edit, line, size + 1))
		memcpy(edit->history[edit->history_count++ % LINE_EDIT_HISTORY], line, size + 1);
	line_edit_clear(edit);
}

/* --- completion ---------------------------------------------------------------------------- */

const char *line_edit_choice(const struct line_edit *edit, unsigned int number)
{
	const size_t start = word_start(edit), size = edit->at - start;
	const char *word = NULL;

	for (unsigned int i = 0; edit->offer; i++) {
		word = edit->offer(edit->text, start, i);
		if (!word)
			break;
		if (length_of(word) >= size && !memcmp(word, edit->text + start, size) && !number--)
			break;
	}
	return word;
}

/* What all words that fit have in common beyond what is there; a blank if it is but one word. */
static enum line_edit_result complete(struct line_edit *edit)
{
	const char *const first = line_edit_choice(edit, 0), *other;
	const size_t typed = edit->at - word_start(edit);
	size_t common = first ? length_of(first) : 0;

	if (!first)
		return LINE_EDIT_NOTHING;
	for (unsigned int i = 1; (other = line_edit_choice(edit, i)) != NULL; i++) {
		size_t same = 0;

		while (same < common && other[same] == first[same])
			same++;
		common = same;
	}
	if (line_edit_choice(edit, 1) && common == typed)
		return LINE_EDIT_CHOICE;
	other = line_edit_choice(edit, 1);
	insert(edit, first + typed, common - typed);
	if (!other)
		insert(edit, " ", 1);
	return LINE_EDIT_CHANGED;
}

/* --- keys ---------------------------------------------------------------------------------- */

static bool finish_tilde(struct line_edit *edit)
{
	switch (edit->parameter) {
	case 1:
	case 7:
		return move(edit, 0);
	case 3:
		return edit->at < edit->used && cut(edit, edit->at, edit->at + 1);
	case 4:
	case 8:
		return move(edit, edit->used);
	default:
		return false;
	}
}

static bool finish_sequence(struct line_edit *edit, uint8_t key)
{
	switch (key) {
	case 'A':
		return show_back(edit, edit->back + 1);
	case 'B':
		return edit->back && show_back(edit, edit->back - 1);
	case 'C':
		return move(edit, edit->at + (edit->at < edit->used));
	case 'D':
		return move(edit, edit->at - (edit->at != 0));
	case 'H':
		return move(edit, 0);
	case 'F':
		return move(edit, edit->used);
	case '~':
		return finish_tilde(edit);
	default:
		return false;
	}
}

/* A byte behind ESC. */
static bool take_sequence(struct line_edit *edit, uint8_t key)
{
	if (edit->escape == ESCAPE_BEGUN) {
		edit->escape = key == '[' || key == 'O' ? ESCAPE_FIRST : ESCAPE_NONE;
		edit->parameter = 0;
		return false;
	}
	if (key >= '0' && key <= '9' && edit->escape == ESCAPE_FIRST) {
		if (edit->parameter < PARAMETER_END)
			edit->parameter = (uint8_t)(edit->parameter * 10 + key - '0');
		return false;
	}
	if (key >= ' ' && key < '@') {
		edit->escape = ESCAPE_MORE;
		return false;
	}
	edit->escape = ESCAPE_NONE;
	return finish_sequence(edit, key);
}

static bool take_control(struct line_edit *edit, uint8_t key)
{
	switch (key) {
	case CONTROL('A'):
		return move(edit, 0);
	case CONTROL('B'):
		return move(edit, edit->at - (edit->at != 0));
	case CONTROL('C'):
		line_edit_clear(edit);
		return true;
	case CONTROL('D'):
		return edit->at < edit->used && cut(edit, edit->at, edit->at + 1);
	case CONTROL('E'):
		return move(edit, edit->used);
	case CONTROL('F'):
		return move(edit, edit->at + (edit->at < edit->used));
	case CONTROL('H'):
	case KEY_DELETE:
		return edit->at && cut(edit, edit->at - 1, edit->at);
	case CONTROL('K'):
		return cut(edit, edit->at, edit->used);
	case CONTROL('N'):
		return edit->back && show_back(edit, edit->back - 1);
	case CONTROL('P'):
		return show_back(edit, edit->back + 1);
	case CONTROL('U'):
		return cut(edit, 0, edit->at);
	case CONTROL('W'):
		return cut(edit, word_before(edit), edit->at);
	default:
		return false;
	}
}

enum line_edit_result line_edit_key(struct line_edit *edit, uint8_t key)
{
	const bool is_second_half = key == '\n' && edit->was_return;
	const char letter = (char)key;
	bool is_changed;

	edit->was_return = key == '\r';
	if (is_second_half)
		return LINE_EDIT_NOTHING;
	if (key < ' ')
		edit->escape = ESCAPE_NONE;
	if (key == '\r' || key == '\n')
		return LINE_EDIT_DONE;
	if (key == '\t')
		return complete(edit);
	if (key == KEY_ESCAPE) {
		edit->escape = ESCAPE_BEGUN;
		return LINE_EDIT_NOTHING;
	}
	if (edit->escape)
		is_changed = take_sequence(edit, key);
	else if (key < ' ' || key == KEY_DELETE)
		is_changed = take_control(edit, key);
	else
		is_changed = key < KEY_DELETE && insert(edit, &letter, 1);
	return is_changed ? LINE_EDIT_CHANGED : LINE_EDIT_NOTHING;
}

/* --- what is seen of it -------------------------------------------------------------------- */

size_t line_edit_view(const struct line_edit *edit, size_t width, char *to)
{
	const size_t start = edit->at < width ? 0 : edit->at - width + 1;
	size_t size = edit->used - start;

	size = size < width ? size : width;
	memcpy(to, edit->text + start, size);
	to[size] = '\0';
	return start + size - edit->at;
}
