/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Linux's boot protocols: numbers are those of Documentation/x86/boot.rst and zero-page.rst. */
#include <check.h>
#include <string.h>

#include "boot_rig.h"

#define ROWS(a) ((int)(sizeof(a) / sizeof((a)[0])))
#define MIB     UINT64_C(0x100000)
#define FRAME   (~UINT64_C(0xfff))

#define SETUP  0x1400u /* 9 sectors behind the boot sector. */
#define CODE   0x3000u
#define FILE_SIZE (SETUP + CODE)

static uint8_t file[FILE_SIZE + 0x1000];

/* A kernel like Debian's 6.1: protocol 2.15, relocatable, at 16 MiB, 8 MiB to begin with. */
static void make_kernel(void)
{
	memset(file, 0xcc, sizeof(file));
	memset(file + 0x1f1, 0, 0x290 - 0x1f1);
	memset(file + SETUP, 0x90, CODE);
	file_put(file, 0x1f1, 9, 1);
	file_put(file, 0x1f4, CODE / 16, 4);
	file_put(file, 0x1fe, 0xaa55, 2);
	file_put(file, 0x200, 0x6aeb, 2);
	memcpy(file + 0x202, "HdrS", 4);
	file_put(file, 0x206, 0x020f, 2);
	file_put(file, 0x211, 1, 1);
	file_put(file, 0x214, 0x100000, 4);
	file_put(file, 0x22c, 0x7fffffff, 4);
	file_put(file, 0x230, 0x200000, 4);
	file_put(file, 0x234, 1, 1);
	file_put(file, 0x235, 0x15, 1);
	file_put(file, 0x236, 0x7f, 2);
	file_put(file, 0x238, 2047, 4);
	file_put(file, 0x258, 0x1000000, 8);
	file_put(file, 0x260, 0x800000, 4);
}

static void setup(void)
{
	rig_pc(128 * MIB);
	make_kernel();
}

static void teardown(void)
{
	rig_close();
}

/* --- what the kernel finds ------------------------------------------------------------------- */

START_TEST(kernel_64_starts_as_the_protocol_says)
{
	const struct svm_regs *r = &rig.state.regs;
	const struct svm_system_regs *s = &rig.state.system;

	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	ck_assert_int_eq(rig.state.format, SVM_BOOT_LINUX_64);
	ck_assert_uint_eq(r->rip, 0x1000200);
	ck_assert_uint_eq(r->rflags, 2);
	ck_assert_uint_eq(s->cr0, 0x80000011); /* PG, ET, PE */
	ck_assert_uint_eq(s->cr4, 0x20);       /* PAE */
	ck_assert_uint_eq(s->efer, 0x500);     /* LMA, LME */
	ck_assert_uint_eq(s->cpl, 0);
	ck_assert_uint_eq(s->cs.selector, 0x10);
	ck_assert_uint_eq(s->cs.attributes, 0xa9b);
	ck_assert_uint_eq(s->ds.selector, 0x18);
	ck_assert_uint_eq(s->es.selector, 0x18);
	ck_assert_uint_eq(s->ss.selector, 0x18);
	ck_assert_uint_eq(s->ss.attributes, 0xc93);
	ck_assert_uint_eq(s->ss.limit, 0xffffffff);
	ck_assert_uint_eq(rig_get(s->gdtr.base + 0x10, 8), 0x00af9b000000ffff);
	ck_assert_uint_eq(rig_get(s->gdtr.base + 0x18, 8), 0x00cf93000000ffff);
	ck_assert_uint_eq(s->gdtr.limit, 0x1f);
	/* The kernel is where it said, all of it. */
	ck_assert(rig_all(0x1000000, CODE, 0x90));
	ck_assert_uint_eq(rig_get(r->rsi + 0x202, 4), 0x53726448);
}
END_TEST

