/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loader of guest images.  Two rules keep it honest: every field is read byte by byte from inside
 * the file after the range it lies in was checked, and every sum of a start and a length is
 * replaced by a comparison of the length with the room behind the start, which cannot wrap.
 *
 * What is to be copied is first collected in a plan; only a plan without objection is carried out.
 */
#include "guest_image.h"

#include "string.h"

#define SEGMENTS_MAX 32u

#define MULTIBOOT_SEARCH        8192u
#define MULTIBOOT_HEADER_MAGIC  0x1badb002u
#define MULTIBOOT_LOADER_MAGIC  0x2badb002u
#define MULTIBOOT_HEADER_SIZE   12u
#define MULTIBOOT_ADDRESSED     32u /* with the five addresses */
#define MULTIBOOT_HAS_ADDRESSES 0x00010000u
#define MULTIBOOT_OFFERED       0x00000003u /* aligned modules, memory information */
#define MULTIBOOT_DEMANDS       0x0000ffffu

#define ELF_32_HEADER 52u
#define ELF_64_HEADER 64u
#define ELF_32_ENTRY  32u
#define ELF_64_ENTRY  56u
#define ELF_PT_LOAD   1u
#define ELF_EXEC      2u
#define ELF_386       3u
#define ELF_X86_64    62u

#define LOW_RAM_END 0x9fc00u
#define HIGH_RAM    0x100000u
#define PAGE        0x1000u

struct segment {
	uint64_t address, memory_size; /* guest-physical */
	uint64_t offset, file_size;    /* in the file */
};

struct plan {
	struct segment segments[SEGMENTS_MAX];
	unsigned int count;
	uint64_t entry;
};

static const struct {
	const char *name, *text;
} errors[] = { { "OK", "success" },
#define GUEST_IMAGE_ROW(name, text) { #name, text },
	       GUEST_IMAGE_ERRORS(GUEST_IMAGE_ROW)
#undef GUEST_IMAGE_ROW
};

static bool is_error(enum guest_image_error error)
{
	return (size_t)error < sizeof(errors) / sizeof(errors[0]);
}

const char *guest_image_error_name(enum guest_image_error error)
{
	return is_error(error) ? errors[error].name : "?";
}

const char *guest_image_error_text(enum guest_image_error error)
{
	return is_error(error) ? errors[error].text : "?";
}

/* Little-endian field of @size bytes; the caller has checked that the file holds it. */
static uint64_t field(const uint8_t *bytes, uint64_t offset, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint64_t)bytes[offset + i] << (8 * i);
	return value;
}

static uint32_t field_32(const uint8_t *bytes, uint64_t offset)
{
	return (uint32_t)field(bytes, offset, 4);
}

static bool fits(uint64_t start, uint64_t length, uint64_t limit)
{
	return start <= limit && length <= limit - start;
}

/* --- multiboot ------------------------------------------------------------------------- */

/* Offset of the header in the file, or false. */
static bool find_multiboot(const struct guest_image *image, uint64_t *offset)
{
	for (uint64_t at = 0; at + MULTIBOOT_HEADER_SIZE <= MULTIBOOT_SEARCH; at += 4) {
		if (!fits(at, MULTIBOOT_HEADER_SIZE, image->size))
			return false;

		const uint32_t magic = field_32(image->bytes, at);
		const uint32_t flags = field_32(image->bytes, at + 4);
		const uint32_t checksum = field_32(image->bytes, at + 8);

		if (magic == MULTIBOOT_HEADER_MAGIC && (uint32_t)(magic + flags + checksum) == 0) {
			*offset = at;
			return true;
		}
	}
	return false;
}

static enum guest_image_error plan_multiboot(const struct guest_image *image, uint64_t offset,
                                             struct plan *plan)
{
	if (!fits(offset, MULTIBOOT_ADDRESSED, image->size))
		return GUEST_IMAGE_MULTIBOOT_TRUNCATED;

	const uint64_t header = field_32(image->bytes, offset + 12);
	const uint64_t load = field_32(image->bytes, offset + 16);
	const uint64_t load_end = field_32(image->bytes, offset + 20);
	const uint64_t bss_end = field_32(image->bytes, offset + 24);
	const uint64_t entry = field_32(image->bytes, offset + 28);

	/* The header's own address says which byte of the file goes to the load address. */
	if (header < load || header - load > offset)
		return GUEST_IMAGE_MULTIBOOT_ORDER;

	const uint64_t first = offset - (header - load);

	if (load_end && load_end < load)
		return GUEST_IMAGE_MULTIBOOT_ORDER;

	const uint64_t file_size = load_end ? load_end - load : image->size - first;

	if (!fits(first, file_size, image->size))
		return GUEST_IMAGE_MULTIBOOT_FILE_RANGE;
	if (bss_end && bss_end < load + file_size)
		return GUEST_IMAGE_MULTIBOOT_ORDER;

