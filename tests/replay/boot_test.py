#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Guests of the bare-metal port, recorded in QEMU and replayed in a process.

usage: boot_test.py [--linux KERNEL INITRD] [--logs DIR] IMAGE REPLAY GUEST...

IMAGE is libsvm-capture.elf, each GUEST a program of tests/boot.  The library of the one was
compiled for a kernel and ran with real frames and interrupts, that of the other has neither.  The
console says how many exits there were: as many must be replayed, and each as it was.
"""

import argparse
import os
import re
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../boot"))

import emulators  # noqa: E402
from replay_test import REPLAYED, run  # noqa: E402

LINUX = ('guest linux\nkernel = {}\ninitrd = {}\nmemory = 128M\n'
         'cmdline = "console=ttyS0 check"\n')


def record(args, name, config, files, seconds):
    """(exits that the console counts, file of the capture)."""
    log = os.path.join(args.logs, name)
    path = log + ".capture"
    with open(log + ".conf", "w", encoding="ascii") as file:
        file.write(config)
    modules = [(log + ".conf", "config"), *files] if config else []
    result = emulators.run_qemu(args.image, log, "run=guests", modules, timeout=seconds,
                                extra=["-debugcon", "file:" + path],
                                memory=512 if seconds > 60 else 256)
    found = re.findall(r"^guest \w+: (\d+) exits, (\d+) events injected", result.serial, re.M)
    if result.status != 33 or not found:
        print(result.serial)
        return 0, path
    return int(found[0][0]), path


def test(args, name, config="", files=(), seconds=60):
    exits, path = record(args, name, config, files, seconds)
    code, out, err = run(args.replay, path)
    replayed = re.match(r"replayed (\d+) exits, all as recorded; it was ended there", out)
    # The console leaves out those that end a run for the host.
    good = code == REPLAYED and replayed and exits and int(replayed[1]) >= exits
    print(f"{'ok     ' if good else 'FAILED '} {name}: {exits} exits on the console; "
          f"{(out + err).strip()}")
    return bool(good)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--linux", nargs=2, metavar=("KERNEL", "INITRD"))
    parser.add_argument("--logs")
    parser.add_argument("image")
    parser.add_argument("replay")
    parser.add_argument("guests", nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        args.logs = args.logs or folder
        os.makedirs(args.logs, exist_ok=True)
        results = [test(args, "builtin")] if args.guests else []
        for guest in args.guests:
            name = os.path.splitext(os.path.basename(guest))[0]
            results.append(test(args, name, f"guest {name}\nkernel = {name}.elf\nmemory = 4M\n"
                                "limit = 2s\n", [(guest, name + ".elf")]))
        if args.linux:
            config = LINUX.format(*map(os.path.basename, args.linux))
            results.append(test(args, "linux", config, [(name, "") for name in args.linux], 600))
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