START_TEST(kernel_32_starts_as_the_protocol_says)
{
	const struct svm_regs *r = &rig.state.regs;
	const struct svm_system_regs *s = &rig.state.system;

	rig.config.format = SVM_BOOT_LINUX_32;
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	ck_assert_uint_eq(r->rip, 0x1000000);
	ck_assert_uint_eq(r->rflags, 2);
	ck_assert_uint_eq(r->rbp | r->rdi | r->rbx, 0);
	ck_assert_uint_eq(s->cr0, 0x11);
	ck_assert_uint_eq(s->cr4 | s->efer | s->cr3, 0);
	ck_assert_uint_eq(s->cs.selector, 0x10);
	ck_assert_uint_eq(s->cs.attributes, 0xc9b);
	ck_assert_uint_eq(s->cs.limit, 0xffffffff);
	ck_assert_uint_eq(s->ds.selector, 0x18);
	ck_assert_uint_eq(rig_get(s->gdtr.base + 0x10, 8), 0x00cf9b000000ffff);
	ck_assert_uint_eq(rig_get(r->rsi + 0x214, 4), 0x1000000);
}
END_TEST

/* Each entry of the tables, as the processor would walk them: 2 MiB pages, present and writable. */
START_TEST(first_4_gib_are_mapped_one_to_one)
{
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	for (uint64_t gva = 0; gva < UINT64_C(0x100000000); gva += 0x200000) {
		const uint64_t pml4e = rig_get(rig.state.system.cr3 + 8 * (gva >> 39 & 511), 8);
		const uint64_t pdpte = rig_get((pml4e & FRAME) + 8 * (gva >> 30 & 511), 8);
		const uint64_t pde = rig_get((pdpte & FRAME) + 8 * (gva >> 21 & 511), 8);

		ck_assert_uint_eq(pml4e & 0xfff, 3);
		ck_assert_uint_eq(pdpte & 0xfff, 3);
		ck_assert_uint_eq(pde, gva | 0x83);
	}
	ck_assert_uint_eq(rig_get(rig.state.system.cr3 + 8, 8), 0);
}
END_TEST

START_TEST(zero_page_tells_all)
{
	static const uint8_t initramfs[5000] = { 1, 2, 3 };
	const struct svm_boot_module module = { initramfs, sizeof(initramfs), NULL };
	uint64_t z;

	rig.config.modules = &module;
	rig.config.module_count = 1;
	rig.config.cmdline = "console=ttyS0 quiet";
	rig.config.rsdp = 0xe0000;
	/* What the file says in the loader's own fields does not reach the kernel. */
	file_put(file, 0x218, UINT64_MAX, 8);
	file_put(file, 0x23c, 2, 4);
	file_put(file, 0x250, UINT64_MAX, 8);
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	z = rig.state.regs.rsi;
	ck_assert_uint_eq(rig_get(z + 0x070, 8), 0xe0000);    /* acpi_rsdp_addr */
	ck_assert_uint_eq(rig_get(z + 0x1ef, 1), 0);          /* sentinel */
	ck_assert_uint_eq(rig_get(z + 0x1f1, 1), 9);          /* setup_sects */
	ck_assert_uint_eq(rig_get(z + 0x1fa, 2), 0xffff);     /* vid_mode */
	ck_assert_uint_eq(rig_get(z + 0x206, 2), 0x020f);     /* version */
	ck_assert_uint_eq(rig_get(z + 0x210, 1), 0xff);       /* type_of_loader */
	ck_assert_uint_eq(rig_get(z + 0x211, 1), 1);          /* loadflags */
	ck_assert_uint_eq(rig_get(z + 0x214, 4), 0x1000000);  /* code32_start */
	ck_assert_uint_eq(rig_get(z + 0x218, 4), 0x7ffe000);  /* ramdisk_image: the last 2 pages */
	ck_assert_uint_eq(rig_get(z + 0x21c, 4), 5000);       /* ramdisk_size */
	ck_assert_uint_eq(rig_get(z + 0x23c, 4), 0);          /* hardware_subarch */
	ck_assert_uint_eq(rig_get(z + 0x250, 8), 0);          /* setup_data */
	ck_assert_uint_eq(rig_get(z + 0x258, 8), 0x1000000);  /* pref_address */
	ck_assert_str_eq(rig_string(rig_get(z + 0x228, 4)), "console=ttyS0 quiet");
	ck_assert_uint_eq(rig_get(0x7ffe000, 4), 0x00030201);
	/* Nothing of the last file in memory that nobody filled. */
	ck_assert(rig_all(z, 0x70, 0));
	ck_assert(rig_all(z + 0x78, 0x1e8 - 0x78, 0));
	ck_assert(rig_all(z + 0x26c, 0x2d0 - 0x26c, 0));
	ck_assert(rig_all(z + 0x2d0 + 4 * 20, 0x1000 - 0x2d0 - 4 * 20, 0));
}
END_TEST

