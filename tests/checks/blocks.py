#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""No code on a page that nothing compiles, runs or compares.

usage: blocks.py ROOT                     check all pages
       blocks.py --excerpt PAGE COMMAND   what PAGE says that COMMAND prints is on standard input,
                                          line by line in this order
       blocks.py --self-test              plant each kind of mistake and see that it is found

- A fenced block with a language follows a marker: a quotation (pages.py), a step
  (tests/consumer/porting.py), a table, or one of these:

      <!-- compiles -->           statements, with host, vm, vcpu and exit declared before them
      <!-- printed by COMMAND --> lines of its output, in order; "..." stands for others

- One without a language is a picture or a file for somebody, and no code.
- An indented block of C is a mistake.  One of commands is checked as far as that goes without running
  it: the shell can read it, each program is in the tree, is made by the build, or is named in PROGRAMS,
  and it knows its options.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.S | re.M)
BEFORE = re.compile(r"<!-- ((?:(?!-->).)+) -->\s*\Z")
MARKS = ("compiles", "printed by ", "file ", "lines of ", "output of ", "run", "write ", "prints")
# Of the system that the commands are for, or of Debian.
PROGRAMS = {"apt", "cc", "cp", "diff", "echo", "export", "gdb", "git", "insmod", "make", "meson",
            "mkdir", "modprobe", "ninja", "objdump", "python3", "qemu-system-x86_64", "rmmod", "sudo"}
OURS = ("scripts/", "tests/", "docs/", "tools/", "examples/", "build/")
OPTION = re.compile(r"(?<![\w-])(--[a-z][\w-]*)")
MESON = {"prefix", "libdir", "buildtype", "b_sanitize", "b_coverage", "c_args", "optimization"}
PRELUDE = """#include <libsvm/libsvm.h>
#include <libsvm/boot.h>
#include <libsvm/capture.h>
#include <libsvm/recorder.h>
#include <libsvm/platform/pc.h>
void page(struct svm_host *host, struct svm_vm *vm, struct svm_vcpu *vcpu, struct svm_exit *exit);
void page(struct svm_host *host, struct svm_vm *vm, struct svm_vcpu *vcpu, struct svm_exit *exit)
{
%s
(void)host, (void)vm, (void)vcpu, (void)exit;
}
"""


def compiles(root, body):
    flags = ["-std=gnu17", "-fsyntax-only", "-Wall", "-Werror", "-Wno-unused-variable",
             "-Wno-unused-but-set-variable", f"-I{root}/include"]
    prelude = "".join(line + "\n" for line in PRELUDE.splitlines()
                      if not line.startswith("#") or (root / "include" / line[10:-1]).exists())
    result = subprocess.run([*shlex.split(os.environ.get("CC", "cc")), *flags, "-x", "c", "-"],
                            input=prelude % body, text=True, stderr=subprocess.PIPE, check=False)
    return None if result.returncode == 0 else result.stderr


def check_fences(root, text):
    for match in FENCE.finditer(text):
        language, body = match.groups()
        before = BEFORE.search(text[:match.start()])
        mark = before[1] if before else ""
        line = text[:match.start()].count("\n") + 1
        if language and not mark.startswith(MARKS):
            yield f"line {line}: {language} that nothing compiles, runs or compares"
        if mark == "compiles":
            error = compiles(root, body)
            if error:
                yield f"line {line}: does not compile:\n{error}"


def indented_blocks(text):
    """(line, block) of what is set as code by four blanks."""
    lines = FENCE.sub(lambda match: re.sub(r"[^\n]", "", match[0]), text).splitlines()
    start = None
    for number, line in enumerate([*lines, ""]):
        is_code = line.startswith("    ") and (start is not None or number == 0
                                               or not lines[number - 1].strip())
        if is_code and start is None:
            start = number
        elif not is_code and line.strip() == "" and start is not None \
                and number + 1 < len(lines) and lines[number + 1].startswith("    "):
            continue
        elif not is_code and start is not None:
            yield start + 1, "\n".join(line[4:] for line in lines[start:number])
            start = None


def is_made(root, name):
    """build/x/y, or x/y for ninja: does the build file of x, or of a folder above, speak of y?"""
    path = pathlib.PurePosixPath(name.removeprefix("build/"))
    stem = re.sub(r"\.(?:elf|iso|ko|a)$", "", path.name)
    for folder in path.parents:
        file = root / folder / "meson.build"
        if file.exists():
            return stem in file.read_text(encoding="utf-8")
    return False


def check_words(root, words):
    """Complaints about one simple command."""
    program, rest = words[0], words[1:]
    if program.startswith(OURS):
        if program.startswith("build/"):
            if not is_made(root, program):
                yield f"{program} is made by no meson.build"
        elif not (root / program).exists():
            yield f"{program} is not in the tree"
        else:
            known = (root / program).read_text(encoding="utf-8")
            for option in OPTION.findall(" ".join(rest)):
                if option not in known:
                    yield f"{program} does not know {option}"
    elif program not in PROGRAMS:
        yield f"{program}: not in the tree and not among the programs that pages may use"
    if program == "ninja":
        for target in rest:
            if "/" in target and not is_made(root, target):
                yield f"no target {target}"
    if program == "meson":
        known = (root / "meson_options.txt").read_text(encoding="utf-8")
        for name in re.findall(r"-D(\w+)=", " ".join(rest)):
            if name not in MESON and f"'{name}'" not in known:
                yield f"no option {name}"


