# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What is booted, on which processor, and what must be said.

A case is one boot.  Its guests come from GUESTS, each with the line that must end it; what an
emulator does differently is in QUIRKS and nowhere else, so that a new version of one shows up as
a row to delete.
"""

import json
import re

import attacks

# name: (module text, line that must appear as "guest NAME: ...", other lines that must appear)
GUESTS = {
    "hello": ("", r"ended: exit: status 7",
              [r"hello\| hello from a multiboot guest, loaded by libsvm"]),
    "triple_fault": ("", r"ended: triple-fault: ", []),
    "halt": ("", r"ended: halted: ", []),
    "unmapped": ("", r"ended: unmapped: touched guest-physical 40000000", []),
    "spin": ("", r"ended: spin: interrupts off and no exit for \d+ ms", []),
    "terminal": ("", r"ended: exit: status 0",
                 [r"terminal\| \?\[2Jescape", r"terminal\| x{100,}", r"terminal\| end of noise"]),
    "real_mode": ("mode=real", r"ended: exit: status 0", [r"real_mode\| hello from real mode"]),
    "hostile_state": ("", r"ended: exit: status 0", [r"hostile_state\| hostile state survived"]),
}
# Speaks until the monitor ends it.
GUESTS["chatter"] = ("limit=60000", r"ended: stopped: by the monitor",
                     [r"chatter\| \?\[32mline 00000001"])
COSTS = ["out-inside", "out-embedder", "cpuid", "vmmcall-unknown", "rdmsr", "wbinvd", "first-touch",
         "first-touch-large"]
GUESTS["exit_costs"] = ("lazy=1 mem=48M", r"ended: exit: status 0",
                        [r"exit_costs\| cost " + _name + r" \d+$" for _name in COSTS])
FAMILIES = """
    mov moffs page-crossing movx movbe add or adc sbb and sub xor cmp test inc dec neg not mul div
    xchg cmpxchg cmpxchg8b xadd bt bts btr btc scan rol ror rcl rcr shl shr sar shld shrd setcc
    cmov push pop segments tables branch movs stos lods cmps scas sse mmx movnti hints
""".split()
# What the emulator does to device memory, against what the processor does to RAM.
GUESTS["mmio"] = ("device=mmio", r"ended: exit: status 0",
                  [r"mmio\| mmio outsb ok", r"mmio\| mmio insb ok"] * 2 +
                  [r"mmio\| mmio " + _name + " ok" for _name in FAMILIES])
FAMILIES_LONG = """
    mov moffs rip-relative movx add or adc sbb and sub xor cmp test unary mul div xchg cmpxchg
    cmpxchg8b cmpxchg16b bt bts btr btc scan shifts conditions stack branch strings sse mmx movnti