/* gpa, size, type (1 RAM, 2 reserved). */
static const struct {
	uint64_t ram;
	unsigned count;
	uint64_t row[5][3];
} map_rows[] = {
	{ 128 * MIB, 4,
	  { { 0, 0x9fc00, 1 }, { 0x9fc00, 0x400, 2 }, { 0xe0000, 0x20000, 2 },
	    { 0x100000, 0x7f00000, 1 } } },
	{ 3072 * MIB, 4,
	  { { 0, 0x9fc00, 1 }, { 0x9fc00, 0x400, 2 }, { 0xe0000, 0x20000, 2 },
	    { 0x100000, 0xbff00000, 1 } } },
	{ 4096 * MIB, 5,
	  { { 0, 0x9fc00, 1 }, { 0x9fc00, 0x400, 2 }, { 0xe0000, 0x20000, 2 },
	    { 0x100000, 0xbff00000, 1 }, { 0x100000000, 0x40000000, 1 } } },
};

START_TEST(kernel_is_told_the_memory_of_a_pc)
{
	uint64_t z;

	rig_close();
	rig_pc(map_rows[_i].ram);
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	z = rig.state.regs.rsi;
	ck_assert_uint_eq(rig_get(z + 0x1e8, 1), map_rows[_i].count);
	for (unsigned i = 0; i < map_rows[_i].count; i++) {
		ck_assert_uint_eq(rig_get(z + 0x2d0 + 20 * i, 8), map_rows[_i].row[i][0]);
		ck_assert_uint_eq(rig_get(z + 0x2d0 + 20 * i + 8, 8), map_rows[_i].row[i][1]);
		ck_assert_uint_eq(rig_get(z + 0x2d0 + 20 * i + 16, 4), map_rows[_i].row[i][2]);
	}
}
END_TEST

static const struct {
	const char *what;
	uint64_t ram;
	uint32_t count;
} pc_rows[] = {
	{ "2 MiB is the least", 2 * MIB, 4 },
	{ "less than 2 MiB is no PC", 2 * MIB - 4096, 0 },
	{ "memory comes in pages", 2 * MIB + 1, 0 },
	{ "1 TiB is the most", UINT64_C(1) << 40, 5 },
	{ "more than 1 TiB is refused", (UINT64_C(1) << 40) + 4096, 0 },
	{ "one page above 3 GiB is above 4 GiB", 3072 * MIB + 4096, 5 },
};

START_TEST(map_of_a_pc_has_limits)
{
	struct svm_boot_range map[SVM_BOOT_PC_RANGES];

	ck_assert_msg(svm_boot_pc_map(pc_rows[_i].ram, map) == pc_rows[_i].count, "%s",
	              pc_rows[_i].what);
}
END_TEST

/* --- places ---------------------------------------------------------------------------------- */

/* Fields that differ from make_kernel(): {offset, size, value}. */
struct field {
	unsigned offset, size;
	uint64_t value;
};

