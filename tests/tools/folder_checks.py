# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Checks of a program: functions that fail by an assertion, each run in an empty folder of its own."""

import os
import tempfile

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def run():
    """All of them in their order; the status of the process."""
    failed = 0
    for function in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                function()
                print("ok   " + function.__name__)
            except AssertionError as wrong:
                failed += 1
                line = wrong.__traceback__.tb_next or wrong.__traceback__
                print(f"FAIL {function.__name__}, line {line.tb_lineno}: {wrong}")
            os.chdir("/")
    print(f"{len(CHECKS) - failed} passed, {failed} failed")
    return failed != 0
