#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the first program of ports/skeleton says of ports that are wrong.

usage: wrong_ports.py BUILD TREE   the library is that of BUILD, installed

The kernel of docs/porting.md with its port, once as the page has it, and once with each mistake: the
line that names it comes, nothing hangs, and the kernel does not end as if all were well.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import porting

WELL = "6 left behind: 0 frames; breaches of the contract: 0"
# (file, what stands there, what a hasty port has instead, how the line begins that must be said)
MISTAKES = [
    ("hal.c", "return __builtin_memset(frames, 0, count * 4096);", "return frames;",
     "hal FAIL: frames_alloc.rezeroed: frames that were freed dirty come back zeroed"),
    ("hal.c", "*hpa = physical;", "*hpa = physical + 4096;",
     "hal FAIL: phys_to_virt.round_trip: phys_to_virt leads to what hva shows"),
    ("hal.c", "*hpa = physical;", "*hpa = physical | 0xffff800000000000;",
     "hal FAIL: frames_alloc.maxphyaddr: frames lie below the processor's MAXPHYADDR"),
    ("hal.c", ".cpu_kick = hal_cpu_kick", ".cpu_kick = 0 ? hal_cpu_kick : NULL",
     "hal FAIL: table.mandatory: all five mandatory entries are there"),
    ("host.h", "host_cpu(void)\n{\n\treturn 0;", "host_cpu(void)\n{\n\treturn 1;",
     "hal FAIL: cpu_id.range: cpu_id is below cpu_max"),
    ("host.h", "return tsc_hz;", "return 0;",
     "hal FAIL: table.tsc_hz: tsc_hz is a plausible rate: 1 MHz to 100 GHz"),
    ("kernel.c", "\t*apic(ICR) = 0x4000 | VECTOR_KICK;\n", "",
     "ladder FAIL: interrupt.exit: a host interrupt ends the run of a spinning guest"),
    ("kernel.c", "\t*apic(EOI) = 0;\n", "",
     "ladder FAIL: interrupt.exit: a host interrupt ends the run of a spinning guest"),
]


def make_kernel(folder, tree, library):
    """The sources of the page's kernel up to its first program, and an environment to build them."""
    kernel = folder / "kernel"
    shutil.copytree(tree / "examples/tiny-kernel", kernel)
    for file in (tree / "ports/skeleton").glob("*.[chS]"):
        shutil.copy(file, kernel)
    page = porting.section_of((tree / "docs/porting.md").read_text(encoding="utf-8"), "Step ")
    for kind, path, text in porting.steps_of(page):
        if kind == "write":
            (kernel / pathlib.Path(path).name).write_text(text, encoding="utf-8")
    environment = dict(os.environ, LIBRARY=library)
    exports = []
    porting.run(porting.LIBRARY, exports, folder, environment)
    return kernel, [line.replace("$PWD", str(folder)) for line in exports]


def first_program(kernel, exports):
    """(status, what it said)"""
    for file in kernel.glob("*.o"):  # the Makefile knows nothing of host.h
        file.unlink()
    script = "\n".join([*exports, "make -s PROGRAM='hal.o first.o main.o' run"])
    result = subprocess.run(["bash", "-c", script], cwd=kernel, text=True, timeout=150,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, check=False)
    return result.returncode, result.stdout.replace("\r", "").splitlines()


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    tree = pathlib.Path(sys.argv[2]).resolve()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        kernel, exports = make_kernel(pathlib.Path(name), tree, os.path.abspath(sys.argv[1]))
        for file, old, new, wanted in [("hal.c", "", "", WELL)] + MISTAKES:
            text = (kernel / file).read_text(encoding="utf-8")
            if old not in text:
                sys.exit(f"{file} has no {old!r} any more")
            (kernel / file).write_text(text.replace(old, new, 1), encoding="utf-8")
            status, said = first_program(kernel, exports)
            (kernel / file).write_text(text, encoding="utf-8")
            if bool(status) == bool(old) and any(line.startswith(wanted) for line in said):
                continue
            print(f"{file}: {old!r} -> {new!r}: status {status}, wanted {wanted!r}", *said, sep="\n")
            wrong += 1
    print(f"{len(MISTAKES) + 1 - wrong} passed, {wrong} failed")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
