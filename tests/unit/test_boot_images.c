/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ELF, PVH, multiboot, flat images and firmware: good ones land where they say, each lie is refused
 * by a sentence of its own, and what fails has changed nothing.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "boot_rig.h"

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define MIB     UINT64_C(0x100000)
#define SIZE    0x2000u

static uint8_t file[0x40000];

static void setup(void)
{
	rig_pc(16 * MIB);
	memset(file, 0, sizeof(file));
}

static void teardown(void)
{
	rig_close();
}

/* --- images ---------------------------------------------------------------------------------- */

/* System V ABI, chapters 4 and 5: 300h bytes, 500h in memory, at 100000h, linked at C0100000h. */
static void make_elf_32(void)
{
	memcpy(file, "\177ELF\1\1\1", 7);
	file_put(file, 16, 2, 2);
	file_put(file, 18, 3, 2);
	file_put(file, 24, 0xc0100010, 4);
	file_put(file, 28, 52, 4);
	file_put(file, 42, 32, 2);
	file_put(file, 44, 1, 2);
	file_put(file, 52, 1, 4);
	file_put(file, 56, 0x1000, 4);
	file_put(file, 60, 0xc0100000, 4);
	file_put(file, 64, 0x100000, 4);
	file_put(file, 68, 0x300, 4);
	file_put(file, 72, 0x500, 4);
	memset(file + 0x1000, 0x90, 0x300);
}

/* A second segment, of 501h bytes, exactly behind the first. */
static void make_elf_overlap(void)
{
	make_elf_32();
	file_put(file, 44, 2, 2);
	memcpy(file + 84, file + 52, 32);
	file_put(file, 84 + 8, 0, 4);
	file_put(file, 84 + 12, 0x100500, 4);
	file_put(file, 84 + 16, 0, 4);
	file_put(file, 84 + 20, 0x501, 4);
}

/* As a vmlinux: linked high, entry point physical, a second segment of notes. */
static void make_elf_64(void)
{
	memcpy(file, "\177ELF\2\1\1", 7);
	file_put(file, 16, 2, 2);
	file_put(file, 18, 62, 2);
	file_put(file, 24, 0x100020, 8);
	file_put(file, 32, 64, 8);
	file_put(file, 54, 56, 2);
	file_put(file, 56, 2, 2);
	file_put(file, 64, 1, 4);
	file_put(file, 64 + 8, 0x1000, 8);
	file_put(file, 64 + 16, 0xffffffff80100000, 8);
	file_put(file, 64 + 24, 0x100000, 8);
	file_put(file, 64 + 32, 0x300, 8);
	file_put(file, 64 + 40, 0x500, 8);
	file_put(file, 120, 4, 4);
	file_put(file, 120 + 8, 0x1800, 8);
	file_put(file, 120 + 32, 60, 8);
	file_put(file, 120 + 48, 4, 8);
	memset(file + 0x1000, 0x90, 0x300);
	/* A note whose name and data need padding, then a Xen one of another type. */
	file_put(file, 0x1800, 3, 4);
	file_put(file, 0x1804, 5, 4);
	file_put(file, 0x1808, 18, 4);
	memcpy(file + 0x180c, "GNU", 4);
	file_put(file, 0x1818, 4, 4);
	file_put(file, 0x181c, 4, 4);
	file_put(file, 0x1820, 6, 4);
	memcpy(file + 0x1824, "Xen", 4);
}

/* And the note that matters, third: type 18, 8 bytes. */
static void make_pvh(void)
{
	make_elf_64();
	file_put(file, 0x182c, 4, 4);
	file_put(file, 0x1830, 8, 4);
	file_put(file, 0x1834, 18, 4);
	memcpy(file + 0x1838, "Xen", 4);
	file_put(file, 0x183c, 0x100123, 8);
	file_put(file, 120 + 32, 0x44, 8);
}

static void put_multiboot(size_t at, uint32_t flags)
{
	file_put(file, at, 0x1badb002, 4);
	file_put(file, at + 4, flags, 4);
	file_put(file, at + 8, 0u - 0x1badb002u - flags, 4);
}

/* Header at byte 40h: the file's start goes to 110000h. */
static void make_multiboot(void)
{
	memset(file, 0x90, SIZE);
	put_multiboot(0x40, 0x10003);
	file_put(file, 0x4c, 0x110040, 4); /* header */
	file_put(file, 0x50, 0x110000, 4); /* load */
	file_put(file, 0x54, 0x110400, 4); /* end of load */
	file_put(file, 0x58, 0x111000, 4); /* end of bss */
	file_put(file, 0x5c, 0x110080, 4); /* entry */
}

