#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Put the tables that docs-tables prints, and those of cross_table.py, into the pages, or see that
they are there.

usage: generate.py --write TABLES ROOT    bring pages, graph and picture up to date
       generate.py --check TABLES ROOT    fail where one of them is not

TABLES is the program.  In a page a table stands between two lines:

    <!-- table NAME (generated) -->
    <!-- end of NAME -->

NAME.dot is a table of its own, and walkthrough/layers.dot is what the check of includes allows.  The
other graphs are written by hand.  Beside each graph of docs/ lies its picture, NAME.svg; every version
of Graphviz draws a little differently, so of pictures only the arrows and their labels are compared.
"""

import html
import importlib.util
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


def layers(root):
    """Who may include whose headers, as tests/checks/includes.py has it."""
    path = root / "tests" / "checks" / "includes.py"
    spec = importlib.util.spec_from_file_location("includes", path)
    includes = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(includes)
    arrows = {(user, "public") for user in ("port", "example")}
    for layer, others in includes.MAY_SEE.items():
        arrows |= {(layer, other) for other in others}
        if layer not in ("build", "public"):
            arrows.add((layer, "public"))
    # An arrow that two others make is not drawn.
    plain = [(a, b) for a, b in sorted(arrows)
             if not any((a, c) in arrows and (c, b) in arrows for _, c in arrows)]
    names = {layer: prefix.rstrip("/") for prefix, layer in includes.LAYERS}
    used = sorted({layer for arrow in plain for layer in arrow})
    return "".join([
        "// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only\n",
        "// Generated from MAY_SEE of tests/checks/includes.py: ninja -C build docs-update\n",
        "digraph layers {\n",
        '\tnode [shape=box, style=rounded, fontname="sans-serif", fontsize=11];\n',
        *(f'\t{layer} [label="{names[layer]}"];\n' for layer in used),
        *(f'\t{a} -> {b} [label=""];\n' for a, b in plain), "}\n"])


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
    wanted[root / "docs" / "walkthrough" / "layers.dot"] = layers(root)
    for page in pages(root):
        wanted[page] = fill(page.read_text(encoding="utf-8"), tables, used, page)
    for path, text in wanted.items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if write:
            path.write_text(text, encoding="utf-8")

    count = 0
    for graph in sorted({*wanted, *(root / "docs").rglob("*.dot")}):
        if graph.suffix != ".dot":
            continue
        svg = graph.with_suffix(".svg")
        arrows = graph_arrows(wanted.get(graph) or graph.read_text(encoding="utf-8"))
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
