#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A program's help, its manual page and its completion name the same options, and the page is sound.

usage: words_test.py PROGRAM PAGE COMPLETION
       words_test.py --self-test
"""

import re
import shutil
import subprocess
import sys

LONG = re.compile(r"--([a-z][a-z-]+)")


def of_help(text):
    return set(LONG.findall(text))


def of_page(text):
    """`Fl -name` is how a page writes --name; several may stand on a line."""
    found = set()
    for line in text.splitlines():
        if " Fl " in " " + line.replace(".Fl", " Fl"):
            found.update(re.findall(r" -([a-z][a-z-]+)", line))
    return found


def complaints(help_text, page, completion):
    wanted = of_help(help_text)
    wrong = []
    for name, words in (("the page", of_page(page)), ("the completion", of_help(completion))):
        wrong += [f"--{word} is not in {name}" for word in sorted(wanted - words)]
        wrong += [f"--{word} is in {name} and not in --help" for word in sorted(words - wanted)]
    return wrong


def run(*command):
    done = subprocess.run(command, capture_output=True, check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8")


def page_complaints(path):
    """mandoc is stricter than groff; each where it is installed."""
    wrong = []
    if shutil.which("mandoc"):
        wrong += run("mandoc", "-Tlint", "-Wwarning", path)[1].splitlines()
    if shutil.which("man"):
        done = subprocess.run(["man", "--warnings", "-EUTF-8", "-l", "-Tutf8", "-Z", path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        wrong += done.stderr.decode("utf-8").splitlines()
    return wrong


def completes(program, completion, line, wanted):
    """Whether bash would offer this word behind the line."""
    script = f"""
        PATH={program.rsplit("/", 1)[0]}:$PATH; . {completion}
        COMP_WORDS=({line}) COMP_CWORD={len(line.split()) - 1}
        _{program.rsplit("/", 1)[1].replace("-", "_")}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    status, text = run("bash", "-c", script)
    return status == 0 and wanted in text.splitlines()


def self_test():
    good = ("--one --two-b", ".It Fl o , -one Ar x\n.Fl -two-b | -one", "words='--one --two-b'")
    assert complaints(*good) == []
    assert complaints(good[0], ".It Fl -one", good[2]) == ["--two-b is not in the page"]
    assert complaints("--one", good[1], "--one") == ["--two-b is in the page and not in --help"]
    assert complaints(good[0], good[1], "--one") == ["--two-b is not in the completion"]


def main():
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return 0
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    program, page, completion = sys.argv[1:]
    texts = [run(program, "--help")[1]]
    for path in (page, completion):
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    wrong = complaints(*texts) + page_complaints(page)
    name = program.rsplit("/", 1)[1]
    if not completes(program, completion, f"{name} --he", "--help"):
        wrong.append("bash does not complete --he")
    for line in wrong:
        print(line)
    print(f"{len(texts[0].splitlines())} lines of help, {len(wrong)} complaints")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