def commands_of(block):
    """Lines for a shell, without the words of explanation that stand two blanks away or behind #."""
    return [re.split(r"\s{2,}(?=[^\s-])|\s+#", line.strip(), maxsplit=1)[0]
            for line in re.sub(r"\\\n\s*", "", block).splitlines()]


def simple_commands(lines):
    """The words of each."""
    for line in lines:
        for part in re.split(r"&&|\|\||;|\|", re.sub(r"\$\([^)]*\)", "X", line)):
            words = re.sub(r">\S+", "", part).split()
            if words:
                yield words


def check_indented(root, text):
    for line, block in indented_blocks(text):
        first = block.split()[0]
        if re.search(r";\s*$", block, re.M) and not first.startswith("#"):
            yield f"line {line}: C without a fence"
        if first not in PROGRAMS and not first.startswith(OURS):
            continue
        commands = commands_of(block)
        shell = subprocess.run(["bash", "-n"], input="\n".join(commands), text=True,
                               stderr=subprocess.PIPE, check=False)
        if shell.returncode:
            yield f"line {line}: the shell cannot read this: {shell.stderr}"
        for words in simple_commands(commands):
            for complaint in check_words(root, words):
                yield f"line {line}: {complaint}"


def pages_of(root):
    return [*sorted(root.glob("*.md")), *(page for top in ("docs", "examples", "ports")
                                          for page in sorted((root / top).rglob("*.md")))]


def check(root):
    pages, complaints = pages_of(root), []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        complaints += [f"{page.relative_to(root)}: {complaint}" for complaint in
                       (*check_fences(root, text), *check_indented(root, text))]
    return len(pages), complaints


def excerpt(page, command, said):
    """The first line of the excerpt that is not in what was said, or None."""
    text = page.read_text(encoding="utf-8")
    match = re.search(rf"^<!-- printed by {re.escape(command)} -->\n+```\w*\n(.*?)^```$", text,
                      re.S | re.M)
    if not match:
        return f"no block printed by {command}"
    lines = iter(re.sub(r"\x1b\[[0-9;]*m|\r", "", said).splitlines())
    for wanted in match[1].splitlines():
        if wanted != "..." and wanted not in lines:  # a test that takes lines away up to this one
            return wanted
    return None


GOOD = """# Top
<!-- compiles -->
```c
(void)svm_good(vcpu);
```
<!-- printed by scripts/x -->
```text
one
...
three
```
```
a picture
```

    scripts/x --known     explains itself
    ninja -C build src/thing.elf && build/src/thing.elf
    meson setup -Dcolour=red \\
        build     # words; words

Words.

    130 * 2 = 260
"""
BAD = [
    ("<!-- compiles -->\n", ""),
    ("svm_good", "svm_bad"),
    ("```\na picture", "```sh\na picture"),
    ("--known", "--unknown"),
    ("    scripts/x --", "    scripts/y --"),
    ("C build src/thing", "C build src/other"),
    ("&& build/src/thing", "&& build/src/other"),
    ("colour", "color"),
    ("meson setup", "moson setup"),
    ("    ninja -C", "    ninja '-C"),
    ("130 * 2 = 260", "x = 260;"),
]
TREE = {
    "scripts/x": "--known\n",
    "src/meson.build": "executable('thing')\n",
    "meson_options.txt": "option('colour')\n",
    "include/libsvm/libsvm.h": "struct svm_vcpu; int svm_good(struct svm_vcpu *vcpu);\n"
                               "struct svm_host; struct svm_vm; struct svm_exit;\n",
}


def self_test():
    wrong = 0
    for bad in [None] + BAD:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            page = GOOD.replace(*bad, 1) if bad else GOOD
            for path, text in {**TREE, "README.md": page}.items():
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            _, complaints = check(root)
            excerpts = [excerpt(root / "README.md", "scripts/x", said)
                        for said in ("zero\none\ntwo\n\x1b[1mthree\x1b[0m\r\n", "three\none\n")]
        if bool(complaints) != bool(bad) or excerpts != [None, "three"]:
            print(f"{bad}: {complaints} {excerpts}")
            wrong += 1
    print(f"{len(BAD) + 1 - wrong} of {len(BAD) + 1} pages judged right")
    return bool(wrong)


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        sys.exit(self_test())
    if arguments[:1] == ["--excerpt"] and len(arguments) == 3:
        missing = excerpt(pathlib.Path(arguments[1]), arguments[2], sys.stdin.read())
        sys.exit(f"{arguments[1]}: not printed: {missing}" if missing else 0)
    if len(arguments) != 1:
        sys.exit(__doc__)
    count, complaints = check(pathlib.Path(arguments[0]).resolve())
    for complaint in complaints:
        print(complaint)
    print(f"{count} pages, {len(complaints)} complaints")
    sys.exit(bool(complaints) or not count)


if __name__ == "__main__":
    main()
