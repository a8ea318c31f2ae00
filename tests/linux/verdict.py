# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a Linux guest said, judged."""

import hashlib
import re

# Warnings that say something true of this machine, not of a fault in it.
ALLOWED = [
    # The processor that QEMU describes has these flaws and no microcode against them.
    r"Speculative Return Stack Overflow: ",
    r"RETBleed: ",
    r"Spectre V2 : ",
    r"See https://kernel.org/doc/html/latest/admin-guide/hw-vuln/",
    # What the option asked for.
    r"APIC calibration not consistent with PM-Timer",
    r"ACPI: .*acpi=off",
    # Without ACPI and MP tables there is nothing to describe an I/O APIC with.
    r"SMP motherboard not detected",
    r"No ACPI (MADT|present)",
    r"MPS support code is not built-in",
    r"Using acpi=off or acpi=noirq or pci=noacpi may have problem",
    r"APIC: Switch to (virtual wire|symmetric I/O) mode setup",
    r"smpboot: weird, boot CPU \(#0\) not listed by the BIOS",
    r"smpboot: Boot CPU \(id 0\) not listed by BIOS",
    r"PMU not available due to virtualization",
    r"ACPI: setting ELCR to 0200",
]


def file_md5(blocks):
    block = (b"libsvm writes a file\n" * 50000)[:1000000]
    return hashlib.md5(block * blocks).hexdigest()


class Verdict:
    """Problems and remarks about the text of one boot."""

    def __init__(self, text):
        self.text, self.problems, self.remarks = text, [], []

    def want(self, good, problem):
        if not good:
            self.problems.append(problem)

    def find(self, pattern):
        return re.search(pattern, self.text, re.M)

    def machine(self):
        self.want(self.find(r"^linux\| guest: Linux 6\.\S+ x86_64$"), "no uname")
        self.want(self.find(r"^linux\| guest: 1 processors$"), "not 1 processor")

    def memory(self, size):
        found = self.find(r"^linux\| guest: (\d+) KiB of memory$")
        whole = size >> 10
        # The kernel and its tables take some.
        self.want(found and whole * 0.94 - 45000 < int(found[1]) < whole,
                  f"{found[1] if found else 'no'} KiB of memory of {whole}")
        blocks = 16 if found and int(found[1]) <= 200000 else 64
        self.want(f"guest: {blocks} blocks, checksum {file_md5(blocks)}" in self.text,
                  "the file is not what was written")

    def warnings(self):
        part = re.search(r"guest: dmesg begins$(.*?)guest: dmesg ends$", self.text, re.M | re.S)
        self.want(part, "no dmesg")
        for line in part[1].splitlines() if part else []:
            found = re.match(r"linux\| guest: dmesg: \[ *[\d.]+\] (.*)", line)
            if found and not any(re.search(p, found[1]) for p in ALLOWED):
                self.problems.append(f"the guest warns: {found[1]}")

    def end(self, wanted):
        ended = self.find(r"^guest linux: ended: (\S+):")
        self.want(ended and ended[1] == wanted,
                  f"ended by {ended[1] if ended else 'nothing'}, not {wanted}")

    def calibration(self):
        """What the guest measured by its timers, against what the port says."""
        wanted = self.find(r"^processors: .* TSC ([\d.]+) MHz")
        found = self.find(r"tsc: Refined TSC clocksource calibration: ([\d.]+) MHz")
        remark = f"measured {found[1] if found else 'no'} MHz of {wanted[1] if wanted else 'no'}"
        self.remarks.append(remark)
        self.want(found and wanted and abs(float(found[1]) / float(wanted[1]) - 1) < 0.0001, remark)
