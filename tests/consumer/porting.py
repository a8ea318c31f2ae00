#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Do what docs/porting.md says, to the letter, and compare what it prints.

usage: porting.py TREE                  every step, in a tree without build folders
       porting.py --library BUILD TREE  in a folder beside it: the library is that of BUILD,
                                        installed, and the blocks named setup and linux are left out
       porting.py --section HEAD TREE   in a folder beside it: what is below that heading, which is
                                        no step
       porting.py --self-test           see that wrong output and broken pages are found

A fenced block behind one of these lines is part of a step:

    <!-- run [NAME] -->     commands for a shell in the top folder; exports live on
    <!-- write PATH -->     a file to make
    <!-- prints [NAME] -->  the next part of what the last run wrote on its standard output

In the last, "..." stands for anything in a line, and in a line of its own for any lines.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

STEP = re.compile(r"^<!-- (run|write|prints)(?: (\S+))? -->\n+```\w+\n(.*?)^```$", re.S | re.M)
MARKER = re.compile(r"^<!-- (?:run|write|prints)\b", re.M)
LIBRARY = """
meson install -C "$LIBRARY" --no-rebuild --quiet --destdir "$PWD/build-port/installed"
export PKG_CONFIG_SYSROOT_DIR="$PWD/build-port/installed"
export PKG_CONFIG_PATH="$(dirname "$(find "$PWD/build-port/installed" -name libsvm-vmm.pc)")"
"""
SECONDS = 900


def section_of(page, head):
    """What is below a heading of the second level, or below all those that begin with it."""
    parts = re.split(r"^## ", page, flags=re.M)[1:]
    found = [part for part in parts if part.startswith(head)]
    if not found:
        raise Failed(f"no heading {head}")
    return "".join(found)


class Failed(Exception):
    """A sentence for whoever reads the log."""


def steps_of(page):
    steps = STEP.findall(page)
    if len(steps) != len(MARKER.findall(page)):
        raise Failed("a marker of a step has no fenced block behind it")
    if not any(kind == "prints" for kind, _, _ in steps):
        raise Failed("no step prints anything")
    return steps


def pattern_of(expected):
    lines = []
    for line in expected.splitlines():
        if line == "...":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            lines.append(".*".join(re.escape(part) for part in line.split("...")) + r"\n")
    return re.compile("".join(lines))


def compare(name, expected, said):
    if expected and not pattern_of(expected).fullmatch(said):
        raise Failed(f"{name}: wanted\n{expected}\nbut it printed\n{said}")


def run(commands, exports, folder, environment):
    script = "set -euo pipefail\n" + "\n".join(exports) + "\n" + commands
    result = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, timeout=SECONDS, check=False)
    if result.returncode:
        raise Failed(f"{commands}\nended with {result.returncode}\n{result.stdout}{result.stderr}")
    exports += re.findall(r"^export .*$", commands, re.M)
    return result.stdout.replace("\r", "")


def walk(page, folder, library=None):
    """Number of outputs compared."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("PKG_CONFIG", "MAKE", "DESTDIR", "MESON"))}
    exports, name, said, expected, count = [], "", "", "", 0
    if library:
        environment["LIBRARY"] = library
    for kind, argument, text in steps_of(page):
        if library and argument in ("setup", "linux"):
            continue
        if kind == "write":
            (folder / argument).write_text(text, encoding="utf-8")
        elif kind == "prints":
            expected += text
            count += 1
        else:
            compare(name, expected, said)
            name, expected = text, ""
            said = run(LIBRARY if library and argument == "library" else text, exports, folder,
                       environment)
            print(text + said, flush=True)
    compare(name, expected, said)
    return count


PAGE = """# Top
<!-- run -->
```sh
export WORD=there
mkdir made
```
<!-- write made/file -->
```c
hello
```
<!-- run -->
```sh
cat made/file; echo $WORD 17; echo x; echo y; echo end
```
<!-- prints -->
```text
hello
there ...
```
Words between.
<!-- prints -->
```text
...
end
```
"""
BAD = [
    ("hello\n```\n<!-- run", "hullo\n```\n<!-- run"),
    ("end\n```", "last\n```"),
    ("there ...", "there 18"),
    ("...\nend", "end"),
    ("echo end", "echo end; echo more"),
    ("echo end", "echo end; false"),
    ("export WORD", "WORD"),
    ("<!-- prints -->\n```", "<!-- prints -->\nwords\n```"),
]


def self_test():
    wrong = 0
    for bad in [None] + BAD:
        with tempfile.TemporaryDirectory() as folder:
            try:
                good = walk(PAGE.replace(*bad, 1) if bad else PAGE, pathlib.Path(folder)) == 2
            except Failed:
                good = False
        if good == bool(bad):
            print(f"judged wrongly: {bad}")
            wrong += 1
    print(f"{len(BAD) + 1 - wrong} of {len(BAD) + 1} pages judged right")
    return bool(wrong)


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        sys.exit(self_test())
    library, head = None, "Step "
    if arguments[:1] == ["--library"]:
        library, arguments = os.path.abspath(arguments[1]), arguments[2:]
    elif arguments[:1] == ["--section"]:
        head, arguments = arguments[1], arguments[2:]
    if len(arguments) != 1:
        sys.exit(__doc__)
    tree = pathlib.Path(arguments[0]).resolve()
    try:
        page = section_of((tree / "docs/porting.md").read_text(encoding="utf-8"), head)
        if library or head != "Step ":
            with tempfile.TemporaryDirectory() as name:
                folder = pathlib.Path(name)
                for part in ("examples", "ports", "scripts"):
                    (folder / part).symlink_to(tree / part)
                count = walk(page, folder, library)
        else:
            count = walk(page, tree)
    except Failed as failure:
        sys.exit(str(failure))
    print(f"{count} passed, 0 failed")


if __name__ == "__main__":
    main()
