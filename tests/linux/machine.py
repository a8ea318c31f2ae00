# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The emulated machine that runs the bare-metal image with a guest, and where its files are."""

import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
IMAGE = os.path.join(ROOT, "build/ports/baremetal/libsvm-baremetal.elf")
GUESTS = os.path.join(ROOT, "build-guests")

SUCCESS = 33  # What the port's power-off makes of QEMU's status when all was well.

# More for the command: the clock of guest and host counts instructions.  Without it a guest finds
# each access to a port so slow, and so unevenly, that it gives up measuring its clock by timers.
EXACT_TIME = ["-icount", "shift=0,sleep=off"]

# Debian's, and the one of its backports, which is unpacked and not installed.  That one says in the
# log that modules of the other do not fit; it needs none.
EMULATORS = ["qemu", "qemu10"]

# By the clock a run may take so many times its limit, which is in processor time of the emulator: on
# a busy machine that is no longer than on an idle one.
PATIENCE = 5


def bytes_of(text):
    return int(text[:-1]) << {"M": 20, "G": 30}[text[-1]]


def single(pattern, path):
    names = [n for n in os.listdir(path) if n.startswith(pattern)]
    if not names:
        sys.exit(f"nothing in {path}: scripts/test linux fetches it")
    return os.path.join(path, names[0])


def program(emulator):
    if emulator == "qemu":
        return ["qemu-system-x86_64"]
    files = os.path.join(GUESTS, emulator)
    return [os.path.join(files, "usr/bin/qemu-system-x86_64"),
            "-L", os.path.join(files, "usr/share/qemu"),
            "-L", os.path.join(files, "usr/share/seabios")]


def command(memory, modules, emulator="qemu", words=""):
    """QEMU's, for a guest with so many bytes; the modules are read where it is started."""
    return program(emulator) + [
        "-machine", "q35,accel=tcg", "-cpu", "EPYC,+svm,+npt", "-m", str((memory >> 20) + 256),
        "-nic", "none", "-display", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot",
        "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
        "-kernel", IMAGE, "-append", f"run=guests explain=full {words}",
        "-initrd", ",".join(["guests.conf config", *modules])]


# QEMU breaks guests on the first of several processors (docs/differences.md): that one is the host's.
def processors(hosts):
    """QEMU's words for so many of the host's processors that have guests."""
    return ["-smp", str(hosts + 1 if hosts > 1 else 1)]


def guests_on(hosts):
    """Which ones those are, for a guest's configuration."""
    return f"1-{hosts}" if hosts > 1 else "all"


class Limit:
    """Of a process."""

    def __init__(self, pid, seconds):
        self.stat, self.seconds, self.start = f"/proc/{pid}/stat", seconds, time.monotonic()

    def is_over(self):
        return (self.processor_time() > self.seconds or
                time.monotonic() - self.start > self.seconds * PATIENCE)

    def processor_time(self):
        with open(self.stat, encoding="latin-1") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(argv, folder, seconds):
    """What an emulator says there, and its status: None if it was ended, since the time was over."""
    with tempfile.TemporaryFile() as said, subprocess.Popen(
            argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=said,
            stderr=subprocess.STDOUT) as process:
        try:
            status = wait(process, Limit(process.pid, seconds))
        finally:
            process.kill()
        said.seek(0)
        return said.read().decode("latin-1").replace("\r", ""), status


def wait(process, limit):
    while not limit.is_over():
        try:
            return process.wait(0.2)
        except subprocess.TimeoutExpired:
            pass
    return None
