/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The loader of guest images, in a process: good images land where they say, each lie is refused
 * by its own name, and no image, whatever its bytes, writes outside the guest's memory or before
 * it was found good.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../hosted/suite.h"
#include "../../ports/baremetal/guest_image.h"

#define MEMORY_SIZE 0x200000u
#define MARGIN      4096u
#define MARGIN_BYTE 0xc5

#define MULTIBOOT_MAGIC 0x1badb002u

static uint8_t *block, *memory;
static uint8_t file[0x4000];

static void set_up(void)
{
	block = malloc(MEMORY_SIZE + 2 * MARGIN);
	ck_assert_ptr_nonnull(block);
	memset(block, MARGIN_BYTE, MEMORY_SIZE + 2 * MARGIN);
	memory = block + MARGIN;
	memset(memory, 0, MEMORY_SIZE);
	memset(file, 0, sizeof(file));
}

static void tear_down(void)
{
	free(block);
}

static void put(size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		file[at + i] = (uint8_t)(value >> (8 * i));
}

static uint32_t guest_32(uint32_t at)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < 4; i++)
		value |= (uint32_t)memory[at + i] << (8 * i);
	return value;
}

static enum guest_image_error load(size_t size, struct guest_start *start)
{
	/* A copy of exactly this size, so that a sanitizer sees a read behind it. */
	uint8_t *const copy = malloc(size ? size : 1);
	const struct guest_image image = {
		.bytes = copy,
		.size = size,
		.memory = memory,
		.memory_size = MEMORY_SIZE,
		.load_address = 0x100000,
		.cmdline = "one two",
	};
	enum guest_image_error error;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, file, size);
	error = guest_image_load(&image, start);
	free(copy);
	return error;
}

static int margins_are_whole(void)
{
	for (size_t i = 0; i < MARGIN; i++) {
		if (block[i] != MARGIN_BYTE || block[MARGIN + MEMORY_SIZE + i] != MARGIN_BYTE)
			return 0;
	}
	return 1;
}

static int memory_is_zero(void)
{
	for (size_t i = 0; i < MEMORY_SIZE; i++) {
		if (memory[i])
			return 0;
	}
	return 1;
}

/* ELF32: one segment of 0x300 bytes (0x500 in memory) at physical 100000h, linked at C0100000h. */
static size_t make_elf_32(void)
{
	memcpy(file, "\177ELF\1\1\1", 7);
	put(16, 2, 2);
	put(18, 3, 2);
	put(24, 0xc0100010, 4);
	put(28, 52, 4);
	put(42, 32, 2);
	put(44, 1, 2);
	put(52, 1, 4);
	put(56, 0x1000, 4);
	put(60, 0xc0100000, 4);
	put(64, 0x100000, 4);
	put(68, 0x300, 4);
	put(72, 0x500, 4);
	memset(file + 0x1000, 0x90, 0x300);
	return 0x1300;
}

static size_t make_elf_64(void)
{
	memcpy(file, "\177ELF\2\1\1", 7);
	put(16, 2, 2);
	put(18, 62, 2);
	put(24, 0x100020, 8);
	put(32, 64, 8);
	put(54, 56, 2);
	put(56, 1, 2);
	put(64, 1, 4);
	put(64 + 8, 0x1000, 8);
	put(64 + 16, 0x100000, 8);
	put(64 + 24, 0x100000, 8);
	put(64 + 32, 0x300, 8);
	put(64 + 40, 0x300, 8);
	memset(file + 0x1000, 0x90, 0x300);
	return 0x1300;
}

static void put_multiboot(size_t at, uint32_t flags)
{
	put(at, MULTIBOOT_MAGIC, 4);
	put(at + 4, flags, 4);
	put(at + 8, 0u - MULTIBOOT_MAGIC - flags, 4);
}

/* A header with addresses at byte 40h: the file's start goes to 110000h. */
static size_t make_multiboot(void)
{
	memset(file, 0x90, 0x800);
	put_multiboot(0x40, 0x10003);
	put(0x4c, 0x110040, 4); /* header */
	put(0x50, 0x110000, 4); /* load */
	put(0x54, 0x110400, 4); /* end of load */
	put(0x58, 0x111000, 4); /* end of bss */
	put(0x5c, 0x110080, 4); /* entry */
	return 0x800;
}