	const uint64_t memory_size = bss_end ? bss_end - load : file_size;

	if (!fits(load, memory_size, image->memory_size))
		return GUEST_IMAGE_MULTIBOOT_MEMORY_RANGE;
	if (entry < load || entry - load >= file_size)
		return GUEST_IMAGE_MULTIBOOT_ORDER;

	plan->segments[0] = (struct segment){ load, memory_size, first, file_size };
	plan->count = 1;
	plan->entry = entry;
	return GUEST_IMAGE_OK;
}

/* --- ELF -------------------------------------------------------------------------------- */

static bool is_elf(const struct guest_image *image)
{
	return image->size >= 4 && !memcmp(image->bytes, "\177ELF", 4);
}

static bool elf_is_64(const struct guest_image *image)
{
	return image->size > 4 && image->bytes[4] == 2;
}

static enum guest_image_error plan_elf_segment(const struct guest_image *image, uint64_t at,
                                               bool wide, uint64_t entry, struct plan *plan)
{
	const uint8_t *const bytes = image->bytes;
	const unsigned int size = wide ? 8 : 4;

	if (field_32(bytes, at) != ELF_PT_LOAD)
		return GUEST_IMAGE_OK;

	/* p_flags stands second in the 64-bit form and seventh in the 32-bit one. */
	const uint64_t first = at + (wide ? 8 : 4);
	const uint64_t offset = field(bytes, first, size);
	const uint64_t virtual = field(bytes, first + size, size);
	const uint64_t address = field(bytes, first + 2 * size, size);
	const uint64_t file_size = field(bytes, first + 3 * size, size);
	const uint64_t memory_size = field(bytes, first + 4 * size, size);

	if (file_size > memory_size)
		return GUEST_IMAGE_ELF_SIZE;
	if (!memory_size)
		return GUEST_IMAGE_OK;
	if (!fits(offset, file_size, image->size))
		return GUEST_IMAGE_ELF_FILE_RANGE;
	if (!fits(address, memory_size, image->memory_size))
		return GUEST_IMAGE_ELF_MEMORY_RANGE;

	/* Paging is off at the start, so an entry point given as virtual is meant physically. */
	if (entry >= virtual && entry - virtual < memory_size)
		plan->entry = address + (entry - virtual);
	plan->segments[plan->count++] = (struct segment){ address, memory_size, offset, file_size };
	return GUEST_IMAGE_OK;
}

static enum guest_image_error plan_elf(const struct guest_image *image, struct plan *plan)
{
	const uint8_t *const bytes = image->bytes;
	const bool wide = elf_is_64(image);

	if (image->size < (wide ? ELF_64_HEADER : ELF_32_HEADER))
		return GUEST_IMAGE_ELF_TRUNCATED;

	const uint64_t type = field(bytes, 16, 2), machine = field(bytes, 18, 2);
	const uint64_t entry = field(bytes, 24, wide ? 8 : 4);
	const uint64_t table = field(bytes, wide ? 32 : 28, wide ? 8 : 4);
	const uint64_t entry_size = field(bytes, wide ? 54 : 42, 2);
	const uint64_t count = field(bytes, wide ? 56 : 44, 2);

	if (bytes[4] != (wide ? 2 : 1) || bytes[5] != 1 || type != ELF_EXEC ||
	    machine != (wide ? ELF_X86_64 : ELF_386))
		return GUEST_IMAGE_ELF_KIND;
	if (!count || count > SEGMENTS_MAX)
		return GUEST_IMAGE_ELF_COUNT;
	if (entry_size < (wide ? ELF_64_ENTRY : ELF_32_ENTRY) ||
	    !fits(table, count * entry_size, image->size))
		return GUEST_IMAGE_ELF_TABLE;

	plan->entry = UINT64_MAX;
	for (uint64_t i = 0; i < count; i++) {
		const enum guest_image_error error =
			plan_elf_segment(image, table + i * entry_size, wide, entry, plan);

		if (error)
			return error;
	}
	if (!plan->count)
		return GUEST_IMAGE_ELF_EMPTY;
	return plan->entry > UINT32_MAX ? GUEST_IMAGE_ELF_ENTRY : GUEST_IMAGE_OK;
}

/* --- flat -------------------------------------------------------------------------------- */

static enum guest_image_error plan_flat(const struct guest_image *image, struct plan *plan)
{
	if (!fits(image->load_address, image->size, image->memory_size) ||
	    image->load_address > UINT32_MAX)
		return GUEST_IMAGE_FLAT_RANGE;
	if (image->real_mode && image->load_address >= HIGH_RAM)
		return GUEST_IMAGE_FLAT_ENTRY;
	plan->segments[0] = (struct segment){ image->load_address, image->size, 0, image->size };
	plan->count = 1;
	plan->entry = image->load_address;
	return GUEST_IMAGE_OK;
}

