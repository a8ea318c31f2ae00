#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Who declares, implements and calls what crosses an interface, read out of the source.

usage: cross_table.py --self-test   the module is generate.py's

No compiler is asked, so that the tables need no build; what makes reading possible are rules of the
house, which other checks hold: a function begins and ends in the first column, and no name has two
meanings in the library (tests/checks/one_file.py).

A call through a pointer is told by the type of the structure it is in.  Whether an entry that may
sleep can be reached from a call that may not is answered on the safe side: a function whose address
is taken counts as called from the run path, where the library calls back.
"""

import functools
import pathlib
import re
import sys
import tempfile

COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.S)
FUNCTION = re.compile(r"^(?P<head>[A-Za-z_][\w \t*]*?[ \t*])(?P<name>\w+)"
                      r"\((?P<arguments>[^;{}]*?)\)\s*\n\{\n(?P<body>.*?)^\}", re.S | re.M)
PROTOTYPE = re.compile(r"/\*\*(?P<doc>(?:(?!\*/).)*?)\*/\s*(?:SVM_MUST_CHECK )?[a-z][\w \t*]*?"
                       r"[ \t*](?P<name>svm_\w+)\((?P<arguments>[^;{}]*?)\);", re.S)
POINTER = re.compile(r"(?P<result>[\w *]+?)\s*\(\*(?P<name>\w+)\)\((?P<arguments>[^;]*?)\);", re.S)
MEMBER = re.compile(r"^\s*(?:const )?(?P<type>(?:struct |enum )?\w+)[ *]+(?:const )?(?P<name>\w+)"
                    r"(?:\[[^\]]*\])?(?:, \*?\w+)*;", re.M)
CALL = re.compile(r"\b(?P<base>\w+)(?P<chain>(?:(?:->|\.)\w+(?:\[[^\]]*\])?)*)(?:->|\.)"
                  r"(?P<name>\w+)\(")

INITIALIZER = re.compile(r"\bstruct (\w+)(?:[^;{}()]*=\s*|\)\s*)\{")
SETTER = re.compile(r"_(?:init|create|attach|add|handler|set_\w+|audit)$")


def blank(text):
    """Without comments and strings, with the same lines."""
    return COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def types_of(result, arguments):
    """Types of a function: its result's and its parameters', without names."""
    types = [re.sub(r"\b(?:static|inline|const)\b|\s", "", result)]
    for argument in " ".join(arguments.split()).split(","):
        argument = argument.strip()
        name = re.search(r"\w+$", argument)
        types.append(argument[:name.start()].replace(" ", "") if name else argument)
    return types


class Function:
    def __init__(self, match, path):
        self.name, self.path = match["name"], path
        self.types = types_of(match["head"], match["arguments"])
        self.body = match["body"]
        self.text = match["arguments"] + ";" + match["body"]

    def type_of(self, variable):
        """Name of the structure that a parameter or local variable is or points to."""
        found = re.search(rf"\bstruct (\w+) (?:\*+|const )*(?:\w+(?: = [^,;]*)?, \*?)*{variable}\b",
                          self.text)
        return found[1] if found else None


# It stands between caller and called under the same names, and is neither.
RECORDER = {pathlib.PurePath("src/capture"), pathlib.PurePath("include/libsvm/capture.h")}


class Source:
    """Functions and structures below some folders."""

    def __init__(self, root, folders):
        self.files = {}
        for folder in folders:
            for path in sorted((root / folder).rglob("*.[ch]")):
                name = path.relative_to(root)
                if not RECORDER & {name, *name.parents}:
                    self.files[name] = path.read_text(encoding="utf-8")
        self.functions, self.structs, self.public = {}, {}, set()
        self.taken = {}     # {function: files that name it without calling it}
        self.assigned = {}  # {member: {(function that it is set to, structure if that is seen)}}
        self.passed = {}    # {function: names among the arguments of its calls}
        for path, text in self.files.items():
            self.read(path, blank(text))

    def read(self, path, text):
        for match in FUNCTION.finditer(text):
            self.functions.setdefault(match["name"], Function(match, path))
        for name, body in structs_in(text):
            self.structs.setdefault(name, {m["name"]: m["type"].removeprefix("struct ")
                                           for m in MEMBER.finditer(body)})
            if path.parts[0] == "include":
                self.public.add(name)
            for pointer in POINTER.finditer(body):
                self.structs[name][pointer["name"]] = f"{name}.{pointer['name']}"
        for name in re.findall(r"\b(\w+)\b(?!\s*\()", text):
            self.taken.setdefault(name, set()).add(path)
        for match in re.finditer(r"(?:\.|->)(\w+) = (\w+)\b", text):
            outer = INITIALIZER.findall(text[max(0, match.start() - 2000):match.start()])
            inside = outer[-1] if outer and text[match.start() - 1] in " \t\n{" else None
            self.assigned.setdefault(match[1], set()).add((match[2], inside))
        for name, arguments in re.findall(r"\b(svm_\w+)\(([^;{}]*?)\)[;) ]", text):
            self.passed.setdefault(name, set()).update(re.findall(r"\w+", arguments))

    def callers(self):
        """{callee: callers}; who mentions a function may call it."""
        result = {name: set() for name in self.functions}
        for name, function in self.functions.items():
            for word in set(re.findall(r"\b\w+\b", function.body)):
                if word in result and word != name:
                    result[word].add(name)
        return result

    def pointer_calls(self):
        """{type of pointer: names of functions that call through one}."""
        pointers = {member for members in self.structs.values() for member, kind in members.items()
                    if "." in kind or kind.endswith("_fn")}
        result = {}
        for name, function in self.functions.items():
            for call in CALL.finditer(function.body):
                if call["name"] not in pointers:
                    continue
                kind = self.member_of(function.type_of(call["base"]), call["chain"], call["name"])
                if not kind and re.search(r"\bhal$", call["base"] + call["chain"]):
                    kind = f"svm_hal.{call['name']}"
                if kind:
                    result.setdefault(kind, set()).add(name)
        return result

    def member_of(self, kind, chain, last):
        """Type of the last member; members of a union within a structure are the structure's."""
        for member in re.findall(r"(?:->|\.)(\w+)", chain):
            kind = self.structs.get(kind, {}).get(member, kind)
        return self.structs.get(kind, {}).get(last)