START_TEST(flat_image_goes_to_its_address)
{
	struct guest_start start;

	memset(file, 0xf4, 0x20);
	ck_assert_int_eq(load(0x20, &start), GUEST_IMAGE_OK);
	ck_assert_str_eq(start.format, "flat");
	ck_assert_uint_eq(start.entry, 0x100000);
	ck_assert_uint_eq(start.eax, 0);
	ck_assert_uint_eq(memory[0x100000], 0xf4);
	ck_assert_uint_eq(memory[0x10001f], 0xf4);
	ck_assert_uint_eq(memory[0x100020], 0);
}
END_TEST

START_TEST(elf_entry_is_translated_to_physical)
{
	struct guest_start start;

	ck_assert_int_eq(load(make_elf_32(), &start), GUEST_IMAGE_OK);
	ck_assert_str_eq(start.format, "elf");
	ck_assert_uint_eq(start.entry, 0x100010);
	ck_assert_uint_eq(memory[0x1002ff], 0x90);
	ck_assert_uint_eq(memory[0x100300], 0);
}
END_TEST

START_TEST(multiboot_addresses_are_honoured)
{
	struct guest_start start;

	ck_assert_int_eq(load(make_multiboot(), &start), GUEST_IMAGE_OK);
	ck_assert_str_eq(start.format, "multiboot");
	ck_assert_uint_eq(start.entry, 0x110080);
	ck_assert_uint_eq(start.eax, 0x2badb002);
	ck_assert_uint_eq(memory[0x1103ff], 0x90);
	ck_assert_uint_eq(memory[0x110400], 0);
}
END_TEST

START_TEST(multiboot_information_describes_the_memory)
{
	struct guest_start start;

	ck_assert_int_eq(load(make_multiboot(), &start), GUEST_IMAGE_OK);
	ck_assert_uint_eq(start.ebx, 0x1000);
	ck_assert_uint_eq(guest_32(0x1000), 0x245); /* memory, command line, map, loader's name */
	ck_assert_uint_eq(guest_32(0x1004), 639);
	ck_assert_uint_eq(guest_32(0x1008), 1024);
	ck_assert_str_eq((char *)memory + guest_32(0x1010), "one two");
	ck_assert_str_eq((char *)memory + guest_32(0x1040), "libsvm");
	ck_assert_uint_eq(guest_32(0x102c), 48); /* two rows of 24 bytes */
	ck_assert_uint_eq(guest_32(guest_32(0x1030)), 20);
	ck_assert_uint_eq(guest_32(guest_32(0x1030) + 24 + 4), 0x100000);
	ck_assert_uint_eq(guest_32(guest_32(0x1030) + 24 + 12), 0x100000);
}
END_TEST

START_TEST(a_64_bit_elf_needs_a_multiboot_header)
{
	struct guest_start start;
	const size_t size = make_elf_64();

	ck_assert_int_eq(load(size, &start), GUEST_IMAGE_ELF64_ENTRY);
	put_multiboot(0x1000, 3);
	ck_assert_int_eq(load(size, &start), GUEST_IMAGE_OK);
	ck_assert_str_eq(start.format, "multiboot elf");
	ck_assert_uint_eq(start.entry, 0x100020);
}
END_TEST

