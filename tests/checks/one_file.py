#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Can one file hold the whole library?  Then each static name stands for one thing in the tree.

usage: one_file.py BUILD_DIR [FILE...]

A file that includes every source of the freestanding archive, and the FILEs after them, is handed to
the compiler with the archive's own flags.  It must find no name, type or macro with two meanings.
"""

import json
import os
import shlex
import subprocess
import sys
import tempfile

LIBRARY = "src/libsvm-vmm.a.p/"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    build = os.path.abspath(sys.argv[1])
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        units = [u for u in json.load(file)
                 if u["output"].startswith(LIBRARY) and u["file"].endswith(".c")]
    if not units:
        sys.exit(f"no source of the archive in {build}/compile_commands.json")
    sources = [os.path.normpath(os.path.join(u["directory"], u["file"])) for u in units]
    sources += [os.path.abspath(path) for path in sys.argv[2:]]
    flags = shlex.split(units[0]["command"])
    flags = flags[:flags.index("-MD")]
    with tempfile.TemporaryDirectory() as scratch:
        whole = os.path.join(scratch, "whole.c")
        with open(whole, "w", encoding="utf-8") as file:
            file.writelines(f'#include "{source}"\n' for source in sources)
        result = subprocess.run(flags + ["-fsyntax-only", whole], cwd=units[0]["directory"],
                                check=False)
    print(f"{len(sources)} sources in one file: {'no' if result.returncode else 'yes'}")
    sys.exit(result.returncode)


if __name__ == "__main__":
    main()
