#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Hold the public interface against the last release's: docs/versions.md says what may change.

usage: abi.py ROOT BASELINE ARCHIVE...    compare
       abi.py --record ROOT ARCHIVE...    print what BASELINE is to hold from a release on
       abi.py --self-test                 plant each kind of change and see what is said

The interface is what the headers below ROOT/include say to a compiler: functions with their types,
members of structures with offsets and sizes, enumerators and constants with their values.  One of
the archives must define each function.  What is added is listed; what was taken away or changed is a complaint,
unless ROOT/CHANGELOG.md names it under "Changed" or "Removed" above the heading of the release.
"""

import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

CC = shlex.split(os.environ.get("CC", "cc"))
SPDX = "# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only"
FLAGS = ["-std=gnu17", "-w", "-ffreestanding"]
# What a constant's value is made of; whatever else is in a macro makes it no constant.
TOKEN = re.compile(r"0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|U?INT(?:32|64)_C|SVM_[A-Z0-9_]+"
                   r"|[\s()|~+*<,-]")


def includes(root):
    names = sorted(str(path.relative_to(root / "include"))
                   for path in (root / "include/libsvm").rglob("*.h"))
    return "".join(f"#include <{name}>\n" for name in names)


def preprocess(root, *options):
    command = [*CC, *FLAGS, "-E", "-P", *options, f"-I{root}/include", "-x", "c", "-"]
    return subprocess.run(command, input=includes(root), text=True, check=True,
                          stdout=subprocess.PIPE).stdout


def close(text, start):
    """Index behind the brace that closes the one at start."""
    depth = 0
    for i in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i + 1
    raise ValueError("a brace is not closed")


def declarations(body):
    """What the semicolons of the outermost level end; bodies of functions are left out."""
    start = i = 0
    while i < len(body):
        if body[i] == "{":
            is_function = body[start:i].rstrip().endswith(")")
            i = close(body, i)
            start = i if is_function else start
            continue
        if body[i] == ";":
            yield body[start:i].strip()
            start = i + 1
        i += 1


def members_of(body):
    """Names by which the members can be reached, an anonymous union's among them."""
    for text in declarations(body):
        brace = text.find("{")
        tail = text[close(text, brace):] if brace >= 0 else text
        if brace >= 0 and not re.search(r"\w", tail):
            yield from members_of(text[brace + 1:close(text, brace) - 1])
            continue
        pointer = re.search(r"\(\*(\w+)\)\(", tail)
        if pointer:
            yield pointer[1]
            continue
        for declarator in tail.split(","):
            yield re.search(r"(\w+)\s*(?:\[[^\]]*\]\s*)*$", declarator.strip())[1]


def structs_in(code):
    for match in re.finditer(r"\b(?:struct|union) (svm_\w+)\s*\{", code):
        end = close(code, match.end() - 1)
        yield match[0][:-1].strip(), list(members_of(code[match.end():end - 1]))


def enumerators_in(code):
    for match in re.finditer(r"\benum(?: \w+)?\s*\{(.*?)\}", code, re.S):
        yield from re.findall(r"(?:^|,)\s*(SVM_\w+)", match[1])


def types_alone(prototype):
    """A prototype without its parameters' names, which may change; those of callbacks stay."""
    head, _, arguments = prototype.partition("(")
    if "(" in arguments:
        return prototype
    arguments = re.sub(r"(?<=[ *])(?<!struct )(?<!enum )\w+(?=(?:\[\w*\])?[,)])", "", arguments)
    return f"{head}({re.sub(r' (?=[,)])', '', arguments)}"


def functions_in(code):
    for text in declarations(code):
        text = " ".join(re.sub(r"__attribute__\s*\(\(.*?\)\)|\bextern\b", "", text).split())
        match = re.match(r"[\w *]+?[ *](svm_\w+)\(", text)
        if match and "{" not in text and not text.startswith(("typedef", "static")):
            yield match[1], types_alone(text)


def constants_in(macros):
    for name, value in re.findall(r"^#define (SVM_[A-Z0-9_]+) (.+)$", macros, re.M):
        if not TOKEN.sub("", value) and not name.endswith("_VERSION_NUMBER"):
            yield name


