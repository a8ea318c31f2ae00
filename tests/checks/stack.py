#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""How deep can the library's own stack get, and does anything call itself?

usage: stack.py BUILD_DIR   judge the freestanding archive that lies there
       stack.py --self-test judge small call graphs, right and wrong

GCC writes a call graph with the stack of each function beside each object (-fcallgraph-info).  Here
they become one graph.  It must have no cycle and no frame whose size is known at run time only (no
alloca, no array of variable length), so the deepest path is a matter of adding up, and it must
stay within the budgets below.

A call through a pointer is one of two things: it leaves the library (the HAL, a callback of the
embedder), where the stack is the host's business and counts for nothing here; or it stays inside,
and then INDIRECT names the functions it can reach.  One that no row knows is an error.
"""

import json
import os
import re
import sys

LIBRARIES = {"libsvm-vmm.a.p", "libzydis-vmm.a.p"}

# Bytes on a kernel's stack, from the entry point down.
BUDGETS = {
    "svm_boot_load": 3072,
    "svm_vcpu_run": 4096,
    "svm_insn_decode": 1228,
}

# Of the emulator alone: without what its owner's functions take.
EMULATOR_BUDGETS = {"svm_emulate": 2048}

# The function in assembly: seven pushes, one more for the frame it hides, two calls.
ASSEMBLY = {"svm_world_switch": 96}

# What the kernel brings along.
OUTSIDE = {"memcpy", "memmove", "memset", "memcmp"}

# (the called expression, functions inside that it reaches).
INDIRECT = [
    # The HAL's defaults are the library's own; any of them may stand for any entry.
    (r"\bhal(->|\.)\w+$", r"core/hal_default\.c:"),
    (r"\bcompleted?\.\w+$", r"core/hal_default\.c:"),
    # Callbacks of the embedder, of which the PC's are the library's own.
    (r"\birq\.(pending|accept|tpr_changed|deadline)$", r"platform/pc_irq\.c:pc_"),
    (r"^range->fn$", r"platform/pc_ports\.c:\w+_access$|^svm_pc_hypercall$|channel_calls\.c:channel_call$"),
    (r"^vcpu->presence\.(arrive|leave)$", r"platform/pc_paravirt\.c:pc_(arrive|leave)$"),
    (r"^handler->fn$", r"platform/pc_ports\.c:\w+_msr$"),
    (r"^row->(read|write)$", r"platform/pc_ports\.c:(read|write)_"),
    (r"^(piece->target\.resolve|facts->context->nested|\w->report)$", None),
    (r"^(vcpu->(wake|idle|exit_handler)|config->put|config->on_stuck|policies->filter)$", None),
    # Wires and sinks of devices: they end at a bit that another thread or the next entry looks at.
    (r"\bhost\.(wake|send|eoi)$|^(wire->set|ioapic->send|seat->owner->ring)$", None),
    (r"^(uart->put|ports->sinks\.(put|exit))$", None),
    (r"\bnotice\.ended$", None),
    (r"^device\.(read|write)$", None), # What an embedder put on the PCI bus.
    # Tables of functions in the library.
    (r"^rows\.row\[i\]\.is_broken$", r"core/diagnose/audit_\w+\.c:\w\d\d"),
    (r"^rungs\[i\]$", r"core/diagnose/selftest\.c:rung_"),
    (r"^w->memory->(read|exchange)$", r"core/vcpu/guest_virtual\.c:(read|exchange)_"),
    (r"^families\[i\]$", r"^svm_exec_"),
    (r"^e->ops->\w+$", r"core/vcpu/emulation_ops\.c:emulation_"),
    (r"^w->query$", r"^svm_ring0_cpuid$"),
    (r"^put_leaf$", r"^svm_ring0_cpuid$"), # put_leaf(w, leaf, w->query(leaf, 0))
]

NODE = re.compile(r'^node: \{ title: "(.*?)" label: "(.*?)"')
SIZE = re.compile(r"\\n(\d+) bytes \(([\w,]+)\)")
EDGE = re.compile(r'^edge: \{ sourcename: "(.*?)" targetname: "(.*?)"(?: label: "(.*?):(\d+):(\d+)")?')
CALLEE = re.compile(r"[\w.>\[\]\-]*")


class Graph:
    def __init__(self):
        self.size, self.calls, self.indirect, self.problems = {}, {}, set(), []

    def add(self, lines, unit):
        """Merge one .ci file; a static function's title names its file, and so is unique."""
        for line in lines:
            node, edge = NODE.match(line), EDGE.match(line)
            if node:
                size = SIZE.search(node.group(2))
                if size:
                    self.size[node.group(1)] = int(size.group(1))
                    self.calls.setdefault(node.group(1), set())
                    # "dynamic,bounded": more than the frame, and this is the most.
                    if "dynamic" in size.group(2) and "bounded" not in size.group(2):
                        self.problems.append(f"{node.group(1)}: a frame of no fixed size")
            elif edge and edge.group(2) == "__indirect_call":
                place = (edge.group(3), int(edge.group(4) or 0), int(edge.group(5) or 0))
                self.indirect.add((edge.group(1),) + place)
            elif edge:
                self.calls.setdefault(edge.group(1), set()).add(edge.group(2))
        if not self.size:
            self.problems.append(f"{unit}: no call graph")

    def resolve(self, text_at, rules):
        """Turn calls through pointers into calls of what they reach."""
        for caller, *place in sorted(self.indirect):
            text = text_at(*place)
            for pattern, targets in rules:
                if re.search(pattern, text):
                    if targets:
                        reached = {f for f in self.size if re.search(targets, f)}
                        if not reached:
                            self.problems.append(f"no function is {targets}")
                        self.calls[caller] |= reached
                    break
            else:
                self.problems.append(f"{place[0]}:{place[1]}: {caller} calls '{text}': "
                                     "is it inside or outside?  Add it to INDIRECT")

    def judge(self, roots):
        """Problems, and for each root the deepest path as [(function, bytes)]."""
        deepest, state, problems = {}, {}, list(self.problems)
        for start in self.size:
            stack = [(start, None)]
            while stack:
                function, todo = stack.pop()
                if todo is None:
                    if function in state:
                        continue
                    state[function] = "open"
                    todo = sorted(self.calls.get(function, ()))
                while todo and state.get(todo[-1]) == "done":
                    todo.pop()
                if todo:
                    called = todo[-1]
                    stack.append((function, todo))
                    if state.get(called) == "open":
                        names = [f for f, _ in stack]
                        loop = names[names.index(called):] + [called]
                        problems.append("recursion: " + " -> ".join(loop))
                        todo.pop()
                    else:
                        stack.append((called, None))
                    continue
                below = max((deepest[c] for c in self.calls.get(function, ()) if c in deepest),
                            key=lambda path: sum(s for _, s in path), default=[])
                own = self.size.get(function, ASSEMBLY.get(function))
                if own is None and function not in OUTSIDE:
                    problems.append(f"{function}: its stack is not known")
                deepest[function] = [(function, own or 0)] + below
                state[function] = "done"
        paths = {}
        for root, budget in roots.items():
            if root not in self.size:
                problems.append(f"{root}: no such function")
                continue
            paths[root] = deepest[root]
            total = sum(s for _, s in deepest[root])
            if total > budget:
                problems.append(f"{root}: {total} bytes, {total - budget} more than it may")
        return problems, paths


