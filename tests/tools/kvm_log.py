# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A VMCB as Linux 6.1's KVM prints it into the kernel's log: what svm-lint must be able to read."""

# Name; offset; bytes; "d" for a signed decimal number.
CONTROL = [
    ("cr_read", 0x000, 2, "x"), ("cr_write", 0x002, 2, "x"), ("dr_read", 0x004, 2, "x"),
    ("dr_write", 0x006, 2, "x"), ("exceptions", 0x008, 4, "x"), ("intercepts", 0x00c, 4, "2"),
    ("pause filter count", 0x03e, 2, "d"), ("pause filter threshold", 0x03c, 2, "d"),
    ("iopm_base_pa", 0x040, 8, "x"), ("msrpm_base_pa", 0x048, 8, "x"), ("tsc_offset", 0x050, 8, "x"),
    ("asid", 0x058, 4, "d"), ("tlb_ctl", 0x05c, 1, "d"), ("int_ctl", 0x060, 4, "x"),
    ("int_vector", 0x064, 4, "x"), ("int_state", 0x068, 4, "x"), ("exit_code", 0x070, 4, "x"),
    ("exit_info1", 0x078, 8, "x"), ("exit_info2", 0x080, 8, "x"), ("exit_int_info", 0x088, 4, "x"),
    ("exit_int_info_err", 0x08c, 4, "x"), ("nested_ctl", 0x090, 8, "d"),
    ("nested_cr3", 0x0b0, 8, "x"), ("avic_vapic_bar", 0x098, 8, "x"), ("ghcb", 0x0a0, 8, "x"),
    ("event_inj", 0x0a8, 4, "x"), ("event_inj_err", 0x0ac, 4, "x"), ("virt_ext", 0x0b8, 8, "d"),
    ("next_rip", 0x0c8, 8, "x"), ("avic_backing_page", 0x0e0, 8, "x"),
    ("avic_logical_id", 0x0f0, 8, "x"), ("avic_physical_id", 0x0f8, 8, "x"),
    ("vmsa_pa", 0x108, 8, "x"),
]
SEGMENTS = ["es", "cs", "ss", "ds", "fs", "gs", "gdtr", "ldtr", "idtr", "tr"]
PAIRS = [
    ("cr0", 0x558, "cr2", 0x640), ("cr3", 0x550, "cr4", 0x548), ("dr6", 0x568, "dr7", 0x560),
    ("rip", 0x578, "rflags", 0x570), ("rsp", 0x5d8, "rax", 0x5f8), ("star", 0x600, "lstar", 0x608),
    ("cstar", 0x610, "sfmask", 0x618), ("kernel_gs_base", 0x620, "sysenter_cs", 0x628),
    ("sysenter_esp", 0x630, "sysenter_eip", 0x638), ("gpat", 0x668, "dbgctl", 0x670),
    ("br_from", 0x678, "br_to", 0x680), ("excp_from", 0x688, "excp_to", 0x690),
]


def number(vmcb, offset, size, signed=False):
    return int.from_bytes(vmcb[offset:offset + size], "little", signed=signed)


def value(vmcb, offset, size, form):
    if form == "d":
        return str(number(vmcb, offset, size, signed=size >= 4))
    count = 2 if form == "2" else 1
    return " ".join(f"{number(vmcb, offset + size * i, size):0{2 * size}x}" for i in range(count))


def lines(vmcb):
    """Without what a log puts before them."""
    yield "VMCB 00000000c0ffee00, last attempted VMRUN on CPU 3"
    yield "VMCB Control Area:"
    for name, *field in CONTROL:
        yield f"{name + ':':20}{value(vmcb, *field)}"
    yield "VMCB State Save Area:"
    for i, name in enumerate(SEGMENTS):
        at = 0x400 + 16 * i
        yield (f"{name + ':':5} s: {value(vmcb, at, 2, 'x')} a: {value(vmcb, at + 2, 2, 'x')} "
               f"l: {value(vmcb, at + 4, 4, 'x')} b: {value(vmcb, at + 8, 8, 'x')}")
    yield (f"vmpl: {vmcb[0x4ca]}   cpl:  {vmcb[0x4cb]}               "
           f"efer:          {value(vmcb, 0x4d0, 8, 'x')}")
    for left, a, right, b in PAIRS:
        yield (f"{left + ':':15} {value(vmcb, a, 8, 'x')} "
               f"{right + ':':13} {value(vmcb, b, 8, 'x')}")


def text(vmcb, prefix="[  812.400123] SVM: "):
    return "".join(f"{prefix}{line}\n" for line in lines(vmcb)).encode("ascii")