def program(root, code, macros):
    """A program that prints the lines of all that has a number."""
    lines = [includes(root), "#include <stddef.h>\n#include <stdio.h>\nint main(void)\n{\n"]
    for struct, members in structs_in(code):
        lines.append(f'printf("{struct}: %zu bytes\\n", sizeof({struct}));\n')
        lines += [f'printf("{struct}.{member}: at %zu, %zu bytes\\n", '
                  f"offsetof({struct}, {member}), sizeof((({struct} *)0)->{member}));\n"
                  for member in members]
    for kind, names in (("enumerator ", enumerators_in(code)), ("", constants_in(macros))):
        lines += [f'printf("{kind}{name}: %#llx\\n", (unsigned long long)({name}));\n'
                  for name in names]
    return "".join(lines) + "return 0;\n}\n"


def interface(root):
    """{thing: what is said of it}"""
    code, macros = preprocess(root), preprocess(root, "-dM")
    with tempfile.TemporaryDirectory() as folder:
        source, binary = pathlib.Path(folder, "print.c"), pathlib.Path(folder, "print")
        source.write_text(program(root, code, macros), encoding="utf-8")
        subprocess.run([*CC, *FLAGS[:2], f"-I{root}/include", "-o", binary, source], check=True)
        said = subprocess.run([binary], check=True, stdout=subprocess.PIPE, text=True).stdout
    result = dict(line.split(": ", 1) for line in said.splitlines())
    result.update((f"{name}()", prototype) for name, prototype in functions_in(code))
    return result


