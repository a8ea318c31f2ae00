#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What svm-lint says on its command line: forms of files, options, status, JSON, differences.

usage: lint_test.py SVM-LINT BROKEN
"""

import json
import os
import subprocess
import sys

sys.dont_write_bytecode = True

import folder_checks  # noqa: E402
import kvm_log  # noqa: E402
from folder_checks import check  # noqa: E402

LINT, BROKEN = None, None

CPUINFO = """processor\t: 0
vendor_id\t: AuthenticAMD
flags\t\t: fpu nx lm svm umip npt lbrv nrip_save vgif
address sizes\t: 43 bits physical, 48 bits virtual

processor\t: 1
flags\t\t: fpu svm npt vnmi
"""


def broken(name):
    return subprocess.run([BROKEN, name], capture_output=True, check=True).stdout


def good():
    """One in which nothing is found."""
    vmcb = bytearray(broken("asid_zero"))
    vmcb[0x58] = 1
    return bytes(vmcb)


def lint(*options, data=b""):
    """Status, what was printed, what was complained."""
    done = subprocess.run([LINT, *options], input=data, capture_output=True, check=False)
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")


def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
    return name


def words(data, size, address=0x1af000):
    """As the QEMU monitor prints it."""
    lines = ["(qemu) xp /%d 0x%x" % (len(data) // size, address)]
    for at in range(0, len(data), 16):
        numbers = (data[i:i + size][::-1].hex() for i in range(at, at + 16, size))
        lines.append("%016x: %s" % (address + at, " ".join("0x" + n for n in numbers)))
    return "\n".join(lines + ["(qemu) "]).encode("ascii")


@check
def status_follows_severity():
    assert lint(data=good()) == (0, "-: 0 errors, 0 warnings\n", "")
    assert lint("-q", data=broken("no_hlt_intercept")) == (1, "-: 0 errors, 1 warning\n", "")
    assert lint("-q", data=broken("asid_zero")) == (2, "-: 1 error, 0 warnings\n", "")
    assert lint("-q", data=b"12")[0] == 3
    assert lint("/nonexistent")[0] == 3
    assert lint("/")[0] == 3
    assert lint("--nonsense")[0] == 3


@check
def the_worst_file_decides_and_each_is_judged():
    write("a", good())
    write("b", broken("asid_zero"))
    write("c", b"short")
    assert lint("-q", "a", "b") == (2, "a: 0 errors, 0 warnings\nb: 1 error, 0 warnings\n", "")
    status, text, complaint = lint("-q", "c", "b")
    assert status == 3 and text == "b: 1 error, 0 warnings\n" and complaint.startswith("svm-lint: c:")


@check
def every_form_of_a_dump_is_the_same():
    vmcb = broken("asid_zero")
    expected = lint(data=vmcb)
    assert "ASID" in expected[1] and "(058h) = 0h" in expected[1]
    for size in (1, 2, 4, 8):
        assert lint(data=words(vmcb, size)) == expected
    assert lint(data=vmcb.hex().encode()) == expected
    for command in (["xxd"], ["xxd", "-p"], ["hexdump", "-C"], ["od", "-Ax", "-tx1"]):
        try:
            text = subprocess.run(command, input=vmcb, capture_output=True, check=True).stdout
        except FileNotFoundError:
            continue
        assert lint(data=text) == expected, command


@check
def several_in_one_file_have_numbers():
    two = good() + broken("asid_zero")
    assert lint("-q", data=two)[1] == "-[0]: 0 errors, 0 warnings\n-[1]: 1 error, 0 warnings\n"
    text = words(good(), 4, 0x1000) + b"\n" + words(broken("asid_zero"), 8, 0x9000)
    assert lint("-q", data=text)[1] == "-[0]: 0 errors, 0 warnings\n-[1]: 1 error, 0 warnings\n"
    assert lint("-q", "--at", "4096", data=two)[:2] == (2, "-: 1 error, 0 warnings\n")
    assert lint("--at=0x1001", data=two)[0] == 3
    assert lint(data=two[:-1])[0] == 3


@check
def a_finding_says_where_what_and_why():
    text = lint(data=broken("no_svme"))[1]
    for part in ("error S01: EFER.SVME is clear", "EFER (4D0h) = 500h", "bits 1000h (SVME)",
                 "OR SVME into the guest's EFER", "APM vol. 2, 15.5.1"):
        assert part in text, text
    assert "bits 1000000h (HLT)" in lint(data=broken("no_hlt_intercept"))[1]
    assert "last exit SHUTDOWN (7Fh)" in lint(data=broken("resumed_after_shutdown"))[1]


@check
def json_is_json():
    status, text, _ = lint("--json", data=good() + broken("no_svme"))
    first, second = json.loads(text)
    assert status == 2 and first["findings"] == [] and first["name"] == "-[0]"
    assert second["errors"] == 1 and second["warnings"] == 0
    assert second["findings"] == [{
        "rule": "S01", "severity": "error", "field": "EFER", "offset": 0x4d0, "value": "0x500",
        "bits": "0x1000", "bit_names": "SVME", "text": "EFER.SVME is clear", "section": "15.5.1",
        "advice": "OR SVME into the guest's EFER, always"}]
    assert json.loads(lint("--json", "/nonexistent")[1]) == []
    name = write('"\\\n\xe9', good())
    assert json.loads(lint("--json", name)[1])[0]["errors"] == 0
    noise = bytes(range(1, 256)) * 16 + bytes(16)
    assert json.loads(lint("--json", data=noise)[1])[0]["errors"] > 5


@check
def a_difference_is_shown_field_by_field():
    after = bytearray(good())
    assert lint("--diff", data=good() + bytes(after)) == (0, "", "")
    after[0x578] += 2
    after[0x4d1] ^= 0x10
    after[0x412] ^= 0x80
    after[0x20] = 7
    write("a", good())
    write("b", bytes(after))
    status, text, _ = lint("--diff", "a", "b")
    assert status == 1
    assert text.splitlines() == [
        "reserved (020h): 0h -> 7h",
        "cs attributes (412h): A9Bh -> A1Bh; cleared: P",
        "EFER (4D0h): 1500h -> 500h; cleared: SVME",
        "RIP (578h): 100000h -> 100002h"], text
    rows = json.loads(lint("--diff", "--json", "a", "b")[1])
    assert [row["offset"] for row in rows] == [0x20, 0x412, 0x4d0, 0x578]
    assert rows[3] == {"field": "RIP", "offset": 0x578, "a": "0x100000", "b": "0x100002"}
    assert lint("--diff", "a")[0] == 3
    assert lint("--diff", "a", "b", "a")[0] == 3


@check
def every_byte_of_a_vmcb_is_in_some_field():
    before = good()
    write("a", before)
    for offset in [0x3b, 0x5d, 0xd0, 0xdf, 0x3ff, 0x4ca, 0x4cb, 0xfff, *range(0, 4096, 203)]:
        write("b", before[:offset] + bytes([before[offset] ^ 1]) + before[offset + 1:])
        status, text, _ = lint("--diff", "a", "b")
        assert status == 1 and len(text.splitlines()) == 1, (offset, text)


@check
def features_decide():
    vmcb = broken("tlb_control_not_there")
    assert lint(data=vmcb)[0] == 0
    assert lint("--cpu=qemu", data=vmcb)[0] == 2
    assert lint("--cpu=qemu", "--features=+flush_by_asid", data=vmcb)[0] == 0
    assert lint("--features=npt,FlushByAsid", data=vmcb)[0] == 0
    assert lint("--features=npt,nrip,flush-by-asid", data=vmcb)[0] == 0
    assert lint("--features=npt", data=vmcb)[0] == 2
    assert lint("--features=-flush-by-asid", data=vmcb)[0] == 2
    assert lint("--features=npt,xyzzy", data=vmcb)[0] == 3
    assert lint("--cpu=zx81", data=vmcb)[0] == 3
    assert lint("--asids=8", data=broken("asid_too_large"))[0] == 2
    assert lint("--asids=0x2000", data=broken("asid_too_large"))[0] == 0
    assert lint("--phys-bits=53", data=good())[0] == 3
    assert lint("--phys-bits=36", data=broken("msr_map_at_the_end"))[0] == 2
    assert lint("--phys-bits=37", data=broken("msr_map_at_the_end"))[0] == 0


@check
def cpuinfo_is_read():
    path = write("cpuinfo", CPUINFO.encode("ascii"))
    assert lint("--cpuinfo", path, data=good())[0] == 0
    vmcb = bytearray(good())
    vmcb[0x063] |= 2  # V_GIF enable
    assert lint("--cpuinfo", path, data=bytes(vmcb))[0] == 0
    vmcb[0x063] |= 4  # V_NMI enable: of the second processor only
    assert lint("--cpuinfo", path, data=bytes(vmcb))[0] == 2
    vmcb = bytearray(good())
    vmcb[0x556 - 1] = 8  # CR3 bit 43
    assert "S06" in lint("--cpuinfo", path, data=bytes(vmcb))[1]
    vmcb = bytearray(good())
    vmcb[0x54a] |= 0x20  # CR4.SMAP
    assert "S07" in lint("--cpuinfo", path, data=bytes(vmcb))[1]
    assert lint("--cpuinfo", write("none", b"flags : fpu\n"), data=good())[0] == 3
    assert lint("--cpuinfo", write("none", b"\x00\xff" * 99), data=good())[0] == 3


@check
def facts_are_given():
    assert "W19" in lint("--given=if-clear", data=good())[1]
    assert "C14" in lint("-g", "no-paging", data=good())[1]
    assert lint("-g", "if-clear,debug-switched,nonsense", data=good())[0] == 3
    assert "V03" in lint("--vmcb-address=0x1008", data=good())[1]
    assert "V04" in lint("--hsave=0x1008", data=good())[1]
    assert lint("--hsave=-1", data=good())[0] == 3
    assert "V06" in lint("--vmcb-address=0x1000", "--hsave=0x1000", data=good())[1]
    iopm = write("iopm", b"\xff" * 0x3000)
    assert lint("--iopm", iopm, data=good())[0] == 0
    assert lint("--msrpm", iopm, data=good())[0] == 3
    assert "W08" in lint("--msrpm", write("msrpm", bytes(0x2000)), data=good())[1]


@check
def nested_tables_are_looked_up():
    tables = subprocess.run([BROKEN, "--memory", "nested_without_user"], capture_output=True,
                            check=True).stdout
    write("tables", tables)
    vmcb = broken("nested_without_user")
    assert "W29" in lint("--memory=tables@0x200000", data=vmcb)[1]
    assert lint(data=vmcb)[0] == 0
    # A root that the dump does not hold, and tables of another depth, are not guessed at.
    assert lint("--memory=tables", data=vmcb)[0] == 0
    assert lint("--memory=tables@0x201000", data=vmcb)[0] == 0
    assert lint("--memory=tables@0x200000", "-g", "legacy-host", data=vmcb)[0] == 0
    for wrong in ("nothing", "tables@", "tables@x", "@0"):
        assert lint("--memory=" + wrong, data=vmcb)[0] == 3, wrong
    # All of memory in one file, VMCB and tables, of more than is read at once.
    with open("ram", "wb") as file:
        file.seek(0x1af000)
        file.write(vmcb)
        file.seek(0x200000)
        file.write(tables)
        file.truncate(65 << 20)
    assert "W29" in lint("--memory=ram", "--at=0x1af000", "ram")[1]
    assert lint("--at=0x1af000", "ram")[:2] == (0, "ram: 0 errors, 0 warnings\n")
    assert lint("--at=0x40fffff", "ram")[0] == 3


@check
def rules_are_left_out():
    vmcb = broken("no_hlt_intercept")
    assert lint("--ignore=W02,W01", data=vmcb)[0] == 0
    assert lint("--ignore=W02", data=vmcb)[0] == 1
    assert lint("--errors-only", data=vmcb)[0] == 0
    for wrong in ("W0", "W99", "W01W02", "W01;W02", "hello"):
        assert lint("--ignore=" + wrong, data=vmcb)[0] == 3, wrong


@check
def instruction_bytes_are_shown():
    vmcb = bytearray(broken("interrupt_lost"))
    vmcb[0xd0:0xd4] = [3, 0x48, 0x89, 0x03]
    text = lint(data=bytes(vmcb))[1]
    assert "-: instruction bytes 48 89 03" in text, text
    if "disassembler" in lint("--version")[1]:
        assert "48 89 03  mov [rbx], rax" in text, text
    vmcb[0xd0] = 255
    assert "instruction bytes 48 89 03 00 00" in lint(data=bytes(vmcb))[1]
    vmcb[0xd1] = 0x06  # No instruction in 64-bit mode.
    assert lint(data=bytes(vmcb))[0] == 1
    assert json.loads(lint("--json", data=good())[1])[0]["instruction"] == ""


@check
def colour_is_asked_for():
    vmcb = broken("asid_zero")
    assert "\033" not in lint(data=vmcb)[1]
    assert "\033[31;1merror C02" in lint("--color=always", data=vmcb)[1]
    assert lint("--color=maybe", data=vmcb)[0] == 3


@check
def fields_are_printed():
    text = lint("--fields", data=good())[1]
    assert "4D0h  EFER                         1500h  LME, LMA, SVME\n" in text, text
    assert "reserved" not in text and "CR2" not in text
    assert "CR2" in lint("--fields=all", data=good())[1]


def verdict(data, *options):
    """Pairs of rule and field: found, and not judged."""
    [report] = json.loads(lint("--json", *options, data=data)[1])
    return ({(row["rule"], row["field"]) for row in report["findings"]},
            {(row["rule"], row["field"]) for row in report["not_judged"]})


@check
def the_log_of_kvm_gets_the_same_verdict_as_its_vmcb():
    rows = subprocess.run([BROKEN, "--list"], capture_output=True, check=True).stdout.decode("ascii")
    names = [row.split("\t")[0] for row in rows.splitlines()]
    assert len(names) >= 20, names
    judged = 0
    for name in names:
        vmcb = broken(name)
        whole, nothing = verdict(vmcb, "--given", "after-exit")
        found, unsure = verdict(kvm_log.text(vmcb))
        assert not nothing and not found & unsure, (name, found, unsure)
        assert found <= whole and whole - found <= unsure, (name, whole, found, unsure)
        judged += bool(found)
    assert judged >= 20, judged


@check
def what_the_log_of_kvm_lacks_is_said_to_be_unknown():
    status, text, complaint = lint(data=b"[  1.0] PCI: rip: 12\n" + kvm_log.text(broken("asid_zero")))
    assert status == 2 and not complaint and "error C02: the ASID is 0" in text, text
    [unknown] = [line for line in text.splitlines() if line.startswith("-: not known: ")]
    names = unknown[len("-: not known: "):].split("; ")
    assert "clean bits" in names and "intercept word 5" in names, names
    assert "exit code, bits FFFFFFFF00000000h" in names and "EFER" not in names, names
    assert "-: not judged C22 (clean bits): reserved bits" in text, text
    assert text.endswith("-: 1 error, 0 warnings, 4 not judged\n"), text
    [report] = json.loads(lint("--json", data=kvm_log.text(good()))[1])
    assert report["unknown"] == names, report
    assert {row["rule"] for row in report["not_judged"]} == {"C22", "S13"}, report


@check
def a_rule_whose_field_the_log_has_lost_is_not_judged():
    lost = b"".join(line for line in kvm_log.text(broken("asid_zero")).splitlines(True)
                    if b"asid:" not in line and b"efer:" not in line)
    found, unsure = verdict(lost)
    assert not found, found
    assert {("C02", "address space identifier"), ("S01", "EFER")} <= unsure, unsure
    assert "058h  address space identifier     not known\n" in lint("--fields=all", data=lost)[1]
    only_save = lost[lost.index(b"VMCB State"):]
    assert ("C01", "intercept word 4") in verdict(only_save)[1]


@check
def logs_of_kvm_may_have_anything_before_a_line():
    wanted = verdict(kvm_log.text(broken("no_svme")))
    for prefix in ("", "SVM: ", "kvm_amd: ", "Nov 26 12:03:14 host kernel: SVM: ", "<3>[1] T12 SVM:\t"):
        assert verdict(kvm_log.text(broken("no_svme"), prefix)) == wanted, prefix
    two = kvm_log.text(good()) + b"[ 1] other\r\n" + kvm_log.text(broken("no_svme"))
    first, second = json.loads(lint("--json", data=two)[1])
    assert (first["errors"], second["errors"]) == (0, 1)
    assert lint("-q", "--at", "0x1000", data=two)[1] == "-: 1 error, 0 warnings, 4 not judged\n"
    assert lint("--diff", data=two)[1] == "EFER (4D0h): 1500h -> 500h; cleared: SVME\n"


@check
def logs_of_other_kernels_are_read():
    vmcb = broken("asid_zero")
    log = kvm_log.text(vmcb).decode("ascii")
    words = "%08x %08x" % (kvm_log.number(vmcb, 0x0c, 4), kvm_log.number(vmcb, 0x10, 4))
    assert words in log
    wanted = verdict(log.encode("ascii"))
    for old, new in ((words, "%016x" % kvm_log.number(vmcb, 0x0c, 8)), ("virt_ext:", "lbr_ctl: "),
                     ("virt_ext:", "misc_ctl2:"), ("nested_ctl:", "misc_ctl:"),
                     ("vmpl: 0   cpl: ", "cpl:          ")):
        assert old in log and verdict(log.replace(old, new).encode("ascii")) == wanted, new
    found, unsure = verdict(log.replace(words, words + " 00000080").encode("ascii"))
    assert ("C22", "intercept word 5") in found and ("C22", "intercept word 5") not in unsure
    head = "int_ctl: "
    more = log.replace(head, "erap_ctl:           0\nallowed_sev_features:0000000000000000\n" + head)
    unknown = lint(data=more.encode("ascii"))[1].split("not known: ")[1].split("\n")[0]
    assert "allowed SEV bits" not in unknown and "return predictor control" not in unknown
    after = log + "sev_features 0000000000000000\nrax: 0000000000000001 rbx: 0000000000000002\n"
    assert verdict(after.encode("ascii")) == wanted
    whole = log.replace("exit_code:          ", "exit_code:          00000000")
    assert "exit code" not in lint(data=whole.encode("ascii"))[1].split("not known")[1]


@check
def numbers_in_a_log_that_do_not_fit_are_not_taken():
    log = kvm_log.text(broken("asid_zero")).decode("ascii")
    for old, new in (("asid:               0", "asid:               4294967296"),
                     ("asid:               0", "asid:               -2147483649"),
                     ("asid:               0", "asid:               0x1"),
                     ("asid:               0", "asid:"),
                     ("asid:               0", "asid:               99999999999999999999")):
        assert old in log
        found, unsure = verdict(log.replace(old, new).encode("ascii"))
        assert not found and ("C02", "address space identifier") in unsure, new
    cut = log.replace("l: ffffffff b: ", "l: 1ffffffff b: ")
    assert "es limit; es base" in lint(data=cut.encode("ascii"))[1]


@check
def two_processors_that_print_at_once_are_noticed():
    a, b = (kvm_log.text(vmcb).splitlines(True) for vmcb in (good(), broken("no_svme")))
    mixed = b"".join(line for pair in zip(a, b) for line in pair)
    status, text, complaint = lint(data=mixed)
    assert (status, text) == (3, "") and "two processors" in complaint, complaint
    write("log", kvm_log.text(good()))
    assert lint("--before", "log", data=good())[0] == 3


@check
def a_full_disk_is_noticed():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([LINT], input=good(), stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 3 and b"standard output" in done.stderr


def main():
    global LINT, BROKEN
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    LINT, BROKEN = (os.path.abspath(path) for path in sys.argv[1:])
    return folder_checks.run()


if __name__ == "__main__":
    sys.exit(main())