def structs_in(text):
    """(name, body) of each structure of the file, those within another left in the outer one."""
    for match in re.finditer(r"^struct (\w+) \{\n(.*?)^\}", text, re.S | re.M):
        yield match[1], match[2]


# --- contexts, as the headers state them ----------------------------------------------------------

LETTER = re.compile(r"@par Context\s*\*?\s*(T|A|I|Any|Before)\b|\bContext:? (T|A|I)\b"
                    r"|(?<![\w.])(T|A|I|Any context|Any thread)(?=[.;,:])")


def context_of(doc, contexts, default):
    found = LETTER.search(doc)
    if found:
        letter = next(group for group in found.groups() if group)
        return letter if letter in ("T", "A", "I") else "any"
    other = re.search(r"\bAs (svm_\w+)\(\)", doc)
    return contexts.get(other[1], default) if other else default


def public_contexts(root):
    """{public function: T, A, I or any}."""
    contexts = {}
    for path in sorted((root / "include/libsvm").rglob("*.h")):
        text = path.read_text(encoding="utf-8")
        default = "T" if "says otherwise: context T" in text else "any"
        for match in PROTOTYPE.finditer(text):
            contexts[match["name"]] = context_of(match["doc"], contexts, default)
    return contexts


def public_pointers(root):
    """(name, header, comments, types) of each pointer to a function in the public headers."""
    result = []
    for path in sorted((root / "include/libsvm").rglob("*.h")):
        if path.relative_to(root) in RECORDER:
            continue
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"/\*\*((?:(?!\*/).)*?)\*/\s*typedef ([^;(]*)\(\*(\w+)\)"
                                 r"\((.*?)\);", text, re.S):
            result.append((match[3], path, match[1], types_of(match[2], match[4])))
        for name, body in structs_in(text):
            whole = re.search(rf"/\*\*((?:(?!\*/).)*?)\*/\s*struct {name} \{{", text, re.S)
            for pointer in POINTER.finditer(body):
                before = re.findall(r"/\*\*(.*?)\*/", body[:pointer.start()], re.S)[-1:]
                after = re.match(r"[ \t]*/\*\*<(.*?)\*/", body[pointer.end():], re.S)
                docs = [after[1] if after else "", *before, whole[1] if whole else ""]
                result.append((f"{name}.{pointer['name']}", path, " ".join(docs),
                               types_of(pointer["result"], pointer["arguments"])))
    return result


# --- tables ----------------------------------------------------------------------------------------