static const struct {
	const char *what;
	uint64_t ram;
	struct field field[4];
	size_t initramfs;
	uint64_t kernel, ramdisk; /* Expected; kernel 0: SVM_ERR_RANGE. */
} place_rows[] = {
	{ "preferred address", 128 * MIB, { { 0 } }, 0, 0x1000000, 0 },
	{ "exactly enough at the preferred address", 24 * MIB, { { 0 } }, 0, 0x1000000, 0 },
	{ "a smaller guest has it lower, aligned", 24 * MIB - 4096, { { 0 } }, 0, 0x200000, 0 },
	{ "8 MiB at 2 MiB are the least", 10 * MIB, { { 0 } }, 0, 0x200000, 0 },
	{ "and one page less too little", 10 * MIB - 4096, { { 0 } }, 0, 0, 0 },
	{ "no preference", 128 * MIB, { { 0x258, 8, 0 } }, 0, 0x200000, 0 },
	{ "a preference that is not aligned", 128 * MIB, { { 0x258, 8, 0x1000200 } }, 0, 0x200000,
	  0 },
	{ "a preference below 1 MiB", 128 * MIB,
	  { { 0x258, 8, 0x10000 }, { 0x230, 4, 4096 } }, 0, 0x100000, 0 },
	{ "a preference above 4 GiB", 128 * MIB, { { 0x258, 8, 0x100000000 } }, 0, 0x200000, 0 },
	{ "a preference whose end would wrap", 128 * MIB, { { 0x258, 8, 0xffffffffffe00000 } }, 0,
	  0x200000, 0 },
	{ "an alignment of 1 GiB", 128 * MIB, { { 0x230, 4, 0x40000000 } }, 0, 0, 0 },
	{ "an alignment of 1", 128 * MIB, { { 0x230, 4, 1 }, { 0x258, 8, 0x1234567 } }, 0,
	  0x1234567, 0 },
	{ "an alignment of 2 GiB in 4 GiB", 4096 * MIB, { { 0x230, 4, 0x80000000 } }, 0, 0x80000000,
	  0 },
	{ "a kernel that needs 4 GiB", 128 * MIB, { { 0x260, 4, 0xffffffff } }, 0, 0, 0 },
	{ "a kernel that needs less than it has", 128 * MIB, { { 0x260, 4, 0 } }, 0, 0x1000000, 0 },
	{ "initramfs at the end", 128 * MIB, { { 0 } }, 4096, 0x1000000, 0x7fff000 },
	{ "initramfs at the end below 3 GiB", 4096 * MIB, { { 0x22c, 4, 0xffffffff } }, 4096,
	  0x1000000, 0xbffff000 },
	{ "initramfs below its limit", 128 * MIB, { { 0x22c, 4, 0x37ffffe } }, 4096, 0x1000000,
	  0x37fe000 },
	{ "initramfs below the kernel", 24 * MIB, { { 0 } }, 4097, 0x1000000, 0xffe000 },
	{ "initramfs exactly below the kernel", 24 * MIB, { { 0 } }, 15 * MIB, 0x1000000,
	  0x100000 },
	{ "initramfs one byte too large", 24 * MIB, { { 0 } }, 15 * MIB + 1, 0, 0 },
	{ "a limit within the first MiB", 128 * MIB, { { 0x22c, 4, 0xfffff } }, 1, 0, 0 },
	{ "a limit of 0", 128 * MIB, { { 0x22c, 4, 0 } }, 1, 0, 0 },
	{ "fixed: at its own address", 128 * MIB, { { 0x234, 1, 0 } }, 0, 0x100000, 0 },
	{ "fixed: will run where no memory is", 16 * MIB, { { 0x234, 1, 0 } }, 0, 0, 0 },
	{ "fixed: at the end of memory", 128 * MIB,
	  { { 0x234, 1, 0 }, { 0x214, 4, 0x7ffd000 } }, 0, 0x7ffd000, 0 },
	{ "fixed: one byte beyond", 128 * MIB, { { 0x234, 1, 0 }, { 0x214, 4, 0x7ffd001 } }, 0, 0,
	  0 },
	{ "fixed: initramfs keeps off both", 24 * MIB, { { 0x234, 1, 0 } }, 4096, 0x100000,
	  0xfff000 },
};

static void put_fields(const struct field *field, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		file_put(file, field[i].offset, field[i].value, field[i].size);
}

