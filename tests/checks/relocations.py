#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Does the archive hold only what its code model promises?  C follows a compiler flag; assembly and a
forgotten flag do not.

usage: relocations.py ARCHIVE kernel|large|pic

kernel  linked into the top 2 GiB: addresses of 32 bits are sign-extended, never zero-extended.
large   linked anywhere, and as far apart as may be: no address or distance of 32 bits, except
        between pieces of code, which lie together.
pic     loaded anywhere: no absolute address outside data that the loader relocates.

None of them has a global offset table.  All members are linked into one object first.
"""

import os
import re
import subprocess
import sys
import tempfile

CODE = (".text", ".init")
RELOCATED_DATA = (".data",)
SECTION = re.compile(r"^Relocation section '\.rela(\S+)'")
ENTRY = re.compile(r"^[0-9a-f]+\s+[0-9a-f]+\s+(R_X86_64_\S+)\s+(?:[0-9a-f]+\s+(\S+))?")
SYMBOL = re.compile(r"^\s*\d+:\s+[0-9a-f]+\s+\S+\s+\S+\s+\S+\s+\S+\s+(\d+)\s+(\S+)")
HEADER = re.compile(r"^\s*\[\s*(\d+)\]\s+(\S+)")


def readelf(option, path):
    return subprocess.run(["readelf", "-W", option, path], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()


def sections_of_symbols(path):
    """Name of the section in which each symbol, or section, is defined."""
    headers = {m.group(1): m.group(2) for m in map(HEADER.match, readelf("-S", path)) if m}
    where = {name: name for name in headers.values()}
    for match in filter(None, map(SYMBOL.match, readelf("-s", path))):
        where.setdefault(match.group(2), headers.get(match.group(1), ""))
    return where


def forbidden(model, section, kind, target_section):
    """What is wrong with a relocation; None if nothing is."""
    if "GOT" in kind:
        return "there is no global offset table"
    absolute_32 = kind in ("R_X86_64_32", "R_X86_64_32S", "R_X86_64_16", "R_X86_64_8")
    if model == "kernel":
        return "a zero-extended address" if absolute_32 and kind != "R_X86_64_32S" else None
    if absolute_32:
        return "an absolute address of 32 bits"
    if model == "large" and kind in ("R_X86_64_PC32", "R_X86_64_PLT32"):
        both_code = section.startswith(CODE) and target_section.startswith(CODE)
        return None if both_code else "a distance of 32 bits"
    if model == "pic" and kind == "R_X86_64_64" and not section.startswith(RELOCATED_DATA):
        return "an absolute address outside relocated data"
    return None


def check(path, model):
    where = sections_of_symbols(path)
    count, complaints, section = 0, [], ""
    for line in readelf("-r", path):
        start = SECTION.match(line)
        if start:
            section = start.group(1)
        entry = ENTRY.match(line)
        if not entry or section.startswith((".debug", ".eh_frame", ".note")):
            continue
        count += 1
        target = entry.group(2) or ""
        problem = forbidden(model, section, entry.group(1), where.get(target, ""))
        if problem:
            complaints.append(f"{section}: {entry.group(1)} {target}: {problem}")
    return count, complaints


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in ("kernel", "large", "pic"):
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as scratch:
        whole = os.path.join(scratch, "whole.o")
        subprocess.run(["ld", "-r", "--whole-archive", sys.argv[1], "-o", whole], check=True)
        count, complaints = check(whole, sys.argv[2])
    if count == 0:
        sys.exit("no relocation at all: is this the right archive?")
    for complaint in sorted(set(complaints)):
        print(complaint)
    print(f"{count} relocations, {len(complaints)} against code model {sys.argv[2]}")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