""".split()
GUESTS["mmio_long"] = ("device=mmio", r"ended: exit: status 0",
                       [r"mmio_long\| mmio " + _name + " ok" for _name in FAMILIES_LONG])
GUESTS["task_switch"] = ("", r"ended: exit: status 0", [r"task_switch\| task_switch all ok"])
# Any end will do; only that it ends, and the host with it does not.
GUESTS["noise"] = ("forgive=1 limit=300", r"ended: ", [r"noise\| noise begins"])
for _name in ("vmrun", "vmload", "vmsave", "stgi", "clgi", "skinit", "invlpga"):
    _tried = r"guest " + _name + r"(_handled)?: executed " + _name.upper() + r", .*: #UD"
    GUESTS[_name] = ("", r"ended: triple-fault: ", [_name + r"\| about to execute " + _name, _tried])
    # #UD, as on a processor whose EFER.SVME is 0: the guest's copy of it is.
    GUESTS[_name + "_handled"] = ("", r"ended: exit: status 3",
                                  [_tried, _name + r"_handled\| exception 00000006"])

FORBIDDEN = [name for name in GUESTS if name.split("_")[0] in
             ("vmrun", "vmload", "vmsave", "stgi", "clgi", "skinit", "invlpga")]

# Guests that a processor cannot run as it should: emulator -> guest -> why.
QUIRKS = {
    "qemu": {},
    "bochs": {
        "spin": "V_INTR_MASKING does not use the host's IF: with IF = 0 a guest is not preempted",
    },
}

WELL = r"libsvm bare metal: all well"
LADDER = r"ladder on cpu {cpu}: \d+ passed, 0 failed"
DEVICE_WAS_USED = [r"guest %s: device memory: \d{4,} reads, \d{4,} writes" % _name
                   for _name in ("mmio", "mmio_long")]
NEVER = [r"host exception", r"host failed", r"FAIL", r"found itself inconsistent",
         r"not given back"]


class Case:
    def __init__(self, emulator, cmdline="", guests=(), lies=False, cpus=1, cpu=None, memory=256,
                 status=33, wanted=(), never=None, options=(), timeout=120, texts=None,
                 parallel=False, dialog=None, config=None, files=(), fair=(), attack=None,
                 is_long=False):
        self.emulator = emulator
        self.cmdline = cmdline
        self.guests = [g for g in guests if g not in QUIRKS[emulator]]
        self.lies = lies
        self.cpus = cpus
        self.cpu = cpu
        self.memory = memory
        self.status = status
        self.wanted = list(wanted)
        self.never = NEVER if never is None else list(never)
        self.options = list(options)
        self.timeout = timeout
        self.texts = texts or {}
        self.parallel = parallel
        self.dialog = dialog
        self.config = config
        self.files = list(files)
        self.fair = list(fair)
        self.attack = attack
        self.is_long = is_long  # for scripts/soak only

    def has_own_time(self):
        """Made of instructions, so that another test beside it changes nothing."""
        return self.emulator == "bochs" or "-icount" in self.options


def _ladder(cpus):
    return [LADDER.format(cpu=cpu) for cpu in range(cpus)]


# What is waited for on the terminal, and what is typed then.
KEY = "\x1d"
PROMPT = r"libsvm> "
MONITOR = [
    (r"chatter\| \?\[32mline 00000002", KEY),
    (PROMPT, "help\r"),
    (r"power-off +end the machine at once[\s\S]*?" + PROMPT, "lsit\r"),
    (r"did you mean 'list'\?[\s\S]*?" + PROMPT, "list\r"),
    (r"  chatter +RUNNING +1 [\s\S]*?" + PROMPT, "attach chatter\r"),
    # Attached: its lines come as they are.
    (r"\[attached to chatter; Ctrl-\] opens the monitor\][\s\S]*?\n\x1b\[32mline", KEY),
    (PROMPT, "stats chatter\r"),
    (r"  0  HOST_INTERRUPT +port +\d+ +\d+ +\d+\s[\s\S]*?" + PROMPT, "stop chatter\r"),
    (r"guest chatter: ended: stopped[\s\S]*?STOPPED\s[\s\S]*?" + PROMPT, "destroy chatter\r"),
    (r"guest chatter: ABSENT\s[\s\S]*?" + PROMPT, "\r"),
]

# Guests by configuration: all that can be wrong with one, and that the others start.
CONFIG = """\
guest wrong-key
  kernel = hello.elf
  memroy = 4M
guest wrong-module
  kernel = helo.elf
guest too-large
  kernel = hello.elf
  memory = 4G
guest good
  kernel = hello.elf
  memory = 16M
  console = attach
guest silent
  kernel = hello.elf
  memory = 16M
  console = off
guest prefixed
  kernel = hello.elf
  memory = 16M
