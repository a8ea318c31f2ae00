#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Every function of the interface is recorded, or known to change nothing.

usage: calls_test.py ROOT          check the headers against src/capture/format.h
       calls_test.py --self-test   plant mistakes and see that they are found

One that is neither would make a replay differ for no reason that anybody sees.
"""

import pathlib
import re
import sys

HEADERS = ["host.h", "vm.h", "vcpu.h"]
PROTOTYPE = re.compile(r"^(?:SVM_MUST_CHECK )?[a-z]\w*(?: \w+)* \**svm_(\w+)\(([^;{]*)\);", re.M)
RECORDED = re.compile(r"^\t[CVASO]\d?\((\w+), ", re.M)

# They read, or write what the caller gave; state that the library acts upon stays as it is.  What
# writes guest memory is seen in the pages that are read afterwards.
CHANGE_NOTHING = {
    "cpuid_default", "cpuid_set_topology", "features_probe", "hal_missing_entry",
    "host_set_direct_map",
    "vcpu_deadline", "vcpu_get_msr", "vcpu_get_xsave", "vcpu_has_event", "vcpu_read",
    "vcpu_set_wake", "vcpu_translate", "vcpu_write", "vm_dirty_fetch", "vm_query", "vm_read",
    "vm_test_young", "vm_write", "feature_name", "vm_state_name", "vm_state_allowed", "vcpu_state_name",
    "vcpu_state_allowed",
}

# Without effect on what is recorded.
LEFT_OUT = {"vcpu_set_exit_handler", "vcpu_set_idle", "vm_clear_young"}


def complaints(headers, table):
    declared = {match[1]: match[2] for match in PROTOTYPE.finditer(headers)}
    recorded = set(RECORDED.findall(table))
    for name, arguments in sorted(declared.items()):
        is_query = re.match(r"const struct svm_(host|vm|vcpu) \*", arguments)
        if name in recorded or name in CHANGE_NOTHING | LEFT_OUT or is_query:
            continue
        yield f"svm_{name}() is neither recorded nor said to change nothing"
    for name in sorted(recorded - set(declared)):
        yield f"svm_{name}() is recorded and not declared"
    for name in sorted((CHANGE_NOTHING | LEFT_OUT) - set(declared)):
        yield f"svm_{name}() is said to change nothing and not declared"


def read(root):
    headers = "".join((root / "include/libsvm" / name).read_text(encoding="utf-8")
                      for name in HEADERS)
    return headers, (root / "src/capture/format.h").read_text(encoding="utf-8")


def self_test(root):
    headers, table = read(root)
    wrong = 0
    for changed in ((headers + "void svm_vcpu_new(struct svm_vcpu *vcpu);\n", table),
                    (headers.replace("svm_vcpu_kick(", "svm_vcpu_kicked("), table),
                    (headers, table.replace("\tC0(vm_pause, vm)", "")),
                    (headers.replace("svm_vm_query(", "svm_vm_ask("), table)):
        wrong += not list(complaints(*changed))
    print(f"{4 - wrong} of 4 mistakes found")
    return wrong


def main():
    root = pathlib.Path(__file__).resolve().parent.parent.parent
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(bool(self_test(root)))
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    found = list(complaints(*read(pathlib.Path(sys.argv[1]))))
    for complaint in found:
        print(complaint)
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