/* --- the multiboot information ---------------------------------------------------------- */

static bool page_is_free(const struct plan *plan, uint64_t page)
{
	for (unsigned int i = 0; i < plan->count; i++) {
		const struct segment *s = &plan->segments[i];

		if (s->address < page + PAGE && s->address + s->memory_size > page)
			return false;
	}
	return true;
}

/* A page of low memory that no segment touches, or 0. */
static uint32_t find_info_page(const struct plan *plan, uint64_t memory_size)
{
	for (uint32_t page = PAGE; page + PAGE <= LOW_RAM_END && page + PAGE <= memory_size;
	     page += PAGE) {
		if (page_is_free(plan, page))
			return page;
	}
	return 0;
}

static void store(uint8_t *to, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

/* One row of the guest's memory map; returns where the next one goes. */
static uint8_t *store_range(uint8_t *to, uint64_t start, uint64_t end)
{
	store(to, 20, 4); /* the size does not count itself */
	store(to + 4, start, 8);
	store(to + 12, end - start, 8);
	store(to + 20, 1, 4); /* RAM */
	return to + 24;
}

/* Layout of the page: the structure, 60h the loader's name, 80h the map, 100h the command line. */
static void write_multiboot_info(const struct guest_image *image, uint32_t page)
{
	static const char name[] = "libsvm";
	uint8_t *const info = image->memory + page, *row = info + 0x80;
	const uint64_t high =
		image->memory_size > HIGH_RAM ? (image->memory_size - HIGH_RAM) >> 10 : 0;
	size_t length = 0;

	row = store_range(row, 0,
	                  LOW_RAM_END < image->memory_size ? LOW_RAM_END : image->memory_size);
	if (high)
		row = store_range(row, HIGH_RAM, image->memory_size);
	while (image->cmdline[length] && length < PAGE - 0x101)
		length++;
	memcpy(info + 0x100, image->cmdline, length);
	memcpy(info + 0x60, name, sizeof(name));

	store(info, 1u << 0 | 1u << 2 | 1u << 6 | 1u << 9, 4);
	store(info + 4, LOW_RAM_END >> 10, 4);
	store(info + 8, high < UINT32_MAX ? high : UINT32_MAX, 4);
	store(info + 16, page + 0x100, 4);
	store(info + 44, (uint64_t)(row - (info + 0x80)), 4);
	store(info + 48, page + 0x80, 4);
	store(info + 64, page + 0x60, 4);
}

/* --- together ---------------------------------------------------------------------------- */

static enum guest_image_error make_plan(const struct guest_image *image, struct plan *plan,
                                        struct guest_start *start)
{
	uint64_t header = 0;
	const bool multiboot = find_multiboot(image, &header);

	if (multiboot) {
		const uint32_t flags = field_32(image->bytes, header + 4);

		start->eax = MULTIBOOT_LOADER_MAGIC;
		if (flags & MULTIBOOT_DEMANDS & ~MULTIBOOT_OFFERED)
			return GUEST_IMAGE_MULTIBOOT_FLAGS;
		start->format = "multiboot";
		if (flags & MULTIBOOT_HAS_ADDRESSES)
			return plan_multiboot(image, header, plan);
		start->format = "multiboot elf";
		return is_elf(image) ? plan_elf(image, plan) : GUEST_IMAGE_MULTIBOOT_FORMAT;
	}
	if (is_elf(image)) {
		const enum guest_image_error error = plan_elf(image, plan);

		start->format = "elf";
		return !error && elf_is_64(image) ? GUEST_IMAGE_ELF64_ENTRY : error;
	}
	start->format = "flat";
	start->real_mode = image->real_mode;
	return plan_flat(image, plan);
}

enum guest_image_error guest_image_load(const struct guest_image *image, struct guest_start *start)
{
	struct plan plan = { .count = 0 };
	enum guest_image_error error;

	*start = (struct guest_start){ .format = "?" };
	if (!image->size)
		return GUEST_IMAGE_EMPTY;
	error = make_plan(image, &plan, start);
	if (error)
		return error;
	if (start->eax) {
		start->ebx = find_info_page(&plan, image->memory_size);
		if (!start->ebx)
			return GUEST_IMAGE_MULTIBOOT_INFO;
	}

	for (unsigned int i = 0; i < plan.count; i++) {
		const struct segment *s = &plan.segments[i];

		memcpy(image->memory + s->address, image->bytes + s->offset, (size_t)s->file_size);
	}
	if (start->eax)
		write_multiboot_info(image, start->ebx);
	start->entry = (uint32_t)plan.entry;
	return GUEST_IMAGE_OK;
}
