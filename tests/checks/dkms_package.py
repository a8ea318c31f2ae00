#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Hold the Debian package of the module against what DKMS, udev and modprobe will look for.

usage: dkms_package.py PACKAGE VERSION    complain of what is missing or should not be there
       dkms_package.py --self-test PACKAGE VERSION
                                          take away or spoil each of these and see what is said

Whether the module compiles is no question of the package: that its sources are all there is, down
to each header that a file of the module names.
"""

import io
import os
import re
import subprocess
import sys
import tarfile

DEVICE_RULE = "usr/lib/udev/rules.d/60-libsvm.rules"
MODPROBE = "etc/modprobe.d/libsvm.conf"
INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<((?:libsvm|Zydis|Zycore)/[^>]+)>)',
                     re.MULTILINE)
WORK_FILES = re.compile(r"\.(o|ko|cmd|mod|order|symvers)$|/(meson\.build|debian|stage|package)$")


def listing(package, option):
    """Members of one of the package's archives: name without "./" -> (TarInfo, bytes)."""
    data = subprocess.run(["dpkg-deb", option, package], check=True, stdout=subprocess.PIPE).stdout
    files = {}
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            body = archive.extractfile(member).read() if member.isfile() else b""
            files[member.name.removeprefix("./")] = (member, body)
    return files


def fields(control):
    return dict(re.findall(r"^([A-Za-z-]+): (.*)$", control, re.MULTILINE))


def check_control(control, version):
    found = fields(control["control"][1].decode())
    wanted = {"Package": "libsvm-dkms", "Version": version, "Architecture": "all"}
    for name, value in wanted.items():
        if found.get(name) != value:
            yield f"{name} is {found.get(name)} and not {value}"
    if not re.search(r"\bdkms\b", found.get("Depends", "")):
        yield "it does not depend on dkms"
    if not re.fullmatch(r"[^<>@]+ <[^<>@\s]+@(?!example\b)[^<>@\s]+>", found.get("Maintainer", "")):
        yield f"nobody is there at {found.get('Maintainer')}"
    if b"/" + MODPROBE.encode() not in control.get("conffiles", (None, b""))[1]:
        yield f"{MODPROBE} is not marked as a configuration file"
    for script in ("postinst", "prerm"):
        if b"dkms" not in control.get(script, (None, b""))[1]:
            yield f"{script} does not tell DKMS"


def check_members(files):
    for name, (member, body) in files.items():
        if member.issym() or member.islnk():
            yield f"{name} is a link"
        if (member.uname, member.gname) != ("root", "root"):
            yield f"{name} is not root's"
        if member.mode & 0o7022:
            yield f"{name} has mode {member.mode:o}"
        if WORK_FILES.search(name):
            yield f"{name} is of no use there"
        if member.isfile() and not body:
            yield f"{name} is empty"


def check_parts(files, sources, version):
    wanted = {
        DEVICE_RULE: b'KERNEL=="libsvm"',
        MODPROBE: b"\nblacklist kvm_amd",
        sources + "dkms.conf": f'PACKAGE_VERSION="{version}"'.encode(),
        sources + "Kbuild": b"obj-m := libsvm.o",
        "usr/share/doc/libsvm-dkms/copyright": b"Florian Bernd",
    }
    for name, text in wanted.items():
        if text not in files.get(name, (None, b""))[1]:
            yield f"{name} does not say {text.decode().strip()}"


def objects(files, sources):
    """Paths of the module's objects, as Kbuild will have them."""
    listed = files.get(sources + "objects.mk", (None, b""))[1].decode()
    kbuild = files.get(sources + "Kbuild", (None, b""))[1].decode()
    found = re.findall(r"\S+\.o\b", listed)
    port = re.search(r"^port-y := (.*?[^\\])$", kbuild, re.MULTILINE | re.DOTALL)
    names = re.findall(r"\S+\.o\b", port.group(1) if port else "")
    return found + ["ports/linux-kmod/" + name for name in names]


def check_sources(files, sources):
    folders = ["", "include/", "src/", "zydis/include/", "zydis/shim/", "zydis/src/"]
    names = objects(files, sources)
    if len(names) < 100:
        yield f"{len(names)} objects: it cannot be all"
    todo = []
    for name in names:
        source = [name[:-1] + suffix for suffix in "cS" if sources + name[:-1] + suffix in files]
        if not source:
            yield f"nothing to make {name} from"
        todo += source
    seen = set(todo)
    while todo:
        name = todo.pop()
        here = os.path.dirname(name) + "/"
        for quoted, angled in INCLUDE.findall(files[sources + name][1]):
            header = (quoted or angled).decode()
            places = [os.path.normpath(folder + header) for folder in [here, *folders]]
            found = next((place for place in places if sources + place in files), None)
            if not found:
                yield f"{name} includes {header}, which is not there"
            elif found not in seen:
                seen.add(found)
                todo.append(found)


def complaints(control, files, version):
    sources = f"usr/src/libsvm-{version}/"
    yield from check_control(control, version)
    yield from check_members(files)
    yield from check_parts(files, sources, version)
    yield from check_sources(files, sources)


def self_test(control, files, version):
    """Each of these is noticed: a member that is gone, and one that is another."""
    sources = f"usr/src/libsvm-{version}/"
    gone = [DEVICE_RULE, MODPROBE, sources + "dkms.conf", sources + "ports/linux-kmod/hal.c",
            sources + "src/hal/world_switch.S", sources + "include/libsvm/vcpu.h",
            sources + "src/core/vcpu/exits.h", sources + "zydis/src/Decoder.c"]
    unnoticed = [name for name in gone if not list(complaints(
        control, {n: f for n, f in files.items() if n != name}, version))]
    member, body = control["control"]
    for text in (b"A <a@example.org>", b"A"):
        spoilt = re.sub(rb"(?m)^Maintainer: .*$", b"Maintainer: " + text, body)
        if not list(complaints(control | {"control": (member, spoilt)}, files, version)):
            unnoticed.append(f"maintainer {text.decode()}")
    for name in ("postinst", "prerm", "conffiles"):
        if not list(complaints({n: f for n, f in control.items() if n != name}, files, version)):
            unnoticed.append(name)
    link = tarfile.TarInfo("link")
    link.type, link.uname, link.gname = tarfile.SYMTYPE, "root", "root"
    if not list(complaints(control, files | {"link": (link, b"")}, version)):
        unnoticed.append("a link")
    if not list(complaints(control, files, version + "9")):
        unnoticed.append("another version")
    return [f"it was not noticed: {what}" for what in unnoticed]


def main(arguments):
    testing = arguments[:1] == ["--self-test"]
    package, version = arguments[testing:]
    control = listing(package, "--ctrl-tarfile")
    files = listing(package, "--fsys-tarfile")
    check = self_test if testing else complaints
    found = list(check(control, files, version))
    for text in found:
        print(text)
    print(f"{len(files)} members, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
