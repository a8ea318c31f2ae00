#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Do the tables of benchmarks notice what is missing, above its limit or larger than before?"""

import contextlib
import io
import os
import tempfile
import unittest
from types import SimpleNamespace

import figures

ROWS = [{"name": "a", "text": "first", "limit": 100}, {"name": "b", "text": "second", "kvm": False}]


def run(function, *args):
    """What it returns and what it prints."""
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        result = function(*args)
    return result, text.getvalue()


class Limits(unittest.TestCase):
    def test_the_limit_itself_is_fine(self):
        self.assertEqual(run(figures.check, ROWS, {"a": 100}), (0, "1 passed, 0 failed\n"))

    def test_one_more_is_not(self):
        failed, text = run(figures.check, ROWS, {"a": 101})
        self.assertEqual(failed, 1)
        self.assertIn("FAIL a: 101 is above the limit 100\n0 passed, 1 failed", text)

    def test_no_figure_is_a_failure(self):
        self.assertEqual(run(figures.check, ROWS, {"b": 1})[0], 1)


class Missing(unittest.TestCase):
    def test_ours(self):
        self.assertEqual(figures.missing_of(ROWS, {"a": 1}), ["b"])

    def test_kvms_only_where_it_was_measured_and_exists(self):
        self.assertEqual(figures.missing_of(ROWS, {"a": 1, "b": 1}), [])
        self.assertEqual(figures.missing_of(ROWS, {"a": 1, "b": 1, "kvm-c": 1}), ["kvm-a"])

    def test_makes_the_status_1(self):
        args = SimpleNamespace(json=None, svg=None, check=False)
        self.assertEqual(run(figures.finish, ROWS, {"a": 1}, args)[0], 1)
        self.assertEqual(run(figures.finish, ROWS, {"a": 1, "b": 1}, args)[0], 0)


class Bars(unittest.TestCase):
    def test_a_row_of_both_sides_has_one(self):
        text = figures.bars(ROWS, {"a": 50, "kvm-a": 100, "b": 1})
        self.assertEqual(text.count("<rect"), 1)
        self.assertIn(">50</text>", text)


class Growth(unittest.TestCase):
    def grown(self, before, now):
        lines = list(figures.lines_of(ROWS[:1], {"a": now}, {"a": before}))
        return lines[1][1]

    def test_two_percent_is_none(self):
        self.assertFalse(self.grown(100, 102))

    def test_more_is(self):
        self.assertTrue(self.grown(100, 103))


class Counts(unittest.TestCase):
    LOG = ("mark 1 executed 1000 outside 900 entries 5\n"
           "entry after 1 executed 1100 outside 1000 entries 5\n"
           "mark 2 executed 1500 outside 1200 entries 8\n"
           "mark 5 executed 1600 outside 0 entries 8\nmark 6 executed 1610 outside 0 entries 8\n"
           "mark 5 executed 1700 outside 0 entries 8\nmark 6 executed 1730 outside 0 entries 8\n"
           "mark 5 executed 1800 outside 0 entries 8\nmark 6 executed 1820 outside 0 entries 8\n"
           "mark 2 executed 9999 outside 0 entries 9\n")

    def setUp(self):
        with tempfile.NamedTemporaryFile("w", delete=False) as file:
            file.write(self.LOG)
        self.addCleanup(os.remove, file.name)
        self.count = figures.Count(file.name)

    def test_between_the_first_of_each_kind(self):
        self.assertEqual(self.count.between(("mark", 1), ("mark", 2)), [500, 300, 3])
        self.assertEqual(self.count.between(("entry after", 1), ("mark", 2)), [400, 200, 3])
        self.assertEqual(self.count.between(None, ("mark", 1)), [1000, 900, 5])

    def test_median(self):
        self.assertEqual(self.count.median(5, 6), 20)

    def test_a_mark_that_never_came_is_an_error(self):
        for ask in (lambda: self.count.between(None, ("mark", 3)), lambda: self.count.median(6, 7)):
            with self.assertRaises(SystemExit):
                ask()


if __name__ == "__main__":
    unittest.main()
