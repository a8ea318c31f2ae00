# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""What the tables of benchmarks share: figures out of logs, rows, JSON, and a comparison.

A figure is a number with a name.  rows.json says which ones there are, what they mean and how high
they may be; a row without a figure is a failure, since a benchmark that did not run must not look
like one that is fast.
"""

import argparse
import html
import json
import os
import re
import statistics
import sys

GROWTH = 1.02  # more than this against --compare is printed in red
(VMM_START, GUEST_INIT, SLEEPS, SLEPT, CREATE, CREATED, DESTROYED, NAPS,
 NAPPED) = range(1, 10)  # mark.h
SLEEPS_COUNT = 100
NAP_NS = 20000
HERE = os.path.dirname(os.path.abspath(__file__))


def arguments(doc):
    """A parser with what every table takes."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--json", help="write the figures to this file")
    parser.add_argument("--svg", help="draw the table as bars into this file")
    parser.add_argument("--compare", help="figures of an earlier --json")
    parser.add_argument("--check", action="store_true", help="fail where a limit is exceeded")
    parser.add_argument("--color", action="store_true")
    return parser


def text_of(path):
    with open(path, encoding="latin-1") as file:
        return file.read()


def costs(path):
    """The lines `cost NAME N` of a log."""
    return {match[1]: int(match[2])
            for match in re.finditer(r"\bcost ([a-z0-9-]+) (\d+)\s", text_of(path))}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Count:
    """What outside.c wrote at the marks of mark.h."""

    LINE = re.compile(r"^(entry after|mark) (\d+) executed (\d+) outside (\d+) entries (\d+)$", re.M)

    def __init__(self, path):
        self.path = path
        self.lines = [((match[1], int(match[2])), [int(match[i]) for i in (3, 4, 5)])
                      for match in self.LINE.finditer(text_of(path))]

    def between(self, start, end):
        """Instructions executed, those outside guests, entries; the first of each kind of line."""
        first = {None: (0, 0, 0)}
        for key, values in self.lines:
            first.setdefault(key, values)
        for key in (start, end):
            if key not in first:
                sys.exit(f"{self.path}: no line '{key[0]} {key[1]}'")
        return [b - a for a, b in zip(first[start], first[end])]

    def median(self, start, end):
        """Instructions executed from a mark to the next one of another number."""
        spent, at = [], None
        for (what, number), values in self.lines:
            if what == "mark" and number == end and at is not None:
                spent.append(values[0] - at)
            if what == "mark":
                at = values[0] if number == start else None
        if not spent:
            sys.exit(f"{self.path}: no mark {end} after a mark {start}")
        return int(statistics.median(spent))


def rows(section):
    return load(os.path.join(HERE, "rows.json"))[section]


def save(path, found):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=2, sort_keys=True)
        file.write("\n")


def cell(value, form="{:,}"):
    return "-" if value is None else form.format(value)


def lines_of(chosen, found, old):
    """(cells, has it grown) of the head and of each row; KVM's figure is the one named kvm-NAME."""
    has_kvm = any(name.startswith("kvm-") for name in found)
    yield (["", *(["KVM 6.1"] if has_kvm else []), "libsvm", *(["ratio"] if has_kvm else []),
            "reach", *(["before"] if old else [])], False)
    for row in chosen:
        ours, kvm = found.get(row["name"]), found.get("kvm-" + row["name"])
        ratio = kvm / ours if kvm and ours else None
        before = old.get(row["name"]) if old else None
        yield ([row["text"], *([cell(kvm)] if has_kvm else []), cell(ours),
                *([cell(ratio, "{:.1f}x")] if has_kvm else []), cell(row.get("reach")),
                *([cell(before)] if old else [])], bool(before and ours and ours > before * GROWTH))


def print_table(chosen, found, args):
    lines = list(lines_of(chosen, found, load(args.compare) if args.compare else None))
    widths = [max(len(line[i]) for line, _ in lines) for i in range(len(lines[0][0]))]
    for line, grown in lines:
        text = line[0].ljust(widths[0]) + "".join(
            "  " + word.rjust(width) for word, width in zip(line[1:], widths[1:]))
        if grown:
            text = "\x1b[31m" + text + "\x1b[0m" if args.color else text + "  GREW"
        print(text)


def bars(chosen, found):
    """An SVG of the rows that both sides have, ours in percent of KVM's; of the others none."""
    rows_of = [(row["text"], 100 * found[row["name"]] / found["kvm-" + row["name"]]) for row in chosen
               if found.get(row["name"]) and found.get("kvm-" + row["name"])]
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="900" '
             f'height="{24 * len(rows_of) + 30}" font-family="sans-serif" font-size="13">',
             '<text x="8" y="18">libsvm in percent of KVM, instructions or KiB; the line is KVM</text>']
    for i, (text, percent) in enumerate(rows_of):
        y = 24 * i + 30
        lines.append(f'<text x="8" y="{y + 15}">{html.escape(text)}</text>')
        lines.append(f'<rect x="440" y="{y + 3}" width="{min(percent, 120) * 3.5:.0f}" height="16" '
                     'fill="#4a7ab0"/>')
        lines.append(f'<text x="{446 + min(percent, 120) * 3.5:.0f}" y="{y + 16}">{percent:.0f}</text>')
    lines.append(f'<line x1="790" x2="790" y1="26" y2="{24 * len(rows_of) + 28}" stroke="#c03030"/>')
    return "\n".join(lines + ["</svg>", ""])


def check(chosen, found):
    """A line for each row above its limit, and the closing line that scripts/test counts."""
    limited = [row for row in chosen if "limit" in row]
    failed = 0
    for row in limited:
        ours = found.get(row["name"])
        if ours is None:
            print(f"FAIL {row['name']}: no figure in the logs")
        elif ours > row["limit"]:
            print(f"FAIL {row['name']}: {ours:,} is above the limit {row['limit']:,}")
        else:
            continue
        failed += 1
    print(f"{len(limited) - failed} passed, {failed} failed")
    return failed


def missing_of(chosen, found):
    """Ours, and KVM's where its side was measured and has such a thing at all."""
    has_kvm = any(name.startswith("kvm-") for name in found)
    wanted = [row["name"] for row in chosen]
    if has_kvm:
        wanted += ["kvm-" + row["name"] for row in chosen if row.get("kvm", True)]
    return [name for name in wanted if name not in found]


def finish(chosen, found, args):
    """What follows a table; the program's status."""
    if args.json:
        save(args.json, found)
    if args.svg:
        with open(args.svg, "w", encoding="utf-8") as file:
            file.write(bars(chosen, found))
    if args.check:
        return 1 if check(chosen, found) else 0
    missing = missing_of(chosen, found)
    if missing:
        print("no figure for: " + ", ".join(missing), file=sys.stderr)
    return 1 if missing else 0
