/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Linux's bzImage by the 64-bit and the 32-bit boot protocol (Documentation/x86/boot.rst and
 * zero-page.rst; numbers in comments are offsets in the file and in the zero page alike).
 *
 * The file is real-mode code for a BIOS, which is not used, and the protected-mode kernel.  The
 * header in front is read through a private copy.  Fields are read only if the protocol version
 * has them: 2.10 is the oldest that says how much memory the kernel needs, and older kernels
 * (before 2009) are refused rather than guessed at.
 */
#include "boot/start.h"

#define HEADER_FIRST  0x1f1u
#define HEADER_LIMIT  0x290u /* Where the zero page goes on with other things. */
#define HEADER_LENGTH (HEADER_LIMIT - HEADER_FIRST)
#define HEADER_NEEDED 0x264u /* Up to init_size. */

#define MAGIC_BOOT   0xaa55u
#define MAGIC_HEADER 0x53726448u /* "HdrS" */

#define LOADED_HIGH        0x01u
#define XLF_KERNEL_64      0x01u
#define ENTRY_64           0x200u
#define OLDEST_PROTOCOL    0x020au
#define OLDEST_PROTOCOL_64 0x020cu

#define ZERO_PAGE_RSDP     0x070u
#define ZERO_PAGE_ENTRIES  0x1e8u
#define ZERO_PAGE_MAP      0x2d0u
#define ZERO_PAGE_MAP_SIZE 20u

/* The header, zeros where the file's is shorter. */
struct linux_header {
	uint8_t bytes[HEADER_LENGTH];
};

static uint64_t header_get(const struct linux_header *header, unsigned offset, unsigned size)
{
	return svm_boot_field(header->bytes + (offset - HEADER_FIRST), size);
}

static void header_put(struct linux_header *header, unsigned offset, uint64_t value, unsigned size)
{
	svm_boot_put(header->bytes + (offset - HEADER_FIRST), value, size);
}

/* False: no bzImage. */
static bool read_header(const struct svm_boot_config *config, struct linux_header *header)
{
	const uint8_t *image = config->image;
	uint64_t end;

	memset(header, 0, sizeof(*header));
	if (config->size < HEADER_NEEDED)
		return false;
	/* 201h: the offset of the jump over the header, from 202h on. */
	end = 0x202u + (uint64_t)image[0x201];
	end = svm_min(svm_min(end, HEADER_LIMIT), config->size);
	if (end < 0x208)
		return false;
	memcpy(header->bytes, image + HEADER_FIRST, end - HEADER_FIRST);
	return header_get(header, 0x1fe, 2) == MAGIC_BOOT &&
	       header_get(header, 0x202, 4) == MAGIC_HEADER;
}

enum svm_boot_format svm_boot_linux_format(const struct svm_boot_config *config)
{
	struct linux_header header;

	if (!read_header(config, &header))
		return SVM_BOOT_AUTO;
	return header_get(&header, 0x206, 2) >= OLDEST_PROTOCOL_64 &&
	                       (header_get(&header, 0x236, 2) & XLF_KERNEL_64)
	               ? SVM_BOOT_LINUX_64
	               : SVM_BOOT_LINUX_32;
}

static int check_version(struct svm_boot_plan *plan, const struct linux_header *header)
{
	const uint64_t version = header_get(header, 0x206, 2);

	if (version < OLDEST_PROTOCOL)
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the kernel is older than Linux 2.6.31 (protocol 2.10)");
	if (!(header_get(header, 0x211, 1) & LOADED_HIGH))
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the kernel is a zImage, which loads below 640 KiB");
	if (plan->state->format == SVM_BOOT_LINUX_64 &&
	    svm_boot_linux_format(plan->config) != SVM_BOOT_LINUX_64)
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT,
		                       "the kernel has no 64-bit entry point");
	if (0x202u + header_get(header, 0x201, 1) < HEADER_NEEDED)
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "the kernel's header is shorter than its version says");
	return 0;
}