/* One field changed in an otherwise good image. */
static const struct {
	const char *what;
	size_t (*make)(void);
	size_t at, bytes;
	uint64_t value;
	enum guest_image_error error;
} lies[] = {
	{ "shared object", make_elf_32, 16, 2, 3, GUEST_IMAGE_ELF_KIND },
	{ "other machine", make_elf_32, 18, 2, 40, GUEST_IMAGE_ELF_KIND },
	{ "big-endian", make_elf_32, 5, 1, 2, GUEST_IMAGE_ELF_KIND },
	{ "class 0", make_elf_32, 4, 1, 0, GUEST_IMAGE_ELF_KIND },
	{ "table past the end", make_elf_32, 28, 4, 0x1300 - 31, GUEST_IMAGE_ELF_TABLE },
	{ "table at 4 GiB", make_elf_32, 28, 4, 0xffffffff, GUEST_IMAGE_ELF_TABLE },
	{ "64-bit table wraps", make_elf_64, 32, 8, UINT64_MAX - 7, GUEST_IMAGE_ELF_TABLE },
	{ "entries too small", make_elf_32, 42, 2, 31, GUEST_IMAGE_ELF_TABLE },
	{ "no program header", make_elf_32, 44, 2, 0, GUEST_IMAGE_ELF_COUNT },
	{ "65535 program headers", make_elf_32, 44, 2, 65535, GUEST_IMAGE_ELF_COUNT },
	{ "nothing to load", make_elf_32, 52, 4, 2, GUEST_IMAGE_ELF_EMPTY },
	{ "bytes past the end", make_elf_32, 56, 4, 0x1001, GUEST_IMAGE_ELF_FILE_RANGE },
	{ "64-bit offset wraps", make_elf_64, 72, 8, UINT64_MAX, GUEST_IMAGE_ELF_FILE_RANGE },
	{ "above the memory", make_elf_32, 64, 4, MEMORY_SIZE - 0x4ff,
	  GUEST_IMAGE_ELF_MEMORY_RANGE },
	{ "64-bit address wraps", make_elf_64, 88, 8, UINT64_MAX - 0xff,
	  GUEST_IMAGE_ELF_MEMORY_RANGE },
	{ "larger in the file", make_elf_32, 72, 4, 0x2ff, GUEST_IMAGE_ELF_SIZE },
	{ "4 GiB of bss", make_elf_32, 72, 4, 0xffffffff, GUEST_IMAGE_ELF_MEMORY_RANGE },
	{ "entry outside", make_elf_32, 24, 4, 0xc0100500, GUEST_IMAGE_ELF_ENTRY },
	{ "entry before", make_elf_32, 24, 4, 0xc00fffff, GUEST_IMAGE_ELF_ENTRY },
	{ "header before load", make_multiboot, 0x4c, 4, 0x10ffff, GUEST_IMAGE_MULTIBOOT_ORDER },
	{ "header too far", make_multiboot, 0x4c, 4, 0x110041, GUEST_IMAGE_MULTIBOOT_ORDER },
	{ "load ends before", make_multiboot, 0x54, 4, 0x10ffff, GUEST_IMAGE_MULTIBOOT_ORDER },
	{ "load past the file", make_multiboot, 0x54, 4, 0x110801,
	  GUEST_IMAGE_MULTIBOOT_FILE_RANGE },
	{ "bss ends inside", make_multiboot, 0x58, 4, 0x1103ff, GUEST_IMAGE_MULTIBOOT_ORDER },
	{ "bss past memory", make_multiboot, 0x58, 4, MEMORY_SIZE + 1,
	  GUEST_IMAGE_MULTIBOOT_MEMORY_RANGE },
	{ "entry before load", make_multiboot, 0x5c, 4, 0x10ffff, GUEST_IMAGE_MULTIBOOT_ORDER },
	{ "entry in bss", make_multiboot, 0x5c, 4, 0x110400, GUEST_IMAGE_MULTIBOOT_ORDER },
};

START_TEST(each_lie_is_refused_by_its_name)
{
	struct guest_start start;
	const size_t size = lies[_i].make();
	enum guest_image_error error;

	put(lies[_i].at, lies[_i].value, lies[_i].bytes);
	error = load(size, &start);
	ck_assert_msg(error == lies[_i].error, "%s: got %s, wanted %s", lies[_i].what,
	              guest_image_error_name(error), guest_image_error_name(lies[_i].error));
	ck_assert_msg(memory_is_zero(), "%s: memory was written", lies[_i].what);
}
END_TEST

START_TEST(an_impossible_demand_is_refused)
{
	struct guest_start start;
	const size_t size = make_multiboot();

	put_multiboot(0x40, 0x10007); /* bit 2: a video mode */
	ck_assert_int_eq(load(size, &start), GUEST_IMAGE_MULTIBOOT_FLAGS);
	put_multiboot(0x40, 0x00003); /* no addresses, not ELF */
	ck_assert_int_eq(load(size, &start), GUEST_IMAGE_MULTIBOOT_FORMAT);
}
END_TEST

START_TEST(an_image_without_room_for_the_information_is_refused)
{
	struct guest_start start;

	/* Load at 1000h, bss to 640 KiB: every page below is the image's. */
	memset(file, 0x90, 0x800);
	put_multiboot(0x40, 0x10003);
	put(0x4c, 0x1040, 4);
	put(0x50, 0x1000, 4);
	put(0x54, 0, 4);
	put(0x58, 0xa0000, 4);
	put(0x5c, 0x1000, 4);
	ck_assert_int_eq(load(0x800, &start), GUEST_IMAGE_MULTIBOOT_INFO);
	ck_assert(memory_is_zero());
}
END_TEST

