#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""scripts/why on examples/broken/hang.S: each mistake is told from the others.

usage: why_test.py SCRIPT IMAGE...        images hang0.elf to hang6.elf
"""

import os
import subprocess
import sys

# Status, what is said, what is not.
EXPECTED = {
    "hang0.elf": (0, ["It ended by itself, status 33, success.", "  | ok", "CPUID", "VMMCALL"],
                  ["error", "has not come back", "refused"]),
    "hang1.elf": (1, ["VMRUN refused the VMCB", "error C01: the VMRUN intercept is clear"],
                  ["has not come back"]),
    "hang2.elf": (1, ["exits are CPUID at 0h: its handler does not move RIP past the instruction",
                      "the monitor goes on"], ["refused", "has not come back"]),
    "hang3.elf": (1, ["The last VMRUN has not come back: the guest runs, with IF = 0.",
                      "warning W18: CLI in the guest blocks the host's interrupts"], ["refused"]),
    "hang4.elf": (1, ["Guests were resumed after SHUTDOWN", "ended in a triple fault at 2h"],
                  ["has not come back", "refused"]),
    "hang5.elf": (1, ["The machine reset itself: a triple fault.", "VMRUN was never executed",
                      "vector 06h, error code 0000"], ["Guests were entered"]),
    "hang6.elf": (1, ["exits are HLT at 2h: HLT returned at once: nothing is pending",
                      "the monitor goes on"], ["refused", "has not come back"]),
}


def complaints(name, status, text):
    wanted, said, unsaid = EXPECTED[name]
    wrong = [] if status == wanted else ["status %d, not %d" % (status, wanted)]
    wrong += ["it does not say: " + words for words in said if words not in text]
    wrong += ["it says: " + words for words in unsaid if words in text]
    return wrong


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    script, images = sys.argv[1], sys.argv[2:]
    # Side by side: most of them do nothing but wait.
    running = [(os.path.basename(image), subprocess.Popen(
        [script, "--seconds=3", "--exits=3000", image], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)) for image in images]
    failed = 0
    for name, process in running:
        text = process.communicate()[0].decode("utf-8", "replace")
        wrong = complaints(name, process.returncode, text)
        print(("FAIL  " if wrong else "ok    ") + name)
        if wrong:
            print("\n".join("    " + line for line in wrong + text.splitlines()))
            failed += 1
    if {name for name, _ in running} != set(EXPECTED):
        print("FAIL  not all images were given")
        failed += 1
    done = subprocess.run([script, "/nonexistent"], capture_output=True, check=False)
    if done.returncode != 3 or b"no such file" not in done.stderr:
        print("FAIL  a file that is not there")
        failed += 1
    print("%d passed, %d failed" % (len(EXPECTED) + 1 - failed, failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