/* The protected-mode kernel within the file.  Of its last 16 bytes some may be missing. */
static int find_kernel_code(struct svm_boot_plan *plan, const struct linux_header *header,
                            struct svm_boot_piece *code)
{
	const uint8_t *image = plan->config->image;
	const uint64_t sectors = header_get(header, 0x1f1, 1);
	const uint64_t start = ((sectors ? sectors : 4) + 1) * 512;
	const uint64_t paragraphs = header_get(header, 0x1f4, 4), size = paragraphs * 16;

	if (!paragraphs || !svm_boot_fits(start, size - 15, plan->config->size))
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "the file ends before the kernel that its header announces");
	*code = (struct svm_boot_piece){ 0, size, image + start,
		                         svm_min(size, plan->config->size - start), false };
	return 0;
}

/* A relocatable kernel: at the address it likes best, else at the lowest that will do. */
static int place_relocatable(struct svm_boot_plan *plan, const struct linux_header *header,
                             struct svm_boot_piece *code)
{
	const uint64_t align = header_get(header, 0x230, 4);
	const uint64_t preferred = header_get(header, 0x258, 8);
	const uint64_t init_size = header_get(header, 0x260, 4);

	if (!align || (align & (align - 1)))
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "the kernel's alignment is no power of two");
	if (init_size > code->size)
		code->size = init_size;
	if (preferred >= SVM_BOOT_1M && preferred < SVM_BOOT_4G && !(preferred & (align - 1)) &&
	    svm_boot_find_lowest(plan, code->size, align, preferred,
	                         svm_min(preferred + code->size, SVM_BOOT_4G), &code->gpa))
		return svm_boot_plan_add(plan, code);
	if (!svm_boot_find_lowest(plan, code->size, align, SVM_BOOT_1M, SVM_BOOT_4G, &code->gpa))
		return svm_boot_refuse(plan, SVM_ERR_RANGE,
		                       "the guest's memory has no room for the kernel");
	return svm_boot_plan_add(plan, code);
}

/* The others begin where they say, then move to the preferred address by themselves. */
static int place_fixed(struct svm_boot_plan *plan, const struct linux_header *header,
                       struct svm_boot_piece *code)
{
	struct svm_boot_piece run = { header_get(header, 0x258, 8), header_get(header, 0x260, 4),
		                      NULL, 0, false };
	int result;

	code->gpa = header_get(header, 0x214, 4);
	if (code->gpa < SVM_BOOT_1M)
		return svm_boot_refuse(plan, SVM_ERR_BAD_IMAGE,
		                       "the kernel's load address is below 1 MiB");
	result = svm_boot_plan_add(plan, code);
	return result || !run.gpa ? result : svm_boot_plan_add(plan, &run);
}

/* As high as the kernel allows, away from where it unpacks itself. */
static int place_initramfs(struct svm_boot_plan *plan, const struct linux_header *header)
{
	const struct svm_boot_module *module = plan->config->modules;
	const uint64_t limit = header_get(header, 0x22c, 4) + 1;
	struct svm_boot_piece piece = { .clear = false };

	plan->first_module = plan->count;
	if (!plan->config->module_count)
		return 0;
	if (plan->config->module_count > 1)
		return svm_boot_refuse(plan, SVM_ERR_INVAL,
		                       "Linux takes one module, its initramfs");
	piece.size = piece.count = module->size;
	piece.bytes = module->bytes;
	if (!svm_boot_find_highest(plan, piece.size, SVM_PAGE_SIZE, SVM_BOOT_1M,
	                           svm_min(limit, SVM_BOOT_4G), &piece.gpa))
		return svm_boot_refuse(plan, SVM_ERR_RANGE,
		                       "the guest's memory has no room for the initramfs");
	return svm_boot_plan_add(plan, &piece);
}

static int place_all(struct svm_boot_plan *plan, const struct linux_header *header,
                            struct svm_boot_piece *code)
{
	const bool is_long = plan->state->format == SVM_BOOT_LINUX_64;
	int result;

