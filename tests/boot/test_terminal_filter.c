/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What passes from a guest to the terminal, and what does not.  ECMA-48 5.4; xterm's sequences. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/terminal_filter.h"

static const struct {
	const char *what, *in, *out;
} rows[] = {
	{ "text passes", "hello ~", "hello ~" },
	{ "line ends, tabs and backspaces pass", "a\r\n\tb\b c", "a\r\n\tb\b c" },
	{ "bells, form feeds and shifts do not", "a\a\f\v\016\017\005b", "ab" },
	{ "DEL does not", "a\177b", "ab" },
	{ "bytes above 7fh do not: 9bh is CSI to some",
	  "a\233"
	  "6nb\303\244",
	  "a6nb" },
	{ "colours pass", "\033[1;31mred\033[0m", "\033[1;31mred\033[0m" },
	{ "erasing passes", "\033[J\033[2J\033[K", "\033[J\033[2J\033[K" },
	{ "the cursor moves", "\033[H\033[10;20H\033[A\033[3D", "\033[H\033[10;20H\033[A\033[3D" },
	{ "the cursor's place may be asked for", "\033[6n", "\033[6n" },
	{ "the terminal's state may not", "a\033[5n\033[n\033[?6nb", "ab" },
	{ "the terminal's kind may not", "a\033[c\033[0c\033[>cb", "ab" },
	{ "the window is not the guest's", "a\033[21t\033[8;1;1tb", "ab" },
	{ "the printer is not", "a\033[5ib", "ab" },
	{ "the title is not, but its text is only text", "a\033]0;title\ab", "a0;titleb" },
	{ "device control is not", "a\033Pqb", "aqb" },
	{ "a reset is not", "a\033cb", "ab" },
	{ "the cursor can be hidden and shown", "\033[?25l\033[?25h", "\033[?25l\033[?25h" },
	{ "the other screen can be shown", "\033[?1049h\033[?1049l", "\033[?1049h\033[?1049l" },
	{ "the keyboard cannot be locked", "a\033[2hb", "ab" },
	{ "the mouse cannot be had", "a\033[?1000hb", "ab" },
	{ "several modes at once cannot be had", "a\033[?25;1000hb", "ab" },
	{ "a mode without number is none", "a\033[hb", "ab" },
	{ "private sequences do not pass", "a\033[?1J\033[>4;1mb", "ab" },
	{ "intermediates do not pass", "a\033[!pb\033[1 qc", "abc" },
	{ "a control ends a sequence", "a\033[1\nb", "ab" },
	{ "a sequence in a sequence begins again", "a\033[1\033[Kb", "a\033[Kb" },
	{ "ESC ESC is no sequence", "a\033\033[Kb", "a\033[Kb" },
	{ "a sequence of 32 passes", "\033[11111111112222222222333333333m",
	  "\033[11111111112222222222333333333m" },
	{ "a sequence of 33 does not", "a\033[111111111122222222223333333333mb", "ab" },
	{ "a sequence without end passes nothing", "a\033[;;;", "a" },
};

START_TEST(a_guest_says_what_a_shell_needs)
{
	struct terminal_filter filter = { 0 };
	char out[256], piece[TERMINAL_SEQUENCE_MAX];
	size_t used = 0;

	for (const char *c = rows[_i].in; *c; c++) {
		const size_t size = terminal_filter_put(&filter, (uint8_t)*c, piece);

		memcpy(out + used, piece, size);
		used += size;
	}
	out[used] = '\0';
	ck_assert_msg(!strcmp(out, rows[_i].out), "%s: got '%s'", rows[_i].what, out);
	ck_assert_msg(filter.has_sequences == (strchr(rows[_i].out, '\033') != NULL), "%s",
	              rows[_i].what);
}
END_TEST

START_TEST(a_zero_byte_does_not_pass)
{
	struct terminal_filter filter = { 0 };
	char out[TERMINAL_SEQUENCE_MAX];

	ck_assert_uint_eq(terminal_filter_put(&filter, 0, out), 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, a_guest_says_what_a_shell_needs, 0,
	                    (int)(sizeof(rows) / sizeof(rows[0])));
	tcase_add_test(tcase, a_zero_byte_does_not_pass);
}

int main(void)
{
	return suite_run("terminal_filter", add_tests);
}
