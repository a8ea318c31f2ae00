# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Run a multiboot kernel in QEMU or Bochs and collect what it says on its serial line.

Neither emulator is asked for a verdict beyond "it ended": Bochs ends with status 1 whatever
happened, so the serial text decides, and QEMU's status is looked at as well.
"""

import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time

QEMU_SUCCESS = 33  # (0x10 << 1) | 1, what isa-debug-exit makes of the kernel's 0x10
QEMU_FAILURE = 35
QEMU_CRASH = 37

BOCHSRC = """\
plugin_ctrl: unmapped=1, biosdev=1, speaker=0, extfpuirq=1, parallel=0, serial=1, iodebug=0
config_interface: textconfig
display_library: rfb, options="timeout=0"
memory: guest={memory}, host={memory}
romimage: file=/usr/share/seabios/bios.bin
vgaromimage: file=/usr/share/seabios/vgabios-isavga.bin
cpu: model={cpu}, count=1, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=0
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path={iso}, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=serial.txt
log: bochs.log
panic: action=fatal, cpu0=report
error: action=ignore
info: action=ignore
debug: action=ignore
clock: sync=none, time0=0
"""

# Two that begin in the same moment may want the same port for their displays, and one of them ends.
BOCHS_STARTS = 5


class Result:
    """waited_for: what a dialog had not heard when it ended; None: it heard all."""

    def __init__(self, serial, status, seconds, timed_out, waited_for=None):
        self.serial = serial
        self.status = status
        self.seconds = seconds
        self.timed_out = timed_out
        self.waited_for = waited_for


def _wait(process, seconds):
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass


def _run(command, timeout, output, cwd=None, is_enough=None):
    """Run to the end or the time limit; ends the process group it started and nothing else.

    Where is_enough is given it is asked now and then, and ends the run too."""
    start = time.monotonic()
    timed_out = False
    # Meson fills fresh memory with noise to find bugs of ours; Bochs 2.7 has such bugs of its own.
    environment = {name: value for name, value in os.environ.items()
                   if name != "MALLOC_PERTURB_"}
    with open(output, "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, cwd=cwd, env=environment,
                                   start_new_session=True)
        try:
            while process.poll() is None and not (is_enough and is_enough()):
                left = start + timeout - time.monotonic()
                if left <= 0:
                    timed_out = True
                    break
                _wait(process, min(left, 0.5) if is_enough else left)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
    return process.returncode, time.monotonic() - start, timed_out


def _talk(command, timeout, serial, output, dialog):
    """Run with the serial line at our hands; dialog: pairs of what to wait for and what to type."""
    start = time.monotonic()
    heard, at, step, timed_out = b"", 0, 0, False
    with open(output, "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=log, start_new_session=True)
        try:
            while True:
                left = start + timeout - time.monotonic()
                if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                    timed_out = True
                    break
                piece = os.read(process.stdout.fileno(), 65536)
                if not piece:
                    break
                heard += piece
                while step < len(dialog):
                    match = re.compile(dialog[step][0].encode()).search(heard, at)
                    if not match:
                        break
                    at = match.end()
                    process.stdin.write(dialog[step][1].encode())
                    process.stdin.flush()
                    step += 1
        except BrokenPipeError:
            pass
        finally:
            if timed_out:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    with open(serial, "wb") as file:
        file.write(heard)
    waited_for = dialog[step][0] if step < len(dialog) else None
    return process.returncode, time.monotonic() - start, timed_out, waited_for


def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("latin-1").replace("\r\n", "\n")
    except FileNotFoundError:
        return ""


def run_qemu(kernel, log, cmdline="", modules=(), cpus=1, cpu="EPYC,+svm,+npt", memory=256,
             timeout=60, extra=(), dialog=None):
    """modules: pairs of a file and its text.  A comma in either would end it for QEMU."""
    serial = log + ".serial"
    if os.path.exists(serial):
        os.unlink(serial)
    command = ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", cpu, "-smp", str(cpus),
               "-m", str(memory), "-display", "none", "-monitor", "none", "-serial",
               "stdio" if dialog else "file:" + serial, "-no-reboot", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
               "-kernel", kernel, "-append", cmdline]
    if modules:
        for path, text in modules:
            if "," in path + text:
                raise ValueError("QEMU takes no comma in a module: " + path + " " + text)
        command += ["-initrd", ",".join(path + " " + text for path, text in modules)]
    command += list(extra)
    if dialog:
        end = _talk(command, timeout, serial, log + ".emulator", dialog)
    else:
        end = _run(command, timeout, log + ".emulator")
    # What was erased is not read either.
    text = re.sub(r"[^\n]*\r\x1b\[K", "", _read(serial))
    return Result(text, *end)


def run_bochs(kernel, log, make_iso, cmdline="", modules=(), cpu="ryzen", memory=256, timeout=120,
              until=None, stops=60):
    """until: a pattern after which there is nothing more to see; stops: of the debugger, at most."""
    directory = tempfile.mkdtemp(prefix="bochs-")
    try:
        iso = os.path.join(directory, "boot.iso")
        words = [make_iso, iso, kernel, cmdline]
        for path, text in modules:
            words += [path, text]
        subprocess.run(words, check=True)
        with open(os.path.join(directory, "bochsrc"), "w", encoding="ascii") as file:
            file.write(BOCHSRC.format(cpu=cpu, memory=memory, iso=iso))
        # Debian's Bochs has its debugger built in: it starts stopped, and stops at each panic
        # that is only reported, which a guest's triple fault is.
        with open(os.path.join(directory, "commands"), "w", encoding="ascii") as file:
            file.write("c\n" * stops + "quit\n")
        said = os.path.join(directory, "serial.txt")
        for _ in range(BOCHS_STARTS):
            status, seconds, timed_out = _run(
                ["bochs", "-q", "-f", "bochsrc", "-rc", "commands"], timeout, log + ".emulator",
                cwd=directory, is_enough=until and (lambda: re.search(until, _read(said), re.M)))
            if "RFB could not bind" not in _read(os.path.join(directory, "bochs.log")):
                break
        serial = _read(said)
        for name, suffix in (("serial.txt", ".serial"), ("bochs.log", ".bochs")):
            source = os.path.join(directory, name)
            if os.path.exists(source):
                shutil.copyfile(source, log + suffix)
        return Result(serial, status, seconds, timed_out)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
