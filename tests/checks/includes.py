#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Hold every #include line of the tree against the one direction that dependencies may point.

    capture, platform, boot -> core -> emulate, hal headers -> include/libsvm

usage: includes.py ROOT          check the tree
       includes.py --self-test   plant each kind of mistake and see that it is found
"""

import os
import re
import sys
import tempfile

FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h"}

# What the emulator may know of the contract: addresses and errors, nothing of SVM.
EMULATE_PUBLIC = {"libsvm/error.h", "libsvm/types.h"}

# The decoder, and a program that prints instructions, with its host's Zydis.
SEES_ZYDIS = {"src/emulate/insn.c", "ports/hosted/tools/disassemble.c"}

# Layer of a file by its path, most specific first; None: not held to anything.
LAYERS = [
    ("include/libsvm/", "public"),
    ("src/emulate/", "emulate"),
    ("src/hal/", "hal"),
    ("src/core/", "core"),
    ("src/platform/", "platform"),
    ("src/boot/", "boot"),
    ("src/capture/", "capture"),
    ("src/", "build"),
    ("ports/", "port"),
    ("examples/", "example"),
]

# From a layer of src/, the layers whose headers it may include besides its own and the public ones.
MAY_SEE = {
    "public": set(),
    "emulate": set(),
    "hal": set(),
    "core": {"emulate", "hal"},
    "platform": {"core", "emulate", "hal"},
    "boot": {"core", "emulate", "hal"},
    "capture": {"core", "emulate", "hal"},
    "build": set(),
}

INCLUDE = re.compile(r'^\s*#\s*include(?:_next)?\s*(.*?)\s*(?:/[/*].*)?$')


def layer_of(path):
    for prefix, layer in LAYERS:
        if path.startswith(prefix):
            return layer
    return None


def owner_of(path):
    """The folder that a port or an example may look around in: ports/NAME, examples."""
    parts = path.split("/")
    return "/".join(parts[:2]) if parts[0] == "ports" else parts[0]


def resolve(root, path, name):
    """The file that a quoted include means: beside its user, or from src/."""
    for candidate in (os.path.join(os.path.dirname(path), name), os.path.join("src", name)):
        candidate = os.path.normpath(candidate)
        if os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def judge_system(path, layer, name):
    """Judge #include <name>; the complaint, or None."""
    if name.startswith("libsvm/"):
        if layer == "emulate" and name not in EMULATE_PUBLIC:
            return "the emulator knows no SVM: of the contract only addresses and errors"
        return None
    if name.startswith("Zydis/"):
        if path in SEES_ZYDIS:
            return None
        return "only src/emulate/insn.c sees Zydis"
    if layer in MAY_SEE and name not in FREESTANDING:
        return "the library needs no libc: only stdbool.h, stddef.h and stdint.h"
    return None


def judge_quoted(root, path, layer, name):
    """Judge #include "name"; the complaint, or None."""
    target = resolve(root, path, name)
    if layer == "public":
        return "a public header includes others as <libsvm/...>"
    if target is None:
        # A port's host may have it, and a build may generate it.
        return None if layer in ("port", "example") else "no such file beside it or in src/"
    if layer in ("port", "example"):
        if owner_of(target) == owner_of(path):
            return None
        if path.startswith("ports/hosted/") and layer_of(target) == "hal":
            return None
        return "a port or example includes <libsvm/...> and its own files only"
    seen = layer_of(target)
    if seen == layer or seen in MAY_SEE[layer]:
        return None
    return f"{layer} may not see {seen or target.split('/')[0]}"


def judge(root, path, line):
    match = INCLUDE.match(line)
    layer = layer_of(path)
    if not match or layer is None:
        return None
    what = match.group(1)
    if what.startswith("<") and what.endswith(">"):
        return judge_system(path, layer, what[1:-1])
    if what.startswith('"') and what.endswith('"'):
        return judge_quoted(root, path, layer, what[1:-1])
    # The world switch lets a host put its own instructions around it.
    return None if layer == "hal" else "an include whose name is a macro cannot be checked"