	if (plan->cmdline_size - 1 > header_get(header, 0x238, 4))
		return svm_boot_refuse(plan, SVM_ERR_INVAL,
		                       "the command line is longer than this kernel takes");
	result = header_get(header, 0x234, 1) ? place_relocatable(plan, header, code)
	                                      : place_fixed(plan, header, code);
	if (!result)
		result = place_initramfs(plan, header);
	return result ? result : svm_boot_plan_block(plan, is_long, SVM_PAGE_SIZE);
}

int svm_boot_plan_linux(struct svm_boot_plan *plan)
{
	struct linux_header header;
	struct svm_boot_piece code;
	int result;

	if (!read_header(plan->config, &header))
		return svm_boot_refuse(plan, SVM_ERR_NOSUPPORT, "the image is no bzImage");
	result = check_version(plan, &header);
	if (!result)
		result = find_kernel_code(plan, &header, &code);
	if (!result)
		result = place_all(plan, &header, &code);
	if (result)
		return result;
	if (plan->state->format == SVM_BOOT_LINUX_64)
		svm_boot_start_long(plan, code.gpa + ENTRY_64);
	else
		svm_boot_start_protected(plan, code.gpa);
	plan->state->regs.rsi = plan->block.gpa + plan->block.info;
	return 0;
}

/* What the loader owes to the header; the rest stays as the kernel has it. */
static void fill_header(const struct svm_boot_plan *plan, struct linux_header *header)
{
	const struct svm_boot_piece *initramfs = &plan->piece[plan->first_module];
	const bool has_initramfs = plan->config->module_count;

	header_put(header, 0x1fa, 0xffff, 2); /* vid_mode: normal */
	header_put(header, 0x210, 0xff, 1);   /* type_of_loader: none of the list */
	header_put(header, 0x211, LOADED_HIGH, 1);
	header_put(header, 0x214, plan->piece[0].gpa, 4);
	header_put(header, 0x218, has_initramfs ? initramfs->gpa : 0, 4);
	header_put(header, 0x21c, has_initramfs ? initramfs->size : 0, 4);
	header_put(header, 0x224, 0, 4); /* no heap, no more about the loader */
	header_put(header, 0x228, plan->block.gpa + plan->block.strings, 4);
	header_put(header, 0x23c, 0, 4); /* hardware_subarch: a PC */
	header_put(header, 0x250, 0, 8); /* setup_data: none */
}

static int write_memory_map(const struct svm_boot_plan *plan, struct svm_vm *vm,
                            svm_gpa_t zero_page)
{
	const struct svm_boot_config *config = plan->config;
	const uint8_t count = (uint8_t)config->map_count;
	int result = svm_vm_write(vm, zero_page + ZERO_PAGE_ENTRIES, &count, 1, NULL);

	for (uint32_t i = 0; i < config->map_count && !result; i++) {
		uint8_t row[ZERO_PAGE_MAP_SIZE];

		svm_boot_put(row, config->map[i].gpa, 8);
		svm_boot_put(row + 8, config->map[i].size, 8);
		svm_boot_put(row + 16, config->map[i].kind, 4);
		result = svm_vm_write(vm, zero_page + ZERO_PAGE_MAP + ZERO_PAGE_MAP_SIZE * i, row,
		                      sizeof(row), NULL);
	}
	return result;
}

int svm_boot_write_linux(const struct svm_boot_plan *plan, struct svm_vm *vm)
{
	const svm_gpa_t zero_page = plan->block.gpa + plan->block.info;
	struct linux_header header;
	uint8_t rsdp[8];
	int result = svm_boot_clear(vm, zero_page, SVM_PAGE_SIZE);

	(void)read_header(plan->config, &header);
	fill_header(plan, &header);
	svm_boot_put(rsdp, plan->config->rsdp, 8);
	if (!result)
		result = svm_vm_write(vm, zero_page + HEADER_FIRST, header.bytes, HEADER_LENGTH,
		                      NULL);
	if (!result)
		result = svm_vm_write(vm, zero_page + ZERO_PAGE_RSDP, rsdp, 8, NULL);
	return result ? result : write_memory_map(plan, vm, zero_page);
}