static void make_multiboot_elf(void)
{
	make_elf_32();
	put_multiboot(0x100, 0);
}

static void make_flat(void)
{
	memset(file, 0x90, SIZE);
}

static const struct svm_boot_module modules[2] = { { "one", 3, "first module" },
	                                           { "two!", 4, NULL } };

static void with_modules(void)
{
	rig.config.modules = modules;
	rig.config.module_count = 2;
	rig.config.cmdline = "a b=c";
}

/* --- what they are --------------------------------------------------------------------------- */

static void make_nothing(void)
{
}

static const struct {
	const char *what;
	void (*make)(void);
	enum svm_boot_format format;
	uint64_t rip;
} auto_rows[] = {
	{ "ELF32", make_elf_32, SVM_BOOT_ELF, 0x100010 },
	{ "ELF32 of two segments", make_elf_overlap, SVM_BOOT_ELF, 0x100010 },
	{ "ELF64", make_elf_64, SVM_BOOT_ELF, 0x100020 },
	{ "PVH", make_pvh, SVM_BOOT_PVH, 0x100123 },
	{ "multiboot", make_multiboot, SVM_BOOT_MULTIBOOT, 0x110080 },
	{ "multiboot in ELF", make_multiboot_elf, SVM_BOOT_MULTIBOOT, 0x100010 },
	{ "nothing", make_nothing, SVM_BOOT_AUTO, 0 },
};

START_TEST(images_are_known_by_their_marks)
{
	int result;

	auto_rows[_i].make();
	result = rig_load(file, SIZE);
	ck_assert_msg(result == (auto_rows[_i].rip ? 0 : SVM_ERR_NOSUPPORT), "%s: %s",
	              auto_rows[_i].what, rig.why);
	ck_assert_int_eq(rig.state.format, auto_rows[_i].format);
	ck_assert_msg(rig.state.regs.rip == auto_rows[_i].rip, "%s: %lx", auto_rows[_i].what,
	              rig.state.regs.rip);
}
END_TEST

START_TEST(formats_have_words)
{
	for (unsigned i = 0; i < SVM_BOOT_FORMAT_COUNT; i++)
		ck_assert_uint_gt(strlen(svm_boot_format_text((enum svm_boot_format)i)), 2);
	ck_assert_str_eq(svm_boot_format_text(SVM_BOOT_FORMAT_COUNT), "?");
	ck_assert_str_eq(svm_boot_format_text((enum svm_boot_format) - 1), "?");
}
END_TEST

/* --- ELF ------------------------------------------------------------------------------------- */

START_TEST(segments_are_copied_and_the_rest_is_zeroed)
{
	make_elf_32();
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert(rig_all(0x100000, 0x300, 0x90));
	ck_assert(rig_all(0x100300, 0x200, 0));
	ck_assert(rig_all(0x100500, 0x1000, BOOT_RIG_FILL));
	ck_assert(rig_all(0xff000, 0x1000, BOOT_RIG_FILL));
}
END_TEST

START_TEST(elf_32_starts_in_32_bits)
{
	const struct svm_system_regs *s = &rig.state.system;

	make_elf_32();
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(s->cr0, 0x11);
	ck_assert_uint_eq(s->cr4 | s->efer | s->cr3, 0);
	ck_assert_uint_eq(s->cs.attributes, 0xc9b);
	ck_assert_uint_eq(s->tr.attributes, 0x8b);
	ck_assert_uint_eq(s->tr.limit, 0x67);
	ck_assert_uint_eq(rig_get(rig.state.regs.rbx, 4), 0x336ec578);
}
END_TEST

START_TEST(elf_64_starts_in_64_bits)
{
	const struct svm_system_regs *s = &rig.state.system;

	make_elf_64();
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(s->cr0, 0x80000011);
	ck_assert_uint_eq(s->efer, 0x500);
	ck_assert_uint_eq(s->cs.attributes, 0xa9b);
	ck_assert_uint_eq(rig_get(rig.state.regs.rbx, 4), 0x336ec578);
	file_put(file, 24, 0xffffffff80100040, 8); /* The entry point may be virtual. */
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(rig.state.regs.rip, 0x100040);
}
END_TEST