"""
CONFIG_SAYS = [
    r"configuration: line 3, column 3: no key 'memroy'; did you mean 'memory'\?",
    r"configuration: line 5, column 12: expected the name of a module, not 'helo.elf'; did you",
    r"configuration: line 8, column 12: expected at most \d+M",
    r"configuration: guests that can start: 3",
    r"\[attached to good; [\s\S]*?\nhello from a multiboot guest, loaded by",
    r"guest good: ended: exit: status 7",
    r"guest silent: ended: exit: status 7",
    r"prefixed\| hello from a multiboot guest, loaded by",
    r"guest prefixed: ended: exit: status 7",
]
ECHO = """\
guest echo
kernel = echo.elf
memory = 16M
limit = 60s
guest other
kernel = chatter.elf
memory = 16M
limit = 60s
"""
TYPING = [
    (r"echo\| echo begins[\s\S]*?other\| .*line|other\| .*line[\s\S]*?echo\| echo begins", KEY),
    (PROMPT, "attach echo\r"),
    (r"\[attached to echo; ", "abc"),
    (r"\[a\]\[b\]\[c\]", KEY),
    (PROMPT, KEY),
    (r"\[attached to echo; [\s\S]*?\[\]\]", KEY),
    (PROMPT, "destroy other\r\r"),
    (r"\[attached to echo; ", "q"),
]

def _commands(rows, first):
    """A dialog: each command is typed when the answer to the one before it is there."""
    steps, before = [], first
    for command, answer in rows:
        steps.append((before + (r"[\s\S]*?" + PROMPT if steps else ""), command + "\r"))
        before = answer.replace(r"\n", r"\r?\n")  # as a terminal wants it
    return [(first.replace(r"\n", r"\r?\n"), KEY), (PROMPT, steps[0][1])] + steps[1:] + [(before, "")]


def _talkers(names, more=""):
    return "".join("guest %s\nkernel = chatter.elf\nmemory = 4M\n%s" % (name, more)
                   for name in names)


# The whole life of one guest beside another that just goes on.
LIFE = _commands([
    ("vm pause one", r"guest one: PAUSED\n"),
    ("pause one", r"guest one is PAUSED: no pause; there are resume, reset, stop, destroy\n"),
    ("vcpu regs one 0", r"\n  state +RUNNABLE\n  rip +0000000000\w+\n[\s\S]*?\n  idtr "),
    ("vm resume one", r"guest one: RUNNING\n[\s\S]*?one\| "),
    ("vcpu regs one 0 -j", r'\n\{"state":"RUNNABLE","rip":"0x00000000001\w+",'),
    ("vm reset one", r"guest one: starts: [\s\S]*?one\| \?\[32mline 00000001"),
    ("vm stop one", r"guest one: ended: stopped: by the monitor\n[\s\S]*?guest one: STOPPED\n"),
    ("vm show one", r"\n  note +ended: stopped: by the monitor\n  library_state +STOPPED\n"),
    ("vcpu explain one 0", r"no exit of its own has ended a run yet; trace has those that did not"),
    ("vm start one", r"guest one: RUNNING\n[\s\S]*?one\| \?\[32mline 00000001"),
    ("vm destroy one", r"guest one: ABSENT\n"),
    ("vm stop one", r"guest one is ABSENT: no stop; there are create, start\n"),
    ("vm create one", r"guest one: CREATED\n"),
    ("vm list", r"\n  one +CREATED +1 +4 +0\n  two +RUNNING +1 +4 +\d+\n"),
    ("vm start one", r"guest one: RUNNING\n"),
    ("vm create three kernel=chatter.elf memory=5M", r"memory=5M: expected a multiple of 2M"),
    ("vm create three kernel=chatter.elf guest=x", r"expected KEY=VALUE of one guest, not 'guest=x'"),
    ("vm create three kernel=chatter.elf memory=6M console=off", r"guest three: CREATED\n"),
    ("vm start three -j", r'\n\{"name":"three","state":"RUNNING"\}\n'),
    ("vm list -j", r'"name":"three","state":"RUNNING","cpus":1,"memory_mib":6,'),
    ("mem", r"\n  guest  three +1536 +6\n"),
    ("vcpu list -j", r'"vm":"three","vcpu":0,"state":"'),
    ("stats two", r"\n +0  IOIO +library +\d+ +\d+ +\d+\n[\s\S]*\n +0  HOST_INTERRUPT +port +\d+ +\d+ +\d+\n"),
    ("trace two 0 -j", r'"code":"IOIO","rip":"0x\w+","info1":"0x\w+","info2":"0x\w+","kind":"'),
    ("trace -d two 0", r"\nsvm-recorder version=1 vcpu=0 capacity=64 count=\d+ recorded=\d+ tsc_hz=\d+"
                       r"\nsvm-record n=\d+ tsc=\w+ code=\w+ name=\w+ rip="),
    ("stats -f two", r"(\n  HOST_INTERRUPT +\d+ +\d+\n[\s\S]*?){2}"),
], r"one\| .*line 00000002")
# Any key ends what is printed each second.
LIFE += [("", "x"), (PROMPT, "quit\r")]

# What configured guests do when they end, and that one that ends at once does not take all.
ACTIONS = """\
guest again
kernel = triple_fault.elf
memory = 4M
on_crash = restart
guest kept
kernel = triple_fault.elf
memory = 4M
on_crash = keep
guest reboots
kernel = reboot.elf
memory = 4M
on_reset = keep
guest once
kernel = hello.elf
memory = 4M
on_crash = restart
on_reset = restart
"""
ACTING = _commands([
    ("vm list", r"\n  again +ABSENT.* restarts in \d s\n  kept +STOPPED .* ended: triple-fault: "
                r".*\n  reboots +STOPPED .*ended: reset: .*\n  once +ABSENT"),
    ("vcpu explain kept 0", r"\n  .*SHUTDOWN"),
    ("vcpu explain -f kept 0", r"\n  SHUTDOWN[\s\S]*\n  cr0 +\w+h: PE ET[\s\S]*\n  nested walk of guest-physical \w+h\n"
                               r"[\s\S]*\n  audit +\d+ findings?\n"),
    ("destroy kept", r"kept: ABSENT\n"),
    ("vm start reboots", r"guest reboots: ended: reset: "),
    ("destroy reboots", r"reboots: ABSENT\n"),
    ("", r"guest again: restarts in 4 s\n"),
], r"guest again: restarts in 0 s\n[\s\S]*?guest again: restarts in 1 s\n[\s\S]*?"
   r"guest again: restarts in 2 s\n")
ACTING += [("", KEY), (PROMPT, "vm destroy again\r"), (r"again: ABSENT\s[\s\S]*?" + PROMPT, "\r")]

CYCLES = _commands([
    ("vm cycle one %d", r"guest one: %d cycles in \d+ ms, (\d+) frames free before and \1 after\n"),
    ("vm list", r"\n  one +ABSENT[\s\S]*?\n  two +RUNNING "),
], r"two\| .*line 00000002")


CYCLED = """\
guest one
kernel = hello.elf
memory = 4M
""" + _talkers(["two"])


def _cycles(count):
    return [(heard % count if "%d" in heard else heard, typed % count if "%d" in typed else typed)
            for heard, typed in CYCLES] + [(PROMPT, "quit\r")]


# Processors that come and go under guests that run.
def _comings(count):
    return _commands(
        [line for number in range(count) for line in
         [("cpu offline %d" % (number % 3), r"cpu %d: OFFLINE\n" % (number % 3)),
          ("cpu online %d" % (number % 3), r"cpu %d: ONLINE\n" % (number % 3))]] +
        [("cpu offline 3", r"cpu 3: there is no such processor\n"),
         ("cpu offline 0", r"cpu 0: OFFLINE\n"),
         ("cpu offline 1", r"cpu 1: OFFLINE\n"),
         ("cpu offline 2", r"cpu 2: no other processor is left\n"),
         ("cpu list", r"\n +0  OFFLINE[\s\S]*?\n +1  OFFLINE[\s\S]*?\n +2  ONLINE"),
         ("vm list", r"\n  one +RUNNING .*\n  two +RUNNING "),
         ("cpu online 1", r"cpu 1: ONLINE\n[\s\S]*?one\| [\s\S]*?two\| "),
         ("quit", WELL)], r"one\| .*line 00000002")


# Two processors of the host, and guests that may run on one of them only, or on both.
PINNED = """\
guest all
kernel = busy.elf
memory = 4M
guest left
kernel = busy.elf
memory = 4M
processors = 0
guest right
kernel = busy.elf
memory = 4M
cpus = 2
processors = all
pin = 0 on 1
guest wrong
kernel = busy.elf
memory = 4M
processors = 0,2
"""
PINNING = _commands([
    ("vcpu list", r"\n  all +0 +RUNN\w+ +[01]  all .*\n  left +0 +RUNN\w+ +0  0 .*"
                  r"\n  right +0 +RUNN\w+ +1  1 .*\n  right +1 +WAIT_SIPI +[01]  all "),
    ("cpu offline 0", r"cpu 0: guest left, vCPU 0, may run nowhere else\n"),
    ("vcpu pin left 0 0-1", r"guest left: vCPUs 0 on 0-1\n"),
    ("cpu offline 0", r"cpu 0: OFFLINE\n"),
    ("vcpu list left", r"\n  left +0 +RUNN\w+ +1  0-1 "),
    ("vcpu pin left 0 0", r"none of these processors is online\n"),
    ("vm destroy right", r"guest right: ABSENT\n"),
    ("vcpu pin right all 1", r"guest right: vCPUs all on 1\n"),
    ("cpu online 0", r"cpu 0: ONLINE\n"),
    ("vcpu pin all 0 0", r"guest all: vCPUs 0 on 0\n"),
    ("vm pause left", r"guest left: PAUSED\n"),
    ("cpu offline 0", r"cpu 0: guest all, vCPU 0, may run nowhere else\n"),
    ("cpu offline 1", r"cpu 1: OFFLINE\n"),
    ("vm start right", r"guest right: refused: PROCESSORS: none on which vCPU 0 may run is online"),
    ("cpu online 1", r"cpu 1: ONLINE\n"),
    ("vm start right", r"guest right: RUNNING\n"),
    ("vm show right", r"\n  processors +1\n"),
    ("vcpu list -j", r'"vm":"right","vcpu":1,"state":"WAIT_SIPI","cpu":[01],"allowed":"1",'),
    ("quit", WELL)], r"guest right: starts: ")


def _attack_cases():
    return {emulator + "-" + name: Case(emulator, cmdline=attack.cmdline(), files=attack.files(),
                                        options=attack.options(), attack=attack, parallel=True,
                                        dialog=attack.dialog(),
                                        wanted=[WELL])
            for emulator, name, attack in attacks.attacks()}


# What happens in so little of the emulator's own time is the same on any machine.
EXACT = ["-icount", "shift=7,sleep=off"]


def _sections(names, lines):
    """A guest of each name; the file is called as the name without its number."""
    return "".join("guest %s\nkernel = %s.elf\nmemory = 4M\n%s\n"
                   % (name, name.split("-")[0], lines) for name in names)


BUSY = ["busy-%d" % _number for _number in range(3)]
PAIR = ["registers_0", "registers_1"]


def _registers(limit):
    return "".join("guest %s\nkernel = %s.elf\nmemory = 4M\ncpus = 2\nlimit = %s\n"
                   % (name.replace("_", "-"), name, limit) for name in PAIR)


def _switched(slices):
    return [line % name.replace("_", "-") for name in PAIR
            for line in (r"guest %s: ended: time: ",
                         r"guest %s: used \d+ ms of processor time in " + slices + " slices")]


# One publishes, one subscribes; a third has not been allowed to.
CHANNEL_GUESTS = """\
guest reader
  kernel = channel_reader.elf
  memory = 4M
  channel = talk subscribe rw
