/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loaded images run: the strict processor takes the registers, fetches the first instructions
 * through the tables that the loader wrote, and finds what it was told where its registers point.
 *
 * Each image is the same few instructions: load 8 bytes from where RBX or RSI points, VMMCALL.
 */
#include <libsvm/boot.h>

#include "vcpu_rig.h"

#define HIGH_PAGES 64u
#define HIGH       UINT64_C(0x100000)

static struct rig r;
static uint8_t *high;
static svm_hpa_t high_hpa;
static uint8_t file[0x2000];

/* 64 pages from 0 on and 64 from 1 MiB on. */
static const struct svm_boot_range map[2] = { { 0, RIG_PAGES * 4096, SVM_BOOT_RAM },
	                                      { HIGH, HIGH_PAGES * 4096, SVM_BOOT_RAM } };

static void setup(void)
{
	rig_init(&r, NULL, RIG_REAL);
	high = hosted_guest_alloc(r.m, HIGH_PAGES, 4096, &high_hpa);
	ck_assert_int_eq(svm_vm_map(r.vm, HIGH, high_hpa, HIGH_PAGES * 4096, SVM_PROT_ALL), 0);
	ck_assert_int_eq(svm_vcpu_reset(r.vcpu), 0);
	memset(file, 0, sizeof(file));
}

static void teardown(void)
{
	ck_assert_int_eq(svm_vm_unmap(r.vm, HIGH, HIGH_PAGES * 4096), 0);
	hosted_guest_free(r.m, high_hpa, HIGH_PAGES);
	rig_fini(&r);
}

static void put(size_t at, uint64_t value, size_t size)
{
	memcpy(file + at, &value, size);
}

/* MOV RAX, [register]; VMMCALL. */
static void put_code(size_t at, int bits, unsigned base)
{
	struct hosted_script s;

	hosted_script_init(&s, bits);
	hosted_script_load(&s, HOSTED_RAX, base, bits == 64);
	hosted_script_vmmcall(&s);
	memcpy(file + at, s.bytes, s.size);
}

static void make_kernel(int bits)
{
	put(0x1f1, 1, 1);
	put(0x1f4, 0x100, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x6aeb, 2);
	memcpy(file + 0x202, "HdrS", 4);
	put(0x206, 0x020f, 2);
	put(0x211, 1, 1);
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 0x1000, 4);
	put(0x234, 1, 1);
	put(0x236, bits == 64, 2);
	put(0x258, HIGH, 8);
	put(0x260, 0x10000, 4);
	put_code(0x400 + (bits == 64 ? 0x200 : 0), bits, HOSTED_RSI);
}

static void make_elf(int bits)
{
	const bool is_64 = bits == 64;
	const size_t row = is_64 ? 64 : 52, size = is_64 ? 8 : 4;

	memcpy(file, is_64 ? "\177ELF\2\1\1" : "\177ELF\1\1\1", 7);
	put(16, 2, 2);
	put(18, is_64 ? 62 : 3, 2);
	put(24, HIGH + 0x20, size);
	put(is_64 ? 32 : 28, row, size);
	put(is_64 ? 54 : 42, is_64 ? 56 : 32, 2);
	put(is_64 ? 56 : 44, 1, 2);
	put(row, 1, 4);
	put(row + size, 0x1000, size);
	put(row + 2 * size, HIGH, size);
	put(row + 3 * size, HIGH, size);
	put(row + 4 * size, 0x100, size);
	put(row + 5 * size, 0x2000, size);
	put_code(0x1020, bits, HOSTED_RBX);
}

static void make_multiboot(int bits)
{
	put(0, 0x1badb002, 4);
	put(4, 0x10003, 4);
	put(8, 0u - 0x1badb002u - 0x10003u, 4);
	put(12, HIGH, 4);
	put(16, HIGH, 4);
	put(28, HIGH + 0x40, 4);
	put_code(0x40, bits, HOSTED_RBX);
}

/* What the instruction loads: the first bytes of the structure. */
static const struct {
	const char *what;
	void (*make)(int bits);
	int bits;
	enum svm_boot_format format;
	uint64_t rax, rip;
} run_rows[] = {
	{ "Linux, 64-bit", make_kernel, 64, SVM_BOOT_LINUX_64, 0, HIGH + 0x200 },
	{ "Linux, 32-bit", make_kernel, 32, SVM_BOOT_LINUX_32, 0, HIGH },
	{ "ELF64", make_elf, 64, SVM_BOOT_ELF, UINT64_C(0x1336ec578), HIGH + 0x20 },
	{ "ELF32", make_elf, 32, SVM_BOOT_ELF, 0x336ec578, HIGH + 0x20 },
	{ "multiboot", make_multiboot, 32, SVM_BOOT_MULTIBOOT, 0x24d, HIGH + 0x40 },
};

static void load_and_run(enum svm_boot_format format)
{
	const struct svm_boot_config config = {
		.format = format,
		.image = file,
		.size = sizeof(file),
		.map = map,
		.map_count = 2,
	};
	struct svm_boot_state state;
	const char *why = "?";

	ck_assert_msg(svm_boot_load(r.vm, &config, &state, &why) == 0, "%s", why);
	ck_assert_int_eq(svm_boot_apply(r.vcpu, &state), 0);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), 0);
}

START_TEST(image_finds_what_it_is_told)
{
	run_rows[_i].make(run_rows[_i].bits);
	load_and_run(run_rows[_i].format);
	ck_assert_msg(r.exit.kind == SVM_EXIT_KIND_HYPERCALL, "%s: exit %d at %lx",
	              run_rows[_i].what, r.exit.kind, r.exit.rip);
	ck_assert_uint_eq(r.exit.hypercall.number, run_rows[_i].rax);
	ck_assert_uint_gt(r.exit.rip, run_rows[_i].rip);
	ck_assert_uint_lt(r.exit.rip, run_rows[_i].rip + 16);
}
END_TEST

START_TEST(real_mode_image_runs)
{
	struct hosted_script s;
	const struct svm_boot_config config = {
		.format = SVM_BOOT_FLAT_16,
		.image = s.bytes,
		.size = 64,
		.map = map,
		.map_count = 2,
		.address = 0x7c00,
	};
	struct svm_boot_state state;

	memset(&s, 0, sizeof(s));
	hosted_script_init(&s, 16);
	hosted_script_mov(&s, HOSTED_RAX, 0x1234);
	hosted_script_vmmcall(&s);
	ck_assert_int_eq(svm_boot_load(r.vm, &config, &state, NULL), 0);
	ck_assert_int_eq(svm_boot_apply(r.vcpu, &state), 0);
	ck_assert_int_eq(svm_vcpu_run(r.vcpu, &r.exit), 0);
	ck_assert_int_eq(r.exit.kind, SVM_EXIT_KIND_HYPERCALL);
	ck_assert_uint_eq(r.exit.hypercall.number, 0x1234);
	ck_assert_uint_eq(r.exit.rip & ~UINT64_C(0xf), 0x7c00);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, image_finds_what_it_is_told, 0, ROWS(run_rows));
	tcase_add_test(tc, real_mode_image_runs);
}

int main(void)
{
	return rig_main("boot_run", add);
}