/* start_info.h: offsets and sizes of the three structures. */
START_TEST(pvh_is_told_all)
{
	uint64_t info, list, map;

	make_pvh();
	with_modules();
	rig.config.rsdp = 0xe0000;
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(rig.state.system.cr0, 0x11);
	info = rig.state.regs.rbx;
	list = rig_get(info + 16, 8);
	map = rig_get(info + 40, 8);
	ck_assert_uint_eq(rig_get(info + 4, 4), 1);
	ck_assert_uint_eq(rig_get(info + 8, 4), 0);
	ck_assert_uint_eq(rig_get(info + 12, 4), 2);
	ck_assert_str_eq(rig_string(rig_get(info + 24, 8)), "a b=c");
	ck_assert_uint_eq(rig_get(info + 32, 8), 0xe0000);
	ck_assert_uint_eq(rig_get(info + 48, 4), 4);
	ck_assert_uint_eq(rig_get(info + 52, 4), 0);
	ck_assert_uint_eq(rig_get(list, 8), 0x101000);
	ck_assert_uint_eq(rig_get(list + 8, 8), 3);
	ck_assert_str_eq(rig_string(rig_get(list + 16, 8)), "first module");
	ck_assert_uint_eq(rig_get(list + 32, 8), 0x102000);
	ck_assert_uint_eq(rig_get(list + 40, 8), 4);
	ck_assert_str_eq(rig_string(rig_get(list + 48, 8)), "");
	ck_assert_mem_eq(rig.memory + 0x101000, "one", 3);
	ck_assert_mem_eq(rig.memory + 0x102000, "two!", 4);
	ck_assert_uint_eq(rig_get(map + 3 * 24, 8), 0x100000);
	ck_assert_uint_eq(rig_get(map + 3 * 24 + 8, 8), 15 * MIB);
	ck_assert_uint_eq(rig_get(map + 3 * 24 + 16, 8), 1);
}
END_TEST

/* Where the page tables reach. */
START_TEST(elf_starts_below_4_gib)
{
	rig_close();
	rig_pc(4096 * MIB);
	make_elf_64();
	file_put(file, 64 + 24, 0x100000000, 8);
	file_put(file, 24, 0x100000020, 8);
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_BAD_IMAGE);
	ck_assert_ptr_nonnull(strstr(rig.why, "entry point"));
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

START_TEST(pvh_entry_may_have_4_bytes)
{
	make_pvh();
	file_put(file, 0x1830, 4, 4);
	file_put(file, 120 + 32, 0x40, 8);
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(rig.state.regs.rip, 0x100123);
}
END_TEST

/* --- multiboot ------------------------------------------------------------------------------- */

START_TEST(multiboot_is_told_all)
{
	uint64_t info, mods, map;

	make_multiboot();
	with_modules();
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(rig.state.regs.rax, 0x2badb002);
	ck_assert_uint_eq(rig.state.system.cr0, 0x11);
	ck_assert_uint_eq(rig.state.regs.rflags, 2);
	ck_assert(rig_all(0x110000, 0x40, 0x90));
	ck_assert(rig_all(0x110060, 0x3a0, 0x90));
	ck_assert(rig_all(0x110400, 0xc00, 0));
	ck_assert_uint_eq(rig_get(0x111000, 1), BOOT_RIG_FILL);
	info = rig.state.regs.rbx;
	mods = rig_get(info + 24, 4);
	map = rig_get(info + 48, 4);
	ck_assert_uint_eq(rig_get(info, 4), 0x24d);
	ck_assert_uint_eq(rig_get(info + 4, 4), 639);
	ck_assert_uint_eq(rig_get(info + 8, 4), 15 * 1024);
	ck_assert_str_eq(rig_string(rig_get(info + 16, 4)), "a b=c");
	ck_assert_uint_eq(rig_get(info + 20, 4), 2);
	ck_assert_uint_eq(rig_get(mods, 4), 0x100000);
	ck_assert_uint_eq(rig_get(mods + 4, 4), 0x100003);
	ck_assert_str_eq(rig_string(rig_get(mods + 8, 4)), "first module");
	ck_assert_uint_eq(rig_get(mods + 16, 4), 0x101000);
	ck_assert_uint_eq(rig_get(mods + 20, 4), 0x101004);
	ck_assert_uint_eq(rig_get(info + 44, 4), 4 * 24);
	ck_assert_uint_eq(rig_get(map, 4), 20);
	ck_assert_uint_eq(rig_get(map + 4, 8), 0);
	ck_assert_uint_eq(rig_get(map + 12, 8), 0x9fc00);
	ck_assert_uint_eq(rig_get(map + 20, 4), 1);
	ck_assert_uint_eq(rig_get(map + 24 + 20, 4), 2);
	ck_assert_uint_eq(rig_get(map + 72 + 4, 8), 0x100000);
	ck_assert_str_eq(rig_string(rig_get(info + 64, 4)), "libsvm");
}
END_TEST

