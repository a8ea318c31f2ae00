# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What a Linux guest said, judged.  verdict-test has texts that must be refused."""

import calendar
import hashlib
import re
import time

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

# What a guest notices of an emulator that lost its processor to others.  One that counts instructions
# instead of looking at the clock loses nothing.
ALLOWED_IN_REAL_TIME = [
    r"hrtimer: interrupt took \d+ ns",
    r"clocksource: Long readout interval, skipping watchdog check: ",
]

# The date at which a machine starts whose guest tells the time; -rtc takes it.
START = "2031-02-03T04:05:06"

DRIFT_MAX = 0.050  # seconds
STRESSORS = ["cpu", "vm"]  # tests/linux/init starts these


def file_md5(blocks):
    block = (b"libsvm writes a file\n" * 50000)[:1000000]
    return hashlib.md5(block * blocks).hexdigest()


class Verdict:
    """Problems and remarks about the text of one boot."""

    def __init__(self, text):
        self.stamped = text
        # The others look at lines as they are without the word stamp=1.
        self.text = re.sub(r"^(linux\| )@[\d.]+ ", r"\1", text, flags=re.M)
        self.problems, self.remarks = [], []

    def ending(self, most=60):
        """What the host said of the guest's end, or the last lines if it said nothing."""
        lines = self.text.splitlines()
        ends = [n for n, line in enumerate(lines) if line.startswith("guest linux: ended:")]
        return lines[ends[0]:ends[0] + most] if ends else lines[-most // 4:]

    def want(self, good, problem):
        if not good:
            self.problems.append(problem)

    def find(self, pattern):
        return re.search(pattern, self.text, re.M)

    def machine(self, cpus=1):
        self.want(self.find(r"^linux\| guest: Linux 6\.\S+ x86_64$"), "no uname")
        self.want(self.find(rf"^linux\| guest: {cpus} processors$"), f"not {cpus} processors")

    def paravirt(self):
        """What a kernel with several processors says of KVM's interface when it uses it."""
        for what in ("KVM setup pv remote TLB flush", "PV spinlocks enabled", "setup PV IPIs"):
            self.want(self.find(rf"\] kvm-guest: {what}$"), f"no '{what}'")

    def memory(self, size):
        found = self.find(r"^linux\| guest: (\d+) KiB of memory$")
        whole = size >> 10
        # The kernel and its tables take some.
        self.want(found and whole * 0.94 - 45000 < int(found[1]) < whole,
                  f"{found[1] if found else 'no'} KiB of memory of {whole}")
        blocks = 16 if found and int(found[1]) <= 200000 else 64
        self.want(f"guest: {blocks} blocks, checksum {file_md5(blocks)}" in self.text,
                  "the file is not what was written")

    def warnings(self, is_counted=False):
        """is_counted: the clock of the machine counts instructions."""
        allowed = ALLOWED + ([] if is_counted else ALLOWED_IN_REAL_TIME)
        part = re.search(r"guest: dmesg begins$(.*?)guest: dmesg ends$", self.text, re.M | re.S)
        self.want(part, "no dmesg")
        for line in part[1].splitlines() if part else []:
            found = re.match(r"linux\| guest: dmesg: \[ *[\d.]+\] (.*)", line)
            if found and not any(re.search(p, found[1]) for p in allowed):
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

    def stress(self, seconds, cpus=1):
        """stress-ng says no more of a test that passed than how often it did."""
        self.want(self.find(rf"guest: stress-ng: info: .* dispatching hogs: {cpus} cpu, {cpus} vm$"),
                  f"not {cpus} of each stressor")
        self.want(self.find(r"^linux\| guest: stress-ng ended with status 0$"),
                  "stress-ng did not end with status 0")
        self.want(self.find(r"guest: stress-ng: info: .* successful run completed in "),
                  "no successful run of stress-ng")
        for bad in re.findall(r"guest: (stress-ng: (?:fail|error|warn): .*)", self.text):
            self.problems.append(bad)
        for name in STRESSORS:
            row = self.find(rf"guest: stress-ng: metrc: \[\d+\] {name} +(\d+) +([\d.]+) ")
            self.want(row and int(row[1]) > 0 and float(row[2]) >= seconds,
                      f"stress-ng's {name} did nothing, or not for {seconds} s")
            if row:
                self.remarks.append(f"{name}: {row[1]} operations in {row[2]} s")

    def hotplug(self, cycles, cpus):
        """Each processor but the first was away so often, and all are there in the end."""
        self.want(self.find(rf"^linux\| guest: hotplug: {cycles} cycles of {cpus - 1} processors$"),
                  f"not {cycles} cycles of taking processors away")
        self.want(self.find(rf"^linux\| guest: hotplug: {cpus} processors afterwards$"),
                  f"not {cpus} processors after they were away")

    def drift(self, seconds, clock):
        """The guest's clocks against the host's; in the end one that is wrong on purpose."""
        self.want(self.find(rf"^linux\| guest: this was {clock}$"), f"not by {clock}")
        parts = re.split(r"^.*guest: a tenth too fast from here on$", self.stamped, flags=re.M)
        self.want(len(parts) == 2, "the clock was not made too fast")
        if len(parts) != 2:
            return
        times, fast = (times_of(part) for part in parts)
        self.want(len(times) == seconds + 1, f"{len(times)} times, not {seconds + 1}")
        self.want(times and times[-1][0] - times[0][0] > seconds - DRIFT_MAX,
                  f"not {seconds} s of the host's")
        self.want(len(fast) == 3, f"{len(fast)} times of the fast clock, not 3")
        for number, name in enumerate(["CLOCK_MONOTONIC", "CLOCK_REALTIME"], 1):
            worst = worst_drift(times, number)
            self.want(worst < DRIFT_MAX, f"{name} is off by {worst * 1000:.3f} ms")
            self.want(worst_drift(fast, number) > DRIFT_MAX, f"{name} cannot be made wrong")
        self.remarks.append(f"off by {worst_drift(times, 1) * 1000:.3f} ms in {seconds} s")
        if times:
            self.date(*times[0])

    def date(self, host, _, realtime):
        """The real-time clock has whole seconds, and the port starts within the first ones."""
        start = calendar.timegm(time.strptime(START, "%Y-%m-%dT%H:%M:%S"))
        self.want(-1 < realtime - start - host < 3,
                  f"the date is {realtime - start - host:.1f} s away from the machine's")


def times_of(text):
    """Triples: the host's time, the guest's two."""
    return [tuple(float(word) for word in found) for found in re.findall(
        r"^linux\| @(\d+\.\d{9}) guest: time (\d+\.\d{9}) (\d+\.\d{9})$", text, re.M)]


def worst_drift(times, number):
    """Of a clock of the guest against the host's, in any interval from the first time on."""
    return max((abs((t[number] - times[0][number]) - (t[0] - times[0][0])) for t in times),
               default=0)