START_TEST(an_empty_image_is_refused)
{
	struct guest_start start;

	ck_assert_int_eq(load(0, &start), GUEST_IMAGE_EMPTY);
}
END_TEST

START_TEST(a_flat_image_must_fit)
{
	struct guest_start start;
	struct guest_image image = { .bytes = file,
		                     .size = 16,
		                     .memory = memory,
		                     .memory_size = MEMORY_SIZE,
		                     .cmdline = "" };

	image.load_address = MEMORY_SIZE - 16;
	ck_assert_int_eq(guest_image_load(&image, &start), GUEST_IMAGE_OK);
	image.load_address = MEMORY_SIZE - 15;
	ck_assert_int_eq(guest_image_load(&image, &start), GUEST_IMAGE_FLAT_RANGE);
	image.load_address = UINT64_MAX;
	ck_assert_int_eq(guest_image_load(&image, &start), GUEST_IMAGE_FLAT_RANGE);
	image.load_address = 0x100000;
	image.real_mode = true;
	ck_assert_int_eq(guest_image_load(&image, &start), GUEST_IMAGE_FLAT_ENTRY);
	image.load_address = 0xffff0;
	ck_assert_int_eq(guest_image_load(&image, &start), GUEST_IMAGE_OK);
}
END_TEST

static size_t (*const makers[])(void) = { make_elf_32, make_elf_64, make_multiboot };

/* Every prefix of a good image: refused or loaded, never read past its end (sanitizers). */
START_TEST(every_truncation_is_survived)
{
	struct guest_start start;
	const size_t whole = makers[_i]();

	for (size_t size = 0; size < whole; size++)
		(void)load(size, &start);
	ck_assert(margins_are_whole());
}
END_TEST

/* A fixed sequence of numbers, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static const uint64_t edges[] = { 0,           1,          0x7fffffff,  0x80000000,      0xffffffff,
	                          0x100000000, UINT64_MAX, MEMORY_SIZE, MEMORY_SIZE - 1, 0x1300,
	                          0x1000 };

/* Headers with a few fields replaced by edges or noise. */
START_TEST(random_headers_stay_inside_the_memory)
{
	uint32_t state = 0x9e3779b9;
	unsigned int loaded = 0;

	for (unsigned int round = 0; round < 10000; round++) {
		const unsigned int changes = 1 + next_random(&state) % 4;
		struct guest_start start;
		size_t size;

		memset(file, 0, 0x100);
		size = makers[_i]();
		for (unsigned int i = 0; i < changes; i++) {
			const uint32_t edge =
				next_random(&state) % (sizeof(edges) / sizeof(edges[0]) * 2);
			const uint64_t value = edge < sizeof(edges) / sizeof(edges[0])
			                               ? edges[edge]
			                               : next_random(&state);

			put(next_random(&state) % 0x80, value, 1u << next_random(&state) % 4);
		}
		size -= next_random(&state) % 8 ? 0 : next_random(&state) % size;
		if (load(size, &start) == GUEST_IMAGE_OK) {
			loaded++;
			ck_assert_uint_lt(start.entry, MEMORY_SIZE);
			memset(memory, 0, MEMORY_SIZE);
		}
	}
	ck_assert(margins_are_whole());
	ck_assert_uint_gt(loaded, 0); /* else the test would look at refusals only */
	ck_assert(memory_is_zero());
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, flat_image_goes_to_its_address);
	tcase_add_test(tcase, elf_entry_is_translated_to_physical);
	tcase_add_test(tcase, multiboot_addresses_are_honoured);
	tcase_add_test(tcase, multiboot_information_describes_the_memory);
	tcase_add_test(tcase, a_64_bit_elf_needs_a_multiboot_header);
	tcase_add_loop_test(tcase, each_lie_is_refused_by_its_name, 0, ROWS(lies));
	tcase_add_test(tcase, an_impossible_demand_is_refused);
	tcase_add_test(tcase, an_image_without_room_for_the_information_is_refused);
	tcase_add_test(tcase, an_empty_image_is_refused);
	tcase_add_test(tcase, a_flat_image_must_fit);
	tcase_add_loop_test(tcase, every_truncation_is_survived, 0, 3);
	tcase_add_loop_test(tcase, random_headers_stay_inside_the_memory, 0, 3);
}

int main(void)
{
	return suite_run("guest image", add_tests);
}
