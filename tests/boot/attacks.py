# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Guests that attack their host, each beside a victim, and what both must still have.

The emulator counts: one instruction, the host's or a guest's, is one step of the TSC, so that what
is judged does not depend on the machine that the emulator runs on.  All share one processor.  With
more of them QEMU 7.2 lets a processor stand still for as long as another one's timers are the next
to fire, and a heartbeat says nothing.
"""

import re

TIME = r"time: still running after"
UNMAPPED = r"unmapped: nothing is mapped there"

# name: how it ends
ATTACKS = {
    "alignment": TIME,
    "base": TIME,
    "debug": TIME,
    "descriptor": UNMAPPED,
    "dirty": TIME,
    "efer": TIME,
    "error": TIME,
    "flush": TIME,
    "halt": TIME,
    "hole": UNMAPPED,
    "hole_fetch": UNMAPPED,
    "hole_table": UNMAPPED,
    "idt": UNMAPPED,
    "init": r"reset: ",
    "inits": TIME,
    "ipi": TIME,
    "ipis": TIME,
    "ist_debug": TIME,
    "ist_page": TIME,
    "level": TIME,
    "mmio": TIME,
    "msr": TIME,
    "nested": TIME,
    "nmi": TIME,
    "nmis": TIME,
    "paging": TIME,
    "pause": TIME,
    "port": TIME,
    "ports": TIME,
    "rewrite": TIME,
    "rewriters": TIME,
    "tasks": TIME,
    "timers": TIME,
    "triple": r"triple-fault: ",
}

# Where the emulator has what the attack needs: Bochs knows #AC and the intercept of task switches,
# and counts while data breakpoints are met in the middle of a delivery.
BOCHS = ["alignment", "ist_debug", "nested", "tasks"]
SHORT = [_name for _name, _end in ATTACKS.items() if _end != TIME]
ALONE = [_name for _name in ATTACKS if _name not in BOCHS + SHORT]
# Of two processors.
PAIRS = ["inits", "ipis", "nmis", "rewriters"]
# What the configuration says of them besides.
LINES = {"dirty": "dirty_log = protect 2ms\n"}
# And what it must have come to.
FIGURES = {"dirty": r"^guest attack-dirty: \d{4,} pages were found written in \d{2,} looks$"}
# The emulator needs long for each instruction of these.
SLOW = ["ist_page", "paging", "pause"]

# The promise is 100 ms, which are 10^8 instructions at one in a nanosecond.  The longest is a part of
# a repeated move between two devices, with 2.1 * 10^6.
HOST_WORK_MAX = 3000000
# Of what would be the victim's if all had the same.
FAIR_SHARE_MIN = 0.4
ROUND = 1000
UNIT = 1024
LINES_PER_SECOND_MAX = 10
LINES_BESIDES = 30

LIFE = r"^guest attack-%s: (\d+) exits, .* waited for it at most (\d+) us"
VICTIM = r"^victim\| victim: rounds ([0-9a-f]+) time ([0-9a-f]+) gap ([0-9a-f]+)"


def _cpus(name):
    return 2 if name in PAIRS else 1


class Attack:
    """names: attackers; shift: an instruction takes 2^shift ns; hz: ticks of the host in a second."""

    victim_ticks = 90  # of 10 ms, in each second

    def __init__(self, names, shift=6, hz=1000):
        self.names = names
        self.shift = shift
        self.hz = hz
        self.seconds = 1

    def cmdline(self):
        return "run=guests parallel=1 hz=%d" % self.hz

    def section(self, name):
        return ("guest attack-%s\nkernel = attack_%s.elf\nmemory = 4M\nlimit = %ds\ncpus = %d\n"
                % (name.replace("_", "-"), name, self.seconds, _cpus(name)) + LINES.get(name, ""))

    def config(self):
        return ("".join(map(self.section, self.names)) +
                "guest victim\nkernel = victim.elf\nmemory = 4M\ncmdline = ticks=%d\nlimit = %ds\n"
                % (self.victim_ticks * self.seconds, 3 * self.seconds))

    def files(self):
        return ["victim.elf"] + ["attack_%s.elf" % name for name in self.names]

    def dialog(self):
        return None

    def options(self):
        return ["-icount", "shift=%d,sleep=off" % self.shift]

    def ticks_shift(self):
        """The TSC counts ns in QEMU, and instructions in Bochs."""
        return self.shift

    def host_work(self, name, text):
        """Exits, and instructions for which a tick had to wait; None: nothing is known."""
        lives = re.findall(LIFE % name.replace("_", "-"), text, re.MULTILINE)
        if not lives:
            return None
        return (sum(int(exits) for exits, _ in lives),
                max(int(waited) for _, waited in lives) * 1000 >> self.shift)

    def victim_share(self, text):
        """Of the processor; None: it did not come to its end."""
        found = re.search(VICTIM, text, re.MULTILINE)
        if not found or not re.search(r"^guest victim: ended: exit: status 0", text, re.MULTILINE):
            return None
        return (int(found[1], 16) * ROUND << self.ticks_shift()) / (int(found[2], 16) * UNIT)

    def figures(self, text):
        """Sentences about what was measured."""
        lines = ["attack-%s: %d exits a second, a tick waited for at most %d instructions"
                 % (name, work[0] / self.seconds, work[1])
                 for name in self.names for work in [self.host_work(name, text)] if work]
        share = self.victim_share(text)
        return lines + (["victim: %.2f of the processor" % share] if share else [])

    def _judge_attacker(self, name, text):
        label = name.replace("_", "-")
        work = self.host_work(name, text)
        wrong = []
        if not re.search(FIGURES.get(name, ""), text, re.M):
            wrong.append("nowhere: " + FIGURES[name])
        if not re.search(r"^guest attack-%s: ended: %s" % (label, ATTACKS[name]), text, re.M):
            wrong.append("attack-%s did not end as '%s'" % (label, ATTACKS[name]))
        if not work:
            wrong.append("attack-%s left no account" % label)
        elif work[1] > HOST_WORK_MAX:
            wrong.append("a tick waited for attack-%s for %d instructions, %d are allowed"
                         % (label, work[1], HOST_WORK_MAX))
        return wrong

    def lines_max(self, _text):
        return LINES_BESIDES + LINES_PER_SECOND_MAX * self.seconds * len(self.names)

    def judge(self, text):
        share = self.victim_share(text)
        fair = FAIR_SHARE_MIN / (sum(map(_cpus, self.names)) + 1)
        lines = len(text.splitlines())
        wrong = []
        if share is None:
            wrong.append("the victim did not come to its end")
        elif share < fair:
            wrong.append("the victim had %.3f of the processor, not %.3f" % (share, fair))
        for name in self.names:
            wrong += self._judge_attacker(name, text)
        if lines > self.lines_max(text):
            wrong.append("%d lines on the console" % lines)
        return wrong


class Restarts(Attack):
    """Each attacker is made again and again, whatever it does to end: at once, then after 1 s, 2 s
    and so on.  The victim's end is the end of it."""

    victim_ticks = 180
    LIVES_MIN = 3
    LINES_PER_LIFE = 30

    def section(self, name):
        return super().section(name) + "on_crash = restart\non_reset = restart\n"

    def dialog(self):
        """What is waited for, and what is typed then."""
        return [(r"guest victim: ended: [\s\S]*?guest victim: \d+ exits, .*\n", "\x1d"),
                (r"libsvm> ", "quit\r")]

    def _lives(self, name, text):
        return len(re.findall(LIFE % name.replace("_", "-"), text, re.MULTILINE))

    def lines_max(self, text):
        lives = sum(self._lives(name, text) for name in self.names)
        return LINES_BESIDES + self.LINES_PER_LIFE * lives

    def judge(self, text):
        return super().judge(text) + ["attack-%s had fewer than %d lives" % (name, self.LIVES_MIN)
                                      for name in self.names
                                      if self._lives(name, text) < self.LIVES_MIN]


class BochsAttack(Attack):
    """50 instructions in a microsecond."""

    def __init__(self, names):
        super().__init__(names, shift=4)

    def options(self):
        return []

    def ticks_shift(self):
        return 0


def attacks():
    """Pairs of a name and an attack, and the emulator."""
    for name in ALONE:
        slow = {"shift": 8, "hz": 200} if name in SLOW else {}
        yield "qemu", "attack-" + name, Attack([name], **slow)
    yield "qemu", "attacks-short", Attack(SHORT)
    yield "qemu", "attacks-restarted", Restarts(SHORT)
    yield "bochs", "attacks", BochsAttack(BOCHS)