def undefined_in(archives, things):
    """Functions of the headers that the archives lack."""
    said = subprocess.run([os.environ.get("NM", "nm"), "--defined-only", "-P", *archives], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    defined = {line.split()[0] for line in said.splitlines() if " T " in line}
    return sorted(name for name in things if name.endswith("()") and name[:-2] not in defined)


def version(root):
    return re.search(r"^\s*version: '([^']+)'", (root / "meson.build").read_text(), re.M)[1]


def text_of(number, things):
    return f"{SPDX}\nlibsvm {number}\n" + "".join(f"{name}: {things[name]}\n" for name in sorted(things))


def parse(text):
    _, head, *lines = text.splitlines()
    return head.split()[1], dict(line.split(": ", 1) for line in lines)


def is_noted(name, news):
    """Does the changelog speak of it, or of what it is a member of?"""
    plain = name.removesuffix("()").split()[-1]
    return any(re.search(rf"\b{re.escape(word)}\b", news) for word in (plain, plain.split(".")[0]))


def may_differ(name, before, after):
    """Users are compiled with the headers of what they link: names and types are what they see."""
    if before == after or name.startswith("enumerator ") and after:
        return True
    if not name.startswith(("struct ", "union ")) or not after:
        return False
    # A structure may grow and its members move, but they stay what they are.
    return "." not in name or before.split(", ")[-1] == after.split(", ")[-1]


def compare(old, new, news):
    """Sentences about what must not be so."""
    for name in sorted(old):
        if may_differ(name, old[name], new.get(name)) or is_noted(name, news):
            continue
        yield f"{name} was {old[name]!r}" + (f", is {new[name]!r}" if name in new else ", is gone")
    hal = [name for name in old if name.startswith("struct svm_hal.")]
    moved = any(new.get(name) != old[name] for name in hal) or \
        old.get("struct svm_hal") != new.get("struct svm_hal")
    if moved and old.get("SVM_HAL_ABI") == new.get("SVM_HAL_ABI"):
        yield "struct svm_hal has another layout, and SVM_HAL_ABI the same number"


def news_since(root, release):
    """What the changelog calls changed or removed above a release; anywhere if that is not out."""
    text = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(rf"^## \[{re.escape(release)}\] - \d", text, re.M)
    parts = re.split(r"^(##+ .*)$", text[:heading.start()] if heading else text, flags=re.M)
    return "".join(part for head, part in zip(parts[1::2], parts[2::2])
                   if re.match(r"### (?:Changed|Removed)", head))


OLD = {"svm_a()": "int svm_a(int)", "svm_b()": "int svm_b(void)", "SVM_ONE": "0x1",
       "enumerator SVM_E": "0x4", "struct svm_s": "8 bytes", "struct svm_s.x": "at 0, 4 bytes",
       "struct svm_hal": "8 bytes", "struct svm_hal.size": "at 0, 4 bytes", "SVM_HAL_ABI": "0x1"}
# (changes, text of the changelog, number of complaints)
CHANGES = [
    ({}, "", 0),
    ({"svm_c()": "int svm_c(void)"}, "", 0),
    ({"svm_a()": None}, "", 1),
    ({"svm_a()": None}, "- `svm_a()` is gone.", 0),
    ({"svm_a()": "int svm_a(long)"}, "- `svm_ab()`", 1),
    ({"SVM_ONE": "0x2"}, "", 1),
    ({"enumerator SVM_E": "0x5"}, "", 0),
    ({"enumerator SVM_E": None}, "", 1),
    ({"struct svm_s": "16 bytes", "struct svm_s.y": "at 8, 8 bytes"}, "", 0),
    ({"struct svm_s.x": "at 4, 4 bytes"}, "", 0),
    ({"struct svm_s.x": "at 0, 8 bytes"}, "", 1),
    ({"struct svm_s.x": None}, "", 1),
    ({"struct svm_s.x": None}, "- `struct svm_s` has lost a member.", 0),
    ({"struct svm_hal.size": "at 4, 4 bytes"}, "", 1),
    ({"struct svm_hal": "16 bytes", "SVM_HAL_ABI": "0x2"}, "- `SVM_HAL_ABI` is 2.", 0),
]
HEADER = """
#define SVM_TWO 2u
enum svm_e { SVM_E_A, SVM_E_B = 7 };
struct svm_s {
	int x;
	union { long y; struct { char z; } in; };
	void (*f)(int a, int b);
	char c[3];
};
int svm_f(const struct svm_s *s, enum svm_e e, unsigned n[3]);
int svm_h(void);
static inline int svm_g(void) { return 0; }
"""
LINES = ["SVM_TWO: 0x2", "enumerator SVM_E_B: 0x7", "struct svm_s: 32 bytes",
         "struct svm_s.y: at 8, 8 bytes",
         "struct svm_s.in: at 8, 1 bytes", "struct svm_s.f: at 16, 8 bytes",
         "struct svm_s.c: at 24, 3 bytes", "svm_h(): int svm_h(void)",
         "svm_f(): int svm_f(const struct svm_s *, enum svm_e, unsigned [3])"]


def self_test():
    wrong = 0
    for changes, news, expected in CHANGES:
        new = {name: value for name, value in {**OLD, **changes}.items() if value}
        complaints = list(compare(OLD, new, news))
        if len(complaints) != expected:
            print(f"{changes}: {complaints}")
            wrong += 1
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "include/libsvm").mkdir(parents=True)
        (root / "include/libsvm/s.h").write_text(HEADER, encoding="utf-8")
        text = text_of("1", interface(root))
        for line in LINES:
            if line + "\n" not in text:
                print(f"no line {line} in\n{text}")
                wrong += 1
        wrong += "svm_g()" in text
    count = len(CHANGES) + len(LINES) + 1
    print(f"{count - wrong} of {count} judged right")
    return bool(wrong)


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        sys.exit(self_test())
    record = arguments[:1] == ["--record"]
    arguments = arguments[record:]
    if len(arguments) < 3 - record:
        sys.exit(__doc__)
    root = pathlib.Path(arguments[0]).resolve()
    archives = arguments[2 - record:]
    new = interface(root)
    complaints = [f"{name} is declared, and {' and '.join(archives)} lack it"
                  for name in undefined_in(archives, new)]
    if record:
        print(text_of(version(root), new), end="")
    else:
        release, old = parse(pathlib.Path(arguments[1]).read_text(encoding="utf-8"))
        complaints += compare(old, new, news_since(root, release))
        added = sorted(set(new) - set(old))
        print(f"{len(old)} things in {release}; {len(added)} more now:", *added)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    if complaints:
        print("docs/versions.md says what may change and how.  On purpose, before the release:\n"
              "tests/checks/abi.py --record . build/src/libsvm-*.a >BASELINE", file=sys.stderr)
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