START_TEST(kernel_and_initramfs_find_their_places)
{
	static uint8_t initramfs[16 * 0x100000];
	const struct svm_boot_module module = { initramfs, place_rows[_i].initramfs, NULL };
	int result;

	rig_close();
	rig_pc(place_rows[_i].ram);
	put_fields(place_rows[_i].field, 4);
	rig.config.modules = &module;
	rig.config.module_count = module.size != 0;
	result = rig_load(file, FILE_SIZE);
	ck_assert_msg(result == (place_rows[_i].kernel ? 0 : SVM_ERR_RANGE), "%s: %d, %s",
	              place_rows[_i].what, result, rig.why);
	if (result) {
		ck_assert_uint_eq(rig.changed, 0);
		return;
	}
	ck_assert_msg(rig.state.regs.rip == place_rows[_i].kernel + 0x200, "%s: rip %lx",
	              place_rows[_i].what, rig.state.regs.rip);
	ck_assert_msg(rig_get(rig.state.regs.rsi + 0x218, 4) == place_rows[_i].ramdisk, "%s: %lx",
	              place_rows[_i].what, rig_get(rig.state.regs.rsi + 0x218, 4));
}
END_TEST

/* --- refusals -------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	enum svm_boot_format format;
	struct field field;
	size_t cut; /* Bytes missing at the end. */
	int result;
	const char *why;
} refused_rows[] = {
	{ "boot flag", 0, { 0x1fe, 2, 0 }, 0, SVM_ERR_NOSUPPORT, "no bzImage, multiboot or ELF" },
	{ "magic", 0, { 0x202, 4, 0 }, 0, SVM_ERR_NOSUPPORT, "no bzImage, multiboot or ELF" },
	{ "magic, format given", SVM_BOOT_LINUX_32, { 0x202, 4, 0 }, 0, SVM_ERR_NOSUPPORT,
	  "no bzImage" },
	{ "protocol 2.09", 0, { 0x206, 2, 0x0209 }, 0, SVM_ERR_NOSUPPORT, "older than" },
	{ "protocol 2.10, 64-bit", SVM_BOOT_LINUX_64, { 0x206, 2, 0x020a }, 0, SVM_ERR_NOSUPPORT,
	  "64-bit entry" },
	{ "no 64-bit entry", SVM_BOOT_LINUX_64, { 0x236, 2, 0x7e }, 0, SVM_ERR_NOSUPPORT,
	  "64-bit entry" },
	{ "zImage", 0, { 0x211, 1, 0 }, 0, SVM_ERR_NOSUPPORT, "zImage" },
	{ "header too short", 0, { 0x201, 1, 0x61 }, 0, SVM_ERR_BAD_IMAGE, "shorter" },
	{ "a paragraph missing", 0, { 0 }, 16, SVM_ERR_BAD_IMAGE, "ends before" },
	{ "no code", 0, { 0x1f4, 4, 0 }, 0, SVM_ERR_BAD_IMAGE, "ends before" },
	{ "64 GiB of code", 0, { 0x1f4, 4, 0xffffffff }, 0, SVM_ERR_BAD_IMAGE, "ends before" },
	{ "255 sectors of setup", 0, { 0x1f1, 1, 255 }, 0, SVM_ERR_BAD_IMAGE, "ends before" },
	{ "alignment 0", 0, { 0x230, 4, 0 }, 0, SVM_ERR_BAD_IMAGE, "power of two" },
	{ "alignment 3 MiB", 0, { 0x230, 4, 0x300000 }, 0, SVM_ERR_BAD_IMAGE, "power of two" },
	{ "fixed below 1 MiB", 0, { 0x214, 4, 0xf0000 }, 0, SVM_ERR_BAD_IMAGE, "below 1 MiB" },
	{ "header only", 0, { 0 }, FILE_SIZE - 0x264, SVM_ERR_BAD_IMAGE, "ends before" },
	{ "less than the header", 0, { 0 }, FILE_SIZE - 0x263, SVM_ERR_NOSUPPORT, "no bzImage" },
};

