#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What svm-trace makes of dumps: binary, text, hexadecimal, a log of QEMU, and damaged ones.

usage: trace_test.py SVM-TRACE
"""

import json
import os
import struct
import subprocess
import sys
import xml.dom.minidom

sys.dont_write_bytecode = True

import folder_checks  # noqa: E402
from folder_checks import check  # noqa: E402

TRACE = None

IOIO, CPUID, NPF, HLT, SHUTDOWN, INTR = 0x7b, 0x72, 0x400, 0x78, 0x7f, 0x60
MHZ = 1000000
VALID = 0x80000000
KIND_IO = 1


def header(count, vcpu=0, recorded=None, size=64, record=64):
    return struct.pack("<8sIIIIIIQQ", b"svm-rec\0", 1, size, record, vcpu, 64, count,
                       count if recorded is None else recorded, MHZ).ljust(size, b"\0")


def record(number, code, rip=0x1000, info1=0, info2=0, intinfo=0, event=0, kind=0, advanced=1,
           tsc=None):
    return struct.pack("<QQIBBBBQQQQQ", number, 1000 + number * 10 if tsc is None else tsc, code,
                       advanced, kind, event != 0, intinfo != 0, rip, info1, info2, intinfo, event)


def dump(records, vcpu=0):
    return header(len(records), vcpu) + b"".join(records)


SMALL = dump([
    record(0, CPUID, 0x1000),
    record(1, IOIO, 0x1002, 0x03f80010, 0x1003, kind=KIND_IO),
    record(2, NPF, 0x1003, 1 << 32 | 6, 0xfee00300, intinfo=VALID | 0x30, advanced=0,
           event=VALID | 0x30),
    record(3, 0x4d, 0x1010, 0x10, event=VALID | 0x30d | 0x800, advanced=0),
])


def hexed(data):
    """As a console shows it, with other lines in between."""
    lines = ["booting"]
    for at in range(0, len(data), 64):
        lines.append("[ 1.%02d] guest| svm-hex " % (at % 99) + data[at:at + 64].hex().upper())
        lines.append("hello")
    return "\r\n".join(lines).encode("ascii")


def trace(*options, data=b""):
    done = subprocess.run([TRACE, *options], input=data, capture_output=True, check=False)
    return done.returncode, done.stdout.decode("ascii"), done.stderr.decode("ascii")


@check
def a_line_says_what_happened():
    status, text, complaint = trace(data=SMALL)
    assert status == 0 and complaint == "", (status, complaint)
    lines = text.splitlines()
    assert lines[0] == "vcpu 0: 4 exits of 4, a clock of 1.000 MHz", lines[0]
    assert lines[1].split() == ["number", "us", "exit", "RIP", "what"]
    assert lines[2].split() == ["0", "0.00", "CPUID", "0000000000001000h"]
    assert lines[3].endswith("OUT 8 bits to port 3F8h; came back as IO"), lines[3]
    assert lines[4].endswith("write of guest-physical FEE00300h, not mapped; "
                             "cut short: interrupt 30h; injected: interrupt 30h"), lines[4]
    assert "#GP" in lines[5] and lines[5].endswith("error code 10h; injected: #GP"), lines[5]


@check
def every_form_is_the_same():
    expected = trace(data=SMALL)
    assert trace(data=hexed(SMALL)) == expected
    raw = trace("--raw", data=SMALL)[1]
    assert raw.startswith("svm-recorder version=1 vcpu=0 capacity=64 count=4 recorded=4 tsc_hz=")
    assert trace(data=raw.encode("ascii")) == expected
    noisy = "".join("<6>[  12.5] " + line + " future=1\n\0\xff\n" for line in raw.splitlines())
    assert trace(data=noisy.encode("latin-1")) == expected
    assert trace("--raw", data=raw.encode("ascii"))[1] == raw


@check
def later_versions_may_be_longer():
    records = [record(i, CPUID) for i in range(3)]
    data = header(3, size=80, record=72) + b"".join(r + b"newfield" for r in records)
    assert trace(data=data)[1] == trace(data=dump(records))[1]


@check
def several_dumps_are_told_apart():
    data = dump([record(i, CPUID) for i in range(3)]) + dump([record(9, HLT)], vcpu=1)
    text = trace(data=data)[1]
    assert "vcpu 0: 3 exits" in text and "vcpu 1: 1 exits" in text
    assert trace(data=hexed(data))[1] == text
    assert "HLT" in trace("--vcpu=1", data=data)[1]
    assert "CPUID" not in trace("--vcpu=1", data=data)[1]
    assert trace("--vcpu=2", data=data) == (1, "", "")


@check
def equal_exits_are_counted():
    text = trace(data=dump([record(i, CPUID) for i in range(40)]))[1]
    assert len(text.splitlines()) == 4 and "and 39 more of the same" in text, text


@check
def filters_choose():
    def exits(*options):
        lines = trace(*options, data=SMALL)[1].splitlines()[2:]
        return [line.split()[2] for line in lines]
    assert exits("--exit=IOIO") == ["IOIO"]
    assert exits("-x", "ioio,72h,#gp") == ["CPUID", "IOIO", "#GP"]
    assert exits("--exit=0x400") == ["NPF"]
    assert exits("--exit=EXCEPTION_GP") == ["#GP"]
    assert exits("--rip=1002") == ["IOIO"]
    assert exits("--rip=0x1002-1003") == ["IOIO", "NPF"]
    assert exits("--returned") == ["IOIO"]
    assert exits("--events") == ["NPF", "#GP"]
    assert exits("--last=2") == ["NPF", "#GP"]
    for wrong in ("--rip=xyz", "--rip=2-1", "--rip=", "--exit=", "--exit=,", "--vcpu=x", "--last=-1",
                  "--color=red", "--nonsense"):
        assert trace(wrong, data=SMALL)[0] == 3, wrong


@check
def a_summary_counts_and_warns():
    text = trace("--summary", data=SMALL)[1]
    assert text.startswith("4 exits\n"), text
    row = [line for line in text.splitlines() if line.startswith("IOIO")][0].split()
    assert row == ["IOIO", "1", "25.0", "1", "1", "10", "10"], row
    stuck = [record(0, CPUID)] + [record(i, CPUID, 0x2000, advanced=0) for i in range(1, 30)]
    text = trace("-s", data=dump(stuck))[1]
    assert ("vcpu 0: the last 29 exits are CPUID at 2000h: its handler does not move RIP past the "
            "instruction") in text, text
    assert "0000000000002000h        29" in text
    for apart, says in ((10, "the host does not take the interrupt"), (4000, "the guest loops there")):
        text = trace("-s", data=dump([record(i, INTR, tsc=i * apart) for i in range(20)]))[1]
        assert "vcpu 0: the last 20 exits are INTR at 1000h: " + says in text, text
    text = trace("-s", data=dump([record(0, SHUTDOWN, 0x7c00)]))[1]
    assert "triple fault at 7C00h" in text
    text = trace("-s", data=dump([record(0, 0xffffffff)]))[1]
    assert "INVALID" in text and "svm-lint" in text
    lost = [record(0, NPF, intinfo=VALID | 0x30), record(1, HLT)]
    assert "exit 0 cut short interrupt 30h, and nothing was injected" in \
        trace("-s", data=dump(lost))[1]


@check
def perfetto_is_json():
    data = SMALL + dump([record(5, HLT)], vcpu=1)
    assert trace("--perfetto=out.json", data=data) == (0, "", "")
    with open("out.json", encoding="ascii") as file:
        events = json.load(file)["traceEvents"]
    slices = [e for e in events if e["ph"] == "X"]
    assert [e["name"] for e in slices] == ["CPUID", "IOIO", "NPF", "#GP", "HLT"]
    assert slices[1]["ts"] == 10 and slices[1]["dur"] == 10
    assert slices[1]["args"]["came_back_as"] == "IO" and slices[1]["args"]["rip"] == "0x1002"
    assert slices[2]["args"]["cut_short"] == "interrupt 30h"
    assert slices[4]["tid"] == 1
    names = {e["args"]["name"] for e in events if e["ph"] == "M"}
    assert names == {"guest", "vcpu 0", "vcpu 1"}


def slices_by_thread(events):
    threads = {}
    for event in events:
        if event["ph"] == "X":
            threads.setdefault((event["pid"], event["tid"]), []).append(event)
    return threads


@check
def slices_of_a_thread_do_not_overlap():
    """Each of two guests has a vCPU 0; a trace is of the form that its readers expect."""
    other = dump([record(7, HLT, tsc=1005), record(8, CPUID, tsc=1012), record(9, HLT, tsc=1100)])
    assert trace("--perfetto=out.json", data=SMALL + other + dump([record(0, HLT)], vcpu=1))[0] == 0
    with open("out.json", encoding="ascii") as file:
        events = json.load(file)["traceEvents"]
    threads = slices_by_thread(events)
    assert {key: len(slices) for key, slices in threads.items()} == {(1, 0): 4, (2, 0): 3, (1, 1): 1}
    for slices in threads.values():
        for a, b in zip(slices, slices[1:]):
            assert a["ts"] + a["dur"] <= b["ts"] + 0.001, (a, b)
    named = {(e["pid"], e.get("tid")): e["args"]["name"] for e in events if e["ph"] == "M"}
    assert named == {(1, None): "guest", (1, 0): "vcpu 0", (2, None): "guest 2", (2, 0): "vcpu 0",
                     (1, 1): "vcpu 1"}, named
    for event in events:
        assert event["ph"] in "MX" and isinstance(event["pid"], int), event
        assert event["name"] in ("process_name", "thread_name") or event["cat"] == "exit", event


@check
def a_picture_is_xml():
    many = dump([record(i, code % 0x90) for i, code in enumerate(range(300))])
    for data in (SMALL, many):
        assert trace("-g", "out.svg", data=data) == (0, "", "")
        svg = xml.dom.minidom.parse("out.svg")
        bars = [r for r in svg.getElementsByTagName("rect") if r.getElementsByTagName("title")]
        assert len(bars) == (len(data) - 64) // 64
        assert all(0 <= float(r.getAttribute("x")) <= 1281 for r in bars)


@check
def qemus_log_is_read():
    log = (b"IN: \n0x0000:  0f a2  cpuid\n\nvmrun! 00000000001af000\n"
           b"vmexit(00000081, 0000000000000000, 0000000000000001, 0000000000005000)!\n"
           b"vmrun! 00000000001af000\n"
           b"vmexit(ffffffff, 0000000000000000, 0000000000000000, 0000000000005003)!\n")
    status, text, _ = trace(data=log)
    lines = text.splitlines()[2:]
    assert status == 0 and [line.split()[2] for line in lines] == ["VMMCALL", "INVALID"], text
    assert trace("--svg=x.svg", "--perfetto=x.json", data=log)[0] == 0
    assert json.load(open("x.json", encoding="ascii"))["traceEvents"][2]["ts"] == 0


@check
def damage_is_told():
    for data in (b"", b"hello\n", b"svm-rec", b"svm-rec\0" + bytes(30), b"svm-record n=x\n",
                 b"svm-recorder count=zz\n", header(1, size=32), header(1, record=8),
                 header(1, size=5000), SMALL + b"more"):
        assert trace(data=data)[0] == 3, data[:20]
    assert trace("/nonexistent")[0] == 3
    assert trace("--perfetto=/nonexistent/x", data=SMALL)[0] == 3
    with open("/dev/full", "wb") as full:
        done = subprocess.run([TRACE], input=SMALL, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 3


@check
def what_was_cut_off_is_said():
    text = trace(data=SMALL[:64 + 64 + 30])[1]
    assert "vcpu 0: 1 exits of 4" in text and "; 3 more were announced and are missing" in text, text
    text = trace(data=header(0xffffffff) + record(0, HLT))[1]
    assert "; 4294967294 more were announced" in text


@check
def strange_numbers_do_no_harm():
    ones = 2 ** 64 - 1
    strange = [record(ones, 0x12345678, ones, ones, ones, ones, ones, 255, 255, ones),
               record(0, NPF, 0, ones, ones, VALID | 0x7ff, VALID | 0x7ff, 30, 0, 0)]
    data = dump(strange, vcpu=0xffffffff)
    assert trace("-l", "-s", "-r", "-p", "p", "-g", "s", data=data)[0] == 0
    json.load(open("p", encoding="ascii"))
    xml.dom.minidom.parse("s")
    assert "code 12345678h" in trace(data=data)[1]


def main():
    global TRACE
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    TRACE = os.path.abspath(sys.argv[1])
    return folder_checks.run()


if __name__ == "__main__":
    sys.exit(main())