START_TEST(header_is_found_in_the_first_8_kib)
{
	make_multiboot();
	memmove(file + 8180, file + 0x40, 32);
	memset(file + 0x40, 0, 32);
	file_put(file, 8180 + 12, 0x110000 + 8180, 4);
	ck_assert_int_eq(rig_load(file, 8180 + 32), 0);
	memmove(file + 8184, file + 8180, 32);
	memset(file + 8180, 0, 4);
	ck_assert_int_eq(rig_load(file, 8184 + 32), SVM_ERR_NOSUPPORT);
}
END_TEST

/* Without an end the whole file is loaded, without an end of bss nothing is zeroed. */
START_TEST(addresses_may_be_left_out)
{
	make_multiboot();
	file_put(file, 0x54, 0, 4);
	file_put(file, 0x58, 0, 4);
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(rig_get(0x110000 + SIZE - 1, 1), 0x90);
	ck_assert_uint_eq(rig_get(0x110000 + SIZE, 1), BOOT_RIG_FILL);
}
END_TEST

/* An image at the bottom of memory: the block keeps off it. */
START_TEST(block_is_where_the_image_is_not)
{
	make_multiboot();
	file_put(file, 0x4c, 0x1040, 4);
	file_put(file, 0x50, 0x1000, 4);
	file_put(file, 0x54, 0x1400, 4);
	file_put(file, 0x58, 0x8001, 4);
	file_put(file, 0x5c, 0x1080, 4);
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(rig.state.system.gdtr.base, 0x9000);
	file_put(file, 0x58, 0x9fc00, 4);
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_RANGE);
	ck_assert_ptr_nonnull(strstr(rig.why, "640 KiB"));
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

/* 2 pages are left below 639 KiB: enough, unless the strings need a third. */
START_TEST(block_counts_its_strings)
{
	char line[3000];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = 0;
	make_multiboot();
	file_put(file, 0x4c, 0x1040, 4);
	file_put(file, 0x50, 0x1000, 4);
	file_put(file, 0x54, 0x1400, 4);
	file_put(file, 0x58, 0x9d000, 4);
	file_put(file, 0x5c, 0x1080, 4);
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_uint_eq(rig.state.system.gdtr.base, 0x9d000);
	rig.config.cmdline = line;
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_RANGE);
}
END_TEST

/* --- flat images and firmware ---------------------------------------------------------------- */

static const struct {
	const char *what;
	enum svm_boot_format format;
	uint64_t address;
	uint16_t selector;
	uint64_t rip; /* 0: SVM_ERR_INVAL or SVM_ERR_RANGE. */
} flat_rows[] = {
	{ "boot sector", SVM_BOOT_FLAT_16, 0x7c00, 0, 0x7c00 },
	{ "next 64 KiB", SVM_BOOT_FLAT_16, 0x10000, 0x1000, 0x10000 },
	{ "in the middle of them", SVM_BOOT_FLAT_16, 0x2abcd, 0x2000, 0x2abcd },
	{ "where no memory is", SVM_BOOT_FLAT_16, 0xa0000, 0, 0 },
	{ "real mode at 1 MiB", SVM_BOOT_FLAT_16, 0x100000, 0, 0 },
	{ "32 bits at 1 MiB", SVM_BOOT_FLAT_32, 0x100000, 0x10, 0x100000 },
	{ "32 bits at the end", SVM_BOOT_FLAT_32, 16 * MIB - SIZE, 0x10, 16 * MIB - SIZE },
	{ "one byte beyond", SVM_BOOT_FLAT_32, 16 * MIB - SIZE + 1, 0, 0 },
	{ "32 bits at 4 GiB", SVM_BOOT_FLAT_32, UINT64_C(0x100000000), 0, 0 },
	{ "an end that wraps", SVM_BOOT_FLAT_32, UINT64_MAX, 0, 0 },
};

START_TEST(flat_images_start_at_their_address)
{
	int result;

	make_flat();
	rig.config.format = flat_rows[_i].format;
	rig.config.address = flat_rows[_i].address;
	result = rig_load(file, SIZE);
	ck_assert_msg(!result == !!flat_rows[_i].rip, "%s: %s", flat_rows[_i].what, rig.why);
	if (result) {
		ck_assert_uint_eq(rig.changed, 0);
		return;
	}
	ck_assert_uint_eq(rig.state.system.cs.base + rig.state.regs.rip, flat_rows[_i].rip);
	ck_assert_uint_eq(rig.state.system.cs.selector, flat_rows[_i].selector);
	ck_assert_uint_eq(rig.state.system.cr0, flat_rows[_i].selector == 0x10 ? 0x11 : 0x10);
	ck_assert(rig_all(flat_rows[_i].address, SIZE, 0x90));
}
END_TEST

