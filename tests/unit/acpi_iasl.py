#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Let Intel's ACPI compiler read the tables, and say what it must find in them.

usage: acpi_iasl.py ACPI_DUMP

The tables are cut apart by their own pointers, disassembled, and the DSDT is compiled again, which
checks its AML as an operating system would.  Skipped (77) where there is no iasl (acpica-tools).
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

BASE = 0xe0000
SKIPPED = 77

# Table, number of processors or None for any, and a pattern that its disassembly must have.
WANTED = [
    ("FACP", None, r"PM1A Event Block Address : 00000600"),
    ("FACP", None, r"PM1A Control Block Address : 00000604"),
    ("FACP", None, r"PM Timer Block Address : 00000608"),
    ("FACP", None, r"SCI Interrupt : 0009"),
    ("FACP", None, r"SMI Command Port : 00000000"),
    ("FACP", None, r"Hardware Reduced \(V5\) : 0"),
    ("FACP", None, r"32-bit PM Timer \(V1\) : 1"),
    ("FACP", None, r"Control Method Power Button \(V1\) : 0"),
    ("FACP", None, r"Control Method Sleep Button \(V1\) : 1"),
    ("FACP", None, r"Reset Register Supported \(V2\) : 1"),
    ("FACP", None, r"Address : 0000000000000CF9"),
    ("FACP", None, r"Value to cause reset : 06"),
    ("FACP", None, r"8042 Present on ports 60/64 \(V2\) : 1"),
    ("FACP", None, r"VGA Not Present \(V4\) : 1"),
    ("FACP", None, r"RTC Century Index : 32"),
    ("APIC", None, r"Local Apic Address : FEE00000"),
    ("APIC", None, r"PC-AT Compatibility : 1"),
    ("APIC", None, r"Address : FEC00000"),
    ("APIC", None, r"Source : 00\n.*Interrupt : 00000002"),
    ("APIC", None, r"Source : 09\n.*Interrupt : 00000009\n.*Flags.*: 000D"),
    ("APIC", None, r"Interrupt Input LINT : 01"),
    ("APIC", 1, r"Processor ID : 00\n.*Local Apic ID : 00\n.*Flags.*: 00000001"),
    ("APIC", 256, r"Processor ID : FE\n.*Local Apic ID : FE\n"),
    ("APIC", 256, r"Processor x2Apic ID : 000000FF"),
    ("DSDT", None, r'_HID, EisaId \("PNP0A03"\)'),
    ("DSDT", None, r'_HID, EisaId \("PNP0501"\)'),
    ("DSDT", None, r'_HID, EisaId \("PNP0B00"\)'),
    ("DSDT", None, r'_HID, EisaId \("PNP0303"\)'),
    ("DSDT", None, r"WordBusNumber \(ResourceProducer, MinFixed, MaxFixed, PosDecode,"),
    ("DSDT", None, r"IO \(Decode16,\s+0x0CF8,\s.*\s+0x0CF8,\s.*\s+0x01,\s.*\s+0x08,"),
    ("DSDT", None, r"IO \(Decode16,\s+0x03F8,"),
    ("DSDT", None, r"IRQNoFlags \(\)\s+\{4\}"),
    ("DSDT", None, r"0xC0000000,.*Range Minimum\s+0xFEBFFFFF,.*Range Maximum"),
    ("DSDT", None, r"Name \(_S5, Package \(0x04\)[^{]*\{\s+0x05,\s+0x05,\s+Zero|"
                   r"Name \(_S5, Package \(0x04\)[^{]*\{\s+0x05,\s+0x05,\s+0x00"),
]


def field(data, at, size):
    return int.from_bytes(data[at:at + size], "little")


def tables(block):
    """Signature: bytes, found as an operating system does."""
    assert block[:8] == b"RSD PTR " and sum(block[:20]) % 256 == 0 and sum(block[:36]) % 256 == 0
    found = {}
    pointers = [field(block, 24, 8), field(block, 16, 4)]
    while pointers:
        at = pointers.pop() - BASE
        name = block[at:at + 4].decode()
        table = block[at:at + field(block, at + 4, 4)]
        found[name] = table
        if name in ("RSDT", "XSDT"):
            size = 4 if name == "RSDT" else 8
            pointers += [field(table, i, size) for i in range(36, len(table), size)]
        if name == "FACP":
            assert field(table, 36, 4) == field(table, 132, 8), "FACS by two addresses"
            assert field(table, 40, 4) == field(table, 140, 8), "DSDT by two addresses"
            assert field(table, 36, 4) % 64 == 0, "FACS at a multiple of 64"
            pointers += [field(table, 36, 4), field(table, 40, 4)]
    return found


def iasl(folder, *arguments):
    result = subprocess.run(["iasl", *arguments], cwd=folder, capture_output=True, text=True,
                            check=False, timeout=60)
    return result.returncode, result.stdout + result.stderr


def check(program, cpus):
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "block")
        subprocess.run([program, str(cpus), path], check=True)
        with open(path, "rb") as file:
            found = tables(file.read())
        if set(found) != {"RSDT", "XSDT", "FACP", "FACS", "DSDT", "APIC"}:
            wrong.append(f"tables {sorted(found)}")
        for name, table in found.items():
            with open(os.path.join(folder, name + ".dat"), "wb") as file:
                file.write(table)
            status, said = iasl(folder, "-d", name + ".dat")
            if status or re.search(r"(?i)\berror\b|warning|incorrect checksum|should be", said):
                wrong.append(f"{name}: {said}")
                continue
            with open(os.path.join(folder, name + ".dsl"), encoding="latin-1") as file:
                text = file.read()
            if re.search(r"(?i)incorrect|invalid|unknown|should be", text):
                wrong.append(f"{name}: {text}")
            for table_name, count, pattern in WANTED:
                if table_name == name and count in (None, cpus) and not re.search(pattern, text):
                    wrong.append(f"{name}: no {pattern} in\n{text}")
        status, said = iasl(folder, "-ve", "DSDT.dsl")
        if status:
            wrong.append(f"DSDT does not compile: {said}")
    return wrong


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not shutil.which("iasl"):
        print("skipped: no iasl (Debian: acpica-tools)")
        sys.exit(SKIPPED)
    wrong = [text for cpus in (1, 4, 255, 256) for text in check(sys.argv[1], cpus)]
    print("\n".join(wrong))
    print(f"{len(WANTED)} patterns, {len(wrong)} complaints")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
