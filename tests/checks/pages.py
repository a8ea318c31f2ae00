#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Hold what the pages quote and link to against the tree.

usage: pages.py ROOT [PROGRAM...]           check the tree; each PROGRAM is run for its output
       pages.py --write ROOT [PROGRAM...]   bring quotations up to date
       pages.py --self-test                 plant each kind of mistake and see that it is found

A fenced block behind one of these lines is a quotation:

    <!-- file PATH -->                       the whole file, to the letter
    <!-- lines of PATH: START ... END -->    from the one line that begins so to the next that does,
                                             at the same depth; without END the line alone
    <!-- output of NAME -->                  what the program of that name prints

A page of docs/zh quotes what its original in docs quotes.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

QUOTE = re.compile(r"^<!-- (file|lines of|output of) ([^\n]+) -->\n+```\w*\n(.*?)^```$", re.S | re.M)
MARKER = re.compile(r"^<!-- (?:file|lines of|output of) [^\n]*", re.M)
FENCE = re.compile(r"^```.*?^```$", re.S | re.M)
LINK = re.compile(r"\]\(([^)\s]+)\)")
# `src/core/vm.c`, `scripts/test`: a name of the tree in code letters, nothing to fill in.
NAMED = re.compile(
    r"`((?:docs|examples|include|ports|scripts|src|tests)/[\w./-]*\w/?)(?: [^`]*)?`")
PLACEHOLDER = re.compile(r"NAME|STEP|FILE")


