#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Record a guest and replay it: against the library, against one with a mistake, and damaged.

usage: replay_test.py [--damages N] RECORD PAIR REPLAY SEEDED

RECORD FILE writes a recording, PAIR FILE FILE those of two vCPUs at once, REPLAY [--exits] FILE
replays one, SEEDED is REPLAY with mistakes that the environment asks for.  --damages: how many
damaged recordings are tried.
"""

import argparse
import collections
import os
import random
import re
import subprocess
import sys
import tempfile

REPLAYED, DIVERGED, REFUSED = 0, 1, 2

# What the guest does, so that a replay of less is noticed.
KINDS = {"CPUID", "IOIO", "MSR", "NPF", "VMMCALL", "HLT"}

# Mistake, the exit behind which it shows, the time it is made, what must be named.
SEEDS = [
    ("cpuid", "CPUID", 1, "VMRUN is given RDX = "),
    ("cpuid", "CPUID", 17, "VMRUN is given RDX = "),
    ("msr", "MSR", 30, "VMRUN is given VMCB RIP = "),
    ("port", "IOIO", 10, "the value for the port is "),
    ("events", "IOIO", 2, "the library comes to ENTRY"),
    ("memory", "IOIO", 5, "the library leaves other bytes in the guest's page"),
]

# Those that can be made at each exit of the kind, and once: it is known behind which it shows.
ONCE_AN_EXIT = {"cpuid", "msr", "port"}

results = []


def check(good, what):
    print(("ok      " if good else "FAILED  ") + what)
    results.append(good)


def run(*command, seed=None):
    env = dict(os.environ)
    env.pop("SEED", None)
    if seed:
        env["SEED"] = seed
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=200, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def list_exits(replay, path):
    """(code, RIP) of each exit, the first at 1."""
    _, out, _ = run(replay, "--exits", path)
    found = re.findall(r"^exit (\d+) (\S+) rip (0x[0-9a-f]+)$", out, re.M)
    return [None] + [(code, rip) for _, code, rip in found]


def test_replay(args, path):
    code, out, err = run(args.replay, path)
    check(code == REPLAYED and "all as recorded; it was ended there" in out,
          f"the recording replays: {out.strip()}{err.strip()}")
    exits = list_exits(args.replay, path)
    kinds = collections.Counter(code for code, _ in exits[1:])
    check(KINDS <= set(kinds), f"it has every kind of exit: {dict(kinds)}")
    check(f"replayed {len(exits) - 1} exits" in out, "each of them is named by --exits")
    code, out, _ = run(args.seeded, path)
    check(code == REPLAYED, "the library with mistakes does what it should as long as it makes none")
    return exits


def test_seeds(args, path, exits):
    for name, kind, time, what in SEEDS:
        code, out, err = run(args.seeded, path, seed=f"{name}:{time}")
        at = [n for n in range(1, len(exits)) if exits[n][0] == kind]
        found = re.search(r"behind exit (\d+) \((\S+) at RIP (\S+)\)", err)
        good = code == DIVERGED and found and what in err
        if good and name in ONCE_AN_EXIT:
            number = at[time - 1]
            good = (int(found[1]), found[2], found[3]) == (number, *exits[number])
        elif good:
            good = found[2] == kind
        check(good, f"mistake {name} at {kind} {time} is found: {out}{err}".replace("\n", " "))


def test_pair(args, paths):
    """Each of two vCPUs that ran at once, without the other."""
    code, out, err = run(args.pair, *paths)
    check(code == 0, f"two vCPUs are recorded at once: {out if code else ''}{err}")
    for path in paths:
        code, out, err = run(args.replay, path)
        replayed = re.match(r"replayed (\d+) exits, all as recorded; it was ended there", out)
        check(code == REPLAYED and replayed and int(replayed[1]) > 100,
              f"each of them replays by itself: {out.strip()}{err.strip()}")
        code, out, err = run(args.seeded, path, seed="cpuid:5")
        check(code == DIVERGED and "VMRUN is given RDX = " in err,
              f"a mistake is found in it: {out}{err}".replace("\n", " "))


def test_truncated(args, data, path):
    bad = 0
    for size in random.sample(range(len(data)), 30):
        with open(path, "wb") as file:
            file.write(data[:size])
        code, _, _ = run(args.replay, path)
        bad += code != REPLAYED
    check(bad == 0, "a recording that breaks off replays as far as it goes")


def damage(data):
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 3, 20))):
        at = random.randrange(8, len(data))
        way = random.randrange(4)
        if way == 0:
            data[at] ^= 1 << random.randrange(8)
        elif way == 1:
            data[at] = random.choice((0, 1, 0x7f, 0x80, 0xff))
        elif way == 2:
            del data[at:at + random.randrange(1, 40)]
        else:
            other = random.randrange(8, len(data))
            data[at:at] = data[other:other + random.randrange(1, 40)]
    return bytes(data)


def test_damaged(args, data, path):
    """Whatever is in a recording, a replay ends by itself and with a word."""
    codes, bad = collections.Counter(), 0
    for n in range(args.damages):
        random.seed(n)
        with open(path, "wb") as file:
            file.write(damage(data))
        code, _, err = run(args.replay, path)
        codes[code] += 1
        if code not in (REPLAYED, DIVERGED, REFUSED) or (code and not err.startswith("replay: ")):
            check(False, f"damage {n} ends with {code}: {err}")
            bad += 1
    check(len(codes) > 1 and not bad, f"{args.damages} damaged recordings end with {dict(codes)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--damages", type=int, default=200)
    for name in ("record", "pair", "replay", "seeded"):
        parser.add_argument(name)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "recording")
        code, out, err = run(args.record, path)
        check(code == 0, f"a guest is recorded: {out if code else ''}{err}")
        with open(path, "rb") as file:
            data = file.read()
        test_seeds(args, path, test_replay(args, path))
        test_pair(args, [os.path.join(folder, name) for name in ("first", "second")])
        random.seed(1)
        test_truncated(args, data, path)
        test_damaged(args, data, path)
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
