#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Put the tables that docs-tables prints, and those of cross_table.py, into the pages, or see that
they are there.

usage: generate.py --write TABLES ROOT    bring pages, graph and picture up to date
       generate.py --check TABLES ROOT    fail where one of them is not

TABLES is the program.  In a page a table stands between two lines:

    <!-- table NAME (generated) -->
    <!-- end of NAME -->

NAME.dot is a table of its own.  NAME.svg is drawn from it; every version of Graphviz draws a little
differently, so of the picture only the arrows and their labels are compared.
"""

import html
import pathlib
import re
import shutil
import subprocess
import sys

from cross_table import Cross

BLOCK = re.compile(
    r"(<!-- table (?P<name>[a-z-]+) \(generated\) -->\n)(?P<old>.*?)(<!-- end of (?P=name) -->\n)",
    re.S)
ARROW = re.compile(r'^\t(\w+) -> (\w+) \[label="(.*?)"', re.M)


def read_tables(program):
    text = subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout
    tables = {}
    for part in re.split(r"^=== ", text, flags=re.M)[1:]:
        name, body = part.split("\n", 1)
        tables[name] = body
    return tables


def pages(root):
    return sorted(root.glob("*.md")) + sorted((root / "docs").glob("*.md"))


def fill(text, tables, used, page):
    def replace(match):
        name = match["name"]
        if name not in tables:
            sys.exit(f"{page}: no table {name}")
        used.add(name)
        return f"{match[1]}\n{tables[name]}\n{match[4]}"

    return BLOCK.sub(replace, text)


def picture_arrows(svg):
    """{(from, to): label} of a picture drawn by dot."""
    arrows = {}
    for part in re.findall(r'<g id="edge\d+".*?</g>', svg, re.S):
        title = html.unescape(re.search(r"<title>(.*?)</title>", part)[1])
        label = " ".join(re.findall(r"<text[^>]*>(.*?)</text>", part))
        arrows[tuple(title.split("->"))] = html.unescape(label).replace("\xa0", " ").strip()
    return arrows


def graph_arrows(dot):
    return {(a, b): label for a, b, label in ARROW.findall(dot)}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("--write", "--check"):
        sys.exit(__doc__)
    write = sys.argv[1] == "--write"
    tables, root = read_tables(sys.argv[2]), pathlib.Path(sys.argv[3])
    cross = Cross(root.resolve())
    tables["hal-entries"], tables["callbacks"] = cross.hal_table(), cross.callback_table()
    for complaint in (complaints := list(cross.complaints())):
        print(complaint)
    graphs = [name for name in tables if name.endswith(".dot")]
    used, stale = set(graphs), []

    wanted = {root / "docs" / name: tables[name] for name in graphs}
    for page in pages(root):
        wanted[page] = fill(page.read_text(encoding="utf-8"), tables, used, page)
    for path, text in wanted.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if write:
            path.write_text(text, encoding="utf-8")

    count = 0
    for name in graphs:
        svg = root / "docs" / pathlib.Path(name).with_suffix(".svg")
        arrows = graph_arrows(tables[name])
        count += len(arrows)
        if svg.exists() and picture_arrows(svg.read_text(encoding="utf-8")) == arrows:
            continue
        stale.append(svg)
        if write:
            dot = shutil.which("dot") or sys.exit("no dot here (Debian: graphviz)")
            subprocess.run([dot, "-Tsvg", f"-o{svg}", svg.with_suffix(".dot")], check=True)

    for name in sorted(set(tables) - used):
        sys.exit(f"table {name} is on no page")
    for path in stale:
        print(f"{path}: {'updated' if write else 'stale; run: ninja -C build docs-update'}")
    print(f"{len(used)} tables, {count} arrows, {len(stale)} files were stale")
    sys.exit(bool(complaints) or bool(stale) and not write)


if __name__ == "__main__":
    main()