START_TEST(firmware_is_below_4_gib_and_below_1_mib)
{
	rig.firmware = 0x40000;
	rig.config.format = SVM_BOOT_FIRMWARE;
	for (unsigned i = 0; i < 4; i++)
		memset(file + 0x10000 * i, (int)i + 1, 0x10000);
	ck_assert_int_eq(rig_load(file, 0x40000), 0);
	ck_assert(rig_all(0xfffc0000, 0x10000, 1));
	ck_assert(rig_all(0xffff0000, 0x10000, 4));
	ck_assert(rig_all(0xe0000, 0x10000, 3));
	ck_assert(rig_all(0xf0000, 0x10000, 4));
	ck_assert(rig_all(0xc0000, 0x20000, BOOT_RIG_FILL));
	ck_assert_int_eq(svm_boot_apply(NULL, &rig.state), 0);
	ck_assert_uint_eq(rig.resets, 1);
	/* A small one has a small copy. */
	ck_assert_int_eq(rig_load(file, 0x8000), 0);
	ck_assert_uint_eq(rig_get(0xf8000, 1), 1);
	ck_assert_uint_eq(rig_get(0xf7fff, 1), 4);
	/* Without memory at the top. */
	rig.firmware = 0x3f000;
	ck_assert_int_eq(rig_load(file, 0x40000), SVM_ERR_FAULT);
	ck_assert_uint_eq(rig.changed, 0);
	ck_assert_int_eq(rig_load(file, 15), SVM_ERR_BAD_IMAGE);
}
END_TEST

START_TEST(firmware_has_at_most_16_mib)
{
	uint8_t *large = calloc(1, 16 * MIB + 1);

	ck_assert_ptr_nonnull(large);
	rig.firmware = 32 * MIB;
	rig.config.format = SVM_BOOT_FIRMWARE;
	ck_assert_int_eq(rig_load(large, 16 * MIB), 0);
	ck_assert_int_eq(rig_load(large, 16 * MIB + 1), SVM_ERR_BAD_IMAGE);
	free(large);
}
END_TEST

START_TEST(other_formats_give_registers)
{
	make_elf_32();
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	ck_assert_int_eq(svm_boot_apply(NULL, &rig.state), 0);
	ck_assert_uint_eq(rig.resets, 0);
	ck_assert_uint_eq(rig.regs.rip, 0x100010);
	ck_assert_uint_eq(rig.system.cs.selector, 0x10);
}
END_TEST