def check(root):
    """(number of include lines, complaints) of the tree at root."""
    count, complaints = 0, []
    for top in ("include", "src", "ports", "examples"):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if not name.endswith((".c", ".h", ".S")):
                    continue
                full = os.path.join(folder, name)
                path = os.path.relpath(full, root)
                with open(full, encoding="utf-8") as text:
                    for number, line in enumerate(text, 1):
                        count += bool(INCLUDE.match(line))
                        complaint = judge(root, path, line.rstrip("\n"))
                        if complaint:
                            complaints.append(f"{path}:{number}: {line.strip()}: {complaint}")
    return count, complaints


GOOD = {
    "include/libsvm/vm.h": "#include <libsvm/types.h>\n#include <stdint.h>\n",
    "src/emulate/insn.h": "#include <stdint.h>\n",
    "src/emulate/insn.c": '#include "emulate/insn.h"\n#include <Zydis/Decoder.h>\n',
    "src/hal/ring0.h": "#include <libsvm/types.h>\n",
    "src/hal/switch.S": "#include SVM_SWITCH_PROLOGUE\n",
    "src/core/vm.c": '#include "emulate/insn.h"\n#include "hal/ring0.h"\n#include <libsvm/vm.h>\n',
    "src/core/vm.h": "",
    "src/platform/pic.c": '#include "core/vm.h"\n',
    "ports/hosted/model.c": '#include <libsvm/vm.h>\n#include "hal/ring0.h"\n#include <stdio.h>\n',
    "ports/baremetal/main.c": '#include <libsvm/vm.h>\n#include "main.h"\n',
    "ports/baremetal/main.h": "",
    "examples/first.c": "#include <libsvm/libsvm.h>\n#include <stdio.h>\n",
}

BAD = [
    ("include/libsvm/bad.h", "#include <string.h>"),
    ("include/libsvm/bad.h", '#include "types.h"'),
    ("include/libsvm/bad.h", '#include "core/vm.h"'),
    ("src/emulate/bad.c", '#include "core/vm.h"'),
    ("src/emulate/bad.c", "#include <libsvm/vm.h>"),
    ("src/emulate/bad.c", "#include <Zydis/Zydis.h>"),
    ("src/hal/bad.c", '#include "core/vm.h"'),
    ("src/hal/bad.c", '#include "emulate/insn.h"'),
    ("src/core/bad.c", '#include "../platform/pic.h"'),
    ("src/core/bad.c", "#include <stdlib.h> /* for once */"),
    ("src/core/bad.c", "# include <Zydis/Decoder.h>"),
    ("src/core/bad.c", "#include NAME"),
    ("src/core/bad.c", '#include "../../ports/baremetal/main.h"'),
    ("ports/baremetal/bad.c", '#include "hal/ring0.h"'),
    ("ports/baremetal/bad.c", '#include "../../src/core/vm.h"'),
    ("ports/hosted/bad.c", '#include "core/vm.h"'),
    ("ports/hosted/bad.c", '#include "../baremetal/main.h"'),
    ("examples/bad.c", '#include "core/vm.h"'),
]


def write(root, path, text):
    os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
    with open(os.path.join(root, path), "w", encoding="utf-8") as file:
        file.write(text)


def self_test():
    failures = []
    for bad in [None] + BAD:
        with tempfile.TemporaryDirectory() as root:
            for path, text in GOOD.items():
                write(root, path, text)
            write(root, "src/platform/pic.h", "")
            if bad:
                write(root, bad[0], bad[1] + "\n")
            _, complaints = check(root)
            if len(complaints) != (1 if bad else 0):
                failures.append(f"{bad}: {complaints}")
    for failure in failures:
        print(failure)
    print(f"{len(BAD) + 1 - len(failures)} of {len(BAD) + 1} trees judged right")
    return bool(failures)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--self-test":
        sys.exit(self_test())
    count, complaints = check(sys.argv[1])
    if count == 0:
        sys.exit(f"no include line below {sys.argv[1]}")
    for complaint in complaints:
        print(complaint)
    print(f"{count} include lines, {len(complaints)} against the direction")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