guest writer
  kernel = channel_writer.elf
  memory = 4M
  channel = talk publish 4K
guest outsider
  kernel = channel_reader.elf
  memory = 4M
guest lonely
  kernel = channel_reader.elf
  memory = 4M
  channel = nothing subscribe ro
"""
CHANNEL_SAYS = [
    r"configuration: line 15, column 13: channel nothing: nobody publishes it",
    r"writer\| writer: 100 questions, 100 answers", r"guest writer: ended: exit: status 0",
    r"reader\| reader: goodbye", r"guest reader: ended: exit: status 0",
    r"outsider\| reader: no channel for me", r"guest outsider: ended: exit: status 4",
]

ALL_GUESTS = ["hello", "triple_fault", "halt", "unmapped", "spin", "terminal", "real_mode", "hello"]

CASES = {
    # The machine and the library's own checks.
    "qemu-ladder": Case("qemu", wanted=[WELL, r"processors: 1 online",
                                        r"owners: 0 of \d{5,} frames can be mapped by a VM that own",
                                        r"owners: 1 of \d{5,} frames can be mapped by a VM when one",
                                        r"builtin\| hello from the first guest of libsvm",
                                        r"guest builtin: ended: exit: status 0"] + _ladder(1)),
    "qemu-ladder-smp": Case("qemu", cpus=4, wanted=[WELL, r"processors: 4 online"] + _ladder(4)),
    "bochs-ladder": Case("bochs", wanted=[WELL, r"processors: 1 online",
                                          r"builtin\| hello from the first guest of libsvm"]
                         + _ladder(1)),
    # Other processors: vGIF, the oldest family with nested paging, no 1 GiB pages, no next RIP.
    "qemu-max": Case("qemu", cpu="max,+svm", wanted=[WELL] + _ladder(1)),
    "qemu-phenom": Case("qemu", cpu="phenom,+svm,+npt", wanted=[WELL] + _ladder(1)),
    "qemu-bulldozer": Case("qemu", cpu="Opteron_G5,+svm,+npt", wanted=[WELL] + _ladder(1)),
    "bochs-phenom": Case("bochs", cpu="phenom_8650_toliman", wanted=[WELL] + _ladder(1)),
    "qemu-icount": Case("qemu", options=["-icount", "shift=0,sleep=off"], cmdline="run=port,ladder",
                        wanted=[WELL] + _ladder(1)),
    # Processors that cannot run guests are refused in a sentence.
    "qemu-no-npt": Case("qemu", cpu="qemu64", status=35,
                        wanted=[r"guests cannot run here: SVM_ERR_NO_NPT: .*no nested paging"],
                        never=[r"host exception", WELL]),
    "qemu-no-svm": Case("qemu", cpu="EPYC,-svm", status=35,
                        wanted=[r"guests cannot run here: SVM_ERR_NO_SVM: "],
                        never=[r"host exception", WELL]),
    "bochs-no-npt": Case("bochs", cpu="turion64_tyler",
                         wanted=[r"guests cannot run here: SVM_ERR_NO_NPT: .*no nested paging"],
                         never=[r"host exception", WELL]),
    # Guests, one after another; the last proves that the host goes on.
    "qemu-guests": Case("qemu", cmdline="run=guests explain=full", guests=ALL_GUESTS,
                        wanted=[WELL, r"    idtr        base 0h limit 0h", r"      gives     host-ph",
                                r"    svm-record n=\d+ .* name=SHUTDOWN .* kind=SHUTDOWN"]),
    "qemu-guests-smp": Case("qemu", cmdline="run=guests", guests=ALL_GUESTS, cpus=4, wanted=[WELL]),
    "qemu-guests-parallel": Case("qemu", cmdline="run=guests parallel=1", cpus=4, parallel=True,
                                 guests=["hello", "triple_fault", "hostile_state", "unmapped",
                                         "real_mode", "hostile_state", "hello", "spin"],
                                 wanted=[WELL]),
    "qemu-checked": Case("qemu", cmdline="check=1", guests=ALL_GUESTS, cpus=4,
                         wanted=[WELL, r"hal: watched, 0 breaches of its contract, 0 frames not"]
                         + _ladder(4)),
    "qemu-forbidden": Case("qemu", cmdline="run=guests", guests=FORBIDDEN + ["hello"],
                           wanted=[WELL]),
    # The prompt, on the guest's own processor and from another one.
    "qemu-monitor": Case("qemu", cmdline="run=guests", guests=["chatter", "hello"], dialog=MONITOR,
                         wanted=[WELL, r"  HOST_INTERRUPT +port +\d+"]),
    "qemu-monitor-smp": Case("qemu", cmdline="run=guests parallel=1", guests=["chatter", "hello"],
                             cpus=3, parallel=True, dialog=MONITOR, wanted=[WELL]),
    "qemu-config": Case("qemu", cmdline="run=guests", config=CONFIG, files=["hello.elf"],
                        wanted=[WELL] + CONFIG_SAYS, never=NEVER + [r"silent\|"]),
    # What they write is looked at meanwhile.
    "qemu-life": Case("qemu", cmdline="run=guests parallel=1", cpus=2, dialog=LIFE, parallel=True,
                      config=_talkers(["one"], "dirty_log = protect 5ms\n") +
                      _talkers(["two"], "dirty_log = bits 5ms\n"), files=["chatter.elf"],
                      wanted=[WELL, r"guest two: \d+ pages were found written in \d{2,} looks"]),
    "qemu-life-alone": Case("qemu", cmdline="run=guests parallel=1", dialog=LIFE, parallel=True,
                            config=_talkers(["one", "two"]), files=["chatter.elf"], wanted=[WELL]),
    "qemu-actions": Case("qemu", cmdline="run=guests parallel=1", cpus=2, dialog=ACTING,
                         config=ACTIONS, files=["triple_fault.elf", "hello.elf", "reboot.elf"],
                         parallel=True, wanted=[WELL, r"guest once: ended: exit: status 7"]),
    "qemu-cycles": Case("qemu", cmdline="run=guests parallel=1", cpus=2, dialog=_cycles(1000),
                        config=CYCLED, files=["hello.elf", "chatter.elf"], parallel=True,
                        wanted=[WELL]),
    "qemu-processors": Case("qemu", cmdline="run=guests parallel=1", cpus=3, dialog=_comings(20),
                            config=_talkers(["one", "two"]), files=["chatter.elf"], parallel=True,
                            wanted=[WELL]),
    "qemu-pinned": Case("qemu", cmdline="run=guests parallel=1", cpus=2, dialog=PINNING,
                        config=PINNED, files=["busy.elf"], parallel=True,
                        wanted=[WELL, r"configuration: line 17, column 16: expected processors "
                                      r"such as 0-1,3, from 0 to 1, or all"]),
    "qemu-processors-long": Case("qemu", cmdline="run=guests parallel=1", cpus=3,
                                 dialog=_comings(200), config=_talkers(["one", "two"]),
                                 files=["chatter.elf"], parallel=True, wanted=[WELL], timeout=600,
                                 is_long=True),
    # Keys for a guest, Ctrl-] among them; what the other one says meanwhile comes afterwards.
    "qemu-typing": Case("qemu", cmdline="run=guests parallel=1", cpus=3, dialog=TYPING, config=ECHO,
                        files=["echo.elf", "chatter.elf"],
                        wanted=[WELL, r"guest echo: ended: exit: status 5",
                                r"guest other: ended: stopped", r"other\| \?\[32mline 00000001"]),
    "bochs-guests": Case("bochs", cmdline="run=guests", guests=ALL_GUESTS, wanted=[WELL]),
    # Memory that two guests share, on two processors and in turns on one.
    "qemu-channel": Case("qemu", cmdline="run=guests parallel=1", cpus=2, parallel=True,
                         config=CHANNEL_GUESTS,
                         files=["channel_reader.elf", "channel_writer.elf"],
                         wanted=[WELL] + CHANNEL_SAYS),
    "bochs-channel": Case("bochs", cmdline="run=guests parallel=1", parallel=True,
                          config=CHANNEL_GUESTS,
                          files=["channel_reader.elf", "channel_writer.elf"],
                          wanted=[WELL] + CHANNEL_SAYS),
    "bochs-forbidden": Case("bochs", cmdline="run=guests", guests=FORBIDDEN + ["hello"],
                            wanted=[WELL]),
    # Three that take all they can get have the same of two processors, and of one; who sleeps is
    # woken in time beside them.  They do not begin at the same time, since each is made by itself:
    # long enough that this is no part of the verdict.
    # Under -icount QEMU runs one processor at a time, each to the next deadline of a timer: with many
    # ticks, or the guests' times would say more of those turns than of the port's.
    "qemu-fair": Case("qemu", cmdline="run=guests parallel=1 hz=1000", cpus=2, options=EXACT,
                      parallel=True,
                      config=_sections(BUSY, "limit = 25s"), files=["busy.elf"], fair=BUSY,
                      wanted=[WELL]),
    "qemu-fair-alone": Case("qemu", cmdline="run=guests parallel=1", options=EXACT, parallel=True,
                            config=_sections(BUSY, "limit = 25s"), files=["busy.elf"], fair=BUSY,
                            wanted=[WELL]),
    "qemu-punctual": Case("qemu", cmdline="run=guests parallel=1", options=EXACT, parallel=True,
                          config=_sections(BUSY, "limit = 4s") +
                          "guest punctual\nkernel = punctual.elf\nmemory = 4M\nlimit = 4s\n",
                          files=["busy.elf", "punctual.elf"],
                          wanted=[WELL, r"guest punctual: ended: exit: status 0"]),
    # Opposite values in all registers of two guests that take turns on a processor.  They are said
    # to have two processors each, so that PAUSE is an exit and each round a switch.
    "qemu-registers": Case("qemu", cmdline="run=guests parallel=1", parallel=True,
                           config=_registers("4s"), files=[_name + ".elf" for _name in PAIR],
                           wanted=[WELL] + _switched(r"\d{4,}")),
    # 10^5 of them, which take QEMU a minute and a half where it has a processor to itself.
    "qemu-registers-long": Case("qemu", cmdline="run=guests parallel=1", parallel=True,
                                config=_registers("3m"), files=[_name + ".elf" for _name in PAIR],
                                wanted=[WELL] + _switched(r"(?:[5-9]\d{4}|\d{6,})"), timeout=300,
                                is_long=True),
    "qemu-lies": Case("qemu", cmdline="run=guests", guests=["hello"], lies=True, wanted=[WELL]),
    "qemu-too-large": Case("qemu", cmdline="run=guests",
                           guests=["hello", "halt", "real_mode", "hello"],
                           texts={0: ("mem=4G", r"refused: MEMORY: "),
                                  1: ("mem=12345", r"refused: MEMORY_SHAPE: "),
                                  2: ("addr=0xffffffff", r"refused: FLAT_RANGE: ")},
                           wanted=[WELL]),
    # NMIs and interrupts into a guest whose TR, FS and GS would kill a host that used them.
    "qemu-storm": Case("qemu", cmdline="run=guests", guests=["hostile_state", "hello"], cpus=2,
                       texts={0: ("storm=1", None)},
                       wanted=[WELL, r"hostile_state: ran under \d\d+ NMIs and kicks"]),
    # Exact instruction counts; scripts/bench compares them, here they must only be there.
    "qemu-exit-costs": Case("qemu", cmdline="run=guests", options=["-icount", "shift=0,sleep=off"],
                            guests=["exit_costs"], wanted=[WELL]),
    "bochs-hostile-state": Case("bochs", cmdline="run=guests hz=1000",
                                guests=["hostile_state", "hello"],
                                wanted=[WELL]),
    # Each family of instructions on device memory; that many accesses show that they were exits.
    "qemu-mmio": Case("qemu", cmdline="run=guests", guests=["mmio", "mmio_long", "hello"],
                      wanted=[WELL] + DEVICE_WAS_USED),
    "bochs-mmio": Case("bochs", cmdline="run=guests", guests=["mmio", "mmio_long", "hello"],
                       wanted=[WELL] + DEVICE_WAS_USED),
    # By the processor in QEMU, which does not know the intercept, and by the library in Bochs.
    "qemu-task-switch": Case("qemu", cmdline="run=guests", guests=["task_switch", "hello"],
                             wanted=[WELL]),
    "bochs-task-switch": Case("bochs", cmdline="run=guests", guests=["task_switch", "hello"],
                              wanted=[WELL]),
    # Random instructions in ring 0.  On Bochs, which repeats each run to the instruction; QEMU 7.2
    # aborts in its own locking on some of these seeds.
    "bochs-noise": Case("bochs", cmdline="run=guests hz=1000", guests=["noise"] * 8 + ["hello"],
                        texts={seed: ("seed=%d" % (seed + 1), None) for seed in range(8)},
                        wanted=[WELL]),
    # A host that crashes says everything and ends.
    "qemu-crash-page": Case("qemu", cmdline="crash=page", status=37,
                            wanted=[r"host exception on CPU 0: vector 14 \(#PF",
                                    r"backtrace: [0-9a-f]+ [0-9a-f]+"], never=[WELL]),
    "qemu-crash-frame": Case("qemu", cmdline="crash=frame", status=37,
                             wanted=[r"CPU 0 wrote past its stack frame, called from ffffffff8"],
                             never=[WELL]),
    "qemu-crash-stack": Case("qemu", cmdline="crash=stack", status=37,
                             wanted=[r"host exception on CPU 0: vector 8 \(#DF"], never=[WELL]),
    # Of an interrupt's handler: with what was interrupted, and from where that was called.
    "qemu-crash-interrupt": Case("qemu", cmdline="crash=interrupt", status=37,
                                 wanted=[r"host exception on CPU 0: vector 14 \(#PF",
                                         r"backtrace: [0-9a-f]+ [0-9a-f]+ \(vector f0, rflags "
                                         r"[0-9a-f]*2[0-9a-f]{2}\) ffffffff8[0-9a-f]+ ffffffff8"],
                                 never=[WELL]),
    "bochs-crash-opcode": Case("bochs", cmdline="crash=opcode",
                               wanted=[r"host exception on CPU 0: vector 6 \(#UD"], never=[WELL]),
    **_attack_cases(),
}


def judge_fairness(case, result):
    """Each of the guests has had the same time, within 10 %."""
    used = []
    for name in case.fair:
        match = re.search(r"guest %s: used (\d+) ms of processor time" % name, result.serial)
        used.append(int(match[1]) if match else 0)
    if not used or min(used) and max(used) - min(used) <= 0.1 * sum(used) / len(used):
        return []
    return ["not the same time, in ms: " + ", ".join(map(str, used))]


def judge_json(result):
    """Each line that looks like JSON is."""
    wrong = []
    for line in result.serial.splitlines():
        if line == "[]" or line.startswith(("{", "[{")):
            try:
                json.loads(line)
            except ValueError as error:
                wrong.append("no JSON: %s: %s" % (error, line))
    return wrong


def judge(case, result, ends):
    """Sentences about what is wrong; none when all is well.  ends: lines that end the guests."""
    wrong = []
    if result.timed_out:
        wrong.append("it did not end in %d s" % case.timeout)
    if result.waited_for:
        wrong.append("waited for: " + result.waited_for)
    if case.emulator == "qemu" and not result.timed_out and result.status != case.status:
        wrong.append("QEMU's status is %d, wanted %d" % (result.status, case.status))
    for pattern in case.wanted:
        if not re.search(pattern, result.serial):
            wrong.append("nowhere: " + pattern)
    for pattern in case.never:
        for line in result.serial.splitlines():
            if re.search(pattern, line):
                wrong.append("must not be: " + line)
    wrong += judge_fairness(case, result) + judge_json(result)
    if case.attack:
        wrong += case.attack.judge(result.serial)
    at = 0
    for pattern in ends:
        match = re.compile(pattern, re.MULTILINE).search(result.serial, at)
        if not match:
            wrong.append("not there, or not in this order: " + pattern)
            break
        at = 0 if case.parallel else match.end()
    return wrong