/* --- refusals -------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	void (*make)(void);
	enum svm_boot_format format;
	unsigned offset, size;
	uint64_t value;
	int result;
	const char *why;
} refused_rows[] = {
	{ "big-endian", make_elf_32, 0, 5, 1, 2, SVM_ERR_NOSUPPORT, "no bzImage" },
	{ "class 3", make_elf_32, 0, 4, 1, 3, SVM_ERR_NOSUPPORT, "no bzImage" },
	{ "shared object", make_elf_32, 0, 16, 2, 3, SVM_ERR_NOSUPPORT, "fixed addresses" },
	{ "relocatable file", make_elf_64, 0, 16, 2, 1, SVM_ERR_NOSUPPORT, "fixed addresses" },
	{ "ARM", make_elf_64, 0, 18, 2, 183, SVM_ERR_NOSUPPORT, "fixed addresses" },
	{ "32-bit machine in a 64-bit file", make_elf_64, 0, 18, 2, 3, SVM_ERR_NOSUPPORT, "fixed" },
	{ "no program header", make_elf_32, 0, 44, 2, 0, SVM_ERR_BAD_IMAGE, "program headers" },
	{ "65 program headers", make_elf_32, 0, 44, 2, 65, SVM_ERR_BAD_IMAGE, "program headers" },
	{ "small program header", make_elf_32, 0, 42, 2, 31, SVM_ERR_BAD_IMAGE, "program headers" },
	{ "small program header, 64 bits", make_elf_64, 0, 54, 2, 55, SVM_ERR_BAD_IMAGE,
	  "program headers" },
	{ "table beyond the end", make_elf_32, 0, 28, 4, SIZE - 31, SVM_ERR_BAD_IMAGE,
	  "program headers" },
	{ "table that wraps", make_elf_64, 0, 32, 8, UINT64_MAX - 55, SVM_ERR_BAD_IMAGE,
	  "program headers" },
	{ "nothing to load", make_elf_32, 0, 52, 4, 0, SVM_ERR_BAD_IMAGE, "nothing to load" },
	{ "an empty segment", make_elf_32, 0, 68, 8, 0, SVM_ERR_BAD_IMAGE, "nothing to load" },
	{ "dynamic linker", make_elf_32, 0, 52, 4, 3, SVM_ERR_NOSUPPORT, "dynamic linker" },
	{ "bytes beyond the end", make_elf_32, 0, 56, 4, SIZE - 0x2ff, SVM_ERR_BAD_IMAGE,
	  "bytes lie beyond" },
	{ "bytes that wrap", make_elf_64, 0, 64 + 8, 8, UINT64_MAX - 0x2ff, SVM_ERR_BAD_IMAGE,
	  "bytes lie beyond" },
	{ "larger in the file", make_elf_32, 0, 72, 4, 0x2ff, SVM_ERR_BAD_IMAGE, "larger in the" },
	{ "segment past memory", make_elf_32, 0, 64, 4, 0xfffb01, SVM_ERR_RANGE, "beyond the" },
	{ "segment that wraps", make_elf_64, 0, 64 + 24, 8, UINT64_MAX - 0x4ff, SVM_ERR_RANGE,
	  "beyond the" },
	{ "segment where a PC has none", make_elf_32, 0, 64, 4, 0xa0000, SVM_ERR_RANGE, "beyond" },
	{ "segment in reserved memory", make_elf_32, 0, 64, 4, 0xe0000, SVM_ERR_RANGE, "beyond" },
	{ "segments that overlap by a byte", make_elf_overlap, 0, 84 + 12, 4, 0x1004ff,
	  SVM_ERR_BAD_IMAGE, "overlap" },
	{ "segments that begin together", make_elf_overlap, 0, 84 + 12, 4, 0x100000,
	  SVM_ERR_BAD_IMAGE, "overlap" },
	{ "a segment within another", make_elf_overlap, 0, 84 + 12, 4, 0xffe00, SVM_ERR_BAD_IMAGE,
	  "overlap" },
	{ "entry behind", make_elf_32, 0, 24, 4, 0xc0100500, SVM_ERR_BAD_IMAGE, "entry point" },
	{ "entry before", make_elf_32, 0, 24, 4, 0xc00fffff, SVM_ERR_BAD_IMAGE, "entry point" },
	{ "PVH entry outside", make_pvh, 0, 0x183c, 8, 0x100500, SVM_ERR_BAD_IMAGE, "entry point" },
	{ "PVH asked of an ELF file", make_elf_64, SVM_BOOT_PVH, 0, 1, 0x7f, SVM_ERR_NOSUPPORT,
	  "no note" },
	{ "PVH note beyond its segment", make_pvh, SVM_BOOT_PVH, 120 + 32, 8, 0x43,
	  SVM_ERR_NOSUPPORT, "no note" },
	{ "PVH note beyond the file", make_pvh, SVM_BOOT_PVH, 120 + 8, 8, SIZE - 0x43,
	  SVM_ERR_NOSUPPORT, "no note" },
	{ "PVH note of 5 bytes", make_pvh, SVM_BOOT_PVH, 0x1830, 4, 5, SVM_ERR_NOSUPPORT,
	  "no note" },
	{ "note with a name of 4 GiB", make_pvh, SVM_BOOT_PVH, 0x1800, 4, 0xffffffff,
	  SVM_ERR_NOSUPPORT, "no note" },
	{ "note with 4 GiB of data", make_pvh, SVM_BOOT_PVH, 0x1804, 4, 0xffffffff,
	  SVM_ERR_NOSUPPORT, "no note" },
	{ "ELF asked of something else", make_flat, SVM_BOOT_ELF, 0, 1, 0, SVM_ERR_NOSUPPORT,
	  "no ELF" },
	{ "multiboot asked of an ELF file", make_elf_32, SVM_BOOT_MULTIBOOT, 0, 1, 0x7f,
	  SVM_ERR_NOSUPPORT, "no multiboot" },
	{ "multiboot without addresses or ELF", make_multiboot_elf, 0, 0, 1, 0, SVM_ERR_NOSUPPORT,
	  "no ELF" },
	{ "header before its load address", make_multiboot, 0, 0x4c, 4, 0x10ffff, SVM_ERR_BAD_IMAGE,
	  "contradict" },
	{ "header too far behind it", make_multiboot, 0, 0x4c, 4, 0x110041, SVM_ERR_BAD_IMAGE,
	  "contradict" },
	{ "end before the start", make_multiboot, 0, 0x54, 4, 0x10ffff, SVM_ERR_BAD_IMAGE,
	  "contradict" },
	{ "bss ends before the load", make_multiboot, 0, 0x58, 4, 0x1103ff, SVM_ERR_BAD_IMAGE,
	  "contradict" },
	{ "entry before the load", make_multiboot, 0, 0x5c, 4, 0x10ffff, SVM_ERR_BAD_IMAGE,
	  "contradict" },
	{ "entry in the bss", make_multiboot, 0, 0x5c, 4, 0x110400, SVM_ERR_BAD_IMAGE,
	  "contradict" },
	{ "more than the file has", make_multiboot, 0, 0x54, 4, 0x110000 + SIZE + 1,
	  SVM_ERR_BAD_IMAGE, "contradict" },
	{ "bss past memory", make_multiboot, 0, 0x58, 4, 16 * MIB + 1, SVM_ERR_RANGE, "beyond" },
	{ "no such format", make_elf_32, SVM_BOOT_FORMAT_COUNT, 0, 1, 0x7f, SVM_ERR_INVAL,
	  "format" },
};

START_TEST(lies_are_refused_by_name)
{
	int result;

	refused_rows[_i].make();
	file_put(file, refused_rows[_i].offset, refused_rows[_i].value, refused_rows[_i].size);
	rig.config.format = refused_rows[_i].format;
	result = rig_load(file, SIZE);
	ck_assert_msg(result == refused_rows[_i].result && strstr(rig.why, refused_rows[_i].why),
	              "%s: %d, %s", refused_rows[_i].what, result, rig.why);
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

START_TEST(multiboot_demands_are_met_or_refused)
{
	for (unsigned bit = 0; bit < 16; bit++) {
		make_multiboot();
		put_multiboot(0x40, 0x10000u | 1u << bit);
		ck_assert_int_eq(rig_load(file, SIZE), bit < 2 ? 0 : SVM_ERR_NOSUPPORT);
	}
	make_multiboot();
	file_put(file, 0x48, 0, 4); /* A wrong checksum is no header. */
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_NOSUPPORT);
}
END_TEST

