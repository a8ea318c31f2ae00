#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Rules that no compiler knows, line by line.

usage: source.py ROOT          check the tree
       source.py --self-test   plant each kind of mistake and see that it is found

What GCC knows better is not here: arrays of variable length (-Wvla), recursion and frames of unknown
size (stack.py), one meaning for each name (one_file.py).
"""

import os
import re
import sys

WIDTH = 100
TAB = 8

EVERYWHERE = ("docs/", "examples/", "include/", "ports/", "src/", "tests/", "tools/")
CORE = ("src/core/", "src/emulate/", "src/platform/", "src/boot/")
LIBRARY = ("include/", "src/")

# (folders, pattern in the code without comments and strings, what is wrong with it).
CODE_RULES = [
    (CORE, r"\b(__)?asm(__)?\b|\b__volatile__\b",
     "an instruction of its own: only src/hal and ports have any"),
    (LIBRARY, r"\bva_(list|start|arg|end|copy)\b|[,(]\s*\.\.\.\s*\)\s*[;{]",
     "a function of variable arguments: nothing checks them"),
    (LIBRARY, r"\b(__builtin_)?alloca\b", "a frame of unknown size"),
    (LIBRARY, r"\bpacked\b", "packed: the assertions on offsets prove that there is no padding"),
    (LIBRARY, r"^\s*(const\s+)?((un)?signed\s+)?(int|unsigned|bool|u?int\d+_t)\s+\w+\s*:\s*\w+\s*;",
     "a C bit-field: order and width are the compiler's"),
    (CORE, r"\b(malloc|calloc|realloc|free|printf|abort|assert)\s*\(", "a function of a libc"),
]

# In comments.  A condition is what must come true for the note to go.
NOTE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
CONDITION = re.compile(r"\bTODO\b.*\b(when|once|until|after)\b")

COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                               re.DOTALL)


def blank(match):
    """Spaces for a comment or string, so that lines keep their numbers."""
    return re.sub(r"[^\n]", " ", match.group(0))


def check_text(path, text):
    """Complaints about one file as (line, text)."""
    complaints = []
    for number, line in enumerate(text.split("\n"), 1):
        width = len(line.expandtabs(TAB))
        if width > WIDTH:
            complaints.append((number, f"{width} columns; {WIDTH} are the limit"))
        if line != line.rstrip():
            complaints.append((number, "white space at the end"))
        if NOTE.search(line) and not CONDITION.search(line):
            complaints.append((number, "a note without the condition that ends it"))
    if path.endswith(".S"):
        return complaints
    code = COMMENT_OR_STRING.sub(blank, text).split("\n")
    for folders, pattern, what in CODE_RULES:
        if path.startswith(folders):
            complaints += [(number, what) for number, line in enumerate(code, 1)
                           if re.search(pattern, line)]
    return complaints


def check(root):
    """(number of files, complaints) of the tree at root."""
    count, complaints = 0, []
    for top in EVERYWHERE:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if not name.endswith((".c", ".h", ".S")):
                    continue
                count += 1
                full = os.path.join(folder, name)
                path = os.path.relpath(full, root)
                with open(full, encoding="utf-8") as file:
                    found = check_text(path, file.read())
                complaints += [f"{path}:{number}: {what}" for number, what in found]
    return count, complaints


# (path, text, complaints).
SAMPLES = [
    ("src/core/a.c", "int f(void);\n/* asm, alloca and packed in words; TODO goes when it ends. */\n", 0),
    ("src/core/a.c", 'static const char *s = "asm volatile";\n', 0),
    ("src/core/a.c", "\t" + "x" * 92 + "\n", 0),
    ("src/core/a.c", "\t" + "x" * 93 + "\n", 1),
    ("src/hal/a.c", '\t__asm__ volatile("clgi");\n', 0),
    ("ports/baremetal/a.c", '\tasm("hlt");\nint printf(const char *, ...);\n', 0),
    ("src/core/a.c", '\t__asm__ volatile("clgi");\n', 1),
    ("src/emulate/a.c", '\tasm("nop");\n', 1),
    ("src/core/a.c", "void log(const char *format, ...);\n", 1),
    ("src/core/a.c", "#define LOG(...) log(__VA_ARGS__)\n", 0),
    ("src/core/a.c", "\tva_list list;\n", 1),
    ("src/core/a.c", "\tchar *p = __builtin_alloca(n);\n", 1),
    ("src/core/a.h", "struct s {\n\tuint32_t a : 3;\n};\n", 1),
    ("src/core/a.h", "\tcase A: return;\n\tx = a ? b : c;\n\tgoto out;\nout:\n", 0),
    ("include/libsvm/a.h", "} __attribute__((packed));\n", 1),
    ("src/core/a.c", "\tfree(p);\n", 1),
    ("src/core/a.c", "\tframes_free(p);\n", 0),
    ("tests/a.c", "/* TODO: make it work */\n", 1),
    ("src/hal/a.S", "# FIXME\n", 1),
    ("src/hal/a.S", "\tclgi \n", 1),
]


def self_test():
    wrong = 0
    for path, text, expected in SAMPLES:
        complaints = check_text(path, text)
        if len(complaints) != expected:
            print(f"{path}: {text!r}: {complaints}")
            wrong += 1
    print(f"{len(SAMPLES) - wrong} of {len(SAMPLES)} samples judged right")
    return bool(wrong)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    count, complaints = check(sys.argv[1])
    if count == 0:
        sys.exit(f"no source below {sys.argv[1]}")
    for complaint in complaints:
        print(complaint)
    print(f"{count} files, {len(complaints)} complaints")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
