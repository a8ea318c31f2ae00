# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Guest images that lie, made from a good one: name -> (bytes, the name of the refusal)."""

import struct

MULTIBOOT_MAGIC = 0x1BADB002


def _patched(data, offset, value, form="<I"):
    copy = bytearray(data)
    struct.pack_into(form, copy, offset, value)
    return bytes(copy)


def _multiboot(flags, header=0x100000, load=0x100000, load_end=0, bss_end=0, entry=0x100040,
               size=0x100):
    words = struct.pack("<8I", MULTIBOOT_MAGIC, flags, -(MULTIBOOT_MAGIC + flags) & 0xFFFFFFFF,
                        header, load, load_end, bss_end, entry)
    return words + b"\xf4" * (size - len(words))


def lying_images(good):
    """good: an ELF32 file with a multiboot header and no addresses in it."""
    program_header = struct.unpack_from("<I", good, 28)[0]
    return {
        "empty": (b"", "EMPTY"),
        "elf_cut_in_header": (good[:40], "ELF_TRUNCATED"),
        "elf_cut_in_segment": (good[: len(good) // 2], "ELF_"),
        "elf_table_far": (_patched(good, 28, 0xFFFFFFF0), "ELF_TABLE"),
        "elf_many_segments": (_patched(good, 44, 0xFFFF, "<H"), "ELF_COUNT"),
        "elf_file_size": (_patched(_patched(good, program_header + 16, 0x7FFFFFFF),
                                   program_header + 20, 0x7FFFFFFF), "ELF_FILE_RANGE"),
        "elf_memory_size": (_patched(good, program_header + 20, 0xFFFFFFFF), "ELF_MEMORY_RANGE"),
        "elf_address": (_patched(good, program_header + 12, 0xFFFFF000), "ELF_MEMORY_RANGE"),
        "elf_entry": (_patched(good, 24, 0x12345678), "ELF_ENTRY"),
        "multiboot_cut": (_multiboot(0x10000)[:20], "MULTIBOOT_TRUNCATED"),
        "multiboot_load_end": (_multiboot(0x10000, load_end=0x200000), "MULTIBOOT_FILE_RANGE"),
        "multiboot_bss": (_multiboot(0x10000, bss_end=0xFFFFFFFF), "MULTIBOOT_MEMORY_RANGE"),
        "multiboot_entry": (_multiboot(0x10000, entry=0x200000), "MULTIBOOT_ORDER"),
        "multiboot_demand": (_multiboot(0x10004), "MULTIBOOT_FLAGS"),
    }