/* Each image cut at each length: refused or loaded, and no byte behind the file is read. */
static void (*const makers[])(void) = { make_elf_32, make_elf_64, make_pvh, make_multiboot,
	                                make_multiboot_elf };

START_TEST(files_may_end_anywhere)
{
	for (size_t size = 1; size < SIZE; size += size < 0x200 ? 1 : 61) {
		int result;

		makers[_i]();
		result = rig_load(file, size);
		ck_assert(!result || !rig.changed);
	}
}
END_TEST

/* --- the configuration ----------------------------------------------------------------------- */

static struct svm_boot_range map[SVM_BOOT_RANGE_MAX + 1];
static struct svm_boot_module many[SVM_BOOT_MODULE_MAX + 1];
static char long_line[4200];

static void config_no_map(void)
{
	rig.config.map = NULL;
}

static void config_empty_map(void)
{
	rig.config.map_count = 0;
}

static void config_long_map(void)
{
	rig.config.map_count = SVM_BOOT_RANGE_MAX + 1;
}

static void config_empty_range(void)
{
	map[1].size = 0;
}

static void config_wrapping_range(void)
{
	map[3].size = UINT64_MAX - map[3].gpa + 1;
}

static void config_overlap(void)
{
	map[0].size = 0x9fc01;
}

static void config_order(void)
{
	map[1].gpa = 0;
	map[1].size = 1;
}

static void config_kind_0(void)
{
	map[1].kind = 0;
}

static void config_kind_5(void)
{
	map[1].kind = 5;
}

static void config_many_modules(void)
{
	rig.config.module_count = SVM_BOOT_MODULE_MAX + 1;
}

static void config_no_modules(void)
{
	rig.config.modules = NULL;
	rig.config.module_count = 1;
}

static void config_empty_module(void)
{
	many[1].size = 0;
	rig.config.module_count = 2;
}

static void config_null_module(void)
{
	many[0].bytes = NULL;
	rig.config.module_count = 2;
}

static void config_long_module_line(void)
{
	many[0].cmdline = long_line;
	rig.config.module_count = 1;
}

static void config_long_line(void)
{
	rig.config.cmdline = long_line;
}

static void config_flat_modules(void)
{
	rig.config.format = SVM_BOOT_FLAT_32;
	rig.config.address = 0x100000;
	rig.config.module_count = 1;
}

static void config_firmware_modules(void)
{
	rig.config.format = SVM_BOOT_FIRMWARE;
	rig.config.module_count = 1;
}

static void (*const config_rows[])(void) = {
	config_no_map,      config_empty_map,  config_long_map,         config_empty_range,
	config_wrapping_range, config_overlap, config_order,            config_kind_0,
	config_kind_5,      config_many_modules, config_no_modules,     config_empty_module,
	config_null_module, config_long_module_line, config_long_line,  config_flat_modules,
	config_firmware_modules,
};

START_TEST(wrong_configurations_are_refused)
{
	make_elf_32();
	memcpy(map, rig.map, sizeof(rig.map));
	memset(long_line, 'x', sizeof(long_line));
	for (unsigned i = 0; i <= SVM_BOOT_MODULE_MAX; i++)
		many[i] = modules[0];
	rig.config.map = map;
	rig.config.modules = many;
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	config_rows[_i]();
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_INVAL);
	ck_assert_uint_gt(strlen(rig.why), 10);
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

