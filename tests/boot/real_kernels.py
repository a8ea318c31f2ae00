#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Load the Linux kernels that are at hand and compare with what file(1) and the file itself say.

usage: real_kernels.py BOOT_DUMP [KERNEL...]

Without KERNELs: those in /boot, those that scripts/lib/guests.sh has unpacked, and those in the
folders of LIBSVM_TEST_KERNELS (separated by colons).
With none there is nothing to do, and the status says so (77: skipped).
"""

import glob
import os
import shutil
import subprocess
import sys

SKIPPED = 77
CMDLINE = "console=ttyS0 quiet"


def kernels():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    folders = ["/boot", os.path.join(root, "build-guests", "*", "boot")]
    folders += [f for f in os.environ.get("LIBSVM_TEST_KERNELS", "").split(":") if f]
    return sorted(path for folder in folders for path in glob.glob(os.path.join(folder, "vmlinuz*"))
                  if os.access(path, os.R_OK))


def field(data, offset, size):
    return int.from_bytes(data[offset:offset + size], "little")


def dump(program, path, mib):
    result = subprocess.run([program, path, str(mib), CMDLINE], capture_output=True, text=True,
                            check=False, timeout=60)
    return dict(line.partition(" ")[::2] for line in result.stdout.splitlines())


def version_of(data):
    at = 0x200 + field(data, 0x20e, 2)
    return data[at:data.index(0, at)].decode("latin-1")


def complaints(program, path, mib):
    """What is wrong with the load of a kernel, each as (what, is, should be)."""
    with open(path, "rb") as file:
        data = file.read()
    shown = dump(program, path, mib)
    if shown.get("result") != "0":
        return [("result", shown.get("why"), "a load")]
    zero_page = bytes.fromhex(shown["zero_page"])
    is_64 = field(data, 0x206, 2) >= 0x20c and field(data, 0x236, 2) & 1
    start = (field(data, 0x1f1, 1) or 4) * 512 + 512
    load = field(data, 0x258, 8)
    entry = 0x200 if is_64 else 0
    ramdisk = (min(mib << 20, 0xc0000000, field(data, 0x22c, 4) + 1) - 9) & ~0xfff
    wanted = [
        ("format", shown["format"], f"Linux, {64 if is_64 else 32}-bit boot protocol"),
        ("entry", int(shown["rip"], 0), load + entry),
        ("code", shown["at_rip"], data[start + entry:start + entry + 64].hex()),
        ("command line", shown["cmdline"], CMDLINE),
        ("code32_start", field(zero_page, 0x214, 4), load),
        ("initramfs", field(zero_page, 0x218, 4), ramdisk),
        ("its size", field(zero_page, 0x21c, 4), 9),
        ("type_of_loader", zero_page[0x210], 0xff),
    ]
    # What the loader leaves alone: offset, size.
    for offset, size in [(0x1f1, 9), (0x1fc, 20), (0x22c, 16), (0x240, 16), (0x258, 20)]:
        wanted.append((f"header at {offset:#x}", zero_page[offset:offset + size].hex(),
                       data[offset:offset + size].hex()))
    if shutil.which("file"):
        said = subprocess.run(["file", "-b", path], capture_output=True, text=True, check=True).stdout
        version = version_of(zero_page[:0x290] + data[0x290:])
        wanted.append(("version", f"version {version.split()[0]} " in said, True))
        wanted.append(("kind", "bzImage" in said, True))
    return [w for w in wanted if w[1] != w[2]]


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    paths = sys.argv[2:] or kernels()
    if not paths:
        print("skipped: no vmlinuz in /boot, build-guests or the folders of LIBSVM_TEST_KERNELS")
        sys.exit(SKIPPED)
    wrong = 0
    for path in paths:
        for mib in (128, 512, 3072, 4096):
            found = complaints(sys.argv[1], path, mib)
            wrong += len(found)
            for what, value, should in found:
                print(f"{path}, {mib} MiB: {what}: {value}, not {should}")
    print(f"{len(paths)} kernels, {wrong} differences")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