def source_text(build):
    files = {}

    def text_at(path, line, column):
        full = os.path.normpath(os.path.join(build, path))
        if full not in files:
            with open(full, encoding="utf-8") as file:
                files[full] = file.read().split("\n")
        return CALLEE.match(files[full][line - 1][column - 1:]).group(0)

    return text_at


def from_build(build, rules=INDIRECT):
    graph = Graph()
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        outputs = {command["output"] for command in json.load(file)}
    units = [os.path.join(build, output) for output in sorted(outputs)
             if output.endswith(".c.o") and output.split("/")[-2] in LIBRARIES]
    for unit in units:
        try:
            with open(unit[:-2] + ".ci", encoding="utf-8") as lines:
                graph.add(lines, unit)
        except FileNotFoundError:
            graph.problems.append(f"{unit[:-2]}.ci is missing")
    if not units:
        sys.exit(f"no objects of the archive below {build}")
    graph.resolve(source_text(build), rules)
    return graph


GOOD = """
node: { title: "run" label: "run\\na.c:1:1\\n100 bytes (static)\\n0 dynamic objects" }
node: { title: "leaf" label: "leaf\\na.c:9:1\\n8 bytes (static)\\n0 dynamic objects" }
node: { title: "b.c:row" label: "row\\nb.c:2:1\\n40 bytes (static)\\n0 dynamic objects" }
node: { title: "memcpy" label: "memcpy\\nc.h:3:1" shape : ellipse }
edge: { sourcename: "run" targetname: "leaf" label: "a.c:3:1" }
edge: { sourcename: "run" targetname: "memcpy" label: "a.c:4:1" }
edge: { sourcename: "run" targetname: "__indirect_call" label: "a.c:5:1" }
edge: { sourcename: "b.c:row" targetname: "leaf" label: "b.c:3:1" }
"""