START_TEST(all_modules_fit_or_none_is_loaded)
{
	static uint8_t megabyte[0x100000];

	make_elf_32();
	for (unsigned i = 0; i <= SVM_BOOT_MODULE_MAX; i++)
		many[i] = (struct svm_boot_module){ megabyte, sizeof(megabyte), NULL };
	rig.config.modules = many;
	rig.config.module_count = 14;
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	rig.config.module_count = 15;
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_RANGE);
	ck_assert_ptr_nonnull(strstr(rig.why, "room for a module"));
}
END_TEST

START_TEST(pieces_have_a_limit)
{
	make_elf_32();
	for (unsigned i = 0; i < 25; i++) {
		memcpy(file + 0x100 + 32 * i, file + 52, 32);
		file_put(file, 0x100 + 32 * i + 12, 0x100000 + 0x1000 * i, 4);
	}
	for (unsigned i = 0; i <= SVM_BOOT_MODULE_MAX; i++)
		many[i] = modules[0];
	rig.config.modules = many;
	rig.config.module_count = 16;
	file_put(file, 28, 0x100, 4);
	file_put(file, 44, 24, 2);
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	file_put(file, 44, 25, 2);
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_NOSUPPORT);
	ck_assert_ptr_nonnull(strstr(rig.why, "pieces"));
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

/* --- memory that is not what the map says ---------------------------------------------------- */

/* First and last page of a segment, of what is zeroed, of the block, of a module. */
static const svm_gpa_t absent_rows[] = { 0x100000, 0x101000, 0x104000, 0x1000, 0x7000, 0x8000,
	                                 0x105000, 0x106000 };

START_TEST(missing_page_is_found_before_the_first_write)
{
	make_elf_64();
	file_put(file, 64 + 40, 0x4500, 8);
	with_modules();
	rig.absent = absent_rows[_i];
	ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_FAULT);
	ck_assert_ptr_nonnull(strstr(rig.why, "no writable memory"));
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

START_TEST(every_failing_write_is_reported)
{
	uint64_t writes;

	make_elf_64();
	with_modules();
	ck_assert_int_eq(rig_load(file, SIZE), 0);
	writes = rig.writes;
	for (uint64_t i = 1; i <= writes; i++) {
		rig.fail_at = i;
		ck_assert_int_eq(rig_load(file, SIZE), SVM_ERR_FAULT);
		ck_assert_uint_gt(strlen(rig.why), 10);
	}
	rig.fail_at = writes + 1;
	ck_assert_int_eq(rig_load(file, SIZE), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boot_images");
	TCase *tc = tcase_create("images");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, images_are_known_by_their_marks, 0, ROWS(auto_rows));
	tcase_add_test(tc, formats_have_words);
	tcase_add_test(tc, segments_are_copied_and_the_rest_is_zeroed);
	tcase_add_test(tc, elf_32_starts_in_32_bits);
	tcase_add_test(tc, elf_64_starts_in_64_bits);
	tcase_add_test(tc, pvh_is_told_all);
	tcase_add_test(tc, pvh_entry_may_have_4_bytes);
	tcase_add_test(tc, multiboot_is_told_all);
	tcase_add_test(tc, header_is_found_in_the_first_8_kib);
	tcase_add_test(tc, addresses_may_be_left_out);
	tcase_add_test(tc, block_is_where_the_image_is_not);
	tcase_add_test(tc, block_counts_its_strings);
	tcase_add_test(tc, elf_starts_below_4_gib);
	tcase_add_loop_test(tc, flat_images_start_at_their_address, 0, ROWS(flat_rows));
	tcase_add_test(tc, firmware_is_below_4_gib_and_below_1_mib);
	tcase_add_test(tc, firmware_has_at_most_16_mib);
	tcase_add_test(tc, other_formats_give_registers);
	tcase_add_loop_test(tc, lies_are_refused_by_name, 0, ROWS(refused_rows));
	tcase_add_test(tc, multiboot_demands_are_met_or_refused);
	tcase_add_loop_test(tc, files_may_end_anywhere, 0, ROWS(makers));
	tcase_add_loop_test(tc, wrong_configurations_are_refused, 0, ROWS(config_rows));
	tcase_add_test(tc, all_modules_fit_or_none_is_loaded);
	tcase_add_test(tc, pieces_have_a_limit);
	tcase_add_loop_test(tc, missing_page_is_found_before_the_first_write, 0, ROWS(absent_rows));
	tcase_add_test(tc, every_failing_write_is_reported);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