class Cross:
    def __init__(self, root):
        self.root = root
        self.library = Source(root, ["include", "src"])
        self.ports = {folder.name: Source(root, [f"ports/{folder.name}"])
                      for folder in sorted((root / "ports").iterdir())
                      if folder.is_dir() and list(folder.glob("*.[ch]"))}
        self.contexts = public_contexts(root)
        self.contexts["svm_vcpu_run"] = "A"  # its caller may sleep; what it calls may not
        self.callers = self.library.callers()
        self.calls = self.library.pointer_calls()

    def reached_in(self, name):
        """Contexts in which a function of the library may run: {context: a witness}."""
        found, todo, seen = {}, [name], {name}
        while todo:
            here = todo.pop()
            if here in self.contexts:
                found.setdefault(self.contexts[here], here)
            elif self.is_called_back(here):
                found.setdefault("A", here)
            for caller in sorted(self.callers.get(here, set()) - seen):
                seen.add(caller)
                todo.append(caller)
        return found

    def is_called_back(self, name):
        """The ladder's rungs stand in a table too, but svm_selftest() climbs it."""
        return any(path.parent.name != "diagnose" for path in self.library.taken.get(name, ()))

    def called_by(self, kind):
        """A cell of direct callers, and {context: (public function, caller)}.

        Not of the checks of ports, which call everything.
        """
        checks = r"/hal_check(?:ed)?[.]" + (r"|/diagnose/" if kind.startswith("svm_hal.") else "")
        names = [name for name in sorted(self.calls.get(kind, set()))
                 if not re.search(checks, str(self.library.functions[name].path))]
        by_file = {}
        for name in names:
            by_file.setdefault(self.library.functions[name].path, []).append(f"`{name}()`")
        cell = "; ".join(f"`{path}`: {', '.join(here)}" for path, here in sorted(by_file.items()))
        reached = {}
        for name in names:
            for context, witness in self.reached_in(name).items():
                reached.setdefault(context, (witness, name))
        return cell or "nowhere yet", reached

    def implementations(self, source, kind, types):
        """Functions of these files that are given as such a callback."""
        struct, _, member = kind.rpartition(".")
        if struct:
            given = {name for name, inside in source.assigned.get(member, ())
                     if not inside or self.holds(inside, struct)}
        else:
            given = set(source.taken)
        for giver in self.givers(kind):
            given |= source.passed.get(giver, set())
        fits = {name for name, function in source.functions.items() if function.types == types}
        given &= fits
        # Those in a plain initializer have no assignment; few arguments would tell too little.
        if not given and len(types) > 3 and struct != "svm_hal":
            given = (fits & set(source.taken)) - {name for set_to in source.assigned.values()
                                                  for name, _ in set_to}
        return "; ".join(f"`{name}()` in `{source.functions[name].path}`" for name in sorted(given))

    def holds(self, outer, inner, depth=3):
        """Is one structure the other, or does it have one in it?"""
        kinds = self.library.structs.get(outer, {}).values()
        return outer == inner or depth > 0 and any(self.holds(kind, inner, depth - 1)
                                                   for kind in kinds if kind != outer)

    def hal_rows(self):
        header = (self.root / "include/libsvm/hal.h").read_text(encoding="utf-8")
        mandatory = header[:header.index("--- optional")]
        for kind, _, doc, types in public_pointers(self.root):
            struct, _, entry = kind.partition(".")
            if struct == "svm_hal":
                yield kind, entry, doc, types, f"(*{entry})" in mandatory

    def hal_table(self):
        lines = ["| entry | | context | called by | in a call of context | "
                 + " | ".join(self.ports) + " |", "| --- " * (len(self.ports) + 5) + "|"]
        for kind, entry, doc, types, is_mandatory in self.hal_rows():
            cell, reached = self.called_by(kind)
            here = [self.implementations(source, kind, types) or "default"
                    for source in self.ports.values()]
            lines.append(f"| `{entry}` | {'mandatory' if is_mandatory else 'optional'} "
                         f"| {context_of(doc, {}, '?')} | {cell} | {', '.join(sorted(reached))} | "
                         + " | ".join(here) + " |")
        return "\n".join(lines) + "\n"

    @functools.cache
    def givers(self, kind):
        """Public functions that take the callback, or a structure with it; of several, setters."""
        struct, _, member = kind.partition(".")
        holders = [rf"struct {struct} \*"] if member else [rf"\b{kind}\b"]
        holders += [rf"struct {name} \*" for name in sorted(self.library.public)
                    if (struct if member else kind) in self.library.structs[name].values()]
        found = set()
        for path, text in self.library.files.items():
            if path.parts[0] != "include":
                continue
            for match in PROTOTYPE.finditer(text):
                if any(re.search(holder, match["arguments"]) for holder in holders):
                    found.add(match["name"])
        return sorted({name for name in found if SETTER.search(name)} or found)

    def callback_table(self):
        lines = ["| callback | declared in | context | given to | called by | the library's own | "
                 + " | ".join(self.ports) + " |", "| --- " * (len(self.ports) + 6) + "|"]
        for kind, path, doc, types in public_pointers(self.root):
            if kind.startswith("svm_hal."):
                continue
            cell, _ = self.called_by(kind)
            givers = ", ".join(f"`{name}()`" for name in self.givers(kind))
            here = [self.implementations(source, kind, types)
                    for source in [self.library, *self.ports.values()]]
            lines.append(f"| `{kind}` | `{path.relative_to(self.root)}` "
                         f"| {context_of(doc, {}, 'its caller')} | {givers} | {cell} | "
                         + " | ".join(here) + " |")
        return "\n".join(lines) + "\n"

    def complaints(self):
        """Entries that may sleep, and calls that may not and could reach them."""
        for kind, entry, doc, _, _ in self.hal_rows():
            context = context_of(doc, {}, "?")
            if context == "?":
                yield f"svm_hal.{entry}: its comment names no context"
            _, reached = self.called_by(kind)
            if context == "T":
                for wrong in ("A", "I"):
                    if wrong in reached:
                        yield (f"svm_hal.{entry} is T, but {reached[wrong][1]}() calls it and "
                               f"{reached[wrong][0]}(), which is {wrong}, leads there")


