#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Inputs from which fuzz_emulate starts: each family of instructions in each mode.

usage: make_seeds.py DIRECTORY

One file per instruction, mode and set of answers, in the form that fuzz_emulate.c reads.  What is
committed in seeds/emulate is the part of them, and of what a long run has found, that libFuzzer
keeps:

    make_seeds.py all
    fuzz_emulate -merge=1 seeds/emulate all build-fuzz/corpus/fuzz_emulate
"""

import os
import sys

# Modes in which an instruction exists: q 64 bits, d 32, w 16, r real, v virtual-8086.
EVERY = "qdwrv"
PROTECTED = "qdw"
LEGACY = "dwrv"

# Bytes; modes.  ModRM 03 is [rbx], [ebx] or [bp + di]; 00 is [rax] or [bx + si].
INSTRUCTIONS = """
88 03 | qdwrv | mov m8, r8
48 89 03 | q | mov m64, r64
66 89 03 | qdwrv | mov m, r
8b 03 | qdwrv | mov r, m
a1 00 30 00 00 00 00 00 00 | qdwrv | mov eax, moffs
a2 fe 4f 00 00 00 00 00 00 | qdwrv | mov moffs, al
c6 03 7f | qdwrv | mov m8, imm
c7 03 01 02 03 04 | qdwrv | mov m, imm
b8 01 02 03 04 | qdwrv | mov r, imm
0f b6 03 | qdwrv | movzx
0f bf 03 | qdwrv | movsx
48 63 03 | q | movsxd
0f 38 f0 03 | qdw | movbe r, m
0f 38 f1 03 | qdw | movbe m, r
0f c3 03 | qdwrv | movnti
0f 44 03 | qdwrv | cmovz
0f 95 03 | qdwrv | setnz
01 03 | qdwrv | add m, r
13 03 | qdwrv | adc r, m
f0 83 2b 01 | qdwrv | lock sub m, imm
81 33 01 02 03 04 | qdwrv | xor m, imm
80 1b 80 | qdwrv | sbb m8, imm
3c 05 | qdwrv | cmp al, imm
a9 01 02 03 04 | qdwrv | test eax, imm
f6 03 01 | qdwrv | test m8, imm
f0 ff 03 | qdwrv | lock inc m
fe 0b | qdwrv | dec m8
f7 1b | qdwrv | neg m
f6 13 | qdwrv | not m8
d1 03 | qdwrv | rol m, 1
c1 13 07 | qdwrv | rcl m, imm
d3 1b | qdwrv | rcr m, cl
c0 23 05 | qdwrv | shl m8, imm
d3 3b | qdwrv | sar m, cl
0f a4 03 05 | qdwrv | shld m, r, imm
0f ad 03 | qdwrv | shrd m, r, cl
87 03 | qdwrv | xchg m, r
f0 0f c1 03 | qdwrv | lock xadd
f0 0f b1 03 | qdwrv | lock cmpxchg
0f c7 0b | qdwrv | cmpxchg8b
f0 48 0f c7 0b | q | lock cmpxchg16b
ff 33 | qdwrv | push m
8f 03 | qdwrv | pop m
50 | qdwrv | push r
5c | qdwrv | pop rsp
68 01 02 03 04 | qdwrv | push imm
6a ff | qdwrv | push imm8
0f a3 03 | qdwrv | bt m, r
f0 0f ab 03 | qdwrv | lock bts m, r
0f ba 33 05 | qdwrv | btr m, imm
0f bc 03 | qdwrv | bsf
f3 0f bd 03 | qdwrv | lzcnt
f3 0f bc 03 | qdwrv | tzcnt
f3 0f b8 03 | qdwrv | popcnt
f7 23 | qdwrv | mul
f6 2b | qdwrv | imul m8
0f af 03 | qdwrv | imul r, m
69 03 01 02 03 04 | qdwrv | imul r, m, imm
f7 33 | qdwrv | div
f6 3b | qdwrv | idiv m8
0f ae 3b | qdwrv | clflush
0f 18 0b | qdwrv | prefetch
0f 1f 03 | qdwrv | nop m
a4 | qdwrv | movsb
f3 a5 | qdwrv | rep movs
f3 48 a5 | q | rep movsq
67 a5 | qdwrv | movs, other address size
f3 a6 | qdwrv | repe cmpsb
f2 a7 | qdwrv | repne cmps
f3 aa | qdwrv | rep stosb
ab | qdwrv | stos
64 ad | qdwrv | lods fs:
f2 ae | qdwrv | repne scasb
e4 71 | qdwrv | in al, imm
ed | qdwrv | in eax, dx
e6 70 | qdwrv | out imm, al
ef | qdwrv | out dx, eax
6c | qdwrv | insb
f3 6d | qdwrv | rep ins
f3 6e | qdwrv | rep outsb
65 6f | qdwrv | outs gs:
ff 13 | qdwrv | call m
ff 23 | qdwrv | jmp m
c3 | qdwrv | ret
c2 08 00 | qdwrv | ret imm
9a 00 10 00 00 08 00 | dwrv | call far
ea 00 10 08 00 08 00 | dwrv | jmp far
ff 1b | qdwrv | call far m
ff 2b | qdwrv | jmp far m
cb | qdwrv | retf
ca 08 00 | qdwrv | retf imm
cf | qdwrv | iret
cd 21 | qdwrv | int
0f 11 03 | qdwrv | movups m, xmm
0f 28 03 | qdwrv | movaps xmm, m
f3 0f 10 03 | qdwrv | movss
66 0f d6 03 | qdwrv | movq m, xmm
66 0f 38 2a 03 | qdwrv | movntdqa
0f 6f 03 | qdwrv | movq mm, m
0f 7e 03 | qdwrv | movd m, mm
c5 fe 6f 03 | qdw | vmovdqu ymm, m
c5 f8 29 03 | qdw | vmovaps m, xmm
0f 20 c0 | qdwrv | mov eax, cr0
0f 22 e0 | qdwrv | mov cr4, eax
0f 21 f8 | qdwrv | mov eax, dr7
0f 23 c0 | qdwrv | mov dr0, eax
0f 01 33 | qdwrv | lmsw
0f 01 23 | qdwrv | smsw
0f 06 | qdwrv | clts
0f 01 3b | qdwrv | invlpg
0f 32 | qdwrv | rdmsr
0f 30 | qdwrv | wrmsr
0f 01 d0 | qdwrv | xgetbv
0f 01 d1 | qdwrv | xsetbv
0f 31 | qdwrv | rdtsc
0f 01 f9 | qdwrv | rdtscp
0f 33 | qdwrv | rdpmc
f4 | qdwrv | hlt
0f 01 c8 | qdwrv | monitor
fa | qdwrv | cli
fb | qdwrv | sti
9c | qdwrv | pushf
9d | qdwrv | popf
9e | qdwrv | sahf
9f | qdwrv | lahf
f5 | qdwrv | cmc
8e 03 | qdwrv | mov es, m
8e 13 | qdwrv | mov ss, m
8c 1b | qdwrv | mov m, ds
0f b2 03 | qdwrv | lss
c4 03 | dwrv | les
1f | dwrv | pop ds
0f a1 | qdwrv | pop fs
06 | dwrv | push es
0f a8 | qdwrv | push gs
8e d8 | qdwrv | mov ds, r
8e d0 | qdwrv | mov ss, r
0f 01 13 | qdwrv | lgdt
0f 01 1b | qdwrv | lidt
0f 01 03 | qdwrv | sgdt
0f 00 13 | qdw | lldt
0f 00 1b | qdw | ltr
0f 00 d0 | qdw | lldt r
0f 00 d8 | qdw | ltr r
0f 00 03 | qdw | sldt
0f 00 0b | qdw | str
8a 40 10 | qdwrv | mov al, [bx + si + disp8]
8a 89 10 00 00 00 | qdwrv | mov cl, [bx + di + disp]
8a 02 | qdwrv | mov al, [bp + si]
8a 44 8e 04 | qdwrv | mov al, [si + disp8], [esi + ecx * 4 + disp8]
8a 05 10 00 00 00 | qdwrv | mov al, [di], [disp32], [rip + disp32]
8a 06 00 30 | qdwrv | mov al, [disp16]
8a 46 10 | qdwrv | mov al, [bp + disp8]
8a 07 | qdwrv | mov al, [bx]
8a 04 25 00 30 00 00 | qdwrv | mov al, [disp32 by SIB]
8a 84 45 00 10 00 00 | qdwrv | mov al, [rbp + rax * 2 + disp32]
67 8a 43 04 | qdwrv | mov al, other address size
67 8a 46 04 | qdwrv | mov al, [bp + disp8] or [esi + disp8]
67 8a 06 00 30 | qdwrv | mov al, [disp16] or [esi]
43 8a 44 25 04 | q | mov al, [r13 + r12 + disp8]
40 88 f4 | q | mov spl, sil
88 e7 | qdwrv | mov bh, ah
66 8b 03 | qdwrv | mov r, m, other operand size
2e 8b 03 | qdwrv | mov r, cs:m
36 8b 03 | qdwrv | mov r, ss:m
8f e8 78 c0 c0 05 | qdw | xop
c4 e2 78 f2 03 | qdw | andn
62 f1 7c 48 10 03 | qdw | evex
0f 0f c0 9e | qdwrv | 3dnow
0f 3a 0f c1 05 | qdwrv | palignr
f0 8b 03 | qdwrv | lock mov
0f 0b | qdwrv | ud2
66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 | qdwrv | too long
"""

MODES = {
    # number of take_mode(), code's and data's attributes, limit, CR0, EFER, CPLs
    "q": (3, 0xa9b, 0xc93, 0xffffffff, 0x80050033, 0xd01, (0, 3)),
    "d": (2, 0xc9b, 0xc93, 0xffffffff, 0x80050033, 0, (0, 3)),
    "w": (1, 0x09b, 0x093, 0xffff, 0x80050033, 0xd01, (0,)),
    "r": (0, 0x09b, 0x093, 0xffff, 0x10, 0, (0,)),
    "v": (4, 0x0fb, 0x0f3, 0xffff, 0x80050033, 0, (3,)),
}

FAULT = 0x31  # The byte with the class: a nested fault in the page of RBX, for a read.
FAULT_WRITE = 0x35
FETCHES = 16  # In the byte with the mode: the emulator gets the code itself.

def descriptor(attributes):
    """Of 4 GiB and base 0, as the first thing that is read; two of them in long mode."""
    low = bytes([0xff, 0xff, 0, 0, 0, attributes & 0xff, attributes >> 4 & 0xf0 | 0xf, 0])
    return bytes([5, 5]) + low + bytes(8) + bytes([5]) * 32


# Memory that works; devices that answer at once; devices that answer later; a far pointer and then
# a code segment; descriptors for whoever reads nothing else.
ANSWERS = {
    "memory": bytes([5]) * 48,
    "device": bytes([2, 2, 2]) * 16,
    "later": bytes([2, 2, 3]) * 16,
    "far": bytes([5, 5, 8, 0, 0, 0, 5, 5]) + bytes.fromhex("ffff0000009bcf00") * 4,
    "code": descriptor(0xc9b),
    "data": descriptor(0xc93),
    "data3": descriptor(0xcf3),
    "ldt": descriptor(0x082),
    "tss": descriptor(0x089),
}

# RAX RCX RDX RBX RSP RBP RSI RDI R8 ...: operands of 2 and more bytes cross a page by RSI.
REGISTERS = [0x10, 3, 0x3f8, 0x3ff8, 0x7000, 0x1000, 0x4fff, 0x6000, 0x8ffe] + [0] * 7


def value(number):
    """As take_value() reads it."""
    for flip in (0, 16):
        plain = number ^ ((1 << 64) - 1 if flip else 0)
        length = (plain.bit_length() + 7) // 8
        if length < 8 or flip:
            return bytes([flip | length]) + plain.to_bytes(length, "big")
    return b""


def segment(selector, attributes, limit, base):
    return value(selector) + attributes.to_bytes(2, "big") + value(limit) + value(base)


def seed(insn, mode, cpl, answers, flags=0, limits=0):
    number, code, data, limit, cr0, efer, _ = MODES[mode]
    dpl = cpl << 5 if mode in PROTECTED else 0
    out = insn.ljust(15, b"\x90")
    for n in range(6):
        out += segment(8 * (n + 1) | cpl, (code if n == 1 else data) | dpl, limit, 0)
    out += segment(0x28, 0x08b, 0xffff, 0x2000)
    for register in REGISTERS:
        out += value(register)
    out += value(0x1000) + value(0x202) + value(cr0) + value(0x40680) + value(efer)
    out += bytes([7, cpl, 0, number | flags, limits])
    return out + answers


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    os.makedirs(sys.argv[1], exist_ok=True)
    count = 0
    for line in INSTRUCTIONS.strip().split("\n"):
        text, modes, _ = (part.strip() for part in line.split("|"))
        insn = bytes.fromhex(text)
        for mode in modes:
            for cpl in MODES[mode][-1]:
                inputs = {name: seed(insn, mode, cpl, answers)
                          for name, answers in ANSWERS.items()}
                later = ANSWERS["later"]
                inputs["fetched"] = seed(insn, mode, cpl, later, FETCHES)
                inputs["fault"] = seed(insn, mode, cpl, later, 0, FAULT)
                inputs["fault-write"] = seed(insn, mode, cpl, later, 0, FAULT_WRITE)
                for name, data in inputs.items():
                    path = os.path.join(sys.argv[1], f"{insn.hex()}-{mode}{cpl}-{name}")
                    with open(path, "wb") as file:
                        file.write(data)
                count += len(inputs)
    print(f"{count} inputs")


if __name__ == "__main__":
    main()