# What to add to the good graph, and what must then be said.
BAD = [
    ('edge: { sourcename: "leaf" targetname: "leaf" label: "a.c:9:1" }', "recursion"),
    ('edge: { sourcename: "leaf" targetname: "run" label: "a.c:9:1" }', "recursion"),
    # Through the pointer: run calls row, and row calls run.
    ('edge: { sourcename: "b.c:row" targetname: "run" label: "b.c:9:1" }', "recursion"),
    ('edge: { sourcename: "leaf" targetname: "printf" label: "a.c:9:1" }', "not known"),
    ('edge: { sourcename: "leaf" targetname: "__indirect_call" label: "a.c:6:1" }', "INDIRECT"),
    ('node: { title: "v" label: "v\\na.c:1:1\\n16 bytes (dynamic)\\n1 dynamic" }', "no fixed"),
    ('node: { title: "leaf" label: "leaf\\na.c:9:1\\n9 bytes (static)\\n0" }', "1 more than"),
]


def self_test():
    rules = [(r"^table\.row$", r"b\.c:row")]
    text = {5: "table.row", 6: "unheard->of"}
    wrong = 0
    for addition, expected in [("", None)] + BAD:
        graph = Graph()
        graph.add(GOOD.split("\n") + [addition], "test")
        graph.resolve(lambda path, line, column: text[line], rules)
        problems, paths = graph.judge({"run": 148})
        if expected:
            right = len(problems) == 1 and expected in problems[0]
        else:
            right = not problems and [f for f, _ in paths["run"]] == ["run", "b.c:row", "leaf"]
        if not right:
            print(f"{addition}: {problems} {paths}")
            wrong += 1
    print(f"{len(BAD) + 1 - wrong} of {len(BAD) + 1} graphs judged right")
    return bool(wrong)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    graph = from_build(sys.argv[1])
    problems, paths = graph.judge(BUDGETS)
    alone = from_build(sys.argv[1], [(p, None if "e->ops" in p else t) for p, t in INDIRECT])
    problems_alone, paths_alone = alone.judge(EMULATOR_BUDGETS)
    problems += problems_alone
    for root, path in {**paths, **paths_alone}.items():
        total = sum(size for _, size in path)
        print(f"{root}: {total} of {({**BUDGETS, **EMULATOR_BUDGETS})[root]} bytes")
        for function, size in path:
            print(f"  {size:6} {function.split('/')[-1]}")
    for problem in sorted(set(problems)):
        print(problem)
    print(f"{len(graph.size)} functions, {len(graph.indirect)} calls through pointers, "
          f"{len(set(problems))} problems")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
