/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ELF executables of both widths ("System V ABI", chapters 4 and 5).
 *
 * Segments go to their physical addresses.  The entry point of a linked kernel may be virtual; the
 * guest starts without its page tables, so such a one is taken to where its segment lies.
 *
 * A PVH entry point is in a note of name "Xen" and type 18 (Xen's docs/misc/pvh.pandoc): physical,
 * in 4 or 8 bytes.
 */
#include "boot/start.h"

#define ELF_EXECUTABLE  2u
#define ELF_MACHINE_386 3u
#define ELF_MACHINE_64  62u
#define ELF_LOAD        1u
#define ELF_INTERPRETER 3u
#define ELF_NOTE        4u
#define ELF_HEADERS_MAX 64u
#define ELF_NOTES_MAX   64u

#define XEN_PHYS32_ENTRY 18u

/* A file's header, and of its program headers where they are. */
struct elf_file {
	const uint8_t *bytes;
	uint64_t size;
	bool is_64;
	uint16_t type, machine;
	uint64_t entry, table, row_size;
	unsigned count;
};

struct elf_row {
	uint32_t type;
	uint64_t offset, virtual, physical, file_size, memory_size, align;
};

/* False: no ELF file of a kind that is known. */
static bool read_elf(const struct svm_boot_config *config, struct elf_file *elf)
{
	const uint8_t *b = config->image;

	if (config->size < 52 || memcmp(b, "\177ELF", 4) || b[5] != 1)
		return false;
	elf->is_64 = b[4] == 2;
	if ((b[4] != 1 && !elf->is_64) || (elf->is_64 && config->size < 64))
		return false;
	elf->bytes = b;
	elf->size = config->size;
	elf->type = (uint16_t)svm_boot_field(b + 16, 2);
	elf->machine = (uint16_t)svm_boot_field(b + 18, 2);
	elf->entry = svm_boot_field(b + 24, elf->is_64 ? 8 : 4);
	elf->table = svm_boot_field(b + (elf->is_64 ? 32 : 28), elf->is_64 ? 8 : 4);
	elf->row_size = svm_boot_field(b + (elf->is_64 ? 54 : 42), 2);
	elf->count = (unsigned)svm_boot_field(b + (elf->is_64 ? 56 : 44), 2);
	return true;
}

static bool table_is_whole(const struct elf_file *elf)
{
	return elf->count && elf->count <= ELF_HEADERS_MAX &&
	       elf->row_size >= (elf->is_64 ? 56 : 32) &&
	       svm_boot_fits(elf->table, elf->count * elf->row_size, elf->size);
}

/* After table_is_whole(); i is below the count. */
static struct elf_row read_row(const struct elf_file *elf, unsigned i)
{
	const uint8_t *b = elf->bytes + elf->table + i * elf->row_size;
	const unsigned size = elf->is_64 ? 8 : 4;
	const uint8_t *first =
		b + size; /* p_flags stands second in one form, seventh in the other. */

	return (struct elf_row){
		.type = (uint32_t)svm_boot_field(b, 4),
		.offset = svm_boot_field(first, size),
		.virtual = svm_boot_field(first + size, size),
		.physical = svm_boot_field(first + 2 * size, size),
		.file_size = svm_boot_field(first + 3 * size, size),
		.memory_size = svm_boot_field(first + 4 * size, size),
		.align = svm_boot_field(b + (elf->is_64 ? 48 : 28), size),
	};
}

/* --- notes ----------------------------------------------------------------------------------- */

/* Of sums of 32-bit fields and a place in the file: cannot wrap. */
static uint64_t round_note(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

/* The entry point in the notes of one segment. */
static bool find_entry_note(const struct elf_file *elf, const struct elf_row *row, uint64_t *entry)
{
	const uint64_t align = row->align == 8 ? 8 : 4;
	uint64_t at = 0;

	if (!svm_boot_fits(row->offset, row->file_size, elf->size))
		return false;
	for (unsigned i = 0; i < ELF_NOTES_MAX && svm_boot_fits(at, 12, row->file_size); i++) {
		const uint8_t *note = elf->bytes + row->offset + at;
		const uint64_t name_size = svm_boot_field(note, 4);
		const uint64_t size = svm_boot_field(note + 4, 4);
		const uint64_t data = round_note(at + 12 + name_size, align);

		if (!svm_boot_fits(data, size, row->file_size))
			return false;
		if (svm_boot_field(note + 8, 4) == XEN_PHYS32_ENTRY && name_size == 4 &&
		    !memcmp(note + 12, "Xen", 4) && (size == 4 || size == 8)) {
			*entry = svm_boot_field(elf->bytes + row->offset + data, (unsigned)size);
			return true;
		}
		at = round_note(data + size, align);
	}
	return false;
}

static bool find_pvh_entry(const struct elf_file *elf, uint64_t *entry)
{
	for (unsigned i = 0; i < elf->count; i++) {
		const struct elf_row row = read_row(elf, i);

		if (row.type == ELF_NOTE && find_entry_note(elf, &row, entry))
			return true;
	}
	return false;
}

enum svm_boot_format svm_boot_elf_format(const struct svm_boot_config *config)
{
	struct elf_file elf;
	uint64_t entry;

	if (!read_elf(config, &elf))
		return SVM_BOOT_AUTO;
	return table_is_whole(&elf) && find_pvh_entry(&elf, &entry) ? SVM_BOOT_PVH : SVM_BOOT_ELF;
}

/* --- segments -------------------------------------------------------------------------------- */

static int open_elf(struct svm_boot_plan *plan, struct elf_file *elf)
{
	if (!read_elf(plan->config, elf))
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT, "the image is no ELF file");
	if (elf->type != ELF_EXECUTABLE ||
	    elf->machine != (elf->is_64 ? ELF_MACHINE_64 : ELF_MACHINE_386))
		return svm_boot_refuse(
			plan, SVM_ERR_NOSUPPORT,
			"the ELF file is not an x86 executable with fixed addresses");
	if (!table_is_whole(elf))
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "the ELF file's program headers are missing, too many, or "
		                       "beyond its end");
	return 0;
}