START_TEST(broken_kernels_are_refused_by_name)
{
	int result;

	put_fields(&refused_rows[_i].field, 1);
	if (refused_rows[_i].field.offset == 0x214)
		file_put(file, 0x234, 0, 1); /* Only then it is a load address. */
	rig.config.format = refused_rows[_i].format;
	result = rig_load(file, FILE_SIZE - refused_rows[_i].cut);
	ck_assert_msg(result == refused_rows[_i].result && strstr(rig.why, refused_rows[_i].why),
	              "%s: %d, %s", refused_rows[_i].what, result, rig.why);
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

START_TEST(kernel_without_a_64_bit_entry_starts_in_32_bits)
{
	file_put(file, 0x236, 0, 2);
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	ck_assert_int_eq(rig.state.format, SVM_BOOT_LINUX_32);
}
END_TEST

START_TEST(setup_of_0_sectors_means_4)
{
	memset(file + 0xa00, 0x91, 0x3000);
	file_put(file, 0x1f1, 0, 1);
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	ck_assert_uint_eq(rig_get(0x1000000, 1), 0x91);
	ck_assert_uint_eq(rig_get(0x1002fff, 1), 0x91);
	ck_assert_uint_eq(rig_get(0x1003000, 1), 0);
}
END_TEST

/* memtest86+ 6.10 is such a file. */
START_TEST(last_paragraph_may_be_cut)
{
	ck_assert_int_eq(rig_load(file, FILE_SIZE - 15), 0);
	ck_assert(rig_all(0x1000000, CODE - 15, 0x90));
	ck_assert_uint_eq(rig_get(0x1000000 + CODE - 15, 1), 0);
}
END_TEST

START_TEST(command_line_has_the_kernels_limit)
{
	char line[4200];

	memset(line, 'x', sizeof(line));
	rig.config.cmdline = line;
	line[2047] = 0;
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	line[2047] = 'x';
	line[2048] = 0;
	ck_assert_int_eq(rig_load(file, FILE_SIZE), SVM_ERR_INVAL);
	ck_assert_ptr_nonnull(strstr(rig.why, "longer than this kernel"));
	file_put(file, 0x238, 0xffffffff, 4);
	line[2048] = 'x';
	line[4095] = 0;
	ck_assert_int_eq(rig_load(file, FILE_SIZE), 0);
	line[4095] = 'x';
	line[4096] = 0;
	ck_assert_int_eq(rig_load(file, FILE_SIZE), SVM_ERR_INVAL);
	ck_assert_ptr_nonnull(strstr(rig.why, "4095"));
}
END_TEST

START_TEST(two_modules_are_one_too_many)
{
	const struct svm_boot_module modules[2] = { { "a", 1, NULL }, { "b", 1, NULL } };

	rig.config.modules = modules;
	rig.config.module_count = 2;
	ck_assert_int_eq(rig_load(file, FILE_SIZE), SVM_ERR_INVAL);
	ck_assert_uint_eq(rig.changed, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boot_linux");
	TCase *tc = tcase_create("linux");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, kernel_64_starts_as_the_protocol_says);
	tcase_add_test(tc, kernel_32_starts_as_the_protocol_says);
	tcase_add_test(tc, first_4_gib_are_mapped_one_to_one);
	tcase_add_test(tc, zero_page_tells_all);
	tcase_add_loop_test(tc, kernel_is_told_the_memory_of_a_pc, 0, ROWS(map_rows));
	tcase_add_loop_test(tc, map_of_a_pc_has_limits, 0, ROWS(pc_rows));
	tcase_add_loop_test(tc, kernel_and_initramfs_find_their_places, 0, ROWS(place_rows));
	tcase_add_loop_test(tc, broken_kernels_are_refused_by_name, 0, ROWS(refused_rows));
	tcase_add_test(tc, kernel_without_a_64_bit_entry_starts_in_32_bits);
	tcase_add_test(tc, setup_of_0_sectors_means_4);
	tcase_add_test(tc, last_paragraph_may_be_cut);
	tcase_add_test(tc, command_line_has_the_kernels_limit);
	tcase_add_test(tc, two_modules_are_one_too_many);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