def anchors(text):
    heads = re.findall(r"^#+ +(.*)$", FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def check_links(root, page, text):
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"link to {target}: no such file"
        elif anchor and anchor not in anchors(file.read_text(encoding="utf-8")):
            yield f"link to {target}: no such heading"
    for name in NAMED.findall(FENCE.sub("", text)):
        if not PLACEHOLDER.search(name) and not (root / name).exists():
            yield f"`{name}` is not in the tree"


class Lost(Exception):
    """A quotation whose source cannot be found."""


def whole_file(root, name):
    file = root / name
    if not file.exists():
        raise Lost(f"{name} is not in the tree")
    return file.read_text(encoding="utf-8")


def some_lines(root, spec):
    """What "PATH: START ... END" names, without the depth of its first line."""
    name, _, range_ = spec.partition(": ")
    start, _, end = range_.partition(" ... ")
    lines = whole_file(root, name).split("\n")
    firsts = [i for i, line in enumerate(lines) if line.lstrip("\t").startswith(start)]
    if len(firsts) != 1:
        raise Lost(f"{len(firsts)} lines of {name} begin with {start}")
    first = firsts[0]
    depth = len(lines[first]) - len(lines[first].lstrip("\t"))
    last = first
    while end and not (last > first and lines[last].startswith("\t" * depth + end)):
        last += 1
        if last == len(lines):
            raise Lost(f"no line of {name} behind {start} begins with {end}")
    return "".join(re.sub(f"^\t{{0,{depth}}}", "", line) + "\n" for line in lines[first:last + 1])


def source_of(root, kind, name, programs):
    if kind == "file":
        return whole_file(root, name)
    if kind == "lines of":
        return some_lines(root, name)
    if name not in programs:
        raise Lost(f"no program {name} to compare with")
    return programs[name]()


def check_translation(root, page, text):
    """A page of docs/zh against the one that it translates."""
    if "zh" not in page.relative_to(root).parts:
        return
    original = root / "docs" / page.relative_to(root / "docs" / "zh")
    if not original.exists():
        yield f"no {original.relative_to(root)} that it translates"
    elif MARKER.findall(original.read_text(encoding="utf-8")) != MARKER.findall(text):
        yield f"quotes other things than {original.relative_to(root)}"


def check_quotes(root, text, programs):
    quotes = QUOTE.findall(text)
    if len(quotes) != len(MARKER.findall(text)):
        yield "a marker of a quotation has no fenced block behind it"
    for kind, name, body in quotes:
        try:
            if source_of(root, kind, name, programs) != body:
                yield f"the quotation of {name} differs from it: ninja -C build docs-update"
        except Lost as lost:
            yield str(lost)


def update(root, page, programs):
    """Write the page anew where a quotation differs."""
    def requote(match):
        kind, name, _ = match.groups()
        try:
            new = source_of(root, kind, name, programs)
        except Lost: # The check will say so.
            return match[0]
        start, end = match.start(3) - match.start(), match.end(3) - match.start()
        return match[0][:start] + new + match[0][end:]

    old = page.read_text(encoding="utf-8")
    new = QUOTE.sub(requote, old)
    if new != old:
        page.write_text(new, encoding="utf-8")
        print(f"{page.relative_to(root)}: updated")


def pages_of(root):
    places = ["*.md", "docs/**/*.md", "ports/*/*.md", "examples/**/*.md"]
    return [page for place in places for page in sorted(root.glob(place))]


def check(root, programs):
    """(number of pages, complaints)"""
    pages = pages_of(root)
    complaints = []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for problem in [*check_links(root, page, text), *check_quotes(root, text, programs),
                        *check_translation(root, page, text)]:
            complaints.append(f"{page.relative_to(root)}: {problem}")
    return len(pages), complaints


def runner(path):
    return lambda: subprocess.run([path], check=True, stdout=subprocess.PIPE, text=True,
                                  timeout=60).stdout


GOOD = """# Top
[there](docs/a.md#a-heading) `src/b.c --flag` `src/NAME.c` `src/*.c`
<!-- file src/b.c -->
```c
int b;
```
<!-- lines of src/d.c: if (x) ... } -->
```c
if (x) {
	y();
}
```
<!-- output of p -->
```
P
```
"""
D_C = "void f(void)\n{\n\tif (x) {\n\t\ty();\n\t}\n}\n"
BAD = [
    ("docs/a.md#a-heading", "docs/b.md"),
    ("#a-heading", "#another"),
    ("`src/b.c ", "`src/c.c "),
    ("int b;", "int c;"),
    ("P\n", "Q\n"),
    ("\ty();", "\tz();"),
    ("if (x) ...", "if (z) ..."),
    ("... } -->", "... ] -->"),
    ("of p -->\n```", "of p -->\n"),
    ("of p ", "of q "),
]


# What --write mends.
HEALED = [("int b;", "int c;"), ("P\n", "Q\n"), ("\ty();", "\tz();")]


# Original, what docs/zh/p.md says, complaints.
QUOTES_B = "<!-- file b.c -->\n```c\nint b;\n```\n"
TRANSLATIONS = [("p.md", QUOTES_B, 0), ("p.md", "nothing\n", 1), ("q.md", QUOTES_B, 1)]


def self_test():
    failures = []
    for bad in [None] + BAD:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, text in [("docs/a.md", "## A heading\n"), ("src/b.c", "int b;\n"), ("src/d.c", D_C),
                               ("README.md", GOOD.replace(*bad, 1) if bad else GOOD)]:
                (root / path).parent.mkdir(exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            programs = {"p": lambda: "P\n"}
            _, complaints = check(root, programs)
            if len(complaints) != (1 if bad else 0):
                failures.append(f"{bad}: {complaints}")
            if bad in HEALED:
                update(root, root / "README.md", programs)
                if check(root, programs)[1]:
                    failures.append(f"{bad}: not brought up to date")
    for original, text, expected in TRANSLATIONS:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for path, body in [("b.c", "int b;\n"), (f"docs/{original}", QUOTES_B),
                               ("docs/zh/p.md", text)]:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(body, encoding="utf-8")
            if len(check(root, {})[1]) != expected:
                failures.append(f"translation of {original}: {check(root, {})[1]}")
    for failure in failures:
        print(failure)
    print(f"{len(BAD) + len(TRANSLATIONS) + 1 - len(failures)} of "
          f"{len(BAD) + len(TRANSLATIONS) + 1} pages judged right")
    return bool(failures)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    write = sys.argv[1] == "--write"
    arguments = sys.argv[2:] if write else sys.argv[1:]
    root = pathlib.Path(arguments[0])
    programs = {pathlib.Path(path).name: runner(path) for path in arguments[1:]}
    if write:
        for page in pages_of(root):
            update(root, page, programs)
    count, complaints = check(root, programs)
    for complaint in complaints:
        print(complaint)
    print(f"{count} pages, {len(complaints)} complaints")
    sys.exit(bool(complaints) or count == 0)


if __name__ == "__main__":
    main()