static int plan_segment(struct svm_boot_plan *plan, const struct elf_file *elf,
                        const struct elf_row *row)
{
	struct svm_boot_piece piece = { row->physical, row->memory_size, NULL, row->file_size,
		                        true };

	if (row->file_size > row->memory_size)
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "an ELF segment is larger in the file than in memory");
	if (!row->memory_size)
		return 0;
	if (!svm_boot_fits(row->offset, row->file_size, elf->size))
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "an ELF segment's bytes lie beyond the end of the file");
	/* Or an image could have its memory cleared over and over. */
	if (svm_boot_plan_overlaps(plan, row->physical, row->memory_size))
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE, "two ELF segments overlap");
	piece.bytes = elf->bytes + row->offset;
	return svm_boot_plan_add(plan, &piece);
}

static int plan_segments(struct svm_boot_plan *plan, const struct elf_file *elf, uint64_t *entry)
{
	uint64_t virtual = UINT64_MAX;

	for (unsigned i = 0; i < elf->count; i++) {
		const struct elf_row row = read_row(elf, i);
		int result;

		if (row.type == ELF_INTERPRETER)
			return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
			                       "the ELF file wants a dynamic linker");
		if (row.type != ELF_LOAD)
			continue;
		result = plan_segment(plan, elf, &row);
		if (result)
			return result;
		if (*entry >= row.virtual && *entry - row.virtual < row.memory_size)
			virtual = row.physical + (*entry - row.virtual);
	}
	if (!plan->count)
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE, "the ELF file has nothing to load");
	if (virtual != UINT64_MAX)
		*entry = virtual;
	return 0;
}

/* Code starts in a piece, and below 4 GiB, where the tables reach. */
static int check_entry(struct svm_boot_plan *plan, uint64_t entry)
{
	for (unsigned i = 0; i < plan->count; i++) {
		const struct svm_boot_piece *piece = &plan->piece[i];

		if (entry < SVM_BOOT_4G && entry >= piece->gpa && entry - piece->gpa < piece->size)
			return 0;
	}
	return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
	                       "the ELF entry point is in no loaded segment below 4 GiB");
}

int svm_boot_plan_segments(struct svm_boot_plan *plan, uint64_t *entry)
{
	struct elf_file elf;
	int result = open_elf(plan, &elf);

	if (result)
		return result;
	*entry = elf.entry;
	result = plan_segments(plan, &elf, entry);
	return result ? result : check_entry(plan, *entry);
}

int svm_boot_plan_elf(struct svm_boot_plan *plan)
{
	const bool is_pvh = plan->state->format == SVM_BOOT_PVH;
	struct elf_file elf;
	uint64_t entry;
	bool is_long;
	int result = open_elf(plan, &elf);

	if (result)
		return result;
	is_long = elf.is_64 && !is_pvh;
	entry = elf.entry;
	result = plan_segments(plan, &elf, &entry);
	if (!result && is_pvh && !find_pvh_entry(&elf, &entry))
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the ELF file has no note with a PVH entry point");
	if (!result)
		result = check_entry(plan, entry);
	if (!result)
		result = svm_boot_plan_pvh(plan, is_long);
	if (result)
		return result;
	if (is_long)
		svm_boot_start_long(plan, entry);
	else
		svm_boot_start_protected(plan, entry);
	plan->state->regs.rbx = plan->block.gpa + plan->block.info;
	return 0;
}