# --- a small tree with one mistake at a time -------------------------------------------------------

SAMPLE = {
    "include/libsvm/hal.h": """struct svm_hal {
	/** @brief Get one. T. */
	void *(*take)(void *ctx);
	/* --- optional --- */
	/** @brief Tell. I. */
	void (*tell)(void *ctx);
};
/** @brief A device. Context A. */
typedef int (*svm_port_fn)(void *arg, int value);
/** @brief Make. @par Context
 * T. */
int svm_make(struct svm_hal *hal, svm_port_fn fn);
/** @brief Run. @par Context
 * T, pinned. */
int svm_vcpu_run(struct svm_hal *hal);
""",
    "src/core/a.c": """struct device {
	svm_port_fn fn;
};
static void *take_one(struct svm_hal *hal)
{
	return hal->take(hal->ctx);
}
int svm_make(struct svm_hal *hal, svm_port_fn fn)
{
	return take_one(hal) != 0;
}
static int enter(struct device *device)
{
	return device->fn(0, 1);
}
int svm_vcpu_run(struct svm_hal *hal)
{
	hal->tell(hal->ctx);
	return enter(0);
}
""",
    "ports/mine/hal.c": """static void *my_take(void *ctx)
{
	return 0;
}
static int my_port(void *arg, int value)
{
	return value;
}
static const struct svm_hal table = { .abi = 1, .take = my_take };
int start(void)
{
	return svm_make(0, my_port);
}
""",
}
ROWS = [
    "| `take` | mandatory | T | `src/core/a.c`: `take_one()` | T | `my_take()` in `ports/mine/hal.c` |",
    "| `tell` | optional | I | `src/core/a.c`: `svm_vcpu_run()` | A | default |",
    "| `svm_port_fn` | `include/libsvm/hal.h` | A | `svm_make()` | `src/core/a.c`: `enter()` |  | "
    "`my_port()` in `ports/mine/hal.c` |",
]
MISTAKES = [
    ("src/core/a.c", "return enter(0);", "return take_one(hal) != 0;"),
    ("src/core/a.c", "device->fn(0, 1)", "take_one(0) != 0"),
    ("include/libsvm/hal.h", "Tell. I.", "Tell."),
]


def judge(folder, mistake):
    for path, text in SAMPLE.items():
        if mistake and mistake[0] == path:
            text = text.replace(mistake[1], mistake[2], 1)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    cross = Cross(folder)
    return cross.hal_table() + cross.callback_table(), list(cross.complaints())


def self_test():
    wrong = []
    for mistake in [None] + MISTAKES:
        with tempfile.TemporaryDirectory() as folder:
            table, complaints = judge(pathlib.Path(folder), mistake)
        if len(complaints) != bool(mistake):
            wrong.append(f"{mistake}: {complaints}")
        if not mistake:
            wrong += [f"no row {row} in\n{table}" for row in ROWS if row + "\n" not in table]
    print("\n".join(wrong))
    print(f"{1 + len(MISTAKES)} trees, {len(wrong)} judged wrong")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(self_test() if sys.argv[1:] == ["--self-test"] else __doc__)
